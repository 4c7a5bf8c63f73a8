/*
 * ldapschema - does the server know the attribute types and object classes that we are going to ask
 * for?
 *
 * Why: a filter that names an attribute which the server does not know matches nothing and is no
 *   error (RFC 4511 section 4.5.1.7), so that a misspelled configuration looks like "no such
 * login". Use: ldapschema_check() once for a server that came up. Failure: as ldapconn_search(); a
 * server whose schema may not be read counts as fine. Depends on: ldapconn. With it the only user
 * of <ldap.h>.
 */
#ifndef SENDAS_LDAPSCHEMA_H
#define SENDAS_LDAPSCHEMA_H

#include "ldapconn.h"

struct ldapschema_needs {
    const char *const *attributes; /* names or OIDs */
    size_t attribute_count;
    const char *const *classes;
    size_t class_count;
    const char *const *wishes; /* attributes that may be missing */
    size_t wish_count;
};

/* One attribute type under two of its names (RFC 4512 section 4.1.2): a server answers with the one
 * that it likes, whatever it was asked for. */
struct ldapschema_alias {
    const char *asked, *other;
};

struct ldapschema_aliases {
    const struct ldapschema_alias *items;
    size_t count;
};

/* LINK_WRONG, and why names what is missing, where the schema was read and lacks one of the needs.
 * aliases, in arena a, are the other names of needs and wishes. */
enum link_status ldapschema_check(struct ldapconn *conn, const struct ldapschema_needs *needs,
                                  struct arena *a, struct ldapschema_aliases *aliases,
                                  struct errtext *why) MUST_USE;

#endif
