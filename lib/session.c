#include "session.h"
#include "authres.h"
#include "envelope.h"
#include "fields.h"
#include "identify.h"
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the client is: lives as long as the connection. */
struct connection {
    struct session_connect info;
    bool non_smtp;
};

/* Addresses of a message whose owners are asked; of more than these it is not known. */
enum { OWNERS_MAX = 4 * DECISION_OWNERS_MAX };

/* Who owns an address. */
struct owner_lookup {
    struct owner_lookup *next;
    const struct addr *addr;
    struct account_answer *answer; /* NULL where it was not asked */
    bool rechecked;                /* asked again in this stage */
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
    struct owner_lookup *owners; /* for as long as the message */
    size_t owner_count;
    struct owner_lookup recipient; /* the one that is judged */
    const char *queue_id, *mechanism;
    unsigned recipients, recipients_refused;
    struct fields_conf fields_conf;
    struct fields *fields;
    uint64_t spent, waited;
};

/* A reply outlives the message that it refuses. */
struct reply_copy {
    char code[4], enhanced[12], lines[REPLY_LINES_MAX][REPLY_TEXT_MAX];
};

struct session {
    const struct session_host *host;
    struct arena *connection_arena;
    struct connection connection;
    struct arena *arena;    /* of the message */
    struct arena *scratch;  /* of one answer: a million recipients must cost no more than one */
    struct arena *outgoing; /* of the changes to the message that has just ended */
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
    s->outgoing = arena_create();
    return s;
}

static void message_end(struct session *s)
{
    dir_lookup_release(s->message.lookup);
    account_answer_unref(s->message.answer);
    account_answer_unref(s->message.recheck);
    account_answer_unref(s->message.recipient.answer);
    for (struct owner_lookup *o = s->message.owners; o; o = o->next)
        account_answer_unref(o->answer);
    snapshot_unref(s->message.snapshot);
    s->message = (struct message){0};
    arena_reset(s->arena);
    arena_reset(s->scratch);
}

/* The message, and what the last one's answer holds. */
static void forget(struct session *s)
{
    message_end(s);
    arena_reset(s->outgoing);
}

static const struct change_list no_changes = {NULL, 0};

void session_destroy(struct session *s)
{
    if (!s)
        return;
    message_end(s);
    arena_destroy(s->outgoing);
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
    forget(s);
    arena_reset(a);
    s->connection.info = (struct session_connect){
        .client_name = keep(a, connect->client_name),
        .client_addr = keep(a, connect->client_addr),
        .client_port = keep(a, connect->client_port),
        .listener = keep(a, connect->listener),
        .port = keep(a, connect->port),
        .own_addr = keep(a, connect->own_addr),
        .version = keep(a, connect->version),
        .host_name = keep(a, connect->host_name),
    };
    s->connection.non_smtp = is_local_submission(&s->connection.info);
}

void session_helo(struct session *s)
{
    forget(s);
}

/* ---- principal ---- */

static void find_principal(struct session *s, const struct session_mail *mail)
{
    const struct snapshot *conf = s->message.snapshot;
    const struct session_connect *c = &s->connection.info;
    const struct identify_rules rules = {
        .mta = conf->mta,
        .login = &conf->login,
        .cert_issuers = conf->cert_issuers.items,
        .cert_issuer_count = conf->cert_issuers.count,
        .networks = &conf->networks,
    };
    const struct identify_macros macros = {
        .version = c->version,
        .auth_type = mail->auth_type,
        .auth_authen = mail->auth_authen,
        .cert_subject = mail->cert_subject,
        .cert_issuer = mail->cert_issuer,
        .verify = mail->verify,
        .client_addr = c->client_addr,
    };
    identify(s->arena, &rules, &macros, &s->message.facts.principal);
    s->message.mechanism = keep(s->arena, mail->auth_type);
}

/* ---- the decision ---- */

static struct dir_lookup *ask_directory(struct session *s, bool fresh)
{
    const struct message *m = &s->message;
    return dir_start(m->snapshot->dir, &(struct dir_question){
                                           .ask = DIR_ASK_ACCOUNT,
                                           .principal = m->facts.principal,
                                           .fresh = fresh,
                                           .directories = m->policy->directories.items,
                                           .directory_count = m->policy->directories.count,
                                       });
}

