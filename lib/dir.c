#include "dir.h"
#include "strbuf.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct dir {
    unsigned max_waiting;
    const struct clock *clock;
    struct dir_backend *backends[DIR_BACKENDS_MAX];
    size_t count;
    atomic_uint waiting;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t all_in;
    unsigned tickets_out;
};

/* What a backend is asked, and who takes the answer. */
struct dir_ticket {
    const struct dir_question *question; /* the asker's own copy */
    const struct clock *clock;
    void (*done)(struct dir_ticket *self, struct account_answer *answer, bool fresh);
};

/* A ticket of a lookup: its answer is one part of the whole. */
struct part_ticket {
    struct dir_ticket ticket;
    struct dir_lookup *lookup;
    struct dir_backend *backend;
    struct account_answer *answer; /* NULL while the ticket is out; under the lookup's lock */
    bool fresh;
};

/* Counted: one reference for the caller, one for each ticket that is out. */
struct dir_lookup {
    struct dir *dir;
    struct arena *arena;
    struct dir_question question;
    atomic_uint refs;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    size_t out; /* tickets without an answer; under the lock */
    size_t count;
    struct part_ticket tickets[];
};

/* ---- the front and its backends ---- */

struct dir *dir_create(const struct dir_conf *conf)
{
    struct dir *dir = xcalloc(1, sizeof *dir);
    dir->max_waiting = conf->max_waiting;
    dir->clock = conf->clock;
    (void)pthread_mutex_init(&dir->lock, NULL);
    (void)pthread_cond_init(&dir->all_in, NULL);
    return dir;
}

bool dir_add(struct dir *dir, struct dir_backend *backend)
{
    if (dir->count == DIR_BACKENDS_MAX)
        return false;
    dir->backends[dir->count++] = backend;
    return true;
}

static void wait_for_tickets(struct dir *dir)
{
    (void)pthread_mutex_lock(&dir->lock);
    while (dir->tickets_out > 0)
        (void)pthread_cond_wait(&dir->all_in, &dir->lock);
    (void)pthread_mutex_unlock(&dir->lock);
}

void dir_destroy(struct dir *dir)
{
    if (!dir)
        return;
    for (size_t i = 0; i < dir->count; i++)
        dir->backends[i]->ops->destroy(dir->backends[i]);
    wait_for_tickets(dir);
    (void)pthread_cond_destroy(&dir->all_in);
    (void)pthread_mutex_destroy(&dir->lock);
    free(dir);
}

size_t dir_count(const struct dir *dir)
{
    return dir->count;
}

const struct dir_backend *dir_backend_at(const struct dir *dir, size_t i)
{
    assert(i < dir->count);
    return dir->backends[i];
}

unsigned dir_waiting(const struct dir *dir)
{
    return atomic_load(&dir->waiting);
}

/* ---- which backends a question goes to ---- */

static bool is_named(const struct dir_backend *backend, const struct dir_question *question)
{
    for (size_t i = 0; i < question->directory_count; i++)
        if (strcmp(question->directories[i], backend->name) == 0)
            return true;
    return question->directory_count == 0;
}

static bool serves_question(const struct dir_backend *backend, const struct dir_question *question)
{
    unsigned logins = backend->not_logins ? 0 : PRINCIPAL_BIT(PRINCIPAL_SASL);
    unsigned kinds = backend->principals | logins;
    if (question->ask == DIR_ASK_OWNERS)
        return backend->knows_owners;
    return (kinds & PRINCIPAL_BIT(question->principal.kind)) != 0;
}

/* login_domains are about logins alone. */
static bool serves_domain(const struct dir_backend *backend, const struct dir_question *question)
{
    if (question->ask == DIR_ASK_OWNERS || question->principal.kind != PRINCIPAL_SASL)
        return true;
    const char *domain = question->principal.login.domain;
    for (size_t i = 0; i < backend->login_domain_count; i++) {
        const char *own = backend->login_domains[i];
        if (strcmp(own, "*") == 0)
            return true;
        if (*domain && span_equal_nocase(span_of(own), span_of(domain)))
            return true;
    }
    return backend->login_domain_count == 0;
}

