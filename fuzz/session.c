/* session: the events of a connection, in any order. Input: the world, then events, a letter each
 * with its fields (see forms below); octets that are no letter of an event are passed over. */
#include "fuzz.h"
#include "naive.h"
#include "rights.h"
#include "world.h"

#include "session.h"

#include <strings.h>

/* ---- events ---- */

enum event_kind { CONNECT, HELO, MAIL, RCPT, HEADER, EOM, ABORT, CLOCK, DIRECTORY, EVENT_KINDS };

enum { FIELDS_MAX = 6, EVENTS_MAX = 200 };

struct event {
    enum event_kind kind;
    const char *text[FIELDS_MAX]; /* NULL for a macro that was not sent */
    unsigned octets[2];           /* CLOCK, DIRECTORY */
};

/* A field of name 'm' may be missing, one of name 't' is always there, 'o' is one octet. */
static const struct form {
    char letter;
    const char *fields;
} forms[EVENT_KINDS] = {
    [CONNECT] = {'c', "mmmmmm"}, /* address, port, listener, its port, own address, version */
    [HELO] = {'h', ""},
    [MAIL] = {'m', "tmmmm"}, /* argument, {mail_addr}, type, login, queue id */
    [RCPT] = {'r', "tmm"},   /* argument, {rcpt_addr}, queue id */
    [HEADER] = {'f', "tt"},  /* name, value */
    [EOM] = {'e', "m"},      /* queue id */
    [ABORT] = {'a', ""},
    [CLOCK] = {'t', "o"},      /* seconds */
    [DIRECTORY] = {'d', "oo"}, /* how it answers, and how where fresh data is asked for */
};

static enum event_kind kind_of(unsigned letter)
{
    int kind = 0;
    while (kind < EVENT_KINDS && forms[kind].letter != (char)letter)
        kind++;
    return (enum event_kind)kind;
}

static struct event read_event(struct fuzz_input *in, enum event_kind kind)
{
    struct event event = {.kind = kind};
    size_t octets = 0;
    for (size_t i = 0; forms[kind].fields[i]; i++) {
        char field = forms[kind].fields[i];
        if (field == 'o')
            event.octets[octets++] = fuzz_octet(in);
        else
            event.text[i] = field == 'm' ? fuzz_macro(in) : fuzz_string(in);
    }
    return event;
}

static size_t read_events(struct fuzz_input *in, struct event *events)
{
    size_t count = 0;
    while (in->left && count < EVENTS_MAX) {
        enum event_kind kind = kind_of(fuzz_octet(in));
        if (kind != EVENT_KINDS)
            events[count++] = read_event(in, kind);
    }
    return count;
}

/* ---- what the target knows of a message ---- */

enum { FROM, SENDER, RESENT_FROM, RESENT_SENDER, CLAIMS };

static const char *const claim_names[CLAIMS] = {"From", "Sender", "Resent-From", "Resent-Sender"};

struct known {
    bool open;
    const struct event *connect, *mail;
    const struct event *headers[EVENTS_MAX];
    size_t header_count;
};

static bool is_set(const char *macro)
{
    return macro && *macro;
}

static bool is_field(const struct event *header, int claim)
{
    return span_equal_nocase(span_trim(span_of(header->text[0])), span_of(claim_names[claim]));
}

static bool is_authenticated(const struct event *mail)
{
    return is_set(mail->text[2]) && is_set(mail->text[3]);
}

static bool says_half(const struct event *mail)
{
    return is_set(mail->text[2]) != is_set(mail->text[3]);
}

static bool is_non_smtp(const struct event *connect)
{
    const char *address = connect->text[0], *port = connect->text[1];
    bool here =
        !is_set(address) || strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
    return here && port && strcmp(port, "0") == 0;
}

static bool decodes_xtext(unsigned world, const struct event *connect)
{
    const char *version = connect->text[5];
    if (world & WORLD_SENDMAIL)
        return true;
    return is_set(version) && strncmp(version, "Postfix", strlen("Postfix")) != 0;
}

/* 0 for what is no digit: such a login is refused, and not compared. */
static unsigned hex_value(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (unsigned)(at - digits) : 0;
}

/* Who the client is, by our own reading of the macro. */
static const char *login_of(struct arena *a, unsigned world, const struct known *k)
{
    struct span raw = span_of(k->mail->text[3]);
    bool xtext = decodes_xtext(world, k->connect);
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (xtext && c == '+' && i + 2 < raw.len) {
            c = (char)(hex_value(raw.data[i + 1]) << 4 | hex_value(raw.data[i + 2]));
            i += 2;
        }
        if (world & WORLD_MASTER && c == '*')
            break;
        strbuf_add_char(&b, ascii_lower(c));
    }
    return b.text;
}

