/*
 * randmail - random messages, told apart from how they are written, and what the session says to
 * them
 *
 * Use: randmail_draw() a message from a seed; randmail_play() it in a session, written as a struct
 *   randmail_look says, before the directory that its policy and grants are put into. The same
 *   message and look give the same verdict.
 * What it says: who logs in, what the directory grants and denies, the policy, the envelope sender,
 *   and the From, Sender and Resent-* fields with their mailboxes and names.
 * How it is written: where fields are folded, their order, the case of names and domains, needless
 *   quotes, words encoded or not, other fields between them.
 */
#ifndef TESTS_RANDMAIL_H
#define TESTS_RANDMAIL_H

#include "session.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

struct draw {
    uint64_t state;
};

static inline uint64_t draw_next(struct draw *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline size_t draw_below(struct draw *d, size_t bound)
{
    return (size_t)(draw_next(d) % bound);
}

static inline bool draw_chance(struct draw *d, unsigned percent)
{
    return draw_below(d, 100) < percent;
}

/* ---- what a message says ---- */

struct randmail_address {
    const char *local, *domain;
    bool quotes; /* the local part needs them */
};

/* Of the first ones the login may own some; eve is nobody here. */
static const struct randmail_address randmail_addresses[] = {
    {"ann", "example.net", false},       {"a.lee", "example.net", false},
    {"info", "example.net", false},      {"bob", "example.net", false},
    {"any", "owned.example", false},     {"ann+x", "example.net", false},
    {"a b", "example.net", true},        {"eve", "evil.example", false},
    {"ceo", "sub.owned.example", false}, {"ann", "xn--bcher-kva.example", false},
};
enum { RANDMAIL_ADDRESSES = sizeof randmail_addresses / sizeof randmail_addresses[0] };

static const char *const randmail_grants[] = {
    "ann@example.net",     "a.lee@example.net",  "info@example.net",
    "@owned.example",      "@.owned.example",    "@example.net",
    "\"a b\"@example.net", "ann@bücher.example", "*",
};
enum { RANDMAIL_GRANTS = sizeof randmail_grants / sizeof randmail_grants[0] };

/* Words of a name, and whether it can stand without quotes. */
struct randmail_name {
    const char *words[3];
    bool atoms;
};

static const struct randmail_name randmail_names[] = {
    {{NULL}, true},
    {{"Ann", "Lee", NULL}, true},
    {{"Ann", NULL}, true},
    {{"Lee,", "Ann", NULL}, false},
    {{"Ann", "(ann@example.net)", NULL}, false},
    {{"eve@evil.example", NULL}, false},
    {{"Bob", "<bob@example.net>", NULL}, false},
};
enum { RANDMAIL_NAMES = sizeof randmail_names / sizeof randmail_names[0] };

struct randmail_box {
    size_t address, name;
    bool angle;   /* in brackets although it has no name */
    bool comment; /* the name in a comment behind it */
};

enum randmail_shape {
    RANDMAIL_LIST,
    RANDMAIL_GROUP,
    RANDMAIL_BROKEN,
    RANDMAIL_BLANK,
};

enum { RANDMAIL_BOXES_MAX = 3, RANDMAIL_FIELDS_MAX = 12 };

struct randmail_field {
    enum field_kind kind;
    enum randmail_shape shape;
    struct randmail_box boxes[RANDMAIL_BOXES_MAX];
    size_t count;
};

enum randmail_sender { RANDMAIL_SENDER, RANDMAIL_SENDER_NULL, RANDMAIL_SENDER_BROKEN };

struct randmail {
    struct policy policy;
    bool tags; /* '+' is a delimiter */
    bool authenticated, known, disabled;
    bool grants[RANDMAIL_GRANTS], denies[RANDMAIL_GRANTS];
    enum randmail_sender sender;
    size_t sender_address;
    bool foreign_recipient;
    bool report;
    struct randmail_field fields[RANDMAIL_FIELDS_MAX];
    size_t field_count;
};

/* ---- drawing one ---- */

static inline enum policy_action randmail_action(struct draw *d, enum policy_check check,
                                                 enum policy_action preset)
{
    if (draw_chance(d, 65))
        return preset;
    for (;;) {
        enum policy_action action = (enum policy_action)draw_below(d, ACTION_ACCEPT + 1);
        if (policy_check_takes(check, action))
            return action;
    }
}

static inline void randmail_policy(struct draw *d, struct policy *policy)
{
    static const char *const ann[] = {"ann"};
    policy_defaults(policy);
    policy->name = "drawn";
    for (int c = 0; c < CHECK_COUNT; c++)
        policy->actions[c] = randmail_action(d, (enum policy_check)c, policy->actions[c]);
    policy->require_authentication = draw_chance(d, 20);
    policy->from_must_equal_envelope = draw_chance(d, 10);
    policy->resent_covers_from = draw_chance(d, 15);
    if (draw_chance(d, 6))
        policy->exempt_logins = (struct policy_strings){ann, 1};
}

/* Mostly an address that may be granted. */
static inline size_t randmail_address(struct draw *d)
{
    return draw_chance(d, 60) ? draw_below(d, 3) : draw_below(d, RANDMAIL_ADDRESSES);
}

static inline struct randmail_box randmail_box(struct draw *d)
{
    struct randmail_box box = {.address = randmail_address(d)};
    box.name = draw_chance(d, 60) ? draw_below(d, RANDMAIL_NAMES) : 0;
    box.angle = draw_chance(d, 40);
    box.comment = draw_chance(d, 25);
    return box;
}

static inline enum randmail_shape randmail_shape(struct draw *d)
{
    if (draw_chance(d, 92))
        return RANDMAIL_LIST;
    return (enum randmail_shape)(RANDMAIL_GROUP + draw_below(d, 3));
}

static inline struct randmail_field randmail_field(struct draw *d, enum field_kind kind)
{
    struct randmail_field field = {.kind = kind, .shape = randmail_shape(d)};
    field.count = draw_chance(d, 92) ? 1 : 2;
    for (size_t i = 0; i < RANDMAIL_BOXES_MAX; i++)
        field.boxes[i] = randmail_box(d);
    return field;
}

static inline void randmail_fields(struct draw *d, struct randmail *m)
{
    if (draw_chance(d, 96))
        m->fields[m->field_count++] = randmail_field(d, FIELD_FROM);
    if (draw_chance(d, 4))
        m->fields[m->field_count++] = randmail_field(d, FIELD_FROM);
    for (int kind = FIELD_SENDER; kind < FIELD_KINDS; kind++)
        for (unsigned percent = 20; percent >= 5 && draw_chance(d, percent); percent /= 2)
            m->fields[m->field_count++] = randmail_field(d, (enum field_kind)kind);
}

static inline void randmail_rights(struct draw *d, struct randmail *m)
{
    for (size_t i = 0; i < RANDMAIL_GRANTS; i++) {
        m->grants[i] = draw_chance(d, i < 3 ? 75 : 15);
        m->denies[i] = draw_chance(d, 2);
    }
}

static inline struct randmail randmail_draw(struct draw *d)
{
    struct randmail m = {.tags = draw_chance(d, 30)};
    randmail_policy(d, &m.policy);
    m.authenticated = draw_chance(d, 93);
    m.known = draw_chance(d, 96);
    m.disabled = draw_chance(d, 3);
    randmail_rights(d, &m);
    m.sender = draw_chance(d, 90) ? RANDMAIL_SENDER : (enum randmail_sender)(1 + draw_below(d, 2));
    m.sender_address = randmail_address(d);
    m.foreign_recipient = draw_chance(d, 60);
    m.report = draw_chance(d, 20);
    randmail_fields(d, &m);
    return m;
}

/* ---- how it is written ---- */

struct randmail_look {
    struct draw draw; /* for all that is drawn below */
    bool fold;        /* white space is a fold here and there */
    bool letters;     /* field names in odd case, with a blank before the colon */
    bool order;       /* fields in another order, those that one check judges in theirs */
    bool others;      /* other fields between them */
    bool encode;      /* names as encoded-words */
    bool capitals;    /* domains in odd case */
    bool quotes;      /* local parts in needless quotes */
};

static inline void look_white(struct randmail_look *look, struct strbuf *b)
{
    static const char *const folds[] = {" ", "\n ", "\n\t", " \n ", "\t"};
    strbuf_add_str(b, look->fold ? folds[draw_below(&look->draw, 5)] : " ");
}

/* White space that may be missing. */
static inline void look_gap(struct randmail_look *look, struct strbuf *b)
{
    if (look->fold && draw_chance(&look->draw, 40))
        look_white(look, b);
}

static inline void look_cased(struct randmail_look *look, bool odd, const char *text,
                              struct strbuf *b)
{
    for (; *text; text++) {
        bool capital = odd && ascii_is_alpha(*text) && draw_chance(&look->draw, 50);
        strbuf_add_char(b, capital ? (char)(*text ^ 0x20) : *text);
    }
}

static inline void look_address(struct randmail_look *look, size_t address, struct strbuf *b)
{
    const struct randmail_address *a = &randmail_addresses[address];
    bool quotes = a->quotes || (look->quotes && draw_chance(&look->draw, 60));
    strbuf_add_str(b, quotes ? "\"" : "");
    strbuf_add_str(b, a->local);
    strbuf_add_str(b, quotes ? "\"@" : "@");
    look_cased(look, look->capitals, a->domain, b);
}

static inline void look_words(struct randmail_look *look, const struct randmail_name *name,
                              struct strbuf *b)
{
    for (size_t i = 0; name->words[i]; i++) {
        if (i > 0)
            look_white(look, b);
        strbuf_add_str(b, name->words[i]);
    }
}

static inline void look_encoded_char(struct strbuf *b, char c)
{
    if (c == ' ')
        strbuf_add_char(b, '_');
    else if (ascii_is_alpha(c) || ascii_is_digit(c))
        strbuf_add_char(b, c);
    else
        strbuf_printf(b, "=%02X", (unsigned)(unsigned char)c);
}

static inline void look_encoded(const struct randmail_name *name, struct strbuf *b)
{
    strbuf_add_str(b, "=?utf-8?q?");
    for (size_t i = 0; name->words[i]; i++) {
        if (i > 0)
            look_encoded_char(b, ' ');
        for (const char *c = name->words[i]; *c; c++)
            look_encoded_char(b, *c);
    }
    strbuf_add_str(b, "?=");
}

static inline void look_name(struct randmail_look *look, const struct randmail_name *name,
                             struct strbuf *b)
{
    bool quoted = !name->atoms;
    if (look->encode && draw_chance(&look->draw, 70)) {
        look_encoded(name, b);
        return;
    }
    strbuf_add_str(b, quoted ? "\"" : "");
    look_words(look, name, b);
    strbuf_add_str(b, quoted ? "\"" : "");
}

/* In a comment, parentheses and an address are told apart by some: there a name has neither. */
static inline bool look_fits_comment(const struct randmail_name *name)
{
    return name->words[0] && name->atoms;
}

static inline void look_box(struct randmail_look *look, const struct randmail_box *box,
                            struct strbuf *b)
{
    const struct randmail_name *name = &randmail_names[box->name];
    bool comment = box->comment && look_fits_comment(name);
    bool phrase = name->words[0] && !comment;
    bool angle = box->angle || phrase;
    if (phrase) {
        look_name(look, name, b);
        look_white(look, b);
    }
    strbuf_add_str(b, angle ? "<" : "");
    look_address(look, box->address, b);
    strbuf_add_str(b, angle ? ">" : "");
    if (comment) {
        look_white(look, b);
        strbuf_add_char(b, '(');
        look_name(look, name, b);
        strbuf_add_char(b, ')');
    }
}

static inline void look_boxes(struct randmail_look *look, const struct randmail_field *field,
                              struct strbuf *b)
{
    for (size_t i = 0; i < field->count; i++) {
        if (i > 0) {
            strbuf_add_char(b, ',');
            look_white(look, b);
        }
        look_box(look, &field->boxes[i], b);
    }
}

static inline void look_value(struct randmail_look *look, const struct randmail_field *field,
                              struct strbuf *b)
{
    switch (field->shape) {
    case RANDMAIL_LIST:
        look_gap(look, b);
        look_boxes(look, field, b);
        return;
    case RANDMAIL_GROUP:
        look_gap(look, b);
        strbuf_add_str(b, "team:");
        look_white(look, b);
        look_boxes(look, field, b);
        strbuf_add_char(b, ';');
        return;
    case RANDMAIL_BROKEN:
        look_gap(look, b);
        strbuf_add_char(b, '<');
        look_boxes(look, field, b);
        return;
    case RANDMAIL_BLANK:
        return;
    }
}

/* ---- the directory ---- */

enum randmail_directory {
    RANDMAIL_ANSWERS,
    RANDMAIL_SILENT,
    RANDMAIL_IN_PART,        /* another one beside it is silent */
    RANDMAIL_IN_PART_DENIES, /* and has denies */
    RANDMAIL_OLD,            /* old data first, fresh where asked for */
    RANDMAIL_OLD_ONLY,       /* and silent where asked for fresh data */
    RANDMAIL_POOR,           /* as the two before, but the old data grants nothing */
    RANDMAIL_POOR_ONLY,
    RANDMAIL_DIRECTORIES
};

struct randmail_backend {
    struct dir_backend backend;
    struct randmail mail;
    enum randmail_directory how;
};

static inline const struct grant_list *randmail_list(struct account_answer *answer,
                                                     const struct addr_rules *rules,
                                                     const bool chosen[RANDMAIL_GRANTS])
{
    struct grant_list *list = arena_alloc(answer->arena, sizeof *list);
    struct grant *items = arena_array(answer->arena, RANDMAIL_GRANTS, sizeof *items);
    list->items = items;
    for (size_t i = 0; i < RANDMAIL_GRANTS; i++) {
        struct grant *grant = &items[list->count];
        if (!chosen[i])
            continue;
        if (!grant_parse(answer->arena, rules, span_of(randmail_grants[i]), grant, NULL))
            abort();
        grant->directory = "drawn";
        grant->entry = grant->attribute = "x";
        list->count++;
    }
    return list;
}

static inline bool randmail_is_old(enum randmail_directory how)
{
    return how >= RANDMAIL_OLD;
}

static inline struct account_answer *randmail_answer(const struct randmail_backend *b, bool fresh,
                                                     uint64_t now)
{
    static const struct addr_rules rules = {.fold_local_part = true};
    static const bool none[RANDMAIL_GRANTS] = {false};
    const struct randmail *m = &b->mail;
    bool poor = b->how >= RANDMAIL_POOR && !fresh;
    struct account_answer *answer = account_answer_create();
    answer->status = answer->missing = ACCOUNT_FOUND;
    answer->fresh = fresh;
    answer->asked_at = now;
    answer->account =
        (struct account){.name = "ann",
                         .entry = "x",
                         .state = m->disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED,
                         .lists = randmail_list(answer, &rules, poor ? none : m->grants),
                         .list_count = 1,
                         .denies = randmail_list(answer, &rules, m->denies),
                         .deny_count = 1};
    return answer;
}

static inline void randmail_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct randmail_backend *b = (const struct randmail_backend *)self;
    bool fresh = !randmail_is_old(b->how) || dir_ticket_question(ticket)->fresh;
    bool only_old = b->how == RANDMAIL_OLD_ONLY || b->how == RANDMAIL_POOR_ONLY;
    if (b->how == RANDMAIL_SILENT || (only_old && fresh))
        dir_ticket_fail(ticket, ACCOUNT_UNAVAILABLE, "silent");
    else if (!b->mail.known)
        dir_ticket_fail(ticket, ACCOUNT_UNKNOWN, "no such login");
    else
        dir_ticket_done(ticket, randmail_answer(b, fresh, dir_ticket_now(ticket)));
}

