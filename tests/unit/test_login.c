/* login: from the MTA's macros to what is looked up; cachekey: from what decides to one key. */
#include "cachekey.h"
#include "exact.h"
#include "login.h"
#include "rows.h"
#include "texts.h"

#include <stdio.h>

/* ---- login_proof() ---- */

struct proof_row {
    const char *name, *type, *authen;
    enum login_proof want;
};

static const struct proof_row proof_rows[] = {
    {"proof: both", "PLAIN", "ann", LOGIN_PROOF_SASL},
    {"proof: neither", NULL, NULL, LOGIN_PROOF_NONE},
    {"proof: both empty", "", "", LOGIN_PROOF_NONE},
    {"proof: absent and empty", NULL, "", LOGIN_PROOF_NONE},
    {"proof: empty and absent", "", NULL, LOGIN_PROOF_NONE},
    {"proof: type alone", "PLAIN", NULL, LOGIN_PROOF_HALF},
    {"proof: type and an empty login", "PLAIN", "", LOGIN_PROOF_HALF},
    {"proof: login alone", NULL, "ann", LOGIN_PROOF_HALF},
    {"proof: login and an empty type", "", "ann", LOGIN_PROOF_HALF},
};

static void run_proof(void **state)
{
    const struct proof_row *row = *state;
    assert_int_equal(login_proof(row->type, row->authen), row->want);
}

/* ---- login_decode() ---- */

struct decode_row {
    const char *name;
    enum login_mta mta;
    const char *version;
    struct span macro;
    enum login_decoded status;
    struct span want; /* for LOGIN_DECODED */
};

