#include "mailbox.h"

#include <stdint.h>
#include <string.h>

/* ---- the lines of the field ---- */

static struct span line_at(struct span value, size_t start)
{
    struct span rest = span_sub(value, start, value.len);
    return span_sub(rest, 0, span_find(rest, '\n'));
}

/* Postfix breaks a longer line when it sends it on, after we have judged it. The blank behind
 * the colon does not belong to the value, and is always counted. */
static bool check_length(size_t name_len, struct span value, struct errtext *why)
{
    size_t before = name_len + sizeof ": " - 1;
    for (size_t start = 0; start <= value.len;) {
        struct span line = line_at(value, start);
        if (before > MAILBOX_LINE_MAX || line.len > MAILBOX_LINE_MAX - before) {
            errtext_set(why, "a line of the field is over %d octets", MAILBOX_LINE_MAX);
            return false;
        }
        before = 0;
        start += line.len + 1;
    }
    return true;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool has_control(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (ascii_is_control(line.data[i]) && line.data[i] != '\t')
            return true;
    return false;
}

/* Only a line that begins with white space and holds more than that continues a field; a reader may
 * take anything else as the end of the header. */
static bool check_lines(struct span value, struct errtext *why)
{
    const char *wrong = NULL;
    for (size_t start = 0; start <= value.len && !wrong;) {
        struct span line = line_at(value, start);
        if (has_control(line))
            wrong = "the field holds a control character";
        else if (start && !(line.len && is_white(line.data[0])))
            wrong = "the field holds a line end without a fold";
        else if (start && !span_trim(line).len)
            wrong = "the field holds a folded line of only white space";
        start += line.len + 1;
    }
    if (wrong)
        errtext_set(why, "%s", wrong);
    return !wrong;
}

/* ---- tokens ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_ATOM,
    TOKEN_QUOTED,
    TOKEN_COMMENT,
    TOKEN_LITERAL,
    TOKEN_SPECIAL, /* one of < > , : ; @ . */
    TOKEN_FAULT,
};

struct token {
    enum token_kind kind;
    struct span text;
};

struct parser {
    struct arena *arena;
    const struct addr_rules *rules;
    struct span value;
    size_t at;          /* behind the current token */
    struct token token; /* the current one */
    const char *done;   /* end of the token before the current one */
    struct mailbox_list *list;
    size_t room;
    bool group;
    struct errtext *why;
};

static const char *end_of(struct span s)
{
    return s.data + s.len;
}

/* A backslash takes the next character with it, but never a line end: quoted-pair is "\" (VCHAR /
 * WSP). Gives the offset of the character taken, 0 where there is none. */
static size_t quoted_pair(struct span v, size_t backslash)
{
    size_t next = backslash + 1;
    return next < v.len && v.data[next] != '\n' ? next : 0;
}

/* quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE; this and the functions below give the
 * offset behind what they read from at on, 0 where it is ill-formed. */
static size_t quoted_end(struct span v, size_t at)
{
    for (size_t i = at + 1; i < v.len; i++) {
        if (v.data[i] == '"')
            return i + 1;
        if (v.data[i] == '\\' && !(i = quoted_pair(v, i)))
            return 0;
    }
    return 0;
}

/* comment = "(" *([FWS] ccontent) [FWS] ")", and ccontent may be a comment again. */
static size_t comment_end(struct span v, size_t at)
{
    unsigned depth = 0;
    for (size_t i = at; i < v.len; i++) {
        if (v.data[i] == '(' && ++depth > MAILBOX_COMMENT_DEPTH)
            return 0;
        if (v.data[i] == ')' && --depth == 0)
            return i + 1;
        if (v.data[i] == '\\' && !(i = quoted_pair(v, i)))
            return 0;
    }
    return 0;
}

/* domain-literal = "[" *dtext "]", without the white space that RFC 5322 allows in it. */
static size_t literal_end(struct span v, size_t at)
{
    for (size_t i = at + 1; i < v.len; i++) {
        if (v.data[i] == ']')
            return i + 1;
        if (is_white(v.data[i]) || v.data[i] == '[' || v.data[i] == '\\')
            return 0;
    }
    return 0;
}

