/*
 * dir_ldap_lookup - one question, asked over one link
 *
 * Use: within dir_ldap*.c only: dir_ldap_look_up() in a thread of the pool.
 * Memory: the answer's arena takes all that the answer holds; DNs and values live in it.
 * Failure: LINK_OK with the answer filled, whatever it is; else what the link came to, and why, and
 *   the answer means nothing.
 * Threads: the site is shared, the rest is the caller's.
 * Depends on: dir_ldap_site, tenant, log.
 */
#ifndef SENDAS_DIR_LDAP_LOOKUP_H
#define SENDAS_DIR_LDAP_LOOKUP_H

#include "dir_ldap_site.h"

struct dir_ldap_wanted {
    enum dir_ask ask;
    /* DIR_ASK_ACCOUNT */
    enum principal_kind kind;
    const char *name;   /* who it is, in texts */
    const char *domain; /* the account's own one; NULL for none */
    struct dir_facts facts;
    /* DIR_ASK_OWNERS: what a value may be, as keys of addr.h */
    const char *const *addresses;
    size_t address_count;
};

/* answer is new, with asked_at set. */
enum link_status dir_ldap_look_up(const struct dir_ldap_site *site, struct ldapconn *conn,
                                  const struct dir_ldap_wanted *wanted,
                                  struct account_answer *answer, struct errtext *why) MUST_USE;

#endif
