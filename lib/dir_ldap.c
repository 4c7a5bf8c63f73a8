#include "dir_ldap.h"
#include "ldapschema.h"
#include "linkpool.h"
#include "log.h"
#include "strbuf.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a server's schema told; kept as long as the site. */
struct schema {
    struct arena *arena;
    struct ldapschema_aliases aliases;
};

/* All that the pool's threads use; it ends with the last of them. */
struct site {
    struct arena *arena;
    _Atomic(struct schema *) schema; /* of the server that answered first, NULL for none yet */
    const char *name;
    struct ldapconn_conf *links; /* one a server */
    const char **servers;        /* their URIs */
    size_t server_count;
    atomic_bool *schema_fine; /* one a server */
    atomic_bool closing;
    const char *base, *delegation_base;
    const struct dir_filter *account, *enabled, *delegation; /* the last two may be NULL */
    struct dir_ldap_names send_as, deny, groups;
    const char *primary, *limits, *prefix; /* NULL for none */
    const char *const *account_attributes; /* what is fetched; lists end with NULL */
    const char *const *group_attributes;
    struct ldapschema_needs needs;
    unsigned nested_groups;
    bool no_addresses_tempfail;
    struct login_rules fold; /* as an attribute's value is compared: no rewriting */
    struct login_rules login_rules;
    struct addr_rules addr_rules;
};

/* ---- copies: the configuration may end before the last thread does ---- */

static const char *copy(struct arena *a, const char *text)
{
    return text && *text ? arena_strdup(a, text) : NULL;
}

static const char *const *copy_strings(struct arena *a, const char *const *items, size_t count)
{
    const char **out = arena_array(a, count + 1, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = arena_strdup(a, items[i]);
    return out;
}

static struct dir_ldap_names copy_names(struct arena *a, const struct dir_ldap_names *names)
{
    return (struct dir_ldap_names){copy_strings(a, names->items, names->count), names->count,
                                   names->preset};
}

static struct addr_rules copy_addr_rules(struct arena *a, const struct addr_rules *rules)
{
    struct addr_alias *aliases = arena_array(a, rules->alias_count, sizeof *aliases);
    for (size_t i = 0; i < rules->alias_count; i++)
        aliases[i] = (struct addr_alias){arena_strdup(a, rules->aliases[i].alias),
                                         arena_strdup(a, rules->aliases[i].domain)};
    struct addr_rules out = *rules;
    out.aliases = aliases;
    out.delimiters = copy(a, rules->delimiters);
    return out;
}

static struct login_rules copy_login_rules(struct arena *a, const struct login_rules *rules)
{
    struct login_rewrite *rewrites = arena_array(a, rules->rewrite_count, sizeof *rewrites);
    for (size_t i = 0; i < rules->rewrite_count; i++)
        rewrites[i] = (struct login_rewrite){arena_strdup(a, rules->rewrites[i].from),
                                             arena_strdup(a, rules->rewrites[i].to)};
    struct login_rules out = *rules;
    out.rewrites = rewrites;
    out.default_domain = copy(a, rules->default_domain);
    return out;
}

static struct ldapconn_conf copy_link(struct site *s, const struct ldapconn_conf *link,
                                      const char *uri)
{
    struct ldapconn_conf out = *link;
    out.uri = arena_strdup(s->arena, uri);
    out.bind_dn = copy(s->arena, link->bind_dn);
    out.bind_password_file = copy(s->arena, link->bind_password_file);
    out.password = copy(s->arena, link->password);
    out.ca_file = copy(s->arena, link->ca_file);
    out.cert_file = copy(s->arena, link->cert_file);
    out.key_file = copy(s->arena, link->key_file);
    out.give_up = &s->closing;
    return out;
}

static void copy_servers(struct site *s, const struct dir_ldap_conf *conf)
{
    s->server_count = conf->uri_count;
    s->links = arena_array(s->arena, conf->uri_count, sizeof *s->links);
    s->servers = arena_array(s->arena, conf->uri_count, sizeof *s->servers);
    s->schema_fine = arena_array(s->arena, conf->uri_count, sizeof *s->schema_fine);
    for (size_t i = 0; i < conf->uri_count; i++) {
        s->links[i] = copy_link(s, &conf->link, conf->uris[i]);
        s->servers[i] = s->links[i].uri;
        atomic_init(&s->schema_fine[i], false);
    }
}

/* ---- which attributes are asked for ---- */

struct names {
    const char **items;
    size_t count;
};

/* Room for all that add_name() is going to be called with, and the NULL at the end. */
static struct names names_with_room(struct arena *a, size_t room)
{
    return (struct names){arena_array(a, room + 1, sizeof(const char *)), 0};
}

static void add_name(struct names *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcasecmp(all->items[i], name) == 0)
            return;
    all->items[all->count++] = name;
}

