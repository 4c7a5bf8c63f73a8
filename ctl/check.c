/* sendasctl check: may this login send as these addresses? By the code that enforces. */
#include "ctl.h"
#include "conf.h"
#include "policy.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum outcome { OUTCOME_YES, OUTCOME_NO, OUTCOME_UNKNOWN };

/* What holds for every address: the login's own state, or nothing. */
struct check {
    struct arena *arena;
    const struct snapshot *conf;
    const char *raw_login;
    struct login login; /* name NULL where it cannot be read, then: */
    struct errtext why; /* what is wrong with it */
    struct account_answer *answer;
    bool json;
};

struct finding_line {
    const char *argument;
    const char *address; /* normal form, NULL where it cannot be read */
    enum outcome outcome;
    enum reason reason;
    const char *detail; /* NULL for nothing to add */
    const struct grant *grant;
};

/* ---- judging ---- */

static void says(struct finding_line *out, enum outcome outcome, enum reason reason,
                 const char *detail)
{
    out->outcome = outcome;
    out->reason = reason;
    out->detail = detail;
}

/* The same decision as for an envelope sender, under the checks that every policy starts from. */
static void decide(const struct check *c, const struct addr *addr, struct decision *out)
{
    struct policy policy;
    struct facts facts = {
        .stage = FACTS_RCPT,
        .principal = {.kind = PRINCIPAL_SASL, .raw = c->raw_login, .login = c->login},
        .answer = c->answer,
        .sender = {.shape = SENDER_ADDRESS, .addr = *addr, .local = true, .raw = addr->key},
    };
    policy_defaults(&policy);
    policy_decide(c->arena, &c->conf->address, &policy, &facts, out);
}

static const char *detail_of(const struct decision *decision)
{
    for (size_t i = 0; i < decision->finding_count; i++)
        if (decision->findings[i].reason == decision->reason)
            return decision->findings[i].detail;
    return NULL;
}

static void judge_account(const struct check *c, const struct addr *addr, struct finding_line *out)
{
    struct decision decision;
    decide(c, addr, &decision);
    switch (decision.effect) {
    case EFFECT_ACCEPT:
        out->grant = decision.sender_grant;
        says(out, OUTCOME_YES, REASON_NONE, NULL);
        return;
    case EFFECT_TEMPFAIL:
        says(out, OUTCOME_UNKNOWN, decision.reason, detail_of(&decision));
        return;
    case EFFECT_REJECT:
        says(out, OUTCOME_NO, decision.reason, detail_of(&decision));
        return;
    }
}

/* Addresses may be pasted with their angle brackets. */
static enum addr_status read_address(const struct check *c, const char *argument, struct addr *out,
                                     struct errtext *why)
{
    struct span text = span_of(argument);
    if (argument[0] == '<')
        return addr_parse_path(c->arena, &c->conf->address, text, out, why);
    return addr_parse(c->arena, &c->conf->address, text, out, why);
}

static void judge(const struct check *c, const char *argument, struct finding_line *out)
{
    struct addr addr;
    struct errtext why = {""};
    *out = (struct finding_line){.argument = argument};
    enum addr_status status = read_address(c, argument, &addr, &why);
    if (status == ADDR_NULL)
        says(out, OUTCOME_NO, REASON_NULL_SENDER, "the null sender is nobody's address");
    else if (status == ADDR_MALFORMED)
        says(out, OUTCOME_NO, REASON_SENDER_MALFORMED, arena_strdup(c->arena, why.text));
    else
        out->address = addr.key;
    if (!c->login.name)
        says(out, OUTCOME_NO, REASON_LOGIN_UNKNOWN, c->why.text);
    else if (out->address)
        judge_account(c, &addr, out);
}

/* ---- printing ---- */

static void print_line(const struct check *c, const struct finding_line *f)
{
    const char *word = f->outcome == OUTCOME_NO ? "no" : "cannot tell";
    if (f->grant)
        (void)printf("%s: yes, by \"%s\" in %s (directory %s, %s)\n", f->argument,
                     grant_text(c->arena, f->grant), f->grant->entry, f->grant->directory,
                     f->grant->attribute);
    else
        (void)printf("%s: %s, %s%s%s\n", f->argument, word, reason_info(f->reason)->id,
                     f->detail ? ": " : "", f->detail ? f->detail : "");
}

