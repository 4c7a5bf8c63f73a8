/* mailbox: the value of From or Sender. Input: rules, length of the field name (in fours), value.
 */
#include "fuzz.h"
#include "naive.h"
#include "rules.h"

#include "mailbox.h"

static void check_inside(struct span outer, struct span inner)
{
    if (!inner.len)
        return;
    FUZZ_CLAIM(inner.data >= outer.data);
    FUZZ_CLAIM(inner.data + inner.len <= outer.data + outer.len);
}

static void check_comments(struct span value, const struct mailbox *m, const char **last)
{
    for (size_t i = 0; i < m->comment_count; i++) {
        struct span comment = m->comments[i];
        check_inside(value, comment);
        FUZZ_CLAIM(comment.len >= 2 && comment.data[0] == '(');
        FUZZ_CLAIM(comment.data[comment.len - 1] == ')');
        FUZZ_CLAIM(comment.data >= *last);
        *last = comment.data + comment.len;
    }
}

static void check_spans(struct span value, const struct mailbox_list *list)
{
    const char *last_text = value.data, *last_comment = value.data;
    FUZZ_CLAIM(list->count <= MAILBOX_LIST_MAX);
    for (size_t i = 0; i < list->count; i++) {
        const struct mailbox *m = &list->items[i];
        check_inside(value, m->text);
        check_inside(m->text, m->name);
        FUZZ_CLAIM(m->text.len > 0 && m->text.data >= last_text);
        last_text = m->text.data + m->text.len;
        check_comments(value, m, &last_comment);
    }
}

static void check_keys(struct arena *a, const struct addr_rules *rules,
                       const struct mailbox_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *key = list->items[i].addr.key;
        struct addr again;
        FUZZ_CLAIM(addr_parse(a, rules, span_of(key), &again, NULL) == ADDR_OK);
        FUZZ_CLAIM(strcmp(again.key, key) == 0);
    }
}

static void check_same(const struct mailbox_list *list, const struct mailbox_list *other)
{
    FUZZ_CLAIM(list->count == other->count);
    for (size_t i = 0; i < list->count; i++)
        FUZZ_CLAIM(addr_equal(&list->items[i].addr, &other->items[i].addr));
}

/* A key with half an encoded-word in it may be refused beside another half. */
static bool holds_encoded_word(struct span value)
{
    return value.len && memmem(value.data, value.len, "=?", 2) != NULL;
}

static void check_list_of_keys(struct arena *a, const struct addr_rules *rules,
                               const struct mailbox_list *list)
{
    struct strbuf text;
    struct mailbox_list again;
    strbuf_init(&text, a);
    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&text, "%s%s", i ? ",\n " : "", list->items[i].addr.key);
    struct exact exact = exact_copy(strbuf_span(&text));
    if (!holds_encoded_word(exact.text)) {
        FUZZ_CLAIM(mailbox_parse(a, rules, 4, exact.text, &again, NULL) == MAILBOX_OK);
        check_same(list, &again);
    }
    exact_free(&exact);
}

/* The length of the name can only make a line too long. */
static void check_without_name(struct arena *a, const struct addr_rules *rules, struct span value,
                               const struct mailbox_list *list)
{
    struct mailbox_list again;
    FUZZ_CLAIM(mailbox_parse(a, rules, 0, value, &again, NULL) == MAILBOX_OK);
    check_same(list, &again);
}

static void check_naive(struct arena *a, const struct addr_rules *rules, struct span value,
                        const struct mailbox_list *list)
{
    struct naive naive = naive_begin(a, value);
    struct span text;
    size_t count = 0;
    for (; naive_next(&naive, &text); count++) {
        struct addr addr;
        FUZZ_CLAIM(count < list->count);
        FUZZ_CLAIM(addr_parse(a, rules, text, &addr, NULL) == ADDR_OK);
        FUZZ_CLAIM(addr_equal(&addr, &list->items[count].addr));
    }
    FUZZ_CLAIM(count == list->count);
}

static void check_ok(struct arena *a, const struct addr_rules *rules, struct span value,
                     const struct mailbox_list *list)
{
    FUZZ_CLAIM(list->count >= 1);
    check_keys(a, rules, list);
    check_list_of_keys(a, rules, list);
    check_without_name(a, rules, value, list);
    check_naive(a, rules, value, list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    struct addr_rules rules = rules_of_addresses(fuzz_octet(&in));
    size_t name_len = (size_t)fuzz_octet(&in) * 4;
    struct span value = fuzz_rest(&in);
    struct mailbox_list list;
    struct errtext why = {""};
    enum mailbox_status status = mailbox_parse(a, &rules, name_len, value, &list, &why);
    FUZZ_CLAIM(arena_size(a) <= (value.len + 1) * 1024);
    FUZZ_CLAIM((status == MAILBOX_MALFORMED) == (*why.text != '\0'));
    check_spans(value, &list);
    if (status == MAILBOX_OK)
        check_ok(a, &rules, value, &list);
    if (status == MAILBOX_BLANK)
        FUZZ_CLAIM(!list.count && !span_trim(value).len);
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
