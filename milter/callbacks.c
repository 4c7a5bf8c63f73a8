#include "callbacks.h"
#include "clock.h"
#include "log.h"
#include "xalloc.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    DESCRIPTORS_SPARE = 64,   /* so that accept() never lacks one: libmilter would spin */
    PACKET_MAX = 1024 * 1024, /* libmilter's own 64 kB would end a session with a long header */
    REPLY_LINE_MAX = 980,     /* smfi_setmlreply() takes less */
    FULL_LOG_INTERVAL = 60,   /* seconds */
};

/* ---- connections ---- */

struct connection {
    struct connection *previous, *next;
    struct session *session;
    bool keeps_blank; /* SMFIP_HDR_LEADSPC: a value comes with the blank behind its colon */
};

/* libmilter hands no context to its callbacks. */
static struct {
    const struct session_host *host;
    size_t limit; /* of connections */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    struct connection *first;
    size_t count;
    size_t active; /* callbacks that run */
    bool closed;
    uint64_t full_logged; /* clock_now() when it was last said */
} edge = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* False: the daemon ends, nothing of ours may be touched any more. */
static bool enter(void)
{
    (void)pthread_mutex_lock(&edge.lock);
    bool open = !edge.closed;
    if (open)
        edge.active++;
    (void)pthread_mutex_unlock(&edge.lock);
    return open;
}

static void leave(void)
{
    (void)pthread_mutex_lock(&edge.lock);
    if (--edge.active == 0 && edge.closed)
        (void)pthread_cond_signal(&edge.idle);
    (void)pthread_mutex_unlock(&edge.lock);
}

/* Called with the lock held. */
static bool full_to_be_logged(void)
{
    uint64_t now = clock_now(&clock_real);
    if (edge.full_logged && now - edge.full_logged < FULL_LOG_INTERVAL * CLOCK_S)
        return false;
    edge.full_logged = now;
    return true;
}

static bool list_add(struct connection *c)
{
    bool say = false;
    (void)pthread_mutex_lock(&edge.lock);
    bool room = edge.count < edge.limit;
    if (room) {
        c->next = edge.first;
        if (c->next)
            c->next->previous = c;
        edge.first = c;
        edge.count++;
    } else {
        say = full_to_be_logged();
    }
    (void)pthread_mutex_unlock(&edge.lock);
    if (say)
        log_line(LOG_LEVEL_ERROR,
                 "%zu connections: no more are taken, for lack of descriptors (LimitNOFILE)",
                 edge.limit);
    return room;
}

static void list_remove(struct connection *c)
{
    (void)pthread_mutex_lock(&edge.lock);
    if (c->previous)
        c->previous->next = c->next;
    else
        edge.first = c->next;
    if (c->next)
        c->next->previous = c->previous;
    edge.count--;
    (void)pthread_mutex_unlock(&edge.lock);
}

static void connection_free(struct connection *c)
{
    session_destroy(c->session);
    free(c);
}

static struct connection *connection_open(SMFICTX *ctx)
{
    struct connection *c = xcalloc(1, sizeof *c);
    if (!list_add(c)) {
        free(c);
        return NULL;
    }
    c->session = session_create(edge.host);
    (void)smfi_setpriv(ctx, c);
    return c;
}

static void connection_close(SMFICTX *ctx)
{
    struct connection *c = smfi_getpriv(ctx);
    if (!c)
        return;
    (void)smfi_setpriv(ctx, NULL);
    list_remove(c);
    connection_free(c);
}

/* NULL where an MTA goes on after it was told that the connection is refused. */
static struct session *session_of(SMFICTX *ctx)
{
    const struct connection *c = smfi_getpriv(ctx);
    return c ? c->session : NULL;
}

/* ---- macros ---- */

static const char *macro(SMFICTX *ctx, char *name)
{
    const char *value = smfi_getsymval(ctx, name);
    return value && *value ? value : NULL;
}

/* libmilter keeps the macros of MAIL and RCPT until the MTA sends the next set, across RSET and
 * over messages. What was used is emptied, so that an identity is never used twice. */
