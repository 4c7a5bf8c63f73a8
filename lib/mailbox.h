/*
 * mailbox - the value of From or Sender as a list of mailboxes (RFC 5322 section 3.4)
 *
 * Use: mailbox_parse() with the value of one field, folds as the MTA sent them (LF, white space).
 *   One reading only: where a reasonable mail client could show another address than the one
 *   found here, the list is malformed.
 * Memory: strings live in the arena given, spans point into the text given.
 * Failure: MAILBOX_MALFORMED and MAILBOX_GROUP leave *out with the mailboxes that were read before
 *   the fault (for the log only); why says what was wrong.
 * Threads: no shared state.
 * Depends on: addr.
 */
#ifndef SENDAS_MAILBOX_H
#define SENDAS_MAILBOX_H

#include "addr.h"

enum {
    MAILBOX_LINE_MAX = 998, /* octets in a line, RFC 5322 section 2.1.1 */
    MAILBOX_LIST_MAX = 1000,
    MAILBOX_COMMENT_DEPTH = 50,
};

struct mailbox {
    struct addr addr;
    struct span text; /* the whole list element as it stands, name and comments included */
    struct span name; /* the phrase before the angle brackets as it stands, comments in it too;
                         empty where there is none, or the address itself stands there */
    const struct span *comments; /* with their parentheses; those that belong to no mailbox stand
                                    with the next one, or the last. None in a malformed list */
    size_t comment_count;
};

struct mailbox_list {
    struct mailbox *items;
    size_t count;
};

enum mailbox_status {
    MAILBOX_OK,        /* one mailbox or more */
    MAILBOX_BLANK,     /* nothing but white space */
    MAILBOX_GROUP,     /* well formed, but with a group (RFC 6854) */
    MAILBOX_MALFORMED, /* everything else, no mailbox at all included */
};

/* name_len is the length of the field name as it stood before the colon: the first line is
 * measured with name, colon and blank. */
enum mailbox_status mailbox_parse(struct arena *a, const struct addr_rules *rules, size_t name_len,
                                  struct span value, struct mailbox_list *out,
                                  struct errtext *why) MUST_USE;

#endif
