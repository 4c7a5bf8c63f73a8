#include "replay_file.h"
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct arena *arena;
    struct errtext *why;
    const char *path;
    unsigned line;
    struct replay_file *file;
    struct replay_scenario *scenario;
    struct replay_block *block; /* whose indented lines may follow */
    struct strbuf senders, denies;
    bool owes_expectation;
};

static bool wrong(const struct parser *p, const char *what, const char *which)
{
    errtext_set(p->why, "%s:%u: %s%s%s", p->path, p->line, what, which ? ": " : "",
                which ? which : "");
    return false;
}

/* One more item; the old ones are copied, which is cheap at this size. */
static void *grown(struct arena *a, const void *items, size_t count, size_t size)
{
    char *more = arena_array(a, count + 1, size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

#define ADD(p, items, count)                                                                       \
    ((items) = grown((p)->arena, items, count, sizeof *(items)), &(items)[(count)++])

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, ascii_lower(c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* \n \t \r \xHH, and \ before any other character for that character. */
static const char *add_escape(struct strbuf *out, const char *at)
{
    static const char letters[] = "ntr", bytes[] = "\n\t\r";
    const char *letter = *at ? strchr(letters, *at) : NULL;
    if (*at == 'x' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
        strbuf_add_char(out, (char)(hex_digit(at[1]) * 16 + hex_digit(at[2])));
        return at + 3;
    }
    if (*at)
        strbuf_add_char(out, letter ? bytes[letter - letters] : *at);
    return *at ? at + 1 : at;
}

static const char *add_quoted(struct strbuf *out, const char *at)
{
    while (*at && *at != '"') {
        if (*at == '\\')
            at = add_escape(out, at + 1);
        else
            strbuf_add_char(out, *at++);
    }
    return *at ? at + 1 : at;
}

/* A word ends at a blank; a part in double quotes may hold blanks and escapes. NULL for no more. */
static const char *next_word(struct arena *a, const char **at)
{
    struct strbuf word;
    *at += strspn(*at, " \t");
    if (!**at)
        return NULL;
    strbuf_init(&word, a);
    while (**at && !is_blank(**at)) {
        if (**at == '"')
            *at = add_quoted(&word, *at + 1);
        else
            strbuf_add_char(&word, *(*at)++);
    }
    return word.text;
}

static struct replay_words words(struct arena *a, const char *at)
{
    struct replay_words list = {0};
    const char **items = NULL;
    const char *word;
    while ((word = next_word(a, &at)) != NULL) {
        items = grown(a, items, list.count, sizeof *items);
        items[list.count++] = word;
    }
    list.items = items;
    return list;
}

static const char *unescaped(struct arena *a, struct span text)
{
    struct strbuf out;
    const char *at = arena_copy(a, text);
    strbuf_init(&out, a);
    while (*at) {
        if (*at == '\\')
            at = add_escape(&out, at + 1);
        else
            strbuf_add_char(&out, *at++);
    }
    return out.text;
}

static bool read_pair(struct arena *a, const char *word, struct replay_pair *out)
{
    struct span text = span_of(word);
    size_t equals = span_find(text, '=');
    if (equals == 0 || equals == text.len)
        return false;
    out->key = arena_copy(a, span_sub(text, 0, equals));
    out->value = strcmp(word + equals + 1, "-") == 0 ? NULL : word + equals + 1;
    return true;
}

bool replay_duration(const char *text, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t size;
    } units[] = {{"", CLOCK_S},
                 {"ms", CLOCK_MS},
                 {"s", CLOCK_S},
                 {"m", 60 * CLOCK_S},
                 {"h", 3600 * CLOCK_S}};
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    for (size_t i = 0; end != text && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].name, end) == 0) {
            *out = number * units[i].size;
            return true;
        }
    }
    return false;
}

