/* session: what it asks the directories, when, and how often. */
#include "rows.h"

#include "session.h"
#include "strbuf.h"
#include "xalloc.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANN  "ann@example.net"
#define BOB  "bob@example.net"
#define CARL "carl@example.net"
#define LATE "directory-unavailable"

/* ---- a directory that is told what to say ---- */

/* What it says of one question: "own", "other" (who owns it), "nobody", "silent", "wrong", and
 * "late" (it keeps the ticket); with "-old" behind it, the answer is not fresh. */
struct teller {
    struct dir_backend backend;
    const char
        *script;      /* a line each: ADDRESS FIRST [AGAIN [THIRD]]; "nobody" where there is none */
    bool old_account; /* as it is found at first */
    bool narrow;      /* and without a right to the domain */
    struct strbuf asked; /* every question, a blank behind it, "!" where it must be fresh */
    struct dir_ticket *held[64];
    unsigned held_count;
    struct jumping_clock *clock;
    uint64_t takes; /* on that clock, a question of the account */
    unsigned tickets;
    bool quiet; /* notes no question */
};

struct jumping_clock {
    struct clock clock;
    uint64_t now;
};

static uint64_t jumping_now(const struct clock *self)
{
    return ((const struct jumping_clock *)(const void *)self)->now;
}

/* How often an address was asked about before. */
static unsigned times_asked(const struct teller *t, const char *key)
{
    unsigned count = 0;
    for (const char *at = t->asked.text; (at = strstr(at, key)) != NULL; at++)
        count += at == t->asked.text || at[-1] == ' ';
    return count;
}

/* The n-th word behind the address, or the last one. */
static const char *scripted_word(struct arena *a, const struct teller *t, const char *key,
                                 unsigned n)
{
    size_t len = strlen(key);
    for (const char *line = t->script; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) != 0 || line[len] != ' ')
            continue;
        char *rest = arena_copy(a, span_sub(span_of(line), len + 1, strcspn(line, "\n") - len - 1));
        char *word = strsep(&rest, " ");
        for (; n > 0 && rest; n--)
            word = strsep(&rest, " ");
        return word;
    }
    return "nobody";
}

static bool starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void add_source(struct account_answer *answer, const char *entry)
{
    struct account_source *source = arena_alloc(answer->arena, sizeof *source);
    *source = (struct account_source){"test", arena_strdup(answer->arena, entry)};
    answer->account.sources = source;
    answer->account.source_count = 1;
}

