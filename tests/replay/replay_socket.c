/* The other player: the same files, against the daemon, over its socket. A daemon a scenario. */
#include "replay_run.h"
#include "clock.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, START_SECONDS = 30, STOP_SECONDS = 30, PAUSE_MS = 5 };

struct player {
    struct arena *arena; /* of the scenario */
    char directory[32];
    const char *address;
    pid_t pid; /* 0 where none runs */
    struct wire *wire;
    unsigned recipients; /* of the message, to know when the MTA has a queue id */
    bool in_data;
    struct replay_answer early; /* a verdict on the message before its end */
};

static const char *path_of(const struct player *p, const char *name)
{
    return arena_printf(p->arena, "%s/%s", p->directory, name);
}

/* ---- configuration ---- */

static bool is_list(const char *name)
{
    static const char *const lists[] = {
        "local_domains",     "trusted_networks", "rewrite",    "alias_domains",
        "listeners",         "logins",           "principals", "exempt_logins",
        "client_networks",   "directories",      "unwrap",     "local_sender_allow",
        "exempt_recipients", "cert_issuers",     "send_as"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(lists[i], name) == 0)
            return true;
    return false;
}

static void add_option(struct strbuf *out, const struct replay_option *option)
{
    bool list = is_list(option->name);
    strbuf_printf(out, "%s = %s", option->name, list ? "{" : "");
    for (size_t i = 0; i < option->values.count; i++)
        strbuf_printf(out, "%s'%s'", i ? ", " : "", option->values.items[i]);
    strbuf_add_str(out, list ? "}\n" : "\n");
}

static void add_options(struct strbuf *out, const struct replay_options *options)
{
    for (size_t i = 0; i < options->count; i++)
        add_option(out, &options->items[i]);
}

static void add_block(struct strbuf *out, const char *head, const struct replay_options *options)
{
    strbuf_printf(out, "%s {\n", head);
    add_options(out, options);
    strbuf_add_str(out, "}\n");
}

static const char *configuration(const struct player *p, const struct replay_setup *setup)
{
    struct strbuf out;
    strbuf_init(&out, p->arena);
    strbuf_printf(&out, "socket = '%s'\n", p->address);
    add_options(&out, &setup->options);
    add_block(&out, "login", &setup->login);
    add_block(&out, "address", &setup->address);
    strbuf_printf(&out, "directory 'senders' {\ntype = 'file'\nfile = '%s'\n}\n",
                  path_of(p, "senders"));
    for (size_t i = 0; i < setup->policy_count; i++)
        add_block(&out, arena_printf(p->arena, "policy '%s'", setup->policies[i].name),
                  &setup->policies[i].options);
    for (size_t i = 0; i < setup->network_count; i++)
        add_block(&out, arena_printf(p->arena, "network '%s'", setup->networks[i].name),
                  &setup->networks[i].options);
    return out.text;
}

static bool write_file(const char *path, const char *text, struct errtext *why)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fputs(text, file) >= 0;
    ok = file && fclose(file) == 0 && ok;
    if (!ok)
        errtext_set(why, "cannot write %s: %s", path, strerror(errno));
    return ok;
}

/* ---- the daemon ---- */

static void pause_shortly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
}

static _Noreturn void run_daemon(const char *conf, const char *log)
{
    const char *named = getenv("SENDAS_MILTER");
    const char *program = named ? named : "milter/sendas-milter";
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
        (void)execl(program, program, "-f", "-c", conf, (char *)NULL);
    _exit(127);
}

/* True once it has ended; *status_out is its status then. */
static bool has_ended(struct player *p, int *status_out)
{
    if (waitpid(p->pid, status_out, WNOHANG) != p->pid)
        return false;
    p->pid = 0;
    return true;
}

