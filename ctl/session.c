/* sendasctl session: plays an MTA against the milter and prints the answer of each step. */
#include "ctl.h"
#include "addr.h"
#include "conf.h"
#include "strbuf.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, HEADERS_MAX = 1 << 20, HOST_MAX = 256 };

/* ---- what to play ---- */

enum option_id {
    OPT_LOGIN,
    OPT_AUTH_TYPE,
    OPT_MAIL_FROM,
    OPT_RAW_MAIL_FROM,
    OPT_CLIENT,
    OPT_LISTENER,
    OPT_HEADERS,
    OPT_SOCKET,
    OPT_CONFIG,
    OPT_MTA,
    OPT_SCALARS,
    OPT_FROM = OPT_SCALARS,
    OPT_RCPT,
    OPT_JSON,
    OPT_HELP,
};

struct header {
    const char *name, *value; /* value: all that follows the colon */
};

struct headers {
    struct header *items;
    size_t count, room;
};

struct plan {
    const char *given[OPT_SCALARS];
    const char **from, **rcpt;
    size_t from_count, rcpt_count;
    bool json;
    /* worked out of these */
    bool sendmail, non_smtp;
    const char *mail_argument, *client;
    unsigned client_port;
    const char *daemon_name, *daemon_port; /* NULL: the MTA does not say */
    char host[HOST_MAX];
    struct headers headers;
};

/* ---- addresses as the MTA reads them ---- */

static struct span inside_brackets(struct span text)
{
    size_t open = span_find(text, '<');
    size_t close = span_find_last(text, '>');
    if (open < close && close < text.len)
        text = span_sub(text, open + 1, close - open - 1);
    return span_trim(text);
}

/* <@a,@b:user@domain> */
static struct span without_route(struct span text)
{
    size_t colon = span_find(text, ':');
    if (text.len && text.data[0] == '@' && colon < text.len)
        return span_sub(text, colon + 1, text.len);
    return text;
}

static const char *lower(struct arena *a, struct span text)
{
    char *copy = arena_copy(a, text);
    for (char *c = copy; *c; c++)
        *c = ascii_lower(*c);
    return copy;
}

/* {mail_addr} and {rcpt_addr}: Postfix drops needless quotes and lower-cases, Sendmail does not. */
static const char *parsed(struct arena *a, const struct plan *plan, const char *argument)
{
    static const struct addr_rules as_written = {0};
    struct addr addr;
    struct span text = without_route(inside_brackets(span_of(argument)));
    if (plan->sendmail)
        return arena_copy(a, text);
    if (addr_parse(a, &as_written, text, &addr, NULL) != ADDR_OK)
        return lower(a, text);
    struct span key = span_of(addr.key);
    struct span local = span_sub(key, 0, span_find_last(key, '@'));
    struct span domain = span_sub(text, span_find_last(text, '@'), text.len);
    return arena_printf(a, "%s%s", lower(a, local), lower(a, domain));
}

static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at ? at + 1 : NULL;
}

/* RFC 3461 section 4, and what Sendmail encodes beyond it. */
static const char *xtext(struct arena *a, const char *login)
{
    struct strbuf out;
    strbuf_init(&out, a);
    for (const unsigned char *c = (const unsigned char *)login; *c; c++) {
        if (*c <= ' ' || *c > '~' || strchr("+\\()<>\"=", *c))
            strbuf_printf(&out, "+%02X", *c);
        else
            strbuf_add_char(&out, (char)*c);
    }
    return out.text;
}

/* ---- headers ---- */

static void add_header(struct arena *a, struct headers *h, const char *name, const char *value)
{
    if (h->count == h->room) {
        size_t room = h->room ? h->room * 2 : 16;
        struct header *more = arena_array(a, room, sizeof *more);
        if (h->count)
            memcpy(more, h->items, h->count * sizeof *more);
        h->items = more;
        h->room = room;
    }
    h->items[h->count++] = (struct header){.name = name, .value = value};
}

static const char *date_now(struct arena *a)
{
    char text[64];
    struct tm tm;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &tm) || !strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm))
        return " Thu, 01 Jan 1970 00:00:00 +0000";
    return arena_printf(a, " %s", text);
}

static void add_default_headers(struct arena *a, struct plan *plan)
{
    struct headers *h = &plan->headers;
    add_header(a, h, "To", arena_printf(a, " %s", plan->rcpt[0]));
    add_header(a, h, "Subject", " sendasctl session");
    add_header(a, h, "Date", date_now(a));
    add_header(
        a, h, "Message-ID",
        arena_printf(a, " <%lld.%ld@%s>", (long long)time(NULL), (long)getpid(), plan->host));
}

