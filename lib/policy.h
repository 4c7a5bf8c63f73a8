/*
 * policy - the decision: may this principal send as all that the message claims?
 *
 * Use: policy_select() at every MAIL, policy_decide() at each stage. Pure: the same facts and the
 *   same policy give the same decision; no I/O, clock, locale or globals.
 * Memory: a decision points into the facts and lives as long as they do; the arena is for
 *   scratch that the decision may keep.
 * Threads: a policy is immutable.
 * Depends on: facts, reason, netset.
 */
#ifndef SENDAS_POLICY_H
#define SENDAS_POLICY_H

#include "facts.h"
#include "netset.h"
#include "reason.h"

/* ---- the policy block ---- */

/* Of the first eight, a later one is stricter. */
enum policy_action {
    ACTION_IGNORE,
    ACTION_OBSERVE,
    ACTION_TAG,
    ACTION_REWRITE,
    ACTION_REMOVE,
    ACTION_QUARANTINE,
    ACTION_TEMPFAIL,
    ACTION_REJECT,
    ACTION_ALLOW,
    ACTION_REPORTS,
    ACTION_ACCEPT
};

/* One row a check that a policy block can set; the table in policy.c says which actions it takes
 * and what the default is. */
enum policy_check {
    CHECK_ENVELOPE,
    CHECK_HEADER_FROM,
    CHECK_MULTIPLE_FROM,
    CHECK_MISSING_FROM,
    CHECK_HEADER_SENDER,
    CHECK_RESENT,
    CHECK_DISPLAY_NAME,
    CHECK_NULL_SENDER,
    CHECK_UNKNOWN_LOGIN,
    CHECK_FOREIGN_DOMAINS,
    CHECK_RELAY,
    CHECK_LOCAL_SENDER,
    CHECK_LOCAL_FROM,
    CHECK_KNOWN_RECIPIENT,
    CHECK_DIRECTORY_UNAVAILABLE,
    CHECK_COUNT
};

struct policy_strings {
    const char *const *items;
    size_t count;
};

struct policy {
    const char *name;
    bool builtin;
    /* selectors; an empty one matches everything */
    struct policy_strings listeners; /* {daemon_name}, ":PORT", "non-smtp", "*" */
    struct netset client_networks;
    struct policy_strings logins;     /* a login in normal form, or "@domain" */
    struct policy_strings principals; /* names of principal_kind_name() */
    /* what it does */
    bool observe; /* mode = observe, of the policy or of the whole daemon */
    bool require_authentication;
    bool from_must_equal_envelope;
    bool resent_covers_from; /* granted Resent-* take the place of the grant of From */
    bool unowned_domains;    /* domain_grants = unowned: @domain gives no other account's address */
    enum policy_action actions[CHECK_COUNT];
    unsigned max_recipients;             /* 0 for no bound */
    struct policy_strings exempt_logins; /* claim checks observe for these */
    struct policy_strings directories;   /* which ones are asked; empty for all */
    /* Outsiders that may use a local domain: by their network, or by the address that they use. */
    struct netset local_sender_networks;
    struct grant_list local_sender_allow;
    struct grant_list exempt_recipients; /* need no right of the recipient */
    const char *trace_header;            /* name of the field that says who sent it, or NULL */
    bool auth_results;                   /* adds Authentication-Results (RFC 8601) */
};

/* What every block starts from. */
void policy_defaults(struct policy *policy);
/* The option's name ("header_from"), its default and the actions it takes, for the configuration,
 * the manual's test and the start-up table. */
const char *policy_check_name(enum policy_check check);
bool policy_check_takes(enum policy_check check, enum policy_action action);
const char *policy_action_name(enum policy_action action);
bool policy_action_by_name(const char *name, enum policy_action *out);
bool policy_check_by_name(const char *name, enum policy_check *out);

/* The built-in policies, in the order in which they are tried after the configured ones. */
enum { POLICY_BUILTINS = 3 };
void policy_builtins(struct policy out[POLICY_BUILTINS]);

/* ---- selection ---- */

struct policy_client {
    const char *listener; /* {daemon_name}, NULL where the MTA did not say */
    const char *port;     /* {daemon_port} as digits, NULL where the MTA did not say */
    const char *address;  /* IP address, NULL for none */
    bool non_smtp;
};

/* The first policy in order whose selectors all match. Where none does: the built-in "submission"
 * for a client that proved something, "mx" for one that did not. policies must end with the
 * built-in ones. Never NULL. */
const struct policy *policy_select(const struct policy *policies, size_t count,
                                   const struct policy_client *client,
                                   const struct principal *principal);

/* Does the decision need the directory's answer? False for who proved nothing. */
bool policy_wants_account(const struct principal *principal);

/* ---- decision ---- */

/* What is done to the message or command; a later one is stronger. */
enum effect {
    EFFECT_ACCEPT,
    EFFECT_TAG,        /* accepted, with a field that names the reason */
    EFFECT_REWRITE,    /* accepted, with the claim changed or taken out */
    EFFECT_QUARANTINE, /* accepted, and held by the MTA for a person to look at */
    EFFECT_TEMPFAIL,
    EFFECT_REJECT
};

/* Is the command or message refused, for now or for good? */
bool effect_refuses(enum effect effect);
const char *effect_name(enum effect effect);

struct finding {
    enum reason reason;
    enum effect effect;             /* what it does, or would do where observed */
    enum policy_action action;      /* which came to this effect */
    const struct field_fact *field; /* whose claim it is, NULL for the envelope, or no field */
    bool observed;                  /* only noted: observe, exempt login */
    const char *address;            /* the address or login concerned, NULL for none */
    const char *detail; /* what was wrong with it, for the log; NULL for nothing to add */
};

enum { DECISION_FINDINGS_MAX = 16, DECISION_OWNERS_MAX = 16 };

struct decision {
    enum effect effect;  /* what the MTA is told */
    enum reason reason;  /* of the reply; REASON_NONE for accept */
    const char *address; /* of the reply */
    struct finding findings[DECISION_FINDINGS_MAX];
    size_t finding_count;
    bool trusted; /* not judged: the client is in trusted_networks */
    /* Something is not known only because the directory's data is not fresh: asking again for
     * fresh data, then deciding again, may turn it into a yes or a no. */
    bool wants_fresh;
    /* The same of who owns these addresses, and the recipient. */
    const struct addr *wants_owners[DECISION_OWNERS_MAX];
    size_t wants_owner_count;
    bool wants_recipient;
    /* From is granted on behalf, and needs the principal's own address as Sender. */
    bool adds_sender;
    const char *primary; /* granted address of the account, for what is added; NULL for none */
    const struct grant *sender_grant; /* what allowed the envelope sender, NULL for nothing */
    const struct grant *from_grant;   /* what allowed (the first mailbox of) From */
};

/* The rules of DECISION ORDER in policy_rules.c. */
void policy_decide(struct arena *a, const struct addr_rules *rules, const struct policy *policy,
                   const struct facts *facts, struct decision *out);

#endif
