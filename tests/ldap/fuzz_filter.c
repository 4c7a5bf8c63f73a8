/*
 * fuzz_filter - hostile values in filters, as libldap and a server read them
 *
 * Use: fuzz_filter [COUNT [SEED [URI BASE BIND-DN PASSWORD]]]. COUNT values (200000) go into
 *   templates; what dir_filter makes of them is encoded by libldap, and the BER must be the
 *   template's, with the value octet by octet in its place. With a URI, the first values are stored
 *   in a real directory below BASE, and a filter must find its own entry and no other there.
 * Prints TAP; a failed row shows the seed, the filter and the value in hexadecimal.
 */
#include "dir_filter.h"
#include "login.h"
#include "strbuf.h"
#include "utext.h"

#include <ldap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Exported by libldap, in none of its public headers. */
int ldap_pvt_put_filter(BerElement *ber, const char *text);

enum { VALUE_MAX = 1100, STORED_MAX = 1500 };

static const char *const fact_names[DIR_FACT_COUNT] = {
    "%{login}",       "%{login.local}",  "%{login.domain}", "%{account.dn}",
    "%{client.addr}", "%{cert.subject}", "%{cert.issuer}"};

static const char *const templates[] = {
    "(uid=%{login})",
    "(member=%{account.dn})",
    "(&(objectClass=inetOrgPerson)(|(uid=%{login})(mail=%{login})))",
    "(&(uid=%{login.local})(associatedDomain=%{login.domain})(!(accountStatus=off)))",
    "(mail=smtp:%{login.local}@%{login.domain})",
    "(cn=*%{login}*)",
    "(cn=%{account.dn}*\\2a%{login.local}*\\28%{login.domain}\\29)",
    "(member:1.2.840.113556.1.4.1941:=%{account.dn})",
    "(|(a>=%{login})(b<=%{account.dn})(c~=%{login.local})(d:dn:=%{login})(:e:=%{account.dn}))",
    "(!(|(cn;lang-en=\\00\\ff%{account.dn}\\5c)(2.5.4.3=%%{login}%)(x=*)))",
    "(owner=%{account.dn}%{login}%{account.dn})",
    "(&(uid=%{login})(|(x=%{cert.issuer}|%{cert.subject})(ipHostNumber=%{client.addr})))",
    "(|(&(x=%{cert.subject})(y=%{cert.issuer}*))(!(z=%{client.addr})))",
};

/* ---- TAP ---- */

static unsigned rows, failed, seed = 1;

static void tap(bool ok, const char *name)
{
    failed += !ok;
    printf("%sok %u - %s\n", ok ? "" : "not ", ++rows, name);
    (void)fflush(stdout);
}

static void show(const char *what, struct span text)
{
    printf("# %s:", what);
    for (size_t i = 0; i < text.len; i++)
        printf(" %02x", (unsigned char)text.data[i]);
    putchar('\n');
}

static bool complain(const char *filter, const struct dir_facts *facts)
{
    printf("# seed %u, filter %s\n", seed, filter);
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        show(fact_names[i], span_of(facts->values[i]));
    return false;
}

/* ---- values ---- */

/* xorshift: the same values for the same seed, wherever it runs. */
static uint32_t draw(uint32_t below)
{
    static uint32_t x;
    if (!x)
        x = seed * 2654435761u | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x % below;
}

