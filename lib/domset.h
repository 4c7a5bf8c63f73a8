/*
 * domset - a set of domains
 *
 * Use: domset_create(), domset_add() each, then domset_has() with an A-label in lower case.
 *   "example.net" is that domain alone, ".example.net" every domain below it.
 * Memory: owned by the set; domset_destroy() takes NULL.
 * Threads: immutable once filled.
 * Depends on: utext, uthash.
 */
#ifndef SENDAS_DOMSET_H
#define SENDAS_DOMSET_H

#include "attr.h"
#include "errtext.h"
#include "span.h"

#include <stdbool.h>

struct domset;

struct domset *domset_create(void) MUST_USE;
void domset_destroy(struct domset *set);
/* False and why for what is no domain; a trailing dot is dropped. Twice is once. */
bool domset_add(struct domset *set, struct span domain, struct errtext *why) MUST_USE;
bool domset_has(const struct domset *set, const char *domain);
size_t domset_count(const struct domset *set);

#endif