static void forget_macro(SMFICTX *ctx, char *name)
{
    char *value = smfi_getsymval(ctx, name);
    if (value)
        *value = '\0';
}

/* Sendmail writes addresses as in a literal, RFC 5321 section 4.1.3. */
static const char *without_tag(const char *address)
{
    static const char tag[] = "IPv6:";
    if (address && strncasecmp(address, tag, sizeof tag - 1) == 0)
        return address + sizeof tag - 1;
    return address;
}

/* ---- negotiation ---- */

/* Without SMFIP_NR_*: what an MTA that does not know them is not asked for. */
static unsigned long steps_wanted(unsigned long offered)
{
    return offered & (SMFIP_NOBODY | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
}

/* The same for every connection: libmilter's table of states is one for the process. */
static unsigned long steps_unanswered(void)
{
    unsigned long mail = edge.host->refuse_at_mail ? 0 : SMFIP_NR_MAIL;
    return SMFIP_NR_CONN | SMFIP_NR_HELO | mail | SMFIP_NR_HDR | SMFIP_NR_EOH;
}

static void ask_for_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        char *names;
    } rows[] = {
        {SMFIM_CONNECT, "j _ v {client_addr} {client_name} {client_port} {daemon_name} "
                        "{daemon_addr} {daemon_port} {if_addr}"},
        {SMFIM_ENVFROM, "i {auth_type} {auth_authen} {mail_addr} {mail_host} {mail_mailer} "
                        "{cert_subject} {cert_issuer} {verify}"},
        {SMFIM_ENVRCPT, "i {rcpt_addr} {rcpt_mailer}"},
        {SMFIM_EOM, "i"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (smfi_setsymlist(ctx, rows[i].stage, rows[i].names) != MI_SUCCESS)
            log_line(LOG_LEVEL_WARNING, "libmilter takes no list of macros for stage %d",
                     rows[i].stage);
}

static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                          unsigned long *actions_out, unsigned long *steps_out)
{
    unsigned long unanswered = steps_unanswered();
    if ((steps & unanswered) != unanswered) {
        log_line(LOG_LEVEL_ERROR, "this libmilter does not stand in for missing SMFIP_NR_*: "
                                  "8.14 or newer is needed");
        return SMFIS_REJECT;
    }
    struct connection *c = connection_open(ctx);
    if (!c)
        return SMFIS_REJECT;
    *actions_out = actions & (SMFIF_SETSYMLIST | SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGFROM |
                              SMFIF_QUARANTINE);
    *steps_out = steps_wanted(steps) | unanswered;
    c->keeps_blank = (*steps_out & SMFIP_HDR_LEADSPC) != 0;
    if (actions & SMFIF_SETSYMLIST)
        ask_for_macros(ctx);
    return SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long f2, unsigned long f3, unsigned long *actions_out,
                             unsigned long *steps_out, unsigned long *f2_out, unsigned long *f3_out)
{
    (void)f2;
    (void)f3;
    *f2_out = *f3_out = 0;
    if (!enter())
        return SMFIS_REJECT;
    sfsistat answer = negotiate(ctx, actions, steps, actions_out, steps_out);
    leave();
    return answer;
}

/* ---- replies ---- */

/* '%' starts an escape in both MTAs' texts; what else could end or forge the line becomes '?'.
 * False where it does not fit. */
static bool reply_line(const char *text, char out[REPLY_LINE_MAX])
{
    size_t len = 0;
    for (; *text; text++) {
        if (len + 2 >= REPLY_LINE_MAX)
            return false;
        if (*text == '%')
            out[len++] = '%';
        out[len++] = *text >= ' ' && *text <= '~' ? *text : '?';
    }
    out[len] = '\0';
    return true;
}

