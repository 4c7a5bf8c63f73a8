/*
 * naive - a second reader of address lists, which knows nothing of lib/mailbox.c
 *
 * It reads as a simple mail client does: comments are passed over, quoted strings count as text,
 * what stands in angle brackets is the address, or all of the element where there are none. What
 * mailbox_parse() accepts must name the same addresses to it.
 *
 * Use: naive_begin() with a value without groups, then naive_next() until it is false.
 * Memory: strings live in the arena given.
 * Depends on: strbuf.
 */
#ifndef FUZZ_NAIVE_H
#define FUZZ_NAIVE_H

#include "strbuf.h"

struct naive {
    struct arena *arena;
    struct span rest;
    struct strbuf text; /* of the element that is read */
    unsigned depth;     /* of comments */
    bool quoted, angle, closed;
};

static inline struct naive naive_begin(struct arena *a, struct span value)
{
    return (struct naive){.arena = a, .rest = value};
}

/* An octet that means nothing, or a backslash and the one behind it; gives how many. */
static inline size_t naive_plain(struct naive *n, bool kept)
{
    size_t len = n->rest.data[0] == '\\' && (n->quoted || n->depth) && n->rest.len > 1 ? 2 : 1;
    if (kept && !n->closed)
        strbuf_add(&n->text, span_sub(n->rest, 0, len));
    return len;
}

static inline size_t naive_comment(struct naive *n)
{
    if (n->rest.data[0] == '(')
        n->depth++;
    if (n->rest.data[0] == ')')
        n->depth--;
    return naive_plain(n, false);
}

static inline size_t naive_bracket(struct naive *n, bool opens)
{
    if (opens)
        n->text.len = 0; /* what stood before was a name */
    n->angle = opens;
    n->closed = n->closed || !opens;
    return 1;
}

static inline size_t naive_step(struct naive *n)
{
    char c = n->rest.data[0];
    if (n->depth || (c == '(' && !n->quoted))
        return naive_comment(n);
    if (!n->quoted && (c == '<' || c == '>'))
        return naive_bracket(n, c == '<');
    if (c == '"')
        n->quoted = !n->quoted;
    return naive_plain(n, true);
}

static inline bool naive_ends(const struct naive *n)
{
    return n->rest.data[0] == ',' && !n->quoted && !n->depth && !n->angle;
}

/* One element, perhaps an empty one. */
static inline struct span naive_element(struct naive *n)
{
    strbuf_init(&n->text, n->arena);
    n->closed = false;
    while (n->rest.len && !naive_ends(n))
        n->rest = span_sub(n->rest, naive_step(n), n->rest.len);
    n->rest = span_sub(n->rest, 1, n->rest.len);
    return span_trim(strbuf_span(&n->text));
}

/* The next address, as it is written. */
static inline bool naive_next(struct naive *n, struct span *out)
{
    while (n->rest.len) {
        *out = naive_element(n);
        if (out->len)
            return true;
    }
    return false;
}

#endif