/* ---- claims ---- */

struct play {
    struct arena *arena;
    unsigned world;
    struct session *session;
    struct known known;
    struct strbuf transcript; /* of the message: answers and records */
    unsigned records;
};

static bool has_tags(const struct play *p)
{
    return (p->world & WORLD_TAGS) != 0;
}

static bool is_line(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return true;
}

static bool is_reason(const char *text, const char *reason)
{
    size_t len = strlen(reason);
    return strncmp(text, reason, len) == 0 && text[len] == ':';
}

/* A permanent refusal that rests on the directory needs a fresh and whole answer. */
static void check_freshness(const struct reply *reply)
{
    static const char *const resting[] = {"sender-not-granted", "from-not-granted",
                                          "login-disabled"};
    for (size_t i = 0; i < sizeof resting / sizeof resting[0]; i++)
        FUZZ_CLAIM(!is_reason(reply->lines[0], resting[i]) || desk.fresh);
}

static void check_reply(const struct session_answer *answer)
{
    const struct reply *reply = &answer->reply;
    char class = answer->effect == EFFECT_REJECT ? '5' : '4';
    if (answer->effect == EFFECT_ACCEPT)
        return;
    FUZZ_CLAIM(strlen(reply->code) == 3 && reply->code[0] == class);
    FUZZ_CLAIM(strlen(reply->enhanced) >= 5 && reply->enhanced[0] == class);
    FUZZ_CLAIM(reply->line_count >= 1 && reply->line_count <= REPLY_LINES_MAX);
    for (size_t i = 0; i < reply->line_count; i++)
        FUZZ_CLAIM(strlen(reply->lines[i]) < REPLY_TEXT_MAX && is_line(reply->lines[i]));
    if (answer->effect == EFFECT_REJECT)
        check_freshness(reply);
}

static bool is_local(const char *address)
{
    const char *at = strrchr(address, '@');
    for (size_t i = 0; at && i < sizeof local_domains / sizeof local_domains[0]; i++)
        if (strcmp(at + 1, local_domains[i]) == 0)
            return true;
    return false;
}

/* The envelope sender of an accepted command: what the MTA made of it, else what was typed. */
static void check_sender(struct play *p, const char *login)
{
    const struct event *mail = p->known.mail;
    struct span typed = inside_path(mail->text[0]);
    struct span judged = is_set(mail->text[1]) ? span_of(mail->text[1]) : typed;
    FUZZ_CLAIM(may_use(p->arena, has_tags(p), login, judged, IN_ENVELOPE));
    if (memchr(typed.data, '@', typed.len))
        FUZZ_CLAIM(may_use(p->arena, has_tags(p), login, typed, IN_ENVELOPE));
}

static void check_who(struct play *p)
{
    const struct known *k = &p->known;
    FUZZ_CLAIM(!says_half(k->mail));
    if (!is_authenticated(k->mail))
        return;
    const char *login = login_of(p->arena, p->world, k);
    FUZZ_CLAIM(is_known(login) && strcmp(login, disabled_login) != 0);
    FUZZ_CLAIM(desk.found);
    check_sender(p, login);
}

/* Somebody who proved nothing, and whom nobody trusts. */
static bool is_outsider(const struct play *p)
{
    const char *address = p->known.connect->text[0];
    bool trusted = p->world & WORLD_TRUSTED && address && strstr(address, "192.0.2.");
    return !is_authenticated(p->known.mail) && !trusted && !is_non_smtp(p->known.connect);
}

static void check_outsider(struct play *p, const struct event *rcpt)
{
    struct span typed = inside_path(rcpt->text[0]);
    struct span judged = is_set(rcpt->text[1]) ? span_of(rcpt->text[1]) : typed;
    struct span sender = inside_path(p->known.mail->text[0]);
    const char *to = plain_address(p->arena, judged);
    bool own = judged.len && judged.data[judged.len - 1] == ']';
    bool postmaster = strcmp(plain_address(p->arena, typed), "postmaster") == 0;
    FUZZ_CLAIM(is_local(to) || own || postmaster);
    FUZZ_CLAIM(!is_local(plain_address(p->arena, sender)));
}

static void check_accepted_rcpt(struct play *p, const struct event *rcpt)
{
    if (is_non_smtp(p->known.connect))
        return;
    check_who(p);
    const char *listener = p->known.connect->text[2];
    if (listener && strcasecmp(listener, "ORIGINATING") == 0)
        FUZZ_CLAIM(is_authenticated(p->known.mail));
    if (is_outsider(p))
        check_outsider(p, rcpt);
}

