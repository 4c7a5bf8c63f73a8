#include "rows.h"
#include "linkpool.h"
#include "xalloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SERVERS = 3 };

/* Nothing here takes long, or depends on how long it takes. */
static const uint64_t patience = 60 * CLOCK_S;
static const uint64_t no_probes = 3600 * CLOCK_S;
static const uint64_t quick_probes = CLOCK_MS;

static void nap(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / CLOCK_S), .tv_nsec = (long)(ns % CLOCK_S)};
    (void)nanosleep(&t, NULL);
}

/* ---- threads: linked with --wrap=pthread_create ---- */

static atomic_uint made, live;
static unsigned left; /* by tests that failed */
static atomic_uint refused_threads;
static atomic_bool refuse_threads;
static atomic_uint wrong_attributes;

struct start {
    void *(*function)(void *);
    void *argument;
};

static void *counted(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    (void)start.function(start.argument);
    atomic_fetch_sub(&live, 1);
    return NULL;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *),
                          void *argument);

static void check_attributes(const pthread_attr_t *attr)
{
    int detached = 0;
    size_t stack = 0;
    if (!attr || pthread_attr_getdetachstate(attr, &detached) != 0 ||
        pthread_attr_getstacksize(attr, &stack) != 0 || detached != PTHREAD_CREATE_DETACHED ||
        stack != (size_t)512 * 1024)
        atomic_fetch_add(&wrong_attributes, 1);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *),
                          void *argument)
{
    if (atomic_load(&refuse_threads)) {
        atomic_fetch_add(&refused_threads, 1);
        return EAGAIN;
    }
    check_attributes(attr);
    struct start *start = xcalloc(1, sizeof *start);
    *start = (struct start){function, argument};
    atomic_fetch_add(&made, 1);
    atomic_fetch_add(&live, 1);
    return __real_pthread_create(thread, attr, counted, start);
}

static void until_live(unsigned count)
{
    uint64_t end = clock_now(&clock_real) + patience;
    while (atomic_load(&live) != left + count && clock_now(&clock_real) < end)
        nap(CLOCK_MS);
    assert_int_equal(atomic_load(&live), left + count);
}

/* ---- servers that do what a script says ---- */

/* A letter for each call, the last one for all that follow.
 *   opens: o opened, d refused, w wrong, h hangs until the test sets hung_open to one of these
 *   runs:  o, s stale, d cut, w wrong, f failed, h hangs until the test sets go to one of these,
 *          e hangs until the pool ends */
struct script {
    const char *opens, *runs;
};

/* All under the lock. */
struct net {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct linkpool *pool;
    struct script scripts[SERVERS];
    unsigned opens[SERVERS], closes[SERVERS], runs[SERVERS], ups[SERVERS], downs[SERVERS];
    uint64_t opened_at[SERVERS][16]; /* when an open began, and ended */
    uint64_t answered_at[SERVERS][16];
    unsigned hanging; /* calls that hang */
    char hung_open;
    char hold_changed; /* 'u' or 'd': changed() of the first hangs on going up or down meanwhile */
    unsigned released;
    char trace[4096];
    const char *bad; /* what broke the contract */
    struct said *all;
};

struct link {
    size_t server;
    pthread_t thread;
};

/* What became of a job; outlives it. */
struct said {
    struct net *net;
    struct said *next;
    const char *says; /* in place of the server's script */
    char go;
    unsigned runs, told, destroyed;
    bool running, telling;
    bool saw_ending;
    bool destroy_pool;  /* in done() */
    unsigned again;     /* jobs to submit in done() */
    struct said *child; /* the last of them */
    pthread_t teller;
    enum link_status status;
    char why[2 * ERRTEXT_SIZE];
};

struct test_job {
    struct linkpool_job job;
    struct said *said;
    char answer[8]; /* run() writes it, done() reads it after LINK_OK */
};

static void net_lock(struct net *net)
{
    (void)pthread_mutex_lock(&net->lock);
}

static void net_unlock(struct net *net)
{
    (void)pthread_cond_broadcast(&net->changed);
    (void)pthread_mutex_unlock(&net->lock);
}

static void expect(struct net *net, bool condition, const char *what)
{
    if (!condition)
        net->bad = what;
}

static void note(struct net *net, const char *what, const char *server)
{
    size_t len = strlen(net->trace);
    (void)snprintf(net->trace + len, sizeof net->trace - len, "%s%s%s", len ? " " : "", what,
                   server);
}

static const char *const names[SERVERS] = {"a", "b", "c"};

/* Hangs where a lock of the pool is held by who calls us. */
static void poke(struct net *net)
{
    struct linkpool_state state;
    linkpool_state(net->pool, 0, &state);
}

static char letter(const char *script, unsigned call)
{
    size_t len = strlen(script);
    return script[call < len ? call : len - 1];
}

static enum link_status status_of(char said, struct errtext *why)
{
    switch (said) {
    case 'o':
        errtext_set(why, "well");
        return LINK_OK;
    case 's':
        errtext_set(why, "closed");
        return LINK_STALE;
    case 'w':
        errtext_set(why, "wrong");
        return LINK_WRONG;
    case 'f':
        errtext_set(why, "no base");
        return LINK_FAILED;
    default:
        errtext_set(why, "refused");
        return LINK_DOWN;
    }
}

static void hang(struct net *net, const char *go)
{
    net->hanging++;
    (void)pthread_cond_broadcast(&net->changed);
    while (!*go)
        (void)pthread_cond_wait(&net->changed, &net->lock);
    net->hanging--;
}

static void check_signals(struct net *net)
{
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    expect(net,
           sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1 &&
               sigismember(&blocked, SIGUSR1) == 1 && sigismember(&blocked, SIGCHLD) == 1,
           "a thread takes signals");
}

static void stamp(uint64_t times[16], unsigned call)
{
    if (call < 16)
        times[call] = clock_now(&clock_real);
}

