#include "domset.h"
#include "exact.h"
#include "rows.h"
#include "texts.h"

#include <stdio.h>

enum { DOMAINS_MAX = 6, MANY = 5000 };

static bool add(struct domset *set, const char *domain)
{
    struct exact text = exact_copy(span_of(domain));
    bool ok = domset_add(set, text.text, NULL);
    exact_free(&text);
    return ok;
}

/* ---- domset_has() ---- */

struct has_row {
    const char *name;
    const char *domains[DOMAINS_MAX];
    const char *domain;
    bool want;
};

static const struct has_row has_rows[] = {
    {"nothing in an empty set", {NULL}, "example.net", false},
    {"exact", {"example.net"}, "example.net", true},
    {"another domain", {"example.net"}, "example.org", false},
    {"exact is not what is below", {"example.net"}, "mail.example.net", false},
    {"exact is not what is above", {"mail.example.net"}, "example.net", false},
    {"exact is no suffix", {"example.net"}, "badexample.net", false},
    {"exact is no prefix", {"example.net"}, "example.network", false},
    {"one label", {"localhost"}, "localhost", true},
    {"top domain is not what is below", {"net"}, "example.net", false},
    {"below: one label", {".example.net"}, "mail.example.net", true},
    {"below: three labels", {".example.net"}, "a.b.mail.example.net", true},
    {"below: not the domain itself", {".example.net"}, "example.net", false},
    {"below: not its own key", {".example.net"}, ".example.net", false},
    {"below: no suffix", {".example.net"}, "badexample.net", false},
    {"below: no suffix of a label in between", {".example.net"}, "mail.badexample.net", false},
    {"below: not above", {".mail.example.net"}, "example.net", false},
    {"below: not beside", {".mail.example.net"}, "www.example.net", false},
    {"below: not at the front", {".example.net"}, "mail.example.net.evil.example", false},
    {"below one label", {".net"}, "example.net", true},
    {"below one label: not the label", {".net"}, "net", false},
    {"both forms: itself", {"example.net", ".example.net"}, "example.net", true},
    {"both forms: below", {"example.net", ".example.net"}, "mail.example.net", true},
    {"second of several", {"example.net", "example.org", ".example.com"}, "example.org", true},
    {"third of several, below",
     {"example.net", "example.org", ".example.com"},
     "a.example.com",
     true},
    {"none of several", {"example.net", "example.org", ".example.com"}, "example.com", false},
    {"a domain within another's part", {"example.net", ".b.example.org"}, "a.b.example.org", true},
    {"upper case in the set", {"EXAMPLE.Net"}, "example.net", true},
    {"upper case in the set, below", {".EXAMPLE.Net"}, "mail.example.net", true},
    {"trailing dot in the set", {"example.net."}, "example.net", true},
    {"trailing dot in the set, below", {".example.net."}, "mail.example.net", true},
    {"U-label in the set",
     {"b\xc3\xbc"
      "cher.example"},
     "xn--bcher-kva.example",
     true},
    {"U-label in the set, below",
     {".b\xc3\xbc"
      "cher.example"},
     "mail.xn--bcher-kva.example",
     true},
    {"U-label is not what is asked with",
     {"b\xc3\xbc"
      "cher.example"},
     "b\xc3\xbc"
     "cher.example",
     false},
    {"A-label in the set", {"XN--BCHER-KVA.example"}, "xn--bcher-kva.example", true},
    {"U-label below a domain", {".example"}, "xn--bcher-kva.example", true},
    {"empty domain", {"example.net", ".example.net"}, "", false},
    {"dot", {"example.net", ".example.net"}, ".", false},
    {"address literal", {"example.net", ".example.net"}, "[192.0.2.1]", false},
};

static void run_has(void **state)
{
    const struct has_row *row = *state;
    struct domset *set = domset_create();
    size_t count = 0;
    for (; count < DOMAINS_MAX && row->domains[count]; count++)
        assert_true(add(set, row->domains[count]));
    struct span domain = span_of(row->domain);
    struct exact asked = exact_copy(span_make(domain.data, domain.len + 1));
    bool has = domset_has(set, asked.memory);
    exact_free(&asked);
    assert_int_equal(has, row->want);
    assert_int_equal(domset_count(set), count);
    domset_destroy(set);
}

/* ---- domset_add() ---- */

struct refused_row {
    const char *name;
    struct span domain;
};

