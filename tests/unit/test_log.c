/* The test stands in for syslog and the journal, which a machine without systemd has not. Rows that
 * block the log run in a child: there the alarm clock ends what hangs. */
#undef _FORTIFY_SOURCE
#include "log.h"
#include "arena.h"
#include "clock.h"
#include "rows.h"
#include "strbuf.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

enum {
    RING = 4096, /* lines that wait at most, see log.c */
    THREADS = 8,
    LINE_LONGEST = 16383,
    PATIENCE_S = 60, /* for what must come */
};

/* ---- syslog and journal ---- */

static struct {
    char text[8192];
    int priority, options, facility;
    char ident[8192];
    unsigned syslog_calls, journal_calls;
} seen;

void openlog(const char *ident, int option, int facility)
{
    (void)snprintf(seen.ident, sizeof seen.ident, "%s", ident);
    seen.options = option;
    seen.facility = facility;
}

static void take_syslog(int priority, const char *format, va_list args)
{
    (void)vsnprintf(seen.text, sizeof seen.text, format, args);
    seen.priority = priority;
    seen.syslog_calls++;
}

void syslog(int pri, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    take_syslog(pri, fmt, args);
    va_end(args);
}

/* What syslog() is under _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    (void)flag;
    va_list args;
    va_start(args, format);
    take_syslog(priority, format, args);
    va_end(args);
}

static void take_field(const char *field)
{
    if (strncmp(field, "MESSAGE=", 8) == 0)
        (void)snprintf(seen.text, sizeof seen.text, "%s", field + 8);
    else if (strncmp(field, "PRIORITY=", 9) == 0)
        seen.priority = atoi(field + 9);
    else if (strncmp(field, "SYSLOG_IDENTIFIER=", 18) == 0)
        (void)snprintf(seen.ident, sizeof seen.ident, "%s", field + 18);
}

/* Each format that log.c uses ends in a string, in a number, or is plain. */
int sd_journal_send(const char *format, ...)
{
    char field[8192], number[16];
    va_list args;
    va_start(args, format);
    for (; format; format = va_arg(args, const char *)) {
        size_t name = strcspn(format, "%");
        const char *value = "";
        if (strcmp(format + name, "%s") == 0) {
            value = va_arg(args, const char *);
        } else if (strcmp(format + name, "%i") == 0) {
            (void)snprintf(number, sizeof number, "%d", va_arg(args, int));
            value = number;
        }
        (void)snprintf(field, sizeof field, "%.*s%s", (int)name, format, value);
        take_field(field);
    }
    va_end(args);
    seen.journal_calls++;
    return 0;
}

/* ---- a directory for files, and a standard error of our own ---- */

static struct {
    char directory[64], path[80], old[80], errors[80];
    int saved_stderr;
} place;

static int make_place(void)
{
    (void)snprintf(place.directory, sizeof place.directory, "/tmp/logXXXXXX");
    if (!mkdtemp(place.directory))
        return -1;
    (void)snprintf(place.path, sizeof place.path, "%s/log", place.directory);
    (void)snprintf(place.old, sizeof place.old, "%s/log.1", place.directory);
    (void)snprintf(place.errors, sizeof place.errors, "%s/stderr", place.directory);
    return 0;
}

static void remove_any(const char *path)
{
    if (unlink(path) != 0)
        (void)rmdir(path);
}

static void clear_place(void)
{
    remove_any(place.path);
    remove_any(place.old);
    remove_any(place.errors);
}

static int remove_place(void)
{
    clear_place();
    return rmdir(place.directory);
}

static void capture_stderr(void)
{
    int fd = open(place.errors, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
    place.saved_stderr = dup(STDERR_FILENO);
    if (fd < 0 || place.saved_stderr < 0 || dup2(fd, STDERR_FILENO) < 0)
        abort();
    (void)close(fd);
}

static void release_stderr(void)
{
    if (dup2(place.saved_stderr, STDERR_FILENO) < 0)
        abort();
    (void)close(place.saved_stderr);
}

/* What a file holds; "" where there is none. */
static const char *content(struct arena *a, const char *path)
{
    struct strbuf all;
    char part[4096];
    ssize_t n;
    strbuf_init(&all, a);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0)
        strbuf_add(&all, span_make(part, (size_t)n));
    if (fd >= 0)
        (void)close(fd);
    return all.text;
}

