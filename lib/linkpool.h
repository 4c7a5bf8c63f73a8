/*
 * linkpool - threads that each hold one link to a server, and what is known of the servers
 *
 * What it is for: a directory on a network is asked by jobs. A job runs in one of the pool's
 *   threads, on that thread's link to the first server of the list that is known to be up. The
 *   threads are made when they are needed, max_links at most; links are kept from job to job.
 * Breaker: a server that is refused, silent past its deadline, or cut is down from that moment: no
 *   job is run on it, and jobs that find no server up are answered at once. A down server is
 *   probed in the background, after 0.5 s, 1 s, 2 s, then every 4 s, each a little more or less,
 *   and is up again with the first probe that succeeds. Servers are probed one at a time, each by
 *   its own schedule, which goes on where it was if the server is down again without having served
 *   a job. The list is in order of preference: a server in front that is up again is used again by
 *   each thread's next job.
 * One retry: a link that turns out to be closed (LINK_STALE) is opened anew once, on the same
 *   server, for the same job, which sees nothing of it. A second time counts as LINK_DOWN.
 * Next server: LINK_DOWN and LINK_WRONG take the job to the next server that is up, but never back
 *   to one that it has given up. Where none is left it is told LINK_WRONG if all servers are down
 *   in that sense, else LINK_DOWN, with "NAME: why; NAME: why" of all.
 * Old news: what a link says that was opened before its server went down, counts for its job only;
 *   it is closed before the next one.
 *
 * Use: linkpool_create(), linkpool_submit() jobs, linkpool_destroy().
 * Memory: the pool owns the jobs that were submitted and destroys each by its ops. conf is copied;
 *   what it points at must outlive released(), which the pool calls when its last thread is done.
 * Failure: a job is told by done() exactly once, whatever happens; LINK_DOWN too where there is no
 *   thread and none can be made.
 * Threads: any. done() is called from a thread of the pool, or from submit() and destroy(). No lock
 *   is held while a function of conf or of a job works; done() may submit jobs and may destroy the
 *   pool. linkpool_destroy() waits for nobody: jobs that wait or run are told LINK_DOWN, and the
 *   threads end when the library lets them.
 * Depends on: clock, errtext, strbuf. Knows nothing of LDAP.
 */
#ifndef SENDAS_LINKPOOL_H
#define SENDAS_LINKPOOL_H

#include "attr.h"
#include "clock.h"
#include "errtext.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_status {
    LINK_OK,
    LINK_STALE,  /* the link was closed by its peer: worth one more try on a new one */
    LINK_DOWN,   /* refused, cut, or silent past the deadline: the server is down */
    LINK_WRONG,  /* the server is there, but cannot be used as configured: down in that sense */
    LINK_FAILED, /* the server and the link are well, this job has no answer: not tried elsewhere */
};

/* What a link is: made, probed and closed in one thread; every call keeps to the deadlines that it
 * was configured with. */
struct linkpool_ops {
    /* Opens a link to server number i. LINK_OK, LINK_DOWN or LINK_WRONG, the last two with why. */
    enum link_status (*open)(void *context, size_t i, void **link_out, struct errtext *why);
    void (*close)(void *context, void *link);
    /* Called once, as the last thing, by the last thread or by linkpool_destroy(). */
    void (*released)(void *context);
};

struct linkpool_conf {
    const struct linkpool_ops *ops;
    void *context;
    const char *const *servers; /* names for the log, in order of preference */
    size_t server_count;
    unsigned max_links;
    /* A server went down (up = false, why says how) or came up again (why is ""). For the log: one
     * call a change, in order for each server; none for a pool that ends. */
    void (*changed)(void *context, size_t i, bool up, const char *why);
    uint64_t probe_unit; /* ns; the first delay of the four above. 0 is 500 ms. */
};

struct linkpool_job;
struct linkpool_job_ops {
    /* Works on the job's own memory only, and may be run again. Anything but LINK_OK needs why. */
    enum link_status (*run)(struct linkpool_job *job, void *link, struct errtext *why);
    /* What came out of it: LINK_OK, or why not (LINK_DOWN, LINK_WRONG, LINK_FAILED). Where the
     * status is not LINK_OK it must not touch what run() writes: after linkpool_destroy() run() may
     * still be under way, or about to begin. why is "" for LINK_OK, and ends with the call. */
    void (*done)(struct linkpool_job *job, enum link_status status, const char *why);
    /* After done() and after run(). */
    void (*destroy)(struct linkpool_job *job);
};

/* First member of an own struct. The pool's part is private to it. */
struct linkpool_job {
    const struct linkpool_job_ops *ops;
    struct linkpool_job *next;
    unsigned holders;
    bool told;
};

struct linkpool;

struct linkpool *linkpool_create(const struct linkpool_conf *conf) MUST_USE;
void linkpool_destroy(struct linkpool *pool); /* NULL is fine */
/* Takes the job over. Never waits for a server. Once the pool ends, for done() and run() only. */
void linkpool_submit(struct linkpool *pool, struct linkpool_job *job);
/* True while the pool ends: a job or an open that takes several steps may give up early. For them:
 * after linkpool_destroy() the pool is there until they return. */
bool linkpool_ending(const struct linkpool *pool);

struct linkpool_state {
    bool up;
    char why[ERRTEXT_SIZE]; /* what was last said while it was down; "" if it never was */
    uint64_t since;         /* clock_now(&clock_real) of the last change, at first of the start */
};
void linkpool_state(struct linkpool *pool, size_t i, struct linkpool_state *out);

/* How long to wait before the next probe, after so many that failed; random is any number. */
uint64_t linkpool_delay(uint64_t unit, unsigned failed, uint64_t random);

#endif
