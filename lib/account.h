/*
 * account - what the directories say about one login
 *
 * Use: a directory fills an account_answer (dir.h); the decision reads it.
 * Memory: an answer is counted; account_answer_create() gives one reference and an arena for what
 *   the answer holds. The strings of a grant may belong to the directory instead, which outlives
 *   the answers that it gave.
 * Threads: the count is atomic; the rest is written before the answer is handed over.
 * Depends on: grant.
 */
#ifndef SENDAS_ACCOUNT_H
#define SENDAS_ACCOUNT_H

#include "grant.h"

#include <stdint.h>

/* Four outcomes that stay apart to the end. Zero is the one that claims nothing. */
enum account_status {
    ACCOUNT_UNAVAILABLE,   /* no answer in time: neither yes nor no */
    ACCOUNT_MISCONFIGURED, /* an answer that cannot be right */
    ACCOUNT_UNKNOWN,       /* every directory asked says: no such login */
    ACCOUNT_FOUND,
};

enum account_state { ACCOUNT_ENABLED, ACCOUNT_DISABLED };

/* Who it is in one directory. */
struct account_source {
    const char *directory;
    const char *entry; /* DN, or the file's owner */
};

struct account {
    const char *name;    /* canonical */
    const char *entry;   /* DN, or the file's name */
    const char *primary; /* primary address, NULL where the directory names none */
    enum account_state state;
    const struct grant_list *lists; /* what it may use */
    size_t list_count;
    const struct grant_list *denies; /* what it may not use, whatever the lists say */
    size_t deny_count;
    const char *const *limits; /* values of the limits attribute, as they stand there */
    size_t limit_count;
    /* What it is in each directory that knows it. Of an answer to DIR_ASK_OWNERS: all who own the
     * address. */
    const struct account_source *sources;
    size_t source_count;
};

struct account_kept; /* another answer that lives as long as this one */

struct account_answer {
    struct arena *arena;
    enum account_status status;
    struct account account; /* where status is ACCOUNT_FOUND */
    const char *why;        /* for the log, where it is not */
    bool fresh;             /* may a permanent refusal rest on it? */
    /* Another directory was asked too and did not answer: what is granted here counts, what is
     * not granted is not known. ACCOUNT_FOUND where all answered. */
    enum account_status missing;
    /* There may be denies that are not here: no grant suffices. A directory says so of its own
     * answer, the front of those that did not answer. */
    bool denies_missing;
    uint64_t asked_at;         /* clock_now() when the data was read */
    unsigned refs;             /* by account_answer_ref() and _unref() only */
    struct account_kept *kept; /* by account_answer_keep() only */
};

struct account_answer *account_answer_create(void) MUST_USE;
struct account_answer *account_answer_ref(struct account_answer *answer);
void account_answer_unref(struct account_answer *answer); /* NULL is fine */
/* What part holds may be pointed to by answer: takes a reference that answer gives back at its
 * end. Before answer is handed over. */
void account_answer_keep(struct account_answer *answer, struct account_answer *part);

#endif