static const char *const crafted[] = {
    "*",
    "(",
    ")",
    "\\",
    "**",
    "\\2a",
    "\\2A",
    "\\00",
    "\\",
    "\\5c2a",
    "*)(uid=*",
    ")(|(uid=*",
    "x))(|(mail=*",
    "admin)(!(uid=x)",
    "alice)(objectClass=*)",
    "*)(&",
    "*))%00",
    "a)(b:=c",
    ")(member:1.2.840.113556.1.4.1941:=*",
    "%{login}",
    "%{account.dn}",
    "%{login.local}*",
    "%s%n",
    "%2a",
    "uid=ann,dc=example,dc=net",
    "cn=a\\,b\\2C (c)*,dc=d",
    "=",
    "=*",
    ">=",
    "<=",
    "~=",
    ":=",
    ":dn:=",
    "&",
    "|",
    "!",
    "(&)",
    "(|)",
    "(!(a=b))",
    "alice",
    "ALICE",
    "ann@example.net",
    "\xEF\xBC\x8A",
    "\xEF\xBC\x88",
    "\xEF\xBC\x89",
    "\xC0\xAA",
    "\xE0\x80\xAA",
    "\xC3\xBC",
    "\xE2\x84\xAA",
    "\xC2\xAD",
    "\xE2\x80\x8D",
    "\xED\xA0\x80",
    "\xF0\x9F\x98\x80",
    "\xFF\xFE",
    "a",
    "0",
    "#04",
    "\"",
    "'",
    ";",
    ",",
    "+",
    "<",
    ">",
    " ",
    "  ",
    "\t",
    "\r\n",
    "\x7F",
};

/* Adds less than VALUE_MAX octets, none of them NUL. */
typedef void add_fn(struct strbuf *b);

static void add_crafted(struct strbuf *b)
{
    strbuf_add_str(b, crafted[draw(sizeof crafted / sizeof crafted[0])]);
}

static void add_special(struct strbuf *b)
{
    static const char special[] = "*()\\*()\\&|!=<>~:;%{}/,+\"#'abc2a5C";
    strbuf_add_char(b, special[draw(sizeof special - 1)]);
}

static void add_octet(struct strbuf *b)
{
    strbuf_add_char(b, (char)(1 + draw(255)));
}

static void add_printable(struct strbuf *b)
{
    strbuf_add_char(b, (char)('!' + draw(94)));
}

/* Two to four octets of well-formed UTF-8: any code point, most of them letters of the BMP. */
static void add_utf8(struct strbuf *b)
{
    uint32_t c = draw(8) ? 0xA0 + draw(0x2500) : 0x80 + draw(0x110000 - 0x80);
    if (c >= 0xD800 && c < 0xE000)
        c -= 0x1000;
    if (c < 0x800) {
        strbuf_add_char(b, (char)(0xC0 | c >> 6));
    } else if (c < 0x10000) {
        strbuf_add_char(b, (char)(0xE0 | c >> 12));
        strbuf_add_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
    } else {
        strbuf_add_char(b, (char)(0xF0 | c >> 18));
        strbuf_add_char(b, (char)(0x80 | (c >> 12 & 0x3F)));
        strbuf_add_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    strbuf_add_char(b, (char)(0x80 | (c & 0x3F)));
}

/* A few of one kind or of all, one value in 16 long; the bounds are beyond what is searched. */
static const char *draw_value(struct arena *a)
{
    static add_fn *const kinds[] = {add_crafted, add_special, add_octet, add_printable, add_utf8};
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    struct strbuf b;
    strbuf_init(&b, a);
    uint32_t kind = draw(KINDS + 1), size = draw(16) ? 1 + draw(12) : 1 + draw(VALUE_MAX);
    for (uint32_t i = 0; i < size && b.len < VALUE_MAX; i++)
        kinds[kind < KINDS ? kind : draw(KINDS)](&b);
    return b.text;
}

static struct dir_facts draw_facts(struct arena *a)
{
    struct dir_facts facts;
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        facts.values[i] = draw_value(a);
    return facts;
}

/* Why a value may be refused, by the rules that the header names and not by its code. */
static bool may_be_refused(size_t fact, struct span value)
{
    if (fact == DIR_FACT_ACCOUNT_DN)
        return value.len > DIR_FILTER_VALUE_MAX;
    if (fact == DIR_FACT_CERT_SUBJECT || fact == DIR_FACT_CERT_ISSUER)
        return value.len > DIR_FILTER_VALUE_MAX || span_trim(value).len < value.len ||
               !utext_check(value, UTEXT_ASCII_SPACE, NULL);
    return value.len > LOGIN_MAX || !utext_check(value, UTEXT_NOTHING, NULL);
}

static bool names(const char *template, size_t fact)
{
    return strstr(template, fact_names[fact]) != NULL;
}

static bool refusal_is_right(const char *template, const struct dir_facts *facts)
{
    for (size_t i = 0; i < DIR_FACT_COUNT; i++)
        if (names(template, i) && may_be_refused(i, span_of(facts->values[i])))
            return true;
    return false;
}

/* ---- BER ---- */

/* A filter as libldap encodes it; empty where it does not. */
static struct span encode(struct arena *a, const char *filter)
{
    struct berval flat = {0};
    struct span out = {"", 0};
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    if (!ber)
        abort();
    if (ldap_pvt_put_filter(ber, filter) == 0 && ber_flatten2(ber, &flat, 0) == 0)
        out = span_make(arena_copy(a, span_make(flat.bv_val, flat.bv_len)), flat.bv_len);
    ber_free(ber, 1);
    return out;
}

struct element {
    unsigned char tag;
    struct span content;
};

/* Takes the first element off; false where there is none that is whole. */
static bool next_element(struct span *in, struct element *out)
{
    size_t at = 2, len;
    if (in->len < 2)
        return false;
    len = (unsigned char)in->data[1];
    if (len & 0x80)
        for (size_t more = len & 0x7F, i = len = 0; i < more; i++) {
            if (at == in->len)
                return false;
            len = len << 8 | (unsigned char)in->data[at++];
        }
    if (len > in->len - at)
        return false;
    *out = (struct element){(unsigned char)in->data[0], span_sub(*in, at, len)};
    *in = span_sub(*in, at + len, in->len);
    return true;
}

static bool is_marker(struct span text, size_t fact)
{
    return text.len > 1 && text.data[0] == '\x01' && text.data[1] == (char)('0' + (int)fact);
}

/* What the octets of the reference are with the facts in their places. */
static struct span with_facts(struct arena *a, struct span reference, const struct dir_facts *facts)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < reference.len; i++) {
        size_t fact = 0;
        while (fact < DIR_FACT_COUNT && !is_marker(span_sub(reference, i, 2), fact))
            fact++;
        if (fact == DIR_FACT_COUNT) {
            strbuf_add_char(&b, reference.data[i]);
            continue;
        }
        strbuf_add_str(&b, facts->values[fact]);
        i++;
    }
    return strbuf_span(&b);
}

