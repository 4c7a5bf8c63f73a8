/*
 * cachekey - several texts as one, so that no two lists of texts give the same
 *
 * Use: strbuf_init(), then cachekey_add() every input that decides the answer, in one fixed order.
 *   Each part carries its length: {"ab","c"} and {"a","bc"} differ, whatever bytes they hold.
 * Memory: in the arena of the strbuf.
 * Failure: cannot fail.
 * Threads: no shared state.
 * Depends on: strbuf.
 */
#ifndef SENDAS_CACHEKEY_H
#define SENDAS_CACHEKEY_H

#include "strbuf.h"

void cachekey_add(struct strbuf *out, struct span part);

#endif
