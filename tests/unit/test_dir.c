#include "rows.h"
#include "dir_fail.h"
#include "xalloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a clock that stands still ---- */

struct still_clock {
    struct clock clock;
    uint64_t now;
};

static uint64_t still_now(const struct clock *self)
{
    return ((const struct still_clock *)self)->now;
}

static const struct still_clock still = {{still_now}, 1000};

static struct dir *dir_with(unsigned max_waiting)
{
    return dir_create(&(struct dir_conf){.max_waiting = max_waiting, .clock = &still.clock});
}

/* ---- a directory that answers what a row says, or when the test says ---- */

enum said { SAYS_FOUND, SAYS_UNKNOWN, SAYS_UNAVAILABLE, SAYS_MISCONFIGURED, SAYS_NOTHING };

struct says {
    enum said what;
    bool merge, disabled, stale;
    enum account_status missing; /* of a found account; 0 counts as none missing */
    bool missing_set;
    uint64_t asked_at; /* 0 for now */
    const char *primary;
    bool no_why;
    bool has_denies, denies_part;
    const char *limit;     /* of a found account, which then has a deny too */
    bool as_set, as_fresh; /* fresh as the ticket's own, against the answer's */
};

struct scripted {
    struct dir_backend backend;
    struct says says;
    unsigned asked;
    bool wanted_fresh;
    struct dir_ticket *held;
};

static const enum account_status statuses[] = {
    [SAYS_FOUND] = ACCOUNT_FOUND,
    [SAYS_UNKNOWN] = ACCOUNT_UNKNOWN,
    [SAYS_UNAVAILABLE] = ACCOUNT_UNAVAILABLE,
    [SAYS_MISCONFIGURED] = ACCOUNT_MISCONFIGURED,
};

static struct account scripted_account(const struct scripted *s, struct arena *a, const char *login)
{
    struct grant *grant = arena_alloc(a, sizeof *grant);
    struct grant_list *list = arena_alloc(a, sizeof *list);
    *grant = (struct grant){.form = GRANT_EXACT,
                            .key = arena_printf(a, "%s@%s", login, s->backend.name),
                            .directory = s->backend.name,
                            .entry = "here",
                            .attribute = "all"};
    *list = (struct grant_list){grant, 1};
    const char **limit = arena_alloc(a, sizeof *limit);
    *limit = s->says.limit;
    return (struct account){
        .name = arena_strdup(a, login),
        .entry = arena_printf(a, "entry in %s", s->backend.name),
        .primary = s->says.primary,
        .state = s->says.disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED,
        .lists = list,
        .list_count = 1,
        .denies = list,
        .deny_count = s->says.limit != NULL,
        .limits = limit,
        .limit_count = s->says.limit != NULL,
    };
}

static void scripted_answer(struct scripted *s, struct dir_ticket *ticket)
{
    struct account_answer *answer = account_answer_create();
    answer->status = statuses[s->says.what];
    answer->missing = s->says.missing_set ? s->says.missing : ACCOUNT_FOUND;
    answer->fresh = !s->says.stale;
    answer->asked_at = s->says.asked_at ? s->says.asked_at : dir_ticket_now(ticket);
    answer->denies_missing = s->says.denies_part;
    if (answer->status == ACCOUNT_FOUND)
        answer->account = scripted_account(s, answer->arena, dir_ticket_login(ticket)->name);
    else if (!s->says.no_why)
        answer->why = "because";
    if (s->says.as_set)
        dir_ticket_done_as(ticket, answer, s->says.as_fresh);
    else
        dir_ticket_done(ticket, answer);
}

static void scripted_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct scripted *s = (struct scripted *)self;
    s->asked++;
    s->wanted_fresh = dir_ticket_question(ticket)->fresh;
    if (s->says.what == SAYS_NOTHING)
        s->held = ticket;
    else
        scripted_answer(s, ticket);
}

static void scripted_destroy(struct dir_backend *self)
{
    struct scripted *s = (struct scripted *)self;
    if (s->held)
        dir_ticket_fail(s->held, ACCOUNT_UNAVAILABLE, "closed");
    free(s);
}

static struct scripted *scripted_add(struct dir *dir, const char *name, const struct says *says)
{
    static const struct dir_ops ops = {"scripted", scripted_ask, scripted_destroy};
    struct scripted *s = xcalloc(1, sizeof *s);
    s->says = *says;
    s->backend = (struct dir_backend){
        .ops = &ops, .name = name, .merge = says->merge, .has_denies = says->has_denies};
    assert_true(dir_add(dir, &s->backend));
    return s;
}

/* The late answer of a ticket that was held. */
static void scripted_arrive(struct scripted *s, enum said what)
{
    struct dir_ticket *ticket = s->held;
    assert_non_null(ticket);
    s->held = NULL;
    s->says.what = what;
    scripted_answer(s, ticket);
}

