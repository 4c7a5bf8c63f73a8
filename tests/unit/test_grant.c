#include "rows.h"
#include "grant.h"

#include <string.h>

static const struct addr_alias aliases[] = {{"old.example", "example.net"}};
static const struct addr_rules rules = {
    .fold_local_part = true, .delimiters = "+", .aliases = aliases, .alias_count = 1};

/* ---- grant_parse() ---- */

struct parse_row {
    const char *name, *value;
    bool refused;
    enum grant_form form;
    const char *key;
};

static const struct parse_row parse_rows[] = {
    {"address", "alice@example.net", .form = GRANT_EXACT, .key = "alice@example.net"},
    {"address is folded", "Alice@EXAMPLE.Net", .form = GRANT_EXACT, .key = "alice@example.net"},
    {"quotes that are not needed", "\"alice\"@example.net", .form = GRANT_EXACT,
     .key = "alice@example.net"},
    {"quotes that are needed", "\"alice smith\"@example.net", .form = GRANT_EXACT,
     .key = "\"alice smith\"@example.net"},
    {"trailing dot of an address", "alice@example.net.", .form = GRANT_EXACT,
     .key = "alice@example.net"},
    {"address literal", "alice@[192.0.2.1]", .form = GRANT_EXACT, .key = "alice@[192.0.2.1]"},
    {"tag is kept", "alice+x@example.net", .form = GRANT_EXACT, .key = "alice+x@example.net"},
    {"IDN",
     "alice@b\xc3\xbc"
     "cher.example",
     .form = GRANT_EXACT, .key = "alice@xn--bcher-kva.example"},
    {"domain", "@Example.NET", .form = GRANT_DOMAIN, .key = "example.net"},
    {"domain with a trailing dot", "@example.net.", .form = GRANT_DOMAIN, .key = "example.net"},
    {"domain IDN",
     "@b\xc3\xbc"
     "cher.example",
     .form = GRANT_DOMAIN, .key = "xn--bcher-kva.example"},
    {"domain literal", "@[192.0.2.1]", .form = GRANT_DOMAIN, .key = "[192.0.2.1]"},
    {"subdomains", "@.Example.net", .form = GRANT_SUBDOMAINS, .key = "example.net"},
    {"subdomains with a trailing dot", "@.example.net.", .form = GRANT_SUBDOMAINS,
     .key = "example.net"},
    {"any", "*", .form = GRANT_ANY, .key = ""},
    {"empty", "", .refused = true},
    {"bare name", "alice", .refused = true},
    {"bare name with a dot at the end", "alice.", .refused = true},
    {"at alone", "@", .refused = true},
    {"at and dot", "@.", .refused = true},
    {"two dots", "@..example.net", .refused = true},
    {"two trailing dots", "@example.net..", .refused = true},
    {"trailing dot after nothing", "alice@.", .refused = true},
    {"subdomains of a literal", "@.[192.0.2.1]", .refused = true},
    {"broken literal", "@[192.0.2.1", .refused = true},
    {"domain with a blank", "@example .net", .refused = true},
    {"domain with an at", "@a@example.net", .refused = true},
    {"two stars", "**@", .refused = true},
    {"no local part", "alice@", .refused = true},
    {"null sender", "<>", .refused = true},
    {"brackets", "<alice@example.net>", .refused = true},
    {"blank around", " alice@example.net", .refused = true},
    {"bad UTF-8", "\xff@example.net", .refused = true},
};

/* grant_text() gives a value that is the same grant, whatever the form. */
static void says_the_same(struct arena *a, const struct grant *grant)
{
    struct grant again = {.form = GRANT_BARE};
    assert_true(grant_parse(a, &rules, span_of(grant_text(a, grant)), &again, NULL));
    assert_int_equal(again.form, grant->form);
    assert_string_equal(again.key, grant->key);
}

static void run_parse(void **state)
{
    const struct parse_row *row = *state;
    struct arena *a = arena_create();
    struct errtext why = {""};
    const struct grant before = {.form = GRANT_BARE, .key = "before", .entry = "entry"};
    struct grant grant = before;
    bool ok = grant_parse(a, &rules, span_of(row->value), &grant, &why);
    assert_int_equal(ok, !row->refused);
    assert_string_equal(grant.entry, "entry");
    if (row->refused) {
        assert_string_equal(grant.key, "before");
        assert_int_equal(grant.form, GRANT_BARE);
        assert_true(*why.text != '\0');
    } else {
        assert_int_equal(grant.form, row->form);
        assert_string_equal(grant.key, row->key);
        says_the_same(a, &grant);
    }
    arena_destroy(a);
}

static void nul_is_no_end(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct grant grant;
    assert_false(grant_parse(a, &rules, span_make("a@example.net\0x", 15), &grant, NULL));
    assert_false(grant_parse(a, &rules, span_make("@example.net\0", 13), &grant, NULL));
    assert_false(grant_parse(a, &rules, span_make("*\0", 2), &grant, NULL));
    arena_destroy(a);
}

/* ---- grant_find() ---- */

/* Grants by blank; "=name" is a bare one, "|" begins the next list. want is the number of the
 * grant that must be found, from 1; 0 for none. */
struct find_row {
    const char *name, *grants, *address;
    size_t want;
};