/* ---- format ---- */

struct level_row {
    const char *name;
    enum log_level level;
    const char *word;
    int priority;
};

static const struct level_row level_rows[] = {
    {"level: error", LOG_LEVEL_ERROR, "error", LOG_ERR},
    {"level: warning", LOG_LEVEL_WARNING, "warning", LOG_WARNING},
    {"level: notice", LOG_LEVEL_NOTICE, "notice", LOG_NOTICE},
    {"level: info", LOG_LEVEL_INFO, "info", LOG_INFO},
};

/* One line through the target; what arrived at standard error, at the file, or at seen. */
static void one_line(const char *target, enum log_level level, const char *text)
{
    seen.syslog_calls = seen.journal_calls = 0;
    seen.text[0] = '\0';
    clear_place();
    capture_stderr();
    bool ok = log_open(target, NULL);
    if (ok) {
        log_line(level, "%s", text);
        log_close();
    }
    release_stderr();
    assert_true(ok);
}

static void check_stamped(const char *got, const char *word, const char *text)
{
    char pattern[256];
    regex_t regex;
    (void)snprintf(pattern, sizeof pattern,
                   "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
                   "[+-][0-9]{4} sendas-milter\\[%ld\\]: %s: %s\n$",
                   (long)getpid(), word, text);
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int missed = regexec(&regex, got, 0, NULL, 0);
    regfree(&regex);
    if (missed)
        assert_string_equal(got, pattern);
}

static void run_level(void **state)
{
    const struct level_row *row = *state;
    struct arena *a = arena_create();
    const char *wanted = arena_printf(a, "sendas-milter: %s: a=1 b=2\n", row->word);
    capture_stderr();
    log_line(row->level, "a=%d b=%s", 1, "2");
    release_stderr();
    assert_string_equal(content(a, place.errors), wanted);

    one_line("stderr", row->level, "a=1 b=2");
    assert_string_equal(content(a, place.errors), wanted);

    one_line(place.path, row->level, "a=1 b=2");
    check_stamped(content(a, place.path), row->word, "a=1 b=2");
    assert_string_equal(content(a, place.errors), "");

    one_line("syslog", row->level, "a=1 b=2");
    assert_string_equal(seen.text, "a=1 b=2");
    assert_int_equal(seen.priority, row->priority);
    assert_int_equal(seen.facility, LOG_MAIL);
    assert_int_equal(seen.options, LOG_PID | LOG_NDELAY);
    assert_string_equal(seen.ident, "sendas-milter");
    assert_int_equal(seen.syslog_calls, 1);
    assert_int_equal(seen.journal_calls, 0);
    assert_string_equal(content(a, place.errors), "");

    seen.ident[0] = '\0';
    one_line("journal", row->level, "a=1 b=2");
    assert_string_equal(seen.text, "a=1 b=2");
    assert_int_equal(seen.priority, row->priority);
    assert_string_equal(seen.ident, "sendas-milter");
    assert_int_equal(seen.journal_calls, 1);
    assert_int_equal(seen.syslog_calls, 0);
    assert_string_equal(content(a, place.errors), "");
    arena_destroy(a);
}

struct text_row {
    const char *name;
    const char *text, *want;
};

static const struct text_row text_rows[] = {
    {"text: empty", "", ""},
    {"text: printable ASCII ends", " !~", " !~"},
    {"text: percent signs of a client", "%s%n%100000d", "%s%n%100000d"},
    {"text: UTF-8 stays", "j\xc3\xbcrgen@\xe4\xbe\x8b", "j\xc3\xbcrgen@\xe4\xbe\x8b"},
    {"text: LF cannot forge a line", "a\nsendas-milter: error: b", "a?sendas-milter: error: b"},
    {"text: CR LF", "a\r\nb", "a??b"},
    {"text: LF at the end", "a\n", "a?"},
    {"text: only LF", "\n", "?"},
    {"text: escape sequence", "\033[2Ja", "?[2Ja"},
    {"text: tab, backspace, bell", "a\tb\bc\a", "a?b?c?"},
    {"text: DEL and unit separator", "a\177b\037", "a?b?"},
    {"text: lowest control", "\001", "?"},
};