static const struct decode_row decode_rows[] = {
    {"decode: Postfix takes it raw", LOGIN_MTA_POSTFIX, NULL, TEXT("a+2Bb"), LOGIN_DECODED,
     TEXT("a+2Bb")},
    {"decode: Postfix, what is no xtext", LOGIN_MTA_POSTFIX, NULL, TEXT("a =+ü\0"), LOGIN_DECODED,
     TEXT("a =+ü\0")},
    {"decode: Postfix, whatever {v} says", LOGIN_MTA_POSTFIX, "8.18.1", TEXT("a+2Bb"),
     LOGIN_DECODED, TEXT("a+2Bb")},
    {"decode: Postfix, empty", LOGIN_MTA_POSTFIX, NULL, TEXT(""), LOGIN_DECODED, TEXT("")},
    {"decode: Sendmail", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2Bb"), LOGIN_DECODED, TEXT("a+b")},
    {"decode: Sendmail, whatever {v} says", LOGIN_MTA_SENDMAIL, "Postfix 3.9", TEXT("a+2Bb"),
     LOGIN_DECODED, TEXT("a+b")},
    {"decode: Sendmail, nothing to decode", LOGIN_MTA_SENDMAIL, NULL, TEXT("ann@example.net"),
     LOGIN_DECODED, TEXT("ann@example.net")},
    {"decode: Sendmail, empty", LOGIN_MTA_SENDMAIL, NULL, TEXT(""), LOGIN_DECODED, TEXT("")},
    {"decode: Sendmail, first", LOGIN_MTA_SENDMAIL, NULL, TEXT("+3Dx"), LOGIN_DECODED, TEXT("=x")},
    {"decode: Sendmail, last", LOGIN_MTA_SENDMAIL, NULL, TEXT("x+3D"), LOGIN_DECODED, TEXT("x=")},
    {"decode: Sendmail, in a row", LOGIN_MTA_SENDMAIL, NULL, TEXT("+C3+BC+20"), LOGIN_DECODED,
     TEXT("ü ")},
    {"decode: Sendmail, once only", LOGIN_MTA_SENDMAIL, NULL, TEXT("+2B2B"), LOGIN_DECODED,
     TEXT("+2B")},
    {"decode: Sendmail, NUL", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+00b"), LOGIN_DECODED, TEXT("a\0b")},
    {"decode: Sendmail, the last octet", LOGIN_MTA_SENDMAIL, NULL, TEXT("+FF"), LOGIN_DECODED,
     TEXT("\xFF")},
    {"decode: xtext with lower-case digits", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2bc"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: xtext with a lower-case first digit", LOGIN_MTA_SENDMAIL, NULL, TEXT("+a0"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: xtext with no digit", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+GGb"), LOGIN_BAD_XTEXT,
     TEXT("")},
    {"decode: xtext with one digit", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2Gb"), LOGIN_BAD_XTEXT,
     TEXT("")},
    {"decode: xtext with a plus at the end", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+"), LOGIN_BAD_XTEXT,
     TEXT("")},
    {"decode: xtext with one digit at the end", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: xtext with two plus", LOGIN_MTA_SENDMAIL, NULL, TEXT("a++2B"), LOGIN_BAD_XTEXT,
     TEXT("")},
    {"decode: xtext with a NUL for a digit", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2\0"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: xtext that was none", LOGIN_MTA_SENDMAIL, NULL, TEXT("ann+tag@example.net"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: xtext, fault behind a decoded part", LOGIN_MTA_SENDMAIL, NULL, TEXT("a+2Bb c"),
     LOGIN_BAD_XTEXT, TEXT("")},
    {"decode: auto, Postfix", LOGIN_MTA_AUTO, "Postfix 3.9.1", TEXT("a+2Bb"), LOGIN_DECODED,
     TEXT("a+2Bb")},
    {"decode: auto, only the word Postfix", LOGIN_MTA_AUTO, "Postfix", TEXT("a+2Bb"), LOGIN_DECODED,
     TEXT("a+2Bb")},
    {"decode: auto, Sendmail", LOGIN_MTA_AUTO, "8.18.1", TEXT("a+2Bb"), LOGIN_DECODED, TEXT("a+b")},
    {"decode: auto, Sendmail's bad xtext", LOGIN_MTA_AUTO, "8.18.1", TEXT("a+tag"), LOGIN_BAD_XTEXT,
     TEXT("")},
    {"decode: auto, part of the word Postfix", LOGIN_MTA_AUTO, "Post", TEXT("a+2Bb"), LOGIN_DECODED,
     TEXT("a+b")},
    {"decode: auto, Postfix further on", LOGIN_MTA_AUTO, "no Postfix", TEXT("a+2Bb"), LOGIN_DECODED,
     TEXT("a+b")},
    {"decode: auto, unknown, plain", LOGIN_MTA_AUTO, NULL, TEXT("ann@example.net"), LOGIN_DECODED,
     TEXT("ann@example.net")},
    {"decode: auto, unknown, tag", LOGIN_MTA_AUTO, NULL, TEXT("ann+tag"), LOGIN_DECODED,
     TEXT("ann+tag")},
    {"decode: auto, unknown, small digits", LOGIN_MTA_AUTO, NULL, TEXT("a+2bc"), LOGIN_DECODED,
     TEXT("a+2bc")},
    {"decode: auto, unknown, digits without a plus", LOGIN_MTA_AUTO, NULL, TEXT("AB12"),
     LOGIN_DECODED, TEXT("AB12")},
    {"decode: auto, unknown, one digit", LOGIN_MTA_AUTO, NULL, TEXT("a+2"), LOGIN_DECODED,
     TEXT("a+2")},
    {"decode: auto, unknown, empty", LOGIN_MTA_AUTO, NULL, TEXT(""), LOGIN_DECODED, TEXT("")},
    {"decode: auto, unknown, both digits", LOGIN_MTA_AUTO, NULL, TEXT("a+2Bb"), LOGIN_UNDECIDED,
     TEXT("")},
    {"decode: auto, unknown, digits first", LOGIN_MTA_AUTO, NULL, TEXT("+AFx"), LOGIN_UNDECIDED,
     TEXT("")},
    {"decode: auto, unknown, digits last", LOGIN_MTA_AUTO, NULL, TEXT("a++09"), LOGIN_UNDECIDED,
     TEXT("")},
    {"decode: auto, {v} empty", LOGIN_MTA_AUTO, "", TEXT("a+2Bb"), LOGIN_UNDECIDED, TEXT("")},
    {"decode: auto, {v} empty, plain", LOGIN_MTA_AUTO, "", TEXT("ann"), LOGIN_DECODED, TEXT("ann")},
};

static void assert_span(struct span got, struct span want)
{
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
}

static void check_decode(enum login_mta mta, const char *version, struct span text,
                         enum login_decoded status, struct span want)
{
    struct arena *a = arena_create();
    struct exact macro = exact_copy(text);
    struct span got = span_of("untouched");
    assert_int_equal(login_decode(a, mta, version, macro.text, &got), status);
    assert_span(got, status == LOGIN_DECODED ? want : span_of("untouched"));
    exact_free(&macro);
    arena_destroy(a);
}

static void run_decode(void **state)
{
    const struct decode_row *row = *state;
    check_decode(row->mta, row->version, row->macro, row->status, row->want);
}

static void xtext_of_every_octet(void **state)
{
    (void)state;
    for (int octet = 0; octet < 0x100; octet++) {
        const char plain[] = {(char)octet};
        char coded[sizeof "+XX"];
        bool xchar = octet >= '!' && octet <= '~' && octet != '+' && octet != '=';
        check_decode(LOGIN_MTA_SENDMAIL, NULL, span_make(plain, 1),
                     xchar ? LOGIN_DECODED : LOGIN_BAD_XTEXT, span_make(plain, 1));
        assert_int_equal(snprintf(coded, sizeof coded, "+%02X", (unsigned)octet), 3);
        check_decode(LOGIN_MTA_SENDMAIL, NULL, span_of(coded), LOGIN_DECODED, span_make(plain, 1));
        check_decode(LOGIN_MTA_AUTO, NULL, span_of(coded), LOGIN_UNDECIDED, span_of(""));
    }
}

static bool is_hex_digit(int octet)
{
    return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'F');
}

static void every_octet_as_digit(void **state)
{
    (void)state;
    for (int octet = 0; octet < 0x100; octet++) {
        const char high[] = {'+', (char)octet, '0'}, low[] = {'+', '4', (char)octet};
        struct arena *a = arena_create();
        struct span got;
        enum login_decoded want = is_hex_digit(octet) ? LOGIN_DECODED : LOGIN_BAD_XTEXT;
        assert_int_equal(login_decode(a, LOGIN_MTA_SENDMAIL, NULL, span_make(high, 3), &got), want);
        assert_int_equal(login_decode(a, LOGIN_MTA_SENDMAIL, NULL, span_make(low, 3), &got), want);
        arena_destroy(a);
    }
}

/* ---- login_normalise() ---- */

static const struct login_rewrite rewrites[] = {
    {"@strip.example", ""},
    {"@mail.example.net", "@example.net"},
    {"@mail.example.net", "@second.example"},
    {"@example.net", "@twice.example"},
    {"_at_example.org", "@example.org"},
    {"@xn--bcher-kva.example", "@Bücher.test"},
    {"@dot.example", "."},
    {"@at.example", "@b@c.example"},
    {"whole", ""},
};

static const struct login_rules plain = {.fold_case = true};
static const struct login_rules as_written = {0};
static const struct login_rules completing = {.fold_case = true, .default_domain = "Example.NET"};
static const struct login_rules completing_idn = {.fold_case = true,
                                                  .default_domain = "bücher.example"};
static const struct login_rules bad_default = {.fold_case = true, .default_domain = "a..b"};
static const struct login_rules master = {.fold_case = true, .master_separator = '*'};
static const struct login_rules rewriting = {
    .fold_case = true, .rewrites = rewrites, .rewrite_count = sizeof rewrites / sizeof rewrites[0]};
static const struct login_rules rewriting_as_written = {
    .rewrites = rewrites, .rewrite_count = sizeof rewrites / sizeof rewrites[0]};
static const struct login_rules everything = {.fold_case = true,
                                              .default_domain = "example.net",
                                              .master_separator = '*',
                                              .rewrites = rewrites,
                                              .rewrite_count =
                                                  sizeof rewrites / sizeof rewrites[0]};

struct login_row {
    const char *name;
    const struct login_rules *rules;
    struct span raw;
    const char *want, *local, *domain;
    const char *master;
};

#define X250 X100 X100 X50
#define X255 X250 "xxxxx"

static const struct login_row login_rows[] = {
    {"bare", &plain, TEXT("ann"), "ann", "ann", "", NULL},
    {"with a domain", &plain, TEXT("ann@example.net"), "ann@example.net", "ann", "example.net",
     NULL},
    {"bare, folded", &plain, TEXT("ANN-Z.az"), "ann-z.az", "ann-z.az", "", NULL},
    {"bare, as written", &as_written, TEXT("AnN"), "AnN", "AnN", "", NULL},
    {"with a domain, folded", &plain, TEXT("Ann@Example.NET"), "ann@example.net", "ann",
     "example.net", NULL},
    {"domain folded always", &as_written, TEXT("Ann@Example.NET"), "Ann@example.net", "Ann",
     "example.net", NULL},
    {"only ASCII is folded", &plain, TEXT("JÜRGEN"), "jÜrgen", "jÜrgen", "", NULL},
    {"UTF-8", &plain, TEXT("用户"), "用户", "用户", "", NULL},
    {"full-width letter stays", &plain, TEXT("\xEF\xBD\x81"), "\xEF\xBD\x81", "\xEF\xBD\x81", "",
     NULL},
    {"domain as A-label", &plain, TEXT("ann@bücher.example"), "ann@xn--bcher-kva.example", "ann",
     "xn--bcher-kva.example", NULL},
    {"domain in another case as A-label", &plain, TEXT("ann@BüCHER.Example"),
     "ann@xn--bcher-kva.example", "ann", "xn--bcher-kva.example", NULL},
    {"domain is an A-label", &plain, TEXT("ann@XN--Bcher-KVA.example"), "ann@xn--bcher-kva.example",
     "ann", "xn--bcher-kva.example", NULL},
    {"domain of one label", &plain, TEXT("ann@localhost"), "ann@localhost", "ann", "localhost",
     NULL},
    {"Windows domain", &plain, TEXT("CORP\\Ann"), "corp\\ann", "corp\\ann", "", NULL},
    {"percent", &plain, TEXT("ann%example.net"), "ann%example.net", "ann%example.net", "", NULL},
    {"Kerberos instance", &plain, TEXT("ann/admin@EXAMPLE.NET"), "ann/admin@example.net",
     "ann/admin", "example.net", NULL},
    {"tag stays", &plain, TEXT("ann+x@example.net"), "ann+x@example.net", "ann+x", "example.net",
     NULL},
    {"signs of LDAP filters", &plain, TEXT("a*(b)&|!=~<>"), "a*(b)&|!=~<>", "a*(b)&|!=~<>", "",
     NULL},
    {"quotes are signs", &plain, TEXT("\"ann\"@example.net"), "\"ann\"@example.net", "\"ann\"",
     "example.net", NULL},
    {"every printable end", &plain, TEXT("!~"), "!~", "!~", "", NULL},
    {"leading dot", &plain, TEXT(".ann"), ".ann", ".ann", "", NULL},
    {"dot before the at", &plain, TEXT("ann.@example.net"), "ann.@example.net", "ann.",
     "example.net", NULL},
    {"one octet", &plain, TEXT("a"), "a", "a", "", NULL},
    {"255 octets", &plain, TEXT(X255), X255, X255, "", NULL},
    {"completed", &completing, TEXT("Ann"), "ann@example.net", "ann", "example.net", NULL},
    {"completed by an IDN", &completing_idn, TEXT("ann"), "ann@xn--bcher-kva.example", "ann",
     "xn--bcher-kva.example", NULL},
    {"not completed", &completing, TEXT("ann@other.example"), "ann@other.example", "ann",
     "other.example", NULL},
    {"completed: Windows domain", &completing, TEXT("CORP\\ann"), "corp\\ann@example.net",
     "corp\\ann", "example.net", NULL},
    {"default domain not asked for", &bad_default, TEXT("ann@example.net"), "ann@example.net",
     "ann", "example.net", NULL},
    {"rewritten", &rewriting, TEXT("ann@mail.example.net"), "ann@example.net", "ann", "example.net",
     NULL},
    {"rewritten after folding", &rewriting, TEXT("Ann@MAIL.Example.net"), "ann@example.net", "ann",
     "example.net", NULL},
    {"rewritten, as written", &rewriting_as_written, TEXT("Ann@MAIL.Example.net"),
     "Ann@example.net", "Ann", "example.net", NULL},
    {"rewritten: suffix of a bare login keeps its case", &rewriting_as_written,
     TEXT("Ann_AT_example.org"), "Ann_AT_example.org", "Ann_AT_example.org", "", NULL},
    {"rewritten: the first that matches, once", &rewriting, TEXT("ann@example.net"),
     "ann@twice.example", "ann", "twice.example", NULL},
    {"rewritten: to a domain", &rewriting, TEXT("ann_at_example.org"), "ann@example.org", "ann",
     "example.org", NULL},
    {"rewritten: stripped", &rewriting, TEXT("ann@strip.example"), "ann", "ann", "", NULL},
    {"rewritten: takes one of two at", &rewriting, TEXT("ann@example.net@strip.example"),
     "ann@example.net", "ann", "example.net", NULL},
    {"rewritten: another at, domain in another case", &rewriting,
     TEXT("ann@Example.NET@Strip.Example"), "ann@example.net", "ann", "example.net", NULL},
    {"rewritten: two at, as written, domain in another case", &rewriting_as_written,
     TEXT("Ann@Example.NET@Strip.Example"), "Ann@example.net", "Ann", "example.net", NULL},
    {"rewritten: IDN found as U-label", &rewriting, TEXT("ann@bücher.example"),
     "ann@xn--bcher-kva.test", "ann", "xn--bcher-kva.test", NULL},
    {"rewritten: IDN found as A-label", &rewriting, TEXT("ann@xn--bcher-kva.example"),
     "ann@xn--bcher-kva.test", "ann", "xn--bcher-kva.test", NULL},
    {"rewritten: only at the end", &rewriting, TEXT("ann@mail.example.net.other"),
     "ann@mail.example.net.other", "ann", "mail.example.net.other", NULL},
    {"rewritten: no part of a name", &rewriting, TEXT("ann@xmail.example.net"),
     "ann@xmail.example.net", "ann", "xmail.example.net", NULL},
    {"rewritten: shorter than the suffix", &rewriting, TEXT("a"), "a", "a", "", NULL},
    {"rewritten, then completed", &everything, TEXT("ann@strip.example"), "ann@example.net", "ann",
     "example.net", NULL},
    {"completed, not then rewritten", &everything, TEXT("ann"), "ann@example.net", "ann",
     "example.net", NULL},
    {"master user", &master, TEXT("ann*admin"), "ann", "ann", "", "admin"},
    {"master user, folded", &master, TEXT("Ann@Example.net*Admin@Example.org"), "ann@example.net",
     "ann", "example.net", "admin@example.org"},
    {"master user, second separator is his", &master, TEXT("ann*ad*min"), "ann", "ann", "",
     "ad*min"},
    {"master user, none", &master, TEXT("ann"), "ann", "ann", "", NULL},
    {"master user, no separator set", &plain, TEXT("ann*admin"), "ann*admin", "ann*admin", "",
     NULL},
    {"master user, both completed", &everything, TEXT("ann*admin"), "ann@example.net", "ann",
     "example.net", "admin@example.net"},
    {"master user, both rewritten", &everything, TEXT("ann@mail.example.net*admin@strip.example"),
     "ann@example.net", "ann", "example.net", "admin@example.net"},
};

static void assert_same_text(const char *got, const char *want)
{
    assert_int_equal(got == NULL, want == NULL);
    if (want)
        assert_string_equal(got, want);
}

static void run_login(void **state)
{
    const struct login_row *row = *state;
    struct arena *a = arena_create();
    struct errtext why = {""};
    struct login login = {.master = "before"};
    struct exact raw = exact_copy(row->raw);
    bool ok = login_normalise(a, row->rules, raw.text, &login, &why);
    exact_free(&raw);
    assert_string_equal(why.text, "");
    assert_true(ok);
    assert_string_equal(login.name, row->want);
    assert_string_equal(login.local, row->local);
    assert_string_equal(login.domain, row->domain);
    assert_same_text(login.master, row->master);
    arena_destroy(a);
}

struct bad_row {
    const char *name;
    const struct login_rules *rules;
    struct span raw;
    const char *why; /* part of it */
};

#define TWO   "two '@'"
#define EMPTY "empty part"
#define ALONE "beside the master user's separator"
#define DOT   "ends with a dot"

static const struct bad_row bad_rows[] = {
    {"empty", &plain, TEXT(""), "is empty"},
    {"empty, though completed", &completing, TEXT(""), "is empty"},
    {"256 octets", &plain, TEXT(X255 "x"), "too long"},
    {"256 octets, shorter after a rewrite", &rewriting, TEXT(X250 "@strip.example"), "too long"},
    {"256 octets with the master user", &master, TEXT(X255 "*a"), "too long"},
    {"far too long", &plain, TEXT(X255 X255 X255 X255 X255), "too long"},
    {"blank before", &plain, TEXT(" ann"), "U+0020"},
    {"blank behind", &plain, TEXT("ann "), "U+0020"},
    {"blank inside", &plain, TEXT("ann lee"), "U+0020"},
    {"blank alone", &plain, TEXT(" "), "U+0020"},
    {"tab", &plain, TEXT("ann\t"), "U+0009"},
    {"line end", &plain, TEXT("ann\n"), "U+000A"},
    {"NUL", &plain, TEXT("ann\0"), "U+0000"},
    {"NUL inside", &plain, TEXT("ann\0@example.net"), "U+0000"},
    {"escape", &plain, TEXT("a\033[1m"), "U+001B"},
    {"DEL", &plain, TEXT("ann\177"), "U+007F"},
    {"C1 control", &plain, TEXT("ann\xC2\x85"), "U+0085"},
    {"no-break space", &plain, TEXT("ann\xC2\xA0"), "U+00A0"},
    {"ideographic space", &plain,
     TEXT("\xE3\x80\x80"
          "ann"),
     "U+3000"},
    {"line separator", &plain, TEXT("ann\xE2\x80\xA8"), "U+2028"},
    {"soft hyphen", &plain, TEXT("an\xC2\xADn"), "U+00AD"},
    {"zero-width space", &plain, TEXT("ann\xE2\x80\x8B"), "U+200B"},
    {"byte order mark", &plain,
     TEXT("\xEF\xBB\xBF"
          "ann"),
     "U+FEFF"},
    {"variation selector", &plain, TEXT("ann\xEF\xB8\x8F"), "U+FE0F"},
    {"Hangul filler", &plain, TEXT("ann\xE3\x85\xA4"), "U+3164"},
    {"private use", &plain, TEXT("ann\xEE\x80\x80"), "U+E000"},
    {"unassigned", &plain, TEXT("ann\xCD\xB8"), "U+0378"},
    {"not NFC", &plain, TEXT("ju\xCC\x88rgen"), "normal form"},
    {"not NFC: Kelvin sign", &plain,
     TEXT("\xE2\x84\xAA"
          "arl"),
     "normal form"},
    {"Latin-1", &plain, TEXT("j\xFCrgen"), "UTF-8"},
    {"cut short", &plain, TEXT("ann\xC3"), "UTF-8"},
    {"overlong", &plain, TEXT("\xC0\xAF"), "UTF-8"},
    {"surrogate", &plain, TEXT("\xED\xA0\x80"), "UTF-8"},
    {"blank in a part that a rewrite would take", &rewriting, TEXT("ann @strip.example"), "U+0020"},
    {"blank in the master user", &master, TEXT("ann*ad min"), "U+0020"},
    {"two at", &plain, TEXT("ann@example.org@example.com"), TWO},
    {"two at in a row", &plain, TEXT("ann@@example.org"), TWO},
    {"two at and nothing else", &plain, TEXT("@@"), TWO},
    {"three at, one taken", &rewriting, TEXT("a@b@c@strip.example"), TWO},
    {"two at by a rewrite", &rewriting, TEXT("ann@at.example"), TWO},
    {"two at, none taken", &rewriting, TEXT("ann@strip.example@example.com"), TWO},
    {"no local part", &plain, TEXT("@example.net"), EMPTY},
    {"no local part after a rewrite", &rewriting, TEXT("@mail.example.net"), EMPTY},
    {"nothing after a rewrite", &rewriting, TEXT("whole"), EMPTY},
    {"nothing after a rewrite of the domain", &everything, TEXT("@strip.example"), EMPTY},
    {"no domain", &plain, TEXT("ann@"), EMPTY},
    {"no domain, though completed", &completing, TEXT("ann@"), EMPTY},
    {"at alone", &plain, TEXT("@"), EMPTY},
    {"trailing dot", &plain, TEXT("ann."), DOT},
    {"trailing dot, though completed", &completing, TEXT("ann."), DOT},
    {"trailing dot of the domain", &plain, TEXT("ann@example.net."), DOT},
    {"trailing dot after a rewrite", &rewriting, TEXT("ann@dot.example"), DOT},
    {"trailing dot before a suffix that goes", &rewriting, TEXT("ann.@strip.example"), DOT},
    {"trailing dot is not taken for a rewrite", &rewriting, TEXT("ann@mail.example.net."), DOT},
    {"domain with two dots", &plain, TEXT("ann@example..net"), "domain"},
    {"domain with an underscore", &plain, TEXT("ann@ex_ample.net"), "domain"},
    {"domain is a number", &plain, TEXT("ann@192.0.2.1"), "domain"},
    {"domain is a literal", &plain, TEXT("ann@[192.0.2.1]"), "domain"},
    {"domain with a label of 64", &plain, TEXT("ann@" X64 ".example"), "domain"},
    {"domain not in IDNA2008", &plain, TEXT("ann@BÜCHER.example"), "domain"},
    {"domain that the configuration gave", &bad_default, TEXT("ann"), "domain"},
    {"master user: none acts", &master, TEXT("*admin"), ALONE},
    {"master user: none logged in", &master, TEXT("ann*"), ALONE},
    {"master user: only the separator", &master, TEXT("*"), ALONE},
    {"master user: the one who acts is bad", &master, TEXT("ann.*admin"), DOT},
    {"master user: the master is bad", &master, TEXT("ann*admin."), DOT},
    {"master user: the master has two at", &master, TEXT("ann*a@b@c"), TWO},
    {"master user: the master has no domain", &master, TEXT("ann*admin@"), EMPTY},
};

static void run_bad(void **state)
{
    const struct bad_row *row = *state;
    struct arena *a = arena_create();
    struct errtext why = {""};
    const struct login before = {"name", "local", "domain", "master"};
    struct login login = before;
    struct exact raw = exact_copy(row->raw);
    assert_false(login_normalise(a, row->rules, raw.text, &login, &why));
    assert_false(login_normalise(a, row->rules, raw.text, &login, NULL));
    exact_free(&raw);
    assert_non_null(strstr(why.text, row->why));
    assert_memory_equal(&login, &before, sizeof before);
    arena_destroy(a);
}

/* ---- every octet, every cut ---- */

struct place_row {
    const char *name, *before, *behind;
    const char *refused; /* printable ASCII that is refused there */
};

#define NO_LDH "!\"#$%&'()*+,/:;<=>?@[\\]^_`{|}~"

static const struct place_row place_rows[] = {
    {"octets: alone", "", "", ".@"},
    {"octets: first", "", "ann@example.net", "@"},
    {"octets: before the at", "ann", "@example.net", "@"},
    {"octets: behind the at", "ann@", "example.net", NO_LDH "-."},
    {"octets: in the domain", "ann@exa", "mple.net", NO_LDH},
    {"octets: at the end of a domain", "ann@example.net", "", NO_LDH "-."},
    {"octets: at the end of a bare login", "ann", "", ".@"},
};

static void run_place(void **state)
{
    const struct place_row *row = *state;
    for (int octet = 0; octet < 0x100; octet++) {
        struct arena *a = arena_create();
        struct login login;
        char *text = arena_printf(a, "%sx%s", row->before, row->behind);
        text[strlen(row->before)] = (char)octet;
        size_t len = strlen(row->before) + 1 + strlen(row->behind);
        struct exact raw = exact_copy(span_make(text, len));
        bool want = octet > ' ' && octet <= '~' && !strchr(row->refused, octet);
        if (login_normalise(a, &plain, raw.text, &login, NULL) != want)
            fail_msg("octet 0x%02x", (unsigned)octet);
        exact_free(&raw);
        arena_destroy(a);
    }
}

/* Whatever comes out once goes in again and comes out the same. */
static void check_stable(struct span text)
{
    struct arena *a = arena_create();
    struct login once, twice;
    struct exact raw = exact_copy(text);
    if (login_normalise(a, &plain, raw.text, &once, NULL)) {
        assert_true(login_normalise(a, &plain, span_of(once.name), &twice, NULL));
        assert_string_equal(twice.name, once.name);
        assert_string_equal(twice.local, once.local);
        assert_string_equal(twice.domain, once.domain);
    }
    exact_free(&raw);
    arena_destroy(a);
}

static void logins_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof login_rows / sizeof login_rows[0]; i++) {
        struct span raw = login_rows[i].raw;
        for (size_t at = 0; at <= raw.len; at++) {
            check_stable(span_sub(raw, 0, at));
            check_stable(span_sub(raw, at, raw.len));
        }
    }
}

