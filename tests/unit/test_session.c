/* session: lifetimes and bounds; what a message means is played in tests/replay. */
#include "rows.h"

#include "one_user.h"
#include "session.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

struct world {
    struct snapshot_slot slot;
    struct session_host host;
    struct session *session;
    unsigned records;
    char last[2000];
};

static void decided(void *context, const struct record *record)
{
    struct world *w = context;
    struct arena *a = arena_create();
    struct strbuf text;
    strbuf_init(&text, a);
    record_text(record, &text);
    (void)snprintf(w->last, sizeof w->last, "%s", text.text);
    w->records++;
    arena_destroy(a);
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    snapshot_slot_init(&w->slot);
    snapshot_publish(&w->slot, one_user_snapshot());
    w->host = (struct session_host){
        .slot = &w->slot, .clock = &clock_real, .decided = decided, .context = w};
    w->session = session_create(&w->host);
    session_connect(w->session, &(struct session_connect){.client_addr = "192.0.2.1",
                                                          .client_port = "4000",
                                                          .listener = "ORIGINATING"});
    session_helo(w->session);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    session_destroy(w->session);
    snapshot_slot_clear(&w->slot);
    free(w);
    return 0;
}

static struct session_answer mail(struct world *w, const char *login, const char *argument)
{
    return session_mail(w->session, &(struct session_mail){.argument = argument,
                                                           .auth_type = login ? "PLAIN" : NULL,
                                                           .auth_authen = login});
}

static struct session_answer rcpt(struct world *w)
{
    return session_rcpt(w->session, &(struct session_rcpt){.argument = "<x@other.example>"});
}

static void accepts_and_reports(void **state)
{
    struct world *w = *state;
    assert_int_equal(mail(w, "ann", "<ann@example.net>").effect, EFFECT_ACCEPT);
    assert_int_equal(rcpt(w).effect, EFFECT_ACCEPT);
    session_header(w->session, "From", " ann@example.net");
    assert_int_equal(session_eom(w->session, "4XYZ").effect, EFFECT_ACCEPT);
    assert_int_equal(w->records, 1);
    assert_non_null(strstr(w->last, "event=message qid=4XYZ client=192.0.2.1"));
    assert_non_null(strstr(w->last, "from_grant=test:all:here"));
}

static void out_of_order_is_a_tempfail(void **state)
{
    struct world *w = *state;
    struct session_answer answer = rcpt(w);
    assert_int_equal(answer.effect, EFFECT_TEMPFAIL);
    assert_string_equal(answer.reply.code, "451");
    assert_int_equal(session_eom(w->session, NULL).effect, EFFECT_TEMPFAIL);
    session_header(w->session, "From", "ann@example.net");
    session_abort(w->session);
    (void)mail(w, "ann", "<ann@example.net>");
    session_helo(w->session);
    assert_int_equal(rcpt(w).effect, EFFECT_TEMPFAIL);
}

static void a_reply_outlives_its_message(void **state)
{
    struct world *w = *state;
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    session_header(w->session, "From", "bob@example.net");
    struct session_answer answer = session_eom(w->session, NULL);
    assert_int_equal(answer.effect, EFFECT_REJECT);
    assert_string_equal(answer.reply.code, "550");
    assert_non_null(
        strstr(answer.reply.lines[0], "from-not-granted: From address <bob@example.net>"));
}

static void a_message_keeps_its_configuration(void **state)
{
    struct world *w = *state;
    (void)mail(w, "ann", "<ann@example.net>");
    struct snapshot *strict = one_user_snapshot();
    for (size_t i = 0; i < strict->policy_count; i++)
        strict->policies[i].max_recipients = 1;
    snapshot_publish(&w->slot, strict);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rcpt(w).effect, EFFECT_ACCEPT);
    session_abort(w->session);
    (void)mail(w, "ann", "<ann@example.net>");
    assert_int_equal(rcpt(w).effect, EFFECT_ACCEPT);
    assert_int_equal(rcpt(w).effect, EFFECT_TEMPFAIL);
}

