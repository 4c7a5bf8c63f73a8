/*
 * policy_judge - the state of one decision, and what a claim comes to
 *
 * Use: within policy*.c only. policy_decide() makes a judge, the rules of policy_rules.c ask
 *   claim_*() of policy_claim.c and add their findings.
 * Depends on: policy.
 */
#ifndef SENDAS_POLICY_JUDGE_H
#define SENDAS_POLICY_JUDGE_H

#include "policy.h"

/* A later one is worse. */
enum claim_result {
    CLAIM_GRANTED,
    CLAIM_NOT_JUDGED,  /* no such login: rule_login_state has spoken */
    CLAIM_NOT_KNOWN,   /* a directory did not answer, or not lately: neither yes nor no */
    CLAIM_NOT_GRANTED, /* or there is no such claim */
};

struct claim {
    enum claim_result result;
    const struct grant *grant; /* that allows it, or would, were there a fit Sender; may be NULL */
    bool on_behalf;            /* grant is that */
    bool forbidden;            /* denied, or another's: not just without a grant */
    /* CLAIM_NOT_KNOWN: whose fault it is; NULL where who owns it has still to be asked. */
    const struct account_answer *blame;
    const struct account_source *owner; /* CLAIM_NOT_GRANTED: whose address it is, if known */
};

struct judge {
    struct arena *arena;
    const struct addr_rules *rules;
    const struct policy *policy;
    const struct facts *facts;
    struct decision *decision;
    bool exempt;            /* claim checks observe for this login */
    bool unavailable;       /* said already that a directory did not answer */
    bool unavailable_noted; /* the same, but only observed */
    bool covered;           /* Resent-* take the place of From's grant */
    bool sender_is_ours;    /* what goes on behalf gets our Sender */
    struct claim resent;    /* whether Resent-* may take the place of From's grant */
    struct claim behalf;    /* the Sender that a From on behalf needs */
    struct claim sender;    /* of the envelope */
    struct claim from;      /* the worst of its mailboxes */
};

/* "@domain" stands for every login of that domain. */
bool policy_names_login(const struct policy_strings *logins, const struct principal *principal);

/* Sound enough for a directory to have been asked. */
bool judge_has_account(const struct judge *j);
/* May a permanent refusal rest on it? */
bool answer_is_final(const struct account_answer *answer);
/* What stands between it and a whole answer; ACCOUNT_FOUND for nothing. */
enum account_status answer_trouble(const struct account_answer *answer);

struct claim claim_of(struct judge *j, enum grant_use use, const struct addr *addr);
/* Of a mailbox in From: send-as, or on behalf with what judge.behalf came to. */
struct claim claim_of_author(struct judge *j, const struct addr *addr);
/* Of the envelope sender, or of what is wrapped up in it. */
struct claim claim_of_sender(struct judge *j);
struct claim claim_worse(struct claim a, struct claim b);
/* For the log, of a claim that is not granted; NULL for nothing to add. */
const char *claim_why_not(const struct judge *j, const struct addr *addr,
                          const struct claim *claim);
/* The account's primary address, where it may be used; else NULL. */
const char *claim_primary(const struct judge *j);

#endif
