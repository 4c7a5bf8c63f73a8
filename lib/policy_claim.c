/* What a claim comes to: grants, denies, other owners, and whether the answer may be relied on. */
#include "policy_judge.h"

#include <string.h>

bool judge_has_account(const struct judge *j)
{
    return policy_wants_account(&j->facts->principal) && j->facts->answer;
}

bool answer_is_final(const struct account_answer *answer)
{
    return answer->fresh && answer->missing == ACCOUNT_FOUND;
}

enum account_status answer_trouble(const struct account_answer *answer)
{
    return answer->status == ACCOUNT_FOUND ? answer->missing : answer->status;
}

/* ---- grants and denies ---- */

static const struct grant *find_in(const struct judge *j, enum grant_use use,
                                   const struct account_answer *answer, const struct addr *addr)
{
    if (!answer || answer->status != ACCOUNT_FOUND || answer->denies_missing)
        return NULL;
    return grant_find(j->arena, j->rules, use, answer->account.lists, answer->account.list_count,
                      addr);
}

/* A deny is as wide as it can be read. */
static const struct grant *find_deny(const struct judge *j, const struct account_answer *answer,
                                     const struct addr *addr)
{
    if (!answer || answer->status != ACCOUNT_FOUND)
        return NULL;
    return grant_find(j->arena, j->rules, GRANT_FOR_DENY, answer->account.denies,
                      answer->account.deny_count, addr);
}

static const struct grant *deny_of(const struct judge *j, const struct addr *addr)
{
    const struct grant *deny = find_deny(j, j->facts->answer, addr);
    return deny ? deny : find_deny(j, j->facts->recheck, addr);
}

/* An old grant suffices; what a recheck in part brought adds to it. */
static const struct grant *grant_of(const struct judge *j, enum grant_use use,
                                    const struct addr *addr)
{
    if (deny_of(j, addr))
        return NULL;
    const struct grant *grant = find_in(j, use, j->facts->answer, addr);
    return grant ? grant : find_in(j, use, j->facts->recheck, addr);
}

/* ---- other owners of an address in a granted domain ---- */

static const struct account_answer *owners_of(const struct judge *j, const char *key)
{
    for (size_t i = 0; i < j->facts->owner_count; i++)
        if (strcmp(j->facts->owners[i].key, key) == 0)
            return j->facts->owners[i].answer;
    return NULL;
}

/* Over the bound it stays unasked, and so unknown. */
static void want_owners(struct judge *j, const struct addr *addr)
{
    struct decision *d = j->decision;
    for (size_t i = 0; i < d->wants_owner_count; i++)
        if (addr_equal(d->wants_owners[i], addr))
            return;
    if (d->wants_owner_count < DECISION_OWNERS_MAX)
        d->wants_owners[d->wants_owner_count++] = addr;
}

static bool is_own(const struct account *account, const struct account_source *source)
{
    for (size_t i = 0; i < account->source_count; i++) {
        const struct account_source *own = &account->sources[i];
        if (strcmp(own->directory, source->directory) == 0 &&
            strcmp(own->entry, source->entry) == 0)
            return true;
    }
    return false;
}

static const struct account_source *other_owner(const struct judge *j,
                                                const struct account_answer *owners)
{
    for (size_t i = 0; owners->status == ACCOUNT_FOUND && i < owners->account.source_count; i++)
        if (!is_own(&j->facts->answer->account, &owners->account.sources[i]))
            return &owners->account.sources[i];
    return NULL;
}

/* Granted with its whole domain: not what another account owns. */
static struct claim claim_in_domain(struct judge *j, const struct addr *addr,
                                    const struct grant *grant)
{
    const struct account_answer *owners = owners_of(j, addr->key);
    if (!owners) {
        want_owners(j, addr);
        return (struct claim){.result = CLAIM_NOT_KNOWN};
    }
    const struct account_source *other = other_owner(j, owners);
    if (other && owners->fresh)
        return (struct claim){.result = CLAIM_NOT_GRANTED, .owner = other, .forbidden = true};
    enum account_status trouble = answer_trouble(owners);
    if (other || trouble == ACCOUNT_UNAVAILABLE || trouble == ACCOUNT_MISCONFIGURED)
        return (struct claim){.result = CLAIM_NOT_KNOWN, .blame = owners};
    return (struct claim){.result = CLAIM_GRANTED, .grant = grant};
}

