/*
 * dir_ldap - a directory in an LDAP server: what an account's entry and its groups grant
 *
 * One question, strategy "account": the entry that account_filter finds for the login; whether
 *   enabled_filter matches it too (both are asked at once); the values of send_as_attributes as
 *   grants, those of deny_attributes as denies; then the groups that delegation_filter finds for
 *   the entry's DN, and for theirs nested_groups times more; the values of their
 *   delegation_attributes are grants too.
 * Four outcomes: found; unknown (no entry, or none whose login is the one asked for by our own
 *   rules: a directory folds more than we do); unavailable (no answer in time, or half of one);
 *   misconfigured (two entries for a login, no such base, refused bind, unknown attribute types).
 *   Where only the groups cannot be had, the answer is found with a part missing.
 * Links, servers and the breaker are linkpool's.
 *
 * Use: dir_ldap_open(), then dir_add(), best behind a dir_cache.
 * Memory: everything in conf is copied.
 * Threads: as dir.h says.
 * Depends on: dir, dir_filter, linkpool, ldapconn, ldapschema, log.
 */
#ifndef SENDAS_DIR_LDAP_H
#define SENDAS_DIR_LDAP_H

#include "dir.h"
#include "dir_filter.h"
#include "ldapconn.h"

struct dir_ldap_names {
    const char *const *items;
    size_t count;
    bool preset; /* not named by the site: the server need not know them all */
};

/* What the templates may name. */
enum {
    DIR_LDAP_ACCOUNT_FACTS = DIR_FACT_BIT(DIR_FACT_LOGIN) | DIR_FACT_BIT(DIR_FACT_LOGIN_LOCAL) |
                             DIR_FACT_BIT(DIR_FACT_LOGIN_DOMAIN),
    DIR_LDAP_GROUP_FACTS = DIR_LDAP_ACCOUNT_FACTS | DIR_FACT_BIT(DIR_FACT_ACCOUNT_DN),
    DIR_LDAP_NESTED_MAX = 10,
    DIR_LDAP_GROUPS_MAX = 1000, /* an account is in more: a part is missing */
};

struct dir_ldap_conf {
    const char *name; /* of the directory block */
    const char *const *uris;
    size_t uri_count;
    struct ldapconn_conf link; /* without uri and give_up */
    unsigned max_connections;
    const char *base, *delegation_base;
    const char *account_filter;    /* templates: see dir_filter.h */
    const char *enabled_filter;    /* NULL: every account is enabled */
    const char *delegation_filter; /* NULL: no groups are asked for */
    struct dir_ldap_names send_as, deny, delegation;
    const char *primary_attribute, *limits_attribute; /* NULL for none */
    const char *value_prefix; /* "smtp:": stripped; values with another prefix are no addresses */
    unsigned nested_groups;
    bool no_addresses_tempfail;
    const struct login_rules *login_rules;
    const struct addr_rules *addr_rules;
    const char *const *login_domains;
    size_t login_domain_count;
    bool merge;
};

/* NULL, and why, for a template that cannot be read (conf has checked them) or a URI. */
struct dir_backend *dir_ldap_open(const struct dir_ldap_conf *conf, struct errtext *why) MUST_USE;

/* Tries every server in turn, for -t -t: connect, bind, schema, base. line gets what was found.
 * Gives the worst of LINK_OK, LINK_DOWN, LINK_WRONG. */
enum link_status dir_ldap_probe(const struct dir_ldap_conf *conf,
                                void (*line)(void *context, const char *text), void *context);

#endif
