/*
 * amend - what the MTA is told to change in a message that is accepted
 *
 * Use: amend_make() with the decision at the end of the message; the edge carries the changes out,
 *   in their order. Nothing for a message that is refused, or under a policy that observes.
 * Changes: claims are rewritten to the primary address, or taken out; the old From goes to
 *   X-Original-From, and to Reply-To where there is none. Sender is added to what goes out on
 *   behalf of another. Findings that tag, hold or only pass leave AMEND_TAG, the quarantine,
 *   trace_header and Authentication-Results. Fields that pretend to be one of ours are taken out.
 * Memory: a copy of everything in the arena given.
 * Threads: no shared state.
 * Depends on: policy, authres.
 */
#ifndef SENDAS_AMEND_H
#define SENDAS_AMEND_H

#include "policy.h"

#define AMEND_TAG           "X-Sendas-Tag"
#define AMEND_ORIGINAL_FROM "X-Original-From"

enum change_kind {
    CHANGE_SENDER, /* the envelope's, to value */
    CHANGE_SET,    /* the index-th field of the name, to value */
    CHANGE_REMOVE, /* the index-th field of the name */
    CHANGE_ADD,    /* a field, behind the others */
    CHANGE_INSERT, /* a field, in front of all others */
    CHANGE_HOLD,   /* quarantine, for the reason in value */
};

struct change {
    enum change_kind kind;
    const char *name;  /* of the field, NULL where there is none */
    unsigned index;    /* from 1; 0 where it has none */
    const char *value; /* folds as LF and white space; NULL where there is none */
};

struct change_list {
    const struct change *items;
    size_t count;
};

struct amend_host {
    const char *authserv_id; /* for Authentication-Results, NULL for none */
    const char *mechanism;   /* {auth_type}, NULL for none */
};

struct change_list amend_make(struct arena *a, const struct policy *policy,
                              const struct facts *facts, const struct decision *decision,
                              const struct amend_host *host);

#endif
