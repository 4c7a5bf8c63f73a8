#include "addr.h"
#include "exact.h"
#include "rows.h"
#include "texts.h"

#define LABEL_9   "abcdefghi."
#define LABELS_90 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9
#define DOMAIN_189                                                                                 \
    LABELS_90 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 LABEL_9 "abcdefghi"

static const struct addr_rules folding = {.fold_local_part = true};
static const struct addr_rules as_written = {0};
static const struct addr_rules stripping = {.fold_local_part = true, .strip_routes = true};

struct parse_row {
    const char *name;
    struct span text;
    enum addr_status want;
    const char *key; /* for ADDR_OK and ADDR_BARE */
    const char *local;
    const struct addr_rules *rules; /* NULL for folding */
};

/* What is the same with and without brackets, as macro and as typed. */
static const struct parse_row plain_rows[] = {
    {"plain", TEXT("alice@example.com"), ADDR_OK, "alice@example.com", "alice", NULL},
    {"case", TEXT("Alice@Example.COM"), ADDR_OK, "alice@example.com", "Alice", NULL},
    {"local part not folded", TEXT("Alice@Example.COM"), ADDR_OK, "Alice@example.com", "Alice",
     &as_written},
    {"only ASCII is folded", TEXT("JÜRGEN@example.com"), ADDR_OK, "jÜrgen@example.com", "JÜRGEN",
     NULL},
    {"every atext", TEXT("!#$%&'*+-/=?^_`{|}~@example.com"), ADDR_OK,
     "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", NULL},
    {"dots", TEXT("a.b.c@d.example"), ADDR_OK, "a.b.c@d.example", "a.b.c", NULL},
    {"needless quotes", TEXT("\"alice\"@example.com"), ADDR_OK, "alice@example.com", "alice", NULL},
    {"needless backslash in quotes", TEXT("\"al\\ice\"@example.com"), ADDR_OK, "alice@example.com",
     "alice", NULL},
    {"quoted space", TEXT("\"a b\"@example.com"), ADDR_OK, "\"a b\"@example.com", "a b", NULL},
    {"quoted trailing space", TEXT("\"a \"@example.com"), ADDR_OK, "\"a \"@example.com", "a ",
     NULL},
    {"quoted empty", TEXT("\"\"@example.com"), ADDR_OK, "\"\"@example.com", "", NULL},
    {"quoted quote", TEXT("\"a\\\"b\"@example.com"), ADDR_OK, "\"a\\\"b\"@example.com", "a\"b",
     NULL},
    {"quoted backslash", TEXT("\"a\\\\b\"@example.com"), ADDR_OK, "\"a\\\\b\"@example.com", "a\\b",
     NULL},
    {"quoted at", TEXT("\"a@b\"@example.com"), ADDR_OK, "\"a@b\"@example.com", "a@b", NULL},
    {"quoted brackets", TEXT("\"<a>\"@example.com"), ADDR_OK, "\"<a>\"@example.com", "<a>", NULL},
    {"quoted dots that need quotes", TEXT("\".a..b.\"@example.com"), ADDR_OK,
     "\".a..b.\"@example.com", ".a..b.", NULL},
    {"UTF-8", TEXT("用户@bücher.example"), ADDR_OK, "用户@xn--bcher-kva.example", "用户", NULL},
    {"IPv4 literal", TEXT("a@[192.0.2.1]"), ADDR_OK, "a@[192.0.2.1]", "a", NULL},
    {"IPv6 literal", TEXT("a@[IPv6:2001:DB8:0:0::1]"), ADDR_OK, "a@[ipv6:2001:db8::1]", "a", NULL},
    {"IPv6 literal, tag in lower case", TEXT("a@[ipv6:::1]"), ADDR_OK, "a@[ipv6:::1]", "a", NULL},
    {"bare", TEXT("Alice"), ADDR_BARE, "alice", "Alice", NULL},
    {"bare, quoted", TEXT("\"a b\""), ADDR_BARE, "\"a b\"", "a b", NULL},
    {"bare bang path", TEXT("bank.example!victim"), ADDR_BARE, "bank.example!victim",
     "bank.example!victim", NULL},
    {"local part of 64", TEXT(X64 "@example.com"), ADDR_OK, X64 "@example.com", X64, NULL},
    {"local part of 65", TEXT(X64 "x@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"quoted local part of 64", TEXT("\"" X64 "\"@example.com"), ADDR_OK, X64 "@example.com", X64,
     NULL},
    {"quoted local part of 65", TEXT("\"" X64 "x\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"64 are counted without backslashes", TEXT("\"\\x" X63 "\"@example.com"), ADDR_OK,
     X64 "@example.com", X64, NULL},
    {"path of 254", TEXT(X64 "@" DOMAIN_189), ADDR_OK, X64 "@" DOMAIN_189, X64, NULL},
    {"path of 255", TEXT(X64 "@x" DOMAIN_189), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path of 254 that grows by quoting", TEXT("\"" X63 " \"@" DOMAIN_189), ADDR_MALFORMED, NULL,
     NULL, NULL},
    {"empty", TEXT(""), ADDR_MALFORMED, NULL, NULL, NULL},
    {"only at", TEXT("@"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"no local part", TEXT("@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"no domain", TEXT("alice@"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"two at", TEXT("a@b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"leading dot", TEXT(".a@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"trailing dot", TEXT("a.@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"trailing dot, bare", TEXT("a."), ADDR_MALFORMED, NULL, NULL, NULL},
    {"two dots", TEXT("a..b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"domain with trailing dot", TEXT("a@example.com."), ADDR_MALFORMED, NULL, NULL, NULL},
    {"open quote", TEXT("\"a@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"only a quote", TEXT("\""), ADDR_MALFORMED, NULL, NULL, NULL},
    {"ends in a backslash", TEXT("\"a\\"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"closing quote escaped", TEXT("\"a\\\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"text behind the quotes", TEXT("\"a\"b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"obsolete local part", TEXT("\"a\".\"b\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"backslash outside quotes", TEXT("a\\b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"space", TEXT("a b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"space before at", TEXT("a @example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"comment", TEXT("a(x)@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"list", TEXT("a@example.com,b@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"group", TEXT("g:a@example.com;"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"brackets inside", TEXT("al<ice@exam>ple.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"LF in quotes", TEXT("\"a\nb\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"escaped LF in quotes", TEXT("\"a\\\nb\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"tab in quotes", TEXT("\"a\tb\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"NUL", TEXT("alice\0@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"NUL in quotes", TEXT("\"a\0\"@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"NUL at the end", TEXT("a@example.com\0"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"no-break space in quotes", TEXT("\"a\xC2\xA0\"@example.com"), ADDR_MALFORMED, NULL, NULL,
     NULL},
    {"decomposed local part", TEXT("ju\xCC\x88rgen@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"Latin-1", TEXT("j\xFCrgen@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: empty", TEXT("a@[]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: only a bracket", TEXT("a@["), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: open", TEXT("a@[192.0.2.1"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: text behind", TEXT("a@[192.0.2.1]x"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: second domain behind", TEXT("a@[192.0.2.1]@example.com"), ADDR_MALFORMED, NULL, NULL,
     NULL},
    {"literal: a name", TEXT("a@[example.com]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: number too large", TEXT("a@[192.0.2.256]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: leading zero", TEXT("a@[192.0.2.01]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: IPv6 without tag", TEXT("a@[2001:db8::1]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: unknown tag", TEXT("a@[x400:1]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: NUL", TEXT("a@[192.0.2.1\0]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: blank", TEXT("a@[ 192.0.2.1]"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"literal: over-long", TEXT("a@[" X100 "]"), ADDR_MALFORMED, NULL, NULL, NULL},
};

static void check_result(const struct parse_row *row, enum addr_status status,
                         const struct addr *addr, const struct errtext *why)
{
    assert_int_equal(status, row->want);
    if (row->key) {
        assert_string_equal(addr->key, row->key);
        assert_string_equal(addr->local, row->local);
        assert_int_equal(*addr->domain == '\0', status == ADDR_BARE);
    } else {
        assert_null(addr->key);
    }
    assert_int_equal(*why->text != '\0', status == ADDR_MALFORMED);
}

typedef enum addr_status parse_fn(struct arena *, const struct addr_rules *, struct span,
                                  struct addr *, struct errtext *);

static void parse(const struct parse_row *row, struct span text, parse_fn *fn)
{
    struct arena *a = arena_create();
    struct addr addr = {0};
    struct errtext why = {""};
    struct exact exact = exact_copy(text);
    enum addr_status status = fn(a, row->rules ? row->rules : &folding, exact.text, &addr, &why);
    exact_free(&exact);
    check_result(row, status, &addr, &why);
    arena_destroy(a);
}

static void run_plain(void **state)
{
    const struct parse_row *row = *state;
    char bracketed[512];
    parse(row, row->text, addr_parse);
    parse(row, row->text, addr_parse_path);
    if (!row->text.len)
        return; /* <> means something of its own */
    bracketed[0] = '<';
    memcpy(bracketed + 1, row->text.data, row->text.len);
    bracketed[row->text.len + 1] = '>';
    parse(row, span_make(bracketed, row->text.len + 2), addr_parse_path);
}

static const struct parse_row path_rows[] = {
    {"path: null", TEXT("<>"), ADDR_NULL, NULL, NULL, NULL},
    {"path: one bracket", TEXT("<"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: closing bracket", TEXT(">"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: null with a blank", TEXT("< >"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: null with a blank before", TEXT(" <>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: null with a blank behind", TEXT("<> "), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: null twice", TEXT("<<>>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: quoted nothing is not null", TEXT("<\"\">"), ADDR_BARE, "\"\"", "", NULL},
    {"path: not opened", TEXT("a@example.com>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: not closed", TEXT("<a@example.com"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: text behind", TEXT("<a@example.com> x"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: two", TEXT("<a@example.com><b@example.com>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: list", TEXT("<a@example.com>,<b@example.com>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: phrase", TEXT("Alice <a@example.com>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: phrase inside", TEXT("<Alice <a@example.com>>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: blanks inside", TEXT("< a@example.com >"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: LF behind", TEXT("<a@example.com\n>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: route refused", TEXT("<@x.example:a@example.com>"), ADDR_MALFORMED, NULL, NULL, NULL},
    {"path: route stripped", TEXT("<@x.example:a@example.com>"), ADDR_OK, "a@example.com", "a",
     &stripping},
    {"path: route of two", TEXT("<@x.example,@y.example:a@example.com>"), ADDR_OK, "a@example.com",
     "a", &stripping},
    {"path: route through literals", TEXT("<@[IPv6:::1],@[192.0.2.1]:a@example.com>"), ADDR_OK,
     "a@example.com", "a", &stripping},
    {"path: route without brackets", TEXT("@x.example:a@example.com"), ADDR_MALFORMED, NULL, NULL,
     &stripping},
    {"path: route only", TEXT("<@x.example>"), ADDR_MALFORMED, NULL, NULL, &stripping},
    {"path: route to nobody", TEXT("<@x.example:>"), ADDR_MALFORMED, NULL, NULL, &stripping},
    {"path: route to a bare name", TEXT("<@x.example:a>"), ADDR_MALFORMED, NULL, NULL, &stripping},
    {"path: route with an empty hop", TEXT("<@x.example,:a@example.com>"), ADDR_MALFORMED, NULL,
     NULL, &stripping},
    {"path: route with a bad hop", TEXT("<@x..example:a@example.com>"), ADDR_MALFORMED, NULL, NULL,
     &stripping},
    {"path: route with a missing at", TEXT("<@x.example,y.example:a@example.com>"), ADDR_MALFORMED,
     NULL, NULL, &stripping},
    {"path: route with an open literal", TEXT("<@[192.0.2.1:a@example.com>"), ADDR_MALFORMED, NULL,
     NULL, &stripping},
    {"path: route with text behind a literal", TEXT("<@[192.0.2.1]x:a@example.com>"),
     ADDR_MALFORMED, NULL, NULL, &stripping},
    {"path: route twice", TEXT("<@x.example:@y.example:a@example.com>"), ADDR_MALFORMED, NULL, NULL,
     &stripping},
};

static void run_path(void **state)
{
    const struct parse_row *row = *state;
    parse(row, row->text, addr_parse_path);
}

struct make_row {
    const char *name;
    struct span local, domain;
    enum addr_status want;
    const char *key;
};

static const struct make_row make_rows[] = {
    {"make: plain", TEXT("Alice"), TEXT("Example.com"), ADDR_OK, "alice@example.com"},
    {"make: what needs quotes gets them", TEXT("a \"b\\"), TEXT("x.example"), ADDR_OK,
     "\"a \\\"b\\\\\"@x.example"},
    {"make: literal", TEXT("a"), TEXT("[192.0.2.1]"), ADDR_OK, "a@[192.0.2.1]"},
    {"make: no domain", TEXT("a"), TEXT(""), ADDR_MALFORMED, NULL},
    {"make: control", TEXT("a\n"), TEXT("x.example"), ADDR_MALFORMED, NULL},
};

static void run_make(void **state)
{
    const struct make_row *row = *state;
    struct arena *a = arena_create();
    struct addr addr = {0};
    struct exact local = exact_copy(row->local), domain = exact_copy(row->domain);
    assert_int_equal(addr_make(a, &folding, local.text, domain.text, &addr, NULL), row->want);
    if (row->key)
        assert_string_equal(addr.key, row->key);
    exact_free(&local);
    exact_free(&domain);
    arena_destroy(a);
}

static const struct addr_alias aliases[] = {{"alias.example", "real.example"},
                                            {"other.example", "real.example"}};

struct variants_row {
    const char *name, *text, *delimiters;
    const char *want[ADDR_VARIANTS_MAX];
};

static const struct variants_row variants_rows[] = {
    {"variants: itself", "a@x.example", "+", {"a@x.example"}},
    {"variants: tag", "Ann+Tag@x.example", "+", {"ann+tag@x.example", "ann@x.example"}},
    {"variants: alias", "a@alias.example", "+", {"a@alias.example", "a@real.example"}},
    {"variants: second alias", "a@other.example", "", {"a@other.example", "a@real.example"}},
    {"variants: alias and tag",
     "a+t@alias.example",
     "+",
     {"a+t@alias.example", "a+t@real.example", "a@alias.example", "a@real.example"}},
    {"variants: no delimiter set", "a+t@x.example", NULL, {"a+t@x.example"}},
    {"variants: the first of several delimiters",
     "a-b+c@x.example",
     "+-",
     {"a-b+c@x.example", "a@x.example"}},
    {"variants: delimiter first is no tag", "+t@x.example", "+", {"+t@x.example"}},
    {"variants: second delimiter after a leading one",
     "+a+t@x.example",
     "+",
     {"+a+t@x.example", "+a@x.example"}},
    {"variants: empty tag", "a+@x.example", "+", {"a+@x.example", "a@x.example"}},
    {"variants: what needs quotes has no tag", "\"a b+c\"@x.example", "+", {"\"a b+c\"@x.example"}},
    {"variants: needless quotes", "\"a+c\"@x.example", "+", {"a+c@x.example", "a@x.example"}},
    {"variants: bare", "a+t", "+", {"a+t", "a"}},
};

static void run_variants(void **state)
{
    const struct variants_row *row = *state;
    const struct addr_rules rules = {.fold_local_part = true,
                                     .delimiters = row->delimiters,
                                     .aliases = aliases,
                                     .alias_count = 2};
    struct arena *a = arena_create();
    struct addr addr, out[ADDR_VARIANTS_MAX];
    enum addr_status status = addr_parse(a, &rules, span_of(row->text), &addr, NULL);
    assert_true(status == ADDR_OK || status == ADDR_BARE);
    size_t count = addr_variants(a, &rules, &addr, out);
    for (size_t i = 0; i < ADDR_VARIANTS_MAX; i++) {
        assert_int_equal(i < count, row->want[i] != NULL);
        if (row->want[i])
            assert_string_equal(out[i].key, row->want[i]);
    }
    arena_destroy(a);
}

struct pair_row {
    const char *name, *a, *b;
    bool equal, same_mailbox;
};

static const struct pair_row pair_rows[] = {
    {"pair: the same", "a@x.example", "a@x.example", true, true},
    {"pair: case", "A@x.example", "a@X.example", false, true},
    {"pair: needless quoting", "\"a\"@x.example", "a@x.example", true, true},
    {"pair: the MTA added the domain", "a", "a@x.example", false, true},
    {"pair: the MTA took it off", "a@x.example", "A", false, true},
    {"pair: both bare", "a", "A", false, true},
    {"pair: other domain", "a@x.example", "a@y.example", false, false},
    {"pair: other name", "a@x.example", "b@x.example", false, false},
    {"pair: prefix", "a@x.example", "ab@x.example", false, false},
    {"pair: no Unicode folding", "ü@x.example", "Ü@x.example", false, false},
    {"pair: quoted space counts", "\"a \"@x.example", "a@x.example", false, false},
    {"pair: U-label", "a@bücher.example", "a@xn--bcher-kva.example", true, true},
    {"pair: literals", "a@[IPv6:0:0::1]", "a@[ipv6:::1]", true, true},
};

static void run_pair(void **state)
{
    const struct pair_row *row = *state;
    struct arena *arena = arena_create();
    struct addr a, b;
    assert_int_not_equal(addr_parse(arena, &as_written, span_of(row->a), &a, NULL), ADDR_MALFORMED);
    assert_int_not_equal(addr_parse(arena, &as_written, span_of(row->b), &b, NULL), ADDR_MALFORMED);
    assert_int_equal(addr_equal(&a, &b), row->equal);
    assert_int_equal(addr_same_mailbox(&a, &b), row->same_mailbox);
    arena_destroy(arena);
}

static void test_atext(void **state)
{
    (void)state;
    int count = 0;
    for (int c = 0; c < 0x80; c++)
        count += addr_is_atext((char)c);
    assert_int_equal(count, 26 + 26 + 10 + 19);
    assert_false(addr_is_atext('\0'));
    assert_true(addr_is_atext((char)0x80));
    assert_true(addr_is_atext((char)0xFF));
}

int main(void)
{
    ROWS_ADD(plain_rows, run_plain);
    ROWS_ADD(path_rows, run_path);
    ROWS_ADD(make_rows, run_make);
    ROWS_ADD(variants_rows, run_variants);
    ROWS_ADD(pair_rows, run_pair);
    ROWS_ADD_TEST("atext is 81 characters of ASCII and all beyond", test_atext);
    return rows_main();
}