static size_t choose(const struct dir *dir, const struct dir_question *question,
                     struct dir_backend *out[DIR_BACKENDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < dir->count; i++)
        if ((dir->backends[i]->always || is_named(dir->backends[i], question)) &&
            serves_question(dir->backends[i], question) &&
            serves_domain(dir->backends[i], question))
            out[count++] = dir->backends[i];
    return count;
}

/* ---- a lookup ---- */

/* Which directories are asked is settled by then, so that is left out. */
static struct dir_question question_copy(struct arena *a, const struct dir_question *question)
{
    const char **addresses = arena_array(a, question->address_count, sizeof *addresses);
    for (size_t i = 0; i < question->address_count; i++)
        addresses[i] = arena_strdup(a, question->addresses[i]);
    return (struct dir_question){
        .ask = question->ask,
        .principal = principal_copy(a, &question->principal),
        .addresses = addresses,
        .address_count = question->address_count,
        .fresh = question->fresh,
    };
}

static void init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static struct dir_lookup *lookup_create(struct dir *dir, const struct dir_question *question,
                                        size_t count)
{
    struct dir_lookup *l = xcalloc(1, sizeof *l + count * sizeof l->tickets[0]);
    l->dir = dir;
    l->arena = arena_create();
    l->question = question_copy(l->arena, question);
    l->out = l->count = count;
    atomic_init(&l->refs, (unsigned)count + 1);
    (void)pthread_mutex_init(&l->lock, NULL);
    init_monotonic(&l->arrived);
    return l;
}

