/*
 * world - what stands around a session: clock, directory and configuration
 *
 * Use: slot_of() with the first octet of an input; then `fake` is the time, `desk` the directory.
 * Depends on: rights, session.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "fuzz.h"
#include "rights.h"

#include "session.h"
#include "xalloc.h"

/* Bits of the first octet. */
enum {
    WORLD_FOLD = 1,
    WORLD_STRIP = 2,
    WORLD_TAGS = 4,
    WORLD_AT_MAIL = 8,
    WORLD_TRUSTED = 16,
    WORLD_SENDMAIL = 32,
    WORLD_NARROW = 64,
    WORLD_MASTER = 128,
    WORLDS = 256
};

enum { NARROW_HEADERS = 4, NARROW_SIZE = 128, WIDE_HEADERS = 100, WIDE_SIZE = 2048 };

struct fake_clock {
    struct clock clock;
    uint64_t now;
};

static inline uint64_t fake_now(const struct clock *self)
{
    return ((const struct fake_clock *)self)->now;
}

static struct fake_clock fake = {{fake_now}, 0};

/* How a directory answers, a bit field. */
enum {
    ANSWER_STATUS = 3, /* 0 found, 1 unknown, 2 unavailable, 3 misconfigured */
    ANSWER_OLD = 4,
    ANSWER_PART = 8,
    ANSWER_DENIES_MISSING = 16,
};

/* What the directory does, and has done for the message. */
static struct {
    unsigned how[2]; /* for a question, and for one that wants fresh data */
    bool found, fresh;
} desk;

static inline struct grant grant_of(const struct right *right)
{
    const char *text = right->address;
    bool domain = text[0] == '@';
    enum grant_form form = strchr(text, '*') ? GRANT_PATTERN : GRANT_EXACT;
    return (struct grant){.form = domain ? GRANT_DOMAIN : form,
                          .right = right->kind == ON_BEHALF ? GRANT_ON_BEHALF : GRANT_SEND_AS,
                          .key = text + domain,
                          .directory = "desk",
                          .entry = "here",
                          .attribute = "mail"};
}

static inline struct grant_list *list_of(struct arena *a, const char *login, bool denied)
{
    struct grant *grants = arena_array(a, RIGHTS, sizeof *grants);
    struct grant_list *list = arena_alloc(a, sizeof *list);
    *list = (struct grant_list){grants, 0};
    for (size_t i = 0; i < RIGHTS; i++)
        if (strcmp(rights[i].login, login) == 0 && (rights[i].kind == DENIED) == denied)
            grants[list->count++] = grant_of(&rights[i]);
    return list;
}

static inline void fill(struct account_answer *answer, const char *login)
{
    answer->account.lists = list_of(answer->arena, login, false);
    answer->account.denies = list_of(answer->arena, login, true);
    answer->account.list_count = answer->account.deny_count = 1;
}

static inline void answer_found(struct dir_ticket *ticket, const char *login, unsigned how)
{
    struct account_answer *answer = account_answer_create();
    fill(answer, login);
    answer->status = ACCOUNT_FOUND;
    answer->missing = how & ANSWER_PART ? ACCOUNT_UNAVAILABLE : ACCOUNT_FOUND;
    answer->why = how & ANSWER_PART ? "half of it" : NULL;
    answer->denies_missing = (how & ANSWER_DENIES_MISSING) != 0;
    answer->fresh = !(how & ANSWER_OLD);
    answer->asked_at = dir_ticket_now(ticket);
    answer->account.name = arena_strdup(answer->arena, login);
    answer->account.entry = "here";
    if (strcmp(login, disabled_login) == 0)
        answer->account.state = ACCOUNT_DISABLED;
    desk.found = true;
    desk.fresh = desk.fresh || !(how & (ANSWER_OLD | ANSWER_PART));
    dir_ticket_done(ticket, answer);
}

