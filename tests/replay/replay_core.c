/* The in-process player: the session under a fake clock, linked with the core library alone. */
#include "replay_run.h"
#include "dir_cache.h"
#include "dir_fail.h"
#include "replay_conf.h"
#include "replay_dir.h"
#include "session.h"
#include "../unit/changes.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_clock {
    struct clock clock;
    _Atomic uint64_t time;
};

struct core {
    struct arena *arena; /* of the scenario */
    const struct replay_scenario *scenario;
    struct fake_clock clock;
    struct snapshot_slot slot;
    struct session_host host;
    struct session *session;
    const char *senders;        /* the directory's text by now */
    struct replay_step how;     /* and its state: STEP_DIRECTORY */
    struct dir_backend *behind; /* the switch behind the cache; NULL without a cache */
    unsigned recipients;        /* of the message, to know when the MTA has a queue id */
    char record[4096];          /* the last decision */
};

static uint64_t fake_now(const struct clock *self)
{
    return ((const struct fake_clock *)self)->time;
}

static void decided(void *context, const struct record *record)
{
    struct core *c = context;
    struct strbuf text;
    struct arena *a = arena_create();
    strbuf_init(&text, a);
    record_text(record, &text);
    (void)snprintf(c->record, sizeof c->record, "%s", text.text);
    arena_destroy(a);
}

/* ---- the snapshot ---- */

static struct dir_backend *open_directory(const struct core *c, const struct snapshot *s,
                                          struct errtext *why)
{
    return replay_dir_open(&(struct replay_dir_conf){.login_rules = &s->login,
                                                     .addr_rules = &s->address,
                                                     .clock = &c->clock.clock,
                                                     .senders = c->senders,
                                                     .denies = c->scenario->setup.denies,
                                                     .state = c->how.directory,
                                                     .delay = c->how.duration},
                           why);
}

static struct dir_backend *behind_cache(struct core *c, const struct replay_cache *cache,
                                        struct dir_backend *first)
{
    struct dir_cache_conf conf = cache->conf;
    conf.clock = &c->clock.clock;
    c->behind = replay_switch_create(first);
    return dir_cache_create(c->behind, &conf);
}

static bool add_other(struct dir *dir, const struct replay_other *other)
{
    static const enum account_status statuses[] = {
        [REPLAY_DIR_FILE] = ACCOUNT_UNKNOWN,
        [REPLAY_DIR_UNAVAILABLE] = ACCOUNT_UNAVAILABLE,
        [REPLAY_DIR_MISCONFIGURED] = ACCOUNT_MISCONFIGURED,
    };
    struct dir_backend *backend =
        dir_fail_create("other", statuses[other->state], "rehearsed in the other one");
    backend->has_denies = other->denies;
    backend->knows_owners = true;
    return dir_add(dir, backend);
}

static bool make_directory(struct core *c, struct snapshot *s, const struct replay_cache *cache,
                           struct errtext *why)
{
    const struct replay_other *other = &c->scenario->setup.other;
    struct dir_backend *backend = open_directory(c, s, why);
    if (backend && cache->used)
        backend = behind_cache(c, cache, backend);
    if (!backend)
        return false;
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 32, .clock = &c->clock.clock});
    return dir_add(s->dir, backend) && (!other->used || add_other(s->dir, other));
}

/* A message that has begun keeps the snapshot that it pinned. */
static bool publish(struct core *c, struct errtext *why)
{
    const struct replay_setup *setup = &c->scenario->setup;
    struct replay_cache cache;
    struct snapshot *s = snapshot_create();
    if (!replay_conf_apply(s, &cache, setup, why) || !make_directory(c, s, &cache, why) ||
        !replay_conf_networks(s, setup, why)) {
        snapshot_unref(s);
        return false;
    }
    snapshot_publish(&c->slot, s);
    return true;
}

