#include "session.h"
#include "envelope.h"
#include "report.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the client is: lives as long as the connection. */
struct connection {
    struct session_connect info;
    bool non_smtp;
};

/* A field that claims addresses, as it came. */
struct kept_field {
    enum field_kind kind;
    size_t name_len;   /* as it stood, blanks included */
    struct span value; /* data NULL where it was over the bound */
};

/* What the message is: emptied as a whole. */
struct message {
    bool open; /* between MAIL and the end of the message */
    struct snapshot *snapshot;
    const struct policy *policy;
    struct dir_lookup *lookup;
    struct account_answer *answer;
    struct account_answer *recheck; /* what asking again brought, where answer is still the first */
    bool rechecked;                 /* asked again in this stage */
    struct facts facts;
    const char *queue_id;
    unsigned recipients, recipients_refused;
    unsigned header_count;
    struct kept_field from;    /* the first one */
    struct kept_field *fields; /* Sender and Resent-* */
    size_t field_count, field_room;
    bool has_content_type;
    uint64_t spent, waited;
};

/* A reply outlives the message that it refuses. */
struct reply_copy {
    char code[4], enhanced[12], text[REPLY_TEXT_MAX];
};

struct session {
    const struct session_host *host;
    struct arena *connection_arena;
    struct connection connection;
    struct arena *arena;   /* of the message */
    struct arena *scratch; /* of one answer: a million recipients must cost no more than one */
    struct message message;
    struct reply_copy reply;
};

struct session *session_create(const struct session_host *host)
{
    struct session *s = xcalloc(1, sizeof *s);
    s->host = host;
    s->connection_arena = arena_create();
    s->arena = arena_create();
    s->scratch = arena_create();
    return s;
}

static void message_end(struct session *s)
{
    dir_lookup_release(s->message.lookup);
    account_answer_unref(s->message.answer);
    account_answer_unref(s->message.recheck);
    snapshot_unref(s->message.snapshot);
    s->message = (struct message){0};
    arena_reset(s->arena);
    arena_reset(s->scratch);
}

void session_destroy(struct session *s)
{
    if (!s)
        return;
    message_end(s);
    arena_destroy(s->scratch);
    arena_destroy(s->arena);
    arena_destroy(s->connection_arena);
    free(s);
}

/* ---- connection ---- */

static const char *keep(struct arena *a, const char *text)
{
    return text && *text ? arena_strdup(a, text) : NULL;
}

/* Port 0 alone would not do: a proxy that hides the port makes remote clients look like that. */
static bool is_local_submission(const struct session_connect *c)
{
    bool here = !c->client_addr || strcmp(c->client_addr, "127.0.0.1") == 0 ||
                strcmp(c->client_addr, "::1") == 0;
    return here && c->client_port && strcmp(c->client_port, "0") == 0;
}

void session_connect(struct session *s, const struct session_connect *connect)
{
    struct arena *a = s->connection_arena;
    message_end(s);
    arena_reset(a);
    s->connection.info = (struct session_connect){
        .client_name = keep(a, connect->client_name),
        .client_addr = keep(a, connect->client_addr),
        .client_port = keep(a, connect->client_port),
        .listener = keep(a, connect->listener),
        .port = keep(a, connect->port),
        .own_addr = keep(a, connect->own_addr),
        .version = keep(a, connect->version),
    };
    s->connection.non_smtp = is_local_submission(&s->connection.info);
}

void session_helo(struct session *s)
{
    message_end(s);
}

/* ---- principal ---- */

static void principal_fault(struct principal *p, enum principal_fault fault, const char *why)
{
    p->fault = fault;
    p->why = why;
}

static void read_login(struct session *s, struct principal *p)
{
    struct span raw;
    struct errtext why = {""};
    const struct snapshot *conf = s->message.snapshot;
    switch (login_decode(s->arena, conf->mta, s->connection.info.version, span_of(p->raw), &raw)) {
    case LOGIN_UNDECIDED:
        principal_fault(p, PRINCIPAL_UNDECIDED,
                        "the login may be xtext, and the MTA sends no {v}: set mta");
        return;
    case LOGIN_BAD_XTEXT:
        principal_fault(p, PRINCIPAL_LOGIN_INVALID, "not xtext, which Sendmail sends");
        return;
    case LOGIN_DECODED:
        break;
    }
    if (!login_normalise(s->arena, &conf->login, raw, &p->login, &why))
        principal_fault(p, PRINCIPAL_LOGIN_INVALID, arena_strdup(s->arena, why.text));
}

