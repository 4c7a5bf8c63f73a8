/* shown: the addresses, controls and directions that a reader of a name may see. */
#include "exact.h"
#include "rows.h"
#include "shown.h"
#include "strbuf.h"
#include "texts.h"
#include "utext.h"

enum { FOUND_MAX = 3, NAME_LEN = sizeof "From" - 1 };

static const struct addr_rules folding = {.fold_local_part = true};
static const struct addr_rules as_written = {0};

/* One reading of the first mailbox, with all that it points to. */
struct seen {
    struct arena *arena;
    struct exact value;
    struct shown shown;
};

/* What holds for every result. */
static void check_sane(const struct shown *shown)
{
    assert_true(shown->count <= SHOWN_ADDRESSES_MAX);
    assert_int_equal(shown->addresses != NULL, shown->count > 0);
    for (size_t i = 0; shown->addresses && i < shown->count; i++) {
        const struct shown_address *found = &shown->addresses[i];
        assert_non_null(strchr(found->text, '@'));
        assert_true(utext_is_utf8(span_of(found->text)));
        assert_int_equal(*found->addr.key != '\0', *found->addr.domain != '\0');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(found->text, shown->addresses[k].text);
    }
}

static void seen_free(struct seen *s)
{
    exact_free(&s->value);
    arena_destroy(s->arena);
}

/* A name or comment that the parser has let pass, and one that it never saw. */
static struct seen look_at(const struct addr_rules *rules, struct span name, struct span comment)
{
    struct seen s = {.arena = arena_create()};
    struct strbuf b;
    strbuf_init(&b, s.arena);
    strbuf_add(&b, name);
    strbuf_add(&b, comment);
    s.value = exact_copy(strbuf_span(&b));
    struct span copy = span_sub(s.value.text, name.len, comment.len);
    struct mailbox mailbox = {.name = span_sub(s.value.text, 0, name.len),
                              .comments = &copy,
                              .comment_count = comment.len ? 1 : 0};
    shown_read(s.arena, rules, &mailbox, &s.shown);
    check_sane(&s.shown);
    return s;
}