/* One line of the file: a new field, or the continuation of the last one. */
static bool add_header_line(struct arena *a, struct headers *h, struct span line)
{
    size_t colon = span_find(line, ':');
    if (line.data[0] == ' ' || line.data[0] == '\t') {
        if (!h->count)
            return false;
        struct header *last = &h->items[h->count - 1];
        last->value = arena_printf(a, "%s\n%s", last->value, arena_copy(a, line));
        return true;
    }
    struct span name = span_trim(span_sub(line, 0, colon));
    if (!name.len || colon == line.len || span_find(name, ' ') < name.len)
        return false;
    add_header(a, h, arena_copy(a, name), arena_copy(a, span_sub(line, colon + 1, line.len)));
    return true;
}

/* Fields up to the first empty line. A fold after --from's fields belongs to none of them. */
static bool add_header_lines(struct arena *a, struct headers *out, const char *path,
                             struct span text, struct errtext *why)
{
    struct headers own = {0};
    for (unsigned number = 1; text.len; number++) {
        size_t end = span_find(text, '\n');
        struct span line = span_sub(text, 0, end);
        text = span_sub(text, end + 1, text.len);
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (!line.len)
            break;
        if (span_find(line, '\0') < line.len || !add_header_line(a, &own, line)) {
            errtext_set(why, "%s:%u: no header field", path, number);
            return false;
        }
    }
    for (size_t i = 0; i < own.count; i++)
        add_header(a, out, own.items[i].name, own.items[i].value);
    return true;
}

static bool read_headers(struct arena *a, struct headers *h, const char *path, struct errtext *why)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        errtext_set(why, "%s: %s", path, strerror(errno));
        return false;
    }
    char *text = arena_alloc(a, HEADERS_MAX + 1);
    size_t len = fread(text, 1, HEADERS_MAX + 1, file);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || len > HEADERS_MAX) {
        errtext_set(why, "%s: %s", path, failed ? "cannot be read" : "longer than 1 MiB");
        return false;
    }
    return add_header_lines(a, h, path, span_make(text, len), why);
}

static bool plan_headers(struct arena *a, struct plan *plan, struct errtext *why)
{
    for (size_t i = 0; i < plan->from_count; i++)
        add_header(a, &plan->headers, "From", arena_printf(a, " %s", plan->from[i]));
    if (plan->given[OPT_HEADERS])
        return read_headers(a, &plan->headers, plan->given[OPT_HEADERS], why);
    add_default_headers(a, plan);
    return true;
}

/* ---- the plan ---- */

static const char *bracketed(struct arena *a, const char *address)
{
    return address[0] == '<' ? address : arena_printf(a, "<%s>", address);
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);
    return len > 0 && !text[len] && port >= 1 && port <= 65535;
}

static bool plan_listener(struct plan *plan, struct errtext *why)
{
    const char *listener = plan->given[OPT_LISTENER];
    plan->daemon_name = plan->host;
    plan->daemon_port = plan->given[OPT_LOGIN] ? "587" : "25";
    if (!listener)
        return true;
    plan->daemon_port = NULL;
    plan->non_smtp = strcmp(listener, "non-smtp") == 0;
    if (listener[0] != ':') {
        plan->daemon_name = listener;
        return true;
    }
    plan->daemon_port = listener + 1;
    if (is_port(listener + 1))
        return true;
    errtext_set(why, "--listener %s: a port is a number from 1 to 65535", listener);
    return false;
}

static bool plan_client(struct plan *plan, struct errtext *why)
{
    plan->client = plan->given[OPT_CLIENT];
    plan->client_port = plan->non_smtp ? 0 : 40000;
    if (plan->client && plan->non_smtp) {
        errtext_set(why, "--listener non-smtp has no --client: mail by sendmail(1) comes from "
                         "127.0.0.1");
        return false;
    }
    if (!plan->client)
        plan->client = plan->non_smtp ? "127.0.0.1" : "192.0.2.1";
    if (is_address(plan->client))
        return true;
    errtext_set(why, "--client %s: that is no IP address", plan->client);
    return false;
}