static void find_principal(struct session *s, const struct session_mail *mail)
{
    struct principal *p = &s->message.facts.principal;
    const char *authen = keep(s->arena, mail->auth_authen);
    p->raw = authen ? authen : "";
    switch (login_proof(mail->auth_type, mail->auth_authen)) {
    case LOGIN_PROOF_NONE:
        p->kind = PRINCIPAL_NONE;
        return;
    case LOGIN_PROOF_HALF:
        p->kind = PRINCIPAL_SASL;
        principal_fault(p, PRINCIPAL_HALF,
                        "only one of {auth_type} and {auth_authen}: see milter_mail_macros");
        return;
    case LOGIN_PROOF_SASL:
        p->kind = PRINCIPAL_SASL;
        read_login(s, p);
        return;
    }
}

/* ---- the decision ---- */

static struct dir_lookup *ask_directory(struct session *s, bool fresh)
{
    const struct message *m = &s->message;
    return dir_start(m->snapshot->dir, &(struct dir_question){
                                           .principal = m->facts.principal,
                                           .fresh = fresh,
                                           .directories = m->policy->directories.items,
                                           .directory_count = m->policy->directories.count,
                                       });
}

/* Nobody waits for a directory longer than what the event, which came at since, has left of
 * command_budget. */
static struct account_answer *wait_for(struct session *s, struct dir_lookup *lookup, uint64_t since)
{
    struct message *m = &s->message;
    uint64_t before = clock_now(s->host->clock);
    uint64_t gone = before - since, budget = m->snapshot->command_budget;
    struct account_answer *answer = dir_join(lookup, gone < budget ? budget - gone : 0);
    m->waited += clock_now(s->host->clock) - before;
    dir_lookup_release(lookup);
    return answer;
}

/* Once a message. */
static void join_lookup(struct session *s, uint64_t since)
{
    struct message *m = &s->message;
    if (!m->lookup)
        return;
    m->answer = wait_for(s, m->lookup, since);
    m->lookup = NULL;
    m->facts.answer = m->answer;
}

/* A whole answer does, fresh or not, because it is younger; and one in part, where the first had
 * found nothing. Else the first one stays, so that what it grants is not lost to an outage: old
 * data may accept, and policy sees to it that it never refuses. */
static bool takes_over(const struct account_answer *again, const struct account_answer *first)
{
    bool found = again->status == ACCOUNT_FOUND;
    bool whole = (found || again->status == ACCOUNT_UNKNOWN) && again->missing == ACCOUNT_FOUND;
    return whole || (found && first->status != ACCOUNT_FOUND);
}

static void take_answer(struct account_answer **slot, struct account_answer *answer)
{
    account_answer_unref(*slot);
    *slot = answer;
}

/* Asks once a stage for fresh data. What one stage was told in part is good for the next one too,
 * where that is told nothing. */
static void recheck(struct session *s, uint64_t since)
{
    struct message *m = &s->message;
    struct account_answer *again = wait_for(s, ask_directory(s, true), since);
    m->rechecked = true;
    if (takes_over(again, m->answer)) {
        take_answer(&m->answer, again);
        take_answer(&m->recheck, NULL);
    } else if (m->recheck && m->recheck->status == ACCOUNT_FOUND &&
               again->status != ACCOUNT_FOUND) {
        account_answer_unref(again);
    } else {
        take_answer(&m->recheck, again);
    }
    m->facts.answer = m->answer;
    m->facts.recheck = m->recheck;
}

static void enter_stage(struct message *m, enum facts_stage stage)
{
    if (m->facts.stage != stage)
        m->rechecked = false;
    m->facts.stage = stage;
}

