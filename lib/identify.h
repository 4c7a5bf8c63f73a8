/*
 * identify - who the client proved to be, from the macros that came with MAIL
 *
 * In this order: a SASL login ({auth_authen} and {auth_type} both; one without the other is a
 *   fault), a client certificate whose issuer is in cert_issuers, the network that the client is
 *   in; else nobody. {auth_author} is the client's own text and proves nothing.
 * Certificates: {cert_subject} and {cert_issuer} come from Postfix only where it has verified them;
 *   of any other MTA {verify} must be "OK". Sendmail sends both as xtext.
 * Memory: strings live in the arena given, or in the network set.
 * Threads: no shared state.
 * Depends on: principal, network.
 */
#ifndef SENDAS_IDENTIFY_H
#define SENDAS_IDENTIFY_H

#include "network.h"
#include "principal.h"

struct identify_rules {
    enum login_mta mta;
    const struct login_rules *login;
    const char *const *cert_issuers;
    size_t cert_issuer_count;
    const struct network_set *networks;
};

/* Absent and empty are the same. */
struct identify_macros {
    const char *version; /* {v} */
    const char *auth_type, *auth_authen;
    const char *cert_subject, *cert_issuer, *verify;
    const char *client_addr; /* IP address */
};

void identify(struct arena *a, const struct identify_rules *rules,
              const struct identify_macros *macros, struct principal *out);

#endif