static enum link_status net_open(void *context, size_t i, void **link_out, struct errtext *why)
{
    struct net *net = context;
    poke(net);
    net_lock(net);
    unsigned call = net->opens[i]++;
    stamp(net->opened_at[i], call);
    check_signals(net);
    char said = letter(net->scripts[i].opens, call);
    if (said == 'h') {
        hang(net, &net->hung_open);
        said = net->hung_open;
    }
    note(net, said == 'o' ? "open:" : said == 'w' ? "wrong:" : "refuse:", names[i]);
    stamp(net->answered_at[i], call);
    net_unlock(net);
    enum link_status status = status_of(said, why);
    if (status != LINK_OK)
        return status;
    struct link *link = xcalloc(1, sizeof *link);
    *link = (struct link){.server = i, .thread = pthread_self()};
    *link_out = link;
    return LINK_OK;
}

static void net_close(void *context, void *closed)
{
    struct net *net = context;
    struct link *link = closed;
    poke(net);
    net_lock(net);
    expect(net, pthread_equal(link->thread, pthread_self()), "a link is closed in another thread");
    note(net, "close:", names[link->server]);
    net->closes[link->server]++;
    net_unlock(net);
    free(link);
}

static void net_released(void *context)
{
    struct net *net = context;
    net_lock(net);
    net->released++;
    net_unlock(net);
}

static void net_changed(void *context, size_t i, bool up, const char *why)
{
    struct net *net = context;
    poke(net);
    net_lock(net);
    note(net, up ? "up:" : "down:", names[i]);
    (*(up ? &net->ups[i] : &net->downs[i]))++;
    expect(net, (*why == '\0') == up, "changed() says why it is up, or does not say why not");
    expect(net, net->downs[i] == net->ups[i] + !up, "changed() calls are out of order");
    (void)pthread_cond_broadcast(&net->changed);
    while (i == 0 && net->hold_changed == (up ? 'u' : 'd'))
        (void)pthread_cond_wait(&net->changed, &net->lock);
    net_unlock(net);
}

/* ---- jobs ---- */

static void until_ending(struct said *said)
{
    net_unlock(said->net);
    while (!linkpool_ending(said->net->pool))
        nap(CLOCK_MS);
    net_lock(said->net);
    said->saw_ending = true;
}

static char hang_in_run(struct said *said, char how)
{
    if (how == 'e') {
        said->net->hanging++;
        until_ending(said);
        said->net->hanging--;
        return 'f';
    }
    if (how != 'h')
        return how;
    hang(said->net, &said->go);
    return said->go;
}

static enum link_status job_run(struct linkpool_job *job, void *used, struct errtext *why)
{
    struct test_job *j = (struct test_job *)job;
    struct said *said = j->said;
    struct net *net = said->net;
    const struct link *link = used;
    poke(net);
    net_lock(net);
    expect(net, pthread_equal(link->thread, pthread_self()), "a link is used in another thread");
    note(net, "run:", names[link->server]);
    unsigned call = net->runs[link->server]++;
    said->running = true;
    char how =
        said->says ? letter(said->says, said->runs) : letter(net->scripts[link->server].runs, call);
    said->runs++;
    how = hang_in_run(said, how);
    said->running = false;
    net_unlock(net);
    memcpy(j->answer, "answer", sizeof "answer");
    return status_of(how, why);
}

static struct said *submit(struct net *net, const char *says);

static void job_done(struct linkpool_job *job, enum link_status status, const char *why)
{
    static const char *const words[] = {"ok", "STALE", "DOWN", "WRONG", "FAILED"};
    const struct test_job *j = (const struct test_job *)job;
    struct said *said = j->said;
    struct net *net = said->net;
    poke(net);
    net_lock(net);
    note(net, words[status], "");
    expect(net, said->told++ == 0, "a job is told twice");
    expect(net, !said->destroyed, "a job is told after its end");
    expect(net, status != LINK_OK || strcmp(j->answer, "answer") == 0, "told without an answer");
    said->telling = true;
    said->status = status;
    said->teller = pthread_self();
    (void)snprintf(said->why, sizeof said->why, "%s", why);
    net_unlock(net);
    for (unsigned i = 0; i < said->again; i++)
        said->child = submit(net, NULL);
    if (said->destroy_pool)
        linkpool_destroy(net->pool);
    net_lock(net);
    said->telling = false;
    net_unlock(net);
}

static void job_destroy(struct linkpool_job *job)
{
    struct said *said = ((struct test_job *)job)->said;
    struct net *net = said->net;
    poke(net);
    net_lock(net);
    expect(net, said->told == 1, "a job ends untold");
    expect(net, !said->running && !said->telling, "a job ends while it is at work");
    expect(net, said->destroyed++ == 0, "a job ends twice");
    net_unlock(net);
    free(job);
}

static const struct linkpool_job_ops job_ops = {job_run, job_done, job_destroy};

static struct said *said_create(struct net *net, const char *says)
{
    struct said *said = xcalloc(1, sizeof *said);
    said->net = net;
    said->says = says;
    net_lock(net);
    said->next = net->all;
    net->all = said;
    net_unlock(net);
    return said;
}

static void submit_said(struct said *said)
{
    struct test_job *job = xcalloc(1, sizeof *job);
    job->job.ops = &job_ops;
    job->said = said;
    linkpool_submit(said->net->pool, &job->job);
}

static struct said *submit(struct net *net, const char *says)
{
    struct said *said = said_create(net, says);
    submit_said(said);
    return said;
}

/* ---- waiting ---- */

static bool net_wait(struct net *net, uint64_t end)
{
    struct timespec at = {.tv_sec = (time_t)(end / CLOCK_S), .tv_nsec = (long)(end % CLOCK_S)};
    return pthread_cond_timedwait(&net->changed, &net->lock, &at) != ETIMEDOUT;
}

