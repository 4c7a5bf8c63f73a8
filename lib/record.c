#include "record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Whatever a client sends, the verdict stays in the line, and the line in the log. */
enum { VALUE_SHOWN_MAX = 256, MAILBOXES_SHOWN_MAX = 5 };

/* One list of keys for both forms: each writer gets name and value in order. */
struct writer {
    void (*put)(struct writer *w, const char *key, const char *value);
    struct strbuf *out;
    json_t *object;
    struct arena *arena;
};

static void put_text(struct writer *w, const char *key, const char *value)
{
    if (w->out->len)
        strbuf_add_char(w->out, ' ');
    strbuf_printf(w->out, "%s=", key);
    bool plain = *value != '\0';
    for (const char *c = value; *c && plain; c++)
        plain = *c > ' ' && *c <= '~' && *c != '"' && *c != '=' && *c != '\\';
    if (plain) {
        strbuf_add_str(w->out, value);
        return;
    }
    strbuf_add_char(w->out, '"');
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        if (*c == '"' || *c == '\\')
            strbuf_printf(w->out, "\\%c", *c);
        else if (*c < ' ' || *c > '~')
            strbuf_printf(w->out, "\\x%02x", *c);
        else
            strbuf_add_char(w->out, (char)*c);
    }
    strbuf_add_char(w->out, '"');
}

/* A client's bytes need not be UTF-8, JSON must be: each byte then stands for itself (Latin-1). */
static json_t *json_text(const char *value)
{
    json_t *text = json_string(value);
    if (text)
        return text;
    struct arena *a = arena_create();
    struct strbuf utf8;
    strbuf_init(&utf8, a);
    for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
        if (*c < 0x80) {
            strbuf_add_char(&utf8, (char)*c);
        } else {
            strbuf_add_char(&utf8, (char)(0xc0 | (*c >> 6)));
            strbuf_add_char(&utf8, (char)(0x80 | (*c & 0x3f)));
        }
    }
    text = json_string(utf8.text);
    arena_destroy(a);
    return text;
}

static void put_json(struct writer *w, const char *key, const char *value)
{
    (void)json_object_set_new(w->object, key, json_text(value));
}

static void put(struct writer *w, const char *key, const char *value)
{
    if (value && strlen(value) > VALUE_SHOWN_MAX)
        value = arena_printf(w->arena, "%.*s...", VALUE_SHOWN_MAX, value);
    if (value)
        w->put(w, key, value);
}

