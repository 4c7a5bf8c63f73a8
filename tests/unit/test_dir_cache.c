/* dir_cache: every sentence of its header, under a clock that the test moves. */
#include "rows.h"

#include "dir_cache.h"
#include "xalloc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a clock that goes when the test says ---- */

struct hand_clock {
    struct clock clock;
    uint64_t now;
};

static uint64_t hand_now(const struct clock *self)
{
    return ((const struct hand_clock *)self)->now;
}

/* ---- an inner directory that answers what the test says, or when it says ---- */

enum { HELD_MAX = 8 };

struct inner {
    struct dir_backend backend;
    struct world *world;
};

struct world {
    struct hand_clock clock;
    struct dir *dir;
    struct dir_backend *cache;
    /* what the inner directory says */
    enum account_status status, missing;
    bool stale, hold;
    uint64_t older;   /* how long before the question the data was read */
    unsigned version; /* stands in the account's name, to see which answer it was */
    /* what it has seen */
    unsigned asked;
    bool wanted_fresh;
    char login[64];
    struct dir_ticket *held[HELD_MAX];
    unsigned held_count;
    bool destroyed;
    bool found_at_the_end; /* tickets that are still out at the end are answered with "found" */
};

static struct account_answer *inner_answer(const struct world *w, const struct dir_ticket *ticket)
{
    struct account_answer *answer = account_answer_create();
    answer->status = w->status;
    answer->missing = w->missing;
    answer->fresh =
        !w->stale && w->status != ACCOUNT_UNAVAILABLE && w->status != ACCOUNT_MISCONFIGURED;
    answer->asked_at = dir_ticket_now(ticket) - w->older;
    answer->why = w->status == ACCOUNT_FOUND ? NULL : "because";
    if (w->status == ACCOUNT_FOUND)
        answer->account.name =
            arena_printf(answer->arena, "%s %u", dir_ticket_login(ticket)->name, w->version);
    return answer;
}

static void inner_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct world *w = ((struct inner *)self)->world;
    w->asked++;
    w->wanted_fresh = dir_ticket_question(ticket)->fresh;
    (void)snprintf(w->login, sizeof w->login, "%s", dir_ticket_login(ticket)->name);
    if (w->hold) {
        assert_true(w->held_count < HELD_MAX);
        w->held[w->held_count++] = ticket;
    } else {
        dir_ticket_done(ticket, inner_answer(w, ticket));
    }
}

static void inner_destroy(struct dir_backend *self)
{
    struct world *w = ((struct inner *)self)->world;
    for (unsigned i = 0; i < w->held_count; i++) {
        if (w->found_at_the_end)
            dir_ticket_done(w->held[i], inner_answer(w, w->held[i]));
        else
            dir_ticket_fail(w->held[i], ACCOUNT_UNAVAILABLE, "closed");
    }
    w->held_count = 0;
    w->destroyed = true;
    free(self);
}

/* The first one that is held gets what the directory says now. */
static void arrive(struct world *w)
{
    assert_true(w->held_count > 0);
    struct dir_ticket *ticket = w->held[0];
    memmove(w->held, w->held + 1, --w->held_count * sizeof(struct dir_ticket *));
    dir_ticket_done(ticket, inner_answer(w, ticket));
}

static const char *const some_domains[] = {"*"};

static struct dir_backend *inner_create(struct world *w)
{
    static const struct dir_ops ops = {"inner", inner_ask, inner_destroy};
    struct inner *inner = xcalloc(1, sizeof *inner);
    inner->world = w;
    inner->backend = (struct dir_backend){.ops = &ops,
                                          .name = "corp",
                                          .login_domains = some_domains,
                                          .login_domain_count = 1,
                                          .merge = true,
                                          .has_denies = true};
    return &inner->backend;
}

static const struct dir_cache_conf usual = {
    .ttl = 300 * CLOCK_S,
    .negative_ttl = 30 * CLOCK_S,
    .entries = 100,
    .recheck_count = 20,
    .recheck_period = CLOCK_S,
};

static struct world *world_with(const struct dir_cache_conf *conf)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct dir_cache_conf own = *conf;
    w->clock = (struct hand_clock){{hand_now}, 5000 * CLOCK_S};
    w->status = w->missing = ACCOUNT_FOUND;
    own.clock = &w->clock.clock;
    w->dir = dir_create(&(struct dir_conf){.max_waiting = 8, .clock = &w->clock.clock});
    w->cache = dir_cache_create(inner_create(w), &own);
    assert_non_null(w->cache);
    assert_true(dir_add(w->dir, w->cache));
    memset(&own, 0xff, sizeof own); /* it is copied */
    return w;
}

