#include "dir_cache.h"
#include "cachekey.h"
#include "keyhash.h"
#include "xalloc.h"

#define uthash_malloc(size)       xcalloc(1, size)
#define uthash_free(memory, size) free(memory)

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct key {
    const char *text;
    size_t len;
    unsigned hash;
};

/* An answer that is remembered. Only fresh ones are: its age alone says how fresh it still is. */
struct entry {
    UT_hash_handle hh;
    struct entry *prev, *next; /* in its shelf, or among those that are to be freed */
    struct account_answer *answer;
    uint64_t since; /* when it was asked */
    uint64_t tried; /* when a search for this login began last */
    char key[];
};

/* Entries of one kind, the least recently used first. */
struct shelf {
    struct entry *first;
    unsigned count, room;
};

struct passenger {
    struct passenger *next;
    struct dir_ticket *ticket;
};

/* A question to the inner directory, and the tickets that wait for its answer. */
struct flight {
    UT_hash_handle hh;
    struct dir_cache *cache;
    struct passenger *passengers;
    uint64_t since;
    char key[];
};

struct dir_cache {
    struct dir_backend backend;
    struct dir_backend *inner;
    struct dir_cache_conf conf;
    struct keyhash_seed seed;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t landed;
    struct entry *entries;
    struct shelf found, unknown;
    struct flight *flights;
    unsigned in_the_air; /* flights, and those whose tickets are just being answered */
    uint64_t rate_empty; /* when the last token that was taken will be back */
    struct dir_cache_counts counts;
};

static uint64_t time_between(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}

/* ---- the rate of rechecks ---- */

/* A bucket of recheck_count tokens, one of which comes back every recheck_period / recheck_count,
 * kept as the moment when it will be full again. */
static bool take_token(struct dir_cache *c, uint64_t now)
{
    uint64_t count = c->conf.recheck_count;
    if (count == 0)
        return false;
    uint64_t step = c->conf.recheck_period / count + (c->conf.recheck_period % count > 0);
    uint64_t from = c->rate_empty > now ? c->rate_empty : now;
    if (from - now > step * (count - 1))
        return false;
    c->rate_empty = from + step;
    return true;
}

static bool may_recheck(struct dir_cache *c, const struct entry *e, uint64_t now)
{
    return time_between(e->tried, now) >= c->conf.negative_ttl && take_token(c, now);
}

/* ---- entries; all with the lock held ---- */

static bool is_unknown(const struct account_answer *answer)
{
    return answer->status == ACCOUNT_UNKNOWN;
}

static bool is_young(const struct dir_cache *c, uint64_t since, const struct account_answer *answer,
                     uint64_t now)
{
    uint64_t lifetime = is_unknown(answer) ? c->conf.negative_ttl : c->conf.ttl;
    return time_between(since, now) < lifetime;
}

static bool is_fresh(const struct dir_cache *c, const struct entry *e, uint64_t now)
{
    return time_between(e->since, now) < c->conf.negative_ttl;
}

static struct shelf *shelf_of(struct dir_cache *c, const struct account_answer *answer)
{
    return is_unknown(answer) ? &c->unknown : &c->found;
}

/* It is freed when the lock is no longer held. */
static void entry_drop(struct dir_cache *c, struct entry *e, struct entry **gone)
{
    struct shelf *shelf = shelf_of(c, e->answer);
    HASH_DELETE(hh, c->entries, e);
    DL_DELETE(shelf->first, e);
    shelf->count--;
    LL_PREPEND(*gone, e);
}

static struct entry *entry_find(const struct dir_cache *c, const struct key *key)
{
    struct entry *e;
    HASH_FIND_BYHASHVALUE(hh, c->entries, key->text, key->len, key->hash, e);
    return e;
}

/* NULL where nothing is remembered, or not any more. */
static struct entry *entry_use(struct dir_cache *c, const struct key *key, uint64_t now,
                               struct entry **gone)
{
    struct entry *e = entry_find(c, key);
    if (!e)
        return NULL;
    if (!is_young(c, e->since, e->answer, now)) {
        entry_drop(c, e, gone);
        return NULL;
    }
    struct shelf *shelf = shelf_of(c, e->answer);
    DL_DELETE(shelf->first, e);
    DL_APPEND(shelf->first, e);
    return e;
}

static struct entry *entry_create(const struct key *key, struct account_answer *answer,
                                  uint64_t since)
{
    struct entry *e = xcalloc(1, sizeof *e + key->len);
    memcpy(e->key, key->text, key->len);
    e->answer = account_answer_ref(answer);
    e->since = e->tried = since;
    return e;
}

