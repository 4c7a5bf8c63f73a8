#include "ldapconn.h"
#include "ldapguard.h"
#include "ldaptls.h"
#include "secret.h"
#include "xalloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

/* The clock of ldap_result() is the system's, which may jump: no single wait is longer. */
#define SLICE (100 * CLOCK_MS)

struct ldapconn {
    LDAP *ld;
    const struct ldapconn_conf *conf;
    struct ldap_conncb callbacks;
    struct ldapguard *guard; /* while it is being opened */
    char security[16];
};

/* ---- the library ---- */

void ldapconn_init(void)
{
    /* Neither ldap.conf nor LDAP* variables of whoever starts us may change where passwords go. */
    (void)setenv("LDAPNOINIT", "1", 1);
    LDAP *ld = NULL;
    if (ldap_initialize(&ld, NULL) == LDAP_SUCCESS)
        (void)ldap_unbind_ext_s(ld, NULL, NULL);
}

bool ldapconn_uri_check(const char *uri, struct errtext *why)
{
    LDAPURLDesc *url = NULL;
    bool good = ldap_is_ldap_url(uri) && !strstr(uri, ":///") &&
                ldap_url_parse(uri, &url) == LDAP_URL_SUCCESS && url->lud_host && *url->lud_host &&
                (!url->lud_dn || !*url->lud_dn) && !url->lud_filter && !url->lud_attrs;
    if (!good)
        errtext_set(why,
                    "\"%s\" is not the address of a server; \"ldaps://ldap.example.net\", "
                    "\"ldap://HOST:PORT\" or \"ldapi://%%2Frun%%2Fslapd%%2Fldapi\" is right",
                    uri);
    ldap_free_urldesc(url);
    return good;
}

bool ldapconn_dn_check(const char *dn)
{
    LDAPDN parsed = NULL;
    bool good = ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;
    ldap_dnfree(parsed);
    return good;
}

/* ---- time ---- */

static uint64_t deadline_in(uint64_t time)
{
    return clock_now(&clock_real) + time;
}

static bool given_up(const struct ldapconn *conn)
{
    return conn->conf->give_up && atomic_load(conn->conf->give_up);
}

static uint64_t time_left(const struct ldapconn *conn, uint64_t deadline)
{
    uint64_t now = clock_now(&clock_real);
    return now >= deadline || given_up(conn) ? 0 : deadline - now;
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){.tv_sec = (time_t)(ns / CLOCK_S),
                            .tv_usec = (suseconds_t)(ns % CLOCK_S / 1000)};
}

static uint64_t slice_of(uint64_t left)
{
    return left < SLICE ? left : SLICE;
}

/* ---- errors ---- */

static int code_of(const struct ldapconn *conn)
{
    int code = LDAP_OTHER;
    (void)ldap_get_option(conn->ld, LDAP_OPT_RESULT_CODE, &code);
    return code;
}

/* What the library says, and what the server or the TLS library added to it. */
static void explain(const struct ldapconn *conn, struct errtext *why, const char *what, int code)
{
    char *more = NULL;
    (void)ldap_get_option(conn->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
    errtext_set(why, "%s: %s%s%s", what, ldap_err2string(code), more && *more ? ": " : "",
                more ? more : "");
    ldap_memfree(more);
}

static enum link_status too_late(const struct ldapconn *conn, struct errtext *why, const char *what)
{
    errtext_set(why, "%s: %s", what, given_up(conn) ? "given up" : "no answer in time");
    return LINK_DOWN;
}

/* ---- the guard of what libldap waits for ---- */

static int socket_is_there(LDAP *ld, Sockbuf *sb, LDAPURLDesc *server, struct sockaddr *address,
                           struct ldap_conncb *callbacks)
{
    const struct ldapconn *conn = callbacks->lc_arg;
    int fd = -1;
    (void)ld;
    (void)server;
    (void)address;
    if (conn->guard && ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &fd) == 1 && fd >= 0)
        ldapguard_socket(conn->guard, fd);
    return LDAP_SUCCESS;
}

static void socket_is_gone(LDAP *ld, Sockbuf *sb, struct ldap_conncb *callbacks)
{
    (void)ld;
    (void)sb;
    (void)callbacks;
}

