#include "policy.h"

#include <assert.h>
#include <string.h>

/* ---- names and defaults of the checks ---- */

#define TAKES(action) (1u << (action))

static const char *const action_names[] = {
    [ACTION_IGNORE] = "ignore", [ACTION_OBSERVE] = "observe", [ACTION_TEMPFAIL] = "tempfail",
    [ACTION_REJECT] = "reject", [ACTION_ALLOW] = "allow",     [ACTION_REPORTS] = "reports",
    [ACTION_ACCEPT] = "accept",
};
enum { ACTION_COUNT = sizeof action_names / sizeof action_names[0] };

enum {
    ACTING = TAKES(ACTION_IGNORE) | TAKES(ACTION_OBSERVE) | TAKES(ACTION_TEMPFAIL) |
             TAKES(ACTION_REJECT),
    CHOICE = TAKES(ACTION_REJECT) | TAKES(ACTION_OBSERVE) | TAKES(ACTION_ALLOW),
};

struct check_row {
    const char *name;
    enum policy_action preset;
    unsigned takes;
};

static const struct check_row checks[CHECK_COUNT] = {
    [CHECK_ENVELOPE] = {"envelope", ACTION_REJECT, ACTING},
    [CHECK_HEADER_FROM] = {"header_from", ACTION_REJECT, ACTING},
    [CHECK_MULTIPLE_FROM] = {"multiple_from", ACTION_REJECT, ACTING | TAKES(ACTION_ALLOW)},
    [CHECK_MISSING_FROM] = {"missing_from", ACTION_REJECT, ACTING | TAKES(ACTION_ACCEPT)},
    [CHECK_HEADER_SENDER] = {"header_sender", ACTION_REJECT, ACTING},
    [CHECK_RESENT] = {"resent", ACTION_REJECT, ACTING},
    [CHECK_DISPLAY_NAME] = {"display_name", ACTION_OBSERVE, ACTING},
    [CHECK_NULL_SENDER] = {"null_sender", ACTION_REPORTS, CHOICE | TAKES(ACTION_REPORTS)},
    [CHECK_UNKNOWN_LOGIN] = {"unknown_login", ACTION_REJECT, CHOICE},
    [CHECK_FOREIGN_DOMAINS] = {"foreign_domains", ACTION_REJECT, CHOICE},
    [CHECK_RELAY] = {"relay", ACTION_REJECT, ACTING},
    [CHECK_LOCAL_SENDER] = {"local_sender", ACTION_OBSERVE, ACTING},
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
static bool login_in(const struct policy_strings *logins, const struct principal *principal)
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
           (!policy->logins.count || login_in(&policy->logins, principal)) &&
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

bool policy_wants_account(const struct policy *policy, const struct principal *principal)
{
    (void)policy;
    return principal->kind == PRINCIPAL_SASL && principal->fault == PRINCIPAL_SOUND;
}

/* ---- the decision ---- */

/* A later one is worse. */
enum claim_result {
    CLAIM_GRANTED,
    CLAIM_NOT_JUDGED,  /* no such login: rule_login_state has spoken */
    CLAIM_NOT_KNOWN,   /* a directory did not answer, or not lately: neither yes nor no */
    CLAIM_NOT_GRANTED, /* or there is no such claim */
};

struct judge {
    struct arena *arena;
    const struct addr_rules *rules;
    const struct policy *policy;
    const struct facts *facts;
    struct decision *decision;
    bool exempt;            /* claim checks observe for this login */
    bool unavailable;       /* said already that a directory did not answer */
    bool unavailable_noted; /* the same, but only observed */
    bool covered;           /* Resent-* take the place of From's grant */
    enum claim_result sender_result;
    enum claim_result from_result; /* the worst of its mailboxes */
};

static bool authenticated(const struct judge *j)
{
    return j->facts->principal.kind != PRINCIPAL_NONE;
}

/* Sound enough for a directory to have been asked. */
static bool has_account(const struct judge *j)
{
    return authenticated(j) && j->facts->principal.fault == PRINCIPAL_SOUND && j->facts->answer;
}

static bool is_outsider(const struct judge *j)
{
    return !authenticated(j) && !j->facts->trusted && !j->facts->non_smtp &&
           j->facts->have_local_domains;
}

static bool at_end(const struct judge *j)
{
    return j->facts->stage == FACTS_EOM;
}

static enum policy_action action_of(const struct judge *j, enum policy_check check)
{
    return j->policy->actions[check];
}

static bool is_stronger(const struct finding *a, const struct finding *b)
{
    return a->observed == b->observed ? a->effect > b->effect : b->observed;
}

/* Where there are too many, the last place is for what decides. */
static void add(struct judge *j, enum reason reason, enum effect effect, bool observed,
                const char *address, const char *detail)
{
    struct decision *d = j->decision;
    const struct finding finding = {
        .reason = reason,
        .effect = effect,
        .observed = observed || j->policy->observe,
        .address = address,
        .detail = detail,
    };
    if (d->finding_count < DECISION_FINDINGS_MAX)
        d->findings[d->finding_count++] = finding;
    else if (is_stronger(&finding, &d->findings[DECISION_FINDINGS_MAX - 1]))
        d->findings[DECISION_FINDINGS_MAX - 1] = finding;
}

/* What a check found, with the action that is configured for it. */
static void add_by_action(struct judge *j, enum reason reason, enum policy_action action,
                          const char *address, const char *detail)
{
    switch (action) {
    case ACTION_IGNORE:
    case ACTION_ALLOW:
    case ACTION_ACCEPT:
        return;
    case ACTION_OBSERVE:
        add(j, reason, EFFECT_REJECT, true, address, detail);
        return;
    case ACTION_TEMPFAIL:
        add(j, reason, EFFECT_TEMPFAIL, false, address, detail);
        return;
    case ACTION_REJECT:
    case ACTION_REPORTS:
        add(j, reason, EFFECT_REJECT, false, address, detail);
        return;
    }
}

/* The same for a check of a claim, which an exempt login turns to observe. */
static void add_claim(struct judge *j, enum reason reason, enum policy_action action,
                      const char *address, const char *detail)
{
    bool acts = action == ACTION_REJECT || action == ACTION_TEMPFAIL || action == ACTION_REPORTS;
    add_by_action(j, reason, j->exempt && acts ? ACTION_OBSERVE : action, address, detail);
}

/* Said once a decision: which address it was about makes no difference to the sender. What is only
 * observed does not stand for what acts. */
static void add_no_answer(struct judge *j, enum account_status status, bool observed,
                          const char *why)
{
    bool wrong = status == ACCOUNT_MISCONFIGURED;
    observed = observed || (!wrong && action_of(j, CHECK_DIRECTORY_UNAVAILABLE) == ACTION_ACCEPT);
    bool *said = observed ? &j->unavailable_noted : &j->unavailable;
    if (j->unavailable || *said)
        return;
    *said = true;
    add(j, wrong ? REASON_MISCONFIGURED : REASON_DIRECTORY_UNAVAILABLE, EFFECT_TEMPFAIL, observed,
        NULL, why);
}

/* May a permanent refusal rest on it? */
static bool is_final(const struct account_answer *answer)
{
    return answer->fresh && answer->missing == ACCOUNT_FOUND;
}

static enum account_status trouble_of(const struct account_answer *answer)
{
    return answer->status == ACCOUNT_FOUND ? answer->missing : answer->status;
}

static const char claim_not_lately[] = "not granted, but not asked lately";

/* Neither yes nor no. Where it is the age of the data alone, asking again may help. */
static void add_not_known(struct judge *j, bool observed, const char *not_lately)
{
    const struct account_answer *answer = j->facts->answer, *again = j->facts->recheck;
    enum account_status trouble = trouble_of(answer);
    if (trouble == ACCOUNT_UNAVAILABLE || trouble == ACCOUNT_MISCONFIGURED) {
        add_no_answer(j, trouble, observed, answer->why);
        return;
    }
    j->decision->wants_fresh = true;
    if (again)
        add_no_answer(j, trouble_of(again), observed, again->why);
    else
        add_no_answer(j, ACCOUNT_UNAVAILABLE, observed, not_lately);
}

static void rule_auth_required(struct judge *j)
{
    if (j->policy->require_authentication && !authenticated(j))
        add(j, REASON_AUTH_REQUIRED, EFFECT_REJECT, false, NULL, NULL);
}

static void rule_principal(struct judge *j)
{
    const struct principal *p = &j->facts->principal;
    switch (p->fault) {
    case PRINCIPAL_SOUND:
        return;
    case PRINCIPAL_HALF:
    case PRINCIPAL_UNDECIDED:
        add(j, REASON_MISCONFIGURED, EFFECT_TEMPFAIL, false, NULL, p->why);
        return;
    case PRINCIPAL_LOGIN_INVALID:
        add(j, REASON_LOGIN_UNKNOWN, EFFECT_REJECT, false, NULL, p->why);
        return;
    }
}

static bool says_disabled(const struct account_answer *answer)
{
    return answer && answer->status == ACCOUNT_FOUND && answer->account.state == ACCOUNT_DISABLED;
}

static void rule_login_state(struct judge *j)
{
    if (!has_account(j))
        return;
    const struct account_answer *answer = j->facts->answer;
    switch (answer->status) {
    case ACCOUNT_UNAVAILABLE:
    case ACCOUNT_MISCONFIGURED:
        add_no_answer(j, answer->status, false, answer->why);
        return;
    case ACCOUNT_UNKNOWN:
        if (is_final(answer))
            add_claim(j, REASON_LOGIN_UNKNOWN, action_of(j, CHECK_UNKNOWN_LOGIN), NULL,
                      answer->why);
        else
            add_not_known(j, j->exempt, "not known, but not asked lately");
        return;
    case ACCOUNT_FOUND:
        if (says_disabled(answer) && is_final(answer))
            add(j, REASON_LOGIN_DISABLED, EFFECT_REJECT, false, NULL, answer->account.entry);
        else if (says_disabled(answer) || says_disabled(j->facts->recheck))
            add_not_known(j, false, "disabled, but not asked lately");
        return;
    }
}

/* An outsider's sender that cannot be read could be a local one: local_sender says what then. */
static void rule_sender_shape(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (sender->shape != SENDER_MALFORMED)
        return;
    if (authenticated(j))
        add_claim(j, REASON_SENDER_MALFORMED, action_of(j, CHECK_ENVELOPE), sender->raw,
                  sender->why);
    else if (is_outsider(j))
        add_by_action(j, REASON_SENDER_MALFORMED, action_of(j, CHECK_LOCAL_SENDER), sender->raw,
                      sender->why);
}

static const struct grant *find_in(const struct judge *j, const struct account_answer *answer,
                                   const struct addr *addr)
{
    if (!answer || answer->status != ACCOUNT_FOUND || answer->denies_missing)
        return NULL;
    return grant_find(j->arena, j->rules, GRANT_FOR_HEADER, answer->account.lists,
                      answer->account.list_count, addr);
}

static const struct grant *find_deny(const struct judge *j, const struct account_answer *answer,
                                     const struct addr *addr)
{
    if (!answer || answer->status != ACCOUNT_FOUND)
        return NULL;
    return grant_find(j->arena, j->rules, GRANT_FOR_ENVELOPE, answer->account.denies,
                      answer->account.deny_count, addr);
}

static const struct grant *deny_of(const struct judge *j, const struct addr *addr)
{
    const struct grant *deny = find_deny(j, j->facts->answer, addr);
    return deny ? deny : find_deny(j, j->facts->recheck, addr);
}

/* An old grant suffices; what a recheck in part brought adds to it. */
static const struct grant *grant_of(const struct judge *j, const struct addr *addr)
{
    const struct grant *grant = find_in(j, j->facts->answer, addr);
    return grant ? grant : find_in(j, j->facts->recheck, addr);
}

static enum claim_result claim_result(const struct judge *j, const struct addr *addr,
                                      const struct grant **grant_out)
{
    const struct account_answer *answer = j->facts->answer;
    if (!has_account(j) || (answer->status == ACCOUNT_UNKNOWN && is_final(answer)))
        return CLAIM_NOT_JUDGED;
    if (answer->status != ACCOUNT_FOUND)
        return CLAIM_NOT_KNOWN;
    const struct grant *grant = deny_of(j, addr) ? NULL : grant_of(j, addr);
    if (grant) {
        *grant_out = grant;
        return CLAIM_GRANTED;
    }
    return is_final(answer) ? CLAIM_NOT_GRANTED : CLAIM_NOT_KNOWN;
}

static bool judges_headers(const struct judge *j)
{
    return at_end(j) && authenticated(j);
}

static bool judges_from(const struct judge *j)
{
    return judges_headers(j) && action_of(j, CHECK_HEADER_FROM) != ACTION_IGNORE;
}

/* What was not kept may have claimed anything, so the strictest check of a claim speaks. */
static void rule_header_bounds(struct judge *j)
{
    static const enum policy_check checked[] = {CHECK_HEADER_FROM, CHECK_HEADER_SENDER,
                                                CHECK_RESENT};
    enum policy_action strictest = ACTION_IGNORE;
    if (!judges_headers(j) || !j->facts->too_large)
        return;
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++)
        if (action_of(j, checked[i]) > strictest)
            strictest = action_of(j, checked[i]);
    add_by_action(j, REASON_HEADERS_TOO_LARGE, strictest, NULL, j->facts->too_large);
}