static const struct dir_question ann = {
    .principal = {.kind = PRINCIPAL_SASL, .login = {.name = "ann", .local = "ann", .domain = ""}}};

static struct account_answer *ask(struct dir *dir, uint64_t budget)
{
    struct dir_lookup *lookup = dir_start(dir, &ann);
    struct account_answer *answer = dir_join(lookup, budget);
    dir_lookup_release(lookup);
    return answer;
}

/* ---- two directories ---- */

struct pair_row {
    const char *name;
    struct says one, two;
    enum account_status want, missing;
    size_t lists;
    bool disabled, stale;
    const char *why; /* a part of it; NULL for none at all */
};

#define FOUND                                                                                      \
    {                                                                                              \
        .what = SAYS_FOUND                                                                         \
    }
#define FOUND_MERGE                                                                                \
    {                                                                                              \
        .what = SAYS_FOUND, .merge = true                                                          \
    }
#define UNKNOWN                                                                                    \
    {                                                                                              \
        .what = SAYS_UNKNOWN                                                                       \
    }
#define UNAVAILABLE                                                                                \
    {                                                                                              \
        .what = SAYS_UNAVAILABLE                                                                   \
    }
#define MISCONFIGURED                                                                              \
    {                                                                                              \
        .what = SAYS_MISCONFIGURED                                                                 \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        .what = SAYS_NOTHING                                                                       \
    }

static const struct pair_row pair_rows[] = {
    /* found by one */
    {"found, unknown", FOUND, UNKNOWN, ACCOUNT_FOUND, ACCOUNT_FOUND, .lists = 1},
    {"unknown, found", UNKNOWN, FOUND, ACCOUNT_FOUND, ACCOUNT_FOUND, .lists = 1},
    {"found, unavailable", FOUND, UNAVAILABLE, ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE, .lists = 1,
     .why = "two: because"},
    {"unavailable, found", UNAVAILABLE, FOUND, ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE, .lists = 1,
     .why = "one: because"},
    {"found, misconfigured", FOUND, MISCONFIGURED, ACCOUNT_FOUND, ACCOUNT_MISCONFIGURED, .lists = 1,
     .why = "two: because"},
    {"misconfigured, found", MISCONFIGURED, FOUND, ACCOUNT_FOUND, ACCOUNT_MISCONFIGURED, .lists = 1,
     .why = "one: because"},
    {"found, not in time", FOUND, NOTHING, ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE, .lists = 1,
     .stale = true, .why = "two: no answer in time"},
    {"not in time, found", NOTHING, FOUND, ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE, .lists = 1,
     .stale = true, .why = "one: no answer in time"},
    /* found by both */
    {"found, found", FOUND, FOUND, ACCOUNT_MISCONFIGURED, ACCOUNT_FOUND,
     .why = "\"one\" and \"two\""},
    {"found, found with merge", FOUND, FOUND_MERGE, ACCOUNT_FOUND, ACCOUNT_FOUND, .lists = 2},
    {"found with merge, found", FOUND_MERGE, FOUND, ACCOUNT_FOUND, ACCOUNT_FOUND, .lists = 2},
    {"found with merge, found with merge", FOUND_MERGE, FOUND_MERGE, ACCOUNT_FOUND, ACCOUNT_FOUND,
     .lists = 2},
    /* found by none */
    {"unknown, unknown", UNKNOWN, UNKNOWN, ACCOUNT_UNKNOWN, ACCOUNT_FOUND,
     .why = "one: because; two: because"},
    {"unknown, unavailable", UNKNOWN, UNAVAILABLE, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .why = "two: because"},
    {"unavailable, unknown", UNAVAILABLE, UNKNOWN, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .why = "one: because"},
    {"unknown, misconfigured", UNKNOWN, MISCONFIGURED, ACCOUNT_MISCONFIGURED, ACCOUNT_MISCONFIGURED,
     .why = "two: because"},
    {"misconfigured, unknown", MISCONFIGURED, UNKNOWN, ACCOUNT_MISCONFIGURED, ACCOUNT_MISCONFIGURED,
     .why = "one: because"},
    {"unavailable, unavailable", UNAVAILABLE, UNAVAILABLE, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .why = "one: because; two: because"},
    {"unavailable, misconfigured", UNAVAILABLE, MISCONFIGURED, ACCOUNT_MISCONFIGURED,
     ACCOUNT_MISCONFIGURED, .why = "two: because"},
    {"misconfigured, unavailable", MISCONFIGURED, UNAVAILABLE, ACCOUNT_MISCONFIGURED,
     ACCOUNT_MISCONFIGURED, .why = "one: because"},
    {"misconfigured, misconfigured", MISCONFIGURED, MISCONFIGURED, ACCOUNT_MISCONFIGURED,
     ACCOUNT_MISCONFIGURED, .why = "one: because; two: because"},
    {"unknown, not in time", UNKNOWN, NOTHING, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .stale = true, .why = "two: no answer in time"},
    {"not in time, unknown", NOTHING, UNKNOWN, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .stale = true, .why = "one: no answer in time"},
    {"unavailable, not in time", UNAVAILABLE, NOTHING, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .stale = true, .why = "one: because; two: no answer in time"},
    {"misconfigured, not in time", MISCONFIGURED, NOTHING, ACCOUNT_MISCONFIGURED,
     ACCOUNT_MISCONFIGURED, .stale = true, .why = "one: because"},
    {"not in time, not in time", NOTHING, NOTHING, ACCOUNT_UNAVAILABLE, ACCOUNT_UNAVAILABLE,
     .stale = true, .why = "one: no answer in time; two: no answer in time"},
    /* state */
    {"disabled, unknown",
     {.what = SAYS_FOUND, .disabled = true},
     UNKNOWN,
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 1,
     .disabled = true},
    {"disabled, enabled",
     {.what = SAYS_FOUND, .disabled = true},
     FOUND_MERGE,
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 2,
     .disabled = true},
    {"enabled, disabled",
     FOUND,
     {.what = SAYS_FOUND, .merge = true, .disabled = true},
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 2,
     .disabled = true},
    /* freshness */
    {"stale, unknown",
     {.what = SAYS_FOUND, .stale = true},
     UNKNOWN,
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 1,
     .stale = true},
    {"found, stale unknown",
     FOUND,
     {.what = SAYS_UNKNOWN, .stale = true},
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 1,
     .stale = true},
    {"stale unknown, unknown",
     {.what = SAYS_UNKNOWN, .stale = true},
     UNKNOWN,
     ACCOUNT_UNKNOWN,
     ACCOUNT_FOUND,
     .stale = true,
     .why = "one: because; two: because"},
    /* a part that is itself incomplete */
    {"found in part, unknown",
     {.what = SAYS_FOUND, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE},
     UNKNOWN,
     ACCOUNT_FOUND,
     ACCOUNT_UNAVAILABLE,
     .lists = 1,
     .why = "one: it does not say why"},
    /* freshness is the ticket's */
    {"stale for this ticket, though the answer is fresh",
     {.what = SAYS_FOUND, .as_set = true, .as_fresh = false},
     UNKNOWN,
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 1,
     .stale = true},
    {"fresh for this ticket, though the answer is stale",
     {.what = SAYS_FOUND, .stale = true, .as_set = true, .as_fresh = true},
     UNKNOWN,
     ACCOUNT_FOUND,
     ACCOUNT_FOUND,
     .lists = 1},
    {"no reason given",
     {.what = SAYS_MISCONFIGURED, .no_why = true},
     UNKNOWN,
     ACCOUNT_MISCONFIGURED,
     ACCOUNT_MISCONFIGURED,
     .why = "one: it does not say why"},
};