static void world_end(struct world *w)
{
    dir_destroy(w->dir);
    assert_true(w->destroyed);
    free(w);
}

static void pass(struct world *w, uint64_t seconds)
{
    w->clock.now += seconds * CLOCK_S;
}

static struct dir_lookup *start(struct world *w, const char *login, bool fresh)
{
    return dir_start(w->dir,
                     &(struct dir_question){
                         .principal = {.kind = PRINCIPAL_SASL,
                                       .login = {.name = login, .local = login, .domain = ""}},
                         .fresh = fresh});
}

static struct account_answer *ask(struct world *w, const char *login, bool fresh)
{
    struct dir_lookup *lookup = start(w, login, fresh);
    struct account_answer *answer = dir_join(lookup, 0);
    dir_lookup_release(lookup);
    return answer;
}

/* Asks, and looks at what comes: "NAME VERSION", "unknown", "unavailable", "misconfigured". */
static void check_answer(struct account_answer *answer, const char *want, bool fresh)
{
    static const char *const names[] = {
        [ACCOUNT_UNAVAILABLE] = "unavailable",
        [ACCOUNT_MISCONFIGURED] = "misconfigured",
        [ACCOUNT_UNKNOWN] = "unknown",
        [ACCOUNT_FOUND] = "found",
    };
    assert_string_equal(
        answer->status == ACCOUNT_FOUND ? answer->account.name : names[answer->status], want);
    assert_int_equal(answer->fresh, fresh);
    account_answer_unref(answer);
}

static void expect(struct world *w, const char *login, bool wants_fresh, const char *want,
                   bool fresh, unsigned asked)
{
    unsigned before = w->asked;
    check_answer(ask(w, login, wants_fresh), want, fresh);
    assert_int_equal(w->asked - before, asked);
}

enum { MAY_BE_OLD = false, WANTS_FRESH = true, NOT_FRESH = false, FRESH = true };
enum { FROM_MEMORY = 0, ASKED = 1 };

static struct dir_cache_counts counts(const struct world *w)
{
    struct dir_cache_counts out;
    dir_cache_counts(w->cache, &out);
    return out;
}

/* ---- an ordinary backend ---- */

static void looks_like_the_inner_one(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    assert_string_equal(w->cache->ops->type, "cache");
    assert_string_equal(w->cache->name, "corp");
    assert_ptr_equal(w->cache->login_domains, some_domains);
    assert_int_equal(w->cache->login_domain_count, 1);
    assert_true(w->cache->merge);
    assert_true(w->cache->has_denies);
    world_end(w);
}

static void asks_as_it_was_asked(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    assert_string_equal(w->login, "ann");
    assert_false(w->wanted_fresh);
    expect(w, "bob", WANTS_FRESH, "bob 0", FRESH, ASKED);
    assert_string_equal(w->login, "bob");
    assert_true(w->wanted_fresh);
    world_end(w);
}

/* ---- what is kept ---- */

struct kept_row {
    const char *name;
    enum account_status status, missing;
    bool stale;
    uint64_t ttl, negative_ttl, older; /* s; ttl 0 stands for the usual ones */
    unsigned kept_for;                 /* s; 0: not at all */
};

static const struct kept_row kept_rows[] = {
    {"found is kept for ttl", ACCOUNT_FOUND, ACCOUNT_FOUND, .kept_for = 300},
    {"unknown is kept for negative_ttl", ACCOUNT_UNKNOWN, ACCOUNT_FOUND, .kept_for = 30},
    {"unavailable is not kept", ACCOUNT_UNAVAILABLE, ACCOUNT_FOUND, .kept_for = 0},
    {"misconfigured is not kept", ACCOUNT_MISCONFIGURED, ACCOUNT_FOUND, .kept_for = 0},
    {"found in part is not kept: a part is unavailable", ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE,
     .kept_for = 0},
    {"found in part is not kept: a part is misconfigured", ACCOUNT_FOUND, ACCOUNT_MISCONFIGURED,
     .kept_for = 0},
    {"unknown in part is not kept", ACCOUNT_UNKNOWN, ACCOUNT_UNAVAILABLE, .kept_for = 0},
    {"found, not fresh, is not kept", ACCOUNT_FOUND, ACCOUNT_FOUND, .stale = true, .kept_for = 0},
    {"unknown, not fresh, is not kept", ACCOUNT_UNKNOWN, ACCOUNT_FOUND, .stale = true,
     .kept_for = 0},
    {"ttl counts from when the data was read", ACCOUNT_FOUND, ACCOUNT_FOUND, .older = 100,
     .kept_for = 200},
    {"negative_ttl counts from when the data was read", ACCOUNT_UNKNOWN, ACCOUNT_FOUND, .older = 10,
     .kept_for = 20},
    {"data that is too old when it comes is not kept", ACCOUNT_FOUND, ACCOUNT_FOUND, .older = 300,
     .kept_for = 0},
    {"ttl below negative_ttl", ACCOUNT_FOUND, ACCOUNT_FOUND, .ttl = 5, .negative_ttl = 50,
     .kept_for = 5},
    {"negative_ttl above ttl", ACCOUNT_UNKNOWN, ACCOUNT_FOUND, .ttl = 5, .negative_ttl = 50,
     .kept_for = 50},
    {"negative_ttl 0 keeps no unknown", ACCOUNT_UNKNOWN, ACCOUNT_FOUND, .ttl = 5, .negative_ttl = 0,
     .kept_for = 0},
    {"negative_ttl 0 keeps found", ACCOUNT_FOUND, ACCOUNT_FOUND, .ttl = 5, .negative_ttl = 0,
     .kept_for = 5},
};

