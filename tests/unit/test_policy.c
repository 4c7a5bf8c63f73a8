/* policy: one row a rule and its neighbours; facts are built from text as session builds them. */
#include "rows.h"

#include "arena.h"
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    /* "check=action" words, "observe", "auth", "equal", "covers", "exempt=LOGIN", "max=N" */
    const char *policy;
    const char *login; /* NULL for none, "!half" "!invalid" for the faults, and of other kinds
                          "!cert" "!network" "!relay" (a network that relays) */
    enum account_status status;
    bool disabled, stale;
    enum account_status missing; /* 0 stands for: all answered */
    bool missing_set;
    const char *grants; /* blank-separated; "behalf:" in front of those on behalf */
    const char *primary;
    const char *denies; /* the same */
    bool denies_missing;
    /* what a recheck brought, where again_set */
    bool again_set, again_disabled, again_denies_missing;
    enum account_status again, again_missing;
    const char *again_grants, *again_denies;
    const char *owners; /* who owns ADDRESS: "ADDRESS NAME..." a line; "own" is the account itself,
                           "stale", "late" (no answer) and "wrong" tell of the answer */
    const char *sender; /* "<>", "!" for malformed, NULL for ann@example.net */
    const char *unwrapped;
    bool eom;           /* else RCPT */
    const char *from;   /* at eom; NULL for none */
    size_t from_fields; /* 0 stands for: one where from is set */
    const char *fields; /* at eom: Sender and Resent-*, a line each */
    const char *shown;  /* at eom: by the last name in From, see set_shown() */
    bool report, too_large, forged_beyond, trusted, non_smtp, no_local_domains;
    /* of outsiders */
    bool may_be_vouched, vouched, list_mail;
    const char *mentions;
    const char *rcpt;        /* "local", "postmaster", NULL for a foreign one */
    const char *rcpt_owners; /* as owners, without the address */
    unsigned rcpt_number;
    enum effect want;
    const char *reason;   /* of the reply */
    const char *observed; /* this reason is noted without effect */
    bool wants_fresh;
    const char *wants_owners; /* of this address; "rcpt" for the recipient's */
    bool adds_sender;
    const char *detail; /* of the first finding, where it is looked at; "" for none */
};

#define FOUND .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net"

#define FOUND_BEHALF                                                                               \
    .login = "ann", .status = ACCOUNT_FOUND, .eom = true,                                          \
    .grants = "ann@example.net behalf:ceo@example.net", .primary = "ann@example.net"
#define FOUND_DOMAIN                                                                               \
    .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net @example.net"

