#include "dir_ldap_lookup.h"
#include "log.h"
#include "tenant.h"

#include <string.h>
#include <strings.h>

/* ---- a lookup ---- */

struct lookup {
    const struct dir_ldap_site *site;
    struct ldapconn *conn;
    struct arena *scratch; /* of one run */
    const struct dir_ldap_wanted *wanted;
    struct dir_facts facts;
    struct account_answer *answer;
    struct grant *grants[2]; /* by enum pile; in scratch, where they grow */
    size_t counts[2], rooms[2];
    struct errtext *why;
};

enum pile { PILE_GRANTS, PILE_DENIES };

static void says(struct account_answer *answer, enum account_status status, const char *why)
{
    answer->status = status;
    answer->why = why ? arena_strdup(answer->arena, why) : NULL;
    answer->fresh = status == ACCOUNT_UNKNOWN;
}

/* What is here counts, but there is more that could not be had. The gravest trouble stays. */
static void is_missing(struct lookup *l, enum account_status status, const char *why)
{
    if (l->answer->missing == ACCOUNT_MISCONFIGURED)
        return;
    l->answer->missing = status;
    l->answer->why = arena_strdup(l->answer->arena, why);
}

/* ---- values ---- */

/* "smtp:a@b" is a@b, "x500:/o=..." is no address at all. */
static bool strip_prefix(const struct dir_ldap_site *s, struct span *value)
{
    if (!s->prefix)
        return true;
    if (span_starts_nocase(*value, s->prefix)) {
        *value = span_sub(*value, strlen(s->prefix), value->len);
        return true;
    }
    return span_find(*value, ':') > span_find(*value, '@') || span_find(*value, ':') == value->len;
}

/* Not a local part "*", which nobody means. */
static bool is_pattern(struct span value, struct errtext *why)
{
    bool pattern = value.len > 2 && value.data[0] == '*' && value.data[1] == '@';
    if (pattern)
        errtext_set(why, "@domain is right, without the star");
    return pattern;
}

/* What it denies is not known, so nothing can be granted. */
static void deny_is_unreadable(struct lookup *l, const char *dn, const char *attribute)
{
    l->answer->denies_missing = true;
    is_missing(l, ACCOUNT_MISCONFIGURED,
               arena_printf(l->scratch, "%s: %s holds what denies nothing", dn, attribute));
}

static void counts_for_nothing(const struct lookup *l, const struct grant *grant, struct span value,
                               const char *why)
{
    log_line(LOG_LEVEL_WARNING, "directory %s: %s: %s: \"%.*s\" counts for nothing: %s",
             l->site->name, grant->entry, grant->attribute,
             (int)(value.len < 100 ? value.len : 100), value.data, why);
}

/* Whoever may write the attribute may not write this into it. */
static bool is_out_of_bounds(const struct lookup *l, const struct grant *grant)
{
    const struct dir_ldap_site *s = l->site;
    return s->tenant && !dir_ldap_is_named(s, &s->admin, grant->attribute) &&
           !tenant_holds(&s->addr_rules, l->wanted->domain, grant);
}

/* grant says of whom the value is. */
static void add_value(struct lookup *l, enum pile pile, struct grant grant, struct span value)
{
    struct errtext why = {""};
    struct span text = value;
    if (!strip_prefix(l->site, &text))
        return;
    if (is_pattern(text, &why) ||
        !grant_parse(l->answer->arena, &l->site->addr_rules, text, &grant, &why)) {
        counts_for_nothing(l, &grant, value, why.text);
        if (pile == PILE_DENIES)
            deny_is_unreadable(l, grant.entry, grant.attribute);
        return;
    }
    if (pile == PILE_GRANTS && is_out_of_bounds(l, &grant))
        counts_for_nothing(l, &grant, value, "outside the account's domain (tenant)");
    else
        l->grants[pile][l->counts[pile]++] = grant;
}