static void run_kept(void **state)
{
    const struct kept_row *row = *state;
    struct dir_cache_conf conf = usual;
    if (row->ttl) {
        conf.ttl = row->ttl * CLOCK_S;
        conf.negative_ttl = row->negative_ttl * CLOCK_S;
    }
    struct world *w = world_with(&conf);
    w->status = row->status;
    w->missing = row->missing;
    w->stale = row->stale;
    w->older = row->older * CLOCK_S;
    account_answer_unref(ask(w, "ann", MAY_BE_OLD));
    assert_int_equal(counts(w).entries, row->kept_for > 0);
    if (row->kept_for > 0) {
        w->clock.now += row->kept_for * CLOCK_S - 1;
        account_answer_unref(ask(w, "ann", MAY_BE_OLD));
        assert_int_equal(w->asked, 1);
        w->clock.now += 1;
    }
    account_answer_unref(ask(w, "ann", MAY_BE_OLD));
    assert_int_equal(w->asked, 2);
    world_end(w);
}

static void being_used_keeps_nothing_alive(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    for (unsigned i = 0; i < 300; i++, pass(w, 1))
        expect(w, "ann", MAY_BE_OLD, "ann 0", i < 30, i == 0 ? ASKED : FROM_MEMORY);
    w->version = 1;
    expect(w, "ann", MAY_BE_OLD, "ann 1", FRESH, ASKED);
    world_end(w);
}

static void the_age_is_told(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    uint64_t then = w->clock.now;
    account_answer_unref(ask(w, "ann", MAY_BE_OLD));
    pass(w, 7);
    struct account_answer *answer = ask(w, "ann", MAY_BE_OLD);
    assert_true(answer->asked_at == then);
    account_answer_unref(answer);
    world_end(w);
}

static void ttl_counts_from_the_question(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    struct dir_lookup *lookup = start(w, "ann", MAY_BE_OLD);
    pass(w, 100); /* the answer says that it was read just now */
    arrive(w);
    dir_lookup_release(lookup);
    w->hold = false;
    pass(w, 199);
    expect(w, "ann", MAY_BE_OLD, "ann 0", NOT_FRESH, FROM_MEMORY);
    pass(w, 1);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    world_end(w);
}

static void a_clock_that_goes_back_does_no_harm(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    w->clock.now -= 1000 * CLOCK_S;
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, FROM_MEMORY);
    world_end(w);
}

/* Neither pushes out what is remembered. */
struct lasting_row {
    const char *name;
    enum account_status status, missing;
    bool stale;
    const char *told;
};

static const struct lasting_row lasting_rows[] = {
    {"unavailable does not push out", ACCOUNT_UNAVAILABLE, ACCOUNT_FOUND, false, "unavailable"},
    {"misconfigured does not push out", ACCOUNT_MISCONFIGURED, ACCOUNT_FOUND, false,
     "misconfigured"},
    {"found in part does not push out", ACCOUNT_FOUND, ACCOUNT_UNAVAILABLE, false, "ann 1"},
    {"what is not fresh does not push out", ACCOUNT_FOUND, ACCOUNT_FOUND, true, "ann 1"},
};