static void check_pair(const struct pair_row *row, const struct account_answer *answer)
{
    assert_int_equal(answer->status, row->want);
    assert_int_equal(answer->missing, row->missing);
    assert_int_equal(answer->fresh, !row->stale);
    assert_int_equal(answer->account.list_count, row->lists);
    assert_int_equal(answer->account.state, row->disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED);
    if (row->want == ACCOUNT_FOUND)
        assert_string_equal(answer->account.name, "ann");
    if (!row->why)
        assert_null(answer->why);
    else if (strstr(row->why, "\"one\""))
        assert_non_null(strstr(answer->why, row->why));
    else
        assert_string_equal(answer->why, row->why);
}

static void run_pair(void **state)
{
    const struct pair_row *row = *state;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &row->one);
    struct scripted *two = scripted_add(dir, "two", &row->two);
    struct account_answer *answer = ask(dir, CLOCK_MS);
    check_pair(row, answer);
    assert_int_equal(one->asked, 1);
    assert_int_equal(two->asked, 1);
    account_answer_unref(answer);
    dir_destroy(dir);
}

/* ---- denies ---- */

struct denies_row {
    const char *name;
    struct says one, two;
    bool missing;
};

#define WITH_DENIES(...)                                                                           \
    {                                                                                              \
        .has_denies = true, __VA_ARGS__                                                            \
    }