#define UNTIL(net, condition)                                                                      \
    do {                                                                                           \
        uint64_t end_ = clock_now(&clock_real) + patience;                                         \
        net_lock(net);                                                                             \
        while (!(condition) && net_wait(net, end_))                                                \
            continue;                                                                              \
        bool met_ = (condition);                                                                   \
        net_unlock(net);                                                                           \
        if (!met_)                                                                                 \
            fail_msg("never: %s", #condition);                                                     \
    } while (0)

#define WITH(net, statement)                                                                       \
    do {                                                                                           \
        net_lock(net);                                                                             \
        statement;                                                                                 \
        net_unlock(net);                                                                           \
    } while (0)

static struct net *net_create(const struct script *scripts, size_t count, unsigned max_links,
                              uint64_t probe_unit)
{
    static const struct linkpool_ops ops = {net_open, net_close, net_released};
    struct net *net = xcalloc(1, sizeof *net);
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&net->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&net->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    memcpy(net->scripts, scripts, count * sizeof *scripts);
    atomic_store(&made, 0);
    atomic_store(&refuse_threads, false);
    left = atomic_load(&live);
    net->pool = linkpool_create(&(struct linkpool_conf){.ops = &ops,
                                                        .context = net,
                                                        .servers = names,
                                                        .server_count = count,
                                                        .max_links = max_links,
                                                        .changed = net_changed,
                                                        .probe_unit = probe_unit});
    return net;
}

static struct net *net_of(const char *opens, const char *runs, unsigned max_links, uint64_t unit)
{
    return net_create(&(struct script){opens, runs}, 1, max_links, unit);
}

static void check_said(struct net *net)
{
    struct said *next, *said = net->all;
    for (; said; said = next) {
        next = said->next;
        assert_int_equal(said->told, 1);
        assert_int_equal(said->destroyed, 1);
        free(said);
    }
}

static unsigned opened(const struct net *net)
{
    unsigned count = 0;
    for (const char *at = net->trace; (at = strstr(at, "open:")); at++)
        count++;
    return count;
}

/* After linkpool_destroy(), and when nothing hangs any more. */
static void net_gone(struct net *net)
{
    UNTIL(net, net->released > 0);
    until_live(0);
    assert_int_equal(net->released, 1);
    if (net->bad)
        fail_msg("%s", net->bad);
    assert_int_equal(atomic_load(&wrong_attributes), 0);
    assert_int_equal(opened(net), net->closes[0] + net->closes[1] + net->closes[2]);
    check_said(net);
    (void)pthread_cond_destroy(&net->changed);
    (void)pthread_mutex_destroy(&net->lock);
    free(net);
}

static void net_end(struct net *net)
{
    linkpool_destroy(net->pool);
    net_gone(net);
}

static void assert_told(struct said *said, enum link_status status, const char *why)
{
    UNTIL(said->net, said->told > 0);
    assert_int_equal(said->status, status);
    assert_string_equal(said->why, why);
}

/* To the end of its job, when its thread is idle again. */
static struct said *ask(struct net *net)
{
    struct said *said = submit(net, NULL);
    UNTIL(net, said->destroyed > 0);
    return said;
}

/* ---- one link, one job after the other, and nothing is probed ---- */

struct trace_row {
    const char *name;
    struct script servers[SERVERS];
    unsigned jobs; /* 0 for one */
    const char *want;
    enum link_status status; /* of the last */
    const char *why;
};

static const struct trace_row trace_rows[] = {
    {"a job runs on a link", {{"o", "o"}}, .want = "open:a run:a ok"},
    {"the link is kept", {{"o", "o"}}, 3, .want = "open:a run:a ok run:a ok run:a ok"},
    {"the first server is preferred",
     {{"o", "o"}, {"o", "o"}},
     2,
     .want = "open:a run:a ok run:a ok"},
    /* down */
    {"refused",
     {{"d", "o"}},
     1,
     .want = "refuse:a down:a DOWN",
     .status = LINK_DOWN,
     .why = "a: refused"},
    {"refused: the next one",
     {{"d", "o"}, {"o", "o"}},
     2,
     .want = "refuse:a down:a open:b run:b ok run:b ok"},
    {"wrong at open: the next one",
     {{"w", "o"}, {"o", "o"}},
     1,
     .want = "wrong:a down:a open:b run:b ok"},
    {"cut: the next one",
     {{"o", "d"}, {"o", "o"}},
     1,
     .want = "open:a run:a down:a close:a open:b run:b ok"},
    {"wrong in run: the next one",
     {{"o", "w"}, {"o", "o"}},
     1,
     .want = "open:a run:a down:a close:a open:b run:b ok"},
    {"cut in the second job",
     {{"o", "od"}, {"o", "o"}},
     2,
     .want = "open:a run:a ok run:a down:a close:a open:b run:b ok"},
    {"two refuse, the third serves",
     {{"d", "o"}, {"d", "o"}, {"o", "o"}},
     1,
     .want = "refuse:a down:a refuse:b down:b open:c run:c ok"},
    {"the second goes down later: the third",
     {{"d", "o"}, {"o", "od"}, {"o", "o"}},
     2,
     .want = "refuse:a down:a open:b run:b ok run:b down:b close:b open:c run:c ok"},
    {"a down server is not asked again",
     {{"do", "o"}},
     3,
     .want = "refuse:a down:a DOWN DOWN DOWN",
     .status = LINK_DOWN,
     .why = "a: refused"},
    /* all down */
    {"all down",
     {{"d", "o"}, {"o", "d"}},
     1,
     .want = "refuse:a down:a open:b run:b down:b close:b DOWN",
     .status = LINK_DOWN,
     .why = "a: refused; b: refused"},
    {"all wrong",
     {{"w", "o"}, {"o", "w"}},
     1,
     .want = "wrong:a down:a open:b run:b down:b close:b WRONG",
     .status = LINK_WRONG,
     .why = "a: wrong; b: wrong"},
    {"all wrong: the next job is told so too",
     {{"w", "o"}},
     2,
     .want = "wrong:a down:a WRONG WRONG",
     .status = LINK_WRONG,
     .why = "a: wrong"},
    {"wrong and down",
     {{"w", "o"}, {"d", "o"}},
     2,
     .want = "wrong:a down:a refuse:b down:b DOWN DOWN",
     .status = LINK_DOWN,
     .why = "a: wrong; b: refused"},
    {"down and wrong",
     {{"d", "o"}, {"w", "o"}},
     2,
     .want = "refuse:a down:a wrong:b down:b DOWN DOWN",
     .status = LINK_DOWN,
     .why = "a: refused; b: wrong"},
    /* stale */
    {"stale: once more on a new link",
     {{"o", "so"}, {"o", "o"}},
     1,
     .want = "open:a run:a close:a open:a run:a ok"},
    {"stale later", {{"o", "oso"}}, 2, .want = "open:a run:a ok run:a close:a open:a run:a ok"},
    {"each job has its retry",
     {{"o", "soso"}},
     2,
     .want = "open:a run:a close:a open:a run:a ok run:a close:a open:a run:a ok"},
    {"stale twice is down",
     {{"o", "s"}},
     1,
     .want = "open:a run:a close:a open:a run:a down:a close:a DOWN",
     .status = LINK_DOWN,
     .why = "a: closed"},
    {"stale twice: the next one, which has a retry too",
     {{"o", "s"}, {"o", "so"}},
     1,
     .want =
         "open:a run:a close:a open:a run:a down:a close:a open:b run:b close:b open:b run:b ok"},
    {"stale, then refused",
     {{"od", "s"}, {"o", "o"}},
     1,
     .want = "open:a run:a close:a refuse:a down:a open:b run:b ok"},
    {"stale, then wrong",
     {{"o", "sw"}},
     1,
     .want = "open:a run:a close:a open:a run:a down:a close:a WRONG",
     .status = LINK_WRONG,
     .why = "a: wrong"},
    {"stale, then failed",
     {{"o", "sf"}},
     1,
     .want = "open:a run:a close:a open:a run:a FAILED",
     .status = LINK_FAILED,
     .why = "no base"},
    /* failed */
    {"failed: not tried elsewhere",
     {{"o", "f"}, {"o", "o"}},
     1,
     .want = "open:a run:a FAILED",
     .status = LINK_FAILED,
     .why = "no base"},
    {"failed: server and link stay in use",
     {{"o", "fo"}, {"o", "o"}},
     2,
     .want = "open:a run:a FAILED run:a ok"},
};

static size_t count_servers(const struct script scripts[SERVERS])
{
    size_t count = 0;
    while (count < SERVERS && scripts[count].opens)
        count++;
    return count;
}

static void run_trace(void **state)
{
    const struct trace_row *row = *state;
    struct net *net = net_create(row->servers, count_servers(row->servers), 1, no_probes);
    struct said *said = ask(net);
    for (unsigned i = 1; i < row->jobs; i++)
        said = ask(net);
    assert_string_equal(net->trace, row->want);
    assert_told(said, row->status, row->why ? row->why : "");
    net_end(net);
}

/* ---- delays ---- */

struct delay_row {
    const char *name;
    unsigned failed;
    uint64_t random, want;
};

/* The unit is 500; spread is the distance from the least to the most. */
static const struct delay_row delay_rows[] = {
    {"delay: at first", 0, 100, 500},           {"delay: at first, least", 0, 0, 400},
    {"delay: at first, most", 0, 200, 600},     {"delay: at first, any random number", 0, 201, 400},
    {"delay: after one", 1, 200, 1000},         {"delay: after two", 2, 400, 2000},
    {"delay: after two, least", 2, 0, 1600},    {"delay: after two, most", 2, 800, 2400},
    {"delay: after three", 3, 800, 4000},       {"delay: after four", 4, 800, 4000},
    {"delay: after four, most", 4, 1600, 4800}, {"delay: after very many", 4000000000, 0, 3200},
};

static void run_delay(void **state)
{
    const struct delay_row *row = *state;
    assert_int_equal(linkpool_delay(500, row->failed, row->random), row->want);
}

/* ---- threads ---- */

static void no_thread_without_a_job(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 4, 0);
    linkpool_destroy(net->pool);
    assert_int_equal(net->released, 1);
    assert_int_equal(made, 0);
    net_gone(net);
    linkpool_destroy(NULL);
}

