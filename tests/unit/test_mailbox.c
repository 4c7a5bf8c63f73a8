/* mailbox: one reading of From and Sender, or none. */
#include "exact.h"
#include "mailbox.h"
#include "rows.h"
#include "strbuf.h"
#include "texts.h"
#include "utext.h"

static const struct addr_rules folding = {.fold_local_part = true};
static const struct addr_rules as_written = {0};
/* What no rule may make of a From: none of these says how the field is read. */
static const struct addr_alias aliases[] = {{"old.example", "example.com"}};
static const struct addr_rules generous = {.fold_local_part = true,
                                           .strip_routes = true,
                                           .delimiters = "+",
                                           .aliases = aliases,
                                           .alias_count = 1};

enum { NAME_LEN = sizeof "From" - 1 };

/* One parse, with all that its result points to. */
struct parsed {
    struct arena *arena;
    struct exact value;
    enum mailbox_status status;
    struct mailbox_list list;
    struct errtext why;
};

static struct parsed parse_named(const struct addr_rules *rules, size_t name_len, struct span value)
{
    struct parsed p = {.arena = arena_create(), .value = exact_copy(value), .list = {.count = 1}};
    p.status =
        mailbox_parse(p.arena, rules ? rules : &folding, name_len, p.value.text, &p.list, &p.why);
    return p;
}

static struct parsed parse(const struct addr_rules *rules, struct span value)
{
    return parse_named(rules, NAME_LEN, value);
}

static void parsed_free(struct parsed *p)
{
    exact_free(&p->value);
    arena_destroy(p->arena);
}

/* What holds for every result, whatever the value. */
static void check_sane(const struct parsed *p)
{
    assert_int_equal(*p->why.text != '\0', p->status == MAILBOX_MALFORMED);
    if (p->status == MAILBOX_OK)
        assert_true(p->list.count > 0);
    if (p->status == MAILBOX_BLANK)
        assert_int_equal(p->list.count, 0);
    for (size_t i = 0; i < p->list.count; i++) {
        const struct mailbox *m = &p->list.items[i];
        assert_true(*m->addr.domain != '\0');
        assert_true(utext_is_utf8(span_of(m->addr.key)));
        assert_true(m->text.len > 0);
        assert_true(m->text.data >= p->value.text.data);
        assert_true(m->text.data + m->text.len <= p->value.text.data + p->value.text.len);
        assert_non_null(m->name.data);
    }
}

static void assert_span(struct span got, struct span want)
{
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
}

/* ---- one mailbox ---- */

struct one_row {
    const char *name;
    struct span value;
    const char *key;                /* NULL for alice@example.com */
    const char *text;               /* the element; NULL for all of the value but white space */
    const struct addr_rules *rules; /* NULL for folding */
};