static void report_decision(struct session *s, const char *event, const struct decision *decision,
                            uint64_t since)
{
    struct message *m = &s->message;
    const struct session_connect *c = &s->connection.info;
    uint64_t now = clock_now(s->host->clock);
    struct record record = {
        .event = event,
        .queue_id = m->queue_id,
        .client_addr = c->client_addr,
        .client_name = c->client_name,
        .listener = c->listener,
        .port = c->port,
        .policy = m->policy,
        .facts = &m->facts,
        .decision = decision,
        .recipients = m->recipients,
        .recipients_refused = m->recipients_refused,
        .age_us = m->answer && now > m->answer->asked_at ? (now - m->answer->asked_at) / 1000 : 0,
        .spent_us = (m->spent + now - since) / 1000,
        .waited_us = m->waited / 1000,
    };
    s->host->decided(s->host->context, &record);
}

static struct session_answer answer_for(struct session *s, const struct decision *decision)
{
    struct session_answer answer = {.effect = decision->effect};
    if (decision->effect == EFFECT_ACCEPT)
        return answer;
    struct reply reply;
    reply_make(s->scratch, &s->message.snapshot->replies, decision, &s->message.facts, &reply);
    (void)snprintf(s->reply.code, sizeof s->reply.code, "%s", reply.code);
    (void)snprintf(s->reply.enhanced, sizeof s->reply.enhanced, "%s", reply.enhanced);
    (void)snprintf(s->reply.text, sizeof s->reply.text, "%s", reply.text);
    answer.reply = (struct reply){s->reply.code, s->reply.enhanced, s->reply.text};
    return answer;
}

static void decide(struct session *s, enum facts_stage stage, uint64_t since, struct decision *out)
{
    struct message *m = &s->message;
    join_lookup(s, since);
    enter_stage(m, stage);
    policy_decide(s->scratch, &m->snapshot->address, m->policy, &m->facts, out);
    if (!out->wants_fresh || m->rechecked)
        return;
    recheck(s, since);
    policy_decide(s->scratch, &m->snapshot->address, m->policy, &m->facts, out);
}

/* ---- MAIL ---- */

static struct envelope_rules envelope_rules(const struct session *s)
{
    return (struct envelope_rules){
        .address = &s->message.snapshot->address,
        .local_domains = s->message.snapshot->local_domains,
        .own_addr = s->connection.info.own_addr,
    };
}

static void choose_policy(struct session *s)
{
    struct message *m = &s->message;
    const struct session_connect *c = &s->connection.info;
    struct policy_client client = {
        .listener = c->listener,
        .port = c->port,
        .address = c->client_addr,
        .non_smtp = s->connection.non_smtp,
    };
    m->policy = policy_select(m->snapshot->policies, m->snapshot->policy_count, &client,
                              &m->facts.principal);
}

static void start_lookup(struct session *s)
{
    struct message *m = &s->message;
    if (!policy_wants_account(m->policy, &m->facts.principal))
        return;
    m->lookup = ask_directory(s, false);
}

static void message_begin(struct session *s, const struct session_mail *mail)
{
    struct message *m = &s->message;
    message_end(s);
    m->open = true;
    m->snapshot = snapshot_get(s->host->slot);
    m->queue_id = keep(s->arena, mail->queue_id);
    m->facts.non_smtp = s->connection.non_smtp;
    m->facts.have_local_domains = domset_count(m->snapshot->local_domains) > 0;
    m->facts.trusted = netset_has(&m->snapshot->trusted_networks, s->connection.info.client_addr);
    find_principal(s, mail);
    choose_policy(s);
    start_lookup(s);
    const char *macro = keep(s->arena, mail->mail_addr);
    struct envelope_rules rules = envelope_rules(s);
    envelope_sender(s->arena, &rules, mail->argument, macro, &m->facts.sender);
}

struct session_answer session_mail(struct session *s, const struct session_mail *mail)
{
    struct session_answer answer = {.effect = EFFECT_ACCEPT};
    uint64_t since = clock_now(s->host->clock);
    message_begin(s, mail);
    if (s->host->refuse_at_mail) {
        struct decision decision;
        decide(s, FACTS_RCPT, since, &decision);
        answer = answer_for(s, &decision);
        if (answer.effect != EFFECT_ACCEPT)
            report_decision(s, "mail", &decision, since);
    }
    s->message.spent += clock_now(s->host->clock) - since;
    return answer;
}

