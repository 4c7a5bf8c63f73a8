#include "reply.h"
#include "strbuf.h"

#include <string.h>

/* What a client typed may be long; the middle is what a reader misses least. */
enum { SHOWN_ADDRESS_MAX = 64, SHOWN_LOGIN_MAX = 32 };

struct scope {
    const char *address;
    const char *login;
    const char *help_url;
    const char *reason;
};

enum placeholder { PLACE_ADDRESS, PLACE_LOGIN, PLACE_HELP_URL, PLACE_REASON, PLACE_COUNT };

static const char *const placeholders[PLACE_COUNT] = {
    [PLACE_ADDRESS] = "%{address}",
    [PLACE_LOGIN] = "%{login}",
    [PLACE_HELP_URL] = "%{help_url}",
    [PLACE_REASON] = "%{reason}",
};

/* The placeholder that text begins with, PLACE_COUNT for none. */
static enum placeholder placeholder_at(struct span text)
{
    for (int p = 0; p < PLACE_COUNT; p++) {
        struct span name = span_of(placeholders[p]);
        if (span_equal(span_sub(text, 0, name.len), name))
            return (enum placeholder)p;
    }
    return PLACE_COUNT;
}

static void add_printable(struct strbuf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        strbuf_add_char(out, c >= ' ' && c <= '~' ? c : '?');
    }
}

static void add_shortened(struct strbuf *out, struct span text, size_t max)
{
    if (text.len <= max) {
        add_printable(out, text);
        return;
    }
    size_t half = (max - 3) / 2;
    add_printable(out, span_sub(text, 0, half));
    strbuf_add_str(out, "...");
    add_printable(out, span_sub(text, text.len - half, half));
}

/* An argument of MAIL or RCPT stands in the brackets that the client typed. */
static struct span without_brackets(const char *address)
{
    struct span text = span_of(address);
    bool bracketed = text.len > 2 && text.data[0] == '<' && text.data[text.len - 1] == '>';
    return bracketed ? span_sub(text, 1, text.len - 2) : text;
}

static void expand(struct strbuf *out, struct span template, const struct scope *scope);

static void add_placeholder(struct strbuf *out, enum placeholder place, const struct scope *scope)
{
    switch (place) {
    case PLACE_ADDRESS:
        add_shortened(out, without_brackets(scope->address), SHOWN_ADDRESS_MAX);
        return;
    case PLACE_LOGIN:
        add_shortened(out, span_of(scope->login), SHOWN_LOGIN_MAX);
        return;
    case PLACE_HELP_URL:
        if (scope->help_url) {
            struct scope inner = *scope;
            inner.help_url = NULL; /* a help_url that names itself ends here */
            expand(out, span_of(scope->help_url), &inner);
        }
        return;
    case PLACE_REASON:
        strbuf_add_str(out, scope->reason);
        return;
    case PLACE_COUNT:
        return;
    }
}

static void expand(struct strbuf *out, struct span template, const struct scope *scope)
{
    while (template.len) {
        enum placeholder place = placeholder_at(template);
        size_t step = 1;
        if (place != PLACE_COUNT) {
            add_placeholder(out, place, scope);
            step = strlen(placeholders[place]);
        } else {
            add_printable(out, span_sub(template, 0, 1));
        }
        template = span_sub(template, step, template.len);
    }
}

static bool places(struct span template, enum placeholder place)
{
    for (; template.len; template = span_sub(template, 1, template.len))
        if (placeholder_at(template) == place)
            return true;
    return false;
}

/* ---- lines ---- */

/* The template up to its next line end; *rest is what follows it. */
static struct span next_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_sub(*rest, 0, end);
    *rest = span_sub(*rest, end + 1, rest->len);
    return line;
}

static void add_line(struct arena *a, struct span text, struct reply *out)
{
    if (span_trim(text).len && out->line_count < REPLY_LINES_MAX)
        out->lines[out->line_count++] = arena_copy(a, span_sub(text, 0, REPLY_TEXT_MAX - 1));
}