static void add_names(struct names *all, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_name(all, names[i]);
}

static void choose_attributes(struct site *s)
{
    const char *const *compared = NULL;
    size_t filter_count = dir_filter_attributes(s->arena, s->account, &compared);
    struct names all =
        names_with_room(s->arena, s->send_as.count + s->deny.count + 2 + filter_count);
    add_names(&all, s->send_as.items, s->send_as.count);
    add_names(&all, s->deny.items, s->deny.count);
    if (s->primary)
        add_name(&all, s->primary);
    if (s->limits)
        add_name(&all, s->limits);
    add_names(&all, compared, filter_count);
    s->account_attributes = all.items;
    s->group_attributes = s->groups.items; /* copy_strings() has put the NULL behind it */
}

/* ---- what the schema must hold ---- */

static void need_filter(struct site *s, const struct dir_filter *filter, struct names *attributes,
                        struct names *classes)
{
    const char *const *names = NULL;
    if (!filter)
        return;
    size_t count = dir_filter_attributes(s->arena, filter, &names);
    add_names(attributes, names, count);
    count = dir_filter_classes(s->arena, filter, &names);
    add_names(classes, names, count);
}

static void need_named(struct names *attributes, const struct dir_ldap_names *names)
{
    if (!names->preset)
        add_names(attributes, names->items, names->count);
}

/* The names that answers are searched for, needed or not. */
static void list_wishes(struct site *s)
{
    struct names wishes =
        names_with_room(s->arena, s->send_as.count + s->deny.count + s->groups.count + 1);
    add_names(&wishes, s->send_as.items, s->send_as.count);
    add_names(&wishes, s->deny.items, s->deny.count);
    add_names(&wishes, s->groups.items, s->groups.count);
    if (s->primary)
        add_name(&wishes, s->primary);
    s->needs.wishes = wishes.items;
    s->needs.wish_count = wishes.count;
}

static void list_needs(struct site *s)
{
    enum { IN_FILTERS = 3 * DIR_FILTER_TEXT_MAX / 4 }; /* "(a=b)" is the shortest term */
    struct names classes = names_with_room(s->arena, IN_FILTERS);
    struct names attributes = names_with_room(s->arena, IN_FILTERS + s->send_as.count +
                                                            s->deny.count + s->groups.count + 1);
    need_filter(s, s->account, &attributes, &classes);
    need_filter(s, s->enabled, &attributes, &classes);
    need_filter(s, s->delegation, &attributes, &classes);
    need_named(&attributes, &s->send_as);
    need_named(&attributes, &s->deny);
    need_named(&attributes, &s->groups);
    if (s->limits)
        add_name(&attributes, s->limits);
    s->needs = (struct ldapschema_needs){
        .attributes = attributes.items,
        .attribute_count = attributes.count,
        .classes = classes.items,
        .class_count = classes.count,
    };
    list_wishes(s);
}

/* ---- links ---- */

static void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    arena_destroy(schema->arena);
    free(schema);
}

/* The servers of a directory have one schema: the first that is read serves for all. */
static void keep_schema(struct site *s, struct schema *schema)
{
    struct schema *none = NULL;
    if (!atomic_compare_exchange_strong(&s->schema, &none, schema))
        schema_free(schema);
}

static enum link_status read_schema(struct site *s, struct ldapconn *conn, struct errtext *why)
{
    struct schema *schema = xcalloc(1, sizeof *schema);
    schema->arena = arena_create();
    enum link_status status =
        ldapschema_check(conn, &s->needs, schema->arena, &schema->aliases, why);
    if (status == LINK_OK)
        keep_schema(s, schema);
    else
        schema_free(schema);
    return status;
}