static void run_text(void **state)
{
    const struct text_row *row = *state;
    struct arena *a = arena_create();
    const char *wanted = arena_printf(a, "sendas-milter: info: %s\n", row->want);
    capture_stderr();
    log_line(LOG_LEVEL_INFO, "%s", row->text);
    release_stderr();
    assert_string_equal(content(a, place.errors), wanted);

    one_line("stderr", LOG_LEVEL_INFO, row->text);
    assert_string_equal(content(a, place.errors), wanted);

    one_line(place.path, LOG_LEVEL_INFO, row->text);
    const char *got = content(a, place.path);
    const char *behind = strstr(got, "]: info: ");
    assert_non_null(behind);
    assert_string_equal(behind + strlen("]: info: "), arena_printf(a, "%s\n", row->want));

    one_line("syslog", LOG_LEVEL_INFO, row->text);
    assert_string_equal(seen.text, row->want);
    one_line("journal", LOG_LEVEL_INFO, row->text);
    assert_string_equal(seen.text, row->want);
    arena_destroy(a);
}

struct length_row {
    const char *name;
    size_t len;
    bool cut;
};

static const struct length_row length_rows[] = {
    {"length: longest", LINE_LONGEST, false},
    {"length: one more", LINE_LONGEST + 1, true},
    {"length: far more", (size_t)16 * LINE_LONGEST, true},
};

static void run_length(void **state)
{
    const struct length_row *row = *state;
    struct arena *a = arena_create();
    char *text = arena_alloc(a, row->len + 1);
    memset(text, 'x', row->len);
    one_line("stderr", LOG_LEVEL_WARNING, text);
    if (row->cut)
        text = arena_printf(a, "%.*s...", LINE_LONGEST - 3, text);
    const char *got = content(a, place.errors);
    assert_string_equal(got, arena_printf(a, "sendas-milter: warning: %s\n", text));

    one_line(place.path, LOG_LEVEL_WARNING, text);
    got = content(a, place.path);
    const char *behind = strstr(got, "]: warning: ");
    assert_non_null(behind);
    assert_string_equal(behind + strlen("]: warning: "), arena_printf(a, "%s\n", text));
    arena_destroy(a);
}

/* ---- targets that cannot be opened ---- */

struct unopened_row {
    const char *name;
    const char *target; /* under the directory of the test */
    int error;
};

static const struct unopened_row unopened_rows[] = {
    {"unopened: no such directory", "nowhere/log", ENOENT},
    {"unopened: a directory", "", EISDIR},
    {"unopened: a file where a directory should be", "stderr/log", ENOTDIR},
    {"unopened: a symbolic link", "log.1", ELOOP},
};

static void run_unopened(void **state)
{
    const struct unopened_row *row = *state;
    struct arena *a = arena_create();
    struct errtext why = {""};
    const char *target = arena_printf(a, "%s/%s", place.directory, row->target);
    clear_place();
    assert_int_equal(symlink("log", place.old), 0);
    capture_stderr();
    bool ok = log_open(target, &why);
    bool unheard = log_open(target, NULL);
    log_line(LOG_LEVEL_INFO, "before");
    log_close();
    log_line(LOG_LEVEL_INFO, "after");
    release_stderr();
    assert_false(ok);
    assert_false(unheard);
    assert_non_null(strstr(why.text, target));
    assert_non_null(strstr(why.text, strerror(row->error)));
    assert_string_equal(content(a, place.errors),
                        "sendas-milter: info: before\nsendas-milter: info: after\n");
    assert_string_equal(content(a, place.path), "");
    arena_destroy(a);
}

/* ---- before, between and after ---- */

static void test_outside(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    clear_place();
    capture_stderr();
    log_close();
    log_reopen();
    log_line(LOG_LEVEL_INFO, "before");
    const char *before = content(a, place.errors);
    bool ok = log_open(place.path, NULL);
    log_line(LOG_LEVEL_INFO, "between");
    log_close();
    log_line(LOG_LEVEL_INFO, "after");
    const char *after = content(a, place.errors);
    log_close();
    log_reopen();
    ok = ok && log_open(place.path, NULL);
    log_line(LOG_LEVEL_INFO, "again");
    log_close();
    release_stderr();
    assert_true(ok);
    assert_string_equal(before, "sendas-milter: info: before\n");
    assert_string_equal(after, "sendas-milter: info: before\nsendas-milter: info: after\n");
    assert_string_equal(content(a, place.errors), after);
    const char *log = content(a, place.path);
    assert_non_null(strstr(log, ": between\n"));
    assert_non_null(strstr(log, ": again\n"));
    assert_null(strstr(log, "before"));
    assert_null(strstr(log, "after"));
    arena_destroy(a);
}

