/* The decision: an ordered table of rules over the facts. */
#include "policy_judge.h"

#include <string.h>

static bool authenticated(const struct judge *j)
{
    return j->facts->principal.kind != PRINCIPAL_NONE;
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

/* ---- findings ---- */

static bool is_stronger(const struct finding *a, const struct finding *b)
{
    return a->observed == b->observed ? a->effect > b->effect : b->observed;
}

/* Would the same be done to the same field? What differs is which of its addresses it is about. */
static bool asks_the_same(const struct finding *a, const struct finding *b)
{
    return a->reason == b->reason && a->field == b->field && a->effect == b->effect &&
           a->action == b->action && a->observed == b->observed;
}

static bool is_repeated(const struct decision *d, size_t count, const struct finding *finding)
{
    for (size_t i = 0; i < count; i++)
        if (asks_the_same(&d->findings[i], finding))
            return true;
    return false;
}

/* Takes out the last one that can be done without. */
static bool make_room(struct decision *d)
{
    size_t i = d->finding_count;
    while (i > 0 && !d->findings[i - 1].observed && !is_repeated(d, i - 1, &d->findings[i - 1]))
        i--;
    if (i == 0)
        return false;
    memmove(&d->findings[i - 1], &d->findings[i], (d->finding_count - i) * sizeof d->findings[0]);
    d->finding_count--;
    return true;
}

/* There are too many: all that acts is kept, because the message is changed by it. Where that is
 * not possible, the message is refused. */
static void add_beyond(struct decision *d, struct finding finding)
{
    struct finding *last = &d->findings[DECISION_FINDINGS_MAX - 1];
    if (is_repeated(d, d->finding_count, &finding))
        return;
    if (!finding.observed && make_room(d)) {
        d->findings[d->finding_count++] = finding;
        return;
    }
    if (!finding.observed && !effect_refuses(finding.effect))
        finding.effect = EFFECT_REJECT;
    if (is_stronger(&finding, last))
        *last = finding;
}

static void add(struct judge *j, struct finding finding)
{
    struct decision *d = j->decision;
    finding.observed = finding.observed || j->policy->observe;
    if (d->finding_count < DECISION_FINDINGS_MAX)
        d->findings[d->finding_count++] = finding;
    else
        add_beyond(d, finding);
}

static void add_reject(struct judge *j, enum reason reason, const char *detail)
{
    add(j,
        (struct finding){
            .reason = reason, .effect = EFFECT_REJECT, .action = ACTION_REJECT, .detail = detail});
}

/* Something rests on what the answer says: a newer one may say something else. */
static void want_fresh(struct judge *j)
{
    if (answer_trouble(j->facts->answer) == ACCOUNT_FOUND)
        j->decision->wants_fresh = true;
}

/* A claim is rewritten to the primary address; a name in front of one is just dropped. That there
 * is no such address is a matter of the directory: a refusal for it needs an answer that is final.
 */
static enum effect effect_of_rewrite(struct judge *j, enum reason reason)
{
    if (j->decision->primary || reason == REASON_DISPLAY_NAME_ADDRESS)
        return EFFECT_REWRITE;
    if (!judge_has_account(j) || answer_is_final(j->facts->answer))
        return EFFECT_REJECT;
    want_fresh(j);
    return EFFECT_TEMPFAIL;
}

static enum effect effect_of(struct judge *j, enum reason reason, enum policy_action action)
{
    switch (action) {
    case ACTION_IGNORE:
    case ACTION_ALLOW:
    case ACTION_ACCEPT:
        return EFFECT_ACCEPT;
    case ACTION_TAG:
        return EFFECT_TAG;
    case ACTION_REWRITE:
        return effect_of_rewrite(j, reason);
    case ACTION_REMOVE:
        return EFFECT_REWRITE;
    case ACTION_QUARANTINE:
        return EFFECT_QUARANTINE;
    case ACTION_TEMPFAIL:
        return EFFECT_TEMPFAIL;
    case ACTION_OBSERVE:
    case ACTION_REJECT:
    case ACTION_REPORTS:
        break;
    }
    return EFFECT_REJECT;
}

/* What a check found, with the action that is configured for it. */
static void add_by_action(struct judge *j, enum policy_action action, struct finding finding)
{
    finding.action = action;
    finding.effect = effect_of(j, finding.reason, action);
    finding.observed = action == ACTION_OBSERVE;
    if (finding.effect != EFFECT_ACCEPT)
        add(j, finding);
}

/* More than noted? */
static bool acts(enum policy_action action)
{
    return (action >= ACTION_TAG && action <= ACTION_REJECT) || action == ACTION_REPORTS;
}

static bool refuses(enum policy_action action)
{
    return action == ACTION_TEMPFAIL || action == ACTION_REJECT;
}

/* The same for a check of a claim, which an exempt login turns to observe. */
static void add_claim(struct judge *j, enum policy_action action, struct finding finding)
{
    add_by_action(j, j->exempt && acts(action) ? ACTION_OBSERVE : action, finding);
}

/* A field that cannot be read in one way only is never rewritten: what would be left of it in
 * another's reading is not known. */
static enum policy_action shape_action(enum policy_action action)
{
    return action == ACTION_REWRITE || action == ACTION_REMOVE ? ACTION_REJECT : action;
}

/* ---- what is not known ---- */

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
    add(j, (struct finding){.reason = wrong ? REASON_MISCONFIGURED : REASON_DIRECTORY_UNAVAILABLE,
                            .effect = EFFECT_TEMPFAIL,
                            .action = ACTION_TEMPFAIL,
                            .observed = observed,
                            .detail = why});
}