static void run_lasting(void **state)
{
    const struct lasting_row *row = *state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    pass(w, 30);
    w->version = 1;
    w->status = row->status;
    w->missing = row->missing;
    w->stale = row->stale;
    struct account_answer *answer = ask(w, "ann", WANTS_FRESH);
    assert_int_equal(w->asked, 2);
    assert_int_equal(answer->missing, row->status == ACCOUNT_FOUND ? row->missing : row->status);
    check_answer(answer, row->told, row->status == ACCOUNT_FOUND && !row->stale);
    expect(w, "ann", MAY_BE_OLD, "ann 0", NOT_FRESH, FROM_MEMORY);
    pass(w, 270);
    expect(w, "ann", MAY_BE_OLD, row->told, row->status == ACCOUNT_FOUND && !row->stale, ASKED);
    world_end(w);
}

/* ---- joined ---- */

static void equal_questions_are_one(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    struct dir_lookup *lookups[5];
    w->hold = true;
    for (size_t i = 0; i < 5; i++)
        lookups[i] = start(w, "ann", i % 2);
    assert_int_equal(w->asked, 1);
    assert_int_equal(counts(w).misses, 1);
    assert_int_equal(counts(w).joined, 4);
    arrive(w);
    for (size_t i = 0; i < 5; i++) {
        check_answer(dir_join(lookups[i], 0), "ann 0", FRESH);
        dir_lookup_release(lookups[i]);
    }
    w->hold = false;
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, FROM_MEMORY);
    world_end(w);
}

static void other_logins_are_other_questions(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    struct dir_lookup *ann = start(w, "ann", MAY_BE_OLD);
    struct dir_lookup *ann2 = start(w, "ann2", MAY_BE_OLD);
    struct dir_lookup *an = start(w, "an", MAY_BE_OLD);
    assert_int_equal(w->asked, 3);
    arrive(w);
    w->version = 1;
    arrive(w);
    w->version = 2;
    arrive(w);
    check_answer(dir_join(ann, 0), "ann 0", FRESH);
    check_answer(dir_join(ann2, 0), "ann2 1", FRESH);
    check_answer(dir_join(an, 0), "an 2", FRESH);
    dir_lookup_release(ann);
    dir_lookup_release(ann2);
    dir_lookup_release(an);
    assert_int_equal(counts(w).entries, 3);
    world_end(w);
}

static void all_get_the_failure(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    struct dir_lookup *one = start(w, "ann", MAY_BE_OLD), *two = start(w, "ann", MAY_BE_OLD);
    w->status = ACCOUNT_UNAVAILABLE;
    arrive(w);
    check_answer(dir_join(one, 0), "unavailable", NOT_FRESH);
    check_answer(dir_join(two, 0), "unavailable", NOT_FRESH);
    dir_lookup_release(one);
    dir_lookup_release(two);
    struct dir_lookup *three = start(w, "ann", MAY_BE_OLD);
    assert_int_equal(w->asked, 2); /* what has ended is not joined */
    dir_lookup_release(three);
    world_end(w);
}

static void those_who_joined_are_as_fresh_as_the_inner_one_says(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = w->stale = true;
    struct dir_lookup *one = start(w, "ann", MAY_BE_OLD), *two = start(w, "ann", WANTS_FRESH);
    arrive(w);
    check_answer(dir_join(one, 0), "ann 0", NOT_FRESH);
    check_answer(dir_join(two, 0), "ann 0", NOT_FRESH);
    dir_lookup_release(one);
    dir_lookup_release(two);
    world_end(w);
}

static void released_before_the_answer(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    arrive(w);
    w->hold = false;
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, FROM_MEMORY); /* the cache was filled meanwhile */
    world_end(w);
}

/* ---- fresh ---- */

static void remembered_is_fresh_for_negative_ttl(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    w->version = 1;
    w->clock.now += 30 * CLOCK_S - 1;
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, FROM_MEMORY);
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, FROM_MEMORY);
    w->clock.now += 1;
    expect(w, "ann", MAY_BE_OLD, "ann 0", NOT_FRESH, FROM_MEMORY);
    expect(w, "ann", WANTS_FRESH, "ann 1", FRESH, ASKED);
    assert_int_equal(counts(w).rechecks, 1);
    assert_int_equal(counts(w).entries, 1);
    pass(w, 29);
    expect(w, "ann", WANTS_FRESH, "ann 1", FRESH, FROM_MEMORY);
    world_end(w);
}

/* One answer, two freshnesses: it was fresh for who brought it, and stays so. */
static void freshness_belongs_to_the_question(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    struct dir_lookup *first = start(w, "ann", MAY_BE_OLD);
    pass(w, 100);
    struct dir_lookup *second = start(w, "ann", MAY_BE_OLD);
    check_answer(dir_join(second, 0), "ann 0", NOT_FRESH);
    check_answer(dir_join(first, 0), "ann 0", FRESH);
    assert_int_equal(w->asked, 1);
    dir_lookup_release(first);
    dir_lookup_release(second);
    world_end(w);
}

