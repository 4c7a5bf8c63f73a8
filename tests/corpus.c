/*
 * corpus - answers the rows of tests/data/ by the code that enforces
 *
 * Use: corpus from|envelope|ldap|login: one JSON row a line on standard input, one JSON answer a
 * line on standard output. tests/check_corpus.py compares; tests/data/README.md tells the format.
 */
#include "addr.h"
#include "cachekey.h"
#include "dir_filter.h"
#include "login.h"
#include "mailbox.h"
#include "shown.h"
#include "strbuf.h"
#include "unit/exact.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct addr_rules address_rules = {.fold_local_part = true};
static const struct login_rules login_rules = {.fold_case = true};

/* ---- text of a row ---- */

static bool is_latin1(const json_t *row)
{
    const char *enc = json_string_value(json_object_get(row, "enc"));
    return enc && strcmp(enc, "latin1") == 0;
}

/* Two octets of UTF-8 are one octet of Latin-1; jansson has checked the UTF-8. */
static struct span to_latin1(struct arena *a, struct span text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < text.len; i++) {
        unsigned c = (unsigned char)text.data[i];
        if (c >= 0x80 && i + 1 < text.len)
            c = (c & 0x03) << 6 | ((unsigned char)text.data[++i] & 0x3f);
        strbuf_add_char(&b, (char)c);
    }
    return strbuf_span(&b);
}

static struct span text_of(struct arena *a, const json_t *row, const json_t *value)
{
    struct span text = span_make(json_string_value(value), json_string_length(value));
    if (!text.data)
        return span_of("");
    return is_latin1(row) ? to_latin1(a, text) : text;
}

/* ---- from, as the strictest settings judge it ---- */

enum claim { CLAIM_FROM, CLAIM_SENDER, CLAIM_RESENT_FROM, CLAIM_RESENT_SENDER, CLAIM_COUNT };

static const struct claim_rule {
    const char *name;
    bool one_field, one_mailbox;
} claim_rules[CLAIM_COUNT] = {
    [CLAIM_FROM] = {"From", true, true},
    [CLAIM_SENDER] = {"Sender", true, true},
    [CLAIM_RESENT_FROM] = {"Resent-From", false, false},
    [CLAIM_RESENT_SENDER] = {"Resent-Sender", false, true},
};

struct message {
    const json_t *row;
    size_t fields[CLAIM_COUNT];
    struct mailbox_list from;
    bool malformed; /* a field, or a control character in a name */
    bool other;     /* an address, in a name too */
    bool ambiguous; /* fields or mailboxes, or the direction of a name */
};

static bool is_owned(struct arena *a, const json_t *row, const struct addr *addr)
{
    const json_t *owns = json_object_get(row, "owns");
    size_t count = owns ? json_array_size(owns) : 1;
    for (size_t i = 0; i < count; i++) {
        struct span text =
            owns ? text_of(a, row, json_array_get(owns, i)) : span_of("alice@example.com");
        struct addr own;
        if (addr_parse(a, &address_rules, text, &own, NULL) == ADDR_OK && addr_equal(&own, addr))
            return true;
    }
    return false;
}

static void judge_mailbox(struct arena *a, struct message *message, const struct mailbox *mailbox)
{
    struct shown shown;
    shown_read(a, &address_rules, mailbox, &shown);
    message->malformed |= shown.control;
    message->ambiguous |= shown.direction;
    message->other |= !is_owned(a, message->row, &mailbox->addr);
    for (size_t i = 0; i < shown.count; i++)
        message->other |= !is_owned(a, message->row, &shown.addresses[i].addr);
}

static void add_list(struct arena *a, struct mailbox_list *all, struct mailbox_list more)
{
    struct mailbox *items = arena_array(a, all->count + more.count, sizeof *items);
    for (size_t i = 0; i < all->count; i++)
        items[i] = all->items[i];
    for (size_t i = 0; i < more.count; i++)
        items[all->count + i] = more.items[i];
    *all = (struct mailbox_list){items, all->count + more.count};
}

static void judge_field(struct arena *a, struct message *message, enum claim claim,
                        struct span name, struct span value)
{
    struct mailbox_list list;
    struct errtext why;
    struct exact exact = exact_copy(value);
    enum mailbox_status status =
        mailbox_parse(a, &address_rules, name.len, exact.text, &list, &why);
    for (size_t i = 0; i < list.count; i++)
        judge_mailbox(a, message, &list.items[i]);
    exact_free(&exact);
    const struct claim_rule *rule = &claim_rules[claim];
    message->fields[claim]++;
    message->malformed |= status == MAILBOX_MALFORMED;
    message->ambiguous |= status != MAILBOX_OK || (rule->one_mailbox && list.count > 1) ||
                          (rule->one_field && message->fields[claim] > 1);
    if (claim == CLAIM_FROM)
        add_list(a, &message->from, list);
}

static enum claim claim_of(struct span name)
{
    enum claim claim = CLAIM_FROM;
    while (claim < CLAIM_COUNT &&
           !span_equal_nocase(span_trim(name), span_of(claim_rules[claim].name)))
        claim++;
    return claim;
}

