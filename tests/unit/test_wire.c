/* The MTA's side of the protocol, against a milter that does what each row says. */
#include "wire.h"
#include "rows.h"
#include "strbuf.h"
#include "texts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, SHORT_TIMEOUT_MS = 30, REPLIES_MAX = 5 };

/* Packets that the peer sends for one event, each after its length. */
struct scripted {
    char command;
    const char *packet;
    size_t len;
};

#define PACKET(text) .packet = (text), .len = sizeof(text) - 1
#define ON(letter, text)                                                                           \
    {                                                                                              \
        .command = (letter), PACKET(text)                                                          \
    }
#define STEPS_MUTE_ALL     0x000df080u /* every NR_ flag but NR_UNKN */
#define STEP_NO_MAIL       0x4u
#define STEP_LEADING_SPACE 0x100000u

struct row {
    const char *name;
    uint32_t version, actions, steps; /* version 0 stands for 6 */
    const char *list;                 /* names of macros for the stage MAIL, NULL for no list */
    struct scripted replies[REPLIES_MAX];
    bool silent;   /* the peer never answers an event */
    bool hangs_up; /* the peer closes after the negotiation */
    char at;       /* the event whose answer is looked at */
    enum wire_verdict verdict;
    bool muted;         /* want: no answer was asked for */
    const char *text;   /* want: the reply */
    const char *change; /* want: the changes, "; " between */
    const char *seen;   /* want: this piece in what the peer saw */
    const char *unseen; /* want: this piece not in it */
    const char *fails;  /* want: a failure, with this piece in its text */
};

/* ---- the peer ---- */

struct peer {
    const struct row *row;
    int listener;
    char directory[32], address[64];
    pthread_t thread;
    struct arena *arena;
    struct strbuf seen;
};

static bool get(int fd, void *data, size_t len)
{
    return len == 0 || recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static void put(int fd, const void *data, size_t len)
{
    uint32_t network = htonl((uint32_t)len);
    (void)send(fd, &network, sizeof network, MSG_NOSIGNAL);
    (void)send(fd, data, len, MSG_NOSIGNAL);
}

static bool get_packet(struct peer *p, int fd, char *kind_out)
{
    uint32_t len;
    if (!get(fd, &len, sizeof len))
        return false;
    len = ntohl(len);
    char *data = arena_alloc(p->arena, len + 1);
    if (!get(fd, data, len))
        return false;
    *kind_out = data[0];
    for (uint32_t i = 0; i < len; i++)
        strbuf_add_char(&p->seen, data[i] ? data[i] : '|');
    strbuf_add_char(&p->seen, '\n');
    return true;
}

static void put_negotiation(const struct row *row, int fd)
{
    char data[256] = "O";
    size_t len = 1;
    uint32_t numbers[] = {htonl(row->version ? row->version : 6), htonl(row->actions),
                          htonl(row->steps), htonl(2)};
    memcpy(data + len, numbers, sizeof numbers);
    len += sizeof numbers - sizeof numbers[0];
    if (row->list) {
        memcpy(data + len + sizeof numbers[0], row->list, strlen(row->list) + 1);
        len += sizeof numbers[0] + strlen(row->list) + 1;
    }
    put(fd, data, len);
}

/* The flag by which a milter says that it does not answer this event. */
static uint32_t mute_flag(char command)
{
    static const char commands[] = "LCHMRTNB";
    static const uint32_t flags[] = {0x80,   0x1000,  0x2000,  0x4000,
                                     0x8000, 0x10000, 0x40000, 0x80000};
    const char *at = strchr(commands, command);
    return at ? flags[at - commands] : 0;
}

static void put_answer(const struct row *row, int fd, char command)
{
    bool answered = false;
    for (size_t i = 0; i < REPLIES_MAX; i++) {
        const struct scripted *reply = &row->replies[i];
        if (reply->command != command)
            continue;
        put(fd, reply->packet, reply->len);
        answered = true;
    }
    if (!answered && strchr("CHMRTLNBE", command) && !row->silent &&
        !(row->steps & mute_flag(command)))
        put(fd, "c", 1);
}

static void *serve(void *context)
{
    struct peer *p = context;
    int fd = accept(p->listener, NULL, NULL);
    char kind;
    if (get_packet(p, fd, &kind) && kind == 'O')
        put_negotiation(p->row, fd);
    while (!p->row->hangs_up && get_packet(p, fd, &kind) && kind != 'Q')
        put_answer(p->row, fd, kind);
    (void)close(fd);
    return NULL;
}

static void peer_start(struct peer *p, const struct row *row)
{
    *p = (struct peer){.row = row, .directory = "/tmp/wireXXXXXX", .arena = arena_create()};
    strbuf_init(&p->seen, p->arena);
    assert_non_null(mkdtemp(p->directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/m", p->directory);
    (void)snprintf(p->address, sizeof p->address, "unix:%s/m", p->directory);
    p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(p->listener, 1), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

/* After wire_close(): the peer has seen everything then. */
static void peer_join(struct peer *p)
{
    (void)pthread_join(p->thread, NULL);
}

static void peer_stop(struct peer *p)
{
    (void)close(p->listener);
    (void)unlink(p->address + strlen("unix:"));
    (void)rmdir(p->directory);
    arena_destroy(p->arena);
}

/* ---- the session that every row plays ---- */

static bool macros(struct wire *w, enum wire_stage stage, struct errtext *why)
{
    static const struct wire_macro all[] = {
        {"j", "mx"},          {"v", "Postfix 3.7.11"},  {"{client_addr}", "192.0.2.1"},
        {"i", "Q1"},          {"{auth_authen}", "ann"}, {"{mail_addr}", ""},
        {"{rcpt_addr}", "x"}, {"{mail_host}", NULL},
    };
    return wire_macros(w, stage, all, sizeof all / sizeof all[0], why);
}

static bool connect_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return macros(w, WIRE_CONNECT, why) &&
           wire_connect(w, "client.example.com", "192.0.2.1", 40000, out, why);
}

static bool helo_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return wire_helo(w, "client", out, why);
}

static bool mail_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return macros(w, WIRE_MAIL, why) && wire_mail(w, "<ann@example.org>", out, why);
}

static bool rcpt_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return macros(w, WIRE_RCPT, why) && wire_rcpt(w, "<x@example.com>", out, why);
}