static enum link_status open_link(struct site *s, size_t i, struct ldapconn **out,
                                  struct errtext *why)
{
    struct ldapconn *conn = NULL;
    enum link_status status = ldapconn_open(&s->links[i], &conn, why);
    if (status == LINK_OK && !atomic_load(&s->schema_fine[i]))
        status = read_schema(s, conn, why);
    if (status == LINK_OK) {
        atomic_store(&s->schema_fine[i], true);
        *out = conn;
        return LINK_OK;
    }
    ldapconn_close(conn);
    return status == LINK_WRONG ? LINK_WRONG : LINK_DOWN;
}

static enum link_status site_open(void *context, size_t i, void **link_out, struct errtext *why)
{
    struct ldapconn *conn = NULL;
    enum link_status status = open_link(context, i, &conn, why);
    if (status == LINK_OK)
        *link_out = conn;
    return status;
}

static void site_close(void *context, void *link)
{
    (void)context;
    ldapconn_close(link);
}

static void site_free(void *context)
{
    struct site *s = context;
    schema_free(atomic_load(&s->schema));
    arena_destroy(s->arena);
    free(s);
}

static void site_changed(void *context, size_t i, bool up, const char *why)
{
    struct site *s = context;
    if (up) {
        log_line(LOG_LEVEL_NOTICE, "directory %s: %s answers again", s->name, s->servers[i]);
        return;
    }
    atomic_store(&s->schema_fine[i], false);
    log_line(LOG_LEVEL_WARNING, "directory %s: %s is not used: %s", s->name, s->servers[i], why);
}

/* ---- a lookup ---- */

struct lookup {
    const struct site *site;
    struct ldapconn *conn;
    struct arena *scratch; /* of one run */
    struct dir_facts facts;
    struct account_answer *answer;
    struct grant *grants[2]; /* by enum right; in scratch, where they grow */
    size_t counts[2], rooms[2];
    struct errtext *why;
};

enum right { RIGHT_GRANT, RIGHT_DENY };

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
static bool strip_prefix(const struct site *s, struct span *value)
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

static void add_value(struct lookup *l, enum right right, const char *dn, const char *attribute,
                      struct span value)
{
    const struct site *s = l->site;
    struct errtext why = {""};
    struct grant grant = {.directory = s->name, .entry = dn, .attribute = attribute};
    struct span text = value;
    if (!strip_prefix(s, &text))
        return;
    if (!is_pattern(text, &why) &&
        grant_parse(l->answer->arena, &s->addr_rules, text, &grant, &why)) {
        l->grants[right][l->counts[right]++] = grant;
        return;
    }
    log_line(LOG_LEVEL_WARNING, "directory %s: %s: %s: \"%.*s\" counts for nothing: %s", s->name,
             dn, attribute, (int)(value.len < 100 ? value.len : 100), value.data, why.text);
    if (right == RIGHT_DENY)
        deny_is_unreadable(l, dn, attribute);
}

static void make_room(struct lookup *l, enum right right, size_t more)
{
    size_t wanted = l->counts[right] + more;
    if (wanted <= l->rooms[right])
        return;
    l->rooms[right] = wanted > 2 * l->rooms[right] ? wanted : 2 * l->rooms[right];
    struct grant *all = arena_array(l->scratch, l->rooms[right], sizeof *all);
    if (l->counts[right])
        memcpy(all, l->grants[right], l->counts[right] * sizeof *all);
    l->grants[right] = all;
}

/* The attribute that was asked for, under the name that the server has for it? */
static bool is_attribute(const struct site *s, const char *asked, const char *name)
{
    const struct schema *schema = atomic_load(&s->schema);
    if (strcasecmp(asked, name) == 0)
        return true;
    for (size_t i = 0; schema && i < schema->aliases.count; i++)
        if (strcasecmp(schema->aliases.items[i].asked, asked) == 0 &&
            strcasecmp(schema->aliases.items[i].other, name) == 0)
            return true;
    return false;
}

static bool is_named(const struct site *s, const struct dir_ldap_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_attribute(s, names->items[i], name))
            return true;
    return false;
}