static void make_room(struct lookup *l, enum pile pile, size_t more)
{
    size_t wanted = l->counts[pile] + more;
    if (wanted <= l->rooms[pile])
        return;
    l->rooms[pile] = wanted > 2 * l->rooms[pile] ? wanted : 2 * l->rooms[pile];
    struct grant *all = arena_array(l->scratch, l->rooms[pile], sizeof *all);
    if (l->counts[pile])
        memcpy(all, l->grants[pile], l->counts[pile] * sizeof *all);
    l->grants[pile] = all;
}

static void add_attribute(struct lookup *l, enum pile pile, const struct grant *grant,
                          const struct ldapconn_attribute *attribute)
{
    make_room(l, pile, attribute->count);
    for (size_t i = 0; i < attribute->count; i++)
        add_value(l, pile, *grant, attribute->values[i]);
    if (!attribute->partial)
        return;
    l->answer->denies_missing = l->answer->denies_missing || pile == PILE_DENIES;
    is_missing(l, ACCOUNT_UNAVAILABLE,
               arena_printf(l->scratch, "%s: only a range of %s", grant->entry, grant->attribute));
}

static void add_entry(struct lookup *l, enum pile pile, enum grant_right right,
                      const struct dir_ldap_names *names, const struct ldapconn_entry *entry)
{
    struct grant grant = {.right = right, .directory = l->site->name};
    for (size_t i = 0; i < entry->count; i++) {
        const struct ldapconn_attribute *attribute = &entry->attributes[i];
        if (!dir_ldap_is_named(l->site, names, attribute->name))
            continue;
        if (!grant.entry)
            grant.entry = arena_strdup(l->answer->arena, entry->dn);
        grant.attribute = arena_strdup(l->answer->arena, attribute->name);
        add_attribute(l, pile, &grant, attribute);
    }
}

/* ---- the account ---- */

static bool same_login(const struct lookup *l, const char *wanted, struct span value)
{
    struct login a, b;
    if (login_normalise(l->scratch, &l->site->fold, span_of(wanted), &a, NULL) &&
        login_normalise(l->scratch, &l->site->fold, value, &b, NULL))
        return strcmp(a.name, b.name) == 0;
    return l->site->fold.fold_case ? span_equal_nocase(span_of(wanted), value)
                                   : span_equal(span_of(wanted), value);
}

static const struct ldapconn_attribute *
attribute_of(const struct lookup *l, const struct ldapconn_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->count; i++)
        if (dir_ldap_is_attribute(l->site, name, entry->attributes[i].name) &&
            entry->attributes[i].count > 0)
            return &entry->attributes[i];
    return NULL;
}

struct proof {
    const struct lookup *lookup;
    const struct ldapconn_entry *entry;
    bool partial; /* one of the attributes looked at had more values than came */
};

static bool holds_login(const struct lookup *l, const struct ldapconn_attribute *attribute,
                        const char *wanted)
{
    for (size_t i = 0; i < attribute->count; i++)
        if (same_login(l, wanted, attribute->values[i]))
            return true;
    return false;
}

static bool holds(const struct ldapconn_attribute *attribute, const char *wanted)
{
    for (size_t i = 0; i < attribute->count; i++)
        if (span_equal(span_of(wanted), attribute->values[i]))
            return true;
    return false;
}

/* One name may come several times, with options (RFC 4512 section 2.5.2), or as a range. */
static bool has_value(void *context, const char *name, const char *wanted, bool exact)
{
    struct proof *p = context;
    for (size_t i = 0; i < p->entry->count; i++) {
        const struct ldapconn_attribute *attribute = &p->entry->attributes[i];
        if (!dir_ldap_is_attribute(p->lookup->site, name, attribute->name))
            continue;
        if (exact ? holds(attribute, wanted) : holds_login(p->lookup, attribute, wanted))
            return true;
        p->partial = p->partial || attribute->partial;
    }
    return false;
}