/* missing_from = accept leans on the envelope sender, which must then be granted. */
static void from_is_missing(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_MISSING_FROM);
    if (action == ACTION_ACCEPT && j->sender_result == CLAIM_NOT_KNOWN) {
        add_not_known(j, j->exempt, claim_not_lately);
        return;
    }
    if (action == ACTION_ACCEPT && j->sender_result != CLAIM_GRANTED)
        action = ACTION_REJECT;
    add_claim(j, REASON_FROM_MISSING, action, NULL, NULL);
}

static const char control_in_name[] = "a control character in the name";

static bool shows_control(const struct field_fact *field)
{
    for (size_t i = 0; field->shown && i < field->list.count; i++)
        if (field->shown[i].control)
            return true;
    return false;
}

/* What is wrong with a Sender or Resent-* that is not empty, NULL for nothing. */
static const char *shape_fault(const struct field_fact *field)
{
    if (field->status == MAILBOX_GROUP)
        return "a group";
    if (field->status != MAILBOX_OK)
        return field->why ? field->why : "malformed";
    if (shows_control(field))
        return control_in_name;
    if (field->kind != FIELD_RESENT_FROM && field->list.count > 1)
        return "more than one mailbox";
    return NULL;
}

/* The worst of its mailboxes. */
static enum claim_result field_result(const struct judge *j, const struct field_fact *field)
{
    const struct grant *grant;
    enum claim_result worst = CLAIM_GRANTED;
    if (shape_fault(field))
        return CLAIM_NOT_GRANTED;
    for (size_t i = 0; i < field->list.count; i++) {
        enum claim_result one = claim_result(j, &field->list.items[i].addr, &grant);
        if (one > worst)
            worst = one;
    }
    return worst;
}