/* ---- RCPT ---- */

static bool concerns_recipient(const struct decision *decision)
{
    for (size_t i = 0; i < decision->finding_count; i++) {
        enum reason reason = decision->findings[i].reason;
        if (reason == REASON_RELAY_DENIED || reason == REASON_LIMIT_RECIPIENTS)
            return true;
    }
    return false;
}

static void keep_queue_id(struct session *s, const char *queue_id)
{
    if (!s->message.queue_id)
        s->message.queue_id = keep(s->arena, queue_id);
}

/* An MTA that asks out of order gets no verdict out of thin air. */
static struct session_answer out_of_order(struct session *s)
{
    static const struct decision confused = {.effect = EFFECT_TEMPFAIL,
                                             .reason = REASON_MISCONFIGURED};
    struct session_answer answer = {.effect = confused.effect};
    const struct reason_info *info = reason_info(confused.reason);
    (void)snprintf(s->reply.text, sizeof s->reply.text, "%s: %s", info->id, info->text);
    answer.reply = (struct reply){info->code, info->enhanced, s->reply.text};
    return answer;
}

struct session_answer session_rcpt(struct session *s, const char *argument, const char *rcpt_addr,
                                   const char *queue_id)
{
    struct message *m = &s->message;
    if (!m->open)
        return out_of_order(s);
    uint64_t since = clock_now(s->host->clock);
    struct decision decision;
    struct envelope_rules rules = envelope_rules(s);
    keep_queue_id(s, queue_id);
    envelope_recipient(s->scratch, &rules, argument, keep(s->scratch, rcpt_addr),
                       &m->facts.recipient);
    m->facts.recipient.number = m->recipients + 1;
    decide(s, FACTS_RCPT, since, &decision);
    if (decision.effect == EFFECT_ACCEPT)
        m->recipients++;
    else
        m->recipients_refused++;
    if (decision.effect != EFFECT_ACCEPT || concerns_recipient(&decision))
        report_decision(s, "rcpt", &decision, since);
    struct session_answer answer = answer_for(s, &decision);
    m->facts.recipient = (struct recipient_fact){0};
    arena_reset(s->scratch);
    m->spent += clock_now(s->host->clock) - since;
    return answer;
}

/* ---- headers ---- */

static struct span field_name(const char *name)
{
    return span_trim(span_of(name));
}

static bool too_large(struct session *s, const char *name, size_t size)
{
    struct message *m = &s->message;
    if (size <= m->snapshot->max_header_size)
        return false;
    if (!m->facts.too_large)
        m->facts.too_large = arena_printf(s->arena, "%s is over max_header_size", name);
    return true;
}

static const char *const field_names[FIELD_KINDS] = {
    [FIELD_FROM] = "From",
    [FIELD_SENDER] = "Sender",
    [FIELD_RESENT_FROM] = "Resent-From",
    [FIELD_RESENT_SENDER] = "Resent-Sender",
};

/* FIELD_KINDS where the field claims no address. */
static enum field_kind kind_of(struct span name)
{
    int kind = 0;
    while (kind < FIELD_KINDS && !span_equal_nocase(name, span_of(field_names[kind])))
        kind++;
    return (enum field_kind)kind;
}

static struct kept_field copy_field(struct session *s, enum field_kind kind, const char *name,
                                    struct span value)
{
    struct kept_field field = {.kind = kind, .name_len = strlen(name)};
    if (!too_large(s, field_names[kind], field.name_len + value.len))
        field.value = span_make(arena_copy(s->arena, value), value.len);
    return field;
}

static void keep_from(struct session *s, const char *name, struct span value)
{
    struct message *m = &s->message;
    if (m->facts.from_fields++ == 0)
        m->from = copy_field(s, FIELD_FROM, name, value);
}