static const struct one_row one_rows[] = {
    {.name = "addr-spec", TEXT("alice@example.com")},
    {.name = "addr-spec, white space around", TEXT(" \talice@example.com \t")},
    {.name = "addr-spec on a line of its own", TEXT("\n alice@example.com")},
    {.name = "addr-spec, case folded", TEXT("Alice@EXAMPLE.Com")},
    {.name = "addr-spec, local part not folded",
     TEXT("Alice@EXAMPLE.Com"),
     .key = "Alice@example.com",
     .rules = &as_written},
    {.name = "addr-spec, needless quotes", TEXT("\"alice\"@example.com")},
    {.name = "addr-spec, needless backslash", TEXT("\"al\\ice\"@example.com")},
    {.name = "addr-spec, quotes that are needed",
     TEXT("\"alice smith\"@example.com"),
     .key = "\"alice smith\"@example.com"},
    {.name = "addr-spec, quoted at", TEXT("\"a@b\"@example.com"), .key = "\"a@b\"@example.com"},
    {.name = "addr-spec, quoted brackets",
     TEXT("\"<a>,;:()[]\"@example.com"),
     .key = "\"<a>,;:()[]\"@example.com"},
    {.name = "addr-spec, quoted quote and backslash",
     TEXT("\"a\\\"\\\\b\"@example.com"),
     .key = "\"a\\\"\\\\b\"@example.com"},
    {.name = "addr-spec, quoted nothing", TEXT("\"\"@example.com"), .key = "\"\"@example.com"},
    {.name = "addr-spec, every atext",
     TEXT("!#$%&'*+-/=?^_`{|}~@example.com"),
     .key = "!#$%&'*+-/=?^_`{|}~@example.com"},
    {.name = "addr-spec, dots", TEXT("a.b.c@example.com"), .key = "a.b.c@example.com"},
    {.name = "addr-spec, IPv4 literal", TEXT("alice@[192.0.2.1]"), .key = "alice@[192.0.2.1]"},
    {.name = "addr-spec, IPv6 literal",
     TEXT("alice@[IPv6:2001:DB8:0::1]"),
     .key = "alice@[ipv6:2001:db8::1]"},
    {.name = "addr-spec, UTF-8", TEXT("用户@bücher.example"), .key = "用户@xn--bcher-kva.example"},
    {.name = "addr-spec, A-label",
     TEXT("alice@XN--Bcher-KVA.example"),
     .key = "alice@xn--bcher-kva.example"},
    {.name = "addr-spec, tag stays",
     TEXT("alice+x@old.example"),
     .key = "alice+x@old.example",
     .rules = &generous},
    {.name = "comment before", TEXT("(Alice) alice@example.com")},
    {.name = "comment behind", TEXT("alice@example.com (Alice)")},
    {.name = "comments on both sides, glued", TEXT("(a)(b)alice@example.com(c)(d)")},
    {.name = "encoded word with parentheses in it",
     TEXT("=?utf-8?Q?Alice_(Sales)?= <alice@example.com>")},
    {.name = "encoded word with quotes in it", TEXT("=?utf-8?Q?a_\"b\"?= <alice@example.com>")},
    {.name = "encoded words in quotes and in a comment, each whole",
     TEXT("\"=?utf-8?Q?a?=\" <alice@example.com> (=?utf-8?Q?b?=)")},
    {.name = "encoded word without an end, quotes behind it",
     TEXT("=?utf-8?Q?a \"b\" <alice@example.com>")},
    {.name = "no encoded word over an edge", TEXT("a=?b \"c?=\" <alice@example.com>")},
    {.name = "comment nested", TEXT("alice@example.com (a (b (c) d) e)")},
    {.name = "comment with an escaped bracket", TEXT("alice@example.com (a\\)b\\(c)")},
    {.name = "comment with an escaped backslash", TEXT("alice@example.com (a\\\\)")},
    {.name = "comment with one quote", TEXT("alice@example.com (a\"b)")},
    {.name = "comment with an address", TEXT("alice@example.com (<bob@example.net>, x:;)")},
    {.name = "comment empty", TEXT("alice@example.com ()")},
    {.name = "comment folded", TEXT("alice@example.com (a\n b)")},
    {.name = "comment in Latin-1", TEXT("alice@example.com (J\xFCrgen)")},
    {.name = "name", TEXT("Alice <alice@example.com>")},
    {.name = "name, no white space", TEXT("Alice<alice@example.com>")},
    {.name = "name of several words", TEXT("Alice B Smith <alice@example.com>")},
    {.name = "name, tabs", TEXT("Alice\tSmith\t<alice@example.com>\t")},
    {.name = "name, dots", TEXT("Dr. Alice B. Smith <alice@example.com>")},
    {.name = "name, dots in a row", TEXT("Alice... <alice@example.com>")},
    {.name = "name, every atext", TEXT("!#$%&'*+-/=?^_`{|}~ <alice@example.com>")},
    {.name = "name quoted", TEXT("\"Smith, Alice\" <alice@example.com>")},
    {.name = "name quoted, specials", TEXT("\"()<>[]:;@,. \" <alice@example.com>")},
    {.name = "name quoted, escapes", TEXT("\"A \\\"B\\\\\" <alice@example.com>")},
    {.name = "name quoted, empty", TEXT("\"\" <alice@example.com>")},
    {.name = "name quoted, glued", TEXT("\"Alice\"<alice@example.com>")},
    {.name = "name quoted, another address", TEXT("\"bob@example.net\" <alice@example.com>")},
    {.name = "name quoted and not", TEXT("Alice \"B\" Smith <alice@example.com>")},
    {.name = "name quoted, glued to a word", TEXT("\"A\"B <alice@example.com>")},
    {.name = "name quoted, folded", TEXT("\"Alice\n Smith\" <alice@example.com>")},
    {.name = "name in Latin-1", TEXT("J\xFCrgen <alice@example.com>")},
    {.name = "name quoted, in Latin-1", TEXT("\"J\xFCrgen\" <alice@example.com>")},
    {.name = "name quoted, escaped Latin-1", TEXT("\"J\\\xFCrgen\" <alice@example.com>")},
    {.name = "name in UTF-8", TEXT("Jürgen 用户 <alice@example.com>")},
    {.name = "name with U+0085, no control octet", TEXT("A\xC2\x85 <alice@example.com>")},
    {.name = "name with a joiner",
     TEXT("A\xE2\x80\x8D"
          "B <alice@example.com>")},
    {.name = "name encoded", TEXT("=?utf-8?Q?J=C3=BCrgen?= <alice@example.com>")},
    {.name = "name encoded, in quotes", TEXT("\"=?utf-8?Q?A?=\" <alice@example.com>")},
    {.name = "name is a bare word with a dot", TEXT("alice.example <alice@example.com>")},
    {.name = "name is the same address", TEXT("alice@example.com <alice@example.com>")},
    {.name = "name is the same address, other case", TEXT("Alice@Example.COM <alice@example.com>")},
    {.name = "name is the same address, needless quotes",
     TEXT("\"alice\"@example.com <alice@example.com>")},
    {.name = "name is the same address, as U-label",
     TEXT("alice@bücher.example <alice@xn--bcher-kva.example>"),
     .key = "alice@xn--bcher-kva.example"},
    {.name = "name is the same literal",
     TEXT("a@[192.0.2.1] <a@[192.0.2.1]>"),
     .key = "a@[192.0.2.1]"},
    {.name = "name is the same address, comments around",
     TEXT("(x) alice@example.com (y) <alice@example.com>")},
    {.name = "brackets alone", TEXT("<alice@example.com>")},
    {.name = "brackets, white space inside", TEXT("< \talice@example.com\t >")},
    {.name = "brackets, folds inside", TEXT("<\n alice@example.com\n >")},
    {.name = "brackets, needless quotes", TEXT("<\"Alice\"@example.com>")},
    {.name = "brackets, literal", TEXT("<alice@[192.0.2.1]>"), .key = "alice@[192.0.2.1]"},
    {.name = "brackets, comments around", TEXT("(a) Alice (b) Smith (c) <alice@example.com> (d)")},
    {.name = "brackets, comment as name", TEXT("(Alice) <alice@example.com>")},
    {.name = "brackets, case folded", TEXT("<ALICE@example.com>")},
    {.name = "brackets, local part not folded",
     TEXT("<ALICE@example.com>"),
     .key = "ALICE@example.com",
     .rules = &as_written},
    {.name = "folds wherever legal",
     TEXT("\n Alice\n\tSmith\n <alice@example.com>\n (c)\n ,"),
     .text = "Alice\n\tSmith\n "
             "<alice@example.com>\n (c)"},
    {.name = "empty element before", TEXT(",alice@example.com"), .text = "alice@example.com"},
    {.name = "empty element behind", TEXT("alice@example.com , "), .text = "alice@example.com"},
    {.name = "empty elements with comments",
     TEXT(",(a), (b) Alice <alice@example.com> (c),(d),"),
     .text = "(b) Alice <alice@example.com> (c)"},
    {.name = "no encoded word: no second mark", TEXT("=?a@example.com"), .key = "=?a@example.com"},
    {.name = "no encoded word: no third mark",
     TEXT("=?a?b@example.com"),
     .key = "=?a?b@example.com"},
    {.name = "no encoded word: no end", TEXT("=?a?b?c@example.com"), .key = "=?a?b?c@example.com"},
    {.name = "no encoded word: end too early",
     TEXT("=?a?b?=@example.com"),
     .key = "=?a?b?=@example.com"},
    {.name = "no encoded word: last mark without a sign",
     TEXT("=?a?b?c?d@example.com"),
     .key = "=?a?b?c?d@example.com"},
    {.name = "no encoded word: last sign without a mark",
     TEXT("=?a?b?c=@example.com"),
     .key = "=?a?b?c=@example.com"},
    {.name = "no encoded word: no start",
     TEXT("=a?b?c?=@example.com"),
     .key = "=a?b?c?=@example.com"},
};

static void run_one(void **state)
{
    const struct one_row *row = *state;
    struct parsed p = parse(row->rules, row->value);
    assert_string_equal(p.why.text, "");
    assert_int_equal(p.status, MAILBOX_OK);
    assert_int_equal(p.list.count, 1);
    assert_string_equal(p.list.items[0].addr.key, row->key ? row->key : "alice@example.com");
    assert_span(p.list.items[0].text, row->text ? span_of(row->text) : span_trim(row->value));
    check_sane(&p);
    parsed_free(&p);
}

/* ---- lists, groups, nothing ---- */

enum { KEYS_MAX = 3 };

struct list_row {
    const char *name;
    struct span value;
    enum mailbox_status want;
    const char *keys[KEYS_MAX];
    const char *texts[KEYS_MAX];
};