static bool state_by_name(const char *name, enum replay_directory *out)
{
    static const char *const names[] = {
        [REPLAY_DIR_FILE] = "file",
        [REPLAY_DIR_UNAVAILABLE] = "unavailable",
        [REPLAY_DIR_MISCONFIGURED] = "misconfigured",
        [REPLAY_DIR_SLOW] = "slow",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum replay_directory)i;
            return true;
        }
    }
    return false;
}

/* ---- setup ---- */

static bool add_option(struct parser *p, struct replay_options *options, const char *rest)
{
    struct replay_words all = words(p->arena, rest);
    if (all.count < 2)
        return wrong(p, "an option needs a name and a value", rest);
    struct replay_option *option = ADD(p, options->items, options->count);
    *option = (struct replay_option){
        .name = all.items[0],
        .values = {.items = all.items + 1, .count = all.count - 1},
        .line = p->line,
    };
    return true;
}

static bool parse_option(struct parser *p, const char *rest)
{
    return add_option(p, &p->scenario->setup.options, rest);
}

static bool parse_login(struct parser *p, const char *rest)
{
    return add_option(p, &p->scenario->setup.login, rest);
}

static bool parse_address(struct parser *p, const char *rest)
{
    return add_option(p, &p->scenario->setup.address, rest);
}

static bool parse_senders(struct parser *p, const char *rest)
{
    strbuf_printf(&p->senders, "%s\n", rest);
    p->scenario->setup.senders = p->senders.text;
    return true;
}

static bool parse_deny(struct parser *p, const char *rest)
{
    strbuf_printf(&p->denies, "%s\n", rest);
    p->scenario->setup.denies = p->denies.text;
    p->scenario->core_only = true;
    return true;
}

/* "other file|unavailable|misconfigured [denies]" */
static bool parse_other(struct parser *p, const char *rest)
{
    struct replay_other *other = &p->scenario->setup.other;
    struct replay_words all = words(p->arena, rest);
    other->used = p->scenario->core_only = true;
    other->denies = all.count == 2 && strcmp(all.items[1], "denies") == 0;
    return (all.count == (other->denies ? 2 : 1) && state_by_name(all.items[0], &other->state) &&
            other->state != REPLAY_DIR_SLOW) ||
           wrong(p, "other wants file, unavailable or misconfigured, and perhaps denies", rest);
}

static bool parse_block(struct parser *p, const char *rest, struct replay_block **blocks,
                        size_t *count)
{
    struct replay_words all = words(p->arena, rest);
    if (all.count != 1)
        return wrong(p, "a block has one name", rest);
    p->block = ADD(p, *blocks, *count);
    *p->block = (struct replay_block){.name = all.items[0]};
    return true;
}

static bool parse_policy(struct parser *p, const char *rest)
{
    struct replay_setup *setup = &p->scenario->setup;
    return parse_block(p, rest, &setup->policies, &setup->policy_count);
}

static bool parse_network(struct parser *p, const char *rest)
{
    struct replay_setup *setup = &p->scenario->setup;
    return parse_block(p, rest, &setup->networks, &setup->network_count);
}

static bool parse_scenario(struct parser *p, const char *rest)
{
    if (!*rest)
        return wrong(p, "a scenario needs a name", NULL);
    p->scenario = ADD(p, p->file->scenarios, p->file->count);
    *p->scenario = (struct replay_scenario){.name = arena_strdup(p->arena, rest), .line = p->line};
    p->scenario->setup.senders = p->scenario->setup.denies = "";
    strbuf_init(&p->senders, p->arena);
    strbuf_init(&p->denies, p->arena);
    return true;
}

/* ---- steps ---- */

static struct replay_step *add_step(struct parser *p, enum replay_step_kind kind)
{
    struct replay_step *step = ADD(p, p->scenario->steps, p->scenario->step_count);
    *step = (struct replay_step){.kind = kind, .line = p->line};
    if (kind != STEP_EVENT && kind != STEP_EXPECT)
        p->scenario->core_only = true;
    return step;
}

static bool parse_clock(struct parser *p, const char *rest)
{
    struct replay_step *step = add_step(p, STEP_CLOCK);
    return (*rest == '+' && replay_duration(rest + 1, &step->duration)) ||
           wrong(p, "clock wants +DURATION", rest);
}