static struct seen look(const struct addr_rules *rules, struct span value)
{
    struct seen s = {.arena = arena_create(), .value = exact_copy(value)};
    struct mailbox_list list;
    struct errtext why = {{0}};
    enum mailbox_status status = mailbox_parse(s.arena, rules, NAME_LEN, s.value.text, &list, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(status, MAILBOX_OK);
    shown_read(s.arena, rules, &list.items[0], &s.shown);
    check_sane(&s.shown);
    return s;
}

/* ---- rows ---- */

/* found are keys, or texts that cannot be read as an address, after a '!'. */
struct shown_row {
    const char *name;
    struct span value;
    const char *found[FOUND_MAX];
    bool control, direction;
    const char *text; /* of the first one; NULL for the key */
    const struct addr_rules *rules;
};

#define A   " <alice@example.com>"
#define OWN "alice@example.com"
#define V   "victim@bank.example"
#define V64 "dmljdGltQGJhbmsuZXhhbXBsZQ=="

static const struct shown_row shown_rows[] = {
    {"no name", TEXT(OWN), .found = {NULL}},
    {"no name, in brackets", TEXT("<" OWN ">"), .found = {NULL}},
    {"name without an address", TEXT("Alice B. Smith" A), .found = {NULL}},
    {"name empty", TEXT("\"\"" A), .found = {NULL}},
    {"comment empty", TEXT(OWN " ()"), .found = {NULL}},
    /* where it stands */
    {"quoted", TEXT("\"" V "\"" A), .found = {V}},
    {"quoted, capitals", TEXT("\"Victim@BANK.Example\"" A), .found = {V},
     .text = "Victim@BANK.Example"},
    {"quoted, capitals count", TEXT("\"Victim@bank.example\"" A), .found = {"Victim@bank.example"},
     .rules = &as_written},
    {"quoted, in brackets", TEXT("\"Victim <" V ">\"" A), .found = {V}},
    {"quoted, in round brackets", TEXT("\"Victim (" V ")\"" A), .found = {V}},
    {"quoted, in square brackets", TEXT("\"Victim [" V "]\"" A), .found = {V}},
    {"quoted, via", TEXT("\"Victim via " V "\"" A), .found = {V}},
    {"quoted, mailto", TEXT("\"mailto:" V "\"" A), .found = {V}},
    {"quoted, mailto with a subject", TEXT("\"mailto:" V "?subject=x\"" A), .found = {V}},
    {"quoted, in quotes", TEXT("\"\\\"" V "\\\"\"" A), .found = {V}},
    {"quoted, in single quotes", TEXT("\"'" V "'\"" A), .found = {V}},
    {"quoted, in typographic quotes", TEXT("\"“" V "”\"" A), .found = {V}},
    {"quoted, in stars", TEXT("\"*" V "*\"" A), .found = {V}},
    {"quoted, behind an equals sign", TEXT("\"mail=" V "\"" A), .found = {"mail=" V}},
    {"quoted, with a backslash in it", TEXT("\"vic\\tim\\@bank.example\"" A), .found = {V}},
    {"quoted, two backslashes before the at", TEXT("\"victim\\\\@bank.example\"" A),
     .found = {"!victim\\@bank.example"}},
    {"quoted in pieces", TEXT("\"victim@\"\"bank.example\"" A), .found = {V}},
    {"quoted, words beside", TEXT("Mr. \"" V "\" Bank" A), .found = {V}},
    {"quoted, words glued", TEXT("vic\"tim@bank.exa\"mple" A), .found = {V, "tim@bank.exa"}},
    {"quoted, a word glued before", TEXT("x\"" V "\"" A), .found = {"x" V, V}},
    {"quoted, a word glued behind", TEXT("\"" V "\".xx" A), .found = {V ".xx", V}},
    {"quoted, glued to another", TEXT("\"x\"\"" V "\"" A), .found = {"x" V, V}},
    {"quoted, a comment glued", TEXT("(x)\"" V "\"(x)" A), .found = {V}},
    {"quoted, a comment is no part of it", TEXT("\"a@\"(x)\"bank.example\"" A), .found = {NULL}},
    {"quoted, a round bracket in it", TEXT("\"(\"a\"" V "\"" A), .found = {"a" V, V}},
    {"quoted, white space around the at", TEXT("\"victim @ bank.example\"" A), .found = {NULL}},
    {"quoted, white space behind the at", TEXT("\"victim@ bank.example\"" A), .found = {NULL}},
    {"quoted, tab in it", TEXT("\"victim@bank.example\tx\"" A), .found = {V}},
    {"quoted, fold in it", TEXT("\"x\n " V "\n x\"" A), .found = {V}},
    {"quoted, fold behind the at", TEXT("\"victim@\n bank.example\"" A), .found = {NULL}},
    {"unquoted, the own one", TEXT(OWN A), .found = {NULL}},
    {"unquoted, the own one, quotes needed", TEXT("\"a b\"@x.example <\"a b\"@x.example>"),
     .found = {NULL}},
    {"comment", TEXT(OWN " (" V ")"), .found = {V}},
    {"comment before", TEXT("(" V ") " OWN), .found = {V}},
    {"comment in a comment", TEXT(OWN " (a (=?utf-8?Q?victim=40bank.example?=) b)"), .found = {V}},
    {"comment with a backslash", TEXT(OWN " (victim\\@bank.example)"), .found = {V}},
    {"comment with quotes", TEXT(OWN " (\"" V "\")"), .found = {V}},
    {"comment with a quoted local part", TEXT(OWN " (\"x victim\"@bank.example)"),
     .found = {"\"x victim\"@bank.example", V}},
    {"comment in a comment, joined", TEXT(OWN " (=?utf-8?Q?victim=40bank?=(=?utf-8?Q?.example?=))"),
     .found = {V}},
    {"comments, joined", TEXT(OWN " (=?utf-8?Q?victim?=) (=?utf-8?Q?=40bank.example?=)"),
     .found = {V}},
    {"comment in a name", TEXT("Alice (" V ") Smith" A), .found = {V}},
    {"comment in a name, with its end escaped",
     TEXT("Alice (\\) (x) =?utf-8?Q?victim=40bank.example?=) Smith" A), .found = {V}},
    {"comment behind a comment", TEXT(OWN " (a) (" V ")"), .found = {V}},
    {"comment of an empty element", TEXT("(" V "), " OWN), .found = {V}},
    {"comment of an empty element behind", TEXT(OWN ", (" V ")"), .found = {V}},
    {"comment with half of it", TEXT("\"victim@\"" A " (bank.example)"), .found = {NULL}},
    {"name and comment", TEXT("\"" V "\"" A " (b@x.example)"), .found = {V, "b@x.example"}},
    {"name and comment, the same", TEXT("\"" V "\"" A " (" V ")"), .found = {V}},
    {"comment of the next mailbox", TEXT(OWN ", b@x.example (" V ")"), .found = {NULL}},
    /* own */
    {"own", TEXT("\"" OWN "\"" A), .found = {OWN}},
    {"own, case", TEXT("\"Alice@Example.COM\"" A), .found = {OWN}, .text = "Alice@Example.COM"},
    {"own, in single quotes", TEXT("\"'" OWN "'\"" A), .found = {OWN}},
    {"own, in backticks", TEXT("\"`" OWN "`\"" A), .found = {OWN}},
    {"own, in quotes", TEXT("\"\\\"" OWN "\\\"\"" A), .found = {OWN}},
    {"own, in typographic quotes", TEXT("\"‘" OWN "’\"" A), .found = {OWN}},
    {"own, in low quotes", TEXT("\"„" OWN "“\"" A), .found = {OWN}},
    {"own and a note", TEXT("\"" OWN " (Acme)\"" A), .found = {OWN}},
    {"own, a dot behind", TEXT("\"" OWN ".\"" A), .found = {OWN}},
    {"own, an ellipsis behind", TEXT("\"" OWN "…\"" A), .found = {OWN}},
    {"own, an ellipsis before", TEXT("\"..." OWN "\"" A), .found = {OWN}},
    {"own, underlined", TEXT("\"" OWN "_\"" A), .found = {OWN}},
    {"own, a hyphen behind", TEXT("\"" OWN "-\"" A), .found = {OWN}},
    {"own, tildes", TEXT("\"~" OWN "~\"" A), .found = {OWN}},
    {"own, bars", TEXT("\"Alice|/=" OWN "\"" A), .found = {"alice|/=" OWN}, .text = "Alice|/=" OWN},
    {"own, a bar before", TEXT("\"Alice |" OWN "|\"" A), .found = {OWN}},
    {"own, a slash before", TEXT("\"Alice /" OWN "\"" A), .found = {OWN}},
    {"own, an equals sign before", TEXT("\"Alice =" OWN "\"" A), .found = {OWN}},
    {"own, comma behind", TEXT("\"" OWN ", Alice\"" A), .found = {OWN}},
    {"own, in Chinese brackets", TEXT("\"爱丽丝（" OWN "）\"" A), .found = {OWN}},
    {"own, in corner brackets", TEXT("\"「" OWN "」\"" A), .found = {OWN}},
    {"own, marks of Windows", TEXT("\"\u202a" OWN "\u202c\"" A), .found = {OWN}},
    {"own, an envelope before", TEXT("\"✉" OWN "\"" A), .found = {OWN}},
    {"own, needless quotes", TEXT("\"\\\"alice\\\"@example.com\"" A), .found = {OWN},
     .text = "\"alice\"@example.com"},
    {"own, quotes needed", TEXT("\"x \\\"a b\\\"@x.example\" <\"a b\"@x.example>"),
     .found = {"\"a b\"@x.example"}},
    {"own, an at in quotes", TEXT("\"\\\"a\\\\\\\"b\\\"@x.example\" <\"a\\\"b\"@x.example>"),
     .found = {"\"a\\\"b\"@x.example"}},
    {"own, A-label", TEXT("\"alice@xn--bcher-kva.example\" <alice@bücher.example>"),
     .found = {"alice@xn--bcher-kva.example"}},
    {"own, U-label", TEXT("\"alice@bücher.example\" <alice@xn--bcher-kva.example>"),
     .found = {"alice@xn--bcher-kva.example"}, .text = "alice@bücher.example"},
    {"own, U-label in capitals", TEXT("\"ALICE@BÜCHER.EXAMPLE\" <alice@xn--bcher-kva.example>"),
     .found = {"alice@xn--bcher-kva.example"}, .text = "ALICE@BÜCHER.EXAMPLE"},
    {"own, U-label decomposed", TEXT("\"alice@bu\u0308cher.example\" <alice@bücher.example>"),
     .found = {"alice@xn--bcher-kva.example"}, .text = "alice@bücher.example"},
    {"own, top label of another script", TEXT("\"alice@例子.测试\" <alice@例子.测试>"),
     .found = {"alice@xn--fsqu00a.xn--0zwm56d"}, .text = "alice@例子.测试"},
    {"own, UTF-8", TEXT("\"用户@bücher.example\" <用户@bücher.example>"),
     .found = {"用户@xn--bcher-kva.example"}, .text = "用户@bücher.example"},
    {"own, every atext", TEXT("\"a!#$%&'*+-/=?^_`{|}~@x.example\"" A),
     .found = {"a!#$%&'*+-/=?^_`{|}~@x.example"}},
    {"own, dots", TEXT("\"a.b.c@x.example\"" A), .found = {"a.b.c@x.example"}},
    {"own, tag", TEXT("\"alice+x@example.com\"" A), .found = {"alice+x@example.com"}},
    /* several */
    {"two", TEXT("\"a@x.example b@x.example\"" A), .found = {"a@x.example", "b@x.example"}},
    {"two, comma", TEXT("\"a@x.example,b@x.example\"" A), .found = {"a@x.example", "b@x.example"}},
    {"two, semicolon", TEXT("\"a@x.example;b@x.example\"" A),
     .found = {"a@x.example", "b@x.example"}},
    {"two, in brackets", TEXT("\"<a@x.example><b@x.example>\"" A),
     .found = {"a@x.example", "b@x.example"}},
    {"two, the same", TEXT("\"a@x.example a@x.example\"" A), .found = {"a@x.example"}},
    {"two, the same in other case", TEXT("\"a@x.example A@x.example\"" A),
     .found = {"a@x.example", "a@x.example"}},
    {"two, run on", TEXT("\"a@x.example@y.example\"" A),
     .found = {"a@x.example", "x.example@y.example"}},
    {"own and another", TEXT("\"" OWN " " V "\"" A), .found = {OWN, V}},
    {"another and own", TEXT("\"" V " " OWN "\"" A), .found = {V, OWN}},
    {"three", TEXT("\"a@x.example; b@y.example c@z.example\"" A),
     .found = {"a@x.example", "b@y.example", "c@z.example"}},
    {"two, a slash between", TEXT("\"a@x.example/b@y.example\"" A),
     .found = {"a@x.example", "x.example/b@y.example"}},
    {"two at", TEXT("\"victim@@bank.example\"" A), .found = {NULL}},
    /* what is none */
    {"none: at alone", TEXT("\"@\"" A), .found = {NULL}},
    {"none: no dot", TEXT("\"victim@bank\"" A), .found = {NULL}},
    {"none: dot behind", TEXT("\"victim@bank.\"" A), .found = {NULL}},
    {"none: top label of one", TEXT("\"victim@bank.e\"" A), .found = {NULL}},
    {"none: top label of one, long in octets", TEXT("\"victim@bank.測\"" A), .found = {NULL}},
    {"top label of two", TEXT("\"victim@bank.ex\"" A), .found = {"victim@bank.ex"}},
    {"none: top label begins with a digit", TEXT("\"victim@bank.2x\"" A), .found = {NULL}},
    {"top label ends with a digit", TEXT("\"victim@bank.x2\"" A), .found = {"victim@bank.x2"}},
    {"none: a price", TEXT("\"10 pcs@3.50 each\"" A), .found = {NULL}},
    {"none: an IP address", TEXT("\"victim@192.0.2.1\"" A), .found = {NULL}},
    {"none: a literal", TEXT("\"victim@[192.0.2.1]\"" A), .found = {NULL}},
    {"none: a handle", TEXT("\"Alice @bank.example\"" A), .found = {NULL}},
    {"none: a handle, first", TEXT("\"@bank.example\"" A), .found = {NULL}},
    {"none: a handle in brackets", TEXT("\"(@bank.example)\"" A), .found = {NULL}},
    {"none: only quotes before the at", TEXT("\"'@bank.example\"" A), .found = {NULL}},
    {"none: dots before the at", TEXT("\"..@bank.example\"" A), .found = {NULL}},
    {"none: a domain", TEXT("\"bank.example\"" A), .found = {NULL}},
    /* seen, but no address */
    {"unreadable: dots in a row in the domain", TEXT("\"victim@bank..example\"" A),
     .found = {"!victim@bank..example"}},
    {"unreadable: dot before the domain", TEXT("\"victim@.bank.example\"" A),
     .found = {"!victim@.bank.example"}},
    {"unreadable: dots in a row in the local part", TEXT("\"vic..tim@bank.example\"" A),
     .found = {"!vic..tim@bank.example"}},
    {"unreadable: dot behind the local part", TEXT("\"victim.@bank.example\"" A),
     .found = {"!victim.@bank.example"}},
    {"unreadable: underscore", TEXT("\"victim@the_bank.example\"" A),
     .found = {"!victim@the_bank.example"}},
    {"unreadable: hyphen first", TEXT("\"victim@-bank.example\"" A),
     .found = {"!victim@-bank.example"}},
    {"unreadable: one quote", TEXT("\"victim\\\"@bank.example\"" A),
     .found = {"!victim\"@bank.example"}},
    {"unreadable: the quote begins too far away", TEXT("\"\\\"" X100 X50 "v\\\"@bank.example\"" A),
     .found = {"!" X100 X50 "v\"@bank.example"}},
    {"unreadable: escaped opening quote", TEXT("\"\\\\\\\"v\\\"@bank.example\"" A),
     .found = {"!v\"@bank.example"}},
    {"unreadable: local part of 65", TEXT("\"" X64 "x@bank.example\"" A),
     .found = {"!" X64 "x@bank.example"}},
    {"local part of 64", TEXT("\"" X64 "@bank.example\"" A), .found = {X64 "@bank.example"}},
    {"unreadable: label of 64", TEXT("\"victim@" X64 ".example\"" A),
     .found = {"!victim@" X64 ".example"}},
    {"unreadable: no A-label", TEXT("\"victim@xn--a.example\"" A),
     .found = {"!victim@xn--a.example"}},
    {"unreadable: domain too long",
     TEXT("\"victim@" X50 "." X50 "." X50 "." X50 "." X50 ".example\"" A),
     .found = {"!victim@" X50 "." X50 "." X50 "." X50 "." X50 ".example"}},
    /* other signs */
    {"at: full width", TEXT("\"victim\uff20bank.example\"" A), .found = {V}},
    {"at: small",
     TEXT("\"victim\ufe6b"
          "bank.example\"" A),
     .found = {V}},
    {"dot: ideographic",
     TEXT("\"victim@bank\u3002"
          "example\"" A),
     .found = {V}},
    {"dot: full width",
     TEXT("\"victim@bank\uff0e"
          "example\"" A),
     .found = {V}},
    {"dot: half width ideographic",
     TEXT("\"victim@bank\uff61"
          "example\"" A),
     .found = {V}},
    {"dot: small",
     TEXT("\"victim@bank\ufe52"
          "example\"" A),
     .found = {V}},
    {"dot: leader",
     TEXT("\"victim@bank\u2024"
          "example\"" A),
     .found = {V}},
    {"letters: full width", TEXT("\"ｖictim@ｂank.example\"" A), .found = {V}},
    {"letters: mathematical", TEXT("\"𝐯ictim@bank.example\"" A), .found = {V}},
    {"letters: circled", TEXT("\"ⓥictim@bank.example\"" A), .found = {V}},
    {"letters: ligature",
     TEXT("\"o\ufb03"
          "ce@bank.example\"" A),
     .found = {"office@bank.example"}},
    {"letters: Cyrillic", TEXT("\"vi\u0441tim@bank.example\"" A),
     .found = {"vi\u0441tim@bank.example"}},
    {"invisible: soft hyphen", TEXT("\"vic\u00adtim@bank.example\"" A), .found = {V}},
    {"invisible: zero-width space", TEXT("\"victim\u200b@bank.example\"" A), .found = {V}},
    {"invisible: non-joiner",
     TEXT("\"victim@\u200c"
          "bank.example\"" A),
     .found = {V}},
    {"invisible: joiner", TEXT("\"victim@bank.e\u200dxample\"" A), .found = {V}},
    {"invisible: word joiner", TEXT("\"victim@bank\u2060.example\"" A), .found = {V}},
    {"invisible: BOM", TEXT("\"victim@bank.e\ufeffxample\"" A), .found = {V}},
    {"invisible: marks of direction",
     TEXT("\"\u200evictim\u200f@\u061c"
          "bank.example\"" A),
     .found = {V}},
    {"invisible: isolates", TEXT("\"\u2066victim@bank\u2069.example\"" A), .found = {V}},
    {"invisible: variation selector", TEXT("\"victim\ufe0f@bank.example\"" A), .found = {V}},
    {"invisible: grapheme joiner", TEXT("\"victim\u034f@bank.example\"" A), .found = {V}},
    {"invisible: tag", TEXT("\"victim\U000e0041@bank.example\"" A), .found = {V}},
    {"invisible: filler", TEXT("\"victim\u3164@bank.example\"" A), .found = {V}},
    {"invisible: half-width filler", TEXT("\"victim\uffa0@bank.example\"" A), .found = {V}},
    {"invisible between a letter and its mark", TEXT("\"ju\u200b\u0308rgen@x.example\"" A),
     .found = {"jürgen@x.example"}},
    {"space: no-break", TEXT("\"victim\u00a0@bank.example\"" A), .found = {NULL}},
    {"space: ideographic", TEXT("\"x\u3000" V "\u3000x\"" A), .found = {V}},
    {"direction: override to the left",
     TEXT("\"\u202e"
          "elpmaxe.knab@mitciv\"" A),
     .found = {NULL}, .direction = true},
    {"direction: override to the right", TEXT("Al\u202dice" A), .direction = true},
    {"direction: encoded", TEXT("=?utf-8?B?4oCuQQ==?=" A), .direction = true},
    {"direction: in a comment", TEXT(OWN " (\u202e)"), .direction = true},
    {"direction: embedding is none", TEXT("\"\u202b\u202a\u202c\u2067\u2069 Alice\"" A),
     .found = {NULL}},
    /* encoded-words */
    {"word: Q", TEXT("=?utf-8?Q?victim=40bank.example?=" A), .found = {V}},
    {"word: Q, lower case", TEXT("=?UTF-8?q?victim=40bank=2eexample?=" A), .found = {V}},
    {"word: Q, every octet",
     TEXT("=?utf-8?Q?=76=69=63=74=69=6d=40=62=61=6e=6b=2E=65=78=61=6D=70=6C=65?=" A), .found = {V}},
    {"word: Q, underscore is a blank", TEXT("=?utf-8?Q?x_victim=40bank.example_x?=" A),
     .found = {V}},
    {"word: Q, encoded underscore is none", TEXT("=?utf-8?Q?x=5Fvictim=40bank.example?=" A),
     .found = {"x_" V}},
    {"word: Q, with brackets", TEXT("=?utf-8?Q?Victim_=3Cvictim=40bank.example=3E?=" A),
     .found = {V}},
    {"word: Q, broken escapes stay", TEXT("\"=?utf-8?Q?a=4=G0=0g=@bank.example?=\"" A),
     .found = {"a=4=g0=0g=@bank.example"}, .text = "a=4=G0=0g=@bank.example"},
    {"word: Q, escape cut off", TEXT("\"=?utf-8?Q?v@bank.example=4?=\"" A),
     .found = {"v@bank.example"}},
    {"word: Q, white space in it", TEXT("=?utf-8?Q?x victim=40bank.example?=" A), .found = {V}},
    {"word: Q, question mark in it", TEXT("=?utf-8?Q?x?y_victim=40bank.example?=" A), .found = {V}},
    {"word: Q, not decoded twice", TEXT("=?utf-8?Q?=3D40bank.example?=" A), .found = {NULL}},
    {"word: B", TEXT("=?utf-8?B?" V64 "?=" A), .found = {V}},
    {"word: B, lower case", TEXT("=?utf-8?b?" V64 "?=" A), .found = {V}},
    {"word: B, no padding", TEXT("=?utf-8?B?dmljdGltQGJhbmsuZXhhbXBsZQ?=" A),
     .found = {V, "victim@bank.exampl"}},
    {"word: B, no padding, two octets", TEXT("=?utf-8?B?dmljdGltQGJhbmsuZXhhbXBsZTE?=" A),
     .found = {V "1", "victim@bank.exampl"}},
    {"word: B, whole without padding", TEXT("=?utf-8?B?dmljdGltQGJhbmsuZXhhbXBs?=" A),
     .found = {"victim@bank.exampl"}},
    {"word: B, another behind the padding",
     TEXT("=?utf-8?B?dmljdGltQGJhbmsuZXhhbXBsZQ==?= =?utf-8?B?Lnh4?=" A), .found = {V ".xx", V}},
    {"word: B, a charset between it and the padding",
     TEXT("=?utf-8?B?dkB4LmV4YQ==?= =?iso-8859-1?B?bXBsZQ==?=" A),
     .found = {"v@x.example", "v@x.exa"}},
    {"word: B, Q behind the padding",
     TEXT("=?utf-8?B?dkB4LmV4YQ==?= =?utf-8?Q?mple?= =?utf-8?B?MQ==?=" A),
     .found = {"v@x.example1"}},
    {"word: B, too much padding", TEXT("=?utf-8?B?" V64 "==?=" A), .found = {V}},
    {"word: B, white space in it", TEXT("=?utf-8?B?dmljdGltQGJh bmsuZXhhbXBsZQ==?=" A),
     .found = {V}},
    {"word: B, folded", TEXT("=?utf-8?B?dmljdGltQGJh\n bmsuZXhhbXBsZQ==?=" A), .found = {V}},
    {"word: B, junk in it", TEXT("=?utf-8?B?dmlj*dGltQGJh-bmsuZXhhbXBsZQ==?=" A), .found = {V}},
    {"word: B, plus and slash", TEXT("=?iso-8859-1?B?+/9AYmFuay5leGFtcGxl?=" A),
     .found = {"ûÿ@bank.example"}},
    {"word: B, one digit is nothing", TEXT("=?utf-8?B?d?=" A), .found = {NULL}},
    {"word: B that is none, shown as it stands", TEXT("\"=?utf-8?B?victim@bank.example?=\"" A),
     .found = {"?utf-8?b?" V}},
    {"word: B that is none, decoded all the same",
     TEXT("\"=?utf-8?B?@dmljdGltQGJhbmsuZXhhbXBsZQ==?=\"" A), .found = {V}},
    {"word: an address as charset", TEXT("\"=?victim@bank.example?Q?x?=\"" A), .found = {"?" V}},
    {"word: an address as language", TEXT("\"=?utf-8*victim@bank.example?Q?x?=\"" A),
     .found = {"?utf-8*" V}},
    {"word: Q, an address as it stands", TEXT("\"=?utf-8?Q?victim@bank.example?=\"" A),
     .found = {V}},
    {"word: B, text behind the padding", TEXT("=?utf-8?B?dkBiYW5rLmV4YQ==bXBsZQ==?=" A),
     .found = {"v@bank.example", "v@bank.exa"}},
    {"word: no such encoding", TEXT("\"=?utf-8?X?victim=40bank.example?=\"" A), .found = {NULL}},
    {"word: long encoding", TEXT("\"=?utf-8?QQ?victim=40bank.example?=\"" A), .found = {NULL}},
    {"word: no end", TEXT("=?utf-8?Q?victim=40bank.example" A), .found = {NULL}},
    {"word: no end, and one before", TEXT("=?utf-8?Q?victim=40bank.example?= =?utf-8?Q?x" A),
     .found = {V}},
    {"word: no charset", TEXT("=\?\?Q?victim=40bank.example?=" A), .found = {V}},
    {"word: charset of 64", TEXT("=?" X64 "?Q?victim=40bank.example?=" A), .found = {V}},
    {"word: charset of 65", TEXT("\"=?" X64 "x?Q?victim=40bank.example?=\"" A), .found = {NULL}},
    {"word: language", TEXT("=?utf-8*en?Q?victim=40bank.example?=" A), .found = {V}},
    {"word: language, charset counts", TEXT("=?iso-8859-5*ru?Q?=D0=40bank.example?=" A),
     .found = {"а@bank.example"}},
    {"word: in quotes", TEXT("\"=?utf-8?Q?victim=40bank.example?=\"" A), .found = {V}},
    {"word: in quotes, text around", TEXT("\"x =?utf-8?B?" V64 "?= y\"" A), .found = {V}},
    {"word: in quotes, backslashes", TEXT("\"\\=\\?utf-8?Q?victim=40bank.example\\?=\"" A),
     .found = {V}},
    {"word: in a comment", TEXT(OWN " (=?utf-8?B?" V64 "?=)"), .found = {V}},
    {"word: in a comment in a comment", TEXT(OWN " (x(=?utf-8?B?" V64 "?=))"), .found = {V, "x" V}},
    {"word: glued to words", TEXT("vic=?utf-8?Q?tim=40bank?=.example" A), .found = {V}},
    {"word: glued before", TEXT("x=?utf-8?Q?victim=40bank.example?=" A), .found = {"x" V, V}},
    {"word: glued behind", TEXT("=?utf-8?Q?victim=40bank.example?=.xx" A), .found = {V ".xx", V}},
    {"word: a blank before and behind", TEXT("x =?utf-8?Q?victim=40bank.example?= x" A),
     .found = {V}},
    {"word: white space in it, and another", TEXT("=?utf-8?Q? =?utf-8?B?" V64 "?=" A),
     .found = {V}},
    {"word: another in it", TEXT("=?utf-8?Q?=?utf-8?B?" V64 "?=" A), .found = {"?utf-8?q?" V, V}},
    {"word: white space in it, and a control", TEXT("=?utf-8?Q?\n =?utf-8?B?YQpi?=" A),
     .found = {NULL}, .control = true},
    {"word: glued to words, joined", TEXT("\"vic=?utf-8?Q?tim=40?= =?utf-8?Q?bank?=.example\"" A),
     .found = {V}},
    {"word: decoded quotes", TEXT("=?utf-8?Q?=22v_v=22=40bank.example?=" A),
     .found = {"\"v v\"@bank.example"}},
    {"word: full-width at", TEXT("=?utf-8?Q?victim=EF=BC=A0bank.example?=" A), .found = {V}},
    {"word: joiner", TEXT("=?utf-8?Q?victim=40bank.e=E2=80=8Dxample?=" A), .found = {V}},
    {"words: joined", TEXT("=?utf-8?Q?victim=40?= =?utf-8?Q?bank.example?=" A), .found = {V}},
    {"words: joined over a fold", TEXT("=?utf-8?Q?victim?=\n =?utf-8?B?QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {V}},
    {"words: joined over much white space",
     TEXT("=?utf-8?Q?victim=40?= \t \n\t =?utf-8?Q?bank.example?=" A), .found = {V}},
    {"words: joined without white space", TEXT("=?utf-8?Q?victim=40?==?utf-8?Q?bank.example?=" A),
     .found = {V}},
    {"words: without white space, apart",
     TEXT("=?utf-8?Q?victim=40bank.example?==?utf-8?Q?.xx?=" A), .found = {V ".xx", V}},
    {"words: joined, not apart", TEXT("=?utf-8?Q?victim=40bank.example?= =?utf-8?Q?.xx?=" A),
     .found = {V ".xx"}},
    {"words: over charsets, apart", TEXT("=?utf-8?Q?victim=40bank.example?= =?us-ascii?Q?.xx?=" A),
     .found = {V ".xx", V}},
    {"words: a comment between", TEXT("=?utf-8?Q?victim=40bank.example?= () =?utf-8?Q?.xx?=" A),
     .found = {V ".xx", V}},
    {"words: empty quotes between",
     TEXT("=?utf-8?Q?victim=40bank.example?= \"\" =?utf-8?Q?.xx?=" A), .found = {V ".xx", V}},
    {"words: joined over quotes", TEXT("\"=?utf-8?Q?victim=40?=\" \"=?utf-8?Q?bank.example?=\"" A),
     .found = {V}},
    {"words: joined in quotes", TEXT("\"=?utf-8?Q?victim=40?= =?utf-8?Q?bank.example?=\"" A),
     .found = {V}},
    {"words: joined in a comment", TEXT(OWN " (=?utf-8?Q?victim=40?= =?utf-8?Q?bank.example?=)"),
     .found = {V}},
    {"words: joined over charsets", TEXT("=?utf-8?Q?victim=40?= =?iso-8859-1?Q?bank.example?=" A),
     .found = {V}},
    {"words: joined, three", TEXT("=?utf-8?Q?victim?= =?utf-8?Q?=40?= =?utf-8?Q?bank.example?=" A),
     .found = {V}},
    {"words: text between is no white space",
     TEXT("=?utf-8?Q?victim?= =40 =?utf-8?Q?bank.example?=" A), .found = {NULL}},
    {"words: white space before text stays", TEXT("=?utf-8?Q?victim=40?= bank.example" A),
     .found = {NULL}},
    {"words: white space behind text stays", TEXT("victim =?utf-8?Q?=40bank.example?=" A),
     .found = {NULL}},
    {"words: character split", TEXT("=?utf-8?Q?j=C3?= =?utf-8?Q?=BCrgen=40x.example?=" A),
     .found = {"jürgen@x.example"}},
    {"words: character split, Q and B", TEXT("=?utf-8?Q?=EF=BC?= =?UTF8?B?oA==?=" A),
     .found = {NULL}},
    {"words: at split", TEXT("=?utf-8?Q?victim=EF?= =?utf8?Q?=BC=A0bank.example?=" A),
     .found = {V}},
    {"words: character split, Shift_JIS",
     TEXT("=?shift_jis?Q?=91?= =?shift_jis?Q?=BE=40x.example?=" A), .found = {"太@x.example"}},
    {"words: character split, languages",
     TEXT("=?utf-8*de?Q?j=C3?= =?utf-8*en?Q?=BCrgen=40x.example?=" A),
     .found = {"jürgen@x.example"}},
    {"words: character split over charsets is broken",
     TEXT("=?utf-8?Q?j=C3?= =?iso-8859-1?Q?=FCrgen=40x.example?=" A),
     .found = {"j\xEF\xBF\xBDürgen@x.example", "jÃürgen@x.example", "ürgen@x.example"}},
    {"words: Mailsploit", TEXT("\"=?utf-8?b?" V64 "?==?utf-8?Q?=00?==?utf-8?b?" V64 "?=\"" A),
     .found = {V}, .control = true},
    {"words: shifted, not shifted back",
     TEXT("=?iso-2022-jp?B?GyRCQkA=?= =?iso-2022-jp?Q?victim=40bank.example?=" A),
     .found = {"太" V}},
    {"charset: unknown", TEXT("=?x-unknown?Q?victim=40bank.example?=" A), .found = {V}},
    {"charset: unknown, UTF-8 in it", TEXT("=?x-unknown?Q?victim=EF=BC=A0bank.example?=" A),
     .found = {V}},
    {"charset: unknown, Latin-1 in it", TEXT("=?x-unknown?Q?j=FCrgen=40x.example?=" A),
     .found = {"j\xEF\xBF\xBDrgen@x.example", "jürgen@x.example"}},
    {"charset: with a suffix of iconv", TEXT("=?utf-7//TRANSLIT?Q?victim+AEA-bank.example?=" A),
     .found = {NULL}},
    {"charset: longer than a known one", TEXT("=?utf-78?Q?victim+AEA-bank.example?=" A),
     .found = {NULL}},
    {"charset: shorter than a known one", TEXT("=?utf?Q?j=FCrgen=40x.example?=" A),
     .found = {"j\xEF\xBF\xBDrgen@x.example", "jürgen@x.example"}},
    {"charset: underscores", TEXT("=?ISO_8859_5?Q?=D0=40x.example?=" A), .found = {"а@x.example"}},
    {"charset: UTF-8 under the label us-ascii",
     TEXT("=?us-ascii?Q?victim=40bank=E3=80=82example?=" A), .found = {V}},
    {"charset: UTF-8 under a label of another", TEXT("=?iso-8859-5?Q?j=C3=BCrgen=40x.example?=" A),
     .found = {"jУМrgen@x.example", "jürgen@x.example"}},
    {"charset: larger than its label", TEXT("=?iso-8859-1?Q?=9Cuvre=40x.example?=" A),
     .found = {"œuvre@x.example"}},
    {"charset: not C1 but an apostrophe", TEXT("=?iso-8859-1?Q?O=92Neil?=" A), .found = {NULL}},
    {"UTF-7", TEXT("=?utf-7?Q?victim+AEA-bank.example?=" A), .found = {V}},
    {"UTF-7 that is longer in octets", TEXT("=?utf-7?Q?v=40bank.ex+AGE-?=" A),
     .found = {"v@bank.exa", "v@bank.ex"}},
    {"UTF-7 that hides", TEXT("=?utf-7?Q?+victim=40bank.example?=" A), .found = {"+" V}},
    {"broken: UTF-8", TEXT("=?utf-8?Q?=FFvictim=40bank.example?=" A),
     .found = {"\xEF\xBF\xBDvictim@bank.example", "ÿvictim@bank.example"}},
    {"broken: UTF-8 in a label", TEXT("=?utf-8?Q?victim=40ba=80nk.example?=" A),
     .found = {"!victim@ba\xEF\xBF\xBDnk.example"}},
    {"broken: UTF-8 before the top label", TEXT("=?utf-8?Q?victim=40bank.=80example?=" A),
     .found = {"!victim@bank.\xEF\xBF\xBD"
               "example"}},
    {"broken: UTF-8 is Latin-1", TEXT("=?utf-8?Q?J=FCrgen?=" A), .found = {NULL}},
    {"broken: UTF-8 is windows-1252", TEXT("=?utf-8?Q?O=92Neil?=" A), .found = {NULL}},
    {"broken: UTF-8, surrogate", TEXT("=?utf-8?Q?=ED=A0=80_victim=40bank.example?=" A),
     .found = {V}},
    {"broken: UTF-8, overlong at", TEXT("=?utf-8?Q?victim=C1=80bank.example?=" A), .found = {NULL}},
    {"broken: Shift_JIS takes the at", TEXT("=?shift_jis?Q?victim=FF=40bank.example?=" A),
     .found = {"victim?@bank.example", "victimÿ@bank.example"}},
    {"broken: cut", TEXT("=?euc-jp?Q?victim=40bank.example_=A4?=" A), .found = {V}},
    {"raw: UTF-8", TEXT("\"用户@bank.example\"" A), .found = {"用户@bank.example"}},
    {"raw: Latin-1", TEXT("\"j\xFCrgen@bank.example\"" A),
     .found = {"j\xEF\xBF\xBDrgen@bank.example", "jürgen@bank.example"}},
    {"raw: UTF-8 and a broken octet", TEXT("\"victim@bücher.example\" \xFC" A),
     .found = {"victim@xn--bcher-kva.example"}, .text = "victim@bücher.example"},
    {"raw: invisible, and a broken octet", TEXT("\"victim@bank.e\u200dxample\" \xFC" A),
     .found = {V, "!victim@bank.eâ\xEF\xBF\xBD\xEF\xBF\xBDxample"}},
    {"raw: direction, and a broken octet", TEXT("\"\u202eAlice\" \xFC" A), .found = {NULL},
     .direction = true},
    {"raw: Latin-1 beside a word", TEXT("\"\xFC =?utf-8?Q?=C3=BC=40x.example?= \xFC\"" A),
     .found = {"ü@x.example"}},
    {"raw: windows-1252", TEXT("\"O\x92Neil\"" A), .found = {NULL}},
    /* control */
    {"control: NUL", TEXT("=?utf-8?Q?Alice=00Bob?=" A), .control = true},
    {"control: NUL, in quotes", TEXT("\"=?utf-8?Q?Alice=00?=\"" A), .control = true},
    {"control: NUL, in a comment", TEXT(OWN " (=?utf-8?Q?Alice=00?=)"), .control = true},
    {"control: NUL behind an address", TEXT("=?utf-8?Q?victim=40bank.example=00?=" A), .found = {V},
     .control = true},
    {"control: LF", TEXT("=?utf-8?B?QWxpY2UKQm9i?=" A), .control = true},
    {"control: CR LF", TEXT("\"=?utf-8?Q?Alice=0D=0AX:_y?=\"" A), .found = {NULL}, .control = true},
    {"control: escape", TEXT("=?utf-8?Q?Alice=1B=5B2J?=" A), .control = true},
    {"control: tab", TEXT("=?utf-8?Q?a=09b?=" A), .control = true},
    {"control: DEL", TEXT("=?utf-8?Q?a=7Fb?=" A), .control = true},
    {"control: U+001F", TEXT("=?utf-8?Q?a=1Fb?=" A), .control = true},
    {"control: U+0080", TEXT("=?utf-8?Q?a=C2=80b?=" A), .control = true},
    {"control: U+009F", TEXT("=?utf-8?Q?a=C2=9Fb?=" A), .control = true},
    {"control: U+00A0 is none", TEXT("=?utf-8?Q?a=C2=A0b?=" A), .found = {NULL}},
    {"control: U+0085, raw",
     TEXT("\"a\xC2\x85"
          "b\"" A),
     .control = true},
    {"control: UTF-7", TEXT("=?utf-7?Q?a+AAA-b?=" A), .control = true},
    {"control: unknown charset", TEXT("=?x?Q?a=00b?=" A), .control = true},
    {"control: broken charset", TEXT("=?utf-8?Q?=FF=00?=" A), .control = true},
    {"control: shift of ISO-2022-JP is none", TEXT("=?ISO-2022-JP?B?GyRCQkA6PhsoQg==?=" A),
     .found = {NULL}},
    {"control: raw tab and fold are none", TEXT("\"a\tb\n\tc\"" A), .found = {NULL}},
    /* charsets */
    {"charset: utf-8", TEXT("=?utf-8?B?55So5oi3QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"用户@bank.example"}},
    {"charset: UTF8", TEXT("=?UTF8?B?asO8cmdlbkBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: us-ascii", TEXT("=?us-ascii?B?dmljdGltQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"victim@bank.example"}},
    {"charset: iso-8859-1", TEXT("=?iso-8859-1?B?avxyZ2VuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: latin1", TEXT("=?latin1?B?avxyZ2VuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: iso-8859-2", TEXT("=?iso-8859-2?B?s3VrYXN6QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"łukasz@bank.example"}},
    {"charset: iso-8859-3", TEXT("=?iso-8859-3?B?+GlzQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"ĝis@bank.example"}},
    {"charset: iso-8859-4", TEXT("=?iso-8859-4?B?u2lydHNAYmFuay5leGFtcGxl?=" A),
     .found = {"ģirts@bank.example"}},
    {"charset: iso-8859-5", TEXT("=?iso-8859-5?B?0NvY4dBAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: iso-8859-6", TEXT("=?iso-8859-6?B?2eTqQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"علي@bank.example"}},
    {"charset: iso-8859-7", TEXT("=?iso-8859-7?B?5evl7eFAYmFuay5leGFtcGxl?=" A),
     .found = {"ελενα@bank.example"}},
    {"charset: iso-8859-8", TEXT("=?iso-8859-8?B?4Ozp8UBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"אליס@bank.example"}},
    {"charset: iso-8859-8-i", TEXT("=?iso-8859-8-i?B?4Ozp8UBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"אליס@bank.example"}},
    {"charset: iso-8859-9", TEXT("=?iso-8859-9?B?/f79a0BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"ışık@bank.example"}},
    {"charset: iso-8859-10", TEXT("=?iso-8859-10?B?s2lydHNAYmFuay5leGFtcGxl?=" A),
     .found = {"ģirts@bank.example"}},
    {"charset: iso-8859-11", TEXT("=?iso-8859-11?B?ysGq0sJAYmFuay5leGFtcGxl?=" A),
     .found = {"สมชาย@bank.example"}},
    {"charset: iso-8859-13", TEXT("=?iso-8859-13?B?7GlydHNAYmFuay5leGFtcGxl?=" A),
     .found = {"ģirts@bank.example"}},
    {"charset: iso-8859-14", TEXT("=?iso-8859-14?B?8HluQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"ŵyn@bank.example"}},
    {"charset: iso-8859-15", TEXT("=?iso-8859-15?B?vXV2cmVAYmFuay5leGFtcGxl?=" A),
     .found = {"œuvre@bank.example"}},
    {"charset: iso-8859-16", TEXT("=?iso-8859-16?B?unRlZmFuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"ștefan@bank.example"}},
    {"charset: tis-620", TEXT("=?tis-620?B?ysGq0sJAYmFuay5leGFtcGxl?=" A),
     .found = {"สมชาย@bank.example"}},
    {"charset: windows-874", TEXT("=?windows-874?B?ysGq0sJAYmFuay5leGFtcGxl?=" A),
     .found = {"สมชาย@bank.example"}},
    {"charset: windows-1250", TEXT("=?windows-1250?B?s3VrYXN6QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"łukasz@bank.example"}},
    {"charset: WINDOWS-1251", TEXT("=?WINDOWS-1251?B?4Ovo8eBAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: windows-1252", TEXT("=?windows-1252?B?nHV2cmVAYmFuay5leGFtcGxl?=" A),
     .found = {"œuvre@bank.example"}},
    {"charset: windows-1253", TEXT("=?windows-1253?B?5evl7eFAYmFuay5leGFtcGxl?=" A),
     .found = {"ελενα@bank.example"}},
    {"charset: windows-1254", TEXT("=?windows-1254?B?/f79a0BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"ışık@bank.example"}},
    {"charset: windows-1255", TEXT("=?windows-1255?B?4Ozp8UBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"אליס@bank.example"}},
    {"charset: windows-1256", TEXT("=?windows-1256?B?2uHtQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"علي@bank.example"}},
    {"charset: windows-1257", TEXT("=?windows-1257?B?7GlydHNAYmFuay5leGFtcGxl?=" A),
     .found = {"ģirts@bank.example"}},
    {"charset: windows-1258", TEXT("=?windows-1258?B?8GFuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"đan@bank.example"}},
    {"charset: cp1250", TEXT("=?cp1250?B?s3VrYXN6QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"łukasz@bank.example"}},
    {"charset: cp1251", TEXT("=?cp1251?B?4Ovo8eBAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: cp1252", TEXT("=?cp1252?B?nHV2cmVAYmFuay5leGFtcGxl?=" A),
     .found = {"œuvre@bank.example"}},
    {"charset: ibm866", TEXT("=?ibm866?B?oKuo4aBAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: cp866", TEXT("=?cp866?B?oKuo4aBAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: koi8-r", TEXT("=?koi8-r?B?wczJ08FAYmFuay5leGFtcGxl?=" A),
     .found = {"алиса@bank.example"}},
    {"charset: koi8-u", TEXT("=?koi8-u?B?p9bBy0BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"їжак@bank.example"}},
    {"charset: macintosh", TEXT("=?macintosh?B?ap9yZ2VuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: x-mac-roman", TEXT("=?x-mac-roman?B?ap9yZ2VuQGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: iso-2022-jp", TEXT("=?iso-2022-jp?B?GyRCQkBPOhsoQkBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: iso-2022-kr", TEXT("=?iso-2022-kr?B?GyQpQw5DNjx2D0BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"철수@bank.example"}},
    {"charset: shift_jis", TEXT("=?shift_jis?B?kb6YWUBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: x-sjis", TEXT("=?x-sjis?B?kb6YWUBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: sjis", TEXT("=?sjis?B?kb6YWUBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: windows-31j", TEXT("=?windows-31j?B?kb6YWUBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: cp932", TEXT("=?cp932?B?kb6YWUBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: euc-jp", TEXT("=?euc-jp?B?wsDPukBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"太郎@bank.example"}},
    {"charset: euc-kr", TEXT("=?euc-kr?B?w7a89kBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"철수@bank.example"}},
    {"charset: ks_c_5601-1987", TEXT("=?ks_c_5601-1987?B?w7a89kBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"철수@bank.example"}},
    {"charset: ksc5601", TEXT("=?ksc5601?B?w7a89kBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"철수@bank.example"}},
    {"charset: cp949", TEXT("=?cp949?B?jGO89kBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"똠수@bank.example"}},
    {"charset: gb2312", TEXT("=?gb2312?B?wO7A10BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"李雷@bank.example"}},
    {"charset: euc-cn", TEXT("=?euc-cn?B?wO7A10BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"李雷@bank.example"}},
    {"charset: gbk", TEXT("=?gbk?B?wO7A10BiYW5rLmV4YW1wbGU=?=" A), .found = {"李雷@bank.example"}},
    {"charset: cp936", TEXT("=?cp936?B?h9bA10BiYW5rLmV4YW1wbGU=?=" A),
     .found = {"囍雷@bank.example"}},
    {"charset: gb18030", TEXT("=?gb18030?B?wO6BOe45QGJhbmsuZXhhbXBsZQ==?=" A),
     .found = {"李㐀@bank.example"}},
    {"charset: big5", TEXT("=?big5?B?s6+5cEBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"陳雷@bank.example"}},
    {"charset: big5-hkscs", TEXT("=?big5-hkscs?B?s6+5cEBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"陳雷@bank.example"}},
    {"charset: cp950", TEXT("=?cp950?B?s6+5cEBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"陳雷@bank.example"}},
    {"charset: utf-7", TEXT("=?utf-7?B?aitBUHctcmdlbkBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"jürgen@bank.example", "j+apw-rgen@bank.example"}},
    {"charset: unicode-1-1-utf-7",
     TEXT("=?unicode-1-1-utf-7?B?aitBUHctcmdlbkBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"jürgen@bank.example", "j+apw-rgen@bank.example"}},
    {"charset: utf-16be",
     TEXT("=?utf-16be?B?AGoA/AByAGcAZQBuAEAAYgBhAG4AawAuAGUAeABhAG0AcABsAGU=?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: utf-16le",
     TEXT("=?utf-16le?B?agD8AHIAZwBlAG4AQABiAGEAbgBrAC4AZQB4AGEAbQBwAGwAZQA=?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: utf-16",
     TEXT("=?utf-16?B?//5qAPwAcgBnAGUAbgBAAGIAYQBuAGsALgBlAHgAYQBtAHAAbABlAA==?=" A),
     .found = {"jürgen@bank.example"}},
    {"charset: euc-tw", TEXT("=?euc-tw?B?3fPn2EBiYW5rLmV4YW1wbGU=?=" A),
     .found = {"陳雷@bank.example"}},
};

static void assert_found(const struct shown_address *found, const char *want)
{
    if (*want == '!')
        assert_string_equal(found->text, want + 1);
    assert_string_equal(found->addr.key, *want == '!' ? "" : want);
}

static void run_shown(void **state)
{
    const struct shown_row *row = *state;
    struct seen s = look(row->rules ? row->rules : &folding, row->value);
    size_t count = 0;
    for (; count < FOUND_MAX && row->found[count]; count++) {
        if (count >= s.shown.count)
            fail_msg("%s is not found", row->found[count]);
        assert_found(&s.shown.addresses[count], row->found[count]);
    }
    if (s.shown.count > count)
        fail_msg("%s is found", s.shown.addresses[count].text);
    if (row->text)
        assert_string_equal(s.shown.addresses[0].text, row->text);
    assert_int_equal(s.shown.control, row->control);
    assert_int_equal(s.shown.direction, row->direction);
    seen_free(&s);
}

/* ---- cut anywhere ---- */

/* A parser lets no such name pass; nothing is read outside of it all the same. */
static void rows_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shown_rows / sizeof shown_rows[0]; i++) {
        struct span value = shown_rows[i].value;
        for (size_t len = 0; len <= value.len; len++) {
            struct span head = span_sub(value, 0, len), tail = span_sub(value, len, value.len);
            struct seen s = look_at(&folding, head, tail);
            seen_free(&s);
        }
    }
}

static void every_octet_decodes(void **state)
{
    static const char *const charsets[] = {"utf-8", "iso-8859-1", "iso-2022-jp", "gb18030", "x"};
    (void)state;
    for (unsigned c = 0; c < 0x100; c++)
        for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
            struct arena *a = arena_create();
            const char *name = arena_printf(a, "=?%s?Q?=%02X?=", charsets[i], c);
            struct seen s = look_at(&folding, span_of(name), span_of(""));
            assert_int_equal(s.shown.count, 0);
            if (c < 0x80 && (i != 2 || (c != 0x1b && c != 0x0e && c != 0x0f)))
                assert_int_equal(s.shown.control, c < 0x20 || c == 0x7f);
            seen_free(&s);
            arena_destroy(a);
        }
}

/* ---- many, and long ---- */

struct many_row {
    const char *name;
    size_t times;
    size_t count;
    bool last_is_known;
};

static const struct many_row many_rows[] = {
    {"many: 99", 99, 99, true},
    {"many: 100", 100, 100, false},
    {"many: 101", 101, 100, false},
    {"many: 5000", 5000, 100, false},
};

static void run_many(void **state)
{
    const struct many_row *row = *state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < row->times; i++)
        strbuf_printf(&b, "a%zu@x.example ", i);
    struct seen s = look_at(&folding, strbuf_span(&b), span_of("(b@x.example)"));
    size_t want = row->count + (row->count < SHOWN_ADDRESSES_MAX);
    assert_int_equal(s.shown.count, want);
    assert_string_equal(s.shown.addresses[0].addr.key, "a0@x.example");
    assert_string_equal(s.shown.addresses[row->count - 1].addr.key,
                        row->last_is_known ? arena_printf(a, "a%zu@x.example", row->times - 1)
                                           : "");
    assert_true(*s.shown.addresses[want - 1].text != '\0');
    seen_free(&s);
    arena_destroy(a);
}

enum { LONG = 64 * 1024, LONG_MEMORY = 8 * 1024 * 1024 };

struct long_row {
    const char *name, *piece;
};

static const struct long_row long_rows[] = {
    {"long: at", "@"},
    {"long: at and a letter", "a@"},
    {"long: at and a dot", "a@b.cc"},
    {"long: doubtful words", "=?u?b?@"},
    {"long: quotes", "\""},
    {"long: escaped quotes", "\\\""},
    {"long: quote and at", "\\\"@"},
    {"long: quote, at and domain", "\\\"@b.cc"},
    {"long: word start", "=?"},
    {"long: question marks", "?"},
    {"long: word start with a charset", "=?a?Q?"},
    {"long: word start with a known charset", "=?utf-8?B?"},
    {"long: words", "=?a?Q?=40?="},
    {"long: words of UTF-8", "=?utf-8?Q?a=40b.cc?= "},
    {"long: words, broken", "=?utf-8?Q?=FF?="},
    {"long: words of two charsets", "=?utf-7?Q?+?==?gbk?Q?=FF?="},
    {"long: words that shift", "=?iso-2022-jp?Q?=1B$B?="},
    {"long: end", "?="},
    {"long: opening brackets", "("},
    {"long: brackets", "()"},
    {"long: closing brackets", ")"},
    {"long: backslashes", "\\"},
    {"long: letters", "a"},
    {"long: dots", "."},
    {"long: dots and letters", "a."},
    {"long: hyphens", "-"},
    {"long: marks", "\u0308\u0323"},
    {"long: what NFKC makes long", "\ufdfa"},
    {"long: invisible", "\u200b"},
    {"long: broken UTF-8", "\xF0\x90"},
};

static void run_long(void **state)
{
    const struct long_row *row = *state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    while (b.len < LONG)
        strbuf_add_str(&b, row->piece);
    struct seen s = look_at(&folding, strbuf_span(&b), span_of(""));
    struct seen comment = look_at(&folding, span_of(""), strbuf_span(&b));
    assert_true(arena_size(s.arena) < LONG_MEMORY);
    seen_free(&s);
    seen_free(&comment);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(shown_rows, run_shown);
    ROWS_ADD_TEST("every row, cut anywhere", rows_cut_anywhere);
    ROWS_ADD_TEST("every octet, encoded", every_octet_decodes);
    ROWS_ADD(many_rows, run_many);
    ROWS_ADD(long_rows, run_long);
    return rows_main();
}
