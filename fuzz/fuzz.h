/*
 * fuzz - what the targets share: an input taken apart into exact copies, and claims
 *
 * A target is one file that defines LLVMFuzzerTestOneInput(); libFuzzer calls it, or standalone.c
 * with the files given to it. README.md tells how to add one.
 *
 * Use: fuzz_begin(), then take from the front what the target needs, fuzz_end(). Fields are divided
 *   by NUL, which no C string can hold; what the last function takes may hold any octet.
 *   FUZZ_CLAIM() says what must hold, whatever the input is.
 * Memory: every piece is a copy of exactly its own length on the heap, without a terminator, or
 *   with exactly one where a C string is asked for: the address sanitizer sees every read past its
 *   end. All live until fuzz_end(). The arenas are those of arena_exact.c.
 * Failure: a claim that does not hold ends the process.
 * Threads: one.
 * Depends on: span, tests/unit/exact.h.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../tests/unit/exact.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CLAIM(holds)                                                                          \
    do {                                                                                           \
        if (!(holds))                                                                              \
            fuzz_fail(#holds, __FILE__, __LINE__);                                                 \
    } while (0)

static inline void fuzz_fail(const char *claim, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, claim);
    abort();
}

struct fuzz_piece {
    struct fuzz_piece *next;
    struct exact exact;
};

struct fuzz_input {
    const char *at;
    size_t left;
    struct fuzz_piece *pieces;
};

static inline struct fuzz_input fuzz_begin(const uint8_t *data, size_t size)
{
    return (struct fuzz_input){.at = (const char *)data, .left = size};
}

static inline void fuzz_end(struct fuzz_input *in)
{
    while (in->pieces) {
        struct fuzz_piece *piece = in->pieces;
        in->pieces = piece->next;
        exact_free(&piece->exact);
        free(piece);
    }
}

/* A copy that lives as long as the input. */
static inline struct span fuzz_keep(struct fuzz_input *in, struct span text)
{
    struct fuzz_piece *piece = malloc(sizeof *piece);
    if (!piece)
        abort();
    *piece = (struct fuzz_piece){in->pieces, exact_copy(text)};
    in->pieces = piece;
    return piece->exact.text;
}

static inline struct span fuzz_pass(struct fuzz_input *in, size_t len)
{
    struct span passed = span_make(in->at, len);
    in->at += len;
    in->left -= len;
    return passed;
}

/* The next octet, 0 at the end. */
static inline unsigned fuzz_octet(struct fuzz_input *in)
{
    return in->left ? (unsigned char)*fuzz_pass(in, 1).data : 0;
}

static inline struct span fuzz_rest(struct fuzz_input *in)
{
    return fuzz_keep(in, fuzz_pass(in, in->left));
}

/* The next field, up to a NUL, which is passed over. */
static inline struct span fuzz_field(struct fuzz_input *in)
{
    const char *end = in->left ? memchr(in->at, '\0', in->left) : NULL;
    struct span text = fuzz_pass(in, end ? (size_t)(end - in->at) : in->left);
    if (in->left)
        (void)fuzz_pass(in, 1);
    return text;
}

static inline struct span fuzz_span(struct fuzz_input *in)
{
    return fuzz_keep(in, fuzz_field(in));
}

/* text must not hold a NUL. */
static inline const char *fuzz_terminated(struct fuzz_input *in, struct span text)
{
    char *copy = calloc(1, text.len + 1);
    struct fuzz_piece *piece = malloc(sizeof *piece);
    if (!copy || !piece)
        abort();
    if (text.len)
        memcpy(copy, text.data, text.len);
    *piece = (struct fuzz_piece){in->pieces, {copy, span_make(copy, text.len)}};
    in->pieces = piece;
    return copy;
}

static inline const char *fuzz_string(struct fuzz_input *in)
{
    return fuzz_terminated(in, fuzz_field(in));
}

/* NULL for "-": a macro that the MTA did not send. */
static inline const char *fuzz_macro(struct fuzz_input *in)
{
    const char *text = fuzz_string(in);
    return strcmp(text, "-") == 0 ? NULL : text;
}

#endif
