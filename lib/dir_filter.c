#include "dir_filter.h"
#include "login.h"
#include "strbuf.h"
#include "utext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

static const char *const fact_names[DIR_FACT_COUNT] = {
    [DIR_FACT_LOGIN] = "login",
    [DIR_FACT_LOGIN_LOCAL] = "login.local",
    [DIR_FACT_LOGIN_DOMAIN] = "login.domain",
    [DIR_FACT_ACCOUNT_DN] = "account.dn",
    [DIR_FACT_CLIENT_ADDR] = "client.addr",
    [DIR_FACT_CERT_SUBJECT] = "cert.subject",
    [DIR_FACT_CERT_ISSUER] = "cert.issuer",
};

/* What is asked about one address, and whose filters may. */
static const struct {
    const char *name, *strategies;
} other_names[] = {
    {"claim", "strategies owners and query"},
    {"claim.local", "strategies owners and query"},
    {"claim.domain", "strategies owners and query"},
    {"sender", "strategy query"},
    {"rcpt", "strategy query"},
    {"rcpt.local", "strategy query"},
    {"rcpt.domain", "strategy query"},
};

/* A server's folding must not make one of them another. */
static const unsigned proven_facts = DIR_FACTS_LOGIN | DIR_FACTS_CERT;

/* ---- the tree ---- */

enum piece_kind { PIECE_LITERAL, PIECE_FACT, PIECE_STAR };

/* A part of a value. */
struct piece {
    struct piece *next;
    enum piece_kind kind;
    enum dir_fact fact;
    struct span literal; /* escapes undone */
};

enum match {
    MATCH_EQUALITY,
    MATCH_SUBSTRING, /* or presence: the value has a star */
    MATCH_OTHER,
};

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_TERM };

struct node {
    enum node_kind kind;
    struct node *next;     /* in the group around it */
    struct node *first;    /* of a group: what stands in it */
    struct span head;      /* of a term: what stands before the value, as written */
    const char *attribute; /* without options; NULL where a rule stands alone */
    enum match match;
    unsigned facts; /* that the value names */
    struct piece *value;
};

struct dir_filter {
    const struct node *root;
    unsigned facts; /* that any value names */
};

/* "%{login}, %{account.dn}" */
static const char *list_facts(struct arena *a, unsigned facts)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        if (facts & DIR_FACT_BIT(i))
            strbuf_printf(&b, "%s%%{%s}", b.len ? ", " : "", fact_names[i]);
    return b.text;
}

/* ---- reading: the input and what is wrong with it ---- */

enum { EXCERPT_MAX = 24 }; /* octets of the template that a complaint quotes */

struct parser {
    struct arena *arena;
    struct span text; /* UTF-8 without NUL */
    size_t at;
    unsigned depth; /* open parentheses */
    unsigned allowed;
    unsigned facts; /* named so far */
    struct errtext *why;
};

static struct span rest_of(const struct parser *p)
{
    return span_sub(p->text, p->at, p->text.len);
}

static bool starts(const struct parser *p, const char *prefix)
{
    return span_starts_nocase(rest_of(p), prefix);
}

/* '\0' at the end. */
static char peek(const struct parser *p)
{
    return p->at < p->text.len ? p->text.data[p->at] : '\0';
}

static bool take(struct parser *p, char c)
{
    if (peek(p) != c)
        return false;
    p->at++;
    return true;
}

/* Positions count octets from 1. */
static bool fault(struct parser *p, const char *what)
{
    errtext_set(p->why, "position %zu: %s", p->at + 1, what);
    return false;
}

/* The next few characters, none of them cut. */
static struct span excerpt(const struct parser *p)
{
    struct span rest = rest_of(p), part = span_sub(rest, 0, EXCERPT_MAX);
    while (part.len < rest.len && ((unsigned char)rest.data[part.len] & 0xC0) == 0x80)
        part.len--;
    return part;
}