/* ---- options of a connection ---- */

static bool set(struct ldapconn *conn, int option, const void *value)
{
    return ldap_set_option(conn->ld, option, value) == LDAP_OPT_SUCCESS;
}

static bool set_int(struct ldapconn *conn, int option, int value)
{
    return set(conn, option, &value);
}

/* How long connect() and a handshake may take; libldap keeps to it only because of CONNECT_ASYNC.
 */
static bool limit_network(struct ldapconn *conn, uint64_t deadline)
{
    struct timeval left = timeval_of(time_left(conn, deadline));
    if (left.tv_sec == 0 && left.tv_usec == 0)
        left.tv_usec = 1000; /* zero would be for ever */
    return set(conn, LDAP_OPT_NETWORK_TIMEOUT, &left);
}

/* A peer that is gone without a word is noticed within half a minute of silence. */
static bool set_keepalive(struct ldapconn *conn)
{
    return set_int(conn, LDAP_OPT_X_KEEPALIVE_IDLE, 15) &&
           set_int(conn, LDAP_OPT_X_KEEPALIVE_PROBES, 3) &&
           set_int(conn, LDAP_OPT_X_KEEPALIVE_INTERVAL, 5);
}

static bool set_basics(struct ldapconn *conn)
{
    conn->callbacks = (struct ldap_conncb){socket_is_there, socket_is_gone, conn};
    return set(conn, LDAP_OPT_CONNECT_CB, &conn->callbacks) &&
           set_int(conn, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3) &&
           set(conn, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) &&
           set(conn, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) && set_keepalive(conn);
}

static bool wants_tls(const struct ldapconn_conf *conf)
{
    return conf->starttls || strncasecmp(conf->uri, "ldaps:", 6) == 0;
}

static enum link_status set_options(struct ldapconn *conn, struct errtext *why)
{
    if (!set_basics(conn)) {
        errtext_set(why, "libldap does not take our options");
        return LINK_WRONG;
    }
    if (wants_tls(conn->conf) && !ldaptls_use(conn->ld, conn->conf)) {
        errtext_set(why, "TLS cannot be set up: see ca_file, cert_file and key_file");
        return LINK_WRONG;
    }
    return LINK_OK;
}

/* ---- requests and answers ---- */

/* With CONNECT_ASYNC a request says "connecting" until it could be sent, and is then repeated. */
static bool still_connecting(struct ldapconn *conn, int code, uint64_t deadline)
{
    int fd = -1;
    if (code != LDAP_X_CONNECTING || !time_left(conn, deadline))
        return false;
    if (ldap_get_option(conn->ld, LDAP_OPT_DESC, &fd) != LDAP_OPT_SUCCESS || fd < 0)
        return false;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    (void)poll(&wait, 1, (int)(slice_of(time_left(conn, deadline)) / CLOCK_MS) + 1);
    return time_left(conn, deadline) > 0 && limit_network(conn, deadline);
}

/* One message (one entry, or the end of a result). LINK_OK with a message, LINK_DOWN at the
 * deadline, LINK_STALE where the connection is broken. */
static enum link_status next_message(struct ldapconn *conn, int msgid, uint64_t deadline,
                                     const char *what, LDAPMessage **out, struct errtext *why)
{
    int type = 0;
    while (type == 0) {
        uint64_t left = time_left(conn, deadline);
        struct timeval slice = timeval_of(slice_of(left));
        type = ldap_result(conn->ld, msgid, LDAP_MSG_ONE, &slice, out);
        if (left == 0)
            break;
    }
    if (type > 0 && time_left(conn, deadline) > 0)
        return LINK_OK;
    if (type >= 0) {
        (void)ldap_msgfree(*out); /* in time or not at all: a server may send without an end */
        return too_late(conn, why, what);
    }
    explain(conn, why, what, code_of(conn));
    return LINK_STALE;
}