static void one_thread_for_one_job(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 4, 0);
    assert_told(ask(net), LINK_OK, "");
    assert_int_equal(made, 1);
    net_end(net);
}

static void idle_threads_are_used(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 1000, 0);
    for (unsigned i = 0; i < 50; i++) {
        ask(net);
        nap(CLOCK_MS);
    }
    assert_in_range(made, 1, 10);
    net_end(net);
}

static void a_thread_for_each_that_waits(void **state)
{
    (void)state;
    struct net *net = net_of("o", "h", 8, 0);
    struct said *said[8];
    for (unsigned i = 0; i < 8; i++)
        said[i] = submit(net, NULL);
    UNTIL(net, net->hanging == 8);
    for (unsigned i = 0; i < 8; i++)
        WITH(net, said[i]->go = 'o');
    for (unsigned i = 0; i < 8; i++)
        assert_told(said[i], LINK_OK, "");
    net_end(net);
}

static void max_links_is_kept(void **state)
{
    (void)state;
    enum { JOBS = 10, LINKS = 3 };
    struct net *net = net_of("o", "h", LINKS, 0);
    struct said *said[JOBS];
    for (unsigned i = 0; i < JOBS; i++)
        said[i] = submit(net, NULL);
    UNTIL(net, net->hanging == LINKS);
    nap(20 * CLOCK_MS);
    assert_int_equal(net->hanging, LINKS);
    assert_int_equal(made, LINKS);
    for (unsigned i = 0; i < JOBS; i++)
        WITH(net, said[i]->go = 'o');
    for (unsigned i = 0; i < JOBS; i++)
        assert_told(said[i], LINK_OK, "");
    assert_int_equal(net->opens[0], LINKS);
    net_end(net);
}

static void jobs_are_taken_in_order(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 1, 0);
    struct said *first = submit(net, "h");
    UNTIL(net, net->hanging == 1);
    struct said *second = submit(net, "o"), *third = submit(net, "f"), *fourth = submit(net, "f");
    WITH(net, first->go = 'o');
    UNTIL(net, fourth->told);
    assert_string_equal(net->trace, "open:a run:a ok run:a ok run:a FAILED run:a FAILED");
    assert_int_equal(second->told + third->told, 2);
    net_end(net);
}

static void no_thread_can_be_made(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, 0);
    atomic_store(&refuse_threads, true);
    struct said *said = submit(net, NULL);
    assert_int_equal(said->destroyed, 1);
    assert_told(said, LINK_DOWN, "no thread can be made");
    assert_true(pthread_equal(said->teller, pthread_self()));
    atomic_store(&refuse_threads, false);
    assert_told(ask(net), LINK_OK, "");
    net_end(net);
}

static void no_second_thread_can_be_made(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, 0);
    struct said *first = submit(net, "h");
    UNTIL(net, net->hanging == 1);
    atomic_store(&refuse_threads, true);
    struct said *second = submit(net, NULL);
    atomic_store(&refuse_threads, false);
    assert_int_equal(second->told, 0);
    WITH(net, first->go = 'o');
    assert_told(second, LINK_OK, "");
    assert_int_equal(made, 1);
    net_end(net);
}