static const struct denies_row denies_rows[] = {
    {"nobody has denies", FOUND, UNAVAILABLE, false},
    {"one with denies answers", FOUND, WITH_DENIES(.what = SAYS_UNKNOWN), false},
    {"one with denies answers with an account", FOUND,
     WITH_DENIES(.what = SAYS_FOUND, .merge = true), false},
    {"one with denies is unavailable", FOUND, WITH_DENIES(.what = SAYS_UNAVAILABLE), true},
    {"one with denies, the first, is unavailable", WITH_DENIES(.what = SAYS_UNAVAILABLE), FOUND,
     true},
    {"one with denies is misconfigured", FOUND, WITH_DENIES(.what = SAYS_MISCONFIGURED), true},
    {"one with denies is late", FOUND, WITH_DENIES(.what = SAYS_NOTHING), true},
    {"one with denies answers in part, its denies are whole",
     WITH_DENIES(.what = SAYS_FOUND, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE), UNKNOWN,
     false},
    {"one with denies answers in part, its denies too",
     WITH_DENIES(.what = SAYS_FOUND, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE,
                 .denies_part = true),
     UNKNOWN, true},
    {"one without denies answers in part",
     FOUND,
     {.what = SAYS_FOUND, .merge = true, .missing_set = true, .missing = ACCOUNT_UNAVAILABLE},
     false},
    {"one with denies answers, the other one is unavailable", WITH_DENIES(.what = SAYS_FOUND),
     UNAVAILABLE, false},
};

static void run_denies(void **state)
{
    const struct denies_row *row = *state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &row->one);
    scripted_add(dir, "two", &row->two);
    struct account_answer *answer = ask(dir, CLOCK_MS);
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->denies_missing, row->missing);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void denies_and_limits_add_up(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says){.what = SAYS_FOUND, .merge = true, .limit = "1/h"});
    scripted_add(dir, "two", &(struct says){.what = SAYS_FOUND, .merge = true});
    scripted_add(dir, "three", &(struct says){.what = SAYS_FOUND, .merge = true, .limit = "3/h"});
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->account.deny_count, 2);
    assert_string_equal(answer->account.denies[0].items[0].key, "ann@one");
    assert_string_equal(answer->account.denies[1].items[0].key, "ann@three");
    assert_int_equal(answer->account.limit_count, 2);
    assert_string_equal(answer->account.limits[0], "1/h");
    assert_string_equal(answer->account.limits[1], "3/h");
    account_answer_unref(answer);
    dir_destroy(dir);
}

/* ---- fresh ---- */

static void the_question_says_whether_fresh(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says)FOUND);
    struct scripted *two = scripted_add(dir, "two", &(struct says)FOUND_MERGE);
    struct dir_question question = ann;
    question.fresh = true;
    dir_lookup_release(dir_start(dir, &question));
    assert_true(one->wanted_fresh);
    assert_true(two->wanted_fresh);
    dir_lookup_release(dir_start(dir, &ann));
    assert_false(one->wanted_fresh);
    assert_false(two->wanted_fresh);
    dir_destroy(dir);
}

/* ---- a decorator's own question ---- */

struct taken {
    struct account_answer *answer;
    bool fresh;
    unsigned times;
};

static void take(void *context, struct account_answer *answer, bool fresh)
{
    struct taken *t = context;
    account_answer_unref(t->answer);
    *t = (struct taken){answer, fresh, t->times + 1};
}

static struct scripted *scripted_alone(const struct says *says)
{
    struct dir *nursery = dir_with(0);
    struct scripted *s = scripted_add(nursery, "inner", says);
    free(nursery);
    return s;
}

static void a_backend_answers_by_callback(void **state)
{
    (void)state;
    struct scripted *s = scripted_alone(&(struct says){.what = SAYS_FOUND, .stale = true});
    struct taken taken = {NULL, true, 0};
    dir_backend_ask(&s->backend, &(struct dir_question){.principal = ann.principal, .fresh = true},
                    &still.clock, take, &taken);
    assert_int_equal(taken.times, 1);
    assert_false(taken.fresh);
    assert_true(s->wanted_fresh);
    assert_string_equal(taken.answer->account.name, "ann");
    assert_int_equal(taken.answer->asked_at, still.now);
    s->says = (struct says){.what = SAYS_UNKNOWN};
    dir_backend_ask(&s->backend, &ann, &still.clock, take, &taken);
    assert_int_equal(taken.times, 2);
    assert_true(taken.fresh);
    assert_false(s->wanted_fresh);
    account_answer_unref(taken.answer);
    scripted_destroy(&s->backend);
}

static void a_backend_answers_by_callback_later(void **state)
{
    (void)state;
    char name[] = "ann";
    struct scripted *s = scripted_alone(&(struct says){.what = SAYS_NOTHING});
    struct taken taken = {NULL, false, 0};
    struct dir_question question = ann;
    question.principal.login.name = name;
    dir_backend_ask(&s->backend, &question, &still.clock, take, &taken);
    assert_int_equal(taken.times, 0);
    name[0] = 'X';
    assert_string_equal(dir_ticket_login(s->held)->name, "ann");
    scripted_arrive(s, SAYS_FOUND);
    assert_int_equal(taken.times, 1);
    assert_string_equal(taken.answer->account.name, "ann");
    account_answer_unref(taken.answer);
    scripted_destroy(&s->backend);
}