static void fill_owners(struct account_answer *answer, const char *word)
{
    static const struct {
        const char *word;
        enum account_status status;
    } rows[] = {{"own", ACCOUNT_FOUND},
                {"other", ACCOUNT_FOUND},
                {"nobody", ACCOUNT_UNKNOWN},
                {"silent", ACCOUNT_UNAVAILABLE},
                {"wrong", ACCOUNT_MISCONFIGURED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (starts(word, rows[i].word))
            answer->status = rows[i].status;
    answer->missing = ACCOUNT_FOUND;
    answer->why = "because";
    answer->fresh = answer->status >= ACCOUNT_UNKNOWN && !strstr(word, "-old");
    if (answer->status == ACCOUNT_FOUND)
        add_source(answer, starts(word, "own") ? "ann" : "somebody");
}

/* ann has her own address and the whole domain. */
static void fill_account(struct account_answer *answer, bool old, bool narrow)
{
    static const struct grant grants[] = {
        {.form = GRANT_EXACT, .key = ANN, .directory = "test", .entry = "e", .attribute = "a"},
        {.form = GRANT_DOMAIN,
         .key = "example.net",
         .directory = "test",
         .entry = "e",
         .attribute = "a"},
    };
    static const struct grant_list all = {grants, 2}, one = {grants, 1};
    answer->status = answer->missing = ACCOUNT_FOUND;
    answer->fresh = !old;
    answer->account = (struct account){
        .name = "ann", .entry = "ann", .primary = ANN, .lists = narrow ? &one : &all};
    answer->account.list_count = 1;
    add_source(answer, "ann");
}

static void note_question(struct teller *t, const struct dir_question *q)
{
    if (q->ask == DIR_ASK_ACCOUNT)
        strbuf_printf(&t->asked, "%s:%s", principal_kind_name(q->principal.kind),
                      principal_name(&q->principal));
    for (size_t i = 0; q->ask == DIR_ASK_OWNERS && i < q->address_count; i++)
        strbuf_printf(&t->asked, "%s%s", i ? "," : "", q->addresses[i]);
    strbuf_printf(&t->asked, "%s ", q->fresh ? "!" : "");
}

static void tell_owners(struct teller *t, struct dir_ticket *ticket, struct account_answer *answer)
{
    const char *key = dir_ticket_question(ticket)->addresses[0];
    const char *word = scripted_word(answer->arena, t, key, times_asked(t, key) - 1);
    if (strcmp(word, "late") == 0) {
        account_answer_unref(answer);
        t->held[t->held_count++] = ticket;
        return;
    }
    fill_owners(answer, word);
    dir_ticket_done(ticket, answer);
}

static void teller_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct teller *t = (struct teller *)self;
    const struct dir_question *question = dir_ticket_question(ticket);
    struct account_answer *answer = account_answer_create();
    t->tickets++;
    if (!t->quiet)
        note_question(t, question);
    answer->asked_at = dir_ticket_now(ticket);
    if (question->ask == DIR_ASK_OWNERS) {
        tell_owners(t, ticket, answer);
        return;
    }
    bool old = t->old_account && !question->fresh;
    fill_account(answer, old, old && t->narrow);
    if (t->clock)
        t->clock->now += t->takes;
    dir_ticket_done(ticket, answer);
}

static void teller_destroy(struct dir_backend *self)
{
    struct teller *t = (struct teller *)self;
    for (unsigned i = 0; i < t->held_count; i++)
        dir_ticket_fail(t->held[i], ACCOUNT_UNAVAILABLE, "closed");
    arena_destroy(t->asked.arena);
    free(t);
}

static struct teller *teller_create(const char *name, const char *script)
{
    static const struct dir_ops ops = {"teller", teller_ask, teller_destroy};
    struct teller *t = xcalloc(1, sizeof *t);
    t->backend = (struct dir_backend){
        .ops = &ops,
        .name = name,
        .knows_owners = true,
        .merge = true,
        .principals = PRINCIPAL_BIT(PRINCIPAL_CERT) | PRINCIPAL_BIT(PRINCIPAL_NETWORK),
    };
    t->script = script;
    strbuf_init(&t->asked, arena_create());
    return t;
}

/* ---- a session with such directories ---- */

struct world {
    struct snapshot *snapshot; /* being made */
    struct policy *policy;     /* the only one, but for the built-in ones */
    struct teller *one, *two;
    struct snapshot_slot slot;
    struct session_host host;
    struct session *session;
    char last[2000]; /* the last record */
};

static void decided(void *context, const struct record *record)
{
    struct world *w = context;
    struct arena *a = arena_create();
    struct strbuf text;
    strbuf_init(&text, a);
    record_text(record, &text);
    (void)snprintf(w->last, sizeof w->last, "%s", text.text);
    arena_destroy(a);
}

static struct snapshot *make_snapshot(struct world *w, const char *script)
{
    struct snapshot *s = snapshot_create();
    s->login.fold_case = s->address.fold_local_part = true;
    s->address.delimiters = "+";
    s->command_budget = 20 * CLOCK_MS;
    s->max_headers = 1000;
    s->max_header_size = 100000;
    s->policy_count = 1 + POLICY_BUILTINS;
    s->policies = arena_array(s->arena, s->policy_count, sizeof *s->policies);
    policy_defaults(&s->policies[0]);
    policy_builtins(s->policies + 1);
    w->policy = &s->policies[0];
    w->policy->name = "test";
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 4, .clock = &clock_real});
    w->one = teller_create("one", script);
    w->two = teller_create("two", "");
    assert_true(dir_add(s->dir, &w->one->backend) &&
                domset_add(s->local_domains, span_of("example.net"), NULL));
    return s;
}

