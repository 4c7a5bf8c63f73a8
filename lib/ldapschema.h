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
};

/* LINK_WRONG, and why names what is missing, where the schema was read and lacks one of them. */
enum link_status ldapschema_check(struct ldapconn *conn, const struct ldapschema_needs *needs,
                                  struct errtext *why) MUST_USE;

#endif
