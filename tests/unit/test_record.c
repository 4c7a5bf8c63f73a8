/* record: one line whatever a client typed, in both forms. */
#include "rows.h"

#include "record.h"

#include <jansson.h>
#include <string.h>

static const struct grant grant = {.form = GRANT_EXACT,
                                   .key = "ann@example.net",
                                   .directory = "corp",
                                   .entry = "senders:12",
                                   .attribute = "senders"};

struct scene {
    struct policy policy;
    struct facts facts;
    struct decision decision;
    struct account_answer answer;
    struct mailbox mailboxes[2];
    struct field_fact fields[3];
    struct shown_address seen[2];
    struct shown shown;
    struct change_list changes;
    struct record record;
};

static void accepted(struct scene *s)
{
    *s = (struct scene){
        .policy = {.name = "submission"},
        .facts = {.stage = FACTS_EOM,
                  .principal = {.kind = PRINCIPAL_SASL, .raw = "ann", .login = {.name = "ann"}},
                  .sender = {.shape = SENDER_ADDRESS, .addr = {.key = "ann@example.net"}},
                  .from_fields = 1},
        .decision = {.sender_grant = &grant, .from_grant = &grant},
        .mailboxes = {{.addr = {.key = "ann@example.net"}}, {.addr = {.key = "b@x.org"}}},
        .record = {.event = "message",
                   .queue_id = "4ABC",
                   .client_addr = "192.0.2.1",
                   .listener = "ORIGINATING",
                   .port = "587",
                   .recipients = 2,
                   .age_us = 7,
                   .spent_us = 40,
                   .waited_us = 3},
    };
    s->facts.from.list = (struct mailbox_list){s->mailboxes, 1};
    s->facts.answer = &s->answer;
    s->record.policy = &s->policy;
    s->record.facts = &s->facts;
    s->record.decision = &s->decision;
}

static void refused(struct scene *s)
{
    accepted(s);
    s->facts.from.list.count = 2;
    s->decision = (struct decision){
        .effect = EFFECT_REJECT,
        .reason = REASON_FROM_NOT_GRANTED,
        .findings = {{.reason = REASON_FROM_MULTIPLE, .effect = EFFECT_REJECT, .observed = true},
                     {.reason = REASON_FROM_NOT_GRANTED,
                      .effect = EFFECT_REJECT,
                      .address = "b@x.org"}},
        .finding_count = 2,
    };
}

static void observed(struct scene *s)
{
    refused(s);
    s->decision.effect = EFFECT_ACCEPT;
    s->decision.findings[1].observed = true;
    s->decision.findings[0] = s->decision.findings[1];
    s->decision.finding_count = 1;
}

/* A Sender that is no mailbox, Resent-From with two, one name that shows two addresses. */
static void more_fields(struct scene *s)
{
    accepted(s);
    s->seen[0].text = "c@x.org";
    s->seen[1].text = "d d@x";
    s->shown = (struct shown){.addresses = s->seen, .count = 2};
    s->fields[0] =
        (struct field_fact){.kind = FIELD_SENDER, .status = MAILBOX_MALFORMED, .raw = "b@@x"};
    s->fields[1] = (struct field_fact){.kind = FIELD_RESENT_FROM, .list = {s->mailboxes, 2}};
    s->fields[2] = (struct field_fact){
        .kind = FIELD_RESENT_SENDER, .list = {s->mailboxes + 1, 1}, .shown = &s->shown};
    s->facts.fields = s->fields;
    s->facts.field_count = 3;
}

static void hostile(struct scene *s)
{
    accepted(s);
    s->facts.stage = FACTS_RCPT;
    s->facts.principal.fault = PRINCIPAL_LOGIN_INVALID;
    s->facts.principal.raw = "a\nevent=message verdict=accept";
    s->facts.sender = (struct sender_fact){.shape = SENDER_MALFORMED, .raw = "<a \"\\\xff@b>"};
    s->facts.recipient.raw = "";
    s->record.queue_id = NULL;
    s->record.recipients_refused = 1;
    s->decision = (struct decision){.trusted = true};
    s->facts.answer = NULL;
}

static void of_certificate(struct scene *s)
{
    accepted(s);
    s->facts.principal = (struct principal){.kind = PRINCIPAL_CERT,
                                            .raw = "",
                                            .cert_subject = "CN=\"host\",O=x",
                                            .cert_issuer = "CN=ca",
                                            .client_addr = "192.0.2.1"};
}

static void of_network(struct scene *s)
{
    accepted(s);
    s->facts.principal =
        (struct principal){.kind = PRINCIPAL_NETWORK, .raw = "", .network = "192.0.2.0/24"};
}

static void of_nobody(struct scene *s)
{
    accepted(s);
    s->facts.principal = (struct principal){.kind = PRINCIPAL_NONE, .raw = "typed"};
    s->decision = (struct decision){.effect = EFFECT_ACCEPT};
    s->facts.answer = NULL;
}

