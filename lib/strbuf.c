#include "strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

void strbuf_init(struct strbuf *b, struct arena *a)
{
    *b = (struct strbuf){.arena = a, .size = FIRST_SIZE};
    b->text = arena_alloc(a, b->size);
}

static void make_room(struct strbuf *b, size_t more)
{
    if (b->size - b->len > more)
        return;
    size_t size = (b->len + more + 1) * 2;
    char *text = arena_alloc(b->arena, size);
    memcpy(text, b->text, b->len);
    b->text = text;
    b->size = size;
}

void strbuf_add(struct strbuf *b, struct span text)
{
    if (!text.len)
        return;
    make_room(b, text.len);
    memcpy(b->text + b->len, text.data, text.len);
    b->len += text.len;
    b->text[b->len] = '\0';
}

void strbuf_add_str(struct strbuf *b, const char *text)
{
    strbuf_add(b, span_of(text));
}

void strbuf_add_char(struct strbuf *b, char c)
{
    strbuf_add(b, span_make(&c, 1));
}

void strbuf_printf(struct strbuf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len > 0) {
        make_room(b, (size_t)len);
        (void)vsnprintf(b->text + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

struct span strbuf_span(const struct strbuf *b)
{
    return span_make(b->text, b->len);
}