static bool plan_sender(struct arena *a, struct plan *plan, struct errtext *why)
{
    const char *plain = plan->given[OPT_MAIL_FROM];
    const char *raw = plan->given[OPT_RAW_MAIL_FROM];
    if (!plain == !raw) {
        errtext_set(why, "one of --mail-from and --raw-mail-from is needed");
        return false;
    }
    plan->mail_argument = raw ? raw : bracketed(a, plain);
    return true;
}

static bool plan_mta(struct plan *plan, struct errtext *why)
{
    const char *mta = plan->given[OPT_MTA];
    plan->sendmail = mta && strcmp(mta, "sendmail") == 0;
    if (!mta || plan->sendmail || strcmp(mta, "postfix") == 0)
        return true;
    errtext_set(why, "--mta %s: postfix and sendmail are known", mta);
    return false;
}

static bool plan_rest(struct arena *a, struct plan *plan, struct errtext *why)
{
    if (!plan->rcpt_count) {
        errtext_set(why, "--rcpt is needed");
        return false;
    }
    if (plan->given[OPT_AUTH_TYPE] && !plan->given[OPT_LOGIN]) {
        errtext_set(why, "--auth-type needs --login");
        return false;
    }
    if (plan->given[OPT_SOCKET] && plan->given[OPT_CONFIG]) {
        errtext_set(why, "--socket and --config exclude each other");
        return false;
    }
    for (size_t i = 0; i < plan->rcpt_count; i++)
        plan->rcpt[i] = bracketed(a, plan->rcpt[i]);
    return true;
}

static bool make_plan(struct arena *a, struct plan *plan, struct errtext *why)
{
    if (gethostname(plan->host, sizeof plan->host - 1) != 0)
        (void)snprintf(plan->host, sizeof plan->host, "localhost");
    return plan_sender(a, plan, why) && plan_mta(plan, why) && plan_listener(plan, why) &&
           plan_client(plan, why) && plan_rest(a, plan, why) && plan_headers(a, plan, why);
}

/* ---- what comes out ---- */

struct outcome {
    const char *verdict; /* "accepted", "refused", "discarded", "no-answer" */
    const char *step, *text;
    size_t accepted; /* recipients */
};

struct play {
    struct arena *arena;
    const struct plan *plan;
    struct wire *wire;
    json_t *steps; /* NULL for lines */
    struct outcome outcome;
    struct errtext why;
};

/* Replies are the milter's text, and may repeat what a client sent. between: what stands for the
 * line ends of a longer reply. */
static void print_lines(const char *text, const char *between)
{
    for (; *text; text++) {
        if (*text == '\r' && text[1] == '\n')
            continue;
        if (*text == '\n')
            (void)fputs(between, stdout);
        else
            (void)putchar(ascii_is_control(*text) ? '?' : *text);
    }
}

static void print_text(const char *text)
{
    print_lines(text, "\n           ");
}

static const char *verdict_word(const struct wire_answer *answer)
{
    static const char *const words[] = {
        [WIRE_CONTINUE] = "continue", [WIRE_ACCEPT] = "accept",   [WIRE_REJECT] = "reject",
        [WIRE_TEMPFAIL] = "tempfail", [WIRE_DISCARD] = "discard",
    };
    return answer->asked ? words[answer->verdict] : "not asked";
}

static void record_json(struct play *p, const char *step, const char *argument,
                        const struct wire_answer *answer)
{
    json_t *object = json_object();
    ctl_json_put(object, "step", ctl_json_text(step));
    ctl_json_put(object, "argument", ctl_json_text(argument));
    ctl_json_put(object, "answer", ctl_json_text(verdict_word(answer)));
    ctl_json_put(object, "text", ctl_json_text(answer->text));
    if (answer->change_count) {
        json_t *changes = json_array();
        for (size_t i = 0; i < answer->change_count; i++)
            ctl_json_append(changes, ctl_json_text(answer->changes[i]));
        ctl_json_put(object, "changes", changes);
    }
    ctl_json_append(p->steps, object);
}

static void record_line(const char *step, const char *argument, const struct wire_answer *answer)
{
    for (size_t i = 0; i < answer->change_count; i++) {
        (void)fputs("change: ", stdout);
        print_text(answer->changes[i]);
        (void)putchar('\n');
    }
    (void)printf("%-10s ", step);
    if (*argument) {
        print_text(argument);
        (void)fputs(": ", stdout);
    }
    print_text(answer->text ? answer->text : verdict_word(answer));
    (void)putchar('\n');
}