static inline void randmail_destroy(struct dir_backend *self)
{
    free(self);
}

static inline struct dir_backend *randmail_backend(const struct randmail *m,
                                                   enum randmail_directory how)
{
    static const struct dir_ops ops = {"drawn", randmail_ask, randmail_destroy};
    struct randmail_backend *b = xcalloc(1, sizeof *b);
    b->backend = (struct dir_backend){.ops = &ops, .name = "drawn"};
    b->mail = *m;
    b->how = how;
    return &b->backend;
}

static inline void randmail_add_backends(struct dir *dir, const struct randmail *m,
                                         enum randmail_directory how)
{
    struct dir_backend *second = randmail_backend(m, RANDMAIL_SILENT);
    second->name = "second";
    second->has_denies = how == RANDMAIL_IN_PART_DENIES;
    bool in_part = how == RANDMAIL_IN_PART || how == RANDMAIL_IN_PART_DENIES;
    if (!dir_add(dir, randmail_backend(m, how)) || (in_part && !dir_add(dir, second)))
        abort();
    if (!in_part)
        randmail_destroy(second);
}

/* The configuration that a message is judged by. */
static inline struct snapshot *randmail_snapshot(const struct randmail *m,
                                                 enum randmail_directory how)
{
    struct snapshot *s = snapshot_create();
    s->login.fold_case = true;
    s->address.fold_local_part = true;
    s->address.delimiters = m->tags ? "+" : NULL;
    s->command_budget = CLOCK_S;
    s->max_headers = 100;
    s->max_header_size = 4096;
    s->policy_count = 1 + POLICY_BUILTINS;
    s->policies = arena_array(s->arena, s->policy_count, sizeof *s->policies);
    s->policies[0] = m->policy;
    policy_builtins(s->policies + 1);
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 64, .clock = &clock_real});
    randmail_add_backends(s->dir, m, how);
    if (!domset_add(s->local_domains, span_of("example.net"), NULL) ||
        !domset_add(s->local_domains, span_of("owned.example"), NULL))
        abort();
    return s;
}