/* Then set what is to be set in w->snapshot, and publish(). */
static struct world *begin(const char *script)
{
    struct world *w = xcalloc(1, sizeof *w);
    snapshot_slot_init(&w->slot);
    w->snapshot = make_snapshot(w, script);
    w->host = (struct session_host){
        .slot = &w->slot, .clock = &clock_real, .decided = decided, .context = w};
    return w;
}

static void publish(struct world *w)
{
    snapshot_publish(&w->slot, w->snapshot);
    w->session = session_create(&w->host);
    session_connect(w->session, &(struct session_connect){.client_addr = "192.0.2.1",
                                                          .client_port = "4000",
                                                          .host_name = "mx.example.net",
                                                          .version = "Postfix 3.7.11"});
}

static void end(struct world *w)
{
    session_destroy(w->session);
    snapshot_slot_clear(&w->slot);
    w->two->backend.ops->destroy(&w->two->backend);
    free(w);
}

static struct session_answer mail(struct world *w, const char *address)
{
    char argument[300];
    (void)snprintf(argument, sizeof argument, "<%s>", address);
    return session_mail(
        w->session,
        &(struct session_mail){.argument = argument, .auth_type = "PLAIN", .auth_authen = "ann"});
}

static struct session_answer rcpt(struct world *w, const char *address)
{
    char argument[300];
    (void)snprintf(argument, sizeof argument, "<%s>", address);
    return session_rcpt(w->session, &(struct session_rcpt){.argument = argument});
}

/* NULL for an answer that accepts. */
static void check_reason(const struct session_answer *answer, const char *want)
{
    assert_int_equal(effect_refuses(answer->effect), want != NULL);
    if (want)
        assert_memory_equal(answer->reply.lines[0], want, strlen(want));
}

static void check_asked(const struct world *w, const char *want)
{
    assert_string_equal(w->one->asked.text, want);
}

/* ---- rows ---- */

struct row {
    const char *name;
    const char *script;
    const char *policy; /* words: "unowned", "known", "accept" an outage, "narrow" */
    bool old_account;
    const char *sender; /* NULL for ann@example.net */
    const char *rcpts;  /* blank-separated: ADDRESS or ADDRESS=REASON; NULL for x@other.example */
    const char *asked;  /* up to there */
    const char *from;   /* "" for no end of the message, NULL for ann@example.net */
    const char *sender_field;
    const char *reason; /* at the end */
    const char *in_all; /* what was asked; NULL for the same as asked */
};

#define ME    "sasl:ann "
#define OTHER " x@other.example"

