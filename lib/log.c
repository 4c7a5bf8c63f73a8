#include "log.h"
#include "clock.h"
#include "span.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

enum { RING_SIZE = 4096, LINE_MAX_SIZE = 16384, CLOSE_PATIENCE = 2 /* seconds */ };

struct entry {
    enum log_level level;
    char *text;
};

struct sink {
    void (*write)(const struct entry *entry);
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    struct entry ring[RING_SIZE];
    size_t first, count;
    unsigned long lost;
    bool open, closing, reopen, busy;
    const struct sink *sink;
    char *path; /* of a file */
    int fd;
    pthread_t writer;
} log_state = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_NOTICE] = "notice",
        [LOG_LEVEL_INFO] = "info",
    };
    return names[level];
}

static int priority(enum log_level level)
{
    static const int priorities[] = {
        [LOG_LEVEL_ERROR] = LOG_ERR,
        [LOG_LEVEL_WARNING] = LOG_WARNING,
        [LOG_LEVEL_NOTICE] = LOG_NOTICE,
        [LOG_LEVEL_INFO] = LOG_INFO,
    };
    return priorities[level];
}

/* ---- sinks ---- */

static void write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, text, len);
        if (put < 0 && errno != EINTR)
            return;
        if (put > 0) {
            text += put;
            len -= (size_t)put;
        }
    }
}

