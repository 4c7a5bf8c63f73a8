#include "authres.h"
#include "strbuf.h"
#include "utext.h"

#include <assert.h>
#include <string.h>

enum { KNOWN_VERSION = 1, VERSION_DIGITS = 9, MECHANISM_MAX = 64 };

struct parser {
    struct arena *arena;
    struct span value;
    size_t at;
    size_t prop_count; /* of all results */
    bool spaced;       /* what skip_cfws() skipped last was not nothing */
};

/* ---- characters ---- */

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Everything visible, characters beyond ASCII included (RFC 6532). */
static bool is_visible(char c)
{
    return c != ' ' && !ascii_is_control(c);
}

/* token (RFC 2045 section 5.1), beyond ASCII too. */
static bool is_token(char c)
{
    return is_visible(c) && !strchr("()<>@,;:\\\"/[]?=", c);
}

static bool is_unquoted(char c)
{
    return is_visible(c) && !strchr("();\"\\,", c);
}

static bool is_keyword(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-';
}

/* A line end without a fold ends the field for some readers. */
static bool check_octets(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        char next = i + 1 < value.len ? value.data[i + 1] : '\0';
        bool fold = c == '\n' && (next == ' ' || next == '\t');
        if (ascii_is_control(c) && c != '\t' && !fold)
            return false;
    }
    return true;
}