/* The descriptor of this process under which the file is open, -1 for none. */
static int descriptor_of(const char *path)
{
    struct stat file, other;
    assert_int_equal(stat(path, &file), 0);
    for (int fd = 0; fd < 256; fd++)
        if (fstat(fd, &other) == 0 && other.st_dev == file.st_dev && other.st_ino == file.st_ino)
            return fd;
    return -1;
}

static void test_file(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct stat status;
    mode_t before = umask(0);
    clear_place();
    bool ok = log_open(place.path, NULL);
    (void)umask(before);
    assert_true(ok);
    log_line(LOG_LEVEL_INFO, "one");
    assert_true(fcntl(descriptor_of(place.path), F_GETFD) & FD_CLOEXEC);
    log_close();
    assert_int_equal(descriptor_of(place.path), -1);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    size_t first = strlen(content(a, place.path));
    assert_true(log_open(place.path, NULL));
    log_line(LOG_LEVEL_INFO, "two");
    log_close();
    const char *log = content(a, place.path);
    assert_non_null(strstr(log, ": one\n"));
    assert_non_null(strstr(log + first, ": two\n"));
    arena_destroy(a);
}

static void test_close_writes(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    clear_place();
    assert_true(log_open(place.path, NULL));
    for (int i = 0; i < RING; i++)
        log_line(LOG_LEVEL_INFO, "n=%d.", i);
    log_close();
    const char *at = content(a, place.path);
    for (int i = 0; i < RING; i++) {
        const char *want = arena_printf(a, ": n=%d.\n", i);
        at = strstr(at, want);
        assert_non_null(at);
        at += strlen(want);
    }
    assert_string_equal(at, "");
    arena_destroy(a);
}

/* ---- log rotation ---- */

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 2000000L}, NULL);
}

static bool wait_for_text(const char *path, const char *text)
{
    uint64_t end = clock_now(&clock_real) + PATIENCE_S * CLOCK_S;
    bool found = false;
    while (!found && clock_now(&clock_real) < end) {
        struct arena *a = arena_create();
        found = strstr(content(a, path), text) != NULL;
        arena_destroy(a);
        if (!found)
            nap();
    }
    return found;
}

static bool wait_for_file(const char *path)
{
    uint64_t end = clock_now(&clock_real) + PATIENCE_S * CLOCK_S;
    while (access(path, F_OK) != 0 && clock_now(&clock_real) < end)
        nap();
    return access(path, F_OK) == 0;
}

struct reopen_row {
    const char *name;
    void (*rotate)(void);
    const char *path, *old; /* the numbers of the lines that each holds then */
};

static void rotate_renamed(void)
{
    assert_int_equal(rename(place.path, place.old), 0);
}

static void rotate_copied(void)
{
    assert_int_equal(truncate(place.path, 0), 0);
}

static void rotate_blocked(void)
{
    rotate_renamed();
    assert_int_equal(mkdir(place.path, 0700), 0);
}

static void rotate_linked(void)
{
    rotate_renamed();
    assert_int_equal(symlink(place.errors, place.path), 0);
}

static void rotate_not(void)
{
}

static const struct reopen_row reopen_rows[] = {
    {"reopen: nothing happened", rotate_not, "1 2", ""},
    {"reopen: renamed", rotate_renamed, "2", "1"},
    {"reopen: truncated", rotate_copied, "2", ""},
    {"reopen: the old file goes on where no new one can be opened", rotate_blocked, "", "1 2"},
    {"reopen: a symbolic link is not followed", rotate_linked, "", "1 2"},
};

static void check_lines(const char *path, const char *wanted)
{
    struct arena *a = arena_create();
    const char *log = content(a, path);
    for (int i = 1; i <= 2; i++) {
        bool want = strstr(wanted, arena_printf(a, "%d", i)) != NULL;
        assert_int_equal(strstr(log, arena_printf(a, ": line %d\n", i)) != NULL, want);
    }
    assert_true(*log == '\0' || *log == '2'); /* no hole before the first stamp */
    arena_destroy(a);
}

