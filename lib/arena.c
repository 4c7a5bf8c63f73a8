#include "arena.h"
#include "xalloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow, so that the hundred thousand answers of a cache take little each, and a message few
 * blocks; a larger piece gets a block of its own. */
enum { BLOCK_SIZE_FIRST = 256, BLOCK_SIZE = 2048 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *head;
    size_t total;
};

struct arena *arena_create(void)
{
    return xcalloc(1, sizeof(struct arena));
}

void arena_reset(struct arena *a)
{
    while (a->head) {
        struct block *next = a->head->next;
        free(a->head);
        a->head = next;
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

static struct block *block_add(struct arena *a, size_t size)
{
    size_t usual = a->head ? 2 * a->head->size : BLOCK_SIZE_FIRST;
    if (usual > BLOCK_SIZE)
        usual = BLOCK_SIZE;
    if (size < usual)
        size = usual;
    struct block *b = xcalloc(1, sizeof *b + size);
    b->size = size;
    b->next = a->head;
    a->head = b;
    a->total += sizeof *b + size;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        xalloc_failed();
    size = (size + align - 1) / align * align;
    struct block *b = a->head;
    if (!b || b->size - b->used < size)
        b = block_add(a, size);
    void *memory = b->bytes + b->used;
    b->used += size;
    return memory;
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