static const struct event *only_field(const struct known *k, int claim)
{
    const struct event *only = NULL;
    for (size_t i = 0; i < k->header_count; i++) {
        if (!is_field(k->headers[i], claim))
            continue;
        FUZZ_CLAIM(!only);
        only = k->headers[i];
    }
    return only;
}

/* Gives how many mailboxes the field has, all of which must be the login's. */
static size_t check_field(struct play *p, const struct event *header, const char *login,
                          enum use use)
{
    struct naive naive = naive_begin(p->arena, span_of(header->text[1]));
    struct span text;
    size_t count = 0;
    for (; naive_next(&naive, &text); count++)
        FUZZ_CLAIM(may_use(p->arena, has_tags(p), login, text, use));
    return count;
}

/* An address that is nobody's, in plain sight. */
static void check_name(const char *value)
{
    static const char victim[] = "victim@bank.example";
    const char *at = strcasestr(value, victim);
    char after = at ? at[sizeof victim - 1] : '\0';
    bool longer = ascii_is_alpha(after) || ascii_is_digit(after) || (after && strchr("-._", after));
    FUZZ_CLAIM(!at || longer || (unsigned char)after >= 0x80 || strstr(value, "=?"));
}

static void check_claims(struct play *p, const char *login)
{
    const struct known *k = &p->known;
    const struct event *from = only_field(k, FROM);
    FUZZ_CLAIM(from && check_field(p, from, login, AS_AUTHOR) == 1);
    check_name(from->text[1]);
    (void)only_field(k, SENDER);
    for (size_t i = 0; i < k->header_count; i++)
        for (int claim = SENDER; claim < CLAIMS; claim++)
            if (is_field(k->headers[i], claim))
                FUZZ_CLAIM(check_field(p, k->headers[i], login, IN_HEADER) <= 1 ||
                           claim == RESENT_FROM);
}

static void check_bounds(const struct play *p)
{
    size_t max_headers = p->world & WORLD_NARROW ? NARROW_HEADERS : WIDE_HEADERS;
    size_t max_size = p->world & WORLD_NARROW ? NARROW_SIZE : WIDE_SIZE;
    FUZZ_CLAIM(p->known.header_count <= max_headers);
    for (size_t i = 0; i < p->known.header_count; i++)
        for (int claim = FROM; claim < CLAIMS; claim++)
            if (is_field(p->known.headers[i], claim))
                FUZZ_CLAIM(strlen(p->known.headers[i]->text[1]) <= max_size);
}

static void check_accepted_message(struct play *p)
{
    check_who(p);
    if (!is_authenticated(p->known.mail))
        return;
    check_claims(p, login_of(p->arena, p->world, &p->known));
    check_bounds(p);
}

/* ---- playing ---- */

static void decided(void *context, const struct record *record)
{
    struct play *p = context;
    struct strbuf text, json;
    strbuf_init(&text, p->arena);
    strbuf_init(&json, p->arena);
    record_text(record, &text);
    record_json(record, &json);
    FUZZ_CLAIM(is_line(text.text) && !strchr(json.text, '\n') && json.len > 0);
    strbuf_printf(&p->transcript, "%s\n", text.text);
    p->records++;
}

static void note_answer(struct play *p, const struct session_answer *answer)
{
    check_reply(answer);
    strbuf_printf(&p->transcript, "%d ", (int)answer->effect);
    if (answer->effect != EFFECT_ACCEPT)
        strbuf_printf(&p->transcript, "%s %s %s", answer->reply.code, answer->reply.enhanced,
                      answer->reply.lines[0]);
    strbuf_add_char(&p->transcript, '\n');
}

static void forget_message(struct play *p)
{
    p->known.open = false;
    p->known.header_count = 0;
    desk.found = desk.fresh = false;
    strbuf_init(&p->transcript, p->arena);
    p->records = 0;
}

static void on_connect(struct play *p, const struct event *e)
{
    forget_message(p);
    p->known.connect = e;
    session_connect(p->session, &(struct session_connect){
                                    .client_name = "client.example",
                                    .client_addr = e->text[0],
                                    .client_port = e->text[1],
                                    .listener = e->text[2],
                                    .port = e->text[3],
                                    .own_addr = e->text[4],
                                    .version = e->text[5],
                                });
}

static void on_helo(struct play *p, const struct event *e)
{
    (void)e;
    forget_message(p);
    session_helo(p->session);
}

static void on_mail(struct play *p, const struct event *e)
{
    forget_message(p);
    p->known.open = true;
    p->known.mail = e;
    struct session_answer answer =
        session_mail(p->session, &(struct session_mail){.argument = e->text[0],
                                                        .mail_addr = e->text[1],
                                                        .auth_type = e->text[2],
                                                        .auth_authen = e->text[3],
                                                        .queue_id = e->text[4]});
    FUZZ_CLAIM(answer.effect == EFFECT_ACCEPT || p->world & WORLD_AT_MAIL);
    if (answer.effect == EFFECT_ACCEPT && p->world & WORLD_AT_MAIL &&
        !is_non_smtp(p->known.connect))
        check_who(p);
    note_answer(p, &answer);
}

