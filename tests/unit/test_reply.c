/* reply: templates, bounds, and the codes by stage and effect. */
#include "rows.h"

#include "arena.h"
#include "reply.h"

#include <string.h>

struct row {
    const char *name;
    enum reason reason;
    enum effect effect;
    bool eom;
    const char *address, *login, *template, *help_url;
    const char *want; /* code, enhanced code and text */
};

#define LONG50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct row rows[] = {
    {"default text", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true, "boss@example.net", "ann", NULL,
     NULL,
     "550 5.7.1 from-not-granted: From address <boss@example.net> may not be used by login ann; "
     "choose an address of your own"},
    {"help is added to a default text", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann", NULL,
     "https://help.example/#%{reason}",
     "550 5.6.0 from-group: the From field holds a group instead of one address; "
     "see https://help.example/#from-group"},
    {"own text stands alone", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true, "boss@example.net",
     "ann", "%{address} is not yours, %{login}", "https://help.example/",
     "550 5.7.1 from-not-granted: boss@example.net is not yours, ann"},
    {"own text places the reason itself", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true, "b@x.org",
     "ann", "[%{reason}] no: %{help_url}", "https://help.example/%{login}",
     "550 5.7.1 [from-not-granted] no: https://help.example/ann"},
    {"553 at RCPT", REASON_SENDER_NOT_GRANTED, EFFECT_REJECT, false, "b@x.org", "ann", "no", NULL,
     "553 5.7.1 sender-not-granted: no"},
    {"550 at the end of the message", REASON_SENDER_NOT_GRANTED, EFFECT_REJECT, true, "b@x.org",
     "ann", "no", NULL, "550 5.7.1 sender-not-granted: no"},
    {"tempfail of a check that rejects by default", REASON_RELAY_DENIED, EFFECT_TEMPFAIL, false,
     "b@x.org", NULL, "later", NULL, "451 4.7.1 relay-denied: later"},
    {"tempfail keeps its own code", REASON_LIMIT_RECIPIENTS, EFFECT_TEMPFAIL, false, "b@x.org",
     NULL, "later", NULL, "452 4.5.3 limit-recipients: later"},
    {"control and 8-bit characters", REASON_SENDER_MALFORMED, EFFECT_REJECT, false,
     "<a\r\n250 ok\x01\xc3\xbc@x>", "a\tb", NULL, NULL,
     "553 5.1.7 sender-malformed: sender address a??250 ok???@x cannot be read in one way only"},
    {"percent stays for the edge to double", REASON_RELAY_DENIED, EFFECT_REJECT, false,
     "a%{login}@x.org", "ann", "%{address} 100%", NULL,
     "550 5.7.1 relay-denied: a%{login}@x.org 100%"},
    {"long address is shortened in the middle", REASON_RELAY_DENIED, EFFECT_REJECT, false,
     LONG50 "@" LONG50 ".example", "ann", "%{address}", NULL,
     "550 5.7.1 relay-denied: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
     "xxxxxxxxxxxxxxxxxxxxxx.example"},
    {"null sender", REASON_NULL_SENDER, EFFECT_REJECT, false, "<>", "ann", "%{address} %{login}",
     NULL, "550 5.7.1 null-sender: <> ann"},
    {"help_url that names itself ends", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     "%{help_url}", "x%{help_url}y", "550 5.6.0 from-group: xy"},
};

static void words(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create();
    struct reply_texts texts = {.help_url = row->help_url};
    struct decision decision = {
        .effect = row->effect, .reason = row->reason, .address = row->address};
    struct facts facts = {
        .stage = row->eom ? FACTS_EOM : FACTS_RCPT,
        .principal = {.kind = PRINCIPAL_SASL, .raw = "raw", .login = {.name = row->login}},
    };
    struct reply reply;
    texts.texts[row->reason] = row->template;
    reply_make(a, &texts, &decision, &facts, &reply);
    assert_string_equal(arena_printf(a, "%s %s %s", reply.code, reply.enhanced, reply.text),
                        row->want);
    arena_destroy(a);
}

/* Every default text, with the longest values a client can bring, fits and is complete. */
static void defaults_fit(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct reply_texts texts = {.help_url = NULL};
    struct facts facts = {
        .principal = {.kind = PRINCIPAL_SASL, .login = {.name = LONG50 LONG50 LONG50}}};
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        struct decision decision = {.effect = EFFECT_REJECT,
                                    .reason = (enum reason)r,
                                    .address = LONG50 LONG50 "@" LONG50 LONG50};
        struct reply reply;
        reply_make(a, &texts, &decision, &facts, &reply);
        assert_true(strlen(reply.text) < REPLY_TEXT_MAX);
        const char *last_word = strrchr(reason_info((enum reason)r)->text, ' ');
        assert_string_equal(strrchr(reply.text, ' '), last_word);
    }
    arena_destroy(a);
}

struct template_row {
    const char *name, *text;
    bool good;
};

static const struct template_row templates[] = {
    {"plain", "go away", true},
    {"all placeholders", "%{address} %{login} %{help_url} %{reason}", true},
    {"lone percent", "100% no", true},
    {"unknown placeholder", "%{sender}", false},
    {"open placeholder", "%{login", false},
    {"newline", "a\nb", false},
    {"8-bit", "gr\xc3\xbc\xc3\x9f", false},
    {"too long", LONG50 LONG50 LONG50 LONG50, false},
};

static void template_is_checked(void **state)
{
    const struct template_row *row = *state;
    struct errtext why = {""};
    assert_int_equal(reply_check_template(row->text, &why), row->good);
    assert_int_equal(why.text[0] == '\0', row->good);
}

int main(void)
{
    ROWS_ADD(rows, words);
    ROWS_ADD(templates, template_is_checked);
    ROWS_ADD_TEST("defaults fit", defaults_fit);
    return rows_main();
}
