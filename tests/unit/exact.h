/*
 * exact - input in a heap piece of exactly its size, without a terminator
 *
 * Use: exact_copy(), read from .text, exact_free(): a sanitizer or valgrind then sees every read
 *   past the end.
 */
#ifndef TESTS_EXACT_H
#define TESTS_EXACT_H

#include "span.h"

#include <stdlib.h>
#include <string.h>

struct exact {
    char *memory;
    struct span text;
};

static inline struct exact exact_copy(struct span text)
{
    char *memory = malloc(text.len);
    if (!memory && text.len)
        abort();
    if (text.len)
        memcpy(memory, text.data, text.len);
    return (struct exact){memory, span_make(memory ? memory : "", text.len)};
}

static inline void exact_free(struct exact *e)
{
    free(e->memory);
}

#endif