static bool start_daemon(struct player *p, struct errtext *why)
{
    uint64_t deadline = clock_now(&clock_real) + START_SECONDS * CLOCK_S;
    const char *conf = path_of(p, "conf");
    const char *log = path_of(p, "log");
    (void)fflush(stdout);
    p->pid = fork();
    if (p->pid == 0)
        run_daemon(conf, log);
    while (p->pid > 0 && clock_now(&clock_real) < deadline) {
        int status;
        struct wire *w = wire_open(p->address, TIMEOUT_MS, why);
        if (w) {
            wire_close(w);
            return true;
        }
        if (has_ended(p, &status)) {
            errtext_set(why, "the daemon did not start, wait status %#x", (unsigned)status);
            return false;
        }
        pause_shortly();
    }
    return false;
}

static bool stop_daemon(struct player *p, struct errtext *why)
{
    uint64_t deadline = clock_now(&clock_real) + STOP_SECONDS * CLOCK_S;
    int status = 0;
    if (!p->pid)
        return true;
    (void)kill(p->pid, SIGTERM);
    while (!has_ended(p, &status)) {
        if (clock_now(&clock_real) > deadline) {
            (void)kill(p->pid, SIGKILL);
            (void)waitpid(p->pid, &status, 0);
            p->pid = 0;
            errtext_set(why, "the daemon did not end after SIGTERM");
            return false;
        }
        pause_shortly();
    }
    if (status != 0)
        errtext_set(why, "the daemon ended with wait status %#x", (unsigned)status);
    return status == 0;
}

static bool socket_begin(void *self, struct arena *a, const struct replay_scenario *scenario,
                         struct errtext *why)
{
    struct player *p = self;
    *p = (struct player){.arena = a, .directory = "/tmp/replayXXXXXX"};
    if (!mkdtemp(p->directory)) {
        p->directory[0] = '\0';
        errtext_set(why, "mkdtemp: %s", strerror(errno));
        return false;
    }
    p->address = arena_printf(a, "unix:%s/sock", p->directory);
    return write_file(path_of(p, "senders"), scenario->setup.senders, why) &&
           write_file(path_of(p, "conf"), configuration(p, &scenario->setup), why) &&
           start_daemon(p, why);
}

static void print_log(const struct player *p)
{
    FILE *log = fopen(path_of(p, "log"), "re");
    char line[1024];
    while (log && fgets(line, sizeof line, log))
        printf("# daemon: %s", line);
    if (log)
        (void)fclose(log);
}

static bool socket_end(void *self, bool failed, struct errtext *why)
{
    static const char *const files[] = {"senders", "conf", "log", "sock", "sock.lock"};
    struct player *p = self;
    wire_close(p->wire);
    p->wire = NULL;
    bool ok = stop_daemon(p, why);
    if (!p->directory[0])
        return ok;
    if (failed || !ok)
        print_log(p);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(path_of(p, files[i]));
    (void)rmdir(p->directory);
    return ok;
}

/* ---- events ---- */

static void take_answer(struct player *p, const struct wire_answer *answer,
                        struct replay_answer *out)
{
    out->verdict = answer->verdict == WIRE_REJECT     ? REPLAY_REJECT
                   : answer->verdict == WIRE_TEMPFAIL ? REPLAY_TEMPFAIL
                                                      : REPLAY_CONTINUE;
    if (answer->text)
        replay_split_reply(p->arena, answer->text, out);
    const char **changes = arena_array(p->arena, answer->change_count, sizeof *changes);
    for (size_t i = 0; i < answer->change_count; i++)
        changes[i] = arena_strdup(p->arena, answer->changes[i]);
    out->changes = (struct replay_words){changes, answer->change_count};
}

/* libmilter's rule: ACCEPT would take the message out of every other check of the MTA. */
static bool is_allowed(const struct wire_answer *answer, struct errtext *why)
{
    if (answer->verdict != WIRE_ACCEPT && answer->verdict != WIRE_DISCARD)
        return true;
    errtext_set(why, "the daemon answered accept or discard");
    return false;
}

