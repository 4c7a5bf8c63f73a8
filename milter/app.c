#include "app.h"
#include "callbacks.h"
#include "clock.h"
#include "conf.h"
#include "daemon.h"
#include "log.h"
#include "record.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum { STACK_SIZE = 512 * 1024 };

struct app {
    const char *file; /* we never change directory, so a reload finds it too */
    bool foreground;
    struct conf *conf; /* the one in force */
    struct daemon_user user;
    struct daemon_socket socket;
    struct snapshot_slot slot;
    struct session_host host;
    atomic_bool log_json;
};

const char *app_version(void)
{
    return PACKAGE_VERSION;
}

/* ---- configuration ---- */

static void report_to_log(void *context, enum conf_severity severity, const char *file,
                          unsigned line, const char *text)
{
    (void)context;
    enum log_level level = severity == CONF_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR;
    const char *kind = severity == CONF_WARNING ? "warning: " : "";
    if (line > 0)
        log_line(level, "%s:%u: %s%s", file, line, kind, text);
    else
        log_line(level, "%s: %s%s", file, kind, text);
}

/* ---- the decision log ---- */

static void log_decision(void *context, const struct record *record)
{
    struct app *app = context;
    struct arena *a = arena_create();
    struct strbuf line;
    strbuf_init(&line, a);
    if (atomic_load(&app->log_json))
        record_json(record, &line);
    else
        record_text(record, &line);
    log_line(LOG_LEVEL_INFO, "%s", line.text);
    arena_destroy(a);
}

static void log_policy(void *context, const char *text)
{
    (void)context;
    log_line(LOG_LEVEL_NOTICE, "%s", text);
}

/* ---- reload ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The option that differs and that only a start can change, NULL for none. */
static const char *fixed_option_changed(const struct conf_daemon *old,
                                        const struct conf_daemon *new)
{
    if (!same_text(old->socket, new->socket))
        return "socket";
    if (old->socket_mode != new->socket_mode)
        return "socket_mode";
    if (!same_text(old->socket_group, new->socket_group))
        return "socket_group";
    if (!same_text(old->user, new->user))
        return "user";
    if (old->refuse_at_mail != new->refuse_at_mail)
        return "refuse_at";
    return same_text(old->log, new->log) ? NULL : "log";
}

/* The table of the policies comes with every configuration that takes effect. */
static void put_in_force(struct app *app, struct conf *conf)
{
    conf_free(app->conf);
    app->conf = conf;
    atomic_store(&app->log_json, conf->daemon.log_json);
    snapshot_publish(&app->slot, conf_take_snapshot(conf));
    struct snapshot *now = snapshot_get(&app->slot);
    log_line(LOG_LEVEL_NOTICE, "configuration %s in force, generation %u", app->file,
             now->generation);
    conf_print_policies(now, log_policy, NULL);
    snapshot_unref(now);
}

static void try_reload(struct app *app)
{
    struct conf *conf = conf_load(app->file, report_to_log, NULL);
    if (!conf) {
        log_line(LOG_LEVEL_ERROR, "reload: %s has faults, nothing was changed", app->file);
        return;
    }
    const char *option = fixed_option_changed(&app->conf->daemon, &conf->daemon);
    if (option) {
        log_line(LOG_LEVEL_ERROR, "reload: %s differs, which needs a restart; nothing was changed",
                 option);
        conf_free(conf);
        return;
    }
    put_in_force(app, conf);
}

static void reload(struct app *app)
{
    daemon_notify_reloading();
    log_reopen();
    try_reload(app);
    daemon_notify_ready();
}

/* ---- start ---- */

static int find_user(struct app *app, struct errtext *why)
{
    const struct conf_daemon *d = &app->conf->daemon;
    int code = daemon_user_find(d->user, &app->user, why);
    if (code == EX_CONFIG && d->user_is_default && app->foreground) {
        log_line(LOG_LEVEL_WARNING, "there is no user %s: going on as root", d->user);
        return EX_OK;
    }
    return code;
}

