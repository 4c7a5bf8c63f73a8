#include "grant.h"

#include <string.h>

/* ---- parsing ---- */

/* addr_make() is what knows names and literals; the local part is only there to complete it. */
static bool parse_domain(struct arena *a, const struct addr_rules *rules, struct span text,
                         const char **domain_out, struct errtext *why)
{
    struct addr addr;
    if (addr_make(a, rules, span_of("x"), text, &addr, why) != ADDR_OK)
        return false;
    *domain_out = addr.domain;
    return true;
}

static bool parse_subdomains(struct arena *a, const struct addr_rules *rules, struct span text,
                             struct grant *out, struct errtext *why)
{
    if (text.len > 0 && text.data[0] == '[') {
        errtext_set(why, "an address literal has no subdomains: write @%.*s", (int)text.len,
                    text.data);
        return false;
    }
    if (!parse_domain(a, rules, text, &out->key, why))
        return false;
    out->form = GRANT_SUBDOMAINS;
    return true;
}

static bool parse_whole_domain(struct arena *a, const struct addr_rules *rules, struct span text,
                               struct grant *out, struct errtext *why)
{
    if (text.len == 0) {
        errtext_set(why, "no domain after the '@'");
        return false;
    }
    if (text.data[0] == '.')
        return parse_subdomains(a, rules, span_sub(text, 1, text.len), out, why);
    if (!parse_domain(a, rules, text, &out->key, why))
        return false;
    out->form = GRANT_DOMAIN;
    return true;
}

/* One '*', in an unquoted local part, behind a separator: "a*@example.net" would be too much to
 * read out of a value that may be just an odd address. */
static bool is_pattern(struct span value)
{
    size_t star = span_find(value, '*'), at = span_find_last(value, '@');
    if (value.data[0] == '"' || star == 0 || star >= at)
        return false;
    char before = value.data[star - 1];
    struct span rest = span_sub(value, star + 1, at - star - 1);
    return span_find(rest, '*') == rest.len && (unsigned char)before < 0x80 &&
           !ascii_is_alpha(before) && !ascii_is_digit(before);
}

static bool parse_exact(struct arena *a, const struct addr_rules *rules, struct span value,
                        struct grant *out, struct errtext *why)
{
    struct addr addr;
    switch (addr_parse(a, rules, value, &addr, why)) {
    case ADDR_OK:
        break;
    case ADDR_NULL:
    case ADDR_BARE:
        errtext_set(why, "no address: a domain is missing");
        return false;
    case ADDR_MALFORMED:
        return false;
    }
    out->form = is_pattern(value) ? GRANT_PATTERN : GRANT_EXACT;
    out->key = addr.key;
    return true;
}

/* The root of the DNS may be written out in what an administrator wrote, never in a claim. */
static struct span drop_trailing_dot(struct span value)
{
    if (value.len > 0 && value.data[value.len - 1] == '.' && span_find(value, '@') < value.len)
        value.len--;
    return value;
}

bool grant_parse(struct arena *a, const struct addr_rules *rules, struct span value,
                 struct grant *out, struct errtext *why)
{
    if (span_equal(value, span_of("*"))) {
        out->form = GRANT_ANY;
        out->key = "";
        return true;
    }
    value = drop_trailing_dot(value);
    if (value.len > 0 && value.data[0] == '@')
        return parse_whole_domain(a, rules, span_sub(value, 1, value.len), out, why);
    return parse_exact(a, rules, value, out, why);
}

/* ---- matching ---- */

static bool is_or_is_below(const char *domain, const char *parent)
{
    size_t len = strlen(domain), parent_len = strlen(parent);
    if (len < parent_len || strcmp(domain + len - parent_len, parent) != 0)
        return false;
    return len == parent_len || domain[len - parent_len - 1] == '.';
}

/* A quoted local part in which a reader may find another address, "ceo@x.org x"@example.com, is
 * nobody's by a rule for many addresses; it can be granted as it is. */
static bool may_be_misread(const struct addr *addr)
{
    return strpbrk(addr->local, "@<>,;:") != NULL;
}

/* Keys are folded already where the letters' case does not matter. A deny never turns on it: what
 * tells Ann from ann here is the same mailbox to most who receive it. */
