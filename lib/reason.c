#include "reason.h"

#include <string.h>

static const struct reason_info reasons[REASON_COUNT] = {
    [REASON_NONE] = {"none", "250", "2.0.0", "accepted"},
    [REASON_AUTH_REQUIRED] = {"auth-required", "530", "5.7.0",
                              "authentication required; switch on SMTP authentication "
                              "in your mail program"},
    [REASON_LOGIN_UNKNOWN] = {"login-unknown", "550", "5.7.1",
                              "login %{login} is not known to the mail directory; "
                              "ask your administrator"},
    [REASON_LOGIN_DISABLED] = {"login-disabled", "550", "5.7.13",
                               "login %{login} is disabled; ask your administrator"},
    [REASON_SENDER_NOT_GRANTED] = {"sender-not-granted", "553", "5.7.1",
                                   "sender <%{address}> may not be used by login %{login}; "
                                   "send with an address of your own"},
    [REASON_SENDER_MALFORMED] = {"sender-malformed", "553", "5.1.7",
                                 "sender address %{address} cannot be read in one way only; "
                                 "write it as name@domain"},
    [REASON_NULL_SENDER] = {"null-sender", "550", "5.7.1",
                            "login %{login} may use the null sender <> for reports only; "
                            "send with an address of your own"},
    [REASON_FROM_NOT_GRANTED] = {"from-not-granted", "550", "5.7.1",
                                 "From address <%{address}> may not be used by login %{login}; "
                                 "choose an address of your own"},
    [REASON_FROM_MISSING] = {"from-missing", "550", "5.6.0",
                             "the message has no From address; give one that login %{login} "
                             "may use"},
    [REASON_FROM_DUPLICATE] = {"from-duplicate", "550", "5.6.0",
                               "the message has more than one From field; send it with one"},
    [REASON_FROM_MULTIPLE] = {"from-multiple", "550", "5.6.0",
                              "the From field names more than one address; "
                              "send with one of your own"},
    [REASON_FROM_MALFORMED] = {"from-malformed", "550", "5.6.0",
                               "the From field cannot be read in one way only; "
                               "write it as: Name <address>"},
    [REASON_FROM_GROUP] = {"from-group", "550", "5.6.0",
                           "the From field holds a group instead of one address; "
                           "send with an address of your own"},
    [REASON_HEADER_SENDER_NOT_GRANTED] = {"header-sender-not-granted", "550", "5.7.1",
                                          "Sender <%{address}> may not be used by login "
                                          "%{login}; use one of your own, or none"},
    [REASON_RESENT_NOT_GRANTED] = {"resent-not-granted", "550", "5.7.1",
                                   "resent by <%{address}>, which may not be used by login "
                                   "%{login}; resend as yourself"},
    [REASON_DISPLAY_NAME_ADDRESS] = {"display-name-address", "550", "5.7.1",
                                     "a name shows %{address}, not an address of login %{login}; "
                                     "send with a plain name"},
    [REASON_HEADERS_TOO_LARGE] = {"headers-too-large", "552", "5.3.4",
                                  "the message header is too large to be checked; "
                                  "send it with fewer and shorter fields"},
    [REASON_LOCAL_SENDER] = {"local-sender", "550", "5.7.1",
                             "sender <%{address}> belongs to this site; "
                             "authenticate to send with it"},
    [REASON_RELAY_DENIED] = {"relay-denied", "550", "5.7.1",
                             "relaying to <%{address}> denied; switch on SMTP authentication "
                             "in your mail program"},
    [REASON_RECIPIENT_UNKNOWN] = {"recipient-unknown", "550", "5.1.1",
                                  "nobody here has the address <%{address}>; "
                                  "check how it is spelled"},
    [REASON_LIMIT_RECIPIENTS] = {"limit-recipients", "452", "4.5.3",
                                 "too many recipients in one message; send the rest separately"},
    [REASON_DIRECTORY_UNAVAILABLE] = {"directory-unavailable", "451", "4.4.3",
                                      "the message cannot be checked now; this is not your fault, "
                                      "please try again later"},
    [REASON_MISCONFIGURED] = {"misconfigured", "451", "4.3.5",
                              "the mail server is not set up correctly; this is not your fault, "
                              "please tell your administrator"},
};

const struct reason_info *reason_info(enum reason reason)
{
    return &reasons[reason];
}

bool reason_by_id(const char *id, enum reason *out)
{
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        if (strcmp(reasons[r].id, id) == 0) {
            *out = (enum reason)r;
            return true;
        }
    }
    return false;
}
