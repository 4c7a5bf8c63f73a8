/*
 * What holds for every message, whatever it says: random ones (randmail.h), always the same. A row
 * is a property. Where one fails, the message is printed.
 */
#include "rows.h"

#include "randmail.h"

#include <stdio.h>

enum { MESSAGES = 1000 };

static const struct randmail_look plain_look = {.fold = false};

/* ---- telling ---- */

static void print_policy(const struct policy *policy)
{
    struct policy preset;
    policy_defaults(&preset);
    for (int c = 0; c < CHECK_COUNT; c++)
        if (policy->actions[c] != preset.actions[c])
            print_error("  %s = %s\n", policy_check_name((enum policy_check)c),
                        policy_action_name(policy->actions[c]));
    print_error("  require_authentication %d, from_must_equal_envelope %d, resent_covers_from %d, "
                "exempt %zu, observe %d\n",
                policy->require_authentication, policy->from_must_equal_envelope,
                policy->resent_covers_from, policy->exempt_logins.count, policy->observe);
}

static void print_rights(const char *what, const bool chosen[RANDMAIL_GRANTS])
{
    for (size_t i = 0; i < RANDMAIL_GRANTS; i++)
        if (chosen[i])
            print_error("  %s %s\n", what, randmail_grants[i]);
}

static void print_fields(const struct randmail *m)
{
    static const char *const names[FIELD_KINDS] = {"From", "Sender", "Resent-From",
                                                   "Resent-Sender"};
    struct arena *a = arena_create();
    struct randmail_look look = plain_look;
    for (size_t i = 0; i < m->field_count; i++) {
        struct strbuf value;
        strbuf_init(&value, a);
        look_value(&look, &m->fields[i], &value);
        print_error("  %s: %s\n", names[m->fields[i].kind], value.text);
    }
    arena_destroy(a);
}

static void print_mail(const struct randmail *m)
{
    const struct randmail_address *sender = &randmail_addresses[m->sender_address];
    print_error("  login %s%s%s, tags %d, report %d, sender %s@%s (kind %d)\n",
                m->authenticated ? "ann" : "none", m->known ? "" : ", unknown",
                m->disabled ? ", disabled" : "", m->tags, m->report, sender->local, sender->domain,
                (int)m->sender);
    print_policy(&m->policy);
    print_rights("grant", m->grants);
    print_rights("deny", m->denies);
    print_fields(m);
}

static void print_verdict(const char *what, const struct randmail_verdict *v)
{
    print_error("%s: RCPT %d %s, end %d %s\n", what, (int)v->rcpt, reason_info(v->rcpt_reason)->id,
                (int)v->eom, reason_info(v->eom_reason)->id);
    for (size_t i = 0; i < v->finding_count; i++)
        print_error("  found %s, effect %d%s\n", reason_info(v->findings[i].reason)->id,
                    (int)v->findings[i].effect, v->findings[i].observed ? ", observed" : "");
}

/* One comparison of two messages, or of one in two ways. */
struct pair {
    const struct randmail *first, *second;
    struct randmail_verdict before, after;
};

static void expect(bool holds, const struct pair *p)
{
    if (holds)
        return;
    print_mail(p->first);
    print_verdict("first", &p->before);
    if (p->second != p->first)
        print_mail(p->second);
    print_verdict("second", &p->after);
    fail_msg("the property does not hold");
}

/* ---- enough of everything ---- */

struct tally {
    unsigned accepted, refused, postponed;
};

static void count(struct tally *t, enum effect effect)
{
    t->accepted += effect == EFFECT_ACCEPT;
    t->refused += effect == EFFECT_REJECT;
    t->postponed += effect == EFFECT_TEMPFAIL;
}

/* A property of messages that all fare alike would show nothing. */
static void expect_variety(const struct tally *t)
{
    assert_true(t->accepted > MESSAGES / 20);
    assert_true(t->refused > MESSAGES / 20);
}

static bool same_verdict(const struct randmail_verdict *a, const struct randmail_verdict *b)
{
    return a->rcpt == b->rcpt && a->rcpt_reason == b->rcpt_reason && a->eom == b->eom &&
           a->eom_reason == b->eom_reason;
}

/* ---- how a message is written makes no difference ---- */

