#include "amend.h"
#include "authres.h"
#include "strbuf.h"

#include <string.h>

/* Octets of a name that a rewritten From keeps: with an address behind it, of 256 at most with its
 * brackets, it must fit in a line of 998, or some MTA breaks that where it likes. */
enum { NAME_MAX_KEPT = 700 };

struct amend {
    struct arena *arena;
    const struct policy *policy;
    const struct facts *facts;
    const struct decision *decision;
    struct change *items;
    size_t count, room;
};

static void put(struct amend *m, enum change_kind kind, const char *name, unsigned index,
                const char *value)
{
    if (m->count == m->room) {
        size_t room = m->room ? 2 * m->room : 8;
        struct change *more = arena_array(m->arena, room, sizeof *more);
        for (size_t i = 0; i < m->count; i++)
            more[i] = m->items[i];
        m->items = more;
        m->room = room;
    }
    m->items[m->count++] = (struct change){
        .kind = kind,
        .name = name ? arena_strdup(m->arena, name) : NULL,
        .index = index,
        .value = value ? arena_strdup(m->arena, value) : NULL,
    };
}

/* ---- which findings ask for it ---- */

enum wish {
    WISH_NONE,
    WISH_DROP_NAME, /* the addresses stay */
    WISH_REMOVE,
    WISH_REWRITE,
};

static bool is_active(const struct finding *f, enum effect effect)
{
    return !f->observed && f->effect == effect;
}

static enum wish wish_of_finding(const struct finding *f)
{
    if (f->reason == REASON_DISPLAY_NAME_ADDRESS)
        return WISH_DROP_NAME;
    return f->action == ACTION_REMOVE ? WISH_REMOVE : WISH_REWRITE;
}

/* The strongest wish about one field. */
static enum wish wish_for(const struct amend *m, const struct field_fact *field)
{
    enum wish wish = WISH_NONE;
    for (size_t i = 0; i < m->decision->finding_count; i++) {
        const struct finding *f = &m->decision->findings[i];
        if (f->field == field && is_active(f, EFFECT_REWRITE) && wish_of_finding(f) > wish)
            wish = wish_of_finding(f);
    }
    return wish;
}

/* ---- values ---- */

/* The mailboxes without their names. */
static const char *bare_list(const struct amend *m, const struct field_fact *field)
{
    struct strbuf text;
    strbuf_init(&text, m->arena);
    for (size_t i = 0; i < field->list.count; i++)
        strbuf_printf(&text, "%s%s", i ? ",\n " : "",
                      addr_written(m->arena, &field->list.items[i].addr));
    return text.text;
}

/* Is the name in front of the only mailbox one that may stay? */
static bool keeps_name(const struct field_fact *from)
{
    if (from->status != MAILBOX_OK || from->list.count != 1 || !from->shown)
        return false;
    const struct shown *shown = from->shown;
    size_t len = from->list.items[0].name.len;
    return len > 0 && len <= NAME_MAX_KEPT && shown->count == 0 && !shown->direction &&
           !shown->control;
}

static const char *new_from(const struct amend *m)
{
    const struct field_fact *from = &m->facts->from;
    if (!keeps_name(from))
        return m->decision->primary;
    struct span name = from->list.items[0].name;
    return arena_printf(m->arena, "%.*s <%s>", (int)name.len, name.data, m->decision->primary);
}

/* ---- claims ---- */

/* The line of a longer name may be too long; then the value begins in the next one. */
static void add_old_from(struct amend *m, const char *name)
{
    const char *old = m->facts->from.raw;
    size_t line = strlen(name) + strlen(": ") + strcspn(old, "\n");
    put(m, CHANGE_ADD, name, 0,
        line > MAILBOX_LINE_MAX ? arena_printf(m->arena, "\n %s", old) : old);
}

static void rewrite_from(struct amend *m)
{
    const struct facts *f = m->facts;
    if (f->from_fields == 0) {
        put(m, CHANGE_ADD, "From", 0, m->decision->primary);
        return;
    }
    put(m, CHANGE_SET, "From", 1, new_from(m));
    if (f->from.status != MAILBOX_OK)
        return;
    add_old_from(m, AMEND_ORIGINAL_FROM);
    if (!f->has_reply_to)
        add_old_from(m, "Reply-To");
}

static void amend_from(struct amend *m)
{
    switch (wish_for(m, &m->facts->from)) {
    case WISH_NONE:
    case WISH_REMOVE:
        return;
    case WISH_DROP_NAME:
        put(m, CHANGE_SET, "From", 1, bare_list(m, &m->facts->from));
        return;
    case WISH_REWRITE:
        rewrite_from(m);
        return;
    }
}

/* From the last one on, so that the others keep their numbers. */
static void remove_further_senders(struct amend *m)
{
    for (size_t i = m->facts->field_count; i-- > 0;) {
        const struct field_fact *field = &m->facts->fields[i];
        if (field->kind == FIELD_SENDER && field->index > 1)
            put(m, CHANGE_REMOVE, "Sender", field->index, NULL);
    }
}

static void set_sender(struct amend *m, bool there_is_one)
{
    remove_further_senders(m);
    if (there_is_one)
        put(m, CHANGE_SET, "Sender", 1, m->decision->primary);
    else
        put(m, CHANGE_ADD, "Sender", 0, m->decision->primary);
}

/* There is one Sender at most, so one that is set takes the place of all. */
static bool sets_sender(const struct amend *m, bool *there_is_one)
{
    bool sets = m->decision->adds_sender;
    *there_is_one = false;
    for (size_t i = 0; i < m->facts->field_count; i++) {
        const struct field_fact *field = &m->facts->fields[i];
        if (field->kind != FIELD_SENDER)
            continue;
        *there_is_one = true;
        sets = sets || wish_for(m, field) == WISH_REWRITE;
    }
    return sets;
}

