#include "policy.h"
#include "policy_judge.h"

#include <assert.h>
#include <string.h>

/* ---- names and defaults of the checks ---- */

#define TAKES(action) (1u << (action))

static const char *const action_names[] = {
    [ACTION_IGNORE] = "ignore",     [ACTION_OBSERVE] = "observe",
    [ACTION_TAG] = "tag",           [ACTION_REWRITE] = "rewrite",
    [ACTION_REMOVE] = "remove",     [ACTION_QUARANTINE] = "quarantine",
    [ACTION_TEMPFAIL] = "tempfail", [ACTION_REJECT] = "reject",
    [ACTION_ALLOW] = "allow",       [ACTION_REPORTS] = "reports",
    [ACTION_ACCEPT] = "accept",
};
enum { ACTION_COUNT = sizeof action_names / sizeof action_names[0] };

enum {
    ACTING = TAKES(ACTION_IGNORE) | TAKES(ACTION_OBSERVE) | TAKES(ACTION_TEMPFAIL) |
             TAKES(ACTION_REJECT),
    /* What is done to the message waits for its end; what concerns a recipient cannot. */
    MARKING = ACTING | TAKES(ACTION_TAG) | TAKES(ACTION_QUARANTINE),
    CHANGING = MARKING | TAKES(ACTION_REWRITE),
    CHOICE = TAKES(ACTION_REJECT) | TAKES(ACTION_OBSERVE) | TAKES(ACTION_ALLOW),
};

struct check_row {
    const char *name;
    enum policy_action preset;
    unsigned takes;
};

static const struct check_row checks[CHECK_COUNT] = {
    [CHECK_ENVELOPE] = {"envelope", ACTION_REJECT, CHANGING},
    [CHECK_HEADER_FROM] = {"header_from", ACTION_REJECT, CHANGING},
    [CHECK_MULTIPLE_FROM] = {"multiple_from", ACTION_REJECT, CHANGING | TAKES(ACTION_ALLOW)},
    [CHECK_MISSING_FROM] = {"missing_from", ACTION_REJECT, CHANGING | TAKES(ACTION_ACCEPT)},
    [CHECK_HEADER_SENDER] = {"header_sender", ACTION_REJECT, CHANGING | TAKES(ACTION_REMOVE)},
    [CHECK_RESENT] = {"resent", ACTION_REJECT, CHANGING | TAKES(ACTION_REMOVE)},
    [CHECK_DISPLAY_NAME] = {"display_name", ACTION_OBSERVE, CHANGING},
    [CHECK_NULL_SENDER] = {"null_sender", ACTION_REPORTS, CHOICE | TAKES(ACTION_REPORTS)},
    [CHECK_UNKNOWN_LOGIN] = {"unknown_login", ACTION_REJECT, CHOICE},
    [CHECK_FOREIGN_DOMAINS] = {"foreign_domains", ACTION_REJECT, CHOICE},
    [CHECK_RELAY] = {"relay", ACTION_REJECT, ACTING},
    [CHECK_LOCAL_SENDER] = {"local_sender", ACTION_OBSERVE, MARKING},
    [CHECK_LOCAL_FROM] = {"local_from", ACTION_IGNORE, MARKING},
    [CHECK_KNOWN_RECIPIENT] = {"known_recipient", ACTION_IGNORE, ACTING},
    [CHECK_DIRECTORY_UNAVAILABLE] = {"directory_unavailable", ACTION_TEMPFAIL,
                                     TAKES(ACTION_TEMPFAIL) | TAKES(ACTION_ACCEPT)},
};

const char *policy_check_name(enum policy_check check)
{
    return checks[check].name;
}

bool policy_check_takes(enum policy_check check, enum policy_action action)
{
    return (checks[check].takes & TAKES(action)) != 0;
}

bool policy_check_by_name(const char *name, enum policy_check *out)
{
    for (int c = 0; c < CHECK_COUNT; c++) {
        if (strcmp(checks[c].name, name) == 0) {
            *out = (enum policy_check)c;
            return true;
        }
    }
    return false;
}

const char *policy_action_name(enum policy_action action)
{
    return action_names[action];
}

bool policy_action_by_name(const char *name, enum policy_action *out)
{
    for (int a = 0; a < ACTION_COUNT; a++) {
        if (strcmp(action_names[a], name) == 0) {
            *out = (enum policy_action)a;
            return true;
        }
    }
    return false;
}

void policy_defaults(struct policy *policy)
{
    *policy = (struct policy){.name = ""};
    for (int c = 0; c < CHECK_COUNT; c++)
        policy->actions[c] = checks[c].preset;
}

