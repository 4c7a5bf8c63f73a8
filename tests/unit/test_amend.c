/* amend: a decision and what the header holds become a list of changes, in their order. */
#include "rows.h"

#include "amend.h"
#include "changes.h"
#include "fields.h"
#include "reason.h"
#include "texts.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    const char *header; /* fields, a line each; a line that begins with a blank is a fold */
    /* A line each: [observed] ACTION REASON FIELD [ADDRESS], FIELD as "Sender/2", "-" for none. */
    const char *findings;
    const char *primary; /* NULL for ann@example.net, "" for none */
    bool adds_sender, observe;
    const char *who; /* "KIND NAME"; NULL for "sasl ann", "none" for nobody; "fault NAME" is a login
                        that can be nobody's */
    const char *master;
    const char *trace; /* the name of the trace header */
    const char *id;    /* of Authentication-Results, NULL for none added */
    const char *mechanism;
    bool no_results;  /* though there is an id */
    const char *want; /* as changes.h has it */
};

#define ANN      "ann@example.net"
#define BOB      "bob@example.org"
#define REWRITE  "rewrite from-not-granted From " BOB
#define SENDER_1 "header-sender-not-granted Sender/1"
#define SENDER_2 "header-sender-not-granted Sender/2"
#define NAMED    "rewrite display-name-address "

