#include "wire.h"
#include "clock.h"
#include "strbuf.h"
#include "xalloc.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* The protocol's own values, written out here because only the daemon's edge includes libmilter. */
enum { PROTOCOL_VERSION = 6, PROTOCOL_OLDEST = 2 };
enum { ALL_ACTIONS = 0x1ff, ALL_STEPS = 0x1fffff };

enum step {
    STEP_NO_CONNECT = 0x1,
    STEP_NO_HELO = 0x2,
    STEP_NO_MAIL = 0x4,
    STEP_NO_RCPT = 0x8,
    STEP_NO_BODY = 0x10,
    STEP_NO_HEADERS = 0x20,
    STEP_NO_EOH = 0x40,
    STEP_MUTE_HEADER = 0x80, /* "mute": no reply to this event */
    STEP_NO_DATA = 0x200,
    STEP_MUTE_CONNECT = 0x1000,
    STEP_MUTE_HELO = 0x2000,
    STEP_MUTE_MAIL = 0x4000,
    STEP_MUTE_RCPT = 0x8000,
    STEP_MUTE_DATA = 0x10000,
    STEP_MUTE_EOH = 0x40000,
    STEP_MUTE_BODY = 0x80000,
    STEP_LEADING_SPACE = 0x100000,
};

/* A header that an MTA lets pass may have 100 kB and more; replies are far shorter. */
enum { PACKET_OUT_MAX = 16 << 20, PACKET_IN_MAX = 1 << 18, CHUNK_SIZE = 65535, LENGTH_SIZE = 4 };
/* A milter that sends progress or changes for ever must not hold us. */
enum { ANSWERS_MAX = 10000 };

enum scope { SCOPE_CONNECTION, SCOPE_MESSAGE };

/* One row an event: how it is sent, and what the milter may have said about it. */
struct event {
    char command;
    enum wire_stage macros;
    bool has_macros;
    uint32_t unwanted, mute;
    enum scope scope;
};

static const struct event on_connect = {
    'C', WIRE_CONNECT, true, STEP_NO_CONNECT, STEP_MUTE_CONNECT, SCOPE_CONNECTION};
static const struct event on_helo = {'H',          WIRE_HELO,      true,
                                     STEP_NO_HELO, STEP_MUTE_HELO, SCOPE_CONNECTION};
static const struct event on_mail = {'M',          WIRE_MAIL,      true,
                                     STEP_NO_MAIL, STEP_MUTE_MAIL, SCOPE_MESSAGE};
static const struct event on_rcpt = {'R',          WIRE_RCPT,      true,
                                     STEP_NO_RCPT, STEP_MUTE_RCPT, SCOPE_MESSAGE};
static const struct event on_data = {'T',          WIRE_DATA,      true,
                                     STEP_NO_DATA, STEP_MUTE_DATA, SCOPE_MESSAGE};
static const struct event on_header = {
    'L', WIRE_EOH, false, STEP_NO_HEADERS, STEP_MUTE_HEADER, SCOPE_MESSAGE};
static const struct event on_eoh = {'N', WIRE_EOH, true, STEP_NO_EOH, STEP_MUTE_EOH, SCOPE_MESSAGE};
static const struct event on_body = {'B',          WIRE_EOM,       false,
                                     STEP_NO_BODY, STEP_MUTE_BODY, SCOPE_MESSAGE};
static const struct event on_eom = {'E', WIRE_EOM, true, 0, 0, SCOPE_MESSAGE};

struct bytes {
    char *data;
    size_t len, size;
};

/* How much of what follows the milter has given up on (or must not see). */
enum quiet { QUIET_NOT, QUIET_MESSAGE, QUIET_CONNECTION };

struct wire {
    int fd;
    uint64_t timeout;
    uint32_t steps;
    enum quiet quiet;
    bool skip_body;
    struct arena *arena;       /* of the last answer */
    struct arena *setup_arena; /* of the macro lists */
    const char *macro_names[WIRE_STAGES];
    struct bytes macros[WIRE_STAGES]; /* ready to be sent: name NUL value NUL ... */
    struct bytes out, in;
};

