/*
 * ask - questions to the directories of a configuration, and what they answer, as JSON
 *
 * Use: ask CONF, then one question a line on standard input, an object with
 *     "login"                       as the MTA gives it: a sasl principal
 *     "cert_subject" "cert_issuer"  beside a login; without one: a cert principal
 *     "client_addr"                 beside either; alone: a network principal
 *     "address"                     instead: who owns it? In the spellings that count as it
 *     "key"                         the same, as it stands here
 *   all of them texts, and "fresh". One line of answer each: status, why, missing, sources and, of
 *   an account, name, entry, primary, state, grants, denies. What directories log goes to
 *   standard error. Exit status 1 where the configuration or a question cannot be read.
 */
#include "conf.h"
#include "log.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *why)
{
    (void)fprintf(stderr, "ask: %s\n", why);
    exit(1);
}

static void report(void *context, enum conf_severity severity, const char *file, unsigned line,
                   const char *text)
{
    (void)context;
    if (severity == CONF_ERROR)
        (void)fprintf(stderr, "%s:%u: %s\n", file, line, text);
}

/* ---- questions ---- */

static const char *text_of(const json_t *line, const char *name)
{
    const json_t *value = json_object_get(line, name);
    return value ? json_string_value(value) : NULL;
}

static void read_principal(struct arena *a, const struct snapshot *conf, const json_t *line,
                           struct principal *out)
{
    struct errtext why = {""};
    const char *login = text_of(line, "login");
    *out = (struct principal){
        .kind = PRINCIPAL_NETWORK,
        .raw = login,
        .cert_subject = text_of(line, "cert_subject"),
        .cert_issuer = text_of(line, "cert_issuer"),
        .client_addr = text_of(line, "client_addr"),
    };
    if (login)
        out->kind = PRINCIPAL_SASL;
    else if (out->cert_subject || out->cert_issuer)
        out->kind = PRINCIPAL_CERT;
    if (login && !login_normalise(a, &conf->login, span_of(login), &out->login, &why))
        stop(why.text);
}

static void ask_owners(struct dir_question *out, const char **keys, size_t count)
{
    out->ask = DIR_ASK_OWNERS;
    out->addresses = keys;
    out->address_count = count;
}

static void read_key(struct arena *a, const char *text, struct dir_question *out)
{
    const char **keys = arena_array(a, 1, sizeof *keys);
    keys[0] = text;
    ask_owners(out, keys, 1);
}

/* The spellings that a session asks for. */
static void read_address(struct arena *a, const struct snapshot *conf, const char *text,
                         struct dir_question *out)
{
    struct addr addr, variants[ADDR_VARIANTS_MAX];
    struct errtext why = {""};
    if (addr_parse(a, &conf->address, span_of(text), &addr, &why) != ADDR_OK)
        stop(why.text);
    size_t count = addr_variants(a, &conf->address, &addr, variants);
    const char **keys = arena_array(a, count, sizeof *keys);
    for (size_t i = 0; i < count; i++)
        keys[i] = variants[i].key;
    ask_owners(out, keys, count);
}

/* ---- answers ---- */

static void put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value) != 0)
        stop("out of memory");
}

static void add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        stop("out of memory");
}

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

static const char *status_name(enum account_status status)
{
    switch (status) {
    case ACCOUNT_UNAVAILABLE:
        return "unavailable";
    case ACCOUNT_MISCONFIGURED:
        return "misconfigured";
    case ACCOUNT_UNKNOWN:
        return "unknown";
    case ACCOUNT_FOUND:
        break;
    }
    return "found";
}

static json_t *lists_json(struct arena *a, const struct grant_list *lists, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lists[i].count; k++) {
            const struct grant *grant = &lists[i].items[k];
            json_t *one = json_object();
            put(one, "value", json_string(grant_text(a, grant)));
            put(one, "pattern", json_boolean(grant->form == GRANT_PATTERN));
            put(one, "on_behalf", json_boolean(grant->right == GRANT_ON_BEHALF));
            put(one, "attribute", json_string(grant->attribute));
            put(one, "entry", json_string(grant->entry));
            add(all, one);
        }
    return all;
}

static json_t *sources_json(const struct account *account)
{
    json_t *all = json_array();
    for (size_t i = 0; i < account->source_count; i++) {
        json_t *one = json_array();
        add(one, json_string(account->sources[i].directory));
        add(one, json_string(account->sources[i].entry));
        add(all, one);
    }
    return all;
}

static void print_answer(struct arena *a, const struct account_answer *answer)
{
    const struct account *account = &answer->account;
    json_t *out = json_object();
    put(out, "status", json_string(status_name(answer->status)));
    put(out, "missing", json_string(status_name(answer->missing)));
    put(out, "why", text_json(answer->why));
    put(out, "fresh", json_boolean(answer->fresh));
    put(out, "name", text_json(account->name));
    put(out, "entry", text_json(account->entry));
    put(out, "primary", text_json(account->primary));
    put(out, "enabled", json_boolean(account->state == ACCOUNT_ENABLED));
    put(out, "grants", lists_json(a, account->lists, account->list_count));
    put(out, "denies", lists_json(a, account->denies, account->deny_count));
    put(out, "sources", sources_json(account));
    if (json_dumpf(out, stdout, JSON_COMPACT) != 0 || puts("") < 0 || fflush(stdout) != 0)
        stop("cannot write");
    json_decref(out);
}

/* ---- both ---- */

static struct dir_question read_question(struct arena *a, const struct snapshot *conf,
                                         const json_t *line)
{
    struct dir_question question = {.fresh = json_is_true(json_object_get(line, "fresh"))};
    const char *address = text_of(line, "address"), *key = text_of(line, "key");
    if (address)
        read_address(a, conf, address, &question);
    else if (key)
        read_key(a, key, &question);
    else
        read_principal(a, conf, line, &question.principal);
    return question;
}

static void play(struct arena *a, const struct snapshot *conf, const json_t *line)
{
    struct dir_question question = read_question(a, conf, line);
    struct dir_lookup *lookup = dir_start(conf->dir, &question);
    struct account_answer *answer = dir_join(lookup, conf->command_budget);
    print_answer(a, answer);
    account_answer_unref(answer);
    dir_lookup_release(lookup);
}

static void play_all(const struct snapshot *conf)
{
    json_error_t fault;
    json_t *line;
    while ((line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &fault))) {
        struct arena *a = arena_create();
        play(a, conf, line);
        arena_destroy(a);
        json_decref(line);
    }
    if (!feof(stdin))
        stop(fault.text);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        stop("usage: ask CONF <QUESTIONS");
    struct conf *conf = conf_load(argv[1], report, NULL);
    if (!conf)
        stop("the configuration cannot be used");
    (void)signal(SIGPIPE, SIG_IGN); /* a server may be gone while we speak to it */
    play_all(conf->snapshot);
    conf_free(conf);
    return 0;
}