/* Of the one Sender; where there is none, or a second one, nothing is granted. */
static enum claim_result header_sender_result(const struct judge *j)
{
    const struct field_fact *only = NULL;
    for (size_t i = 0; i < j->facts->field_count; i++) {
        const struct field_fact *field = &j->facts->fields[i];
        if (field->kind != FIELD_SENDER)
            continue;
        if (only)
            return CLAIM_NOT_GRANTED;
        only = field;
    }
    return only ? field_result(j, only) : CLAIM_NOT_GRANTED;
}

/* Several authors need one Sender, who sent the message (RFC 5322 section 3.6.2). */
static void from_is_multiple(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_MULTIPLE_FROM);
    const char *second = j->facts->from.list.items[1].addr.key;
    if (action != ACTION_ALLOW) {
        add_claim(j, REASON_FROM_MULTIPLE, action, second, NULL);
        return;
    }
    switch (header_sender_result(j)) {
    case CLAIM_GRANTED:
    case CLAIM_NOT_JUDGED:
        return;
    case CLAIM_NOT_KNOWN:
        add_not_known(j, j->exempt, claim_not_lately);
        return;
    case CLAIM_NOT_GRANTED:
        add_claim(j, REASON_FROM_MULTIPLE, ACTION_REJECT, second, "without one granted Sender");
        return;
    }
}

