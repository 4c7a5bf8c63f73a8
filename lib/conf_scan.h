/*
 * conf_scan - what libConfuse would read differently from what the admin sees
 *
 * libConfuse expands backslash escapes and ${ENV} in double quotes. Both would change a filter, a
 * DN or a password in silence, so they are faults; single quotes take everything as it stands. Only
 * \n in the text of a reply is what it seems. libConfuse also takes a block that never ends, which
 * is a fault too.
 *
 * Use: conf_scan() with a file before libConfuse reads it.
 * Failure: one report a fault, and false.
 * Depends on: span.
 */
#ifndef SENDAS_CONF_SCAN_H
#define SENDAS_CONF_SCAN_H

#include "attr.h"

#include <stdbool.h>

typedef void conf_scan_report(void *context, const char *file, unsigned line, const char *what);

bool conf_scan(const char *file, conf_scan_report *report, void *context) MUST_USE;

#endif