static const struct row claim_rows[] = {
    {"nothing found, nothing changed", "From: " ANN, "", .want = ""},
    {"From goes to the primary address, its name stays", "From: Bob B. <" BOB ">", REWRITE,
     .want = "set From 1 Bob B. <" ANN ">\nadd X-Original-From Bob B. <" BOB ">\n"
             "add Reply-To Bob B. <" BOB ">"},
    {"From without a name", "From: " BOB, REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From " BOB "\nadd Reply-To " BOB},
    {"a Reply-To that is there stays", "From: " BOB "\nReply-To: carl@example.org", REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From " BOB},
    {"the primary address is what the directory says", "From: " BOB, REWRITE,
     .primary = "a.lee@example.net",
     .want = "set From 1 a.lee@example.net\nadd X-Original-From " BOB "\nadd Reply-To " BOB},
    {"a name that shows an address goes", "From: \"" BOB "\" <" BOB ">", REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From \"" BOB "\" <" BOB ">\n"
             "add Reply-To \"" BOB "\" <" BOB ">"},
    {"a name that turns the direction goes", "From: \"B\xe2\x80\xaeob\" <" BOB ">\nReply-To: x",
     REWRITE, .want = "set From 1 " ANN "\nadd X-Original-From \"B\xe2\x80\xaeob\" <" BOB ">"},
    {"a name with a decoded control character goes",
     "From: =?utf-8?q?B=0Dob?= <" BOB ">\nReply-To: x", REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From =?utf-8?q?B=0Dob?= <" BOB ">"},
    {"an encoded name stays as it is written", "From: =?utf-8?q?B=C3=B6b?= <" BOB ">\nReply-To: x",
     REWRITE,
     .want = "set From 1 =?utf-8?q?B=C3=B6b?= <" ANN ">\n"
             "add X-Original-From =?utf-8?q?B=C3=B6b?= <" BOB ">"},
    {"a folded name keeps its fold", "From: \"Bob\n B.\"\n <" BOB ">\nReply-To: x", REWRITE,
     .want = "set From 1 \"Bob\n B.\" <" ANN ">\nadd X-Original-From \"Bob\n B.\"\n <" BOB ">"},
    {"a comment in the name stays, one behind the address goes",
     "From: Bob (B) B. <" BOB "> (x)\nReply-To: x", REWRITE,
     .want = "set From 1 Bob (B) B. <" ANN ">\nadd X-Original-From Bob (B) B. <" BOB "> (x)"},
    {"a comment alone is no name", "From: " BOB " (Bob)\nReply-To: x", REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From " BOB " (Bob)"},
    {"several mailboxes become one, without a name",
     "From: Bob <" BOB ">,\n Carl <carl@example.org>\nReply-To: x", REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From Bob <" BOB ">,\n Carl <carl@example.org>"},
    {"a missing From is added, with nothing beside it", "Subject: x", "rewrite from-missing From",
     .want = "add From " ANN},
    {"a blank From is filled, with nothing beside it", "From:  ", "rewrite from-missing From",
     .want = "set From 1 " ANN},
    {"two findings about From change it once", "From: " BOB "\nReply-To: x",
     "rewrite from-multiple From " BOB "\n" REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From " BOB},

    {"a display name is dropped", "From: \"" BOB "\" <" ANN ">", NAMED "From " BOB,
     .want = "set From 1 " ANN},
    {"all names of a list are dropped",
     "From: \"" BOB "\" <" ANN ">, Lee <A.Lee@example.net> (" BOB ")", NAMED "From " BOB,
     .want = "set From 1 " ANN ",\n A.Lee@example.net"},
    {"an address is written anew as it was meant", "From: \"x@y.example\" <\"a b\"@EXAMPLE.net>",
     NAMED "From x@y.example", .want = "set From 1 \"a b\"@example.net"},
    {"a rewritten From is not stripped of its name as well",
     "From: \"" BOB "\" <" BOB ">\nReply-To: x", NAMED "From " BOB "\n" REWRITE,
     .want = "set From 1 " ANN "\nadd X-Original-From \"" BOB "\" <" BOB ">"},
    {"nor where the names are found first or last", "From: \"" BOB "\" <" BOB ">\nReply-To: x",
     REWRITE "\n" NAMED "From x@y.example",
     .want = "set From 1 " ANN "\nadd X-Original-From \"" BOB "\" <" BOB ">"},
    {"display names of Sender, each in its own field",
     "Sender: \"" BOB "\" <" ANN ">\nSender: \"" BOB "\" <a.lee@example.net>",
     NAMED "Sender/1 " BOB "\n" NAMED "Sender/2 " BOB,
     .want = "set Sender 2 a.lee@example.net\nset Sender 1 " ANN},
    {"the name of the second Sender alone",
     "Sender: Ann <" ANN ">\nSender: \"" BOB "\" <a.lee@example.net>", NAMED "Sender/2 " BOB,
     .want = "set Sender 2 a.lee@example.net"},
    {"the name of the second Sender, where the first is empty",
     "Sender:\nSender: \"" BOB "\" <a.lee@example.net>", NAMED "Sender/2 " BOB,
     .want = "set Sender 2 a.lee@example.net"},
    {"display names of Resent-*, by the number of the field",
     "Resent-From: " ANN "\nResent-Sender: " ANN "\nResent-From: \"" BOB "\" <" ANN ">",
     NAMED "Resent-From/2 " BOB, .want = "set Resent-From 2 " ANN},

    {"Sender is rewritten", "Sender: Bob <" BOB ">", "rewrite " SENDER_1 " " BOB,
     .want = "set Sender 1 " ANN},
    {"other fields are left alone beside it",
     "Resent-From: " ANN "\nSender: " BOB "\nResent-From: " ANN "\nResent-Sender: " ANN,
     "rewrite " SENDER_1 " " BOB, .want = "set Sender 1 " ANN},
    {"a malformed Sender is rewritten as a whole", "Sender: Bob <" BOB, "rewrite " SENDER_1,
     .want = "set Sender 1 " ANN},
    {"Sender is taken out", "Sender: " BOB, "remove " SENDER_1 " " BOB, .want = "remove Sender 1"},
    {"one Sender is left, the others go from the last on",
     "Sender: " ANN "\nSender: " BOB "\nSender: " BOB,
     "rewrite " SENDER_2 "\nrewrite header-sender-not-granted Sender/3",
     .want = "remove Sender 3\nremove Sender 2\nset Sender 1 " ANN},
    {"further Senders go, from the last on", "Sender: " ANN "\nSender: " BOB "\nSender: " BOB,
     "remove " SENDER_2 "\nremove header-sender-not-granted Sender/3",
     .want = "remove Sender 3\nremove Sender 2"},
    {"rewriting beats taking out", "Sender: " BOB "\nSender: " BOB,
     "remove " SENDER_1 "\nrewrite " SENDER_2, .want = "remove Sender 2\nset Sender 1 " ANN},
    {"taking out beats a dropped name", "Sender: \"x@y.example\" <" BOB ">",
     NAMED "Sender/1 x@y.example\nremove " SENDER_1, .want = "remove Sender 1"},

    {"on behalf: Sender is added", "From: ceo@example.net", "", .adds_sender = true,
     .want = "add Sender " ANN},
    {"on behalf: a blank Sender is filled", "From: ceo@example.net\nSender: ", "",
     .adds_sender = true, .want = "set Sender 1 " ANN},
    {"on behalf: of two blank ones, one is filled", "Sender:\nFrom: ceo@example.net\nSender: \t",
     "", .adds_sender = true, .want = "remove Sender 2\nset Sender 1 " ANN},
    {"on behalf: a Sender that was to be taken out is rewritten",
     "From: ceo@example.net\nSender: " BOB, "remove " SENDER_1 " " BOB, .adds_sender = true,
     .want = "set Sender 1 " ANN},

    {"Resent-* are rewritten, each in its place",
     "Resent-From: " BOB "\nResent-Sender: " BOB "\nResent-From: " ANN "\nResent-From: " BOB,
     "rewrite resent-not-granted Resent-From/1\nrewrite resent-not-granted Resent-Sender/1\n"
     "rewrite resent-not-granted Resent-From/3",
     .want = "set Resent-From 3 " ANN "\nset Resent-Sender 1 " ANN "\nset Resent-From 1 " ANN},
    {"Resent-* are taken out, from the last on",
     "Resent-From: " BOB "\nResent-Sender: " BOB "\nResent-From: " ANN "\nResent-From: " BOB,
     "remove resent-not-granted Resent-From/1\nremove resent-not-granted Resent-Sender/1\n"
     "remove resent-not-granted Resent-From/3",
     .want = "remove Resent-From 3\nremove Resent-Sender 1\nremove Resent-From 1"},

    {"the envelope sender goes to the primary address", "From: " ANN,
     "rewrite sender-not-granted - " BOB, .want = "mail <" ANN ">"},
    {"a malformed envelope sender too", "From: " ANN, "rewrite sender-malformed - <x",
     .want = "mail <" ANN ">"},
    {"the envelope last, and once", "From: " BOB "\nSender: " BOB "\nReply-To: x",
     "rewrite sender-malformed - <x\nrewrite sender-not-granted - " BOB "\n" REWRITE
     "\nrewrite " SENDER_1,
     .want =
         "set From 1 " ANN "\nadd X-Original-From " BOB "\nset Sender 1 " ANN "\nmail <" ANN ">"},
};

static const struct row quiet_rows[] = {
    {"a refused message is not changed", "From: " BOB "\nSender: " BOB "\nX-Sent-By: x",
     REWRITE "\nreject " SENDER_1 " " BOB, .trace = "X-Sent-By", .id = "mx", .want = ""},
    {"nor is one that has to wait", "From: " BOB "\nSender: " BOB "\nX-Sent-By: x",
     REWRITE "\ntempfail " SENDER_1 " " BOB, .trace = "X-Sent-By", .id = "mx", .want = ""},
    {"an observing policy changes nothing", "From: " BOB "\nX-Sent-By: x\nX-Sendas-Tag: y",
     "observed " REWRITE, .trace = "X-Sent-By", .id = "mx", .adds_sender = true, .observe = true,
     .want = ""},
    {"an observed finding changes nothing", "From: \"" BOB "\" <" BOB ">\nSender: " BOB,
     "observed " REWRITE "\nobserved remove " SENDER_1 "\nobserved " NAMED "From " BOB
     "\nobserved rewrite sender-not-granted - " BOB "\nobserved tag local-sender -"
     "\nobserved quarantine resent-not-granted -",
     .want = ""},
    {"an observed finding beside one that acts", "Sender: " BOB "\nResent-From: " BOB,
     "observed remove " SENDER_1 "\nremove resent-not-granted Resent-From/1",
     .want = "remove Resent-From 1"},
    {"an accepted action changes nothing", "From: " BOB, "allow from-not-granted From " BOB,
     .want = ""},
    {"a finding about the recipient leaves the envelope alone", "From: " ANN,
     "rewrite recipient-unknown - x@example.net", .want = ""},
};

static const struct row mark_rows[] = {
    {"a tag", "From: " BOB, "tag from-not-granted From " BOB,
     .want = "insert X-Sendas-Tag 0 from-not-granted;\n address=\"" BOB "\";\n login=\"ann\""},
    {"a tag a finding", "From: " BOB "\nSender: " BOB,
     "tag from-not-granted From " BOB "\ntag " SENDER_1 " " BOB,
     .want =
         "insert X-Sendas-Tag 0 from-not-granted;\n address=\"" BOB "\";\n login=\"ann\"\n"
         "insert X-Sendas-Tag 0 header-sender-not-granted;\n address=\"" BOB "\";\n login=\"ann\""},
    {"a tag without an address", "From:", "tag from-missing From",
     .want = "insert X-Sendas-Tag 0 from-missing;\n login=\"ann\""},
    {"a tag of an outsider", "From: " ANN, "tag local-sender - " ANN, .who = "none",
     .want = "insert X-Sendas-Tag 0 local-sender;\n address=\"" ANN "\""},
    {"a tag of a network", "From: " BOB, "tag from-not-granted From " BOB,
     .who = "network 10.1.2.0/28",
     .want =
         "insert X-Sendas-Tag 0 from-not-granted;\n address=\"" BOB "\";\n login=\"10.1.2.0/28\""},
    {"whatever an address is made of, the tag stays a tag", "From: " BOB,
     "tag sender-malformed - <a\"b\\c\xc3\xa9\x01>",
     .want = "insert X-Sendas-Tag 0 sender-malformed;\n address=\"<a\\\"b\\\\c??\?>\";\n"
             " login=\"ann\""},
    {"held, for the first reason, and once", "From: " BOB "\nSender: " BOB,
     "observed quarantine sender-not-granted -\nquarantine from-not-granted From " BOB
     "\nquarantine " SENDER_1,
     .want = "hold sendas-milter: from-not-granted"},
    {"what is held is rewritten and tagged too", "From: " BOB "\nSender: " BOB "\nReply-To: x",
     "tag sender-not-granted - " BOB "\n" REWRITE "\nquarantine " SENDER_1,
     .want = "set From 1 " ANN "\nadd X-Original-From " BOB
             "\ninsert X-Sendas-Tag 0 sender-not-granted;\n address=\"" BOB
             "\";\n login=\"ann\"\nhold sendas-milter: header-sender-not-granted"},

    {"the trace header of a login", "From: " ANN, "", .trace = "X-Sent-By",
     .want = "insert X-Sent-By 0 sasl=\"ann\";\n policy=\"submission\""},
    {"of a master user", "From: " ANN, "", .trace = "X-Sent-By", .master = "ad\"min",
     .want = "insert X-Sent-By 0 sasl=\"ann\";\n master=\"ad\\\"min\";\n policy=\"submission\""},
    {"of a certificate", "From: " ANN, "", .trace = "X-Sent-By", .who = "cert CN=\"An\\n\",O=x",
     .want = "insert X-Sent-By 0 cert=\"CN=\\\"An\\\\n\\\",O=x\";\n policy=\"submission\""},
    {"of a network", "From: " ANN, "", .trace = "X-Sent-By", .who = "network 10.1.2.0/28",
     .want = "insert X-Sent-By 0 network=\"10.1.2.0/28\";\n policy=\"submission\""},
    {"of an outsider there is none", "From: " ANN, "", .trace = "X-Sent-By", .who = "none",
     .want = ""},
    {"of a login that is nobody's, as it came", "From: " ANN, "", .trace = "X-Sent-By",
     .who = "fault ann\xa0\n Subject: x",
     .want = "insert X-Sent-By 0 sasl=\"ann?? Subject: x\";\n policy=\"submission\""},
    {"of a login of 300 octets, cut", "From: " ANN, "", .trace = "X-Sent-By",
     .who = "sasl " X100 X100 X100,
     .want = "insert X-Sent-By 0 sasl=\"" X100 X100 X50 X10 X10 X10 X10
             "xxxxxxxxx\";\n policy=\"submission\""},
    {"an escape is never cut in two", "From: " ANN, "", .trace = "X-Sent-By",
     .who = "sasl " X100 X100 X50 X10 X10 X10 X10 "xxxxxxxx\"\"",
     .want = "insert X-Sent-By 0 sasl=\"" X100 X100 X50 X10 X10 X10 X10
             "xxxxxxxx\\\"\";\n policy=\"submission\""},

    {"Authentication-Results of a login", "From: " ANN, "", .id = "mx.example.net",
     .mechanism = "PLAIN",
     .want = "insert Authentication-Results 0 mx.example.net; auth=pass (plain) smtp.auth=ann"},
    {"without a mechanism", "From: " ANN, "", .id = "mx.example.net",
     .want = "insert Authentication-Results 0 mx.example.net; auth=pass smtp.auth=ann"},
    {"of a certificate there are none", "From: " ANN, "", .id = "mx.example.net",
     .who = "cert CN=x", .want = ""},
    {"of a network there are none", "From: " ANN, "", .id = "mx.example.net",
     .who = "network 10.1.2.0/28", .want = ""},
    {"of an outsider there are none", "From: " ANN, "", .id = "mx.example.net", .who = "none",
     .want = ""},
    {"of a login that is nobody's there are none", "From: " ANN, "", .id = "mx.example.net",
     .who = "fault ann\xa0", .want = ""},
    {"where the policy wants none there are none", "From: " ANN, "", .id = "mx.example.net",
     .no_results = true, .want = ""},
    {"under an id that is too long there are none", "From: " ANN, "", .id = X100 X100 X50 "xxxxxx",
     .want = ""},
    {"the longest id", "From: " ANN, "", .id = X100 X100 X50 "xxxxx",
     .want = "insert Authentication-Results 0 " X100 X100 X50 "xxxxx; auth=pass smtp.auth=ann"},

    {"forged fields go, from the last on",
     "X-Sent-By: a\nx-sendas-TAG: b\nFrom: " ANN "\nX-SENT-BY : c\nX-Sendas-Tag: d\n"
     "Authentication-Results: mx.example.net; auth=pass",
     "", .trace = "X-Sent-By", .id = "mx.example.net", .who = "none",
     .want = "remove Authentication-Results 1\nremove X-Sendas-Tag 2\nremove X-Sent-By 2\n"
             "remove X-Sendas-Tag 1\nremove X-Sent-By 1"},
    {"everything, in its order",
     "X-Sent-By: a\nFrom: Bob <" BOB ">\nSender: " BOB "\nSender: " BOB "\nResent-From: " BOB,
     "rewrite sender-not-granted - " BOB "\n" REWRITE "\nrewrite " SENDER_1 "\nrewrite " SENDER_2
     "\nremove resent-not-granted Resent-From/1\ntag display-name-address From " BOB
     "\nquarantine local-sender - " BOB,
     .trace = "X-Sent-By", .id = "mx.example.net", .mechanism = "LOGIN",
     .want = "remove X-Sent-By 1\n"
             "set From 1 Bob <" ANN ">\nadd X-Original-From Bob <" BOB ">\nadd Reply-To Bob <" BOB
             ">\nremove Sender 2\nset Sender 1 " ANN "\nremove Resent-From 1\nmail <" ANN ">\n"
             "insert X-Sendas-Tag 0 display-name-address;\n address=\"" BOB "\";\n login=\"ann\"\n"
             "hold sendas-milter: local-sender\n"
             "insert X-Sent-By 0 sasl=\"ann\";\n policy=\"submission\"\n"
             "insert Authentication-Results 0 mx.example.net; auth=pass (login) smtp.auth=ann"},
};

/* ---- from text ---- */

static char *next_line(char **rest)
{
    char *line = *rest, *end = line;
    if (!*line)
        return NULL;
    end += strcspn(end, "\n");
    while (end[0] == '\n' && (end[1] == ' ' || end[1] == '\t'))
        end += 1 + strcspn(end + 1, "\n");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return line;
}

static void read_header(struct arena *a, const struct row *row, const char *header,
                        struct facts *out)
{
    static const struct addr_rules rules = {.fold_local_part = true};
    static struct fields_conf conf;
    conf = (struct fields_conf){
        .address = &rules,
        .local_domains = domset_create(),
        .max_headers = 100,
        .max_header_size = 10000,
        .authenticated = !row->who || strcmp(row->who, "none") != 0,
        .own_names = {row->trace, AMEND_TAG},
        .own_id = row->id,
    };
    struct fields *fields = fields_create(a, &conf);
    char *rest = arena_strdup(a, header), *line;
    while ((line = next_line(&rest)) != NULL) {
        char *colon = strchr(line, ':');
        *colon = '\0';
        fields_add(fields, line, colon + 1 + (colon[1] == ' '));
    }
    fields_read(fields, out);
    domset_destroy((struct domset *)(uintptr_t)conf.local_domains);
}

static struct principal principal_from(const struct row *row)
{
    const char *who = row->who ? row->who : "sasl ann", *name = strchr(who, ' ');
    struct principal p = {.kind = PRINCIPAL_SASL, .raw = "", .login = {.master = row->master}};
    name = name ? name + 1 : "";
    p.login.name = p.cert_subject = p.network = name;
    if (strncmp(who, "fault", 5) == 0) {
        p.fault = PRINCIPAL_LOGIN_INVALID;
        p.raw = name;
        p.login.name = NULL;
    } else {
        char kind[20] = "";
        memcpy(kind, who, strcspn(who, " "));
        assert_true(principal_kind_by_name(kind, &p.kind));
    }
    return p;
}

/* "Sender/2"; a missing From has a field all the same. */
static const struct field_fact *field_from(const struct facts *facts, const char *word)
{
    const char *slash = strchr(word, '/');
    if (strcmp(word, "-") == 0)
        return NULL;
    if (!slash)
        return &facts->from;
    for (size_t i = 0; i < facts->field_count; i++) {
        const struct field_fact *field = &facts->fields[i];
        const char *name = field_name(field->kind);
        if (strlen(name) == (size_t)(slash - word) && strncmp(name, word, strlen(name)) == 0 &&
            field->index == (unsigned)atoi(slash + 1))
            return field;
    }
    fail_msg("no field %s", word);
    return NULL;
}

static enum effect effect_of(enum policy_action action)
{
    static const enum effect effects[] = {
        [ACTION_TAG] = EFFECT_TAG,           [ACTION_REWRITE] = EFFECT_REWRITE,
        [ACTION_REMOVE] = EFFECT_REWRITE,    [ACTION_QUARANTINE] = EFFECT_QUARANTINE,
        [ACTION_TEMPFAIL] = EFFECT_TEMPFAIL, [ACTION_REJECT] = EFFECT_REJECT,
        [ACTION_ALLOW] = EFFECT_ACCEPT,
    };
    return effects[action];
}

static struct finding finding_from(char *line, const struct facts *facts)
{
    struct finding f = {.address = NULL};
    char *word = strsep(&line, " ");
    f.observed = strcmp(word, "observed") == 0;
    if (f.observed)
        word = strsep(&line, " ");
    assert_true(policy_action_by_name(word, &f.action));
    assert_true(reason_by_id(strsep(&line, " "), &f.reason));
    f.effect = effect_of(f.action);
    f.field = field_from(facts, strsep(&line, " "));
    f.address = line;
    return f;
}

static void decide(struct arena *a, const struct row *row, const struct facts *facts,
                   struct decision *out)
{
    char *rest = arena_strdup(a, row->findings), *line;
    *out = (struct decision){.adds_sender = row->adds_sender, .primary = row->primary};
    if (!row->primary)
        out->primary = arena_strdup(a, ANN);
    while ((line = next_line(&rest)) != NULL) {
        struct finding f = finding_from(line, facts);
        out->findings[out->finding_count++] = f;
        if (!f.observed && f.effect > out->effect)
            out->effect = f.effect;
    }
}

static struct change_list amend(struct arena *a, struct arena *scratch, const struct row *row,
                                const char *header)
{
    struct facts facts = {.stage = FACTS_EOM, .principal = principal_from(row)};
    struct policy policy = {.name = "submission",
                            .observe = row->observe,
                            .trace_header = row->trace,
                            .auth_results = row->id && !row->no_results};
    const struct amend_host host = {row->id, row->mechanism};
    struct decision decision;
    read_header(scratch, row, header, &facts);
    decide(scratch, row, &facts, &decision);
    return amend_make(a, &policy, &facts, &decision, &host);
}

/* What came of it lives on its own. */
static void amends(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create(), *scratch = arena_create();
    struct change_list got = amend(a, scratch, row, row->header);
    arena_destroy(scratch);
    assert_string_equal(changes_text(a, &got), row->want);
    arena_destroy(a);
}

/* ---- more ---- */

/* RFC 5322 section 2.1.1, name, colon and blank included. */
static bool lines_fit(const char *name, const char *value)
{
    size_t len = strlen(name) + 2;
    for (; *value; value++)
        len = *value == '\n' ? 0 : len + 1;
    return len <= 998;
}

/* A name of len octets in front of an address that goes to the longest one that there is. */
static void long_name(size_t len, bool kept)
{
    static const struct row row = {
        .findings = REWRITE,
        .primary = X64 "@" X63 "." X63 "." X50 "." X10 ".net",
    };
    struct arena *a = arena_create(), *scratch = arena_create();
    char name[1000];
    memset(name, 'n', len);
    name[len] = '\0';
    struct change_list got =
        amend(a, scratch, &row, arena_printf(scratch, "From: %s <" BOB ">\nReply-To: x", name));
    arena_destroy(scratch);
    assert_int_equal(strncmp(got.items[0].value, name, len) == 0, kept);
    assert_true(lines_fit("From", got.items[0].value));
    arena_destroy(a);
}

static void a_long_name_goes(void **state)
{
    (void)state;
    long_name(700, true);
    long_name(701, false);
    long_name(900, false);
}

/* The old value of a From, whose line was a legal one, has a longer name in front of it. */
static void old_from(size_t len, bool original_folds, bool reply_to_folds)
{
    static const struct row row = {.findings = REWRITE};
    struct arena *a = arena_create(), *scratch = arena_create();
    char name[1000];
    memset(name, 'n', len);
    name[len] = '\0';
    const char *old = arena_printf(a, "%.*s <" BOB ">", (int)(len - 18), name);
    struct change_list got = amend(a, scratch, &row, arena_printf(scratch, "From: %s", old));
    arena_destroy(scratch);
    assert_int_equal(got.count, 3);
    const char *original = got.items[1].value, *reply_to = got.items[2].value;
    assert_string_equal(original, original_folds ? arena_printf(a, "\n %s", old) : old);
    assert_string_equal(reply_to, reply_to_folds ? arena_printf(a, "\n %s", old) : old);
    assert_true(lines_fit("X-Original-From", original) && lines_fit("Reply-To", reply_to));
    arena_destroy(a);
}

static void a_long_old_from_begins_in_the_next_line(void **state)
{
    (void)state;
    old_from(981, false, false);
    old_from(982, true, false);
    old_from(988, true, false);
    old_from(989, true, true);
    old_from(992, true, true);
}

static void many_changes(void **state)
{
    (void)state;
    static const struct row row = {.findings = "", .trace = "X-Sent-By", .who = "none"};
    struct arena *a = arena_create(), *scratch = arena_create();
    struct strbuf header, want;
    strbuf_init(&header, scratch);
    strbuf_init(&want, a);
    for (unsigned i = 0; i < 100; i++) {
        strbuf_add_str(&header, "X-Sent-By: x\n");
        strbuf_printf(&want, "%sremove X-Sent-By %u", i ? "\n" : "", 100 - i);
    }
    struct change_list got = amend(a, scratch, &row, header.text);
    arena_destroy(scratch);
    assert_string_equal(changes_text(a, &got), want.text);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(claim_rows, amends);
    ROWS_ADD(quiet_rows, amends);
    ROWS_ADD(mark_rows, amends);
    ROWS_ADD_TEST("a long name goes, for the line's sake", a_long_name_goes);
    ROWS_ADD_TEST("a long old From begins in the next line",
                  a_long_old_from_begins_in_the_next_line);
    ROWS_ADD_TEST("a hundred forged fields go", many_changes);
    return rows_main();
}