/* True where the session goes on. */
static bool record(struct play *p, const char *step, const char *argument,
                   const struct wire_answer *answer)
{
    if (p->steps)
        record_json(p, step, argument, answer);
    else
        record_line(step, argument, answer);
    if (answer->verdict == WIRE_CONTINUE)
        return true;
    bool refused = answer->verdict == WIRE_REJECT || answer->verdict == WIRE_TEMPFAIL;
    p->outcome.step = step;
    p->outcome.text = answer->text ? arena_strdup(p->arena, answer->text) : NULL;
    p->outcome.verdict = refused                           ? "refused"
                         : answer->verdict == WIRE_DISCARD ? "discarded"
                                                           : "accepted";
    return false;
}

static bool lost(struct play *p, const char *step)
{
    p->outcome.verdict = "no-answer";
    p->outcome.step = step;
    p->outcome.text = p->why.text;
    return false;
}

/* ---- the steps: false ends the session ---- */

#define MACROS(p, stage, list)                                                                     \
    wire_macros((p)->wire, stage, list, sizeof(list) / sizeof((list)[0]), &(p)->why)

static bool step_connect(struct play *p)
{
    const struct plan *plan = p->plan;
    struct wire_answer answer;
    const char *name = plan->non_smtp ? "localhost" : "unknown";
    const struct wire_macro macros[] = {
        {"j", plan->host},
        {"_", arena_printf(p->arena, "%s [%s]", name, plan->client)},
        {"v", plan->sendmail ? NULL : "Postfix 3.7.11"},
        {"{client_addr}", plan->client},
        {"{client_name}", name},
        {"{client_port}", arena_printf(p->arena, "%u", plan->client_port)},
        {"{daemon_name}", plan->non_smtp ? NULL : plan->daemon_name},
        {"{daemon_port}", plan->daemon_port},
    };
    if (!MACROS(p, WIRE_CONNECT, macros) ||
        !wire_connect(p->wire, name, plan->client, plan->client_port, &answer, &p->why))
        return lost(p, "connect");
    return record(p, "connect", plan->client, &answer);
}

static bool step_helo(struct play *p)
{
    struct wire_answer answer;
    const char *name = p->plan->non_smtp ? "localhost" : p->plan->host;
    if (!wire_helo(p->wire, name, &answer, &p->why))
        return lost(p, "helo");
    return record(p, "helo", name, &answer);
}

/* Sendmail, and Postfix for sendmail(1), know the queue id from the start. */
static const char *early_queue_id(const struct play *p)
{
    return p->plan->sendmail || p->plan->non_smtp ? "SENDASCTL" : NULL;
}

static bool step_mail(struct play *p)
{
    const struct plan *plan = p->plan;
    struct wire_answer answer;
    const char *login = plan->given[OPT_LOGIN];
    const char *type = plan->given[OPT_AUTH_TYPE];
    const char *address = parsed(p->arena, plan, plan->mail_argument);
    const struct wire_macro macros[] = {
        {"i", early_queue_id(p)},
        {"{auth_type}", !login ? NULL
                        : type ? type
                               : "PLAIN"},
        {"{auth_authen}", login && plan->sendmail ? xtext(p->arena, login) : login},
        {"{mail_addr}", address},
        {"{mail_host}", domain_of(address)},
        {"{mail_mailer}", "smtp"},
    };
    if (!MACROS(p, WIRE_MAIL, macros) || !wire_mail(p->wire, plan->mail_argument, &answer, &p->why))
        return lost(p, "mail");
    return record(p, "mail", plan->mail_argument, &answer);
}

static bool step_one_rcpt(struct play *p, const char *argument)
{
    struct wire_answer answer;
    const char *address = parsed(p->arena, p->plan, argument);
    const struct wire_macro macros[] = {
        {"i", p->outcome.accepted ? "SENDASCTL" : early_queue_id(p)},
        {"{rcpt_addr}", address},
        {"{rcpt_host}", domain_of(address)},
        {"{rcpt_mailer}", "smtp"},
    };
    if (!MACROS(p, WIRE_RCPT, macros) || !wire_rcpt(p->wire, argument, &answer, &p->why))
        return lost(p, "rcpt");
    if (record(p, "rcpt", argument, &answer))
        p->outcome.accepted++;
    return answer.verdict != WIRE_ACCEPT && answer.verdict != WIRE_DISCARD;
}

/* A refused recipient leaves the others; with none left there is no message. */
static bool step_rcpts(struct play *p)
{
    for (size_t i = 0; i < p->plan->rcpt_count; i++)
        if (!step_one_rcpt(p, p->plan->rcpt[i]))
            return false;
    if (p->outcome.accepted)
        p->outcome = (struct outcome){.accepted = p->outcome.accepted};
    return p->outcome.accepted > 0;
}

