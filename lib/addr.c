#include "addr.h"
#include "strbuf.h"
#include "utext.h"

#include <arpa/inet.h>
#include <string.h>

/* A local part in which every octet stands with a backslash, quotes around it. */
enum { LOCAL_WRITTEN_MAX = 2 * ADDR_LOCAL_MAX + 2 };

bool addr_is_atext(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static enum addr_status malformed(struct errtext *why, const char *what)
{
    errtext_set(why, "%s", what);
    return ADDR_MALFORMED;
}

/* Dot-string = Atom *("." Atom); gives how far it reaches from the start of text, 0 for nowhere. */
static size_t dot_string_end(struct span text)
{
    size_t i = 0;
    while (i < text.len && addr_is_atext(text.data[i])) {
        while (i < text.len && addr_is_atext(text.data[i]))
            i++;
        if (i + 1 >= text.len || text.data[i] != '.' || !addr_is_atext(text.data[i + 1]))
            break;
        i++;
    }
    return i;
}

static bool is_dot_string(struct span text)
{
    return text.len > 0 && dot_string_end(text) == text.len;
}

/* ---- the normal form ---- */

static void add_local(struct strbuf *b, const struct addr_rules *rules, struct span local)
{
    bool quoted = !is_dot_string(local);
    if (quoted)
        strbuf_add_char(b, '"');
    for (size_t i = 0; i < local.len; i++) {
        char c = local.data[i];
        if (c == '"' || c == '\\')
            strbuf_add_char(b, '\\');
        strbuf_add_char(b, rules->fold_local_part ? ascii_lower(c) : c);
    }
    if (quoted)
        strbuf_add_char(b, '"');
}

static const char *make_key(struct arena *a, const struct addr_rules *rules, struct span local,
                            const char *domain)
{
    struct strbuf b;
    strbuf_init(&b, a);
    add_local(&b, rules, local);
    if (*domain) {
        strbuf_add_char(&b, '@');
        strbuf_add_str(&b, domain);
    }
    return b.text;
}

/* ---- checks of the parts ---- */

static bool check_local(struct span local, struct errtext *why)
{
    if (local.len > ADDR_LOCAL_MAX) {
        errtext_set(why, "the local part is over %d octets", ADDR_LOCAL_MAX);
        return false;
    }
    struct errtext inner;
    if (utext_check(local, UTEXT_ASCII_SPACE, &inner))
        return true;
    errtext_set(why, "the local part %s", inner.text);
    return false;
}

/* address-literal = "[" ( IPv4 / "IPv6:" IPv6 ) "]" (RFC 5321 section 4.1.3); a General-address-
 * literal has no registered tag. inner stands without the brackets. */
static bool read_literal(struct arena *a, struct span inner, const char **out, struct errtext *why)
{
    static const char tag[] = "IPv6:";
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    bool six = span_starts_nocase(inner, tag);
    if (six)
        inner = span_sub(inner, sizeof tag - 1, inner.len);
    int family = six ? AF_INET6 : AF_INET;
    /* A NUL inside would hide what follows it from inet_pton(). */
    if (span_find(inner, '\0') != inner.len || inner.len >= sizeof text ||
        inet_pton(family, arena_copy(a, inner), address) != 1 ||
        !inet_ntop(family, address, text, sizeof text)) {
        errtext_set(why, "the domain literal holds no IP address");
        return false;
    }
    *out = arena_printf(a, "[%s%s]", six ? "ipv6:" : "", text);
    return true;
}

static bool read_domain(struct arena *a, struct span domain, const char **out, struct errtext *why)
{
    if (!domain.len) {
        errtext_set(why, "the domain is missing");
        return false;
    }
    if (domain.data[0] != '[')
        return utext_domain(a, domain, out, why);
    if (domain.data[domain.len - 1] == ']')
        return read_literal(a, span_sub(domain, 1, domain.len - 2), out, why);
    errtext_set(why, "the domain literal has no closing bracket");
    return false;
}

static bool put_addr(struct arena *a, const struct addr_rules *rules, struct span local,
                     const char *domain, struct addr *out, struct errtext *why)
{
    if (!check_local(local, why))
        return false;
    const char *key = make_key(a, rules, local, domain);
    if (strlen(key) > ADDR_PATH_MAX) {
        errtext_set(why, "the address is over %d octets", ADDR_PATH_MAX);
        return false;
    }
    *out = (struct addr){.local = arena_copy(a, local), .domain = domain, .key = key};
    return true;
}

enum addr_status addr_make(struct arena *a, const struct addr_rules *rules, struct span local,
                           struct span domain, struct addr *out, struct errtext *why)
{
    const char *alabels = NULL;
    if (read_domain(a, domain, &alabels, why) && put_addr(a, rules, local, alabels, out, why))
        return ADDR_OK;
    return ADDR_MALFORMED;
}

/* ---- the grammar ---- */

/* Quoted-string = DQUOTE *( qtext / "\" any ) DQUOTE at the start of text. What any may be is for
 * check_local(), which sees the local part without its backslashes. Gives the length, 0 if
 * ill-formed. */
static size_t read_quoted(struct arena *a, struct span text, struct span *local_out)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 1; i < text.len && i < LOCAL_WRITTEN_MAX; i++) {
        if (text.data[i] == '"') {
            *local_out = strbuf_span(&b);
            return i + 1;
        }
        if (text.data[i] == '\\' && ++i == text.len)
            break;
        strbuf_add_char(&b, text.data[i]);
    }
    return 0;
}