static bool parse_change(struct parser *p, enum replay_step_kind kind, const char *rest)
{
    rest += strspn(rest, " \t");
    add_step(p, kind)->text = arena_strdup(p->arena, rest);
    return *rest || wrong(p, "directory add wants a senders line, directory remove a key", NULL);
}

static bool parse_state(struct parser *p, const char *rest)
{
    struct replay_words all = words(p->arena, rest);
    struct replay_step *step = add_step(p, STEP_DIRECTORY);
    if (all.count && state_by_name(all.items[0], &step->directory)) {
        bool slow = step->directory == REPLAY_DIR_SLOW;
        if (all.count == (slow ? 2 : 1) &&
            (!slow || replay_duration(all.items[1], &step->duration)))
            return true;
    }
    return wrong(
        p, "directory wants file, unavailable, misconfigured, slow DURATION, add or remove", rest);
}

static bool parse_directory(struct parser *p, const char *rest)
{
    const char *after = rest;
    const char *word = next_word(p->arena, &after);
    if (word && strcmp(word, "add") == 0)
        return parse_change(p, STEP_ADD, after);
    if (word && strcmp(word, "remove") == 0)
        return parse_change(p, STEP_REMOVE, after);
    return parse_state(p, rest);
}

static bool parse_log(struct parser *p, const char *rest)
{
    struct replay_step *step = add_step(p, STEP_LOG);
    struct replay_words all = words(p->arena, rest);
    for (size_t i = 0; i < all.count; i++)
        if (!read_pair(p->arena, all.items[i], ADD(p, step->pairs, step->pair_count)))
            return wrong(p, "log wants KEY=VALUE", all.items[i]);
    return all.count > 0 || wrong(p, "log wants KEY=VALUE...", NULL);
}

/* ---- events ---- */

struct event_form {
    const char *name;
    enum replay_event_kind kind;
    const char *keys; /* the pairs that it takes, each between blanks */
    bool owes;        /* an expectation must follow */
};

static const struct event_form event_forms[] = {
    {"connect", REPLAY_CONNECT, " addr port name listener daemon_port daemon_addr v ", false},
    {"helo", REPLAY_HELO, " name ", false},
    {"mail", REPLAY_MAIL, " login type from mail_addr mail_mailer cert_subject cert_issuer verify ",
     false},
    {"rcpt", REPLAY_RCPT, " rcpt_addr rcpt_mailer ", true},
    {"header", REPLAY_HEADER, "", false},
    {"eom", REPLAY_EOM, "", true},
    {"abort", REPLAY_ABORT, "", false},
    {"quit", REPLAY_QUIT, "", false},
};

static const struct event_form *event_form(const char *name)
{
    for (size_t i = 0; i < sizeof event_forms / sizeof event_forms[0]; i++)
        if (strcmp(event_forms[i].name, name) == 0)
            return &event_forms[i];
    return NULL;
}

static bool parse_header_event(struct parser *p, struct replay_event *event, const char *rest)
{
    struct span text = span_of(rest + (is_blank(*rest) ? 1 : 0));
    size_t colon = span_find(text, ':');
    if (colon == 0 || colon == text.len)
        return wrong(p, "a header wants NAME: VALUE", rest);
    event->argument = unescaped(p->arena, span_sub(text, 0, colon));
    event->value = unescaped(p->arena, span_sub(text, colon + 1, text.len));
    return true;
}

static bool takes_key(const struct event_form *form, const char *key)
{
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, " %s ", key);
    return strstr(form->keys, wanted) != NULL;
}