/* ---- a session ---- */

struct randmail_finding {
    enum reason reason;
    enum effect effect;
    bool observed;
};

struct randmail_verdict {
    enum effect rcpt, eom;
    enum reason rcpt_reason, eom_reason;
    struct randmail_finding findings[DECISION_FINDINGS_MAX]; /* at the end */
    size_t finding_count;
};

struct randmail_world {
    struct snapshot_slot slot;
    struct session_host host;
    struct session *session;
    struct randmail_verdict verdict; /* of the message under way */
};

static inline void randmail_decided(void *context, const struct record *record)
{
    struct randmail_verdict *v = &((struct randmail_world *)context)->verdict;
    const struct decision *d = record->decision;
    if (strcmp(record->event, "message") != 0) {
        v->rcpt_reason = d->effect == EFFECT_ACCEPT ? REASON_NONE : d->reason;
        return;
    }
    v->eom_reason = d->reason;
    v->finding_count = d->finding_count;
    for (size_t i = 0; i < d->finding_count; i++)
        v->findings[i] = (struct randmail_finding){d->findings[i].reason, d->findings[i].effect,
                                                   d->findings[i].observed};
}

static inline struct randmail_world *randmail_world_create(void)
{
    struct randmail_world *w = xcalloc(1, sizeof *w);
    snapshot_slot_init(&w->slot);
    w->host = (struct session_host){
        .slot = &w->slot, .clock = &clock_real, .decided = randmail_decided, .context = w};
    w->session = session_create(&w->host);
    session_connect(w->session, &(struct session_connect){.client_addr = "192.0.2.1",
                                                          .client_port = "4000",
                                                          .listener = "ORIGINATING"});
    session_helo(w->session);
    return w;
}