static const char claim_not_lately[] = "not granted, but not asked lately";

/* Neither yes nor no. Where it is the age of the data alone, asking again may help. */
static void add_not_known(struct judge *j, bool observed, const struct account_answer *blame,
                          const char *not_lately)
{
    if (!blame) {
        add_no_answer(j, ACCOUNT_UNAVAILABLE, observed, "who owns the address was not asked");
        return;
    }
    enum account_status trouble = answer_trouble(blame);
    if (trouble == ACCOUNT_UNAVAILABLE || trouble == ACCOUNT_MISCONFIGURED) {
        add_no_answer(j, trouble, observed, blame->why);
        return;
    }
    const struct account_answer *again = blame == j->facts->answer ? j->facts->recheck : NULL;
    j->decision->wants_fresh = true;
    if (again)
        add_no_answer(j, answer_trouble(again), observed, again->why);
    else
        add_no_answer(j, ACCOUNT_UNAVAILABLE, observed, not_lately);
}

static void claim_is_not_known(struct judge *j, const struct claim *claim, bool observed)
{
    add_not_known(j, j->exempt || observed, claim->blame, claim_not_lately);
}

/* ---- the principal ---- */

static void rule_auth_required(struct judge *j)
{
    if (j->policy->require_authentication && !authenticated(j))
        add_reject(j, REASON_AUTH_REQUIRED, NULL);
}

static void rule_principal(struct judge *j)
{
    const struct principal *p = &j->facts->principal;
    switch (p->fault) {
    case PRINCIPAL_SOUND:
        return;
    case PRINCIPAL_HALF:
    case PRINCIPAL_UNDECIDED:
        add(j, (struct finding){.reason = REASON_MISCONFIGURED,
                                .effect = EFFECT_TEMPFAIL,
                                .action = ACTION_TEMPFAIL,
                                .detail = p->why});
        return;
    case PRINCIPAL_LOGIN_INVALID:
        add_reject(j, REASON_LOGIN_UNKNOWN, p->why);
        return;
    }
}

static bool says_disabled(const struct account_answer *answer)
{
    return answer && answer->status == ACCOUNT_FOUND && answer->account.state == ACCOUNT_DISABLED;
}

static void rule_login_state(struct judge *j)
{
    if (!judge_has_account(j))
        return;
    const struct account_answer *answer = j->facts->answer;
    switch (answer->status) {
    case ACCOUNT_UNAVAILABLE:
    case ACCOUNT_MISCONFIGURED:
        add_no_answer(j, answer->status, false, answer->why);
        return;
    case ACCOUNT_UNKNOWN:
        if (answer_is_final(answer))
            add_claim(j, action_of(j, CHECK_UNKNOWN_LOGIN),
                      (struct finding){.reason = REASON_LOGIN_UNKNOWN, .detail = answer->why});
        else
            add_not_known(j, j->exempt, answer, "not known, but not asked lately");
        return;
    case ACCOUNT_FOUND:
        if (says_disabled(answer) && answer_is_final(answer))
            add_reject(j, REASON_LOGIN_DISABLED, answer->account.entry);
        else if (says_disabled(answer) || says_disabled(j->facts->recheck))
            add_not_known(j, false, answer, "disabled, but not asked lately");
        return;
    }
}

