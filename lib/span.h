/*
 * span - a piece of text that belongs to somebody else: pointer and length, no terminator
 *
 * Use: span_of() or span_make(), then the questions below. Bytes may be anything, NUL included.
 * Memory: a span owns nothing and is valid as long as the text it points into.
 * Threads: no shared state.
 * Depends on: libc.
 */
#ifndef SENDAS_SPAN_H
#define SENDAS_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *data;
    size_t len;
};

/* A C string as a span; NULL gives the empty span. */
struct span span_of(const char *text);
struct span span_make(const char *data, size_t len);
/* The part from offset on, at most len bytes; an offset past the end gives the empty span. */
struct span span_sub(struct span s, size_t offset, size_t len);
/* Without SP and TAB (and CR, LF) at both ends. */
struct span span_trim(struct span s);

bool span_equal(struct span a, struct span b);
/* ASCII letters compare without case; every other byte as it is. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts_nocase(struct span s, const char *prefix);
bool span_ends_nocase(struct span s, const char *suffix);
/* Offset of the first or last byte c, or s.len where there is none. */
size_t span_find(struct span s, char c);
size_t span_find_last(struct span s, char c);

/* ASCII only, whatever the locale says. */
char ascii_lower(char c);
bool ascii_is_alpha(char c);
bool ascii_is_digit(char c);
bool ascii_is_control(char c);

#endif