static bool header_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return wire_header(w, "From", " ann@example.org", out, why);
}

static bool body_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return wire_body(w, "body\r\n", 6, out, why);
}

static bool eom_event(struct wire *w, struct wire_answer *out, struct errtext *why)
{
    return macros(w, WIRE_EOM, why) && wire_eom(w, out, why);
}

struct event {
    char letter;
    bool (*play)(struct wire *w, struct wire_answer *out, struct errtext *why);
};

static const struct event session[] = {
    {'C', connect_event}, {'H', helo_event}, {'M', mail_event}, {'R', rcpt_event}, {'T', wire_data},
    {'L', header_event},  {'N', wire_eoh},   {'B', body_event}, {'E', eom_event},
};

static void check_answer(const struct row *row, const struct wire_answer *answer)
{
    char joined[256] = "";
    assert_int_equal(answer->verdict, row->verdict);
    assert_int_equal(answer->asked, !row->muted);
    if (row->text)
        assert_string_equal(answer->text, row->text);
    else
        assert_null(answer->text);
    for (size_t i = 0; i < answer->change_count; i++) {
        size_t len = strlen(joined);
        (void)snprintf(joined + len, sizeof joined - len, "%s%s", i ? "; " : "",
                       answer->changes[i]);
    }
    assert_string_equal(joined, row->change ? row->change : "");
}

/* False where the conversation failed, as the row may want it. */
static bool play(struct wire *w, const struct row *row, struct errtext *why)
{
    for (size_t i = 0; i < sizeof session / sizeof session[0]; i++) {
        struct wire_answer answer = {.verdict = WIRE_CONTINUE};
        if (!session[i].play(w, &answer, why))
            return false;
        if (session[i].letter == row->at)
            check_answer(row, &answer);
    }
    return true;
}

static void run_row(void **state)
{
    const struct row *row = *state;
    struct peer peer;
    struct errtext why = {""};
    peer_start(&peer, row);
    struct wire *w = wire_open(peer.address, row->silent ? SHORT_TIMEOUT_MS : TIMEOUT_MS, &why);
    bool ok = w && play(w, row, &why);
    wire_close(w);
    peer_join(&peer);
    if (row->fails && !strstr(why.text, row->fails))
        fail_msg("wanted a failure with \"%s\", got \"%s\"", row->fails, why.text);
    if (!row->fails && !ok)
        fail_msg("failed: %s", why.text);
    if (row->seen && !strstr(peer.seen.text, row->seen))
        fail_msg("not sent: \"%s\" in:\n%s", row->seen, peer.seen.text);
    if (row->unseen && strstr(peer.seen.text, row->unseen))
        fail_msg("sent: \"%s\" in:\n%s", row->unseen, peer.seen.text);
    peer_stop(&peer);
}