static void a_lookup_nobody_joins_is_released(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 100; i++)
        (void)mail(w, "ann", "<ann@example.net>");
    assert_int_equal(w->records, 0);
}

/* Where a sanitizer has replaced malloc, mallinfo2() knows nothing. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t heap_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
                                                   : mallinfo2().uordblks;
}

static void many_recipients_cost_no_memory(void **state)
{
    struct world *w = *state;
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    size_t before = heap_in_use();
    for (int i = 0; i < 100000; i++)
        assert_int_equal(rcpt(w).effect, EFFECT_ACCEPT);
    assert_true(heap_in_use() <= before + 4096);
}

static void header_bounds(void **state)
{
    struct world *w = *state;
    for (int over = 0; over < 2; over++) {
        (void)mail(w, "ann", "<ann@example.net>");
        (void)rcpt(w);
        for (int i = 0; i < 9 + over; i++)
            session_header(w->session, "X-Pad", "x");
        session_header(w->session, "From", "ann@example.net");
        struct session_answer answer = session_eom(w->session, NULL);
        assert_int_equal(answer.effect, over ? EFFECT_REJECT : EFFECT_ACCEPT);
        if (over)
            assert_string_equal(answer.reply.code, "552");
    }
}

static void a_judged_header_over_its_bound(void **state)
{
    struct world *w = *state;
    char value[1100];
    memset(value, ' ', sizeof value);
    memcpy(value + sizeof value - 18, "\n ann@example.net", 18);
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    session_header(w->session, "From", value);
    session_header(w->session, "Sender", value);
    assert_non_null(strstr(session_eom(w->session, NULL).reply.lines[0], "headers-too-large"));
    assert_non_null(strstr(w->last, " detail=\"From is over max_header_size\" "));
}

/* One field with the bound of 1024 octets, name included, and one octet over it. */
static void every_judged_header_has_its_bound(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"Sender", "resent-from ", "RESENT-SENDER"};
    static const char address[] = "ann@example.net (";
    for (size_t i = 0; i < 3; i++) {
        for (size_t over = 0; over < 2; over++) {
            char value[1100];
            size_t len = 1024 - strlen(names[i]) + over;
            memset(value, 'x', len);
            memcpy(value, address, sizeof address - 1);
            memcpy(value + 500, "\n ", 2); /* two lines of legal length */
            memcpy(value + len - 1, ")", 2);
            (void)mail(w, "ann", "<ann@example.net>");
            (void)rcpt(w);
            session_header(w->session, "From", "ann@example.net");
            session_header(w->session, names[i], "ann@example.net");
            session_header(w->session, names[i], value);
            struct session_answer answer = session_eom(w->session, NULL);
            if (over)
                assert_memory_equal(answer.reply.lines[0], "headers-too-large", 17);
            else if (i == 0)
                assert_memory_equal(answer.reply.lines[0], "header-sender-not-granted", 25);
            else
                assert_int_equal(answer.effect, EFFECT_ACCEPT);
        }
    }
}

/* 998 octets in a line, of which the name, the colon and a blank take eight. */
static void a_line_has_its_bound(void **state)
{
    struct world *w = *state;
    for (size_t over = 0; over < 2; over++) {
        char value[1000] = "ann@example.net (";
        size_t len = 998 - 8 + over, start = strlen(value);
        memset(value + start, 'x', len - start);
        memcpy(value + len - 1, ")", 2);
        (void)mail(w, "ann", "<ann@example.net>");
        (void)rcpt(w);
        session_header(w->session, "From", "ann@example.net");
        session_header(w->session, "Sender", value);
        assert_int_equal(session_eom(w->session, NULL).effect,
                         over ? EFFECT_REJECT : EFFECT_ACCEPT);
    }
}