static void callers_keep_their_signals(void **state)
{
    (void)state;
    sigset_t mask;
    struct net *net = net_of("o", "o", 2, 0);
    ask(net);
    (void)sigemptyset(&mask);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    net_end(net);
}

/* ---- breaker ---- */

static void answers_while_another_hangs(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, no_probes);
    struct said *hung = submit(net, "h");
    UNTIL(net, net->hanging == 1);
    assert_told(submit(net, "d"), LINK_DOWN, "a: refused");
    struct said *next = submit(net, NULL);
    assert_int_equal(next->destroyed, 1);
    assert_told(next, LINK_DOWN, "a: refused");
    assert_true(pthread_equal(next->teller, pthread_self()));
    assert_int_equal(hung->told, 0);
    WITH(net, hung->go = 'o');
    assert_told(hung, LINK_OK, "");
    net_end(net);
}

static void answers_those_that_wait(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, no_probes);
    struct said *hung = submit(net, "h"), *cut = submit(net, "h");
    UNTIL(net, net->hanging == 2);
    struct said *one = submit(net, NULL), *two = submit(net, NULL);
    WITH(net, cut->go = 'd');
    assert_told(one, LINK_DOWN, "a: refused");
    assert_told(two, LINK_DOWN, "a: refused");
    assert_int_equal(one->runs + two->runs + hung->told, 0);
    WITH(net, hung->go = 'd');
    assert_told(hung, LINK_DOWN, "a: refused");
    net_end(net);
}

static void one_change_for_many_that_fail(void **state)
{
    (void)state;
    struct net *net = net_of("o", "h", 3, no_probes);
    struct said *said[3];
    for (unsigned i = 0; i < 3; i++)
        said[i] = submit(net, NULL);
    UNTIL(net, net->hanging == 3);
    for (unsigned i = 0; i < 3; i++)
        WITH(net, said[i]->go = 'd');
    for (unsigned i = 0; i < 3; i++)
        assert_told(said[i], LINK_DOWN, "a: refused");
    assert_int_equal(net->downs[0], 1);
    net_end(net);
}

/* ---- probes ---- */

static void up_again_by_a_probe(void **state)
{
    (void)state;
    struct net *net = net_of("ddddo", "o", 2, quick_probes);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_OK, "");
    assert_string_equal(net->trace,
                        "refuse:a down:a DOWN refuse:a refuse:a refuse:a open:a close:a "
                        "up:a open:a run:a ok");
    net_end(net);
}

static void a_keeper_for_each_outage(void **state)
{
    (void)state;
    struct net *net = net_of("dodo", "o", 1, quick_probes);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    UNTIL(net, net->ups[0] == 1);
    until_live(1);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    UNTIL(net, net->ups[0] == 2);
    until_live(1);
    assert_int_equal(made, 3);
    net_end(net);
}

static void what_a_probe_says_counts(void **state)
{
    (void)state;
    struct net *net = net_of("dwh", "o", 1, quick_probes);
    struct linkpool_state now;
    ask(net);
    UNTIL(net, net->hanging == 1);
    assert_told(ask(net), LINK_WRONG, "a: wrong");
    linkpool_state(net->pool, 0, &now);
    assert_string_equal(now.why, "wrong");
    assert_int_equal(net->downs[0], 1);
    WITH(net, net->hung_open = 'o');
    net_end(net);
}

/* Never earlier than the schedule says, whatever the machine does. */
static void probes_keep_their_schedule(void **state)
{
    (void)state;
    static const uint64_t units[] = {1, 2, 4, 8, 8, 8};
    struct net *net =
        net_create((struct script[]){{"d", "o"}, {"ddddddo", "o"}}, 2, 1, 20 * CLOCK_MS);
    ask(net);
    UNTIL(net, net->ups[1] == 1);
    UNTIL(net, net->opens[0] >= 8);
    for (size_t server = 0; server < 2; server++)
        for (unsigned i = 0; i < (server ? 6 : 4); i++)
            assert_true(net->opened_at[server][i + 1] - net->answered_at[server][i] >=
                        units[i] * 16 * CLOCK_MS);
    assert_int_equal(net->ups[0], 0);
    net_end(net);
}

/* The least of three: one that is late by six delays is the machine's, three are ours. */
static void the_next_outage_starts_anew(void **state)
{
    (void)state;
    enum { UNIT = 50, OUTAGES = 3 };
    uint64_t least = UINT64_MAX;
    struct net *net = net_of("ddddo", "o", 1, UNIT * CLOCK_MS);
    ask(net);
    for (unsigned i = 1; i <= OUTAGES; i++) {
        UNTIL(net, net->ups[0] == i);
        assert_told(ask(net), LINK_OK, "");
        uint64_t began = clock_now(&clock_real);
        assert_told(submit(net, "d"), LINK_DOWN, "a: refused");
        UNTIL(net, net->ups[0] == i + 1);
        uint64_t took = clock_now(&clock_real) - began;
        least = took < least ? took : least;
    }
    assert_in_range(least, UNIT * CLOCK_MS * 4 / 5, UNIT * CLOCK_MS * 6);
    net_end(net);
}

static void the_usual_unit_is_half_a_second(void **state)
{
    (void)state;
    struct net *net = net_of("do", "o", 1, 0);
    ask(net);
    UNTIL(net, net->ups[0] == 1);
    assert_true(net->opened_at[0][1] - net->answered_at[0][0] >= 400 * CLOCK_MS);
    net_end(net);
}

/* A job that was well on a link of before the outages does not count as served. */
static void a_schedule_goes_on_after_old_news(void **state)
{
    (void)state;
    enum { UNIT = 20 };
    struct net *net = net_of("o", "d", 2, UNIT * CLOCK_MS);
    struct said *old = submit(net, "h");
    UNTIL(net, net->hanging == 1);
    for (unsigned i = 1; i <= 2; i++) {
        assert_told(ask(net), LINK_DOWN, "a: refused");
        UNTIL(net, net->ups[0] == i);
    }
    WITH(net, old->go = 'o');
    assert_told(old, LINK_OK, "");
    uint64_t began = clock_now(&clock_real);
    ask(net);
    UNTIL(net, net->ups[0] == 3);
    assert_true(clock_now(&clock_real) - began >= UINT64_C(16) * 4 * CLOCK_MS);
    net_end(net);
}