/* The same tags in the same nesting, and every string octet by octet. */
static bool same_ber(struct arena *a, struct span got, struct span reference,
                     const struct dir_facts *facts)
{
    struct element one, other;
    while (reference.len) {
        if (!next_element(&got, &one) || !next_element(&reference, &other) || one.tag != other.tag)
            return false;
        bool same = one.tag & 0x20 ? same_ber(a, one.content, other.content, facts)
                                   : span_equal(one.content, with_facts(a, other.content, facts));
        if (!same)
            return false;
    }
    return got.len == 0;
}

/* ---- templates ---- */

static const char *replaced(struct arena *a, const char *text, const char *const values[])
{
    struct strbuf b;
    strbuf_init(&b, a);
    while (*text) {
        size_t fact = 0;
        while (fact < DIR_FACT_COUNT &&
               strncmp(text, fact_names[fact], strlen(fact_names[fact])) != 0)
            fact++;
        if (fact == DIR_FACT_COUNT) {
            strbuf_add_char(&b, *text++);
            continue;
        }
        strbuf_add_str(&b, values[fact]);
        text += strlen(fact_names[fact]);
    }
    return b.text;
}

/* The template's own encoding, a marker for every placeholder: dir_filter takes no part in it. */
static struct span encode_reference(struct arena *a, const char *template)
{
    static const char *const markers[DIR_FACT_COUNT] = {"\x01"
                                                        "0",
                                                        "\x01"
                                                        "1",
                                                        "\x01"
                                                        "2",
                                                        "\x01"
                                                        "3",
                                                        "\x01"
                                                        "4",
                                                        "\x01"
                                                        "5",
                                                        "\x01"
                                                        "6"};
    return encode(a, replaced(a, template, markers));
}

