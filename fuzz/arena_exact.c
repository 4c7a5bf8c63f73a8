/* An arena in which every piece is an allocation of exactly its size. lib/arena.c cuts its pieces
 * from blocks, and a sanitizer does not see what is read or written past the end of one. */
#include "arena.h"
#include "xalloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct piece {
    struct piece *next;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct piece *pieces;
    size_t total;
};

struct arena *arena_create(void)
{
    return xcalloc(1, sizeof(struct arena));
}

void arena_reset(struct arena *a)
{
    while (a->pieces) {
        struct piece *next = a->pieces->next;
        free(a->pieces);
        a->pieces = next;
    }
    a->total = 0;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    arena_reset(a);
    free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        xalloc_failed();
    struct piece *piece = xcalloc(1, sizeof *piece + size);
    piece->next = a->pieces;
    a->pieces = piece;
    a->total += size;
    return piece->bytes;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        xalloc_failed();
    return arena_alloc(a, bytes);
}

char *arena_copy(struct arena *a, struct span text)
{
    char *copy = arena_alloc(a, text.len + 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_copy(a, span_of(text));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        len = 0;
    char *text = arena_alloc(a, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_size(const struct arena *a)
{
    return a->total;
}
