/*
 * dir - the directory front: which grants has this principal? who owns this address?
 *
 * Use: dir_start() when the principal is known, without waiting; dir_join() where the answer is
 *   first needed; then dir_lookup_release(). A lookup that is never joined is released all the
 * same. Backends: a struct dir_backend as first member of an own struct, with two functions. A
 * backend answers by dir_ticket_done(), at once or later, from any thread, exactly once a ticket.
 *   dir_file is the small example; dir_fail and dir_slow are backends for tests.
 * Decorators: a backend around another one, such as dir_cache. It asks the inner one by
 *   dir_backend_ask(), which brings it an answer that it may hand to many tickets.
 * Fresh: whether a permanent refusal may rest on an answer. A question may ask for that; a backend
 *   that always reads anew need not look at it. It is the ticket's, not the answer's: one answer
 *   is fresh for the question that brought it and may not be for the one that finds it later.
 * Memory: dir owns its backends. A dir is counted with the configuration that holds it; tickets
 *   that are still out keep their lookup alive, and dir_destroy() has the backends answer them.
 * Failure: the four statuses of account.h. Never turned into one another; where several
 *   directories were asked, the front adds their grants up and says what is missing.
 * Threads: everything here may be called from any thread. No lock is held while a backend works
 *   or a caller waits for another lookup.
 * Depends on: account, principal, clock.
 */
#ifndef SENDAS_DIR_H
#define SENDAS_DIR_H

#include "account.h"
#include "clock.h"
#include "principal.h"

struct dir;        /* the front */
struct dir_lookup; /* one question under way */
struct dir_ticket; /* one backend's part of a lookup */
struct dir_backend;

enum dir_ask {
    DIR_ASK_ACCOUNT, /* of the principal: what may it use? */
    /* Of the addresses: which accounts own one of them, by itself and not as part of a domain?
     * Found, and who in account.sources; unknown where nobody does. */
    DIR_ASK_OWNERS,
};

enum { DIR_ADDRESSES_MAX = 8 };

struct dir_question {
    enum dir_ask ask;
    struct principal principal; /* DIR_ASK_ACCOUNT */
    /* DIR_ASK_OWNERS: keys of addr.h, the spellings of one address (addr_variants()). At most
     * DIR_ADDRESSES_MAX. */
    const char *const *addresses;
    size_t address_count;
    /* Data that was read for this question, or lately: see dir_cache.h. */
    bool fresh;
    /* Names of the directories to ask; count 0 asks all. */
    const char *const *directories;
    size_t directory_count;
};

/* ---- for backends ---- */

struct dir_ops {
    const char *type; /* "file" */
    /* Answer the question of this ticket: dir_ticket_done(), now or later. */
    void (*ask)(struct dir_backend *self, struct dir_ticket *ticket);
    /* Answers the tickets that are still out, without waiting for a directory, then frees self. A
     * thread that is just about to answer one may do so a moment later: who asked waits for that.
     */
    void (*destroy)(struct dir_backend *self);
};

struct dir_backend {
    const struct dir_ops *ops;
    const char *name;                 /* of the directory block; owned by the backend */
    const char *const *login_domains; /* asks only for logins of these; "*" or count 0 for all */
    size_t login_domain_count;
    bool merge;      /* a login may be in another directory too */
    bool has_denies; /* while it does not answer, a grant of another does not suffice */
    /* Kinds of principals beside sasl that it is asked about: PRINCIPAL_BITs. */
    unsigned principals;
    bool knows_owners; /* answers DIR_ASK_OWNERS too */
    bool always;       /* asked whatever the policy's directories are, and named nowhere */
    /* The answer for a login depends on more than the login: a cache must keep them apart. */
    bool uses_client, uses_cert;
};

/* Valid until dir_ticket_done(). Names no directories: that is settled. Where it says fresh, data
 * that is remembered from before will not do, unless it is young. */
const struct dir_question *dir_ticket_question(const struct dir_ticket *ticket);
/* Of the question's principal. */
const struct login *dir_ticket_login(const struct dir_ticket *ticket);
/* For asked_at of an answer that is read now. */
uint64_t dir_ticket_now(const struct dir_ticket *ticket);
/* Takes over the caller's reference to answer, which is not written to any more: others may hold
 * it too. Fresh as the answer says. */
void dir_ticket_done(struct dir_ticket *ticket, struct account_answer *answer);
/* The same, fresh or not for this ticket whatever the answer says. */
void dir_ticket_done_as(struct dir_ticket *ticket, struct account_answer *answer, bool fresh);
/* An answer without account, asked now: status must not be ACCOUNT_FOUND. "Unknown" is fresh. */
void dir_ticket_fail(struct dir_ticket *ticket, enum account_status status, const char *why);

/* ---- for decorators ---- */

/* The answer is the callee's to unref. */
typedef void dir_done(void *context, struct account_answer *answer, bool fresh);
/* Asks one backend on the asker's own behalf. done is called exactly once, before this returns or
 * later, from any thread; destroy() of the backend sees to it at the latest. question is copied;
 * clock must live until then. */
void dir_backend_ask(struct dir_backend *backend, const struct dir_question *question,
                     const struct clock *clock, dir_done *done, void *context);

/* ---- for the daemon ---- */

struct dir_conf {
    unsigned max_waiting;      /* callers that may wait at once; others get ACCOUNT_UNAVAILABLE */
    const struct clock *clock; /* for ages; a wait is always measured in real time */
};

enum { DIR_BACKENDS_MAX = 16 };

struct dir *dir_create(const struct dir_conf *conf) MUST_USE;
/* Takes the backend over. False where there are DIR_BACKENDS_MAX already; then it does not. */
bool dir_add(struct dir *dir, struct dir_backend *backend) MUST_USE;
void dir_destroy(struct dir *dir); /* NULL is fine */
size_t dir_count(const struct dir *dir);
const struct dir_backend *dir_backend_at(const struct dir *dir, size_t i);
/* Callers that wait in dir_join() just now. */
unsigned dir_waiting(const struct dir *dir);

/* Never NULL, never waits. */
struct dir_lookup *dir_start(struct dir *dir, const struct dir_question *question) MUST_USE;
/* Several accounts may own an address, so of DIR_ASK_OWNERS the finders need no merge.
 * Waits until all have answered, at most budget nanoseconds. The answer (never NULL) is the
 * caller's to unref, before the dir ends; what had not arrived in time counts as unavailable.
 *   found by one          its grants; missing says whether all the others answered
 *   found by several      their grants added up, disabled where one says so; misconfigured where
 *                         more than one of them lacks merge
 *   found by none         misconfigured, unavailable, unknown: the first of these that one said
 *   nobody to ask         unknown
 * Denies add up like grants; denies_missing says that one with has_denies has not answered, or has
 * found the login and says so itself.
 * Fresh where all parts are; asked_at is the oldest part's. */
struct account_answer *dir_join(struct dir_lookup *lookup, uint64_t budget) MUST_USE;
void dir_lookup_release(struct dir_lookup *lookup); /* NULL is fine */

#endif