static void entry_put(struct dir_cache *c, const struct key *key, struct entry *e,
                      struct entry **gone)
{
    struct shelf *shelf = shelf_of(c, e->answer);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->entries, e->key, key->len, key->hash, e);
    DL_APPEND(shelf->first, e);
    if (++shelf->count > shelf->room) {
        entry_drop(c, shelf->first, gone);
        c->counts.evicted++;
    }
}

static void free_entries(struct entry *gone)
{
    while (gone) {
        struct entry *e = gone;
        gone = e->next;
        account_answer_unref(e->answer);
        free(e);
    }
}

/* ---- what is kept ---- */

static bool is_worth_keeping(const struct account_answer *answer, bool fresh)
{
    switch (answer->status) {
    case ACCOUNT_UNAVAILABLE:
    case ACCOUNT_MISCONFIGURED:
        return false;
    case ACCOUNT_UNKNOWN:
    case ACCOUNT_FOUND:
        return fresh && answer->missing == ACCOUNT_FOUND;
    }
    return false;
}

static void remember(struct dir_cache *c, const struct flight *f, struct account_answer *answer,
                     struct entry **gone)
{
    struct key key = {f->key, f->hh.keylen, f->hh.hashv};
    struct entry *old = entry_find(c, &key);
    uint64_t since = answer->asked_at < f->since ? answer->asked_at : f->since;
    if (old)
        entry_drop(c, old, gone);
    if (is_young(c, since, answer, clock_now(c->conf.clock)) && shelf_of(c, answer)->room > 0)
        entry_put(c, &key, entry_create(&key, answer, since), gone);
}

/* ---- flights ---- */

static struct flight *flight_find(const struct dir_cache *c, const struct key *key)
{
    struct flight *f;
    HASH_FIND_BYHASHVALUE(hh, c->flights, key->text, key->len, key->hash, f);
    return f;
}

static struct flight *flight_create(struct dir_cache *c, const struct key *key, uint64_t now)
{
    struct flight *f = xcalloc(1, sizeof *f + key->len);
    f->cache = c;
    f->since = now;
    memcpy(f->key, key->text, key->len);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->flights, f->key, key->len, key->hash, f);
    c->in_the_air++;
    return f;
}

static void flight_board(struct flight *f, struct dir_ticket *ticket)
{
    struct passenger *p = xcalloc(1, sizeof *p);
    p->ticket = ticket;
    LL_PREPEND(f->passengers, p);
}

static void answer_passengers(struct flight *f, struct account_answer *answer, bool fresh)
{
    while (f->passengers) {
        struct passenger *p = f->passengers;
        f->passengers = p->next;
        dir_ticket_done_as(p->ticket, account_answer_ref(answer), fresh);
        free(p);
    }
}

/* The cache may be gone when this returns. */
static void flight_ends(struct dir_cache *c)
{
    (void)pthread_mutex_lock(&c->lock);
    if (--c->in_the_air == 0)
        (void)pthread_cond_signal(&c->landed);
    (void)pthread_mutex_unlock(&c->lock);
}

static void flight_lands(void *context, struct account_answer *answer, bool fresh)
{
    struct flight *f = context;
    struct dir_cache *c = f->cache;
    struct entry *gone = NULL;
    (void)pthread_mutex_lock(&c->lock);
    if (is_worth_keeping(answer, fresh))
        remember(c, f, answer, &gone);
    HASH_DELETE(hh, c->flights, f); /* nobody boards it any more */
    (void)pthread_mutex_unlock(&c->lock);
    free_entries(gone);
    answer_passengers(f, answer, fresh);
    account_answer_unref(answer);
    free(f);
    flight_ends(c);
}

/* ---- questions ---- */

/* What becomes of a question. Neither: it has boarded a flight that was under way. */
struct course {
    struct account_answer *answer; /* from memory */
    bool fresh;
    struct flight *flight; /* has still to be started */
};

static struct course from_memory(const struct entry *e, bool fresh)
{
    return (struct course){.answer = account_answer_ref(e->answer), .fresh = fresh};
}

static struct course start_flight(struct dir_cache *c, const struct key *key, struct entry *e,
                                  struct dir_ticket *ticket, uint64_t now)
{
    struct flight *f = flight_create(c, key, now);
    flight_board(f, ticket);
    if (e) {
        e->tried = now;
        c->counts.rechecks++;
    } else {
        c->counts.misses++;
    }
    return (struct course){.flight = f};
}

