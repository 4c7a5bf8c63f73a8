/*
 * Many threads ask fronts whose directories stand behind caches: one is slow, one goes up and down
 * and answers from threads that it does not wait for. Entries expire within milliseconds, and the
 * fronts are replaced, and ended with questions out, all the time. Run it under TSan. TAP on
 * standard output.
 */
#include "dir_cache.h"
#include "dir_fail.h"
#include "xalloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 32, ROUNDS = 1500, USERS = 40, REPLACED_MIN = 20 };

/* ---- a directory that knows userN, says how often it was asked, and is down now and then ---- */

struct flaky {
    struct dir_backend backend;
    bool threaded;
    atomic_uint asked;
};

static atomic_uint searches, threads_out;

static void answer_as(struct dir_ticket *ticket, bool down)
{
    const char *login = dir_ticket_login(ticket)->name;
    if (down) {
        dir_ticket_fail(ticket, ACCOUNT_UNAVAILABLE, "down");
        return;
    }
    if (strncmp(login, "user", 4) != 0) {
        dir_ticket_fail(ticket, ACCOUNT_UNKNOWN, "nobody");
        return;
    }
    struct account_answer *answer = account_answer_create();
    answer->status = answer->missing = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->asked_at = dir_ticket_now(ticket);
    answer->account.name = arena_strdup(answer->arena, login);
    dir_ticket_done(ticket, answer);
}

static void *answer_from_a_thread(void *ticket)
{
    answer_as(ticket, false);
    atomic_fetch_sub(&threads_out, 1);
    return NULL;
}

/* As a pool does that waits for nobody: destroy() may return while such a thread runs. */
static bool hand_to_a_thread(struct dir_ticket *ticket)
{
    pthread_t thread;
    pthread_attr_t attr;
    atomic_fetch_add(&threads_out, 1);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &attr, answer_from_a_thread, ticket) == 0;
    (void)pthread_attr_destroy(&attr);
    if (!started)
        atomic_fetch_sub(&threads_out, 1);
    return started;
}

static void flaky_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct flaky *f = (struct flaky *)self;
    unsigned number = atomic_fetch_add(&f->asked, 1);
    atomic_fetch_add(&searches, 1);
    if (!f->threaded || number % 4 || !hand_to_a_thread(ticket))
        answer_as(ticket, number % 16 == 15);
}

static void flaky_destroy(struct dir_backend *self)
{
    free(self);
}

static struct dir_backend *flaky_create(const char *name, bool threaded)
{
    static const struct dir_ops ops = {"flaky", flaky_ask, flaky_destroy};
    struct flaky *f = xcalloc(1, sizeof *f);
    f->backend = (struct dir_backend){.ops = &ops, .name = name, .merge = true};
    f->threaded = threaded;
    return &f->backend;
}

/* ---- fronts, counted as a snapshot counts its own ---- */

struct front {
    atomic_uint refs;
    struct dir *dir;
};

static pthread_mutex_t slot_lock = PTHREAD_MUTEX_INITIALIZER;
static struct front *slot;
static atomic_uint wrong, late, unknown, found, fresh_wanted, not_fresh;
static atomic_bool stop;

static void add_cached(struct dir *dir, struct dir_backend *inner, unsigned entries)
{
    struct dir_backend *cache =
        inner ? dir_cache_create(inner, &(struct dir_cache_conf){.ttl = 4 * CLOCK_MS,
                                                                 .negative_ttl = CLOCK_MS,
                                                                 .entries = entries,
                                                                 .recheck_count = 50,
                                                                 .recheck_period = 10 * CLOCK_MS,
                                                                 .clock = &clock_real})
              : NULL;
    if (!cache || !dir_add(dir, cache))
        abort();
}

static struct front *front_create(void)
{
    struct front *f = xcalloc(1, sizeof *f);
    atomic_init(&f->refs, 1);
    f->dir = dir_create(&(struct dir_conf){.max_waiting = THREADS, .clock = &clock_real});
    add_cached(f->dir, dir_slow_create(flaky_create("slow", false), CLOCK_MS / 5), 24);
    add_cached(f->dir, flaky_create("fast", true), 1000);
    return f;
}

