/*
 * xalloc - heap memory that is never NULL
 *
 * Use: xcalloc(), xstrdup(), xrealloc(); give back with free().
 * Failure: out of memory ends the process with a message. Every size that comes from outside is
 *   bounded before it gets here, so this is an exhausted machine; the service manager restarts
 *   us, and the MTA answers "try again" meanwhile.
 * Threads: any.
 * Depends on: libc.
 */
#ifndef SENDAS_XALLOC_H
#define SENDAS_XALLOC_H

#include "attr.h"

#include <stddef.h>

/* Zeroed memory for count things of size bytes. */
void *xcalloc(size_t count, size_t size) MUST_USE;
void *xrealloc(void *old, size_t size) MUST_USE;
char *xstrdup(const char *text) MUST_USE;
NORETURN void xalloc_failed(void);

#endif
