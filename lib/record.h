/*
 * record - the one line that a decision leaves in the log
 *
 * Use: session fills a struct record, record_text() or record_json() writes it.
 * Form: key=value, blanks between, values with a blank, '"', '=' or non-printable byte in double
 *   quotes with backslash escapes: whatever a client typed, one decision stays one line.
 * Depends on: policy, amend, strbuf, jansson.
 */
#ifndef SENDAS_RECORD_H
#define SENDAS_RECORD_H

#include "amend.h"
#include "strbuf.h"

struct record {
    const char *event;    /* "mail", "rcpt", "message" */
    const char *queue_id; /* NULL where the MTA has given none yet */
    const char *client_addr, *client_name, *listener, *port;
    const struct policy *policy;
    const struct facts *facts;
    const struct decision *decision;
    const struct change_list *changes;
    unsigned recipients; /* accepted so far */
    unsigned recipients_refused;
    uint64_t age_us;    /* of the directory's answer */
    uint64_t spent_us;  /* in our callbacks, this message so far */
    uint64_t waited_us; /* of it, waiting for a directory */
};

void record_text(const struct record *record, struct strbuf *out);
void record_json(const struct record *record, struct strbuf *out);

#endif