struct target {
    const char *template;
    struct dir_filter *filter;
    struct span reference;
};

static bool prepare(struct arena *a, const char *template, struct target *out)
{
    struct errtext why;
    *out = (struct target){.template = template, .reference = encode_reference(a, template)};
    if (dir_filter_parse(a, span_of(template), DIR_FACT_BIT(DIR_FACT_COUNT) - 1, &out->filter,
                         &why))
        return out->reference.len > 0;
    printf("# %s\n", why.text);
    return false;
}

/* ---- against libldap ---- */

static bool try_facts(struct arena *a, const struct target *target, const struct dir_facts *facts,
                      unsigned *searched)
{
    const char *out = NULL;
    switch (dir_filter_expand(a, target->filter, facts, &out, NULL)) {
    case DIR_FILTER_UNSAFE:
        return refusal_is_right(target->template, facts) || complain(target->template, facts);
    case DIR_FILTER_NOTHING:
        return complain(target->template, facts);
    case DIR_FILTER_OK:
        break;
    }
    ++*searched;
    return same_ber(a, encode(a, out), target->reference, facts) || complain(out, facts);
}

/* The crafted values first, then random ones. */
static struct dir_facts nth_facts(struct arena *a, unsigned n)
{
    struct dir_facts facts = draw_facts(a);
    for (size_t i = 0; i < DIR_FACT_COUNT && n < sizeof crafted / sizeof crafted[0]; i++)
        facts.values[i] = crafted[n];
    return facts;
}

static bool fuzz_template(const struct target *target, unsigned count)
{
    struct arena *a = arena_create();
    bool ok = true;
    unsigned searched = 0;
    for (unsigned i = 0; i < count && ok; i++) {
        struct dir_facts facts = nth_facts(a, i);
        ok = try_facts(a, target, &facts, &searched);
        arena_reset(a);
    }
    arena_destroy(a);
    printf("# %u values, %u of them searched: %s\n", count, searched, target->template);
    return ok && searched > count / 20;
}

static void fuzz(unsigned count)
{
    enum { TEMPLATES = sizeof templates / sizeof templates[0] };
    for (size_t i = 0; i < TEMPLATES; i++) {
        struct arena *a = arena_create();
        struct target target;
        bool ok = prepare(a, templates[i], &target) &&
                  fuzz_template(&target, (count + TEMPLATES - 1) / TEMPLATES);
        tap(ok, arena_printf(a, "libldap reads template and values: %s", templates[i]));
        arena_destroy(a);
    }
}

/* That the comparison sees what it is there for. */
static void test_naive(void)
{
    static const char *const naive[] = {"*", "a*", "x)(uid=*", "x))(|(uid=*", "\\2a", "\\61"};
    struct arena *a = arena_create();
    struct target target;
    bool ok = prepare(a, "(&(objectClass=person)(uid=%{login}))", &target);
    for (size_t i = 0; ok && i < sizeof naive / sizeof naive[0]; i++) {
        struct dir_facts facts = {{naive[i], "", "", "", "", "", ""}};
        ok = !same_ber(a, encode(a, replaced(a, target.template, facts.values)), target.reference,
                       &facts);
    }
    tap(ok, "a value that is not escaped is told apart");
    arena_destroy(a);
}

/* ---- against a server ---- */

struct server {
    LDAP *ld;
    const char *base;
    struct arena *arena;
    struct dir_filter *octets; /* compared octet by octet */
    struct dir_filter *login;  /* compared without case and more */
};

static bool done(int status, const char *what)
{
    if (status != LDAP_SUCCESS)
        printf("# %s: %s\n", what, ldap_err2string(status));
    return status == LDAP_SUCCESS;
}

