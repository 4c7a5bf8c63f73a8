/*
 * callbacks - libmilter on one side, session on the other
 *
 * Every callback gathers what the MTA sent, calls session, and turns its answer into a reply. Two
 * replies a message, at RCPT and at its end; everything else is taken without one (SMFIP_NR_*),
 * or not asked for. libmilter stands in for an MTA that knows no SMFIP_NR_*: it writes the
 * "continue" itself, so one code serves all. Never SMFIS_ACCEPT: it would end the filtering.
 *
 * Use: callbacks_open() once; callbacks_run() in a thread that takes no signal; callbacks_stop()
 *   from another one, once, as the last thing before the process ends.
 * Memory: one struct a connection, on smfi_setpriv() and in a list, because libmilter leaves the
 *   connections that are open at the end to the process's death.
 * Threads: the callbacks of one connection come one at a time, but on any thread. The lock is
 *   held for the list and two counts only, so xxfi_close, which libmilter may call with the lock
 *   of its pool held, waits for nobody.
 * Depends on: session, log. The only user of libmilter.
 */
#ifndef SENDAS_CALLBACKS_H
#define SENDAS_CALLBACKS_H

#include "session.h"

struct callbacks_conf {
    const char *socket;              /* libmilter form */
    const struct session_host *host; /* lives until callbacks_stop() has returned */
    size_t descriptors;              /* as many as the process may have open */
};

/* Opens the socket; libmilter says in the system's log why it failed. */
bool callbacks_open(const struct callbacks_conf *conf, struct errtext *why) MUST_USE;
/* Serves until the process ends. Returning at all is a fault, but for after callbacks_stop(). */
void callbacks_run(void);
/* From here on every command is answered "try again". Waits for the callbacks that run, at most
 * patience nanoseconds; false where some still do: then nothing was freed. */
bool callbacks_stop(uint64_t patience) MUST_USE;

#endif