static void a_schedule_goes_on_if_nothing_was_served(void **state)
{
    (void)state;
    struct net *net = net_of("o", "d", 1, 5 * CLOCK_MS);
    for (unsigned i = 0; i < 4; i++) {
        assert_told(ask(net), LINK_DOWN, "a: refused");
        UNTIL(net, net->ups[0] == i + 1);
    }
    /* opens 0, 2, 4, 6 are for jobs, 1, 3, 5, 7 are probes */
    for (size_t i = 0; i < 4; i++)
        assert_true(net->opened_at[0][2 * i + 1] - net->answered_at[0][2 * i] >= 4 * CLOCK_MS << i);
    net_end(net);
}

static void waiting_costs_nothing(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"d", "o"}, {"o", "o"}}, 2, 1, no_probes);
    ask(net);
    clock_t before = clock();
    nap(300 * CLOCK_MS);
    assert_true(clock() - before < CLOCKS_PER_SEC / 10);
    assert_int_equal(net->opens[0], 1);
    net_end(net);
}

static void a_hung_probe_stops_no_job(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"dh", "o"}, {"o", "o"}}, 2, 1, quick_probes);
    assert_told(ask(net), LINK_OK, "");
    UNTIL(net, net->hanging == 1);
    assert_told(ask(net), LINK_OK, "");
    assert_int_equal(net->runs[1], 2);
    WITH(net, net->hung_open = 'o');
    UNTIL(net, net->ups[0] == 1);
    net_end(net);
}

static void the_preferred_one_again(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"dho", "o"}, {"o", "o"}}, 2, 1, quick_probes);
    assert_told(ask(net), LINK_OK, "");
    UNTIL(net, net->hanging == 1);
    WITH(net, net->hung_open = 'o');
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_OK, "");
    assert_string_equal(net->trace, "refuse:a down:a open:b run:b ok open:a close:a up:a close:b "
                                    "open:a run:a ok");
    net_end(net);
}

/* Both have been down once, so that only their numbers tell their links apart. */
static void the_preferred_one_after_both_were_down(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"d", "o"}, {"do", "o"}}, 2, 1, quick_probes);
    assert_told(ask(net), LINK_DOWN, "a: refused; b: refused");
    UNTIL(net, net->ups[1] == 1);
    assert_told(ask(net), LINK_OK, "");
    assert_int_equal(net->runs[1], 1);
    WITH(net, net->scripts[0].opens = "o");
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_OK, "");
    assert_int_equal(net->runs[0], 1);
    assert_int_equal(net->closes[1], 2);
    net_end(net);
}

static void one_not_announced_yet_stops_no_probe(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"d", "o"}, {"do", "o"}}, 2, 2, quick_probes);
    WITH(net, net->hold_changed = 'd');
    submit(net, NULL);
    UNTIL(net, net->downs[0] == 1);
    assert_told(submit(net, NULL), LINK_DOWN, "a: refused; b: refused");
    UNTIL(net, net->ups[1] == 1);
    WITH(net, net->hold_changed = 0);
    net_end(net);
}

static void no_keeper_can_be_made(void **state)
{
    (void)state;
    struct net *net = net_of("do", "o", 2, quick_probes);
    WITH(net, net->hold_changed = 'd');
    struct said *said = submit(net, NULL);
    UNTIL(net, net->downs[0] == 1);
    unsigned before = atomic_load(&refused_threads);
    atomic_store(&refuse_threads, true);
    WITH(net, net->hold_changed = 0);
    UNTIL(net, said->destroyed);
    assert_int_equal(refused_threads, before + 1);
    atomic_store(&refuse_threads, false);
    assert_told(submit(net, NULL), LINK_DOWN, "a: refused");
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_OK, "");
    net_end(net);
}

static void not_back_to_one_given_up(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"do", "o"}, {"h", "o"}}, 2, 1, quick_probes);
    struct said *said = submit(net, NULL);
    UNTIL(net, net->hanging == 1 && net->ups[0] == 1);
    WITH(net, net->hung_open = 'd');
    assert_told(said, LINK_DOWN, "a: refused; b: refused");
    assert_int_equal(said->runs, 0);
    assert_told(ask(net), LINK_OK, "");
    net_end(net);
}

/* ---- old links ---- */

static void old_links_are_dropped(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, quick_probes);
    struct said *cut = submit(net, "h"), *well = submit(net, "h");
    UNTIL(net, net->hanging == 2);
    WITH(net, cut->go = 'd');
    UNTIL(net, net->ups[0] == 1);
    WITH(net, well->go = 'o');
    assert_told(well, LINK_OK, "");
    assert_int_equal(net->opens[0], 3);
    struct said *one = submit(net, "h"), *two = submit(net, "h");
    UNTIL(net, net->hanging == 2);
    assert_int_equal(net->opens[0], 5);
    assert_int_equal(net->closes[0], 3);
    WITH(net, one->go = two->go = 'o');
    assert_told(one, LINK_OK, "");
    assert_told(two, LINK_OK, "");
    net_end(net);
}

static void old_news_is_no_news(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, quick_probes);
    struct linkpool_state now;
    struct said *cut = submit(net, "h"), *late = submit(net, "h");
    UNTIL(net, net->hanging == 2);
    WITH(net, cut->go = 'd');
    UNTIL(net, net->ups[0] == 1);
    WITH(net, late->go = 'w');
    assert_told(late, LINK_DOWN, "a: refused");
    linkpool_state(net->pool, 0, &now);
    assert_true(now.up);
    assert_int_equal(net->downs[0], 1);
    net_end(net);
}

static void stale_after_it_went_down(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"o", "o"}, {"o", "o"}}, 2, 2, no_probes);
    struct said *cut = submit(net, "ho"), *late = submit(net, "ho");
    UNTIL(net, net->hanging == 2);
    WITH(net, cut->go = 'd');
    assert_told(cut, LINK_OK, "");
    WITH(net, late->go = 's');
    assert_told(late, LINK_OK, "");
    assert_int_equal(net->opens[0], 2);
    assert_int_equal(net->runs[1], 2);
    net_end(net);
}

/* ---- what is known of the servers ---- */

