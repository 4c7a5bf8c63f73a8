#include "rows.h"
#include "grant.h"

#include <string.h>

static const struct addr_alias aliases[] = {{"old.example", "example.net"}};
static const struct addr_rules exact_case = {.delimiters = "+"};
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
    {"pattern", "List+*@Example.net", .form = GRANT_PATTERN, .key = "list+*@example.net"},
    {"pattern within the local part", "list-*-owner@example.net", .form = GRANT_PATTERN,
     .key = "list-*-owner@example.net"},
    {"pattern behind an equals sign", "prvs=*@example.net", .form = GRANT_PATTERN,
     .key = "prvs=*@example.net"},
    {"pattern behind a dot", "a.*@example.net", .form = GRANT_PATTERN, .key = "a.*@example.net"},
    {"pattern of a literal", "list+*@[192.0.2.1]", .form = GRANT_PATTERN,
     .key = "list+*@[192.0.2.1]"},
    {"star behind a letter is an address", "a*@example.net", .form = GRANT_EXACT,
     .key = "a*@example.net"},
    {"star behind a digit is an address", "a1*@example.net", .form = GRANT_EXACT,
     .key = "a1*@example.net"},
    {"star behind a letter that is not ASCII is an address", "\xc3\xa4*@example.net",
     .form = GRANT_EXACT, .key = "\xc3\xa4*@example.net"},
    {"star in front is an address", "*@example.net", .form = GRANT_EXACT, .key = "*@example.net"},
    {"two stars are an address", "list+*-*@example.net", .form = GRANT_EXACT,
     .key = "list+*-*@example.net"},
    {"two stars side by side are an address", "list+**@example.net", .form = GRANT_EXACT,
     .key = "list+**@example.net"},
    {"star in needless quotes is an address", "\"list+*\"@example.net", .form = GRANT_EXACT,
     .key = "list+*@example.net"},
    {"star in quotes is an address", "\"a list+*\"@example.net", .form = GRANT_EXACT,
     .key = "\"a list+*\"@example.net"},
    {"pattern without domain", "list+*", .refused = true},
    {"star in the domain", "list@*.example.net", .refused = true},
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

/* Grants by blank; "=name" is a bare one, "!grant" is on behalf only, "|" begins the next list.
 * want is the number of the grant that must be found, from 1; 0 for none. */
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
    {"its domain comes last, across lists", "@example.net | ann@example.net", "ann@example.net", 2},
    {"its domain comes last, behind any", "@example.net *", "ann@example.net", 2},
    {"its domain comes last, behind another's subdomains", "@.example.net | @example.net *",
     "ann@example.net", 3},
    {"its domain, where nothing else is", "bob@example.net @example.net", "ann@example.net", 2},
    {"its domain comes behind the alias", "@old.example ann@example.net", "ann@old.example", 2},
    {"first of two domains, across spellings", "@example.net @old.example", "ann@old.example", 2},
};

/* What the use makes of it: rights and patterns. */
struct use_row {
    const char *name;
    enum grant_use use;
    const char *grants, *address;
    size_t want;
};