static const struct row rows[] = {
    {"own envelope", "", FOUND, .want = EFFECT_ACCEPT},
    {"foreign envelope", "", FOUND, .sender = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"foreign envelope, observed check", "envelope=observe", FOUND, .sender = "bob@example.net",
     .want = EFFECT_ACCEPT, .observed = "sender-not-granted"},
    {"foreign envelope, ignored check", "envelope=ignore", FOUND, .sender = "bob@example.net",
     .want = EFFECT_ACCEPT},
    {"foreign envelope, tempfail check", "envelope=tempfail", FOUND, .sender = "bob@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "sender-not-granted"},
    {"foreign envelope, observing policy", "observe", FOUND, .sender = "bob@example.net",
     .want = EFFECT_ACCEPT, .observed = "sender-not-granted"},
    {"foreign envelope, exempt login", "exempt=ann", FOUND, .sender = "bob@example.net",
     .want = EFFECT_ACCEPT, .observed = "sender-not-granted"},
    {"foreign envelope, another login exempt", "exempt=bob", FOUND, .sender = "bob@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"malformed envelope", "", FOUND, .sender = "!", .want = EFFECT_REJECT,
     .reason = "sender-malformed"},
    {"malformed envelope goes before the grant", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .sender = "!", .want = EFFECT_REJECT, .reason = "sender-malformed"},
    {"any-grant covers no null sender at the end", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .sender = "<>", .eom = true, .from = "ann@example.net", .want = EFFECT_REJECT,
     .reason = "null-sender"},

    {"unknown login", "", .login = "ann", .status = ACCOUNT_UNKNOWN, .want = EFFECT_REJECT,
     .reason = "login-unknown"},
    {"unknown login observed: claims are not judged", "unknown_login=observe", .login = "ann",
     .status = ACCOUNT_UNKNOWN, .want = EFFECT_ACCEPT, .observed = "login-unknown"},
    {"unknown login allowed", "unknown_login=allow", .login = "ann", .status = ACCOUNT_UNKNOWN,
     .want = EFFECT_ACCEPT},
    {"unknown login allowed: a malformed From is refused all the same", "unknown_login=allow",
     .login = "ann", .status = ACCOUNT_UNKNOWN, .eom = true, .from = "Ann <ann@example.net",
     .want = EFFECT_REJECT, .reason = "from-malformed"},
    {"unknown, but not fresh: never a permanent no", "", .login = "ann", .status = ACCOUNT_UNKNOWN,
     .stale = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_fresh = true},
    {"invalid login, whatever unknown_login says", "unknown_login=allow", .login = "!invalid",
     .want = EFFECT_REJECT, .reason = "login-unknown"},
    {"half an authentication", "", .login = "!half", .want = EFFECT_TEMPFAIL,
     .reason = "misconfigured"},
    {"half an authentication does not relay as an outsider", "relay=ignore", .login = "!half",
     .want = EFFECT_TEMPFAIL, .reason = "misconfigured"},
    {"disabled login", "", .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net",
     .disabled = true, .want = EFFECT_REJECT, .reason = "login-disabled"},
    {"disabled login is never exempt", "exempt=ann", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .disabled = true, .want = EFFECT_REJECT,
     .reason = "login-disabled"},
    {"disabled, but not fresh", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .disabled = true, .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},

    {"directory unavailable", "", .login = "ann", .status = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"directory unavailable, exempt login: its state is not known", "exempt=ann", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"directory unavailable, accepted by configuration", "directory_unavailable=accept",
     .login = "ann", .status = ACCOUNT_UNAVAILABLE, .want = EFFECT_ACCEPT,
     .observed = "directory-unavailable"},
    {"directory unavailable and accepted: From still has to be readable",
     "directory_unavailable=accept", .login = "ann", .status = ACCOUNT_UNAVAILABLE, .eom = true,
     .from = "Ann <<ann@example.net>", .want = EFFECT_REJECT, .reason = "from-malformed"},
    {"directory unavailable, null sender", "", .login = "ann", .status = ACCOUNT_UNAVAILABLE,
     .sender = "<>", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"malformed From beats the tempfail: it needs no directory", "", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .eom = true, .from = "a@b, <", .want = EFFECT_REJECT,
     .reason = "from-malformed"},
    {"directory misconfigured", "directory_unavailable=accept", .login = "ann",
     .status = ACCOUNT_MISCONFIGURED, .want = EFFECT_TEMPFAIL, .reason = "misconfigured"},
    {"granted though another directory is silent", "", FOUND, .missing_set = true,
     .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_ACCEPT},
    {"not granted while another directory is silent", "", FOUND, .sender = "bob@example.net",
     .missing_set = true, .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable"},
    {"not granted while another directory is misconfigured", "", FOUND, .sender = "bob@example.net",
     .missing_set = true, .missing = ACCOUNT_MISCONFIGURED, .want = EFFECT_TEMPFAIL,
     .reason = "misconfigured"},
    {"stale data can accept", "", FOUND, .stale = true, .want = EFFECT_ACCEPT},
    {"stale data cannot refuse", "", FOUND, .stale = true, .sender = "bob@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},

    {"own From", "", FOUND, .eom = true, .from = "Ann <ann@example.net>", .want = EFFECT_ACCEPT},
    {"From is judged against the grants, not against the envelope", "", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "a.lee@example.net", .want = EFFECT_ACCEPT},
    {"foreign From", "", FOUND, .eom = true, .from = "Bob <bob@example.net>", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"foreign From, ignored", "header_from=ignore", FOUND, .eom = true, .from = "bob@example.net",
     .want = EFFECT_ACCEPT},
    {"foreign From, observed", "header_from=observe", FOUND, .eom = true, .from = "bob@example.net",
     .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"foreign From, exempt login", "exempt=ann", FOUND, .eom = true, .from = "bob@example.net",
     .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"malformed From, exempt login", "exempt=ann", FOUND, .eom = true, .from = "bob@@example.net",
     .want = EFFECT_REJECT, .reason = "from-malformed"},
    {"no From", "", FOUND, .eom = true, .want = EFFECT_REJECT, .reason = "from-missing"},
    {"blank From", "", FOUND, .eom = true, .from = "  ", .want = EFFECT_REJECT,
     .reason = "from-missing"},
    {"no From, accepted with a granted envelope", "missing_from=accept", FOUND, .eom = true,
     .want = EFFECT_ACCEPT},
    {"no From, not accepted with the null sender", "missing_from=accept null_sender=allow", FOUND,
     .sender = "<>", .eom = true, .want = EFFECT_REJECT, .reason = "from-missing"},
    {"no From, not accepted with an envelope that was only observed",
     "missing_from=accept envelope=observe", FOUND, .sender = "bob@example.net", .eom = true,
     .want = EFFECT_REJECT, .reason = "from-missing"},
    {"two From fields", "", FOUND, .eom = true, .from = "ann@example.net", .from_fields = 2,
     .want = EFFECT_REJECT, .reason = "from-duplicate"},
    {"two From fields, exempt login", "exempt=ann", FOUND, .eom = true, .from = "ann@example.net",
     .from_fields = 2, .want = EFFECT_REJECT, .reason = "from-duplicate"},
    {"two mailboxes", "", FOUND, .eom = true, .from = "ann@example.net, Ann <ann@example.net>",
     .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"two mailboxes observed, second foreign", "multiple_from=observe", FOUND, .eom = true,
     .from = "ann@example.net, bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .observed = "from-multiple"},
    {"group", "", FOUND, .eom = true, .from = "Team: ann@example.net;", .want = EFFECT_REJECT,
     .reason = "from-group"},
    {"a forged field behind the bound", "header_from=tag header_sender=tag resent=tag", FOUND,
     .eom = true, .from = "ann@example.net", .too_large = true, .forged_beyond = true,
     .want = EFFECT_REJECT, .reason = "headers-too-large"},
    {"a forged field behind the bound, of an outsider", "", .eom = true, .from = "x@other.example",
     .too_large = true, .forged_beyond = true, .want = EFFECT_REJECT,
     .reason = "headers-too-large"},
    {"header too large", "", FOUND, .eom = true, .from = "ann@example.net", .too_large = true,
     .want = EFFECT_REJECT, .reason = "headers-too-large"},

    {"null sender waits for the end of the message", "", FOUND, .sender = "<>",
     .want = EFFECT_ACCEPT},
    {"null sender refused at RCPT", "null_sender=reject", FOUND, .sender = "<>",
     .want = EFFECT_REJECT, .reason = "null-sender"},
    {"null sender without a report", "", FOUND, .sender = "<>", .eom = true,
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "null-sender"},
    {"report with own From", "", FOUND, .sender = "<>", .eom = true, .from = "ann@example.net",
     .report = true, .want = EFFECT_ACCEPT},
    {"report with foreign From", "", FOUND, .sender = "<>", .eom = true, .from = "bob@example.net",
     .report = true, .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"report with foreign From that is only observed", "header_from=observe", FOUND, .sender = "<>",
     .eom = true, .from = "bob@example.net", .report = true, .want = EFFECT_REJECT,
     .reason = "null-sender"},
    {"null sender allowed, foreign From", "null_sender=allow", FOUND, .sender = "<>", .eom = true,
     .from = "bob@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"null sender allowed, own From", "null_sender=allow", FOUND, .sender = "<>", .eom = true,
     .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"null sender observed", "null_sender=observe", FOUND, .sender = "<>", .want = EFFECT_ACCEPT,
     .observed = "null-sender"},

    {"foreign domain allowed", "foreign_domains=allow", FOUND, .sender = "x@other.example",
     .want = EFFECT_ACCEPT},
    {"foreign domain observed", "foreign_domains=observe", FOUND, .sender = "x@other.example",
     .want = EFFECT_ACCEPT, .observed = "sender-not-granted"},
    {"foreign domain allowed: a local one is not", "foreign_domains=allow", FOUND,
     .sender = "bob@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"foreign domain allowed, in From", "foreign_domains=allow", FOUND, .eom = true,
     .from = "x@other.example", .want = EFFECT_ACCEPT},

    {"outsider to a local recipient", "", .rcpt = "local", .sender = "x@other.example",
     .want = EFFECT_ACCEPT},
    {"outsider relaying", "", .sender = "x@other.example", .want = EFFECT_REJECT,
     .reason = "relay-denied"},
    {"outsider relaying with the null sender", "", .sender = "<>", .want = EFFECT_REJECT,
     .reason = "relay-denied"},
    {"outsider relaying, tempfail", "relay=tempfail", .sender = "x@other.example",
     .want = EFFECT_TEMPFAIL, .reason = "relay-denied"},
    {"outsider relaying, observed", "relay=observe", .sender = "x@other.example",
     .want = EFFECT_ACCEPT, .observed = "relay-denied"},
    {"relaying is no matter at the end of the message", "", .sender = "x@other.example",
     .eom = true, .want = EFFECT_ACCEPT},
    {"without local_domains relaying is off", "", .sender = "x@other.example",
     .no_local_domains = true, .want = EFFECT_ACCEPT},
    {"trusted client relays", "", .trusted = true, .sender = "x@other.example",
     .want = EFFECT_ACCEPT},
    {"trusted client proves nothing", "auth", .trusted = true, .want = EFFECT_REJECT,
     .reason = "auth-required"},
    {"trusted client that authenticated is judged", "", FOUND, .trusted = true,
     .sender = "bob@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"authenticated client relays", "", FOUND, .want = EFFECT_ACCEPT},
    {"outsider's From is not judged", "", .rcpt = "local", .sender = "x@other.example", .eom = true,
     .from = "ann@example.net, <", .want = EFFECT_ACCEPT},
    {"local sender from outside, by default noted", "", .rcpt = "local", .want = EFFECT_ACCEPT,
     .observed = "local-sender"},
    {"local sender from outside", "local_sender=reject", .rcpt = "local", .want = EFFECT_REJECT,
     .reason = "local-sender"},
    {"outsider's malformed sender could be a local one", "local_sender=reject", .rcpt = "local",
     .sender = "!", .want = EFFECT_REJECT, .reason = "sender-malformed"},
    {"auth required", "auth", .rcpt = "local", .want = EFFECT_REJECT, .reason = "auth-required"},
    {"auth required goes before relaying", "auth", .want = EFFECT_REJECT,
     .reason = "auth-required"},
    {"auth required, observed", "auth observe", .rcpt = "local", .sender = "x@other.example",
     .want = EFFECT_ACCEPT, .observed = "auth-required"},

    {"non-smtp is not refused at RCPT", "auth", .non_smtp = true, .want = EFFECT_ACCEPT},
    {"non-smtp is refused at the end", "auth", .non_smtp = true, .eom = true,
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "auth-required"},
    {"recipients within the bound", "max=2", FOUND, .rcpt_number = 2, .want = EFFECT_ACCEPT},
    {"one recipient too many", "max=2", FOUND, .rcpt_number = 3, .want = EFFECT_TEMPFAIL,
     .reason = "limit-recipients"},
    {"one recipient too many, exempt login", "max=2 exempt=ann", FOUND, .rcpt_number = 3,
     .want = EFFECT_TEMPFAIL, .reason = "limit-recipients"},
    {"reject beats tempfail", "max=1", FOUND, .rcpt_number = 2, .sender = "bob@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},

    /* denies */
    {"a deny beats the same grant", "", FOUND, .denies = "ann@example.net", .want = EFFECT_REJECT,
     .reason = "sender-not-granted", .detail = "denied by corp:attr:here"},
    {"a deny of the domain beats an exact grant", "", FOUND, .denies = "@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"a deny of the domain and all below", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .denies = "@.example.net", .sender = "ann@mail.example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"a deny of everything", "", FOUND, .denies = "*", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"a deny of another address", "", FOUND, .denies = "bob@example.net @other.example",
     .want = EFFECT_ACCEPT},
    {"a deny in From", "", .login = "ann", .status = ACCOUNT_FOUND, .grants = "*",
     .denies = "bob@example.net", .eom = true, .from = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .detail = "denied by corp:attr:here"},
    {"a deny acts as the check says", "envelope=observe", FOUND, .denies = "*",
     .want = EFFECT_ACCEPT, .observed = "sender-not-granted"},
    {"a deny found in old data refuses nothing", "", FOUND, .denies = "*", .stale = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"a deny while another directory is silent is no refusal yet", "", FOUND, .denies = "*",
     .missing_set = true, .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .detail = "asked first"},
    {"a grant does not suffice where denies are missing", "", FOUND, .denies_missing = true,
     .missing_set = true, .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .detail = "asked first"},
    {"denies are missing: their directory is misconfigured", "", FOUND, .denies_missing = true,
     .missing_set = true, .missing = ACCOUNT_MISCONFIGURED, .want = EFFECT_TEMPFAIL,
     .reason = "misconfigured"},
    {"denies are missing, accepted by configuration", "directory_unavailable=accept", FOUND,
     .denies_missing = true, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_ACCEPT, .observed = "directory-unavailable"},

    /* no addresses */
    {"an account without addresses", "", .login = "ann", .status = ACCOUNT_FOUND,
     .want = EFFECT_REJECT, .reason = "sender-not-granted", .detail = "the account has no address"},
    {"an account with one address, and another claim", "", FOUND, .sender = "bob@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted", .detail = ""},
    {"an account without addresses, its data old", "", .login = "ann", .status = ACCOUNT_FOUND,
     .stale = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true,
     .detail = "not granted, but not asked lately"},

    /* who asks for fresh data */
    {"old data, From not granted", "", FOUND, .stale = true, .eom = true, .from = "bob@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"old data, all granted", "", FOUND, .stale = true, .eom = true, .from = "ann@example.net",
     .want = EFFECT_ACCEPT},
    {"old data, nothing granted, check ignored", "envelope=ignore", FOUND, .stale = true,
     .sender = "bob@example.net", .want = EFFECT_ACCEPT},
    {"old data, not granted, check observes", "envelope=observe", FOUND, .stale = true,
     .sender = "bob@example.net", .want = EFFECT_ACCEPT, .observed = "directory-unavailable",
     .wants_fresh = true},
    {"old data, not granted, exempt login", "exempt=ann", FOUND, .stale = true,
     .sender = "bob@example.net", .want = EFFECT_ACCEPT, .observed = "directory-unavailable",
     .wants_fresh = true},
    {"old data, not granted, tempfail check", "envelope=tempfail", FOUND, .stale = true,
     .sender = "bob@example.net", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_fresh = true},
    {"old data, not granted, an outage would be accepted", "directory_unavailable=accept", FOUND,
     .stale = true, .sender = "bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "directory-unavailable", .wants_fresh = true},
    {"old data, foreign domain allowed", "foreign_domains=allow", FOUND, .stale = true,
     .sender = "x@other.example", .want = EFFECT_ACCEPT},
    {"old data, unknown login, which is allowed", "unknown_login=allow", .login = "ann",
     .status = ACCOUNT_UNKNOWN, .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"old data, and a refusal that needs no directory", "", FOUND, .stale = true,
     .sender = "bob@example.net", .eom = true, .from = "Ann <ann@example.net",
     .want = EFFECT_REJECT, .reason = "from-malformed"},
    {"fresh data asks for nothing", "", FOUND, .sender = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"a directory that is silent is not asked again", "", FOUND, .sender = "bob@example.net",
     .stale = true, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .detail = "asked first"},
    {"disabled in one, another one silent", "", FOUND, .disabled = true, .stale = true,
     .missing_set = true, .missing = ACCOUNT_MISCONFIGURED, .want = EFFECT_TEMPFAIL,
     .reason = "misconfigured", .detail = "asked first"},
    {"disabled needs all to have answered", "", FOUND, .disabled = true, .missing_set = true,
     .missing = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"no directory at all is not asked again", "", .login = "ann", .status = ACCOUNT_UNAVAILABLE,
     .stale = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},

    /* rules that lean on a grant */
    {"no From, accepted with a granted envelope: not known is no no", "missing_from=accept", FOUND,
     .stale = true, .sender = "bob@example.net", .eom = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"no From, accepted with a granted envelope: by old data too", "missing_from=accept", FOUND,
     .stale = true, .eom = true, .want = EFFECT_ACCEPT},
    {"no From, accepted with a granted envelope: directory unavailable", "missing_from=accept",
     .login = "ann", .status = ACCOUNT_UNAVAILABLE, .eom = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable"},
    {"no From, accepted, exempt login, not known", "missing_from=accept exempt=ann", FOUND,
     .stale = true, .sender = "bob@example.net", .eom = true, .want = EFFECT_ACCEPT,
     .observed = "directory-unavailable", .wants_fresh = true},
    {"report, From only observed, not known", "header_from=observe", FOUND, .stale = true,
     .sender = "<>", .eom = true, .from = "bob@example.net", .report = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"report, From ignored, not known", "header_from=ignore", FOUND, .stale = true, .sender = "<>",
     .eom = true, .from = "bob@example.net", .report = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"report, From only observed, directory unavailable", "header_from=observe", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .sender = "<>", .eom = true, .from = "ann@example.net",
     .report = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"report, From only observed, login unknown by old data",
     "header_from=observe unknown_login=allow", .login = "ann", .status = ACCOUNT_UNKNOWN,
     .stale = true, .sender = "<>", .eom = true, .from = "ann@example.net", .report = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"no report, not known: refused all the same", "header_from=observe", FOUND, .stale = true,
     .sender = "<>", .eom = true, .from = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "null-sender"},
    {"report with two mailboxes, the second not granted",
     "header_from=observe multiple_from=observe", FOUND, .sender = "<>", .eom = true,
     .from = "ann@example.net, bob@example.net", .report = true, .want = EFFECT_REJECT,
     .reason = "null-sender"},
    {"report of a foreign From that is let off", "foreign_domains=allow", FOUND, .sender = "<>",
     .eom = true, .from = "ceo@foreign.example", .report = true, .want = EFFECT_REJECT,
     .reason = "null-sender"},
    {"report of a foreign From that is only noted", "foreign_domains=observe", FOUND,
     .sender = "<>", .eom = true, .from = "ceo@foreign.example", .report = true,
     .want = EFFECT_REJECT, .reason = "null-sender"},
    {"report without From that is only noted", "missing_from=observe", FOUND, .sender = "<>",
     .eom = true, .from = "", .report = true, .want = EFFECT_REJECT, .reason = "null-sender"},
    {"report without From that is ignored", "missing_from=ignore", FOUND, .sender = "<>",
     .eom = true, .from = "", .report = true, .want = EFFECT_REJECT, .reason = "null-sender"},
    {"report with two mailboxes, one not known", "header_from=observe multiple_from=observe", FOUND,
     .stale = true, .sender = "<>", .eom = true, .from = "bob@example.net, ann@example.net",
     .report = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .observed = "from-multiple", .wants_fresh = true},

    /* after a recheck that brought no whole answer */
    {"recheck unavailable: old grants accept", "", FOUND, .stale = true, .again_set = true,
     .again = ACCOUNT_UNAVAILABLE, .want = EFFECT_ACCEPT},
    {"recheck unavailable: not granted is not known", "", FOUND, .stale = true,
     .sender = "bob@example.net", .again_set = true, .again = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .detail = "asked again",
     .wants_fresh = true},
    {"recheck misconfigured: not granted is not known", "", FOUND, .stale = true,
     .sender = "bob@example.net", .again_set = true, .again = ACCOUNT_MISCONFIGURED,
     .again_missing = ACCOUNT_FOUND, .want = EFFECT_TEMPFAIL, .reason = "misconfigured",
     .detail = "asked again", .wants_fresh = true},
    {"recheck unavailable, accepted by configuration", "directory_unavailable=accept", FOUND,
     .stale = true, .sender = "bob@example.net", .again_set = true, .again = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_ACCEPT, .observed = "directory-unavailable", .wants_fresh = true},
    {"recheck unavailable: an unknown login stays not known", "", .login = "ann",
     .status = ACCOUNT_UNKNOWN, .stale = true, .again_set = true, .again = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .detail = "asked again",
     .wants_fresh = true},
    {"recheck unavailable: a disabled login stays not known", "", FOUND, .disabled = true,
     .stale = true, .again_set = true, .again = ACCOUNT_UNAVAILABLE, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .detail = "asked again", .wants_fresh = true},
    {"recheck in part: its grants count", "", FOUND, .stale = true, .sender = "bob@example.net",
     .again_set = true, .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_UNAVAILABLE,
     .again_grants = "bob@example.net", .want = EFFECT_ACCEPT},
    {"recheck in part: the old grants count too", "", FOUND, .stale = true, .again_set = true,
     .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_UNAVAILABLE,
     .again_grants = "bob@example.net", .want = EFFECT_ACCEPT},
    {"recheck in part: neither grants", "", FOUND, .stale = true, .sender = "carl@example.net",
     .again_set = true, .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_MISCONFIGURED,
     .again_grants = "bob@example.net", .want = EFFECT_TEMPFAIL, .reason = "misconfigured",
     .detail = "asked again", .wants_fresh = true},
    {"recheck in part: its denies count", "", FOUND, .stale = true, .again_set = true,
     .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_UNAVAILABLE,
     .again_grants = "ann@example.net", .again_denies = "ann@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"recheck in part: the old denies count", "", FOUND, .stale = true, .denies = "bob@example.net",
     .sender = "bob@example.net", .again_set = true, .again = ACCOUNT_FOUND,
     .again_missing = ACCOUNT_UNAVAILABLE, .again_grants = "bob@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"recheck in part, denies missing: its grants do not suffice", "", FOUND, .stale = true,
     .sender = "bob@example.net", .again_set = true, .again = ACCOUNT_FOUND,
     .again_missing = ACCOUNT_UNAVAILABLE, .again_denies_missing = true,
     .again_grants = "bob@example.net", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_fresh = true},
    {"recheck in part, denies missing: the old grants do", "", FOUND, .stale = true,
     .again_set = true, .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_UNAVAILABLE,
     .again_denies_missing = true, .want = EFFECT_ACCEPT},
    {"recheck in part: disabled by now", "", FOUND, .stale = true, .again_set = true,
     .again = ACCOUNT_FOUND, .again_missing = ACCOUNT_UNAVAILABLE, .again_disabled = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .detail = "asked again",
     .wants_fresh = true},

    /* Sender */
    {"own Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net", .want = EFFECT_ACCEPT},
    {"foreign Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = ""},
    {"foreign Sender, observed", "header_sender=observe", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"foreign Sender, ignored", "header_sender=ignore", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .want = EFFECT_ACCEPT},
    {"foreign Sender, tempfail", "header_sender=tempfail", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "header-sender-not-granted"},
    {"foreign Sender, exempt login", "exempt=ann", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"foreign Sender, header_from does not speak for it", "header_from=ignore", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"foreign Sender, denied", "", .login = "ann", .status = ACCOUNT_FOUND, .grants = "*",
     .denies = "bob@example.net", .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = "denied by corp:attr:here"},
    {"foreign Sender of an outsider is not judged", "", .rcpt = "local",
     .sender = "x@other.example", .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_ACCEPT},
    {"a granted Sender excuses no foreign From", "", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Sender:ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"From goes before Sender", "", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Sender:carl@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"empty Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender: ", .want = EFFECT_ACCEPT},
    {"second Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net\nSender:ann@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = "a second Sender field"},
    {"second Sender, exempt login", "exempt=ann", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net\nSender:ann@example.net", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"second Sender, empty", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net\nSender: ", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"two mailboxes in Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net, Ann <ann@example.net>", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = "more than one mailbox"},
    {"group in Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:Team: ann@example.net;", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = "a group"},
    {"malformed Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:Ann <ann@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"malformed Sender, exempt login", "exempt=ann", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:Ann <ann@example.net", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"malformed Sender needs no directory", "", .login = "ann", .status = ACCOUNT_UNAVAILABLE,
     .eom = true, .from = "ann@example.net", .fields = "Sender:Ann <ann@example.net",
     .want = EFFECT_REJECT, .reason = "header-sender-not-granted"},
    {"control character in the name of Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:Ann <ann@example.net>\nshown:control", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted", .detail = "a control character in the name"},
    {"Sender of a foreign domain, allowed", "foreign_domains=allow", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:x@other.example", .want = EFFECT_ACCEPT},
    {"Sender of a foreign domain, observed", "foreign_domains=observe", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:x@other.example", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"Sender of a local domain, foreign ones allowed", "foreign_domains=allow", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"foreign Sender, old data", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"own Sender, old data", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:ann@example.net", .stale = true, .want = EFFECT_ACCEPT},
    {"foreign Sender, another directory silent", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .missing_set = true, .missing = ACCOUNT_UNAVAILABLE,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"foreign Sender, unknown login allowed", "unknown_login=allow", .login = "ann",
     .status = ACCOUNT_UNKNOWN, .eom = true, .from = "ann@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_ACCEPT},
    {"what is only observed does not hide what acts", "envelope=observe", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:bob@example.net", .sender = "bob@example.net",
     .stale = true, .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .observed = "directory-unavailable", .wants_fresh = true},
    {"Sender too large to be kept, From ignored", "header_from=ignore resent=observe", FOUND,
     .eom = true, .from = "ann@example.net", .too_large = true, .want = EFFECT_REJECT,
     .reason = "headers-too-large", .detail = "too large"},
    {"header too large, all that is judged observed",
     "header_from=observe header_sender=observe resent=observe", FOUND, .eom = true,
     .from = "ann@example.net", .too_large = true, .want = EFFECT_ACCEPT,
     .observed = "headers-too-large"},
    {"header too large, the strictest check counts",
     "header_from=observe header_sender=tempfail resent=ignore", FOUND, .eom = true,
     .from = "ann@example.net", .too_large = true, .want = EFFECT_TEMPFAIL,
     .reason = "headers-too-large"},
    {"header too large, Resent-* alone are judged", "header_from=ignore header_sender=ignore",
     FOUND, .eom = true, .from = "ann@example.net", .too_large = true, .want = EFFECT_REJECT,
     .reason = "headers-too-large"},
    {"header too large, exempt login", "exempt=ann", FOUND, .eom = true, .from = "ann@example.net",
     .too_large = true, .want = EFFECT_REJECT, .reason = "headers-too-large"},

    /* Resent-* */
    {"own Resent-From", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net", .want = EFFECT_ACCEPT},
    {"own Resent-From, several mailboxes", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net a.lee@example.net", .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net, a.lee@example.net", .want = EFFECT_ACCEPT},
    {"Resent-From, the second mailbox foreign", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net, bob@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"foreign Resent-From", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:bob@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"foreign Resent-Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net\nResent-Sender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"foreign Resent-From, observed", "resent=observe", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Resent-From:bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "resent-not-granted"},
    {"foreign Resent-From, ignored", "resent=ignore", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:bob@example.net", .want = EFFECT_ACCEPT},
    {"foreign Resent-From, exempt login", "exempt=ann", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Resent-From:bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "resent-not-granted"},
    {"second block foreign", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net\nResent-From:bob@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"several own blocks", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net\nResent-Sender:ann@example.net\nResent-From:ann@"
               "example.net\nResent-Sender:ann@example.net",
     .want = EFFECT_ACCEPT},
    {"two mailboxes in Resent-Sender", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:ann@example.net\nResent-Sender:ann@example.net, ann@example.net",
     .want = EFFECT_REJECT, .reason = "resent-not-granted", .detail = "more than one mailbox"},
    {"malformed Resent-From", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:<ann@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"group in Resent-From", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:Team: ann@example.net;", .want = EFFECT_REJECT,
     .reason = "resent-not-granted", .detail = "a group"},
    {"empty Resent-From", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:  ", .want = EFFECT_ACCEPT},
    {"control character in the name of Resent-From", "", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Resent-From:Ann <ann@example.net>\nshown:control",
     .want = EFFECT_REJECT, .reason = "resent-not-granted"},
    {"Resent-From of a foreign domain, allowed", "foreign_domains=allow", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Resent-From:x@other.example", .want = EFFECT_ACCEPT},
    {"foreign Resent-From, old data", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:bob@example.net", .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"foreign Resent-From of an outsider is not judged", "", .rcpt = "local",
     .sender = "x@other.example", .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:bob@example.net", .want = EFFECT_ACCEPT},
    {"Sender goes before Resent", "", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From:bob@example.net\nSender:bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"own Resent-From excuses no From", "", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"resent covers From", "covers", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net\nResent-Sender:ann@example.net", .want = EFFECT_ACCEPT},
    {"resent covers From: not where nothing was resent", "covers", FOUND, .eom = true,
     .from = "bob@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"resent covers From: not by Resent-Sender alone", "covers", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-Sender:ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"resent covers From: not by Sender", "covers", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Sender:ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"resent covers From: not by an empty one", "covers", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From: ", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"resent covers From: not where one is foreign", "covers resent=observe", FOUND, .eom = true,
     .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net\nResent-From:carl@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .observed = "resent-not-granted"},
    {"resent covers From: not where the first one is foreign", "covers resent=observe", FOUND,
     .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:carl@example.net\nResent-From:ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .observed = "resent-not-granted"},
    {"resent covers From: not where one is malformed", "covers resent=ignore", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net\nResent-Sender:<a",
     .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"resent covers From: not where headers were left out",
     "covers header_sender=observe resent=observe header_from=tempfail", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net", .too_large = true,
     .want = EFFECT_TEMPFAIL, .reason = "headers-too-large"},
    {"resent covers From: its shape is judged", "covers", FOUND, .eom = true,
     .from = "Bob <bob@example.net", .fields = "Resent-From:ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-malformed"},
    {"resent covers From: not several mailboxes", "covers", FOUND, .eom = true,
     .from = "bob@example.net, carl@example.net", .fields = "Resent-From:ann@example.net",
     .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"resent covers From: by old data too", "covers", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net", .stale = true, .want = EFFECT_ACCEPT},
    {"resent covers From: not known", "covers", FOUND, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:carl@example.net", .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"resent covers From: the Sender is judged", "covers", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net\nSender:bob@example.net",
     .want = EFFECT_REJECT, .reason = "header-sender-not-granted"},
    {"resent covers From: a report", "covers header_from=observe", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net", .sender = "<>",
     .report = true, .want = EFFECT_ACCEPT},
    {"resent covers From: its name may show it", "covers display_name=reject", FOUND, .eom = true,
     .from = "Bob <bob@example.net>", .fields = "Resent-From:ann@example.net",
     .shown = "bob@example.net", .want = EFFECT_ACCEPT},
    {"resent covers From: its name may show no other", "covers display_name=reject", FOUND,
     .eom = true, .from = "Bob <bob@example.net>", .fields = "Resent-From:ann@example.net",
     .shown = "carl@example.net", .want = EFFECT_REJECT, .reason = "display-name-address"},

    {"malformed Sender and Resent-From of an outsider are not judged", "", .rcpt = "local",
     .sender = "x@other.example", .eom = true, .from = "ann@example.net",
     .fields = "Sender:<a\nSender:<b\nResent-From:<a", .want = EFFECT_ACCEPT},
    {"resent covers From: not where headers were left out, all observed",
     "covers header_sender=observe resent=observe header_from=observe", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net", .too_large = true,
     .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"resent covers From: an empty one beside it makes no difference", "covers", FOUND, .eom = true,
     .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net\nResent-Sender: ", .want = EFFECT_ACCEPT},
    {"resent covers From: not by what is not known", "covers resent=ignore", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:carl@example.net", .stale = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"resent covers From: not the name of Sender",
     "covers display_name=reject header_sender=observe", FOUND, .eom = true,
     .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net\nSender:B <eve@example.net>\nshown:bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address",
     .observed = "header-sender-not-granted"},

    /* names */
    {"foreign address in the name of From, by default noted", "", FOUND, .eom = true,
     .from = "B <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "display-name-address"},
    {"foreign address in the name of From", "display_name=reject", FOUND, .eom = true,
     .from = "B <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "display-name-address"},
    {"foreign address in the name, tempfail", "display_name=tempfail", FOUND, .eom = true,
     .from = "B <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "display-name-address"},
    {"foreign address in the name, ignored", "display_name=ignore", FOUND, .eom = true,
     .from = "B <ann@example.net>", .shown = "bob@example.net direction !x", .want = EFFECT_ACCEPT},
    {"foreign address in the name, exempt login", "display_name=reject exempt=ann", FOUND,
     .eom = true, .from = "B <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "display-name-address"},
    {"own address in the name", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "ann@example.net", .want = EFFECT_ACCEPT},
    {"another own address in the name", "display_name=reject", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "A <ann@example.net>", .shown = "a.lee@example.net", .want = EFFECT_ACCEPT},
    {"own and foreign address in the name", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "ann@example.net bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address"},
    {"text like an address in the name", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "!x@y..z", .want = EFFECT_REJECT,
     .reason = "display-name-address", .detail = "not a sound address"},
    {"text like an address needs no directory", "display_name=reject", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .eom = true, .from = "A <ann@example.net>", .shown = "!x@y..z",
     .want = EFFECT_REJECT, .reason = "display-name-address"},
    {"turned direction in the name", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "direction", .want = EFFECT_REJECT,
     .reason = "display-name-address", .detail = "the name turns the direction of the text"},
    {"turned direction, by default noted", "", FOUND, .eom = true, .from = "A <ann@example.net>",
     .shown = "direction", .want = EFFECT_ACCEPT, .observed = "display-name-address"},
    {"control character in the name of From", "", FOUND, .eom = true, .from = "A <ann@example.net>",
     .shown = "control", .want = EFFECT_REJECT, .reason = "from-malformed",
     .detail = "a control character in the name"},
    {"control character in the name of From, exempt login", "exempt=ann", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "control", .want = EFFECT_REJECT,
     .reason = "from-malformed"},
    {"control character in the name of From, names ignored", "display_name=ignore", FOUND,
     .eom = true, .from = "A <ann@example.net>", .shown = "control", .want = EFFECT_REJECT,
     .reason = "from-malformed"},
    {"control character in the name of From, observed", "header_from=observe", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "control", .want = EFFECT_ACCEPT,
     .observed = "from-malformed"},
    {"foreign address in the name of Sender", "display_name=reject", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender:A <ann@example.net>\nshown:bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address"},
    {"foreign address in the name of Resent-From", "display_name=reject", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Resent-From:A <ann@example.net>\nshown:bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address"},
    {"foreign address in the name of Resent-Sender", "display_name=reject", FOUND, .eom = true,
     .from = "ann@example.net",
     .fields = "Resent-Sender:A <ann@example.net>\nshown:bob@example.net", .want = EFFECT_REJECT,
     .reason = "display-name-address"},
    {"name of a Sender that is ignored", "display_name=reject header_sender=ignore", FOUND,
     .eom = true, .from = "ann@example.net",
     .fields = "Sender:A <ann@example.net>\nshown:bob@example.net", .want = EFFECT_ACCEPT},
    {"name in a From that is ignored", "display_name=reject header_from=ignore", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_ACCEPT},
    {"address of a foreign domain in a name: foreign_domains does not excuse it",
     "display_name=reject foreign_domains=allow", FOUND, .eom = true, .from = "A <ann@example.net>",
     .shown = "x@other.example", .want = EFFECT_REJECT, .reason = "display-name-address"},
    {"foreign address in the name, old data", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "bob@example.net", .stale = true,
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"foreign address in the name, observed, old data", "", FOUND, .eom = true,
     .from = "A <ann@example.net>", .shown = "bob@example.net", .stale = true,
     .want = EFFECT_ACCEPT, .observed = "directory-unavailable", .wants_fresh = true},
    {"foreign address in the name, unknown login allowed",
     "display_name=reject unknown_login=allow", .login = "ann", .status = ACCOUNT_UNKNOWN,
     .eom = true, .from = "A <ann@example.net>", .shown = "bob@example.net", .want = EFFECT_ACCEPT},
    {"names of an outsider are not judged", "display_name=reject", .rcpt = "local",
     .sender = "x@other.example", .eom = true, .from = "A <ann@example.net>",
     .shown = "bob@example.net", .want = EFFECT_ACCEPT},
    {"Resent goes before names", "display_name=reject", FOUND, .eom = true,
     .from = "A <ann@example.net>", .fields = "Resent-From:bob@example.net",
     .shown = "bob@example.net", .want = EFFECT_REJECT, .reason = "resent-not-granted"},

    {"name that shows its own foreign mailbox", "display_name=reject header_from=observe", FOUND,
     .eom = true, .from = "B <bob@example.net>", .shown = "bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "from-not-granted"},
    {"name in a Sender that cannot be read", "display_name=reject header_sender=observe", FOUND,
     .eom = true, .from = "ann@example.net",
     .fields = "Sender:A <ann@example.net>, <\nshown:bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "header-sender-not-granted"},
    {"name in the first of two From fields", "display_name=reject header_from=observe", FOUND,
     .eom = true, .from = "A <ann@example.net>", .shown = "bob@example.net", .from_fields = 2,
     .want = EFFECT_ACCEPT, .observed = "from-duplicate"},
    {"direction and sham addresses in names of an outsider", "display_name=reject", .rcpt = "local",
     .sender = "x@other.example", .eom = true, .from = "A <ann@example.net>",
     .shown = "direction !x control", .want = EFFECT_ACCEPT},

    {"control character in a name that is only noted does not hide a second mailbox",
     "header_from=observe", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "A <ann@example.net>, A <ann@example.net>", .shown = "control", .want = EFFECT_REJECT,
     .reason = "from-multiple", .observed = "from-malformed"},

    /* several mailboxes in From */
    {"several mailboxes allowed, one granted Sender", "multiple_from=allow", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net", .fields = "Sender:ann@example.net",
     .want = EFFECT_ACCEPT},
    {"several mailboxes allowed, no Sender", "multiple_from=allow", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net", .want = EFFECT_REJECT,
     .reason = "from-multiple", .detail = "without one granted Sender"},
    {"several mailboxes allowed, no Sender, exempt login", "multiple_from=allow exempt=ann",
     .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .eom = true, .from = "Ann <ann@example.net>, a.lee@example.net", .want = EFFECT_ACCEPT,
     .observed = "from-multiple"},
    {"several mailboxes allowed, empty Sender", "multiple_from=allow", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender: ", .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"several mailboxes allowed, two Senders", "multiple_from=allow header_sender=ignore",
     .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .eom = true, .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender:ann@example.net\nSender:ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-multiple"},
    {"several mailboxes allowed, foreign Sender", "multiple_from=allow header_sender=ignore",
     .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .eom = true, .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender:bob@example.net", .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"several mailboxes allowed, Sender with two mailboxes",
     "multiple_from=allow header_sender=ignore", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender:Ann <ann@example.net>, a.lee@example.net", .want = EFFECT_REJECT,
     .reason = "from-multiple"},
    {"several mailboxes allowed, Resent-Sender is no Sender", "multiple_from=allow", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net", .fields = "Resent-Sender:ann@example.net",
     .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"several mailboxes allowed, one foreign", "multiple_from=allow", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net, bob@example.net",
     .fields = "Sender:ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"several mailboxes allowed, Sender not known", "multiple_from=allow header_sender=ignore",
     .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .eom = true, .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender:bob@example.net", .stale = true, .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"several mailboxes allowed, unknown login allowed", "multiple_from=allow unknown_login=allow",
     .login = "ann", .status = ACCOUNT_UNKNOWN, .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net", .fields = "Sender:ann@example.net",
     .want = EFFECT_ACCEPT},
    {"several mailboxes allowed, one mailbox needs no Sender", "multiple_from=allow", FOUND,
     .eom = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"several mailboxes ignored need no Sender", "multiple_from=ignore", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "Ann <ann@example.net>, a.lee@example.net", .want = EFFECT_ACCEPT},

    /* from_must_equal_envelope */
    {"From is the envelope sender", "equal", FOUND, .eom = true, .from = "ann@example.net",
     .want = EFFECT_ACCEPT},
    {"From is granted, but not the envelope sender", "equal", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "a.lee@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted",
     .detail = "not the envelope sender"},
    {"From in other letter case is the envelope sender", "equal", FOUND, .eom = true,
     .from = "ANN@Example.NET", .want = EFFECT_ACCEPT},
    {"From with a tag is the envelope sender", "equal", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .eom = true, .from = "ann+x@example.net", .sender = "ann+y@example.net",
     .want = EFFECT_ACCEPT},
    {"From in the alias domain is the envelope sender", "equal", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "*", .eom = true, .from = "ann+x@alias.example",
     .want = EFFECT_ACCEPT},
    {"From with a tag of another is not", "equal", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .eom = true, .from = "bob+ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"null envelope is exempt", "equal null_sender=allow", FOUND, .eom = true,
     .from = "ann@example.net", .sender = "<>", .want = EFFECT_ACCEPT},
    {"malformed envelope that is ignored is not", "equal envelope=ignore", FOUND, .eom = true,
     .from = "ann@example.net", .sender = "!", .want = EFFECT_REJECT, .reason = "from-not-granted",
     .detail = "not the envelope sender"},
    {"not the envelope sender, observed", "equal header_from=observe", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "a.lee@example.net", .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"not the envelope sender, exempt login", "equal exempt=ann", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net", .eom = true,
     .from = "a.lee@example.net", .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"the envelope sender, but not granted", "equal envelope=ignore", FOUND, .eom = true,
     .from = "bob@example.net", .sender = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .detail = ""},
    {"not the envelope sender needs no directory", "equal", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .eom = true, .from = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"resent covers From: the envelope too", "equal covers", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Resent-From:ann@example.net", .want = EFFECT_ACCEPT},
    {"resent may cover From, nobody knows: the envelope too", "equal covers", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:ann@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable"},
    {"resent does not cover From, nobody knows the rest", "equal covers", .login = "ann",
     .status = ACCOUNT_UNAVAILABLE, .eom = true, .from = "bob@example.net",
     .fields = "Resent-From:<", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"several mailboxes, the second is not the envelope sender", "equal multiple_from=allow",
     .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .eom = true, .from = "Ann <ann@example.net>, a.lee@example.net",
     .fields = "Sender:ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted",
     .detail = "not the envelope sender"},

    /* more findings than a decision holds */
    {"a refusal behind many observed claims is not lost", "resent=observe", FOUND, .eom = true,
     .from = "ann@example.net",
     .fields = "Resent-From:b0@example.net, b1@example.net, b2@example.net, b3@example.net, "
               "b4@example.net, b5@example.net, b6@example.net, b7@example.net, b8@example.net, "
               "b9@example.net, b10@example.net, b11@example.net, b12@example.net, "
               "b13@example.net, b14@example.net, b15@example.net, b16@example.net, "
               "b17@example.net, b18@example.net, b19@example.net",
     .want = EFFECT_ACCEPT, .observed = "resent-not-granted"},
    {"many observed names, then a refusal", "display_name=reject resent=observe", FOUND,
     .eom = true, .from = "ann@example.net",
     .fields =
         "Resent-From:b0@example.net, b1@example.net, b2@example.net, b3@example.net, "
         "b4@example.net, b5@example.net, b6@example.net, b7@example.net, b8@example.net, "
         "b9@example.net, b10@example.net, b11@example.net, b12@example.net, b13@example.net, "
         "b14@example.net, b15@example.net, b16@example.net, b17@example.net, b18@example.net, "
         "b19@example.net\nResent-From:A <ann@example.net>\nshown:bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address", .observed = "resent-not-granted"},
    {"many tempfails, then a refusal", "display_name=reject resent=tempfail", FOUND, .eom = true,
     .from = "ann@example.net",
     .fields =
         "Resent-From:b0@example.net, b1@example.net, b2@example.net, b3@example.net, "
         "b4@example.net, b5@example.net, b6@example.net, b7@example.net, b8@example.net, "
         "b9@example.net, b10@example.net, b11@example.net, b12@example.net, b13@example.net, "
         "b14@example.net, b15@example.net, b16@example.net, b17@example.net, b18@example.net, "
         "b19@example.net\nResent-From:A <ann@example.net>\nshown:bob@example.net",
     .want = EFFECT_REJECT, .reason = "display-name-address"},
    /* ---- on behalf ---- */
    {"on behalf, Sender is added", "", FOUND_BEHALF, .from = "ceo@example.net",
     .want = EFFECT_ACCEPT, .adds_sender = true},
    {"on behalf with an own Sender", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender: ann@example.net", .want = EFFECT_ACCEPT},
    {"on behalf with an empty Sender", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender: ", .want = EFFECT_ACCEPT, .adds_sender = true},
    {"on behalf with a foreign Sender", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender: bob@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted",
     .detail = "granted on behalf: Sender must be one's own"},
    {"on behalf with the author as Sender", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender: ceo@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"on behalf with two Senders", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender: ann@example.net\nSender: ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"on behalf, an empty Sender before one's own", "", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Sender:\nSender: ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"on behalf, an empty Sender before one's own that is removed", "header_sender=remove",
     FOUND_BEHALF, .from = "ceo@example.net", .fields = "Sender:\nSender: ann@example.net",
     .want = EFFECT_REWRITE, .reason = "header-sender-not-granted", .adds_sender = true},
    {"on behalf, an empty Sender before one's own, observed", "header_sender=observe", FOUND_BEHALF,
     .from = "ceo@example.net", .fields = "Sender:\nSender: ann@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted", .observed = "header-sender-not-granted"},
    {"on behalf, foreign Sender is not looked at", "header_sender=ignore", FOUND_BEHALF,
     .from = "ceo@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"on behalf, foreign Sender is rewritten", "header_sender=rewrite", FOUND_BEHALF,
     .from = "ceo@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_REWRITE,
     .reason = "header-sender-not-granted", .adds_sender = true},
    {"on behalf, foreign Sender is removed", "header_sender=remove", FOUND_BEHALF,
     .from = "ceo@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_REWRITE,
     .reason = "header-sender-not-granted", .adds_sender = true},
    {"on behalf, an exempt login's Sender stays", "header_sender=rewrite exempt=ann", FOUND_BEHALF,
     .from = "ceo@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_ACCEPT,
     .observed = "from-not-granted"},
    {"on behalf without a primary address", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net behalf:ceo@example.net", .eom = true, .from = "ceo@example.net",
     .want = EFFECT_REJECT, .reason = "from-not-granted",
     .detail = "granted on behalf: no primary address for Sender"},
    {"on behalf without a primary address, by old data", "", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net behalf:ceo@example.net", .stale = true,
     .eom = true, .from = "ceo@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"on behalf without a primary address, in part", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net behalf:ceo@example.net", .missing_set = true,
     .missing = ACCOUNT_UNAVAILABLE, .eom = true, .from = "ceo@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"nothing to rewrite to", "header_sender=rewrite", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender: <a", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"nothing to rewrite to, by old data", "header_sender=rewrite", FOUND, .stale = true,
     .eom = true, .from = "ann@example.net", .fields = "Sender: <a", .want = EFFECT_TEMPFAIL,
     .reason = "header-sender-not-granted", .wants_fresh = true},
    {"nothing to rewrite to, in part", "header_sender=rewrite", FOUND, .missing_set = true,
     .missing = ACCOUNT_UNAVAILABLE, .eom = true, .from = "ann@example.net", .fields = "Sender: <a",
     .want = EFFECT_TEMPFAIL, .reason = "header-sender-not-granted"},
    {"on behalf, primary address is not granted", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net behalf:ceo@example.net", .primary = "old@example.net", .eom = true,
     .from = "ceo@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"on behalf is no right to the envelope", "", FOUND_BEHALF, .sender = "ceo@example.net",
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"on behalf is no right to Sender", "", FOUND_BEHALF, .from = "ann@example.net",
     .fields = "Sender: ceo@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"on behalf is no right to resend", "", FOUND_BEHALF, .from = "ann@example.net",
     .fields = "Resent-From: ceo@example.net", .want = EFFECT_REJECT,
     .reason = "resent-not-granted"},
    {"on behalf, denied", "", FOUND_BEHALF, .denies = "ceo@example.net", .from = "ceo@example.net",
     .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"on behalf of a domain", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net behalf:@board.example", .primary = "ann@example.net", .eom = true,
     .from = "any@board.example", .want = EFFECT_ACCEPT, .adds_sender = true},
    {"on behalf, the same in the name", "display_name=reject", FOUND_BEHALF,
     .from = "ceo@example.net", .shown = "ceo@example.net", .want = EFFECT_ACCEPT,
     .adds_sender = true},
    {"on behalf is no right to a name beside one's own address", "display_name=reject",
     FOUND_BEHALF, .from = "ann@example.net", .shown = "ceo@example.net", .want = EFFECT_REJECT,
     .reason = "display-name-address"},
    {"on behalf by old data", "", FOUND_BEHALF, .stale = true, .from = "ceo@example.net",
     .want = EFFECT_ACCEPT, .adds_sender = true},
    {"send-as beats on behalf", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "behalf:ceo@example.net ceo@example.net ann@example.net",
     .primary = "ann@example.net", .eom = true, .from = "ceo@example.net", .want = EFFECT_ACCEPT},
    {"two authors, one on behalf, own Sender", "multiple_from=allow", FOUND_BEHALF,
     .from = "ceo@example.net, ann@example.net", .fields = "Sender: ann@example.net",
     .want = EFFECT_ACCEPT},
    {"two authors, one on behalf, without Sender", "multiple_from=allow", FOUND_BEHALF,
     .from = "ceo@example.net, ann@example.net", .want = EFFECT_REJECT, .reason = "from-multiple",
     .adds_sender = true},
    {"a report on behalf", "", FOUND_BEHALF, .sender = "<>", .report = true,
     .from = "ceo@example.net", .want = EFFECT_ACCEPT, .adds_sender = true},
    /* ---- a domain without what others own ---- */
    {"unowned: who owns it has to be asked", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_owners = "new@example.net"},
    {"unowned: nobody's", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .owners = "new@example.net", .want = EFFECT_ACCEPT},
    {"unowned: one's own", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .owners = "new@example.net own", .want = EFFECT_ACCEPT},
    {"unowned: another's", "unowned", FOUND_DOMAIN, .sender = "bob@example.net",
     .owners = "bob@example.net bob", .want = EFFECT_REJECT, .reason = "sender-not-granted",
     .detail = "owned by corp:bob"},
    {"unowned: one's own and another's", "unowned", FOUND_DOMAIN, .sender = "bob@example.net",
     .owners = "bob@example.net own bob", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"unowned: another's, but granted by itself", "unowned", FOUND_DOMAIN,
     .sender = "ann@example.net", .owners = "ann@example.net bob", .want = EFFECT_ACCEPT},
    {"unowned: another's by old data", "unowned", FOUND_DOMAIN, .sender = "bob@example.net",
     .owners = "bob@example.net bob stale", .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"unowned: nobody's by old data", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .owners = "new@example.net stale", .want = EFFECT_ACCEPT},
    {"unowned: no answer", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .owners = "new@example.net late", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .detail = "owners"},
    {"unowned: no sound answer", "unowned", FOUND_DOMAIN, .sender = "new@example.net",
     .owners = "new@example.net wrong", .want = EFFECT_TEMPFAIL, .reason = "misconfigured"},
    {"all: another's", "", FOUND_DOMAIN, .sender = "bob@example.net", .want = EFFECT_ACCEPT},
    {"unowned: From as well", "unowned", FOUND_DOMAIN, .eom = true, .from = "bob@example.net",
     .owners = "bob@example.net bob", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"unowned: any address is no domain", "unowned", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "*", .sender = "bob@example.net", .want = EFFECT_ACCEPT},
    {"unowned: nothing is asked for what is refused anyway", "unowned", FOUND_DOMAIN,
     .sender = "new@example.net", .eom = true, .from = "a b", .want = EFFECT_REJECT,
     .reason = "from-malformed"},
    /* ---- patterns and wrapped senders ---- */
    {"pattern", "", .login = "ann", .status = ACCOUNT_FOUND, .grants = "list+*@example.net",
     .sender = "list+bob=x.org@example.net", .want = EFFECT_ACCEPT},
    {"pattern is no From", "", .login = "ann", .status = ACCOUNT_FOUND,
     .grants = "list+*@example.net ann@example.net", .eom = true, .from = "list+bob@example.net",
     .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"pattern that denies", "", FOUND_DOMAIN, .denies = "list+*@example.net", .eom = true,
     .from = "list+bob@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"wrapped sender", "", FOUND, .sender = "prvs=1=ann@example.net",
     .unwrapped = "ann@example.net", .want = EFFECT_ACCEPT},
    {"wrapped sender of another", "", FOUND, .sender = "prvs=1=bob@example.net",
     .unwrapped = "bob@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"wrapped sender that is denied as it is", "", FOUND, .denies = "prvs=1=ann@example.net",
     .sender = "prvs=1=ann@example.net", .unwrapped = "ann@example.net", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"From must equal the envelope, unwrapped", "equal", FOUND, .sender = "prvs=1=ann@example.net",
     .unwrapped = "ann@example.net", .eom = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    /* ---- principals ---- */
    {"certificate, granted", "auth", .login = "!cert", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .want = EFFECT_ACCEPT},
    {"certificate, another's", "", .login = "!cert", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .sender = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"certificate that nobody knows", "", .login = "!cert", .status = ACCOUNT_UNKNOWN,
     .want = EFFECT_REJECT, .reason = "login-unknown"},
    {"network, granted, to a local recipient", "auth", .login = "!network", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .rcpt = "local", .want = EFFECT_ACCEPT},
    {"network that does not relay", "", .login = "!network", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .want = EFFECT_REJECT, .reason = "relay-denied"},
    {"network that relays", "", .login = "!relay", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .want = EFFECT_ACCEPT},
    {"network that is trusted too does not relay", "", .login = "!network", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .trusted = true, .want = EFFECT_REJECT, .reason = "relay-denied"},
    {"network, another's From", "", .login = "!relay", .status = ACCOUNT_FOUND,
     .grants = "ann@example.net", .eom = true, .from = "bob@example.net", .want = EFFECT_REJECT,
     .reason = "from-not-granted"},
    {"network is no outsider to local_sender", "local_sender=reject", .login = "!relay",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net", .want = EFFECT_ACCEPT},
    /* ---- actions ---- */
    {"envelope tagged", "envelope=tag", FOUND, .sender = "bob@example.net", .want = EFFECT_TAG,
     .reason = "sender-not-granted"},
    {"envelope held", "envelope=quarantine", FOUND, .sender = "bob@example.net",
     .want = EFFECT_QUARANTINE, .reason = "sender-not-granted"},
    {"envelope rewritten", "envelope=rewrite", FOUND_BEHALF, .sender = "bob@example.net",
     .from = "ann@example.net", .want = EFFECT_REWRITE, .reason = "sender-not-granted"},
    {"envelope rewritten without primary", "envelope=rewrite", FOUND, .sender = "bob@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"malformed envelope rewritten", "envelope=rewrite", FOUND_BEHALF, .sender = "!",
     .from = "ann@example.net", .want = EFFECT_REWRITE, .reason = "sender-malformed"},
    {"From rewritten", "header_from=rewrite", FOUND_BEHALF, .from = "bob@example.net",
     .want = EFFECT_REWRITE, .reason = "from-not-granted"},
    {"From tagged", "header_from=tag", FOUND, .eom = true, .from = "bob@example.net",
     .want = EFFECT_TAG, .reason = "from-not-granted"},
    {"From held", "header_from=quarantine", FOUND, .eom = true, .from = "bob@example.net",
     .want = EFFECT_QUARANTINE, .reason = "from-not-granted"},
    {"malformed From is not rewritten", "header_from=rewrite", FOUND_BEHALF, .from = "a b",
     .want = EFFECT_REJECT, .reason = "from-malformed"},
    {"malformed From tagged", "header_from=tag", FOUND, .eom = true, .from = "a b",
     .want = EFFECT_TAG, .reason = "from-malformed"},
    {"duplicate From is not rewritten", "header_from=rewrite", FOUND_BEHALF,
     .from = "ann@example.net", .from_fields = 2, .want = EFFECT_REJECT,
     .reason = "from-duplicate"},
    {"missing From rewritten", "missing_from=rewrite", FOUND_BEHALF, .want = EFFECT_REWRITE,
     .reason = "from-missing"},
    {"several authors rewritten", "multiple_from=rewrite", FOUND_BEHALF,
     .from = "ann@example.net, ann@example.net", .want = EFFECT_REWRITE, .reason = "from-multiple"},
    {"Sender removed without primary", "header_sender=remove", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_REWRITE,
     .reason = "header-sender-not-granted"},
    {"malformed Sender removed", "header_sender=remove", FOUND, .eom = true,
     .from = "ann@example.net", .fields = "Sender: a b", .want = EFFECT_REWRITE,
     .reason = "header-sender-not-granted"},
    {"Resent-From removed", "resent=remove", FOUND, .eom = true, .from = "ann@example.net",
     .fields = "Resent-From: bob@example.net", .want = EFFECT_REWRITE,
     .reason = "resent-not-granted"},
    {"name dropped, without primary", "display_name=rewrite", FOUND, .eom = true,
     .from = "ann@example.net", .shown = "ceo@x.org", .want = EFFECT_REWRITE,
     .reason = "display-name-address"},
    {"reject beats rewrite", "header_from=rewrite", FOUND_BEHALF, .from = "bob@example.net",
     .fields = "Sender: bob@example.net", .want = EFFECT_REJECT,
     .reason = "header-sender-not-granted"},
    {"tempfail beats quarantine", "header_from=quarantine header_sender=tempfail", FOUND,
     .eom = true, .from = "bob@example.net", .fields = "Sender: bob@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "header-sender-not-granted"},
    {"quarantine beats rewrite", "header_from=rewrite header_sender=quarantine", FOUND_BEHALF,
     .from = "bob@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_QUARANTINE,
     .reason = "header-sender-not-granted"},
    {"rewrite beats tag", "header_from=tag header_sender=remove", FOUND, .eom = true,
     .from = "bob@example.net", .fields = "Sender: bob@example.net", .want = EFFECT_REWRITE,
     .reason = "header-sender-not-granted"},
    {"tag of what is not known", "header_from=tag", FOUND, .stale = true, .eom = true,
     .from = "bob@example.net", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_fresh = true},
    {"exempt login is not tagged", "header_from=tag exempt=ann", FOUND, .eom = true,
     .from = "bob@example.net", .want = EFFECT_ACCEPT, .observed = "from-not-granted"},
    {"headers over a bound are not rewritten",
     "header_from=rewrite header_sender=ignore resent=ignore", FOUND_BEHALF, .too_large = true,
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "headers-too-large"},
    {"tagged From, null sender", "header_from=tag", FOUND, .sender = "<>", .report = true,
     .eom = true, .from = "bob@example.net", .want = EFFECT_REJECT, .reason = "null-sender"},
    /* ---- outsiders ---- */
    {"local sender, reject", "local_sender=reject", .rcpt = "local", .want = EFFECT_REJECT,
     .reason = "local-sender"},
    {"local sender, allowed address", "local_sender=reject allow=ann@example.net", .rcpt = "local",
     .want = EFFECT_ACCEPT},
    {"local sender, allowed domain", "local_sender=reject allow=@example.net", .rcpt = "local",
     .want = EFFECT_ACCEPT},
    {"local sender, another address allowed", "local_sender=reject allow=bob@example.net",
     .rcpt = "local", .want = EFFECT_REJECT, .reason = "local-sender"},
    {"local sender, allowed network", "local_sender=reject allow_net=198.51.100.0/24",
     .rcpt = "local", .want = EFFECT_ACCEPT},
    {"local sender, another network allowed", "local_sender=reject allow_net=203.0.113.0/24",
     .rcpt = "local", .want = EFFECT_REJECT, .reason = "local-sender"},
    {"local sender waits where somebody may vouch", "local_sender=reject", .may_be_vouched = true,
     .rcpt = "local", .want = EFFECT_ACCEPT},
    {"local sender, not vouched for at the end", "local_sender=reject", .may_be_vouched = true,
     .eom = true, .want = EFFECT_REJECT, .reason = "local-sender"},
    {"local sender, vouched for", "local_sender=reject", .may_be_vouched = true, .vouched = true,
     .eom = true, .want = EFFECT_ACCEPT},
    {"local sender of a login is not vouched for", "", FOUND, .sender = "bob@example.net",
     .may_be_vouched = true, .vouched = true, .eom = true, .from = "ann@example.net",
     .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"local sender, tagged", "local_sender=tag", .eom = true, .want = EFFECT_TAG,
     .reason = "local-sender"},
    {"local From is not looked at", "local_sender=ignore", .eom = true, .from = "ann@example.net",
     .want = EFFECT_ACCEPT},
    {"local From", "local_sender=ignore local_from=reject", .eom = true, .from = "ann@example.net",
     .want = EFFECT_REJECT, .reason = "local-sender", .detail = "in the header From"},
    {"local From, second mailbox", "local_sender=ignore local_from=reject", .eom = true,
     .from = "x@other.example, ann@example.net", .want = EFFECT_REJECT, .reason = "local-sender"},
    {"local From of a list", "local_sender=ignore local_from=reject", .eom = true,
     .list_mail = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"local From, vouched for", "local_sender=ignore local_from=reject", .eom = true,
     .vouched = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"local From, allowed address", "local_sender=ignore local_from=reject allow=@example.net",
     .eom = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"local From, allowed network", "local_sender=ignore local_from=reject allow_net=198.51.100.7",
     .eom = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"foreign From of an outsider", "local_sender=ignore local_from=reject", .eom = true,
     .from = "x@other.example", .want = EFFECT_ACCEPT},
    {"local From that cannot be read", "local_sender=ignore local_from=reject", .eom = true,
     .from = "a b", .mentions = "@example.net", .want = EFFECT_REJECT, .reason = "local-sender"},
    {"local From, trusted client", "local_sender=ignore local_from=reject", .trusted = true,
     .eom = true, .from = "ann@example.net", .want = EFFECT_ACCEPT},
    {"local From over a bound", "local_sender=ignore local_from=reject", .eom = true,
     .too_large = true, .from = "x@other.example", .want = EFFECT_REJECT,
     .reason = "headers-too-large"},
    {"From over a bound where nobody looks at it", "local_sender=ignore", .eom = true,
     .too_large = true, .from = "x@other.example", .want = EFFECT_ACCEPT},
    {"local From, held", "local_sender=ignore local_from=quarantine", .eom = true,
     .from = "ann@example.net", .want = EFFECT_QUARANTINE, .reason = "local-sender"},
    /* ---- what a review found ---- */
    {"wrapped sender in a granted domain, inner denied", "", FOUND_DOMAIN,
     .denies = "boss@example.net", .sender = "prvs=1=boss@example.net",
     .unwrapped = "boss@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"wrapped sender in a granted domain, inner another's", "unowned", FOUND_DOMAIN,
     .sender = "prvs=1=ceo@example.net", .unwrapped = "ceo@example.net",
     .owners = "prvs=1=ceo@example.net\nceo@example.net ceo", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"wrapped sender in a granted domain, inner nobody's", "unowned", FOUND_DOMAIN,
     .sender = "prvs=1=new@example.net", .unwrapped = "new@example.net",
     .owners = "prvs=1=new@example.net\nnew@example.net", .want = EFFECT_ACCEPT},
    {"wrapped sender in a granted domain", "", FOUND_DOMAIN, .sender = "srs0=x@example.net",
     .unwrapped = "x@other.example", .want = EFFECT_ACCEPT},
    {"foreign domain, denied", "foreign_domains=allow", FOUND, .denies = "x@other.example",
     .sender = "x@other.example", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"foreign domain, another's", "foreign_domains=allow unowned", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net @other.example",
     .sender = "x@other.example", .owners = "x@other.example bob", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"foreign domain, From denied", "foreign_domains=allow", FOUND, .denies = "x@other.example",
     .eom = true, .from = "x@other.example", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"a domain's deny covers what reads as another address", "", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "\"a,b\"@example.net", .denies = "@example.net",
     .sender = "\"a,b\"@example.net", .want = EFFECT_REJECT, .reason = "sender-not-granted"},
    {"unowned: an owner in other letters is another", "unowned", FOUND_DOMAIN,
     .sender = "new@example.net", .owners = "new@example.net OWN", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"a name that shows its own mailbox, of an allowed domain",
     "foreign_domains=allow display_name=reject", FOUND, .eom = true, .from = "x@other.example",
     .shown = "x@other.example", .want = EFFECT_ACCEPT},
    {"a name that shows its own mailbox, in Sender", "header_sender=tag display_name=reject", FOUND,
     .eom = true, .from = "ann@example.net",
     .fields = "Sender: bob@example.net\nshown:bob@example.net", .want = EFFECT_TAG,
     .reason = "header-sender-not-granted"},
    {"From must equal the envelope, rewrite refuses", "equal header_from=rewrite", .login = "ann",
     .status = ACCOUNT_FOUND, .grants = "ann@example.net a.lee@example.net",
     .primary = "ann@example.net", .eom = true, .sender = "a.lee@example.net",
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"From must equal the envelope, of a foreign domain that is let off",
     "equal envelope=rewrite foreign_domains=allow", FOUND_BEHALF, .sender = "x@other.example",
     .from = "x@other.example", .want = EFFECT_ACCEPT},
    {"From must equal the envelope, which is let off: not the primary address",
     "equal envelope=rewrite foreign_domains=allow", FOUND_BEHALF, .sender = "x@other.example",
     .from = "ann@example.net", .want = EFFECT_REJECT, .reason = "from-not-granted"},
    {"From must equal the envelope: none is added that does not", "equal missing_from=rewrite",
     .login = "ann", .status = ACCOUNT_FOUND, .eom = true,
     .grants = "ann@example.net ann2@example.net", .primary = "ann@example.net",
     .sender = "ann2@example.net", .want = EFFECT_REJECT, .reason = "from-missing"},
    {"From must equal the envelope, which may become the primary address", "equal envelope=rewrite",
     FOUND_BEHALF, .stale = true, .sender = "bob@example.net", .from = "ann@example.net",
     .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable", .wants_fresh = true},
    {"From must equal the envelope, which may become the primary address: none is there",
     "equal envelope=rewrite missing_from=rewrite", FOUND_BEHALF, .stale = true,
     .sender = "bob@example.net", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_fresh = true},
    {"From must equal the envelope: an old primary address refuses nothing",
     "equal missing_from=rewrite", .login = "ann", .status = ACCOUNT_FOUND, .eom = true,
     .grants = "ann@example.net ann2@example.net", .primary = "ann@example.net", .stale = true,
     .sender = "ann2@example.net", .want = EFFECT_TEMPFAIL, .reason = "from-missing",
     .wants_fresh = true},
    {"From must equal the envelope: a primary address in part refuses nothing",
     "equal multiple_from=rewrite", .login = "ann", .status = ACCOUNT_FOUND, .eom = true,
     .grants = "ann@example.net ann2@example.net", .primary = "ann@example.net",
     .missing_set = true, .missing = ACCOUNT_UNAVAILABLE, .sender = "ann2@example.net",
     .from = "ann2@example.net, ann2@example.net", .want = EFFECT_TEMPFAIL,
     .reason = "from-multiple"},
    {"From must equal the envelope: one is added that does", "equal missing_from=rewrite",
     FOUND_BEHALF, .want = EFFECT_REWRITE, .reason = "from-missing"},
    {"From must equal the envelope: several do not become one that does not",
     "equal multiple_from=rewrite", .login = "ann", .status = ACCOUNT_FOUND, .eom = true,
     .grants = "ann@example.net ann2@example.net", .primary = "ann@example.net",
     .sender = "ann2@example.net", .from = "ann2@example.net, ann2@example.net",
     .want = EFFECT_REJECT, .reason = "from-multiple"},
    {"From must equal the envelope that will be", "equal envelope=rewrite", FOUND_BEHALF,
     .sender = "zed@example.net", .from = "ann@example.net", .want = EFFECT_REWRITE,
     .reason = "sender-not-granted"},
    {"From that is not judged gets no Sender", "header_from=ignore", FOUND_BEHALF,
     .from = "ceo@example.net", .want = EFFECT_ACCEPT},
    {"From that is covered gets no Sender", "covers", FOUND_BEHALF, .from = "ceo@example.net",
     .fields = "Resent-From: ann@example.net", .want = EFFECT_ACCEPT},
    {"unknown login, a report", "unknown_login=allow", .login = "zed", .status = ACCOUNT_UNKNOWN,
     .sender = "<>", .report = true, .eom = true, .from = "zed@example.net", .want = EFFECT_ACCEPT},
    {"unknown login, without From", "unknown_login=allow missing_from=accept", .login = "zed",
     .status = ACCOUNT_UNKNOWN, .eom = true, .want = EFFECT_ACCEPT},
    {"unknown login, null sender, without From", "unknown_login=allow missing_from=accept",
     .login = "zed", .status = ACCOUNT_UNKNOWN, .sender = "<>", .eom = true, .want = EFFECT_REJECT,
     .reason = "from-missing"},
    /* ---- recipients ---- */
    {"known recipient has to be asked", "known_recipient=reject", .sender = "x@other.example",
     .rcpt = "bob", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable",
     .wants_owners = "rcpt"},
    {"known recipient", "known_recipient=reject", .sender = "x@other.example", .rcpt = "bob",
     .rcpt_owners = "bob", .want = EFFECT_ACCEPT},
    {"unknown recipient", "known_recipient=reject", .sender = "x@other.example", .rcpt = "bob",
     .rcpt_owners = "", .want = EFFECT_REJECT, .reason = "recipient-unknown"},
    {"unknown recipient by old data", "known_recipient=reject", .sender = "x@other.example",
     .rcpt = "bob", .rcpt_owners = "stale", .want = EFFECT_TEMPFAIL,
     .reason = "directory-unavailable", .wants_fresh = true},
    {"recipient, no answer", "known_recipient=reject", .sender = "x@other.example", .rcpt = "bob",
     .rcpt_owners = "late", .want = EFFECT_TEMPFAIL, .reason = "directory-unavailable"},
    {"recipient, no sound answer", "known_recipient=reject", .sender = "x@other.example",
     .rcpt = "bob", .rcpt_owners = "wrong", .want = EFFECT_TEMPFAIL, .reason = "misconfigured"},
    {"unknown recipient, observed", "known_recipient=observe", .sender = "x@other.example",
     .rcpt = "bob", .rcpt_owners = "", .want = EFFECT_ACCEPT, .observed = "recipient-unknown"},
    {"recipient, no answer, observed", "known_recipient=observe", .sender = "x@other.example",
     .rcpt = "bob", .rcpt_owners = "late", .want = EFFECT_ACCEPT,
     .observed = "directory-unavailable"},
    {"recipient is not looked at", "", .sender = "x@other.example", .rcpt = "bob",
     .want = EFFECT_ACCEPT},
    {"postmaster is always known", "known_recipient=reject", .sender = "x@other.example",
     .rcpt = "postmaster", .want = EFFECT_ACCEPT},
    {"exempt recipient", "known_recipient=reject exempt_rcpt=bob@example.net",
     .sender = "x@other.example", .rcpt = "bob", .want = EFFECT_ACCEPT},
    {"exempt domain of recipients", "known_recipient=reject exempt_rcpt=@example.net",
     .sender = "x@other.example", .rcpt = "bob", .want = EFFECT_ACCEPT},
    {"another recipient is exempt", "known_recipient=reject exempt_rcpt=eve@example.net",
     .sender = "x@other.example", .rcpt = "bob", .rcpt_owners = "", .want = EFFECT_REJECT,
     .reason = "recipient-unknown"},
    {"exempt recipient excuses no claim", "known_recipient=reject exempt_rcpt=@example.net", FOUND,
     .sender = "bob@example.net", .rcpt = "bob", .want = EFFECT_REJECT,
     .reason = "sender-not-granted"},
    {"a login's unknown recipient", "known_recipient=reject", FOUND, .rcpt = "bob",
     .rcpt_owners = "", .want = EFFECT_REJECT, .reason = "recipient-unknown"},
    {"a foreign recipient is nobody here", "known_recipient=reject", FOUND, .want = EFFECT_ACCEPT},
    {"relay before unknown", "known_recipient=reject", .sender = "x@other.example",
     .want = EFFECT_REJECT, .reason = "relay-denied"},
};

static const struct addr_alias addr_aliases[] = {{"alias.example", "example.net"}};
static const struct addr_rules addr_rules = {
    .fold_local_part = true,
    .delimiters = "+",
    .aliases = addr_aliases,
    .alias_count = 1,
};

static const struct grant_list *grant_list(struct arena *a, const char *words)
{
    struct grant *grants = arena_array(a, 8, sizeof *grants);
    struct grant_list *list = arena_alloc(a, sizeof *list);
    char *save = NULL;
    list->items = grants;
    for (char *word = strtok_r(arena_strdup(a, words ? words : ""), " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        struct grant *grant = &grants[list->count++];
        *grant = (struct grant){.directory = "corp", .entry = "here", .attribute = "attr"};
        if (strncmp(word, "behalf:", 7) == 0) {
            grant->right = GRANT_ON_BEHALF;
            word += 7;
        }
        assert_true(grant_parse(a, &addr_rules, span_of(word), grant, NULL));
    }
    return list;
}

static void set_option(struct arena *a, struct policy *policy, char *word)
{
    enum policy_check check;
    char *value = strchr(word, '=');
    if (strcmp(word, "observe") == 0) {
        policy->observe = true;
    } else if (strcmp(word, "auth") == 0) {
        policy->require_authentication = true;
    } else if (strcmp(word, "equal") == 0) {
        policy->from_must_equal_envelope = true;
    } else if (strcmp(word, "covers") == 0) {
        policy->resent_covers_from = true;
    } else if (strcmp(word, "unowned") == 0) {
        policy->unowned_domains = true;
    } else if (strncmp(word, "allow=", 6) == 0) {
        policy->local_sender_allow = *grant_list(a, value + 1);
    } else if (strncmp(word, "allow_net=", 10) == 0) {
        struct net *net = arena_alloc(a, sizeof *net);
        assert_true(net_parse(span_of(value + 1), net, NULL));
        policy->local_sender_networks = (struct netset){net, 1};
    } else if (strncmp(word, "exempt_rcpt=", 12) == 0) {
        policy->exempt_recipients = *grant_list(a, value + 1);
    } else if (strncmp(word, "exempt=", 7) == 0) {
        const char **items = arena_array(a, 1, sizeof *items);
        items[0] = value + 1;
        policy->exempt_logins = (struct policy_strings){items, 1};
    } else if (strncmp(word, "max=", 4) == 0) {
        policy->max_recipients = (unsigned)atoi(value + 1);
    } else {
        *value = '\0';
        assert_true(policy_check_by_name(word, &check));
        assert_true(policy_action_by_name(value + 1, &policy->actions[check]));
        assert_true(policy_check_takes(check, policy->actions[check]));
    }
}

static void set_policy(struct arena *a, struct policy *policy, const char *text)
{
    policy_defaults(policy);
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(a, text), " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        set_option(a, policy, word);
}

static void set_principal(const struct row *row, struct principal *p)
{
    p->raw = row->login ? row->login : "";
    p->kind = row->login ? PRINCIPAL_SASL : PRINCIPAL_NONE;
    if (!row->login)
        return;
    if (strcmp(row->login, "!half") == 0)
        p->fault = PRINCIPAL_HALF;
    if (strcmp(row->login, "!invalid") == 0)
        p->fault = PRINCIPAL_LOGIN_INVALID;
    if (strcmp(row->login, "!cert") == 0)
        p->kind = PRINCIPAL_CERT;
    else if (strcmp(row->login, "!network") == 0 || strcmp(row->login, "!relay") == 0)
        p->kind = PRINCIPAL_NETWORK;
    p->relays = strcmp(row->login, "!relay") == 0;
    p->login = (struct login){.name = row->login, .local = row->login, .domain = ""};
}

/* Words as in struct row. */
static const struct account_answer *owners_answer(struct arena *a, const char *words)
{
    struct account_answer *answer = arena_alloc(a, sizeof *answer);
    struct account_source *sources = arena_array(a, 8, sizeof *sources);
    *answer = (struct account_answer){
        .status = ACCOUNT_UNKNOWN, .missing = ACCOUNT_FOUND, .fresh = true, .why = "owners"};
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(a, words), " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        if (strcmp(word, "stale") == 0)
            answer->fresh = false;
        else if (strcmp(word, "late") == 0)
            answer->status = ACCOUNT_UNAVAILABLE;
        else if (strcmp(word, "wrong") == 0)
            answer->status = ACCOUNT_MISCONFIGURED;
        else
            sources[answer->account.source_count++] = (struct account_source){"corp", word};
    }
    if (answer->account.source_count > 0)
        answer->status = ACCOUNT_FOUND;
    answer->account.sources = sources;
    return answer;
}

static const struct account_source self = {"corp", "own"};

static struct account account_of(struct arena *a, const char *grants, const char *denies,
                                 bool disabled)
{
    return (struct account){
        .lists = grant_list(a, grants),
        .list_count = 1,
        .denies = grant_list(a, denies),
        .deny_count = 1,
        .state = disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED,
        .sources = &self,
        .source_count = 1,
    };
}

static void set_sender(struct arena *a, const struct row *row, struct sender_fact *sender)
{
    const char *text = row->sender ? row->sender : "ann@example.net";
    sender->raw = text;
    if (strcmp(text, "<>") == 0) {
        sender->shape = SENDER_NULL;
    } else if (strcmp(text, "!") == 0) {
        sender->shape = SENDER_MALFORMED;
    } else {
        sender->shape = SENDER_ADDRESS;
        assert_int_equal(addr_parse(a, &addr_rules, span_of(text), &sender->addr, NULL), ADDR_OK);
        sender->local = strcmp(sender->addr.domain, "example.net") == 0;
    }
}

static void set_unwrapped(struct arena *a, const struct row *row, struct sender_fact *sender)
{
    struct addr *inner = arena_alloc(a, sizeof *inner);
    sender->vouched = row->vouched;
    if (!row->unwrapped)
        return;
    assert_int_equal(addr_parse(a, &addr_rules, span_of(row->unwrapped), inner, NULL), ADDR_OK);
    sender->unwrapped = inner;
}

static void set_owners(struct arena *a, const struct row *row, struct facts *facts)
{
    struct owner_fact *owners = arena_array(a, 8, sizeof *owners);
    char *save = NULL;
    for (char *line = strtok_r(arena_strdup(a, row->owners ? row->owners : ""), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char *words = strchr(line, ' ');
        if (words)
            *words++ = '\0';
        owners[facts->owner_count++] =
            (struct owner_fact){line, owners_answer(a, words ? words : "")};
    }
    facts->owners = owners;
}

static void set_recipient(struct arena *a, const struct row *row, struct recipient_fact *to)
{
    const char *key = row->rcpt ? arena_printf(a, "%s@example.net", row->rcpt) : "x@other.example";
    *to = (struct recipient_fact){
        .raw = "<x@other.example>",
        .key = "x@other.example",
        .local = row->rcpt != NULL,
        .postmaster = row->rcpt && strcmp(row->rcpt, "postmaster") == 0,
        .number = row->rcpt_number,
        .owners = row->rcpt_owners ? owners_answer(a, row->rcpt_owners) : NULL,
    };
    assert_int_equal(addr_parse(a, &addr_rules, span_of(key), &to->addr, NULL), ADDR_OK);
}

static struct field_fact field_of(struct arena *a, enum field_kind kind, const char *value)
{
    struct field_fact field = {.kind = kind, .raw = value};
    field.status = mailbox_parse(a, &addr_rules, 4, span_of(value), &field.list, NULL);
    bool *local = arena_array(a, field.list.count + 1, sizeof *local);
    for (size_t i = 0; i < field.list.count; i++)
        local[i] = strcmp(field.list.items[i].addr.domain, "example.net") == 0;
    field.local = local;
    return field;
}

/* "control", "direction", or what is seen, of which "!" cannot be read. */
static void add_shown(struct arena *a, struct shown *shown, const char *word)
{
    struct shown_address *all = arena_array(a, shown->count + 1, sizeof *all);
    if (strcmp(word, "control") == 0) {
        shown->control = true;
    } else if (strcmp(word, "direction") == 0) {
        shown->direction = true;
    } else {
        for (size_t i = 0; i < shown->count; i++)
            all[i] = shown->addresses[i];
        all[shown->count] = (struct shown_address){.addr = {.key = ""}, .text = word};
        if (*word != '!')
            assert_int_equal(
                addr_parse(a, &addr_rules, span_of(word), &all[shown->count].addr, NULL), ADDR_OK);
        shown->addresses = all;
        shown->count++;
    }
}

/* Words as above, of the last mailbox of the field. */
static void set_shown(struct arena *a, struct field_fact *field, const char *words)
{
    struct shown *shown = arena_array(a, field->list.count + 1, sizeof *shown);
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(a, words ? words : ""), " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        add_shown(a, &shown[field->list.count ? field->list.count - 1 : 0], word);
    field->shown = shown;
}

static void set_from(struct arena *a, const struct row *row, struct facts *facts)
{
    if (!row->from)
        return;
    facts->from_fields = row->from_fields ? row->from_fields : 1;
    facts->from = field_of(a, FIELD_FROM, row->from);
    bool *vouched = arena_array(a, facts->from.list.count + 1, sizeof *vouched);
    for (size_t i = 0; i < facts->from.list.count; i++)
        vouched[i] = row->vouched;
    facts->from.vouched = vouched;
    set_shown(a, &facts->from, row->shown);
}

/* Lines "Sender: VALUE", "Resent-From: VALUE", "Resent-Sender: VALUE", "shown: WORDS" of the field
 * before. */
static void set_fields(struct arena *a, const struct row *row, struct facts *facts)
{
    static const char *const names[FIELD_KINDS] = {
        [FIELD_FROM] = "From",
        [FIELD_SENDER] = "Sender",
        [FIELD_RESENT_FROM] = "Resent-From",
        [FIELD_RESENT_SENDER] = "Resent-Sender",
    };
    struct field_fact *fields = arena_array(a, 32, sizeof *fields);
    char *save = NULL;
    for (char *line = strtok_r(arena_strdup(a, row->fields ? row->fields : ""), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        int kind = 0;
        char *value = strchr(line, ':');
        *value++ = '\0';
        while (kind < FIELD_KINDS && strcmp(names[kind], line) != 0)
            kind++;
        if (kind < FIELD_KINDS)
            fields[facts->field_count++] = field_of(a, (enum field_kind)kind, value);
        else
            set_shown(a, &fields[facts->field_count - 1], value);
    }
    facts->fields = fields;
}

static const struct account_answer *again(struct arena *a, const struct row *row)
{
    struct account_answer *answer = arena_alloc(a, sizeof *answer);
    *answer = (struct account_answer){
        .status = row->again,
        .missing = row->again_missing,
        .denies_missing = row->again_denies_missing,
        .why = "asked again",
        .account = account_of(a, row->again_grants, row->again_denies, row->again_disabled),
    };
    return row->again_set ? answer : NULL;
}

static void build(struct arena *a, const struct row *row, struct account_answer *answer,
                  struct facts *facts)
{
    *facts = (struct facts){
        .stage = row->eom ? FACTS_EOM : FACTS_RCPT,
        .trusted = row->trusted,
        .non_smtp = row->non_smtp,
        .have_local_domains = !row->no_local_domains,
        .report = row->report,
        .too_large = row->too_large ? "too large" : NULL,
        .forged_beyond = row->forged_beyond,
        .may_be_vouched = row->may_be_vouched,
        .list_mail = row->list_mail,
        .from_mentions = row->mentions,
    };
    set_recipient(a, row, &facts->recipient);
    *answer = (struct account_answer){
        .status = row->status,
        .fresh = !row->stale,
        .missing = row->missing_set ? row->missing : ACCOUNT_FOUND,
        .denies_missing = row->denies_missing,
        .why = row->missing_set ? "asked first" : NULL,
        .account = account_of(a, row->grants, row->denies, row->disabled),
    };
    answer->account.primary = row->primary;
    facts->recheck = again(a, row);
    facts->principal.client_addr = "198.51.100.7";
    set_owners(a, row, facts);
    set_principal(row, &facts->principal);
    set_sender(a, row, &facts->sender);
    set_unwrapped(a, row, &facts->sender);
    set_from(a, row, facts);
    set_fields(a, row, facts);
    if (row->login && facts->principal.fault == PRINCIPAL_SOUND)
        facts->answer = answer;
}

static bool observed(const struct decision *d, const char *id)
{
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].observed && strcmp(reason_info(d->findings[i].reason)->id, id) == 0)
            return true;
    return false;
}

static void wants_owners(const struct decision *d, const char *want)
{
    bool rcpt = want && strcmp(want, "rcpt") == 0;
    assert_int_equal(d->wants_recipient, rcpt);
    assert_int_equal(d->wants_owner_count, want && !rcpt ? 1 : 0);
    if (want && !rcpt)
        assert_string_equal(d->wants_owners[0]->key, want);
}

static void decides(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create();
    struct policy policy;
    struct account_answer answer;
    struct facts facts;
    struct decision decision;
    set_policy(a, &policy, row->policy);
    build(a, row, &answer, &facts);
    policy_decide(a, &addr_rules, &policy, &facts, &decision);
    assert_string_equal(reason_info(decision.reason)->id, row->reason ? row->reason : "none");
    assert_int_equal(decision.effect, row->want);
    assert_int_equal(decision.wants_fresh, row->wants_fresh);
    assert_int_equal(decision.adds_sender, row->adds_sender);
    wants_owners(&decision, row->wants_owners);
    if (row->detail && *row->detail)
        assert_string_equal(decision.findings[0].detail, row->detail);
    else if (row->detail)
        assert_null(decision.findings[0].detail);
    if (effect_refuses(row->want) && row->reason && strcmp(row->reason, "sender-not-granted") == 0)
        assert_null(decision.sender_grant);
    if (row->observed)
        assert_true(observed(&decision, row->observed));
    else if (row->want == EFFECT_ACCEPT)
        assert_int_equal(decision.finding_count, 0);
    arena_destroy(a);
}

/* The same facts under an observing policy: every finding stays, nothing acts. */
static void observes(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create();
    struct policy policy;
    struct account_answer answer;
    struct facts facts;
    struct decision decision;
    set_policy(a, &policy, row->policy);
    policy.observe = true;
    build(a, row, &answer, &facts);
    policy_decide(a, &addr_rules, &policy, &facts, &decision);
    assert_int_equal(decision.effect, EFFECT_ACCEPT);
    assert_int_equal(decision.reason, REASON_NONE);
    if (row->reason && decision.finding_count < DECISION_FINDINGS_MAX)
        assert_true(observed(&decision, row->reason));
    arena_destroy(a);
}

/* ---- selection ---- */

struct choice {
    const char *name;
    const char *listener, *port, *address, *login;
    bool non_smtp;
    const char *want;
    bool builtin;
};

static const struct choice choices[] = {
    {"listener by name", "pilot", "25", "192.0.2.1", NULL, false, "by-name", false},
    {"listener by name, other case", "PILOT", "25", "192.0.2.1", NULL, false, "by-name", false},
    {"listener by port", "mx", "2587", "192.0.2.1", NULL, false, "by-port", false},
    {"port is compared whole", "mx", "25870", "192.0.2.1", NULL, false, "mx", true},
    {"client network", "mx", "25", "198.51.100.7", NULL, false, "by-network", false},
    {"login", "mx", "25", "192.0.2.1", "carl", false, "by-login", false},
    {"login of a domain", "mx", "25", "192.0.2.1", "d@corp.example", false, "by-login-domain",
     false},
    {"all selectors must match", "combo", "25", "192.0.2.1", NULL, false, "mx", true},
    {"all selectors do match", "combo", "25", "203.0.113.5", NULL, false, "combo", false},
    {"principal kind", "kinds", "25", "192.0.2.1", "ann", false, "by-principal", false},
    {"built-in submission by name", "ORIGINATING", NULL, "192.0.2.1", NULL, false, "submission",
     true},
    {"built-in submission by port", "mail.example.net", "465", "192.0.2.1", NULL, false,
     "submission", true},
    {"built-in non-smtp", "mail.example.net", NULL, "127.0.0.1", NULL, true, "non-smtp", true},
    {"nothing matches, something proved", "mx", "25", "192.0.2.1", "ann", false, "submission",
     true},
    {"nothing matches, nothing proved", "mx", "25", "192.0.2.1", NULL, false, "mx", true},
    {"nothing known of the client", NULL, NULL, NULL, NULL, false, "mx", true},
};

#define ONE(text) .items = (const char *const[]){text}, .count = 1

static void selects(void **state)
{
    const struct choice *row = *state;
    static const struct net network = {
        .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 0}, .prefix = 120};
    static const struct net other = {
        .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 0}, .prefix = 120};
    struct policy policies[7 + POLICY_BUILTINS] = {
        {.name = "by-name", .listeners = {ONE("pilot")}},
        {.name = "by-port", .listeners = {ONE(":2587")}},
        {.name = "by-network", .client_networks = {&network, 1}},
        {.name = "by-login", .logins = {ONE("carl")}},
        {.name = "by-login-domain", .logins = {ONE("@corp.example")}},
        {.name = "combo", .listeners = {ONE("combo")}, .client_networks = {&other, 1}},
        {.name = "by-principal", .listeners = {ONE("kinds")}, .principals = {ONE("sasl")}},
    };
    policy_builtins(policies + 7);
    const char *at = row->login ? strchr(row->login, '@') : NULL;
    struct principal p = {
        .kind = row->login ? PRINCIPAL_SASL : PRINCIPAL_NONE,
        .login = {.name = row->login, .domain = at ? at + 1 : ""},
    };
    struct policy_client client = {row->listener, row->port, row->address, row->non_smtp};
    const struct policy *got = policy_select(policies, 7 + POLICY_BUILTINS, &client, &p);
    assert_string_equal(got->name, row->want);
    assert_int_equal(got->builtin, row->builtin);
}

static void names_are_found_again(void **state)
{
    (void)state;
    for (int c = 0; c < CHECK_COUNT; c++) {
        enum policy_check check;
        struct policy policy;
        policy_defaults(&policy);
        assert_true(policy_check_by_name(policy_check_name((enum policy_check)c), &check));
        assert_int_equal(check, c);
        assert_true(policy_check_takes(check, policy.actions[c]));
    }
    enum policy_action action;
    enum policy_check check;
    assert_false(policy_action_by_name("maybe", &action));
    assert_false(policy_check_by_name("mode", &check));
    assert_true(policy_check_takes(CHECK_MULTIPLE_FROM, ACTION_ALLOW));
    assert_false(policy_check_takes(CHECK_HEADER_SENDER, ACTION_ALLOW));
    assert_false(policy_check_takes(CHECK_UNKNOWN_LOGIN, ACTION_TEMPFAIL));
    assert_false(policy_check_takes(CHECK_DIRECTORY_UNAVAILABLE, ACTION_REJECT));
}

/* ---- more findings than there are places ---- */

#define FOUND_PRIMARY FOUND, .primary = "ann@example.net", .eom = true
#define FOREIGN_10    "a@x.y, b@x.y, c@x.y, d@x.y, e@x.y, f@x.y, g@x.y, h@x.y, i@x.y, j@x.y"
#define FOREIGN_20    FOREIGN_10 ", " FOREIGN_10
#define RESENT_4      "Resent-From: a@x.y\nResent-From: a@x.y\nResent-From: a@x.y\nResent-From: a@x.y\n"
#define RESENT_16     RESENT_4 RESENT_4 RESENT_4 RESENT_4

struct crowd {
    const char *name;
    struct row row;
    const char *kept; /* this reason has a place, and acts */
};

static const struct crowd crowds[] = {
    {"From with many mailboxes leaves room for Sender",
     {.policy = "multiple_from=rewrite header_from=rewrite "
                "header_sender=rewrite",
      FOUND_PRIMARY,
      .from = FOREIGN_20,
      .fields = "Sender: a@x.y",
      .want = EFFECT_REWRITE,
      .reason = "from-multiple"},
     "header-sender-not-granted"},
    {"what is observed leaves room",
     {.policy = "multiple_from=observe header_from=observe "
                "header_sender=rewrite",
      FOUND_PRIMARY,
      .from = FOREIGN_20,
      .fields = "Sender: a@x.y",
      .want = EFFECT_REWRITE,
      .reason = "header-sender-not-granted"},
     "header-sender-not-granted"},
    {"many fields leave room for a refusal",
     {.policy = "resent=rewrite display_name=reject",
      FOUND_PRIMARY,
      .from = "ann@example.net",
      .fields = RESENT_16,
      .shown = "bob@example.net",
      .want = EFFECT_REJECT,
      .reason = "display-name-address"},
     "display-name-address"},
    {"as many fields as places are rewritten",
     {.policy = "resent=rewrite",
      FOUND_PRIMARY,
      .from = "ann@example.net",
      .fields = RESENT_16,
      .want = EFFECT_REWRITE,
      .reason = "resent-not-granted"},
     "resent-not-granted"},
    {"one field more is refused",
     {.policy = "resent=rewrite",
      FOUND_PRIMARY,
      .from = "ann@example.net",
      .fields = RESENT_16 "Resent-From: a@x.y",
      .want = EFFECT_REJECT,
      .reason = "resent-not-granted"},
     "resent-not-granted"},
    {"one field more is removed no more",
     {.policy = "resent=remove",
      FOUND_PRIMARY,
      .from = "ann@example.net",
      .fields = RESENT_16 "Resent-From: a@x.y",
      .want = EFFECT_REJECT,
      .reason = "resent-not-granted"},
     "resent-not-granted"},
    {"one field more that is only observed is none",
     {.policy = "resent=rewrite display_name=observe",
      FOUND_PRIMARY,
      .from = "ann@example.net",
      .fields = RESENT_16,
      .shown = "bob@example.net",
      .want = EFFECT_REWRITE,
      .reason = "resent-not-granted"},
     "resent-not-granted"},
};

static void keeps_what_acts(void **state)
{
    const struct crowd *crowd = *state;
    const struct row *row = &crowd->row;
    struct arena *a = arena_create();
    struct policy policy;
    struct account_answer answer;
    struct facts facts;
    struct decision decision;
    bool kept = false;
    set_policy(a, &policy, row->policy);
    build(a, row, &answer, &facts);
    policy_decide(a, &addr_rules, &policy, &facts, &decision);
    assert_int_equal(decision.effect, row->want);
    assert_string_equal(reason_info(decision.reason)->id, row->reason);
    assert_int_equal(decision.finding_count, DECISION_FINDINGS_MAX);
    for (size_t i = 0; i < decision.finding_count; i++) {
        const struct finding *f = &decision.findings[i];
        bool same = strcmp(reason_info(f->reason)->id, crowd->kept) == 0;
        kept = kept || (same && !f->observed && f->effect == row->want);
    }
    assert_true(kept);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(rows, decides);
    ROWS_ADD(rows, observes);
    ROWS_ADD(choices, selects);
    ROWS_ADD(crowds, keeps_what_acts);
    ROWS_ADD_TEST("names are found again", names_are_found_again);
    return rows_main();
}
