/*
 * ldaptls - the TLS context of libldap, made once for a set of files
 *
 * Why: a context holds all authorities of ca_file, which take longer to read than a handshake
 *   takes, and libldap over GnuTLS loses memory with each one that it frees.
 * Use: ldaptls_use() on a handle before it connects. A file that was replaced gives a new context.
 * Memory: contexts are kept for the life of the process, one a version of the files.
 * Threads: any; a lock is held while a context is made.
 * Depends on: ldapconn's configuration, strbuf. One of the users of <ldap.h>.
 */
#ifndef SENDAS_LDAPTLS_H
#define SENDAS_LDAPTLS_H

#include "ldapconn.h"

#include <ldap.h>

/* False where a file cannot be taken as what it is meant to be. */
bool ldaptls_use(LDAP *ld, const struct ldapconn_conf *conf) MUST_USE;

#endif