static inline void randmail_world_destroy(struct randmail_world *w)
{
    session_destroy(w->session);
    snapshot_slot_clear(&w->slot);
    free(w);
}

static inline void randmail_mail(struct randmail_world *w, const struct randmail *m,
                                 struct randmail_look *look, struct arena *a)
{
    struct strbuf path;
    strbuf_init(&path, a);
    strbuf_add_char(&path, '<');
    if (m->sender == RANDMAIL_SENDER)
        look_address(look, m->sender_address, &path);
    strbuf_add_str(&path, m->sender == RANDMAIL_SENDER_BROKEN ? "@>" : ">");
    (void)session_mail(w->session,
                       &(struct session_mail){.argument = path.text,
                                              .auth_type = m->authenticated ? "PLAIN" : NULL,
                                              .auth_authen = m->authenticated ? "ann" : NULL});
}

static inline void randmail_header(struct randmail_world *w, const struct randmail_field *field,
                                   struct randmail_look *look, struct arena *a)
{
    static const char *const names[FIELD_KINDS] = {"From", "Sender", "Resent-From",
                                                   "Resent-Sender"};
    struct strbuf name, value;
    strbuf_init(&name, a);
    strbuf_init(&value, a);
    look_cased(look, look->letters, names[field->kind], &name);
    if (look->letters && draw_chance(&look->draw, 20))
        strbuf_add_char(&name, draw_chance(&look->draw, 50) ? ' ' : '\t');
    look_value(look, field, &value);
    session_header(w->session, name.text, value.text);
}