/* ---- shapes ---- */

/* An outsider's sender that cannot be read could be a local one: local_sender says what then. */
static void rule_sender_shape(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    const struct finding finding = {
        .reason = REASON_SENDER_MALFORMED, .address = sender->raw, .detail = sender->why};
    if (sender->shape != SENDER_MALFORMED)
        return;
    if (authenticated(j))
        add_claim(j, action_of(j, CHECK_ENVELOPE), finding);
    else if (is_outsider(j))
        add_by_action(j, action_of(j, CHECK_LOCAL_SENDER), finding);
}

static bool judges_headers(const struct judge *j)
{
    return at_end(j) && authenticated(j);
}

static bool judges_from(const struct judge *j)
{
    return judges_headers(j) && action_of(j, CHECK_HEADER_FROM) != ACTION_IGNORE;
}

static enum policy_action strictest_of_headers(const struct judge *j)
{
    static const enum policy_check checked[] = {CHECK_HEADER_FROM, CHECK_HEADER_SENDER,
                                                CHECK_RESENT};
    enum policy_action strictest = ACTION_IGNORE;
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++)
        if (action_of(j, checked[i]) > strictest)
            strictest = action_of(j, checked[i]);
    return strictest;
}

/* What was not kept may have claimed anything, so the strictest check of a claim speaks. A field
 * that pretends to be ours would be believed, whoever sent it. */
static void rule_header_bounds(struct judge *j)
{
    enum policy_action action = ACTION_IGNORE;
    if (j->facts->forged_beyond)
        action = ACTION_REJECT;
    else if (judges_headers(j))
        action = strictest_of_headers(j);
    else if (at_end(j) && is_outsider(j))
        action = action_of(j, CHECK_LOCAL_FROM);
    if (j->facts->too_large)
        add_by_action(
            j, shape_action(action),
            (struct finding){.reason = REASON_HEADERS_TOO_LARGE, .detail = j->facts->too_large});
}

/* A claim that is not granted, of a domain that is not ours, may be let off by the site; one that
 * is denied, or another's, is not. */
static enum policy_action claim_action(const struct judge *j, const struct claim *claim,
                                       enum policy_check check, bool local)
{
    enum policy_action foreign = action_of(j, CHECK_FOREIGN_DOMAINS);
    enum policy_action own = action_of(j, check);
    if (local || claim->forbidden || foreign == ACTION_REJECT || own == ACTION_IGNORE)
        return own;
    return foreign;
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

/* A malformed sender has no domain that could let it off. */
static enum policy_action envelope_action(const struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    return sender->shape == SENDER_ADDRESS
               ? claim_action(j, &j->sender, CHECK_ENVELOPE, sender->local)
               : action_of(j, CHECK_ENVELOPE);
}

static bool rewrites_envelope(const struct judge *j)
{
    return envelope_action(j) == ACTION_REWRITE && !j->exempt && !j->policy->observe;
}

/* The sender is going to be the primary address. */
static bool envelope_is_rewritten(const struct judge *j)
{
    return rewrites_envelope(j) && j->decision->primary && j->sender.result == CLAIM_NOT_GRANTED;
}

/* Whether it is going to be that is not known. */
static bool envelope_is_open(const struct judge *j)
{
    return rewrites_envelope(j) && j->sender.result == CLAIM_NOT_KNOWN;
}

/* False where from_must_equal_envelope forbids the address. */
static bool fits_envelope(const struct judge *j, const struct addr *addr)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (!j->policy->from_must_equal_envelope || sender->shape == SENDER_NULL)
        return true;
    if (envelope_is_rewritten(j))
        return strcmp(addr->key, j->decision->primary) == 0;
    if (sender->shape != SENDER_ADDRESS)
        return false;
    return is_same_mailbox(j, addr, &sender->addr) ||
           (sender->unwrapped && is_same_mailbox(j, addr, sender->unwrapped));
}