static void lookup_unref(struct dir_lookup *l)
{
    if (atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    for (size_t i = 0; i < l->count; i++)
        account_answer_unref(l->tickets[i].answer);
    (void)pthread_cond_destroy(&l->arrived);
    (void)pthread_mutex_destroy(&l->lock);
    arena_destroy(l->arena);
    free(l);
}

static void tickets_go_out(struct dir *dir, size_t count)
{
    (void)pthread_mutex_lock(&dir->lock);
    dir->tickets_out += (unsigned)count;
    (void)pthread_mutex_unlock(&dir->lock);
}

/* The front may be gone when this returns. */
static void ticket_comes_in(struct dir *dir)
{
    (void)pthread_mutex_lock(&dir->lock);
    if (--dir->tickets_out == 0)
        (void)pthread_cond_signal(&dir->all_in);
    (void)pthread_mutex_unlock(&dir->lock);
}

static void part_done(struct dir_ticket *ticket, struct account_answer *answer, bool fresh)
{
    struct part_ticket *part = (struct part_ticket *)ticket;
    struct dir_lookup *l = part->lookup;
    ticket_comes_in(l->dir);
    (void)pthread_mutex_lock(&l->lock);
    assert(answer && !part->answer);
    part->answer = answer;
    part->fresh = fresh;
    if (--l->out == 0)
        (void)pthread_cond_broadcast(&l->arrived);
    (void)pthread_mutex_unlock(&l->lock);
    lookup_unref(l);
}

static struct dir_ticket lookup_ticket(const struct dir_lookup *l)
{
    return (struct dir_ticket){.question = &l->question, .clock = l->dir->clock, .done = part_done};
}

struct dir_lookup *dir_start(struct dir *dir, const struct dir_question *question)
{
    struct dir_backend *chosen[DIR_BACKENDS_MAX];
    size_t count = choose(dir, question, chosen);
    assert(question->address_count <= DIR_ADDRESSES_MAX);
    struct dir_lookup *l = lookup_create(dir, question, count);
    for (size_t i = 0; i < count; i++)
        l->tickets[i] =
            (struct part_ticket){.ticket = lookup_ticket(l), .lookup = l, .backend = chosen[i]};
    tickets_go_out(dir, count);
    for (size_t i = 0; i < count; i++)
        chosen[i]->ops->ask(chosen[i], &l->tickets[i].ticket);
    return l;
}

void dir_lookup_release(struct dir_lookup *lookup)
{
    if (lookup)
        lookup_unref(lookup);
}

/* ---- tickets ---- */

const struct dir_question *dir_ticket_question(const struct dir_ticket *ticket)
{
    return ticket->question;
}

const struct login *dir_ticket_login(const struct dir_ticket *ticket)
{
    return &ticket->question->principal.login;
}

uint64_t dir_ticket_now(const struct dir_ticket *ticket)
{
    return clock_now(ticket->clock);
}

void dir_ticket_done_as(struct dir_ticket *ticket, struct account_answer *answer, bool fresh)
{
    ticket->done(ticket, answer, fresh);
}

void dir_ticket_done(struct dir_ticket *ticket, struct account_answer *answer)
{
    dir_ticket_done_as(ticket, answer, answer->fresh);
}

void dir_ticket_fail(struct dir_ticket *ticket, enum account_status status, const char *why)
{
    assert(status != ACCOUNT_FOUND);
    struct account_answer *answer = account_answer_create();
    answer->status = status;
    answer->why = arena_strdup(answer->arena, why);
    answer->fresh = status == ACCOUNT_UNKNOWN;
    answer->missing = ACCOUNT_FOUND;
    answer->asked_at = dir_ticket_now(ticket);
    dir_ticket_done(ticket, answer);
}

/* ---- a decorator's own question ---- */

struct errand {
    struct dir_ticket ticket;
    struct arena *arena;
    struct dir_question question;
    dir_done *done;
    void *context;
};

static void errand_done(struct dir_ticket *ticket, struct account_answer *answer, bool fresh)
{
    struct errand *e = (struct errand *)ticket;
    dir_done *done = e->done;
    void *context = e->context;
    arena_destroy(e->arena);
    free(e);
    done(context, answer, fresh);
}

void dir_backend_ask(struct dir_backend *backend, const struct dir_question *question,
                     const struct clock *clock, dir_done *done, void *context)
{
    struct errand *e = xcalloc(1, sizeof *e);
    e->arena = arena_create();
    e->question = question_copy(e->arena, question);
    e->done = done;
    e->context = context;
    e->ticket = (struct dir_ticket){.question = &e->question, .clock = clock, .done = errand_done};
    backend->ops->ask(backend, &e->ticket);
}

/* ---- waiting ---- */

static bool take_place(struct dir *dir)
{
    unsigned waiting = atomic_load(&dir->waiting);
    while (waiting < dir->max_waiting)
        if (atomic_compare_exchange_weak(&dir->waiting, &waiting, waiting + 1))
            return true;
    return false;
}

/* clock_real and the condition variable both count CLOCK_MONOTONIC. */
static struct timespec deadline_in(uint64_t budget)
{
    uint64_t now = clock_now(&clock_real);
    uint64_t at = budget > UINT64_MAX - now ? UINT64_MAX : now + budget;
    return (struct timespec){.tv_sec = (time_t)(at / CLOCK_S), .tv_nsec = (long)(at % CLOCK_S)};
}

/* With the lock held. NULL where all have answered, else why we go on without them. */
static const char *wait_for_all(struct dir_lookup *l, uint64_t budget)
{
    if (l->out == 0)
        return NULL;
    if (!take_place(l->dir))
        return "not waited for: max_waiting callers wait already";
    struct timespec deadline = deadline_in(budget);
    while (l->out > 0 && pthread_cond_timedwait(&l->arrived, &l->lock, &deadline) != ETIMEDOUT)
        continue;
    atomic_fetch_sub(&l->dir->waiting, 1);
    return l->out == 0 ? NULL : "no answer in time";
}

/* ---- many answers into one ---- */

struct part {
    const struct dir_backend *backend;
    struct account_answer *answer; /* NULL where it had not arrived */
    bool fresh;
};

struct parts {
    struct part items[DIR_BACKENDS_MAX];
    size_t count;
    const char *late; /* why one may have no answer */
};

static bool found(const struct part *part)
{
    return part->answer && part->answer->status == ACCOUNT_FOUND;
}

/* What stands between this part and a complete answer. */
static enum account_status trouble(const struct part *part)
{
    if (!part->answer)
        return ACCOUNT_UNAVAILABLE;
    return found(part) ? part->answer->missing : part->answer->status;
}

static const char *trouble_text(const struct parts *parts, const struct part *part)
{
    if (!part->answer)
        return parts->late;
    return part->answer->why ? part->answer->why : "it does not say why";
}

static unsigned rank(enum account_status status)
{
    switch (status) {
    case ACCOUNT_FOUND:
        return 0;
    case ACCOUNT_UNKNOWN:
        return 1;
    case ACCOUNT_UNAVAILABLE:
        return 2;
    case ACCOUNT_MISCONFIGURED:
        return 3;
    }
    return 2;
}

static enum account_status worst_trouble(const struct parts *parts)
{
    enum account_status worst = ACCOUNT_FOUND;
    for (size_t i = 0; i < parts->count; i++)
        if (rank(trouble(&parts->items[i])) > rank(worst))
            worst = trouble(&parts->items[i]);
    return worst;
}

/* "corp: no answer in time; test: ..." of all that are in this trouble. */
static const char *explain(struct arena *a, const struct parts *parts, enum account_status status)
{
    struct strbuf text;
    strbuf_init(&text, a);
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (trouble(part) == status)
            strbuf_printf(&text, "%s%s: %s", text.len ? "; " : "", part->backend->name,
                          trouble_text(parts, part));
    }
    return text.text;
}

