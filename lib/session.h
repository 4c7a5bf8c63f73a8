/*
 * session - the events of one SMTP connection become facts, and facts a verdict
 *
 * One message's life: session_mail() pins the configuration, determines principal and policy and
 * starts the directory lookup without waiting. session_rcpt() joins it, judges the envelope and
 * answers. session_header() keeps the headers that matter. session_eom() judges all claims and
 * answers. Where only old data of a directory stands in the way of a yes or a no, RCPT and the end
 * of the message each ask once more for fresh data, within the same budget.
 * session_abort(), the next MAIL, HELO and session_destroy() forget the message.
 *
 * Use: session_create(), session_connect(), then events as the MTA sends them, in its order.
 * Memory: two lifetimes, connection and message; nothing leaks from one message into the next.
 *   A session_answer lives until the next event.
 * Threads: one at a time, but any: the events of a connection come on different threads.
 * Depends on: policy, reply, amend, dir, snapshot, record, identify, envelope, fields. Knows
 * nothing of libmilter.
 */
#ifndef SENDAS_SESSION_H
#define SENDAS_SESSION_H

#include "amend.h"
#include "policy.h"
#include "record.h"
#include "reply.h"
#include "snapshot.h"

/* What a session needs from its surroundings. */
struct session_host {
    struct snapshot_slot *slot;
    const struct clock *clock;
    /* Called once a message and once a refused command, in the thread of the event. */
    void (*decided)(void *context, const struct record *record);
    void *context;
    bool refuse_at_mail; /* as negotiated with the MTA: MAIL is answered too */
};

/* A macro that the MTA did not send, or sent empty, is NULL. All is copied. */
struct session_connect {
    const char *client_name;
    const char *client_addr; /* IP address as text; NULL for a local or unknown client */
    const char *client_port; /* digits; "0" from this host is local submission */
    const char *listener;    /* {daemon_name} */
    const char *port;        /* {daemon_port} */
    const char *own_addr;    /* {daemon_addr} or {if_addr}: recipients at [this] are local */
    const char *version;     /* {v} */
    const char *host_name;   /* {j} */
};

struct session_mail {
    const char *argument; /* as the client typed it */
    const char *mail_addr, *mail_mailer, *auth_type, *auth_authen;
    const char *cert_subject, *cert_issuer, *verify; /* of TLS, as often as the MTA says them */
    const char *queue_id;
};

struct session_rcpt {
    const char *argument; /* as the client typed it */
    const char *rcpt_addr, *rcpt_mailer;
    const char *queue_id;
};

struct session_answer {
    enum effect effect;
    struct reply reply;         /* where the effect refuses */
    struct change_list changes; /* to be carried out at the end of a message that is accepted */
};

struct session;

struct session *session_create(const struct session_host *host) MUST_USE;
void session_destroy(struct session *s); /* NULL is fine */

void session_connect(struct session *s, const struct session_connect *connect);
void session_helo(struct session *s);
/* Answers EFFECT_ACCEPT unless host->refuse_at_mail. */
struct session_answer session_mail(struct session *s, const struct session_mail *mail);
struct session_answer session_rcpt(struct session *s, const struct session_rcpt *rcpt);
/* name and value as they stood: blanks before the colon, folds and all, but without the one blank
 * behind the colon. */
void session_header(struct session *s, const char *name, const char *value);
struct session_answer session_eom(struct session *s, const char *queue_id);
void session_abort(struct session *s);

#endif
