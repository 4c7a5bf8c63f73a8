#include "span.h"

#include <string.h>

struct span span_make(const char *data, size_t len)
{
    return (struct span){.data = data, .len = len};
}

struct span span_of(const char *text)
{
    return text ? span_make(text, strlen(text)) : span_make("", 0);
}

struct span span_sub(struct span s, size_t offset, size_t len)
{
    if (offset > s.len)
        offset = s.len;
    if (len > s.len - offset)
        len = s.len - offset;
    return span_make(s.data + offset, len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.len && is_blank(s.data[0]))
        s = span_sub(s, 1, s.len);
    while (s.len && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

bool span_starts_nocase(struct span s, const char *prefix)
{
    struct span want = span_of(prefix);
    return s.len >= want.len && span_equal_nocase(span_sub(s, 0, want.len), want);
}

bool span_ends_nocase(struct span s, const char *suffix)
{
    struct span want = span_of(suffix);
    return s.len >= want.len && span_equal_nocase(span_sub(s, s.len - want.len, want.len), want);
}

size_t span_find(struct span s, char c)
{
    const char *at = s.len ? memchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

size_t span_find_last(struct span s, char c)
{
    const char *at = s.len ? memrchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ascii_is_alpha(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool ascii_is_control(char c)
{
    unsigned char u = (unsigned char)c;
    return u < 0x20 || u == 0x7f;
}