static const struct row rows[] = {
    {.name = "continue at the end", .at = 'E'},
    {.name = "the offer is Postfix 3.7's: version 6, all actions, all steps",
     .at = 'E',
     .seen = "O|||\x06||\x01\xff|\x1f\xff\xff\n"},
    {.name = "events in order",
     .at = 'E',
     .seen = "M<ann@example.org>|\nDRi|Q1|{rcpt_addr}|x|\nR<x@example.com>|\nDT\nT\n"
             "LFrom|ann@example.org|\nDN\nN\nBbody\r\n\nDEi|Q1|\nE\n"},
    {.name = "address and port of the client",
     .at = 'C',
     .seen = "\x9c\x40"
             "192.0.2.1|\n"},
    {.name = "Postfix's own macros where the milter asked for none",
     .at = 'M',
     .seen = "DCj|mx|v|Postfix 3.7.11|\n",
     .unseen = "{client_addr}"},
    {.name = "an empty macro is sent, an absent one is not",
     .at = 'M',
     .seen = "DMi|Q1|{auth_authen}|ann|{mail_addr}||\n"},
    {.name = "the milter's list of macros",
     .at = 'M',
     .list = "{i} {rcpt_addr},auth_authen",
     .seen = "DMi|Q1|{auth_authen}|ann|{rcpt_addr}|x|\n"},
    {.name = "an empty list: no macro", .at = 'M', .list = "", .seen = "DM\nM"},
    {.name = "not wanted: connect", .steps = 0x1, .at = 'C', .muted = true, .unseen = "\nCclient"},
    {.name = "not wanted: helo", .steps = 0x2, .at = 'H', .muted = true, .unseen = "\nHclient"},
    {.name = "not wanted: mail", .steps = 0x4, .at = 'M', .muted = true, .unseen = "\nM<"},
    {.name = "not wanted: rcpt", .steps = 0x8, .at = 'R', .muted = true, .unseen = "\nR<"},
    {.name = "not wanted: body", .steps = 0x10, .at = 'B', .muted = true, .unseen = "\nBbody"},
    {.name = "not wanted: headers", .steps = 0x20, .at = 'L', .muted = true, .unseen = "\nLFrom"},
    {.name = "not wanted: end of headers",
     .steps = 0x40,
     .at = 'N',
     .muted = true,
     .unseen = "\nN\n"},
    {.name = "not wanted: data", .steps = 0x200, .at = 'T', .muted = true, .unseen = "\nT\n"},
    {.name = "macros are sent for an event that is not",
     .steps = STEP_NO_MAIL,
     .at = 'M',
     .muted = true,
     .seen = "DMi|Q1|",
     .unseen = "\nM<ann"},
    {.name = "no answer is waited for where none comes",
     .steps = STEPS_MUTE_ALL,
     .at = 'R',
     .muted = true,
     .seen = "R<x@example.com>"},
    {.name = "mute: connect", .steps = 0x1000, .at = 'C', .muted = true},
    {.name = "mute: helo", .steps = 0x2000, .at = 'H', .muted = true},
    {.name = "mute: mail", .steps = 0x4000, .at = 'M', .muted = true},
    {.name = "mute: rcpt", .steps = 0x8000, .at = 'R', .muted = true},
    {.name = "mute: data", .steps = 0x10000, .at = 'T', .muted = true},
    {.name = "mute: header", .steps = 0x80, .at = 'L', .muted = true},
    {.name = "mute: end of headers", .steps = 0x40000, .at = 'N', .muted = true},
    {.name = "mute: body", .steps = 0x80000, .at = 'B', .muted = true},
    {.name = "the first space goes", .at = 'L', .seen = "LFrom|ann@example.org|"},
    {.name = "the first space stays where the milter wants it",
     .steps = STEP_LEADING_SPACE,
     .at = 'L',
     .seen = "LFrom| ann@example.org|"},
    {.name = "plain reject",
     .replies = {ON('R', "r")},
     .at = 'R',
     .verdict = WIRE_REJECT,
     .text = "550 5.7.1 Command rejected"},
    {.name = "plain tempfail",
     .replies = {ON('E', "t")},
     .at = 'E',
     .verdict = WIRE_TEMPFAIL,
     .text = "451 4.7.1 Service unavailable - try again later"},
    {.name = "reply code, permanent",
     .replies = {ON('R', "y553 5.7.1 no\0")},
     .at = 'R',
     .verdict = WIRE_REJECT,
     .text = "553 5.7.1 no"},
    {.name = "reply code, temporary, two lines",
     .replies = {ON('E', "y451-4.4.3 later\r\n451 4.4.3 please\0")},
     .at = 'E',
     .verdict = WIRE_TEMPFAIL,
     .text = "451-4.4.3 later\r\n451 4.4.3 please"},
    {.name = "double percent is one, single percent goes",
     .replies = {ON('E', "y550 5.7.1 50%% of a%b %%{x} %\0")},
     .at = 'E',
     .verdict = WIRE_REJECT,
     .text = "550 5.7.1 50% of ab %{x} "},
    {.name = "progress, then the answer",
     .replies = {ON('E', "p"), ON('E', "p"), ON('E', "r")},
     .at = 'E',
     .verdict = WIRE_REJECT,
     .text = "550 5.7.1 Command rejected"},
    {.name = "accept: the rest of the message is not shown",
     .replies = {ON('R', "a")},
     .at = 'R',
     .verdict = WIRE_ACCEPT,
     .unseen = "LFrom"},
    {.name = "discard",
     .replies = {ON('M', "d")},
     .at = 'M',
     .verdict = WIRE_DISCARD,
     .unseen = "R<x"},
    {.name = "reject at connect: nothing else is shown",
     .replies = {ON('C', "r")},
     .at = 'C',
     .verdict = WIRE_REJECT,
     .text = "550 5.7.1 Command rejected",
     .unseen = "M<ann"},
    {.name = "shutdown",
     .replies = {ON('M', "4")},
     .at = 'M',
     .verdict = WIRE_TEMPFAIL,
     .text = "421 4.7.0 Service unavailable - try again later",
     .unseen = "R<x"},
    {.name = "changes at the end, before the answer",
     .replies = {ON('E', "hX-Foo\0bar\0"), ON('E', "i\0\0\0\1Sender\0 a@b\0"), ON('E', "c")},
     .at = 'E',
     .change = "add X-Foo bar; insert Sender 1  a@b"},
    {.name = "quarantine and a new sender",
     .replies = {ON('E', "qwhy\0"), ON('E', "e<a@b>\0"), ON('E', "c")},
     .at = 'E',
     .change = "hold why; mail <a@b>"},
    {.name = "fields set and taken out",
     .replies = {ON('E', "m\0\0\0\2Sender\0a@b\0"), ON('E', "m\0\0\1\1Sender\0\0"),
                 ON('E', "iX\0\0\0Y\0\0"), ON('E', "c")},
     .at = 'E',
     .change = "set Sender 2 a@b; remove Sender 257; insert Y 1476395008 "},
    {.name = "a value brings its blank along where that was negotiated",
     .steps = STEP_LEADING_SPACE,
     .replies = {ON('E', "hX-Foo\0 bar\0"), ON('E', "m\0\0\0\1Sender\0a@b\0"), ON('E', "c")},
     .at = 'E',
     .change = "add X-Foo bar; set Sender 1a@b"},
    {.name = "recipients and the body",
     .replies = {ON('E', "+<a@b>\0"), ON('E', "2<c@d>\0"), ON('E', "-<e@f>\0"), ON('E', "bxyz"),
                 ON('E', "c")},
     .at = 'E',
     .change = "add-recipient <a@b>; add-recipient <c@d>; remove-recipient <e@f>; replace-body"},
    {.name = "a change of a field without an index",
     .replies = {ON('E', "m\0\0\0")},
     .fails = "answers 'm'"},
    {.name = "a change of a field without a value",
     .replies = {ON('E', "m\0\0\0\1Sender\0")},
     .fails = "answers 'm'"},
    {.name = "a change before the end is no answer",
     .replies = {ON('R', "hX-Foo\0bar\0")},
     .fails = "answers 'h'"},
    {.name = "a change without its end",
     .replies = {ON('E', "hX-Foo\0bar")},
     .fails = "answers 'h'"},
    {.name = "an unknown answer", .replies = {ON('R', "?")}, .fails = "answers '?'"},
    {.name = "a plain answer with data", .replies = {ON('R', "cx")}, .fails = "answers 'c'"},
    {.name = "a reply code of class 2", .replies = {ON('R', "y250 ok\0")}, .fails = "malformed"},
    {.name = "a reply code of two digits", .replies = {ON('R', "y55 no\0")}, .fails = "malformed"},
    {.name = "a reply code with NUL inside",
     .replies = {ON('R', "y550 n\0o\0")},
     .fails = "malformed"},
    {.name = "a reply line with another code",
     .replies = {ON('R', "y550-5.7.1 no\r\n551 5.7.1 no\0")},
     .fails = "malformed"},
    {.name = "a reply whose last line is not there",
     .replies = {ON('R', "y550-5.7.1 no\0")},
     .fails = "malformed"},
    {.name = "a reply line behind the last one",
     .replies = {ON('R', "y550 5.7.1 no\r\n550 5.7.1 no\0")},
     .fails = "malformed"},
    {.name = "a line end without CR",
     .replies = {ON('R', "y550 5.7.1 no\n550 5.7.1 no\0")},
     .fails = "malformed"},
    {.name = "a line end without LF",
     .replies = {ON('R', "y550 5.7.1 no\r550 5.7.1 no\0")},
     .fails = "malformed"},
    {.name = "a malformed reply is shown",
     .replies = {ON('R', "y2" X100 "\0")},
     .fails = "malformed: 2x"},
    {.name = "an empty packet", .replies = {ON('R', "")}, .fails = "packet of 0 octets"},
    {.name = "the milter hangs up", .hangs_up = true, .fails = "the milter"},
    {.name = "the milter is silent", .silent = true, .fails = "in time"},
    {.name = "a version that was not offered", .version = 7, .fails = "version 7"},
    {.name = "actions that were not offered", .actions = 0x200, .fails = "not offered"},
    {.name = "steps that were not offered", .steps = 0x200000, .fails = "not offered"},
};

