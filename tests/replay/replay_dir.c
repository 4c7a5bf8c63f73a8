#include "replay_dir.h"
#include "dir_fail.h"
#include "dir_file.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the text of a senders file ---- */

static bool next_line(const char **at, struct span *line)
{
    struct span rest = span_of(*at);
    if (!rest.len)
        return false;
    *line = span_sub(rest, 0, span_find(rest, '\n'));
    *at += line->len < rest.len ? line->len + 1 : line->len;
    return true;
}

static struct span first_word(struct span line)
{
    size_t blank = span_find(line, ' '), tab = span_find(line, '\t');
    return span_sub(line, 0, blank < tab ? blank : tab);
}

const char *replay_senders_add(struct arena *a, const char *senders, const char *line)
{
    return arena_printf(a, "%s%s\n", senders, line);
}

const char *replay_senders_remove(struct arena *a, const char *senders, const char *key)
{
    struct strbuf out;
    struct span line;
    strbuf_init(&out, a);
    while (next_line(&senders, &line))
        if (!span_equal(first_word(line), span_of(key)))
            strbuf_printf(&out, "%.*s\n", (int)line.len, line.data);
    return out.text;
}

/* ---- denies: a file has none, so a decorator adds them ---- */

struct deny {
    const char *login;
    struct grant grant;
};

struct denier {
    struct dir_backend backend;
    struct dir_backend *inner;
    const struct clock *clock;
    struct arena *arena;
    struct deny *denies;
    size_t count;
};

struct denier_errand {
    const struct denier *denier;
    struct dir_ticket *ticket;
};

static void add_denies(const struct denier *d, const char *login, struct account_answer *out)
{
    struct grant *grants = arena_array(out->arena, d->count, sizeof *grants);
    struct grant_list *list = arena_alloc(out->arena, sizeof *list);
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->denies[i].login, login) == 0)
            grants[list->count++] = d->denies[i].grant;
    list->items = grants;
    out->account.denies = list;
    out->account.deny_count = 1;
}

static void denier_done(void *context, struct account_answer *answer, bool fresh)
{
    struct denier_errand *e = context;
    struct dir_ticket *ticket = e->ticket;
    if (answer->status == ACCOUNT_FOUND) {
        struct account_answer *more = account_answer_create();
        more->status = ACCOUNT_FOUND;
        more->missing = answer->missing;
        more->asked_at = answer->asked_at;
        more->account = answer->account;
        account_answer_keep(more, answer);
        add_denies(e->denier, dir_ticket_login(ticket)->name, more);
        account_answer_unref(answer);
        answer = more;
    }
    free(e);
    dir_ticket_done_as(ticket, answer, fresh);
}

static void denier_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct denier *d = (const struct denier *)self;
    struct denier_errand *e = xcalloc(1, sizeof *e);
    *e = (struct denier_errand){d, ticket};
    dir_backend_ask(d->inner, dir_ticket_question(ticket), d->clock, denier_done, e);
}

static void denier_destroy(struct dir_backend *self)
{
    struct denier *d = (struct denier *)self;
    d->inner->ops->destroy(d->inner);
    arena_destroy(d->arena);
    free(d);
}

static bool read_deny(struct denier *d, const struct addr_rules *rules, struct span line,
                      struct errtext *why)
{
    struct grant grant = {.directory = "senders", .entry = "deny", .attribute = "denies"};
    struct span key = first_word(line);
    char *owners = arena_copy(d->arena, span_sub(line, key.len, line.len));
    char *save = NULL;
    if (!grant_parse(d->arena, rules, key, &grant, why))
        return false;
    for (char *login = strtok_r(owners, ", \t", &save); login;
         login = strtok_r(NULL, ", \t", &save)) {
        d->denies = xrealloc(d->denies, (d->count + 1) * sizeof *d->denies);
        d->denies[d->count++] = (struct deny){login, grant};
    }
    return true;
}

