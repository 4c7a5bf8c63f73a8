/*
 * login - the SASL login as the MTA gave it, brought to the one form that is looked up
 *
 * Use: login_decode() undoes what the MTA did to the macro (Sendmail's xtext), then
 *   login_normalise(). Owners in a senders file go through login_normalise() too.
 * Order: refuse what a directory would ignore or fold (RFC 4518: white space, control and
 *   invisible characters, not NFC); split the master user off; fold ASCII case; rewrite; refuse
 *   two '@', empty parts, a trailing dot; complete with default_domain; domain as A-label.
 * Memory: strings live in the arena given.
 * Failure: outputs stay untouched; why says what was wrong.
 * Threads: no shared state.
 * Depends on: arena, errtext, utext.
 */
#ifndef SENDAS_LOGIN_H
#define SENDAS_LOGIN_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>

enum { LOGIN_MAX = 255 }; /* octets */

struct login_rewrite {
    const char *from; /* a suffix such as "@mail.example.net", in normal form */
    const char *to;   /* what replaces it; "" strips */
};

/* The `login` block of the configuration. */
struct login_rules {
    bool fold_case;             /* ASCII letters; yes unless configured otherwise */
    const char *default_domain; /* completes a bare login; NULL for none */
    char master_separator;      /* "ann*admin": ann acts, admin is logged; '\0' for none */
    const struct login_rewrite *rewrites;
    size_t rewrite_count;
};

struct login {
    const char *name;   /* what is looked up */
    const char *local;  /* name up to the '@', all of it where there is none */
    const char *domain; /* A-label, "" for a bare login */
    const char *master; /* who authenticated in the name of another, NULL for nobody */
};

/* What {auth_type} and {auth_authen} say together. An absent macro and an empty one are the same;
 * {auth_author} is the client's own text and proves nothing. */
enum login_proof {
    LOGIN_PROOF_NONE, /* nobody logged in */
    LOGIN_PROOF_SASL,
    LOGIN_PROOF_HALF, /* one without the other: the MTA's macros are misconfigured */
};
enum login_proof login_proof(const char *auth_type, const char *auth_authen) MUST_USE;

/* False: this login can be nobody's; it is never looked up. */
bool login_normalise(struct arena *a, const struct login_rules *rules, struct span raw,
                     struct login *out, struct errtext *why) MUST_USE;

enum login_mta { LOGIN_MTA_AUTO, LOGIN_MTA_POSTFIX, LOGIN_MTA_SENDMAIL };

enum login_decoded {
    LOGIN_DECODED,
    LOGIN_BAD_XTEXT, /* Sendmail's macro is not RFC 3461 xtext: nobody's login */
    LOGIN_UNDECIDED, /* mta = auto, the MTA did not say what it is, and the login holds "+XX" */
};

/* version is the macro {v} or NULL. Postfix sends the login as it is, Sendmail as xtext. */
enum login_decoded login_decode(struct arena *a, enum login_mta mta, const char *version,
                                struct span macro, struct span *out) MUST_USE;
/* The same for {cert_subject} and {cert_issuer}, in which Sendmail leaves '=' as it is. */
enum login_decoded login_decode_dn(struct arena *a, enum login_mta mta, const char *version,
                                   struct span macro, struct span *out) MUST_USE;

#endif