/* Fields over max_headers are not kept, so they cost nothing. */
static void too_many_fields_cost_no_memory(void **state)
{
    struct world *w = *state;
    char value[1000];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    session_header(w->session, "From", "ann@example.net");
    for (int i = 0; i < 20; i++)
        session_header(w->session, "Resent-From", value);
    size_t before = heap_in_use();
    for (int i = 0; i < 1000; i++)
        session_header(w->session, i % 2 ? "Sender" : "Resent-Sender", value);
    assert_true(heap_in_use() <= before);
    assert_memory_equal(session_eom(w->session, NULL).reply.lines[0], "headers-too-large", 17);
}

static void every_field_is_judged(void **state)
{
    struct world *w = *state;
    static const char *const reasons[] = {"resent-not-granted", "header-sender-not-granted"};
    for (size_t i = 0; i < 2; i++) {
        (void)mail(w, "ann", "<ann@example.net>");
        (void)rcpt(w);
        session_header(w->session, "From", "ann@example.net");
        for (int k = 0; k < 6; k++)
            session_header(w->session, "Resent-From", "ann@example.net");
        session_header(w->session, i ? "sender\t" : "Resent-Sender", "bob@example.net");
        struct session_answer answer = session_eom(w->session, NULL);
        assert_memory_equal(answer.reply.lines[0], reasons[i], strlen(reasons[i]));
    }
    assert_non_null(strstr(w->last, "sender_header=bob@example.net resent=ann@example.net,"));
    assert_non_null(strstr(w->last, " resent_count=6 "));
}

static void other_headers_may_be_large(void **state)
{
    struct world *w = *state;
    char value[1100];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    session_header(w->session, "References", value);
    session_header(w->session, "From", "ann@example.net");
    assert_int_equal(session_eom(w->session, NULL).effect, EFFECT_ACCEPT);
}

static void nothing_is_inherited(void **state)
{
    struct world *w = *state;
    (void)mail(w, "ann", "<ann@example.net>");
    (void)rcpt(w);
    session_header(w->session, "From", "ann@example.net");
    session_header(w->session, "Sender", "carl@example.net");
    session_header(w->session, "Resent-From", "carl@example.net");
    session_abort(w->session);
    (void)mail(w, NULL, "<ann@example.net>");
    assert_non_null(strstr(rcpt(w).reply.lines[0], "auth-required"));
    (void)mail(w, "bob", "<bob@example.net>");
    (void)rcpt(w);
    assert_non_null(strstr(session_eom(w->session, NULL).reply.lines[0], "from-missing"));
    (void)mail(w, "bob", "<bob@example.net>");
    (void)rcpt(w);
    session_header(w->session, "From", "bob@example.net");
    assert_int_equal(session_eom(w->session, NULL).effect, EFFECT_ACCEPT);
}

/* What names show is read for who proved something only. */
static void names_are_read(void **state)
{
    struct world *w = *state;
    static const char value[] = "\"carl@example.net\" <ann@example.net>";
    for (int known = 0; known < 2; known++) {
        struct snapshot *snapshot = one_user_snapshot();
        for (size_t i = 0; i < snapshot->policy_count; i++)
            snapshot->policies[i].require_authentication = false;
        snapshot_publish(&w->slot, snapshot);
        (void)mail(w, known ? "ann" : NULL, "<ann@example.net>");
        (void)session_rcpt(w->session, &(struct session_rcpt){.argument = "<x@example.net>"});
        session_header(w->session, "From", value);
        session_header(w->session, "Sender", value);
        session_header(w->session, "Resent-From", value);
        assert_int_equal(session_eom(w->session, NULL).effect, EFFECT_ACCEPT);
        const char *shown = " shown=carl@example.net,carl@example.net,carl@example.net ";
        assert_int_equal(strstr(w->last, shown) != NULL, known);
        assert_int_equal(strstr(w->last, "shown=") != NULL, known);
    }
}