static void names_and_number(struct judge *j, enum policy_action action)
{
    const struct field_fact *from = &j->facts->from;
    if (shows_control(from))
        add_by_action(j, REASON_FROM_MALFORMED, action, NULL, control_in_name);
    if (from->list.count > 1)
        from_is_multiple(j);
}

static void rule_from_shape(struct judge *j)
{
    if (!judges_from(j))
        return;
    const struct field_fact *from = &j->facts->from;
    size_t fields = j->facts->from_fields;
    enum policy_action action = action_of(j, CHECK_HEADER_FROM);
    if (fields == 0 || (fields == 1 && from->status == MAILBOX_BLANK))
        from_is_missing(j);
    else if (fields > 1)
        add_by_action(j, REASON_FROM_DUPLICATE, action, NULL, NULL);
    else if (from->status == MAILBOX_MALFORMED)
        add_by_action(j, REASON_FROM_MALFORMED, action, NULL, from->why);
    else if (from->status == MAILBOX_GROUP)
        add_by_action(j, REASON_FROM_GROUP, action, NULL, from->why);
    else
        names_and_number(j, action);
}

static void rule_relay(struct judge *j)
{
    const struct recipient_fact *to = &j->facts->recipient;
    if (!is_outsider(j) || at_end(j) || !to->raw || to->local)
        return;
    add_by_action(j, REASON_RELAY_DENIED, action_of(j, CHECK_RELAY), to->key ? to->key : to->raw,
                  to->key ? NULL : "a recipient that cannot be read is not local");
}