/* What stands behind a cache changes under it; else the change comes with a new snapshot. */
static bool directory_changes(struct core *c, struct errtext *why)
{
    if (!c->behind)
        return publish(c, why);
    struct dir_backend *next = open_directory(c, c->slot.current, why);
    if (next)
        replay_switch_to(c->behind, next);
    return next != NULL;
}

static bool core_begin(void *self, struct arena *a, const struct replay_scenario *scenario,
                       struct errtext *why)
{
    struct core *c = self;
    *c = (struct core){.arena = a, .scenario = scenario, .senders = scenario->setup.senders};
    c->how.directory = REPLAY_DIR_FILE;
    c->clock.clock.now = fake_now;
    c->clock.time = 1000 * CLOCK_S;
    c->host = (struct session_host){
        .slot = &c->slot, .clock = &c->clock.clock, .decided = decided, .context = c};
    snapshot_slot_init(&c->slot);
    return publish(c, why);
}

static bool core_end(void *self, bool failed, struct errtext *why)
{
    struct core *c = self;
    (void)why;
    if (failed && c->record[0])
        printf("# last decision: %s\n", c->record);
    session_destroy(c->session);
    snapshot_slot_clear(&c->slot);
    c->session = NULL;
    return true;
}

/* ---- events ---- */

static struct replay_words changes_of(const struct core *c, const struct session_answer *answer)
{
    size_t count = answer->changes.count;
    const char **texts = arena_array(c->arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = changes_line(c->arena, &answer->changes.items[i]);
    return (struct replay_words){texts, count};
}

static void take_answer(struct core *c, const struct session_answer *answer,
                        struct replay_answer *out)
{
    out->verdict = answer->effect == EFFECT_TEMPFAIL ? REPLAY_TEMPFAIL
                   : answer->effect == EFFECT_REJECT ? REPLAY_REJECT
                                                     : REPLAY_CONTINUE;
    out->changes = changes_of(c, answer);
    if (!effect_refuses(answer->effect))
        return;
    out->code = arena_strdup(c->arena, answer->reply.code);
    out->text = arena_strdup(c->arena, answer->reply.lines[0]);
}

static void play_connect(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)out;
    session_destroy(c->session);
    c->session = session_create(&c->host);
    session_connect(c->session, &(struct session_connect){
                                    .client_name = replay_value(e, "name", "client.example"),
                                    .client_addr = replay_value(e, "addr", "192.0.2.10"),
                                    .client_port = replay_value(e, "port", "40000"),
                                    .listener = replay_value(e, "listener", "mx.example.org"),
                                    .port = replay_value(e, "daemon_port", "25"),
                                    .own_addr = replay_value(e, "daemon_addr", "192.0.2.1"),
                                    .version = replay_value(e, "v", "Postfix 3.7.11"),
                                    .host_name = "mx.example.org",
                                });
}

static void play_helo(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)e;
    (void)out;
    session_helo(c->session);
}

static void play_mail(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    const char *argument = replay_value(e, "from", NULL);
    const char *login = replay_value(e, "login", NULL);
    struct session_mail mail = {
        .argument = argument,
        .mail_addr = replay_value(e, "mail_addr", replay_parsed(c->arena, argument)),
        .mail_mailer = replay_value(e, "mail_mailer", "smtp"),
        .auth_type = replay_value(e, "type", login ? "PLAIN" : NULL),
        .auth_authen = login,
        .cert_subject = replay_value(e, "cert_subject", NULL),
        .cert_issuer = replay_value(e, "cert_issuer", NULL),
        .verify = replay_value(e, "verify", NULL),
    };
    c->recipients = 0;
    struct session_answer answer = session_mail(c->session, &mail);
    take_answer(c, &answer, out);
}

static void play_rcpt(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    const char *parsed = replay_parsed(c->arena, e->argument);
    struct session_answer answer = session_rcpt(
        c->session, &(struct session_rcpt){.argument = e->argument,
                                           .rcpt_addr = replay_value(e, "rcpt_addr", parsed),
                                           .rcpt_mailer = replay_value(e, "rcpt_mailer", "smtp"),
                                           .queue_id = c->recipients ? "Q1" : NULL});
    take_answer(c, &answer, out);
    c->recipients += !effect_refuses(answer.effect);
}