/* Local-part = Dot-string / Quoted-string; gives its length as written, 0 if ill-formed. */
static size_t read_local(struct arena *a, struct span text, struct span *local_out)
{
    if (text.len && text.data[0] == '"')
        return read_quoted(a, text, local_out);
    size_t end = dot_string_end(text);
    *local_out = span_sub(text, 0, end);
    return end;
}

enum addr_status addr_parse(struct arena *a, const struct addr_rules *rules, struct span text,
                            struct addr *out, struct errtext *why)
{
    struct span local;
    if (text.len > ADDR_PATH_MAX)
        return malformed(why, "the address is too long");
    size_t end = read_local(a, text, &local);
    if (!end)
        return malformed(why, "the local part is missing or badly quoted");
    if (end == text.len)
        return put_addr(a, rules, local, "", out, why) ? ADDR_BARE : ADDR_MALFORMED;
    if (text.data[end] != '@')
        return malformed(why, "the local part holds what may only stand in quotes");
    return addr_make(a, rules, local, span_sub(text, end + 1, text.len), out, why);
}

/* "@" Domain at the start of text; gives its length, 0 if ill-formed. */
static size_t route_hop_end(struct arena *a, struct span text)
{
    if (!text.len || text.data[0] != '@')
        return 0;
    bool literal = text.len > 1 && text.data[1] == '[';
    size_t end = 1;
    while (end < text.len &&
           (literal ? text.data[end - 1] != ']' : text.data[end] != ',' && text.data[end] != ':'))
        end++;
    const char *domain = NULL;
    return read_domain(a, span_sub(text, 1, end - 1), &domain, NULL) ? end : 0;
}

/* A-d-l ":" = At-domain *( "," At-domain ) ":"; gives its length, 0 if ill-formed. */
static size_t route_end(struct arena *a, struct span text)
{
    size_t at = 0;
    for (;;) {
        size_t hop = route_hop_end(a, span_sub(text, at, text.len));
        at += hop;
        if (!hop || at == text.len)
            return 0;
        if (text.data[at] == ':')
            return at + 1;
        if (text.data[at] != ',')
            return 0;
        at++;
    }
}

static enum addr_status parse_routed(struct arena *a, const struct addr_rules *rules,
                                     struct span text, struct addr *out, struct errtext *why)
{
    size_t end = rules->strip_routes ? route_end(a, text) : 0;
    if (!end)
        return malformed(why, rules->strip_routes ? "the source route is ill-formed"
                                                  : "the path has a source route or no local part");
    struct addr found;
    enum addr_status status = addr_parse(a, rules, span_sub(text, end, text.len), &found, why);
    if (status == ADDR_BARE)
        return malformed(why, "the address after the source route has no domain");
    if (status == ADDR_OK)
        *out = found;
    return status;
}

enum addr_status addr_parse_path(struct arena *a, const struct addr_rules *rules, struct span text,
                                 struct addr *out, struct errtext *why)
{
    if (span_equal(text, span_of("<>")))
        return ADDR_NULL;
    if (!text.len || text.data[0] != '<')
        return addr_parse(a, rules, text, out, why);
    if (text.data[text.len - 1] != '>')
        return malformed(why, "the path does not end with its angle bracket");
    struct span inner = span_sub(text, 1, text.len - 2);
    if (inner.len > ADDR_PATH_MAX)
        return malformed(why, "the path is too long");
    if (inner.len && inner.data[0] == '@')
        return parse_routed(a, rules, inner, out, why);
    return addr_parse(a, rules, inner, out, why);
}

/* ---- comparing ---- */

static const char *real_domain(const struct addr_rules *rules, const char *domain)
{
    for (size_t i = 0; i < rules->alias_count; i++)
        if (strcmp(rules->aliases[i].alias, domain) == 0)
            return rules->aliases[i].domain;
    return domain;
}

/* What needs quotes is read in more than one way: "ann+ceo@x.org x"@example.com is no tag of ann.
 */
static struct span without_tag(const struct addr_rules *rules, struct span local)
{
    if (!rules->delimiters || !is_dot_string(local))
        return local;
    for (size_t i = 1; i < local.len; i++)
        if (strchr(rules->delimiters, local.data[i]))
            return span_sub(local, 0, i);
    return local;
}

size_t addr_variants(struct arena *a, const struct addr_rules *rules, const struct addr *addr,
                     struct addr out[ADDR_VARIANTS_MAX])
{
    size_t count = 0;
    out[count++] = *addr;
    const char *domain = real_domain(rules, addr->domain);
    if (domain != addr->domain)
        out[count++] = (struct addr){
            .local = addr->local,
            .domain = domain,
            .key = make_key(a, rules, span_of(addr->local), domain),
        };
    struct span whole = span_of(addr->local), local = without_tag(rules, whole);
    if (local.len == whole.len)
        return count;
    for (size_t i = 0, written = count; i < written; i++)
        out[count++] = (struct addr){
            .local = arena_copy(a, local),
            .domain = out[i].domain,
            .key = make_key(a, rules, local, out[i].domain),
        };
    return count;
}

const char *addr_written(struct arena *a, const struct addr *addr)
{
    static const struct addr_rules as_it_is = {.fold_local_part = false};
    return make_key(a, &as_it_is, span_of(addr->local), addr->domain);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return strcmp(a->key, b->key) == 0;
}

bool addr_same_mailbox(const struct addr *a, const struct addr *b)
{
    return span_equal_nocase(span_of(a->local), span_of(b->local)) &&
           (!*a->domain || !*b->domain || strcmp(a->domain, b->domain) == 0);
}
