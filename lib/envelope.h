/*
 * envelope - MAIL and RCPT as two readings that must agree: what the client typed, and what the
 *   MTA made of it
 *
 * Use: envelope_macro() with what the MTA says, then envelope_sender() at MAIL,
 *   envelope_recipient() at RCPT, with the argument and that macro.
 * Rule: the macro is judged, or the argument where there is none. The argument must name the same
 *   mailbox, but for ASCII case, needless quoting, and a domain that the MTA added.
 * Memory: strings live in the arena given.
 * Threads: no shared state.
 * Depends on: addr, domset, facts.
 */
#ifndef SENDAS_ENVELOPE_H
#define SENDAS_ENVELOPE_H

#include "domset.h"
#include "facts.h"

struct envelope_rules {
    const struct addr_rules *address;
    const struct domset *local_domains;
    bool unwrap_batv, unwrap_srs; /* SRS only where the outer domain is local: who signed is us */
    const char *own_addr; /* IP address of this host: recipients at [it] are local; NULL for none */
};

/* {mail_addr} or {rcpt_addr} as it is to be compared, NULL for none. macro and mailer
 * ({mail_mailer} or {rcpt_mailer}) are NULL where the MTA sent none, or an empty one. For an
 * address of its own host (class w) Sendmail names the local user alone, after virtusertable: no
 * reading of the address, so there the argument counts, if it has a domain. */
const char *envelope_macro(struct arena *a, const struct addr_rules *rules, const char *argument,
                           const char *macro, const char *mailer);
void envelope_sender(struct arena *a, const struct envelope_rules *rules, const char *argument,
                     const char *macro, struct sender_fact *out);
/* Leaves out->number alone. */
void envelope_recipient(struct arena *a, const struct envelope_rules *rules, const char *argument,
                        const char *macro, struct recipient_fact *out);

#endif