static const struct wire_macro queue_id[] = {{"i", "SENDASCTL"}};

static bool step_data(struct play *p)
{
    struct wire_answer answer;
    if (!MACROS(p, WIRE_DATA, queue_id) || !wire_data(p->wire, &answer, &p->why))
        return lost(p, "data");
    return answer.verdict == WIRE_CONTINUE || record(p, "data", "", &answer);
}

/* One line for all fields, or for the one that was refused. */
static bool step_headers(struct play *p)
{
    const struct headers *h = &p->plan->headers;
    struct wire_answer answer = {.verdict = WIRE_CONTINUE};
    for (size_t i = 0; i < h->count; i++) {
        if (!wire_header(p->wire, h->items[i].name, h->items[i].value, &answer, &p->why))
            return lost(p, "header");
        if (answer.verdict != WIRE_CONTINUE)
            return record(p, "header", h->items[i].name, &answer);
    }
    return record(p, "header", arena_printf(p->arena, "%zu fields", h->count), &answer);
}

static bool step_body(struct play *p)
{
    static const char body[] = "This message was never sent.\r\n";
    struct wire_answer answer;
    if (!MACROS(p, WIRE_EOH, queue_id) || !wire_eoh(p->wire, &answer, &p->why))
        return lost(p, "eoh");
    if (answer.verdict != WIRE_CONTINUE)
        return record(p, "eoh", "", &answer);
    if (!wire_body(p->wire, body, sizeof body - 1, &answer, &p->why))
        return lost(p, "body");
    return answer.verdict == WIRE_CONTINUE || record(p, "body", "", &answer);
}

static bool step_eom(struct play *p)
{
    struct wire_answer answer;
    if (!MACROS(p, WIRE_EOM, queue_id) || !wire_eom(p->wire, &answer, &p->why))
        return lost(p, "eom");
    if (record(p, "eom", "", &answer))
        p->outcome.verdict = "accepted";
    return true;
}

static void play_steps(struct play *p)
{
    static bool (*const steps[])(struct play *) = {
        step_connect, step_helo,    step_mail, step_rcpts,
        step_data,    step_headers, step_body, step_eom,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!steps[i](p))
            return;
}

/* ---- the whole ---- */

/* One line, whatever the reply has: the last line is the verdict. */
static void print_outcome(const struct play *p)
{
    const struct outcome *o = &p->outcome;
    size_t wanted = p->plan->rcpt_count;
    (void)fputs(o->verdict, stdout);
    if (strcmp(o->verdict, "accepted") == 0 && o->accepted && o->accepted < wanted)
        (void)printf(" for %zu of %zu recipients", o->accepted, wanted);
    if (o->step)
        (void)printf(" at %s", o->step);
    if (o->text) {
        (void)fputs(": ", stdout);
        print_lines(o->text, " ");
    }
    (void)putchar('\n');
}

static void print_json(struct play *p)
{
    const struct outcome *o = &p->outcome;
    json_t *object = json_object();
    ctl_json_put(object, "verdict", ctl_json_text(o->verdict));
    ctl_json_put(object, "step", ctl_json_text(o->step));
    ctl_json_put(object, "text", ctl_json_text(o->text));
    ctl_json_put(object, "accepted_recipients", json_integer((json_int_t)o->accepted));
    ctl_json_put(object, "steps", p->steps);
    ctl_json_print(object);
}

static int exit_code(const struct outcome *outcome)
{
    if (strcmp(outcome->verdict, "accepted") == 0)
        return CTL_YES;
    return strcmp(outcome->verdict, "no-answer") == 0 ? CTL_NO_ANSWER : CTL_NO;
}

static int play(struct arena *a, const struct plan *plan, const char *socket)
{
    struct play p = {.arena = a, .plan = plan, .steps = plan->json ? json_array() : NULL};
    p.wire = wire_open(socket, TIMEOUT_MS, &p.why);
    if (p.wire)
        play_steps(&p);
    else
        (void)lost(&p, "open");
    if (p.steps)
        print_json(&p);
    else
        print_outcome(&p);
    wire_close(p.wire);
    return exit_code(&p.outcome);
}

