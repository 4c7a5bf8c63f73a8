/*
 * rights - who may use which address, in the session target's own table, and its own reading of
 *   addresses
 *
 * Use: may_use() with an address as it was written. What the library accepts must be granted here,
 *   by code that has nothing of the library's parsers.
 * Memory: strings live in the arena given.
 * Depends on: strbuf.
 */
#ifndef FUZZ_RIGHTS_H
#define FUZZ_RIGHTS_H

#include "strbuf.h"

#include <string.h>

enum right_kind { SENDS_AS, DENIED, ON_BEHALF };

struct right {
    const char *login;
    /* "@domain" is every plain address in it; a '*' stands for one octet or more in an envelope,
     * and for itself in a header. */
    const char *address;
    enum right_kind kind;
};

static const struct right rights[] = {
    {"ann", "ann@example.org", SENDS_AS},         {"ann", "a.lee@example.org", SENDS_AS},
    {"ann", "\"ann lee\"@example.org", SENDS_AS}, {"ann", "@ann.example", SENDS_AS},
    {"ann", "list+*@example.org", SENDS_AS},      {"ann", "boss@example.org", ON_BEHALF},
    {"ann", "ceo@ann.example", DENIED},           {"alice", "alice@example.com", SENDS_AS},
    {"bob", "bob@example.org", SENDS_AS},         {"bob", "sales@example.org", SENDS_AS},
    {"carl", "carl@example.org", SENDS_AS}, /* disabled */
};

/* What an address is used for. */
enum use { IN_ENVELOPE, IN_HEADER, AS_AUTHOR };

enum { RIGHTS = sizeof rights / sizeof rights[0] };

static const char disabled_login[] = "carl";
static const char *const local_domains[] = {"example.org", "ann.example"};

static inline bool is_known(const char *login)
{
    for (size_t i = 0; i < RIGHTS; i++)
        if (strcmp(rights[i].login, login) == 0)
            return true;
    return false;
}

/* ---- reading addresses without the library's parsers ---- */

/* In lower case, without the quotes and backslashes of the local part. */
static inline const char *plain_address(struct arena *a, struct span text)
{
    struct strbuf b;
    bool quoted = false;
    strbuf_init(&b, a);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && c == '\\' && i + 1 < text.len)
            c = text.data[++i];
        strbuf_add_char(&b, ascii_lower(c));
    }
    return b.text;
}

/* May a grant of its domain, or without its tag, cover it? */
static inline bool is_simple(struct span local)
{
    for (size_t i = 0; i < local.len; i++)
        if (strchr("\"\\@<>,;:()[] ", local.data[i]))
            return false;
    return local.len > 0;
}

static inline struct span without_tag(bool tags, struct span local)
{
    size_t plus = span_find(local, '+');
    return tags && plus ? span_sub(local, 0, plus) : local;
}

static inline bool fits_pattern(struct span pattern, struct span address)
{
    size_t star = span_find(pattern, '*');
    struct span tail = span_sub(pattern, star + 1, pattern.len);
    return address.len > star + tail.len &&
           span_equal(span_sub(address, 0, star), span_sub(pattern, 0, star)) &&
           span_equal(span_sub(address, address.len - tail.len, tail.len), tail);
}

static inline bool fits_right(struct arena *a, bool tags, const struct right *right,
                              const char *address, enum use use)
{
    size_t at = span_find_last(span_of(address), '@');
    struct span local = span_sub(span_of(address), 0, at);
    if (right->address[0] == '@')
        return strcmp(address + at, right->address) == 0 && !strpbrk(address, "<>,;:") &&
               span_find(local, '@') == local.len;
    if (strchr(right->address, '*') && use == IN_ENVELOPE && is_simple(local) &&
        fits_pattern(span_of(right->address), span_of(address)))
        return true;
    if (is_simple(local))
        local = without_tag(tags, local);
    const char *known = plain_address(a, span_of(right->address));
    const char *meant = arena_printf(a, "%.*s%s", (int)local.len, local.data, address + at);
    return strcmp(meant, known) == 0 || strcmp(address, known) == 0;
}

static inline bool may_use(struct arena *a, bool tags, const char *login, struct span text,
                           enum use use)
{
    const char *address = plain_address(a, text);
    bool granted = false;
    if (span_find(span_of(address), '@') == strlen(address))
        return false;
    for (size_t i = 0; i < RIGHTS; i++) {
        if (strcmp(rights[i].login, login) != 0 || !fits_right(a, tags, &rights[i], address, use))
            continue;
        if (rights[i].kind == DENIED)
            return false;
        granted = granted || rights[i].kind == SENDS_AS || use == AS_AUTHOR;
    }
    return granted;
}

/* An argument of MAIL or RCPT without brackets and route. */
static inline struct span inside_path(const char *argument)
{
    struct span text = span_of(argument);
    if (text.len >= 2 && text.data[0] == '<')
        text = span_sub(text, 1, text.len - 2);
    if (text.len && text.data[0] == '@')
        text = span_sub(text, span_find_last(text, ':') + 1, text.len);
    return text;
}

#endif