static void of_master(struct scene *s)
{
    accepted(s);
    s->facts.principal.login.master = "admin";
}

static const struct change changes[] = {
    {CHANGE_REMOVE, "X-Sent-By", 1, NULL},        {CHANGE_SET, "From", 1, "ann@example.net"},
    {CHANGE_HOLD, NULL, 0, "sendas-milter: x"},   {CHANGE_ADD, "Reply-To", 0, "b@x.org"},
    {CHANGE_SENDER, NULL, 0, "ann@example.net"},  {CHANGE_INSERT, "X-Sent-By", 0, "sasl=\"ann\""},
    {CHANGE_INSERT, "X-Sendas-Tag", 0, "a;\n b"},
};

static void with_changes(struct scene *s, enum effect effect, size_t count)
{
    accepted(s);
    s->decision = (struct decision){
        .effect = effect,
        .reason = REASON_FROM_NOT_GRANTED,
        .findings = {{.reason = REASON_FROM_NOT_GRANTED, .effect = effect, .address = "b@x.org"}},
        .finding_count = 1,
    };
    s->changes = (struct change_list){changes, count};
    s->record.changes = &s->changes;
}

static void rewritten(struct scene *s)
{
    with_changes(s, EFFECT_REWRITE, 6);
}

static void tagged(struct scene *s)
{
    with_changes(s, EFFECT_TAG, 7);
}

static void would_rewrite(struct scene *s)
{
    with_changes(s, EFFECT_REWRITE, 0);
    s->decision.effect = EFFECT_ACCEPT;
    s->decision.findings[0].observed = true;
}

static void held(struct scene *s)
{
    with_changes(s, EFFECT_QUARANTINE, 0);
}

static void for_now(struct scene *s)
{
    with_changes(s, EFFECT_TEMPFAIL, 0);
}

struct row {
    const char *name;
    void (*build)(struct scene *scene);
    const char *text, *json;
};

#define HEAD                                                                                       \
    "event=message qid=4ABC client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
#define ANN    "principal=sasl login=ann "
#define CLAIMS "sender=ann@example.net from=ann@example.net rcpts=2 "
#define GRANTS "sender_grant=corp:senders:senders:12 from_grant=corp:senders:senders:12 "
#define TAIL   "age_us=7 waited_us=3 spent_us=40"

static const struct row rows[] = {
    {"accepted", accepted,
     "event=message qid=4ABC client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
     "principal=sasl login=ann sender=ann@example.net from=ann@example.net rcpts=2 verdict=accept "
     "sender_grant=corp:senders:senders:12 from_grant=corp:senders:senders:12 age_us=7 "
     "waited_us=3 spent_us=40",
     "\"verdict\":\"accept\""},
    {"refused, with a second reason", refused,
     "event=message qid=4ABC client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
     "principal=sasl login=ann sender=ann@example.net from=ann@example.net,b@x.org rcpts=2 "
     "verdict=reject reason=from-not-granted address=b@x.org "
     "reasons=from-multiple(observed),from-not-granted age_us=7 waited_us=3 spent_us=40",
     "\"reasons\":\"from-multiple(observed),from-not-granted\""},
    {"observed says what would have been", observed,
     "event=message qid=4ABC client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
     "principal=sasl login=ann sender=ann@example.net from=ann@example.net,b@x.org rcpts=2 "
     "verdict=accept would=reject reason=from-not-granted address=b@x.org age_us=7 waited_us=3 "
     "spent_us=40",
     "\"would\":\"reject\""},
    {"Sender, Resent-* and what is shown", more_fields,
     "event=message qid=4ABC client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
     "principal=sasl login=ann sender=ann@example.net from=ann@example.net sender_header=b@@x "
     "resent=ann@example.net,b@x.org,b@x.org shown=\"c@x.org,d d@x\" rcpts=2 verdict=accept "
     "sender_grant=corp:senders:senders:12 from_grant=corp:senders:senders:12 age_us=7 "
     "waited_us=3 spent_us=40",
     "\"resent\":\"ann@example.net,b@x.org,b@x.org\""},
    {"hostile text stays one value", hostile,
     "event=message qid=NOQUEUE client=192.0.2.1 listener=ORIGINATING port=587 policy=submission "
     "principal=sasl login=\"a\\x0aevent=message verdict=accept\" sender=\"<a \\\"\\\\\\xff@b>\" "
     "rcpt=\"\" rcpts=2 rcpts_refused=1 verdict=accept trusted=yes waited_us=3 spent_us=40",
     "\"login\":\"a\\nevent=message verdict=accept\""},
    {"a certificate", of_certificate,
     HEAD "principal=cert cert_subject=\"CN=\\\"host\\\",O=x\" cert_issuer=\"CN=ca\" " CLAIMS
          "verdict=accept " GRANTS TAIL,
     "\"cert_subject\":\"CN=\\\"host\\\",O=x\",\"cert_issuer\":\"CN=ca\""},
    {"a network", of_network,
     HEAD "principal=network network=192.0.2.0/24 " CLAIMS "verdict=accept " GRANTS TAIL,
     "\"principal\":\"network\",\"network\":\"192.0.2.0/24\""},
    {"nobody, whatever was typed", of_nobody,
     HEAD "principal=none " CLAIMS "verdict=accept waited_us=3 spent_us=40",
     "\"principal\":\"none\",\"sender\""},
    {"a master user", of_master,
     HEAD "principal=sasl login=ann master=admin " CLAIMS "verdict=accept " GRANTS TAIL,
     "\"master\":\"admin\""},
    {"rewritten: accepted, with what was changed", rewritten,
     HEAD ANN CLAIMS "verdict=accept effect=rewrite reason=from-not-granted address=b@x.org "
                     "changed=X-Sent-By,From,Reply-To,MAIL,X-Sent-By " TAIL,
     "\"effect\":\"rewrite\""},
    {"tagged: more changes than are named", tagged,
     HEAD ANN CLAIMS "verdict=accept effect=tag reason=from-not-granted address=b@x.org "
                     "changed=X-Sent-By,From,Reply-To,MAIL,X-Sent-By changed_count=6 " TAIL,
     "\"changed\":\"X-Sent-By,From,Reply-To,MAIL,X-Sent-By\",\"changed_count\":6"},
    {"observed: would have been rewritten", would_rewrite,
     HEAD ANN CLAIMS "verdict=accept would=rewrite reason=from-not-granted address=b@x.org " TAIL,
     "\"would\":\"rewrite\""},
    {"held is a verdict of its own, and nothing is changed", held,
     HEAD ANN CLAIMS "verdict=quarantine reason=from-not-granted address=b@x.org " TAIL,
     "\"verdict\":\"quarantine\""},
    {"refused for now", for_now,
     HEAD ANN CLAIMS "verdict=tempfail reason=from-not-granted address=b@x.org " TAIL,
     "\"verdict\":\"tempfail\""},
};

