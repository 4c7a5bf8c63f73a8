/*
 * dir_cache - a directory that remembers what another one said
 *
 * A decorator: an ordinary backend that answers from memory, and asks the inner one for the rest.
 * What is kept: "found" for ttl, "unknown" for negative_ttl, each from the moment when it was
 *   asked. Unavailable, misconfigured, answers of which a part is missing, and those that are not
 *   fresh when they come are never kept. They do not push out what is remembered either.
 * Joined: equal questions that are under way at the same time are one question to the inner
 *   directory, and all get its answer. Equal: of the same principal, as far as the inner
 *   directory looks at it (uses_client, uses_cert), or of the same addresses.
 * Fresh: an answer that this question's own (or joined) search brought is as fresh as the inner
 *   directory says, whatever its age when it is looked at; a remembered one is fresh for
 *   negative_ttl. A question that wants a fresh answer (dir_question.fresh) is not answered
 *   by one that is not: it joins a search that is under way, or asks the inner directory again,
 *   once a login and negative_ttl, and recheck_count times a recheck_period in all; over either
 *   rate it gets the remembered answer as it is, not fresh. What is not remembered is asked
 *   without regard to these rates.
 * Bounded: entries at most; unknown logins have a quarter of the room to themselves, so that
 *   made-up logins cannot push out real ones. The least recently used goes first.
 *
 * Locking: one mutex for table, lists and questions under way. It is never held while the inner
 *   directory works or a ticket is answered.
 * Use: dir_cache_create() around a backend, then dir_add().
 * Memory: takes inner over, its name, domains, merge and has_denies too. conf is copied.
 * Failure: NULL where the kernel has no random numbers; inner is gone then too.
 * Threads: as dir.h says.
 * Depends on: dir, cachekey, keyhash, uthash.
 */
#ifndef SENDAS_DIR_CACHE_H
#define SENDAS_DIR_CACHE_H

#include "dir.h"

struct dir_cache_conf {
    uint64_t ttl, negative_ttl; /* ns; 0: nothing is kept */
    unsigned entries;
    unsigned recheck_count;  /* 0: never */
    uint64_t recheck_period; /* ns */
    const struct clock *clock;
};

struct dir_backend *dir_cache_create(struct dir_backend *inner,
                                     const struct dir_cache_conf *conf) MUST_USE;

/* Every question is one of the first five. */
struct dir_cache_counts {
    uint64_t hits;     /* answered from memory */
    uint64_t misses;   /* asked: nothing was remembered */
    uint64_t joined;   /* became part of a search that was under way */
    uint64_t rechecks; /* asked: what was remembered was not fresh enough */
    uint64_t limited;  /* the same, but over a rate: answered from memory, not fresh */
    uint64_t evicted;  /* for want of room */
    unsigned entries, negative_entries;
};
void dir_cache_counts(struct dir_backend *cache, struct dir_cache_counts *out);

#endif
