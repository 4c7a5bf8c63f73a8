/* filter: LDAP filter templates and values. Input: which facts the template may name, template, the
 * facts, each a field of its own; the rest is a value to escape, which may hold any octet. */
#include "fuzz.h"

#include "dir_filter.h"
#include "strbuf.h"

enum { ALL_FACTS = (1u << DIR_FACT_COUNT) - 1 };

/* ---- escaping ---- */

static int hex_value(char c)
{
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4515, read back. */
static struct span unescaped(struct arena *a, struct span text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        FUZZ_CLAIM(c >= ' ' && c <= '~' && c != '(' && c != ')' && c != '*');
        if (c == '\\') {
            FUZZ_CLAIM(i + 2 < text.len);
            int high = hex_value(text.data[i + 1]), low = hex_value(text.data[i + 2]);
            FUZZ_CLAIM(high >= 0 && low >= 0);
            c = (char)(high << 4 | low);
            i += 2;
        }
        strbuf_add_char(&b, c);
    }
    return strbuf_span(&b);
}

static void check_escape(struct arena *a, struct span value)
{
    const char *escaped = dir_filter_escape(a, value);
    FUZZ_CLAIM(span_equal(unescaped(a, span_of(escaped)), value));
}

/* ---- structure ---- */

/* What an LDAP server takes a filter apart by: parentheses, operators, names and stars; "(a=b*c)"
 * is "(a=*)". */
static const char *skeleton(struct arena *a, const char *filter)
{
    struct strbuf b;
    strbuf_init(&b, a);
    bool value = false;
    for (const char *c = filter; *c; c++) {
        if (strchr("()", *c))
            value = false;
        if (!value || *c == '*')
            strbuf_add_char(&b, *c);
        value = value || *c == '=';
    }
    return b.text;
}

static bool is_balanced(const char *filter)
{
    int depth = 0;
    for (const char *c = filter; *c; c++) {
        depth += (*c == '(') - (*c == ')');
        if (depth < 0 || (depth == 0 && c[1]))
            return false;
    }
    return depth == 0;
}

static bool is_plain_line(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return true;
}

/* A filter is no template: "%{" means nothing in it. */
static struct span as_template(struct arena *a, const char *filter)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (const char *c = filter; *c; c++) {
        if (c[0] == '%' && c[1] == '{')
            strbuf_add_str(&b, "\\25");
        else
            strbuf_add_char(&b, *c);
    }
    return strbuf_span(&b);
}

/* It is a filter, which expands to itself. */
static void check_again(struct arena *a, const char *expanded)
{
    struct span template = as_template(a, expanded);
    static const struct dir_facts none;
    struct dir_filter *filter;
    struct errtext why = {""};
    const char *again;
    FUZZ_CLAIM(is_balanced(expanded) && is_plain_line(expanded));
    if (!dir_filter_parse(a, template, 0, &filter, &why)) {
        FUZZ_CLAIM(template.len > DIR_FILTER_TEXT_MAX); /* escapes have made it longer */
        return;
    }
    FUZZ_CLAIM(dir_filter_expand(a, filter, &none, &again, NULL) == DIR_FILTER_OK);
    FUZZ_CLAIM(strcmp(again, expanded) == 0);
}

static void check_structure(struct arena *a, const struct dir_filter *filter,
                            const struct dir_facts *facts, const char *expanded)
{
    struct dir_facts harmless = {{NULL}};
    const char *other;
    for (int i = 0; i < DIR_FACT_COUNT; i++)
        harmless.values[i] = facts->values[i] && *facts->values[i] ? "x" : NULL;
    FUZZ_CLAIM(dir_filter_expand(a, filter, &harmless, &other, NULL) == DIR_FILTER_OK);
    FUZZ_CLAIM(strcmp(skeleton(a, expanded), skeleton(a, other)) == 0);
}

/* ---- proofs ---- */

static bool has_all(void *context, const char *attribute, const char *value, bool exact)
{
    (void)exact;
    FUZZ_CLAIM(attribute == NULL || *attribute);
    FUZZ_CLAIM(value != NULL);
    (void)context;
    return true;
}

static bool has_none(void *context, const char *attribute, const char *value, bool exact)
{
    return !has_all(context, attribute, value, exact);
}

static void check_proofs(struct arena *a, const struct dir_filter *filter,
                         const struct dir_facts *facts)
{
    const struct dir_filter_proof *proofs;
    size_t count = dir_filter_proofs(a, filter, facts, &proofs);
    for (size_t i = 0; i < count; i++)
        FUZZ_CLAIM(proofs[i].attribute && *proofs[i].attribute && proofs[i].value);
    FUZZ_CLAIM(dir_filter_proven(a, filter, facts, has_all, NULL));
    FUZZ_CLAIM(dir_filter_proven(a, filter, facts, has_none, NULL) == (count == 0));
}

static void check_names(struct arena *a, const struct dir_filter *filter)
{
    const char *const *names;
    size_t count = dir_filter_attributes(a, filter, &names);
    for (size_t i = 0; i < count; i++)
        FUZZ_CLAIM(*names[i]);
    count = dir_filter_classes(a, filter, &names);
    for (size_t i = 0; i < count; i++)
        FUZZ_CLAIM(names[i]);
}

/* ---- one input ---- */

static void check_filter(struct arena *a, const struct dir_filter *filter,
                         const struct dir_facts *facts)
{
    const char *expanded = NULL;
    struct errtext why = {""};
    check_names(a, filter);
    switch (dir_filter_expand(a, filter, facts, &expanded, &why)) {
    case DIR_FILTER_OK:
        check_again(a, expanded);
        check_structure(a, filter, facts, expanded);
        check_proofs(a, filter, facts);
        return;
    case DIR_FILTER_NOTHING:
        FUZZ_CLAIM(!dir_filter_proven(a, filter, facts, has_all, NULL));
        break;
    case DIR_FILTER_UNSAFE:
        break;
    }
    FUZZ_CLAIM(!expanded && *why.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    unsigned allowed = fuzz_octet(&in) & ALL_FACTS;
    struct span template = fuzz_span(&in);
    struct dir_facts facts;
    struct dir_filter *filter = NULL;
    struct errtext why = {""};
    for (int i = 0; i < DIR_FACT_COUNT; i++)
        facts.values[i] = fuzz_macro(&in);
    if (dir_filter_parse(a, template, allowed, &filter, &why))
        check_filter(a, filter, &facts);
    else
        FUZZ_CLAIM(!filter && *why.text);
    check_escape(a, fuzz_rest(&in));
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