/* What Postfix sends where the milter asked for nothing else (milter_*_macros). */
static const char *const default_macros[WIRE_STAGES] = {
    [WIRE_CONNECT] = "j {daemon_name} {daemon_addr} v _",
    [WIRE_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    [WIRE_MAIL] = "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    [WIRE_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    [WIRE_DATA] = "i",
    [WIRE_EOH] = "i",
    [WIRE_EOM] = "i",
};

/* ---- bytes ---- */

static void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->size) {
        b->size = (b->len + len) * 2;
        b->data = xrealloc(b->data, b->size);
    }
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void bytes_add_string(struct bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text) + 1);
}

static void bytes_add_u32(struct bytes *b, uint32_t value)
{
    uint32_t network = htonl(value);
    bytes_add(b, &network, sizeof network);
}

static uint32_t u32_at(const char *data)
{
    uint32_t network;
    memcpy(&network, data, sizeof network);
    return ntohl(network);
}

/* ---- the socket ---- */

static bool wait_for(int fd, short events, uint64_t deadline, struct errtext *why)
{
    for (;;) {
        uint64_t now = clock_now(&clock_real);
        uint64_t left = now < deadline ? (deadline - now + CLOCK_MS - 1) / CLOCK_MS : 0;
        int slice = left < INT_MAX ? (int)left : INT_MAX;
        int ready = poll(&(struct pollfd){.fd = fd, .events = events}, 1, slice);
        if (ready > 0)
            return true;
        if (ready == 0) {
            errtext_set(why, "no answer from the milter in time");
            return false;
        }
        if (errno != EINTR) {
            errtext_set(why, "poll: %s", strerror(errno));
            return false;
        }
    }
}

static bool failed_for_now(int error)
{
    return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

static bool send_all(struct wire *w, struct errtext *why)
{
    uint64_t deadline = clock_now(&clock_real) + w->timeout;
    size_t done = 0;
    while (done < w->out.len) {
        ssize_t sent =
            send(w->fd, w->out.data + done, w->out.len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            done += (size_t)sent;
        } else if (!failed_for_now(errno)) {
            errtext_set(why, "cannot write to the milter: %s", strerror(errno));
            return false;
        } else if (!wait_for(w->fd, POLLOUT, deadline, why)) {
            return false;
        }
    }
    w->out.len = 0;
    return true;
}

static bool receive_exactly(struct wire *w, char *data, size_t len, uint64_t deadline,
                            struct errtext *why)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = recv(w->fd, data + done, len - done, MSG_DONTWAIT);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0) {
            errtext_set(why, "the milter closed the connection");
            return false;
        } else if (!failed_for_now(errno)) {
            errtext_set(why, "cannot read from the milter: %s", strerror(errno));
            return false;
        } else if (!wait_for(w->fd, POLLIN, deadline, why)) {
            return false;
        }
    }
    return true;
}

/* A packet is: length (4 octets, of what follows), one octet that says what it is, data. */
static bool receive_packet(struct wire *w, char *kind_out, struct errtext *why)
{
    char head[LENGTH_SIZE];
    uint64_t deadline = clock_now(&clock_real) + w->timeout;
    if (!receive_exactly(w, head, sizeof head, deadline, why))
        return false;
    uint32_t len = u32_at(head);
    if (len < 1 || len > PACKET_IN_MAX) {
        errtext_set(why, "the milter sent a packet of %lu octets", (unsigned long)len);
        return false;
    }
    w->in.len = 0;
    if (w->in.size < len + 1) {
        w->in.size = len + 1;
        w->in.data = xrealloc(w->in.data, w->in.size);
    }
    if (!receive_exactly(w, w->in.data, len, deadline, why))
        return false;
    *kind_out = w->in.data[0];
    memmove(w->in.data, w->in.data + 1, len - 1);
    w->in.len = len - 1;
    w->in.data[w->in.len] = '\0';
    return true;
}

static void packet_add(struct wire *w, char kind, const struct bytes *data)
{
    bytes_add_u32(&w->out, (uint32_t)(data->len + 1));
    bytes_add(&w->out, &kind, 1);
    bytes_add(&w->out, data->data, data->len);
}

/* ---- the address ---- */