struct look_row {
    const char *name;
    struct randmail_look look;
};

static const struct look_row look_rows[] = {
    {"written otherwise: the order of fields", {.order = true}},
    {"written otherwise: folds", {.fold = true}},
    {"written otherwise: letter case of field names", {.letters = true}},
    {"written otherwise: other fields", {.others = true}},
    {"written otherwise: names encoded", {.encode = true}},
    {"written otherwise: letter case of domains", {.capitals = true}},
    {"written otherwise: needless quotes", {.quotes = true}},
    {"written otherwise: all at once",
     {.fold = true,
      .letters = true,
      .order = true,
      .others = true,
      .encode = true,
      .capitals = true,
      .quotes = true}},
};

static enum randmail_directory draw_directory(struct draw *d)
{
    return draw_chance(d, 70) ? RANDMAIL_ANSWERS
                              : (enum randmail_directory)draw_below(d, RANDMAIL_DIRECTORIES);
}

static void run_look(void **state)
{
    const struct look_row *row = *state;
    struct draw d = {.state = 1};
    struct tally tally = {0};
    for (int i = 0; i < MESSAGES; i++) {
        struct randmail m = randmail_draw(&d);
        enum randmail_directory how = draw_directory(&d);
        struct randmail_look look = row->look;
        look.draw.state = draw_next(&d);
        struct pair p = {.first = &m, .second = &m};
        p.before = randmail_play(&m, plain_look, how);
        p.after = randmail_play(&m, look, how);
        expect(same_verdict(&p.before, &p.after), &p);
        count(&tally, p.before.eom);
    }
    expect_variety(&tally);
}

/* ---- a second identity excuses nothing ---- */

static struct randmail_field *find_field(struct randmail *m, enum field_kind kind)
{
    for (size_t i = 0; i < m->field_count; i++)
        if (m->fields[i].kind == kind && m->fields[i].shape == RANDMAIL_LIST)
            return &m->fields[i];
    return NULL;
}

static bool has_field(const struct randmail *m, enum field_kind kind)
{
    for (size_t i = 0; i < m->field_count; i++)
        if (m->fields[i].kind == kind)
            return true;
    return false;
}

static bool add_field(struct draw *d, struct randmail *m, enum field_kind kind)
{
    if (m->field_count == RANDMAIL_FIELDS_MAX)
        return false;
    m->fields[m->field_count] = randmail_field(d, kind);
    m->fields[m->field_count++].shape = RANDMAIL_LIST;
    return true;
}

static bool add_from(struct draw *d, struct randmail *m)
{
    return has_field(m, FIELD_FROM) && add_field(d, m, FIELD_FROM);
}

static bool add_sender(struct draw *d, struct randmail *m)
{
    return add_field(d, m, FIELD_SENDER);
}

static bool add_resent_from(struct draw *d, struct randmail *m)
{
    return add_field(d, m, FIELD_RESENT_FROM);
}

static bool add_resent_sender(struct draw *d, struct randmail *m)
{
    return add_field(d, m, FIELD_RESENT_SENDER);
}

static bool add_mailbox(struct randmail *m, enum field_kind kind)
{
    struct randmail_field *field = find_field(m, kind);
    if (!field || field->count == RANDMAIL_BOXES_MAX)
        return false;
    field->count++;
    return true;
}

static bool add_from_mailbox(struct draw *d, struct randmail *m)
{
    (void)d;
    return add_mailbox(m, FIELD_FROM);
}

static bool add_sender_mailbox(struct draw *d, struct randmail *m)
{
    (void)d;
    return add_mailbox(m, FIELD_SENDER);
}

static bool add_resent_mailbox(struct draw *d, struct randmail *m)
{
    (void)d;
    return add_mailbox(m, FIELD_RESENT_FROM);
}

struct second_row {
    const char *name;
    bool (*add)(struct draw *d, struct randmail *m); /* false where there is no place for it */
};

static const struct second_row second_rows[] = {
    {"a second identity: another From", add_from},
    {"a second identity: a mailbox in From", add_from_mailbox},
    {"a second identity: a Sender, or another", add_sender},
    {"a second identity: a mailbox in Sender", add_sender_mailbox},
    {"a second identity: a Resent-From, or another", add_resent_from},
    {"a second identity: a mailbox in Resent-From", add_resent_mailbox},
    {"a second identity: a Resent-Sender, or another", add_resent_sender},
};