static bool play_connect(struct player *p, const struct replay_event *e, struct replay_answer *out,
                         struct errtext *why)
{
    struct wire_answer answer;
    const char *host = replay_value(e, "name", "client.example");
    const char *address = replay_value(e, "addr", "192.0.2.10");
    const char *port = replay_value(e, "port", "40000");
    const struct wire_macro macros[] = {
        {"j", "mx.example.org"},
        {"_", host},
        {"v", replay_value(e, "v", "Postfix 3.7.11")},
        {"{client_name}", host},
        {"{client_addr}", address},
        {"{client_port}", port},
        {"{daemon_name}", replay_value(e, "listener", "mx.example.org")},
        {"{daemon_port}", replay_value(e, "daemon_port", "25")},
        {"{daemon_addr}", replay_value(e, "daemon_addr", "192.0.2.1")},
    };
    wire_close(p->wire);
    p->wire = wire_open(p->address, TIMEOUT_MS, why);
    if (!p->wire ||
        !wire_macros(p->wire, WIRE_CONNECT, macros, sizeof macros / sizeof macros[0], why) ||
        !wire_connect(p->wire, host, address, port ? (unsigned)strtoul(port, NULL, 10) : 0, &answer,
                      why))
        return false;
    take_answer(p, &answer, out);
    return is_allowed(&answer, why);
}

static bool play_helo(struct player *p, const struct replay_event *e, struct replay_answer *out,
                      struct errtext *why)
{
    struct wire_answer answer;
    p->in_data = false;
    if (!wire_helo(p->wire, replay_value(e, "name", "client.example"), &answer, why))
        return false;
    take_answer(p, &answer, out);
    return true;
}

static bool play_mail(struct player *p, const struct replay_event *e, struct replay_answer *out,
                      struct errtext *why)
{
    struct wire_answer answer;
    const char *argument = replay_value(e, "from", NULL);
    const char *login = replay_value(e, "login", NULL);
    const struct wire_macro macros[] = {
        {"{auth_type}", replay_value(e, "type", login ? "PLAIN" : NULL)},
        {"{auth_authen}", login},
        {"{mail_addr}", replay_value(e, "mail_addr", replay_parsed(p->arena, argument))},
        {"{mail_host}", "example.org"},
        {"{mail_mailer}", replay_value(e, "mail_mailer", "smtp")},
        {"{cert_subject}", replay_value(e, "cert_subject", NULL)},
        {"{cert_issuer}", replay_value(e, "cert_issuer", NULL)},
        {"{verify}", replay_value(e, "verify", NULL)},
    };
    p->recipients = 0;
    p->in_data = false;
    if (!wire_macros(p->wire, WIRE_MAIL, macros, sizeof macros / sizeof macros[0], why) ||
        !wire_mail(p->wire, argument, &answer, why))
        return false;
    take_answer(p, &answer, out);
    return is_allowed(&answer, why);
}

static bool play_rcpt(struct player *p, const struct replay_event *e, struct replay_answer *out,
                      struct errtext *why)
{
    struct wire_answer answer;
    const struct wire_macro macros[] = {
        {"i", p->recipients ? "Q1" : NULL},
        {"{rcpt_addr}", replay_value(e, "rcpt_addr", replay_parsed(p->arena, e->argument))},
        {"{rcpt_host}", "example.com"},
        {"{rcpt_mailer}", replay_value(e, "rcpt_mailer", "smtp")},
    };
    if (!wire_macros(p->wire, WIRE_RCPT, macros, sizeof macros / sizeof macros[0], why) ||
        !wire_rcpt(p->wire, e->argument, &answer, why))
        return false;
    take_answer(p, &answer, out);
    p->recipients += out->verdict == REPLAY_CONTINUE;
    if (!answer.asked)
        errtext_set(why, "the daemon does not answer RCPT");
    return answer.asked && is_allowed(&answer, why);
}

static bool has_queue_id(struct player *p, enum wire_stage stage, struct errtext *why)
{
    static const struct wire_macro macro = {"i", "Q1"};
    return wire_macros(p->wire, stage, &macro, 1, why);
}

