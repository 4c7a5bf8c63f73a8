#include "daemon.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

static int fault(int code, struct errtext *why, const char *what, const char *name)
{
    errtext_set(why, "%s %s: %s", what, name, strerror(errno));
    return code;
}

/* ---- the process ---- */

void daemon_open_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

static int parent_waits = -1;

NORETURN static void wait_for_child(pid_t child, int from_child)
{
    char ready;
    int status = 0;
    ssize_t got;
    do
        got = read(from_child, &ready, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(EX_OK);
    pid_t gone;
    do
        gone = waitpid(child, &status, 0);
    while (gone < 0 && errno == EINTR);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

int daemon_detach(struct errtext *why)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault(EX_OSERR, why, "cannot make", "a pipe");
    pid_t child = fork();
    if (child < 0)
        return fault(EX_OSERR, why, "cannot", "fork");
    if (child > 0) {
        (void)close(ends[1]);
        wait_for_child(child, ends[0]);
    }
    (void)close(ends[0]);
    (void)setsid();
    parent_waits = ends[1];
    return 0;
}

void daemon_detached(bool keep_stderr)
{
    if (parent_waits < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < (keep_stderr ? STDERR_FILENO : STDERR_FILENO + 1); fd++)
        (void)dup2(null, fd);
    if (null >= 0)
        (void)close(null);
    (void)!write(parent_waits, "", 1); /* a parent that is gone waits no longer */
    (void)close(parent_waits);
    parent_waits = -1;
}

size_t daemon_raise_descriptors(void)
{
    enum { USUAL = 1024 }; /* where a sandbox does not let us ask */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return USUAL;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

/* ---- user ---- */

int daemon_user_find(const char *name, struct daemon_user *out, struct errtext *why)
{
    struct daemon_user user = {.name = name};
    if (geteuid() != 0) {
        *out = user;
        return 0;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(name); /* no other thread is up yet */
    if (!entry) {
        errtext_set(why, "user = \"%s\": there is no such user; create it, or set another", name);
        return EX_CONFIG;
    }
    user.uid = entry->pw_uid;
    user.gid = entry->pw_gid;
    user.change = user.uid != 0;
    *out = user;
    return 0;
}

static bool became(const struct daemon_user *user)
{
    return getuid() == user->uid && geteuid() == user->uid && getgid() == user->gid &&
           getegid() == user->gid && setuid(0) != 0;
}

int daemon_user_become(const struct daemon_user *user, struct errtext *why)
{
    if (!user->change)
        return 0;
    if (initgroups(user->name, user->gid) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        return fault(EX_OSERR, why, "cannot become user", user->name);
    if (!became(user)) {
        errtext_set(why, "cannot become user %s: privileges could be taken back", user->name);
        return EX_OSERR;
    }
    return 0;
}

/* ---- socket file ---- */

static const char *unix_path(const char *address)
{
    static const char *const prefixes[] = {"unix:", "local:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(address, prefixes[i], strlen(prefixes[i])) == 0)
            return address + strlen(prefixes[i]);
    return address[0] == '/' ? address : NULL;
}

/* The lock guards against two that start at once and both find the socket stale. It stays when
 * we end: a lock file that is removed can be held twice. */
static int take_lock(struct daemon_socket *s, const struct daemon_user *user, struct errtext *why)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s.lock", s->path) >= (int)sizeof name) {
        errtext_set(why, "socket: the path is too long");
        return EX_CONFIG;
    }
    s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return fault(EX_CANTCREAT, why, "cannot open the lock", name);
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        errtext_set(why, "another instance has %s: its lock %s is held", s->path, name);
        return EX_TEMPFAIL;
    }
    if (user->change && fchown(s->lock, user->uid, user->gid) != 0)
        return fault(EX_OSERR, why, "cannot give away", name);
    if (ftruncate(s->lock, 0) != 0 || dprintf(s->lock, "%ld\n", (long)getpid()) < 0)
        return fault(EX_IOERR, why, "cannot write", name);
    return 0;
}

/* What connect() says of the socket that is there; 0 is an answer. */
static int knock(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int said = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    (void)close(fd);
    return said;
}

static int clear_path(const char *path, struct errtext *why)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? 0 : fault(EX_CANTCREAT, why, "cannot look at", path);
    if (!S_ISSOCK(there.st_mode)) {
        errtext_set(why, "%s is there and is no socket: remove it, or set another socket", path);
        return EX_CANTCREAT;
    }
    int said = knock(path);
    if (said == ENOENT)
        return 0;
    if (said != ECONNREFUSED) {
        errtext_set(why, "%s is in use by another process (%s): stop it, or set another socket",
                    path, said ? strerror(said) : "it answers");
        return EX_TEMPFAIL;
    }
    return unlink(path) == 0 ? 0 : fault(EX_CANTCREAT, why, "cannot remove the stale socket", path);
}

int daemon_socket_claim(struct daemon_socket *s, const char *address, mode_t mode,
                        const struct daemon_user *user, struct errtext *why)
{
    *s = (struct daemon_socket){.lock = -1};
    (void)umask(077); /* for the lock */
    const char *path = unix_path(address);
    if (!path)
        return 0;
    s->path = xstrdup(path);
    int code = take_lock(s, user, why);
    if (code == 0)
        code = clear_path(path, why);
    if (code != 0)
        daemon_socket_remove(s);
    else
        (void)umask(0777 & ~mode);
    return code;
}

static int give_to_group(const char *path, const char *group, struct errtext *why)
{
    errno = 0;
    const struct group *entry = getgrnam(group); /* no other thread is up yet */
    if (!entry) {
        errtext_set(why, "socket_group = \"%s\": there is no such group", group);
        return EX_CONFIG;
    }
    if (lchown(path, (uid_t)-1, entry->gr_gid) != 0)
        return fault(EX_NOPERM, why, "cannot give the socket to group", group);
    return 0;
}

int daemon_socket_protect(struct daemon_socket *s, mode_t mode, const char *group,
                          struct errtext *why)
{
    (void)umask(077);
    if (!s->path)
        return 0;
    struct stat made;
    if (lstat(s->path, &made) != 0 || !S_ISSOCK(made.st_mode))
        return fault(EX_CANTCREAT, why, "lost the socket", s->path);
    s->dev = made.st_dev;
    s->ino = made.st_ino;
    int code = group ? give_to_group(s->path, group, why) : 0;
    if (code == 0 && chmod(s->path, mode) != 0)
        code = fault(EX_NOPERM, why, "cannot set the mode of", s->path);
    return code;
}

void daemon_socket_remove(struct daemon_socket *s)
{
    struct stat there;
    if (s->path && s->ino && lstat(s->path, &there) == 0 && there.st_dev == s->dev &&
        there.st_ino == s->ino)
        (void)unlink(s->path);
    if (s->lock >= 0)
        (void)close(s->lock);
    free(s->path);
    *s = (struct daemon_socket){.lock = -1};
}

/* ---- threads and signals ---- */

static int wakeup[2] = {-1, -1};
static volatile sig_atomic_t stop_wanted, reload_wanted;
static atomic_bool ended;

static void wake(void)
{
    int saved = errno;
    (void)!write(wakeup[1], "", 1); /* full means that it is awake already */
    errno = saved;
}

static void want_stop(int number)
{
    (void)number;
    stop_wanted = 1;
    wake();
}

static void want_reload(int number)
{
    (void)number;
    reload_wanted = 1;
    wake();
}

int daemon_signals_init(struct errtext *why)
{
    static const struct {
        int number;
        void (*handler)(int);
    } rows[] = {
        {SIGHUP, want_reload}, {SIGUSR1, want_reload}, {SIGTERM, want_stop}, {SIGINT, want_stop}};
    sigset_t ours;
    if (pipe2(wakeup, O_CLOEXEC | O_NONBLOCK) != 0)
        return fault(EX_OSERR, why, "cannot make", "a pipe");
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sigaction action = {.sa_handler = rows[i].handler, .sa_flags = SA_NODEFER};
        (void)sigaction(rows[i].number, &action, NULL);
        (void)sigaddset(&ours, rows[i].number);
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

int daemon_thread_create(pthread_t *thread, void *(*run)(void *), void *arg, struct errtext *why)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errno == 0 ? 0 : fault(EX_OSERR, why, "cannot start", "a thread");
}

int daemon_thread_stacks(size_t size, struct errtext *why)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    errno = pthread_attr_setstacksize(&attributes, size);
    if (errno == 0)
        errno = pthread_setattr_default_np(&attributes);
    (void)pthread_attr_destroy(&attributes);
    return errno == 0 ? 0 : fault(EX_OSERR, why, "cannot set", "the size of stacks");
}

static void sleep_until_woken(void)
{
    struct pollfd end = {.fd = wakeup[0], .events = POLLIN};
    char bytes[64];
    ssize_t got;
    (void)poll(&end, 1, -1);
    do
        got = read(wakeup[0], bytes, sizeof bytes);
    while (got > 0);
}

enum daemon_event daemon_wait(void)
{
    for (;;) {
        if (stop_wanted)
            return DAEMON_STOP;
        if (atomic_load(&ended))
            return DAEMON_ENDED;
        if (reload_wanted) {
            reload_wanted = 0;
            return DAEMON_RELOAD;
        }
        sleep_until_woken();
    }
}

void daemon_wake_ended(void)
{
    atomic_store(&ended, true);
    wake();
}

/* ---- service manager ---- */

void daemon_notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void daemon_notify_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                     (unsigned long long)now.tv_sec * 1000000 +
                         (unsigned long long)now.tv_nsec / 1000);
}

void daemon_notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}
