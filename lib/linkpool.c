#include "linkpool.h"
#include "strbuf.h"
#include "xalloc.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* All under the pool's lock. */
struct server {
    bool up;
    uint64_t epoch; /* counts how often it went down: a link of an older one is no longer used */
    enum link_status status; /* how it is or was down */
    struct errtext why;
    uint64_t since;
    bool served;     /* a job, since it was up last */
    unsigned failed; /* probes, and times that it came up and served nothing */
    uint64_t probe_at;
    bool announced; /* what changed() was told last */
    bool announcing;
};

/* What a job has found out about a server. */
enum tries { TRIES_NONE, TRIES_STALE, TRIES_GIVEN_UP };

struct worker {
    struct linkpool *pool;
    struct worker *next;
    struct linkpool_job *job; /* under the pool's lock */
    void *link;               /* NULL for none */
    size_t server;            /* of link, or of the one to be opened */
    uint64_t epoch;
    unsigned char tries[]; /* of job, a server each */
};

/* Counted: one reference for the owner, one for each thread. */
struct linkpool {
    struct linkpool_conf conf;
    atomic_uint refs;
    atomic_bool ending; /* set under the lock */
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job was queued, or the pool ends */
    pthread_cond_t keep; /* a server waits for a probe, or the pool ends */
    struct linkpool_job *first, **end;
    unsigned queued;
    struct worker *workers;
    unsigned worker_count;
    unsigned idle; /* workers without a job, those included that have only been made */
    bool keeper;   /* there is a thread that probes */
    uint64_t random;
    struct server servers[];
};

static const size_t none = SIZE_MAX;
static const char closing[] = "the directory is being closed";

static void lock(struct linkpool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
}

static void unlock(struct linkpool *pool)
{
    (void)pthread_mutex_unlock(&pool->lock);
}

/* ---- the pool ---- */

static void init_sync(struct linkpool *pool)
{
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->work, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->keep, &attr);
    (void)pthread_condattr_destroy(&attr);
}

struct linkpool *linkpool_create(const struct linkpool_conf *conf)
{
    assert(conf->server_count > 0 && conf->max_links > 0);
    struct linkpool *pool = xcalloc(1, sizeof *pool + conf->server_count * sizeof pool->servers[0]);
    pool->conf = *conf;
    if (!pool->conf.probe_unit)
        pool->conf.probe_unit = 500 * CLOCK_MS;
    pool->end = &pool->first;
    pool->random = clock_now(&clock_real) ^ (uint64_t)(uintptr_t)pool;
    atomic_init(&pool->refs, 1);
    init_sync(pool);
    for (size_t i = 0; i < conf->server_count; i++) {
        pool->servers[i].up = pool->servers[i].announced = pool->servers[i].served = true;
        pool->servers[i].since = clock_now(&clock_real);
    }
    return pool;
}

static void unref(struct linkpool *pool)
{
    if (atomic_fetch_sub(&pool->refs, 1) > 1)
        return;
    struct linkpool_conf conf = pool->conf;
    (void)pthread_cond_destroy(&pool->keep);
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
    conf.ops->released(conf.context);
}

bool linkpool_ending(const struct linkpool *pool)
{
    return atomic_load(&pool->ending);
}

void linkpool_state(struct linkpool *pool, size_t i, struct linkpool_state *out)
{
    assert(i < pool->conf.server_count);
    lock(pool);
    const struct server *s = &pool->servers[i];
    out->up = s->up;
    out->since = s->since;
    memcpy(out->why, s->why.text, sizeof out->why);
    unlock(pool);
}

/* Signals are for the main thread; libldap and its TLS library want some stack. */
static bool start_thread(struct linkpool *pool, void *(*function)(void *), void *argument)
{
    enum { STACK = 512 * 1024 };
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    atomic_fetch_add(&pool->refs, 1);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attr, function, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    if (!started)
        atomic_fetch_sub(&pool->refs, 1);
    return started;
}

/* ---- jobs ---- */

/* With the lock held. */
static void push(struct linkpool *pool, struct linkpool_job *job)
{
    *pool->end = job;
    pool->end = &job->next;
    pool->queued++;
    (void)pthread_cond_signal(&pool->work);
}