static void mail_is_answered_where_asked(void **state)
{
    struct world *w = *state;
    w->host.refuse_at_mail = true;
    assert_int_equal(mail(w, "ann", "<ann@example.net>").effect, EFFECT_ACCEPT);
    assert_int_equal(w->records, 0);
    struct session_answer answer = mail(w, "ann", "<bob@example.net>");
    assert_int_equal(answer.effect, EFFECT_REJECT);
    assert_string_equal(answer.reply.code, "553");
    assert_non_null(strstr(w->last, "event=mail"));
}

/* ---- asking again for fresh data ---- */

enum says_kind { NO_ANSWER, FOUND, UNKNOWN, UNAVAILABLE, MISCONFIGURED, IN_PART };

/* What the directory answers to a question. */
struct says {
    enum says_kind kind; /* NO_ANSWER: it keeps the ticket */
    bool old;            /* not fresh */
    const char *grant;   /* one address */
};

struct script {
    struct says first, again; /* to the question at MAIL; to one that wants fresh data */
    struct says third;        /* to the second one of these, where its kind is set */
};

struct scripted {
    struct dir_backend backend;
    struct script script;
    unsigned asked, asked_again;
    struct dir_ticket *held[4];
    unsigned held_count;
};

static void say(struct dir_ticket *ticket, const struct says *says)
{
    static const enum account_status statuses[] = {
        [FOUND] = ACCOUNT_FOUND,
        [UNKNOWN] = ACCOUNT_UNKNOWN,
        [UNAVAILABLE] = ACCOUNT_UNAVAILABLE,
        [MISCONFIGURED] = ACCOUNT_MISCONFIGURED,
        [IN_PART] = ACCOUNT_FOUND,
    };
    struct account_answer *answer = account_answer_create();
    struct grant *grant = arena_alloc(answer->arena, sizeof *grant);
    struct grant_list *list = arena_alloc(answer->arena, sizeof *list);
    *grant = (struct grant){.form = GRANT_EXACT,
                            .key = says->grant ? says->grant : "nobody@example.net",
                            .directory = "test",
                            .entry = "here",
                            .attribute = "all"};
    *list = (struct grant_list){grant, 1};
    answer->status = statuses[says->kind];
    answer->missing = says->kind == IN_PART ? ACCOUNT_UNAVAILABLE : ACCOUNT_FOUND;
    answer->fresh = !says->old && (says->kind == FOUND || says->kind == UNKNOWN);
    answer->asked_at = dir_ticket_now(ticket);
    answer->why = says->kind == FOUND ? NULL : "because";
    answer->account = (struct account){.name = "ann", .entry = "here", .lists = list};
    answer->account.list_count = 1;
    dir_ticket_done(ticket, answer);
}

static void scripted_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct scripted *s = (struct scripted *)self;
    const struct says *says = &s->script.first;
    if (dir_ticket_question(ticket)->fresh)
        says = s->asked_again++ && s->script.third.kind ? &s->script.third : &s->script.again;
    else
        s->asked++;
    if (says->kind == NO_ANSWER)
        s->held[s->held_count++] = ticket;
    else
        say(ticket, says);
}

static void scripted_destroy(struct dir_backend *self)
{
    struct scripted *s = (struct scripted *)self;
    for (unsigned i = 0; i < s->held_count; i++)
        dir_ticket_fail(s->held[i], ACCOUNT_UNAVAILABLE, "closed");
    free(s);
}

static struct scripted *scripted_publish(struct world *w, const struct script *script,
                                         enum policy_action unavailable)
{
    static const struct dir_ops ops = {"scripted", scripted_ask, scripted_destroy};
    struct snapshot *snapshot = one_user_snapshot();
    struct scripted *s = xcalloc(1, sizeof *s);
    s->script = *script;
    s->backend = (struct dir_backend){.ops = &ops, .name = "test"};
    dir_destroy(snapshot->dir);
    snapshot->dir = dir_create(&(struct dir_conf){.max_waiting = 4, .clock = &clock_real});
    assert_true(dir_add(snapshot->dir, &s->backend));
    snapshot->command_budget = 20 * CLOCK_MS;
    for (size_t i = 0; i < snapshot->policy_count; i++)
        snapshot->policies[i].actions[CHECK_DIRECTORY_UNAVAILABLE] = unavailable;
    snapshot_publish(&w->slot, snapshot);
    return s;
}