static bool primary_fits_envelope(const struct judge *j)
{
    struct addr primary;
    return addr_parse(j->arena, j->rules, span_of(j->decision->primary), &primary, NULL) ==
               ADDR_OK &&
           fits_envelope(j, &primary);
}

/* For a From that would become the primary address: not where that is none for this envelope. An
 * envelope that is open speaks for itself. */
static enum policy_action fitting_action(struct judge *j, enum policy_action action)
{
    if (action != ACTION_REWRITE || !j->decision->primary || envelope_is_open(j) ||
        primary_fits_envelope(j))
        return action;
    if (answer_is_final(j->facts->answer))
        return ACTION_REJECT;
    want_fresh(j);
    return ACTION_TEMPFAIL;
}

/* missing_from = accept leans on the envelope sender, which must then be granted. */
static void from_is_missing(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_MISSING_FROM);
    if (action == ACTION_ACCEPT && j->sender.result == CLAIM_NOT_KNOWN) {
        claim_is_not_known(j, &j->sender, false);
        return;
    }
    if (action == ACTION_ACCEPT && j->sender.result != CLAIM_GRANTED &&
        j->sender.result != CLAIM_NOT_JUDGED)
        action = ACTION_REJECT;
    add_claim(j, fitting_action(j, action),
              (struct finding){.reason = REASON_FROM_MISSING, .field = &j->facts->from});
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
static struct claim field_claim(struct judge *j, const struct field_fact *field)
{
    struct claim worst = {.result = CLAIM_GRANTED};
    if (shape_fault(field))
        return (struct claim){.result = CLAIM_NOT_GRANTED};
    for (size_t i = 0; i < field->list.count; i++)
        worst = claim_worse(worst, claim_of(j, GRANT_FOR_HEADER, &field->list.items[i].addr));
    return worst;
}

static bool has_sender(const struct judge *j)
{
    for (size_t i = 0; i < j->facts->field_count; i++)
        if (j->facts->fields[i].kind == FIELD_SENDER && j->facts->fields[i].status != MAILBOX_BLANK)
            return true;
    return false;
}

/* The one Sender's. An empty second field counts: which of the two a reader takes is not known, nor
 * which of them stays. */
static struct claim header_sender_claim(struct judge *j)
{
    const struct field_fact *only = NULL;
    for (size_t i = 0; i < j->facts->field_count; i++) {
        const struct field_fact *field = &j->facts->fields[i];
        if (field->kind != FIELD_SENDER)
            continue;
        if (only)
            return (struct claim){.result = CLAIM_NOT_GRANTED};
        only = field;
    }
    return only ? field_claim(j, only) : (struct claim){.result = CLAIM_NOT_GRANTED};
}

/* Several authors need one Sender, who sent the message (RFC 5322 section 3.6.2). */
static void from_is_multiple(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_MULTIPLE_FROM);
    struct finding finding = {.reason = REASON_FROM_MULTIPLE,
                              .field = &j->facts->from,
                              .address = j->facts->from.list.items[1].addr.key};
    if (action != ACTION_ALLOW) {
        add_claim(j, fitting_action(j, action), finding);
        return;
    }
    struct claim sender = header_sender_claim(j);
    switch (sender.result) {
    case CLAIM_GRANTED:
    case CLAIM_NOT_JUDGED:
        return;
    case CLAIM_NOT_KNOWN:
        claim_is_not_known(j, &sender, false);
        return;
    case CLAIM_NOT_GRANTED:
        finding.detail = "without one granted Sender";
        add_claim(j, ACTION_REJECT, finding);
        return;
    }
}

static void from_shape_is(struct judge *j, enum reason reason, const char *detail)
{
    add_by_action(j, shape_action(action_of(j, CHECK_HEADER_FROM)),
                  (struct finding){.reason = reason, .field = &j->facts->from, .detail = detail});
}

