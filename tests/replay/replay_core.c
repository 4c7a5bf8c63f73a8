/* The in-process player: the session under a fake clock, linked with the core library alone. */
#include "replay_run.h"
#include "dir_cache.h"
#include "dir_fail.h"
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

/* ---- values of options ---- */

/* What an option is set in. */
struct target {
    struct snapshot *snapshot;
    struct policy *policy;
    struct cache *cache;
};

/* Where an option of it is set, a cache stands in front of the directory. */
struct cache {
    bool used;
    struct dir_cache_conf conf;
};

typedef bool setter(struct target *t, const struct replay_words *values);

static bool flag_value(const struct replay_words *v, const char *yes, const char *no, bool *out)
{
    *out = strcmp(v->items[0], yes) == 0;
    return v->count == 1 && (*out || strcmp(v->items[0], no) == 0);
}

static bool number_value(const struct replay_words *v, unsigned long *out)
{
    char *end;
    *out = strtoul(v->items[0], &end, 10);
    return v->count == 1 && *end == '\0';
}

static struct policy_strings strings_value(const struct replay_words *v)
{
    return (struct policy_strings){.items = v->items, .count = v->count};
}

static bool nets_value(struct arena *a, const struct replay_words *v, struct netset *out)
{
    struct net *nets = arena_array(a, v->count, sizeof *nets);
    for (size_t i = 0; i < v->count; i++)
        if (!net_parse(span_of(v->items[i]), &nets[i], NULL))
            return false;
    *out = (struct netset){.items = nets, .count = v->count};
    return true;
}

/* "LEFT=RIGHT" */
static bool split_value(struct arena *a, const char *text, const char **left, const char **right)
{
    struct span all = span_of(text);
    size_t equals = span_find(all, '=');
    *left = arena_copy(a, span_sub(all, 0, equals));
    *right = arena_copy(a, span_sub(all, equals + 1, all.len));
    return equals < all.len;
}

/* ---- top level ---- */

static bool set_local_domains(struct target *t, const struct replay_words *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (!domset_add(t->snapshot->local_domains, span_of(v->items[i]), NULL))
            return false;
    return true;
}

static bool set_trusted_networks(struct target *t, const struct replay_words *v)
{
    return nets_value(t->snapshot->arena, v, &t->snapshot->trusted_networks);
}

static bool set_daemon_mode(struct target *t, const struct replay_words *v)
{
    bool observe;
    if (!flag_value(v, "observe", "enforce", &observe))
        return false;
    for (size_t i = 0; observe && i < t->snapshot->policy_count; i++)
        t->snapshot->policies[i].observe = true;
    return true;
}

static bool set_max_headers(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->snapshot->max_headers = (unsigned)number;
    return ok;
}

static bool set_max_header_size(struct target *t, const struct replay_words *v)
{
    return number_value(v, &t->snapshot->max_header_size);
}

static bool set_command_budget(struct target *t, const struct replay_words *v)
{
    return v->count == 1 && replay_duration(v->items[0], &t->snapshot->command_budget);
}

static bool set_mta(struct target *t, const struct replay_words *v)
{
    static const char *const names[] = {
        [LOGIN_MTA_AUTO] = "auto",
        [LOGIN_MTA_POSTFIX] = "postfix",
        [LOGIN_MTA_SENDMAIL] = "sendmail",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], v->items[0]) == 0) {
            t->snapshot->mta = (enum login_mta)i;
            return true;
        }
    }
    return false;
}

static bool set_help_url(struct target *t, const struct replay_words *v)
{
    t->snapshot->replies.help_url = v->items[0];
    return v->count == 1;
}

static bool set_authserv_id(struct target *t, const struct replay_words *v)
{
    t->snapshot->authserv_id = v->items[0];
    return v->count == 1;
}

/* ---- cache ---- */

static bool set_cache_ttl(struct target *t, const struct replay_words *v)
{
    t->cache->used = true;
    return v->count == 1 && replay_duration(v->items[0], &t->cache->conf.ttl);
}

static bool set_negative_ttl(struct target *t, const struct replay_words *v)
{
    t->cache->used = true;
    return v->count == 1 && replay_duration(v->items[0], &t->cache->conf.negative_ttl);
}

static bool set_cache_entries(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->cache->used = true;
    t->cache->conf.entries = (unsigned)number;
    return ok;
}

/* "COUNT/DURATION" */
static bool set_recheck_rate(struct target *t, const struct replay_words *v)
{
    char *end;
    unsigned long count = strtoul(v->items[0], &end, 10);
    t->cache->used = true;
    t->cache->conf.recheck_count = (unsigned)count;
    return v->count == 1 && *end == '/' && replay_duration(end + 1, &t->cache->conf.recheck_period);
}

/* ---- login and address ---- */

static bool set_default_domain(struct target *t, const struct replay_words *v)
{
    t->snapshot->login.default_domain = v->items[0];
    return v->count == 1;
}

