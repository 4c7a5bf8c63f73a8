#include "ldapguard.h"
#include "clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ldapguard *first;
    bool watched; /* the thread is there */
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void close_socket(struct ldapguard *g)
{
    if (g->fd >= 0)
        (void)close(g->fd);
    g->fd = -1;
}

/* With the lock held: ends the waits that are over, and gives the deadline that comes next. */
static uint64_t end_waits(void)
{
    uint64_t now = clock_now(&clock_real), next = UINT64_MAX;
    for (struct ldapguard *g = watch.first; g; g = g->next) {
        if (g->fd < 0)
            continue;
        if (g->deadline <= now) {
            (void)shutdown(g->fd, SHUT_RDWR);
            close_socket(g);
        } else if (g->deadline < next) {
            next = g->deadline;
        }
    }
    return next;
}

static void *watch_all(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&watch.lock);
    for (;;) {
        uint64_t next = end_waits();
        struct timespec at = {.tv_sec = (time_t)(next / CLOCK_S),
                              .tv_nsec = (long)(next % CLOCK_S)};
        if (next == UINT64_MAX)
            (void)pthread_cond_wait(&watch.changed, &watch.lock);
        else
            (void)pthread_cond_timedwait(&watch.changed, &watch.lock, &at);
    }
    return NULL;
}

/* With the lock held. Signals are for the main thread. */
static void start_watching(void)
{
    enum { STACK = 64 * 1024 };
    static bool ready;
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t attr;
    pthread_condattr_t clock;
    if (!ready) {
        (void)pthread_condattr_init(&clock);
        (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&watch.changed, &clock);
        (void)pthread_condattr_destroy(&clock);
        ready = true;
    }
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    watch.watched = pthread_create(&thread, &attr, watch_all, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
}

void ldapguard_begin(struct ldapguard *guard, uint64_t deadline)
{
    *guard = (struct ldapguard){.deadline = deadline, .fd = -1};
    (void)pthread_mutex_lock(&watch.lock);
    if (!watch.watched)
        start_watching();
    guard->next = watch.first;
    if (guard->next)
        guard->next->previous = guard;
    watch.first = guard;
    (void)pthread_mutex_unlock(&watch.lock);
}

void ldapguard_socket(struct ldapguard *guard, int fd)
{
    (void)pthread_mutex_lock(&watch.lock);
    close_socket(guard);
    guard->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    (void)pthread_cond_signal(&watch.changed);
    (void)pthread_mutex_unlock(&watch.lock);
}

void ldapguard_end(struct ldapguard *guard)
{
    (void)pthread_mutex_lock(&watch.lock);
    close_socket(guard);
    if (guard->previous)
        guard->previous->next = guard->next;
    else
        watch.first = guard->next;
    if (guard->next)
        guard->next->previous = guard->previous;
    (void)pthread_mutex_unlock(&watch.lock);
}