static bool expected(struct parser *p, const char *what)
{
    char c = peek(p);
    struct span found = excerpt(p);
    if (starts(p, "%{"))
        errtext_set(p->why,
                    "position %zu: a placeholder stands where %s must; it may in values only",
                    p->at + 1, what);
    else if (c == '\0')
        errtext_set(p->why, "it ends too early: %s must follow", what);
    else if (c == ' ' || ascii_is_control(c))
        errtext_set(p->why, "position %zu: white space stands where %s must", p->at + 1, what);
    else
        errtext_set(p->why, "position %zu: '%.*s' stands where %s must", p->at + 1, (int)found.len,
                    found.data, what);
    return false;
}

/* ---- values ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, ascii_lower(c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* escaped = "\" HEX HEX */
static bool read_escaped(struct parser *p, struct strbuf *out)
{
    struct span pair = span_sub(p->text, p->at + 1, 2);
    int high = pair.len == 2 ? hex_digit(pair.data[0]) : -1;
    int low = pair.len == 2 ? hex_digit(pair.data[1]) : -1;
    if (high < 0 || low < 0)
        return fault(p, "two hexadecimal digits must follow '\\'; for itself write '\\5c'");
    strbuf_add_char(out, (char)(high * 16 + low));
    p->at += 3;
    return true;
}

static bool ends_literal(const struct parser *p)
{
    return strchr(")*", peek(p)) || starts(p, "%{"); /* or at the end: '\0' */
}

/* valueencoding = *( normal / escaped ), normal being all but NUL ( ) * \ */
static bool read_literal(struct parser *p, struct piece *out)
{
    struct strbuf b;
    strbuf_init(&b, p->arena);
    while (!ends_literal(p)) {
        if (peek(p) == '(')
            return fault(p, "'(' stands in a value, or ')' is missing before it; a value has it as "
                            "'\\28'");
        if (peek(p) != '\\')
            strbuf_add_char(&b, p->text.data[p->at++]);
        else if (!read_escaped(p, &b))
            return false;
    }
    *out = (struct piece){.kind = PIECE_LITERAL, .literal = strbuf_span(&b)};
    return true;
}

static bool is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '_';
}

/* The name at the start of the text, where a '}' follows it. */
static bool read_name(struct parser *p, struct span *out)
{
    size_t len = 0;
    struct span rest = span_sub(p->text, p->at + 2, p->text.len);
    while (len < rest.len && is_name_char(rest.data[len]))
        len++;
    if (len == rest.len || rest.data[len] != '}')
        return fault(p, "'%{' begins a placeholder, but no '}' follows its name; a value has '%{' "
                        "as '\\25{'");
    *out = span_sub(rest, 0, len);
    return true;
}

static bool unknown_name(struct parser *p, struct span name)
{
    const char *allowed = p->allowed ? list_facts(p->arena, p->allowed) : "none";
    struct span shown = span_sub(name, 0, EXCERPT_MAX);
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        if (!span_equal(name, span_of(other_names[i].name)))
            continue;
        errtext_set(p->why, "position %zu: %%{%s} belongs to the %s, not to account; allowed: %s",
                    p->at + 1, other_names[i].name, other_names[i].strategies, allowed);
        return false;
    }
    errtext_set(p->why, "position %zu: %%{%.*s} is no placeholder of this filter; allowed: %s",
                p->at + 1, (int)shown.len, shown.data, allowed);
    return false;
}

/* "%{" name "}" */
static bool read_placeholder(struct parser *p, struct node *term, struct piece *out)
{
    struct span name;
    if (!read_name(p, &name))
        return false;
    for (size_t i = 0; i < DIR_FACT_COUNT; i++) {
        if (!(p->allowed & DIR_FACT_BIT(i)) || !span_equal(name, span_of(fact_names[i])))
            continue;
        *out = (struct piece){.kind = PIECE_FACT, .fact = (enum dir_fact)i};
        term->facts |= DIR_FACT_BIT(i);
        p->facts |= DIR_FACT_BIT(i);
        p->at += name.len + strlen("%{}");
        return true;
    }
    return unknown_name(p, name);
}