/* The settings under which it holds; each row of except_rows lifts one. */
static void settle(struct policy *policy)
{
    policy->resent_covers_from = false;
    policy->actions[CHECK_MULTIPLE_FROM] = ACTION_REJECT;
    policy->actions[CHECK_HEADER_FROM] = ACTION_REJECT;
}

/* Draws until a message is refused that has a place for one more identity. */
static struct pair draw_second(struct draw *d, const struct second_row *row,
                               void (*set)(struct policy *policy), struct randmail mails[2])
{
    struct pair p = {.first = &mails[0], .second = &mails[1]};
    for (;;) {
        mails[0] = randmail_draw(d);
        set(&mails[0].policy);
        mails[1] = mails[0];
        if (!row->add(d, &mails[1]))
            continue;
        p.before = randmail_play(&mails[0], plain_look, RANDMAIL_ANSWERS);
        if (p.before.eom != EFFECT_REJECT)
            continue;
        p.after = randmail_play(&mails[1], plain_look, RANDMAIL_ANSWERS);
        return p;
    }
}

static void run_second(void **state)
{
    const struct second_row *row = *state;
    struct draw d = {.state = 2};
    for (int i = 0; i < MESSAGES; i++) {
        struct randmail mails[2];
        struct pair p = draw_second(&d, row, settle, mails);
        expect(p.after.eom != EFFECT_ACCEPT, &p);
    }
}

/* ---- and what makes an exception ---- */

static void set_resent_covers(struct policy *policy)
{
    settle(policy);
    policy->resent_covers_from = true;
}

static void set_multiple_allow(struct policy *policy)
{
    settle(policy);
    policy->actions[CHECK_MULTIPLE_FROM] = ACTION_ALLOW;
}

static void set_from_observe(struct policy *policy)
{
    settle(policy);
    policy->actions[CHECK_HEADER_FROM] = ACTION_OBSERVE;
}

struct except_row {
    const char *name;
    struct second_row second;
    void (*set)(struct policy *policy);
};

static const struct except_row except_rows[] = {
    {"an exception: resent_covers_from, a granted Resent-From",
     {"", add_resent_from},
     set_resent_covers},
    {"an exception: multiple_from = allow, a granted Sender", {"", add_sender}, set_multiple_allow},
    /* With a second one, neither the number of mailboxes of From nor their names are looked at. */
    {"an exception: header_from = observe, another From", {"", add_from}, set_from_observe},
};

static void run_except(void **state)
{
    const struct except_row *row = *state;
    struct draw d = {.state = 3};
    int accepted = 0;
    for (int i = 0; i < MESSAGES && !accepted; i++) {
        struct randmail mails[2];
        accepted += draw_second(&d, &row->second, row->set, mails).after.eom == EFFECT_ACCEPT;
    }
    assert_true(accepted > 0);
}

/* ---- observe and enforce differ in the effect alone ---- */

static bool same_findings(const struct randmail_verdict *acts, const struct randmail_verdict *notes)
{
    for (size_t i = 0; i < acts->finding_count && i < notes->finding_count; i++) {
        const struct randmail_finding *a = &acts->findings[i], *b = &notes->findings[i];
        if (a->reason != b->reason || a->effect != b->effect || !b->observed)
            return false;
    }
    return acts->finding_count == notes->finding_count;
}

static bool only_noted(const struct randmail_verdict *v)
{
    return v->rcpt == EFFECT_ACCEPT && v->eom == EFFECT_ACCEPT && v->eom_reason == REASON_NONE;
}

/* Without old data: where a message is refused for its shape, nobody asks for fresh data, and who
 * only notes goes on to ask. */