/* All that needs privileges, then no privileges any more. */
static int open_socket(struct app *app, struct errtext *why)
{
    const struct conf_daemon *d = &app->conf->daemon;
    app->host = (struct session_host){
        .slot = &app->slot,
        .clock = &clock_real,
        .decided = log_decision,
        .context = app,
        .refuse_at_mail = d->refuse_at_mail,
    };
    struct callbacks_conf callbacks = {
        .socket = d->socket,
        .host = &app->host,
        .descriptors = daemon_raise_descriptors(),
    };
    int code = daemon_socket_claim(&app->socket, d->socket, d->socket_mode, &app->user, why);
    if (code == 0 && !callbacks_open(&callbacks, why))
        code = EX_UNAVAILABLE;
    if (code == 0)
        code = daemon_socket_protect(&app->socket, d->socket_mode, d->socket_group, why);
    return code == 0 ? daemon_user_become(&app->user, why) : code;
}

static void *serve(void *arg)
{
    (void)arg;
    callbacks_run();
    daemon_wake_ended();
    return NULL;
}

static int start_serving(struct errtext *why)
{
    pthread_t thread;
    int code = daemon_thread_stacks(STACK_SIZE, why);
    if (code == 0)
        code = daemon_thread_create(&thread, serve, NULL, why);
    return code == 0 && pthread_detach(thread) != 0 ? EX_OSERR : code;
}

static int start(struct app *app, struct errtext *why)
{
    int code = find_user(app, why);
    if (code == 0)
        code = open_socket(app, why);
    if (code != 0)
        return code;
    const char *log = app->foreground ? "stderr" : app->conf->daemon.log;
    if (!log_open(log, why))
        return EX_CANTCREAT;
    log_line(LOG_LEVEL_NOTICE, "sendas-milter %s on %s", PACKAGE_VERSION, app->conf->daemon.socket);
    struct conf *conf = app->conf;
    app->conf = NULL;
    put_in_force(app, conf);
    code = start_serving(why);
    if (code != 0)
        return code;
    daemon_detached(strcmp(log, "stderr") == 0);
    daemon_notify_ready();
    return EX_OK;
}

/* ---- end ---- */

/* libmilter is not asked to stop: its workers would leave open sessions without an answer just
 * the same, smfi_stop() waits for a listener that looks up every five seconds, and it removes
 * whatever socket has our name by then. The end of the process closes all. */
static int stop(struct app *app, int code)
{
    static const struct timespec for_last_replies = {.tv_nsec = 20000000L};
    daemon_notify_stopping();
    log_line(LOG_LEVEL_NOTICE, "stopping");
    daemon_socket_remove(&app->socket);
    if (!callbacks_stop(5 * CLOCK_S)) {
        log_line(LOG_LEVEL_WARNING, "a command is still being answered: it will go unanswered");
        log_close();
        _exit(code);
    }
    (void)nanosleep(&for_last_replies, NULL);
    return code;
}

static int serve_until_stopped(struct app *app)
{
    for (;;) {
        switch (daemon_wait()) {
        case DAEMON_RELOAD:
            reload(app);
            break;
        case DAEMON_STOP:
            return stop(app, EX_OK);
        case DAEMON_ENDED:
            log_line(LOG_LEVEL_ERROR, "libmilter ended by itself; see the system's log");
            return stop(app, EX_SOFTWARE);
        }
    }
}

static int run(struct app *app)
{
    struct errtext why = {""};
    int code = daemon_signals_init(&why);
    if (code == 0) {
        app->conf = conf_load(app->file, report_to_log, NULL);
        code = app->conf ? start(app, &why) : EX_CONFIG;
    }
    if (code == 0)
        return serve_until_stopped(app);
    if (*why.text)
        log_line(LOG_LEVEL_ERROR, "%s", why.text);
    daemon_socket_remove(&app->socket);
    return code;
}

int app_run(const struct app_options *options)
{
    struct app app = {
        .file = options->file,
        .foreground = options->foreground,
        .socket = {.lock = -1},
    };
    struct errtext why = {""};
    daemon_open_stdio();
    if (!options->foreground && daemon_detach(&why) != 0) {
        (void)fprintf(stderr, "sendas-milter: %s\n", why.text);
        return EX_OSERR;
    }
    snapshot_slot_init(&app.slot);
    int code = run(&app);
    conf_free(app.conf);
    snapshot_slot_clear(&app.slot);
    log_close();
    return code;
}