static void a_slow_search_is_fresh_all_the_same(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    struct dir_lookup *lookup = start(w, "ann", WANTS_FRESH);
    pass(w, 1000);
    arrive(w);
    check_answer(dir_join(lookup, 0), "ann 0", FRESH);
    dir_lookup_release(lookup);
    assert_int_equal(counts(w).entries, 0); /* but too old to be kept */
    world_end(w);
}

static void a_recheck_is_joined(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    pass(w, 30);
    w->hold = true;
    w->version = 1;
    struct dir_lookup *one = start(w, "ann", WANTS_FRESH), *two = start(w, "ann", WANTS_FRESH);
    assert_int_equal(w->asked, 2);
    expect(w, "ann", MAY_BE_OLD, "ann 0", NOT_FRESH, FROM_MEMORY); /* does not wait for it */
    arrive(w);
    check_answer(dir_join(one, 0), "ann 1", FRESH);
    check_answer(dir_join(two, 0), "ann 1", FRESH);
    dir_lookup_release(one);
    dir_lookup_release(two);
    assert_int_equal(counts(w).rechecks, 1);
    assert_int_equal(counts(w).joined, 1);
    world_end(w);
}

static void joining_needs_no_token(void **state)
{
    (void)state;
    struct dir_cache_conf conf = usual;
    conf.recheck_count = 0;
    struct world *w = world_with(&conf);
    w->hold = true;
    struct dir_lookup *one = start(w, "ann", MAY_BE_OLD), *two = start(w, "ann", WANTS_FRESH);
    assert_int_equal(w->asked, 1);
    arrive(w);
    check_answer(dir_join(two, 0), "ann 0", FRESH);
    dir_lookup_release(one);
    dir_lookup_release(two);
    world_end(w);
}

static void recheck_says_unknown(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    pass(w, 30);
    w->status = ACCOUNT_UNKNOWN;
    expect(w, "ann", WANTS_FRESH, "unknown", FRESH, ASKED);
    expect(w, "ann", MAY_BE_OLD, "unknown", FRESH, FROM_MEMORY);
    assert_int_equal(counts(w).entries, 1);
    assert_int_equal(counts(w).negative_entries, 1);
    pass(w, 30);
    w->status = ACCOUNT_FOUND;
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    assert_int_equal(counts(w).negative_entries, 0);
    world_end(w);
}

/* ---- the rates of rechecks ---- */

static void once_a_login_and_negative_ttl(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    pass(w, 30);
    w->status = ACCOUNT_UNAVAILABLE;
    expect(w, "ann", WANTS_FRESH, "unavailable", NOT_FRESH, ASKED);
    w->status = ACCOUNT_FOUND;
    w->version = 1;
    w->clock.now += 30 * CLOCK_S - 1;
    expect(w, "ann", WANTS_FRESH, "ann 0", NOT_FRESH, FROM_MEMORY);
    assert_int_equal(counts(w).limited, 1);
    w->clock.now += 1;
    expect(w, "ann", WANTS_FRESH, "ann 1", FRESH, ASKED);
    assert_int_equal(counts(w).rechecks, 2);
    world_end(w);
}

struct rate_row {
    const char *name;
    unsigned count;
    uint64_t period, between; /* ns, the second one from recheck to recheck */
    unsigned want_of_20;
};

static const struct rate_row rate_rows[] = {
    {"recheck_count 0: never", 0, CLOCK_S, CLOCK_S, 0},
    {"all at once: recheck_count", 7, 10 * CLOCK_S, 0, 7},
    {"one at a time", 1, 10 * CLOCK_S, 0, 1},
    {"as fast as the rate: all", 2, CLOCK_S, 500 * CLOCK_MS, 20},
    {"one, at half the pace: all", 1, CLOCK_S, 2 * CLOCK_S, 20},
    /* 3 at once, then one each 10/3 s: 19 s bring 5 more */
    {"faster than the rate: what is saved, then the rate", 3, 10 * CLOCK_S, CLOCK_S, 8},
    /* not one each 1.5 ns but one each 2 ns: at 0, 1, 2, 4, 6 and so on */
    {"a rate that does not divide is rounded down", 2, 3, 1, 11},
    {"period 0: no bound", 1, 0, 0, 20},
};