static inline void randmail_others(struct randmail_world *w, struct randmail_look *look)
{
    static const struct {
        const char *name, *value;
    } others[] = {
        {"Subject", "from eve@evil.example"},
        {"To", "\"eve@evil.example\" <eve@evil.example>, bob@example.net"},
        {"Received", "from evil.example by mx.example.net;\n Mon, 1 Jan 2024 00:00:00 +0000"},
        {"Reply-To", "eve@evil.example"},
        {"List-Help", "<https://list.evil.example>"}, /* List-Id excuses local_from */
        {"X-From", "eve@evil.example"},
        {"X-Sender", "<"},
        {"From-", "eve@evil.example"},
        {"Return-Path", "<eve@evil.example>"},
        {"Resent-To", "eve@evil.example"},
        {"Disposition-Notification-To", "eve@evil.example"},
        {"Message-ID", "<1@evil.example>"},
    };
    while (look->others && draw_chance(&look->draw, 60)) {
        size_t i = draw_below(&look->draw, sizeof others / sizeof others[0]);
        session_header(w->session, others[i].name, others[i].value);
    }
}

static inline bool randmail_one_check(enum field_kind a, enum field_kind b)
{
    bool resent = a != FIELD_SENDER && a != FIELD_FROM && b != FIELD_SENDER && b != FIELD_FROM;
    return a == b || resent;
}