/* NULL ends libmilter's list of lines. */
static bool set_lines(SMFICTX *ctx, const struct reply *reply)
{
    char texts[REPLY_LINES_MAX][REPLY_LINE_MAX];
    char *lines[REPLY_LINES_MAX] = {NULL};
    _Static_assert(REPLY_LINES_MAX == 4, "the call below has four lines");
    for (size_t i = 0; i < reply->line_count; i++) {
        if (!reply_line(reply->lines[i], texts[i]))
            return false;
        lines[i] = texts[i];
    }
    return smfi_setmlreply(ctx, reply->code, reply->enhanced, lines[0], lines[1], lines[2],
                           lines[3], (char *)NULL) == MI_SUCCESS;
}

static void set_reply(SMFICTX *ctx, const struct reply *reply)
{
    if (!set_lines(ctx, reply))
        log_line(LOG_LEVEL_WARNING, "the MTA words this reply itself: %s %s %s", reply->code,
                 reply->enhanced, reply->lines[0]);
}

static sfsistat verdict(SMFICTX *ctx, const struct session_answer *answer)
{
    if (!effect_refuses(answer->effect))
        return SMFIS_CONTINUE;
    set_reply(ctx, &answer->reply);
    return answer->effect == EFFECT_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

/* ---- changes ---- */

/* libmilter wants text that it could write to. */
struct change_text {
    char *name, *value;
};

static bool insert_field(SMFICTX *ctx, int index, const struct change_text *text)
{
    return index < 0 ? smfi_addheader(ctx, text->name, text->value) == MI_SUCCESS
                     : smfi_insheader(ctx, index, text->name, text->value) == MI_SUCCESS;
}

static bool make_change(SMFICTX *ctx, const struct change *change, const struct change_text *text)
{
    switch (change->kind) {
    case CHANGE_SENDER:
        return smfi_chgfrom(ctx, text->value, NULL) == MI_SUCCESS;
    case CHANGE_SET:
    case CHANGE_REMOVE:
        return smfi_chgheader(ctx, text->name, (int)change->index, text->value) == MI_SUCCESS;
    case CHANGE_ADD:
        return insert_field(ctx, -1, text);
    case CHANGE_INSERT:
        return insert_field(ctx, 0, text);
    case CHANGE_HOLD:
        return smfi_quarantine(ctx, text->value) == MI_SUCCESS;
    }
    return false;
}

/* With SMFIP_HDR_LEADSPC a value brings the blank behind its colon along. The new envelope sender
 * stands in brackets. */
static char *change_value(const struct change *change, bool keeps_blank)
{
    size_t size = change->value ? strlen(change->value) + 3 : 0;
    bool field = change->name != NULL, sender = change->kind == CHANGE_SENDER;
    if (!change->value)
        return NULL;
    char *value = xcalloc(1, size);
    (void)snprintf(value, size, "%s%s%s",
                   sender                 ? "<"
                   : field && keeps_blank ? " "
                                          : "",
                   change->value, sender ? ">" : "");
    return value;
}

static bool carry_out(SMFICTX *ctx, const struct change *change, bool keeps_blank)
{
    struct change_text text = {
        .name = change->name ? xstrdup(change->name) : NULL,
        .value = change_value(change, keeps_blank),
    };
    bool done = make_change(ctx, change, &text);
    free(text.name);
    free(text.value);
    return done;
}

/* A message that could not be changed as it should is not let through as it is. */
static sfsistat amend(SMFICTX *ctx, const struct change_list *changes)
{
    const struct connection *c = smfi_getpriv(ctx);
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        if (carry_out(ctx, change, c->keeps_blank))
            continue;
        const char *queue_id = macro(ctx, "i");
        log_line(LOG_LEVEL_ERROR, "%s: the MTA takes no change of %s: the message has to wait",
                 queue_id ? queue_id : "NOQUEUE",
                 change->name ? change->name : "the envelope or the queue");
        return SMFIS_TEMPFAIL;
    }
    return SMFIS_CONTINUE;
}

/* ---- connection ---- */

struct client {
    char address[INET6_ADDRSTRLEN];
    char port[8];
};

static void client_read(const struct sockaddr *from, struct client *out)
{
    const void *address = NULL;
    in_port_t port = 0;
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
        address = &in->sin_addr;
        port = in->sin_port;
    } else if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
        address = &in6->sin6_addr;
        port = in6->sin6_port;
    }
    *out = (struct client){{0}, {0}};
    if (!address || !inet_ntop(from->sa_family, address, out->address, sizeof out->address))
        return;
    (void)snprintf(out->port, sizeof out->port, "%u", (unsigned)ntohs(port));
}