static bool set_rewrite(struct target *t, const struct replay_words *v)
{
    struct arena *a = t->snapshot->arena;
    struct login_rewrite *rewrites = arena_array(a, v->count, sizeof *rewrites);
    for (size_t i = 0; i < v->count; i++)
        if (!split_value(a, v->items[i], &rewrites[i].from, &rewrites[i].to))
            return false;
    t->snapshot->login.rewrites = rewrites;
    t->snapshot->login.rewrite_count = v->count;
    return true;
}

static bool set_master_separator(struct target *t, const struct replay_words *v)
{
    t->snapshot->login.master_separator = v->items[0][0];
    return v->count == 1 && strlen(v->items[0]) == 1;
}

static bool set_fold_case(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->snapshot->login.fold_case);
}

static bool set_delimiter(struct target *t, const struct replay_words *v)
{
    t->snapshot->address.delimiters = v->items[0];
    return v->count == 1;
}

static bool set_alias_domains(struct target *t, const struct replay_words *v)
{
    struct arena *a = t->snapshot->arena;
    struct addr_alias *aliases = arena_array(a, v->count, sizeof *aliases);
    for (size_t i = 0; i < v->count; i++)
        if (!split_value(a, v->items[i], &aliases[i].alias, &aliases[i].domain))
            return false;
    t->snapshot->address.aliases = aliases;
    t->snapshot->address.alias_count = v->count;
    return true;
}

static bool set_fold_local_part(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->snapshot->address.fold_local_part);
}

static bool set_source_routes(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "strip", "refuse", &t->snapshot->address.strip_routes);
}

static bool set_unwrap(struct target *t, const struct replay_words *v)
{
    for (size_t i = 0; i < v->count; i++) {
        bool batv = strcmp(v->items[i], "batv") == 0;
        if (!batv && strcmp(v->items[i], "srs") != 0)
            return false;
        *(batv ? &t->snapshot->unwrap_batv : &t->snapshot->unwrap_srs) = true;
    }
    return true;
}

/* ---- policy ---- */

static bool set_mode(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "observe", "enforce", &t->policy->observe);
}

static bool set_listeners(struct target *t, const struct replay_words *v)
{
    t->policy->listeners = strings_value(v);
    return true;
}

static bool set_client_networks(struct target *t, const struct replay_words *v)
{
    return nets_value(t->snapshot->arena, v, &t->policy->client_networks);
}

static bool set_logins(struct target *t, const struct replay_words *v)
{
    t->policy->logins = strings_value(v);
    return true;
}

static bool set_principals(struct target *t, const struct replay_words *v)
{
    t->policy->principals = strings_value(v);
    return true;
}

static bool set_exempt_logins(struct target *t, const struct replay_words *v)
{
    t->policy->exempt_logins = strings_value(v);
    return true;
}

static bool set_directories(struct target *t, const struct replay_words *v)
{
    t->policy->directories = strings_value(v);
    return true;
}

static bool set_require_authentication(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->require_authentication);
}

static bool set_from_must_equal_envelope(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->from_must_equal_envelope);
}

static bool set_resent_covers_from(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->resent_covers_from);
}

static bool set_max_recipients(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->policy->max_recipients = (unsigned)number;
    return ok;
}

static bool set_domain_grants(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "unowned", "all", &t->policy->unowned_domains);
}

static bool addresses_value(struct snapshot *s, const struct replay_words *v,
                            struct grant_list *out)
{
    struct grant *grants = arena_array(s->arena, v->count, sizeof *grants);
    for (size_t i = 0; i < v->count; i++)
        if (!grant_parse(s->arena, &s->address, span_of(v->items[i]), &grants[i], NULL))
            return false;
    *out = (struct grant_list){grants, v->count};
    return true;
}

static bool set_exempt_recipients(struct target *t, const struct replay_words *v)
{
    return addresses_value(t->snapshot, v, &t->policy->exempt_recipients);
}

/* Addresses, or networks. */
static bool set_local_sender_allow(struct target *t, const struct replay_words *v)
{
    if (strchr(v->items[0], '@'))
        return addresses_value(t->snapshot, v, &t->policy->local_sender_allow);
    return nets_value(t->snapshot->arena, v, &t->policy->local_sender_networks);
}

static bool set_trace_header(struct target *t, const struct replay_words *v)
{
    t->policy->trace_header = v->items[0];
    return v->count == 1;
}

static bool set_auth_results(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->auth_results);
}

/* ---- the tables ---- */

struct setting {
    const char *name;
    setter *set;
};