/* atom = 1*atext, octets of any charset included. */
static size_t atom_end(struct span v, size_t at)
{
    size_t i = at;
    while (i < v.len && addr_is_atext(v.data[i]))
        i++;
    return i == at ? 0 : i;
}

static size_t special_end(struct span v, size_t at)
{
    return v.data[at] != '\0' && strchr("<>,:;@.", v.data[at]) ? at + 1 : 0;
}

struct token_rule {
    char first; /* '\0' for "anything else" */
    enum token_kind kind;
    size_t (*end)(struct span v, size_t at);
    const char *fault;
};

static const struct token_rule token_rules[] = {
    {'"', TOKEN_QUOTED, quoted_end, "a quoted string has no end"},
    {'(', TOKEN_COMMENT, comment_end, "a comment has no end or is nested too deep"},
    {'[', TOKEN_LITERAL, literal_end, "a bracket is no domain literal"},
    {'\0', TOKEN_ATOM, atom_end, NULL},
    {'\0', TOKEN_SPECIAL, special_end, NULL},
};

static struct token read_token(struct span v, size_t at, struct errtext *why)
{
    for (size_t i = 0; i < sizeof token_rules / sizeof token_rules[0]; i++) {
        const struct token_rule *rule = &token_rules[i];
        if (rule->first && rule->first != v.data[at])
            continue;
        size_t end = rule->end(v, at);
        if (end)
            return (struct token){rule->kind, span_sub(v, at, end - at)};
        if (rule->fault) {
            errtext_set(why, "%s", rule->fault);
            return (struct token){TOKEN_FAULT, span_sub(v, at, 0)};
        }
    }
    errtext_set(why, "'%c' stands where it must not", v.data[at]);
    return (struct token){TOKEN_FAULT, span_sub(v, at, 0)};
}

static void advance(struct parser *p)
{
    p->done = p->value.data + p->at;
    while (p->at < p->value.len && is_white(p->value.data[p->at]))
        p->at++;
    if (p->at == p->value.len) {
        p->token = (struct token){TOKEN_END, span_sub(p->value, p->at, 0)};
        return;
    }
    p->token = read_token(p->value, p->at, p->why);
    p->at += p->token.text.len;
}

static bool is_special(const struct token *t, char c)
{
    return t->kind == TOKEN_SPECIAL && t->text.data[0] == c;
}

/* ---- what readers take apart differently ---- */

/* Quoted strings and comments, in which "<" and "," are text for us, and what stands in angle
 * brackets. */
struct enclosed {
    size_t start, end;
};

struct enclosures {
    struct enclosed *items;
    size_t count;
    bool angle; /* the last one is an angle bracket that is still open */
};

static bool is_enclosing(enum token_kind kind)
{
    return kind == TOKEN_QUOTED || kind == TOKEN_COMMENT;
}

static size_t count_openings(struct span v)
{
    size_t count = 0;
    for (size_t i = 0; i < v.len; i++)
        count += v.data[i] == '"' || v.data[i] == '(' || v.data[i] == '<';
    return count;
}

/* A quoted local part needs no place of its own in its brackets: see has_encoded_word(). */
static void note_token(struct enclosures *all, const struct token *token, size_t at)
{
    size_t end = at + token->text.len;
    if (all->angle) {
        all->items[all->count - 1].end = end;
        all->angle = !is_special(token, '>');
    } else if (is_enclosing(token->kind) || is_special(token, '<')) {
        all->items[all->count++] = (struct enclosed){at, end};
        all->angle = is_special(token, '<');
    }
}

/* What follows a fault is for the grammar to refuse. */
static struct enclosures find_enclosures(struct arena *a, struct span value)
{
    struct enclosures all = {.count = 0};
    all.items = arena_array(a, count_openings(value) + 1, sizeof *all.items);
    for (size_t at = 0; at < value.len;) {
        if (is_white(value.data[at])) {
            at++;
            continue;
        }
        struct token token = read_token(value, at, NULL);
        if (token.kind == TOKEN_FAULT)
            break;
        note_token(&all, &token, at);
        at += token.text.len;
    }
    return all;
}