static void a_backend_answers_by_callback_at_its_end(void **state)
{
    (void)state;
    struct scripted *s = scripted_alone(&(struct says){.what = SAYS_NOTHING});
    struct taken taken = {NULL, true, 0};
    dir_backend_ask(&s->backend, &ann, &still.clock, take, &taken);
    scripted_destroy(&s->backend);
    assert_int_equal(taken.times, 1);
    assert_int_equal(taken.answer->status, ACCOUNT_UNAVAILABLE);
    assert_false(taken.fresh);
    account_answer_unref(taken.answer);
}

/* ---- three directories ---- */

static void three_add_up(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says){.what = SAYS_FOUND, .merge = true});
    scripted_add(dir, "two", &(struct says){.what = SAYS_FOUND, .primary = "p@two"});
    scripted_add(dir, "three",
                 &(struct says){.what = SAYS_FOUND, .merge = true, .primary = "p@three"});
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->account.list_count, 3);
    assert_string_equal(answer->account.lists[0].items[0].key, "ann@one");
    assert_string_equal(answer->account.lists[1].items[0].key, "ann@two");
    assert_string_equal(answer->account.lists[2].items[0].key, "ann@three");
    assert_string_equal(answer->account.entry, "entry in one");
    assert_string_equal(answer->account.primary, "p@two");
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void rivals_are_named(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says){.what = SAYS_FOUND});
    scripted_add(dir, "two", &(struct says){.what = SAYS_FOUND, .merge = true});
    scripted_add(dir, "three", &(struct says){.what = SAYS_FOUND});
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->status, ACCOUNT_MISCONFIGURED);
    assert_non_null(strstr(answer->why, "\"one\" and \"three\""));
    assert_null(strstr(answer->why, "two"));
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void oldest_part_is_the_age(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says){.what = SAYS_FOUND, .asked_at = 900});
    scripted_add(dir, "two", &(struct says){.what = SAYS_UNKNOWN, .asked_at = 500});
    scripted_add(dir, "three", &(struct says){.what = SAYS_UNKNOWN});
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->asked_at, 500);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void nothing_arrived_is_now(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    struct account_answer *answer = ask(dir, 0);
    assert_int_equal(answer->asked_at, still.now);
    account_answer_unref(answer);
    dir_destroy(dir);
}

/* ---- who is asked ---- */

struct choose_row {
    const char *name;
    const char *domains[3]; /* of the first directory; the second serves all */
    const char *login_domain;
    const char *directories[3];
    bool one, two; /* asked? */
};

static const struct choose_row choose_rows[] = {
    {"empty list serves a domain", {NULL}, "example.net", {NULL}, true, true},
    {"empty list serves a bare login", {NULL}, "", {NULL}, true, true},
    {"star serves a domain", {"*"}, "example.net", {NULL}, true, true},
    {"star serves a bare login", {"*"}, "", {NULL}, true, true},
    {"its domain", {"example.net"}, "example.net", {NULL}, true, true},
    {"its domain in capitals", {"Example.NET"}, "example.net", {NULL}, true, true},
    {"its second domain", {"example.org", "example.net"}, "example.net", {NULL}, true, true},
    {"another domain", {"example.org"}, "example.net", {NULL}, false, true},
    {"a subdomain is another domain", {"example.net"}, "mail.example.net", {NULL}, false, true},
    {"bare login, domain list", {"example.net"}, "", {NULL}, false, true},
    {"bare login, empty string in the list", {""}, "", {NULL}, false, true},
    {"star behind a domain", {"example.org", "*"}, "example.net", {NULL}, true, true},
    {"named", {NULL}, "example.net", {"one"}, true, false},
    {"the other is named", {NULL}, "example.net", {"two"}, false, true},
    {"both named", {NULL}, "example.net", {"two", "one"}, true, true},
    {"a name nobody has", {NULL}, "example.net", {"three"}, false, false},
    {"named, but another domain", {"example.org"}, "example.net", {"one"}, false, false},
    {"names have a letter case", {NULL}, "example.net", {"ONE"}, false, false},
};

static size_t count_strings(const char *const *strings)
{
    size_t n = 0;
    while (strings[n])
        n++;
    return n;
}

static void run_choose(void **state)
{
    const struct choose_row *row = *state;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says)FOUND);
    struct scripted *two = scripted_add(dir, "two", &(struct says)FOUND_MERGE);
    one->backend.login_domains = row->domains;
    one->backend.login_domain_count = count_strings(row->domains);
    struct dir_question question = ann;
    question.principal.login.domain = row->login_domain;
    question.directories = row->directories;
    question.directory_count = count_strings(row->directories);
    struct dir_lookup *lookup = dir_start(dir, &question);
    struct account_answer *answer = dir_join(lookup, CLOCK_S);
    assert_int_equal(one->asked, row->one);
    assert_int_equal(two->asked, row->two);
    bool any = row->one || row->two;
    assert_int_equal(answer->status, any ? ACCOUNT_FOUND : ACCOUNT_UNKNOWN);
    assert_int_equal(answer->account.list_count, row->one + row->two);
    if (!any) {
        assert_true(answer->fresh);
        assert_int_equal(answer->missing, ACCOUNT_FOUND);
        assert_non_null(strstr(answer->why, "no directory serves"));
    }
    account_answer_unref(answer);
    dir_lookup_release(lookup);
    dir_destroy(dir);
}