static void play_header(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)out;
    session_header(c->session, e->argument, e->value + (*e->value == ' '));
}

static void play_eom(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)e;
    struct session_answer answer = session_eom(c->session, "Q1");
    take_answer(c, &answer, out);
}

static void play_abort(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)e;
    (void)out;
    session_abort(c->session);
}

static void play_quit(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    (void)e;
    (void)out;
    session_destroy(c->session);
    c->session = NULL;
}

static bool core_event(void *self, const struct replay_event *event, struct replay_answer *out,
                       struct errtext *why)
{
    static void (*const play[])(struct core *, const struct replay_event *,
                                struct replay_answer *) = {
        [REPLAY_CONNECT] = play_connect, [REPLAY_HELO] = play_helo,     [REPLAY_MAIL] = play_mail,
        [REPLAY_RCPT] = play_rcpt,       [REPLAY_HEADER] = play_header, [REPLAY_EOM] = play_eom,
        [REPLAY_ABORT] = play_abort,     [REPLAY_QUIT] = play_quit,
    };
    static const struct replay_event defaults = {.kind = REPLAY_CONNECT};
    struct core *c = self;
    (void)why;
    if (!c->session && event->kind != REPLAY_CONNECT)
        play_connect(c, &defaults, out);
    play[event->kind](c, event, out);
    return true;
}

/* ---- log, clock, directory ---- */

/* The value of one key of a record, without quotes and backslashes. NULL where it is not there. */
static const char *record_value(struct arena *a, const char *record, const char *key)
{
    size_t len = strlen(key);
    struct strbuf value;
    bool quoted = false;
    strbuf_init(&value, a);
    for (const char *at = record; *at; at++) {
        if (strncmp(at, key, len) != 0 || at[len] != '=' || (at > record && at[-1] != ' '))
            continue;
        for (at += len + 1; *at && (quoted || *at != ' '); at++) {
            if (*at == '"')
                quoted = !quoted;
            else if (*at == '\\' && at[1])
                strbuf_add_char(&value, *++at);
            else
                strbuf_add_char(&value, *at);
        }
        return value.text;
    }
    return NULL;
}

/* KEY=- in the file: the record must not have this key. */
static bool check_log(struct core *c, const struct replay_step *step, struct errtext *why)
{
    for (size_t i = 0; i < step->pair_count; i++) {
        const struct replay_pair *want = &step->pairs[i];
        const char *got = record_value(c->arena, c->record, want->key);
        bool same = want->value && got ? strcmp(want->value, got) == 0 : !want->value && !got;
        if (!same) {
            errtext_set(why, "wanted %s=%s in the log, got %s", want->key,
                        want->value ? want->value : "- (no such key)", got ? got : "no such key");
            return false;
        }
    }
    return true;
}

static bool core_control(void *self, const struct replay_step *step, struct errtext *why)
{
    struct core *c = self;
    switch (step->kind) {
    case STEP_EVENT:
    case STEP_EXPECT:
        return false;
    case STEP_LOG:
        return check_log(c, step, why);
    case STEP_CLOCK:
        c->clock.time += step->duration;
        return true;
    case STEP_DIRECTORY:
        c->how = *step;
        return directory_changes(c, why);
    case STEP_ADD:
        c->senders = replay_senders_add(c->arena, c->senders, step->text);
        return directory_changes(c, why);
    case STEP_REMOVE:
        c->senders = replay_senders_remove(c->arena, c->senders, step->text);
        return directory_changes(c, why);
    }
    return false;
}

int main(int argc, char **argv)
{
    static const char *const folders[] = {"both", "core", NULL};
    static struct core core;
    struct replay_player player = {
        .folders = folders,
        .begin = core_begin,
        .event = core_event,
        .control = core_control,
        .end = core_end,
        .self = &core,
    };
    return replay_main(argc, argv, &player);
}
