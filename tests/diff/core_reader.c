/*
 * core_reader - what the project's own parser sees in a From field
 *
 * Use: one case a line on standard input (hexline.h), the value of a From field. One line out:
 *   "accepted" LOCAL DOMAIN DIRECTION NAME SHOWN...   or   "refused" WHY
 * with tabs between. LOCAL is the local part without quotes, DIRECTION 1 where a sign turns the
 * text of the name, NAME 1 where there is a name, and SHOWN the addresses found in names; texts are
 * in hex.
 * Accepted is a field that says who the author is: one mailbox and nothing wrong, whosever it is.
 */
#include "hexline.h"
#include "mailbox.h"
#include "shown.h"

static const struct addr_rules rules = {0};

static const char *why_refused(enum mailbox_status status, const struct mailbox_list *list,
                               const struct errtext *why)
{
    switch (status) {
    case MAILBOX_OK:
        return list->count == 1 ? NULL : "more than one mailbox";
    case MAILBOX_BLANK:
        return "nothing but white space";
    case MAILBOX_GROUP:
        return "a group";
    case MAILBOX_MALFORMED:
        return why->text;
    }
    return NULL;
}

static void put_text(const char *text)
{
    (void)putchar('\t');
    hexline_put(text, strlen(text));
}

static void put_accepted(const struct mailbox *mailbox, const struct shown *shown)
{
    (void)printf("accepted");
    put_text(mailbox->addr.local);
    put_text(mailbox->addr.domain);
    (void)printf("\t%d\t%d", shown->direction, mailbox->name.len > 0);
    for (size_t i = 0; i < shown->count; i++)
        put_text(*shown->addresses[i].addr.key ? shown->addresses[i].text : "");
}

static void answer(struct arena *a, struct span value)
{
    struct mailbox_list list;
    struct errtext why = {""};
    struct shown shown = {0};
    enum mailbox_status status = mailbox_parse(a, &rules, sizeof "From" - 1, value, &list, &why);
    const char *refused = why_refused(status, &list, &why);
    if (!refused)
        shown_read(a, &rules, &list.items[0], &shown);
    if (shown.control)
        refused = "a control character in the name";
    if (refused)
        (void)printf("refused\t%s", refused);
    else
        put_accepted(&list.items[0], &shown);
    (void)putchar('\n');
}

int main(void)
{
    struct hexline line = {NULL, 0, NULL, 0};
    while (hexline_read(&line)) {
        struct arena *a = arena_create();
        answer(a, span_make(line.octets, line.len));
        arena_destroy(a);
    }
    hexline_free(&line);
    return 0;
}