/* present = attr "=*"; substring = attr "=" [initial] any [final], any = "*" *( value "*" ) */
static bool read_star(struct parser *p, struct node *term, struct piece *out)
{
    if (term->match == MATCH_OTHER)
        return fault(p, "'*' may stand behind a plain '=' only; a value has it as '\\2a'");
    if (p->text.data[p->at - 1] == '*')
        return fault(p, "two '*' stand side by side; a value has one as '\\2a'");
    *out = (struct piece){.kind = PIECE_STAR};
    term->match = MATCH_SUBSTRING;
    p->at++;
    return true;
}

static bool read_piece(struct parser *p, struct node *term, struct piece *out)
{
    if (peek(p) == '*')
        return read_star(p, term, out);
    if (starts(p, "%{"))
        return read_placeholder(p, term, out);
    return read_literal(p, out);
}

static bool is_proof(const struct node *term)
{
    return term->match == MATCH_EQUALITY && (term->facts & proven_facts);
}

/* What an entry must prove is a C string. */
static bool check_value(struct parser *p, const struct node *term)
{
    for (const struct piece *piece = term->value; piece && is_proof(term); piece = piece->next)
        if (span_find(piece->literal, '\0') != piece->literal.len)
            return fault(p, arena_printf(p->arena, "a NUL stands in a value with %s",
                                         list_facts(p->arena, term->facts & proven_facts)));
    return true;
}

/* All up to the parenthesis that closes the term. */
static bool read_value(struct parser *p, struct node *term)
{
    struct piece **end = &term->value;
    while (p->at < p->text.len && peek(p) != ')') {
        struct piece piece;
        if (!read_piece(p, term, &piece))
            return false;
        *end = arena_alloc(p->arena, sizeof **end);
        **end = piece;
        end = &(*end)->next;
    }
    return check_value(p, term);
}

/* ---- terms ---- */

static bool is_keychar(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-';
}

/* number = DIGIT / ( LDIGIT 1*DIGIT ) */
static bool read_number(struct parser *p)
{
    if (!ascii_is_digit(peek(p)))
        return expected(p, "a number of the object identifier");
    if (take(p, '0'))
        return true;
    while (ascii_is_digit(peek(p)))
        p->at++;
    return true;
}

/* numericoid = number 1*( "." number ) */
static bool read_numericoid(struct parser *p)
{
    if (!read_number(p))
        return false;
    do {
        if (!take(p, '.'))
            return expected(p, "'.' of the object identifier");
        if (!read_number(p))
            return false;
    } while (peek(p) == '.');
    return true;
}

/* oid = descr / numericoid, descr = ALPHA *( ALPHA / DIGIT / "-" ) (RFC 4512 section 1.4) */
static bool read_oid(struct parser *p, const char *what)
{
    if (ascii_is_digit(peek(p)))
        return read_numericoid(p);
    if (!ascii_is_alpha(peek(p)))
        return expected(p, what);
    while (is_keychar(peek(p)))
        p->at++;
    return true;
}

/* attributedescription = attributetype *( ";" option ), option = 1*keychar (section 2.5) */
static bool read_description(struct parser *p, struct node *term)
{
    size_t start = p->at;
    if (!read_oid(p, "the name of an attribute"))
        return false;
    term->attribute = arena_copy(p->arena, span_sub(p->text, start, p->at - start));
    while (take(p, ';')) {
        if (!is_keychar(peek(p)))
            return expected(p, "an attribute option");
        while (is_keychar(peek(p)))
            p->at++;
    }
    return true;
}

/* extensible = attr [":dn"] [":" oid] ":=" value / [":dn"] ":" oid ":=" value */
static bool read_rule(struct parser *p, const struct node *term)
{
    if (starts(p, ":dn:"))
        p->at += strlen(":dn");
    bool named = !starts(p, ":=");
    if (!named && !term->attribute)
        return fault(p, "an attribute or a matching rule must stand before ':='");
    if (!take(p, ':'))
        return expected(p, "':='");
    if (!named)
        return take(p, '=');
    if (!read_oid(p, "the name of a matching rule"))
        return false;
    return (take(p, ':') && take(p, '=')) || expected(p, "':=' behind the matching rule");
}

