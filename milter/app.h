/*
 * app - the daemon as a whole: what is wired to what, reload, and the decision log
 *
 * Use: app_run(), which returns the process's exit code, sysexits(3): 0, 75 another instance has
 * the socket, 78 configuration, others as they fit. Reload: all or nothing. A file with a fault, or
 * a change to what only a start can change (socket, socket_mode, socket_group, user, refuse_at,
 * log), leaves everything as it is and says so in the log. Threads: app_run() takes the main
 * thread, which handles the signals and the reload. Depends on: everything.
 */
#ifndef SENDAS_APP_H
#define SENDAS_APP_H

#include <stdbool.h>

struct app_options {
    const char *file; /* the configuration */
    bool foreground;  /* stay, and log to standard error */
};

const char *app_version(void);
int app_run(const struct app_options *options);

#endif