/* With the lock held. */
static struct linkpool_job *pop(struct linkpool *pool)
{
    struct linkpool_job *job = pool->first;
    pool->first = job->next;
    if (!pool->first)
        pool->end = &pool->first;
    pool->queued--;
    return job;
}

static void job_release(struct linkpool *pool, struct linkpool_job *job)
{
    lock(pool);
    bool last = --job->holders == 0;
    unlock(pool);
    if (last)
        job->ops->destroy(job);
}

/* Unless linkpool_destroy() was quicker. */
static void tell(struct linkpool *pool, struct linkpool_job *job, enum link_status status,
                 const char *why)
{
    lock(pool);
    bool first = !job->told;
    job->told = true;
    unlock(pool);
    if (first)
        job->ops->done(job, status, why);
}

/* With the lock held. Why no server can be asked; the text is in arena a. */
static enum link_status why_all_down(const struct linkpool *pool, struct arena *a,
                                     const char **why_out)
{
    enum link_status status = LINK_WRONG;
    struct strbuf text;
    strbuf_init(&text, a);
    for (size_t i = 0; i < pool->conf.server_count; i++) {
        const struct server *s = &pool->servers[i];
        if (s->status != LINK_WRONG)
            status = LINK_DOWN;
        strbuf_printf(&text, "%s%s: %s", i ? "; " : "", pool->conf.servers[i], s->why.text);
    }
    *why_out = text.text;
    return status;
}

static void tell_all_down(struct linkpool *pool, struct linkpool_job *job)
{
    const char *why;
    struct arena *a = arena_create();
    lock(pool);
    enum link_status status = why_all_down(pool, a, &why);
    unlock(pool);
    tell(pool, job, status, why);
    arena_destroy(a);
}

/* ---- servers go down, are probed, and come up ---- */

/* *link_out is written for LINK_OK only. */
static enum link_status open_link(const struct linkpool *pool, size_t server, void **link_out,
                                  struct errtext *why)
{
    void *link = NULL;
    enum link_status status = pool->conf.ops->open(pool->conf.context, server, &link, why);
    assert(status == LINK_OK || status == LINK_DOWN || status == LINK_WRONG);
    if (status == LINK_OK)
        *link_out = link;
    return status;
}

uint64_t linkpool_delay(uint64_t unit, unsigned failed, uint64_t random)
{
    enum { LONGEST = 3 };
    uint64_t middle = unit << (failed < LONGEST ? failed : LONGEST);
    uint64_t fifth = middle / 5;
    return middle - fifth + random % (2 * fifth + 1);
}

/* With the lock held. Good enough to keep probes of many hosts apart (splitmix64). */
static uint64_t next_random(struct linkpool *pool)
{
    uint64_t z = pool->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* With the lock held. */
static size_t count_down(const struct linkpool *pool)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->conf.server_count; i++)
        count += !pool->servers[i].up;
    return count;
}

static void *keep(void *argument);

/* With the lock held. Where no thread can be made, the next job tries it again. */
static void want_keeper(struct linkpool *pool)
{
    if (!pool->keeper)
        pool->keeper = start_thread(pool, keep, pool);
    else
        (void)pthread_cond_signal(&pool->keep);
}

/* With the lock held. */
static void schedule_probe(struct linkpool *pool, struct server *s)
{
    uint64_t delay = linkpool_delay(pool->conf.probe_unit, s->failed, next_random(pool));
    s->probe_at = clock_now(&clock_real) + delay;
}

/* With the lock held, given up while changed() works. One call at a time for each server, and no
 * probe before it was said that the server is down: so the log tells things in their order. */
static void announce(struct linkpool *pool, struct server *s)
{
    if (s->announcing)
        return;
    s->announcing = true;
    while (s->announced != s->up && !pool->ending) {
        bool up = s->announced = s->up;
        struct errtext why = s->why;
        unlock(pool);
        pool->conf.changed(pool->conf.context, (size_t)(s - pool->servers), up, up ? "" : why.text);
        lock(pool);
    }
    s->announcing = false;
    if (s->up || pool->ending)
        return;
    schedule_probe(pool, s);
    want_keeper(pool);
}