static void rule_local_sender(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (is_outsider(j) && sender->shape == SENDER_ADDRESS && sender->local)
        add_by_action(j, REASON_LOCAL_SENDER, action_of(j, CHECK_LOCAL_SENDER), sender->addr.key,
                      NULL);
}

/* A claim that is not granted, of a domain that is not ours, may be let off by the site. */
static enum policy_action claim_action(const struct judge *j, enum policy_check check, bool local)
{
    enum policy_action foreign = action_of(j, CHECK_FOREIGN_DOMAINS);
    enum policy_action own = action_of(j, check);
    if (local || foreign == ACTION_REJECT || own == ACTION_IGNORE)
        return own;
    return foreign;
}

static bool has_no_grant(const struct account *account)
{
    for (size_t i = 0; i < account->list_count; i++)
        if (account->lists[i].count > 0)
            return false;
    return true;
}

/* For the log, of a claim that is not granted; NULL for nothing to add. */
static const char *why_not(const struct judge *j, const struct addr *addr)
{
    const struct grant *deny = deny_of(j, addr);
    if (deny)
        return arena_printf(j->arena, "denied by %s:%s:%s", deny->directory, deny->attribute,
                            deny->entry);
    return has_no_grant(&j->facts->answer->account) ? "the account has no address" : NULL;
}