/* The names of the finders that must be alone, where there are several; else NULL. */
static const char *conflict(struct arena *a, const struct parts *parts)
{
    size_t count = 0;
    struct strbuf names;
    strbuf_init(&names, a);
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (!found(part) || part->backend->merge)
            continue;
        strbuf_printf(&names, "%s\"%s\"", count++ ? " and " : "", part->backend->name);
    }
    return count > 1 ? names.text : NULL;
}

/* Room for what the finders have, before it is filled. */
struct sums {
    struct grant_list *lists, *denies;
    const char **limits;
    struct account_source *sources;
};

static void add_finder(struct account_answer *all, const struct sums *sums, const struct part *part)
{
    struct account *sum = &all->account;
    const struct account *one = &part->answer->account;
    if (!sum->name) {
        sum->name = one->name;
        sum->entry = one->entry;
    }
    if (!sum->primary)
        sum->primary = one->primary;
    if (one->state == ACCOUNT_DISABLED)
        sum->state = ACCOUNT_DISABLED;
    for (size_t i = 0; i < one->list_count; i++)
        sums->lists[sum->list_count++] = one->lists[i];
    for (size_t i = 0; i < one->deny_count; i++)
        sums->denies[sum->deny_count++] = one->denies[i];
    for (size_t i = 0; i < one->limit_count; i++)
        sums->limits[sum->limit_count++] = one->limits[i];
    for (size_t i = 0; i < one->source_count; i++)
        sums->sources[sum->source_count++] = one->sources[i];
    account_answer_keep(all, part->answer);
}

static struct sums make_room(struct arena *a, const struct parts *parts)
{
    size_t lists = 0, denies = 0, limits = 0, sources = 0;
    for (size_t i = 0; i < parts->count; i++) {
        if (!found(&parts->items[i]))
            continue;
        const struct account *one = &parts->items[i].answer->account;
        lists += one->list_count;
        denies += one->deny_count;
        limits += one->limit_count;
        sources += one->source_count;
    }
    return (struct sums){
        .lists = arena_array(a, lists, sizeof(struct grant_list)),
        .denies = arena_array(a, denies, sizeof(struct grant_list)),
        .limits = arena_array(a, limits, sizeof(const char *)),
        .sources = arena_array(a, sources, sizeof(struct account_source)),
    };
}