static json_t *grant_json(const struct check *c, const struct grant *grant)
{
    json_t *object = json_object();
    ctl_json_put(object, "directory", ctl_json_text(grant->directory));
    ctl_json_put(object, "entry", ctl_json_text(grant->entry));
    ctl_json_put(object, "attribute", ctl_json_text(grant->attribute));
    ctl_json_put(object, "value", ctl_json_text(grant_text(c->arena, grant)));
    return object;
}

static json_t *line_json(const struct check *c, const struct finding_line *f)
{
    static const char *const words[] = {
        [OUTCOME_YES] = "yes",
        [OUTCOME_NO] = "no",
        [OUTCOME_UNKNOWN] = "cannot-tell",
    };
    json_t *object = json_object();
    ctl_json_put(object, "argument", ctl_json_text(f->argument));
    ctl_json_put(object, "address", ctl_json_text(f->address));
    ctl_json_put(object, "answer", ctl_json_text(words[f->outcome]));
    ctl_json_put(object, "reason",
                 f->outcome == OUTCOME_YES ? json_null()
                                           : ctl_json_text(reason_info(f->reason)->id));
    ctl_json_put(object, "detail", ctl_json_text(f->detail));
    ctl_json_put(object, "grant", f->grant ? grant_json(c, f->grant) : json_null());
    return object;
}

/* ---- the whole ---- */

static void ask(struct check *c)
{
    struct dir_question question = {.principal = {.kind = PRINCIPAL_SASL, .login = c->login}};
    struct dir_lookup *lookup = dir_start(c->conf->dir, &question);
    c->answer = dir_join(lookup, c->conf->command_budget);
    dir_lookup_release(lookup);
}

/* One "no" outweighs all: it will not become a yes by asking again. */
static int exit_code(const bool *seen)
{
    if (seen[OUTCOME_NO])
        return CTL_NO;
    return seen[OUTCOME_UNKNOWN] ? CTL_NO_ANSWER : CTL_YES;
}

static void print_json(const struct check *c, json_t *list)
{
    json_t *object = json_object();
    ctl_json_put(object, "login", ctl_json_text(c->raw_login));
    ctl_json_put(object, "normalised", ctl_json_text(c->login.name));
    ctl_json_put(object, "addresses", list);
    ctl_json_print(object);
}

static int answer_all(const struct check *c, char **addresses)
{
    bool seen[OUTCOME_UNKNOWN + 1] = {false};
    json_t *list = c->json ? json_array() : NULL;
    for (; *addresses; addresses++) {
        struct finding_line line;
        judge(c, *addresses, &line);
        seen[line.outcome] = true;
        if (list)
            ctl_json_append(list, line_json(c, &line));
        else
            print_line(c, &line);
    }
    if (list)
        print_json(c, list);
    return exit_code(seen);
}

static int check(const char *file, bool json, char **argv)
{
    struct conf *conf = ctl_conf_load(file);
    if (!conf)
        return CTL_CONFIG;
    struct check c = {
        .arena = arena_create(), .conf = conf->snapshot, .raw_login = argv[0], .json = json};
    if (login_normalise(c.arena, &c.conf->login, span_of(argv[0]), &c.login, &c.why))
        ask(&c);
    int code = answer_all(&c, argv + 1);
    account_answer_unref(c.answer);
    arena_destroy(c.arena);
    conf_free(conf);
    return code;
}

static int help(void)
{
    (void)printf("usage: sendasctl check [--config FILE] [--json] LOGIN ADDRESS...\n\n"
                 "May LOGIN send as each ADDRESS? Answered from the configuration file, by the "
                 "code\nthat enforces.\n\n"
                 "  --config FILE  configuration (%s)\n"
                 "  --json         one JSON object instead of lines\n\n"
                 "Exit: 0 all yes, 1 some no, 75 cannot tell now, 64 usage, 78 configuration.\n",
                 CONF_DEFAULT_FILE);
    return CTL_YES;
}

int ctl_check(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *file = NULL;
    bool json = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return help();
        default:
            return CTL_USAGE; /* getopt has said why */
        }
    }
    if (argc - optind < 2)
        return ctl_usage_error(argv[0], "a login and at least one address are needed");
    return check(file, json, argv + optind);
}