/* The MTA's reply to the final dot may come early; the message is over then. */
static void keep_early(struct player *p, const struct wire_answer *answer)
{
    if (p->early.verdict == REPLAY_CONTINUE)
        take_answer(p, answer, &p->early);
}

static bool begin_data(struct player *p, struct errtext *why)
{
    struct wire_answer answer;
    if (p->in_data)
        return true;
    p->in_data = true;
    p->early = (struct replay_answer){.code = "", .text = ""};
    if (!has_queue_id(p, WIRE_DATA, why) || !wire_data(p->wire, &answer, why))
        return false;
    keep_early(p, &answer);
    return true;
}

static bool play_header(struct player *p, const struct replay_event *e, struct replay_answer *out,
                        struct errtext *why)
{
    struct wire_answer answer;
    (void)out;
    if (!begin_data(p, why))
        return false;
    if (p->early.verdict != REPLAY_CONTINUE)
        return true;
    if (!wire_header(p->wire, e->argument, e->value, &answer, why))
        return false;
    keep_early(p, &answer);
    return is_allowed(&answer, why);
}

static bool went_on(const struct wire_answer *answer)
{
    return answer->verdict == WIRE_CONTINUE;
}

/* Ends at the first answer that is not "continue". */
static bool finish_data(struct player *p, struct wire_answer *answer, struct errtext *why)
{
    static const char body[] = "body\r\n";
    if (!has_queue_id(p, WIRE_EOH, why) || !wire_eoh(p->wire, answer, why))
        return false;
    if (went_on(answer) && !wire_body(p->wire, body, sizeof body - 1, answer, why))
        return false;
    return !went_on(answer) || (has_queue_id(p, WIRE_EOM, why) && wire_eom(p->wire, answer, why));
}

static bool play_eom(struct player *p, const struct replay_event *e, struct replay_answer *out,
                     struct errtext *why)
{
    struct wire_answer answer;
    (void)e;
    if (!begin_data(p, why))
        return false;
    p->in_data = false;
    if (p->early.verdict != REPLAY_CONTINUE) {
        *out = p->early;
        return true;
    }
    if (!finish_data(p, &answer, why))
        return false;
    take_answer(p, &answer, out);
    return is_allowed(&answer, why);
}

static bool play_abort(struct player *p, const struct replay_event *e, struct replay_answer *out,
                       struct errtext *why)
{
    (void)e;
    (void)out;
    p->in_data = false;
    return wire_abort(p->wire, why);
}

static bool play_quit(struct player *p, const struct replay_event *e, struct replay_answer *out,
                      struct errtext *why)
{
    (void)e;
    (void)out;
    (void)why;
    wire_close(p->wire);
    p->wire = NULL;
    return true;
}

static bool socket_event(void *self, const struct replay_event *event, struct replay_answer *out,
                         struct errtext *why)
{
    static bool (*const play[])(struct player *, const struct replay_event *,
                                struct replay_answer *, struct errtext *) = {
        [REPLAY_CONNECT] = play_connect, [REPLAY_HELO] = play_helo,     [REPLAY_MAIL] = play_mail,
        [REPLAY_RCPT] = play_rcpt,       [REPLAY_HEADER] = play_header, [REPLAY_EOM] = play_eom,
        [REPLAY_ABORT] = play_abort,     [REPLAY_QUIT] = play_quit,
    };
    static const struct replay_event defaults = {.kind = REPLAY_CONNECT};
    struct player *p = self;
    if (!p->wire && event->kind != REPLAY_CONNECT && !play_connect(p, &defaults, out, why))
        return false;
    return play[event->kind](p, event, out, why);
}

int main(int argc, char **argv)
{
    static const char *const folders[] = {"both", NULL};
    static struct player state;
    struct replay_player player = {
        .folders = folders,
        .begin = socket_begin,
        .event = socket_event,
        .end = socket_end,
        .self = &state,
    };
    return replay_main(argc, argv, &player);
}