static const struct list_row list_rows[] = {
    {.name = "list of two",
     TEXT("a@x.example,b@x.example"),
     MAILBOX_OK,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "b@x.example"}},
    {.name = "list of three forms",
     TEXT(" \"A, a\" <A@x.example> (c) , b@x.example\n\t,(d)<c@y>"),
     MAILBOX_OK,
     .keys = {"a@x.example", "b@x.example", "c@y"},
     .texts = {"\"A, a\" <A@x.example> (c)", "b@x.example", "(d)<c@y>"}},
    {.name = "list with empty elements",
     TEXT(",,a@x.example,\n ,(c),b@x.example,,"),
     MAILBOX_OK,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "b@x.example"}},
    {.name = "list of the same twice",
     TEXT("a@x.example, A <a@x.example>"),
     MAILBOX_OK,
     .keys = {"a@x.example", "a@x.example"},
     .texts = {"a@x.example", "A <a@x.example>"}},
    {.name = "group",
     TEXT("Team: a@x.example, B <b@x.example>;"),
     MAILBOX_GROUP,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "B <b@x.example>"}},
    {.name = "group of nobody", TEXT("undisclosed-recipients:;"), MAILBOX_GROUP},
    {.name = "group of white space", TEXT("Team: \n ;"), MAILBOX_GROUP},
    {.name = "group of a comment", TEXT("Team:(c);"), MAILBOX_GROUP},
    {.name = "group of empty elements", TEXT("Team:,,;"), MAILBOX_GROUP},
    {.name = "group of one",
     TEXT("Team:a@x.example;"),
     MAILBOX_GROUP,
     .keys = {"a@x.example"},
     .texts = {"a@x.example"}},
    {.name = "group with a quoted name",
     TEXT("\"a@b: c\" d.:a@x.example;"),
     MAILBOX_GROUP,
     .keys = {"a@x.example"},
     .texts = {"a@x.example"}},
    {.name = "group with comments around",
     TEXT("(a) Team (b) : a@x.example ; (c)"),
     MAILBOX_GROUP,
     .keys = {"a@x.example"},
     .texts = {"a@x.example"}},
    {.name = "group behind a mailbox",
     TEXT("a@x.example, Team:b@x.example;"),
     MAILBOX_GROUP,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "b@x.example"}},
    {.name = "group before a mailbox",
     TEXT("Team:;,a@x.example"),
     MAILBOX_GROUP,
     .keys = {"a@x.example"},
     .texts = {"a@x.example"}},
    {.name = "two groups",
     TEXT("One:a@x.example;, Two:b@x.example;"),
     MAILBOX_GROUP,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "b@x.example"}},
    {.name = "empty", TEXT(""), MAILBOX_BLANK},
    {.name = "white space", TEXT(" \t "), MAILBOX_BLANK},
    {.name = "only a comment", TEXT("(Alice)"), MAILBOX_MALFORMED},
    {.name = "only a comma", TEXT(","), MAILBOX_MALFORMED},
    {.name = "only empty elements", TEXT(" ,(c), "), MAILBOX_MALFORMED},
    {.name = "what stood before a fault is kept",
     TEXT("a@x.example,B <b@x.example>,c"),
     MAILBOX_MALFORMED,
     .keys = {"a@x.example", "b@x.example"},
     .texts = {"a@x.example", "B <b@x.example>"}},
    {.name = "a group with a fault is no group",
     TEXT("Team:a@x.example;,b"),
     MAILBOX_MALFORMED,
     .keys = {"a@x.example"},
     .texts = {"a@x.example"}},
};

static void run_list(void **state)
{
    const struct list_row *row = *state;
    struct parsed p = parse(NULL, row->value);
    assert_int_equal(p.status, row->want);
    size_t count = 0;
    for (; count < KEYS_MAX && row->keys[count]; count++) {
        assert_true(count < p.list.count);
        assert_string_equal(p.list.items[count].addr.key, row->keys[count]);
        assert_span(p.list.items[count].text, span_of(row->texts[count]));
    }
    assert_int_equal(p.list.count, count);
    check_sane(&p);
    parsed_free(&p);
}

/* ---- malformed ---- */

struct bad_row {
    const char *name;
    struct span value;
    const char *why; /* part of it */
    const struct addr_rules *rules;
};

/* Parts of the texts, so that a row fails for its own reason. */
#define GAP       "words or white space"
#define LEFTOVER  "behind the angle brackets"
#define MUST_NOT  "stands where it must not"
#define NO_ADDR   "the address is missing"
#define NO_DOMAIN "without domain"
#define NO_END    "has no end"
#define TOO_EARLY "ends too early"
#define ANOTHER   "another address"
#define ENCODED   "encoded word"
#define CONTROL   "control character"
#define LINE_END  "without a fold"
#define BLANK     "only white space"

#define EDGE   "an encoded word reaches over the edge of quotes, brackets or a comment"
#define NESTED "a comment with parentheses in it holds what may be an address"