static void run_reopen(void **state)
{
    const struct reopen_row *row = *state;
    clear_place();
    assert_true(log_open(place.path, NULL));
    log_line(LOG_LEVEL_INFO, "line 1");
    assert_true(wait_for_text(place.path, ": line 1\n"));
    row->rotate();
    log_reopen();
    log_line(LOG_LEVEL_INFO, "line 2");
    log_close();
    check_lines(place.path, row->path);
    check_lines(place.old, row->old);
}

static void test_reopen_without_lines(void **state)
{
    (void)state;
    clear_place();
    assert_true(log_open(place.path, NULL));
    log_line(LOG_LEVEL_INFO, "line 1");
    assert_true(wait_for_text(place.path, ": line 1\n"));
    nap(); /* the writer sleeps by now, most likely */
    rotate_renamed();
    log_reopen();
    assert_true(wait_for_file(place.path));
    log_close();
    assert_int_equal(descriptor_of(place.path), -1);
    assert_int_equal(descriptor_of(place.old), -1);
}

static void test_reopen_stderr(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    capture_stderr();
    bool ok = log_open("stderr", NULL);
    log_reopen();
    log_line(LOG_LEVEL_INFO, "line");
    log_close();
    release_stderr();
    assert_true(ok);
    assert_string_equal(content(a, place.errors), "sendas-milter: info: line\n");
    arena_destroy(a);
}

/* ---- signals ---- */

static void test_signals(void **state)
{
    (void)state;
    sigset_t one, before, after, pending;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGUSR1);
    clear_place();
    assert_true(log_open(place.path, NULL));
    (void)pthread_sigmask(SIG_BLOCK, &one, &before);
    assert_false(sigismember(&before, SIGUSR1));
    (void)kill(getpid(), SIGUSR1); /* ends the process where the writer takes it */
    log_line(LOG_LEVEL_INFO, "line");
    log_close();
    (void)sigpending(&pending);
    assert_true(sigismember(&pending, SIGUSR1));
    int number;
    assert_int_equal(sigwait(&one, &number), 0);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_true(log_open(place.path, NULL));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    log_close();
    assert_false(sigismember(&after, SIGUSR1));
    assert_false(sigismember(&after, SIGTERM));
}

/* ---- many threads ---- */

struct threads_row {
    const char *name;
    const char *target; /* NULL for the file, "" for a log that is not open */
    int lines;          /* of each thread */
};

static const struct threads_row threads_rows[] = {
    {"threads: file, as many as can wait", NULL, RING / THREADS},
    {"threads: standard error, as many as can wait", "stderr", RING / THREADS},
    {"threads: file, more than can wait", NULL, 4000},
    {"threads: standard error of a log that is not open", "", 200},
};

struct talker {
    pthread_t thread;
    pthread_barrier_t *start;
    int number, lines;
};

static void *talk(void *context)
{
    const struct talker *t = context;
    (void)pthread_barrier_wait(t->start);
    for (int i = 0; i < t->lines; i++)
        log_line(LOG_LEVEL_INFO, "thread=%d line=%d " X100 " end", t->number, i);
    return NULL;
}

static void talk_all(int lines)
{
    struct talker talkers[THREADS];
    pthread_barrier_t start;
    (void)pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        talkers[i] = (struct talker){.start = &start, .number = i, .lines = lines};
        if (pthread_create(&talkers[i].thread, NULL, talk, &talkers[i]) != 0)
            abort();
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(talkers[i].thread, NULL);
    (void)pthread_barrier_destroy(&start);
}

struct tally {
    int lines, notices;
    long lost;
    int last[THREADS];
};

static void count_line(struct tally *t, const char *line, size_t len)
{
    static const char tail[] = " " X100 " end";
    int thread, number, used = 0;
    long lost;
    const char *at = strstr(line, "info: thread=");
    if (!at || at > line + len) {
        const char *notice = strstr(line, "warning: ");
        assert_true(notice && notice < line + len);
        assert_int_equal(
            sscanf(notice, "warning: %ld lines lost: the log is too slow\n%n", &lost, &used), 1);
        assert_ptr_equal(notice + used - 1 > line + len ? line + len : notice + used - 1,
                         line + len);
        assert_true(lost > 0);
        t->lost += lost;
        t->notices++;
        return;
    }
    assert_int_equal(sscanf(at, "info: thread=%d line=%d%n", &thread, &number, &used), 2);
    assert_true(thread >= 0 && thread < THREADS);
    assert_true(number >= t->last[thread]); /* the order of each thread, and none twice */
    t->last[thread] = number + 1;
    assert_int_equal(line + len - (at + used), sizeof tail - 1);
    assert_memory_equal(at + used, tail, sizeof tail - 1);
    t->lines++;
}