static void state_of_a_server(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"dh", "o"}, {"o", "o"}}, 2, 1, quick_probes);
    struct linkpool_state first, down, up;
    linkpool_state(net->pool, 0, &first);
    assert_true(first.up);
    assert_string_equal(first.why, "");
    assert_in_range(first.since, 1, clock_now(&clock_real));
    nap(CLOCK_MS);
    ask(net);
    UNTIL(net, net->hanging == 1);
    linkpool_state(net->pool, 0, &down);
    assert_false(down.up);
    assert_string_equal(down.why, "refused");
    assert_true(down.since > first.since);
    nap(CLOCK_MS);
    WITH(net, net->hung_open = 'o');
    UNTIL(net, net->ups[0] == 1);
    linkpool_state(net->pool, 0, &up);
    assert_true(up.up);
    assert_string_equal(up.why, "refused");
    assert_true(up.since > down.since);
    linkpool_state(net->pool, 1, &up);
    assert_true(up.up);
    assert_string_equal(up.why, "");
    net_end(net);
}

static void down_is_said_before_it_is_probed(void **state)
{
    (void)state;
    struct net *net = net_of("do", "o", 1, quick_probes);
    WITH(net, net->hold_changed = 'd');
    submit(net, NULL);
    UNTIL(net, net->downs[0] == 1);
    assert_told(submit(net, NULL), LINK_DOWN, "a: refused");
    nap(50 * CLOCK_MS);
    assert_int_equal(net->opens[0], 1);
    WITH(net, net->hold_changed = 0);
    UNTIL(net, net->ups[0] == 1);
    net_end(net);
}

static void up_is_said_before_the_next_down(void **state)
{
    (void)state;
    struct net *net = net_of("doo", "d", 1, quick_probes);
    WITH(net, net->hold_changed = 'u');
    ask(net);
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    assert_int_equal(net->downs[0], 1);
    WITH(net, net->hold_changed = 0);
    UNTIL(net, net->downs[0] == 2);
    UNTIL(net, net->ups[0] == 2);
    net_end(net);
}

/* ---- done() may do much ---- */

static void jobs_from_inside_done(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 2, 0);
    struct said *said = said_create(net, NULL);
    said->again = 3;
    submit_said(said);
    UNTIL(net, said->destroyed);
    assert_told(said->child, LINK_OK, "");
    UNTIL(net, net->runs[0] == 4);
    net_end(net);
}

static void jobs_from_inside_done_of_a_refused_one(void **state)
{
    (void)state;
    struct net *net = net_of("d", "o", 2, no_probes);
    ask(net);
    struct said *said = said_create(net, NULL);
    said->again = 1;
    submit_said(said);
    assert_told(said->child, LINK_DOWN, "a: refused");
    net_end(net);
}

static void jobs_from_inside_done_while_the_pool_ends(void **state)
{
    (void)state;
    struct net *net = net_of("o", "h", 1, 0);
    struct said *said = said_create(net, NULL);
    said->again = 2;
    submit_said(said);
    UNTIL(net, net->hanging == 1);
    linkpool_destroy(net->pool);
    assert_told(said->child, LINK_DOWN, "the directory is being closed");
    WITH(net, said->go = 'o');
    net_gone(net);
}

static void ended_from_inside_done(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 1, 0);
    struct said *said = said_create(net, "h");
    said->destroy_pool = true;
    submit_said(said);
    UNTIL(net, net->hanging == 1);
    struct said *waits = submit(net, NULL);
    WITH(net, said->go = 'o');
    assert_told(said, LINK_OK, "");
    assert_told(waits, LINK_DOWN, "the directory is being closed");
    net_gone(net);
}

/* ---- the end ---- */

static const char closing[] = "the directory is being closed";

static void ends_while_jobs_hang(void **state)
{
    (void)state;
    struct net *net = net_of("o", "h", 2, 0);
    struct said *one = submit(net, NULL), *two = submit(net, NULL);
    UNTIL(net, net->hanging == 2);
    struct said *waits = submit(net, NULL);
    linkpool_destroy(net->pool);
    assert_told(one, LINK_DOWN, closing);
    assert_told(two, LINK_DOWN, closing);
    assert_told(waits, LINK_DOWN, closing);
    assert_true(pthread_equal(one->teller, pthread_self()));
    assert_int_equal(net->hanging, 2);
    assert_int_equal(net->released, 0);
    assert_int_equal(waits->destroyed, 1);
    assert_int_equal(one->destroyed, 0);
    WITH(net, one->go = 'o');
    UNTIL(net, one->destroyed);
    assert_int_equal(net->released, 0);
    WITH(net, two->go = 'd');
    net_gone(net);
}

static void ends_while_open_hangs(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"h", "o"}, {"o", "o"}}, 2, 1, 0);
    struct said *said = submit(net, NULL), *waits = submit(net, NULL);
    UNTIL(net, net->hanging == 1);
    linkpool_destroy(net->pool);
    assert_told(said, LINK_DOWN, closing);
    assert_told(waits, LINK_DOWN, closing);
    assert_int_equal(net->released, 0);
    WITH(net, net->hung_open = 'o');
    UNTIL(net, net->released);
    assert_string_equal(net->trace, "DOWN DOWN open:a close:a");
    net_gone(net);
}

static void ends_while_open_hangs_and_fails(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"h", "o"}, {"o", "o"}}, 2, 1, 0);
    struct said *said = submit(net, NULL);
    UNTIL(net, net->hanging == 1);
    linkpool_destroy(net->pool);
    assert_told(said, LINK_DOWN, closing);
    WITH(net, net->hung_open = 'd');
    UNTIL(net, net->released);
    assert_string_equal(net->trace, "DOWN refuse:a");
    net_gone(net);
}

static void ends_while_a_probe_hangs(void **state)
{
    (void)state;
    struct net *net = net_of("dh", "o", 1, quick_probes);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    UNTIL(net, net->hanging == 1);
    linkpool_destroy(net->pool);
    until_live(1);
    assert_int_equal(net->released, 0);
    WITH(net, net->hung_open = 'o');
    UNTIL(net, net->released);
    assert_string_equal(net->trace, "refuse:a down:a DOWN open:a close:a");
    net_gone(net);
}

static void ends_while_a_probe_waits(void **state)
{
    (void)state;
    struct net *net = net_of("d", "o", 1, no_probes);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    net_end(net);
}