static const struct bad_row bad_rows[] = {
    {"comment inside: behind the local part", TEXT("alice(c)@example.com"), GAP, NULL},
    {"comment inside: before the domain", TEXT("alice@(c)example.com"), GAP, NULL},
    {"comment inside: in the domain", TEXT("alice@example(c).com"), GAP, NULL},
    {"comment inside: in the local part", TEXT("al(c)ice@example.com"), GAP, NULL},
    {"comment in the brackets: first", TEXT("<(c)alice@example.com>"), "a comment", NULL},
    {"comment in the brackets: last", TEXT("<alice@example.com(c)>"), "a comment", NULL},
    {"comment in the brackets: with a blank", TEXT("< alice@example.com (c) >"), "a comment", NULL},
    {"comment in the brackets: alone", TEXT("<(c)>"), "a comment", NULL},
    {"comment in the brackets: inside", TEXT("<alice(c)@example.com>"), "a comment", NULL},
    {"white space: before the at", TEXT("alice @example.com"), GAP, NULL},
    {"white space: behind the at", TEXT("alice@ example.com"), GAP, NULL},
    {"white space: in the domain", TEXT("alice@example .com"), GAP, NULL},
    {"white space: in the local part", TEXT("al ice@example.com"), GAP, NULL},
    {"white space: fold before the at", TEXT("alice\n @example.com"), GAP, NULL},
    {"white space: inside the brackets", TEXT("<alice @example.com>"), GAP, NULL},
    {"white space: fold in a quoted local part", TEXT("\"a\n b\"@example.com"), "local part", NULL},
    {"white space: tab in a quoted local part", TEXT("\"a\tb\"@example.com"), "local part", NULL},
    {"route", TEXT("<@x.example:alice@example.com>"), MUST_NOT, NULL},
    {"route of two", TEXT("<@x.example,@y.example:alice@example.com>"), MUST_NOT, NULL},
    {"route where routes are stripped", TEXT("<@x.example:alice@example.com>"), MUST_NOT,
     &generous},
    {"route without brackets", TEXT("@x.example:alice@example.com"), MUST_NOT, NULL},
    {"left over: a word", TEXT("<alice@example.com> x"), LEFTOVER, NULL},
    {"left over: a glued word", TEXT("<alice@example.com>x"), LEFTOVER, NULL},
    {"left over: a word behind a comment", TEXT("<alice@example.com> (c) x"), LEFTOVER, NULL},
    {"left over: a dot", TEXT("<alice@example.com>."), LEFTOVER, NULL},
    {"left over: a quoted string", TEXT("<alice@example.com> \"\""), LEFTOVER, NULL},
    {"left over: a literal", TEXT("<alice@example.com> []"), LEFTOVER, NULL},
    {"left over: an address", TEXT("<alice@example.com> bob@example.net"), LEFTOVER, NULL},
    {"left over: second brackets", TEXT("<alice@example.com> <bob@example.net>"), MUST_NOT, NULL},
    {"left over: second closing bracket", TEXT("<alice@example.com>>"), MUST_NOT, NULL},
    {"left over: word behind an addr-spec", TEXT("alice@example.com x"), GAP, NULL},
    {"left over: two addr-specs", TEXT("alice@example.com bob@example.net"), GAP, NULL},
    {"left over: addr-spec behind a comment", TEXT("alice@example.com (c) x@example.net"), GAP,
     NULL},
    {"left over: semicolon", TEXT("alice@example.com;"), MUST_NOT, NULL},
    {"left over: semicolon between two", TEXT("a@x.example;b@x.example"), MUST_NOT, NULL},
    {"left over: colon", TEXT("<alice@example.com>:"), MUST_NOT, NULL},
    {"name is another address", TEXT("bob@example.net <alice@example.com>"), ANOTHER, NULL},
    {"name is another address, by its tag", TEXT("alice+x@example.com <alice@example.com>"),
     ANOTHER, &generous},
    {"name is another address, by an alias domain", TEXT("alice@old.example <alice@example.com>"),
     ANOTHER, &generous},
    {"name is another address, by its case", TEXT("Alice@example.com <alice@example.com>"), ANOTHER,
     &as_written},
    {"name is the address and a word", TEXT("alice@example.com x <alice@example.com>"), GAP, NULL},
    {"name is a word and the address", TEXT("Alice alice@example.com <alice@example.com>"), GAP,
     NULL},
    {"name with white space around the at", TEXT("alice @ example.com <alice@example.com>"), GAP,
     NULL},
    {"name with a comment in the address", TEXT("alice(c)@example.com <alice@example.com>"), GAP,
     NULL},
    {"name is half an address", TEXT("alice@ <alice@example.com>"), "domain", NULL},
    {"name is an at", TEXT("@ <alice@example.com>"), "local part", NULL},
    {"name is an address in Latin-1", TEXT("j\xFCrgen@x.example <j\xFCrgen@x.example>"), "UTF-8",
     NULL},
    {"name begins with a dot", TEXT(".Alice <alice@example.com>"), "local part", NULL},
    {"name is a dot", TEXT(". <alice@example.com>"), "local part", NULL},
    {"name holds a literal", TEXT("Alice [x] <alice@example.com>"), GAP, NULL},
    {"name is a literal", TEXT("[x] <alice@example.com>"), "local part", NULL},
    {"name holds a comma", TEXT("Smith, Alice <alice@example.com>"), NO_DOMAIN, NULL},
    {"name holds a colon", TEXT("Re: Alice <alice@example.com>"), TOO_EARLY, NULL},
    {"name holds a backslash", TEXT("Al\\ice <alice@example.com>"), MUST_NOT, NULL},
    {"quotes: no end", TEXT("\"Alice <alice@example.com>"), NO_END, NULL},
    {"quotes: only one", TEXT("\""), NO_END, NULL},
    {"quotes: end escaped", TEXT("\"Alice\\\" <alice@example.com>"), NO_END, NULL},
    {"quotes: end with a backslash", TEXT("\"Alice\\"), NO_END, NULL},
    {"quotes: escaped fold", TEXT("\"Alice\\\n Smith\" <alice@example.com>"), NO_END, NULL},
    {"quotes: one too many", TEXT("\"Alice\"\" <alice@example.com>"), NO_END, NULL},
    {"quotes: around all of the address", TEXT("\"alice@example.com\""), NO_DOMAIN, NULL},
    {"quotes: around the domain", TEXT("alice@\"example.com\""), "domain", NULL},
    {"quotes: obsolete local part", TEXT("\"a\".\"b\"@example.com"), "quotes", NULL},
    {"quotes: half of the local part", TEXT("\"a\"b@example.com"), "quotes", NULL},
    {"comment: no end", TEXT("alice@example.com (Alice"), NO_END, NULL},
    {"comment: only a bracket", TEXT("("), NO_END, NULL},
    {"comment: inner one has no end", TEXT("alice@example.com (a (b)"), NO_END, NULL},
    {"comment: end escaped", TEXT("alice@example.com (a\\)"), NO_END, NULL},
    {"comment: end with a backslash", TEXT("alice@example.com (a\\"), NO_END, NULL},
    {"comment: escaped fold", TEXT("alice@example.com (a\\\n b)"), NO_END, NULL},
    {"comment: one end too many", TEXT("alice@example.com (a))"), MUST_NOT, NULL},
    {"comment: only an end", TEXT(") alice@example.com"), MUST_NOT, NULL},
    {"comment: before brackets without end", TEXT("(Alice <alice@example.com>"), NO_END, NULL},
    {"brackets: not closed", TEXT("<alice@example.com"), TOO_EARLY, NULL},
    {"brackets: not opened", TEXT("alice@example.com>"), MUST_NOT, NULL},
    {"brackets: only opened", TEXT("Alice <"), TOO_EARLY, NULL},
    {"brackets: closed by a comma", TEXT("<alice@example.com,"), MUST_NOT, NULL},
    {"brackets: empty", TEXT("<>"), NO_ADDR, NULL},
    {"brackets: a blank", TEXT("Alice < >"), NO_ADDR, NULL},
    {"brackets: two deep", TEXT("<<alice@example.com>>"), MUST_NOT, NULL},
    {"brackets: list", TEXT("<a@x.example,b@x.example>"), MUST_NOT, NULL},
    {"brackets: no domain", TEXT("Alice <alice>"), NO_DOMAIN, NULL},
    {"brackets: two words", TEXT("<Alice alice@example.com>"), GAP, NULL},
    {"brackets: mailto", TEXT("<mailto:alice@example.com>"), MUST_NOT, NULL},
    {"literal: not closed", TEXT("alice@[192.0.2.1"), "a bracket", NULL},
    {"literal: not opened", TEXT("alice@192.0.2.1]"), MUST_NOT, NULL},
    {"literal: two deep", TEXT("alice@[[192.0.2.1]]"), "a bracket", NULL},
    {"literal: blank before", TEXT("alice@[ 192.0.2.1]"), "a bracket", NULL},
    {"literal: tab behind", TEXT("alice@[192.0.2.1\t]"), "a bracket", NULL},
    {"literal: fold", TEXT("alice@[192.0.2.1\n ]"), "a bracket", NULL},
    {"literal: backslash", TEXT("alice@[192.0.2.\\1]"), "a bracket", NULL},
    {"literal: no address", TEXT("alice@[example.com]"), "literal", NULL},
    {"literal: text behind", TEXT("alice@[192.0.2.1].com"), "domain", NULL},
    {"literal: as local part", TEXT("[192.0.2.1]@example.com"), "local part", NULL},
    {"no domain", TEXT("alice"), NO_DOMAIN, NULL},
    {"no domain, quoted", TEXT("\"alice smith\""), NO_DOMAIN, NULL},
    {"no domain in a list", TEXT("a@x.example, alice"), NO_DOMAIN, NULL},
    {"no domain, words", TEXT("Alice Smith"), GAP, NULL},
    {"nothing behind the at", TEXT("alice@"), "domain", NULL},
    {"nothing before the at", TEXT("@example.com"), "local part", NULL},
    {"two at", TEXT("alice@example.com@example.net"), "domain", NULL},
    {"domain with a trailing dot", TEXT("alice@example.com."), "domain", NULL},
    {"domain with two dots", TEXT("alice@example..com"), "domain", NULL},
    {"domain is a number", TEXT("alice@192.0.2.1"), "domain", NULL},
    {"local part with a trailing dot", TEXT("alice.@example.com"), "local part", NULL},
    {"local part with a leading dot", TEXT(".alice@example.com"), "local part", NULL},
    {"local part with two dots", TEXT("al..ice@example.com"), "local part", NULL},
    {"local part of 65", TEXT("x" X64 "@example.com"), "local part", NULL},
    {"local part in Latin-1", TEXT("j\xFCrgen@example.com"), "UTF-8", NULL},
    {"local part in Latin-1, in brackets", TEXT("J <j\xFCrgen@example.com>"), "UTF-8", NULL},
    {"local part in Latin-1, quoted", TEXT("\"j\xFCrgen\"@example.com"), "UTF-8", NULL},
    {"local part not NFC", TEXT("ju\xCC\x88rgen@example.com"), "normal form", NULL},
    {"local part with a no-break space", TEXT("a\xC2\xA0@example.com"), "U+00A0", NULL},
    {"local part with U+0085", TEXT("a\xC2\x85@example.com"), "U+0085", NULL},
    {"domain in Latin-1", TEXT("alice@b\xFC.example"), "UTF-8", NULL},
    {"domain cut short", TEXT("alice@b\xC3"), "UTF-8", NULL},
    {"encoded word as local part", TEXT("=?utf-8?Q?alice?=@example.com"), ENCODED, NULL},
    {"encoded word that ends in quotes",
     TEXT("=?utf-8?Q?CEO\"?= <ceo@x.org> \"<alice@example.com>"), EDGE, NULL},
    {"encoded word of no charset that ends in quotes",
     TEXT("=??Q?CEO\"?= <ceo@x.org> \"<alice@example.com>"), EDGE, NULL},
    {"encoded word that ends in a comment", TEXT("=?utf-8?Q?(?= <ceo@x.org> )<alice@example.com>"),
     EDGE, NULL},
    {"encoded word that begins in quotes",
     TEXT("\"=?utf-8?Q?\"?=\" <alice@example.co\"=?utf-8?Q?\"?=\" <alice@example.com>"), EDGE,
     NULL},
    {"encoded word from the name into the brackets", TEXT("=?utf-8?Q?Victim_<alice?=@example.com>"),
     EDGE, NULL},
    {"encoded word that ends before the local part", TEXT("Victim =?utf-8?Q?<?=alice@example.com>"),
     EDGE, NULL},
    {"encoded word into the brackets, behind quotes in brackets",
     TEXT("<\"a>b\"@example.com>, =?utf-8?Q?x <?=alice@example.com>"), EDGE, NULL},
    {"encoded word from one comment to another", TEXT("(=?utf-8?B?)(?=)alice@example.com"), EDGE,
     NULL},
    {"nested comment that holds an address", TEXT("(a (b) CEO <ceo@x.org>, ) <alice@example.com>"),
     NESTED, NULL},
    {"nested comment that holds an address behind", TEXT("alice@example.com (a (b) <ceo@x.org>)"),
     NESTED, NULL},
    {"escaped bracket in a comment that holds an address",
     TEXT("alice@example.com (a \\) <ceo@x.org>)"), NESTED, NULL},
    {"encoded word in brackets", TEXT("Alice <=?utf-8?Q?alice?=@example.com>"), ENCODED, NULL},
    {"encoded word in a local part", TEXT("x=?utf-8?Q?alice?=y@example.com"), ENCODED, NULL},
    {"encoded word of nothing",
     TEXT("=?utf-8?Q?"
          "?=@example.com"),
     ENCODED, NULL},
    {"encoded word behind a false start", TEXT("=?=?utf-8?Q?a?=@example.com"), ENCODED, NULL},
    {"encoded word in an unquoted name", TEXT("=?u?Q?a?=@x.example <=?u?Q?a?=@x.example>"), ENCODED,
     NULL},
    {"encoded word in needless quotes", TEXT("\"=?utf-8?Q?alice?=\"@example.com"), ENCODED, NULL},
    {"encoded word in quotes that are needed", TEXT("\"a @ =?utf-8?Q?b?=\"@example.com"), ENCODED,
     NULL},
    {"encoded word behind a backslash", TEXT("\"=\\?utf-8?Q?alice?=\"@example.com"), ENCODED, NULL},
    {"group without an end", TEXT("Team: a@x.example"), TOO_EARLY, NULL},
    {"group without a name", TEXT(":a@x.example;"), MUST_NOT, NULL},
    {"group with a comment as name", TEXT("(Team):a@x.example;"), MUST_NOT, NULL},
    {"group with an address as name", TEXT("t@x.example:a@x.example;"), MUST_NOT, NULL},
    {"group with a literal as name", TEXT("[t]:a@x.example;"), MUST_NOT, NULL},
    {"group in a group", TEXT("Team: Inner: a@x.example;;"), NO_DOMAIN, NULL},
    {"group ended twice", TEXT("Team:;;"), MUST_NOT, NULL},
    {"group and text behind", TEXT("Team:; x"), "behind a group", NULL},
    {"group and an address behind", TEXT("Team:; a@x.example"), "behind a group", NULL},
    {"group and brackets behind", TEXT("Team:; <a@x.example>"), MUST_NOT, NULL},
    {"group with a faulty member", TEXT("Team:a@x.example,b;"), NO_DOMAIN, NULL},
    {"group with a fault behind a member", TEXT("Team:a@x.example);"), MUST_NOT, NULL},
    {"group in brackets", TEXT("<Team:a@x.example;>"), MUST_NOT, NULL},
    {"NUL", TEXT("alice@example.com\0"), CONTROL, NULL},
    {"NUL in a name", TEXT("Al\0ice <alice@example.com>"), CONTROL, NULL},
    {"escape in a name", TEXT("\"\033[1m\" <alice@example.com>"), CONTROL, NULL},
    {"DEL in a comment", TEXT("alice@example.com (\177)"), CONTROL, NULL},
    {"vertical tab as white space", TEXT("Alice\v<alice@example.com>"), CONTROL, NULL},
    {"control on a later line", TEXT("Alice\n <alice@example.com>\n (\001)"), CONTROL, NULL},
    {"CR", TEXT("Alice\r<alice@example.com>"), CONTROL, NULL},
    {"CR before a blank", TEXT("Alice\r <alice@example.com>"), CONTROL, NULL},
    {"CRLF", TEXT("Alice\r\n <alice@example.com>"), CONTROL, NULL},
    {"LF without white space", TEXT("Alice\n<alice@example.com>"), LINE_END, NULL},
    {"LF in quotes without white space", TEXT("\"Al\nice\" <alice@example.com>"), LINE_END, NULL},
    {"LF in a comment without white space", TEXT("alice@example.com (a\nb)"), LINE_END, NULL},
    {"LF at the end", TEXT("alice@example.com\n"), LINE_END, NULL},
    {"LF twice", TEXT("Alice\n\n <alice@example.com>"), LINE_END, NULL},
    {"LF alone", TEXT("\n"), LINE_END, NULL},
    {"blank folded line", TEXT("Alice\n \n <alice@example.com>"), BLANK, NULL},
    {"blank folded line of a tab", TEXT("Alice\n\t\n <alice@example.com>"), BLANK, NULL},
    {"blank folded line in quotes", TEXT("\"Alice\n \n Smith\" <alice@example.com>"), BLANK, NULL},
    {"blank folded line at the end", TEXT("alice@example.com\n "), BLANK, NULL},
    {"blank folded line alone", TEXT(" \n "), BLANK, NULL},
};