/* filtertype = "=" / "~=" / ">=" / "<=", and what an extensible match has before its value */
static bool read_operator(struct parser *p, struct node *term)
{
    if (take(p, '='))
        return true;
    term->match = MATCH_OTHER;
    if (peek(p) == ':')
        return read_rule(p, term);
    if (take(p, '~') || take(p, '>') || take(p, '<'))
        return take(p, '=') || expected(p, "'='");
    return expected(p, "'=', '~=', '>=', '<=' or ':='");
}

/* item = simple / present / substring / extensible */
static bool read_term(struct parser *p, struct node *term)
{
    size_t start = p->at;
    if (peek(p) != ':' && !read_description(p, term))
        return false;
    if (!read_operator(p, term))
        return false;
    term->head =
        span_make(arena_copy(p->arena, span_sub(p->text, start, p->at - start)), p->at - start);
    return read_value(p, term);
}

/* ---- groups ---- */

static const char *const closers[] = {
    [NODE_AND] = "another '(' or ')'",
    [NODE_OR] = "another '(' or ')'",
    [NODE_NOT] = "')' (one filter is all that '!' takes)",
    [NODE_TERM] = "')'",
};

static bool read_filter(struct parser *p, struct node **out);

/* filterlist = 1*filter */
static bool read_list(struct parser *p, struct node *group)
{
    struct node **end = &group->first;
    do {
        if (!read_filter(p, end))
            return false;
        end = &(*end)->next;
    } while (peek(p) == '(');
    return true;
}

/* filtercomp = "&" filterlist / "|" filterlist / "!" filter / item */
static bool read_component(struct parser *p, struct node *node)
{
    node->kind = NODE_TERM;
    if (take(p, '&'))
        node->kind = NODE_AND;
    else if (take(p, '|'))
        node->kind = NODE_OR;
    else if (take(p, '!'))
        node->kind = NODE_NOT;
    switch (node->kind) {
    case NODE_AND:
    case NODE_OR:
        return read_list(p, node);
    case NODE_NOT:
        return read_filter(p, &node->first);
    case NODE_TERM:
        return read_term(p, node);
    }
    return false;
}

/* filter = "(" filtercomp ")" */
static bool read_filter(struct parser *p, struct node **out)
{
    if (peek(p) != '(')
        return expected(p, "'(' of a filter");
    if (p->depth == DIR_FILTER_DEPTH_MAX)
        return fault(p, "the parentheses are nested too deep");
    p->depth++;
    p->at++;
    struct node *node = arena_alloc(p->arena, sizeof *node);
    if (!read_component(p, node))
        return false;
    if (!take(p, ')'))
        return expected(p, closers[node->kind]);
    p->depth--;
    *out = node;
    return true;
}

static bool check_text(struct span text, struct errtext *why)
{
    if (!text.len)
        errtext_set(why, "it is empty");
    else if (text.len > DIR_FILTER_TEXT_MAX)
        errtext_set(why, "it is over %d octets", DIR_FILTER_TEXT_MAX);
    else if (span_find(text, '\0') != text.len)
        errtext_set(why, "it holds a NUL, which a value has as '\\00'");
    else if (!utext_is_utf8(text))
        errtext_set(why, "it is not valid UTF-8; a value has any octet as '\\' and two digits");
    else
        return true;
    return false;
}

bool dir_filter_parse(struct arena *a, struct span text, unsigned allowed, struct dir_filter **out,
                      struct errtext *why)
{
    struct parser p = {.arena = a, .text = text, .allowed = allowed, .why = why};
    struct node *root = NULL;
    if (!check_text(text, why) || !read_filter(&p, &root))
        return false;
    if (p.at < text.len)
        return expected(&p, "the end");
    *out = arena_alloc(a, sizeof **out);
    **out = (struct dir_filter){.root = root, .facts = p.facts};
    return true;
}

