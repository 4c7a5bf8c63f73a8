/*
 * strbuf - text that grows, in an arena
 *
 * Use: strbuf_init(), strbuf_add...(), then read text (always terminated) and len.
 * Memory: lives and dies with the arena.
 * Threads: one at a time.
 * Depends on: arena.
 */
#ifndef SENDAS_STRBUF_H
#define SENDAS_STRBUF_H

#include "arena.h"

struct strbuf {
    struct arena *arena;
    char *text;
    size_t len, size;
};

void strbuf_init(struct strbuf *b, struct arena *a);
void strbuf_add(struct strbuf *b, struct span text);
void strbuf_add_str(struct strbuf *b, const char *text);
void strbuf_add_char(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *format, ...) PRINTF_LIKE(2, 3);
struct span strbuf_span(const struct strbuf *b);

#endif