/* Neighbours change places, but those that one check judges stay in their order: it says which
 * Sender is the second one, and which of two reasons to try again is told. */
static inline void randmail_shuffle(struct randmail_look *look, const struct randmail *m,
                                    size_t order[RANDMAIL_FIELDS_MAX])
{
    for (size_t i = 0; i < m->field_count; i++)
        order[i] = i;
    for (int step = 0; look->order && m->field_count > 1 && step < 20; step++) {
        size_t i = draw_below(&look->draw, m->field_count - 1), before = order[i];
        if (randmail_one_check(m->fields[before].kind, m->fields[order[i + 1]].kind))
            continue;
        order[i] = order[i + 1];
        order[i + 1] = before;
    }
}

static inline void randmail_headers(struct randmail_world *w, const struct randmail *m,
                                    struct randmail_look *look, struct arena *a)
{
    size_t order[RANDMAIL_FIELDS_MAX];
    randmail_shuffle(look, m, order);
    if (m->report)
        session_header(w->session, "Auto-Submitted", "auto-replied");
    for (size_t i = 0; i < m->field_count; i++) {
        randmail_others(w, look);
        randmail_header(w, &m->fields[order[i]], look, a);
    }
    randmail_others(w, look);
}

/* One message, in a session that may have seen others; its configuration is published. */
static inline struct randmail_verdict
randmail_send(struct randmail_world *w, const struct randmail *m, struct randmail_look look)
{
    struct arena *a = arena_create();
    w->verdict = (struct randmail_verdict){0};
    randmail_mail(w, m, &look, a);
    w->verdict.rcpt =
        session_rcpt(w->session,
                     &(struct session_rcpt){.argument = m->foreign_recipient ? "<x@other.example>"
                                                                             : "<bob@example.net>"})
            .effect;
    randmail_headers(w, m, &look, a);
    w->verdict.eom = session_eom(w->session, "4XYZ").effect;
    arena_destroy(a);
    return w->verdict;
}

/* In a session of its own. */
static inline struct randmail_verdict
randmail_play(const struct randmail *m, struct randmail_look look, enum randmail_directory how)
{
    struct randmail_world *w = randmail_world_create();
    snapshot_publish(&w->slot, randmail_snapshot(m, how));
    struct randmail_verdict verdict = randmail_send(w, m, look);
    randmail_world_destroy(w);
    return verdict;
}

#endif