static void run_bad(void **state)
{
    const struct bad_row *row = *state;
    struct parsed p = parse(row->rules, row->value);
    assert_int_equal(p.status, MAILBOX_MALFORMED);
    assert_non_null(strstr(p.why.text, row->why));
    check_sane(&p);
    const struct addr_rules *rules = row->rules ? row->rules : &folding;
    assert_int_equal(mailbox_parse(p.arena, rules, NAME_LEN, p.value.text, &p.list, NULL),
                     MAILBOX_MALFORMED);
    parsed_free(&p);
}

/* ---- names and comments ---- */

enum { COMMENTS_MAX = 4 };

struct part_row {
    const char *name;
    struct span value;
    enum mailbox_status want;
    size_t index; /* which mailbox */
    const char *phrase;
    const char *comments[COMMENTS_MAX];
};

static const struct part_row part_rows[] = {
    {"parts: addr-spec", TEXT("alice@example.com"), MAILBOX_OK, 0, "", {NULL}},
    {"parts: brackets alone", TEXT("<alice@example.com>"), MAILBOX_OK, 0, "", {NULL}},
    {"parts: words",
     TEXT(" Alice  B. Smith <alice@example.com>"),
     MAILBOX_OK,
     0,
     "Alice  B. Smith",
     {NULL}},
    {"parts: quotes",
     TEXT("\"Smith, \\\"A\"<alice@example.com>"),
     MAILBOX_OK,
     0,
     "\"Smith, \\\"A\"",
     {NULL}},
    {"parts: quotes empty", TEXT("\"\" <alice@example.com>"), MAILBOX_OK, 0, "\"\"", {NULL}},
    {"parts: fold",
     TEXT("Alice\n Smith\n <alice@example.com>"),
     MAILBOX_OK,
     0,
     "Alice\n Smith",
     {NULL}},
    {"parts: the address as name",
     TEXT("alice@example.com <alice@example.com>"),
     MAILBOX_OK,
     0,
     "",
     {NULL}},
    {"parts: comments everywhere",
     TEXT("(a) Alice (b) Smith (c) <alice@example.com> (d)"),
     MAILBOX_OK,
     0,
     "Alice (b) Smith",
     {"(a)", "(b)", "(c)", "(d)"}},
    {"parts: comments glued and nested",
     TEXT("alice@example.com(a(b))(\\))"),
     MAILBOX_OK,
     0,
     "",
     {"(a(b))", "(\\))"}},
    {"parts: comment in quotes is none",
     TEXT("\"(a)\" <alice@example.com>"),
     MAILBOX_OK,
     0,
     "\"(a)\"",
     {NULL}},
    {"parts: comment as name", TEXT("(a) <alice@example.com>"), MAILBOX_OK, 0, "", {"(a)"}},
    {"parts: first of two",
     TEXT("(a) a@x.example (b), (c) B <b@x.example> (d)"),
     MAILBOX_OK,
     0,
     "",
     {"(a)", "(b)"}},
    {"parts: second of two",
     TEXT("(a) a@x.example (b), (c) B <b@x.example> (d)"),
     MAILBOX_OK,
     1,
     "B",
     {"(c)", "(d)"}},
    {"parts: second of two without",
     TEXT("(a) a@x.example, b@x.example"),
     MAILBOX_OK,
     1,
     "",
     {NULL}},
    {"parts: third of three",
     TEXT("a@x.example, b@x.example, c@x.example (a)"),
     MAILBOX_OK,
     2,
     "",
     {"(a)"}},
    {"parts: second of three without",
     TEXT("a@x.example, b@x.example, c@x.example (a)"),
     MAILBOX_OK,
     1,
     "",
     {NULL}},
    {"parts: empty element before",
     TEXT("(a), b@x.example (b)"),
     MAILBOX_OK,
     0,
     "",
     {"(a)", "(b)"}},
    {"parts: empty element between",
     TEXT("a@x.example, (a), b@x.example"),
     MAILBOX_OK,
     1,
     "",
     {"(a)"}},
    {"parts: empty element behind",
     TEXT("a@x.example, b@x.example, (a)"),
     MAILBOX_OK,
     1,
     "",
     {"(a)"}},
    {"parts: group",
     TEXT("(a) Team (b): (c) A <a@x.example>; (d)"),
     MAILBOX_GROUP,
     0,
     "A",
     {"(a)", "(b)", "(c)", "(d)"}},
    {"parts: malformed", TEXT("A <a@x.example> (a), b"), MAILBOX_MALFORMED, 0, "A", {NULL}},
};