static const struct setting daemon_settings[] = {
    {"local_domains", set_local_domains},
    {"trusted_networks", set_trusted_networks},
    {"mode", set_daemon_mode},
    {"max_headers", set_max_headers},
    {"max_header_size", set_max_header_size},
    {"command_budget", set_command_budget},
    {"mta", set_mta},
    {"help_url", set_help_url},
    {"authserv_id", set_authserv_id},
    {"cache_ttl", set_cache_ttl},
    {"negative_ttl", set_negative_ttl},
    {"cache_entries", set_cache_entries},
    {"recheck_rate", set_recheck_rate},
    {NULL, NULL},
};
static const struct setting login_settings[] = {
    {"default_domain", set_default_domain},
    {"rewrite", set_rewrite},
    {"master_separator", set_master_separator},
    {"fold_case", set_fold_case},
    {NULL, NULL},
};
static const struct setting address_settings[] = {
    {"delimiter", set_delimiter},
    {"alias_domains", set_alias_domains},
    {"fold_local_part", set_fold_local_part},
    {"source_routes", set_source_routes},
    {"unwrap", set_unwrap},
    {NULL, NULL},
};
static const struct setting policy_settings[] = {
    {"mode", set_mode},
    {"listeners", set_listeners},
    {"client_networks", set_client_networks},
    {"logins", set_logins},
    {"principals", set_principals},
    {"exempt_logins", set_exempt_logins},
    {"directories", set_directories},
    {"require_authentication", set_require_authentication},
    {"from_must_equal_envelope", set_from_must_equal_envelope},
    {"resent_covers_from", set_resent_covers_from},
    {"max_recipients", set_max_recipients},
    {"domain_grants", set_domain_grants},
    {"exempt_recipients", set_exempt_recipients},
    {"local_sender_allow", set_local_sender_allow},
    {"trace_header", set_trace_header},
    {"auth_results", set_auth_results},
    {NULL, NULL},
};

static bool set_check(struct target *t, const struct replay_option *option)
{
    enum policy_check check;
    enum policy_action action;
    if (!t->policy || option->values.count != 1 || !policy_check_by_name(option->name, &check) ||
        !policy_action_by_name(option->values.items[0], &action) ||
        !policy_check_takes(check, action))
        return false;
    t->policy->actions[check] = action;
    return true;
}

static bool apply(struct target *t, const struct setting *settings,
                  const struct replay_option *option)
{
    for (; settings->name; settings++)
        if (strcmp(settings->name, option->name) == 0)
            return settings->set(t, &option->values);
    return set_check(t, option);
}

static bool apply_all(struct target *t, const struct setting *settings,
                      const struct replay_options *options, struct errtext *why)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct replay_option *option = &options->items[i];
        if (!apply(t, settings, option)) {
            errtext_set(why, "line %u: unknown option or bad value: %s %s", option->line,
                        option->name, option->values.items[0]);
            return false;
        }
    }
    return true;
}

/* ---- the snapshot ---- */

static bool make_policies(struct snapshot *s, const struct replay_setup *setup, struct errtext *why)
{
    s->policy_count = setup->policy_count + POLICY_BUILTINS;
    s->policies = arena_array(s->arena, s->policy_count, sizeof *s->policies);
    policy_builtins(s->policies + setup->policy_count);
    for (size_t i = 0; i < setup->policy_count; i++) {
        struct target t = {.snapshot = s, .policy = &s->policies[i]};
        policy_defaults(t.policy);
        t.policy->name = setup->policies[i].name;
        if (!apply_all(&t, policy_settings, &setup->policies[i].options, why))
            return false;
    }
    return true;
}

static bool apply_setup(struct snapshot *s, struct cache *cache, const struct replay_setup *setup,
                        struct errtext *why)
{
    struct target t = {.snapshot = s, .cache = cache};
    s->login.fold_case = true;
    s->address.fold_local_part = true;
    s->command_budget = 3 * CLOCK_S;
    s->max_headers = 1000;
    s->max_header_size = (size_t)64 << 10;
    return make_policies(s, setup, why) && apply_all(&t, daemon_settings, &setup->options, why) &&
           apply_all(&t, login_settings, &setup->login, why) &&
           apply_all(&t, address_settings, &setup->address, why);
}

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

static struct dir_backend *behind_cache(struct core *c, const struct cache *cache,
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

static bool make_directory(struct core *c, struct snapshot *s, const struct cache *cache,
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
    struct cache cache = {.conf = {.ttl = 300 * CLOCK_S,
                                   .negative_ttl = 30 * CLOCK_S,
                                   .entries = 100000,
                                   .recheck_count = 20,
                                   .recheck_period = CLOCK_S}};
    struct snapshot *s = snapshot_create();
    if (!apply_setup(s, &cache, &c->scenario->setup, why) || !make_directory(c, s, &cache, why)) {
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
        .auth_type = replay_value(e, "type", login ? "PLAIN" : NULL),
        .auth_authen = login,
    };
    c->recipients = 0;
    struct session_answer answer = session_mail(c->session, &mail);
    take_answer(c, &answer, out);
}

static void play_rcpt(struct core *c, const struct replay_event *e, struct replay_answer *out)
{
    const char *parsed = replay_parsed(c->arena, e->argument);
    struct session_answer answer = session_rcpt(
        c->session, e->argument, replay_value(e, "rcpt_addr", parsed), c->recipients ? "Q1" : NULL);
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