static const struct find_row find_rows[] = {
    {"exact", "ann@example.net", "ann@example.net", 1},
    {"exact without case", "ann@example.net", "ANN@Example.net", 1},
    {"another local part", "ann@example.net", "bob@example.net", 0},
    {"another domain", "ann@example.net", "ann@example.org", 0},
    {"exact is not its subdomain", "ann@example.net", "ann@mail.example.net", 0},
    {"no grants at all", "", "ann@example.net", 0},
    {"second grant", "bob@example.net ann@example.net", "ann@example.net", 2},
    {"itself before its domain", "@example.net ann@example.net", "ann@example.net", 2},
    {"first of two domains", "@.example.net @example.net", "ann@example.net", 1},
    {"second list", "bob@example.net | ann@example.net", "ann@example.net", 2},
    {"first list wins", "* | ann@example.net", "ann@example.net", 1},
    {"empty list in front", "| ann@example.net", "ann@example.net", 1},
    {"domain", "@example.net", "anybody@example.net", 1},
    {"domain, a local part with a blank", "@example.net", "\"ann lee\"@example.net", 1},
    {"domain, another address in the local part", "@example.net", "\"a@x.org b\"@example.net", 0},
    {"domain, a list in the local part", "@example.net", "\"a,b\"@example.net", 0},
    {"domain, a group in the local part", "@example.net", "\"a:b\"@example.net", 0},
    {"domain, brackets in the local part", "@example.net", "\"a<b\"@example.net", 0},
    {"subdomains, another address in the local part", "@.example.net", "\"a@x\"@b.example.net", 0},
    {"any, another address in the local part", "*", "\"a@x.org\"@example.net", 0},
    {"a tag that is another address", "ann@example.net", "\"ann+ceo@x.org x\"@example.net", 0},
    {"domain is not its subdomain", "@example.net", "ann@mail.example.net", 0},
    {"domain is not a suffix", "@example.net", "ann@badexample.net", 0},
    {"domain is not a bare name", "@example.net", "example.net", 0},
    {"domain literal", "@[192.0.2.1]", "ann@[192.0.2.1]", 1},
    {"subdomains cover the domain", "@.example.net", "ann@example.net", 1},
    {"subdomains cover one below", "@.example.net", "ann@mail.example.net", 1},
    {"subdomains cover two below", "@.example.net", "ann@a.mail.example.net", 1},
    {"subdomains are no suffix", "@.example.net", "ann@badexample.net", 0},
    {"subdomains are not the parent", "@.mail.example.net", "ann@example.net", 0},
    {"any", "*", "ann@example.net", 1},
    {"any covers a literal", "*", "ann@[192.0.2.1]", 1},
    {"any is not a bare name", "*", "ann", 0},
    {"bare", "=ann", "ann", 1},
    {"bare without case", "=ann", "Ann", 1},
    {"bare is no address", "=ann", "ann@example.net", 0},
    {"address is not bare", "ann@example.net", "ann", 0},
    {"another bare name", "=ann", "bob", 0},
    {"bare tag", "=ann", "ann+x", 1},
    {"tag", "ann@example.net", "ann+x@example.net", 1},
    {"tag is no right to the rest", "ann+x@example.net", "ann@example.net", 0},
    {"as written before stripped", "ann@example.net ann+x@example.net", "ann+x@example.net", 2},
    {"as written before stripped, across lists", "ann@example.net | ann+x@example.net",
     "ann+x@example.net", 2},
    {"stripped before its domain", "@example.net ann@example.net", "ann+x@example.net", 2},
    {"alias domain", "ann@example.net", "ann@old.example", 1},
    {"alias domain as written first", "ann@example.net ann@old.example", "ann@old.example", 2},
    {"alias domain counts one way", "ann@old.example", "ann@example.net", 0},
    {"alias domain by domain grant", "@example.net", "ann@old.example", 1},
    {"alias domain with a tag", "ann@example.net", "ann+x@old.example", 1},
    {"alias is replaced before the tag goes", "ann@old.example ann+x@example.net",
     "ann+x@old.example", 2},
};

static void make_grants(struct arena *a, const char *text, struct grant *grants,
                        struct grant_list *lists, size_t *list_count)
{
    char *save = NULL;
    lists[0] = (struct grant_list){grants, 0};
    *list_count = 1;
    for (char *word = strtok_r(arena_strdup(a, text), " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        struct grant_list *list = &lists[*list_count - 1];
        struct grant *next = grants + (list->items - grants) + list->count;
        if (strcmp(word, "|") == 0) {
            lists[(*list_count)++] = (struct grant_list){next, 0};
            continue;
        }
        if (*word == '=')
            *next = (struct grant){.form = GRANT_BARE, .key = word + 1};
        else
            assert_true(grant_parse(a, &rules, span_of(word), next, NULL));
        list->count++;
    }
}

static void run_find(void **state)
{
    const struct find_row *row = *state;
    struct arena *a = arena_create();
    struct grant grants[8] = {{0}};
    struct grant_list lists[8];
    size_t list_count;
    struct addr addr;
    make_grants(a, row->grants, grants, lists, &list_count);
    assert_int_not_equal(addr_parse(a, &rules, span_of(row->address), &addr, NULL), ADDR_MALFORMED);
    const struct grant *got = grant_find(a, &rules, GRANT_FOR_HEADER, lists, list_count, &addr);
    assert_int_equal(got ? got - grants + 1 : 0, row->want);
    assert_null(grant_find(a, &rules, GRANT_FOR_HEADER, NULL, 0, &addr));
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(parse_rows, run_parse);
    ROWS_ADD_TEST("a NUL does not end a value", nul_is_no_end);
    ROWS_ADD(find_rows, run_find);
    return rows_main();
}