struct again_row {
    const char *name;
    struct script script;
    bool accept_outage;
    const char *sender, *from; /* NULL for ann@example.net */
    const char *rcpt, *eom;    /* the reason of each answer; NULL for accept, "" for not asked */
    bool sender_kept;          /* at the end: the envelope is still granted */
    unsigned at_rcpt, in_all;  /* how often fresh data was asked for */
};

#define ANN  "ann@example.net"
#define BOB  "bob@example.net"
#define LATE "directory-unavailable"

static const struct again_row again_rows[] = {
    {"fresh data is not asked for twice",
     {.first = {.kind = FOUND, .grant = ANN}},
     .sender = BOB,
     .rcpt = "sender-not-granted",
     .eom = ""},
    {"what old data grants is not asked for again",
     .script = {.first = {.kind = FOUND, .old = true, .grant = ANN}}},
    {"a fresh no refuses",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = FOUND, .grant = ANN}},
     .sender = BOB,
     .rcpt = "sender-not-granted",
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"a fresh yes accepts, and stays for the message",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = FOUND, .grant = BOB}},
     .sender = BOB,
     .from = BOB,
     .at_rcpt = 1,
     .in_all = 1},
    {"fresh data refuses From without being asked again",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = FOUND, .grant = BOB}},
     .sender = BOB,
     .from = ANN,
     .eom = "from-not-granted",
     .at_rcpt = 1,
     .in_all = 1},
    {"asked for at the end of the message only",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = FOUND, .grant = ANN}},
     .from = BOB,
     .eom = "from-not-granted",
     .at_rcpt = 0,
     .in_all = 1},
    {"fresh data at the end takes the envelope back",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = FOUND, .grant = BOB}},
     .from = BOB,
     .eom = "sender-not-granted",
     .at_rcpt = 0,
     .in_all = 1},
    {"the login is gone",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = UNKNOWN}},
     .sender = BOB,
     .rcpt = "login-unknown",
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"an unknown login is there by now",
     {.first = {.kind = UNKNOWN, .old = true}, .again = {.kind = FOUND, .grant = ANN}},
     .at_rcpt = 1,
     .in_all = 1},
    {"an unknown login stays unknown",
     {.first = {.kind = UNKNOWN, .old = true}, .again = {.kind = UNKNOWN}},
     .rcpt = "login-unknown",
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"an outage refuses nothing",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = UNAVAILABLE}},
     .sender = BOB,
     .rcpt = LATE,
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"an outage takes nothing back: the envelope stays granted, From is not known",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = UNAVAILABLE}},
     .from = BOB,
     .eom = LATE,
     .at_rcpt = 0,
     .in_all = 1},
    {"no answer in time refuses nothing",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = NO_ANSWER}},
     .sender = BOB,
     .rcpt = LATE,
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"data that cannot be right refuses nothing",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = MISCONFIGURED}},
     .sender = BOB,
     .rcpt = "misconfigured",
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"old data again refuses nothing",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = FOUND, .old = true, .grant = ANN}},
     .sender = BOB,
     .rcpt = LATE,
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"younger data that is not fresh may accept",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = FOUND, .old = true, .grant = BOB}},
     .sender = BOB,
     .from = BOB,
     .at_rcpt = 1,
     .in_all = 1},
    {"an answer in part adds its grants to the old ones",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = BOB}},
     .sender = BOB,
     .from = ANN,
     .at_rcpt = 1,
     .in_all = 1},
    {"an answer in part refuses nothing",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = ANN}},
     .sender = BOB,
     .rcpt = LATE,
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"an answer in part instead of an unknown login",
     {.first = {.kind = UNKNOWN, .old = true}, .again = {.kind = IN_PART, .grant = ANN}},
     .at_rcpt = 1,
     .in_all = 1},
    {"an unknown login and an outage",
     {.first = {.kind = UNKNOWN, .old = true}, .again = {.kind = UNAVAILABLE}},
     .rcpt = LATE,
     .eom = "",
     .at_rcpt = 1,
     .in_all = 1},
    {"a directory that is silent at first is not asked again",
     {.first = {.kind = UNAVAILABLE}},
     .rcpt = LATE,
     .eom = ""},
    {"a part that is silent at first is not asked for again",
     {.first = {.kind = IN_PART, .grant = ANN}},
     .sender = BOB,
     .rcpt = LATE,
     .eom = ""},
    {"once at RCPT, once at the end",
     {.first = {.kind = FOUND, .old = true, .grant = ANN}, .again = {.kind = UNAVAILABLE}},
     .accept_outage = true,
     .sender = BOB,
     .at_rcpt = 1,
     .in_all = 2},
    {"the end of the message has the answer that RCPT had not",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = UNAVAILABLE},
      .third = {.kind = FOUND, .grant = ANN}},
     .accept_outage = true,
     .sender = BOB,
     .eom = "sender-not-granted",
     .at_rcpt = 1,
     .in_all = 2},
    {"a part of the directories at RCPT, nothing at the end",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = BOB},
      .third = {.kind = UNAVAILABLE}},
     .sender = BOB,
     .from = "carl@example.net",
     .eom = LATE,
     .sender_kept = true,
     .at_rcpt = 1,
     .in_all = 2},
    {"a part of the directories at RCPT, another part at the end",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = BOB},
      .third = {.kind = IN_PART, .grant = "carl@example.net"}},
     .sender = BOB,
     .from = "carl@example.net",
     .eom = LATE,
     .at_rcpt = 1,
     .in_all = 2},
    {"a part of the directories at RCPT, all at the end, which takes it back",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = BOB},
      .third = {.kind = FOUND, .grant = ANN}},
     .sender = BOB,
     .from = "carl@example.net",
     .eom = "sender-not-granted",
     .at_rcpt = 1,
     .in_all = 2},
    {"a part of the directories at RCPT, all at the end, and a no",
     {.first = {.kind = FOUND, .old = true, .grant = ANN},
      .again = {.kind = IN_PART, .grant = BOB},
      .third = {.kind = FOUND, .grant = BOB}},
     .sender = BOB,
     .from = "carl@example.net",
     .eom = "from-not-granted",
     .sender_kept = true,
     .at_rcpt = 1,
     .in_all = 2},
};