static struct message read_message(struct arena *a, const json_t *row)
{
    struct message message = {.row = row};
    size_t i;
    json_t *header;
    json_array_foreach(json_object_get(row, "headers"), i, header)
    {
        struct span name = text_of(a, row, json_array_get(header, 0));
        enum claim claim = claim_of(name);
        if (claim < CLAIM_COUNT)
            judge_field(a, &message, claim, name, text_of(a, row, json_array_get(header, 1)));
    }
    return message;
}

static const char *from_verdict(const struct message *message)
{
    if (message->malformed)
        return "malformed";
    if (!message->from.count)
        return "absent";
    if (message->other)
        return "other";
    return message->ambiguous ? "ambiguous" : "own";
}

static json_t *answer_from(struct arena *a, const json_t *row)
{
    struct message message = read_message(a, row);
    json_t *addresses = json_array();
    for (size_t i = 0; i < message.from.count; i++)
        json_array_append_new(addresses, json_string(message.from.items[i].addr.key));
    return json_pack("{s:s, s:o}", "verdict", from_verdict(&message), "addresses", addresses);
}

/* ---- envelope ---- */

static json_t *answer_envelope(struct arena *a, const json_t *row)
{
    struct addr addr;
    struct errtext why;
    struct exact exact = exact_copy(text_of(a, row, json_object_get(row, "argv0")));
    enum addr_status status = addr_parse_path(a, &address_rules, exact.text, &addr, &why);
    exact_free(&exact);
    switch (status) {
    case ADDR_OK:
        return json_pack("{s:s, s:s}", "result", "address", "address", addr.key);
    case ADDR_NULL:
        return json_pack("{s:s, s:n}", "result", "null", "address");
    case ADDR_BARE: /* nothing here completes it */
    case ADDR_MALFORMED:
        return json_pack("{s:s, s:n}", "result", "invalid", "address");
    }
    return NULL;
}

/* ---- login ---- */

static json_t *login_answer(const char *result, const char *key)
{
    return json_pack("{s:s, s:s?}", "result", result, "key", key);
}

static bool normalise(struct arena *a, struct span text, struct login *out)
{
    struct errtext why;
    struct exact exact = exact_copy(text);
    bool ok = login_normalise(a, &login_rules, exact.text, out, &why);
    exact_free(&exact);
    return ok;
}

static json_t *answer_compare(struct arena *a, const json_t *row)
{
    struct login login, stored;
    if (!normalise(a, text_of(a, row, json_object_get(row, "login")), &login) ||
        !normalise(a, text_of(a, row, json_object_get(row, "stored")), &stored))
        return login_answer("refuse", NULL);
    bool same = strcmp(login.name, stored.name) == 0;
    return login_answer(same ? "same" : "different", login.name);
}

static struct span cache_key(struct arena *a, const json_t *row, const json_t *parts)
{
    struct strbuf key;
    strbuf_init(&key, a);
    for (size_t i = 0; i < json_array_size(parts); i++)
        cachekey_add(&key, text_of(a, row, json_array_get(parts, i)));
    return strbuf_span(&key);
}

static json_t *answer_cache(struct arena *a, const json_t *row)
{
    bool same = span_equal(cache_key(a, row, json_object_get(row, "a")),
                           cache_key(a, row, json_object_get(row, "b")));
    return login_answer(same ? "same" : "different", NULL);
}

static json_t *answer_macro(struct arena *a, const json_t *row)
{
    const json_t *macros = json_object_get(row, "macros");
    const json_t *authen = json_object_get(macros, "{auth_authen}");
    struct login login;
    struct span raw;
    switch (login_proof(json_string_value(json_object_get(macros, "{auth_type}")),
                        json_string_value(authen))) {
    case LOGIN_PROOF_NONE:
        return login_answer("unauthenticated", NULL);
    case LOGIN_PROOF_HALF:
        return login_answer("refuse", NULL);
    case LOGIN_PROOF_SASL:
        break;
    }
    const char *version = json_string_value(json_object_get(macros, "v"));
    if (login_decode(a, LOGIN_MTA_AUTO, version, text_of(a, row, authen), &raw) != LOGIN_DECODED ||
        !normalise(a, raw, &login))
        return login_answer("refuse", NULL);
    return login_answer("user", login.name);
}

struct player {
    const char *name;
    json_t *(*answer)(struct arena *a, const json_t *row);
};

static json_t *answer_by(const struct player *players, size_t count, const char *name,
                         struct arena *a, const json_t *row)
{
    for (size_t i = 0; i < count; i++)
        if (name && strcmp(players[i].name, name) == 0)
            return players[i].answer(a, row);
    return NULL;
}

static json_t *answer_login(struct arena *a, const json_t *row)
{
    static const struct player kinds[] = {
        {"compare", answer_compare}, {"cache", answer_cache}, {"macro", answer_macro}};
    return answer_by(kinds, sizeof kinds / sizeof kinds[0],
                     json_string_value(json_object_get(row, "kind")), a, row);
}