static const struct row rows[] = {
    {"an address that is granted by itself needs no owner", "", "unowned", .asked = ME},
    {"nor does one of the domain, unless the policy says so", BOB " other", "", .sender = BOB,
     .asked = ME, .from = CARL},
    {"an address of the domain is asked about once, for all recipients and for From", BOB " nobody",
     "unowned", .sender = BOB, .rcpts = "x@a.example y@a.example z@a.example", .asked = ME BOB " ",
     .from = BOB},
    {"From waits for the end of the message", CARL " nobody", "unowned", .asked = ME, .from = CARL,
     .in_all = ME CARL " "},
    {"every claim, and each once", "", "unowned", .sender = BOB, .asked = ME BOB " ",
     .from = "\"d@example.net " BOB "\" <" CARL ">", .sender_field = "d@example.net",
     .in_all = ME BOB " d@example.net " CARL " "},
    {"what is one's own is granted", BOB " own", "unowned", .sender = BOB, .asked = ME BOB " ",
     .from = BOB},
    {"what is another's is not, at RCPT", BOB " other", "unowned", .sender = BOB,
     .rcpts = "x@a.example=sender-not-granted y@a.example=sender-not-granted", .asked = ME BOB " ",
     .from = ""},
    {"what is another's is not, at the end", CARL " other", "unowned", .asked = ME, .from = CARL,
     .reason = "from-not-granted", .in_all = ME CARL " "},
    {"all spellings are asked about", "", "unowned", .sender = "bob+x@example.net",
     .asked = ME "bob+x@example.net," BOB " ", .from = BOB,
     .in_all = ME "bob+x@example.net," BOB " " BOB " "},
    {"no answer is no yes, and no no", BOB " silent", "unowned", .sender = BOB,
     .rcpts = "x@a.example=" LATE " y@a.example=" LATE, .asked = ME BOB " ", .from = ""},
    {"nor is one that comes too late", BOB " late", "unowned", .sender = BOB,
     .rcpts = "x@a.example=" LATE " y@a.example=" LATE, .asked = ME BOB " ", .from = ""},
    {"nor is one that cannot be right", BOB " wrong", "unowned", .sender = BOB,
     .rcpts = "x@a.example=misconfigured", .asked = ME BOB " ", .from = ""},
    {"a refusal that needs no owner asks for none", BOB " nobody", "unowned", .asked = ME,
     .from = "<" BOB, .sender_field = BOB, .reason = "from-malformed"},

    {"that nobody owned it is good enough, however old", BOB " nobody-old", "unowned",
     .sender = BOB, .asked = ME BOB " ", .from = BOB},
    {"an old owner is asked again, once, and the better answer stays", BOB " other-old nobody",
     "unowned", .sender = BOB, .rcpts = "x@a.example y@a.example", .asked = ME BOB " " BOB "! ",
     .from = BOB},
    {"an old owner who still is", BOB " other-old other", "unowned", .sender = BOB,
     .rcpts = "x@a.example=sender-not-granted y@a.example=sender-not-granted",
     .asked = ME BOB " " BOB "! ", .from = ""},
    {"an old owner, and an outage: asked once a stage", BOB " other-old silent nobody",
     "unowned accept", .sender = BOB, .rcpts = "x@a.example y@a.example",
     .asked = ME BOB " " BOB "! ", .from = BOB, .in_all = ME BOB " " BOB "! " BOB "! "},
    {"an old owner, and an outage: the first answer stays", BOB " other-old silent silent",
     "unowned", .sender = BOB, .rcpts = "x@a.example=" LATE " y@a.example=" LATE,
     .asked = ME BOB " " BOB "! ", .from = ""},
    {"the account is asked again beside it, where that is old too", BOB " other-old nobody",
     "unowned", .old_account = true, .sender = BOB, .asked = ME BOB " sasl:ann! " BOB "! ",
     .from = BOB},
    {"an owner who is learnt of by the fresh account is asked again too", BOB " other-old nobody",
     "unowned narrow", .old_account = true, .sender = BOB,
     .asked = ME "sasl:ann! " BOB " " BOB "! ", .from = BOB},

    {"each recipient is asked about, every time", BOB " other", "known",
     .rcpts = BOB " " CARL "=recipient-unknown " BOB, .asked = ME BOB " " CARL " " BOB " "},
    {"only local ones", "", "known", .rcpts = "x@other.example x@mail.example.net", .asked = ME},
    {"not postmaster", "", "known", .rcpts = "postmaster@example.net postmaster", .asked = ME},
    {"not without the check", "", "", .rcpts = BOB, .asked = ME},
    {"not where it is refused anyway", "", "known", .sender = "<", .rcpts = BOB "=sender-malformed",
     .asked = ME, .from = ""},
    {"all spellings of a recipient", "", "known", .rcpts = "bob+x@example.net=recipient-unknown",
     .asked = ME "bob+x@example.net," BOB " ", .from = ""},
    {"an outage is no unknown recipient", BOB " silent", "known", .rcpts = BOB "=" LATE,
     .asked = ME BOB " ", .from = ""},
    {"that he was known is good enough, however old", BOB " other-old", "known", .rcpts = BOB,
     .asked = ME BOB " "},
    {"each recipient who was not known is asked about again",
     BOB " nobody-old other\n" CARL " nobody-old nobody", "known",
     .rcpts = BOB " " CARL "=recipient-unknown", .asked = ME BOB " " BOB "! " CARL " " CARL "! "},
    {"and the old answer refuses nobody", BOB " nobody-old silent", "known", .rcpts = BOB "=" LATE,
     .asked = ME BOB " " BOB "! ", .from = ""},
    {"recipient and sender", BOB " nobody\n" CARL " other", "known unowned", .sender = BOB,
     .rcpts = CARL, .asked = ME BOB " " CARL " ", .from = CARL, .reason = "from-not-granted",
     .in_all = ME BOB " " CARL " " CARL " "},
};