/* ---- what no row shows ---- */

static void test_no_listener(void **state)
{
    struct errtext why = {""};
    (void)state;
    assert_null(wire_open("unix:/nonexistent/socket", TIMEOUT_MS, &why));
    assert_string_equal(why.text,
                        "cannot connect to /nonexistent/socket: No such file or directory");
}

static void test_long_path(void **state)
{
    struct errtext why = {""};
    char path[200] = "unix:/";
    (void)state;
    memset(path + 6, 'x', sizeof path - 7);
    assert_null(wire_open(path, TIMEOUT_MS, &why));
    assert_non_null(strstr(why.text, "a socket path has"));
}

static void test_bad_port(void **state)
{
    struct errtext why = {""};
    (void)state;
    assert_null(wire_open("inet:no-such-service@127.0.0.1", TIMEOUT_MS, &why));
    assert_non_null(strstr(why.text, "is no PORT@HOST"));
    assert_null(wire_open("inet:@127.0.0.1", TIMEOUT_MS, &why));
    assert_non_null(strstr(why.text, "is no PORT@HOST"));
}

/* A message that was accepted early says nothing about the next one of the session. */
static void test_next_message(void **state)
{
    static const struct row row = {.replies = {ON('R', "a")}};
    struct peer peer;
    struct wire_answer answer = {.verdict = WIRE_CONTINUE};
    struct errtext why = {""};
    (void)state;
    peer_start(&peer, &row);
    struct wire *w = wire_open(peer.address, TIMEOUT_MS, &why);
    assert_non_null(w);
    assert_true(mail_event(w, &answer, &why) && rcpt_event(w, &answer, &why));
    assert_int_equal(answer.verdict, WIRE_ACCEPT);
    assert_true(eom_event(w, &answer, &why));
    assert_false(answer.asked);
    assert_true(wire_abort(w, &why) && mail_event(w, &answer, &why));
    assert_true(answer.asked);
    wire_close(w);
    peer_join(&peer);
    peer_stop(&peer);
}

static void test_large_body(void **state)
{
    static const struct row row = {0};
    static char body[100000];
    struct peer peer;
    struct wire_answer answer = {.verdict = WIRE_CONTINUE};
    struct errtext why = {""};
    (void)state;
    memset(body, 'b', sizeof body);
    peer_start(&peer, &row);
    struct wire *w = wire_open(peer.address, TIMEOUT_MS, &why);
    assert_non_null(w);
    assert_true(mail_event(w, &answer, &why));
    assert_true(wire_body(w, body, sizeof body, &answer, &why));
    wire_close(w);
    peer_join(&peer);
    assert_int_equal(strcspn(strstr(peer.seen.text, "\nBb") + 2, "\n"), 65535);
    peer_stop(&peer);
}

int main(void)
{
    ROWS_ADD(rows, run_row);
    ROWS_ADD_TEST("nobody listens", test_no_listener);
    ROWS_ADD_TEST("a path that no socket can have", test_long_path);
    ROWS_ADD_TEST("a port that is none", test_bad_port);
    ROWS_ADD_TEST("a message accepted early leaves the next one alone", test_next_message);
    ROWS_ADD_TEST("a body goes in chunks of at most 65535 octets", test_large_body);
    return rows_main();
}