/* What a link or an attempt at one of this worker has shown. */
static void server_is_down(struct worker *w, enum link_status status, const struct errtext *why)
{
    struct linkpool *pool = w->pool;
    struct server *s = &pool->servers[w->server];
    lock(pool);
    if (s->epoch == w->epoch) {
        s->up = false;
        s->epoch++;
        s->status = status;
        s->why = *why;
        s->since = clock_now(&clock_real);
        s->failed = s->served ? 0 : s->failed + 1;
        s->served = false;
        s->probe_at = UINT64_MAX;
        announce(pool, s);
    }
    unlock(pool);
}

static void server_serves(struct worker *w)
{
    struct server *s = &w->pool->servers[w->server];
    lock(w->pool);
    if (s->epoch == w->epoch)
        s->served = true;
    unlock(w->pool);
}

/* With the lock held. */
static void probed(struct linkpool *pool, struct server *s, enum link_status status,
                   const struct errtext *why)
{
    if (status == LINK_OK) {
        s->up = true;
        s->since = clock_now(&clock_real);
        announce(pool, s);
        return;
    }
    s->status = status;
    s->why = *why;
    s->failed++;
    schedule_probe(pool, s);
}

/* With the lock held, given up while the server is asked. */
static void probe(struct linkpool *pool, struct server *s)
{
    void *link = NULL;
    struct errtext why = {""};
    unlock(pool);
    enum link_status status = open_link(pool, (size_t)(s - pool->servers), &link, &why);
    if (status == LINK_OK)
        pool->conf.ops->close(pool->conf.context, link);
    lock(pool);
    probed(pool, s, status, &why);
}

/* With the lock held, and a server down. */
static struct server *next_to_probe(struct linkpool *pool)
{
    struct server *next = NULL;
    for (size_t i = 0; i < pool->conf.server_count; i++) {
        struct server *s = &pool->servers[i];
        if (!s->up && (!next || s->probe_at < next->probe_at))
            next = s;
    }
    return next;
}

static void wait_until(struct linkpool *pool, uint64_t due)
{
    struct timespec at = {.tv_sec = (time_t)(due / CLOCK_S), .tv_nsec = (long)(due % CLOCK_S)};
    (void)pthread_cond_timedwait(&pool->keep, &pool->lock, &at);
}

static void *keep(void *argument)
{
    struct linkpool *pool = argument;
    lock(pool);
    while (!pool->ending && count_down(pool) > 0) {
        struct server *s = next_to_probe(pool);
        if (clock_now(&clock_real) < s->probe_at)
            wait_until(pool, s->probe_at);
        else
            probe(pool, s);
    }
    pool->keeper = false;
    unlock(pool);
    unref(pool);
    return NULL;
}

/* ---- a worker: one thread, one link, one job at a time ---- */

static void drop_link(struct worker *w)
{
    if (w->link)
        w->pool->conf.ops->close(w->pool->conf.context, w->link);
    w->link = NULL;
}

/* With the lock held. */
static size_t first_up(const struct worker *w)
{
    for (size_t i = 0; i < w->pool->conf.server_count; i++)
        if (w->pool->servers[i].up && w->tries[i] != TRIES_GIVEN_UP)
            return i;
    return none;
}

/* Turns to the best server that there is for the job just now. False where there is none. */
static bool choose_server(struct worker *w)
{
    struct linkpool *pool = w->pool;
    lock(pool);
    size_t i = pool->ending ? none : first_up(w);
    uint64_t epoch = i == none ? 0 : pool->servers[i].epoch;
    unlock(pool);
    if (i == none)
        return false;
    if (i != w->server || epoch != w->epoch)
        drop_link(w);
    w->server = i;
    w->epoch = epoch;
    return true;
}

static enum link_status attempt(struct worker *w, struct errtext *why)
{
    enum link_status status = LINK_OK;
    if (!w->link)
        status = open_link(w->pool, w->server, &w->link, why);
    if (status == LINK_OK && linkpool_ending(w->pool))
        return LINK_DOWN;
    return status == LINK_OK ? w->job->ops->run(w->job, w->link, why) : status;
}

/* True where the job has its answer; else on to a new link, or to the next server. */
static bool settled(struct worker *w, enum link_status status, const struct errtext *why)
{
    if (status == LINK_OK || status == LINK_FAILED)
        return true;
    if (status == LINK_STALE && w->tries[w->server] == TRIES_NONE) {
        w->tries[w->server] = TRIES_STALE;
    } else {
        w->tries[w->server] = TRIES_GIVEN_UP;
        server_is_down(w, status == LINK_STALE ? LINK_DOWN : status, why);
    }
    drop_link(w);
    return false;
}