static bool connect_server(struct server *s, const char *uri, const char *bind_dn, char *password)
{
    int version = LDAP_VERSION3;
    struct berval secret = {strlen(password), password};
    return done(ldap_initialize(&s->ld, uri), uri) &&
           ldap_set_option(s->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
           done(ldap_sasl_bind_s(s->ld, bind_dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL),
                "bind");
}

static char *entry_dn(const struct server *s, unsigned n)
{
    return arena_printf(s->arena, "cn=fuzz-%ld-%u,%s", (long)getpid(), n, s->base);
}

static LDAPMod make_attribute(const struct server *s, const char *name, const char *value,
                              struct berval *values[2])
{
    values[0] = arena_alloc(s->arena, sizeof **values);
    *values[0] = (struct berval){strlen(value), arena_strdup(s->arena, value)};
    values[1] = NULL;
    return (LDAPMod){.mod_op = LDAP_MOD_ADD | LDAP_MOD_BVALUES,
                     .mod_type = arena_strdup(s->arena, name),
                     .mod_vals.modv_bvals = values};
}

/* uid is compared as a directory compares logins, userPassword octet by octet. */
static bool add_entry(const struct server *s, unsigned n, const char *value, bool login)
{
    enum { ATTRIBUTES = 5 };
    const char *const pairs[ATTRIBUTES][2] = {
        {"objectClass", "inetOrgPerson"},
        {"sn", "fuzz"},
        {"cn", arena_printf(s->arena, "fuzz-%ld-%u", (long)getpid(), n)},
        {"userPassword", value},
        {"uid", value}};
    LDAPMod mods[ATTRIBUTES], *list[ATTRIBUTES + 1] = {NULL};
    struct berval *values[ATTRIBUTES][2];
    for (size_t i = 0; i < (login ? ATTRIBUTES : ATTRIBUTES - 1); i++) {
        mods[i] = make_attribute(s, pairs[i][0], pairs[i][1], values[i]);
        list[i] = &mods[i];
    }
    return done(ldap_add_ext_s(s->ld, entry_dn(s, n), list, NULL, NULL), "add");
}

/* One entry that was found, as dir_filter_proven() asks it. */
struct found {
    LDAP *ld;
    LDAPMessage *entry;
};

static bool found_has(void *context, const char *attribute, const char *value, bool exact)
{
    (void)exact;
    struct found *found = context;
    bool has = false;
    struct berval **values = ldap_get_values_len(found->ld, found->entry, attribute);
    for (size_t i = 0; values && values[i]; i++)
        if (span_equal(span_make(values[i]->bv_val, values[i]->bv_len), span_of(value)))
            has = true;
    ldap_value_free_len(values);
    return has;
}

struct hits {
    unsigned all, proven;
    bool own; /* the entry that was asked for is among the proven */
};

static void count_hit(const struct server *s, LDAPMessage *entry, const struct dir_filter *filter,
                      const struct dir_facts *facts, const char *dn, struct hits *hits)
{
    struct found found = {s->ld, entry};
    char *got = ldap_get_dn(s->ld, entry);
    hits->all++;
    if (dir_filter_proven(s->arena, filter, facts, found_has, &found)) {
        hits->proven++;
        hits->own = hits->own || (got && strcmp(got, dn) == 0);
    }
    ldap_memfree(got);
}

static bool search(const struct server *s, const struct dir_filter *filter,
                   const struct dir_facts *facts, const char *dn, struct hits *hits)
{
    const char *text = NULL;
    LDAPMessage *result = NULL;
    *hits = (struct hits){0};
    if (dir_filter_expand(s->arena, filter, facts, &text, NULL) != DIR_FILTER_OK)
        return complain("not expanded", facts);
    bool ok = done(ldap_search_ext_s(s->ld, s->base, LDAP_SCOPE_ONELEVEL, text, NULL, 0, NULL, NULL,
                                     NULL, 0, &result),
                   text);
    for (LDAPMessage *entry = ldap_first_entry(s->ld, result); ok && entry;
         entry = ldap_next_entry(s->ld, entry))
        count_hit(s, entry, filter, facts, dn, hits);
    ldap_msgfree(result);
    return ok || complain(text, facts);
}

/* Exactly one entry has these octets, and exactly one of those with such a login proves it. */
static bool find_entry(const struct server *s, unsigned n, const char *value, bool login)
{
    const struct dir_facts facts = {{value, value, value, value}};
    const char *dn = entry_dn(s, n);
    struct hits hits;
    if (!search(s, s->octets, &facts, dn, &hits))
        return false;
    if (hits.all != 1 || !hits.own)
        return complain("userPassword: not the one entry", &facts);
    if (!login)
        return true;
    if (!search(s, s->login, &facts, dn, &hits))
        return false;
    return (hits.proven == 1 && hits.own) || complain("uid: not the one entry", &facts);
}

struct stored {
    const char *value;
    bool login;
};

static bool is_stored(const struct stored *stored, unsigned count, const char *value)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(stored[i].value, value) == 0)
            return true;
    return false;
}

