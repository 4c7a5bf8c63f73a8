#include "conf_load.h"
#include "conf_value.h"
#include "utext.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- faults ---- */

static void say(struct conf_load *l, enum conf_severity severity, struct conf_place at,
                const char *text)
{
    l->faults += severity == CONF_ERROR;
    l->report(l->context, severity, at.file, at.line, text);
}

/* The names of all options of a block fit into it. */
enum { FAULT_MAX = 4096 };

void conf_fault(struct conf_load *l, struct conf_place at, const char *format, ...)
{
    char text[FAULT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (ascii_is_control(*c))
            *c = '?';
    say(l, CONF_ERROR, at, text);
}

void conf_warn(struct conf_load *l, struct conf_place at, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(l, CONF_WARNING, at, text);
}

/* ---- values ---- */

void conf_wrong(const struct conf_value *v, const struct errtext *why)
{
    conf_fault(v->load, v->at, "%s: %s", v->option, why->text);
}

const char *conf_keep(const struct conf_value *v)
{
    return arena_strdup(v->load->snapshot->arena, v->text);
}

unsigned conf_word(const struct conf_value *v, const char *const *words, unsigned preset)
{
    struct errtext why;
    unsigned index = preset;
    if (!conf_value_word(v->text, words, &index, &why))
        conf_wrong(v, &why);
    return index;
}

uint64_t conf_number(const struct conf_value *v, uint64_t min, uint64_t max)
{
    struct errtext why;
    char min_text[24], max_text[24];
    uint64_t out = min;
    (void)snprintf(min_text, sizeof min_text, "%llu", (unsigned long long)min);
    (void)snprintf(max_text, sizeof max_text, "%llu", (unsigned long long)max);
    struct conf_range range = {min, max, min_text, max_text};
    if (!conf_value_number(v->text, &range, &out, &why))
        conf_wrong(v, &why);
    return out;
}

bool conf_boolean(const struct conf_value *v, bool preset)
{
    struct errtext why;
    bool out = preset;
    if (!conf_value_bool(v->text, &out, &why))
        conf_wrong(v, &why);
    return out;
}

bool conf_domain(const struct conf_value *v, struct span text, const char **out)
{
    struct errtext why;
    if (text.len && text.data[text.len - 1] == '.')
        text.len--;
    if (utext_domain(v->load->snapshot->arena, text, out, &why))
        return true;
    conf_wrong(v, &why);
    return false;
}

void *conf_grow(struct arena *a, const void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return (void *)(uintptr_t)items;
    char *more = arena_array(a, count ? 2 * count : 1, size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

void conf_add_string(const struct conf_value *v, struct policy_strings *list, const char *text)
{
    const char **items =
        conf_grow(v->load->snapshot->arena, list->items, list->count, sizeof *items);
    items[list->count] = text;
    *list = (struct policy_strings){items, list->count + 1};
}
