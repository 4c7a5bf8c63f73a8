#include "rows.h"
#include "dir_network.h"
#include "one_user.h"

#include <string.h>

static const struct addr_rules rules = {.fold_local_part = true};

enum { GRANTS_MAX = 4, NETWORKS = 3 };

struct world {
    struct arena *a;
    struct network networks[NETWORKS];
    struct network_set set;
    struct dir *dir;
};

static void add_network(struct world *w, const char *name, bool is_block, const char *const *values)
{
    struct network *network = &w->networks[w->set.count++];
    struct grant *grants = arena_array(w->a, GRANTS_MAX, sizeof *grants);
    *network = (struct network){.name = name, .is_block = is_block, .send_as = {grants, 0}};
    assert_true(net_parse(span_of(name), &network->net, NULL));
    for (; *values; values++)
        assert_true(
            grant_parse(w->a, &rules, span_of(*values), &grants[network->send_as.count++], NULL));
}

static struct world *world_create(void)
{
    static const char *const printers[] = {"@print.example", "a@example.net", "b@example.net",
                                           NULL};
    static const char *const owner[] = {"c@example.net", NULL};
    static const char *const none[] = {NULL};
    struct world *w = xcalloc(1, sizeof *w);
    w->a = arena_create();
    w->set.items = w->networks;
    add_network(w, "10.2.0.0/16", false, owner);
    add_network(w, "10.1.0.0/16", true, printers);
    add_network(w, "10.3.0.0/16", true, none);
    w->dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    assert_true(dir_add(w->dir, dir_network_create(&w->set)));
    return w;
}

static void world_end(struct world *w)
{
    dir_destroy(w->dir);
    arena_destroy(w->a);
    free(w);
}

static struct account_answer *ask(struct world *w, const struct dir_question *question)
{
    struct dir_lookup *lookup = dir_start(w->dir, question);
    struct account_answer *answer = dir_join(lookup, 0);
    dir_lookup_release(lookup);
    return answer;
}

static struct account_answer *ask_network(struct world *w, const char *network)
{
    return ask(
        w, &(struct dir_question){.principal = {.kind = PRINCIPAL_NETWORK, .network = network}});
}

static void a_block_is_found(void **state)
{
    (void)state;
    struct world *w = world_create();
    struct account_answer *answer = ask_network(w, "10.1.0.0/16");
    const struct account *account = &answer->account;
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->missing, ACCOUNT_FOUND);
    assert_true(answer->fresh);
    assert_string_equal(account->name, "10.1.0.0/16");
    assert_string_equal(account->entry, "network 10.1.0.0/16");
    assert_string_equal(account->primary, "a@example.net");
    assert_int_equal(account->list_count, 1);
    assert_int_equal(account->lists[0].count, 3);
    assert_string_equal(account->lists[0].items[2].key, "b@example.net");
    assert_int_equal(account->source_count, 1);
    assert_string_equal(account->sources[0].directory, "network");
    assert_string_equal(account->sources[0].entry, "network 10.1.0.0/16");
    account_answer_unref(answer);
    world_end(w);
}

static void a_block_without_grants_is_found(void **state)
{
    (void)state;
    struct world *w = world_create();
    struct account_answer *answer = ask_network(w, "10.3.0.0/16");
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_null(answer->account.primary);
    assert_int_equal(answer->account.lists[0].count, 0);
    account_answer_unref(answer);
    world_end(w);
}

struct unknown_row {
    const char *name, *network;
};

static const struct unknown_row unknown_rows[] = {
    {"unknown: no such network", "10.4.0.0/16"},
    {"unknown: a client of a block, not its name", "10.1.0.1"},
    {"unknown: only an owner", "10.2.0.0/16"},
    {"unknown: no network", NULL},
};

static void run_unknown(void **state)
{
    const struct unknown_row *row = *state;
    struct world *w = world_create();
    struct account_answer *answer = ask_network(w, row->network);
    assert_int_equal(answer->status, ACCOUNT_UNKNOWN);
    assert_true(answer->fresh);
    assert_string_equal(answer->why, "network: the client is in no network block");
    account_answer_unref(answer);
    world_end(w);
}

struct not_asked_row {
    const char *name;
    struct dir_question question;
};

static const struct not_asked_row not_asked_rows[] = {
    {"not asked: a login of the name of a block",
     {.principal = {.kind = PRINCIPAL_SASL,
                    .login = {.name = "10.1.0.0/16", .local = "10.1.0.0/16", .domain = ""},
                    .network = "10.1.0.0/16"}}},
    {"not asked: a certificate", {.principal = {.kind = PRINCIPAL_CERT, .network = "10.1.0.0/16"}}},
    {"not asked: nothing proved",
     {.principal = {.kind = PRINCIPAL_NONE, .network = "10.1.0.0/16"}}},
    {"not asked: owners",
     {.ask = DIR_ASK_OWNERS,
      .addresses = (const char *const[]){"a@example.net"},
      .address_count = 1}},
};

static void run_not_asked(void **state)
{
    const struct not_asked_row *row = *state;
    struct world *w = world_create();
    struct account_answer *answer = ask(w, &row->question);
    assert_int_equal(answer->status, ACCOUNT_UNKNOWN);
    assert_non_null(strstr(answer->why, "no directory serves"));
    account_answer_unref(answer);
    world_end(w);
}

/* A directory that is named beside it, lacks merge, and finds everybody. */
static void it_is_always_asked_and_adds_up(void **state)
{
    (void)state;
    static const char *const named[] = {"test"};
    struct world *w = world_create();
    struct dir_backend *other = one_user_create();
    other->principals = PRINCIPAL_BIT(PRINCIPAL_NETWORK);
    assert_true(dir_add(w->dir, other));
    struct account_answer *answer =
        ask(w, &(struct dir_question){.principal = {.kind = PRINCIPAL_NETWORK,
                                                    .network = "10.1.0.0/16",
                                                    .login = {.name = "x"}},
                                      .directories = named,
                                      .directory_count = 1});
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->account.list_count, 2);
    account_answer_unref(answer);
    world_end(w);
}

int main(void)
{
    ROWS_ADD_TEST("a block is found", a_block_is_found);
    ROWS_ADD_TEST("a block without grants is found", a_block_without_grants_is_found);
    ROWS_ADD(unknown_rows, run_unknown);
    ROWS_ADD(not_asked_rows, run_not_asked);
    ROWS_ADD_TEST("it is always asked, and adds up", it_is_always_asked_and_adds_up);
    return rows_main();
}