/* The server's matching rules fold what ours do not: is it the entry of this principal? */
static bool is_proven(const struct lookup *l, const struct ldapconn_entry *entry, bool *partial_out)
{
    struct proof proof = {l, entry, false};
    bool proven = dir_filter_proven(l->scratch, l->site->account[l->wanted->kind], &l->facts,
                                    has_value, &proof);
    *partial_out = proof.partial;
    return proven;
}

static void keep_limits(struct lookup *l, const struct ldapconn_entry *entry)
{
    const struct ldapconn_attribute *attribute =
        l->site->limits ? attribute_of(l, entry, l->site->limits) : NULL;
    if (!attribute)
        return;
    const char **values = arena_array(l->answer->arena, attribute->count, sizeof *values);
    for (size_t i = 0; i < attribute->count; i++)
        values[i] = arena_copy(l->answer->arena, attribute->values[i]);
    l->answer->account.limits = values;
    l->answer->account.limit_count = attribute->count;
}

static void set_sources(struct lookup *l, const struct account_source *sources, size_t count)
{
    struct account_source *copy = arena_array(l->answer->arena, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (struct account_source){sources[i].directory,
                                          arena_strdup(l->answer->arena, sources[i].entry)};
    l->answer->account.sources = copy;
    l->answer->account.source_count = count;
}

static void take_account(struct lookup *l, const struct ldapconn_entry *entry, bool enabled)
{
    const struct dir_ldap_site *s = l->site;
    struct account_answer *answer = l->answer;
    answer->status = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->account = (struct account){
        .name = arena_strdup(answer->arena, l->wanted->name),
        .entry = arena_strdup(answer->arena, entry->dn),
        .state = enabled ? ACCOUNT_ENABLED : ACCOUNT_DISABLED,
    };
    if (s->tenant && !l->wanted->domain)
        log_line(LOG_LEVEL_INFO,
                 "directory %s: %s has no domain, so that admin_attributes alone count (tenant)",
                 s->name, l->wanted->name);
    set_sources(l, &(struct account_source){s->name, entry->dn}, 1);
    keep_limits(l, entry);
    add_entry(l, PILE_GRANTS, GRANT_SEND_AS, &s->send_as, entry);
    add_entry(l, PILE_GRANTS, GRANT_ON_BEHALF, &s->on_behalf, entry);
    add_entry(l, PILE_DENIES, GRANT_SEND_AS, &s->deny, entry);
}

static const char *word_of(const struct lookup *l)
{
    switch (l->wanted->kind) {
    case PRINCIPAL_SASL:
        return "login";
    case PRINCIPAL_CERT:
        return "certificate";
    case PRINCIPAL_NETWORK:
    case PRINCIPAL_NONE:
    case PRINCIPAL_KINDS:
        break;
    }
    return "client";
}

/* What the search for the account came to; false where it is not exactly one entry. */
static bool judge_account(struct lookup *l, const struct ldapconn_result *found)
{
    const struct ldapconn_entry *entry = found->entries;
    if (found->count > 1) {
        says(l->answer, ACCOUNT_MISCONFIGURED,
             arena_printf(l->scratch, "two entries for this %s: %s and %s", word_of(l), entry[0].dn,
                          entry[1].dn));
        return false;
    }
    if (found->outcome != LDAPCONN_COMPLETE) {
        says(l->answer,
             found->outcome == LDAPCONN_REFUSED ? ACCOUNT_MISCONFIGURED : ACCOUNT_UNAVAILABLE,
             found->why);
        return false;
    }
    if (found->count == 0) {
        says(l->answer, ACCOUNT_UNKNOWN, "account_filter finds no entry");
        return false;
    }
    bool partial;
    if (is_proven(l, entry, &partial))
        return true;
    says(l->answer, partial ? ACCOUNT_UNAVAILABLE : ACCOUNT_UNKNOWN,
         partial ? arena_printf(l->scratch,
                                "account_filter finds %s, of which only a range of "
                                "values came",
                                entry->dn)
                 : arena_printf(l->scratch, "account_filter finds %s, which has another %s",
                                entry->dn, word_of(l)));
    return false;
}

/* The second search: the same entry, if enabled_filter matches it as well. */
static bool judge_enabled(struct lookup *l, const struct ldapconn_result *result,
                          const struct ldapconn_entry *entry, bool *enabled_out)
{
    if (result->outcome != LDAPCONN_COMPLETE) {
        says(l->answer,
             result->outcome == LDAPCONN_REFUSED ? ACCOUNT_MISCONFIGURED : ACCOUNT_UNAVAILABLE,
             result->why);
        return false;
    }
    *enabled_out = result->count == 1 && strcmp(result->entries[0].dn, entry->dn) == 0;
    return true;
}

static bool expand_account(struct lookup *l, const char **out)
{
    struct errtext why = {""};
    const struct dir_filter *filter = l->site->account[l->wanted->kind];
    if (dir_filter_expand(l->scratch, filter, &l->facts, out, &why) == DIR_FILTER_OK)
        return true;
    says(l->answer, ACCOUNT_UNKNOWN, arena_printf(l->scratch, "account_filter: %s", why.text));
    return false;
}

/* A filter of which nothing is left matches no account. */
static const char *expand_enabled(struct lookup *l)
{
    const char *out = NULL;
    if (l->site->enabled &&
        dir_filter_expand(l->scratch, l->site->enabled, &l->facts, &out, NULL) != DIR_FILTER_OK)
        return NULL;
    return out;
}

static enum link_status find_account(struct lookup *l, struct ldapconn_entry *entry_out,
                                     bool *found_out)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct dir_ldap_site *s = l->site;
    const char *account = NULL, *enabled = expand_enabled(l);
    *found_out = false;
    if (!expand_account(l, &account))
        return LINK_OK;
    struct ldapconn_query queries[] = {
        {s->base, LDAPCONN_SUBTREE, account, s->account_attributes, 2},
        {s->base, LDAPCONN_SUBTREE,
         arena_printf(l->scratch, "(&%s%s)", account, enabled ? enabled : ""), nothing, 2},
    };
    struct ldapconn_result results[2];
    size_t count = enabled ? 2 : 1;
    enum link_status status = ldapconn_search(l->conn, l->scratch, queries, count, results, l->why);
    if (status != LINK_OK || !judge_account(l, &results[0]))
        return status;
    bool is_enabled = !s->enabled;
    if (enabled && !judge_enabled(l, &results[1], results[0].entries, &is_enabled))
        return LINK_OK;
    *entry_out = results[0].entries[0];
    take_account(l, entry_out, is_enabled);
    *found_out = true;
    return LINK_OK;
}