/* Of Sender and Resent-* there may be many; those over max_headers are refused unread. */
static void keep_field(struct session *s, enum field_kind kind, const char *name, struct span value)
{
    struct message *m = &s->message;
    if (m->header_count > m->snapshot->max_headers)
        return;
    if (m->field_count == m->field_room) {
        m->field_room = m->field_room ? 2 * m->field_room : 2;
        struct kept_field *more = arena_array(s->arena, m->field_room, sizeof *more);
        for (size_t i = 0; i < m->field_count; i++)
            more[i] = m->fields[i];
        m->fields = more;
    }
    m->fields[m->field_count++] = copy_field(s, kind, name, value);
}

static void look_at_content_type(struct session *s, struct span value)
{
    struct message *m = &s->message;
    if (!m->has_content_type && !too_large(s, "Content-Type", value.len))
        m->facts.report = m->facts.report || report_content_type(value);
    m->has_content_type = true;
}

void session_header(struct session *s, const char *name, const char *value)
{
    struct message *m = &s->message;
    if (!m->open)
        return;
    uint64_t since = clock_now(s->host->clock);
    if (++m->header_count > m->snapshot->max_headers)
        m->facts.too_large = "more fields than max_headers";
    struct span field = field_name(name);
    enum field_kind kind = kind_of(field);
    if (kind == FIELD_FROM)
        keep_from(s, name, span_of(value));
    else if (kind != FIELD_KINDS)
        keep_field(s, kind, name, span_of(value));
    else if (span_equal_nocase(field, span_of("Content-Type")))
        look_at_content_type(s, span_of(value));
    else if (span_equal_nocase(field, span_of("Auto-Submitted")))
        m->facts.report = m->facts.report || report_auto_submitted(span_of(value));
    m->spent += clock_now(s->host->clock) - since;
}

/* ---- end of message ---- */

static const bool *find_local(struct session *s, const struct mailbox_list *list)
{
    bool *local = arena_array(s->arena, list->count, sizeof *local);
    for (size_t i = 0; i < list->count; i++)
        local[i] = domset_has(s->message.snapshot->local_domains, list->items[i].addr.domain);
    return local;
}

/* What names show is judged for who proved something, so nobody else's are read. */
static const struct shown *read_shown(struct session *s, const struct mailbox_list *list)
{
    const struct message *m = &s->message;
    if (m->facts.principal.kind == PRINCIPAL_NONE)
        return NULL;
    struct shown *shown = arena_array(s->arena, list->count, sizeof *shown);
    for (size_t i = 0; i < list->count; i++)
        shown_read(s->arena, &m->snapshot->address, &list->items[i], &shown[i]);
    return shown;
}

static void read_field(struct session *s, const struct kept_field *kept, struct field_fact *out)
{
    struct errtext why = {""};
    out->kind = kept->kind;
    if (!kept->value.data) { /* not kept, so not readable */
        out->status = MAILBOX_MALFORMED;
        out->raw = "";
        out->why = "over max_header_size";
        return;
    }
    out->raw = arena_copy(s->arena, span_trim(kept->value));
    out->status = mailbox_parse(s->arena, &s->message.snapshot->address, kept->name_len,
                                kept->value, &out->list, &why);
    if (*why.text)
        out->why = arena_strdup(s->arena, why.text);
    out->local = find_local(s, &out->list);
    if (out->status == MAILBOX_OK)
        out->shown = read_shown(s, &out->list);
}

static void read_fields(struct session *s)
{
    struct message *m = &s->message;
    if (m->facts.from_fields > 0)
        read_field(s, &m->from, &m->facts.from);
    struct field_fact *fields = arena_array(s->arena, m->field_count, sizeof *fields);
    for (size_t i = 0; i < m->field_count; i++)
        read_field(s, &m->fields[i], &fields[i]);
    m->facts.fields = fields;
    m->facts.field_count = m->field_count;
}

struct session_answer session_eom(struct session *s, const char *queue_id)
{
    struct message *m = &s->message;
    if (!m->open)
        return out_of_order(s);
    uint64_t since = clock_now(s->host->clock);
    struct decision decision;
    keep_queue_id(s, queue_id);
    read_fields(s);
    decide(s, FACTS_EOM, since, &decision);
    report_decision(s, "message", &decision, since);
    struct session_answer answer = answer_for(s, &decision);
    message_end(s);
    return answer;
}

void session_abort(struct session *s)
{
    message_end(s);
}
