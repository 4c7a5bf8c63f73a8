/*
 * ldapguard - the end of a wait that a library does not end by itself
 *
 * Why: in a TLS handshake libldap starts its time-out anew with every octet that comes, so that a
 *   server which sends one now and then holds a thread for as long as it likes. When a guard's
 *   deadline has passed, its socket is shut down under the library, which then gives up at once.
 * Use: ldapguard_begin() before the wait, ldapguard_socket() as soon as there is a socket,
 *   ldapguard_end() after it.
 * Memory: the struct is the caller's. The socket is kept as a descriptor of its own, so that the
 *   library may close its one at any time.
 * Threads: any; one thread of the process watches all guards, made when the first one begins.
 *   Where it cannot be made there is no guard, and the library's own time-outs are all there is.
 * Depends on: clock.
 */
#ifndef SENDAS_LDAPGUARD_H
#define SENDAS_LDAPGUARD_H

#include <stdint.h>

struct ldapguard {
    struct ldapguard *previous, *next;
    uint64_t deadline; /* clock_now(&clock_real) */
    int fd;            /* -1 for none yet, or shut down already */
};

void ldapguard_begin(struct ldapguard *guard, uint64_t deadline);
/* A later socket takes the place of an earlier one. */
void ldapguard_socket(struct ldapguard *guard, int fd);
void ldapguard_end(struct ldapguard *guard);

#endif