/* ---- late ---- */

static void late_then_joined_again(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    struct dir_lookup *lookup = dir_start(dir, &ann);
    struct account_answer *first = dir_join(lookup, 0);
    assert_int_equal(first->status, ACCOUNT_UNAVAILABLE);
    scripted_arrive(one, SAYS_FOUND);
    assert_int_equal(first->status, ACCOUNT_UNAVAILABLE);
    struct account_answer *second = dir_join(lookup, 0);
    assert_int_equal(second->status, ACCOUNT_FOUND);
    account_answer_unref(first);
    account_answer_unref(second);
    dir_lookup_release(lookup);
    dir_destroy(dir);
}

static void late_after_release(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    account_answer_unref(ask(dir, 0));
    assert_string_equal(dir_ticket_login(one->held)->name, "ann");
    scripted_arrive(one, SAYS_FOUND);
    dir_destroy(dir);
}

static void released_without_join(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    struct scripted *late = scripted_add(dir, "late", &(struct says){.what = SAYS_NOTHING});
    scripted_add(dir, "early", &(struct says){.what = SAYS_FOUND});
    dir_lookup_release(dir_start(dir, &ann));
    scripted_arrive(late, SAYS_UNKNOWN);
    dir_lookup_release(NULL);
    dir_destroy(dir);
}

static void destroyed_with_a_ticket_out(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "late", &(struct says){.what = SAYS_NOTHING});
    dir_lookup_release(dir_start(dir, &ann));
    dir_destroy(dir);
    dir_destroy(NULL);
}

static void *answer_late(void *ticket)
{
    struct timespec moment = {.tv_nsec = (long)(20 * CLOCK_MS)};
    (void)nanosleep(&moment, NULL);
    dir_ticket_fail(ticket, ACCOUNT_UNAVAILABLE, "late");
    return NULL;
}