/* The result code of a request that has one message for an answer. */
static enum link_status one_answer(struct ldapconn *conn, int msgid, uint64_t deadline,
                                   const char *what, int *code_out, struct errtext *why)
{
    LDAPMessage *message = NULL;
    enum link_status status = next_message(conn, msgid, deadline, what, &message, why);
    if (status != LINK_OK)
        return LINK_DOWN; /* while it is being opened, a broken connection is no connection */
    if (ldap_parse_result(conn->ld, message, code_out, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS) {
        explain(conn, why, what, code_of(conn));
        return LINK_DOWN;
    }
    if (*code_out != LDAP_SUCCESS)
        explain(conn, why, what, *code_out);
    return LINK_OK;
}

static bool is_out_of_service(int code)
{
    return code == LDAP_BUSY || code == LDAP_UNAVAILABLE;
}

/* ---- connect ---- */

/* libldap has one code for a server that is not there and for a certificate that is not trusted. */
static void add_tls_hint(const struct ldapconn *conn, struct errtext *why)
{
    struct errtext said = *why;
    if (wants_tls(conn->conf) && conn->conf->tls_verify)
        errtext_set(why,
                    "%s (if the server is there: is its certificate valid, does it name the host "
                    "of the URI, and is its authority in ca_file?)",
                    said.text);
}

static enum link_status connected(struct ldapconn *conn, int code, struct errtext *why)
{
    if (code == LDAP_SUCCESS)
        return LINK_OK;
    if (code == LDAP_X_CONNECTING)
        return too_late(conn, why, "connect");
    explain(conn, why, "connect", code);
    add_tls_hint(conn, why);
    return LINK_DOWN;
}

/* With ldaps:// the handshake too: what came out of it is seen before a password goes out. */
static enum link_status connect_now(struct ldapconn *conn, uint64_t deadline, struct errtext *why)
{
    int code;
    do
        code = ldap_connect(conn->ld);
    while (still_connecting(conn, code, deadline));
    return connected(conn, code, why);
}

/* ---- StartTLS ---- */

static enum link_status start_tls(struct ldapconn *conn, uint64_t deadline, struct errtext *why)
{
    int msgid = 0, code;
    do
        code = ldap_start_tls(conn->ld, NULL, NULL, &msgid);
    while (still_connecting(conn, code, deadline));
    enum link_status status = connected(conn, code, why);
    if (status == LINK_OK)
        status = one_answer(conn, msgid, deadline, "StartTLS", &code, why);
    if (status != LINK_OK)
        return status;
    if (code != LDAP_SUCCESS)
        return is_out_of_service(code) ? LINK_DOWN : LINK_WRONG;
    (void)limit_network(conn, deadline);
    code = ldap_install_tls(conn->ld);
    if (code == LDAP_SUCCESS)
        return LINK_OK;
    explain(conn, why, "TLS handshake", code);
    add_tls_hint(conn, why);
    return LINK_DOWN;
}

/* What came out of the handshake, whatever the TLS library made of the minimum. */
static enum link_status check_tls(struct ldapconn *conn, struct errtext *why)
{
    char *version = NULL;
    bool got =
        ldap_get_option(conn->ld, LDAP_OPT_X_TLS_VERSION, &version) == LDAP_OPT_SUCCESS && version;
    const char *name = got ? version : "no TLS";
    bool good = strcmp(name, "TLS1.3") == 0 || strcmp(name, "TLSv1.3") == 0 ||
                (conn->conf->tls_minimum == LDAPCONN_TLS12 &&
                 (strcmp(name, "TLS1.2") == 0 || strcmp(name, "TLSv1.2") == 0));
    (void)snprintf(conn->security, sizeof conn->security, "%s", name);
    if (!good)
        errtext_set(why, "the server speaks %s, which is below tls_minimum", name);
    ldap_memfree(version);
    return good ? LINK_OK : LINK_WRONG;
}

/* The library puts the socket back to blocking once it is connected, and a read in the middle of a
 * TLS record then waits for as long as the server likes: ldap_result() has looked before, not while
 * it reads. */
static enum link_status never_block(struct ldapconn *conn, struct errtext *why)
{
    int fd = -1;
    if (ldap_get_option(conn->ld, LDAP_OPT_DESC, &fd) == LDAP_OPT_SUCCESS && fd >= 0) {
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
            return LINK_OK;
    }
    errtext_set(why, "connect: the socket cannot be set up");
    return LINK_DOWN;
}

/* ---- bind ---- */

static int send_bind(struct ldapconn *conn, const char *password, int *msgid)
{
    const struct ldapconn_conf *conf = conn->conf;
    if (conf->bind == LDAPCONN_EXTERNAL) {
        /* An initial response that is there, and empty: the identity of the connection. */
        struct berval same = {.bv_len = 0, .bv_val = (char[]){""}};
        return ldap_sasl_bind(conn->ld, NULL, "EXTERNAL", &same, NULL, NULL, msgid);
    }
    struct berval secret = {.bv_len = password ? strlen(password) : 0, .bv_val = NULL};
    secret.bv_val = password ? (char *)(uintptr_t)password : NULL;
    return ldap_sasl_bind(conn->ld, password ? conf->bind_dn : NULL, LDAP_SASL_SIMPLE, &secret,
                          NULL, NULL, msgid);
}

static enum link_status bind_with(struct ldapconn *conn, const char *password, uint64_t deadline,
                                  struct errtext *why)
{
    int msgid = 0, code;
    (void)limit_network(conn, deadline);
    do
        code = send_bind(conn, password, &msgid);
    while (still_connecting(conn, code, deadline));
    enum link_status status = connected(conn, code, why);
    if (status == LINK_OK)
        status = one_answer(conn, msgid, deadline, "bind", &code, why);
    if (status != LINK_OK)
        return status;
    if (code == LDAP_SUCCESS)
        return LINK_OK;
    return is_out_of_service(code) ? LINK_DOWN : LINK_WRONG;
}

/* The file, so that a new password takes effect; what it held at the start where privileges are
 * gone that could read it then. */
static char *bind_password(const struct ldapconn_conf *conf, struct errtext *why)
{
    char *password = secret_read(conf->bind_password_file, conf->secret_owner, why);
    bool forbidden = !password && access(conf->bind_password_file, R_OK) != 0 && errno == EACCES;
    return forbidden && conf->password ? xstrdup(conf->password) : password;
}

static enum link_status bind_as_configured(struct ldapconn *conn, uint64_t deadline,
                                           struct errtext *why)
{
    const struct ldapconn_conf *conf = conn->conf;
    char *password = NULL;
    if (conf->bind == LDAPCONN_SIMPLE) {
        password = bind_password(conf, why);
        if (!password)
            return LINK_WRONG;
    }
    enum link_status status = bind_with(conn, password, deadline, why);
    secret_free(password);
    return status;
}

/* ---- open and close ---- */

static enum link_status open_steps(struct ldapconn *conn, uint64_t deadline, struct errtext *why)
{
    enum link_status status = set_options(conn, why);
    if (status == LINK_OK && !limit_network(conn, deadline))
        status = LINK_WRONG;
    if (status == LINK_OK)
        status = conn->conf->starttls ? start_tls(conn, deadline, why)
                                      : connect_now(conn, deadline, why);
    if (status == LINK_OK && wants_tls(conn->conf))
        status = check_tls(conn, why);
    if (status == LINK_OK)
        status = never_block(conn, why);
    return status == LINK_OK ? bind_as_configured(conn, deadline, why) : status;
}

static enum link_status open_guarded(struct ldapconn *conn, struct errtext *why)
{
    uint64_t deadline = deadline_in(conn->conf->connect_timeout);
    struct ldapguard guard;
    ldapguard_begin(&guard, deadline);
    conn->guard = &guard;
    enum link_status status = open_steps(conn, deadline, why);
    conn->guard = NULL;
    ldapguard_end(&guard);
    if (status == LINK_DOWN && time_left(conn, deadline) == 0)
        return too_late(conn, why, "connect"); /* whatever the library made of it */
    return status;
}

enum link_status ldapconn_open(const struct ldapconn_conf *conf, struct ldapconn **out,
                               struct errtext *why)
{
    struct ldapconn *conn = xcalloc(1, sizeof *conn);
    conn->conf = conf;
    (void)snprintf(conn->security, sizeof conn->security, "no TLS");
    int code = ldap_initialize(&conn->ld, conf->uri);
    if (code != LDAP_SUCCESS) {
        errtext_set(why, "%s: %s", conf->uri, ldap_err2string(code));
        free(conn);
        return LINK_WRONG;
    }
    enum link_status status = open_guarded(conn, why);
    if (status == LINK_OK)
        *out = conn;
    else
        ldapconn_close(conn);
    return status;
}

void ldapconn_close(struct ldapconn *conn)
{
    if (!conn)
        return;
    (void)ldap_unbind_ext_s(conn->ld, NULL, NULL);
    free(conn);
}

const char *ldapconn_security(const struct ldapconn *conn)
{
    return conn->security;
}

/* ---- entries ---- */

static const struct span *copy_values(struct arena *a, struct berval **values, size_t count)
{
    struct span *copy = arena_array(a, count, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        struct span value = span_make(values[i]->bv_val, values[i]->bv_len);
        copy[i] = span_make(arena_copy(a, value), value.len);
    }
    return copy;
}

/* "proxyAddresses;range=0-1499" is the first part of many values, and "range=1500-*" the last. */
static bool is_range(struct span options)
{
    for (size_t i = 0; i < options.len; i++)
        if (span_starts_nocase(span_sub(options, i, options.len), ";range="))
            return true;
    return false;
}

static void copy_attribute(struct ldapconn *conn, struct arena *a, LDAPMessage *entry,
                           const char *description, struct ldapconn_attribute *out)
{
    struct berval **values = ldap_get_values_len(conn->ld, entry, description);
    int count = ldap_count_values_len(values);
    struct span text = span_of(description);
    size_t name = span_find(text, ';');
    *out = (struct ldapconn_attribute){
        .name = arena_copy(a, span_sub(text, 0, name)),
        .partial = is_range(span_sub(text, name, text.len)),
        .values = copy_values(a, values, (size_t)count),
        .count = (size_t)count,
    };
    ldap_value_free_len(values);
}

static size_t count_attributes(struct ldapconn *conn, LDAPMessage *entry)
{
    BerElement *ber = NULL;
    size_t count = 0;
    for (char *name = ldap_first_attribute(conn->ld, entry, &ber); name;
         name = ldap_next_attribute(conn->ld, entry, ber)) {
        count++;
        ldap_memfree(name);
    }
    ber_free(ber, 0);
    return count;
}

static void copy_attributes(struct ldapconn *conn, struct arena *a, LDAPMessage *entry,
                            struct ldapconn_entry *out)
{
    BerElement *ber = NULL;
    size_t room = count_attributes(conn, entry), count = 0;
    struct ldapconn_attribute *all = arena_array(a, room, sizeof *all);
    for (char *name = ldap_first_attribute(conn->ld, entry, &ber); name;
         name = ldap_next_attribute(conn->ld, entry, ber)) {
        if (count < room)
            copy_attribute(conn, a, entry, name, &all[count++]);
        ldap_memfree(name);
    }
    ber_free(ber, 0);
    out->attributes = all;
    out->count = count;
}

/* ---- results ---- */

struct collection {
    struct ldapconn_entry *entries;
    size_t count, room;
    bool references;
};

static void add_entry(struct ldapconn *conn, struct arena *a, struct collection *c,
                      LDAPMessage *message)
{
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : 2;
        struct ldapconn_entry *more = arena_array(a, room, sizeof *more);
        if (c->count)
            memcpy(more, c->entries, c->count * sizeof *more);
        c->entries = more;
        c->room = room;
    }
    char *dn = ldap_get_dn(conn->ld, message);
    struct ldapconn_entry *entry = &c->entries[c->count++];
    entry->dn = arena_strdup(a, dn ? dn : "");
    copy_attributes(conn, a, message, entry);
    ldap_memfree(dn);
}