static void rule_from_shape(struct judge *j)
{
    if (!judges_from(j))
        return;
    const struct field_fact *from = &j->facts->from;
    size_t fields = j->facts->from_fields;
    if (fields == 0 || (fields == 1 && from->status == MAILBOX_BLANK)) {
        from_is_missing(j);
    } else if (fields > 1) {
        from_shape_is(j, REASON_FROM_DUPLICATE, NULL);
    } else if (from->status == MAILBOX_MALFORMED) {
        from_shape_is(j, REASON_FROM_MALFORMED, from->why);
    } else if (from->status == MAILBOX_GROUP) {
        from_shape_is(j, REASON_FROM_GROUP, from->why);
    } else {
        if (shows_control(from))
            from_shape_is(j, REASON_FROM_MALFORMED, control_in_name);
        if (from->list.count > 1)
            from_is_multiple(j);
    }
}

/* ---- outsiders ---- */

/* A network may be a principal and still not relay. */
static bool may_not_relay(const struct judge *j)
{
    const struct principal *p = &j->facts->principal;
    bool network = p->kind == PRINCIPAL_NETWORK && !p->relays && j->facts->have_local_domains &&
                   !j->facts->non_smtp;
    return network || is_outsider(j);
}

static void rule_relay(struct judge *j)
{
    const struct recipient_fact *to = &j->facts->recipient;
    if (!may_not_relay(j) || at_end(j) || !to->raw || to->local)
        return;
    add_by_action(j, action_of(j, CHECK_RELAY),
                  (struct finding){
                      .reason = REASON_RELAY_DENIED,
                      .address = to->key ? to->key : to->raw,
                      .detail = to->key ? NULL : "a recipient that cannot be read is not local"});
}

static bool network_is_allowed(const struct judge *j)
{
    return netset_has(&j->policy->local_sender_networks, j->facts->principal.client_addr);
}

static bool outsider_is_allowed(const struct judge *j, const struct addr *addr)
{
    return network_is_allowed(j) || grant_find(j->arena, j->rules, GRANT_FOR_ENVELOPE,
                                               &j->policy->local_sender_allow, 1, addr);
}

/* Where somebody vouches for senders, that is known at the end of the message. */
static void rule_local_sender(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (!is_outsider(j) || sender->shape != SENDER_ADDRESS || !sender->local ||
        outsider_is_allowed(j, &sender->addr))
        return;
    if (j->facts->may_be_vouched && (!at_end(j) || sender->vouched))
        return;
    add_by_action(j, action_of(j, CHECK_LOCAL_SENDER),
                  (struct finding){.reason = REASON_LOCAL_SENDER, .address = sender->addr.key});
}

static void local_from_is(struct judge *j, const char *address, const char *detail)
{
    add_by_action(j, action_of(j, CHECK_LOCAL_FROM),
                  (struct finding){.reason = REASON_LOCAL_SENDER,
                                   .field = &j->facts->from,
                                   .address = address,
                                   .detail = detail});
}

/* Lists show their members' addresses. */
static void rule_local_from(struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    if (!is_outsider(j) || !at_end(j) || j->facts->list_mail || network_is_allowed(j))
        return;
    for (size_t i = 0; from->status == MAILBOX_OK && i < from->list.count; i++) {
        const struct addr *addr = &from->list.items[i].addr;
        bool vouched = from->vouched && from->vouched[i];
        if (from->local[i] && !vouched && !outsider_is_allowed(j, addr))
            local_from_is(j, addr->key, "in the header From");
    }
    if (j->facts->from_mentions)
        local_from_is(j, j->facts->from_mentions, "in a From that cannot be read in one way only");
}

/* ---- claims ---- */

static void judge_claim(struct judge *j, const struct claim *claim, const struct addr *addr,
                        enum policy_action action, struct finding finding)
{
    switch (claim->result) {
    case CLAIM_GRANTED:
    case CLAIM_NOT_JUDGED:
        return;
    case CLAIM_NOT_GRANTED:
        finding.address = addr->key;
        finding.detail = claim_why_not(j, addr, claim);
        add_claim(j, action, finding);
        return;
    case CLAIM_NOT_KNOWN:
        if (acts(action) || action == ACTION_OBSERVE)
            claim_is_not_known(j, claim, action == ACTION_OBSERVE);
        return;
    }
}