static bool parse_event_pairs(struct parser *p, struct replay_event *event,
                              const struct event_form *form, const char *rest)
{
    const char *word;
    if (form->kind == REPLAY_RCPT) {
        event->argument = next_word(p->arena, &rest);
        if (!event->argument)
            return wrong(p, "rcpt wants an argument", NULL);
    }
    while ((word = next_word(p->arena, &rest)) != NULL) {
        struct replay_pair *pair = ADD(p, event->pairs, event->pair_count);
        if (!read_pair(p->arena, word, pair) || !takes_key(form, pair->key))
            return wrong(p, "this event does not take", word);
    }
    return form->kind != REPLAY_MAIL || replay_value(event, "from", NULL) ||
           wrong(p, "mail wants from=ARGUMENT", NULL);
}

static bool parse_event(struct parser *p, const char *rest)
{
    const char *name = next_word(p->arena, &rest);
    const struct event_form *form = name ? event_form(name) : NULL;
    if (!form)
        return wrong(p, "unknown event", name);
    if (p->owes_expectation)
        return wrong(p, "the event before this one has no expectation (\"< continue\")", NULL);
    struct replay_step *step = add_step(p, STEP_EVENT);
    step->event.kind = form->kind;
    p->owes_expectation = form->owes;
    return form->kind == REPLAY_HEADER ? parse_header_event(p, &step->event, rest)
                                       : parse_event_pairs(p, &step->event, form, rest);
}

static bool verdict_by_name(const char *name, enum replay_verdict *out)
{
    static const char *const names[] = {
        [REPLAY_CONTINUE] = "continue",
        [REPLAY_REJECT] = "reject",
        [REPLAY_TEMPFAIL] = "tempfail",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum replay_verdict)i;
            return true;
        }
    }
    return false;
}

static bool answers_something(const struct replay_scenario *scenario)
{
    if (!scenario->step_count)
        return false;
    const struct replay_step *last = &scenario->steps[scenario->step_count - 1];
    return last->kind == STEP_EVENT &&
           (last->event.kind == REPLAY_MAIL || last->event.kind == REPLAY_RCPT ||
            last->event.kind == REPLAY_EOM);
}

/* "< continue", "< reject [CODE] [REASON]", "< tempfail [CODE] [REASON]" */
static bool parse_expect(struct parser *p, const char *rest)
{
    struct replay_words all = words(p->arena, rest);
    if (!answers_something(p->scenario))
        return wrong(p, "an expectation follows mail, rcpt or eom", NULL);
    struct replay_expect *expect = &add_step(p, STEP_EXPECT)->expect;
    if (!all.count || !verdict_by_name(all.items[0], &expect->verdict))
        return wrong(p, "an expectation is continue, reject or tempfail", rest);
    size_t next = 1;
    if (next < all.count && ascii_is_digit(all.items[next][0]))
        expect->code = all.items[next++];
    if (next < all.count)
        expect->reason = all.items[next++];
    if (next < all.count || (expect->verdict == REPLAY_CONTINUE && all.count > 1))
        return wrong(p, "too much in this expectation", rest);
    p->owes_expectation = false;
    return true;
}

/* The event that the expectation above is about, where that is the last step; else NULL. */
static struct replay_step *open_expectation(struct replay_scenario *scenario,
                                            enum replay_event_kind kind)
{
    if (scenario->step_count < 2)
        return NULL;
    struct replay_step *last = &scenario->steps[scenario->step_count - 1];
    return last->kind == STEP_EXPECT && last[-1].event.kind == kind ? last : NULL;
}

/* "want set From 1 ann@example.org" */
static bool parse_want(struct parser *p, const char *rest)
{
    struct replay_step *step = open_expectation(p->scenario, REPLAY_EOM);
    if (!step || step->expect.verdict != REPLAY_CONTINUE || !*rest)
        return wrong(p, "want CHANGE follows \"< continue\" at the end of a message", rest);
    struct replay_words *changes = &step->expect.changes;
    const char **items = grown(p->arena, changes->items, changes->count, sizeof *items);
    items[changes->count++] = unescaped(p->arena, span_of(rest));
    changes->items = items;
    return true;
}

/* ---- lines ---- */

struct directive {
    const char *name;
    bool (*parse)(struct parser *p, const char *rest);
    bool is_setup;
};