static enum ldapconn_outcome outcome_of(int code)
{
    switch (code) {
    case LDAP_SUCCESS:
        return LDAPCONN_COMPLETE;
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_TIMELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
    case LDAP_REFERRAL:
    case LDAP_PARTIAL_RESULTS:
        return LDAPCONN_PARTIAL;
    default:
        return LDAPCONN_REFUSED;
    }
}

/* Codes by which a server says that it is in no state to answer anybody. */
static bool is_server_trouble(int code)
{
    return is_out_of_service(code) || code == LDAP_OTHER || code < 0;
}

static enum link_status finish(struct ldapconn *conn, struct arena *a,
                               const struct ldapconn_query *query, const struct collection *c,
                               int code, struct ldapconn_result *out, struct errtext *why)
{
    struct errtext text = {""};
    if (code != LDAP_SUCCESS)
        explain(conn, &text, "search", code);
    if (is_server_trouble(code)) {
        *why = text;
        return is_out_of_service(code) ? LINK_DOWN : LINK_STALE;
    }
    *out = (struct ldapconn_result){
        .outcome = outcome_of(code), .entries = c->entries, .count = c->count};
    if (out->outcome != LDAPCONN_COMPLETE) {
        out->why = arena_printf(a, "base \"%s\": %s", query->base, text.text);
    } else if (c->references) {
        out->outcome = LDAPCONN_PARTIAL;
        out->why = arena_printf(a, "base \"%s\": the server refers to another one for a part",
                                query->base);
    }
    return LINK_OK;
}