static void judge_claim(struct judge *j, const struct addr *addr, enum reason reason,
                        enum policy_action action)
{
    const struct grant *grant;
    switch (claim_result(j, addr, &grant)) {
    case CLAIM_GRANTED:
    case CLAIM_NOT_JUDGED:
        return;
    case CLAIM_NOT_GRANTED:
        add_claim(j, reason, action, addr->key, why_not(j, addr));
        return;
    case CLAIM_NOT_KNOWN:
        if (action == ACTION_REJECT || action == ACTION_TEMPFAIL || action == ACTION_OBSERVE)
            add_not_known(j, j->exempt || action == ACTION_OBSERVE, claim_not_lately);
        return;
    }
}

static void rule_sender(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (authenticated(j) && sender->shape == SENDER_ADDRESS)
        judge_claim(j, &sender->addr, REASON_SENDER_NOT_GRANTED,
                    claim_action(j, CHECK_ENVELOPE, sender->local));
}

/* At least one Resent-From, and nothing in any Resent-* that is not granted. */
static bool resent_covers(const struct judge *j)
{
    bool resent = false;
    if (!j->policy->resent_covers_from || j->facts->too_large)
        return false;
    for (size_t i = 0; i < j->facts->field_count; i++) {
        const struct field_fact *field = &j->facts->fields[i];
        if (field->kind == FIELD_SENDER || field->status == MAILBOX_BLANK)
            continue;
        if (field_result(j, field) != CLAIM_GRANTED)
            return false;
        resent = resent || field->kind == FIELD_RESENT_FROM;
    }
    return resent;
}

static enum claim_result from_result(const struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    enum claim_result worst = CLAIM_GRANTED;
    for (size_t i = from->list.count; i-- > 0;) {
        enum claim_result one =
            claim_result(j, &from->list.items[i].addr, &j->decision->from_grant);
        if (one > worst)
            worst = one;
    }
    return j->covered ? CLAIM_GRANTED : worst;
}

/* Grants are looked up first, so that rules in front of rule_from can lean on the result. */
static void find_grants(struct judge *j)
{
    const struct facts *f = j->facts;
    j->sender_result = j->from_result = CLAIM_NOT_GRANTED;
    if (f->sender.shape == SENDER_ADDRESS)
        j->sender_result = claim_result(j, &f->sender.addr, &j->decision->sender_grant);
    if (!at_end(j) || f->from_fields != 1 || f->from.status != MAILBOX_OK)
        return;
    j->covered = resent_covers(j);
    j->from_result = from_result(j);
}

static bool acts(enum policy_action action)
{
    return action == ACTION_REJECT || action == ACTION_TEMPFAIL;
}

static enum policy_check check_of_shape(enum reason reason)
{
    if (reason == REASON_FROM_MISSING)
        return CHECK_MISSING_FROM;
    return reason == REASON_FROM_MULTIPLE ? CHECK_MULTIPLE_FROM : CHECK_HEADER_FROM;
}

/* Has the shape of From been found wrong by a check that does more than note it? */
static bool from_has_spoken(const struct judge *j)
{
    const struct decision *d = j->decision;
    for (size_t i = 0; i < d->finding_count; i++) {
        enum reason reason = d->findings[i].reason;
        if (reason >= REASON_FROM_MISSING && reason <= REASON_FROM_GROUP &&
            action_of(j, check_of_shape(reason)) != ACTION_OBSERVE)
            return true;
    }
    return false;
}

/* Is a From that is not granted going to be refused, or kept waiting, for its own sake? */
static bool from_will_speak(const struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    const struct grant *grant;
    if (from_has_spoken(j))
        return true;
    if (!judges_from(j) || j->facts->from_fields != 1 || from->status != MAILBOX_OK || j->covered)
        return false;
    for (size_t i = 0; i < from->list.count; i++) {
        enum claim_result result = claim_result(j, &from->list.items[i].addr, &grant);
        bool open = result == CLAIM_NOT_GRANTED || result == CLAIM_NOT_KNOWN;
        if (open && acts(claim_action(j, CHECK_HEADER_FROM, from->local[i])))
            return true;
    }
    return false;
}

