/*
 * conf - the configuration file: from text to a snapshot, or to a list of what is wrong with it
 *
 * Use: conf_load() at start, for -t and for a reload; then read conf->daemon and take
 *   conf->snapshot. The only user of libConfuse.
 * Memory: conf_free() takes NULL; it lets the snapshot go unless conf_take_snapshot() took it.
 * Failure: NULL, and one call of report() a fault. All faults of meaning are reported in one run;
 *   a fault of syntax ends it. Warnings are reported too and do not fail.
 * Threads: one at a time in the process (the scanner of libConfuse has static state).
 * Depends on: snapshot, dir_file, and the structs that the other modules own.
 */
#ifndef SENDAS_CONF_H
#define SENDAS_CONF_H

#include "dir_cache.h"
#include "dir_ldap.h"
#include "snapshot.h"

#include <sys/types.h>

#define CONF_DEFAULT_FILE   "/etc/sendas-milter/sendas-milter.conf"
#define CONF_DEFAULT_SOCKET "/run/sendas-milter/milter.sock"
#define CONF_DEFAULT_USER   "sendas-milter"

/* What only the daemon's edge needs. Strings live in the conf. */
struct conf_daemon {
    const char *socket; /* libmilter form; a plain path is given "unix:" */
    mode_t socket_mode;
    const char *socket_group; /* NULL for none */
    const char *user;
    bool user_is_default; /* not set in the file */
    const char *log;      /* see log_open() */
    bool log_json;
    bool refuse_at_mail;
    unsigned max_waiting;
};

/* What a block of type ldap came to. */
struct conf_ldap {
    struct dir_ldap_conf directory;
    struct dir_cache_conf cache;
};

struct conf {
    struct arena *arena;
    struct conf_daemon daemon;
    struct snapshot *snapshot;
    const struct conf_ldap *ldaps; /* for conf_probe(); they live in the snapshot */
    size_t ldap_count;
};

enum conf_severity { CONF_ERROR, CONF_WARNING };

/* line 0: the whole file is meant. text says what is wrong and what would be right. */
typedef void conf_report(void *context, enum conf_severity severity, const char *file,
                         unsigned line, const char *text);

struct conf *conf_load(const char *file, conf_report *report, void *context) MUST_USE;
struct snapshot *conf_take_snapshot(struct conf *conf) MUST_USE;
void conf_free(struct conf *conf);

/* Connects to every LDAP server, binds, and looks for the base and the attribute types; a line
 * each. Before the snapshot is taken. The worst of LINK_OK, LINK_DOWN and LINK_WRONG. */
enum link_status conf_probe(const struct conf *conf, void (*line)(void *context, const char *text),
                            void *context);

/* One line a policy and check, as the start prints it. */
void conf_print_policies(const struct snapshot *snapshot,
                         void (*line)(void *context, const char *text), void *context);

#endif