static void front_unref(struct front *f)
{
    if (atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    dir_destroy(f->dir);
    free(f);
}

static struct front *front_get(void)
{
    (void)pthread_mutex_lock(&slot_lock);
    struct front *f = slot;
    atomic_fetch_add(&f->refs, 1);
    (void)pthread_mutex_unlock(&slot_lock);
    return f;
}

static void front_publish(struct front *new)
{
    (void)pthread_mutex_lock(&slot_lock);
    struct front *old = slot;
    slot = new;
    (void)pthread_mutex_unlock(&slot_lock);
    front_unref(old);
}

static void *replace(void *argument)
{
    unsigned *count = argument;
    while (!atomic_load(&stop) || *count < REPLACED_MIN) {
        struct timespec moment = {.tv_nsec = (long)(2 * CLOCK_MS)};
        (void)nanosleep(&moment, NULL);
        front_publish(front_create());
        ++*count;
    }
    return NULL;
}

/* ---- questions ---- */

static void look_at(const struct account_answer *answer, const char *login, bool wants_fresh)
{
    bool known = strncmp(login, "user", 4) == 0;
    switch (answer->status) {
    case ACCOUNT_FOUND:
        atomic_fetch_add(known && strcmp(answer->account.name, login) == 0 ? &found : &wrong, 1);
        break;
    case ACCOUNT_UNKNOWN:
        atomic_fetch_add(known ? &wrong : &unknown, 1);
        break;
    case ACCOUNT_UNAVAILABLE:
        atomic_fetch_add(&late, 1);
        return;
    case ACCOUNT_MISCONFIGURED:
        atomic_fetch_add(&wrong, 1);
        return;
    }
    if (wants_fresh)
        atomic_fetch_add(answer->fresh ? &fresh_wanted : &not_fresh, 1);
}

/* One question in four is left alone, which may end its front with a ticket out. */
static void ask(unsigned number)
{
    char login[32];
    bool wants_fresh = number % 3 == 0;
    (void)snprintf(login, sizeof login, "%s%u", number % 5 == 0 ? "nobody" : "user",
                   number % USERS);
    struct front *f = front_get();
    struct dir_lookup *lookup =
        dir_start(f->dir, &(struct dir_question){.principal = {.kind = PRINCIPAL_SASL,
                                                               .login = {login, login, "", NULL}},
                                                 .fresh = wants_fresh});
    if (number % 4) {
        struct account_answer *answer = dir_join(lookup, number % 7 ? UINT64_MAX : 0);
        look_at(answer, login, wants_fresh);
        account_answer_unref(answer);
    }
    dir_lookup_release(lookup);
    front_unref(f);
}

static void *work(void *argument)
{
    unsigned seat = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < ROUNDS; i++)
        ask(seat * 31 + i);
    return NULL;
}

/* ---- report ---- */

static unsigned rows;

static unsigned row(bool ok, const char *name)
{
    printf("%s %u - %s\n", ok ? "ok" : "not ok", ++rows, name);
    return !ok;
}

static int report(unsigned replaced)
{
    unsigned questions = THREADS * ROUNDS;
    printf("# %u questions, %u searches, %u found, %u unknown, %u late or down, %u fresh on "
           "request, %u not\n",
           questions, atomic_load(&searches), atomic_load(&found), atomic_load(&unknown),
           atomic_load(&late), atomic_load(&fresh_wanted), atomic_load(&not_fresh));
    unsigned failed = row(atomic_load(&wrong) == 0, "every answer belongs to its login");
    failed += row(atomic_load(&found) > 0, "some were found");
    failed += row(atomic_load(&unknown) > 0, "some were unknown");
    failed += row(atomic_load(&fresh_wanted) > 0, "some were fresh on request");
    failed += row(atomic_load(&searches) < questions * 2, "some were remembered or joined");
    failed += row(replaced >= REPLACED_MIN, "fronts were replaced meanwhile");
    printf("1..%u\n", rows);
    return failed > 0;
}

int main(void)
{
    pthread_t threads[THREADS], replacer;
    unsigned replaced = 0;
    slot = front_create();
    if (pthread_create(&replacer, NULL, replace, &replaced) != 0)
        abort();
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) != 0)
            abort();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(replacer, NULL);
    front_unref(slot);
    while (atomic_load(&threads_out) > 0)
        (void)sched_yield();
    return report(replaced);
}