/* ---- groups ---- */

/* DNs of groups seen, in order; the part from first on is the level that is asked about next. */
struct level {
    const char **dns;
    size_t count, first;
};

static bool is_seen(const struct level *seen, const char *dn)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcasecmp(seen->dns[i], dn) == 0)
            return true;
    return false;
}

static void take_groups(struct lookup *l, const struct ldapconn_result *result, struct level *seen)
{
    if (result->outcome != LDAPCONN_COMPLETE)
        is_missing(
            l, result->outcome == LDAPCONN_REFUSED ? ACCOUNT_MISCONFIGURED : ACCOUNT_UNAVAILABLE,
            result->why);
    for (size_t i = 0; i < result->count; i++) {
        if (is_seen(seen, result->entries[i].dn))
            continue;
        if (seen->count == DIR_LDAP_GROUPS_MAX) {
            is_missing(l, ACCOUNT_UNAVAILABLE, "the account is in too many groups");
            return;
        }
        seen->dns[seen->count++] = result->entries[i].dn;
        add_entry(l, PILE_GRANTS, GRANT_SEND_AS, &l->site->groups, &result->entries[i]);
    }
}

/* The groups of some members, all asked at once. */
static enum link_status ask_groups(struct lookup *l, const char *const *members, size_t count,
                                   struct level *seen)
{
    const struct dir_ldap_site *s = l->site;
    struct ldapconn_query queries[LDAPCONN_QUERIES_MAX];
    struct ldapconn_result results[LDAPCONN_QUERIES_MAX];
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        struct errtext why = {""};
        const char *filter = NULL;
        l->facts.values[DIR_FACT_ACCOUNT_DN] = members[i];
        switch (dir_filter_expand(l->scratch, s->delegation[l->wanted->kind], &l->facts, &filter,
                                  &why)) {
        case DIR_FILTER_OK:
            queries[asked++] = (struct ldapconn_query){s->delegation_base, LDAPCONN_SUBTREE, filter,
                                                       s->group_attributes, 0};
            break;
        case DIR_FILTER_NOTHING:
            break;
        case DIR_FILTER_UNSAFE:
            is_missing(l, ACCOUNT_MISCONFIGURED, why.text);
            break;
        }
    }
    enum link_status status = ldapconn_search(l->conn, l->scratch, queries, asked, results, l->why);
    for (size_t i = 0; i < asked && status == LINK_OK; i++)
        take_groups(l, &results[i], seen);
    return status;
}