/* "reports" is decided when the shape of the message is known. Where From itself is going to be
 * refused, its own reason tells the sender more than "null-sender" would. */
static void rule_null_sender(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_NULL_SENDER);
    if (!authenticated(j) || j->facts->sender.shape != SENDER_NULL)
        return;
    if (action == ACTION_REPORTS) {
        if (!at_end(j) ||
            (j->facts->report && (j->from_result == CLAIM_GRANTED || from_will_speak(j))))
            return;
        if (j->facts->report && j->from_result == CLAIM_NOT_KNOWN) {
            add_not_known(j, j->exempt, claim_not_lately);
            return;
        }
    }
    add_claim(j, REASON_NULL_SENDER, action, "<>", j->facts->report ? "From is not granted" : NULL);
}

static bool is_same_mailbox(const struct judge *j, const struct addr *a, const struct addr *b)
{
    struct addr as[ADDR_VARIANTS_MAX], bs[ADDR_VARIANTS_MAX];
    size_t a_count = addr_variants(j->arena, j->rules, a, as);
    size_t b_count = addr_variants(j->arena, j->rules, b, bs);
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            if (addr_equal(&as[i], &bs[k]))
                return true;
    return false;
}

/* False where from_must_equal_envelope forbids the address. */
static bool fits_envelope(const struct judge *j, const struct addr *addr)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (!j->policy->from_must_equal_envelope || sender->shape == SENDER_NULL)
        return true;
    return sender->shape == SENDER_ADDRESS && is_same_mailbox(j, addr, &sender->addr);
}

static void rule_from(struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    if (!judges_from(j) || j->facts->from_fields != 1 || from->status != MAILBOX_OK || j->covered)
        return;
    for (size_t i = 0; i < from->list.count; i++) {
        const struct addr *addr = &from->list.items[i].addr;
        if (fits_envelope(j, addr))
            judge_claim(j, addr, REASON_FROM_NOT_GRANTED,
                        claim_action(j, CHECK_HEADER_FROM, from->local[i]));
        else
            add_claim(j, REASON_FROM_NOT_GRANTED, action_of(j, CHECK_HEADER_FROM), addr->key,
                      "not the envelope sender");
    }
}

static enum policy_check check_of(const struct field_fact *field)
{
    static const enum policy_check by_kind[FIELD_KINDS] = {
        [FIELD_FROM] = CHECK_HEADER_FROM,
        [FIELD_SENDER] = CHECK_HEADER_SENDER,
        [FIELD_RESENT_FROM] = CHECK_RESENT,
        [FIELD_RESENT_SENDER] = CHECK_RESENT,
    };
    return by_kind[field->kind];
}

/* An empty field claims nothing. */
static void judge_field(struct judge *j, const struct field_fact *field, enum reason reason)
{
    enum policy_check check = check_of(field);
    if (field->status == MAILBOX_BLANK)
        return;
    const char *fault = shape_fault(field);
    if (fault) {
        add_claim(j, reason, action_of(j, check), field->raw, fault);
        return;
    }
    for (size_t i = 0; i < field->list.count; i++)
        judge_claim(j, &field->list.items[i].addr, reason, claim_action(j, check, field->local[i]));
}

static void rule_header_sender(struct judge *j)
{
    size_t seen = 0;
    for (size_t i = 0; judges_headers(j) && i < j->facts->field_count; i++) {
        const struct field_fact *field = &j->facts->fields[i];
        if (field->kind != FIELD_SENDER)
            continue;
        if (seen++ == 0)
            judge_field(j, field, REASON_HEADER_SENDER_NOT_GRANTED);
        else
            add_claim(j, REASON_HEADER_SENDER_NOT_GRANTED, action_of(j, CHECK_HEADER_SENDER),
                      field->raw, "a second Sender field");
    }
}

