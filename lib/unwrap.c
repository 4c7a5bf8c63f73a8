#include "unwrap.h"
#include "utext.h"

#include <string.h>

enum {
    KEY_AND_DAY = 4,
    PRVS_TAG = 10,
    BTV1_TAG_MIN = 8,
    BTV1_TAG_MAX = 16,
    HASH_MIN = 4,
    HASH_MAX = 32,
    STAMP = 2,
};

struct parts {
    struct span local, domain;
};

static bool is_hex(char c)
{
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static bool is_base64(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/';
}

static bool is_base32(char c)
{
    return ascii_is_alpha(c) || (c >= '2' && c <= '7');
}

static bool is_made_of(struct span text, bool (*is_part)(char c))
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_part(text.data[i]))
            return false;
    return true;
}

static bool skip(struct span *rest, const char *keyword)
{
    if (!span_starts_nocase(*rest, keyword))
        return false;
    *rest = span_sub(*rest, strlen(keyword), rest->len);
    return true;
}

/* What needs quotes is read in more than one way, see addr_variants(). */
static bool is_plain(const struct addr *addr)
{
    return addr->key[0] != '"';
}

static bool make_plain(struct arena *a, const struct addr_rules *rules, const struct parts *parts,
                       struct addr *out)
{
    struct addr made;
    if (addr_make(a, rules, parts->local, parts->domain, &made, NULL) != ADDR_OK ||
        !is_plain(&made))
        return false;
    *out = made;
    return true;
}

/* ---- BATV ---- */

static bool is_prvs_tag(struct span text)
{
    return text.len == PRVS_TAG && is_made_of(span_sub(text, 0, KEY_AND_DAY), ascii_is_digit) &&
           is_made_of(text, is_hex);
}

static bool read_prvs(struct span rest, struct span *local_out)
{
    if (!skip(&rest, "prvs="))
        return false;
    size_t first = span_find(rest, '='), last = span_find_last(rest, '=');
    bool tag_first = is_prvs_tag(span_sub(rest, 0, first));
    bool tag_last = is_prvs_tag(span_sub(rest, last + 1, rest.len));
    if (tag_first == tag_last)
        return false;
    *local_out = tag_first ? span_sub(rest, first + 1, rest.len) : span_sub(rest, 0, last);
    return true;
}

static bool read_btv1(struct span rest, struct span *local_out)
{
    if (!skip(&rest, "btv1=="))
        return false;
    struct span tag = span_sub(rest, 0, span_find(rest, '='));
    rest = span_sub(rest, tag.len, rest.len);
    if (tag.len < BTV1_TAG_MIN || tag.len > BTV1_TAG_MAX || !is_made_of(tag, is_hex) ||
        !skip(&rest, "=="))
        return false;
    *local_out = rest;
    return true;
}

bool unwrap_batv(struct arena *a, const struct addr_rules *rules, const struct addr *in,
                 struct addr *out)
{
    struct parts parts = {.domain = span_of(in->domain)};
    struct span local = span_of(in->local);
    return (read_prvs(local, &parts.local) || read_btv1(local, &parts.local)) &&
           make_plain(a, rules, &parts, out);
}

/* ---- SRS ---- */

static bool skip_separator(struct span *rest)
{
    return skip(rest, "=") || skip(rest, "+") || skip(rest, "-");
}

/* The text up to the next "=", which is taken too. Where there is none all is taken, and nothing is
 * left for the local part, which make_plain() refuses. */
static struct span take_field(struct span *rest)
{
    struct span field = span_sub(*rest, 0, span_find(*rest, '='));
    *rest = span_sub(*rest, field.len + 1, rest->len);
    return field;
}

static bool take_hash(struct span *rest)
{
    struct span hash = take_field(rest);
    return hash.len >= HASH_MIN && hash.len <= HASH_MAX && is_made_of(hash, is_base64);
}

static bool take_stamp(struct span *rest)
{
    struct span stamp = take_field(rest);
    return stamp.len == STAMP && is_made_of(stamp, is_base32);
}

static bool take_hop(struct arena *a, struct span *rest)
{
    const char *domain = NULL;
    return utext_domain(a, take_field(rest), &domain, NULL);
}

static bool read_srs(struct arena *a, struct span rest, struct parts *out)
{
    bool chained = skip(&rest, "SRS1");
    if (!chained && !skip(&rest, "SRS0"))
        return false;
    if (chained && !(skip_separator(&rest) && take_hash(&rest) && take_hop(a, &rest)))
        return false;
    if (!skip_separator(&rest) || !take_hash(&rest) || !take_stamp(&rest))
        return false;
    out->domain = take_field(&rest);
    out->local = rest;
    return true;
}

bool unwrap_srs(struct arena *a, const struct addr_rules *rules, const struct addr *in,
                struct addr *out)
{
    struct parts parts;
    return is_plain(in) && *in->domain && read_srs(a, span_of(in->local), &parts) &&
           make_plain(a, rules, &parts, out);
}