static void ends_while_changed_hangs(void **state)
{
    (void)state;
    struct net *net = net_create((struct script[]){{"d", "o"}, {"o", "o"}}, 2, 1, quick_probes);
    WITH(net, net->hold_changed = 'd');
    struct said *said = submit(net, NULL);
    UNTIL(net, net->downs[0] == 1);
    linkpool_destroy(net->pool);
    assert_told(said, LINK_DOWN, closing);
    WITH(net, net->hold_changed = 0);
    UNTIL(net, net->released);
    assert_string_equal(net->trace, "refuse:a down:a DOWN");
    assert_int_equal(made, 1);
    net_gone(net);
}

static void ends_while_up_is_said(void **state)
{
    (void)state;
    struct net *net = net_of("doo", "d", 1, quick_probes);
    WITH(net, net->hold_changed = 'u');
    ask(net);
    UNTIL(net, net->ups[0] == 1);
    assert_told(ask(net), LINK_DOWN, "a: refused");
    linkpool_destroy(net->pool);
    WITH(net, net->hold_changed = 0);
    UNTIL(net, net->released);
    assert_int_equal(net->downs[0], 1);
    net_gone(net);
}

static void ends_while_threads_are_idle(void **state)
{
    (void)state;
    struct net *net = net_of("o", "o", 1, 0);
    assert_told(ask(net), LINK_OK, "");
    linkpool_destroy(net->pool);
    UNTIL(net, net->released);
    assert_string_equal(net->trace, "open:a run:a ok close:a");
    net_gone(net);
}

static void a_job_can_see_the_end(void **state)
{
    (void)state;
    struct net *net = net_of("o", "e", 1, 0);
    struct said *said = submit(net, NULL);
    UNTIL(net, net->hanging == 1);
    assert_false(linkpool_ending(net->pool));
    assert_false(said->saw_ending);
    linkpool_destroy(net->pool);
    UNTIL(net, said->saw_ending);
    net_gone(net);
}

int main(void)
{
    ROWS_ADD(trace_rows, run_trace);
    ROWS_ADD(delay_rows, run_delay);
    ROWS_ADD_TEST("no thread is made without a job", no_thread_without_a_job);
    ROWS_ADD_TEST("one thread for one job", one_thread_for_one_job);
    ROWS_ADD_TEST("idle threads are used again", idle_threads_are_used);
    ROWS_ADD_TEST("jobs do not wait for one another", a_thread_for_each_that_waits);
    ROWS_ADD_TEST("at most max_links threads and links", max_links_is_kept);
    ROWS_ADD_TEST("jobs are taken in their order", jobs_are_taken_in_order);
    ROWS_ADD_TEST("no thread can be made", no_thread_can_be_made);
    ROWS_ADD_TEST("no second thread can be made", no_second_thread_can_be_made);
    ROWS_ADD_TEST("who submits keeps its signals", callers_keep_their_signals);
    ROWS_ADD_TEST("breaker: at once, while another job hangs", answers_while_another_hangs);
    ROWS_ADD_TEST("breaker: jobs that wait, while another hangs", answers_those_that_wait);
    ROWS_ADD_TEST("one change for many jobs that fail", one_change_for_many_that_fail);
    ROWS_ADD_TEST("probes bring a server up", up_again_by_a_probe);
    ROWS_ADD_TEST("the prober ends, and is made anew", a_keeper_for_each_outage);
    ROWS_ADD_TEST("what a probe says counts", what_a_probe_says_counts);
    ROWS_ADD_TEST("probes keep their schedules", probes_keep_their_schedule);
    ROWS_ADD_TEST("the first probe after half a second", the_usual_unit_is_half_a_second);
    ROWS_ADD_TEST("a schedule goes on after old news", a_schedule_goes_on_after_old_news);
    ROWS_ADD_TEST("a schedule starts anew", the_next_outage_starts_anew);
    ROWS_ADD_TEST("a schedule goes on if nothing was served",
                  a_schedule_goes_on_if_nothing_was_served);
    ROWS_ADD_TEST("waiting for a probe costs nothing", waiting_costs_nothing);
    ROWS_ADD_TEST("a hung probe stops no job", a_hung_probe_stops_no_job);
    ROWS_ADD_TEST("the preferred server is used again", the_preferred_one_again);
    ROWS_ADD_TEST("the preferred server after both were down",
                  the_preferred_one_after_both_were_down);
    ROWS_ADD_TEST("probes go on while a change is told", one_not_announced_yet_stops_no_probe);
    ROWS_ADD_TEST("no prober can be made: tried again", no_keeper_can_be_made);
    ROWS_ADD_TEST("a job never goes back", not_back_to_one_given_up);
    ROWS_ADD_TEST("links of before an outage are dropped", old_links_are_dropped);
    ROWS_ADD_TEST("what an old link says is no news", old_news_is_no_news);
    ROWS_ADD_TEST("stale after its server went down", stale_after_it_went_down);
    ROWS_ADD_TEST("state of a server", state_of_a_server);
    ROWS_ADD_TEST("down is said before a probe", down_is_said_before_it_is_probed);
    ROWS_ADD_TEST("up is said before the next down", up_is_said_before_the_next_down);
    ROWS_ADD_TEST("done() submits jobs", jobs_from_inside_done);
    ROWS_ADD_TEST("done() submits a job while all is down", jobs_from_inside_done_of_a_refused_one);
    ROWS_ADD_TEST("done() submits jobs while the pool ends",
                  jobs_from_inside_done_while_the_pool_ends);
    ROWS_ADD_TEST("done() ends the pool", ended_from_inside_done);
    ROWS_ADD_TEST("ends while jobs hang", ends_while_jobs_hang);
    ROWS_ADD_TEST("ends while open hangs", ends_while_open_hangs);
    ROWS_ADD_TEST("ends while open hangs, and fails", ends_while_open_hangs_and_fails);
    ROWS_ADD_TEST("ends while a probe hangs", ends_while_a_probe_hangs);
    ROWS_ADD_TEST("ends while a probe waits", ends_while_a_probe_waits);
    ROWS_ADD_TEST("ends while changed() works", ends_while_changed_hangs);
    ROWS_ADD_TEST("ends while changed() says up", ends_while_up_is_said);
    ROWS_ADD_TEST("ends while threads are idle", ends_while_threads_are_idle);
    ROWS_ADD_TEST("a job can see the end", a_job_can_see_the_end);
    return rows_main();
}