/* Values that are searched at all, each once. */
static unsigned choose(struct arena *a, struct stored *out, unsigned max)
{
    unsigned count = 0;
    for (unsigned i = 0; count < max; i++) {
        const char *value = nth_facts(a, i).values[0];
        if (may_be_refused(DIR_FACT_ACCOUNT_DN, span_of(value)) || is_stored(out, count, value))
            continue;
        out[count++] = (struct stored){value, !may_be_refused(DIR_FACT_LOGIN, span_of(value))};
    }
    return count;
}

/* Values that stand in no entry, though a fold, a star or a bracket away from one. */
static bool find_nothing(const struct server *s, const struct stored *stored, unsigned count)
{
    struct hits hits;
    bool ok = true;
    for (unsigned i = 0; i < count && ok; i++) {
        const char *value = arena_printf(s->arena, "%s*", stored[i].value);
        const struct dir_facts facts = {{value, value, value, value}};
        if (!is_stored(stored, count, value) && strlen(value) <= DIR_FILTER_VALUE_MAX)
            ok = search(s, s->octets, &facts, "", &hits) &&
                 (hits.all == 0 || complain("userPassword: an entry for nobody", &facts));
    }
    return ok;
}

static void delete_entries(const struct server *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)ldap_delete_ext_s(s->ld, entry_dn(s, i), NULL, NULL);
}

static void play_server(const struct server *s, unsigned max)
{
    struct stored stored[STORED_MAX];
    unsigned count = choose(s->arena, stored, max), added = 0, found = 0, logins = 0;
    while (added < count && add_entry(s, added, stored[added].value, stored[added].login))
        added++;
    tap(added == count, "the server takes every value");
    while (found < added && find_entry(s, found, stored[found].value, stored[found].login))
        logins += stored[found++].login;
    printf("# %u entries found by their octets, %u of them by their login\n", found, logins);
    tap(found == count && logins > 0, "a value finds its own entry and no other");
    tap(find_nothing(s, stored, count), "a star behind a value finds nothing");
    delete_entries(s, added);
}

static void test_server(unsigned count, char **argv)
{
    struct server s = {.base = argv[1], .arena = arena_create()};
    bool ok = dir_filter_parse(s.arena, span_of("(userPassword=%{account.dn})"),
                               DIR_FACT_BIT(DIR_FACT_ACCOUNT_DN), &s.octets, NULL) &&
              dir_filter_parse(s.arena, span_of("(uid=%{login})"), DIR_FACT_BIT(DIR_FACT_LOGIN),
                               &s.login, NULL) &&
              connect_server(&s, argv[0], argv[2], argv[3]);
    tap(ok, "the server is there");
    if (ok)
        play_server(&s, count < STORED_MAX ? count : STORED_MAX);
    if (s.ld)
        ldap_unbind_ext_s(s.ld, NULL, NULL);
    arena_destroy(s.arena);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 200000;
    if (argc > 2)
        seed = (unsigned)strtoul(argv[2], NULL, 10);
    if (!count || (argc > 3 && argc != 7)) {
        (void)fprintf(stderr, "usage: fuzz_filter [COUNT [SEED [URI BASE BIND-DN PASSWORD]]]\n");
        return 64;
    }
    test_naive();
    fuzz(count);
    if (argc == 7)
        test_server(count, argv + 3);
    printf("1..%u\n", rows);
    return failed ? 1 : 0;
}
