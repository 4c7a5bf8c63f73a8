/*
 * reply - a verdict as SMTP text
 *
 * Use: reply_make() for a decision that is not accept. Placeholders of a template: %{address}
 *   (what was refused), %{login}, %{help_url}, %{reason}. A line end in a template begins the next
 *   line of the reply.
 * Result: 1 to REPLY_LINES_MAX lines of printable ASCII, none of them blank, each below
 *   REPLY_TEXT_MAX octets. The first one begins with the reason's identifier, unless the template
 *   places that itself in its first line. Other bytes become '?'; the edge doubles '%' for the MTA.
 *   help_url ends a default text, or stands in a second line where the first has no room for it.
 * Memory: the lines live in the arena given.
 * Depends on: policy, reason.
 */
#ifndef SENDAS_REPLY_H
#define SENDAS_REPLY_H

#include "policy.h"

enum { REPLY_TEXT_MAX = 200, REPLY_LINES_MAX = 4 };

/* The `reply` blocks and help_url; a NULL text means the reason's default. */
struct reply_texts {
    const char *texts[REASON_COUNT];
    const char *help_url; /* itself a template, NULL for none */
};

struct reply {
    const char *code;     /* "550" */
    const char *enhanced; /* "5.7.1" */
    const char *lines[REPLY_LINES_MAX];
    size_t line_count;
};

/* stage: a 553 becomes 550 at the end of the message (RFC 5321 section 4.3.2). */
void reply_make(struct arena *a, const struct reply_texts *texts, const struct decision *decision,
                const struct facts *facts, struct reply *out);
/* Checks a template for -t: known placeholders, ASCII, lines that are few, short and not blank. */
bool reply_check_template(const char *text, struct errtext *why) MUST_USE;
/* The same for a template that must be one line, or empty: help_url. */
bool reply_check_line(const char *text, struct errtext *why) MUST_USE;

#endif
