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

static void expand(struct strbuf *out, const char *template, const struct scope *scope);

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
            expand(out, scope->help_url, &inner);
        }
        return;
    case PLACE_REASON:
        strbuf_add_str(out, scope->reason);
        return;
    case PLACE_COUNT:
        return;
    }
}

static void expand(struct strbuf *out, const char *template, const struct scope *scope)
{
    struct span rest = span_of(template);
    while (rest.len) {
        enum placeholder place = placeholder_at(rest);
        size_t step = 1;
        if (place != PLACE_COUNT) {
            add_placeholder(out, place, scope);
            step = strlen(placeholders[place]);
        } else {
            add_printable(out, span_sub(rest, 0, 1));
        }
        rest = span_sub(rest, step, rest.len);
    }
}

static void add_help(struct arena *a, struct strbuf *out, const char *template,
                     const struct scope *scope)
{
    if (!scope->help_url || strstr(template, placeholders[PLACE_HELP_URL]))
        return;
    struct strbuf help;
    strbuf_init(&help, a);
    strbuf_add_str(&help, "; see ");
    add_placeholder(&help, PLACE_HELP_URL, scope);
    if (out->len + help.len < REPLY_TEXT_MAX)
        strbuf_add(out, strbuf_span(&help));
}

static const char *reply_text(struct arena *a, const struct reply_texts *texts, enum reason reason,
                              const struct scope *scope)
{
    const char *own = texts->texts[reason];
    const char *template = own ? own : reason_info(reason)->text;
    struct strbuf out;
    strbuf_init(&out, a);
    if (!strstr(template, placeholders[PLACE_REASON]))
        strbuf_printf(&out, "%s: ", scope->reason);
    expand(&out, template, scope);
    if (!own)
        add_help(a, &out, template, scope);
    return arena_copy(a, span_sub(strbuf_span(&out), 0, REPLY_TEXT_MAX - 1));
}

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
    const struct principal *p = &facts->principal;
    struct scope scope = {
        .address = decision->address ? decision->address : "<>",
        .login = p->fault == PRINCIPAL_SOUND && p->login.name ? p->login.name : p->raw,
        .help_url = texts->help_url,
        .reason = reason_info(decision->reason)->id,
    };
    if (!scope.login)
        scope.login = "";
    set_codes(a, decision, facts, out);
    out->text = reply_text(a, texts, decision->reason, &scope);
}

bool reply_check_template(const char *text, struct errtext *why)
{
    struct span rest = span_of(text);
    if (rest.len >= REPLY_TEXT_MAX) {
        errtext_set(why, "longer than %d characters", REPLY_TEXT_MAX - 1);
        return false;
    }
    for (; rest.len; rest = span_sub(rest, 1, rest.len)) {
        if (rest.data[0] < ' ' || rest.data[0] > '~') {
            errtext_set(why, "only printable ASCII can stand in an SMTP reply");
            return false;
        }
        if (span_starts_nocase(rest, "%{") && placeholder_at(rest) == PLACE_COUNT) {
            errtext_set(why,
                        "unknown placeholder \"%.*s\"; %%{address}, %%{login}, %%{help_url} "
                        "and %%{reason} are right",
                        (int)(span_find(rest, '}') < 24 ? span_find(rest, '}') + 1 : 24),
                        rest.data);
            return false;
        }
    }
    return true;
}
