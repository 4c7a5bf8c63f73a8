/*
 * changes - what the MTA is told to change, as text: the same words that wire.h has for it
 *
 * Use: changes_line() for one change, changes_text() for a list, a line each.
 */
#ifndef TESTS_CHANGES_H
#define TESTS_CHANGES_H

#include "amend.h"
#include "strbuf.h"

static inline const char *changes_line(struct arena *a, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_SENDER:
        return arena_printf(a, "mail <%s>", change->value);
    case CHANGE_SET:
        return arena_printf(a, "set %s %u %s", change->name, change->index, change->value);
    case CHANGE_REMOVE:
        return arena_printf(a, "remove %s %u", change->name, change->index);
    case CHANGE_ADD:
        return arena_printf(a, "add %s %s", change->name, change->value);
    case CHANGE_INSERT:
        return arena_printf(a, "insert %s 0 %s", change->name, change->value);
    case CHANGE_HOLD:
        return arena_printf(a, "hold %s", change->value);
    }
    return "no such change";
}

static inline const char *changes_text(struct arena *a, const struct change_list *list)
{
    struct strbuf out;
    strbuf_init(&out, a);
    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&out, "%s%s", i ? "\n" : "", changes_line(a, &list->items[i]));
    return out.text;
}

#endif
