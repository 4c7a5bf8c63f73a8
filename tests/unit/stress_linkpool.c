/*
 * Many threads submit jobs to pools that are made and ended all the time, while their servers go
 * down, hang, close links and come back at random. Run it under TSan. TAP on standard output.
 */
#include "linkpool.h"
#include "xalloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 32,
    POOLS = 4,
    SERVERS = 3,
    LINKS = 6,
    BURST = 4,
    POOLS_MIN = 20,
    JOBS_MIN = 1000
};

static const uint64_t duration = 3 * CLOCK_S;

enum mood { MOOD_WELL, MOOD_REFUSES, MOOD_WRONG, MOOD_STALE, MOOD_CUTS, MOOD_HANGS, MOODS };

static atomic_int moods[SERVERS];
static atomic_bool stop;
static atomic_ullong jobs, told[LINK_FAILED + 1], told_twice, untold, ended;
static atomic_ullong no_answer, no_reason;
static atomic_ullong opened, closed, too_many;
static atomic_ullong created, released;
static atomic_ullong ups, downs, disorder;

static void nap(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / CLOCK_S), .tv_nsec = (long)(ns % CLOCK_S)};
    (void)nanosleep(&t, NULL);
}

/* xorshift: a seed of its own for each thread, never 0. */
static uint64_t roll(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* ---- servers ---- */

/* One for each pool; it ends with released(). */
struct house {
    struct linkpool *pool;
    atomic_uint links;
    atomic_bool down[SERVERS];
};

struct link {
    size_t server;
    unsigned uses; /* not atomic: TSan sees two threads on one link */
};

/* Until the server is well again, or the pool ends, or 20 ms, which stand for a deadline. */
static enum mood mood_of(const struct house *house, size_t server)
{
    uint64_t end = clock_now(&clock_real) + 20 * CLOCK_MS;
    while (atomic_load(&moods[server]) == MOOD_HANGS && !linkpool_ending(house->pool) &&
           clock_now(&clock_real) < end)
        nap(CLOCK_MS);
    return (enum mood)atomic_load(&moods[server]);
}

static enum link_status house_open(void *context, size_t i, void **link_out, struct errtext *why)
{
    struct house *house = context;
    enum mood mood = mood_of(house, i);
    if (mood == MOOD_WRONG || mood == MOOD_REFUSES || mood == MOOD_HANGS) {
        errtext_set(why, "mood %d", (int)mood);
        return mood == MOOD_WRONG ? LINK_WRONG : LINK_DOWN;
    }
    struct link *link = xcalloc(1, sizeof *link);
    link->server = i;
    if (atomic_fetch_add(&house->links, 1) >= LINKS + 1) /* and one that is probed */
        atomic_fetch_add(&too_many, 1);
    atomic_fetch_add(&opened, 1);
    *link_out = link;
    return LINK_OK;
}

static void house_close(void *context, void *link)
{
    struct house *house = context;
    atomic_fetch_sub(&house->links, 1);
    atomic_fetch_add(&closed, 1);
    free(link);
}

static void house_released(void *context)
{
    free(context);
    atomic_fetch_add(&released, 1);
}

static void house_changed(void *context, size_t i, bool up, const char *why)
{
    struct house *house = context;
    if (atomic_exchange(&house->down[i], !up) == !up || !*why != up)
        atomic_fetch_add(&disorder, 1);
    atomic_fetch_add(up ? &ups : &downs, 1);
}

static struct linkpool *new_pool(void)
{
    static const struct linkpool_ops ops = {house_open, house_close, house_released};
    static const char *const names[SERVERS] = {"a", "b", "c"};
    struct house *house = xcalloc(1, sizeof *house);
    house->pool = linkpool_create(&(struct linkpool_conf){.ops = &ops,
                                                          .context = house,
                                                          .servers = names,
                                                          .server_count = SERVERS,
                                                          .max_links = LINKS,
                                                          .changed = house_changed,
                                                          .probe_unit = CLOCK_MS});
    atomic_fetch_add(&created, 1);
    return house->pool;
}

static void *change_moods(void *argument)
{
    uint64_t seed = *(uint64_t *)argument;
    while (!atomic_load(&stop)) {
        bool well = roll(&seed) % 2 == 0;
        int mood = well ? MOOD_WELL : (int)(roll(&seed) % MOODS);
        atomic_store(&moods[roll(&seed) % SERVERS], mood);
        nap(roll(&seed) % (2 * CLOCK_MS));
    }
    for (size_t i = 0; i < SERVERS; i++)
        atomic_store(&moods[i], MOOD_WELL);
    return NULL;
}

/* ---- jobs ---- */

/* A burst of jobs: who submits it waits until all are told. */
struct burst {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    unsigned out;
};

struct job {
    struct linkpool_job job;
    struct burst *burst;
    unsigned number, answer; /* not atomic: run() writes answer, done() reads it after LINK_OK */
    atomic_uint told;
};

static enum link_status job_run(struct linkpool_job *job, void *used, struct errtext *why)
{
    struct job *j = (struct job *)job;
    struct link *link = used;
    link->uses++;
    j->answer = j->number + 1;
    errtext_set(why, "in run");
    switch ((enum mood)atomic_load(&moods[link->server])) {
    case MOOD_STALE:
        return link->uses > 1 ? LINK_STALE : LINK_OK;
    case MOOD_REFUSES:
    case MOOD_CUTS:
        return LINK_DOWN;
    case MOOD_WRONG:
        return LINK_WRONG;
    case MOOD_HANGS:
        nap(5 * CLOCK_MS);
        return LINK_DOWN;
    case MOOD_WELL:
    case MOODS:
        break;
    }
    return j->number % 8 == 0 ? LINK_FAILED : LINK_OK;
}

static void job_done(struct linkpool_job *job, enum link_status status, const char *why)
{
    struct job *j = (struct job *)job;
    struct burst *burst = j->burst;
    if (atomic_fetch_add(&j->told, 1) > 0)
        atomic_fetch_add(&told_twice, 1);
    if (status == LINK_OK && j->answer != j->number + 1)
        atomic_fetch_add(&no_answer, 1);
    if ((status == LINK_OK) != (*why == '\0') || status == LINK_STALE)
        atomic_fetch_add(&no_reason, 1);
    atomic_fetch_add(&told[status], 1);
    (void)pthread_mutex_lock(&burst->lock);
    burst->out--;
    (void)pthread_cond_signal(&burst->arrived);
    (void)pthread_mutex_unlock(&burst->lock);
}

static void job_destroy(struct linkpool_job *job)
{
    struct job *j = (struct job *)job;
    if (atomic_load(&j->told) != 1)
        atomic_fetch_add(&untold, 1);
    atomic_fetch_add(&ended, 1);
    free(j);
}

static void submit(struct linkpool *pool, struct burst *burst, unsigned number)
{
    static const struct linkpool_job_ops ops = {job_run, job_done, job_destroy};
    struct job *job = xcalloc(1, sizeof *job);
    job->job.ops = &ops;
    job->burst = burst;
    job->number = number;
    atomic_fetch_add(&jobs, 1);
    linkpool_submit(pool, &job->job);
}

/* ---- pools come and go under those who submit ---- */

struct slot {
    pthread_rwlock_t lock; /* held by who submits, not until the answer */
    struct linkpool *pool;
};

static struct slot slots[POOLS];

static void *work(void *argument)
{
    uint64_t seed = *(uint64_t *)argument;
    struct burst burst = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    while (!atomic_load(&stop)) {
        struct slot *slot = &slots[roll(&seed) % POOLS];
        burst.out = BURST;
        (void)pthread_rwlock_rdlock(&slot->lock);
        for (unsigned i = 0; i < BURST; i++)
            submit(slot->pool, &burst, (unsigned)(roll(&seed) % 1000));
        (void)pthread_rwlock_unlock(&slot->lock);
        (void)pthread_mutex_lock(&burst.lock);
        while (burst.out > 0)
            (void)pthread_cond_wait(&burst.arrived, &burst.lock);
        (void)pthread_mutex_unlock(&burst.lock);
        nap(roll(&seed) % CLOCK_MS);
    }
    return NULL;
}

static void replace(struct slot *slot)
{
    struct linkpool *old = slot->pool, *fresh = new_pool();
    (void)pthread_rwlock_wrlock(&slot->lock);
    slot->pool = fresh;
    (void)pthread_rwlock_unlock(&slot->lock);
    linkpool_destroy(old);
}

/* Every pool has some time to be busy; what its threads do when it ends is left to chance. */
static void *replace_pools(void *argument)
{
    uint64_t seed = *(uint64_t *)argument;
    while (!atomic_load(&stop)) {
        nap(roll(&seed) % (20 * CLOCK_MS));
        replace(&slots[roll(&seed) % POOLS]);
    }
    return NULL;
}

/* ---- the report ---- */

static unsigned rows, failed;

static void row(bool good, const char *name)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++rows, name);
    failed += !good;
}