static void run_part(void **state)
{
    const struct part_row *row = *state;
    struct parsed p = parse(NULL, row->value);
    assert_int_equal(p.status, row->want);
    assert_true(row->index < p.list.count);
    const struct mailbox *m = &p.list.items[row->index];
    assert_span(m->name, span_of(row->phrase));
    size_t count = 0;
    for (; count < COMMENTS_MAX && row->comments[count]; count++) {
        assert_true(count < m->comment_count);
        assert_span(m->comments[count], span_of(row->comments[count]));
    }
    assert_int_equal(m->comment_count, count);
    parsed_free(&p);
}

/* ---- limits ---- */

/* before, then c count times. */
static struct span fill(struct arena *a, const char *before, char c, size_t count)
{
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, before);
    for (size_t i = 0; i < count; i++)
        strbuf_add_char(&b, c);
    return strbuf_span(&b);
}

/* A line of exactly len octets: what it begins with, the rest a comment. */
static void add_line(struct arena *a, struct strbuf *b, const char *start, size_t len)
{
    strbuf_add(b, fill(a, start, '(', 1));
    strbuf_add(b, fill(a, "", 'x', len - strlen(start) - 2));
    strbuf_add_char(b, ')');
}

enum { LINES_MAX = 3 };

struct length_row {
    const char *name, *field;
    size_t lines[LINES_MAX]; /* the first one without name, colon and blank; 0 for none */
    enum mailbox_status want;
};