static void connect_session(SMFICTX *ctx, struct session *s, const char *name,
                            const struct sockaddr *from)
{
    struct client client;
    client_read(from, &client);
    const char *client_name = macro(ctx, "{client_name}");
    const char *client_port = macro(ctx, "{client_port}");
    const char *own = macro(ctx, "{if_addr}");
    /* The address in binary has one reading; the macro is for an MTA that gives none. */
    session_connect(s,
                    &(struct session_connect){
                        .client_name = client_name ? client_name : name,
                        .client_addr = *client.address ? client.address
                                                       : without_tag(macro(ctx, "{client_addr}")),
                        .client_port = client_port ? client_port : client.port,
                        .listener = macro(ctx, "{daemon_name}"),
                        .port = macro(ctx, "{daemon_port}"),
                        .own_addr = without_tag(own ? own : macro(ctx, "{daemon_addr}")),
                        .version = macro(ctx, "v"),
                        .host_name = macro(ctx, "j"),
                    });
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *from)
{
    if (!enter())
        return SMFIS_NOREPLY;
    /* After "quit, new connection follows" there is no second negotiation. */
    if (smfi_getpriv(ctx) || connection_open(ctx))
        connect_session(ctx, session_of(ctx), name, (const struct sockaddr *)from);
    leave();
    return SMFIS_NOREPLY;
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    (void)name;
    if (!enter())
        return SMFIS_NOREPLY;
    if (session_of(ctx))
        session_helo(session_of(ctx));
    leave();
    return SMFIS_NOREPLY;
}

static sfsistat on_close(SMFICTX *ctx)
{
    if (!enter()) {
        (void)smfi_setpriv(ctx, NULL);
        return SMFIS_CONTINUE;
    }
    connection_close(ctx);
    leave();
    return SMFIS_CONTINUE;
}

/* ---- message ---- */

static sfsistat judge_mail(SMFICTX *ctx, const char *argument)
{
    struct session *s = session_of(ctx);
    if (!s)
        return SMFIS_TEMPFAIL;
    struct session_answer answer = session_mail(s, &(struct session_mail){
                                                       .argument = argument,
                                                       .mail_addr = macro(ctx, "{mail_addr}"),
                                                       .mail_mailer = macro(ctx, "{mail_mailer}"),
                                                       .auth_type = macro(ctx, "{auth_type}"),
                                                       .auth_authen = macro(ctx, "{auth_authen}"),
                                                       .cert_subject = macro(ctx, "{cert_subject}"),
                                                       .cert_issuer = macro(ctx, "{cert_issuer}"),
                                                       .verify = macro(ctx, "{verify}"),
                                                       .queue_id = macro(ctx, "i"),
                                                   });
    forget_macro(ctx, "{mail_addr}");
    forget_macro(ctx, "{mail_mailer}");
    forget_macro(ctx, "{auth_type}");
    forget_macro(ctx, "{auth_authen}");
    return verdict(ctx, &answer);
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    sfsistat answer = SMFIS_TEMPFAIL;
    if (enter()) {
        answer = judge_mail(ctx, arguments[0]);
        leave();
    }
    return edge.host->refuse_at_mail ? answer : SMFIS_NOREPLY;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **arguments)
{
    sfsistat answer = SMFIS_TEMPFAIL;
    if (!enter())
        return answer;
    struct session *s = session_of(ctx);
    if (s) {
        struct session_answer said =
            session_rcpt(s, &(struct session_rcpt){.argument = arguments[0],
                                                   .rcpt_addr = macro(ctx, "{rcpt_addr}"),
                                                   .rcpt_mailer = macro(ctx, "{rcpt_mailer}"),
                                                   .queue_id = macro(ctx, "i")});
        forget_macro(ctx, "{rcpt_addr}");
        forget_macro(ctx, "{rcpt_mailer}");
        answer = verdict(ctx, &said);
    }
    leave();
    return answer;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    if (!enter())
        return SMFIS_NOREPLY;
    const struct connection *c = smfi_getpriv(ctx);
    if (c)
        session_header(c->session, name, value + (c->keeps_blank && *value == ' '));
    leave();
    return SMFIS_NOREPLY;
}