static void set_timeout(int fd, uint64_t timeout)
{
    struct timeval tv = {.tv_sec = (time_t)(timeout / CLOCK_S),
                         .tv_usec = (suseconds_t)(timeout % CLOCK_S / 1000)};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static int open_socket(const struct sockaddr *address, socklen_t len, uint64_t timeout)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_timeout(fd, timeout); /* connect() keeps to it */
    if (connect(fd, address, len) == 0)
        return fd;
    int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int open_unix(const char *path, uint64_t timeout, struct errtext *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path) {
        errtext_set(why, "a socket path has 1 to %zu octets", sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, len);
    int fd = open_socket((const struct sockaddr *)&address, sizeof address, timeout);
    if (fd < 0)
        errtext_set(why, "cannot connect to %s: %s", path, strerror(errno));
    return fd;
}

static int open_first(const struct addrinfo *list, uint64_t timeout)
{
    int fd = -1;
    for (const struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
        fd = open_socket(i->ai_addr, i->ai_addrlen, timeout);
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

/* PORT[@HOST], the host perhaps in square brackets. */
static int open_inet(const char *text, int family, uint64_t timeout, struct errtext *why)
{
    struct arena *a = arena_create();
    struct span all = span_of(text);
    size_t at = span_find(all, '@');
    struct span host = span_sub(all, at + 1, all.len);
    if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = span_sub(host, 1, host.len - 2);
    const char *port = arena_copy(a, span_sub(all, 0, at));
    const char *name = host.len ? arena_copy(a, host) : NULL;
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int fd = -1;
    int error = *port ? getaddrinfo(name, port, &hints, &list) : EAI_NONAME;
    if (error) {
        errtext_set(why, "%s is no PORT@HOST: %s", text, gai_strerror(error));
    } else {
        fd = open_first(list, timeout);
        if (fd < 0)
            errtext_set(why, "cannot connect to %s: %s", text, strerror(errno));
        freeaddrinfo(list);
    }
    arena_destroy(a);
    return fd;
}

static int open_address(const char *address, uint64_t timeout, struct errtext *why)
{
    size_t colon = strcspn(address, ":");
    struct span scheme = span_make(address, colon);
    const char *rest = address[colon] ? address + colon + 1 : "";
    if (span_equal_nocase(scheme, span_of("inet")))
        return open_inet(rest, AF_INET, timeout, why);
    if (span_equal_nocase(scheme, span_of("inet6")))
        return open_inet(rest, AF_INET6, timeout, why);
    if (span_equal_nocase(scheme, span_of("unix")) || span_equal_nocase(scheme, span_of("local")))
        return open_unix(rest, timeout, why);
    return open_unix(address, timeout, why);
}

/* ---- negotiation ---- */

/* The milter's numbers of the stages (SMFIM_*) are not in the order of the events. */
static bool stage_by_number(uint32_t number, enum wire_stage *out)
{
    static const enum wire_stage stages[] = {WIRE_CONNECT, WIRE_HELO, WIRE_MAIL, WIRE_RCPT,
                                             WIRE_DATA,    WIRE_EOM,  WIRE_EOH};
    if (number >= sizeof stages / sizeof stages[0])
        return false;
    *out = stages[number];
    return true;
}

/* After the three numbers: stage (4 octets), names, NUL; and so on. */
static bool read_macro_lists(struct wire *w, struct span rest, struct errtext *why)
{
    while (rest.len) {
        enum wire_stage stage;
        size_t end = rest.len > LENGTH_SIZE
                         ? LENGTH_SIZE + span_find(span_sub(rest, 4, rest.len), '\0')
                         : rest.len;
        if (end >= rest.len || !stage_by_number(u32_at(rest.data), &stage)) {
            errtext_set(why, "the milter's list of macros cannot be read");
            return false;
        }
        w->macro_names[stage] =
            arena_copy(w->setup_arena, span_sub(rest, LENGTH_SIZE, end - LENGTH_SIZE));
        rest = span_sub(rest, end + 1, rest.len);
    }
    return true;
}

static bool read_negotiated(struct wire *w, struct errtext *why)
{
    enum { NUMBERS = 3 * LENGTH_SIZE };
    if (w->in.len < NUMBERS) {
        errtext_set(why, "the milter's negotiation is too short");
        return false;
    }
    uint32_t version = u32_at(w->in.data);
    uint32_t actions = u32_at(w->in.data + LENGTH_SIZE);
    w->steps = u32_at(w->in.data + 2 * (size_t)LENGTH_SIZE);
    if (version < PROTOCOL_OLDEST || version > PROTOCOL_VERSION) {
        errtext_set(why, "the milter speaks version %lu", (unsigned long)version);
        return false;
    }
    if (actions & ~(uint32_t)ALL_ACTIONS || w->steps & ~(uint32_t)ALL_STEPS) {
        errtext_set(why, "the milter wants what was not offered: actions %#lx, steps %#lx",
                    (unsigned long)actions, (unsigned long)w->steps);
        return false;
    }
    return read_macro_lists(w, span_sub(span_make(w->in.data, w->in.len), NUMBERS, w->in.len), why);
}

static bool negotiate(struct wire *w, struct errtext *why)
{
    struct bytes offer = {0};
    bytes_add_u32(&offer, PROTOCOL_VERSION);
    bytes_add_u32(&offer, ALL_ACTIONS);
    bytes_add_u32(&offer, ALL_STEPS);
    packet_add(w, 'O', &offer);
    free(offer.data);
    char kind;
    if (!send_all(w, why) || !receive_packet(w, &kind, why))
        return false;
    if (kind != 'O') {
        errtext_set(why, "the milter does not negotiate, it says '%c'", kind);
        return false;
    }
    return read_negotiated(w, why);
}

static void wire_free(struct wire *w)
{
    (void)close(w->fd);
    arena_destroy(w->arena);
    arena_destroy(w->setup_arena);
    for (size_t i = 0; i < WIRE_STAGES; i++)
        free(w->macros[i].data);
    free(w->out.data);
    free(w->in.data);
    free(w);
}

struct wire *wire_open(const char *address, unsigned timeout_ms, struct errtext *why)
{
    uint64_t timeout = timeout_ms * CLOCK_MS;
    int fd = open_address(address, timeout, why);
    if (fd < 0)
        return NULL;
    struct wire *w = xcalloc(1, sizeof *w);
    w->fd = fd;
    w->timeout = timeout;
    w->arena = arena_create();
    w->setup_arena = arena_create();
    memcpy(w->macro_names, default_macros, sizeof w->macro_names);
    if (!negotiate(w, why)) {
        wire_free(w);
        return NULL;
    }
    return w;
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    w->out.len = 0;
    packet_add(w, 'Q', &(struct bytes){0});
    (void)send_all(w, NULL);
    wire_free(w);
}

/* ---- macros ---- */

/* "i" and "{i}" are one name. */
static struct span bare_name(struct span name)
{
    if (name.len > 2 && name.data[0] == '{' && name.data[name.len - 1] == '}')
        return span_sub(name, 1, name.len - 2);
    return name;
}

/* The list may separate names by blanks and commas. */
static bool is_listed(const char *list, struct span name)
{
    static const char separators[] = " \t,";
    for (const char *at = list + strspn(list, separators); *at; at += strspn(at, separators)) {
        size_t len = strcspn(at, separators);
        if (span_equal(bare_name(span_make(at, len)), bare_name(name)))
            return true;
        at += len;
    }
    return false;
}

bool wire_macros(struct wire *w, enum wire_stage stage, const struct wire_macro *macros,
                 size_t count, struct errtext *why)
{
    struct bytes *out = &w->macros[stage];
    out->len = 0;
    for (size_t i = 0; i < count; i++) {
        if (!macros[i].value || !is_listed(w->macro_names[stage], span_of(macros[i].name)))
            continue;
        bytes_add_string(out, macros[i].name);
        bytes_add_string(out, macros[i].value);
    }
    if (out->len <= PACKET_OUT_MAX)
        return true;
    errtext_set(why, "macros of %zu octets", out->len);
    return false;
}

/* Sent even where the event itself is not, and even empty: that is what clears the old ones. */
static void add_macros(struct wire *w, const struct event *event)
{
    if (!event->has_macros)
        return;
    struct bytes *set = &w->macros[event->macros];
    struct bytes data = {0};
    bytes_add(&data, &event->command, 1);
    bytes_add(&data, set->data, set->len);
    packet_add(w, 'D', &data);
    free(data.data);
    set->len = 0;
}

/* ---- answers ---- */

static const char reject_text[] = "550 5.7.1 Command rejected";
static const char tempfail_text[] = "451 4.7.1 Service unavailable - try again later";
static const char shutdown_text[] = "421 4.7.0 Service unavailable - try again later";

static void hush(struct wire *w, const struct event *event)
{
    w->quiet = event->scope == SCOPE_CONNECTION ? QUIET_CONNECTION : QUIET_MESSAGE;
}

/* A reply is a format for Sendmail, so the milter doubles '%'; Postfix makes "%%" one and drops a
 * single one. */
static const char *without_percent(struct arena *a, struct span text)
{
    struct strbuf out;
    strbuf_init(&out, a);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '%' && ++i == text.len)
            break;
        strbuf_add_char(&out, text.data[i]);
    }
    return out.text;
}

/* A class other than 4 or 5 is no refusal. */
static bool is_refusal(struct span code)
{
    return code.len == 3 && (code.data[0] == '4' || code.data[0] == '5') &&
           ascii_is_digit(code.data[1]) && ascii_is_digit(code.data[2]);
}

static bool is_reply_line(struct span line, struct span code, char separator)
{
    return line.len > code.len && span_equal(span_sub(line, 0, code.len), code) &&
           line.data[code.len] == separator && span_find(line, '\r') == line.len &&
           span_find(line, '\n') == line.len;
}

static size_t find_line_end(struct span text)
{
    size_t i = 0;
    while (i + 1 < text.len && (text.data[i] != '\r' || text.data[i + 1] != '\n'))
        i++;
    return i + 1 < text.len ? i : text.len;
}

/* Reply-line = *( code "-" text CRLF ) code SP text (RFC 5321 section 4.2), the same code in each.
 */
static bool is_reply(struct span text)
{
    struct span code = span_sub(text, 0, 3);
    size_t end = find_line_end(text);
    while (end < text.len && is_reply_line(span_sub(text, 0, end), code, '-')) {
        text = span_sub(text, end + 2, text.len);
        end = find_line_end(text);
    }
    return is_refusal(code) && is_reply_line(text, code, ' ');
}

static bool read_reply_code(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    struct span text = span_make(w->in.data, w->in.len);
    if (text.len && text.data[text.len - 1] == '\0')
        text.len--;
    if (!is_reply(text) || span_find(text, '\0') < text.len) {
        errtext_set(why, "the milter's reply is malformed: %.*s",
                    (int)(text.len < 100 ? text.len : 100), text.data);
        return false;
    }
    out->verdict = text.data[0] == '4' ? WIRE_TEMPFAIL : WIRE_REJECT;
    out->text = without_percent(w->arena, text);
    return true;
}

/* Strings of a change, each with its NUL; false where there are not that many. */
static bool split_strings(struct span data, const char **out, size_t want)
{
    for (size_t i = 0; i < want; i++) {
        size_t end = span_find(data, '\0');
        if (end == data.len)
            return false;
        out[i] = data.data;
        data = span_sub(data, end + 1, data.len);
    }
    return true;
}

/* What the milter may ask for at the end of the message. */
struct change {
    char kind;
    bool has_index; /* a number (4 octets) in front of the strings */
    size_t strings; /* two: of a field, name and value */
    const char *verb;
};

static const struct change changes[] = {
    {'+', false, 1, "add-recipient"},
    {'2', false, 1, "add-recipient"},
    {'-', false, 1, "remove-recipient"},
    {'e', false, 1, "mail"},
    {'q', false, 1, "hold"},
    {'b', false, 0, "replace-body"},
    {'h', false, 2, "add"},
    {'i', true, 2, "insert"},
    {'m', true, 2, "set"},
};

static const struct change *change_of(char kind)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (changes[i].kind == kind)
            return &changes[i];
    return NULL;
}