static void run_threads(void **state)
{
    const struct threads_row *row = *state;
    struct arena *a = arena_create();
    struct tally tally = {0};
    bool opens = !row->target || *row->target;
    clear_place();
    capture_stderr();
    bool ok = !opens || log_open(row->target ? row->target : place.path, NULL);
    talk_all(row->lines);
    log_close();
    release_stderr();
    assert_true(ok);
    const char *prefix = row->target ? "sendas-milter: " : "20";
    const char *log = content(a, row->target ? place.errors : place.path);
    for (const char *end; (end = strchr(log, '\n')); log = end + 1) {
        assert_memory_equal(log, prefix, strlen(prefix));
        count_line(&tally, log, (size_t)(end - log));
    }
    assert_string_equal(log, "");
    assert_int_equal(tally.lines + tally.lost, row->lines * THREADS);
    if (row->lines * THREADS <= RING || !opens)
        assert_int_equal(tally.notices, 0);
    arena_destroy(a);
}

/* ---- a sink that takes nothing ---- */

/* What went wrong in the child, NULL for nothing. */
typedef const char *child_fn(bool to_stderr);

struct blocked_row {
    const char *name;
    child_fn *run;
    bool to_stderr; /* else to a FIFO */
};

static struct {
    int read_end, write_end;
    size_t filled;
} pipe_of;