/* ---- built-in policies and selection ---- */

#define STRINGS(...)                                                                               \
    {                                                                                              \
        .items = (const char *const[]){__VA_ARGS__},                                               \
        .count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                 \
    }

static const struct policy_strings submission_listeners =
    STRINGS("ORIGINATING", "submission", "submissions", "smtps", "MSA", "TLSMSA", ":587", ":465");
static const struct policy_strings local_listeners = STRINGS("non-smtp");

enum { BUILTIN_SUBMISSION, BUILTIN_NON_SMTP, BUILTIN_MX };

void policy_builtins(struct policy out[POLICY_BUILTINS])
{
    static const char *const names[POLICY_BUILTINS] = {
        [BUILTIN_SUBMISSION] = "submission",
        [BUILTIN_NON_SMTP] = "non-smtp",
        [BUILTIN_MX] = "mx",
    };
    for (int i = 0; i < POLICY_BUILTINS; i++) {
        policy_defaults(&out[i]);
        out[i].name = names[i];
        out[i].builtin = true;
    }
    out[BUILTIN_SUBMISSION].listeners = submission_listeners;
    out[BUILTIN_SUBMISSION].require_authentication = true;
    out[BUILTIN_NON_SMTP].listeners = local_listeners;
    out[BUILTIN_NON_SMTP].observe = true;
}

static bool listener_matches(const char *item, const struct policy_client *client)
{
    if (strcmp(item, "*") == 0)
        return true;
    if (strcmp(item, "non-smtp") == 0)
        return client->non_smtp;
    if (item[0] == ':')
        return client->port && strcmp(item + 1, client->port) == 0;
    return client->listener && span_equal_nocase(span_of(item), span_of(client->listener));
}

static bool listeners_match(const struct policy_strings *listeners,
                            const struct policy_client *client)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (listener_matches(listeners->items[i], client))
            return true;
    return listeners->count == 0;
}

/* "@domain" stands for every login of that domain. */
bool policy_names_login(const struct policy_strings *logins, const struct principal *principal)
{
    if (principal->kind != PRINCIPAL_SASL || principal->fault != PRINCIPAL_SOUND)
        return false;
    for (size_t i = 0; i < logins->count; i++) {
        const char *item = logins->items[i];
        const char *mine = item[0] == '@' ? principal->login.domain : principal->login.name;
        if (strcmp(item + (item[0] == '@'), mine) == 0)
            return true;
    }
    return false;
}

static bool principals_match(const struct policy_strings *kinds, const struct principal *principal)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (strcmp(kinds->items[i], principal_kind_name(principal->kind)) == 0)
            return true;
    return kinds->count == 0;
}

static bool policy_matches(const struct policy *policy, const struct policy_client *client,
                           const struct principal *principal)
{
    return listeners_match(&policy->listeners, client) &&
           (!policy->client_networks.count ||
            netset_has(&policy->client_networks, client->address)) &&
           (!policy->logins.count || policy_names_login(&policy->logins, principal)) &&
           principals_match(&policy->principals, principal);
}

const struct policy *policy_select(const struct policy *policies, size_t count,
                                   const struct policy_client *client,
                                   const struct principal *principal)
{
    assert(count >= POLICY_BUILTINS);
    const struct policy *builtins = policies + count - POLICY_BUILTINS;
    /* The built-in "mx" has no selectors: it is only what is left over. */
    for (const struct policy *p = policies; p < builtins + BUILTIN_MX; p++)
        if (policy_matches(p, client, principal))
            return p;
    return principal->kind == PRINCIPAL_NONE ? builtins + BUILTIN_MX
                                             : builtins + BUILTIN_SUBMISSION;
}

bool policy_wants_account(const struct principal *principal)
{
    return principal->kind != PRINCIPAL_NONE && principal->fault == PRINCIPAL_SOUND;
}

/* ---- effects ---- */

bool effect_refuses(enum effect effect)
{
    return effect == EFFECT_TEMPFAIL || effect == EFFECT_REJECT;
}

const char *effect_name(enum effect effect)
{
    static const char *const names[] = {
        [EFFECT_ACCEPT] = "accept",     [EFFECT_TAG] = "tag",
        [EFFECT_REWRITE] = "rewrite",   [EFFECT_QUARANTINE] = "quarantine",
        [EFFECT_TEMPFAIL] = "tempfail", [EFFECT_REJECT] = "reject",
    };
    return names[effect];
}