static void put_number(struct writer *w, const char *key, uint64_t number)
{
    char digits[24];
    if (w->object) {
        (void)json_object_set_new(w->object, key, json_integer((json_int_t)number));
        return;
    }
    (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    w->put(w, key, digits);
}

static const char *effect_name(enum effect effect)
{
    static const char *const names[] = {
        [EFFECT_ACCEPT] = "accept",
        [EFFECT_TEMPFAIL] = "tempfail",
        [EFFECT_REJECT] = "reject",
    };
    return names[effect];
}

static void put_client(struct writer *w, const struct record *r)
{
    put(w, "event", r->event);
    put(w, "qid", r->queue_id ? r->queue_id : "NOQUEUE");
    put(w, "client", r->client_addr ? r->client_addr : "unknown");
    put(w, "client_name", r->client_name);
    put(w, "listener", r->facts->non_smtp ? "non-smtp" : r->listener);
    put(w, "port", r->port);
    put(w, "policy", r->policy->name);
}

static void put_principal(struct writer *w, const struct principal *p)
{
    put(w, "principal", p->kind == PRINCIPAL_SASL ? "sasl" : "none");
    if (p->kind == PRINCIPAL_NONE)
        return;
    put(w, "login", p->fault == PRINCIPAL_SOUND ? p->login.name : p->raw);
    if (p->fault == PRINCIPAL_SOUND)
        put(w, "master", p->login.master);
}

static const char *from_shape(const struct from_fact *from)
{
    if (from->fields == 0)
        return "missing";
    if (from->fields > 1)
        return "duplicate";
    switch (from->status) {
    case MAILBOX_OK:
        return NULL;
    case MAILBOX_BLANK:
        return "missing";
    case MAILBOX_GROUP:
        return "group";
    case MAILBOX_MALFORMED:
        return "malformed";
    }
    return "malformed";
}

static void put_from(struct writer *w, const struct mailbox_list *list)
{
    struct strbuf from;
    strbuf_init(&from, w->arena);
    for (size_t i = 0; i < list->count && i < MAILBOXES_SHOWN_MAX; i++)
        strbuf_printf(&from, "%s%s", i ? "," : "", list->items[i].addr.key);
    w->put(w, "from", from.text);
    if (list->count > MAILBOXES_SHOWN_MAX)
        put_number(w, "from_count", list->count);
}

static void put_claims(struct writer *w, const struct facts *f)
{
    put(w, "sender", f->sender.shape == SENDER_ADDRESS ? f->sender.addr.key : f->sender.raw);
    if (f->stage != FACTS_EOM) {
        put(w, "rcpt", f->recipient.key ? f->recipient.key : f->recipient.raw);
        return;
    }
    const char *shape = from_shape(&f->from);
    if (shape) {
        put(w, "from_shape", shape);
        return;
    }
    put_from(w, &f->from.list);
}

static const struct finding *strongest(const struct decision *d)
{
    const struct finding *best = NULL;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (d->effect != EFFECT_ACCEPT && f->observed)
            continue;
        if (!best || f->effect > best->effect)
            best = f;
    }
    return best;
}

static void put_all_reasons(struct writer *w, const struct decision *d)
{
    struct strbuf all;
    strbuf_init(&all, w->arena);
    for (size_t i = 0; i < d->finding_count; i++)
        strbuf_printf(&all, "%s%s%s", i ? "," : "", reason_info(d->findings[i].reason)->id,
                      d->findings[i].observed ? "(observed)" : "");
    if (d->finding_count > 1)
        put(w, "reasons", all.text);
}

static void put_verdict(struct writer *w, const struct decision *d)
{
    const struct finding *f = strongest(d);
    put(w, "verdict", effect_name(d->effect));
    if (d->trusted)
        put(w, "trusted", "yes");
    if (!f)
        return;
    if (f->observed)
        put(w, "would", effect_name(f->effect));
    put(w, "reason", reason_info(f->reason)->id);
    put(w, "address", f->address);
    put(w, "detail", f->detail);
    put_all_reasons(w, d);
}

static void put_grant(struct writer *w, const char *key, const struct grant *grant)
{
    if (grant)
        put(w, key,
            arena_printf(w->arena, "%s:%s:%s", grant->directory, grant->attribute, grant->entry));
}

static void put_costs(struct writer *w, const struct record *r)
{
    if (r->facts->answer)
        put_number(w, "age_us", r->age_us);
    put_number(w, "waited_us", r->waited_us);
    put_number(w, "spent_us", r->spent_us);
}

static void put_record(struct writer *w, const struct record *r)
{
    w->arena = arena_create();
    put_client(w, r);
    put_principal(w, &r->facts->principal);
    put_claims(w, r->facts);
    put_number(w, "rcpts", r->recipients);
    if (r->recipients_refused)
        put_number(w, "rcpts_refused", r->recipients_refused);
    put_verdict(w, r->decision);
    put_grant(w, "sender_grant", r->decision->sender_grant);
    put_grant(w, "from_grant", r->decision->from_grant);
    put_costs(w, r);
    arena_destroy(w->arena);
}

void record_text(const struct record *record, struct strbuf *out)
{
    struct writer w = {.put = put_text, .out = out};
    put_record(&w, record);
}

void record_json(const struct record *record, struct strbuf *out)
{
    struct writer w = {.put = put_json, .object = json_object()};
    put_record(&w, record);
    char *text = json_dumps(w.object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (text)
        strbuf_add_str(out, text);
    free(text);
    json_decref(w.object);
}