static void destroyed_while_a_thread_answers(void **state)
{
    (void)state;
    pthread_t thread;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    dir_lookup_release(dir_start(dir, &ann));
    struct dir_ticket *ticket = one->held;
    one->held = NULL;
    assert_int_equal(pthread_create(&thread, NULL, answer_late, ticket), 0);
    dir_destroy(dir);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void login_is_copied(void **state)
{
    (void)state;
    char name[] = "ann@example.net", local[] = "ann", domain[] = "example.net", master[] = "root";
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    struct dir_lookup *lookup = dir_start(
        dir, &(struct dir_question){
                 .principal = {
                     .kind = PRINCIPAL_SASL,
                     .login = {.name = name, .local = local, .domain = domain, .master = master}}});
    name[0] = local[0] = domain[0] = master[0] = 'X';
    const struct login *login = dir_ticket_login(one->held);
    assert_string_equal(login->name, "ann@example.net");
    assert_string_equal(login->local, "ann");
    assert_string_equal(login->domain, "example.net");
    assert_string_equal(login->master, "root");
    dir_lookup_release(lookup);
    dir_destroy(dir);
}

/* The grants stay though the lookup is gone: the answer holds what it is made of. */
static void answer_outlives_lookup(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    scripted_add(dir, "one", &(struct says)FOUND);
    struct account_answer *answer = ask(dir, CLOCK_S);
    struct account_answer *again = account_answer_ref(answer);
    account_answer_unref(answer);
    assert_string_equal(again->account.lists[0].items[0].key, "ann@one");
    assert_string_equal(again->account.entry, "entry in one");
    account_answer_unref(again);
    account_answer_unref(NULL);
    dir_destroy(dir);
}

/* ---- waiting ---- */

struct joiner {
    struct dir_lookup *lookup;
    struct account_answer *answer;
};

static void *join_work(void *argument)
{
    struct joiner *j = argument;
    j->answer = dir_join(j->lookup, UINT64_MAX);
    return NULL;
}

static void no_place_to_wait(void **state)
{
    (void)state;
    struct dir *dir = dir_with(0);
    scripted_add(dir, "late", &(struct says){.what = SAYS_NOTHING});
    scripted_add(dir, "early", &(struct says)FOUND);
    struct account_answer *answer = ask(dir, 10 * CLOCK_S);
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->missing, ACCOUNT_UNAVAILABLE);
    assert_non_null(strstr(answer->why, "max_waiting"));
    assert_int_equal(dir_waiting(dir), 0);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void no_place_needed(void **state)
{
    (void)state;
    struct dir *dir = dir_with(0);
    scripted_add(dir, "one", &(struct says)FOUND);
    struct account_answer *answer = ask(dir, 0);
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->missing, ACCOUNT_FOUND);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void one_waits_the_next_does_not(void **state)
{
    (void)state;
    pthread_t thread;
    struct dir *dir = dir_with(1);
    struct scripted *one = scripted_add(dir, "one", &(struct says){.what = SAYS_NOTHING});
    struct joiner first = {.lookup = dir_start(dir, &ann)};
    struct dir_ticket *ticket = one->held;
    assert_int_equal(pthread_create(&thread, NULL, join_work, &first), 0);
    while (dir_waiting(dir) == 0)
        sched_yield();
    struct account_answer *second = ask(dir, 10 * CLOCK_S);
    assert_int_equal(second->status, ACCOUNT_UNAVAILABLE);
    assert_non_null(strstr(second->why, "max_waiting"));
    scripted_arrive(one, SAYS_FOUND); /* the second's: nobody waits for it */
    scripted_answer(one, ticket);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(first.answer->status, ACCOUNT_FOUND);
    assert_int_equal(dir_waiting(dir), 0);
    account_answer_unref(first.answer);
    account_answer_unref(second);
    dir_lookup_release(first.lookup);
    dir_destroy(dir);
}

/* ---- dir_fail ---- */

struct fail_row {
    const char *name;
    enum account_status status;
    bool fresh;
};

static const struct fail_row fail_rows[] = {
    {"fails as unknown", ACCOUNT_UNKNOWN, true},
    {"fails as unavailable", ACCOUNT_UNAVAILABLE, false},
    {"fails as misconfigured", ACCOUNT_MISCONFIGURED, false},
};

static void run_fail(void **state)
{
    const struct fail_row *row = *state;
    struct dir *dir = dir_with(1);
    assert_true(dir_add(dir, dir_fail_create("down", row->status, "it is off")));
    assert_string_equal(dir_backend_at(dir, 0)->name, "down");
    assert_string_equal(dir_backend_at(dir, 0)->ops->type, "fail");
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->status, row->status);
    assert_int_equal(answer->fresh, row->fresh);
    assert_int_equal(answer->asked_at, still.now);
    assert_string_equal(answer->why, "down: it is off");
    account_answer_unref(answer);
    dir_destroy(dir);
}

/* ---- dir_slow ---- */

static const char *const some_domains[] = {"example.net"};

static struct dir_backend *scripted_slow(const struct says *says, uint64_t delay)
{
    struct dir *nursery = dir_with(0);
    struct scripted *inner = scripted_add(nursery, "inner", says);
    inner->backend.merge = true;
    struct dir_backend *slow = dir_slow_create(&inner->backend, delay);
    assert_non_null(slow);
    free(nursery);
    return slow;
}

static void slow_answers(void **state)
{
    (void)state;
    struct dir *dir = dir_with(4);
    assert_true(dir_add(dir, scripted_slow(&(struct says)FOUND, CLOCK_MS)));
    struct dir_lookup *lookups[4];
    for (size_t i = 0; i < 4; i++)
        lookups[i] = dir_start(dir, &ann);
    for (size_t i = 0; i < 4; i++) {
        struct account_answer *answer = dir_join(lookups[i], UINT64_MAX);
        assert_int_equal(answer->status, ACCOUNT_FOUND);
        assert_int_equal(answer->missing, ACCOUNT_FOUND);
        account_answer_unref(answer);
        dir_lookup_release(lookups[i]);
    }
    dir_destroy(dir);
}

static void slow_over_budget(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    assert_true(dir_add(dir, scripted_slow(&(struct says)FOUND, 3600 * CLOCK_S)));
    struct account_answer *answer = ask(dir, 5 * CLOCK_MS);
    assert_int_equal(answer->status, ACCOUNT_UNAVAILABLE);
    assert_string_equal(answer->why, "inner: no answer in time");
    assert_false(answer->fresh);
    assert_int_equal(dir_waiting(dir), 0);
    account_answer_unref(answer);
    dir_destroy(dir); /* does not wait for the hour */
}

static void slow_ends_with_tickets_out(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    assert_true(dir_add(dir, scripted_slow(&(struct says)FOUND, UINT64_MAX)));
    for (size_t i = 0; i < 3; i++)
        dir_lookup_release(dir_start(dir, &ann));
    dir_destroy(dir);
}

