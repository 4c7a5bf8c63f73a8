#include "dir_fail.h"
#include "xalloc.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* ---- fail ---- */

struct dir_fail {
    struct dir_backend backend;
    char *name, *why;
    enum account_status status;
};

static void fail_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct dir_fail *f = (const struct dir_fail *)self;
    dir_ticket_fail(ticket, f->status, f->why);
}

static void fail_destroy(struct dir_backend *self)
{
    struct dir_fail *f = (struct dir_fail *)self;
    free(f->name);
    free(f->why);
    free(f);
}

struct dir_backend *dir_fail_create(const char *name, enum account_status status, const char *why)
{
    static const struct dir_ops ops = {.type = "fail", .ask = fail_ask, .destroy = fail_destroy};
    assert(status != ACCOUNT_FOUND);
    struct dir_fail *f = xcalloc(1, sizeof *f);
    f->name = xstrdup(name);
    f->why = xstrdup(why);
    f->status = status;
    f->backend = (struct dir_backend){.ops = &ops, .name = f->name};
    return &f->backend;
}

/* ---- slow ---- */

struct delayed {
    struct delayed *next;
    struct dir_ticket *ticket;
    uint64_t due;
};

/* The delay is the same for all, so that the order of arrival is the order of time. */
struct dir_slow {
    struct dir_backend backend;
    struct dir_backend *inner;
    uint64_t delay;
    pthread_t worker;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    struct delayed *first, **end;
    bool stop;
};

static uint64_t due_in(uint64_t delay)
{
    uint64_t now = clock_now(&clock_real);
    return delay > UINT64_MAX - now ? UINT64_MAX : now + delay;
}

static void slow_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct dir_slow *s = (struct dir_slow *)self;
    struct delayed *d = xcalloc(1, sizeof *d);
    d->ticket = ticket;
    (void)pthread_mutex_lock(&s->lock);
    d->due = due_in(s->delay);
    *s->end = d;
    s->end = &d->next;
    (void)pthread_cond_signal(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

static struct delayed *pop(struct dir_slow *s)
{
    struct delayed *d = s->first;
    s->first = d->next;
    if (!s->first)
        s->end = &s->first;
    return d;
}

static void wait_until(struct dir_slow *s, uint64_t due)
{
    struct timespec at = {.tv_sec = (time_t)(due / CLOCK_S), .tv_nsec = (long)(due % CLOCK_S)};
    (void)pthread_cond_timedwait(&s->changed, &s->lock, &at);
}

/* With the lock held, given up while inner works. */
static void hand_over(struct dir_slow *s)
{
    struct delayed *d = pop(s);
    (void)pthread_mutex_unlock(&s->lock);
    s->inner->ops->ask(s->inner, d->ticket);
    free(d);
    (void)pthread_mutex_lock(&s->lock);
}

static void *slow_work(void *self)
{
    struct dir_slow *s = self;
    (void)pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        if (!s->first)
            (void)pthread_cond_wait(&s->changed, &s->lock);
        else if (clock_now(&clock_real) < s->first->due)
            wait_until(s, s->first->due);
        else
            hand_over(s);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void slow_free(struct dir_slow *s)
{
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->lock);
    s->inner->ops->destroy(s->inner);
    free(s);
}

static void slow_destroy(struct dir_backend *self)
{
    struct dir_slow *s = (struct dir_slow *)self;
    (void)pthread_mutex_lock(&s->lock);
    s->stop = true;
    (void)pthread_cond_signal(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->worker, NULL);
    while (s->first) {
        struct delayed *d = pop(s);
        dir_ticket_fail(d->ticket, ACCOUNT_UNAVAILABLE, "the directory is being closed");
        free(d);
    }
    slow_free(s);
}

/* Signals are for the main thread; a deep stack is not needed here. */
static bool start_worker(struct dir_slow *s)
{
    enum { STACK = 256 * 1024 };
    sigset_t all, before;
    pthread_attr_t attr;
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s->worker, &attr, slow_work, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return failed == 0;
}

static void init_sync(struct dir_slow *s)
{
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
}

struct dir_backend *dir_slow_create(struct dir_backend *inner, uint64_t delay)
{
    static const struct dir_ops ops = {.type = "slow", .ask = slow_ask, .destroy = slow_destroy};
    struct dir_slow *s = xcalloc(1, sizeof *s);
    s->backend = *inner;
    s->backend.ops = &ops;
    s->inner = inner;
    s->delay = delay;
    s->end = &s->first;
    init_sync(s);
    if (start_worker(s))
        return &s->backend;
    slow_free(s);
    return NULL;
}