/* "set Sender 1 a@b". A field that is set to nothing is taken out. */
static const char *field_change_text(const struct wire *w, const struct change *change,
                                     uint32_t index, const char *const strings[2])
{
    struct strbuf out;
    bool removes = change->kind == 'm' && !*strings[1];
    bool has_blank = (w->steps & STEP_LEADING_SPACE) != 0;
    strbuf_init(&out, w->arena);
    strbuf_printf(&out, "%s %s", removes ? "remove" : change->verb, strings[0]);
    if (change->has_index)
        strbuf_printf(&out, " %lu", (unsigned long)index);
    if (!removes)
        strbuf_printf(&out, "%s%s", has_blank ? "" : " ", strings[1]);
    return out.text;
}

/* NULL where the packet is malformed. */
static const char *change_text(const struct wire *w, const struct change *change)
{
    const char *strings[2] = {NULL, NULL};
    struct span data = span_make(w->in.data, w->in.len);
    uint32_t index = 0;
    if (change->has_index) {
        if (data.len < LENGTH_SIZE)
            return NULL;
        index = u32_at(data.data);
        data = span_sub(data, LENGTH_SIZE, data.len);
    }
    if (!split_strings(data, strings, change->strings))
        return NULL;
    if (change->strings == 2)
        return field_change_text(w, change, index, strings);
    return strings[0] ? arena_printf(w->arena, "%s %s", change->verb, strings[0]) : change->verb;
}