/* The number of the enclosure that holds the octet, SIZE_MAX for none. at grows from call to call,
 * and *from with it. */
static size_t enclosure_of(const struct enclosures *all, size_t at, size_t *from)
{
    while (*from < all->count && all->items[*from].end <= at)
        ++*from;
    return *from < all->count && all->items[*from].start <= at ? *from : SIZE_MAX;
}

static size_t find_pair(struct span v, size_t from, char first, char second)
{
    size_t i = from;
    while (i + 1 < v.len && (v.data[i] != first || v.data[i + 1] != second))
        i++;
    return i + 1 < v.len ? i : v.len;
}

/* The text of an encoded-word that begins at start, or v.len: "=?" charset "?" encoding "?". */
static size_t encoded_text(struct span v, size_t start)
{
    size_t charset = start + 2;
    size_t mark = charset + span_find(span_sub(v, charset, v.len), '?');
    bool good = mark + 2 < v.len && v.data[mark + 1] != '\0' && strchr("bBqQ", v.data[mark + 1]) &&
                v.data[mark + 2] == '?';
    return good ? mark + 3 : v.len;
}

/* Some readers look for encoded-words before they look for quotes, brackets and comments, others
 * after it: an encoded-word that begins within one of these and ends without, or the other way
 * round, moves the place where the name ends and the address begins. */
static bool check_encoded_words(const struct enclosures *all, struct span v, struct errtext *why)
{
    size_t open_from = 0, close_from = 0, close = 0;
    for (size_t s = find_pair(v, 0, '=', '?'); s < v.len; s = find_pair(v, s + 2, '=', '?')) {
        size_t text = encoded_text(v, s);
        if (text == v.len)
            continue;
        close = find_pair(v, close > text ? close : text, '?', '=');
        if (close == v.len)
            return true;
        if (enclosure_of(all, s, &open_from) != enclosure_of(all, close, &close_from)) {
            errtext_set(why,
                        "an encoded word reaches over the edge of quotes, brackets or a comment");
            return false;
        }
    }
    return true;
}

/* RFC 5322 has comments in comments; not all readers do, and take what follows the first ")" for
 * more of the field. */
static bool check_comment(struct span comment, struct errtext *why)
{
    size_t parentheses = 0;
    bool address = false;
    for (size_t i = 0; i < comment.len; i++) {
        parentheses += comment.data[i] == '(' || comment.data[i] == ')';
        address = address || comment.data[i] == '@' || comment.data[i] == '<';
    }
    if (parentheses > 2 && address)
        errtext_set(why, "a comment with parentheses in it holds what may be an address");
    return parentheses <= 2 || !address;
}

static bool check_readings(struct arena *a, struct span value, struct errtext *why)
{
    struct enclosures all = find_enclosures(a, value);
    for (size_t i = 0; i < all.count; i++) {
        struct span text =
            span_sub(value, all.items[i].start, all.items[i].end - all.items[i].start);
        if (text.data[0] == '(' && !check_comment(text, why))
            return false;
    }
    return check_encoded_words(&all, value, why);
}

/* ---- the grammar ---- */

static bool fault(struct parser *p, const char *what)
{
    errtext_set(p->why, "%s", what);
    return false;
}

static bool unexpected(struct parser *p)
{
    if (p->token.kind == TOKEN_FAULT)
        return false; /* why is told already */
    if (p->token.kind == TOKEN_END)
        return fault(p, "the field ends too early");
    errtext_set(p->why, "'%c' stands where it must not", p->token.text.data[0]);
    return false;
}

/* What stands between two separators: a phrase, an addr-spec, or only comments. */
struct run {
    const char *start; /* of the first token, comments included */
    struct span text;  /* from the first word to the last, without comments around; may be empty */
    bool glued;        /* neither white space nor a comment within text */
    bool phrase;       /* phrase = 1*word / obs-phrase: word *(word / "." / CFWS) */
    bool comments;     /* there is at least one */
};