static bool has_word(const struct row *row, const char *word)
{
    return strstr(row->policy, word) != NULL;
}

static void set_policy(struct world *w, const struct row *row)
{
    struct policy *p = w->policy;
    p->unowned_domains = has_word(row, "unowned");
    if (has_word(row, "known"))
        p->actions[CHECK_KNOWN_RECIPIENT] = ACTION_REJECT;
    if (has_word(row, "accept"))
        p->actions[CHECK_DIRECTORY_UNAVAILABLE] = ACTION_ACCEPT;
    p->actions[CHECK_DISPLAY_NAME] = ACTION_REJECT;
}

static void play_rcpts(struct world *w, const struct row *row)
{
    char *copy = xstrdup(row->rcpts ? row->rcpts : OTHER), *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        char *reason = strchr(word, '=');
        if (!*word)
            continue;
        if (reason)
            *reason++ = '\0';
        struct session_answer answer = rcpt(w, word);
        check_reason(&answer, reason);
    }
    free(copy);
}

static void play_end(struct world *w, const struct row *row)
{
    if (row->from && !*row->from)
        return;
    session_header(w->session, "From", row->from ? row->from : ANN);
    if (row->sender_field)
        session_header(w->session, "Sender", row->sender_field);
    struct session_answer answer = session_eom(w->session, NULL);
    check_reason(&answer, row->reason);
}

static void asks(void **state)
{
    const struct row *row = *state;
    struct world *w = begin(row->script);
    set_policy(w, row);
    w->one->old_account = row->old_account;
    w->one->narrow = has_word(row, "narrow");
    publish(w);
    (void)mail(w, row->sender ? row->sender : ANN);
    play_rcpts(w, row);
    check_asked(w, row->asked);
    play_end(w, row);
    check_asked(w, row->in_all ? row->in_all : row->asked);
    end(w);
}

/* ---- who is asked ---- */

static void the_policy_says_which_directories(void **state)
{
    (void)state;
    static const char *const names[] = {"two"};
    struct world *w = begin(BOB " other");
    w->policy->unowned_domains = true;
    w->policy->actions[CHECK_KNOWN_RECIPIENT] = ACTION_REJECT;
    w->policy->directories = (struct policy_strings){names, 1};
    struct teller *two = w->two;
    assert_true(dir_add(w->snapshot->dir, &two->backend));
    w->two = teller_create("three", "");
    publish(w);
    (void)mail(w, BOB);
    struct session_answer answer = rcpt(w, CARL);
    check_reason(&answer, "recipient-unknown");
    check_asked(w, "");
    assert_string_equal(two->asked.text, ME BOB " " CARL " ");
    end(w);
}