static const struct length_row length_rows[] = {
    {"first line of 998", "From", {992}, MAILBOX_OK},
    {"first line of 999", "From", {993}, MAILBOX_MALFORMED},
    {"first line of 998, long field name", "Resent-Sender", {983}, MAILBOX_OK},
    {"first line of 999, long field name", "Resent-Sender", {984}, MAILBOX_MALFORMED},
    {"first line of 998, folded", "From", {992, 30}, MAILBOX_OK},
    {"first line of 999, folded", "From", {993, 30}, MAILBOX_MALFORMED},
    {"second line of 998", "From", {30, 998}, MAILBOX_OK},
    {"second line of 999", "From", {30, 999}, MAILBOX_MALFORMED},
    {"line in the middle of 999", "From", {30, 999, 30}, MAILBOX_MALFORMED},
    {"third line of 999", "From", {30, 30, 999}, MAILBOX_MALFORMED},
    {"all lines of 998", "From", {992, 998, 998}, MAILBOX_OK},
    {"far too long", "From", {60000}, MAILBOX_MALFORMED},
};

static void run_length(void **state)
{
    const struct length_row *row = *state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    add_line(a, &b, "alice@example.com", row->lines[0]);
    for (size_t i = 1; i < LINES_MAX && row->lines[i]; i++) {
        strbuf_add_char(&b, '\n');
        add_line(a, &b, " ", row->lines[i]);
    }
    struct parsed p = parse_named(NULL, strlen(row->field), strbuf_span(&b));
    assert_int_equal(p.status, row->want);
    if (row->want == MAILBOX_MALFORMED)
        assert_non_null(strstr(p.why.text, "998"));
    check_sane(&p);
    parsed_free(&p);
    arena_destroy(a);
}

static void name_alone_fills_the_line(void **state)
{
    (void)state;
    struct parsed at = parse_named(NULL, MAILBOX_LINE_MAX - 2, span_of(""));
    assert_int_equal(at.status, MAILBOX_BLANK);
    parsed_free(&at);
    struct parsed over = parse_named(NULL, MAILBOX_LINE_MAX - 1, span_of(""));
    assert_int_equal(over.status, MAILBOX_MALFORMED);
    check_sane(&over);
    parsed_free(&over);
}

struct depth_row {
    const char *name, *before, *between, *behind;
    size_t depth;
    enum mailbox_status want;
};

/* between stands in the innermost comment. */
static const struct depth_row depth_rows[] = {
    {"depth: 50", "alice@example.com ", "", "", 50, MAILBOX_OK},
    {"depth: 51", "alice@example.com ", "", "", 51, MAILBOX_MALFORMED},
    {"depth: 50 before", "", "x", " alice@example.com", 50, MAILBOX_OK},
    {"depth: 51 before", "", "x", " alice@example.com", 51, MAILBOX_MALFORMED},
    {"depth: 50 behind others", "alice@example.com (a)(b)", "", "(c)", 50, MAILBOX_OK},
    {"depth: 51 in a name", "Alice ", "x", "<alice@example.com>", 51, MAILBOX_MALFORMED},
    {"depth: 50, escaped ones beside", "alice@example.com ", "\\(\\(", "", 50, MAILBOX_OK},
    {"depth: 50 and one that closed", "alice@example.com (", "(x)(y)", ")", 48, MAILBOX_OK},
    {"depth: 400 without an end", "alice@example.com (", "", "", 400, MAILBOX_MALFORMED},
};

static void run_depth(void **state)
{
    const struct depth_row *row = *state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add(&b, fill(a, row->before, '(', row->depth));
    strbuf_add(&b, fill(a, row->between, ')', row->depth));
    strbuf_add_str(&b, row->behind);
    struct parsed p = parse(NULL, strbuf_span(&b));
    assert_int_equal(p.status, row->want);
    check_sane(&p);
    parsed_free(&p);
    arena_destroy(a);
}

struct many_row {
    const char *name, *before, *element, *behind;
    size_t times;
    enum mailbox_status want;
    size_t count;
};

static const struct many_row many_rows[] = {
    {"many: 1000", "", "a@x.example,\n ", "(end)", 1000, MAILBOX_OK, 1000},
    {"many: 1001", "", "a@x.example,\n ", "(end)", 1001, MAILBOX_MALFORMED, 1000},
    {"many: 1000 in brackets", "", "A <a@x.example>,\n ", "(end)", 1000, MAILBOX_OK, 1000},
    {"many: 1001 in brackets", "", "A <a@x.example>,\n ", "(end)", 1001, MAILBOX_MALFORMED, 1000},
    {"many: 1000 in a group", "g:", "a@x.example,\n ", ";", 1000, MAILBOX_GROUP, 1000},
    {"many: 1001 in a group", "g:", "a@x.example,\n ", ";", 1001, MAILBOX_MALFORMED, 1000},
    {"many: group of 999 and one", "g:", "a@x.example,\n ", ";,b@x.example", 999, MAILBOX_GROUP,
     1000},
    {"many: group of 1000 and one", "g:", "a@x.example,\n ", ";,b@x.example", 1000,
     MAILBOX_MALFORMED, 1000},
    {"many: empty elements do not count", "", ",,,\n ", "a@x.example", 1001, MAILBOX_OK, 1},
};

static void run_many(void **state)
{
    const struct many_row *row = *state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, row->before);
    for (size_t i = 0; i < row->times; i++)
        strbuf_add_str(&b, row->element);
    strbuf_add_str(&b, row->behind);
    struct parsed p = parse(NULL, strbuf_span(&b));
    assert_int_equal(p.status, row->want);
    assert_int_equal(p.list.count, row->count);
    if (row->want == MAILBOX_MALFORMED)
        assert_non_null(strstr(p.why.text, "too many"));
    check_sane(&p);
    parsed_free(&p);
    arena_destroy(a);
}

/* ---- every octet in every kind of place ---- */

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ATEXT ALNUM "!#$%&'*+-/=?^_`{|}~"
#define WHITE " \t"

struct place_row {
    const char *name, *before, *behind;
    const char *legal; /* octets of ASCII with which the field is MAILBOX_OK */
    bool eight_bit;    /* and every octet from 0x80 on */
};

