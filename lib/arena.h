/*
 * arena - memory with one lifetime: a configuration, a connection, a message
 *
 * Use: arena_create(), then arena_alloc() and friends; arena_reset() gives everything back but
 *   keeps the arena, arena_destroy() ends it. Nothing is freed by itself.
 * Memory: the first block is allocated at the first use, so an idle connection holds almost
 *   nothing; arena_reset() keeps no block.
 * Failure: never NULL (see xalloc.h).
 * Threads: one at a time; who shares an arena holds its own lock.
 * Depends on: span, xalloc.
 */
#ifndef SENDAS_ARENA_H
#define SENDAS_ARENA_H

#include "attr.h"
#include "span.h"

struct arena;

struct arena *arena_create(void) MUST_USE;
void arena_reset(struct arena *a);
void arena_destroy(struct arena *a); /* NULL is fine */

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* Room for count things of size bytes; an overflow of the product ends the process. */
void *arena_array(struct arena *a, size_t count, size_t size) MUST_USE;
/* A NUL-terminated copy. */
char *arena_copy(struct arena *a, struct span text) MUST_USE;
char *arena_strdup(struct arena *a, const char *text) MUST_USE;
char *arena_printf(struct arena *a, const char *format, ...) MUST_USE PRINTF_LIKE(2, 3);
/* Bytes taken from the heap so far, for bounds and tests. */
size_t arena_size(const struct arena *a);

#endif
