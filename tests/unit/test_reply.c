/* reply: templates, lines, bounds, and the codes by stage and effect. */
#include "rows.h"

#include "arena.h"
#include "reply.h"
#include "strbuf.h"
#include "texts.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *name;
    enum reason reason;
    enum effect effect;
    bool eom;
    const char *address, *login, *template, *help_url;
    const char *want; /* code, enhanced code and lines, " | " between */
};

#define URL_OF_195 "https://" X100 X50 X10 X10 X10 "xxxxxxx"

static const struct row rows[] = {
    {"default text", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true, "boss@example.net", "ann", NULL,
     NULL,
     "550 5.7.1 from-not-granted: From address <boss@example.net> may not be used by login ann; "
     "choose an address of your own"},
    {"help is added to a default text", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann", NULL,
     "https://help.example/#%{reason}",
     "550 5.6.0 from-group: the From field holds a group instead of one address; "
     "send with an address of your own; see https://help.example/#from-group"},
    {"help that the line has no room for", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true,
     "boss@example.net", "ann", NULL, "https://help.example/" X50 "#%{reason}",
     "550 5.7.1 from-not-granted: From address <boss@example.net> may not be used by login ann; "
     "choose an address of your own | see https://help.example/" X50 "#from-not-granted"},
    {"help of a whole line", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann", NULL, URL_OF_195,
     "550 5.6.0 from-group: the From field holds a group instead of one address; "
     "send with an address of your own | see " URL_OF_195},
    {"help longer than a line is left out", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     NULL, URL_OF_195 "x",
     "550 5.6.0 from-group: the From field holds a group instead of one address; "
     "send with an address of your own"},
    {"own text of several lines", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true, "boss@example.net",
     "ann", "%{address}:\nnot yours, %{login},\nby no means;\nsee %{help_url}",
     "https://help.example/#%{reason}",
     "550 5.7.1 from-not-granted: boss@example.net: | not yours, ann, | by no means; | "
     "see https://help.example/#from-not-granted"},
    {"the first line has the reason, whatever the second one has", REASON_FROM_GROUP, EFFECT_REJECT,
     true, NULL, "ann", "no\nfor %{reason}", NULL, "550 5.6.0 from-group: no | for from-group"},
    {"line that holds nothing in the end", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     "no\n%{help_url}\n \nindeed", NULL, "550 5.6.0 from-group: no | indeed"},
    {"empty template", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann", "", NULL,
     "550 5.6.0 from-group: "},
    {"more lines than a reply has", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     "1\n2\n3\n4\n5", NULL, "550 5.6.0 from-group: 1 | 2 | 3 | 4"},
    {"every line is cut by itself", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     X100 X100 "\n" X100 X100 "y\nz", NULL,
     "550 5.6.0 from-group: " X100 X50 X10 X10 X10 "xxxxxxx | " X100 X50 X10 X10 X10 X10
     "xxxxxxxxx | z"},
    {"line ends that a client brings end no line", REASON_FROM_NOT_GRANTED, EFFECT_REJECT, true,
     "a\r\nb@x.org", "c\nd", "%{address}\n%{login}", NULL,
     "550 5.7.1 from-not-granted: a??b@x.org | c?d"},
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
     "553 5.1.7 sender-malformed: sender address a??250 ok???@x cannot be read in one way only; "
     "write it as name@domain"},
    {"percent stays for the edge to double", REASON_RELAY_DENIED, EFFECT_REJECT, false,
     "a%{login}@x.org", "ann", "%{address} 100%", NULL,
     "550 5.7.1 relay-denied: a%{login}@x.org 100%"},
    {"long address is shortened in the middle", REASON_RELAY_DENIED, EFFECT_REJECT, false,
     X50 "@" X50 ".example", "ann", "%{address}", NULL,
     "550 5.7.1 relay-denied: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
     "xxxxxxxxxxxxxxxxxxxxxx.example"},
    {"null sender", REASON_NULL_SENDER, EFFECT_REJECT, false, "<>", "ann", "%{address} %{login}",
     NULL, "550 5.7.1 null-sender: <> ann"},
    {"help_url that names itself ends", REASON_FROM_GROUP, EFFECT_REJECT, true, NULL, "ann",
     "%{help_url}", "x%{help_url}y", "550 5.6.0 from-group: xy"},
};

static const char *reply_as_text(struct arena *a, const struct reply *reply)
{
    struct strbuf text;
    strbuf_init(&text, a);
    strbuf_printf(&text, "%s %s ", reply->code, reply->enhanced);
    for (size_t i = 0; i < reply->line_count; i++)
        strbuf_printf(&text, "%s%s", i ? " | " : "", reply->lines[i]);
    return text.text;
}

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
    assert_string_equal(reply_as_text(a, &reply), row->want);
    arena_destroy(a);
}

/* ---- default texts ---- */

static void is_line(const char *line)
{
    assert_true(strlen(line) < REPLY_TEXT_MAX);
    for (const char *c = line; *c; c++)
        assert_true(*c >= ' ' && *c <= '~');
}

