/* tenant: which grants stay within the account's own domain. */
#include "rows.h"
#include "tenant.h"

#include <string.h>

static const struct addr_alias aliases[] = {{"alias.example", "own.example"},
                                            {"second.example", "own.example"},
                                            {"alias.other", "other.example"}};
static const struct addr_rules rules = {
    .fold_local_part = true, .aliases = aliases, .alias_count = 3};

struct row {
    const char *name, *domain, *value;
    bool want;
};

static const struct row holds_rows[] = {
    {"own address", "own.example", "ann@own.example", true},
    {"own address, letter case", "own.example", "Ann@OWN.Example", true},
    {"address elsewhere", "own.example", "ann@other.example", false},
    {"address below", "own.example", "ann@sub.own.example", false},
    {"address above", "sub.own.example", "ann@own.example", false},
    {"domain that ends alike", "own.example", "ann@notown.example", false},
    {"domain that begins alike", "own.example", "ann@own.example.com", false},
    {"own domain", "own.example", "@own.example", true},
    {"other domain", "own.example", "@other.example", false},
    {"own domain and what is below", "own.example", "@.own.example", false},
    {"other domain and what is below", "own.example", "@.other.example", false},
    {"what is above", "sub.own.example", "@.own.example", false},
    {"everything", "own.example", "*", false},
    {"own pattern", "own.example", "list+*@own.example", true},
    {"pattern elsewhere", "own.example", "list+*@other.example", false},
    {"own domain within quotes", "own.example", "\"x@own.example\"@other.example", false},
    {"other domain within quotes", "own.example", "\"x@other.example\"@own.example", true},
    {"address literal", "own.example", "ann@[192.0.2.1]", false},

    {"alias of the own domain", "own.example", "ann@alias.example", true},
    {"own domain of an alias", "alias.example", "ann@own.example", true},
    {"alias itself", "alias.example", "ann@alias.example", true},
    {"other alias of the same domain", "alias.example", "@second.example", true},
    {"alias of another domain", "own.example", "ann@alias.other", false},
    {"alias of another domain, from an alias", "alias.example", "@alias.other", false},
    {"what is below an alias", "own.example", "ann@sub.alias.example", false},

    {"no domain, address", NULL, "ann@own.example", false},
    {"empty domain, address", "", "ann@own.example", false},
    {"no domain, domain", NULL, "@own.example", false},
    {"no domain, everything", NULL, "*", false},
};

static void run(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create();
    struct grant grant = {.form = GRANT_BARE};
    assert_true(grant_parse(a, &rules, span_of(row->value), &grant, NULL));
    assert_int_equal(tenant_holds(&rules, row->domain, &grant), row->want);
    arena_destroy(a);
}

static void bare_name_has_no_domain(void **state)
{
    (void)state;
    assert_false(tenant_holds(&rules, "own.example",
                              &(struct grant){.form = GRANT_BARE, .key = "own.example"}));
}

int main(void)
{
    ROWS_ADD(holds_rows, run);
    ROWS_ADD_TEST("bare name", bare_name_has_no_domain);
    return rows_main();
}
