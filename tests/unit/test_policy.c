/* policy: one row a rule and its neighbours; facts are built from text as session builds them. */
#include "rows.h"

#include "arena.h"
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    /* "check=action" words, "observe", "auth", "exempt=LOGIN", "max=N" */
    const char *policy;
    const char *login; /* NULL for none, "!half" "!invalid" for the faults */
    enum account_status status;
    bool disabled, stale;
    enum account_status missing; /* 0 stands for: all answered */
    bool missing_set;
    const char *grants; /* blank-separated */
    const char *denies; /* the same */
    bool denies_missing;
    /* what a recheck brought, where again_set */
    bool again_set, again_disabled, again_denies_missing;
    enum account_status again, again_missing;
    const char *again_grants, *again_denies;
    const char *sender; /* "<>", "!" for malformed, NULL for ann@example.net */
    bool eom;           /* else RCPT */
    const char *from;   /* at eom; NULL for none */
    size_t from_fields; /* 0 stands for: one where from is set */
    bool report, too_large, trusted, non_smtp, no_local_domains;
    const char *rcpt; /* "local", NULL for a foreign one */
    unsigned rcpt_number;
    enum effect want;
    const char *reason;   /* of the reply */
    const char *observed; /* this reason is noted without effect */
    bool wants_fresh;
    const char *detail; /* of the first finding, where it is looked at; "" for none */
};

#define FOUND .login = "ann", .status = ACCOUNT_FOUND, .grants = "ann@example.net"

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
};

static const struct addr_rules addr_rules = {.fold_local_part = true};

static void set_option(struct arena *a, struct policy *policy, char *word)
{
    enum policy_check check;
    char *value = strchr(word, '=');
    if (strcmp(word, "observe") == 0) {
        policy->observe = true;
    } else if (strcmp(word, "auth") == 0) {
        policy->require_authentication = true;
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
    p->login = (struct login){.name = row->login, .local = row->login, .domain = ""};
}

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
        assert_true(grant_parse(a, &addr_rules, span_of(word), grant, NULL));
    }
    return list;
}

static struct account account_of(struct arena *a, const char *grants, const char *denies,
                                 bool disabled)
{
    return (struct account){
        .lists = grant_list(a, grants),
        .list_count = 1,
        .denies = grant_list(a, denies),
        .deny_count = 1,
        .state = disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED,
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

static void set_from(struct arena *a, const struct row *row, struct from_fact *from)
{
    if (!row->from)
        return;
    from->fields = row->from_fields ? row->from_fields : 1;
    from->status = mailbox_parse(a, &addr_rules, 4, span_of(row->from), &from->list, NULL);
    bool *local = arena_array(a, from->list.count + 1, sizeof *local);
    for (size_t i = 0; i < from->list.count; i++)
        local[i] = strcmp(from->list.items[i].addr.domain, "example.net") == 0;
    from->local = local;
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
        .headers_too_large = row->too_large,
        .recipient = {.raw = "<x@other.example>",
                      .key = "x@other.example",
                      .local = row->rcpt != NULL,
                      .number = row->rcpt_number},
    };
    *answer = (struct account_answer){
        .status = row->status,
        .fresh = !row->stale,
        .missing = row->missing_set ? row->missing : ACCOUNT_FOUND,
        .denies_missing = row->denies_missing,
        .why = row->missing_set ? "asked first" : NULL,
        .account = account_of(a, row->grants, row->denies, row->disabled),
    };
    facts->recheck = again(a, row);
    set_principal(row, &facts->principal);
    set_sender(a, row, &facts->sender);
    set_from(a, row, &facts->from);
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
    if (row->detail && *row->detail)
        assert_string_equal(decision.findings[0].detail, row->detail);
    else if (row->detail)
        assert_null(decision.findings[0].detail);
    if (row->want != EFFECT_ACCEPT && row->reason && strcmp(row->reason, "sender-not-granted") == 0)
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
    if (row->reason)
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
    assert_false(policy_check_takes(CHECK_UNKNOWN_LOGIN, ACTION_TEMPFAIL));
    assert_false(policy_check_takes(CHECK_DIRECTORY_UNAVAILABLE, ACTION_REJECT));
}

int main(void)
{
    ROWS_ADD(rows, decides);
    ROWS_ADD(rows, observes);
    ROWS_ADD(choices, selects);
    ROWS_ADD_TEST("names are found again", names_are_found_again);
    return rows_main();
}