/* With the lock held. */
static struct course choose(struct dir_cache *c, const struct key *key, struct dir_ticket *ticket,
                            struct entry **gone)
{
    uint64_t now = clock_now(c->conf.clock);
    struct entry *e = entry_use(c, key, now, gone);
    bool fresh = e && is_fresh(c, e, now);
    if (e && (fresh || !dir_ticket_question(ticket)->fresh)) {
        c->counts.hits++;
        return from_memory(e, fresh);
    }
    struct flight *f = flight_find(c, key);
    if (f) {
        flight_board(f, ticket);
        c->counts.joined++;
        return (struct course){.flight = NULL};
    }
    if (e && !may_recheck(c, e, now)) {
        c->counts.limited++;
        return from_memory(e, false);
    }
    return start_flight(c, key, e, ticket, now);
}

/* Only what the answer depends on: a login has one entry, wherever it comes from. */
static void add_principal(const struct dir_cache *c, struct strbuf *text, const struct principal *p)
{
    cachekey_add(text, span_of(principal_kind_name(p->kind)));
    cachekey_add(text, span_of(p->login.name));
    if (c->backend.uses_client || p->kind == PRINCIPAL_NETWORK)
        cachekey_add(text, span_of(p->client_addr));
    if (c->backend.uses_cert || p->kind == PRINCIPAL_CERT) {
        cachekey_add(text, span_of(p->cert_issuer));
        cachekey_add(text, span_of(p->cert_subject));
    }
}

static void add_addresses(struct strbuf *text, const struct dir_question *question)
{
    cachekey_add(text, span_of("owners"));
    for (size_t i = 0; i < question->address_count; i++)
        cachekey_add(text, span_of(question->addresses[i]));
}

static struct key make_key(const struct dir_cache *c, struct arena *a,
                           const struct dir_question *question)
{
    struct strbuf text;
    strbuf_init(&text, a);
    if (question->ask == DIR_ASK_OWNERS)
        add_addresses(&text, question);
    else
        add_principal(c, &text, &question->principal);
    return (struct key){text.text, text.len, keyhash(&c->seed, text.text, text.len)};
}

/* A ticket that has boarded may be answered and gone as soon as the lock is given up. */
static void cache_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct dir_cache *c = (struct dir_cache *)self;
    struct arena *a = arena_create();
    struct key key = make_key(c, a, dir_ticket_question(ticket));
    struct entry *gone = NULL;
    (void)pthread_mutex_lock(&c->lock);
    struct course course = choose(c, &key, ticket, &gone);
    (void)pthread_mutex_unlock(&c->lock);
    arena_destroy(a);
    free_entries(gone);
    if (course.answer)
        dir_ticket_done_as(ticket, course.answer, course.fresh);
    else if (course.flight)
        dir_backend_ask(c->inner, dir_ticket_question(ticket), c->conf.clock, flight_lands,
                        course.flight);
}

/* ---- beginning and end ---- */

static void cache_free(struct dir_cache *c)
{
    (void)pthread_cond_destroy(&c->landed);
    (void)pthread_mutex_destroy(&c->lock);
    HASH_CLEAR(hh, c->entries);
    free_entries(c->found.first);
    free_entries(c->unknown.first);
    free(c);
}

/* The inner directory answers what it still has; a thread of its own may be about to do so. */
static void cache_destroy(struct dir_backend *self)
{
    struct dir_cache *c = (struct dir_cache *)self;
    c->inner->ops->destroy(c->inner);
    (void)pthread_mutex_lock(&c->lock);
    while (c->in_the_air > 0)
        (void)pthread_cond_wait(&c->landed, &c->lock);
    (void)pthread_mutex_unlock(&c->lock);
    cache_free(c);
}

static const struct dir_ops cache_ops = {
    .type = "cache", .ask = cache_ask, .destroy = cache_destroy};

struct dir_backend *dir_cache_create(struct dir_backend *inner, const struct dir_cache_conf *conf)
{
    struct keyhash_seed seed;
    if (!keyhash_seed(&seed)) {
        inner->ops->destroy(inner);
        return NULL;
    }
    struct dir_cache *c = xcalloc(1, sizeof *c);
    c->backend = *inner;
    c->backend.ops = &cache_ops;
    c->inner = inner;
    c->conf = *conf;
    c->seed = seed;
    c->unknown.room = conf->entries / 4;
    c->found.room = conf->entries - c->unknown.room;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->landed, NULL);
    return &c->backend;
}

void dir_cache_counts(struct dir_backend *cache, struct dir_cache_counts *out)
{
    struct dir_cache *c = (struct dir_cache *)cache;
    (void)pthread_mutex_lock(&c->lock);
    *out = c->counts;
    out->entries = c->found.count + c->unknown.count;
    out->negative_entries = c->unknown.count;
    (void)pthread_mutex_unlock(&c->lock);
}