static bool belongs_to_run(const struct token *t)
{
    switch (t->kind) {
    case TOKEN_ATOM:
    case TOKEN_QUOTED:
    case TOKEN_COMMENT:
    case TOKEN_LITERAL:
        return true;
    case TOKEN_SPECIAL:
        return is_special(t, '@') || is_special(t, '.');
    case TOKEN_END:
    case TOKEN_FAULT:
        return false;
    }
    return false;
}

static void run_add(struct run *run, const struct token *t)
{
    if (t->kind == TOKEN_COMMENT) {
        run->comments = true;
        return;
    }
    bool first = run->text.len == 0;
    if (first)
        run->text = t->text;
    else if (end_of(run->text) != t->text.data)
        run->glued = false;
    if (t->kind == TOKEN_LITERAL || is_special(t, '@') || (first && is_special(t, '.')))
        run->phrase = false;
    run->text.len = (size_t)(end_of(t->text) - run->text.data);
}

static struct run read_run(struct parser *p)
{
    struct run run = {.start = p->token.text.data, .glued = true, .phrase = true};
    for (; belongs_to_run(&p->token); advance(p))
        run_add(&run, &p->token);
    return run;
}

/* encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" (RFC 2047). Legal atext, but some
 * clients decode it wherever it stands, in quotes too, and then show another address. */
static bool has_encoded_word(struct span local)
{
    for (size_t i = 0; i + 1 < local.len; i++) {
        if (local.data[i] != '=' || local.data[i + 1] != '?')
            continue;
        struct span rest = span_sub(local, i + 2, local.len);
        for (int marks = 0; marks < 2; marks++)
            rest = span_sub(rest, span_find(rest, '?') + 1, rest.len);
        for (size_t k = 0; k + 1 < rest.len; k++)
            if (rest.data[k] == '?' && rest.data[k + 1] == '=')
                return true;
    }
    return false;
}

/* addr-spec = local-part "@" domain, without the CFWS that RFC 5322 would allow in it. */
static bool read_addr_spec(struct parser *p, const struct run *run, struct addr *out)
{
    if (!run->text.len)
        return fault(p, "the address is missing");
    if (!run->glued)
        return fault(p, "words or white space stand where only an address may");
    switch (addr_parse(p->arena, p->rules, run->text, out, p->why)) {
    case ADDR_OK:
        if (has_encoded_word(span_of(out->local)))
            return fault(p, "an encoded word stands in an address");
        return true;
    case ADDR_BARE:
    case ADDR_NULL:
        return fault(p, "there is an address without domain");
    case ADDR_MALFORMED:
        return false;
    }
    return false;
}

static void make_room(struct parser *p)
{
    struct mailbox_list *list = p->list;
    if (list->count < p->room)
        return;
    p->room = p->room ? 2 * p->room : 1;
    struct mailbox *items = arena_array(p->arena, p->room, sizeof *items);
    if (list->count)
        memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
}

static bool keep(struct parser *p, const struct run *run, const struct addr *addr, struct span name)
{
    if (p->list->count == MAILBOX_LIST_MAX)
        return fault(p, "there are too many mailboxes");
    make_room(p);
    p->list->items[p->list->count++] = (struct mailbox){
        .addr = *addr,
        .text = span_make(run->start, (size_t)(p->done - run->start)),
        .name = name,
    };
    return true;
}

/* An unquoted address as the name: harmless where both are the same, and then common. */
static bool check_unquoted_name(struct parser *p, const struct run *name, const struct addr *addr)
{
    struct addr named;
    if (name->phrase)
        return true;
    if (!read_addr_spec(p, name, &named))
        return false;
    if (addr_equal(&named, addr))
        return true;
    return fault(p, "another address stands before the one in angle brackets");
}

/* angle-addr = [CFWS] "<" addr-spec ">" [CFWS], with white space but no comment in the brackets */
static bool read_angle_addr(struct parser *p, struct addr *out)
{
    advance(p);
    struct run inner = read_run(p);
    if (!is_special(&p->token, '>'))
        return unexpected(p);
    if (inner.comments)
        return fault(p, "a comment stands within angle brackets");
    advance(p);
    struct run rest = read_run(p);
    if (rest.text.len)
        return fault(p, "text stands behind the angle brackets");
    return read_addr_spec(p, &inner, out);
}

