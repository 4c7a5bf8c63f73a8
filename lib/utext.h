/*
 * utext - what a piece of UTF-8 may hold, and domains as A-labels
 *
 * Use: utext_check() before a value is trusted as (part of) an address or a login;
 *   utext_domain() brings a domain name to the one form in which it is compared.
 * Memory: results live in the given arena.
 * Failure: false, and why says what was wrong; outputs stay untouched.
 * Threads: no shared state.
 * Depends on: arena, errtext, libunistring, libidn2.
 */
#ifndef SENDAS_UTEXT_H
#define SENDAS_UTEXT_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>

/* What utext_check() lets pass besides letters, digits, marks, punctuation and symbols. */
enum utext_allow {
    UTEXT_NOTHING = 0,
    UTEXT_ASCII_SPACE = 1, /* U+0020, as in a quoted local part */
};

/* True for valid UTF-8 in NFC (RFC 6532 section 3.1) without control, format, separator,
 * private-use, unassigned and default-ignorable characters. */
bool utext_check(struct span text, enum utext_allow allow, struct errtext *why) MUST_USE;
/* True for valid UTF-8; names and comments may be anything else, addresses may not. */
bool utext_is_utf8(struct span text) MUST_USE;
/* A domain name (LDH labels, A-labels or U-labels; RFC 5890, RFC 5891 lookup, no UTS 46 mapping)
 * as lower-case A-labels: labels of 1 to 63 octets, 253 in all, the last one not all digits, no
 * trailing dot. */
bool utext_domain(struct arena *a, struct span text, const char **domain_out,
                  struct errtext *why) MUST_USE;

#endif