static const struct refused_row refused_rows[] = {
    {"refused: empty", TEXT("")},
    {"refused: dot", TEXT(".")},
    {"refused: two dots", TEXT("..")},
    {"refused: three dots", TEXT("...")},
    {"refused: two leading dots", TEXT("..example.net")},
    {"refused: two trailing dots", TEXT("example.net..")},
    {"refused: two trailing dots, below", TEXT(".example.net..")},
    {"refused: two dots inside", TEXT("example..net")},
    {"refused: star", TEXT("*")},
    {"refused: star before the domain", TEXT("*.example.net")},
    {"refused: at", TEXT("@example.net")},
    {"refused: address", TEXT("ann@example.net")},
    {"refused: blank before", TEXT(" example.net")},
    {"refused: blank behind", TEXT("example.net ")},
    {"refused: blank behind the dot", TEXT(". example.net")},
    {"refused: underscore", TEXT("exam_ple.net")},
    {"refused: hyphen first", TEXT("-example.net")},
    {"refused: hyphen first, below", TEXT(".-example.net")},
    {"refused: IPv4 address", TEXT("192.0.2.1")},
    {"refused: address literal", TEXT("[192.0.2.1]")},
    {"refused: label of 64", TEXT(X64 ".net")},
    {"refused: list", TEXT("example.net,example.org")},
    {"refused: NUL", TEXT("example.net\0")},
    {"refused: NUL and more", TEXT("example.net\0.evil.example")},
    {"refused: NUL first", TEXT("\0example.net")},
    {"refused: Latin-1", TEXT("b\xFC"
                              "cher.example")},
    {"refused: zero-width space", TEXT("exam\xE2\x80\x8Bple.net")},
    {"refused: ideographic full stop first", TEXT("\xE3\x80\x82"
                                                  "example.net")},
};

static void run_refused(void **state)
{
    const struct refused_row *row = *state;
    struct domset *set = domset_create();
    struct errtext why = {""};
    assert_true(add(set, "example.org"));
    struct exact text = exact_copy(row->domain);
    assert_false(domset_add(set, text.text, &why));
    assert_false(domset_add(set, text.text, NULL));
    exact_free(&text);
    assert_true(*why.text != '\0');
    assert_int_equal(domset_count(set), 1);
    assert_true(domset_has(set, "example.org"));
    assert_false(domset_has(set, "example.net"));
    assert_false(domset_has(set, "a.example.net"));
    domset_destroy(set);
}

struct count_row {
    const char *name;
    const char *domains[DOMAINS_MAX];
    size_t want;
};

static const struct count_row count_rows[] = {
    {"count: none", {NULL}, 0},
    {"count: one", {"example.net"}, 1},
    {"count: twice is once", {"example.net", "example.net"}, 1},
    {"count: twice is once, below", {".example.net", ".example.net"}, 1},
    {"count: both forms are two", {"example.net", ".example.net"}, 2},
    {"count: what is covered already counts", {".example.net", "mail.example.net"}, 2},
    {"count: case makes no second", {"example.net", "EXAMPLE.NET"}, 1},
    {"count: a trailing dot makes no second", {"example.net", "example.net."}, 1},
    {"count: a trailing dot makes no second, below", {".example.net.", ".example.net"}, 1},
    {"count: U-label and A-label are one",
     {"b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example"},
     1},
    {"count: three", {"example.net", "example.org", "example.com", "example.org"}, 3},
};

static void run_count(void **state)
{
    const struct count_row *row = *state;
    struct domset *set = domset_create();
    for (size_t i = 0; i < DOMAINS_MAX && row->domains[i]; i++) {
        struct errtext why = {""};
        assert_true(domset_add(set, span_of(row->domains[i]), &why));
        assert_string_equal(why.text, "");
    }
    assert_int_equal(domset_count(set), row->want);
    domset_destroy(set);
}

/* ---- the set as a whole ---- */

static void test_destroy_null(void **state)
{
    (void)state;
    domset_destroy(NULL);
}

static void test_own_memory(void **state)
{
    (void)state;
    struct domset *set = domset_create();
    char text[] = "example.net.example.org";
    assert_true(domset_add(set, span_make(text, 11), NULL));
    memset(text, 'x', sizeof text - 1);
    assert_true(domset_has(set, "example.net"));
    assert_int_equal(domset_count(set), 1);
    domset_destroy(set);
}

static void test_two_sets(void **state)
{
    (void)state;
    struct domset *a = domset_create(), *b = domset_create();
    assert_true(add(a, "example.net"));
    assert_true(add(b, "example.org"));
    assert_false(domset_has(a, "example.org"));
    assert_false(domset_has(b, "example.net"));
    domset_destroy(a);
    assert_true(domset_has(b, "example.org"));
    domset_destroy(b);
}

static void test_many(void **state)
{
    (void)state;
    struct domset *set = domset_create();
    char name[64];
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(name, sizeof name, "%sd%d.example.net", i % 2 ? "." : "", i);
            assert_true(add(set, name));
        }
    assert_int_equal(domset_count(set), MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "below.d%d.example.net", i);
        assert_int_equal(domset_has(set, name), i % 2 != 0);
        assert_int_equal(domset_has(set, strchr(name, '.') + 1), i % 2 == 0);
    }
    (void)snprintf(name, sizeof name, "d%d.example.net", MANY);
    assert_false(domset_has(set, name));
    domset_destroy(set);
}

int main(void)
{
    ROWS_ADD(has_rows, run_has);
    ROWS_ADD(refused_rows, run_refused);
    ROWS_ADD(count_rows, run_count);
    ROWS_ADD_TEST("destroy takes NULL", test_destroy_null);
    ROWS_ADD_TEST("the set keeps its own copy", test_own_memory);
    ROWS_ADD_TEST("two sets share nothing", test_two_sets);
    ROWS_ADD_TEST("many domains, each twice", test_many);
    return rows_main();
}