/* ---- cachekey ---- */

enum { PARTS_MAX = 3 };

struct key_row {
    const char *name;
    struct span a[PARTS_MAX], b[PARTS_MAX]; /* data NULL: no more parts */
};

static struct span make_key(struct arena *a, const struct span *parts)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < PARTS_MAX && parts[i].data; i++)
        cachekey_add(&b, parts[i]);
    return strbuf_span(&b);
}

static const struct key_row same_rows[] = {
    {"key: the same part", {TEXT("ab")}, {TEXT("ab")}},
    {"key: the same parts", {TEXT("a"), TEXT(""), TEXT("b\0")}, {TEXT("a"), TEXT(""), TEXT("b\0")}},
    {"key: no part", {{NULL, 0}}, {{NULL, 0}}},
};

static const struct key_row other_rows[] = {
    {"key: cut elsewhere", {TEXT("ab"), TEXT("c")}, {TEXT("a"), TEXT("bc")}},
    {"key: cut or not", {TEXT("ab")}, {TEXT("a"), TEXT("b")}},
    {"key: other order", {TEXT("a"), TEXT("b")}, {TEXT("b"), TEXT("a")}},
    {"key: empty part first", {TEXT(""), TEXT("a")}, {TEXT("a"), TEXT("")}},
    {"key: empty part or none", {TEXT("a"), TEXT("")}, {TEXT("a")}},
    {"key: one empty part or none", {TEXT("")}, {{NULL, 0}}},
    {"key: two empty parts or three", {TEXT(""), TEXT("")}, {TEXT(""), TEXT(""), TEXT("")}},
    {"key: case", {TEXT("a")}, {TEXT("A")}},
    {"key: NUL behind", {TEXT("a\0")}, {TEXT("a")}},
    {"key: behind a NUL", {TEXT("a\0b")}, {TEXT("a\0c")}},
    {"key: NUL for a gap", {TEXT("a\0b")}, {TEXT("a"), TEXT("b")}},
    {"key: a part that looks like a key", {TEXT("a1:b")}, {TEXT("a"), TEXT("b")}},
    {"key: a part that looks like a length", {TEXT("1:"), TEXT("a")}, {TEXT(""), TEXT("1:a")}},
    {"key: digits at the edge", {TEXT("1"), TEXT("1:1")}, {TEXT("11:1"), TEXT("")}},
    {"key: lengths of one and of two digits",
     {TEXT("9xxxxxxxxx0")},
     {TEXT("1"), TEXT("xxxxxxxxx"), TEXT("")}},
    {"key: long", {TEXT(X100 X100)}, {TEXT(X100), TEXT(X100)}},
};

