#include "ldapschema.h"
#include "strbuf.h"

#include <ldap.h>
#include <ldap_schema.h>
#include <string.h>
#include <strings.h>

/* ---- where the schema is ---- */

static const struct ldapconn_attribute *attribute(const struct ldapconn_result *result,
                                                  const char *name)
{
    if (result->outcome != LDAPCONN_COMPLETE || result->count != 1)
        return NULL;
    const struct ldapconn_entry *entry = &result->entries[0];
    for (size_t i = 0; i < entry->count; i++)
        if (strcasecmp(entry->attributes[i].name, name) == 0 && entry->attributes[i].count > 0)
            return &entry->attributes[i];
    return NULL;
}

static enum link_status read_entry(struct ldapconn *conn, struct arena *a, const char *dn,
                                   const char *filter, const char *const *attributes,
                                   struct ldapconn_result *out, struct errtext *why)
{
    struct ldapconn_query query = {
        .base = dn, .scope = LDAPCONN_BASE, .filter = filter, .attributes = attributes};
    return ldapconn_search(conn, a, &query, 1, out, why);
}

/* RFC 4512 section 5.1: the root entry names the entry that holds the schema. */
static enum link_status read_schema(struct ldapconn *conn, struct arena *a,
                                    struct ldapconn_result *out, struct errtext *why)
{
    static const char *const where[] = {"subschemaSubentry", NULL};
    static const char *const what[] = {"attributeTypes", "objectClasses", NULL};
    struct ldapconn_result root;
    enum link_status status = read_entry(conn, a, "", "(objectClass=*)", where, &root, why);
    const struct ldapconn_attribute *dn = status == LINK_OK ? attribute(&root, where[0]) : NULL;
    *out = (struct ldapconn_result){.outcome = LDAPCONN_REFUSED};
    if (!dn)
        return status;
    return read_entry(conn, a, dn->values[0].data, "(objectClass=subschema)", what, out, why);
}

/* ---- what it knows ---- */

struct wanted {
    const char *const *names;
    size_t count;
    bool *known;
};

static void strike(const struct wanted *wanted, const char *name)
{
    for (size_t i = 0; name && i < wanted->count; i++)
        wanted->known[i] = wanted->known[i] || strcasecmp(wanted->names[i], name) == 0;
}

static void strike_all(const struct wanted *wanted, const char *oid, char **names)
{
    strike(wanted, oid);
    for (; names && *names; names++)
        strike(wanted, *names);
}

static void strike_attribute_type(const struct wanted *wanted, const char *description)
{
    int code;
    const char *error;
    LDAPAttributeType *type =
        ldap_str2attributetype(description, &code, &error, LDAP_SCHEMA_ALLOW_ALL);
    if (!type)
        return;
    strike_all(wanted, type->at_oid, type->at_names);
    ldap_attributetype_free(type);
}

static void strike_object_class(const struct wanted *wanted, const char *description)
{
    int code;
    const char *error;
    LDAPObjectClass *class =
        ldap_str2objectclass(description, &code, &error, LDAP_SCHEMA_ALLOW_ALL);
    if (!class)
        return;
    strike_all(wanted, class->oc_oid, class->oc_names);
    ldap_objectclass_free(class);
}

/* Those of names that the schema does not hold, added to out. Where it shows no descriptions of
 * the kind, they are not for us to read, and nothing is missing. */
static void list_missing(struct arena *a, const struct ldapconn_attribute *descriptions,
                         const char *const *names, size_t count,
                         void (*strike_one)(const struct wanted *, const char *),
                         struct strbuf *out)
{
    if (!descriptions)
        return;
    struct wanted wanted = {names, count, arena_array(a, count, sizeof(bool))};
    for (size_t i = 0; i < descriptions->count; i++)
        strike_one(&wanted, descriptions->values[i].data);
    for (size_t i = 0; i < count; i++)
        if (!wanted.known[i])
            strbuf_printf(out, "%s%s", out->len ? ", " : "", names[i]);
}

static void list_all_missing(struct arena *a, const struct ldapconn_result *schema,
                             const struct ldapschema_needs *needs, struct strbuf *out)
{
    list_missing(a, attribute(schema, "attributeTypes"), needs->attributes, needs->attribute_count,
                 strike_attribute_type, out);
    list_missing(a, attribute(schema, "objectClasses"), needs->classes, needs->class_count,
                 strike_object_class, out);
}

/* ---- other names ---- */

struct alias_list {
    struct arena *arena;
    struct ldapschema_alias *items;
    size_t count, room;
};

static void add_alias(struct alias_list *list, const char *asked, const char *other)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 8;
        struct ldapschema_alias *items = arena_array(list->arena, list->room, sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
    }
    list->items[list->count++] = (struct ldapschema_alias){arena_strdup(list->arena, asked),
                                                           arena_strdup(list->arena, other)};
}

static bool is_named(const LDAPAttributeType *type, const char *name)
{
    if (type->at_oid && strcasecmp(type->at_oid, name) == 0)
        return true;
    for (char **other = type->at_names; other && *other; other++)
        if (strcasecmp(*other, name) == 0)
            return true;
    return false;
}

static void add_aliases(struct alias_list *list, const LDAPAttributeType *type,
                        const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_named(type, names[i]))
            continue;
        for (char **other = type->at_names; other && *other; other++)
            if (strcasecmp(*other, names[i]) != 0)
                add_alias(list, names[i], *other);
    }
}

static void list_aliases(const struct ldapconn_attribute *descriptions,
                         const struct ldapschema_needs *needs, struct alias_list *out)
{
    for (size_t i = 0; descriptions && i < descriptions->count; i++) {
        int code;
        const char *error;
        LDAPAttributeType *type = ldap_str2attributetype(descriptions->values[i].data, &code,
                                                         &error, LDAP_SCHEMA_ALLOW_ALL);
        if (!type)
            continue;
        add_aliases(out, type, needs->attributes, needs->attribute_count);
        add_aliases(out, type, needs->wishes, needs->wish_count);
        ldap_attributetype_free(type);
    }
}

/* ---- the whole ---- */

static enum link_status compare(struct arena *scratch, const struct ldapconn_result *schema,
                                const struct ldapschema_needs *needs, struct alias_list *aliases,
                                struct errtext *why)
{
    struct strbuf missing;
    strbuf_init(&missing, scratch);
    list_all_missing(scratch, schema, needs, &missing);
    if (missing.len) {
        errtext_set(why, "the server's schema does not know: %s", missing.text);
        return LINK_WRONG;
    }
    list_aliases(attribute(schema, "attributeTypes"), needs, aliases);
    return LINK_OK;
}

enum link_status ldapschema_check(struct ldapconn *conn, const struct ldapschema_needs *needs,
                                  struct arena *a, struct ldapschema_aliases *aliases,
                                  struct errtext *why)
{
    struct arena *scratch = arena_create();
    struct alias_list list = {.arena = a};
    struct ldapconn_result schema;
    enum link_status status = read_schema(conn, scratch, &schema, why);
    if (status == LINK_OK)
        status = compare(scratch, &schema, needs, &list, why);
    if (status == LINK_OK)
        *aliases = (struct ldapschema_aliases){list.items, list.count};
    arena_destroy(scratch);
    return status;
}