static void run_rate(void **state)
{
    const struct rate_row *row = *state;
    struct dir_cache_conf conf = usual;
    conf.recheck_count = row->count;
    conf.recheck_period = row->period;
    struct world *w = world_with(&conf);
    char login[20][8];
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(login[i], sizeof login[i], "u%u", i);
        account_answer_unref(ask(w, login[i], MAY_BE_OLD));
    }
    pass(w, 100);
    for (unsigned i = 0; i < 20; i++) {
        account_answer_unref(ask(w, login[i], WANTS_FRESH));
        w->clock.now += row->between;
    }
    assert_int_equal(w->asked - 20, row->want_of_20);
    assert_int_equal(counts(w).rechecks, row->want_of_20);
    assert_int_equal(counts(w).limited, 20 - row->want_of_20);
    world_end(w);
}

static void the_rate_saves_no_more_than_recheck_count(void **state)
{
    (void)state;
    struct dir_cache_conf conf = usual;
    conf.recheck_count = 2;
    conf.negative_ttl = 0; /* always to be rechecked */
    struct world *w = world_with(&conf);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    pass(w, 100);
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, ASKED);
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, ASKED);
    expect(w, "ann", WANTS_FRESH, "ann 0", NOT_FRESH, FROM_MEMORY);
    world_end(w);
}

static void what_is_not_remembered_needs_no_token(void **state)
{
    (void)state;
    struct dir_cache_conf conf = usual;
    conf.recheck_count = 1;
    conf.recheck_period = 1000000 * CLOCK_S;
    struct world *w = world_with(&conf);
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, ASKED);
    expect(w, "bob", WANTS_FRESH, "bob 0", FRESH, ASKED);
    pass(w, 300); /* too old to be remembered */
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, ASKED);
    pass(w, 30);
    expect(w, "ann", WANTS_FRESH, "ann 0", FRESH, ASKED); /* the one token */
    pass(w, 30);
    expect(w, "ann", WANTS_FRESH, "ann 0", NOT_FRESH, FROM_MEMORY);
    world_end(w);
}

/* ---- bounded ---- */

static void fill(struct world *w, const char *prefix, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char login[32];
        (void)snprintf(login, sizeof login, "%s%u", prefix, i);
        account_answer_unref(ask(w, login, MAY_BE_OLD));
    }
}

static struct world *small_world(unsigned entries)
{
    struct dir_cache_conf conf = usual;
    conf.entries = entries;
    return world_with(&conf);
}

static void found_have_three_quarters(void **state)
{
    (void)state;
    struct world *w = small_world(8);
    fill(w, "u", 6);
    assert_int_equal(counts(w).evicted, 0);
    fill(w, "v", 1);
    assert_int_equal(counts(w).entries, 6);
    assert_int_equal(counts(w).evicted, 1);
    expect(w, "u1", MAY_BE_OLD, "u1 0", FRESH, FROM_MEMORY);
    expect(w, "u0", MAY_BE_OLD, "u0 0", FRESH, ASKED);
    world_end(w);
}

static void made_up_logins_push_out_no_real_one(void **state)
{
    (void)state;
    struct world *w = small_world(8);
    fill(w, "u", 6);
    w->status = ACCOUNT_UNKNOWN;
    fill(w, "nobody", 1000);
    assert_int_equal(counts(w).entries, 8);
    assert_int_equal(counts(w).negative_entries, 2);
    assert_int_equal(counts(w).evicted, 998);
    for (unsigned i = 0; i < 6; i++) {
        char login[8], want[16];
        (void)snprintf(login, sizeof login, "u%u", i);
        (void)snprintf(want, sizeof want, "u%u 0", i);
        expect(w, login, MAY_BE_OLD, want, FRESH, FROM_MEMORY);
    }
    expect(w, "nobody999", MAY_BE_OLD, "unknown", FRESH, FROM_MEMORY);
    expect(w, "nobody998", MAY_BE_OLD, "unknown", FRESH, FROM_MEMORY);
    expect(w, "nobody997", MAY_BE_OLD, "unknown", FRESH, ASKED);
    world_end(w);
}

static void real_logins_push_out_no_unknown_one(void **state)
{
    (void)state;
    struct world *w = small_world(8);
    w->status = ACCOUNT_UNKNOWN;
    fill(w, "nobody", 2);
    w->status = ACCOUNT_FOUND;
    fill(w, "u", 100);
    assert_int_equal(counts(w).negative_entries, 2);
    assert_int_equal(counts(w).entries, 8);
    expect(w, "nobody0", MAY_BE_OLD, "unknown", FRESH, FROM_MEMORY);
    world_end(w);
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct world *w = small_world(4);
    fill(w, "u", 3);
    expect(w, "u0", MAY_BE_OLD, "u0 0", FRESH, FROM_MEMORY);
    expect(w, "v", MAY_BE_OLD, "v 0", FRESH, ASKED); /* u1 goes */
    expect(w, "u0", MAY_BE_OLD, "u0 0", FRESH, FROM_MEMORY);
    expect(w, "u2", MAY_BE_OLD, "u2 0", FRESH, FROM_MEMORY);
    expect(w, "v", MAY_BE_OLD, "v 0", FRESH, FROM_MEMORY);
    expect(w, "u1", MAY_BE_OLD, "u1 0", FRESH, ASKED); /* u0 goes */
    expect(w, "u2", MAY_BE_OLD, "u2 0", FRESH, FROM_MEMORY);
    expect(w, "u0", MAY_BE_OLD, "u0 0", FRESH, ASKED);
    world_end(w);
}