static void slow_with_a_fast_one(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    assert_true(dir_add(dir, scripted_slow(&(struct says)UNKNOWN, 3600 * CLOCK_S)));
    scripted_add(dir, "fast", &(struct says)FOUND);
    struct account_answer *answer = ask(dir, CLOCK_MS);
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->missing, ACCOUNT_UNAVAILABLE);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void slow_looks_like_inner(void **state)
{
    (void)state;
    struct dir_backend *inner = dir_fail_create("corp", ACCOUNT_UNKNOWN, "nobody");
    inner->login_domains = some_domains;
    inner->login_domain_count = 1;
    inner->merge = true;
    struct dir_backend *slow = dir_slow_create(inner, 0);
    assert_string_equal(slow->ops->type, "slow");
    assert_string_equal(slow->name, "corp");
    assert_ptr_equal(slow->login_domains, some_domains);
    assert_int_equal(slow->login_domain_count, 1);
    assert_true(slow->merge);
    slow->ops->destroy(slow);
}

/* ---- the front's list ---- */

static void list_is_bounded(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    for (size_t i = 0; i < DIR_BACKENDS_MAX; i++) {
        assert_int_equal(dir_count(dir), i);
        assert_true(dir_add(dir, dir_fail_create("x", ACCOUNT_UNKNOWN, "nobody")));
    }
    struct dir_backend *over = dir_fail_create("x", ACCOUNT_UNKNOWN, "nobody");
    assert_false(dir_add(dir, over));
    over->ops->destroy(over);
    struct account_answer *answer = ask(dir, 0);
    assert_int_equal(answer->status, ACCOUNT_UNKNOWN);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void no_directory_at_all(void **state)
{
    (void)state;
    struct dir *dir = dir_with(1);
    struct account_answer *answer = ask(dir, CLOCK_S);
    assert_int_equal(answer->status, ACCOUNT_UNKNOWN);
    assert_non_null(answer->why);
    account_answer_unref(answer);
    dir_destroy(dir);
}

static void new_answer_claims_nothing(void **state)
{
    (void)state;
    struct account_answer *answer = account_answer_create();
    assert_int_equal(answer->status, ACCOUNT_UNAVAILABLE);
    assert_int_equal(answer->missing, ACCOUNT_UNAVAILABLE);
    assert_false(answer->fresh);
    account_answer_unref(answer);
}

int main(void)
{
    ROWS_ADD(pair_rows, run_pair);
    ROWS_ADD(denies_rows, run_denies);
    ROWS_ADD_TEST("denies and limits add up in order", denies_and_limits_add_up);
    ROWS_ADD_TEST("the question says whether fresh", the_question_says_whether_fresh);
    ROWS_ADD_TEST("a backend answers by callback", a_backend_answers_by_callback);
    ROWS_ADD_TEST("a backend answers by callback later", a_backend_answers_by_callback_later);
    ROWS_ADD_TEST("a backend answers by callback at its end",
                  a_backend_answers_by_callback_at_its_end);
    ROWS_ADD_TEST("grants of three add up in order", three_add_up);
    ROWS_ADD_TEST("rivals are named, others not", rivals_are_named);
    ROWS_ADD_TEST("the oldest part is the age", oldest_part_is_the_age);
    ROWS_ADD_TEST("an answer without parts is asked now", nothing_arrived_is_now);
    ROWS_ADD(choose_rows, run_choose);
    ROWS_ADD_TEST("a late answer is there at the next join", late_then_joined_again);
    ROWS_ADD_TEST("a late answer after the release is dropped", late_after_release);
    ROWS_ADD_TEST("released without join", released_without_join);
    ROWS_ADD_TEST("the front ends with a ticket out", destroyed_with_a_ticket_out);
    ROWS_ADD_TEST("the front ends while a thread answers", destroyed_while_a_thread_answers);
    ROWS_ADD_TEST("the login is copied", login_is_copied);
    ROWS_ADD_TEST("an answer outlives its lookup", answer_outlives_lookup);
    ROWS_ADD_TEST("max_waiting 0: nobody waits", no_place_to_wait);
    ROWS_ADD_TEST("max_waiting 0: an answer that is there is taken", no_place_needed);
    ROWS_ADD_TEST("max_waiting 1: the second does not wait", one_waits_the_next_does_not);
    ROWS_ADD(fail_rows, run_fail);
    ROWS_ADD_TEST("slow: answers arrive", slow_answers);
    ROWS_ADD_TEST("slow: over the budget", slow_over_budget);
    ROWS_ADD_TEST("slow: ends with tickets out", slow_ends_with_tickets_out);
    ROWS_ADD_TEST("slow: a fast one's grants count meanwhile", slow_with_a_fast_one);
    ROWS_ADD_TEST("slow: looks like the one inside", slow_looks_like_inner);
    ROWS_ADD_TEST("at most DIR_BACKENDS_MAX directories", list_is_bounded);
    ROWS_ADD_TEST("no directory at all", no_directory_at_all);
    ROWS_ADD_TEST("a new answer claims nothing", new_answer_claims_nothing);
    return rows_main();
}