static void rule_resent(struct judge *j)
{
    for (size_t i = 0; judges_headers(j) && i < j->facts->field_count; i++)
        if (j->facts->fields[i].kind != FIELD_SENDER)
            judge_field(j, &j->facts->fields[i], REASON_RESENT_NOT_GRANTED);
}

static void judge_shown(struct judge *j, const struct shown_address *seen)
{
    enum policy_action action = action_of(j, CHECK_DISPLAY_NAME);
    if (*seen->addr.key)
        judge_claim(j, &seen->addr, REASON_DISPLAY_NAME_ADDRESS, action);
    else
        add_claim(j, REASON_DISPLAY_NAME_ADDRESS, action, seen->text, "not a sound address");
}

/* Where Resent-* stand for From, its mailbox may be anybody's, and so may the same in its name. */
static bool is_covered(const struct judge *j, const struct field_fact *field, size_t i,
                       const struct shown_address *seen)
{
    return j->covered && field->kind == FIELD_FROM &&
           addr_equal(&seen->addr, &field->list.items[i].addr);
}

static void judge_names(struct judge *j, const struct field_fact *field)
{
    if (field->status != MAILBOX_OK || action_of(j, check_of(field)) == ACTION_IGNORE)
        return;
    for (size_t i = 0; field->shown && i < field->list.count; i++) {
        const struct shown *shown = &field->shown[i];
        if (shown->direction)
            add_claim(j, REASON_DISPLAY_NAME_ADDRESS, action_of(j, CHECK_DISPLAY_NAME), "U+202D/E",
                      "the name turns the direction of the text");
        for (size_t k = 0; k < shown->count; k++)
            if (!is_covered(j, field, i, &shown->addresses[k]))
                judge_shown(j, &shown->addresses[k]);
    }
}

/* Names of a field that is ignored, or cannot be read, are not looked at. */
static void rule_display_name(struct judge *j)
{
    if (!judges_headers(j))
        return;
    if (j->facts->from_fields == 1)
        judge_names(j, &j->facts->from);
    for (size_t i = 0; i < j->facts->field_count; i++)
        judge_names(j, &j->facts->fields[i]);
}

static void rule_max_recipients(struct judge *j)
{
    const struct recipient_fact *to = &j->facts->recipient;
    if (!at_end(j) && to->raw && j->policy->max_recipients &&
        to->number > j->policy->max_recipients)
        add(j, REASON_LIMIT_RECIPIENTS, EFFECT_TEMPFAIL, false, to->raw, NULL);
}

/* DECISION ORDER: the first reason of the strongest effect is the reply. */
static void (*const order[])(struct judge *) = {
    rule_auth_required, rule_principal,    rule_login_state,    rule_sender_shape,
    rule_header_bounds, rule_from_shape,   rule_relay,          rule_local_sender,
    rule_sender,        rule_null_sender,  rule_from,           rule_header_sender,
    rule_resent,        rule_display_name, rule_max_recipients,
};

static void take_strongest(struct decision *d)
{
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (!f->observed && f->effect > d->effect) {
            d->effect = f->effect;
            d->reason = f->reason;
            d->address = f->address;
        }
    }
}

void policy_decide(struct arena *a, const struct addr_rules *rules, const struct policy *policy,
                   const struct facts *facts, struct decision *out)
{
    *out = (struct decision){.effect = EFFECT_ACCEPT};
    struct judge j = {
        .arena = a,
        .rules = rules,
        .policy = policy,
        .facts = facts,
        .decision = out,
        .exempt = login_in(&policy->exempt_logins, &facts->principal),
    };
    out->trusted = facts->trusted && !authenticated(&j);
    /* A refusal at RCPT leaves local mail stuck; it waits for the end of the message. */
    if (facts->non_smtp && !at_end(&j))
        return;
    find_grants(&j);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        order[i](&j);
    take_strongest(out);
    if (out->effect == EFFECT_REJECT)
        out->wants_fresh = false; /* refused already, by what needs no directory */
}