static void check_reason(const struct session_answer *answer, const char *want)
{
    assert_int_equal(answer->effect == EFFECT_ACCEPT, want == NULL);
    if (want)
        assert_memory_equal(answer->reply.lines[0], want, strlen(want));
}

static const char *or_ann(const char *address)
{
    return address ? address : ANN;
}

static void asks_again(void **state)
{
    const struct again_row *row = *state;
    void *made = NULL;
    char path[64];
    (void)setup(&made);
    struct world *w = made;
    struct scripted *dir =
        scripted_publish(w, &row->script, row->accept_outage ? ACTION_ACCEPT : ACTION_TEMPFAIL);
    (void)snprintf(path, sizeof path, "<%s>", or_ann(row->sender));
    (void)mail(w, "ann", path);
    for (int i = 0; i < 3; i++) { /* however many recipients there are */
        struct session_answer answer = rcpt(w);
        check_reason(&answer, row->rcpt);
        assert_int_equal(dir->asked_again, row->at_rcpt);
    }
    if (!row->eom || *row->eom) {
        session_header(w->session, "From", or_ann(row->from));
        struct session_answer answer = session_eom(w->session, NULL);
        check_reason(&answer, row->eom);
        if (row->sender_kept)
            assert_non_null(strstr(w->last, "sender_grant=test:all:here"));
    }
    assert_int_equal(dir->asked_again, row->in_all);
    assert_int_equal(dir->asked, 1);
    (void)teardown(&made);
}

