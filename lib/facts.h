/*
 * facts - all that is known about a transaction, as plain data
 *
 * Who fills it: session, from the events of the MTA and the directory's answer.
 * Who reads it: policy, which decides from nothing else.
 * Memory: everything lives in the message's arena, or in the configuration that it pinned.
 * Depends on: principal, account, shown.
 */
#ifndef SENDAS_FACTS_H
#define SENDAS_FACTS_H

#include "account.h"
#include "principal.h"
#include "shown.h"

enum sender_shape { SENDER_NULL, SENDER_ADDRESS, SENDER_MALFORMED };

struct sender_fact {
    enum sender_shape shape;
    struct addr addr; /* SENDER_ADDRESS: what is judged */
    bool local;       /* its domain is one of local_domains */
    const char *raw;  /* the MAIL argument, for the log */
    const char *why;  /* SENDER_MALFORMED: what was wrong */
};

struct recipient_fact {
    bool local;      /* readable and in local_domains, <postmaster>, or the host's own literal */
    const char *raw; /* the RCPT argument */
    const char *key; /* normal form, NULL where it cannot be read */
    unsigned number; /* how many the message has if this one is accepted */
};

/* The header fields that claim addresses, whatever their case and the blanks before the colon. */
enum field_kind { FIELD_FROM, FIELD_SENDER, FIELD_RESENT_FROM, FIELD_RESENT_SENDER, FIELD_KINDS };

struct field_fact {
    enum field_kind kind;
    enum mailbox_status status;
    struct mailbox_list list;
    const bool *local;         /* one a mailbox: is its domain local? */
    const struct shown *shown; /* one a mailbox; NULL where nobody judges it */
    const char *raw;           /* as it stood, for the log */
    const char *why;           /* where the status is not MAILBOX_OK */
};

enum facts_stage {
    FACTS_RCPT, /* envelope and one recipient are known (or the envelope alone, at MAIL) */
    FACTS_EOM,  /* all is known */
};

struct facts {
    enum facts_stage stage;
    struct principal principal;
    bool trusted;                        /* the client is in trusted_networks */
    bool non_smtp;                       /* local submission: there is no SMTP client to answer */
    bool have_local_domains;             /* else relay and local_sender are off */
    const struct account_answer *answer; /* NULL where no directory was asked */
    /* What asking again for fresh data brought, where that was no whole answer and answer is still
     * the first one: why there is none, and what a part of the directories grants or denies. */
    const struct account_answer *recheck;
    struct sender_fact sender;
    struct recipient_fact recipient; /* at FACTS_RCPT; raw is NULL at MAIL */
    /* At FACTS_EOM: */
    size_t from_fields;              /* how many From fields */
    struct field_fact from;          /* the first one, where there is one */
    const struct field_fact *fields; /* every Sender and Resent-*, in their order */
    size_t field_count;
    bool report;           /* shaped like a delivery or disposition report or an auto-reply */
    const char *too_large; /* a bound on headers that was passed, NULL for none */
};

#endif
