/*
 * wire - the MTA's side of the milter protocol (version 6), for sendasctl session and for tests
 *
 * Use: wire_open(), then the events in an MTA's order; wire_close(). It negotiates like Postfix 3.7
 *   (all actions, all steps), keeps to what the milter negotiated (skips what it does not want,
 *   waits for no reply where it sends none), and sends only the macros that the milter asked for
 *   by its lists, or that Postfix sends by default where it set no list.
 * Address: libmilter's forms: unix:PATH, local:PATH, a plain path, inet:PORT@HOST, inet6:PORT@HOST.
 * Failure: false and why; the connection is of no use afterwards.
 * Threads: one at a time a connection.
 * Depends on: arena, errtext, clock.
 */
#ifndef SENDAS_WIRE_H
#define SENDAS_WIRE_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>
#include <stdint.h>

struct wire;

struct wire_macro {
    const char *name; /* as the protocol has it: "i", "{mail_addr}" */
    const char *value;
};

enum wire_verdict { WIRE_CONTINUE, WIRE_ACCEPT, WIRE_REJECT, WIRE_TEMPFAIL, WIRE_DISCARD };

struct wire_answer {
    enum wire_verdict verdict;
    bool asked;       /* false: the milter does not answer this event */
    const char *text; /* the SMTP reply as the MTA would send it ("550 5.7.1 ..."), NULL for none;
                         CR LF between the lines of a longer one */
    const char *const *changes; /* at end of message, a text each, see below */
    size_t change_count;
};

/* What a milter wants to be changed, a field's value as the MTA would write it behind the colon:
 *   set NAME INDEX VALUE, remove NAME INDEX, add NAME VALUE, insert NAME INDEX VALUE
 *   mail <ADDRESS>         a new envelope sender
 *   hold WHY               quarantine
 *   add-recipient <ADDRESS>, remove-recipient <ADDRESS>, replace-body */

enum wire_stage { WIRE_CONNECT, WIRE_HELO, WIRE_MAIL, WIRE_RCPT, WIRE_DATA, WIRE_EOH, WIRE_EOM };
enum { WIRE_STAGES = WIRE_EOM + 1 };

/* Negotiates. timeout in milliseconds, for every answer. Strings of answers live until the next
 * call. */
struct wire *wire_open(const char *address, unsigned timeout_ms, struct errtext *why) MUST_USE;
void wire_close(struct wire *w); /* says QUIT; NULL is fine */

/* Macros to be sent with the next event of that stage. */
bool wire_macros(struct wire *w, enum wire_stage stage, const struct wire_macro *macros,
                 size_t count, struct errtext *why) MUST_USE;
/* address NULL: unknown family; port 0 with "127.0.0.1" is what Postfix says for sendmail(1). */
bool wire_connect(struct wire *w, const char *host, const char *address, unsigned port,
                  struct wire_answer *out, struct errtext *why) MUST_USE;
bool wire_helo(struct wire *w, const char *name, struct wire_answer *out,
               struct errtext *why) MUST_USE;
/* argument as typed, brackets included. */
bool wire_mail(struct wire *w, const char *argument, struct wire_answer *out,
               struct errtext *why) MUST_USE;
bool wire_rcpt(struct wire *w, const char *argument, struct wire_answer *out,
               struct errtext *why) MUST_USE;
bool wire_data(struct wire *w, struct wire_answer *out, struct errtext *why) MUST_USE;
/* value is all that follows the colon, folds as LF and white space. Its first space is taken away
 * unless the milter asked for it (SMFIP_HDR_LEADSPC), as MTAs do. */
bool wire_header(struct wire *w, const char *name, const char *value, struct wire_answer *out,
                 struct errtext *why) MUST_USE;
bool wire_eoh(struct wire *w, struct wire_answer *out, struct errtext *why) MUST_USE;
bool wire_body(struct wire *w, const char *bytes, size_t len, struct wire_answer *out,
               struct errtext *why) MUST_USE;
bool wire_eom(struct wire *w, struct wire_answer *out, struct errtext *why) MUST_USE;
bool wire_abort(struct wire *w, struct errtext *why) MUST_USE;

#endif