static void add_change(struct arena *a, struct wire_answer *out, const char *text)
{
    const char **grown = arena_array(a, out->change_count + 1, sizeof *grown);
    if (out->change_count)
        memcpy(grown, out->changes, out->change_count * sizeof *grown);
    grown[out->change_count++] = text;
    out->changes = grown;
}

static bool take_change(struct wire *w, const struct event *event, char kind,
                        struct wire_answer *out, struct errtext *why)
{
    const struct change *change = event == &on_eom ? change_of(kind) : NULL;
    const char *text = change ? change_text(w, change) : NULL;
    if (!text) {
        errtext_set(why, "the milter answers '%c' with %zu octets to '%c'", kind, w->in.len,
                    event->command);
        return false;
    }
    add_change(w->arena, out, text);
    return true;
}

/* What each plain answer means; the ones with data are not here. */
struct plain_answer {
    char kind;
    enum wire_verdict verdict;
    const char *text;
    bool hushes;
};

static const struct plain_answer plain_answers[] = {
    {'c', WIRE_CONTINUE, NULL, false},
    {'a', WIRE_ACCEPT, NULL, true},
    {'d', WIRE_DISCARD, NULL, true},
    {'r', WIRE_REJECT, reject_text, false},
    {'t', WIRE_TEMPFAIL, tempfail_text, false},
    {'s', WIRE_CONTINUE, NULL, false},
    {'4', WIRE_TEMPFAIL, shutdown_text, true},
};