static void to_stderr(const struct entry *e)
{
    char line[LINE_MAX_SIZE + 64];
    int len = snprintf(line, sizeof line, "sendas-milter: %s: %s\n", level_name(e->level), e->text);
    if (len > 0)
        write_all(STDERR_FILENO, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

static void to_syslog(const struct entry *e)
{
    syslog(priority(e->level), "%s", e->text);
}

static void to_journal(const struct entry *e)
{
    (void)sd_journal_send("MESSAGE=%s", e->text, "PRIORITY=%i", priority(e->level),
                          "SYSLOG_IDENTIFIER=sendas-milter", NULL);
}

static void to_file(const struct entry *e)
{
    char stamp[40], line[LINE_MAX_SIZE + 100];
    time_t now = time(NULL);
    struct tm parts;
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &parts));
    int len = snprintf(line, sizeof line, "%s sendas-milter[%ld]: %s: %s\n", stamp, (long)getpid(),
                       level_name(e->level), e->text);
    if (len > 0 && log_state.fd >= 0)
        write_all(log_state.fd, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

static const struct sink sink_stderr = {to_stderr}, sink_syslog = {to_syslog},
                         sink_journal = {to_journal}, sink_file = {to_file};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/* ---- the writer ---- */

/* With the lock held. */
static struct entry take(void)
{
    struct entry e;
    if (log_state.lost > 0) {
        char text[64];
        (void)snprintf(text, sizeof text, "%lu lines lost: the log is too slow", log_state.lost);
        log_state.lost = 0;
        return (struct entry){LOG_LEVEL_WARNING, xstrdup(text)};
    }
    e = log_state.ring[log_state.first];
    log_state.first = (log_state.first + 1) % RING_SIZE;
    log_state.count--;
    return e;
}

/* With the lock held, but not while the file is opened: that may hang as a write may. Path and
 * descriptor are the writer's as long as it runs. */
static void reopen_file(void)
{
    log_state.reopen = false;
    if (!log_state.path)
        return;
    (void)pthread_mutex_unlock(&log_state.lock);
    int fd = open_file(log_state.path);
    if (fd >= 0) { /* else the old one is better than none */
        (void)close(log_state.fd);
        log_state.fd = fd;
    }
    (void)pthread_mutex_lock(&log_state.lock);
}

static void *writer(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&log_state.lock);
    for (;;) {
        while (!log_state.count && !log_state.lost && !log_state.closing && !log_state.reopen)
            (void)pthread_cond_wait(&log_state.filled, &log_state.lock);
        if (log_state.reopen)
            reopen_file();
        if (!log_state.count && !log_state.lost) {
            if (log_state.closing)
                break;
            continue;
        }
        struct entry e = take();
        (void)pthread_mutex_unlock(&log_state.lock);
        log_state.sink->write(&e);
        free(e.text);
        (void)pthread_mutex_lock(&log_state.lock);
    }
    log_state.busy = false;
    (void)pthread_cond_signal(&log_state.emptied);
    (void)pthread_mutex_unlock(&log_state.lock);
    return NULL;
}

/* ---- open and close ---- */

static bool choose_sink(const char *target, struct errtext *why)
{
    if (strcmp(target, "stderr") == 0)
        log_state.sink = &sink_stderr;
    else if (strcmp(target, "journal") == 0)
        log_state.sink = &sink_journal;
    else if (target[0] == '/') {
        log_state.sink = &sink_file;
        log_state.fd = open_file(target);
        if (log_state.fd < 0) {
            errtext_set(why, "cannot open the log %s: %s", target, strerror(errno));
            return false;
        }
        log_state.path = xstrdup(target);
    } else {
        log_state.sink = &sink_syslog;
        openlog("sendas-milter", LOG_PID | LOG_NDELAY, LOG_MAIL);
    }
    return true;
}

static bool start_writer(struct errtext *why)
{
    pthread_condattr_t attr;
    sigset_t all, before;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&log_state.filled, NULL);
    (void)pthread_cond_init(&log_state.emptied, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&log_state.writer, NULL, writer, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        errtext_set(why, "cannot start the log's thread: %s", strerror(failed));
    return !failed;
}

bool log_open(const char *target, struct errtext *why)
{
    if (!choose_sink(target, why))
        return false;
    log_state.busy = true;
    if (!start_writer(why))
        return false;
    (void)pthread_mutex_lock(&log_state.lock);
    log_state.open = true;
    (void)pthread_mutex_unlock(&log_state.lock);
    return true;
}

static bool wait_for_writer(void)
{
    uint64_t end = clock_now(&clock_real) + CLOSE_PATIENCE * CLOCK_S;
    struct timespec until = {(time_t)(end / CLOCK_S), (long)(end % CLOCK_S)};
    int waited = 0;
    while (log_state.busy && waited == 0)
        waited = pthread_cond_timedwait(&log_state.emptied, &log_state.lock, &until);
    return !log_state.busy;
}

void log_close(void)
{
    (void)pthread_mutex_lock(&log_state.lock);
    bool was_open = log_state.open;
    log_state.open = false;
    log_state.closing = was_open;
    if (was_open)
        (void)pthread_cond_signal(&log_state.filled);
    bool done = was_open && wait_for_writer();
    (void)pthread_mutex_unlock(&log_state.lock);
    if (!done)
        return; /* a writer that hangs in its sink keeps what it uses */
    (void)pthread_join(log_state.writer, NULL);
    if (log_state.fd >= 0)
        (void)close(log_state.fd);
    free(log_state.path);
    log_state.path = NULL;
    log_state.fd = -1;
    log_state.closing = false;
}

void log_reopen(void)
{
    (void)pthread_mutex_lock(&log_state.lock);
    if (log_state.open) {
        log_state.reopen = true;
        (void)pthread_cond_signal(&log_state.filled);
    }
    (void)pthread_mutex_unlock(&log_state.lock);
}

/* ---- lines ---- */

static bool enqueue(const struct entry *e)
{
    if (log_state.count == RING_SIZE) {
        log_state.lost++;
        return false;
    }
    log_state.ring[(log_state.first + log_state.count++) % RING_SIZE] = *e;
    (void)pthread_cond_signal(&log_state.filled);
    return true;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char ellipsis[] = "...";
    char text[LINE_MAX_SIZE];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len >= (int)sizeof text)
        memcpy(text + sizeof text - sizeof ellipsis, ellipsis, sizeof ellipsis);
    for (char *c = text; *c; c++)
        if (ascii_is_control(*c))
            *c = '?';
    struct entry e = {level, xstrdup(text)};
    (void)pthread_mutex_lock(&log_state.lock);
    bool open = log_state.open;
    bool queued = open && enqueue(&e);
    (void)pthread_mutex_unlock(&log_state.lock);
    if (!open)
        to_stderr(&e);
    if (!queued)
        free(e.text);
}
