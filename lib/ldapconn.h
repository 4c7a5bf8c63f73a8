/*
 * ldapconn - one connection to one LDAP server, with deadlines that hold
 *
 * What libldap does not do by itself, and this does: connect and TLS handshake end in time though
 *   the peer is silent, or sends an octet now and then (ldapguard.h); no read waits for the rest of
 *   a TLS record;
 *   waiting is measured by the monotonic clock; StartTLS that is refused is an error and never
 *   clear text; referrals are not followed; no configuration file or environment variable of the
 *   system takes part; a result that is not complete is called so.
 *
 * Use: ldapconn_init() once, before there are threads; ldapconn_open(), then ldapconn_search() as
 *   often as needed, ldapconn_close(). After anything but LINK_OK only close is left.
 * Memory: results live in the arena given.
 * Failure: enum link_status of linkpool.h, and why.
 * Threads: a connection is used by one thread at a time.
 * Depends on: linkpool, arena, secret. With ldapschema the only user of <ldap.h>.
 */
#ifndef SENDAS_LDAPCONN_H
#define SENDAS_LDAPCONN_H

#include "arena.h"
#include "linkpool.h"

#include <stdatomic.h>
#include <sys/types.h>

enum ldapconn_bind { LDAPCONN_ANONYMOUS, LDAPCONN_SIMPLE, LDAPCONN_EXTERNAL };
enum ldapconn_tls { LDAPCONN_TLS12, LDAPCONN_TLS13 };

struct ldapconn_conf {
    const char *uri; /* ldap://HOST[:PORT], ldaps://..., ldapi://%2Fpath */
    enum ldapconn_bind bind;
    const char *bind_dn, *bind_password_file; /* LDAPCONN_SIMPLE */
    const char *password; /* what the file held at the start: for where it is root's alone */
    uid_t secret_owner;   /* see secret.h */
    bool starttls;
    const char *ca_file, *cert_file, *key_file; /* NULL: the system's CAs; no certificate */
    bool tls_verify;
    enum ldapconn_tls tls_minimum;
    uint64_t connect_timeout;   /* ns for connect, TLS and bind together */
    uint64_t search_timeout;    /* ns for what one ldapconn_search() asks */
    const atomic_bool *give_up; /* true: every wait ends soon; NULL for never */
};

struct ldapconn;

void ldapconn_init(void);
/* For the configuration: a URI that names a server and nothing else; a DN. */
bool ldapconn_uri_check(const char *uri, struct errtext *why) MUST_USE;
bool ldapconn_dn_check(const char *dn) MUST_USE;
/* LINK_DOWN where the server cannot be reached in time or with the security asked for, LINK_WRONG
 * where it refuses StartTLS or the bind, or the password cannot be had. */
enum link_status ldapconn_open(const struct ldapconn_conf *conf, struct ldapconn **out,
                               struct errtext *why) MUST_USE;
void ldapconn_close(struct ldapconn *conn); /* NULL is fine */
/* "TLS1.3", or "no TLS". */
const char *ldapconn_security(const struct ldapconn *conn);

enum ldapconn_scope { LDAPCONN_BASE, LDAPCONN_SUBTREE };

struct ldapconn_query {
    const char *base;
    enum ldapconn_scope scope;
    const char *filter;
    const char *const *attributes; /* ends with NULL; a first item "1.1" asks for none */
    int size_limit;                /* 0: as many as the server likes */
};

struct ldapconn_attribute {
    const char *name; /* as the server spells it, without options */
    bool partial;     /* a range of the values (Active Directory): there are more */
    const struct span *values;
    size_t count;
};

struct ldapconn_entry {
    const char *dn;
    const struct ldapconn_attribute *attributes;
    size_t count;
};

enum ldapconn_outcome {
    LDAPCONN_COMPLETE,
    LDAPCONN_PARTIAL, /* a limit, a reference to elsewhere: there may be more */
    LDAPCONN_REFUSED, /* no such base, no right to search, no such filter: misconfigured */
};

struct ldapconn_result {
    enum ldapconn_outcome outcome;
    const char *why; /* where it is not LDAPCONN_COMPLETE */
    const struct ldapconn_entry *entries;
    size_t count;
};

enum { LDAPCONN_ENTRIES_MAX = 5000, LDAPCONN_QUERIES_MAX = 16 };

/* Asks all queries at once and waits for all. The results are there with LINK_OK only. LINK_STALE
 * where the connection was closed or its stream broken, LINK_DOWN where the time is over or the
 * server says that it is busy or unavailable. */
enum link_status ldapconn_search(struct ldapconn *conn, struct arena *a,
                                 const struct ldapconn_query *queries, size_t count,
                                 struct ldapconn_result *results, struct errtext *why) MUST_USE;

#endif