static void amend_field(struct amend *m, const struct field_fact *field)
{
    const char *name = field_name(field->kind);
    switch (wish_for(m, field)) {
    case WISH_NONE:
        return;
    case WISH_DROP_NAME:
        put(m, CHANGE_SET, name, field->index, bare_list(m, field));
        return;
    case WISH_REMOVE:
        put(m, CHANGE_REMOVE, name, field->index, NULL);
        return;
    case WISH_REWRITE:
        put(m, CHANGE_SET, name, field->index, m->decision->primary);
        return;
    }
}

/* From the last one on, so that the others keep their numbers. */
static void amend_fields(struct amend *m)
{
    bool there_is_one, sets = sets_sender(m, &there_is_one);
    if (sets)
        set_sender(m, there_is_one);
    for (size_t i = m->facts->field_count; i-- > 0;)
        if (!sets || m->facts->fields[i].kind != FIELD_SENDER)
            amend_field(m, &m->facts->fields[i]);
}

static void amend_envelope(struct amend *m)
{
    for (size_t i = 0; i < m->decision->finding_count; i++) {
        const struct finding *f = &m->decision->findings[i];
        bool about = f->reason == REASON_SENDER_NOT_GRANTED || f->reason == REASON_SENDER_MALFORMED;
        if (!about || !is_active(f, EFFECT_REWRITE))
            continue;
        put(m, CHANGE_SENDER, NULL, 0, m->decision->primary);
        return;
    }
}

static void amend_claims(struct amend *m)
{
    amend_from(m);
    amend_fields(m);
    amend_envelope(m);
}

/* ---- marks ---- */

/* A quoted-string of printable ASCII (RFC 5322 section 3.2.4). */
static const char *quoted(const struct amend *m, const char *text)
{
    struct strbuf out;
    strbuf_init(&out, m->arena);
    strbuf_add_char(&out, '"');
    for (const char *c = text; *c && out.len < 300; c++) {
        if (*c == '"' || *c == '\\')
            strbuf_add_char(&out, '\\');
        strbuf_add_char(&out, *c >= ' ' && *c <= '~' ? *c : '?');
    }
    strbuf_add_char(&out, '"');
    return out.text;
}

static const char *tag_value(const struct amend *m, const struct finding *f)
{
    struct strbuf out;
    strbuf_init(&out, m->arena);
    strbuf_add_str(&out, reason_info(f->reason)->id);
    if (f->address)
        strbuf_printf(&out, ";\n address=%s", quoted(m, f->address));
    const char *who = principal_name(&m->facts->principal);
    if (*who)
        strbuf_printf(&out, ";\n login=%s", quoted(m, who));
    return out.text;
}

static void add_tags(struct amend *m)
{
    for (size_t i = 0; i < m->decision->finding_count; i++)
        if (is_active(&m->decision->findings[i], EFFECT_TAG))
            put(m, CHANGE_INSERT, AMEND_TAG, 0, tag_value(m, &m->decision->findings[i]));
}

/* Once, for the first reason. */
static void hold(struct amend *m)
{
    for (size_t i = 0; i < m->decision->finding_count; i++) {
        const struct finding *f = &m->decision->findings[i];
        if (!is_active(f, EFFECT_QUARANTINE))
            continue;
        put(m, CHANGE_HOLD, NULL, 0,
            arena_printf(m->arena, "sendas-milter: %s", reason_info(f->reason)->id));
        return;
    }
}

static void add_trace(struct amend *m)
{
    const struct principal *p = &m->facts->principal;
    if (!m->policy->trace_header || p->kind == PRINCIPAL_NONE)
        return;
    struct strbuf out;
    strbuf_init(&out, m->arena);
    strbuf_printf(&out, "%s=%s", principal_kind_name(p->kind), quoted(m, principal_name(p)));
    if (p->kind == PRINCIPAL_SASL && p->login.master)
        strbuf_printf(&out, ";\n master=%s", quoted(m, p->login.master));
    strbuf_printf(&out, ";\n policy=%s", quoted(m, m->policy->name));
    put(m, CHANGE_INSERT, m->policy->trace_header, 0, out.text);
}

static void add_auth_results(struct amend *m, const struct amend_host *host)
{
    const struct principal *p = &m->facts->principal;
    if (m->policy->auth_results && host->authserv_id && p->kind == PRINCIPAL_SASL &&
        p->fault == PRINCIPAL_SOUND)
        put(m, CHANGE_INSERT, "Authentication-Results", 0,
            authres_write(m->arena, host->authserv_id, host->mechanism, p->login.name));
}

static void remove_forged(struct amend *m)
{
    for (size_t i = m->facts->forged_count; i-- > 0;)
        put(m, CHANGE_REMOVE, m->facts->forged[i].name, m->facts->forged[i].index, NULL);
}

struct change_list amend_make(struct arena *a, const struct policy *policy,
                              const struct facts *facts, const struct decision *decision,
                              const struct amend_host *host)
{
    struct amend m = {.arena = a, .policy = policy, .facts = facts, .decision = decision};
    if (effect_refuses(decision->effect) || policy->observe)
        return (struct change_list){NULL, 0};
    remove_forged(&m);
    amend_claims(&m);
    add_tags(&m);
    hold(&m);
    add_trace(&m);
    add_auth_results(&m, host);
    return (struct change_list){m.items, m.count};
}