/* Each look at it takes a second. */
struct jumping_clock {
    struct clock clock;
    uint64_t now;
};

static uint64_t jump(const struct clock *self)
{
    struct jumping_clock *c = (struct jumping_clock *)(uintptr_t)self;
    return c->now += CLOCK_S;
}

static const struct script never_again = {.first = {.kind = FOUND, .old = true, .grant = ANN},
                                          .again = {.kind = NO_ANSWER}};

static void nobody_waits_twice(void **state)
{
    struct world *w = *state;
    (void)scripted_publish(w, &never_again, ACTION_TEMPFAIL);
    (void)mail(w, "ann", "<" BOB ">");
    uint64_t before = clock_now(&clock_real);
    assert_int_equal(rcpt(w).effect, EFFECT_TEMPFAIL);
    uint64_t waited = clock_now(&clock_real) - before;
    assert_true(waited >= 10 * CLOCK_MS);
    assert_non_null(strstr(w->last, "detail=\"test: no answer in time\""));
    for (int i = 0; i < 200; i++)
        assert_int_equal(rcpt(w).effect, EFFECT_TEMPFAIL);
    assert_true(clock_now(&clock_real) - before < 100 * waited);
}

/* What came before the recheck in the same event is taken from its budget. */
static void the_budget_is_of_the_event(void **state)
{
    struct world *w = *state;
    struct jumping_clock clock = {{jump}, CLOCK_S};
    (void)scripted_publish(w, &never_again, ACTION_TEMPFAIL);
    w->slot.current->command_budget = 3 * CLOCK_S; /* gone after three looks at the clock */
    w->host.clock = &clock.clock;
    (void)mail(w, "ann", "<" BOB ">");
    uint64_t before = clock_now(&clock_real);
    assert_int_equal(rcpt(w).effect, EFFECT_TEMPFAIL);
    assert_true(clock_now(&clock_real) - before < 2 * CLOCK_S);
    w->host.clock = &clock_real;
}

static void mail_and_rcpt_ask_again_once(void **state)
{
    struct world *w = *state;
    static const struct script script = {.first = {.kind = FOUND, .old = true, .grant = ANN},
                                         .again = {.kind = UNAVAILABLE}};
    struct scripted *dir = scripted_publish(w, &script, ACTION_ACCEPT);
    w->host.refuse_at_mail = true;
    assert_int_equal(mail(w, "ann", "<" BOB ">").effect, EFFECT_ACCEPT);
    assert_int_equal(dir->asked_again, 1);
    assert_int_equal(rcpt(w).effect, EFFECT_ACCEPT);
    assert_int_equal(dir->asked_again, 1);
    (void)mail(w, "ann", "<" BOB ">"); /* another message */
    assert_int_equal(dir->asked_again, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepts_and_reports),
        TEST(out_of_order_is_a_tempfail),
        TEST(a_reply_outlives_its_message),
        TEST(a_message_keeps_its_configuration),
        TEST(a_lookup_nobody_joins_is_released),
        TEST(many_recipients_cost_no_memory),
        TEST(header_bounds),
        TEST(a_judged_header_over_its_bound),
        TEST(every_judged_header_has_its_bound),
        TEST(a_line_has_its_bound),
        TEST(too_many_fields_cost_no_memory),
        TEST(every_field_is_judged),
        TEST(names_are_read),
        TEST(other_headers_may_be_large),
        TEST(nothing_is_inherited),
        TEST(mail_is_answered_where_asked),
        TEST(nobody_waits_twice),
        TEST(the_budget_is_of_the_event),
        TEST(mail_and_rcpt_ask_again_once),
    };
    ROWS_ADD(again_rows, asks_again);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        rows_tests[rows_count++] = tests[i];
    return rows_main();
}