static bool is_same_text(enum grant_use use, struct span a, struct span b)
{
    return use == GRANT_FOR_DENY ? span_equal_nocase(a, b) : span_equal(a, b);
}

/* "list+*@example.net" and an address of that domain, keys both. */
static bool fits_pattern(enum grant_use use, const char *pattern, const char *key)
{
    struct span wanted = span_of(pattern), text = span_of(key);
    size_t star = span_find(wanted, '*');
    struct span head = span_sub(wanted, 0, star), tail = span_sub(wanted, star + 1, wanted.len);
    if (text.len <= head.len + tail.len)
        return false;
    return is_same_text(use, span_sub(text, 0, head.len), head) &&
           is_same_text(use, span_sub(text, text.len - tail.len, text.len), tail);
}

static bool is_exact(const struct grant *grant)
{
    return grant->form == GRANT_EXACT || grant->form == GRANT_BARE;
}

static bool covers(const struct grant *grant, enum grant_use use, const struct addr *addr)
{
    bool bare = *addr->domain == '\0';
    bool same = is_same_text(use, span_of(grant->key), span_of(addr->key));
    bool wide = use == GRANT_FOR_DENY;
    if (!is_exact(grant) && !wide && may_be_misread(addr))
        return false;
    switch (grant->form) {
    case GRANT_EXACT:
        return !bare && same;
    case GRANT_BARE:
        return bare && same;
    case GRANT_DOMAIN:
        return !bare && strcmp(grant->key, addr->domain) == 0;
    case GRANT_SUBDOMAINS:
        return !bare && is_or_is_below(addr->domain, grant->key);
    case GRANT_ANY:
        return !bare;
    case GRANT_PATTERN:
        return !bare && (same || ((wide || use == GRANT_FOR_ENVELOPE) &&
                                  fits_pattern(use, grant->key, addr->key)));
    }
    return false;
}

bool grant_is_of_domain(const struct grant *grant)
{
    return grant->form == GRANT_DOMAIN || grant->form == GRANT_SUBDOMAINS;
}

/* The first one; where that is of a whole domain, the first that is not, if there is one. */
static const struct grant *find_as_written(enum grant_use use, const struct grant_list *lists,
                                           size_t list_count, const struct addr *addr)
{
    const struct grant *of_domain = NULL;
    enum grant_right right = use == GRANT_FOR_AUTHOR ? GRANT_ON_BEHALF : GRANT_SEND_AS;
    for (size_t l = 0; l < list_count; l++)
        for (size_t i = 0; i < lists[l].count; i++) {
            const struct grant *grant = &lists[l].items[i];
            if (grant->right != right || (of_domain && grant_is_of_domain(grant)) ||
                !covers(grant, use, addr))
                continue;
            if (!grant_is_of_domain(grant))
                return grant;
            of_domain = grant;
        }
    return of_domain;
}

const struct grant *grant_find(struct arena *a, const struct addr_rules *rules, enum grant_use use,
                               const struct grant_list *lists, size_t list_count,
                               const struct addr *addr)
{
    struct addr variants[ADDR_VARIANTS_MAX];
    const struct grant *of_domain = NULL;
    size_t count = addr_variants(a, rules, addr, variants);
    for (size_t i = 0; i < count; i++) {
        const struct grant *grant = find_as_written(use, lists, list_count, &variants[i]);
        if (grant && !grant_is_of_domain(grant))
            return grant;
        of_domain = of_domain ? of_domain : grant;
    }
    return of_domain;
}

/* Without its quotes, which it does not need as an address, it would read as a pattern. */
static const char *quoted(struct arena *a, const char *key)
{
    struct span text = span_of(key);
    size_t at = span_find_last(text, '@');
    return arena_printf(a, "\"%.*s\"%s", (int)at, key, key + at);
}

const char *grant_text(struct arena *a, const struct grant *grant)
{
    switch (grant->form) {
    case GRANT_EXACT:
        return is_pattern(span_of(grant->key)) ? quoted(a, grant->key) : grant->key;
    case GRANT_BARE:
    case GRANT_PATTERN:
        break;
    case GRANT_DOMAIN:
        return arena_printf(a, "@%s", grant->key);
    case GRANT_SUBDOMAINS:
        return arena_printf(a, "@.%s", grant->key);
    case GRANT_ANY:
        return "*";
    }
    return grant->key;
}