static void rule_sender(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (authenticated(j) && sender->shape == SENDER_ADDRESS)
        judge_claim(j, &j->sender, &sender->addr, envelope_action(j),
                    (struct finding){.reason = REASON_SENDER_NOT_GRANTED});
}

/* May Resent-* stand for From? At least one Resent-From, and the worst of all that any claims. */
static struct claim resent_claim(struct judge *j)
{
    bool resent = false;
    const struct claim none = {.result = CLAIM_NOT_GRANTED};
    struct claim worst = {.result = CLAIM_GRANTED};
    if (!j->policy->resent_covers_from || j->facts->too_large)
        return none;
    for (size_t i = 0; i < j->facts->field_count; i++) {
        const struct field_fact *field = &j->facts->fields[i];
        if (field->kind == FIELD_SENDER || field->status == MAILBOX_BLANK)
            continue;
        worst = claim_worse(worst, field_claim(j, field));
        resent = resent || field->kind == FIELD_RESENT_FROM;
    }
    return resent ? worst : none;
}

/* A Sender that is going to be replaced, or taken out, counts as none. */
static bool sender_goes(const struct judge *j, const struct claim *sender)
{
    enum policy_action action = action_of(j, CHECK_HEADER_SENDER);
    bool changes = action == ACTION_REWRITE || action == ACTION_REMOVE;
    return sender->result == CLAIM_NOT_GRANTED && changes && !j->exempt && !j->policy->observe;
}

/* What goes out on behalf of somebody shows who sent it: the Sender that is there, or ours. */
static struct claim behalf_claim(struct judge *j)
{
    struct claim sender = header_sender_claim(j);
    j->sender_is_ours = !has_sender(j) || sender_goes(j, &sender);
    if (!j->sender_is_ours)
        return sender;
    return (struct claim){.result = j->decision->primary ? CLAIM_GRANTED : CLAIM_NOT_GRANTED};
}

static struct claim from_claim(struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    struct claim worst = {.result = CLAIM_GRANTED};
    for (size_t i = from->list.count; i-- > 0;) {
        struct claim one = claim_of_author(j, &from->list.items[i].addr);
        if (one.result == CLAIM_GRANTED) {
            j->decision->from_grant = one.grant;
            j->decision->adds_sender =
                j->decision->adds_sender || (one.on_behalf && j->sender_is_ours);
        }
        worst = claim_worse(worst, one);
    }
    j->decision->adds_sender = j->decision->adds_sender && judges_from(j) && !j->covered;
    if (j->covered)
        worst = (struct claim){.result = CLAIM_GRANTED};
    return worst;
}

/* Grants are looked up first, so that rules in front of rule_from can lean on the result. */
static void find_grants(struct judge *j)
{
    const struct facts *f = j->facts;
    j->decision->primary = claim_primary(j);
    j->sender = claim_of_sender(j);
    if (j->sender.result == CLAIM_GRANTED)
        j->decision->sender_grant = j->sender.grant;
    j->from = j->resent = (struct claim){.result = CLAIM_NOT_GRANTED};
    if (!at_end(j) || f->from_fields != 1 || f->from.status != MAILBOX_OK)
        return;
    j->resent = resent_claim(j);
    j->covered = j->resent.result == CLAIM_GRANTED;
    j->behalf = behalf_claim(j);
    j->from = from_claim(j);
}

/* Has the shape of From been found wrong by a check that does more than note it? */
static bool from_has_spoken(const struct judge *j)
{
    const struct decision *d = j->decision;
    for (size_t i = 0; i < d->finding_count; i++) {
        enum reason reason = d->findings[i].reason;
        if (reason >= REASON_FROM_MISSING && reason <= REASON_FROM_GROUP &&
            effect_refuses(d->findings[i].effect) && d->findings[i].action != ACTION_OBSERVE)
            return true;
    }
    return false;
}

/* Is a From that is not granted going to be refused, or kept waiting, for its own sake? */
static bool from_will_speak(struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    if (from_has_spoken(j))
        return true;
    if (!judges_from(j) || j->facts->from_fields != 1 || from->status != MAILBOX_OK || j->covered)
        return false;
    for (size_t i = 0; i < from->list.count; i++) {
        struct claim claim = claim_of_author(j, &from->list.items[i].addr);
        bool open = claim.result == CLAIM_NOT_GRANTED || claim.result == CLAIM_NOT_KNOWN;
        if (open && refuses(claim_action(j, &claim, CHECK_HEADER_FROM, from->local[i])))
            return true;
    }
    return false;
}