unsigned dir_filter_facts(const struct dir_filter *filter)
{
    return filter->facts;
}

/* ---- facts ---- */

static unsigned present_facts(const struct dir_facts *facts)
{
    unsigned present = 0;
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        if (facts->values[i] && *facts->values[i])
            present |= DIR_FACT_BIT(i);
    return present;
}

static bool any_dropped(const struct node *group, unsigned present);
static bool all_dropped(const struct node *group, unsigned present);

/* A dropped term is neither true nor false: whatever would make a filter find more than with the
 * term goes with it. */
static bool is_dropped(const struct node *node, unsigned present)
{
    switch (node->kind) {
    case NODE_AND:
        return any_dropped(node, present);
    case NODE_OR:
    case NODE_NOT:
        return all_dropped(node, present);
    case NODE_TERM:
        return (node->facts & ~present) != 0;
    }
    return true;
}

static bool any_dropped(const struct node *group, unsigned present)
{
    for (const struct node *node = group->first; node; node = node->next)
        if (is_dropped(node, present))
            return true;
    return false;
}

static bool all_dropped(const struct node *group, unsigned present)
{
    for (const struct node *node = group->first; node; node = node->next)
        if (!is_dropped(node, present))
            return false;
    return true;
}

/* Not the characters that RFC 4518 section 2.2 maps to nothing or to a blank, nor any other that no
 * login holds. Where text is not in NFC, its normal form is asked: login_normalise() refuses such a
 * login before, and a directory folds more than that in any case. */
static bool check_characters(struct span value, enum utext_allow allow, struct errtext *why)
{
    size_t len = 0;
    uint8_t *normal = NULL;
    if (utext_is_utf8(value))
        normal = u8_normalize(UNINORM_NFC, (const uint8_t *)value.data, value.len, NULL, &len);
    struct span asked = normal ? span_make((const char *)normal, len) : value;
    bool ok = utext_check(asked, allow, why);
    free(normal);
    return ok;
}

/* A directory compares without the blanks at the ends. */
bool dir_filter_check_text(struct span value, struct errtext *why)
{
    if (span_trim(value).len == value.len)
        return check_characters(value, UTEXT_ASCII_SPACE, why);
    errtext_set(why, "begins or ends with white space");
    return false;
}

static bool check_text_of(enum dir_fact fact, struct span value, struct errtext *why)
{
    if (DIR_FACT_BIT(fact) & DIR_FACTS_CERT)
        return dir_filter_check_text(value, why);
    return fact == DIR_FACT_ACCOUNT_DN || check_characters(value, UTEXT_NOTHING, why);
}

bool dir_filter_check(enum dir_fact fact, const char *value, struct errtext *why)
{
    bool is_name = fact == DIR_FACT_ACCOUNT_DN || (DIR_FACT_BIT(fact) & DIR_FACTS_CERT);
    int max = is_name ? DIR_FILTER_VALUE_MAX : LOGIN_MAX;
    struct span text = span_of(value);
    struct errtext inner;
    if (text.len > (size_t)max) {
        errtext_set(why, "%%{%s} is over %d octets", fact_names[fact], max);
        return false;
    }
    if (check_text_of(fact, text, &inner))
        return true;
    errtext_set(why, "%%{%s} %s", fact_names[fact], inner.text);
    return false;
}

static bool check_facts(const struct dir_facts *facts, unsigned asked, struct errtext *why)
{
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        if ((asked & DIR_FACT_BIT(i)) && !dir_filter_check((enum dir_fact)i, facts->values[i], why))
            return false;
    return true;
}

/* ---- somebody else ---- */

static unsigned facts_in(const struct node *node)
{
    unsigned facts = node->facts;
    for (const struct node *inner = node->first; inner; inner = inner->next)
        facts |= facts_in(inner);
    return facts;
}

