#include "fields.h"
#include "authres.h"
#include "report.h"
#include "strbuf.h"
#include "utext.h"

#include <string.h>

enum {
    RESULTS_MAX = 20, /* Authentication-Results fields that are looked at */
    FILLER_MAX = 200, /* octets between two parts of a domain, so that looking for it has an end */
};

/* A field that claims addresses, as it came. */
struct kept_field {
    enum field_kind kind;
    unsigned index;
    size_t name_len;   /* as it stood, blanks included */
    struct span value; /* data NULL where it was over the bound */
};

/* Lists grow by doubling, in the arena. */
struct fields {
    struct arena *arena;
    const struct fields_conf *conf;
    const char *own_id;            /* in the form of authres.h, NULL for none */
    const char *trusted_id;        /* the same */
    unsigned count;                /* all fields */
    unsigned of_kind[FIELD_KINDS]; /* the kept kinds, by name */
    struct kept_field from;        /* the first one */
    size_t further_from;           /* octets of the others, all together */
    struct kept_field *kept;       /* Sender and Resent-* */
    size_t kept_count, kept_room;
    struct forged_field *forged;
    size_t forged_count, forged_room;
    bool forged_beyond;
    unsigned own_counts[2], result_count;
    struct authres results[RESULTS_MAX];
    size_t trusted_count;
    bool received_seen;
    bool has_content_type, report, list_mail, has_reply_to;
    const char *too_large;
    const char *from_mentions;
};

struct fields *fields_create(struct arena *a, const struct fields_conf *conf)
{
    struct fields *f = arena_alloc(a, sizeof *f);
    *f = (struct fields){.arena = a, .conf = conf};
    if (conf->own_id)
        f->own_id = authres_id(a, span_of(conf->own_id));
    if (conf->trusted_id)
        f->trusted_id = authres_id(a, span_of(conf->trusted_id));
    return f;
}