static enum link_status ask_level(struct lookup *l, struct level *seen)
{
    size_t end = seen->count;
    enum link_status status = LINK_OK;
    while (seen->first < end && status == LINK_OK) {
        size_t count = end - seen->first;
        if (count > LDAPCONN_QUERIES_MAX)
            count = LDAPCONN_QUERIES_MAX;
        status = ask_groups(l, seen->dns + seen->first, count, seen);
        seen->first += count;
    }
    return status;
}

static enum link_status add_groups(struct lookup *l, const struct ldapconn_entry *entry)
{
    if (!l->site->delegation[l->wanted->kind])
        return LINK_OK;
    struct level seen = {.dns = arena_array(l->scratch, DIR_LDAP_GROUPS_MAX, sizeof *seen.dns),
                         .count = 1};
    seen.dns[0] = entry->dn;
    enum link_status status = LINK_OK;
    for (unsigned depth = 0; depth <= l->site->nested_groups && status == LINK_OK; depth++)
        status = ask_level(l, &seen);
    return status;
}

/* ---- the account's answer ---- */

static const struct grant_list *list_of(struct lookup *l, enum pile pile)
{
    size_t count = l->counts[pile];
    struct grant_list *list = arena_alloc(l->answer->arena, sizeof *list);
    struct grant *grants = arena_array(l->answer->arena, count, sizeof *grants);
    if (count)
        memcpy(grants, l->grants[pile], count * sizeof *grants);
    *list = (struct grant_list){grants, count};
    return list;
}

/* Out of the account's domain it must be granted like any other address. */
static bool may_be_primary(const struct lookup *l, const struct grant *value)
{
    const struct dir_ldap_site *s = l->site;
    const struct account *account = &l->answer->account;
    struct addr addr;
    if (!s->tenant || tenant_holds(&s->addr_rules, l->wanted->domain, value))
        return true;
    return addr_parse(l->scratch, &s->addr_rules, span_of(value->key), &addr, NULL) == ADDR_OK &&
           grant_find(l->scratch, &s->addr_rules, GRANT_FOR_HEADER, account->lists,
                      account->list_count, &addr);
}

static const char *primary_of(const struct lookup *l, const struct ldapconn_entry *entry)
{
    const struct ldapconn_attribute *attribute =
        l->site->primary ? attribute_of(l, entry, l->site->primary) : NULL;
    for (size_t i = 0; attribute && i < attribute->count; i++) {
        struct span value = attribute->values[i];
        struct grant grant;
        if (strip_prefix(l->site, &value) &&
            grant_parse(l->answer->arena, &l->site->addr_rules, value, &grant, NULL) &&
            grant.form == GRANT_EXACT && may_be_primary(l, &grant))
            return grant.key;
    }
    return NULL;
}