/* What nobody has rights to judge by is not held against a report. */
static bool from_is_fine(const struct judge *j)
{
    return j->from.result == CLAIM_GRANTED || j->from.result == CLAIM_NOT_JUDGED;
}

/* "reports" is decided when the shape of the message is known. Where From itself is going to be
 * refused, its own reason tells the sender more than "null-sender" would. */
static void rule_null_sender(struct judge *j)
{
    enum policy_action action = action_of(j, CHECK_NULL_SENDER);
    bool report = j->facts->report;
    if (!authenticated(j) || j->facts->sender.shape != SENDER_NULL)
        return;
    if (action == ACTION_REPORTS) {
        if (!at_end(j) || (report && (from_is_fine(j) || from_will_speak(j))))
            return;
        if (report && j->from.result == CLAIM_NOT_KNOWN) {
            claim_is_not_known(j, &j->from, false);
            return;
        }
    }
    add_claim(j, action,
              (struct finding){.reason = REASON_NULL_SENDER,
                               .address = "<>",
                               .detail = report ? "From is not granted" : NULL});
}

static void judge_author(struct judge *j, const struct field_fact *from, size_t i)
{
    const struct addr *addr = &from->list.items[i].addr;
    struct finding finding = {.reason = REASON_FROM_NOT_GRANTED, .field = from};
    if (fits_envelope(j, addr)) {
        struct claim claim = claim_of_author(j, addr);
        judge_claim(j, &claim, addr, claim_action(j, &claim, CHECK_HEADER_FROM, from->local[i]),
                    finding);
    } else if (j->resent.result == CLAIM_NOT_KNOWN) { /* Resent-* may cover it */
        judge_claim(j, &j->resent, addr, action_of(j, CHECK_HEADER_FROM), finding);
    } else if (envelope_is_open(j)) {
        judge_claim(j, &j->sender, addr, action_of(j, CHECK_HEADER_FROM), finding);
    } else {
        finding.address = addr->key;
        finding.detail = "not the envelope sender";
        add_claim(j, shape_action(action_of(j, CHECK_HEADER_FROM)), finding);
    }
}

static void rule_from(struct judge *j)
{
    const struct field_fact *from = &j->facts->from;
    if (!judges_from(j) || j->facts->from_fields != 1 || from->status != MAILBOX_OK || j->covered)
        return;
    for (size_t i = 0; i < from->list.count; i++)
        judge_author(j, from, i);
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
    struct finding finding = {.reason = reason, .field = field};
    if (field->status == MAILBOX_BLANK)
        return;
    finding.detail = shape_fault(field);
    if (finding.detail) {
        finding.address = field->raw;
        add_claim(j, action_of(j, check), finding);
        return;
    }
    for (size_t i = 0; i < field->list.count; i++) {
        const struct addr *addr = &field->list.items[i].addr;
        struct claim claim = claim_of(j, GRANT_FOR_HEADER, addr);
        judge_claim(j, &claim, addr, claim_action(j, &claim, check, field->local[i]), finding);
    }
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
            add_claim(j, action_of(j, CHECK_HEADER_SENDER),
                      (struct finding){.reason = REASON_HEADER_SENDER_NOT_GRANTED,
                                       .field = field,
                                       .address = field->raw,
                                       .detail = "a second Sender field"});
    }
}

static void rule_resent(struct judge *j)
{
    for (size_t i = 0; judges_headers(j) && i < j->facts->field_count; i++)
        if (j->facts->fields[i].kind != FIELD_SENDER)
            judge_field(j, &j->facts->fields[i], REASON_RESENT_NOT_GRANTED);
}

/* ---- names ---- */

/* The very mailbox that the name stands beside is for that field's own check. */
static bool is_beside(const struct judge *j, const struct field_fact *field, size_t i,
                      const struct shown_address *seen)
{
    return *seen->addr.key && is_same_mailbox(j, &seen->addr, &field->list.items[i].addr);
}