static void no_room_for_unknown(void **state)
{
    (void)state;
    struct world *w = small_world(3);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    w->status = ACCOUNT_UNKNOWN;
    expect(w, "eve", MAY_BE_OLD, "unknown", FRESH, ASKED);
    expect(w, "eve", MAY_BE_OLD, "unknown", FRESH, ASKED);
    assert_int_equal(counts(w).entries, 1);
    assert_int_equal(counts(w).evicted, 0);
    /* what was known is forgotten all the same */
    pass(w, 30);
    expect(w, "ann", WANTS_FRESH, "unknown", FRESH, ASKED);
    assert_int_equal(counts(w).entries, 0);
    world_end(w);
}

static void no_room_at_all(void **state)
{
    (void)state;
    struct world *w = small_world(0);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    expect(w, "ann", MAY_BE_OLD, "ann 0", FRESH, ASKED);
    assert_int_equal(counts(w).entries, 0);
    assert_int_equal(counts(w).evicted, 0);
    world_end(w);
}

static void a_renewed_entry_takes_no_second_place(void **state)
{
    (void)state;
    struct world *w = small_world(4);
    fill(w, "u", 3);
    for (unsigned i = 0; i < 10; i++) {
        pass(w, 30);
        expect(w, "u0", WANTS_FRESH, "u0 0", FRESH, ASKED);
    }
    assert_int_equal(counts(w).entries, 3);
    assert_int_equal(counts(w).evicted, 0);
    world_end(w);
}

static void many(void **state)
{
    (void)state;
    struct world *w = small_world(4000);
    fill(w, "u", 10000);
    assert_int_equal(counts(w).entries, 3000);
    assert_int_equal(counts(w).evicted, 7000);
    unsigned before = w->asked;
    for (unsigned i = 7000; i < 10000; i++) {
        char login[16];
        (void)snprintf(login, sizeof login, "u%u", i);
        account_answer_unref(ask(w, login, MAY_BE_OLD));
    }
    assert_int_equal(w->asked, before);
    world_end(w);
}

/* ---- counts ---- */

static void every_question_is_counted_once(void **state)
{
    (void)state;
    struct dir_cache_conf conf = usual;
    conf.recheck_count = 1;
    struct world *w = world_with(&conf);
    fill(w, "u", 2); /* two misses */
    fill(w, "u", 2); /* two hits */
    pass(w, 30);
    fill(w, "u", 1);                                 /* a hit, not fresh */
    account_answer_unref(ask(w, "u0", WANTS_FRESH)); /* a recheck */
    account_answer_unref(ask(w, "u1", WANTS_FRESH)); /* over the rate */
    w->hold = true;
    struct dir_lookup *one = start(w, "v", MAY_BE_OLD), *two = start(w, "v", MAY_BE_OLD);
    dir_lookup_release(one); /* a miss */
    dir_lookup_release(two); /* joined */
    struct dir_cache_counts c = counts(w);
    assert_int_equal(c.misses, 3);
    assert_int_equal(c.hits, 3);
    assert_int_equal(c.rechecks, 1);
    assert_int_equal(c.limited, 1);
    assert_int_equal(c.joined, 1);
    assert_int_equal(c.evicted, 0);
    assert_int_equal(c.entries, 2);
    assert_int_equal(c.negative_entries, 0);
    world_end(w);
}

/* ---- the end ---- */

static void ends_with_questions_out(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = true;
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    dir_lookup_release(start(w, "bob", MAY_BE_OLD));
    world_end(w);
}

static void ends_with_answers_at_the_last_moment(void **state)
{
    (void)state;
    struct world *w = world_with(&usual);
    w->hold = w->found_at_the_end = true;
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    dir_lookup_release(start(w, "bob", MAY_BE_OLD));
    world_end(w);
}