static void a_network_is_asked_about(void **state)
{
    (void)state;
    static const struct network networks[] = {{.name = "192.0.2.0/24", .is_block = true}};
    struct network network = networks[0];
    struct world *w = begin("");
    assert_true(net_parse(span_of(network.name), &network.net, NULL));
    w->snapshot->networks = (struct network_set){&network, 1};
    publish(w);
    (void)session_mail(w->session, &(struct session_mail){.argument = "<" ANN ">"});
    struct session_answer answer = rcpt(w, BOB);
    check_reason(&answer, NULL);
    check_asked(w, "network:192.0.2.0/24 ");
    end(w);
}

static void a_certificate_is_asked_about(void **state)
{
    (void)state;
    static const char *const issuers[] = {"CN=ca"};
    struct world *w = begin("");
    w->snapshot->cert_issuers = (struct policy_strings){issuers, 1};
    publish(w);
    (void)session_mail(w->session, &(struct session_mail){.argument = "<" ANN ">",
                                                          .cert_subject = "CN=host",
                                                          .cert_issuer = "CN=ca"});
    struct session_answer answer = rcpt(w, BOB);
    check_reason(&answer, NULL);
    check_asked(w, "cert:CN=host ");
    end(w);
}

static void nobody_is_asked_about_an_outsider(void **state)
{
    (void)state;
    struct world *w = begin("");
    w->policy->unowned_domains = true;
    publish(w);
    (void)session_mail(w->session, &(struct session_mail){.argument = "<" ANN ">"});
    (void)rcpt(w, BOB);
    session_header(w->session, "From", CARL);
    (void)session_eom(w->session, NULL);
    check_asked(w, "");
    end(w);
}

/* ---- bounds ---- */

/* Of more addresses than a person has, some stay unknown. */
static void owners_of_one_message_are_bounded(void **state)
{
    (void)state;
    struct world *w = begin("");
    struct strbuf from;
    struct arena *a = arena_create();
    w->policy->unowned_domains = true;
    w->policy->actions[CHECK_MULTIPLE_FROM] = ACTION_ALLOW;
    publish(w);
    for (unsigned count = 64; count <= 65; count++) {
        (void)mail(w, ANN);
        (void)rcpt(w, "x@other.example");
        unsigned before = w->one->tickets;
        strbuf_init(&from, a);
        for (unsigned i = 0; i < count; i++)
            strbuf_printf(&from, "%sa%u@example.net", i ? ",\n " : "", i);
        session_header(w->session, "From", from.text);
        session_header(w->session, "Sender", ANN);
        struct session_answer answer = session_eom(w->session, NULL);
        check_reason(&answer, count == 64 ? NULL : LATE);
        assert_int_equal(w->one->tickets - before, 64);
    }
    arena_destroy(a);
    end(w);
}

/* What the account took is taken from what is left for the owners; with nothing left, an answer
 * that is there is taken all the same. */
static void the_budget_is_of_the_event(void **state)
{
    (void)state;
    struct jumping_clock clock = {{jumping_now}, CLOCK_S};
    struct world *w = begin(BOB " late\n" CARL " nobody");
    w->host.clock = &clock.clock;
    w->snapshot->command_budget = 60 * CLOCK_S;
    w->policy->unowned_domains = true;
    w->one->old_account = true;
    w->one->clock = &clock;
    w->one->takes = 61 * CLOCK_S;
    publish(w);
    w->host.refuse_at_mail = true; /* the lookup is joined in the event that starts it */
    uint64_t before = clock_now(&clock_real);
    struct session_answer answer = mail(w, BOB);
    check_reason(&answer, LATE);
    assert_true(clock_now(&clock_real) - before < 30 * CLOCK_S);
    answer = mail(w, CARL);
    check_reason(&answer, NULL);
    end(w);
}