/* A pipe without room: standard error, or what place.path names. */
static bool make_full_pipe(bool to_stderr)
{
    static const char filler[512];
    int ends[2];
    ssize_t n;
    if (to_stderr) {
        if (pipe(ends) != 0)
            return false;
        pipe_of.read_end = ends[0];
        pipe_of.write_end = ends[1];
    } else {
        if (mkfifo(place.path, 0600) != 0)
            return false;
        pipe_of.read_end = open(place.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        pipe_of.write_end = open(place.path, O_WRONLY | O_CLOEXEC);
    }
    if (pipe_of.read_end < 0 || pipe_of.write_end < 0)
        return false;
    (void)fcntl(pipe_of.read_end, F_SETFL, O_NONBLOCK);
    (void)fcntl(pipe_of.write_end, F_SETFL, O_NONBLOCK);
    for (size_t size = sizeof filler; size > 0; size /= 2)
        while ((n = write(pipe_of.write_end, filler, size)) > 0)
            pipe_of.filled += (size_t)n;
    (void)fcntl(pipe_of.write_end, F_SETFL, 0);
    return !to_stderr || dup2(pipe_of.write_end, STDERR_FILENO) == STDERR_FILENO;
}

static const char *open_blocked(bool to_stderr)
{
    clear_place();
    if (!make_full_pipe(to_stderr))
        return "no pipe";
    return log_open(to_stderr ? "stderr" : place.path, NULL) ? NULL : "log_open() failed";
}

static const char *read_filler(void)
{
    char filler[512];
    while (pipe_of.filled > 0) {
        size_t want = pipe_of.filled < sizeof filler ? pipe_of.filled : sizeof filler;
        ssize_t n = read(pipe_of.read_end, filler, want);
        if (n <= 0)
            return "the filler cannot be read";
        pipe_of.filled -= (size_t)n;
    }
    return NULL;
}

/* A line without its end, from what nobody read so far; the alarm ends the wait. */
static void read_line(char *line, size_t size)
{
    size_t len = 0;
    while (len + 1 < size) {
        struct pollfd ready = {.fd = pipe_of.read_end, .events = POLLIN};
        if (read(pipe_of.read_end, line + len, 1) != 1)
            (void)poll(&ready, 1, -1);
        else if (line[len] == '\n')
            break;
        else
            len++;
    }
    line[len] = '\0';
}

/* Lines "n=0" to "n=count-1" in order, some lost, each of them counted once. */
static const char *read_lines(int count, int *notices_out)
{
    char line[LINE_LONGEST];
    long lost, lost_in_all = 0;
    int number, next = 0, lines = 0;
    *notices_out = 0;
    while (lines + lost_in_all < count) {
        read_line(line, sizeof line);
        const char *text = strstr(line, ": n=");
        const char *notice = strstr(line, ": warning: ");
        if (text && sscanf(text, ": n=%d.", &number) == 1 && number >= next) {
            next = number + 1;
            lines++;
        } else if (notice && sscanf(notice, ": warning: %ld lines lost", &lost) == 1) {
            lost_in_all += lost;
            ++*notices_out;
        } else {
            return "a line that was not logged";
        }
    }
    return lines + lost_in_all == count ? NULL : "more lines lost than were logged";
}

static const char *never_blocks(bool to_stderr)
{
    enum { LINES = RING + 1000 };
    char line[LINE_LONGEST];
    int notices;
    const char *fault = open_blocked(to_stderr);
    if (fault)
        return fault;
    for (int i = 0; i < LINES; i++)
        log_line(LOG_LEVEL_INFO, "n=%d.", i);
    fault = read_filler();
    if (!fault)
        fault = read_lines(LINES, &notices);
    if (fault)
        return fault;
    /* One before the writer hung, if it came late, and one for all that was lost meanwhile. */
    if (notices < 1 || notices > 2)
        return "not one notice";
    log_line(LOG_LEVEL_ERROR, "room again");
    read_line(line, sizeof line);
    if (!strstr(line, ": error: room again"))
        return "the line after the notice did not come";
    log_close();
    return read(pipe_of.read_end, line, 1) < 0 ? NULL : "more than was logged";
}

static const char *all_that_wait(bool to_stderr)
{
    int notices;
    const char *fault = open_blocked(to_stderr);
    if (fault)
        return fault;
    for (int i = 0; i < RING; i++)
        log_line(LOG_LEVEL_INFO, "n=%d.", i);
    fault = read_filler();
    if (!fault)
        fault = read_lines(RING, &notices);
    if (fault)
        return fault;
    log_close();
    return notices == 0 ? NULL : "lines lost that have room";
}

static const char *close_gives_up(bool to_stderr)
{
    const char *fault = open_blocked(to_stderr);
    if (fault)
        return fault;
    log_line(LOG_LEVEL_INFO, "n=0.");
    uint64_t start = clock_now(&clock_real);
    log_close();
    uint64_t took = clock_now(&clock_real) - start;
    log_close();
    /* Two seconds are the contract; a busy machine may add some. */
    if (took < CLOCK_S || took > 20 * CLOCK_S)
        return "log_close() does not wait for two seconds";
    return NULL;
}

static void *read_soon(void *unused)
{
    (void)unused;
    int notices;
    (void)nanosleep(&(struct timespec){.tv_nsec = 100000000L}, NULL);
    const char *fault = read_filler();
    return (void *)(uintptr_t)(fault ? fault : read_lines(RING / 2, &notices));
}

static const char *close_waits(bool to_stderr)
{
    pthread_t reader;
    void *fault = (void *)(uintptr_t)open_blocked(to_stderr);
    if (fault)
        return fault;
    for (int i = 0; i < RING / 2; i++)
        log_line(LOG_LEVEL_INFO, "n=%d.", i);
    if (pthread_create(&reader, NULL, read_soon, NULL) != 0)
        return "no thread";
    log_close();
    (void)pthread_join(reader, &fault);
    return fault;
}

/* The new file is a FIFO without a reader: opening it hangs. */
static const char *reopen_hangs(bool to_stderr)
{
    char line[LINE_LONGEST];
    (void)to_stderr;
    clear_place();
    if (!log_open(place.path, NULL) || rename(place.path, place.old) != 0 ||
        mkfifo(place.path, 0600) != 0)
        return "no FIFO";
    log_reopen();
    for (int i = 0; i < 50; i++) {
        log_line(LOG_LEVEL_INFO, "n=%d.", i);
        nap();
    }
    int notices;
    pipe_of.read_end = open(place.path, O_RDONLY | O_CLOEXEC);
    const char *fault = read_lines(50, &notices);
    log_close();
    return fault ? fault : read(pipe_of.read_end, line, 1) == 0 ? NULL : "the FIFO is still open";
}

static const char *reader_leaves(bool to_stderr)
{
    const char *fault = open_blocked(to_stderr);
    if (fault)
        return fault;
    (void)signal(SIGPIPE, SIG_DFL);
    log_line(LOG_LEVEL_INFO, "n=0.");
    (void)close(pipe_of.write_end);
    (void)close(pipe_of.read_end);
    log_line(LOG_LEVEL_INFO, "n=1.");
    log_close();
    return NULL;
}

static void ignore(int number)
{
    (void)number;
}

/* Signals, and then room. */
static void *disturb(void *context)
{
    const pthread_t *whom = context;
    for (int i = 0; i < 20; i++) {
        nap();
        (void)pthread_kill(*whom, SIGUSR1);
    }
    return (void *)(uintptr_t)read_filler();
}

/* There is room for a part of the line when the first signal comes. */
static const char *signals_come(bool to_stderr)
{
    enum { ROOM = 4096 };
    char text[LINE_LONGEST + 1], line[2 * LINE_LONGEST];
    static pthread_t self;
    pthread_t other;
    void *fault = NULL;
    self = pthread_self();
    if (!make_full_pipe(to_stderr) || read(pipe_of.read_end, text, ROOM - 1) != ROOM - 1 ||
        read(pipe_of.read_end, text, 1) != 1)
        return "no pipe";
    pipe_of.filled -= ROOM;
    (void)sigaction(SIGUSR1, &(struct sigaction){.sa_handler = ignore}, NULL);
    if (pthread_create(&other, NULL, disturb, &self) != 0)
        return "no thread";
    memset(text, 'x', LINE_LONGEST);
    text[LINE_LONGEST] = '\0';
    log_line(LOG_LEVEL_INFO, "%s", text);
    (void)pthread_join(other, &fault);
    if (fault)
        return fault;
    read_line(line, sizeof line);
    static const char prefix[] = "sendas-milter: info: ";
    if (strncmp(line, prefix, sizeof prefix - 1) != 0 ||
        strcmp(line + sizeof prefix - 1, text) != 0)
        return "the line is not whole";
    return NULL;
}

static const struct blocked_row blocked_rows[] = {
    {"blocked FIFO: log_line() goes on, what is lost is counted once", never_blocks, false},
    {"blocked stderr: log_line() goes on, what is lost is counted once", never_blocks, true},
    {"blocked FIFO: nothing is lost that may wait", all_that_wait, false},
    {"blocked stderr: nothing is lost that may wait", all_that_wait, true},
    {"blocked FIFO: log_close() gives up", close_gives_up, false},
    {"blocked stderr: log_close() gives up", close_gives_up, true},
    {"blocked FIFO: log_close() waits for what is read in time", close_waits, false},
    {"blocked stderr: log_close() waits for what is read in time", close_waits, true},
    {"FIFO without reader: log_line() goes on while the file is opened anew", reopen_hangs, false},
    {"stderr of a log that is not open: signals do not tear a line", signals_come, true},
    {"FIFO whose reader leaves does not end the process", reader_leaves, false},
    {"stderr whose reader leaves does not end the process", reader_leaves, true},
};

static void run_blocked(void **state)
{
    const struct blocked_row *row = *state;
    int status;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(PATIENCE_S);
        const char *fault = row->run(row->to_stderr);
        if (fault)
            (void)dprintf(STDOUT_FILENO, "# %s\n", fault);
        _exit(fault ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    if (make_place() != 0)
        return 99;
    ROWS_ADD(level_rows, run_level);
    ROWS_ADD(text_rows, run_text);
    ROWS_ADD(length_rows, run_length);
    ROWS_ADD(unopened_rows, run_unopened);
    ROWS_ADD_TEST("lines before and after go to standard error at once", test_outside);
    ROWS_ADD_TEST("a file is appended to, not for everybody, and no program inherits it",
                  test_file);
    ROWS_ADD_TEST("log_close() writes what is queued, in order", test_close_writes);
    ROWS_ADD(reopen_rows, run_reopen);
    ROWS_ADD_TEST("reopen: without further lines", test_reopen_without_lines);
    ROWS_ADD_TEST("reopen: standard error stays", test_reopen_stderr);
    ROWS_ADD_TEST("the writer blocks all signals, the caller as before", test_signals);
    ROWS_ADD(threads_rows, run_threads);
    ROWS_ADD(blocked_rows, run_blocked);
    int failed = rows_main();
    return remove_place() == 0 ? failed : 99;
}