static void observe_differs_in_effect_only(void **state)
{
    struct draw d = {.state = 4};
    struct tally tally = {0};
    (void)state;
    for (int i = 0; i < 4 * MESSAGES; i++) {
        struct randmail m = randmail_draw(&d), noted = m;
        noted.policy.observe = true;
        enum randmail_directory how = (enum randmail_directory)draw_below(&d, RANDMAIL_OLD);
        struct pair p = {.first = &m, .second = &noted};
        p.before = randmail_play(&m, plain_look, how);
        p.after = randmail_play(&noted, plain_look, how);
        /* Where there is no place for all findings, those that act go first. */
        if (p.before.finding_count < DECISION_FINDINGS_MAX)
            expect(same_findings(&p.before, &p.after) && only_noted(&p.after), &p);
        count(&tally, p.before.eom);
    }
    expect_variety(&tally);
}

/* ---- a directory that does not answer ---- */

/* Shapes that need no directory to be refused. */
static bool is_shape(enum reason reason)
{
    return reason == REASON_FROM_DUPLICATE || reason == REASON_FROM_MALFORMED ||
           reason == REASON_FROM_GROUP || reason == REASON_HEADERS_TOO_LARGE ||
           reason == REASON_AUTH_REQUIRED || reason == REASON_SENDER_MALFORMED;
}

struct outage_row {
    const char *name;
    enum randmail_directory how;
    bool accepts_anyway;  /* directory_unavailable = accept */
    bool no_grant_counts; /* compared with what the message came to without any */
};

static const struct outage_row outage_rows[] = {
    {"an outage: silent", RANDMAIL_SILENT, false, false},
    {"an outage: another directory is silent", RANDMAIL_IN_PART, false, false},
    {"an outage: another directory is silent, that may deny", RANDMAIL_IN_PART_DENIES, false, true},
    {"an outage: only old data", RANDMAIL_OLD_ONLY, false, false},
    {"an outage: only old data, that grants nothing", RANDMAIL_POOR_ONLY, false, false},
    {"an outage: silent, accepted by the site", RANDMAIL_SILENT, true, false},
    {"an outage: another directory is silent, accepted by the site", RANDMAIL_IN_PART, true, false},
};

/* What would be rewritten to the primary address, if that were known. */
static bool would_be_rewritten(const struct randmail *m, enum reason reason)
{
    return reason == REASON_SENDER_MALFORMED && m->policy.actions[CHECK_ENVELOPE] == ACTION_REWRITE;
}

/* Shape is refused all the same, a right is never made up, and none refused for good. */
static bool survives(const struct outage_row *row, const struct pair *p)
{
    if (p->before.eom == EFFECT_REJECT && is_shape(p->before.eom_reason) &&
        would_be_rewritten(p->second, p->before.eom_reason))
        return p->after.eom == EFFECT_REJECT || p->after.eom == EFFECT_TEMPFAIL;
    if (p->before.eom == EFFECT_REJECT && is_shape(p->before.eom_reason))
        return p->after.eom == EFFECT_REJECT;
    if (p->before.eom == EFFECT_ACCEPT)
        return p->after.eom != EFFECT_REJECT;
    return row->accepts_anyway || p->after.eom != EFFECT_ACCEPT;
}

static struct randmail without_grants(const struct randmail *m)
{
    struct randmail none = *m;
    memset(none.grants, 0, sizeof none.grants);
    return none;
}

static void run_outage(void **state)
{
    const struct outage_row *row = *state;
    struct draw d = {.state = 5};
    struct tally tally = {0};
    for (int i = 0; i < MESSAGES; i++) {
        struct randmail m = randmail_draw(&d);
        m.policy.actions[CHECK_DIRECTORY_UNAVAILABLE] =
            row->accepts_anyway ? ACTION_ACCEPT : ACTION_TEMPFAIL;
        struct randmail judged = row->no_grant_counts ? without_grants(&m) : m;
        struct pair p = {.first = &judged, .second = &m};
        p.before = randmail_play(&judged, plain_look, RANDMAIL_ANSWERS);
        p.after = randmail_play(&m, plain_look, row->how);
        expect(survives(row, &p), &p);
        count(&tally, p.before.eom);
    }
    expect_variety(&tally);
}

struct old_row {
    const char *name;
    enum randmail_directory how;
};

static const struct old_row old_rows[] = {
    {"old data, then fresh: the same effect", RANDMAIL_OLD},
    {"old data that grants nothing, then fresh: the same effect", RANDMAIL_POOR},
};