static void make_default(struct arena *a, enum reason reason, const char *address,
                         const char *login, struct reply *out)
{
    struct reply_texts texts = {.help_url = NULL};
    struct facts facts = {.principal = {.kind = PRINCIPAL_SASL, .login = {.name = login}}};
    struct decision decision = {.effect = EFFECT_REJECT, .reason = reason, .address = address};
    reply_make(a, &texts, &decision, &facts, out);
    assert_int_equal(out->line_count, 1);
}

/* Begins with the identifier, ends with the template's last word: nothing was cut away. */
static void is_complete(enum reason reason, const char *line)
{
    const struct reason_info *info = reason_info(reason);
    size_t id = strlen(info->id);
    assert_memory_equal(line, info->id, id);
    assert_memory_equal(line + id, ": ", 2);
    assert_string_equal(strrchr(line, ' '), strrchr(info->text, ' '));
}

/* A row of all reasons begins with its reason. */
static enum reason reason_of(void **state)
{
    const enum reason *reason = *state;
    return *reason;
}

/* An address of 64 octets and a login of 32 stand in it as they are, if at all. */
static void default_has_room(void **state)
{
    enum reason reason = reason_of(state);
    const char *template = reason_info(reason)->text;
    struct arena *a = arena_create();
    struct reply reply;
    make_default(a, reason, X50 "@e.example.net", X10 X10 "@example.org", &reply);
    is_line(reply.lines[0]);
    is_complete(reason, reply.lines[0]);
    assert_int_equal(strstr(template, "%{address}") != NULL,
                     strstr(reply.lines[0], X50 "@e.example.net") != NULL);
    assert_int_equal(strstr(template, "%{login}") != NULL,
                     strstr(reply.lines[0], X10 X10 "@example.org") != NULL);
    arena_destroy(a);
}

/* Longer ones are shortened before they could push the text out. */
static void default_fits(void **state)
{
    enum reason reason = reason_of(state);
    struct arena *a = arena_create();
    struct reply reply;
    make_default(a, reason, X100 "@" X100, X100 X50, &reply);
    is_line(reply.lines[0]);
    is_complete(reason, reply.lines[0]);
    arena_destroy(a);
}

/* What was wrong; what to do. */
static void default_says_what_to_do(void **state)
{
    enum reason reason = reason_of(state);
    const char *advice = strstr(reason_info(reason)->text, "; ");
    assert_non_null(advice);
    assert_true(strlen(advice) > strlen("; "));
}

static const struct {
    const char *what;
    CMUnitTestFunction run;
} default_checks[] = {
    {"has room", default_has_room},
    {"fits", default_fits},
    {"says what to do", default_says_what_to_do},
};

enum { DEFAULT_CHECKS = sizeof default_checks / sizeof default_checks[0] };

static struct default_row {
    enum reason reason;
    char name[64];
} default_rows[REASON_COUNT][DEFAULT_CHECKS];

static void add_defaults(void)
{
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
        for (size_t i = 0; i < DEFAULT_CHECKS; i++) {
            struct default_row *row = &default_rows[r][i];
            row->reason = (enum reason)r;
            (void)snprintf(row->name, sizeof row->name, "default of %s %s",
                           reason_info(row->reason)->id, default_checks[i].what);
            rows_add(row->name, default_checks[i].run, row);
        }
}

/* ---- templates ---- */

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
    {"two lines", "a\nb", true},
    {"as many lines as a reply has", "a\nb\nc\nd", true},
    {"more lines than a reply has", "a\nb\nc\nd\ne", false},
    {"line end at the end", "a\n", false},
    {"line end at the beginning", "\na", false},
    {"blank line", "a\n \nb", false},
    {"nothing", "", false},
    {"carriage return", "a\r\nb", false},
    {"unknown placeholder in the second line", "a\n%{sender}", false},
    {"open placeholder at a line end", "%{login\n}", false},
    {"lines of 199", X100 X50 X10 X10 X10 X10 "xxxxxxxxx\n" X100 X50 X10 X10 X10 X10 "xxxxxxxxx",
     true},
    {"second line too long", "a\n" X100 X100, false},
    {"8-bit", "gr\xc3\xbc\xc3\x9f", false},
    {"too long", X50 X50 X50 X50, false},
};

static void template_is_checked(void **state)
{
    const struct template_row *row = *state;
    struct errtext why = {""};
    assert_int_equal(reply_check_template(row->text, &why), row->good);
    assert_int_equal(why.text[0] == '\0', row->good);
}

static const struct template_row one_line[] = {
    {"help_url: plain", "https://help.example/#%{reason}", true},
    {"help_url: none", "", true},
    {"help_url: two lines", "a\nb", false},
    {"help_url: unknown placeholder", "%{sender}", false},
    {"help_url: too long", X100 X100, false},
};

static void line_is_checked(void **state)
{
    const struct template_row *row = *state;
    struct errtext why = {""};
    assert_int_equal(reply_check_line(row->text, &why), row->good);
    assert_int_equal(why.text[0] == '\0', row->good);
}

int main(void)
{
    ROWS_ADD(rows, words);
    ROWS_ADD(templates, template_is_checked);
    ROWS_ADD(one_line, line_is_checked);
    add_defaults();
    return rows_main();
}