static enum link_status collect(struct ldapconn *conn, struct arena *a, int msgid,
                                uint64_t deadline, const struct ldapconn_query *query,
                                struct ldapconn_result *out, struct errtext *why)
{
    struct collection c = {.count = 0};
    for (;;) {
        LDAPMessage *message = NULL;
        int code = LDAP_SUCCESS;
        enum link_status status = next_message(conn, msgid, deadline, "search", &message, why);
        if (status != LINK_OK)
            return status;
        int type = ldap_msgtype(message);
        if (type == LDAP_RES_SEARCH_ENTRY && c.count < LDAPCONN_ENTRIES_MAX)
            add_entry(conn, a, &c, message);
        c.references = c.references || type == LDAP_RES_SEARCH_REFERENCE ||
                       (type == LDAP_RES_SEARCH_ENTRY && c.count == LDAPCONN_ENTRIES_MAX);
        if (type != LDAP_RES_SEARCH_RESULT) {
            (void)ldap_msgfree(message);
            continue;
        }
        if (ldap_parse_result(conn->ld, message, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS)
            code = LDAP_DECODING_ERROR;
        return finish(conn, a, query, &c, code, out, why);
    }
}

/* ---- search ---- */

static int send_query(struct ldapconn *conn, const struct ldapconn_query *query, int *msgid)
{
    int scope = query->scope == LDAPCONN_BASE ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE;
    struct timeval limit = timeval_of(conn->conf->search_timeout);
    limit.tv_sec += limit.tv_usec > 0; /* the server counts whole seconds */
    limit.tv_usec = 0;
    return ldap_search_ext(conn->ld, query->base, scope, query->filter,
                           (char **)(uintptr_t)query->attributes, 0, NULL, NULL, &limit,
                           query->size_limit, msgid);
}

static enum link_status send_all(struct ldapconn *conn, const struct ldapconn_query *queries,
                                 size_t count, int *msgids, struct errtext *why)
{
    for (size_t i = 0; i < count; i++) {
        int code = send_query(conn, &queries[i], &msgids[i]);
        if (code == LDAP_SUCCESS)
            continue;
        explain(conn, why, "search", code);
        return code == LDAP_FILTER_ERROR ? LINK_FAILED : LINK_STALE;
    }
    return LINK_OK;
}

enum link_status ldapconn_search(struct ldapconn *conn, struct arena *a,
                                 const struct ldapconn_query *queries, size_t count,
                                 struct ldapconn_result *results, struct errtext *why)
{
    int msgids[LDAPCONN_QUERIES_MAX] = {0};
    assert(count <= LDAPCONN_QUERIES_MAX);
    uint64_t deadline = deadline_in(conn->conf->search_timeout);
    enum link_status status = send_all(conn, queries, count, msgids, why);
    for (size_t i = 0; i < count && status == LINK_OK; i++)
        status = collect(conn, a, msgids[i], deadline, &queries[i], &results[i], why);
    return status;
}