static const struct plain_answer *plain_answer_of(char kind)
{
    for (size_t i = 0; i < sizeof plain_answers / sizeof plain_answers[0]; i++)
        if (plain_answers[i].kind == kind)
            return &plain_answers[i];
    return NULL;
}

static void take_plain(struct wire *w, const struct event *event, const struct plain_answer *plain,
                       struct wire_answer *out)
{
    out->verdict = plain->verdict;
    out->text = plain->text;
    if (plain->hushes)
        hush(w, event);
    if (plain->kind == '4')
        w->quiet = QUIET_CONNECTION;
    if (plain->kind == 's' && event == &on_body)
        w->skip_body = true;
}

/* One packet of an answer. *done: it was the last one. */
static bool take_packet(struct wire *w, const struct event *event, char kind,
                        struct wire_answer *out, bool *done, struct errtext *why)
{
    const struct plain_answer *plain = w->in.len == 0 ? plain_answer_of(kind) : NULL;
    *done = true;
    if (plain) {
        take_plain(w, event, plain, out);
        return true;
    }
    if (kind == 'y')
        return read_reply_code(w, out, why);
    *done = false;
    if (kind == 'p' && w->in.len == 0)
        return true;
    return take_change(w, event, kind, out, why);
}

static bool receive_answer(struct wire *w, const struct event *event, struct wire_answer *out,
                           struct errtext *why)
{
    bool done = false;
    for (unsigned i = 0; i < ANSWERS_MAX && !done; i++) {
        char kind;
        if (!receive_packet(w, &kind, why) || !take_packet(w, event, kind, out, &done, why))
            return false;
    }
    if (!done) {
        errtext_set(why, "the milter's answer does not end");
        return false;
    }
    bool refused = out->verdict == WIRE_REJECT || out->verdict == WIRE_TEMPFAIL;
    if (refused && event->scope == SCOPE_CONNECTION)
        w->quiet = QUIET_CONNECTION;
    return true;
}

