/*
 * hexline - cases as lines of hex digits, for the readers that run.py compares
 *
 * Use: while (hexline_read(&line)) answer the octets in line.octets, and end the answer with a
 *   line feed; hexline_put() writes octets that may be anything. hexline_free() at the end.
 * Failure: what is no hex ends the program; run.py alone writes it.
 * Depends on: libc; one reader is not linked with the project's library.
 */
#ifndef TESTS_HEXLINE_H
#define TESTS_HEXLINE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hexline {
    char *octets; /* without a terminator */
    size_t len;
    char *text; /* the line itself */
    size_t size;
};

static inline int hexline_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        abort();
    return (int)(at - digits);
}

/* Of exactly its size, so that a sanitizer sees every read past the end. */
static inline void hexline_decode(struct hexline *line, size_t digits)
{
    free(line->octets);
    line->len = digits / 2;
    line->octets = malloc(line->len ? line->len : 1);
    if (!line->octets || digits % 2)
        abort();
    for (size_t i = 0; i < line->len; i++)
        line->octets[i] =
            (char)(hexline_digit(line->text[2 * i]) << 4 | hexline_digit(line->text[2 * i + 1]));
}

static inline bool hexline_read(struct hexline *line)
{
    ssize_t len = getline(&line->text, &line->size, stdin);
    if (len <= 0)
        return false;
    size_t digits = (size_t)len;
    if (line->text[digits - 1] == '\n')
        digits--;
    hexline_decode(line, digits);
    return true;
}

static inline void hexline_free(struct hexline *line)
{
    free(line->octets);
    free(line->text);
}

static inline void hexline_put(const char *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        (void)printf("%02x", (unsigned)(unsigned char)octets[i]);
}

#endif
