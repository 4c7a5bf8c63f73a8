#include "exact.h"
#include "rows.h"
#include "texts.h"
#include "utext.h"

struct check_row {
    const char *name;
    struct span text;
    enum utext_allow allow;
    const char *refused; /* part of why, NULL for accepted */
};

static const struct check_row check_rows[] = {
    {"empty", TEXT(""), UTEXT_NOTHING, NULL},
    {"ASCII", TEXT("alice+tag!#$"), UTEXT_NOTHING, NULL},
    {"every printable ASCII end: ! and ~", TEXT("!~"), UTEXT_NOTHING, NULL},
    {"letters of several scripts", TEXT("用户jürgenАлиса"), UTEXT_NOTHING, NULL},
    {"a symbol beyond the BMP", TEXT("\xF0\x9F\x98\x80"), UTEXT_NOTHING, NULL},
    {"a combining mark that has no composed form", TEXT("q\xCC\x88"), UTEXT_NOTHING, NULL},
    {"space refused", TEXT("a b"), UTEXT_NOTHING, "U+0020"},
    {"space allowed", TEXT("a b"), UTEXT_ASCII_SPACE, NULL},
    {"space allowed beside other scripts", TEXT("ü b"), UTEXT_ASCII_SPACE, NULL},
    {"tab is no space", TEXT("a\tb"), UTEXT_ASCII_SPACE, "U+0009"},
    {"NUL", TEXT("a\0b"), UTEXT_ASCII_SPACE, "U+0000"},
    {"escape", TEXT("a\033b"), UTEXT_NOTHING, "U+001B"},
    {"DEL", TEXT("a\177"), UTEXT_NOTHING, "U+007F"},
    {"C1 control", TEXT("a\xC2\x85"), UTEXT_NOTHING, "U+0085"},
    {"no-break space", TEXT("a\xC2\xA0"), UTEXT_ASCII_SPACE, "U+00A0"},
    {"ideographic space", TEXT("\xE3\x80\x80"), UTEXT_ASCII_SPACE, "U+3000"},
    {"line separator", TEXT("\xE2\x80\xA8"), UTEXT_NOTHING, "U+2028"},
    {"soft hyphen", TEXT("al\xC2\xADice"), UTEXT_NOTHING, "U+00AD"},
    {"zero-width space", TEXT("al\xE2\x80\x8Bice"), UTEXT_NOTHING, "U+200B"},
    {"zero-width joiner", TEXT("al\xE2\x80\x8Dice"), UTEXT_NOTHING, "U+200D"},
    {"right-to-left override", TEXT("\xE2\x80\xAE"), UTEXT_NOTHING, "U+202E"},
    {"byte order mark", TEXT("\xEF\xBB\xBF"), UTEXT_NOTHING, "U+FEFF"},
    {"variation selector: a mark, but ignorable", TEXT("a\xEF\xB8\x8F"), UTEXT_NOTHING, "U+FE0F"},
    {"Hangul filler: a letter, but ignorable", TEXT("\xE3\x85\xA4"), UTEXT_NOTHING, "U+3164"},
    {"combining grapheme joiner", TEXT("a\xCD\x8F"), UTEXT_NOTHING, "U+034F"},
    {"private use", TEXT("\xEE\x80\x80"), UTEXT_NOTHING, "U+E000"},
    {"noncharacter", TEXT("\xEF\xBF\xBF"), UTEXT_NOTHING, "U+FFFF"},
    {"unassigned", TEXT("\xCD\xB8"), UTEXT_NOTHING, "U+0378"},
    {"lone continuation", TEXT("a\x80"), UTEXT_NOTHING, "UTF-8"},
    {"cut short at the end", TEXT("a\xC3"), UTEXT_NOTHING, "UTF-8"},
    {"cut short in four", TEXT("\xF0\x9F\x98"), UTEXT_NOTHING, "UTF-8"},
    {"overlong slash", TEXT("\xC0\xAF"), UTEXT_NOTHING, "UTF-8"},
    {"surrogate", TEXT("\xED\xA0\x80"), UTEXT_NOTHING, "UTF-8"},
    {"beyond U+10FFFF", TEXT("\xF4\x90\x80\x80"), UTEXT_NOTHING, "UTF-8"},
    {"Latin-1", TEXT("J\xFCrgen"), UTEXT_NOTHING, "UTF-8"},
    {"decomposed", TEXT("ju\xCC\x88rgen"), UTEXT_NOTHING, "normal form"},
    {"Kelvin sign has a normal form of its own",
     TEXT("mi\xE2\x84\xAA"
          "e"),
     UTEXT_NOTHING, "normal form"},
    {"full-width letter is NFC", TEXT("\xEF\xBD\x81"), UTEXT_NOTHING, NULL},
};

static void run_check(void **state)
{
    const struct check_row *row = *state;
    struct errtext why = {""};
    struct exact text = exact_copy(row->text);
    assert_int_equal(utext_check(text.text, row->allow, &why), row->refused == NULL);
    if (row->refused)
        assert_non_null(strstr(why.text, row->refused));
    exact_free(&text);
}

struct utf8_row {
    const char *name;
    struct span text;
    bool want;
};

static const struct utf8_row utf8_rows[] = {
    {"utf8: empty", TEXT(""), true},
    {"utf8: controls are UTF-8 too", TEXT("\0\033"), true},
    {"utf8: two octets", TEXT("ü"), true},
    {"utf8: Latin-1", TEXT("\xFC"), false},
    {"utf8: cut short", TEXT("\xE3\x80"), false},
};