static struct dir_lookup *ask_owners(struct session *s, const struct addr *addr, bool fresh)
{
    const struct message *m = &s->message;
    struct addr variants[ADDR_VARIANTS_MAX];
    const char *keys[ADDR_VARIANTS_MAX];
    size_t count = addr_variants(s->scratch, &m->snapshot->address, addr, variants);
    for (size_t i = 0; i < count; i++)
        keys[i] = variants[i].key;
    return dir_start(m->snapshot->dir, &(struct dir_question){
                                           .ask = DIR_ASK_OWNERS,
                                           .addresses = keys,
                                           .address_count = count,
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

/* ---- owners ---- */

/* Facts list what the message has learnt of owners so far. */
static void list_owners(struct session *s)
{
    struct message *m = &s->message;
    struct owner_fact *facts = arena_array(s->scratch, m->owner_count, sizeof *facts);
    size_t count = 0;
    for (const struct owner_lookup *o = m->owners; o; o = o->next)
        facts[count++] = (struct owner_fact){o->addr->key, o->answer};
    m->facts.owners = facts;
    m->facts.owner_count = count;
    m->facts.recipient.owners = m->recipient.answer;
}

/* All at once, then each is waited for. False where none is asked. */
static bool learn_owners(struct session *s, const struct decision *decision, uint64_t since)
{
    struct message *m = &s->message;
    struct dir_lookup *lookups[DECISION_OWNERS_MAX];
    size_t count = decision->wants_owner_count, room = OWNERS_MAX - m->owner_count;
    if (count > room)
        count = room;
    for (size_t i = 0; i < count; i++)
        lookups[i] = ask_owners(s, decision->wants_owners[i], false);
    for (size_t i = 0; i < count; i++) {
        struct owner_lookup *o = arena_alloc(s->arena, sizeof *o);
        *o = (struct owner_lookup){.next = m->owners,
                                   .addr = decision->wants_owners[i],
                                   .answer = wait_for(s, lookups[i], since)};
        m->owners = o;
        m->owner_count++;
    }
    return count > 0;
}

static void learn_recipient(struct session *s, uint64_t since)
{
    struct owner_lookup *o = &s->message.recipient;
    o->addr = &s->message.facts.recipient.addr;
    take_answer(&o->answer, wait_for(s, ask_owners(s, o->addr, false), since));
}

/* Never worse than before: a younger answer, or the old one stays. False where it is not asked. */
static bool refresh(struct session *s, struct owner_lookup *o, uint64_t since)
{
    if (!o->answer || o->answer->fresh || o->rechecked)
        return false;
    o->rechecked = true;
    struct account_answer *again = wait_for(s, ask_owners(s, o->addr, true), since);
    if (takes_over(again, o->answer))
        take_answer(&o->answer, again);
    else
        account_answer_unref(again);
    return true;
}

static bool refresh_owners(struct session *s, uint64_t since)
{
    bool asked = refresh(s, &s->message.recipient, since);
    for (struct owner_lookup *o = s->message.owners; o; o = o->next)
        asked = refresh(s, o, since) || asked;
    return asked;
}

/* ---- freshness ---- */

/* Asks once a stage for fresh data. What one stage was told in part is good for the next one too,
 * where that is told nothing. False where it is not asked. */
static bool recheck_account(struct session *s, uint64_t since)
{
    struct message *m = &s->message;
    if (!m->answer || (m->answer->fresh && m->answer->missing == ACCOUNT_FOUND) || m->rechecked)
        return false;
    m->rechecked = true;
    struct account_answer *again = wait_for(s, ask_directory(s, true), since);
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
    return true;
}

static void enter_stage(struct message *m, enum facts_stage stage)
{
    if (m->facts.stage == stage)
        return;
    m->facts.stage = stage;
    m->rechecked = false;
    for (struct owner_lookup *o = m->owners; o; o = o->next)
        o->rechecked = false;
}

static void report_decision(struct session *s, const char *event, const struct decision *decision,
                            const struct change_list *changes, uint64_t since)
{
    struct message *m = &s->message;
    const struct session_connect *c = &s->connection.info;
    uint64_t now = clock_now(s->host->clock);
    struct record record = {
        .event = event,
        .changes = changes,
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

static struct reply copy_reply(struct reply_copy *copy, const struct reply *reply)
{
    struct reply out = {copy->code, copy->enhanced, {NULL}, reply->line_count};
    (void)snprintf(copy->code, sizeof copy->code, "%s", reply->code);
    (void)snprintf(copy->enhanced, sizeof copy->enhanced, "%s", reply->enhanced);
    for (size_t i = 0; i < reply->line_count; i++) {
        (void)snprintf(copy->lines[i], sizeof copy->lines[i], "%s", reply->lines[i]);
        out.lines[i] = copy->lines[i];
    }
    return out;
}

static struct session_answer answer_for(struct session *s, const struct decision *decision)
{
    struct session_answer answer = {.effect = decision->effect};
    if (!effect_refuses(decision->effect))
        return answer;
    struct reply reply;
    reply_make(s->scratch, &s->message.snapshot->replies, decision, &s->message.facts, &reply);
    answer.reply = copy_reply(&s->reply, &reply);
    return answer;
}

/* What the decision lacks and can still be had; false where there is nothing like that. Every
 * round brings an answer that was not there, and they are bounded, so there are few. */
static bool learn(struct session *s, const struct decision *decision, uint64_t since)
{
    bool learnt = learn_owners(s, decision, since);
    if (decision->wants_recipient)
        learn_recipient(s, since);
    if (learnt || decision->wants_recipient)
        return true;
    if (!decision->wants_fresh)
        return false;
    bool asked = recheck_account(s, since);
    return refresh_owners(s, since) || asked;
}

static void decide(struct session *s, enum facts_stage stage, uint64_t since, struct decision *out)
{
    struct message *m = &s->message;
    join_lookup(s, since);
    enter_stage(m, stage);
    do {
        list_owners(s);
        policy_decide(s->scratch, &m->snapshot->address, m->policy, &m->facts, out);
    } while (learn(s, out, since));
}

/* ---- MAIL ---- */

static struct envelope_rules envelope_rules(const struct session *s)
{
    return (struct envelope_rules){
        .address = &s->message.snapshot->address,
        .local_domains = s->message.snapshot->local_domains,
        .own_addr = s->connection.info.own_addr,
        .unwrap_batv = s->message.snapshot->unwrap_batv,
        .unwrap_srs = s->message.snapshot->unwrap_srs,
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
    if (!policy_wants_account(&m->facts.principal))
        return;
    m->lookup = ask_directory(s, false);
}

static const char *own_id(const struct session *s)
{
    const char *id = s->message.snapshot->authserv_id;
    const char *host = s->connection.info.host_name;
    if (!id && host && strlen(host) <= AUTHRES_ID_MAX)
        return host;
    return id;
}

static void fields_begin(struct session *s)
{
    struct message *m = &s->message;
    const struct policy *p = m->policy;
    bool authenticated = m->facts.principal.kind != PRINCIPAL_NONE;
    m->fields_conf = (struct fields_conf){
        .address = &m->snapshot->address,
        .local_domains = m->snapshot->local_domains,
        .max_headers = m->snapshot->max_headers,
        .max_header_size = m->snapshot->max_header_size,
        .authenticated = authenticated,
        .own_names = {p->trace_header, m->facts.trusted && !authenticated ? NULL : AMEND_TAG},
        .own_id = p->auth_results ? own_id(s) : NULL,
        .trusted_id = m->snapshot->authserv_id,
    };
    m->fields = fields_create(s->arena, &m->fields_conf);
}

static void message_begin(struct session *s, const struct session_mail *mail)
{
    struct message *m = &s->message;
    forget(s);
    m->open = true;
    m->snapshot = snapshot_get(s->host->slot);
    m->queue_id = keep(s->arena, mail->queue_id);
    m->facts.non_smtp = s->connection.non_smtp;
    m->facts.have_local_domains = domset_count(m->snapshot->local_domains) > 0;
    m->facts.may_be_vouched = m->snapshot->authserv_id != NULL;
    m->facts.trusted = netset_has(&m->snapshot->trusted_networks, s->connection.info.client_addr);
    find_principal(s, mail);
    choose_policy(s);
    fields_begin(s);
    start_lookup(s);
    struct envelope_rules rules = envelope_rules(s);
    const char *macro = envelope_macro(s->arena, rules.address, mail->argument,
                                       keep(s->arena, mail->mail_addr), mail->mail_mailer);
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
        if (effect_refuses(answer.effect))
            report_decision(s, "mail", &decision, &no_changes, since);
    }
    s->message.spent += clock_now(s->host->clock) - since;
    return answer;
}

/* ---- RCPT ---- */

static bool concerns_recipient(const struct decision *decision)
{
    for (size_t i = 0; i < decision->finding_count; i++) {
        enum reason reason = decision->findings[i].reason;
        if (reason == REASON_RELAY_DENIED || reason == REASON_LIMIT_RECIPIENTS ||
            reason == REASON_RECIPIENT_UNKNOWN)
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
    char *line = s->reply.lines[0];
    (void)snprintf(line, sizeof s->reply.lines[0], "%s: %s", info->id, info->text);
    answer.reply = (struct reply){info->code, info->enhanced, {line}, 1};
    return answer;
}

static void read_recipient(struct session *s, const struct session_rcpt *rcpt)
{
    struct message *m = &s->message;
    struct envelope_rules rules = envelope_rules(s);
    const char *macro = envelope_macro(s->scratch, rules.address, rcpt->argument,
                                       keep(s->scratch, rcpt->rcpt_addr), rcpt->rcpt_mailer);
    envelope_recipient(s->scratch, &rules, rcpt->argument, macro, &m->facts.recipient);
    m->facts.recipient.number = m->recipients + 1;
}

struct session_answer session_rcpt(struct session *s, const struct session_rcpt *rcpt)
{
    struct message *m = &s->message;
    if (!m->open)
        return out_of_order(s);
    uint64_t since = clock_now(s->host->clock);
    struct decision decision;
    keep_queue_id(s, rcpt->queue_id);
    read_recipient(s, rcpt);
    decide(s, FACTS_RCPT, since, &decision);
    bool refused = effect_refuses(decision.effect);
    if (refused)
        m->recipients_refused++;
    else
        m->recipients++;
    if (refused || concerns_recipient(&decision))
        report_decision(s, "rcpt", &decision, &no_changes, since);
    struct session_answer answer = answer_for(s, &decision);
    m->facts.recipient = (struct recipient_fact){0};
    account_answer_unref(m->recipient.answer);
    m->recipient = (struct owner_lookup){0};
    arena_reset(s->scratch);
    m->spent += clock_now(s->host->clock) - since;
    return answer;
}

/* ---- headers ---- */

void session_header(struct session *s, const char *name, const char *value)
{
    struct message *m = &s->message;
    if (!m->open)
        return;
    uint64_t since = clock_now(s->host->clock);
    fields_add(m->fields, name, value);
    m->spent += clock_now(s->host->clock) - since;
}

/* ---- end of message ---- */

struct session_answer session_eom(struct session *s, const char *queue_id)
{
    struct message *m = &s->message;
    if (!m->open)
        return out_of_order(s);
    uint64_t since = clock_now(s->host->clock);
    struct decision decision;
    keep_queue_id(s, queue_id);
    fields_read(m->fields, &m->facts);
    decide(s, FACTS_EOM, since, &decision);
    const struct amend_host host = {own_id(s), m->mechanism};
    struct session_answer answer = answer_for(s, &decision);
    answer.changes = amend_make(s->outgoing, m->policy, &m->facts, &decision, &host);
    report_decision(s, "message", &decision, &answer.changes, since);
    message_end(s);
    return answer;
}

void session_abort(struct session *s)
{
    forget(s);
}