static bool read_denies(struct denier *d, const struct replay_dir_conf *conf, struct errtext *why)
{
    const char *at = conf->denies;
    struct span line;
    bool ok = true;
    while (ok && next_line(&at, &line))
        ok = read_deny(d, conf->addr_rules, line, why);
    struct deny *kept = arena_array(d->arena, d->count, sizeof *kept);
    if (d->count)
        memcpy(kept, d->denies, d->count * sizeof *kept);
    free(d->denies);
    d->denies = kept;
    return ok;
}

static struct dir_backend *denier_create(struct dir_backend *inner,
                                         const struct replay_dir_conf *conf, struct errtext *why)
{
    static const struct dir_ops ops = {
        .type = "denier", .ask = denier_ask, .destroy = denier_destroy};
    struct denier *d = xcalloc(1, sizeof *d);
    d->backend = *inner;
    d->backend.ops = &ops;
    d->backend.has_denies = true;
    d->inner = inner;
    d->clock = conf->clock;
    d->arena = arena_create();
    if (read_denies(d, conf, why))
        return &d->backend;
    denier_destroy(&d->backend);
    return NULL;
}

/* ---- one state ---- */

static void report_fault(void *context, const char *file, unsigned line, const char *what)
{
    (void)file;
    errtext_set(context, "senders, line %u: %s", line, what);
}

static struct dir_backend *open_senders(const struct replay_dir_conf *conf, struct errtext *why)
{
    char path[] = "/tmp/replayXXXXXX";
    int fd = mkstemp(path);
    size_t len = strlen(conf->senders);
    bool written = fd >= 0 && write(fd, conf->senders, len) == (ssize_t)len;
    struct dir_file_conf file = {.name = "senders",
                                 .file = path,
                                 .login_rules = conf->login_rules,
                                 .addr_rules = conf->addr_rules};
    struct dir_backend *backend = written ? dir_file_open(&file, report_fault, why) : NULL;
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    if (!written)
        errtext_set(why, "cannot write %s", path);
    return backend;
}

static struct dir_backend *open_state(const struct replay_dir_conf *conf, struct errtext *why)
{
    struct dir_backend *file;
    switch (conf->state) {
    case REPLAY_DIR_FILE:
        return open_senders(conf, why);
    case REPLAY_DIR_UNAVAILABLE:
        return dir_fail_create("senders", ACCOUNT_UNAVAILABLE, "rehearsed outage");
    case REPLAY_DIR_MISCONFIGURED:
        return dir_fail_create("senders", ACCOUNT_MISCONFIGURED, "rehearsed fault");
    case REPLAY_DIR_SLOW:
        file = open_senders(conf, why);
        return file ? dir_slow_create(file, conf->delay) : NULL;
    }
    return NULL;
}

struct dir_backend *replay_dir_open(const struct replay_dir_conf *conf, struct errtext *why)
{
    struct dir_backend *backend = open_state(conf, why);
    return backend && *conf->denies ? denier_create(backend, conf, why) : backend;
}

/* ---- a switch from state to state ---- */

struct replay_switch {
    struct dir_backend backend;
    struct dir_backend **all;
    size_t count; /* the last one is asked */
};

static void switch_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct replay_switch *s = (const struct replay_switch *)self;
    struct dir_backend *now = s->all[s->count - 1];
    now->ops->ask(now, ticket);
}

static void switch_destroy(struct dir_backend *self)
{
    struct replay_switch *s = (struct replay_switch *)self;
    for (size_t i = 0; i < s->count; i++)
        s->all[i]->ops->destroy(s->all[i]);
    free(s->all);
    free(s);
}

void replay_switch_to(struct dir_backend *self, struct dir_backend *next)
{
    struct replay_switch *s = (struct replay_switch *)self;
    s->all = xrealloc(s->all, (s->count + 1) * sizeof(struct dir_backend *));
    s->all[s->count++] = next;
}

struct dir_backend *replay_switch_create(struct dir_backend *first)
{
    static const struct dir_ops ops = {
        .type = "switch", .ask = switch_ask, .destroy = switch_destroy};
    struct replay_switch *s = xcalloc(1, sizeof *s);
    s->backend = *first;
    s->backend.ops = &ops;
    replay_switch_to(&s->backend, first);
    return &s->backend;
}