static void run_utf8(void **state)
{
    const struct utf8_row *row = *state;
    struct exact text = exact_copy(row->text);
    assert_int_equal(utext_is_utf8(text.text), row->want);
    exact_free(&text);
}

struct domain_row {
    const char *name;
    struct span text;
    const char *want; /* NULL for refused */
};

#define LABELS_9  "abcdefghi."
#define LABELS_90 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9
#define LABELS_250                                                                                 \
    LABELS_90 LABELS_90 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9 LABELS_9

static const struct domain_row domain_rows[] = {
    {"domain: plain", TEXT("example.com"), "example.com"},
    {"domain: lower case", TEXT("Example.COM"), "example.com"},
    {"domain: one label", TEXT("localhost"), "localhost"},
    {"domain: hyphens inside", TEXT("a-b--c.example"), "a-b--c.example"},
    {"domain: digits first", TEXT("123.example"), "123.example"},
    {"domain: digits and letters last", TEXT("a.1b"), "a.1b"},
    {"domain: U-label", TEXT("bücher.example"), "xn--bcher-kva.example"},
    {"domain: U-label beside upper-case ASCII", TEXT("BüCHER.Example"), "xn--bcher-kva.example"},
    {"domain: A-label in upper case", TEXT("XN--BCHER-KVA.example"), "xn--bcher-kva.example"},
    {"domain: sharp s stays", TEXT("straße.example"), "xn--strae-oqa.example"},
    {"domain: Cyrillic a is another domain", TEXT("ex\xD0\xB0mple.com"), "xn--exmple-4nf.com"},
    {"domain: label of 63", TEXT(X63 ".com"), X63 ".com"},
    {"domain: label of 64", TEXT(X64 ".com"), NULL},
    {"domain: 253", TEXT(LABELS_250 "abc"), LABELS_250 "abc"},
    {"domain: 254", TEXT(LABELS_250 "abcd"), NULL},
    {"domain: far too long", TEXT(LABELS_250 LABELS_250 LABELS_250 LABELS_250 LABELS_250 "com"),
     NULL},
    {"domain: empty", TEXT(""), NULL},
    {"domain: dot", TEXT("."), NULL},
    {"domain: trailing dot", TEXT("example.com."), NULL},
    {"domain: leading dot", TEXT(".example.com"), NULL},
    {"domain: two dots", TEXT("example..com"), NULL},
    {"domain: two dots beside a U-label", TEXT("bücher..com"), NULL},
    {"domain: hyphen first", TEXT("-example.com"), NULL},
    {"domain: hyphen last", TEXT("example-.com"), NULL},
    {"domain: underscore", TEXT("exam_ple.com"), NULL},
    {"domain: underscore beside a U-label", TEXT("b_ü.com"), NULL},
    {"domain: space", TEXT("exam ple.com"), NULL},
    {"domain: at", TEXT("a@example.com"), NULL},
    {"domain: bracket", TEXT("example.com>"), NULL},
    {"domain: NUL", TEXT("example.com\0.evil"), NULL},
    {"domain: NUL at the end", TEXT("example.com\0"), NULL},
    {"domain: IPv4 address", TEXT("192.0.2.1"), NULL},
    {"domain: last label a number", TEXT("example.123"), NULL},
    {"domain: upper case beyond ASCII", TEXT("BÜCHER.example"), NULL},
    {"domain: full-width letter", TEXT("\xEF\xBD\x85xample.com"), NULL},
    {"domain: ideographic full stop",
     TEXT("exam\xE3\x80\x82"
          "com"),
     NULL},
    {"domain: Kelvin sign",
     TEXT("\xE2\x84\xAA"
          "elvin.com"),
     NULL},
    {"domain: zero-width space", TEXT("exam\xE2\x80\x8Bple.com"), NULL},
    {"domain: zero-width space at the end", TEXT("example.com\xE2\x80\x8B"), NULL},
    {"domain: decomposed U-label",
     TEXT("bu\xCC\x88"
          "cher.example"),
     NULL},
    {"domain: Latin-1",
     TEXT("b\xFC"
          "cher.example"),
     NULL},
    {"domain: A-label of nothing", TEXT("xn--.com"), NULL},
    {"domain: A-label of plain ASCII", TEXT("xn--example-.com"), NULL},
    {"domain: A-label that is no Punycode", TEXT("xn--zzzzzzzz999.com"), NULL},
    {"domain: A-label of a disallowed character", TEXT("xn--a.com"), NULL},
};

static void run_domain(void **state)
{
    const struct domain_row *row = *state;
    struct arena *a = arena_create();
    struct errtext why = {""};
    const char *untouched = "untouched", *domain = untouched;
    struct exact text = exact_copy(row->text);
    bool ok = utext_domain(a, text.text, &domain, &why);
    exact_free(&text);
    assert_int_equal(ok, row->want != NULL);
    if (row->want)
        assert_string_equal(domain, row->want);
    else
        assert_ptr_equal(domain, untouched);
    assert_int_equal(*why.text == '\0', ok);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(check_rows, run_check);
    ROWS_ADD(utf8_rows, run_utf8);
    ROWS_ADD(domain_rows, run_domain);
    return rows_main();
}