static void serve(struct worker *w)
{
    memset(w->tries, TRIES_NONE, w->pool->conf.server_count);
    while (choose_server(w)) {
        struct errtext why = {""};
        enum link_status status = attempt(w, &why);
        if (settled(w, status, &why)) {
            server_serves(w);
            tell(w->pool, w->job, status, status == LINK_OK ? "" : why.text);
            return;
        }
    }
    tell_all_down(w->pool, w->job);
}

/* False where the pool ends: linkpool_destroy() has emptied the queue. */
static bool take_job(struct worker *w)
{
    struct linkpool *pool = w->pool;
    lock(pool);
    while (!pool->first && !pool->ending)
        (void)pthread_cond_wait(&pool->work, &pool->lock);
    if (pool->first) {
        w->job = pop(pool);
        pool->idle--;
    }
    unlock(pool);
    return w->job != NULL;
}

static void put_job(struct worker *w)
{
    struct linkpool_job *job = w->job;
    lock(w->pool);
    w->job = NULL;
    w->pool->idle++;
    unlock(w->pool);
    job_release(w->pool, job);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct linkpool *pool = w->pool;
    while (take_job(w)) {
        serve(w);
        put_job(w);
    }
    drop_link(w);
    free(w);
    unref(pool);
    return NULL;
}

/* With the lock held. */
static void add_worker(struct linkpool *pool)
{
    struct worker *w = xcalloc(1, sizeof *w + pool->conf.server_count);
    w->pool = pool;
    if (!start_thread(pool, work, w)) {
        free(w);
        return;
    }
    w->next = pool->workers;
    pool->workers = w;
    pool->worker_count++;
    pool->idle++;
}

/* ---- submit and destroy ---- */

/* With the lock held. False where no thread would take one more job. */
static bool have_worker(struct linkpool *pool)
{
    if (pool->queued >= pool->idle && pool->worker_count < pool->conf.max_links)
        add_worker(pool);
    return pool->worker_count > 0;
}

/* With the lock held. LINK_OK where the job may wait for a thread. */
static enum link_status refuse(struct linkpool *pool, struct arena *a, const char **why_out)
{
    *why_out = closing;
    if (pool->ending)
        return LINK_DOWN;
    size_t down = count_down(pool);
    if (down > 0 && !pool->keeper)
        want_keeper(pool);
    if (down == pool->conf.server_count)
        return why_all_down(pool, a, why_out);
    *why_out = "no thread can be made";
    return have_worker(pool) ? LINK_OK : LINK_DOWN;
}

void linkpool_submit(struct linkpool *pool, struct linkpool_job *job)
{
    const char *why;
    struct arena *a = arena_create();
    job->next = NULL;
    job->holders = 1;
    job->told = false;
    lock(pool);
    enum link_status status = refuse(pool, a, &why);
    if (status == LINK_OK)
        push(pool, job);
    unlock(pool);
    if (status != LINK_OK) {
        job->ops->done(job, status, why);
        job->ops->destroy(job);
    }
    arena_destroy(a);
}

/* With the lock held. The jobs that nobody has told yet, those that wait first. */
static struct linkpool_job *take_untold(struct linkpool *pool)
{
    for (struct worker *w = pool->workers; w; w = w->next) {
        if (!w->job || w->job->told)
            continue;
        w->job->holders++;
        w->job->next = NULL;
        push(pool, w->job);
    }
    struct linkpool_job *list = pool->first;
    for (struct linkpool_job *job = list; job; job = job->next)
        job->told = true;
    pool->first = NULL;
    pool->end = &pool->first;
    pool->queued = 0;
    return list;
}

void linkpool_destroy(struct linkpool *pool)
{
    if (!pool)
        return;
    lock(pool);
    pool->ending = true;
    struct linkpool_job *next, *list = take_untold(pool);
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_cond_broadcast(&pool->keep);
    unlock(pool);
    for (; list; list = next) {
        next = list->next;
        list->ops->done(list, LINK_DOWN, closing);
        job_release(pool, list);
    }
    unref(pool);
}