/* Whether whatever matches has a term with one of these facts. */
static bool always_names(const struct node *node, unsigned facts)
{
    bool all = true, any = false;
    for (const struct node *inner = node->first; inner; inner = inner->next) {
        bool one = always_names(inner, facts);
        all = all && one;
        any = any || one;
    }
    switch (node->kind) {
    case NODE_AND:
        return any;
    case NODE_OR:
        return all;
    case NODE_NOT:
        return false;
    case NODE_TERM:
        return (node->facts & facts) != 0;
    }
    return false;
}

static struct node *narrow(struct arena *a, const struct node *node, unsigned identity);

static struct node *copy_node(struct arena *a, const struct node *node)
{
    struct node *copy = arena_alloc(a, sizeof *copy);
    *copy = *node;
    copy->next = NULL;
    return copy;
}

/* The alternatives that are left. */
static struct node *narrow_or(struct arena *a, const struct node *group, unsigned identity)
{
    struct node *copy = copy_node(a, group), **end = &copy->first;
    for (const struct node *node = group->first; node; node = node->next) {
        *end = narrow(a, node, identity);
        end = *end ? &(*end)->next : end;
    }
    *end = NULL;
    return copy->first ? copy : NULL;
}

/* Whether a part of the AND names who is asked about: then the others may name whom they like. */
static bool is_named_in(struct arena *a, const struct node *group, unsigned identity)
{
    for (const struct node *node = group->first; node; node = node->next) {
        const struct node *inner = narrow(a, node, identity);
        if (inner && always_names(inner, identity))
            return true;
    }
    return false;
}

static struct node *narrow_and(struct arena *a, const struct node *group, unsigned identity)
{
    bool named = is_named_in(a, group, identity);
    struct node *copy = copy_node(a, group), **end = &copy->first;
    for (const struct node *node = group->first; node; node = node->next) {
        struct node *inner = narrow(a, node, identity);
        if (named && !(inner && always_names(inner, identity)))
            inner = copy_node(a, node);
        if (!inner)
            return NULL;
        *end = inner;
        end = &inner->next;
    }
    return copy;
}

/* A copy without what is about somebody else alone; NULL where that is all of it. */
static struct node *narrow(struct arena *a, const struct node *node, unsigned identity)
{
    unsigned facts = facts_in(node);
    switch (node->kind) {
    case NODE_AND:
        return narrow_and(a, node, identity);
    case NODE_OR:
        return narrow_or(a, node, identity);
    case NODE_NOT:
        return facts & ~identity ? NULL : copy_node(a, node);
    case NODE_TERM:
        return !facts || (facts & identity) ? copy_node(a, node) : NULL;
    }
    return NULL;
}

bool dir_filter_narrow(struct arena *a, const struct dir_filter *filter, unsigned identity,
                       unsigned present, struct dir_filter **out)
{
    struct node *root = narrow(a, filter->root, identity);
    if (!root || !(facts_in(root) & identity) || is_dropped(root, present))
        return false;
    *out = arena_alloc(a, sizeof **out);
    **out = (struct dir_filter){.root = root, .facts = facts_in(root)};
    return true;
}

/* ---- writing ---- */

static bool needs_escape(char c)
{
    return ascii_is_control(c) || (unsigned char)c >= 0x80 || strchr("()*\\", c);
}

static void add_escaped(struct strbuf *b, struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (needs_escape(value.data[i]))
            strbuf_printf(b, "\\%02x", (unsigned char)value.data[i]);
        else
            strbuf_add_char(b, value.data[i]);
}

const char *dir_filter_escape(struct arena *a, struct span value)
{
    struct strbuf b;
    strbuf_init(&b, a);
    add_escaped(&b, value);
    return b.text;
}

const char *dir_filter_any_of(struct arena *a, const char *const *attributes,
                              size_t attribute_count, const char *const *values, size_t value_count)
{
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, "(|");
    for (size_t i = 0; i < attribute_count; i++)
        for (size_t k = 0; k < value_count; k++) {
            strbuf_printf(&b, "(%s=", attributes[i]);
            add_escaped(&b, span_of(values[k]));
            strbuf_add_char(&b, ')');
        }
    strbuf_add_char(&b, ')');
    return b.text;
}