/* ---- ldap ---- */

static json_t *ldap_answer(const char *outcome, const char *filter)
{
    return json_pack("{s:s, s:s?}", "outcome", outcome, "filter", filter);
}

/* The entries that a search could find: directory.json of the source tree. */
static json_t *load_directory(struct arena *a)
{
    const char *srcdir = getenv("srcdir");
    const char *path = arena_printf(a, "%s/tests/data/directory.json", srcdir ? srcdir : ".");
    json_error_t error;
    json_t *entries = json_load_file(path, 0, &error);
    if (!entries)
        (void)fprintf(stderr, "corpus: %s: %s\n", path, error.text);
    return entries;
}

static bool same_login(struct arena *a, struct span asked, struct span stored)
{
    struct login one, other;
    return normalise(a, asked, &one) && normalise(a, stored, &other) &&
           strcmp(one.name, other.name) == 0;
}

static bool same_address(struct arena *a, struct span asked, struct span stored)
{
    struct addr one, other;
    return addr_parse(a, &address_rules, asked, &one, NULL) == ADDR_OK &&
           addr_parse(a, &address_rules, stored, &other, NULL) == ADDR_OK &&
           addr_equal(&one, &other);
}

struct entry {
    struct arena *arena;
    const json_t *attributes;
};

static bool entry_has(void *context, const char *attribute, const char *value, bool exact)
{
    const struct entry *entry = context;
    bool address = strcmp(attribute, "mail") == 0;
    size_t i;
    json_t *stored;
    json_array_foreach(json_object_get(entry->attributes, attribute), i, stored)
    {
        struct span text = span_make(json_string_value(stored), json_string_length(stored));
        if (exact     ? span_equal(span_of(value), text)
            : address ? same_address(entry->arena, span_of(value), text)
                      : same_login(entry->arena, span_of(value), text))
            return true;
    }
    return false;
}

/* The server finds by rules of its own; what counts is which entries prove to be the one. */
static const char *search(struct arena *a, const struct dir_filter *filter,
                          const struct dir_facts *facts, const json_t *entries)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(entries) && !found; i++) {
        struct entry entry = {a, json_array_get(entries, i)};
        found = dir_filter_proven(a, filter, facts, entry_has, &entry);
    }
    return found ? "match" : "no_match";
}

static json_t *answer_filter(struct arena *a, const struct dir_filter *filter,
                             const struct dir_facts *facts, const char *text)
{
    json_t *entries = load_directory(a);
    json_t *answer = entries ? ldap_answer(search(a, filter, facts, entries), text) : NULL;
    json_decref(entries);
    return answer;
}

/* The program offers no template for a DN: of such a row the value alone is judged. */
static json_t *answer_ldap(struct arena *a, const json_t *row)
{
    const char *attribute = json_string_value(json_object_get(row, "attr"));
    struct span value = text_of(a, row, json_object_get(row, "value"));
    const struct dir_facts facts = {{[DIR_FACT_LOGIN] = arena_copy(a, value)}};
    struct dir_filter *filter = NULL;
    const char *text = NULL;
    if (!attribute || !dir_filter_parse(a, span_of(arena_printf(a, "(%s=%%{login})", attribute)),
                                        DIR_FACT_BIT(DIR_FACT_LOGIN), &filter, NULL))
        return NULL;
    /* A fact is a C string, so a login with a NUL never becomes one: see login_normalise(). */
    if (span_find(value, '\0') < value.len ||
        dir_filter_expand(a, filter, &facts, &text, NULL) != DIR_FILTER_OK)
        return ldap_answer("refuse", NULL);
    const char *kind = json_string_value(json_object_get(row, "kind"));
    if (kind && strcmp(kind, "dn") == 0)
        return ldap_answer("safe", NULL);
    return answer_filter(a, filter, &facts, text);
}

/* ---- the loop ---- */

static const struct player players[] = {{"from", answer_from},
                                        {"envelope", answer_envelope},
                                        {"ldap", answer_ldap},
                                        {"login", answer_login}};

static bool play_line(const char *name, const char *line, size_t len)
{
    json_error_t error;
    json_t *row = json_loadb(line, len, JSON_ALLOW_NUL, &error);
    if (!row) {
        (void)fprintf(stderr, "corpus: %s\n", error.text);
        return false;
    }
    struct arena *a = arena_create();
    json_t *answer = answer_by(players, sizeof players / sizeof players[0], name, a, row);
    if (answer) {
        json_object_set(answer, "id", json_object_get(row, "id"));
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        (void)fflush(stdout);
    }
    bool ok = answer != NULL;
    json_decref(answer);
    json_decref(row);
    arena_destroy(a);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: corpus from|envelope|ldap|login <ROWS >ANSWERS\n");
        return 64;
    }
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    bool ok = true;
    while ((len = getline(&line, &size, stdin)) > 0)
        ok = play_line(argv[1], line, (size_t)len) && ok;
    free(line);
    return ok ? 0 : 1;
}