static void add_entry(struct lookup *l, enum right right, const struct dir_ldap_names *names,
                      const struct ldapconn_entry *entry)
{
    const char *dn = NULL;
    for (size_t i = 0; i < entry->count; i++) {
        const struct ldapconn_attribute *attribute = &entry->attributes[i];
        if (!is_named(l->site, names, attribute->name))
            continue;
        if (!dn)
            dn = arena_strdup(l->answer->arena, entry->dn);
        const char *name = arena_strdup(l->answer->arena, attribute->name);
        make_room(l, right, attribute->count);
        for (size_t k = 0; k < attribute->count; k++)
            add_value(l, right, dn, name, attribute->values[k]);
        if (!attribute->partial)
            continue;
        l->answer->denies_missing = l->answer->denies_missing || right == RIGHT_DENY;
        is_missing(l, ACCOUNT_UNAVAILABLE,
                   arena_printf(l->scratch, "%s: only a range of %s", entry->dn, name));
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
        if (is_attribute(l->site, name, entry->attributes[i].name) &&
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

/* One name may come several times, with options (RFC 4512 section 2.5.2), or as a range. */
static bool has_value(void *context, const char *name, const char *wanted)
{
    struct proof *p = context;
    for (size_t i = 0; i < p->entry->count; i++) {
        const struct ldapconn_attribute *attribute = &p->entry->attributes[i];
        if (!is_attribute(p->lookup->site, name, attribute->name))
            continue;
        if (holds_login(p->lookup, attribute, wanted))
            return true;
        p->partial = p->partial || attribute->partial;
    }
    return false;
}

/* The server's matching rules fold what ours do not: is it the entry of this login? */
static bool is_proven(const struct lookup *l, const struct ldapconn_entry *entry, bool *partial_out)
{
    struct proof proof = {l, entry, false};
    bool proven = dir_filter_proven(l->scratch, l->site->account, &l->facts, has_value, &proof);
    *partial_out = proof.partial;
    return proven;
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
            grant.form == GRANT_EXACT)
            return grant.key;
    }
    return NULL;
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

static void take_account(struct lookup *l, const struct ldapconn_entry *entry, bool enabled)
{
    struct account_answer *answer = l->answer;
    answer->status = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->account = (struct account){
        .name = arena_strdup(answer->arena, l->facts.values[DIR_FACT_LOGIN]),
        .entry = arena_strdup(answer->arena, entry->dn),
        .primary = primary_of(l, entry),
        .state = enabled ? ACCOUNT_ENABLED : ACCOUNT_DISABLED,
    };
    keep_limits(l, entry);
    add_entry(l, RIGHT_GRANT, &l->site->send_as, entry);
    add_entry(l, RIGHT_DENY, &l->site->deny, entry);
}

/* What the search for the account came to; false where it is not exactly one entry. */
static bool judge_account(struct lookup *l, const struct ldapconn_result *found)
{
    const struct ldapconn_entry *entry = found->entries;
    if (found->count > 1) {
        says(l->answer, ACCOUNT_MISCONFIGURED,
             arena_printf(l->scratch, "two entries for this login: %s and %s", entry[0].dn,
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
    says(
        l->answer, partial ? ACCOUNT_UNAVAILABLE : ACCOUNT_UNKNOWN,
        arena_printf(l->scratch, "account_filter finds %s, %s", entry->dn,
                     partial ? "of which only a range of logins came" : "which has another login"));
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

static bool expand(struct lookup *l, const struct dir_filter *filter, const char **out)
{
    struct errtext why = {""};
    switch (dir_filter_expand(l->scratch, filter, &l->facts, out, &why)) {
    case DIR_FILTER_OK:
        return true;
    case DIR_FILTER_NOTHING:
        says(l->answer, ACCOUNT_UNKNOWN, "no term of the filter applies to this login");
        return false;
    case DIR_FILTER_UNSAFE:
        says(l->answer, ACCOUNT_UNKNOWN, why.text);
        return false;
    }
    return false;
}

static enum link_status find_account(struct lookup *l, struct ldapconn_entry *entry_out,
                                     bool *found_out)
{
    static const char *const nothing[] = {"1.1", NULL};
    const struct site *s = l->site;
    const char *account = NULL, *enabled = NULL;
    *found_out = false;
    if (!expand(l, s->account, &account) || (s->enabled && !expand(l, s->enabled, &enabled)))
        return LINK_OK;
    struct ldapconn_query queries[] = {
        {s->base, LDAPCONN_SUBTREE, account, s->account_attributes, 2},
        {s->base, LDAPCONN_SUBTREE, arena_printf(l->scratch, "(&%s%s)", account, enabled), nothing,
         2},
    };
    struct ldapconn_result results[2];
    size_t count = enabled ? 2 : 1;
    enum link_status status = ldapconn_search(l->conn, l->scratch, queries, count, results, l->why);
    if (status != LINK_OK || !judge_account(l, &results[0]))
        return status;
    bool is_enabled = true;
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
        add_entry(l, RIGHT_GRANT, &l->site->groups, &result->entries[i]);
    }
}

/* The groups of some members, all asked at once. */
static enum link_status ask_groups(struct lookup *l, const char *const *members, size_t count,
                                   struct level *seen)
{
    const struct site *s = l->site;
    struct ldapconn_query queries[LDAPCONN_QUERIES_MAX];
    struct ldapconn_result results[LDAPCONN_QUERIES_MAX];
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        struct errtext why = {""};
        const char *filter = NULL;
        l->facts.values[DIR_FACT_ACCOUNT_DN] = members[i];
        if (dir_filter_expand(l->scratch, s->delegation, &l->facts, &filter, &why) == DIR_FILTER_OK)
            queries[asked++] = (struct ldapconn_query){s->delegation_base, LDAPCONN_SUBTREE, filter,
                                                       s->group_attributes, 0};
        else if (*why.text)
            is_missing(l, ACCOUNT_MISCONFIGURED, why.text);
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
    if (!l->site->delegation)
        return LINK_OK;
    struct level seen = {.dns = arena_array(l->scratch, DIR_LDAP_GROUPS_MAX, sizeof *seen.dns),
                         .count = 1};
    seen.dns[0] = entry->dn;
    enum link_status status = LINK_OK;
    for (unsigned depth = 0; depth <= l->site->nested_groups && status == LINK_OK; depth++)
        status = ask_level(l, &seen);
    return status;
}

/* ---- the answer ---- */

static const struct grant_list *list_of(struct lookup *l, enum right right)
{
    size_t count = l->counts[right];
    struct grant_list *list = arena_alloc(l->answer->arena, sizeof *list);
    struct grant *grants = arena_array(l->answer->arena, count, sizeof *grants);
    if (count)
        memcpy(grants, l->grants[right], count * sizeof *grants);
    *list = (struct grant_list){grants, count};
    return list;
}

static void finish(struct lookup *l)
{
    struct account_answer *answer = l->answer;
    answer->account.lists = list_of(l, RIGHT_GRANT);
    answer->account.list_count = 1;
    answer->account.denies = list_of(l, RIGHT_DENY);
    answer->account.deny_count = 1;
    if (l->site->no_addresses_tempfail && l->counts[RIGHT_GRANT] == 0 &&
        answer->missing == ACCOUNT_FOUND)
        says(answer, ACCOUNT_MISCONFIGURED,
             arena_printf(l->scratch, "%s has no address: is it hidden from the bind DN?",
                          answer->account.entry));
}

static enum link_status look_up(struct lookup *l)
{
    struct ldapconn_entry entry;
    bool found;
    enum link_status status = find_account(l, &entry, &found);
    if (status != LINK_OK || !found)
        return status;
    status = add_groups(l, &entry);
    if (status == LINK_OK)
        finish(l);
    return status;
}

/* ---- jobs ---- */

struct job {
    struct linkpool_job job;
    const struct site *site;
    struct dir_ticket *ticket;
    struct arena *arena; /* of the login */
    struct dir_facts facts;
    struct account_answer *answer; /* run() writes it, done() takes it */
};

static enum link_status job_run(struct linkpool_job *job, void *link, struct errtext *why)
{
    struct job *j = (struct job *)job;
    account_answer_unref(j->answer); /* of a run that broke off */
    j->answer = account_answer_create();
    j->answer->missing = ACCOUNT_FOUND;
    j->answer->asked_at = clock_now(&clock_real);
    struct lookup l = {
        .site = j->site,
        .conn = link,
        .scratch = arena_create(),
        .facts = j->facts,
        .answer = j->answer,
        .why = why,
    };
    enum link_status status = look_up(&l);
    arena_destroy(l.scratch);
    return status;
}

static void job_done(struct linkpool_job *job, enum link_status status, const char *why)
{
    struct job *j = (struct job *)job;
    if (status != LINK_OK) {
        dir_ticket_fail(j->ticket,
                        status == LINK_DOWN ? ACCOUNT_UNAVAILABLE : ACCOUNT_MISCONFIGURED, why);
        return;
    }
    struct account_answer *answer = j->answer;
    j->answer = NULL;
    dir_ticket_done(j->ticket, answer);
}

static void job_destroy(struct linkpool_job *job)
{
    struct job *j = (struct job *)job;
    account_answer_unref(j->answer);
    arena_destroy(j->arena);
    free(j);
}

/* ---- the backend ---- */

struct dir_ldap {
    struct dir_backend backend;
    struct arena *arena;
    struct site *site;
    struct linkpool *pool;
};

/* What %{login.local} stands for: a login of a foreign domain must not pass for the one of ours
 * that has the same local part. */
static const char *local_of(const struct login_rules *rules, const struct login *login)
{
    bool ours = !*login->domain ||
                (rules->default_domain && strcmp(rules->default_domain, login->domain) == 0);
    for (size_t i = 0; i < rules->rewrite_count && !ours; i++)
        ours = rules->rewrites[i].to[0] == '@' &&
               strcmp(rules->rewrites[i].to + 1, login->domain) == 0;
    return ours ? login->local : NULL;
}

static void ldap_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    static const struct linkpool_job_ops ops = {job_run, job_done, job_destroy};
    struct dir_ldap *d = (struct dir_ldap *)self;
    const struct login *login = dir_ticket_login(ticket);
    struct job *j = xcalloc(1, sizeof *j);
    j->job.ops = &ops;
    j->site = d->site;
    j->ticket = ticket;
    j->arena = arena_create();
    j->facts.values[DIR_FACT_LOGIN] = copy(j->arena, login->name);
    j->facts.values[DIR_FACT_LOGIN_LOCAL] = copy(j->arena, local_of(&d->site->login_rules, login));
    j->facts.values[DIR_FACT_LOGIN_DOMAIN] = copy(j->arena, login->domain);
    linkpool_submit(d->pool, &j->job);
}

static void ldap_destroy(struct dir_backend *self)
{
    struct dir_ldap *d = (struct dir_ldap *)self;
    atomic_store(&d->site->closing, true);
    linkpool_destroy(d->pool);
    arena_destroy(d->arena);
    free(d);
}

static bool parse_filter(struct site *s, const char *text, unsigned facts, const char *option,
                         const struct dir_filter **out, struct errtext *why)
{
    struct errtext inner = {""};
    struct dir_filter *filter = NULL;
    if (!text || !*text)
        return true;
    if (dir_filter_parse(s->arena, span_of(text), facts, &filter, &inner)) {
        *out = filter;
        return true;
    }
    errtext_set(why, "%s: %s", option, inner.text);
    return false;
}

static bool parse_filters(struct site *s, const struct dir_ldap_conf *conf, struct errtext *why)
{
    return parse_filter(s, conf->account_filter, DIR_LDAP_ACCOUNT_FACTS, "account_filter",
                        &s->account, why) &&
           parse_filter(s, conf->enabled_filter, DIR_LDAP_ACCOUNT_FACTS, "enabled_filter",
                        &s->enabled, why) &&
           parse_filter(s, conf->delegation_filter, DIR_LDAP_GROUP_FACTS, "delegation_filter",
                        &s->delegation, why);
}

static void copy_conf(struct site *s, const struct dir_ldap_conf *conf)
{
    struct arena *a = s->arena;
    s->name = arena_strdup(a, conf->name);
    copy_servers(s, conf);
    s->base = arena_strdup(a, conf->base);
    s->delegation_base = conf->delegation_base && *conf->delegation_base
                             ? arena_strdup(a, conf->delegation_base)
                             : s->base;
    s->send_as = copy_names(a, &conf->send_as);
    s->deny = copy_names(a, &conf->deny);
    s->groups = copy_names(a, &conf->delegation);
    s->primary = copy(a, conf->primary_attribute);
    s->limits = copy(a, conf->limits_attribute);
    s->prefix = copy(a, conf->value_prefix);
    s->nested_groups = conf->nested_groups;
    s->no_addresses_tempfail = conf->no_addresses_tempfail;
    s->fold.fold_case = conf->login_rules->fold_case;
    s->login_rules = copy_login_rules(a, conf->login_rules);
    s->addr_rules = copy_addr_rules(a, conf->addr_rules);
}

static struct site *site_create(const struct dir_ldap_conf *conf, struct errtext *why)
{
    if (!conf->account_filter || !*conf->account_filter) {
        errtext_set(why, "account_filter is missing");
        return NULL;
    }
    struct site *s = xcalloc(1, sizeof *s);
    s->arena = arena_create();
    atomic_init(&s->closing, false);
    copy_conf(s, conf);
    if (!parse_filters(s, conf, why)) {
        site_free(s);
        return NULL;
    }
    choose_attributes(s);
    list_needs(s);
    return s;
}

static struct linkpool *pool_create(struct site *s, unsigned max_links)
{
    static const struct linkpool_ops ops = {site_open, site_close, site_free};
    return linkpool_create(&(struct linkpool_conf){
        .ops = &ops,
        .context = s,
        .servers = s->servers,
        .server_count = s->server_count,
        .max_links = max_links,
        .changed = site_changed,
    });
}

struct dir_backend *dir_ldap_open(const struct dir_ldap_conf *conf, struct errtext *why)
{
    static const struct dir_ops ops = {.type = "ldap", .ask = ldap_ask, .destroy = ldap_destroy};
    struct site *site = site_create(conf, why);
    if (!site)
        return NULL;
    struct dir_ldap *d = xcalloc(1, sizeof *d);
    d->arena = arena_create();
    d->site = site;
    d->pool = pool_create(site, conf->max_connections);
    d->backend = (struct dir_backend){
        .ops = &ops,
        .name = arena_strdup(d->arena, conf->name),
        .login_domains = copy_strings(d->arena, conf->login_domains, conf->login_domain_count),
        .login_domain_count = conf->login_domain_count,
        .merge = conf->merge,
        .has_denies = conf->deny.count > 0,
    };
    return &d->backend;
}

/* ---- the probe ---- */

/* What nobody's login is, asked as a login is: a base that is not there, or that refers to other
 * servers, would spoil every answer. */
static enum link_status try_search(struct ldapconn *conn, const char *base,
                                   const struct dir_filter *filter, struct errtext *why)
{
    static const char *const nothing[] = {"1.1", NULL};
    static const struct dir_facts nobody = {{"-", "-", "-", "cn=-"}};
    struct ldapconn_result result = {.outcome = LDAPCONN_COMPLETE};
    struct ldapconn_query query = {.base = base, .scope = LDAPCONN_SUBTREE, .attributes = nothing};
    struct arena *a = arena_create();
    enum link_status status = LINK_OK;
    if (dir_filter_expand(a, filter, &nobody, &query.filter, why) == DIR_FILTER_OK)
        status = ldapconn_search(conn, a, &query, 1, &result, why);
    if (status == LINK_OK && result.outcome != LDAPCONN_COMPLETE) {
        errtext_set(why, "%s", result.why);
        status = result.outcome == LDAPCONN_REFUSED ? LINK_WRONG : LINK_DOWN;
    }
    arena_destroy(a);
    return status;
}

static enum link_status probe_server(struct site *s, size_t i, struct strbuf *text)
{
    struct errtext why = {""};
    struct ldapconn *conn = NULL;
    enum link_status status = open_link(s, i, &conn, &why);
    if (status == LINK_OK)
        status = try_search(conn, s->base, s->account, &why);
    if (status == LINK_OK && s->delegation)
        status = try_search(conn, s->delegation_base, s->delegation, &why);
    if (status == LINK_OK)
        strbuf_printf(text, "directory %s: %s: well (%s)", s->name, s->servers[i],
                      ldapconn_security(conn));
    else
        strbuf_printf(text, "directory %s: %s: %s", s->name, s->servers[i], why.text);
    ldapconn_close(conn);
    return status == LINK_OK || status == LINK_WRONG ? status : LINK_DOWN;
}

enum link_status dir_ldap_probe(const struct dir_ldap_conf *conf,
                                void (*line)(void *context, const char *text), void *context)
{
    struct errtext why = {""};
    struct site *s = site_create(conf, &why);
    if (!s) {
        line(context, why.text);
        return LINK_WRONG;
    }
    enum link_status worst = LINK_OK;
    for (size_t i = 0; i < s->server_count; i++) {
        struct strbuf text;
        strbuf_init(&text, s->arena);
        enum link_status status = probe_server(s, i, &text);
        worst = status > worst ? status : worst;
        line(context, text.text);
    }
    site_free(s);
    return worst;
}