static void add_lines(struct arena *a, struct span template, const struct scope *scope,
                      struct reply *out)
{
    do {
        struct span line = next_line(&template);
        struct strbuf text;
        strbuf_init(&text, a);
        if (!out->line_count && !places(line, PLACE_REASON))
            strbuf_printf(&text, "%s: ", scope->reason);
        expand(&text, line, scope);
        add_line(a, strbuf_span(&text), out);
    } while (template.len);
}

/* A page's address that was cut leads nowhere. */
static void add_help(struct arena *a, const struct scope *scope, struct reply *out)
{
    struct strbuf help;
    strbuf_init(&help, a);
    strbuf_add_str(&help, "see ");
    add_placeholder(&help, PLACE_HELP_URL, scope);
    const char **last = &out->lines[out->line_count - 1];
    if (strlen(*last) + strlen("; ") + help.len < REPLY_TEXT_MAX)
        *last = arena_printf(a, "%s; %s", *last, help.text);
    else if (help.len < REPLY_TEXT_MAX)
        add_line(a, strbuf_span(&help), out);
}

static void set_lines(struct arena *a, const struct reply_texts *texts, enum reason reason,
                      const struct scope *scope, struct reply *out)
{
    const char *own = texts->texts[reason];
    struct span template = span_of(own ? own : reason_info(reason)->text);
    out->line_count = 0;
    add_lines(a, template, scope, out);
    if (!own && scope->help_url)
        add_help(a, scope, out);
}

/* ---- the whole ---- */

/* The class of the reply follows the effect: a check that is set to tempfail must not say 5xx. */
static void set_codes(struct arena *a, const struct decision *decision, const struct facts *facts,
                      struct reply *out)
{
    const struct reason_info *info = reason_info(decision->reason);
    out->code = info->code;
    out->enhanced = info->enhanced;
    if (decision->effect == EFFECT_TEMPFAIL && info->code[0] == '5') {
        out->code = "451";
        out->enhanced = arena_printf(a, "4%s", info->enhanced + 1);
    }
    if (facts->stage == FACTS_EOM && strcmp(out->code, "553") == 0)
        out->code = "550";
}

void reply_make(struct arena *a, const struct reply_texts *texts, const struct decision *decision,
                const struct facts *facts, struct reply *out)
{
    struct scope scope = {
        .address = decision->address ? decision->address : "<>",
        .login = principal_name(&facts->principal),
        .help_url = texts->help_url,
        .reason = reason_info(decision->reason)->id,
    };
    set_codes(a, decision, facts, out);
    set_lines(a, texts, decision->reason, &scope, out);
}

/* ---- templates of the configuration ---- */

static bool check_placeholder(struct span text, struct errtext *why)
{
    if (!span_starts_nocase(text, "%{") || placeholder_at(text) != PLACE_COUNT)
        return true;
    struct span shown = span_sub(text, 0, span_find(text, '}') + 1);
    errtext_set(why,
                "unknown placeholder \"%.*s\"; %%{address}, %%{login}, %%{help_url} "
                "and %%{reason} are right",
                (int)(shown.len < 24 ? shown.len : 24), shown.data);
    return false;
}

static bool check_line(struct span line, struct errtext *why)
{
    if (line.len >= REPLY_TEXT_MAX) {
        errtext_set(why, "a line longer than %d characters", REPLY_TEXT_MAX - 1);
        return false;
    }
    for (; line.len; line = span_sub(line, 1, line.len)) {
        if (line.data[0] < ' ' || line.data[0] > '~') {
            errtext_set(why, "only printable ASCII can stand in an SMTP reply");
            return false;
        }
        if (!check_placeholder(line, why))
            return false;
    }
    return true;
}

bool reply_check_line(const char *text, struct errtext *why)
{
    return check_line(span_of(text), why);
}

bool reply_check_template(const char *text, struct errtext *why)
{
    struct span rest = span_of(text);
    bool more = true;
    for (unsigned number = 1; more; number++) {
        more = span_find(rest, '\n') < rest.len;
        struct span line = next_line(&rest);
        if (number > REPLY_LINES_MAX) {
            errtext_set(why, "more than %d lines", REPLY_LINES_MAX);
            return false;
        }
        if (!span_trim(line).len) {
            errtext_set(why, "line %u is empty", number);
            return false;
        }
        if (!check_line(line, why))
            return false;
    }
    return true;
}
