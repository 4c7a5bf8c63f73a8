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
    return session_rcpt(w->session, "<x@other.example>", NULL, NULL);
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
    assert_non_null(strstr(answer.reply.text, "from-not-granted: From address <bob@example.net>"));
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
    assert_non_null(strstr(session_eom(w->session, NULL).reply.text, "headers-too-large"));
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
    session_abort(w->session);
    (void)mail(w, NULL, "<ann@example.net>");
    assert_non_null(strstr(rcpt(w).reply.text, "auth-required"));
    (void)mail(w, "bob", "<bob@example.net>");
    (void)rcpt(w);
    assert_non_null(strstr(session_eom(w->session, NULL).reply.text, "from-missing"));
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
        TEST(other_headers_may_be_large),
        TEST(nothing_is_inherited),
        TEST(mail_is_answered_where_asked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