static inline void answer_unknown(struct dir_ticket *ticket, unsigned how)
{
    struct account_answer *answer = account_answer_create();
    answer->status = ACCOUNT_UNKNOWN;
    answer->missing = ACCOUNT_FOUND;
    answer->why = "nobody";
    answer->fresh = !(how & ANSWER_OLD);
    answer->asked_at = dir_ticket_now(ticket);
    desk.fresh = desk.fresh || answer->fresh;
    dir_ticket_done(ticket, answer);
}

static inline void desk_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const char *login = dir_ticket_login(ticket)->name;
    unsigned how = desk.how[dir_ticket_question(ticket)->fresh];
    (void)self;
    if ((how & ANSWER_STATUS) == 2)
        dir_ticket_fail(ticket, ACCOUNT_UNAVAILABLE, "out");
    else if ((how & ANSWER_STATUS) == 3)
        dir_ticket_fail(ticket, ACCOUNT_MISCONFIGURED, "wrong");
    else if ((how & ANSWER_STATUS) == 1 || !is_known(login))
        answer_unknown(ticket, how);
    else
        answer_found(ticket, login, how);
}

static inline void desk_destroy(struct dir_backend *self)
{
    free(self);
}

static inline struct dir_backend *desk_create(void)
{
    static const struct dir_ops ops = {"desk", desk_ask, desk_destroy};
    struct dir_backend *backend = xcalloc(1, sizeof *backend);
    backend->ops = &ops;
    backend->name = "desk";
    return backend;
}

/* Everything is refused that can be. */
static inline void make_policies(struct snapshot *s)
{
    s->policies = arena_array(s->arena, POLICY_BUILTINS, sizeof *s->policies);
    s->policy_count = POLICY_BUILTINS;
    policy_builtins(s->policies);
    for (int i = 0; i < POLICY_BUILTINS; i++) {
        s->policies[i].observe = false;
        for (int c = 0; c < CHECK_COUNT; c++)
            if (policy_check_takes((enum policy_check)c, ACTION_REJECT))
                s->policies[i].actions[c] = ACTION_REJECT;
    }
}

static inline void set_rules(struct snapshot *s, unsigned world)
{
    s->login.fold_case = true;
    s->login.master_separator = world & WORLD_MASTER ? '*' : '\0';
    s->address.fold_local_part = (world & WORLD_FOLD) != 0;
    s->address.strip_routes = (world & WORLD_STRIP) != 0;
    s->address.delimiters = world & WORLD_TAGS ? "+" : NULL;
    s->mta = world & WORLD_SENDMAIL ? LOGIN_MTA_SENDMAIL : LOGIN_MTA_AUTO;
    s->max_headers = world & WORLD_NARROW ? NARROW_HEADERS : WIDE_HEADERS;
    s->max_header_size = world & WORLD_NARROW ? NARROW_SIZE : WIDE_SIZE;
    s->command_budget = CLOCK_S;
}

static inline struct snapshot *make_snapshot(unsigned world)
{
    struct snapshot *s = snapshot_create();
    set_rules(s, world);
    make_policies(s);
    if (world & WORLD_TRUSTED) {
        struct net *net = arena_alloc(s->arena, sizeof *net);
        FUZZ_CLAIM(net_parse(span_of("192.0.2.0/24"), net, NULL));
        s->trusted_networks = (struct netset){net, 1};
    }
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 4, .clock = &fake.clock});
    FUZZ_CLAIM(dir_add(s->dir, desk_create()));
    for (size_t i = 0; i < sizeof local_domains / sizeof local_domains[0]; i++)
        FUZZ_CLAIM(domset_add(s->local_domains, span_of(local_domains[i]), NULL));
    return s;
}

/* Immutable, so one for all inputs. */
static inline struct snapshot_slot *slot_of(unsigned world)
{
    static struct snapshot_slot slots[WORLDS];
    if (!slots[world].current) {
        snapshot_slot_init(&slots[world]);
        snapshot_publish(&slots[world], make_snapshot(world));
    }
    return &slots[world];
}

#endif
