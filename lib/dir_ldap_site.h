/*
 * dir_ldap_site - one LDAP directory as it is configured: templates, attributes, servers, schema
 *
 * Use: within dir_ldap*.c only. dir_ldap_site_create(), then read; dir_ldap_site_open() a link.
 * Memory: all of the configuration is copied: it may end before the last thread of the pool does,
 *   with which the site ends.
 * Failure: NULL, and why, for a template that cannot be read; links as ldapconn.h says.
 * Threads: nothing is written after its creation but the schema, which the first link brings.
 * Depends on: dir_ldap.h, ldapconn, ldapschema, log.
 */
#ifndef SENDAS_DIR_LDAP_SITE_H
#define SENDAS_DIR_LDAP_SITE_H

#include "dir_ldap.h"
#include "ldapschema.h"

struct dir_ldap_schema; /* what a server told */

/* Where an address is owned: below base, in one of the attributes, a list that NULL ends. */
struct dir_ldap_place {
    const char *base;
    const char *const *attributes;
    size_t count;
};

enum { DIR_LDAP_PLACES = 2 };

struct dir_ldap_site {
    struct arena *arena;
    _Atomic(struct dir_ldap_schema *) schema; /* of the server that answered first */
    const char *name;
    struct ldapconn_conf *links; /* one a server */
    const char **servers;        /* their URIs */
    size_t server_count;
    atomic_bool *schema_fine; /* one a server */
    atomic_bool closing;
    const char *base, *delegation_base;
    /* What of a template asks about a principal of the kind; NULL: nothing does. */
    const struct dir_filter *account[PRINCIPAL_KINDS], *delegation[PRINCIPAL_KINDS];
    const struct dir_filter *enabled; /* NULL: every account is enabled */
    struct dir_ldap_names send_as, on_behalf, deny, groups, admin;
    const char *primary, *limits, *prefix; /* NULL for none */
    const char *const *account_attributes; /* what is fetched; lists end with NULL */
    const char *const *group_attributes;
    struct dir_ldap_place places[DIR_LDAP_PLACES];
    size_t place_count;
    struct ldapschema_needs needs;
    unsigned nested_groups;
    bool no_addresses_tempfail, tenant;
    struct login_rules fold; /* as an attribute's value is compared: no rewriting */
    struct login_rules login_rules;
    struct addr_rules addr_rules;
};

struct dir_ldap_site *dir_ldap_site_create(const struct dir_ldap_conf *conf,
                                           struct errtext *why) MUST_USE;
void dir_ldap_site_free(void *context);
/* A link whose server knows all that is going to be asked for. */
enum link_status dir_ldap_site_open(struct dir_ldap_site *s, size_t i, struct ldapconn **out,
                                    struct errtext *why) MUST_USE;
/* See linkpool_conf.changed. */
void dir_ldap_site_changed(void *context, size_t i, bool up, const char *why);

/* The attribute that was asked for, under the name that the server has for it? */
bool dir_ldap_is_attribute(const struct dir_ldap_site *s, const char *asked, const char *name);
bool dir_ldap_is_named(const struct dir_ldap_site *s, const struct dir_ldap_names *names,
                       const char *name);

const char *dir_ldap_copy(struct arena *a, const char *text); /* NULL for "" too */
const char *const *dir_ldap_copy_strings(struct arena *a, const char *const *items, size_t count);

#endif
