/*
 * unwrap - the address that a rewritten sender hides in its local part
 *
 * Use: unwrap_batv(), unwrap_srs() with an address that addr.h has read. One layer is taken away at
 *   a time.
 * Trust: nothing of a tag or hash is checked, only its shape, so anybody can write any address into
 *   any of these forms. The caller must see to it that the outer domain is one of its own, and must
 *   judge what comes out like an address that the client wrote itself. BATV keeps the domain; SRS
 *   names another one, and such a sender is proof of nothing.
 * Readings: a local part that stands in quotes, or hides one that would have to, and one that could
 *   be taken apart in two ways, are not unwrapped. Keywords, tags and hashes are read without
 *   regard to ASCII case.
 * Memory: strings live in the arena given.
 * Failure: false for whatever does not fit exactly; *out stays untouched.
 * Threads: no shared state.
 * Depends on: addr.
 */
#ifndef SENDAS_UNWRAP_H
#define SENDAS_UNWRAP_H

#include "addr.h"

/* Bounce address tags; what comes out is local@ the same domain:
 *   prvs=TAG=local, prvs=local=TAG   TAG: a digit (the key), three digits (the day), six hex digits
 *   btv1==TAG==local                 Barracuda's: 8 to 16 hex digits, eleven as far as was seen */
bool unwrap_batv(struct arena *a, const struct addr_rules *rules, const struct addr *in,
                 struct addr *out) MUST_USE;

/* The Sender Rewriting Scheme; what comes out is local@domain:
 *   SRS0=HASH=TT=domain=local               "=", "+" or "-" behind SRS0
 *   SRS1=HASH=first.hop==HASH=TT=domain=local   the same behind SRS1, and behind "first.hop="
 * HASH: 4 to 32 characters of base64; TT: two of base32 (the day). local may hold "=". */
bool unwrap_srs(struct arena *a, const struct addr_rules *rules, const struct addr *in,
                struct addr *out) MUST_USE;

#endif