static void writes(void **state)
{
    const struct row *row = *state;
    struct scene scene;
    struct arena *a = arena_create();
    struct strbuf text, json;
    row->build(&scene);
    strbuf_init(&text, a);
    strbuf_init(&json, a);
    record_text(&scene.record, &text);
    assert_string_equal(text.text, row->text);
    record_json(&scene.record, &json);
    assert_non_null(strstr(json.text, row->json));
    assert_null(strchr(json.text, '\n'));
    json_t *object = json_loads(json.text, 0, NULL);
    assert_true(json_is_object(object));
    assert_int_equal(json_integer_value(json_object_get(object, "spent_us")), 40);
    json_decref(object);
    arena_destroy(a);
}

/* Whatever a client brings, the verdict stands in the line and the line stays short. */
static void long_values(void **state)
{
    (void)state;
    struct scene scene;
    struct mailbox boxes[1000];
    char address[255], raw[3000];
    struct arena *a = arena_create();
    struct strbuf text, json;
    memset(address, 'a', sizeof address);
    memset(raw, '\xff', sizeof raw);
    address[254] = raw[2999] = '\0';
    refused(&scene);
    for (size_t i = 0; i < 1000; i++)
        boxes[i] = (struct mailbox){.addr = {.key = address}};
    scene.facts.from.list = (struct mailbox_list){boxes, 1000};
    struct field_fact fields[] = {
        {.kind = FIELD_SENDER, .status = MAILBOX_MALFORMED, .raw = raw},
        {.kind = FIELD_RESENT_FROM, .list = {boxes, 1000}},
        {.kind = FIELD_RESENT_SENDER, .list = {boxes, 1000}},
    };
    scene.facts.fields = fields;
    scene.facts.field_count = 3;
    scene.facts.sender = (struct sender_fact){.shape = SENDER_MALFORMED, .raw = raw};
    scene.record.client_name = raw;
    strbuf_init(&text, a);
    strbuf_init(&json, a);
    record_text(&scene.record, &text);
    record_json(&scene.record, &json);
    assert_true(text.len < 8000 && json.len < 8000);
    assert_non_null(strstr(text.text, " from_count=1000 "));
    assert_non_null(strstr(text.text, " resent_count=2000 "));
    assert_non_null(strstr(text.text, " verdict=reject reason=from-not-granted "));
    json_t *object = json_loads(json.text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "verdict")), "reject");
    json_decref(object);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(rows, writes);
    ROWS_ADD_TEST("long values are cut, the verdict is not", long_values);
    return rows_main();
}