/* ---- events ---- */

static bool event_send(struct wire *w, const struct event *event, const struct bytes *data,
                       struct wire_answer *out, struct errtext *why)
{
    struct wire_answer answer = {.verdict = WIRE_CONTINUE};
    arena_reset(w->arena);
    if (data->len > PACKET_OUT_MAX) {
        errtext_set(why, "an event of %zu octets", data->len);
        return false;
    }
    if (w->quiet != QUIET_NOT) {
        *out = answer;
        return true;
    }
    add_macros(w, event);
    bool sent = (w->steps & event->unwanted) == 0;
    if (sent)
        packet_add(w, event->command, data);
    if (!send_all(w, why))
        return false;
    answer.asked = sent && (w->steps & event->mute) == 0;
    if (answer.asked && !receive_answer(w, event, &answer, why))
        return false;
    *out = answer;
    return true;
}

static bool event_send_string(struct wire *w, const struct event *event, const char *text,
                              struct wire_answer *out, struct errtext *why)
{
    struct bytes data = {0};
    bytes_add_string(&data, text);
    bool ok = event_send(w, event, &data, out, why);
    free(data.data);
    return ok;
}

/* A verdict about one message ends with it. */
static void message_begin(struct wire *w)
{
    if (w->quiet == QUIET_MESSAGE)
        w->quiet = QUIET_NOT;
    w->skip_body = false;
}

bool wire_connect(struct wire *w, const char *host, const char *address, unsigned port,
                  struct wire_answer *out, struct errtext *why)
{
    struct bytes data = {0};
    bytes_add_string(&data, host);
    if (!address) {
        bytes_add(&data, "U", 1);
    } else {
        uint16_t network = htons((uint16_t)port);
        bytes_add(&data, strchr(address, ':') ? "6" : "4", 1);
        bytes_add(&data, &network, sizeof network);
        bytes_add_string(&data, address);
    }
    bool ok = event_send(w, &on_connect, &data, out, why);
    free(data.data);
    return ok;
}

bool wire_helo(struct wire *w, const char *name, struct wire_answer *out, struct errtext *why)
{
    message_begin(w);
    return event_send_string(w, &on_helo, name, out, why);
}

bool wire_mail(struct wire *w, const char *argument, struct wire_answer *out, struct errtext *why)
{
    message_begin(w);
    return event_send_string(w, &on_mail, argument, out, why);
}

bool wire_rcpt(struct wire *w, const char *argument, struct wire_answer *out, struct errtext *why)
{
    return event_send_string(w, &on_rcpt, argument, out, why);
}

bool wire_data(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return event_send(w, &on_data, &(struct bytes){0}, out, why);
}

bool wire_header(struct wire *w, const char *name, const char *value, struct wire_answer *out,
                 struct errtext *why)
{
    struct bytes data = {0};
    bytes_add_string(&data, name);
    bytes_add_string(&data,
                     value[0] == ' ' && !(w->steps & STEP_LEADING_SPACE) ? value + 1 : value);
    bool ok = event_send(w, &on_header, &data, out, why);
    free(data.data);
    return ok;
}

bool wire_eoh(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return event_send(w, &on_eoh, &(struct bytes){0}, out, why);
}

bool wire_body(struct wire *w, const char *bytes, size_t len, struct wire_answer *out,
               struct errtext *why)
{
    *out = (struct wire_answer){.verdict = WIRE_CONTINUE};
    while (len && !w->skip_body && out->verdict == WIRE_CONTINUE) {
        struct bytes chunk = {0};
        size_t size = len < CHUNK_SIZE ? len : CHUNK_SIZE;
        bytes_add(&chunk, bytes, size);
        bool ok = event_send(w, &on_body, &chunk, out, why);
        free(chunk.data);
        if (!ok)
            return false;
        bytes += size;
        len -= size;
    }
    return true;
}

bool wire_eom(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return event_send(w, &on_eom, &(struct bytes){0}, out, why);
}

bool wire_abort(struct wire *w, struct errtext *why)
{
    message_begin(w);
    if (w->quiet != QUIET_NOT)
        return true;
    packet_add(w, 'A', &(struct bytes){0});
    return send_all(w, why);
}
