/*
 * principal - who the client proved to be
 *
 * Order of proof: a SASL login, a client certificate, a network; else nothing. Grants of different
 *   principals never combine.
 * Who fills it: session, from the macros of MAIL. Who reads it: policy and the directories.
 * Memory: everything lives in the arena of whoever filled it; principal_copy() makes an own one.
 * Threads: plain data.
 * Depends on: login.
 */
#ifndef SENDAS_PRINCIPAL_H
#define SENDAS_PRINCIPAL_H

#include "login.h"

enum principal_kind {
    PRINCIPAL_NONE,    /* proved nothing */
    PRINCIPAL_SASL,    /* {auth_authen} and {auth_type} */
    PRINCIPAL_CERT,    /* a certificate of an issuer in cert_issuers */
    PRINCIPAL_NETWORK, /* an address in a network block, or in a net: owner of a senders file */
    PRINCIPAL_KINDS
};

#define PRINCIPAL_BIT(kind) (1u << (kind))

enum principal_fault {
    PRINCIPAL_SOUND,
    PRINCIPAL_HALF,          /* one of {auth_authen} and {auth_type} without the other */
    PRINCIPAL_UNDECIDED,     /* xtext or not? see login.h */
    PRINCIPAL_LOGIN_INVALID, /* a login that can be nobody's */
};

struct principal {
    enum principal_kind kind;
    enum principal_fault fault;
    const char *raw;          /* the login as the MTA gave it, for the log; "" for none */
    const char *why;          /* what the fault is, for the log */
    struct login login;       /* PRINCIPAL_SASL; else NULLs */
    const char *cert_subject; /* PRINCIPAL_CERT, decoded; NULL for none */
    const char *cert_issuer;  /* the same */
    const char *network;      /* PRINCIPAL_NETWORK: what holds the client, "10.1.2.0/28" */
    bool relays;              /* PRINCIPAL_NETWORK: may send to domains that are not local */
    const char *client_addr;  /* of any kind: the IP address (RFC 5952), NULL for none */
};

/* "sasl", as the option `principals` and the log have it. */
const char *principal_kind_name(enum principal_kind kind);
bool principal_kind_by_name(const char *name, enum principal_kind *out);
/* The name that stands for it in texts: login, subject, network or "". Never NULL. */
const char *principal_name(const struct principal *principal);
struct principal principal_copy(struct arena *a, const struct principal *principal);

#endif
