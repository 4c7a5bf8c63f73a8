/*
 * daemon - what a long-running process asks of the system: descriptors, a user, a socket file,
 *   signals, a parent or a service manager that waits for it
 *
 * Use, in this order: daemon_open_stdio(), daemon_detach() unless in the foreground,
 *   daemon_signals_init(), daemon_user_find(), daemon_socket_claim(), then the socket is opened by
 *   someone else, daemon_socket_protect(), daemon_user_become(), threads by
 *   daemon_thread_create(), daemon_detached(), daemon_wait() until DAEMON_STOP,
 *   daemon_socket_remove().
 * Result: 0, or an exit code of sysexits(3) and why.
 * Core dumps: the kernel allows none of a process that changed its user, and that is left so.
 * Threads: the main thread only, but for daemon_wake_ended().
 * Depends on: errtext, libsystemd.
 */
#ifndef SENDAS_DAEMON_H
#define SENDAS_DAEMON_H

#include "attr.h"
#include "errtext.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors 0 to 2 are open afterwards, so that no socket becomes one of them. */
void daemon_open_stdio(void);
/* Returns in the child only; the parent exits 0 at daemon_detached(), or with the child's code. */
int daemon_detach(struct errtext *why) MUST_USE;
/* Tells the parent, if there is one, and lets go of the terminal. */
void daemon_detached(bool keep_stderr);

/* Soft limit of open files up to the hard one; returns what it is then. */
size_t daemon_raise_descriptors(void);

/* ---- user ---- */

struct daemon_user {
    bool change; /* false: stay who we are */
    uid_t uid;
    gid_t gid;
    const char *name; /* the caller's */
};

/* A name that does not exist is EX_CONFIG. Without root nothing changes. */
int daemon_user_find(const char *name, struct daemon_user *out, struct errtext *why) MUST_USE;
int daemon_user_become(const struct daemon_user *user, struct errtext *why) MUST_USE;

/* ---- socket file ---- */

struct daemon_socket {
    char *path; /* NULL where the address is no unix socket */
    int lock;   /* PATH.lock, held as long as the process lives */
    dev_t dev;
    ino_t ino;
};

/* Takes the lock and removes a socket that nobody answers. A live one, or a lock that is held, is
 * EX_TEMPFAIL; a file that is no socket is EX_CANTCREAT. Sets the umask for the socket. */
int daemon_socket_claim(struct daemon_socket *s, const char *address, mode_t mode,
                        const struct daemon_user *user, struct errtext *why) MUST_USE;
/* After it was opened: mode, group (NULL for none), and a safe umask. */
int daemon_socket_protect(struct daemon_socket *s, mode_t mode, const char *group,
                          struct errtext *why) MUST_USE;
/* Only if it is still the one that was opened. Safe after a claim that failed. */
void daemon_socket_remove(struct daemon_socket *s);

/* ---- threads and signals ---- */

enum daemon_event { DAEMON_RELOAD, DAEMON_STOP, DAEMON_ENDED };

/* HUP and USR1 are DAEMON_RELOAD, TERM and INT are DAEMON_STOP, from now on. */
int daemon_signals_init(struct errtext *why) MUST_USE;
/* A thread that takes no signal, so that all of them come to the main thread. */
int daemon_thread_create(pthread_t *thread, void *(*run)(void *), void *arg,
                         struct errtext *why) MUST_USE;
/* Small stacks for all threads, those of libraries included. */
int daemon_thread_stacks(size_t size, struct errtext *why) MUST_USE;
/* Several signals of one kind may be one event. */
enum daemon_event daemon_wait(void);
/* From any thread: daemon_wait() returns DAEMON_ENDED. */
void daemon_wake_ended(void);

/* ---- service manager ---- */

void daemon_notify_ready(void);
void daemon_notify_reloading(void);
void daemon_notify_stopping(void);

#endif
