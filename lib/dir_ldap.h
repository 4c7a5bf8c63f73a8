/*
 * dir_ldap - a directory in an LDAP server: what an account's entry and its groups grant
 *
 * One question, strategy "account": the entry that account_filter finds for the principal; whether
 *   enabled_filter matches it too (both are asked at once); the values of send_as_attributes and
 *   on_behalf_attributes as grants, those of deny_attributes as denies; then the groups that
 *   delegation_filter finds for the entry's DN, and for theirs nested_groups times more; the
 *   values of their delegation_attributes are grants too.
 * The other one, who owns an address: the entries below base that have it, as we read their values,
 *   in one of send_as_attributes, and those below delegation_base in one of
 *   delegation_attributes. Nothing else is asked of them.
 * Principals: those that account_filter asks about, by their facts: a login, a certificate, a
 *   client's address. See dir_filter.h for what of a template that is.
 * Tenant: a grant that reaches out of the account's own domain counts only where it comes from one
 *   of admin_attributes; see tenant.h. A deny always counts.
 * Four outcomes: found; unknown (no entry, or none whose login is the one asked for by our own
 *   rules: a directory folds more than we do); unavailable (no answer in time, or half of one);
 *   misconfigured (two entries for a login, no such base, refused bind, unknown attribute types).
 *   Where only the groups cannot be had, the answer is found with a part missing.
 * Links, servers and the breaker are linkpool's.
 *
 * Use: dir_ldap_open(), then dir_add(), best behind a dir_cache.
 * Memory: everything in conf is copied.
 * Threads: as dir.h says.
 * Depends on: dir, dir_filter, tenant, linkpool, ldapconn, ldapschema, log.
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
    DIR_LDAP_ACCOUNT_FACTS = DIR_FACTS_LOGIN | DIR_FACTS_CLIENT | DIR_FACTS_CERT,
    DIR_LDAP_GROUP_FACTS = DIR_LDAP_ACCOUNT_FACTS | DIR_FACT_BIT(DIR_FACT_ACCOUNT_DN),
    DIR_LDAP_NESTED_MAX = 10,
    DIR_LDAP_GROUPS_MAX = 1000, /* an account is in more: a part is missing */
    DIR_LDAP_OWNERS_MAX = 10,   /* that are asked for */
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
    struct dir_ldap_names send_as, on_behalf, deny, delegation;
    bool tenant;                                      /* each account keeps to its domain */
    struct dir_ldap_names admin;                      /* those of the three that grant beyond it */
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

/* What of account_filter, or of delegation_filter, asks about principals of this kind; false where
 * it does not. Of the facts that tell them only. */
bool dir_ldap_narrow(struct arena *a, const struct dir_filter *filter, enum principal_kind kind,
                     struct dir_filter **out) MUST_USE;
/* The facts that tell a principal of this kind, as DIR_FACT_BITs. */
unsigned dir_ldap_identity(enum principal_kind kind);

/* NULL, and why, for a template that cannot be read (conf has checked them) or a URI. */
struct dir_backend *dir_ldap_open(const struct dir_ldap_conf *conf, struct errtext *why) MUST_USE;

/* Tries every server in turn, for -t -t: connect, bind, schema, base. line gets what was found.
 * Gives the worst of LINK_OK, LINK_DOWN, LINK_WRONG. */
enum link_status dir_ldap_probe(const struct dir_ldap_conf *conf,
                                void (*line)(void *context, const char *text), void *context);

#endif