static void judge_shown(struct judge *j, const struct field_fact *field,
                        const struct shown_address *seen)
{
    enum policy_action action = action_of(j, CHECK_DISPLAY_NAME);
    struct finding finding = {.reason = REASON_DISPLAY_NAME_ADDRESS, .field = field};
    if (*seen->addr.key) {
        struct claim claim = claim_of(j, GRANT_FOR_HEADER, &seen->addr);
        judge_claim(j, &claim, &seen->addr, action, finding);
        return;
    }
    finding.address = seen->text;
    finding.detail = "not a sound address";
    add_claim(j, action, finding);
}

static void judge_name(struct judge *j, const struct field_fact *field, size_t i)
{
    const struct shown *shown = &field->shown[i];
    if (shown->direction)
        add_claim(j, action_of(j, CHECK_DISPLAY_NAME),
                  (struct finding){.reason = REASON_DISPLAY_NAME_ADDRESS,
                                   .field = field,
                                   .address = "U+202D/E",
                                   .detail = "the name turns the direction of the text"});
    for (size_t k = 0; k < shown->count; k++)
        if (!is_beside(j, field, i, &shown->addresses[k]))
            judge_shown(j, field, &shown->addresses[k]);
}

static void judge_names(struct judge *j, const struct field_fact *field)
{
    if (field->status != MAILBOX_OK || action_of(j, check_of(field)) == ACTION_IGNORE)
        return;
    for (size_t i = 0; field->shown && i < field->list.count; i++)
        judge_name(j, field, i);
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

/* ---- recipients ---- */

static bool is_exempt(const struct judge *j, const struct recipient_fact *to)
{
    return to->postmaster || grant_find(j->arena, j->rules, GRANT_FOR_ENVELOPE,
                                        &j->policy->exempt_recipients, 1, &to->addr);
}

static void recipient_has_no_owner(struct judge *j, enum policy_action action)
{
    const struct recipient_fact *to = &j->facts->recipient;
    bool observed = action == ACTION_OBSERVE;
    if (answer_is_final(to->owners) && to->owners->status == ACCOUNT_UNKNOWN)
        add_by_action(j, action,
                      (struct finding){.reason = REASON_RECIPIENT_UNKNOWN, .address = to->key});
    else
        add_not_known(j, observed, to->owners, "not known, but not asked lately");
}

static void rule_known_recipient(struct judge *j)
{
    const struct recipient_fact *to = &j->facts->recipient;
    enum policy_action action = action_of(j, CHECK_KNOWN_RECIPIENT);
    if (action == ACTION_IGNORE || at_end(j) || !to->key || !to->local || is_exempt(j, to))
        return;
    if (!to->owners) {
        j->decision->wants_recipient = true;
        add_not_known(j, action == ACTION_OBSERVE, NULL, NULL);
    } else if (to->owners->status != ACCOUNT_FOUND) {
        recipient_has_no_owner(j, action);
    }
}

static void rule_max_recipients(struct judge *j)
{
    const struct recipient_fact *to = &j->facts->recipient;
    if (!at_end(j) && to->raw && j->policy->max_recipients &&
        to->number > j->policy->max_recipients)
        add(j, (struct finding){.reason = REASON_LIMIT_RECIPIENTS,
                                .effect = EFFECT_TEMPFAIL,
                                .action = ACTION_TEMPFAIL,
                                .address = to->raw});
}

/* ---- the whole ---- */

/* DECISION ORDER: the first reason of the strongest effect is the reply. */
static void (*const order[])(struct judge *) = {
    rule_auth_required,  rule_principal,   rule_login_state,  rule_sender_shape,
    rule_header_bounds,  rule_from_shape,  rule_relay,        rule_local_sender,
    rule_sender,         rule_null_sender, rule_local_from,   rule_from,
    rule_header_sender,  rule_resent,      rule_display_name, rule_known_recipient,
    rule_max_recipients,
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

/* Refused already, by what needs no directory: nothing is asked for it. */
static void want_nothing(struct decision *d)
{
    d->wants_fresh = d->wants_recipient = false;
    d->wants_owner_count = 0;
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
        .exempt = policy_names_login(&policy->exempt_logins, &facts->principal),
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
        want_nothing(out);
}