static const struct place_row place_rows[] = {
    {"octets: alone", "", "", "", false},
    {"octets: before brackets", "", "<alice@example.com>", ATEXT WHITE ",", true},
    {"octets: in a word", "Al", "ice <alice@example.com>", ATEXT WHITE ".", true},
    {"octets: in a quoted name", "\"Al", "ice\" <alice@example.com>", ATEXT WHITE "(),.:;<>@[]\\",
     true},
    {"octets: escaped in a quoted name", "\"Al\\", "ice\" <alice@example.com>",
     ATEXT WHITE "(),.:;<>@[]\\\"", true},
    {"octets: in a comment", "alice@example.com (Al", "ice)", ATEXT WHITE ",.:;<>@[]\\\"", true},
    {"octets: escaped in a comment", "alice@example.com (Al\\", "ice)",
     ATEXT WHITE "(),.:;<>@[]\\\"", true},
    {"octets: before an addr-spec", "", "alice@example.com", ATEXT WHITE ",", false},
    {"octets: in a local part", "al", "ice@example.com", ATEXT ".", false},
    {"octets: in a quoted local part", "\"al", "ice\"@example.com", ATEXT " (),.:;<>@[]\\", false},
    {"octets: escaped in a quoted local part", "\"al\\", "ice\"@example.com",
     ATEXT " (),.:;<>@[]\\\"", false},
    {"octets: before the at", "alice", "@example.com", ATEXT, false},
    {"octets: behind the at", "alice@", "example.com", ALNUM, false},
    {"octets: in a domain", "alice@exa", "mple.com", ALNUM "-.", false},
    {"octets: in a literal", "alice@[192.0.2.1", "]", "0123456789", false},
    {"octets: behind a literal", "alice@[192.0.2.1]", "", WHITE ",", false},
    {"octets: behind an addr-spec", "alice@example.com", "", ALNUM WHITE ",", false},
    {"octets: behind an addr-spec and a blank", "alice@example.com ", "", WHITE ",", false},
    {"octets: behind the opening bracket", "Alice <", "alice@example.com>", ATEXT WHITE, false},
    {"octets: before the closing bracket", "Alice <alice@example.com", ">", ALNUM WHITE, false},
    {"octets: behind the closing bracket", "<alice@example.com>", "", WHITE ",", false},
    {"octets: behind a line end", "alice@example.com\n", "(Alice)", WHITE, false},
    {"octets: in a folded line", "alice@example.com\n ", "(Alice)", WHITE ",", false},
};

static bool is_legal(const struct place_row *row, int octet)
{
    if (octet >= 0x80)
        return row->eight_bit;
    return octet && strchr(row->legal, octet);
}

static void run_place(void **state)
{
    const struct place_row *row = *state;
    for (int octet = 0; octet < 0x100; octet++) {
        struct arena *a = arena_create();
        struct strbuf b;
        strbuf_init(&b, a);
        strbuf_add(&b, fill(a, row->before, (char)octet, 1));
        strbuf_add_str(&b, row->behind);
        struct parsed p = parse(NULL, strbuf_span(&b));
        if ((p.status == MAILBOX_OK) != is_legal(row, octet))
            fail_msg("octet 0x%02x: status %d, %s", (unsigned)octet, (int)p.status, p.why.text);
        check_sane(&p);
        parsed_free(&p);
        arena_destroy(a);
    }
}

/* ---- from every valid row ---- */

typedef void value_fn(struct span value);

static void for_every_valid(value_fn *fn)
{
    for (size_t i = 0; i < sizeof one_rows / sizeof one_rows[0]; i++)
        fn(one_rows[i].value);
    for (size_t i = 0; i < sizeof list_rows / sizeof list_rows[0]; i++)
        if (list_rows[i].want != MAILBOX_MALFORMED)
            fn(list_rows[i].value);
}

/* Cut anywhere, it still gets an answer that holds together. */
static void cut(struct span value)
{
    for (size_t len = 0; len < value.len; len++) {
        struct parsed p = parse(NULL, span_sub(value, 0, len));
        check_sane(&p);
        parsed_free(&p);
    }
    for (size_t start = 1; start <= value.len; start++) {
        struct parsed p = parse(NULL, span_sub(value, start, value.len));
        check_sane(&p);
        parsed_free(&p);
    }
}

static void valid_rows_cut_anywhere(void **state)
{
    (void)state;
    for_every_valid(cut);
}

static struct span insert(struct arena *a, struct span value, size_t at, char c)
{
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add(&b, span_sub(value, 0, at));
    strbuf_add_char(&b, c);
    strbuf_add(&b, span_sub(value, at, value.len));
    return strbuf_span(&b);
}

/* Every control character but TAB, anywhere; a line end is one where no white space follows. */
static void insert_controls(struct span value)
{
    for (size_t at = 0; at <= value.len; at++) {
        bool fold = at < value.len && strchr(WHITE, value.data[at]);
        for (int c = 0; c < 0x80; c = c == 0x1f ? 0x7f : c + 1) {
            if (c == '\t' || (c == '\n' && fold))
                continue;
            struct arena *a = arena_create();
            struct parsed p = parse(NULL, insert(a, value, at, (char)c));
            assert_int_equal(p.status, MAILBOX_MALFORMED);
            check_sane(&p);
            parsed_free(&p);
            arena_destroy(a);
        }
    }
}

static void controls_are_malformed_anywhere(void **state)
{
    (void)state;
    for_every_valid(insert_controls);
}

/* The text of a mailbox is the mailbox: read alone it is the same one. */
static void read_texts_alone(struct span value)
{
    struct parsed p = parse(NULL, value);
    for (size_t i = 0; i < p.list.count; i++) {
        struct parsed alone = parse(NULL, p.list.items[i].text);
        assert_int_equal(alone.status, MAILBOX_OK);
        assert_int_equal(alone.list.count, 1);
        assert_string_equal(alone.list.items[0].addr.key, p.list.items[i].addr.key);
        assert_span(alone.list.items[0].text, p.list.items[i].text);
        parsed_free(&alone);
    }
    parsed_free(&p);
}

static void texts_read_alone(void **state)
{
    (void)state;
    for_every_valid(read_texts_alone);
}

/* The key is an addr-spec of the same mailbox. */
static void read_keys(struct span value)
{
    struct parsed p = parse(NULL, value);
    for (size_t i = 0; i < p.list.count; i++) {
        struct parsed key = parse(NULL, span_of(p.list.items[i].addr.key));
        assert_int_equal(key.status, MAILBOX_OK);
        assert_string_equal(key.list.items[0].addr.key, p.list.items[i].addr.key);
        parsed_free(&key);
    }
    parsed_free(&p);
}

static void keys_read_as_themselves(void **state)
{
    (void)state;
    for_every_valid(read_keys);
}

int main(void)
{
    ROWS_ADD(one_rows, run_one);
    ROWS_ADD(list_rows, run_list);
    ROWS_ADD(bad_rows, run_bad);
    ROWS_ADD(part_rows, run_part);
    ROWS_ADD(length_rows, run_length);
    ROWS_ADD_TEST("the field name alone fills the line", name_alone_fills_the_line);
    ROWS_ADD(depth_rows, run_depth);
    ROWS_ADD(many_rows, run_many);
    ROWS_ADD(place_rows, run_place);
    ROWS_ADD_TEST("valid rows, cut anywhere", valid_rows_cut_anywhere);
    ROWS_ADD_TEST("a control character is malformed anywhere", controls_are_malformed_anywhere);
    ROWS_ADD_TEST("the text of a mailbox read alone is the same one", texts_read_alone);
    ROWS_ADD_TEST("a key reads as itself", keys_read_as_themselves);
    return rows_main();
}
