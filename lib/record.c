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
    static const char *const name_keys[PRINCIPAL_KINDS] = {
        [PRINCIPAL_NONE] = NULL,
        [PRINCIPAL_SASL] = "login",
        [PRINCIPAL_CERT] = "cert_subject",
        [PRINCIPAL_NETWORK] = "network",
    };
    put(w, "principal", principal_kind_name(p->kind));
    if (p->kind == PRINCIPAL_NONE)
        return;
    put(w, name_keys[p->kind], principal_name(p));
    if (p->kind == PRINCIPAL_CERT)
        put(w, "cert_issuer", p->cert_issuer);
    if (p->kind == PRINCIPAL_SASL && p->fault == PRINCIPAL_SOUND)
        put(w, "master", p->login.master);
}

static const char *from_shape(const struct facts *f)
{
    if (f->from_fields == 0)
        return "missing";
    if (f->from_fields > 1)
        return "duplicate";
    switch (f->from.status) {
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

/* The first of a list, however long it is. */
struct shortlist {
    struct strbuf text;
    size_t count;
};

static void list_add(struct shortlist *list, const char *value)
{
    if (list->count++ < MAILBOXES_SHOWN_MAX)
        strbuf_printf(&list->text, "%s%.*s", list->count > 1 ? "," : "", VALUE_SHOWN_MAX, value);
}

static void list_add_field(struct shortlist *list, const struct field_fact *field)
{
    if (field->status != MAILBOX_OK)
        list_add(list, field->raw);
    for (size_t i = 0; field->status == MAILBOX_OK && i < field->list.count; i++)
        list_add(list, field->list.items[i].addr.key);
}

static void list_add_shown(struct shortlist *list, const struct field_fact *field)
{
    for (size_t i = 0; field->shown && i < field->list.count; i++)
        for (size_t k = 0; k < field->shown[i].count; k++)
            list_add(list, field->shown[i].addresses[k].text);
}

/* Nothing for an empty list. */
static void put_list(struct writer *w, const char *key, const struct shortlist *list)
{
    if (list->count > 0)
        w->put(w, key, list->text.text);
    if (list->count > MAILBOXES_SHOWN_MAX)
        put_number(w, arena_printf(w->arena, "%s_count", key), list->count);
}

static void put_from(struct writer *w, const struct facts *f)
{
    const char *shape = from_shape(f);
    struct shortlist from = {.count = 0};
    if (shape) {
        put(w, "from_shape", shape);
        return;
    }
    strbuf_init(&from.text, w->arena);
    list_add_field(&from, &f->from);
    put_list(w, "from", &from);
}

/* Sender, Resent-* and what the names show. */
static void put_fields(struct writer *w, const struct facts *f)
{
    struct shortlist sender = {.count = 0}, resent = {.count = 0}, shown = {.count = 0};
    strbuf_init(&sender.text, w->arena);
    strbuf_init(&resent.text, w->arena);
    strbuf_init(&shown.text, w->arena);
    list_add_shown(&shown, &f->from);
    for (size_t i = 0; i < f->field_count; i++) {
        const struct field_fact *field = &f->fields[i];
        list_add_field(field->kind == FIELD_SENDER ? &sender : &resent, field);
        list_add_shown(&shown, field);
    }
    put_list(w, "sender_header", &sender);
    put_list(w, "resent", &resent);
    put_list(w, "shown", &shown);
}

static void put_claims(struct writer *w, const struct facts *f)
{
    put(w, "sender", f->sender.shape == SENDER_ADDRESS ? f->sender.addr.key : f->sender.raw);
    if (f->stage != FACTS_EOM) {
        put(w, "rcpt", f->recipient.key ? f->recipient.key : f->recipient.raw);
        return;
    }
    put_from(w, f);
    put_fields(w, f);
}

static const struct finding *strongest(const struct decision *d)
{
    const struct finding *best = NULL;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = &d->findings[i];
        if (d->effect != EFFECT_ACCEPT && f->observed) /* what acts speaks first */
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
    bool changed = d->effect == EFFECT_TAG || d->effect == EFFECT_REWRITE;
    put(w, "verdict", effect_name(changed ? EFFECT_ACCEPT : d->effect));
    if (changed)
        put(w, "effect", effect_name(d->effect));
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

/* "From,Sender": which fields were changed, added or taken out; "MAIL" is the envelope's. */
static void put_changes(struct writer *w, const struct change_list *changes)
{
    struct shortlist names = {.count = 0};
    strbuf_init(&names.text, w->arena);
    for (size_t i = 0; changes && i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        if (change->kind != CHANGE_HOLD)
            list_add(&names, change->name ? change->name : "MAIL");
    }
    put_list(w, "changed", &names);
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
    put_changes(w, r->changes);
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
