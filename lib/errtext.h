/*
 * errtext - what went wrong, in words for a human
 *
 * Use: the last argument of a function that can fail; the callee explains with errtext_set(), the
 *   caller decides who hears it. NULL means that nobody listens.
 * Memory: fixed size, on the caller's stack; a text that does not fit ends with "...".
 *   Bytes that could end or forge a log line are replaced by '?'.
 * Threads: no shared state.
 * Depends on: libc.
 */
#ifndef SENDAS_ERRTEXT_H
#define SENDAS_ERRTEXT_H

#include "attr.h"

enum { ERRTEXT_SIZE = 512 };

struct errtext {
    char text[ERRTEXT_SIZE];
};

void errtext_set(struct errtext *why, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
