/*
 * conf_scan - what libConfuse would read differently from what the admin sees
 *
 * libConfuse expands backslash escapes and ${ENV} in double quotes. Both would change a filter, a
 * DN or a password in silence, so they are faults; single quotes take everything as it stands. Only
 * \n in the text of a reply is what it seems. It also takes a block that never ends, which is a
 * fault too. It counts the lines of comments more than once, takes none within a list, and writes
 * past the end of some: so it gets the text without them. And it ends the process where a file
 * cannot be read, a directory for one.
 *
 * Use: conf_scan() with a file, and libConfuse with the text that comes out, which has the same
 *   lines.
 * Memory: the text is the caller's.
 * Failure: one report a fault, and false.
 * Depends on: strbuf.
 */
#ifndef SENDAS_CONF_SCAN_H
#define SENDAS_CONF_SCAN_H

#include "attr.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdio.h>

typedef void conf_scan_report(void *context, const char *file, unsigned line, const char *what);

bool conf_scan(const char *file, struct strbuf *text, conf_scan_report *report,
               void *context) MUST_USE;

/* A regular file, to read; NULL and errno for anything else. A FIFO would hang a reload, a device
 * fill the memory. */
FILE *conf_scan_open(const char *file) MUST_USE;

#endif
