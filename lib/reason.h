/*
 * reason - the stable identifiers of what was wrong, and their reply codes
 *
 * The identifier stands in the SMTP text, the log line, the metric label and the help page's
 * anchor. doc/sendas-milter.conf.5 lists them for admins.
 * Threads: constant data.
 * Depends on: nothing.
 */
#ifndef SENDAS_REASON_H
#define SENDAS_REASON_H

#include <stdbool.h>

enum reason {
    REASON_NONE,
    REASON_AUTH_REQUIRED,
    REASON_LOGIN_UNKNOWN,
    REASON_LOGIN_DISABLED,
    REASON_SENDER_NOT_GRANTED,
    REASON_SENDER_MALFORMED,
    REASON_NULL_SENDER,
    REASON_FROM_NOT_GRANTED,
    REASON_FROM_MISSING,
    REASON_FROM_DUPLICATE,
    REASON_FROM_MULTIPLE,
    REASON_FROM_MALFORMED,
    REASON_FROM_GROUP,
    REASON_HEADER_SENDER_NOT_GRANTED,
    REASON_RESENT_NOT_GRANTED,
    REASON_DISPLAY_NAME_ADDRESS,
    REASON_HEADERS_TOO_LARGE,
    REASON_LOCAL_SENDER,
    REASON_RELAY_DENIED,
    REASON_RECIPIENT_UNKNOWN,
    REASON_LIMIT_RECIPIENTS,
    REASON_DIRECTORY_UNAVAILABLE,
    REASON_MISCONFIGURED,
    REASON_COUNT
};

struct reason_info {
    const char *id;       /* "from-not-granted" */
    const char *code;     /* "550" */
    const char *enhanced; /* "5.7.1" (RFC 3463) */
    const char *text;     /* default reply, a template (reply.h) */
};

const struct reason_info *reason_info(enum reason reason);
/* False where no reason has this identifier. */
bool reason_by_id(const char *id, enum reason *out);

#endif