static const struct directive directives[] = {
    {"senders", parse_senders, true}, {"deny", parse_deny, true},
    {"other", parse_other, true},     {"option", parse_option, true},
    {"login", parse_login, true},     {"address", parse_address, true},
    {"policy", parse_policy, true},   {"directory", parse_directory, false},
    {"clock", parse_clock, false},    {"log", parse_log, false},
    {">", parse_event, false},        {"<", parse_expect, false},
    {"want", parse_want, false},      {"network", parse_network, true},
};

static const struct directive *directive_of(struct span name)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        if (span_equal(span_of(directives[i].name), name))
            return &directives[i];
    return NULL;
}

/* The setup is one, and stands before the first event. */
static bool may_set_up(const struct replay_scenario *scenario)
{
    for (size_t i = 0; i < scenario->step_count; i++)
        if (scenario->steps[i].kind == STEP_EVENT)
            return false;
    return true;
}

static bool parse_directive(struct parser *p, struct span line)
{
    size_t len = 0;
    while (len < line.len && !is_blank(line.data[len]))
        len++;
    struct span name = span_sub(line, 0, len);
    const char *rest = line.data + len + (len < line.len);
    const struct directive *directive = directive_of(name);
    p->block = NULL;
    if (span_equal(name, span_of("scenario")))
        return p->owes_expectation ? wrong(p, "the last event has no expectation", NULL)
                                   : parse_scenario(p, rest);
    if (!directive)
        return wrong(p, "unknown directive", line.data);
    if (!p->scenario)
        return wrong(p, "no scenario has begun", line.data);
    if (directive->is_setup && !may_set_up(p->scenario))
        return wrong(p, "this stands before the first event", line.data);
    return directive->parse(p, rest);
}

static bool parse_line(struct parser *p, const char *text)
{
    struct span line = span_of(text);
    struct span shown = span_trim(line);
    if (!shown.len || shown.data[0] == '#')
        return true;
    if (!is_blank(line.data[0]))
        return parse_directive(p, line);
    if (!p->block)
        return wrong(p, "an indented line belongs to a policy or a network", text);
    return add_option(p, &p->block->options, shown.data);
}

static bool parse_stream(struct parser *p, FILE *stream)
{
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    ssize_t len;
    while (ok && (len = getline(&line, &size, stream)) >= 0) {
        p->line++;
        if (len && line[len - 1] == '\n')
            line[len - 1] = '\0';
        ok = parse_line(p, arena_strdup(p->arena, line));
    }
    free(line);
    return ok;
}

const struct replay_file *replay_read(struct arena *a, const char *path, struct errtext *why)
{
    struct parser p = {.arena = a, .why = why, .path = path};
    p.file = arena_alloc(a, sizeof *p.file);
    p.file->path = path;
    FILE *stream = fopen(path, "re");
    if (!stream) {
        errtext_set(why, "%s: cannot be read", path);
        return NULL;
    }
    bool ok = parse_stream(&p, stream);
    (void)fclose(stream);
    if (ok && p.owes_expectation)
        ok = wrong(&p, "the last event has no expectation", NULL);
    if (ok && !p.file->count)
        ok = wrong(&p, "no scenario in this file", NULL);
    return ok ? p.file : NULL;
}

/* ---- questions ---- */

const char *replay_value(const struct replay_event *event, const char *key, const char *fallback)
{
    for (size_t i = 0; i < event->pair_count; i++)
        if (strcmp(event->pairs[i].key, key) == 0)
            return event->pairs[i].value;
    return fallback;
}

const char *replay_parsed(struct arena *a, const char *argument)
{
    struct span text = span_of(argument);
    size_t open = span_find(text, '<');
    size_t close = span_find_last(text, '>');
    if (open < close && close < text.len)
        text = span_sub(text, open + 1, close - open - 1);
    return arena_copy(a, text);
}

const struct replay_option *replay_option(const struct replay_options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->items[i].name, name) == 0)
            return &options->items[i];
    return NULL;
}
