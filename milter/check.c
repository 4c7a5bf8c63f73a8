#include "check.h"
#include "conf.h"

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

static void report(void *context, enum conf_severity severity, const char *file, unsigned line,
                   const char *text)
{
    (void)context;
    const char *kind = severity == CONF_WARNING ? "warning: " : "";
    if (line > 0)
        (void)fprintf(stderr, "%s:%u: %s%s\n", file, line, kind, text);
    else
        (void)fprintf(stderr, "%s: %s%s\n", file, kind, text);
}

int check_file(const char *file)
{
    struct conf *conf = conf_load(file, report, NULL);
    if (!conf)
        return EX_CONFIG;
    conf_free(conf);
    return EX_OK;
}

/* ---- logins ---- */

static int worse(int a, int b)
{
    return a > b ? a : b; /* 0, 75, 78 */
}

static void print_lists(struct arena *a, const char *word, const struct grant_list *lists,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lists[i].count; k++) {
            const struct grant *grant = &lists[i].items[k];
            (void)printf("  %s %s, by %s of %s (directory %s)\n", word, grant_text(a, grant),
                         grant->attribute, grant->entry, grant->directory);
        }
}

static int print_found(struct arena *a, const char *login, const struct account_answer *answer)
{
    const struct account *account = &answer->account;
    (void)printf("login %s: %s, %s%s%s\n", login, account->entry,
                 account->state == ACCOUNT_DISABLED ? "disabled" : "enabled",
                 account->primary ? ", primary address " : "",
                 account->primary ? account->primary : "");
    print_lists(a, "may use", account->lists, account->list_count);
    print_lists(a, "may not use", account->denies, account->deny_count);
    if (answer->missing == ACCOUNT_FOUND)
        return EX_OK;
    (void)printf("  a part is missing: %s\n", answer->why);
    return answer->missing == ACCOUNT_MISCONFIGURED ? EX_CONFIG : EX_TEMPFAIL;
}

static int print_answer(struct arena *a, const char *login, const struct account_answer *answer)
{
    switch (answer->status) {
    case ACCOUNT_FOUND:
        return print_found(a, login, answer);
    case ACCOUNT_UNKNOWN:
        (void)printf("login %s: not known: %s\n", login, answer->why);
        return EX_OK;
    case ACCOUNT_UNAVAILABLE:
        (void)printf("login %s: no answer: %s\n", login, answer->why);
        return EX_TEMPFAIL;
    case ACCOUNT_MISCONFIGURED:
        (void)printf("login %s: misconfigured: %s\n", login, answer->why);
        return EX_CONFIG;
    }
    return EX_SOFTWARE;
}

static int ask_login(struct arena *a, const struct snapshot *conf, const char *raw)
{
    struct dir_question question = {.principal.kind = PRINCIPAL_SASL};
    struct errtext why = {""};
    if (!login_normalise(a, &conf->login, span_of(raw), &question.principal.login, &why)) {
        (void)printf("login %s: can be nobody's: %s\n", raw, why.text);
        return EX_OK;
    }
    struct dir_lookup *lookup = dir_start(conf->dir, &question);
    struct account_answer *answer = dir_join(lookup, conf->command_budget);
    int code = print_answer(a, question.principal.login.name, answer);
    account_answer_unref(answer);
    dir_lookup_release(lookup);
    return code;
}

/* ---- servers ---- */

static void print_line(void *context, const char *text)
{
    (void)context;
    (void)printf("%s\n", text);
}

static int probe(const struct conf *conf)
{
    switch (conf_probe(conf, print_line, NULL)) {
    case LINK_OK:
        return EX_OK;
    case LINK_WRONG:
        return EX_CONFIG;
    case LINK_STALE:
    case LINK_DOWN:
    case LINK_FAILED:
        break;
    }
    return EX_TEMPFAIL;
}

int check_directories(const char *file, char **logins)
{
    struct conf *conf = conf_load(file, report, NULL);
    if (!conf)
        return EX_CONFIG;
    struct arena *a = arena_create();
    (void)signal(SIGPIPE, SIG_IGN); /* a server may be gone while we speak to it */
    int code = probe(conf);
    for (; *logins; logins++)
        code = worse(code, ask_login(a, conf->snapshot, *logins));
    arena_destroy(a);
    conf_free(conf);
    return code;
}