/* Where a sanitizer has replaced malloc, mallinfo2() knows nothing. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t heap_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
                                                   : mallinfo2().uordblks;
}

static void many_recipients_cost_no_memory(void **state)
{
    (void)state;
    struct world *w = begin(BOB " nobody\n" CARL " nobody-old");
    w->policy->unowned_domains = true;
    w->policy->actions[CHECK_KNOWN_RECIPIENT] = ACTION_REJECT;
    w->one->quiet = true;
    publish(w);
    (void)mail(w, BOB);
    (void)rcpt(w, CARL);
    size_t before = heap_in_use();
    for (int i = 0; i < 20000; i++)
        (void)rcpt(w, i % 2 ? CARL : BOB);
    assert_true(heap_in_use() <= before + 4096);
    assert_int_equal(w->one->tickets, 2 + 2 + 10000 + 2 * 10000);
    end(w);
}

/* ---- changes ---- */

/* They outlive the message, its configuration, and what the client sent. */
static void changes_live_until_the_next_event(void **state)
{
    (void)state;
    struct world *w = begin("");
    w->policy->actions[CHECK_HEADER_FROM] = ACTION_REWRITE;
    w->policy->trace_header = arena_strdup(w->snapshot->arena, "X-Sent-By");
    w->policy->auth_results = true;
    publish(w);
    (void)mail(w, ANN);
    (void)rcpt(w, "x@other.example");
    char *value = xstrdup("Bob <bob@other.example>");
    session_header(w->session, "From", value);
    free(value);
    struct world next = {.two = NULL};
    snapshot_publish(&w->slot, make_snapshot(&next, ""));
    next.two->backend.ops->destroy(&next.two->backend);
    struct session_answer answer = session_eom(w->session, NULL);
    assert_int_equal(answer.effect, EFFECT_REWRITE);
    assert_int_equal(answer.changes.count, 5);
    assert_string_equal(answer.changes.items[0].name, "From");
    assert_string_equal(answer.changes.items[0].value, "Bob <" ANN ">");
    assert_string_equal(answer.changes.items[3].name, "X-Sent-By");
    assert_string_equal(answer.changes.items[3].value, "sasl=\"ann\";\n policy=\"test\"");
    assert_string_equal(answer.changes.items[4].value,
                        "mx.example.net; auth=pass (plain) smtp.auth=ann");
    assert_non_null(strstr(w->last, " verdict=accept effect=rewrite "));
    assert_non_null(
        strstr(w->last, " changed=From,X-Original-From,Reply-To,X-Sent-By,Authentication-Results"));
    end(w);
}

static void changes_cost_no_memory(void **state)
{
    (void)state;
    struct world *w = begin("");
    size_t before = 0;
    w->policy->trace_header = "X-Sent-By";
    w->one->quiet = true;
    publish(w);
    for (int i = 0; i < 1000; i++) {
        (void)mail(w, ANN);
        (void)rcpt(w, "x@other.example");
        session_header(w->session, "From", ANN);
        assert_int_equal(session_eom(w->session, NULL).changes.count, 1);
        before = before ? before : heap_in_use();
    }
    assert_true(heap_in_use() <= before + 4096);
    end(w);
}

int main(void)
{
    ROWS_ADD(rows, asks);
    ROWS_ADD_TEST("the policy says which directories", the_policy_says_which_directories);
    ROWS_ADD_TEST("a network is asked about", a_network_is_asked_about);
    ROWS_ADD_TEST("a certificate is asked about", a_certificate_is_asked_about);
    ROWS_ADD_TEST("nobody is asked about an outsider", nobody_is_asked_about_an_outsider);
    ROWS_ADD_TEST("owners of one message are bounded", owners_of_one_message_are_bounded);
    ROWS_ADD_TEST("the budget is of the event", the_budget_is_of_the_event);
    ROWS_ADD_TEST("many recipients cost no memory", many_recipients_cost_no_memory);
    ROWS_ADD_TEST("changes live until the next event", changes_live_until_the_next_event);
    ROWS_ADD_TEST("changes cost no memory", changes_cost_no_memory);
    return rows_main();
}