static int choose_socket_and_play(struct arena *a, const struct plan *plan)
{
    const char *socket = plan->given[OPT_SOCKET];
    const char *file = plan->given[OPT_CONFIG];
    if (!file)
        return play(a, plan, socket ? socket : "unix:" CONF_DEFAULT_SOCKET);
    struct conf *conf = ctl_conf_load(file);
    if (!conf)
        return CTL_CONFIG;
    int code = play(a, plan, conf->daemon.socket);
    conf_free(conf);
    return code;
}

static int help(void)
{
    (void)fputs(
        "usage: sendasctl session --mail-from ADDRESS --rcpt ADDRESS [OPTION...]\n\n"
        "Plays an MTA against the milter and prints the answer of each step. Nothing is sent.\n\n"
        "  --mail-from ADDRESS      envelope sender; '' or '<>' is the null sender\n"
        "  --raw-mail-from TEXT     the same, exactly as a client would type it\n"
        "  --rcpt ADDRESS           envelope recipient; may be repeated\n"
        "  --from TEXT              value of a From field; may be repeated\n"
        "  --headers FILE           header fields from FILE instead of the usual ones\n"
        "  --login LOGIN            who authenticated; without it the client proved nothing\n"
        "  --auth-type TYPE         how (PLAIN)\n"
        "  --client ADDRESS         IP address of the client (192.0.2.1)\n"
        "  --listener NAME          {daemon_name}, :PORT, or non-smtp for sendmail(1)\n"
        "                           (:587 with --login, else :25)\n"
        "  --mta postfix|sendmail   whose macros are played (postfix)\n"
        "  --socket ADDRESS         of the milter (unix:" CONF_DEFAULT_SOCKET ")\n"
        "  --config FILE            take the address of the milter from this file\n"
        "  --json                   one JSON object instead of lines\n\n"
        "Exit: 0 accepted, 1 refused, 75 no answer, 64 usage, 78 configuration.\n",
        stdout);
    return CTL_YES;
}

static const struct option options[] = {
    {"login", required_argument, NULL, OPT_LOGIN},
    {"auth-type", required_argument, NULL, OPT_AUTH_TYPE},
    {"mail-from", required_argument, NULL, OPT_MAIL_FROM},
    {"raw-mail-from", required_argument, NULL, OPT_RAW_MAIL_FROM},
    {"client", required_argument, NULL, OPT_CLIENT},
    {"listener", required_argument, NULL, OPT_LISTENER},
    {"headers", required_argument, NULL, OPT_HEADERS},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"mta", required_argument, NULL, OPT_MTA},
    {"from", required_argument, NULL, OPT_FROM},
    {"rcpt", required_argument, NULL, OPT_RCPT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* CTL_YES: go on; *help_out: print the help instead. */
static int take_option(struct plan *plan, int option, int index, const char *name, bool *help_out)
{
    if (option >= 0 && option < OPT_SCALARS) {
        if (plan->given[option])
            return ctl_usage_error(name, "--%s is given twice", options[index].name);
        plan->given[option] = optarg;
    } else if (option == OPT_FROM) {
        plan->from[plan->from_count++] = optarg;
    } else if (option == OPT_RCPT) {
        plan->rcpt[plan->rcpt_count++] = optarg;
    } else if (option == OPT_JSON) {
        plan->json = true;
    } else if (option == OPT_HELP) {
        *help_out = true;
    } else {
        return CTL_USAGE; /* getopt has said why */
    }
    return CTL_YES;
}

static int read_options(struct plan *plan, int argc, char **argv, bool *help_out)
{
    int option, index = 0, code = CTL_YES;
    while (code == CTL_YES && (option = getopt_long(argc, argv, "", options, &index)) != -1)
        code = take_option(plan, option, index, argv[0], help_out);
    if (code == CTL_YES && !*help_out && optind != argc)
        code = ctl_usage_error(argv[0], "what is \"%s\"? All is said by options", argv[optind]);
    return code;
}

int ctl_session(int argc, char **argv)
{
    struct arena *a = arena_create();
    struct plan plan = {
        .from = arena_array(a, (size_t)argc, sizeof *plan.from),
        .rcpt = arena_array(a, (size_t)argc, sizeof *plan.rcpt),
    };
    struct errtext why = {""};
    bool wants_help = false;
    int code = read_options(&plan, argc, argv, &wants_help);
    if (code == CTL_YES && wants_help)
        code = help();
    else if (code == CTL_YES && !make_plan(a, &plan, &why))
        code = ctl_usage_error(argv[0], "%s", why.text);
    else if (code == CTL_YES)
        code = choose_socket_and_play(a, &plan);
    arena_destroy(a);
    return code;
}