static void add_value(struct strbuf *b, const struct node *term, const struct dir_facts *facts)
{
    for (const struct piece *piece = term->value; piece; piece = piece->next)
        switch (piece->kind) {
        case PIECE_LITERAL:
            add_escaped(b, piece->literal);
            break;
        case PIECE_FACT:
            add_escaped(b, span_of(facts->values[piece->fact]));
            break;
        case PIECE_STAR:
            strbuf_add_char(b, '*');
            break;
        }
}

/* What is not dropped. */
static void add_node(struct strbuf *b, const struct node *node, const struct dir_facts *facts)
{
    static const char *const openers[] = {
        [NODE_AND] = "(&", [NODE_OR] = "(|", [NODE_NOT] = "(!", [NODE_TERM] = "("};
    unsigned present = present_facts(facts);
    strbuf_add_str(b, openers[node->kind]);
    strbuf_add(b, node->head);
    add_value(b, node, facts);
    for (const struct node *inner = node->first; inner; inner = inner->next)
        if (!is_dropped(inner, present))
            add_node(b, inner, facts);
    strbuf_add_char(b, ')');
}

enum dir_filter_status dir_filter_expand(struct arena *a, const struct dir_filter *filter,
                                         const struct dir_facts *facts, const char **out,
                                         struct errtext *why)
{
    unsigned present = present_facts(facts);
    if (!check_facts(facts, filter->facts & present, why))
        return DIR_FILTER_UNSAFE;
    if (is_dropped(filter->root, present)) {
        errtext_set(why, "nothing is left of the filter without %s",
                    list_facts(a, filter->facts & ~present));
        return DIR_FILTER_NOTHING;
    }
    struct strbuf b;
    strbuf_init(&b, a);
    add_node(&b, filter->root, facts);
    *out = b.text;
    return DIR_FILTER_OK;
}

/* ---- proofs ---- */

/* The value as it is asked for, not escaped. */
static const char *plain_value(struct arena *a, const struct node *term,
                               const struct dir_facts *facts)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (const struct piece *piece = term->value; piece; piece = piece->next)
        strbuf_add(&b, piece->kind == PIECE_FACT ? span_of(facts->values[piece->fact])
                                                 : piece->literal);
    return b.text;
}

/* The lists below are filled by a walk of the tree in its order. */
struct walk {
    struct arena *arena;
    const struct dir_facts *facts;
    struct dir_filter_proof *proofs;
    const char **names;
    size_t count;
};

static void walk_proofs(struct walk *w, const struct node *node)
{
    if (node->kind == NODE_NOT || is_dropped(node, present_facts(w->facts)))
        return;
    if (node->kind == NODE_TERM && is_proof(node))
        w->proofs[w->count++] = (struct dir_filter_proof){
            node->attribute, plain_value(w->arena, node, w->facts), node->facts};
    for (const struct node *inner = node->first; inner; inner = inner->next)
        walk_proofs(w, inner);
}

static size_t count_terms(const struct node *node)
{
    size_t count = node->kind == NODE_TERM;
    for (const struct node *inner = node->first; inner; inner = inner->next)
        count += count_terms(inner);
    return count;
}

size_t dir_filter_proofs(struct arena *a, const struct dir_filter *filter,
                         const struct dir_facts *facts, const struct dir_filter_proof **out)
{
    struct walk w = {.arena = a, .facts = facts};
    w.proofs = arena_array(a, count_terms(filter->root), sizeof *w.proofs);
    walk_proofs(&w, filter->root);
    *out = w.proofs;
    return w.count;
}

/* ---- proven ---- */

enum proof {
    PROOF_NONE, /* there is nothing to prove */
    PROOF_GIVEN,
    PROOF_DOUBT, /* something beside who is asked about is not shown */
    PROOF_MISSING,
};

struct prover {
    struct arena *arena;
    const struct dir_facts *facts;
    unsigned present, identity;
    dir_filter_has_fn *has;
    void *context;
};