static bool all_released(void)
{
    uint64_t end = clock_now(&clock_real) + 60 * CLOCK_S;
    while (atomic_load(&released) < atomic_load(&created) && clock_now(&clock_real) < end)
        nap(CLOCK_MS);
    return atomic_load(&released) == atomic_load(&created);
}

static unsigned long long count_told(void)
{
    unsigned long long count = 0;
    for (size_t i = 0; i <= LINK_FAILED; i++)
        count += atomic_load(&told[i]);
    return count;
}

static int report(void)
{
    printf("1..9\n");
    row(all_released(), "every pool was released");
    row(count_told() == jobs && told_twice == 0, "every job was told, once");
    row(ended == jobs && untold == 0, "every job was destroyed, after it was told");
    row(no_answer == 0 && no_reason == 0, "an answer where it was well, a reason where it was not");
    row(opened == closed && opened > 0, "every link was closed");
    row(too_many == 0, "never more than max_links");
    row(disorder == 0 && ups > 0 && downs >= ups, "down and up were said in turn");
    row(told[LINK_OK] > 0 && told[LINK_DOWN] > 0 && told[LINK_FAILED] > 0, "jobs had all fates");
    row(created >= POOLS_MIN && jobs >= JOBS_MIN, "there was some load");
    printf("# %llu jobs: %llu well, %llu down, %llu wrong, %llu failed\n", atomic_load(&jobs),
           atomic_load(&told[LINK_OK]), atomic_load(&told[LINK_DOWN]),
           atomic_load(&told[LINK_WRONG]), atomic_load(&told[LINK_FAILED]));
    printf("# %llu pools, %llu links, %llu outages\n", atomic_load(&created), atomic_load(&opened),
           atomic_load(&downs));
    return failed > 0;
}

int main(void)
{
    pthread_t threads[THREADS + 2];
    uint64_t seeds[THREADS + 2];
    for (size_t i = 0; i < POOLS; i++) {
        (void)pthread_rwlock_init(&slots[i].lock, NULL);
        slots[i].pool = new_pool();
    }
    for (size_t i = 0; i < THREADS + 2; i++) {
        void *(*function)(void *) = i == 0 ? change_moods : i == 1 ? replace_pools : work;
        seeds[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        if (pthread_create(&threads[i], NULL, function, &seeds[i]) != 0)
            abort();
    }
    nap(duration);
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS + 2; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < POOLS; i++)
        linkpool_destroy(slots[i].pool);
    return report();
}