static char *lower(struct arena *a, struct span text)
{
    char *copy = arena_copy(a, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = ascii_lower(copy[i]);
    return copy;
}

/* ---- comments ---- */

/* How a reader takes comments apart: RFC 5322 has all but the last two. */
enum {
    READS_NESTED = 1,  /* "(" in a comment begins another one */
    READS_ESCAPES = 2, /* a backslash takes the next character with it */
    READS_JOINED = 4,  /* a comment is taken away before words are told apart */
    READS_ALL = 8,     /* how many ways that makes */
    READS_BOUNDED = 8, /* not too deep, and no control character counts as white space */
    READS_RFC = READS_NESTED | READS_ESCAPES,
};

/* Offset behind the comment that begins at start, 0 where it has no end or is nested too deep. */
static size_t comment_end(struct span v, size_t start, unsigned reads)
{
    unsigned depth = 0;
    for (size_t i = start; i < v.len; i++) {
        char c = v.data[i];
        bool opens = c == '(' && (i == start || (reads & READS_NESTED));
        if (opens && ++depth > AUTHRES_COMMENT_DEPTH && (reads & READS_BOUNDED))
            return 0;
        if (c == ')' && --depth == 0)
            return i + 1;
        if (c == '\\' && (reads & READS_ESCAPES))
            i++;
    }
    return 0;
}

static bool is_skipped(char c, unsigned reads)
{
    return is_white(c) || (ascii_is_control(c) && !(reads & READS_BOUNDED));
}

/* CFWS = (1*([FWS] comment) [FWS]) / FWS, or nothing; gives the offset behind it. A comment without
 * an end is left standing. */
static size_t cfws_end(struct span v, size_t at, unsigned reads)
{
    for (;;) {
        while (at < v.len && is_skipped(v.data[at], reads))
            at++;
        size_t end = at < v.len && v.data[at] == '(' ? comment_end(v, at, reads) : 0;
        if (!end)
            return at;
        at = end;
    }
}

static void skip_cfws(struct parser *p)
{
    size_t start = p->at;
    p->at = cfws_end(p->value, start, READS_RFC | READS_BOUNDED);
    p->spaced = p->at > start;
}

/* ---- tokens ---- */

static bool at_end(const struct parser *p)
{
    return p->at == p->value.len;
}

static bool is_next(const struct parser *p, char c)
{
    return !at_end(p) && p->value.data[p->at] == c;
}

static bool take(struct parser *p, char c)
{
    bool there = is_next(p, c);
    p->at += there;
    return there;
}

/* [CFWS] c [CFWS] */
static bool take_between(struct parser *p, char c)
{
    skip_cfws(p);
    if (!take(p, c))
        return false;
    skip_cfws(p);
    return true;
}

static struct span take_run(struct parser *p, bool (*is_part)(char c))
{
    size_t start = p->at;
    while (!at_end(p) && is_part(p->value.data[p->at]))
        p->at++;
    return span_sub(p->value, start, p->at - start);
}

/* Keyword = Ldh-str (RFC 5321 section 4.1.2). */
static bool take_keyword(struct parser *p, const char **out)
{
    struct span word = take_run(p, is_keyword);
    if (!word.len || word.data[word.len - 1] == '-')
        return false;
    *out = lower(p->arena, word);
    return true;
}

/* version = 1*DIGIT */
static bool take_version(struct parser *p, unsigned *out)
{
    struct span digits = take_run(p, ascii_is_digit);
    if (!digits.len || digits.len > VERSION_DIGITS)
        return false;
    unsigned version = 0;
    for (size_t i = 0; i < digits.len; i++)
        version = 10 * version + (unsigned)(digits.data[i] - '0');
    *out = version;
    return true;
}

/* quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE, without what folded it. */
static bool take_quoted(struct parser *p, const char **out)
{
    struct strbuf text;
    strbuf_init(&text, p->arena);
    for (p->at++; !at_end(p) && !is_next(p, '"'); p->at++) {
        bool escaped = take(p, '\\');
        if (escaped && (at_end(p) || is_next(p, '\n')))
            return false;
        if (!is_next(p, '\n'))
            strbuf_add_char(&text, p->value.data[p->at]);
    }
    *out = text.text;
    return take(p, '"');
}

/* value = token / quoted-string (RFC 2045 section 5.1) */
static bool take_value(struct parser *p, const char **out)
{
    if (is_next(p, '"'))
        return take_quoted(p, out);
    struct span token = take_run(p, is_token);
    *out = arena_copy(p->arena, token);
    return token.len > 0;
}

/* pvalue = value / [ [ local-part ] "@" ] domain-name, or what else stands unquoted. A local part
 * in quotes keeps them. */
static bool take_pvalue(struct parser *p, const char **out)
{
    size_t start = p->at;
    bool quoted = is_next(p, '"');
    if (quoted && !take_quoted(p, out))
        return false;
    if (quoted && !is_next(p, '@'))
        return true;
    (void)take_run(p, is_unquoted);
    *out = arena_copy(p->arena, span_sub(p->value, start, p->at - start));
    return p->at > start;
}

/* ---- the grammar ---- */

/* An array of count items with room for one more: it doubles where it is full. */
static void *with_room(struct arena *a, void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items;
    void *more = arena_array(a, count ? 2 * count : 1, size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

static const char *domain_in(struct arena *a, const char *value)
{
    static const struct addr_rules as_written = {.fold_local_part = false};
    struct span text = span_of(value);
    const char *domain = NULL;
    struct addr addr;
    if (*value == '@')
        text = span_sub(text, 1, text.len);
    else if (addr_parse(a, &as_written, text, &addr, NULL) == ADDR_OK)
        text = span_of(addr.domain);
    return utext_domain(a, text, &domain, NULL) ? domain : NULL;
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue; the ptype is read already. */
static bool read_prop(struct parser *p, const char *ptype, struct authres_result *r)
{
    struct authres_prop prop = {.ptype = ptype};
    if (p->prop_count++ == AUTHRES_PROPS_MAX || !take_between(p, '.') ||
        !take_keyword(p, &prop.property) || !take_between(p, '=') || !take_pvalue(p, &prop.value))
        return false;
    prop.domain = domain_in(p->arena, prop.value);
    r->props = with_room(p->arena, r->props, r->prop_count, sizeof prop);
    r->props[r->prop_count++] = prop;
    return true;
}

/* methodspec = method [ [CFWS] "/" [CFWS] version ] [CFWS] "=" [CFWS] result; the method is read
 * already. */
static bool read_result_of(struct parser *p, struct authres_result *r)
{
    r->version = KNOWN_VERSION;
    if (take_between(p, '/') && !take_version(p, &r->version))
        return false;
    return take_between(p, '=') && take_keyword(p, &r->result);
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value, before all properties. */
static bool read_reason_or_prop(struct parser *p, struct authres_result *r)
{
    const char *word;
    if (!take_keyword(p, &word))
        return false;
    bool reason = strcmp(word, "reason") == 0 && !r->reason && !r->prop_count;
    if (reason && take_between(p, '='))
        return take_value(p, &r->reason);
    return read_prop(p, word, r);
}

/* resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]; the method is read
 * already. */
static bool read_result(struct parser *p, const char *method, struct authres *out)
{
    struct authres_result r = {.method = method};
    if (out->count == AUTHRES_RESULTS_MAX || !read_result_of(p, &r))
        return false;
    for (skip_cfws(p); !at_end(p) && !is_next(p, ';'); skip_cfws(p))
        if ((!p->spaced && !r.prop_count) || !read_reason_or_prop(p, &r))
            return false;
    out->results = with_room(p->arena, out->results, out->count, sizeof r);
    out->results[out->count++] = r;
    return true;
}

/* no-result = [CFWS] ";" [CFWS] "none" */
static bool is_none(struct parser *p, const char *word)
{
    skip_cfws(p);
    return strcmp(word, "none") == 0 && at_end(p);
}

static bool read_results(struct parser *p, struct authres *out)
{
    do {
        const char *word;
        if (!take_between(p, ';') || !take_keyword(p, &word))
            return false;
        if (!out->count && is_none(p, word))
            return true;
        if (!read_result(p, word, out))
            return false;
    } while (!at_end(p));
    return true;
}

/* ---- the id ---- */

static const char *id_form(struct arena *a, struct span text)
{
    const char *domain = NULL;
    text = span_trim(text);
    if (text.len > 1 && text.data[text.len - 1] == '.')
        text.len--;
    if (utext_domain(a, text, &domain, NULL))
        return domain;
    return text.len ? lower(a, text) : NULL;
}

/* Quotes without an end are taken for open up to the next ";". */
static const char *loose_quoted(struct parser *p)
{
    const char *text = NULL;
    size_t start = p->at;
    if (take_quoted(p, &text))
        return text;
    struct span rest = span_sub(p->value, start + 1, p->value.len);
    return arena_copy(p->arena, span_sub(rest, 0, span_find(rest, ';')));
}

/* A word up to what cannot stand in a token. */
static const char *loose_word(struct parser *p, unsigned reads)
{
    struct strbuf word;
    strbuf_init(&word, p->arena);
    for (;;) {
        strbuf_add(&word, take_run(p, is_token));
        size_t end =
            is_next(p, '(') && (reads & READS_JOINED) ? comment_end(p->value, p->at, reads) : 0;
        if (!end)
            return word.text;
        p->at = end;
    }
}

static const char *loose_id(struct arena *a, struct span value, unsigned reads)
{
    struct parser p = {.arena = a, .value = value, .at = cfws_end(value, 0, reads)};
    return id_form(a, span_of(is_next(&p, '"') ? loose_quoted(&p) : loose_word(&p, reads)));
}

const char *authres_id(struct arena *a, struct span value)
{
    return loose_id(a, value, READS_RFC);
}

bool authres_claims(struct arena *a, struct span value, const char *id)
{
    for (unsigned reads = 0; reads < READS_ALL; reads++) {
        const char *found = loose_id(a, value, reads);
        if (found && strcmp(found, id) == 0)
            return true;
    }
    return false;
}

/* [CFWS] authserv-id [ CFWS version ] */
static bool read_id(struct parser *p, struct authres *out)
{
    const char *id;
    skip_cfws(p);
    if (!take_value(p, &id))
        return false;
    out->authserv_id = id_form(p->arena, span_of(id));
    out->version = KNOWN_VERSION;
    skip_cfws(p);
    bool versioned = p->spaced && !at_end(p) && ascii_is_digit(p->value.data[p->at]);
    return out->authserv_id && (!versioned || take_version(p, &out->version));
}

enum authres_status authres_parse(struct arena *a, struct span value, struct authres *out)
{
    struct parser p = {.arena = a, .value = value};
    struct authres found = {.authserv_id = NULL};
    if (check_octets(value) && read_id(&p, &found) && read_results(&p, &found)) {
        *out = found;
        return AUTHRES_OK;
    }
    *out = (struct authres){.authserv_id = authres_id(a, value)};
    return AUTHRES_MALFORMED;
}

/* ---- asking ---- */

/* The only property of that name; *count says how many there are. */
static const struct authres_prop *find_prop(const struct authres_result *r, const char *ptype,
                                            const char *property, size_t *count)
{
    const struct authres_prop *found = NULL;
    *count = 0;
    for (size_t i = 0; i < r->prop_count; i++) {
        const struct authres_prop *prop = &r->props[i];
        if (strcmp(prop->ptype, ptype) != 0 || strcmp(prop->property, property) != 0)
            continue;
        found = prop;
        ++*count;
    }
    return *count == 1 ? found : NULL;
}

static bool prop_is(const struct authres_result *r, const char *ptype, const char *property,
                    const char *domain)
{
    size_t count;
    const struct authres_prop *prop = find_prop(r, ptype, property, &count);
    return prop && prop->domain && strcmp(prop->domain, domain) == 0;
}

/* A signature of a parent domain speaks for the domains below; one of a top level for nobody. */
static bool covers(const char *signer, const char *domain)
{
    if (strcmp(signer, domain) == 0)
        return true;
    size_t signer_len = strlen(signer), len = strlen(domain);
    return strchr(signer, '.') && len > signer_len && domain[len - signer_len - 1] == '.' &&
           strcmp(domain + len - signer_len, signer) == 0;
}

/* header.d is a domain, header.i an address or "@domain" of it or below it. */
static bool is_signed_for(const struct authres_result *r, const char *domain)
{
    size_t count;
    const struct authres_prop *prop = find_prop(r, "header", "d", &count);
    if (prop && strchr(prop->value, '@'))
        return false;
    if (!count)
        prop = find_prop(r, "header", "i", &count);
    return prop && prop->domain && covers(prop->domain, domain);
}

static bool result_passes(const struct authres_result *r, const char *domain)
{
    if (r->version != KNOWN_VERSION || strcmp(r->result, "pass") != 0)
        return false;
    if (strcmp(r->method, "spf") == 0)
        return prop_is(r, "smtp", "mailfrom", domain);
    if (strcmp(r->method, "dmarc") == 0)
        return prop_is(r, "header", "from", domain);
    return strcmp(r->method, "dkim") == 0 && is_signed_for(r, domain);
}

bool authres_passes(const struct authres *r, const char *domain)
{
    if (r->version != KNOWN_VERSION)
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (result_passes(&r->results[i], domain))
            return true;
    return false;
}

/* ---- writing ---- */

static char *printable(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);
    for (char *c = copy; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return copy;
}

static bool is_run_of(struct span text, bool (*is_part)(char c))
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_part(text.data[i]))
            return false;
    return text.len > 0;
}

/* What every reader takes for the same: letters, digits and what is common in addresses. */
static bool is_harmless(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("-_+.", c));
}

static bool is_mechanism(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* A token, or local-part "@" domain-name. */
static bool needs_no_quotes(struct arena *a, struct span text)
{
    static const struct addr_rules as_written = {.fold_local_part = false};
    struct addr addr;
    size_t at = span_find(text, '@');
    bool harmless = is_run_of(span_sub(text, 0, at), is_harmless);
    if (at == text.len)
        return harmless;
    return harmless && is_run_of(span_sub(text, at + 1, text.len), is_harmless) &&
           addr_parse(a, &as_written, text, &addr, NULL) == ADDR_OK && strchr(addr.domain, '.');
}

static void add_value(struct strbuf *out, const char *raw)
{
    const char *text = printable(out->arena, raw);
    if (needs_no_quotes(out->arena, span_of(text))) {
        strbuf_add_str(out, text);
        return;
    }
    strbuf_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '"');
}

static void add_mechanism(struct strbuf *out, struct span mechanism)
{
    if (mechanism.len <= MECHANISM_MAX && is_run_of(mechanism, is_mechanism))
        strbuf_printf(out, " (%s)", lower(out->arena, mechanism));
}

const char *authres_write(struct arena *a, const char *authserv_id, const char *mechanism,
                          const char *login)
{
    assert(strlen(authserv_id) <= AUTHRES_ID_MAX);
    struct strbuf out;
    strbuf_init(&out, a);
    add_value(&out, authserv_id);
    strbuf_add_str(&out, "; auth=pass");
    add_mechanism(&out, span_of(mechanism));
    size_t without_login = out.len;
    strbuf_add_str(&out, " smtp.auth=");
    add_value(&out, login);
    if (out.len > AUTHRES_WRITE_MAX)
        return arena_copy(a, span_sub(strbuf_span(&out), 0, without_login));
    return out.text;
}
