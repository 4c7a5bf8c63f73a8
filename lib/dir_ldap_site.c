#include "dir_ldap_site.h"
#include "ldapschema.h"
#include "log.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct dir_ldap_schema {
    struct arena *arena;
    struct ldapschema_aliases aliases;
};

/* ---- copies: the configuration may end before the last thread does ---- */

const char *dir_ldap_copy(struct arena *a, const char *text)
{
    return text && *text ? arena_strdup(a, text) : NULL;
}

const char *const *dir_ldap_copy_strings(struct arena *a, const char *const *items, size_t count)
{
    const char **out = arena_array(a, count + 1, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = arena_strdup(a, items[i]);
    return out;
}

static struct dir_ldap_names copy_names(struct arena *a, const struct dir_ldap_names *names)
{
    return (struct dir_ldap_names){dir_ldap_copy_strings(a, names->items, names->count),
                                   names->count, names->preset};
}

static struct addr_rules copy_addr_rules(struct arena *a, const struct addr_rules *rules)
{
    struct addr_alias *aliases = arena_array(a, rules->alias_count, sizeof *aliases);
    for (size_t i = 0; i < rules->alias_count; i++)
        aliases[i] = (struct addr_alias){arena_strdup(a, rules->aliases[i].alias),
                                         arena_strdup(a, rules->aliases[i].domain)};
    struct addr_rules out = *rules;
    out.aliases = aliases;
    out.delimiters = dir_ldap_copy(a, rules->delimiters);
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
    out.default_domain = dir_ldap_copy(a, rules->default_domain);
    return out;
}

static struct ldapconn_conf copy_link(struct dir_ldap_site *s, const struct ldapconn_conf *link,
                                      const char *uri)
{
    struct ldapconn_conf out = *link;
    out.uri = arena_strdup(s->arena, uri);
    out.bind_dn = dir_ldap_copy(s->arena, link->bind_dn);
    out.bind_password_file = dir_ldap_copy(s->arena, link->bind_password_file);
    out.password = dir_ldap_copy(s->arena, link->password);
    out.ca_file = dir_ldap_copy(s->arena, link->ca_file);
    out.cert_file = dir_ldap_copy(s->arena, link->cert_file);
    out.key_file = dir_ldap_copy(s->arena, link->key_file);
    out.give_up = &s->closing;
    return out;
}

static void copy_servers(struct dir_ldap_site *s, const struct dir_ldap_conf *conf)
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

/* The templates as they stand in the configuration; NULL for none. */
struct templates {
    const struct dir_filter *account, *enabled, *delegation;
};

static void choose_attributes(struct dir_ldap_site *s, const struct templates *t)
{
    const char *const *compared = NULL;
    size_t filter_count = dir_filter_attributes(s->arena, t->account, &compared);
    struct names all = names_with_room(s->arena, s->send_as.count + s->on_behalf.count +
                                                     s->deny.count + 2 + filter_count);
    add_names(&all, s->send_as.items, s->send_as.count);
    add_names(&all, s->on_behalf.items, s->on_behalf.count);
    add_names(&all, s->deny.items, s->deny.count);
    if (s->primary)
        add_name(&all, s->primary);
    if (s->limits)
        add_name(&all, s->limits);
    add_names(&all, compared, filter_count);
    s->account_attributes = all.items;
    s->group_attributes = s->groups.items; /* dir_ldap_copy_strings() has put the NULL behind it */
}

static void add_place(struct dir_ldap_site *s, const char *base, const struct names *names)
{
    s->places[s->place_count++] = (struct dir_ldap_place){base, names->items, names->count};
}

/* Where groups are asked for elsewhere, theirs are another search. */
static void choose_places(struct dir_ldap_site *s, const struct templates *t)
{
    bool beside = strcmp(s->base, s->delegation_base) != 0;
    struct names own = names_with_room(s->arena, s->send_as.count + s->groups.count);
    struct names groups = names_with_room(s->arena, s->groups.count);
    add_names(&own, s->send_as.items, s->send_as.count);
    add_names(&groups, s->groups.items, s->groups.count);
    if (t->delegation && !beside)
        add_names(&own, groups.items, groups.count);
    add_place(s, s->base, &own);
    if (t->delegation && beside)
        add_place(s, s->delegation_base, &groups);
}

/* ---- what the schema must hold ---- */

static void need_filter(struct dir_ldap_site *s, const struct dir_filter *filter,
                        struct names *attributes, struct names *classes)
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

static size_t count_named(const struct dir_ldap_site *s)
{
    return s->send_as.count + s->on_behalf.count + s->deny.count + s->groups.count;
}

/* The names that answers are searched for and a preset may give. */
static void list_wishes(struct dir_ldap_site *s)
{
    struct names wishes = names_with_room(s->arena, s->send_as.count + s->groups.count + 1);
    add_names(&wishes, s->send_as.items, s->send_as.count);
    add_names(&wishes, s->groups.items, s->groups.count);
    if (s->primary)
        add_name(&wishes, s->primary);
    s->needs.wishes = wishes.items;
    s->needs.wish_count = wishes.count;
}

static void list_needs(struct dir_ldap_site *s, const struct templates *t)
{
    enum { IN_FILTERS = 3 * DIR_FILTER_TEXT_MAX / 4 }; /* "(a=b)" is the shortest term */
    struct names classes = names_with_room(s->arena, IN_FILTERS);
    struct names attributes = names_with_room(s->arena, IN_FILTERS + count_named(s) + 1);
    need_filter(s, t->account, &attributes, &classes);
    need_filter(s, t->enabled, &attributes, &classes);
    need_filter(s, t->delegation, &attributes, &classes);
    need_named(&attributes, &s->send_as);
    need_named(&attributes, &s->on_behalf);
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

static void schema_free(struct dir_ldap_schema *schema)
{
    if (!schema)
        return;
    arena_destroy(schema->arena);
    free(schema);
}

/* The servers of a directory have one schema: the first that is read serves for all. */
static void keep_schema(struct dir_ldap_site *s, struct dir_ldap_schema *schema)
{
    struct dir_ldap_schema *none = NULL;
    if (!atomic_compare_exchange_strong(&s->schema, &none, schema))
        schema_free(schema);
}

static enum link_status read_schema(struct dir_ldap_site *s, struct ldapconn *conn,
                                    struct errtext *why)
{
    struct dir_ldap_schema *schema = xcalloc(1, sizeof *schema);
    schema->arena = arena_create();
    enum link_status status =
        ldapschema_check(conn, &s->needs, schema->arena, &schema->aliases, why);
    if (status == LINK_OK)
        keep_schema(s, schema);
    else
        schema_free(schema);
    return status;
}

enum link_status dir_ldap_site_open(struct dir_ldap_site *s, size_t i, struct ldapconn **out,
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

void dir_ldap_site_free(void *context)
{
    struct dir_ldap_site *s = context;
    schema_free(atomic_load(&s->schema));
    arena_destroy(s->arena);
    free(s);
}

void dir_ldap_site_changed(void *context, size_t i, bool up, const char *why)
{
    struct dir_ldap_site *s = context;
    if (up) {
        log_line(LOG_LEVEL_NOTICE, "directory %s: %s answers again", s->name, s->servers[i]);
        return;
    }
    atomic_store(&s->schema_fine[i], false);
    log_line(LOG_LEVEL_WARNING, "directory %s: %s is not used: %s", s->name, s->servers[i], why);
}

/* The attribute that was asked for, under the name that the server has for it? */
bool dir_ldap_is_attribute(const struct dir_ldap_site *s, const char *asked, const char *name)
{
    const struct dir_ldap_schema *schema = atomic_load(&s->schema);
    if (strcasecmp(asked, name) == 0)
        return true;
    for (size_t i = 0; schema && i < schema->aliases.count; i++)
        if (strcasecmp(schema->aliases.items[i].asked, asked) == 0 &&
            strcasecmp(schema->aliases.items[i].other, name) == 0)
            return true;
    return false;
}

bool dir_ldap_is_named(const struct dir_ldap_site *s, const struct dir_ldap_names *names,
                       const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (dir_ldap_is_attribute(s, names->items[i], name))
            return true;
    return false;
}

/* ---- who is asked about ---- */

unsigned dir_ldap_identity(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_SASL:
        return DIR_FACTS_LOGIN;
    case PRINCIPAL_CERT:
        return DIR_FACTS_CERT;
    case PRINCIPAL_NETWORK:
        return DIR_FACTS_CLIENT;
    case PRINCIPAL_NONE:
    case PRINCIPAL_KINDS:
        break;
    }
    return 0;
}

/* What such a one may have besides: a login may come with a certificate, and all from somewhere. */
static unsigned facts_of(enum principal_kind kind)
{
    unsigned beside = kind == PRINCIPAL_SASL ? DIR_FACTS_CERT : 0;
    return dir_ldap_identity(kind) | DIR_FACTS_CLIENT | beside;
}

bool dir_ldap_narrow(struct arena *a, const struct dir_filter *filter, enum principal_kind kind,
                     struct dir_filter **out)
{
    /* Only delegation_filter can name it: the DN is that of the account of whom is asked about. */
    const unsigned dn = DIR_FACT_BIT(DIR_FACT_ACCOUNT_DN);
    return dir_filter_narrow(a, filter, dir_ldap_identity(kind) | dn, facts_of(kind) | dn, out);
}

static const struct dir_filter *narrow(struct dir_ldap_site *s, const struct dir_filter *filter,
                                       enum principal_kind kind)
{
    struct dir_filter *out = NULL;
    return filter && dir_ldap_narrow(s->arena, filter, kind, &out) ? out : NULL;
}

static void narrow_templates(struct dir_ldap_site *s, const struct templates *t)
{
    for (int k = PRINCIPAL_SASL; k < PRINCIPAL_KINDS; k++) {
        s->account[k] = narrow(s, t->account, (enum principal_kind)k);
        s->delegation[k] = narrow(s, t->delegation, (enum principal_kind)k);
    }
    s->enabled = t->enabled;
}

/* ---- the whole ---- */

static bool parse_filter(struct dir_ldap_site *s, const char *text, unsigned facts,
                         const char *option, const struct dir_filter **out, struct errtext *why)
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

static bool parse_filters(struct dir_ldap_site *s, const struct dir_ldap_conf *conf,
                          struct templates *out, struct errtext *why)
{
    return parse_filter(s, conf->account_filter, DIR_LDAP_ACCOUNT_FACTS, "account_filter",
                        &out->account, why) &&
           parse_filter(s, conf->enabled_filter, DIR_LDAP_ACCOUNT_FACTS, "enabled_filter",
                        &out->enabled, why) &&
           parse_filter(s, conf->delegation_filter, DIR_LDAP_GROUP_FACTS, "delegation_filter",
                        &out->delegation, why);
}

static void copy_attributes(struct dir_ldap_site *s, const struct dir_ldap_conf *conf)
{
    struct arena *a = s->arena;
    s->send_as = copy_names(a, &conf->send_as);
    s->on_behalf = copy_names(a, &conf->on_behalf);
    s->deny = copy_names(a, &conf->deny);
    s->groups = copy_names(a, &conf->delegation);
    s->admin = copy_names(a, &conf->admin);
    s->primary = dir_ldap_copy(a, conf->primary_attribute);
    s->limits = dir_ldap_copy(a, conf->limits_attribute);
    s->prefix = dir_ldap_copy(a, conf->value_prefix);
}

static void copy_conf(struct dir_ldap_site *s, const struct dir_ldap_conf *conf)
{
    struct arena *a = s->arena;
    s->name = arena_strdup(a, conf->name);
    copy_servers(s, conf);
    s->base = arena_strdup(a, conf->base);
    s->delegation_base = conf->delegation_base && *conf->delegation_base
                             ? arena_strdup(a, conf->delegation_base)
                             : s->base;
    copy_attributes(s, conf);
    s->nested_groups = conf->nested_groups;
    s->no_addresses_tempfail = conf->no_addresses_tempfail;
    s->tenant = conf->tenant;
    s->fold.fold_case = conf->login_rules->fold_case;
    s->login_rules = copy_login_rules(a, conf->login_rules);
    s->addr_rules = copy_addr_rules(a, conf->addr_rules);
}

struct dir_ldap_site *dir_ldap_site_create(const struct dir_ldap_conf *conf, struct errtext *why)
{
    struct templates templates = {NULL, NULL, NULL};
    if (!conf->account_filter || !*conf->account_filter) {
        errtext_set(why, "account_filter is missing");
        return NULL;
    }
    struct dir_ldap_site *s = xcalloc(1, sizeof *s);
    s->arena = arena_create();
    atomic_init(&s->closing, false);
    copy_conf(s, conf);
    if (!parse_filters(s, conf, &templates, why)) {
        dir_ldap_site_free(s);
        return NULL;
    }
    narrow_templates(s, &templates);
    choose_attributes(s, &templates);
    choose_places(s, &templates);
    list_needs(s, &templates);
    return s;
}
