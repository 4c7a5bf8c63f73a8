/* shown: what names and comments show. Input: rules, the value of a field. */
#include "fuzz.h"
#include "rules.h"

#include "shown.h"
#include "strbuf.h"

#include <unistr.h>

static bool is_utf8(const char *text)
{
    return u8_check((const uint8_t *)text, strlen(text)) == NULL;
}

static void check_address(struct arena *a, const struct addr_rules *rules,
                          const struct shown_address *seen)
{
    struct addr again;
    FUZZ_CLAIM(strchr(seen->text, '@') != NULL);
    FUZZ_CLAIM(is_utf8(seen->text));
    if (!*seen->addr.key)
        return;
    FUZZ_CLAIM(addr_parse(a, rules, span_of(seen->addr.key), &again, NULL) == ADDR_OK);
    FUZZ_CLAIM(addr_equal(&again, &seen->addr));
}

static bool is_among(const char *text, const struct shown_address *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].text, text) == 0)
            return true;
    return false;
}

static void check_shown(struct arena *a, const struct addr_rules *rules, const struct shown *shown)
{
    FUZZ_CLAIM(shown->count <= SHOWN_ADDRESSES_MAX);
    for (size_t i = 0; i < shown->count; i++) {
        check_address(a, rules, &shown->addresses[i]);
        FUZZ_CLAIM(!is_among(shown->addresses[i].text, shown->addresses, i));
    }
    if (shown->count == SHOWN_ADDRESSES_MAX)
        FUZZ_CLAIM(!*shown->addresses[SHOWN_ADDRESSES_MAX - 1].addr.key);
}

static size_t length_of(const struct mailbox *m)
{
    size_t len = m->name.len;
    for (size_t i = 0; i < m->comment_count; i++)
        len += m->comments[i].len;
    return len;
}

static void read_all(struct arena *a, const struct addr_rules *rules, struct span value)
{
    struct mailbox_list list;
    if (mailbox_parse(a, rules, 4, value, &list, NULL) != MAILBOX_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        struct arena *own = arena_create();
        struct shown shown;
        shown_read(own, rules, &list.items[i], &shown);
        FUZZ_CLAIM(arena_size(own) <= (length_of(&list.items[i]) + 64) * 1024);
        check_shown(own, rules, &shown);
        arena_destroy(own);
    }
}

/* In quotes, with what would end them escaped. */
static struct span quoted(struct arena *a, const char *before, struct span text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, before);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            strbuf_add_char(&b, '\\');
        strbuf_add_char(&b, text.data[i]);
    }
    strbuf_add_str(&b, "\" <ann@example.org>");
    return strbuf_span(&b);
}

/* What stands at the front of a name is seen, whatever follows. */
static void check_front(struct arena *a, const struct addr_rules *rules, const char *front,
                        const char *address, struct span rest)
{
    const char *before = arena_printf(a, "\"%s ", front);
    struct exact exact = exact_copy(quoted(a, before, rest));
    struct mailbox_list list;
    struct shown shown;
    if (mailbox_parse(a, rules, 4, exact.text, &list, NULL) == MAILBOX_OK) {
        FUZZ_CLAIM(list.count == 1 && strcmp(list.items[0].addr.key, "ann@example.org") == 0);
        shown_read(a, rules, &list.items[0], &shown);
        FUZZ_CLAIM(is_among(address, shown.addresses, shown.count) ||
                   shown.count == SHOWN_ADDRESSES_MAX);
    }
    exact_free(&exact);
}

static void check_fronts(struct arena *a, const struct addr_rules *rules, struct span rest)
{
    check_front(a, rules, "victim@bank.example", "victim@bank.example", rest);
    check_front(a, rules, "=?utf-8?q?victim=40bank.example_?=", "victim@bank.example", rest);
    check_front(a, rules, "=?utf-8?b?victim@bank.example?=", "?utf-8?b?victim@bank.example", rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    struct addr_rules rules = rules_of_addresses(fuzz_octet(&in));
    struct span value = fuzz_rest(&in);
    read_all(a, &rules, value);
    check_fronts(a, &rules, value);
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