/* ---- claims ---- */

struct claim claim_of(struct judge *j, enum grant_use use, const struct addr *addr)
{
    const struct account_answer *answer = j->facts->answer;
    if (!judge_has_account(j) || (answer->status == ACCOUNT_UNKNOWN && answer_is_final(answer)))
        return (struct claim){.result = CLAIM_NOT_JUDGED};
    if (answer->status != ACCOUNT_FOUND)
        return (struct claim){.result = CLAIM_NOT_KNOWN, .blame = answer};
    const struct grant *grant = grant_of(j, use, addr);
    if (grant && grant_is_of_domain(grant) && j->policy->unowned_domains)
        return claim_in_domain(j, addr, grant);
    if (grant)
        return (struct claim){.result = CLAIM_GRANTED, .grant = grant};
    if (answer_is_final(answer))
        return (struct claim){.result = CLAIM_NOT_GRANTED, .forbidden = deny_of(j, addr) != NULL};
    return (struct claim){.result = CLAIM_NOT_KNOWN, .blame = answer};
}

struct claim claim_of_author(struct judge *j, const struct addr *addr)
{
    struct claim own = claim_of(j, GRANT_FOR_HEADER, addr);
    if (own.result == CLAIM_GRANTED || own.result == CLAIM_NOT_JUDGED ||
        j->facts->answer->status != ACCOUNT_FOUND)
        return own;
    const struct grant *behalf = grant_of(j, GRANT_FOR_AUTHOR, addr);
    if (!behalf)
        return own;
    if (own.result == CLAIM_NOT_KNOWN && j->behalf.result == CLAIM_NOT_GRANTED)
        return own; /* it may yet be one's own */
    struct claim claim = j->behalf;
    claim.grant = behalf;
    claim.on_behalf = true;
    return claim;
}

/* What is wrapped up is judged too: a grant of the outer domain is no way around a deny, or around
 * who owns the address. */
static struct claim claim_of_wrapped(struct judge *j, const struct claim *written,
                                     const struct addr *inner)
{
    if (deny_of(j, inner) || written->result != CLAIM_GRANTED)
        return claim_of(j, GRANT_FOR_ENVELOPE, inner);
    if (j->policy->unowned_domains && written->grant && grant_is_of_domain(written->grant))
        return claim_in_domain(j, inner, written->grant);
    return *written;
}

struct claim claim_of_sender(struct judge *j)
{
    const struct sender_fact *sender = &j->facts->sender;
    if (sender->shape != SENDER_ADDRESS)
        return (struct claim){.result = CLAIM_NOT_GRANTED};
    struct claim written = claim_of(j, GRANT_FOR_ENVELOPE, &sender->addr);
    if (!sender->unwrapped || deny_of(j, &sender->addr))
        return written;
    return claim_of_wrapped(j, &written, sender->unwrapped);
}

struct claim claim_worse(struct claim a, struct claim b)
{
    return b.result > a.result ? b : a;
}

/* ---- texts ---- */

static bool has_no_grant(const struct account *account)
{
    for (size_t i = 0; i < account->list_count; i++)
        if (account->lists[i].count > 0)
            return false;
    return true;
}

const char *claim_why_not(const struct judge *j, const struct addr *addr, const struct claim *claim)
{
    const struct grant *deny = deny_of(j, addr);
    if (deny)
        return arena_printf(j->arena, "denied by %s:%s:%s", deny->directory, deny->attribute,
                            deny->entry);
    if (claim->owner)
        return arena_printf(j->arena, "owned by %s:%s", claim->owner->directory,
                            claim->owner->entry);
    if (claim->on_behalf)
        return j->decision->primary ? "granted on behalf: Sender must be one's own"
                                    : "granted on behalf: no primary address for Sender";
    return has_no_grant(&j->facts->answer->account) ? "the account has no address" : NULL;
}

const char *claim_primary(const struct judge *j)
{
    struct addr addr;
    if (!judge_has_account(j) || j->facts->answer->status != ACCOUNT_FOUND)
        return NULL;
    const char *primary = j->facts->answer->account.primary;
    if (!primary || addr_parse(j->arena, j->rules, span_of(primary), &addr, NULL) != ADDR_OK)
        return NULL;
    return grant_of(j, GRANT_FOR_HEADER, &addr) ? addr.key : NULL;
}
