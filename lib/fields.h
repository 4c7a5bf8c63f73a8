/*
 * fields - the header fields that matter, kept as they come and read at the end of the message
 *
 * Kept: the first From (and how many there are), every Sender and Resent-*, bounded in number and
 *   size: over a bound is a fact (too_large), never a truncation. What stands behind max_headers
 *   is counted, and that is all; that there is one that pretends to be ours is noted.
 * Noted: what tells a report or a list, Reply-To, fields that pretend to be one of ours, and for an
 *   outsider the results of Authentication-Results that a trusted host wrote: those of trusted_id
 *   above the first Received.
 *
 * Use: fields_create() at MAIL, fields_add() every field in order, fields_read() once at the end.
 * Memory: everything lives in the arena given.
 * Failure: none.
 * Threads: one message, one at a time.
 * Depends on: facts, domset, report, authres, utext.
 */
#ifndef SENDAS_FIELDS_H
#define SENDAS_FIELDS_H

#include "domset.h"
#include "facts.h"

/* All must live as long as the fields do. */
struct fields_conf {
    const struct addr_rules *address;
    const struct domset *local_domains;
    unsigned max_headers;
    size_t max_header_size;
    bool authenticated;       /* names beside addresses are read for who proved something */
    const char *own_names[2]; /* fields of these names pretend to be ours; NULL for none */
    const char *own_id;       /* so does Authentication-Results of this id; NULL for none */
    const char *trusted_id;   /* whose results count for an outsider; NULL for nobody's */
};

struct fields *fields_create(struct arena *a, const struct fields_conf *conf) MUST_USE;
/* name and value as they stood: blanks before the colon, folds and all, but without the one blank
 * behind the colon. */
void fields_add(struct fields *f, const char *name, const char *value);
/* Fills what struct facts has of header fields. out->sender is there already. */
void fields_read(struct fields *f, struct facts *out);

#endif