/* The inner directory is gone, one of its threads still holds a ticket. */
static void *answer_late(void *argument)
{
    struct dir_ticket *ticket = argument;
    struct timespec moment = {.tv_nsec = (long)(20 * CLOCK_MS)};
    (void)nanosleep(&moment, NULL);
    dir_ticket_fail(ticket, ACCOUNT_UNAVAILABLE, "late");
    return NULL;
}

static void ends_while_a_thread_answers(void **state)
{
    (void)state;
    pthread_t thread;
    struct world *w = world_with(&usual);
    w->hold = true;
    dir_lookup_release(start(w, "ann", MAY_BE_OLD));
    struct dir_ticket *ticket = w->held[--w->held_count];
    assert_int_equal(pthread_create(&thread, NULL, answer_late, ticket), 0);
    world_end(w);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* An answer that was handed out lives on when its entry is gone. */
static void answers_outlive_their_entries(void **state)
{
    (void)state;
    struct world *w = small_world(1);
    struct account_answer *answer = ask(w, "ann", MAY_BE_OLD);
    expect(w, "bob", MAY_BE_OLD, "bob 0", FRESH, ASKED);
    assert_int_equal(counts(w).evicted, 1);
    check_answer(answer, "ann 0", FRESH);
    world_end(w);
}

int main(void)
{
    ROWS_ADD_TEST("looks like the inner one", looks_like_the_inner_one);
    ROWS_ADD_TEST("asks as it was asked", asks_as_it_was_asked);
    ROWS_ADD(kept_rows, run_kept);
    ROWS_ADD_TEST("being used keeps nothing alive", being_used_keeps_nothing_alive);
    ROWS_ADD_TEST("the age is told", the_age_is_told);
    ROWS_ADD_TEST("ttl counts from the question", ttl_counts_from_the_question);
    ROWS_ADD_TEST("a clock that goes back does no harm", a_clock_that_goes_back_does_no_harm);
    ROWS_ADD(lasting_rows, run_lasting);
    ROWS_ADD_TEST("equal questions are one", equal_questions_are_one);
    ROWS_ADD_TEST("other logins are other questions", other_logins_are_other_questions);
    ROWS_ADD_TEST("all get the failure", all_get_the_failure);
    ROWS_ADD_TEST("those who joined are as fresh as the inner one says",
                  those_who_joined_are_as_fresh_as_the_inner_one_says);
    ROWS_ADD_TEST("released before the answer", released_before_the_answer);
    ROWS_ADD_TEST("remembered is fresh for negative_ttl", remembered_is_fresh_for_negative_ttl);
    ROWS_ADD_TEST("freshness belongs to the question", freshness_belongs_to_the_question);
    ROWS_ADD_TEST("a slow search is fresh all the same", a_slow_search_is_fresh_all_the_same);
    ROWS_ADD_TEST("a recheck is joined", a_recheck_is_joined);
    ROWS_ADD_TEST("joining needs no token", joining_needs_no_token);
    ROWS_ADD_TEST("a recheck says unknown", recheck_says_unknown);
    ROWS_ADD_TEST("one recheck a login and negative_ttl", once_a_login_and_negative_ttl);
    ROWS_ADD(rate_rows, run_rate);
    ROWS_ADD_TEST("the rate saves no more than recheck_count",
                  the_rate_saves_no_more_than_recheck_count);
    ROWS_ADD_TEST("what is not remembered needs no token", what_is_not_remembered_needs_no_token);
    ROWS_ADD_TEST("found have three quarters of the room", found_have_three_quarters);
    ROWS_ADD_TEST("made-up logins push out no real one", made_up_logins_push_out_no_real_one);
    ROWS_ADD_TEST("real logins push out no unknown one", real_logins_push_out_no_unknown_one);
    ROWS_ADD_TEST("the least recently used goes first", the_least_recently_used_goes_first);
    ROWS_ADD_TEST("a quarter of three is no room for unknown", no_room_for_unknown);
    ROWS_ADD_TEST("no room at all", no_room_at_all);
    ROWS_ADD_TEST("a renewed entry takes no second place", a_renewed_entry_takes_no_second_place);
    ROWS_ADD_TEST("ten thousand logins in room for four thousand", many);
    ROWS_ADD_TEST("every question is counted once", every_question_is_counted_once);
    ROWS_ADD_TEST("ends with questions out", ends_with_questions_out);
    ROWS_ADD_TEST("ends with answers at the last moment", ends_with_answers_at_the_last_moment);
    ROWS_ADD_TEST("ends while a thread answers", ends_while_a_thread_answers);
    ROWS_ADD_TEST("answers outlive their entries", answers_outlive_their_entries);
    return rows_main();
}
