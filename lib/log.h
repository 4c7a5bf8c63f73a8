/*
 * log - where the daemon's lines go, without ever blocking a callback
 *
 * Use: log_open() once, log_line() from anywhere, log_close() at the end. Before log_open(), and
 *   after log_close(), lines go to standard error at once.
 * How: lines enter a bounded ring that one thread empties; where the sink is slower than we are,
 *   lines are dropped and their number is logged as soon as there is room.
 * Threads: any. The writer thread blocks all signals.
 * Bound: a line is at most 16,383 octets; a longer one ends in "...".
 * Depends on: errtext, libc; libsystemd for the journal.
 */
#ifndef SENDAS_LOG_H
#define SENDAS_LOG_H

#include "attr.h"
#include "errtext.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO };

/* target: "syslog" (facility mail), "stderr", "journal" or the path of a file to append to. */
bool log_open(const char *target, struct errtext *why) MUST_USE;
/* Writes what is queued, at most for two seconds. */
void log_close(void);
/* A file target is opened anew, for log rotation. */
void log_reopen(void);
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