static void run_old(void **state)
{
    const struct old_row *row = *state;
    struct draw d = {.state = 6};
    struct tally tally = {0};
    for (int i = 0; i < MESSAGES; i++) {
        struct randmail m = randmail_draw(&d);
        struct pair p = {.first = &m, .second = &m};
        p.before = randmail_play(&m, plain_look, RANDMAIL_ANSWERS);
        p.after = randmail_play(&m, plain_look, row->how);
        expect(p.before.rcpt == p.after.rcpt && p.before.eom == p.after.eom, &p);
        count(&tally, p.before.eom);
    }
    expect_variety(&tally);
}

/* ---- what came before in the session ---- */

/* How far the first message gets. */
enum ending { WHOLE, ABORTED, UNFINISHED, MAIL_ALONE, NO_HEADERS, HELO_AGAIN, ENDINGS };

static void send_before(struct randmail_world *w, const struct randmail *m, enum ending ending)
{
    struct randmail_look look = plain_look;
    if (ending == WHOLE) {
        (void)randmail_send(w, m, look);
        return;
    }
    struct arena *a = arena_create();
    randmail_mail(w, m, &look, a);
    if (ending != MAIL_ALONE)
        (void)session_rcpt(w->session, &(struct session_rcpt){.argument = "<bob@example.net>"});
    if (ending != MAIL_ALONE && ending != NO_HEADERS)
        randmail_headers(w, m, &look, a);
    if (ending == ABORTED)
        session_abort(w->session);
    if (ending == HELO_AGAIN)
        session_helo(w->session);
    arena_destroy(a);
}

/* Another message under the same configuration. */
static struct randmail draw_beside(struct draw *d, const struct randmail *m)
{
    struct randmail other = randmail_draw(d);
    other.policy = m->policy;
    other.tags = m->tags;
    other.known = m->known;
    other.disabled = m->disabled;
    memcpy(other.grants, m->grants, sizeof other.grants);
    memcpy(other.denies, m->denies, sizeof other.denies);
    return other;
}

static struct randmail_verdict play_behind(struct draw *d, const struct randmail *before,
                                           const struct randmail *m, bool reloaded)
{
    struct randmail_world *w = randmail_world_create();
    snapshot_publish(&w->slot, randmail_snapshot(before, RANDMAIL_ANSWERS));
    for (size_t i = 1 + draw_below(d, 3); i > 0; i--)
        send_before(w, before, (enum ending)draw_below(d, ENDINGS));
    if (reloaded)
        snapshot_publish(&w->slot, randmail_snapshot(m, RANDMAIL_ANSWERS));
    struct randmail_verdict verdict = randmail_send(w, m, plain_look);
    randmail_world_destroy(w);
    return verdict;
}

static void run_behind(bool reloaded)
{
    struct draw d = {.state = 7};
    struct tally tally = {0};
    for (int i = 0; i < 2 * MESSAGES; i++) {
        struct randmail m = randmail_draw(&d);
        struct randmail before = reloaded ? randmail_draw(&d) : draw_beside(&d, &m);
        struct pair p = {.first = &before, .second = &m};
        p.before = randmail_play(&m, plain_look, RANDMAIL_ANSWERS);
        p.after = play_behind(&d, &before, &m, reloaded);
        expect(same_verdict(&p.before, &p.after) && p.before.finding_count == p.after.finding_count,
               &p);
        count(&tally, p.before.eom);
    }
    expect_variety(&tally);
}

static void the_session_forgets(void **state)
{
    (void)state;
    run_behind(false);
}

static void the_session_forgets_its_configuration(void **state)
{
    (void)state;
    run_behind(true);
}

int main(void)
{
    ROWS_ADD(look_rows, run_look);
    ROWS_ADD(second_rows, run_second);
    ROWS_ADD(except_rows, run_except);
    ROWS_ADD_TEST("observe and enforce differ in the effect alone", observe_differs_in_effect_only);
    ROWS_ADD(outage_rows, run_outage);
    ROWS_ADD(old_rows, run_old);
    ROWS_ADD_TEST("a message is judged as if it were alone", the_session_forgets);
    ROWS_ADD_TEST("a message is judged as if it were alone, behind a reload",
                  the_session_forgets_its_configuration);
    return rows_main();
}