static void finish(struct lookup *l, const struct ldapconn_entry *entry)
{
    struct account_answer *answer = l->answer;
    answer->account.lists = list_of(l, PILE_GRANTS);
    answer->account.list_count = 1;
    answer->account.denies = list_of(l, PILE_DENIES);
    answer->account.deny_count = 1;
    answer->account.primary = primary_of(l, entry);
    if (l->site->no_addresses_tempfail && l->counts[PILE_GRANTS] == 0 &&
        answer->missing == ACCOUNT_FOUND)
        says(answer, ACCOUNT_MISCONFIGURED,
             arena_printf(l->scratch, "%s has no address: is it hidden from the bind DN?",
                          answer->account.entry));
}

static enum link_status look_up_account(struct lookup *l)
{
    struct ldapconn_entry entry;
    bool found;
    enum link_status status = find_account(l, &entry, &found);
    if (status != LINK_OK || !found)
        return status;
    status = add_groups(l, &entry);
    if (status == LINK_OK)
        finish(l, &entry);
    return status;
}

/* ---- owners ---- */

struct owners {
    struct account_source *items; /* in scratch */
    size_t count;
    enum account_status missing; /* ACCOUNT_FOUND: all was seen */
    const char *why;
};

static bool is_wanted(const struct lookup *l, struct span value)
{
    struct grant grant;
    if (!strip_prefix(l->site, &value) ||
        !grant_parse(l->scratch, &l->site->addr_rules, value, &grant, NULL) ||
        grant.form != GRANT_EXACT)
        return false;
    for (size_t i = 0; i < l->wanted->address_count; i++)
        if (strcmp(grant.key, l->wanted->addresses[i]) == 0)
            return true;
    return false;
}

/* The entry was found by the server's rules; does it have the address by ours? */
static bool owns(const struct lookup *l, const struct dir_ldap_place *place,
                 const struct ldapconn_entry *entry, bool *partial_out)
{
    const struct dir_ldap_names names = {place->attributes, place->count, false};
    *partial_out = false;
    for (size_t i = 0; i < entry->count; i++) {
        const struct ldapconn_attribute *attribute = &entry->attributes[i];
        if (!dir_ldap_is_named(l->site, &names, attribute->name))
            continue;
        for (size_t k = 0; k < attribute->count; k++)
            if (is_wanted(l, attribute->values[k]))
                return true;
        *partial_out = *partial_out || attribute->partial;
    }
    return false;
}

static void add_owner(struct lookup *l, struct owners *owners, const char *dn)
{
    for (size_t i = 0; i < owners->count; i++)
        if (strcasecmp(owners->items[i].entry, dn) == 0)
            return;
    owners->items[owners->count++] = (struct account_source){l->site->name, dn};
}

static void owners_missing(struct owners *owners, enum account_status status, const char *why)
{
    if (owners->missing == ACCOUNT_MISCONFIGURED)
        return;
    owners->missing = status;
    owners->why = why;
}

static void take_owners(struct lookup *l, const struct dir_ldap_place *place,
                        const struct ldapconn_result *result, struct owners *owners)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct ldapconn_entry *entry = &result->entries[i];
        bool partial;
        if (owns(l, place, entry, &partial))
            add_owner(l, owners, entry->dn);
        else if (partial)
            owners_missing(owners, ACCOUNT_UNAVAILABLE,
                           arena_printf(l->scratch, "%s: only a range of values", entry->dn));
    }
    if (result->outcome != LDAPCONN_COMPLETE)
        owners_missing(owners,
                       result->outcome == LDAPCONN_REFUSED ? ACCOUNT_MISCONFIGURED
                                                           : ACCOUNT_UNAVAILABLE,
                       result->why);
}

