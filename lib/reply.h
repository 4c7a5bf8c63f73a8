/*
 * reply - a verdict as SMTP text
 *
 * Use: reply_make() for a decision that is not accept. Placeholders of a template: %{address}
 *   (what was refused), %{login}, %{help_url}, %{reason}.
 * Result: one line of printable ASCII below REPLY_TEXT_MAX octets that starts with the reason's
 *   identifier. Other bytes become '?'; the edge doubles '%' for the MTA.
 * Memory: the text lives in the arena given.
 * Depends on: policy, reason.
 */
#ifndef SENDAS_REPLY_H
#define SENDAS_REPLY_H

#include "policy.h"

enum { REPLY_TEXT_MAX = 200 };

/* The `reply` blocks and help_url; a NULL text means the reason's default. */
struct reply_texts {
    const char *texts[REASON_COUNT];
    const char *help_url; /* itself a template, NULL for none */
};

struct reply {
    const char *code;     /* "550" */
    const char *enhanced; /* "5.7.1" */
    const char *text;
};

/* stage: a 553 becomes 550 at the end of the message (RFC 5321 section 4.3.2). */
void reply_make(struct arena *a, const struct reply_texts *texts, const struct decision *decision,
                const struct facts *facts, struct reply *out);
/* Checks a template for -t: known placeholders, ASCII, one line. */
bool reply_check_template(const char *text, struct errtext *why) MUST_USE;

#endif
