/*
 * report - does a header look like a report or an automatic answer?
 *
 * A null sender is for delivery status notifications (RFC 3464), message disposition
 * notifications (RFC 8098) and automatic replies (RFC 3834).
 * Threads: no shared state.
 * Depends on: span.
 */
#ifndef SENDAS_REPORT_H
#define SENDAS_REPORT_H

#include "span.h"

/* Content-Type: multipart/report with report-type delivery-status or disposition-notification. */
bool report_content_type(struct span value);
/* Auto-Submitted: any keyword but "no". */
bool report_auto_submitted(struct span value);

#endif