/* There only to be silent: libmilter would answer for a callback that is missing. */
static sfsistat on_eoh(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_NOREPLY;
}

static sfsistat on_eom(SMFICTX *ctx)
{
    sfsistat answer = SMFIS_TEMPFAIL;
    if (!enter())
        return answer;
    struct session *s = session_of(ctx);
    if (s) {
        struct session_answer said = session_eom(s, macro(ctx, "i"));
        answer = verdict(ctx, &said);
        if (answer == SMFIS_CONTINUE)
            answer = amend(ctx, &said.changes);
    }
    leave();
    return answer;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    if (!enter())
        return SMFIS_CONTINUE;
    if (session_of(ctx))
        session_abort(session_of(ctx));
    leave();
    return SMFIS_CONTINUE;
}

/* ---- the whole ---- */

#ifdef HAVE_SMFI_SETMAXDATASIZE
static void raise_packet_size(void)
{
    (void)smfi_setmaxdatasize(PACKET_MAX);
}
#else
static void raise_packet_size(void)
{
    log_line(LOG_LEVEL_WARNING,
             "this libmilter ends a session at a header over 64 kB: let the MTA be strict");
}
#endif

static bool register_callbacks(void)
{
    struct smfiDesc description = {
        .xxfi_name = "sendas-milter",
        .xxfi_version = SMFI_VERSION,
        .xxfi_negotiate = on_negotiate,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
    };
    return smfi_register(description) == MI_SUCCESS;
}

static bool open_socket(const char *address)
{
    char *copy = xstrdup(address);
    bool set = smfi_setconn(copy) == MI_SUCCESS;
    free(copy);
    errno = 0;
    return set && smfi_opensocket(false) == MI_SUCCESS;
}

static void idle_init(void)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&edge.idle, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

bool callbacks_open(const struct callbacks_conf *conf, struct errtext *why)
{
    edge.host = conf->host;
    idle_init();
    edge.limit = conf->descriptors > DESCRIPTORS_SPARE ? conf->descriptors - DESCRIPTORS_SPARE : 0;
    raise_packet_size();
    if (!register_callbacks()) {
        errtext_set(why, "libmilter is of another version than the one this was built with");
        return false;
    }
    if (!open_socket(conf->socket)) {
        errtext_set(why, "cannot open socket \"%s\": %s", conf->socket,
                    errno ? strerror(errno) : "see the system's log");
        return false;
    }
    return true;
}

/* libmilter's signal thread stops everything at the first HUP that it gets by this function, and
 * the kernel does give it one while the main thread has not yet looked at another signal. All of
 * ours are for the main thread's handlers, so libmilter finds this one, and waits for ever. */
int sigwait(const sigset_t *set, int *sig)
{
    (void)set;
    (void)sig;
    for (;;)
        (void)pause();
}

void callbacks_run(void)
{
    (void)smfi_main();
}

/* Called with the lock held. */
static bool wait_until_idle(uint64_t patience)
{
    uint64_t end = clock_now(&clock_real) + patience;
    struct timespec until = {.tv_sec = (time_t)(end / CLOCK_S), .tv_nsec = (long)(end % CLOCK_S)};
    int waited = 0;
    while (edge.active > 0 && waited == 0)
        waited = pthread_cond_timedwait(&edge.idle, &edge.lock, &until);
    return edge.active == 0;
}

bool callbacks_stop(uint64_t patience)
{
    (void)pthread_mutex_lock(&edge.lock);
    edge.closed = true;
    bool idle = wait_until_idle(patience);
    (void)pthread_mutex_unlock(&edge.lock);
    while (idle && edge.first) {
        struct connection *c = edge.first;
        edge.first = c->next;
        connection_free(c);
    }
    return idle;
}
