/*
 * authres - the Authentication-Results field (RFC 8601): what another filter found, what we found
 *
 * Use: authres_parse() with the value of one field, then authres_passes(). authres_claims() for a
 *   field that may be forged. authres_write() for a value of our own.
 * Input: folds as the MTA gives them (LF, white space). Comments and white space may stand wherever
 *   the RFC has CFWS. The value of a property may hold, unquoted, any visible character but
 *   ( ) ; " \ , because verifiers write base64 and IPv6 addresses like that. All else that the
 *   grammar does not know is malformed, a ";" at the end too, and so is what is over a bound.
 * Trust: anybody can write such a field. Ask only one with the authserv_id of a filter of one's
 *   own, at a place in the header that only that one can have written.
 * Memory: strings live in the arena given.
 * Failure: AUTHRES_MALFORMED leaves *out without results, and with the authserv_id that
 *   authres_id() reads, NULL for none.
 * Threads: no shared state.
 * Depends on: addr.
 */
#ifndef SENDAS_AUTHRES_H
#define SENDAS_AUTHRES_H

#include "addr.h"

enum {
    AUTHRES_RESULTS_MAX = 100,
    AUTHRES_PROPS_MAX = 300, /* of all results together */
    AUTHRES_COMMENT_DEPTH = 50,
    AUTHRES_ID_MAX = 255,    /* octets of the id that authres_write() takes */
    AUTHRES_WRITE_MAX = 900, /* octets that it gives */
};

/* "smtp.mailfrom=ann@example.net" */
struct authres_prop {
    const char *ptype, *property; /* in lower case */
    const char *value;            /* unquoted; an address as addr_parse() takes it */
    const char *domain;           /* of the address or domain in value, as A-label in lower case;
                                     NULL where value is neither */
};

/* "dkim/1=pass reason="..." header.d=example.net" */
struct authres_result {
    const char *method, *result; /* in lower case */
    unsigned version;            /* of the method; 1 unless written */
    const char *reason;          /* NULL for none */
    struct authres_prop *props;
    size_t prop_count;
};

struct authres {
    const char *authserv_id; /* a domain as A-label, without a trailing dot; any text in lower
                                case */
    unsigned version;        /* of the field; 1 unless written */
    struct authres_result *results;
    size_t count; /* 0 for "none" */
};

enum authres_status { AUTHRES_OK, AUTHRES_MALFORMED };

enum authres_status authres_parse(struct arena *a, struct span value, struct authres *out) MUST_USE;

/* The id alone, however malformed the rest is, in the form of authserv_id; NULL where there is
 * none. */
const char *authres_id(struct arena *a, struct span value) MUST_USE;
/* Could a reader take id (in the form of authserv_id) for this field's? Readers differ in whether
 * comments nest, a backslash counts in them, and a comment parts a word; each may find another id
 * in the same field. Whoever removes forged fields asks this. */
bool authres_claims(struct arena *a, struct span value, const char *id) MUST_USE;

/* Does it say that the domain (as utext_domain() gives it) was authenticated? That takes a result
 * "pass", of a version that we know, of
 *   spf    with smtp.mailfrom in that very domain
 *   dkim   with header.d, or header.i where there is no header.d, of that domain, or of a parent of
 *          two labels or more
 *   dmarc  with header.from in that very domain
 * A result that has the property twice says nothing. One pass suffices, whatever else failed. */
bool authres_passes(const struct authres *r, const char *domain) MUST_USE;

/* "mail.example.net; auth=pass (plain) smtp.auth=ann@example.net". authserv_id has at most
 * AUTHRES_ID_MAX octets. mechanism, {auth_type} or NULL, is shown where it is made of letters,
 * digits, "-" and "_". Octets that are not printable ASCII become '?'. A login for which there is
 * no room is left out as a whole. */
const char *authres_write(struct arena *a, const char *authserv_id, const char *mechanism,
                          const char *login) MUST_USE;

#endif