static const struct use_row use_rows[] = {
    {"envelope: pattern", GRANT_FOR_ENVELOPE, "list+*@example.net", "list+x@example.net", 1},
    {"envelope: pattern, VERP", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+ann=example.org@example.net", 1},
    {"envelope: pattern without case", GRANT_FOR_ENVELOPE, "LIST+*@example.net",
     "List+X@Example.NET", 1},
    {"envelope: pattern matches a star", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+*@example.net", 1},
    {"envelope: pattern matches no empty text", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+@example.net", 0},
    {"envelope: pattern is no right to what stands before it", GRANT_FOR_ENVELOPE,
     "list+*@example.net", "list@example.net", 0},
    {"envelope: pattern, another beginning", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "lost+x@example.net", 0},
    {"envelope: pattern begins at the beginning", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "a.list+x@example.net", 0},
    {"envelope: pattern, another domain", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+x@example.org", 0},
    {"envelope: pattern is not of a subdomain", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+x@mail.example.net", 0},
    {"envelope: pattern is not of a longer domain", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+x@badexample.net", 0},
    {"envelope: pattern is no bare name", GRANT_FOR_ENVELOPE, "list+*@example.net", "list+x", 0},
    {"envelope: pattern with an end", GRANT_FOR_ENVELOPE, "list-*-owner@example.net",
     "list-x-owner@example.net", 1},
    {"envelope: pattern with an end, shortest", GRANT_FOR_ENVELOPE, "list-*-owner@example.net",
     "list--owner@example.net", 0},
    {"envelope: pattern with an end, ends that overlap", GRANT_FOR_ENVELOPE,
     "list-*-owner@example.net", "list-owner@example.net", 0},
    {"envelope: pattern with an end, another one", GRANT_FOR_ENVELOPE, "list-*-owner@example.net",
     "list-x-other@example.net", 0},
    {"envelope: pattern, a quoted local part", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "\"list+a b\"@example.net", 0},
    {"envelope: pattern, needless quotes", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "\"list+x\"@example.net", 1},
    {"envelope: pattern, another address in quotes", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "\"list+ceo@x.org\"@example.net", 0},
    {"envelope: address with a star is no pattern", GRANT_FOR_ENVELOPE, "a*@example.net",
     "ab@example.net", 0},
    {"envelope: address with a star as it is", GRANT_FOR_ENVELOPE, "a*@example.net",
     "a*@example.net", 1},
    {"envelope: quoted address with a star is no pattern", GRANT_FOR_ENVELOPE,
     "\"list+*\"@example.net", "list+x@example.net", 0},
    {"envelope: pattern by the alias", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "list+x@old.example", 1},
    {"envelope: pattern before its domain", GRANT_FOR_ENVELOPE, "@example.net list+*@example.net",
     "list+x@example.net", 2},
    {"envelope: first of pattern and address", GRANT_FOR_ENVELOPE,
     "list+*@example.net list+x@example.net", "list+x@example.net", 1},
    {"envelope: on behalf is no right", GRANT_FOR_ENVELOPE, "!ann@example.net", "ann@example.net",
     0},
    {"envelope: on behalf of a pattern is no right", GRANT_FOR_ENVELOPE, "!list+*@example.net",
     "list+x@example.net", 0},
    {"envelope: send-as behind on behalf", GRANT_FOR_ENVELOPE, "!ann@example.net ann@example.net",
     "ann@example.net", 2},
    {"header: pattern as it is", GRANT_FOR_HEADER, "list+*@example.net", "list+*@example.net", 1},
    {"header: pattern covers nothing else", GRANT_FOR_HEADER, "list+*@example.net",
     "list+x@example.net", 0},
    {"header: on behalf is no right", GRANT_FOR_HEADER, "!ann@example.net", "ann@example.net", 0},
    {"header: on behalf of a domain is no right", GRANT_FOR_HEADER, "!@example.net",
     "ann@example.net", 0},
    {"header: on behalf of any is no right", GRANT_FOR_HEADER, "!*", "ann@example.net", 0},
    {"header: on behalf hides no domain", GRANT_FOR_HEADER, "!ann@example.net @example.net",
     "ann@example.net", 2},
    {"author: on behalf", GRANT_FOR_AUTHOR, "!ann@example.net", "ann@example.net", 1},
    {"author: on behalf, with a tag", GRANT_FOR_AUTHOR, "!ann@example.net", "ann+x@example.net", 1},
    {"author: on behalf of a domain", GRANT_FOR_AUTHOR, "!@example.net", "ann@example.net", 1},
    {"author: on behalf of any", GRANT_FOR_AUTHOR, "!*", "ann@example.net", 1},
    {"author: on behalf of another", GRANT_FOR_AUTHOR, "!bob@example.net", "ann@example.net", 0},
    {"author: send-as is another right", GRANT_FOR_AUTHOR, "ann@example.net @example.net *",
     "ann@example.net", 0},
    {"author: itself before its domain", GRANT_FOR_AUTHOR, "!@example.net !ann@example.net",
     "ann@example.net", 2},
    {"author: send-as hides nothing", GRANT_FOR_AUTHOR, "ann@example.net !ann@example.net",
     "ann@example.net", 2},
    {"author: pattern as it is", GRANT_FOR_AUTHOR, "!list+*@example.net", "list+*@example.net", 1},
    {"author: pattern covers nothing else", GRANT_FOR_AUTHOR, "!list+*@example.net",
     "list+x@example.net", 0},
    {"author: another address in the local part", GRANT_FOR_AUTHOR, "!@example.net",
     "\"a@x.org\"@example.net", 0},
};

/* Where letters of local parts are told apart. */
static const struct use_row case_rows[] = {
    {"case counts: another letter", GRANT_FOR_ENVELOPE, "ann@example.net", "Ann@Example.net", 0},
    {"case counts: the same letters", GRANT_FOR_ENVELOPE, "Ann@example.net", "Ann@Example.net", 1},
    {"case counts: a deny covers another letter", GRANT_FOR_DENY, "ann@example.net",
     "Ann@Example.net", 1},
    {"case counts: a deny covers another letter and a tag", GRANT_FOR_DENY, "ann@example.net",
     "Ann+x@example.net", 1},
    {"case counts: a deny of another name", GRANT_FOR_DENY, "ann@example.net", "Anna@example.net",
     0},
    {"case counts: a pattern of other letters", GRANT_FOR_ENVELOPE, "list+*@example.net",
     "List+x@example.net", 0},
    {"case counts: a pattern denies other letters", GRANT_FOR_DENY, "list+*-Own@example.net",
     "List+x-own@example.net", 1},
};

static void make_grant(struct arena *a, const struct addr_rules *by, const char *word,
                       struct grant *out)
{
    bool on_behalf = *word == '!';
    word += on_behalf;
    if (*word == '=')
        *out = (struct grant){.form = GRANT_BARE, .key = word + 1};
    else
        assert_true(grant_parse(a, by, span_of(word), out, NULL));
    assert_int_equal(out->right, GRANT_SEND_AS);
    out->right = on_behalf ? GRANT_ON_BEHALF : GRANT_SEND_AS;
}

static void make_grants(struct arena *a, const struct addr_rules *by, const char *text,
                        struct grant *grants, struct grant_list *lists, size_t *list_count)
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
        make_grant(a, by, word, next);
        list->count++;
    }
}

static void check_find(const struct addr_rules *by, enum grant_use use, const char *text,
                       const char *address, size_t want)
{
    struct arena *a = arena_create();
    struct grant grants[8] = {{0}};
    struct grant_list lists[8];
    size_t list_count;
    struct addr addr;
    make_grants(a, by, text, grants, lists, &list_count);
    assert_int_not_equal(addr_parse(a, by, span_of(address), &addr, NULL), ADDR_MALFORMED);
    const struct grant *got = grant_find(a, by, use, lists, list_count, &addr);
    assert_int_equal(got ? got - grants + 1 : 0, want);
    assert_null(grant_find(a, by, use, NULL, 0, &addr));
    arena_destroy(a);
}

static void run_find(void **state)
{
    const struct find_row *row = *state;
    check_find(&rules, GRANT_FOR_HEADER, row->grants, row->address, row->want);
    check_find(&rules, GRANT_FOR_ENVELOPE, row->grants, row->address, row->want);
}

static void run_use(void **state)
{
    const struct use_row *row = *state;
    check_find(&rules, row->use, row->grants, row->address, row->want);
}

static void run_case(void **state)
{
    const struct use_row *row = *state;
    check_find(&exact_case, row->use, row->grants, row->address, row->want);
}

/* ---- grant_is_of_domain() ---- */

struct domain_row {
    const char *name, *value;
    bool want;
};

static const struct domain_row domain_rows[] = {
    {"of a domain: @domain", "@example.net", true},
    {"of a domain: @.domain", "@.example.net", true},
    {"of a domain: not *", "*", false},
    {"of a domain: not an address", "ann@example.net", false},
    {"of a domain: not a pattern", "list+*@example.net", false},
    {"of a domain: not a bare name", "=ann", false},
};

static void run_domain(void **state)
{
    const struct domain_row *row = *state;
    struct arena *a = arena_create();
    struct grant grant = {.form = GRANT_ANY};
    make_grant(a, &rules, row->value, &grant);
    assert_int_equal(grant_is_of_domain(&grant), row->want);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(parse_rows, run_parse);
    ROWS_ADD_TEST("a NUL does not end a value", nul_is_no_end);
    ROWS_ADD(find_rows, run_find);
    ROWS_ADD(use_rows, run_use);
    ROWS_ADD(case_rows, run_case);
    ROWS_ADD(domain_rows, run_domain);
    return rows_main();
}