static void on_rcpt(struct play *p, const struct event *e)
{
    struct session_answer answer = session_rcpt(
        p->session, &(struct session_rcpt){
                        .argument = e->text[0], .rcpt_addr = e->text[1], .queue_id = e->text[2]});
    FUZZ_CLAIM(p->known.open || answer.effect == EFFECT_TEMPFAIL);
    if (answer.effect == EFFECT_ACCEPT)
        check_accepted_rcpt(p, e);
    note_answer(p, &answer);
}

static void on_header(struct play *p, const struct event *e)
{
    if (p->known.open)
        p->known.headers[p->known.header_count++] = e;
    session_header(p->session, e->text[0], e->text[1]);
}

static void on_eom(struct play *p, const struct event *e)
{
    unsigned before = p->records;
    struct session_answer answer = session_eom(p->session, e->text[0]);
    FUZZ_CLAIM(p->known.open || answer.effect == EFFECT_TEMPFAIL);
    FUZZ_CLAIM(p->records == before + p->known.open);
    if (answer.effect == EFFECT_ACCEPT)
        check_accepted_message(p);
    note_answer(p, &answer);
}

static void on_abort(struct play *p, const struct event *e)
{
    (void)e;
    forget_message(p);
    session_abort(p->session);
}

static void on_clock(struct play *p, const struct event *e)
{
    (void)p;
    fake.now += e->octets[0] * CLOCK_S;
}

static void on_directory(struct play *p, const struct event *e)
{
    (void)p;
    desk.how[0] = e->octets[0];
    desk.how[1] = e->octets[1];
}

static void (*const players[EVENT_KINDS])(struct play *p, const struct event *e) = {
    [CONNECT] = on_connect, [HELO] = on_helo,     [MAIL] = on_mail,
    [RCPT] = on_rcpt,       [HEADER] = on_header, [EOM] = on_eom,
    [ABORT] = on_abort,     [CLOCK] = on_clock,   [DIRECTORY] = on_directory,
};

static const struct event usual_connect = {
    CONNECT,
    {"192.0.2.10", "40000", "mx.example.org", "25", "192.0.2.1", "Postfix 3.7.11"},
    {0, 0}};

static void begin(struct play *p, struct arena *a, unsigned world, struct session_host *host)
{
    *p = (struct play){.arena = a, .world = world};
    *host = (struct session_host){.slot = slot_of(world),
                                  .clock = &fake.clock,
                                  .decided = decided,
                                  .context = p,
                                  .refuse_at_mail = (world & WORLD_AT_MAIL) != 0};
    p->session = session_create(host);
    on_connect(p, &usual_connect);
}

/* Where a message began, and what the world was like. */
struct start {
    size_t event;
    const struct event *connect;
    uint64_t now;
    unsigned how[2];
};

/* The same message as the first one of another session must be judged alike. */
static void check_alone(const struct play *p, const struct event *events, const struct start *start,
                        size_t end)
{
    struct play alone;
    struct session_host host;
    uint64_t now = fake.now;
    fake.now = start->now;
    desk.how[0] = start->how[0];
    desk.how[1] = start->how[1];
    begin(&alone, p->arena, p->world, &host);
    on_connect(&alone, start->connect);
    for (size_t i = start->event; i <= end; i++)
        players[events[i].kind](&alone, &events[i]);
    FUZZ_CLAIM(span_equal(strbuf_span(&p->transcript), strbuf_span(&alone.transcript)));
    session_destroy(alone.session);
    fake.now = now;
}

static void play_events(struct play *p, const struct event *events, size_t count)
{
    struct start start = {.connect = &usual_connect};
    for (size_t i = 0; i < count; i++) {
        bool ends = events[i].kind == EOM && p->known.open;
        if (events[i].kind == MAIL)
            start = (struct start){i, p->known.connect, fake.now, {desk.how[0], desk.how[1]}};
        players[events[i].kind](p, &events[i]);
        if (ends) {
            check_alone(p, events, &start, i);
            forget_message(p);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    struct event *events = arena_array(a, EVENTS_MAX, sizeof *events);
    struct session_host host;
    struct play *p = arena_alloc(a, sizeof *p);
    unsigned world = fuzz_octet(&in);
    size_t count = read_events(&in, events);
    fake.now = CLOCK_S;
    desk.how[0] = desk.how[1] = 0;
    begin(p, a, world, &host);
    play_events(p, events, count);
    session_destroy(p->session);
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