/* Two owners are told from any asker: more of them would make no difference. */
static void answer_owners(struct lookup *l, const struct owners *owners)
{
    struct account_answer *answer = l->answer;
    if (owners->count == 0) {
        says(answer, owners->missing == ACCOUNT_FOUND ? ACCOUNT_UNKNOWN : owners->missing,
             owners->missing == ACCOUNT_FOUND ? "no entry has the address" : owners->why);
        return;
    }
    answer->status = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->account.name = arena_strdup(answer->arena, l->wanted->addresses[0]);
    set_sources(l, owners->items, owners->count);
    answer->account.entry = answer->account.sources[0].entry;
    if (owners->count == 1 && owners->missing != ACCOUNT_FOUND)
        is_missing(l, owners->missing, owners->why);
}

/* As a value has them, with the prefix and without: the parser takes both. */
static size_t spell(struct lookup *l, const char **out)
{
    size_t count = 0;
    for (size_t i = 0; i < l->wanted->address_count; i++) {
        out[count++] = l->wanted->addresses[i];
        if (l->site->prefix)
            out[count++] =
                arena_printf(l->scratch, "%s%s", l->site->prefix, l->wanted->addresses[i]);
    }
    return count;
}

static bool are_searchable(struct lookup *l)
{
    struct errtext why = {""};
    for (size_t i = 0; i < l->wanted->address_count; i++)
        if (!dir_filter_check_text(span_of(l->wanted->addresses[i]), &why)) {
            says(l->answer, ACCOUNT_UNKNOWN, arena_printf(l->scratch, "the address %s", why.text));
            return false;
        }
    return true;
}

static void ask_for_owners(struct lookup *l, struct ldapconn_query *queries)
{
    const char *values[2 * DIR_ADDRESSES_MAX];
    size_t count = spell(l, values);
    for (size_t i = 0; i < l->site->place_count; i++) {
        const struct dir_ldap_place *place = &l->site->places[i];
        queries[i] = (struct ldapconn_query){
            .base = place->base,
            .scope = LDAPCONN_SUBTREE,
            .filter = dir_filter_any_of(l->scratch, place->attributes, place->count, values, count),
            .attributes = place->attributes,
            .size_limit = DIR_LDAP_OWNERS_MAX,
        };
    }
}

static void judge_owners(struct lookup *l, const struct ldapconn_result *results)
{
    struct owners owners = {.missing = ACCOUNT_FOUND};
    size_t room = 0;
    for (size_t i = 0; i < l->site->place_count; i++)
        room += results[i].count;
    owners.items = arena_array(l->scratch, room, sizeof *owners.items);
    for (size_t i = 0; i < l->site->place_count; i++)
        take_owners(l, &l->site->places[i], &results[i], &owners);
    answer_owners(l, &owners);
}

static enum link_status look_up_owners(struct lookup *l)
{
    struct ldapconn_query queries[DIR_LDAP_PLACES];
    struct ldapconn_result results[DIR_LDAP_PLACES];
    if (!are_searchable(l))
        return LINK_OK;
    ask_for_owners(l, queries);
    enum link_status status =
        ldapconn_search(l->conn, l->scratch, queries, l->site->place_count, results, l->why);
    if (status == LINK_OK)
        judge_owners(l, results);
    return status;
}

/* ---- both ---- */

enum link_status dir_ldap_look_up(const struct dir_ldap_site *site, struct ldapconn *conn,
                                  const struct dir_ldap_wanted *wanted,
                                  struct account_answer *answer, struct errtext *why)
{
    struct lookup l = {
        .site = site,
        .conn = conn,
        .scratch = arena_create(),
        .wanted = wanted,
        .facts = wanted->facts,
        .answer = answer,
        .why = why,
    };
    answer->missing = ACCOUNT_FOUND;
    enum link_status status =
        wanted->ask == DIR_ASK_OWNERS ? look_up_owners(&l) : look_up_account(&l);
    arena_destroy(l.scratch);
    return status;
}