static enum proof prove(const struct prover *prover, const struct node *node);

static enum proof prove_term(const struct prover *prover, const struct node *term)
{
    if (!is_proof(term))
        return PROOF_NONE;
    const char *value = plain_value(prover->arena, term, prover->facts);
    if (prover->has(prover->context, term->attribute, value, term->facts & DIR_FACTS_CERT))
        return PROOF_GIVEN;
    return term->facts & prover->identity ? PROOF_MISSING : PROOF_DOUBT;
}

/* The heaviest proof in the group settles it, whatever else stands there. */
static enum proof prove_group(const struct prover *prover, const struct node *group,
                              const int weights[])
{
    enum proof found = PROOF_NONE;
    bool any = false;
    for (const struct node *node = group->first; node; node = node->next) {
        if (is_dropped(node, prover->present))
            continue;
        enum proof one = prove(prover, node);
        if (!any || weights[one] > weights[found])
            found = one;
        any = true;
    }
    return found;
}

static enum proof prove(const struct prover *prover, const struct node *node)
{
    static const int of_and[] = {
        [PROOF_NONE] = 0, [PROOF_GIVEN] = 1, [PROOF_DOUBT] = 2, [PROOF_MISSING] = 3};
    static const int of_or[] = {
        [PROOF_DOUBT] = 0, [PROOF_NONE] = 1, [PROOF_MISSING] = 2, [PROOF_GIVEN] = 3};
    switch (node->kind) {
    case NODE_AND:
        return prove_group(prover, node, of_and);
    case NODE_OR:
        return prove_group(prover, node, of_or);
    case NODE_NOT:
        return PROOF_NONE;
    case NODE_TERM:
        return prove_term(prover, node);
    }
    return PROOF_MISSING;
}

bool dir_filter_proven(struct arena *a, const struct dir_filter *filter,
                       const struct dir_facts *facts, dir_filter_has_fn *has, void *context)
{
    unsigned present = present_facts(facts);
    unsigned identity = present & DIR_FACTS_LOGIN ? DIR_FACTS_LOGIN : DIR_FACTS_CERT;
    const struct prover prover = {a, facts, present, identity, has, context};
    if (is_dropped(filter->root, present))
        return false;
    enum proof found = prove(&prover, filter->root);
    return found == PROOF_NONE || found == PROOF_GIVEN;
}

/* ---- names ---- */

static void add_name(struct walk *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++)
        if (span_equal_nocase(span_of(w->names[i]), span_of(name)))
            return;
    w->names[w->count++] = name;
}

static void add_attribute(struct walk *w, const struct node *term)
{
    if (term->attribute)
        add_name(w, term->attribute);
}

static void add_class(struct walk *w, const struct node *term)
{
    bool literal = term->match == MATCH_EQUALITY && !term->facts && term->value;
    if (literal && term->attribute &&
        span_equal_nocase(span_of(term->attribute), span_of("objectClass")))
        add_name(w, term->value->literal.data); /* all of it is this one piece */
}

typedef void add_fn(struct walk *w, const struct node *term);

static void walk_terms(struct walk *w, const struct node *node, add_fn *add)
{
    if (node->kind == NODE_TERM)
        add(w, node);
    for (const struct node *inner = node->first; inner; inner = inner->next)
        walk_terms(w, inner, add);
}

static size_t collect_names(struct arena *a, const struct dir_filter *filter, add_fn *add,
                            const char *const **out)
{
    struct walk w = {.arena = a};
    w.names = arena_array(a, count_terms(filter->root), sizeof *w.names);
    walk_terms(&w, filter->root, add);
    *out = w.names;
    return w.count;
}

size_t dir_filter_attributes(struct arena *a, const struct dir_filter *filter,
                             const char *const **out)
{
    return collect_names(a, filter, add_attribute, out);
}

size_t dir_filter_classes(struct arena *a, const struct dir_filter *filter, const char *const **out)
{
    return collect_names(a, filter, add_class, out);
}