static void add_up(struct account_answer *all, const struct parts *parts)
{
    struct sums sums = make_room(all->arena, parts);
    all->account.lists = sums.lists;
    all->account.denies = sums.denies;
    all->account.limits = sums.limits;
    all->account.sources = sums.sources;
    for (size_t i = 0; i < parts->count; i++)
        if (found(&parts->items[i]))
            add_finder(all, &sums, &parts->items[i]);
}

/* No such login there: then there are no denies either. One that found it knows what is missing. */
static bool denies_may_be_missing(const struct part *part)
{
    const struct account_answer *answer = part->answer;
    enum account_status status = trouble(part);
    if (answer && answer->status == ACCOUNT_FOUND)
        return answer->denies_missing;
    return part->backend->has_denies && status != ACCOUNT_FOUND && status != ACCOUNT_UNKNOWN;
}

static bool any_denies_missing(const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        if (denies_may_be_missing(&parts->items[i]))
            return true;
    return false;
}

/* Whom the question is about. */
static const char *asked_for(const struct dir_question *question)
{
    if (question->ask == DIR_ASK_OWNERS)
        return "address";
    return question->principal.kind == PRINCIPAL_SASL ? "login" : "client";
}

static void set_status(struct account_answer *all, const struct parts *parts,
                       const struct dir_question *question)
{
    const char *rivals = question->ask == DIR_ASK_ACCOUNT ? conflict(all->arena, parts) : NULL;
    enum account_status worst = worst_trouble(parts);
    bool any = false;
    for (size_t i = 0; i < parts->count; i++)
        any = any || found(&parts->items[i]);
    all->missing = worst == ACCOUNT_UNKNOWN ? ACCOUNT_FOUND : worst;
    all->denies_missing = any_denies_missing(parts);
    if (rivals) {
        all->status = ACCOUNT_MISCONFIGURED;
        all->why = arena_printf(all->arena,
                                "the %s is in the directories %s; it may be in several only if all "
                                "but one of them have merge = yes",
                                asked_for(question), rivals);
        return;
    }
    all->status = any ? ACCOUNT_FOUND : worst;
    if (!any || all->missing != ACCOUNT_FOUND)
        all->why = explain(all->arena, parts, worst);
}

static void set_age(struct account_answer *all, const struct parts *parts, uint64_t now)
{
    all->fresh = true;
    all->asked_at = now;
    for (size_t i = 0; i < parts->count; i++) {
        const struct account_answer *one = parts->items[i].answer;
        all->fresh = all->fresh && parts->items[i].fresh;
        if (one && one->asked_at < all->asked_at)
            all->asked_at = one->asked_at;
    }
}

static struct account_answer *combine(const struct dir_lookup *l, const struct parts *parts)
{
    struct account_answer *all = account_answer_create();
    set_age(all, parts, clock_now(l->dir->clock));
    if (parts->count == 0) {
        all->status = ACCOUNT_UNKNOWN;
        all->missing = ACCOUNT_FOUND;
        all->why = arena_printf(
            all->arena,
            "no directory serves this %s: see login_domains, account_filter and directories",
            asked_for(&l->question));
        return all;
    }
    set_status(all, parts, &l->question);
    if (all->status == ACCOUNT_FOUND)
        add_up(all, parts);
    return all;
}

/* With the lock held. */
static void take_parts(const struct dir_lookup *l, struct parts *out)
{
    out->count = l->count;
    for (size_t i = 0; i < l->count; i++) {
        const struct part_ticket *ticket = &l->tickets[i];
        out->items[i].backend = ticket->backend;
        out->items[i].answer = ticket->answer ? account_answer_ref(ticket->answer) : NULL;
        out->items[i].fresh = ticket->fresh;
    }
}

struct account_answer *dir_join(struct dir_lookup *lookup, uint64_t budget)
{
    struct parts parts;
    (void)pthread_mutex_lock(&lookup->lock);
    parts.late = wait_for_all(lookup, budget);
    take_parts(lookup, &parts);
    (void)pthread_mutex_unlock(&lookup->lock);
    struct account_answer *all = combine(lookup, &parts);
    for (size_t i = 0; i < parts.count; i++)
        account_answer_unref(parts.items[i].answer);
    return all;
}