/* mailbox = name-addr / addr-spec, name-addr = [phrase] angle-addr; or nothing, which
 * obs-mbox-list allows between commas. The token behind it is for the caller to judge. */
static bool read_mailbox(struct parser *p, const struct run *run)
{
    struct addr addr;
    if (p->token.kind == TOKEN_FAULT)
        return false; /* why is told already */
    if (is_special(&p->token, '<'))
        return read_angle_addr(p, &addr) && check_unquoted_name(p, run, &addr) &&
               keep(p, run, &addr, run->phrase && run->text.len ? run->text : span_of(""));
    if (!run->text.len)
        return true;
    return read_addr_spec(p, run, &addr) && keep(p, run, &addr, span_of(""));
}

/* mailbox-list = mailbox *("," mailbox) / obs-mbox-list; begins behind the current token. */
static bool read_mailbox_list(struct parser *p)
{
    do {
        advance(p);
        struct run run = read_run(p);
        if (!read_mailbox(p, &run))
            return false;
    } while (is_special(&p->token, ','));
    return true;
}

/* group = phrase ":" [mailbox-list / CFWS] ";" [CFWS] */
static bool read_group(struct parser *p, const struct run *name)
{
    if (!name->text.len || !name->phrase)
        return unexpected(p);
    if (!read_mailbox_list(p))
        return false;
    if (!is_special(&p->token, ';'))
        return unexpected(p);
    p->group = true;
    advance(p);
    struct run rest = read_run(p);
    return rest.text.len ? fault(p, "text stands behind a group") : true;
}

/* address-list = address *("," address), address = mailbox / group; the same with empty elements
 * (obs-addr-list). The value begins before the first token. */
static bool read_address_list(struct parser *p)
{
    do {
        advance(p);
        struct run run = read_run(p);
        if (is_special(&p->token, ':') ? !read_group(p, &run) : !read_mailbox(p, &run))
            return false;
    } while (is_special(&p->token, ','));
    return p->token.kind == TOKEN_END || unexpected(p);
}

/* ---- comments, once all is known to be well formed ---- */

/* The next comment from *at on, which then stands behind it; empty at the end. */
static struct span next_comment(struct span value, size_t *at)
{
    while (*at < value.len) {
        if (is_white(value.data[*at])) {
            ++*at;
            continue;
        }
        struct token token = read_token(value, *at, NULL);
        *at += token.text.len;
        if (token.kind == TOKEN_COMMENT)
            return token.text;
    }
    return span_of("");
}

static size_t count_comments(struct span value)
{
    size_t at = 0, count = 0;
    while (next_comment(value, &at).len)
        count++;
    return count;
}

/* Every comment belongs to the mailbox that ends behind it, the last ones to the last. */
static void share_comments(struct parser *p)
{
    size_t at = 0, left = count_comments(p->value);
    struct span *comments = arena_array(p->arena, left, sizeof *comments);
    struct mailbox *m = p->list->items, *last = m + p->list->count - 1;
    for (m->comments = comments; left; left--, comments++) {
        *comments = next_comment(p->value, &at);
        while (m < last && end_of(m->text) <= comments->data)
            (++m)->comments = comments;
        m->comment_count++;
    }
}

enum mailbox_status mailbox_parse(struct arena *a, const struct addr_rules *rules, size_t name_len,
                                  struct span value, struct mailbox_list *out, struct errtext *why)
{
    struct parser p = {.arena = a, .rules = rules, .value = value, .list = out, .why = why};
    *out = (struct mailbox_list){0};
    if (!check_length(name_len, value, why) || !check_lines(value, why))
        return MAILBOX_MALFORMED;
    if (!span_trim(value).len)
        return MAILBOX_BLANK;
    if (!read_address_list(&p) || !check_readings(a, value, why))
        return MAILBOX_MALFORMED;
    if (out->count)
        share_comments(&p);
    if (p.group)
        return MAILBOX_GROUP;
    if (out->count)
        return MAILBOX_OK;
    errtext_set(why, "there is no mailbox in it");
    return MAILBOX_MALFORMED;
}