static void *grown(struct arena *a, const void *items, size_t count, size_t *room, size_t size)
{
    *room = *room ? 2 * *room : 2;
    void *more = arena_array(a, *room, size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

/* What stands behind max_headers is counted, and not looked at any more. */
static bool is_over(const struct fields *f)
{
    return f->count > f->conf->max_headers;
}

static bool too_large(struct fields *f, const char *name, size_t size)
{
    if (size <= f->conf->max_header_size)
        return false;
    if (!f->too_large)
        f->too_large = arena_printf(f->arena, "%s is over max_header_size", name);
    return true;
}

/* ---- fields that claim addresses ---- */

/* FIELD_KINDS where the field claims no address. */
static enum field_kind kind_of(struct span name)
{
    int kind = 0;
    while (kind < FIELD_KINDS &&
           !span_equal_nocase(name, span_of(field_name((enum field_kind)kind))))
        kind++;
    return (enum field_kind)kind;
}

static struct kept_field copy_field(struct fields *f, enum field_kind kind, const char *name,
                                    struct span value)
{
    struct kept_field field = {.kind = kind, .index = f->of_kind[kind], .name_len = strlen(name)};
    if (!too_large(f, field_name(kind), field.name_len + value.len))
        field.value = span_make(arena_copy(f->arena, value), value.len);
    return field;
}

static bool is_domain_octet(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
           (unsigned char)c >= 0x80;
}

/* Without what ends a sentence. */
static struct span without_stop(struct span domain)
{
    while (domain.len && (domain.data[domain.len - 1] == '.' || domain.data[domain.len - 1] == '-'))
        domain.len--;
    return domain;
}

static const char *local_domain(const struct fields *f, struct arena *a, struct span text)
{
    const char *domain = NULL;
    bool local = utext_domain(a, without_stop(text), &domain, NULL) &&
                 domset_has(f->conf->local_domains, domain);
    return local ? domain : NULL;
}

/* Behind a comment that begins at start, with those in it; start where it has no end in sight. */
static size_t comment_end(struct span text, size_t start)
{
    size_t depth = 0;
    for (size_t at = start; at < text.len; at++) {
        char c = text.data[at];
        depth += c == '(';
        if (c == ')' && --depth == 0)
            return at + 1;
        at += c == '\\';
    }
    return start;
}

/* Behind white space and comments, which may stand between the parts of a domain. */
static size_t filler_end(struct span text, size_t start)
{
    struct span near = span_sub(text, 0, start + FILLER_MAX);
    size_t at = start, before;
    do {
        before = at;
        if (at < near.len && near.data[at] == '(')
            at = comment_end(near, at);
        else if (at < near.len && strchr(" \t\r\n", near.data[at]))
            at++;
    } while (at > before);
    return at;
}

static struct span domain_run(struct span text)
{
    size_t len = 0;
    while (len < text.len && is_domain_octet(text.data[len]))
        len++;
    return span_sub(text, 0, len);
}

static struct span ascii_run(struct span text)
{
    size_t len = 0;
    while (len < text.len && (unsigned char)text.data[len] < 0x80)
        len++;
    return span_sub(text, 0, len);
}

/* Ends that the domain may have: with the next run of its octets, or before the first sign beyond
 * ASCII in it. */
static const char *local_domain_with(const struct fields *f, struct strbuf *domain, struct span run)
{
    size_t before = domain->len;
    strbuf_add(domain, run);
    const char *found = local_domain(f, domain->arena, strbuf_span(domain));
    size_t ascii = ascii_run(run).len;
    if (found || ascii == run.len)
        return found;
    return local_domain(f, domain->arena, span_make(domain->text, before + ascii));
}

/* text stands behind an '@'. */
static const char *local_domain_at(const struct fields *f, struct arena *a, struct span text)
{
    struct strbuf domain;
    const char *found = NULL;
    strbuf_init(&domain, a);
    for (size_t at = filler_end(text, 0); !found && domain.len <= ADDR_DOMAIN_MAX;) {
        struct span run = domain_run(span_sub(text, at, text.len));
        if (!run.len)
            break;
        found = local_domain_with(f, &domain, run);
        at = filler_end(text, at + run.len);
    }
    return found;
}

static const char *find_local_domain(const struct fields *f, struct span text)
{
    struct arena *scratch = arena_create();
    const char *found = NULL;
    for (size_t at = 0; at < text.len && !found; at++) {
        if (text.data[at] != '@')
            continue;
        const char *domain = local_domain_at(f, scratch, span_sub(text, at + 1, text.len));
        found = domain ? arena_printf(f->arena, "@%s", domain) : NULL;
        arena_reset(scratch);
    }
    arena_destroy(scratch);
    return found;
}

/* Encoded, or with signs in it that nobody sees. Where there are too many, the last one stands for
 * all that follow. */
static const char *find_shown_local(const struct fields *f, struct arena *scratch, struct span text)
{
    const struct mailbox whole = {.text = text, .name = text};
    struct shown shown;
    shown_read(scratch, f->conf->address, &whole, &shown);
    for (size_t i = 0; i < shown.count; i++) {
        const struct shown_address *seen = &shown.addresses[i];
        if (i + 1 == SHOWN_ADDRESSES_MAX)
            return arena_strdup(f->arena, seen->text);
        if (*seen->addr.key && domset_has(f->conf->local_domains, seen->addr.domain))
            return arena_printf(f->arena, "@%s", seen->addr.domain);
    }
    return NULL;
}

/* The first address of a local domain that a text might show somebody, whatever its syntax. */
static const char *find_mention(const struct fields *f, struct arena *scratch, struct span text)
{
    const char *found = find_local_domain(f, text);
    return found ? found : find_shown_local(f, scratch, text);
}

static void note_mention(struct fields *f, struct span text)
{
    if (f->conf->authenticated || f->from_mentions)
        return;
    struct arena *scratch = arena_create();
    f->from_mentions = find_mention(f, scratch, text);
    arena_destroy(scratch);
}

static void keep_from(struct fields *f, const char *name, struct span value)
{
    if (++f->of_kind[FIELD_FROM] == 1)
        f->from = copy_field(f, FIELD_FROM, name, value);
    else if (!is_over(f) && !too_large(f, "From", f->further_from += strlen(name) + value.len))
        note_mention(f, value);
}

/* Of Sender and Resent-* there may be many; those over max_headers are refused unread. */
static void keep_field(struct fields *f, enum field_kind kind, const char *name, struct span value)
{
    f->of_kind[kind]++;
    if (is_over(f))
        return;
    if (f->kept_count == f->kept_room)
        f->kept = grown(f->arena, f->kept, f->kept_count, &f->kept_room, sizeof *f->kept);
    f->kept[f->kept_count++] = copy_field(f, kind, name, value);
}

/* ---- what pretends to be ours ---- */

/* There may be many of these too; those over max_headers are not taken out, but refused. */
static void is_forged(struct fields *f, const char *name, unsigned index)
{
    if (is_over(f)) {
        f->forged_beyond = true;
        return;
    }
    if (f->forged_count == f->forged_room)
        f->forged = grown(f->arena, f->forged, f->forged_count, &f->forged_room, sizeof *f->forged);
    f->forged[f->forged_count++] = (struct forged_field){name, index};
}

static void look_for_forged(struct fields *f, struct span name)
{
    for (size_t i = 0; i < sizeof f->own_counts / sizeof f->own_counts[0]; i++) {
        const char *own = f->conf->own_names[i];
        if (own && span_equal_nocase(name, span_of(own)))
            is_forged(f, own, ++f->own_counts[i]);
    }
}

static bool claims_our_id(const struct fields *f, struct span value)
{
    if (!f->own_id)
        return false;
    struct arena *scratch = arena_create();
    bool claims = authres_claims(scratch, value, f->own_id);
    arena_destroy(scratch);
    return claims;
}

static bool is_of_trusted_id(const struct fields *f, struct span value)
{
    struct arena *scratch = arena_create();
    struct authres result;
    bool is = authres_parse(scratch, value, &result) == AUTHRES_OK &&
              strcmp(result.authserv_id, f->trusted_id) == 0;
    arena_destroy(scratch);
    return is;
}

/* An outsider can write this field as well as we can: what counts is that somebody in front of us
 * takes out those that come from outside. */
static void trust_results(struct fields *f, struct span value)
{
    if (f->received_seen || f->trusted_count == RESULTS_MAX ||
        value.len > f->conf->max_header_size || !is_of_trusted_id(f, value))
        return;
    if (authres_parse(f->arena, value, &f->results[f->trusted_count]) == AUTHRES_OK)
        f->trusted_count++;
}

static void look_at_results(struct fields *f, struct span value)
{
    f->result_count++;
    if (is_over(f))
        f->forged_beyond = f->forged_beyond || f->own_id; /* unread, it may be one */
    else if (claims_our_id(f, value))
        is_forged(f, "Authentication-Results", f->result_count);
    else if (f->trusted_id && !f->conf->authenticated)
        trust_results(f, value);
}

/* ---- what is only noted ---- */

static void look_at_content_type(struct fields *f, struct span value)
{
    if (!f->has_content_type && !too_large(f, "Content-Type", value.len))
        f->report = f->report || report_content_type(value);
    f->has_content_type = true;
}

static void look_at_auto_submitted(struct fields *f, struct span value)
{
    f->report = f->report || report_auto_submitted(value);
}

static void look_at_list_id(struct fields *f, struct span value)
{
    f->list_mail = f->list_mail || span_trim(value).len > 0;
}

static void look_at_reply_to(struct fields *f, struct span value)
{
    (void)value;
    f->has_reply_to = true;
}

static void look_at_received(struct fields *f, struct span value)
{
    (void)value;
    f->received_seen = true;
}

static const struct {
    const char *name;
    void (*look)(struct fields *f, struct span value);
} noted[] = {
    {"Content-Type", look_at_content_type}, {"Auto-Submitted", look_at_auto_submitted},
    {"List-Id", look_at_list_id},           {"Reply-To", look_at_reply_to},
    {"Received", look_at_received},         {"Authentication-Results", look_at_results},
};

static void note(struct fields *f, struct span name, struct span value)
{
    for (size_t i = 0; i < sizeof noted / sizeof noted[0]; i++)
        if (span_equal_nocase(name, span_of(noted[i].name)))
            noted[i].look(f, value);
    look_for_forged(f, name);
}

void fields_add(struct fields *f, const char *name, const char *value)
{
    struct span trimmed = span_trim(span_of(name));
    enum field_kind kind = kind_of(trimmed);
    f->count++;
    if (is_over(f))
        f->too_large = "more fields than max_headers";
    if (kind == FIELD_FROM)
        keep_from(f, name, span_of(value));
    else if (kind != FIELD_KINDS)
        keep_field(f, kind, name, span_of(value));
    else
        note(f, trimmed, span_of(value));
}

/* ---- reading ---- */

static bool is_vouched(const struct fields *f, const char *domain)
{
    for (size_t i = 0; i < f->trusted_count; i++)
        if (authres_passes(&f->results[i], domain))
            return true;
    return false;
}

static const bool *find_local(const struct fields *f, const struct mailbox_list *list)
{
    bool *local = arena_array(f->arena, list->count, sizeof *local);
    for (size_t i = 0; i < list->count; i++)
        local[i] = domset_has(f->conf->local_domains, list->items[i].addr.domain);
    return local;
}

static const bool *find_vouched(const struct fields *f, const struct mailbox_list *list)
{
    bool *vouched = arena_array(f->arena, list->count, sizeof *vouched);
    for (size_t i = 0; i < list->count; i++)
        vouched[i] = is_vouched(f, list->items[i].addr.domain);
    return vouched;
}

static const struct shown *read_shown(const struct fields *f, const struct mailbox_list *list)
{
    if (!f->conf->authenticated)
        return NULL;
    struct shown *shown = arena_array(f->arena, list->count, sizeof *shown);
    for (size_t i = 0; i < list->count; i++)
        shown_read(f->arena, f->conf->address, &list->items[i], &shown[i]);
    return shown;
}

static void read_list(struct fields *f, const struct kept_field *kept, struct field_fact *out)
{
    struct errtext why = {""};
    out->raw = arena_copy(f->arena, span_trim(kept->value));
    out->status =
        mailbox_parse(f->arena, f->conf->address, kept->name_len, kept->value, &out->list, &why);
    if (*why.text)
        out->why = arena_strdup(f->arena, why.text);
    out->local = find_local(f, &out->list);
    if (out->status == MAILBOX_OK)
        out->shown = read_shown(f, &out->list);
}

static void read_field(struct fields *f, const struct kept_field *kept, struct field_fact *out)
{
    out->kind = kept->kind;
    out->index = kept->index;
    if (kept->value.data) {
        read_list(f, kept, out);
        return;
    }
    out->status = MAILBOX_MALFORMED; /* not kept, so not readable */
    out->raw = "";
    out->why = "over max_header_size";
}

static void read_from(struct fields *f, struct facts *out)
{
    out->from_fields = f->of_kind[FIELD_FROM];
    if (out->from_fields == 0)
        return;
    read_field(f, &f->from, &out->from);
    if (f->conf->authenticated)
        return;
    out->from.vouched = find_vouched(f, &out->from.list);
    if (out->from.status != MAILBOX_OK && out->from.status != MAILBOX_BLANK)
        note_mention(f, f->from.value);
}

void fields_read(struct fields *f, struct facts *out)
{
    struct field_fact *facts = arena_array(f->arena, f->kept_count, sizeof *facts);
    for (size_t i = 0; i < f->kept_count; i++)
        read_field(f, &f->kept[i], &facts[i]);
    read_from(f, out);
    out->fields = facts;
    out->field_count = f->kept_count;
    out->report = f->report;
    out->list_mail = f->list_mail;
    out->has_reply_to = f->has_reply_to;
    out->from_mentions = f->from_mentions;
    out->forged = f->forged;
    out->forged_count = f->forged_count;
    out->forged_beyond = f->forged_beyond;
    out->too_large = f->too_large;
    out->sender.vouched =
        out->sender.shape == SENDER_ADDRESS && is_vouched(f, out->sender.addr.domain);
}
