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
    out->form = GRANT_EXACT;
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

static bool covers(const struct grant *grant, const struct addr *addr)
{
    bool bare = *addr->domain == '\0';
    bool exact = grant->form == GRANT_EXACT || grant->form == GRANT_BARE;
    if (!exact && may_be_misread(addr))
        return false;
    switch (grant->form) {
    case GRANT_EXACT:
        return !bare && strcmp(grant->key, addr->key) == 0;
    case GRANT_BARE:
        return bare && strcmp(grant->key, addr->key) == 0;
    case GRANT_DOMAIN:
        return !bare && strcmp(grant->key, addr->domain) == 0;
    case GRANT_SUBDOMAINS:
        return !bare && is_or_is_below(addr->domain, grant->key);
    case GRANT_ANY:
        return !bare;
    }
    return false;
}

static const struct grant *find_as_written(const struct grant_list *lists, size_t list_count,
                                           const struct addr *addr)
{
    for (size_t l = 0; l < list_count; l++)
        for (size_t i = 0; i < lists[l].count; i++)
            if (covers(&lists[l].items[i], addr))
                return &lists[l].items[i];
    return NULL;
}

const struct grant *grant_find(struct arena *a, const struct addr_rules *rules,
                               const struct grant_list *lists, size_t list_count,
                               const struct addr *addr)
{
    struct addr variants[ADDR_VARIANTS_MAX];
    size_t count = addr_variants(a, rules, addr, variants);
    for (size_t i = 0; i < count; i++) {
        const struct grant *grant = find_as_written(lists, list_count, &variants[i]);
        if (grant)
            return grant;
    }
    return NULL;
}

const char *grant_text(struct arena *a, const struct grant *grant)
{
    switch (grant->form) {
    case GRANT_EXACT:
    case GRANT_BARE:
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