static bool same_keys(const struct span *a, const struct span *b)
{
    struct arena *arena = arena_create();
    bool same = span_equal(make_key(arena, a), make_key(arena, b));
    arena_destroy(arena);
    return same;
}

static void run_same(void **state)
{
    const struct key_row *row = *state;
    assert_true(same_keys(row->a, row->b));
}

static void run_other(void **state)
{
    const struct key_row *row = *state;
    assert_false(same_keys(row->a, row->b));
}

/* Every list of three from parts that look like pieces of a key; number is the list's. */
static void make_list(size_t number, struct span list[PARTS_MAX])
{
    static const struct span parts[] = {{NULL, 0},  TEXT(""),   TEXT("1"),  TEXT(":"),
                                        TEXT("1:"), TEXT("0:"), TEXT("\0"), TEXT("1:1:")};
    const size_t count = sizeof parts / sizeof parts[0];
    for (size_t i = 0; i < PARTS_MAX; i++, number /= count)
        list[i] = parts[number % count];
}

static bool same_lists(const struct span *a, const struct span *b)
{
    for (size_t i = 0; i < PARTS_MAX && (a[i].data || b[i].data); i++)
        if (!a[i].data || !b[i].data || !span_equal(a[i], b[i]))
            return false;
    return true;
}

static void no_two_lists_give_the_same(void **state)
{
    (void)state;
    enum { LISTS = 8 * 8 * 8 };
    for (size_t i = 0; i < LISTS; i++)
        for (size_t k = 0; k < i; k++) {
            struct span a[PARTS_MAX], b[PARTS_MAX];
            make_list(i, a);
            make_list(k, b);
            assert_int_equal(same_keys(a, b), same_lists(a, b));
        }
}

static void key_goes_behind_what_is_there(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, "before");
    cachekey_add(&b, span_of("part"));
    assert_true(span_starts_nocase(strbuf_span(&b), "before"));
    assert_true(span_ends_nocase(strbuf_span(&b), "part"));
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(proof_rows, run_proof);
    ROWS_ADD(decode_rows, run_decode);
    ROWS_ADD_TEST("decode: every octet, plain and as xtext", xtext_of_every_octet);
    ROWS_ADD_TEST("decode: every octet as a digit", every_octet_as_digit);
    ROWS_ADD(login_rows, run_login);
    ROWS_ADD(bad_rows, run_bad);
    ROWS_ADD(place_rows, run_place);
    ROWS_ADD_TEST("a login cut anywhere is refused or stable", logins_cut_anywhere);
    ROWS_ADD(same_rows, run_same);
    ROWS_ADD(other_rows, run_other);
    ROWS_ADD_TEST("key: no two lists give the same", no_two_lists_give_the_same);
    ROWS_ADD_TEST("key: behind what is there", key_goes_behind_what_is_there);
    return rows_main();
}
