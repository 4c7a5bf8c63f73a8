#include "conf_value.h"
#include "clock.h"
#include "span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static bool read_digits(const char *text, uint64_t *out, const char **rest_out)
{
    char *end;
    if (!ascii_is_digit(text[0]))
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    *out = number;
    *rest_out = end;
    return true;
}

static bool read_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t number;
    const char *rest;
    if (!read_digits(text, &number, &rest))
        return false;
    for (const struct unit *u = units; u->name; u++)
        if (strcmp(rest, u->name) == 0)
            return !__builtin_mul_overflow(number, u->factor, out);
    return false;
}

static bool in_range(const char *text, const char *kind, const struct conf_range *range,
                     const struct unit *units, uint64_t *out, struct errtext *why)
{
    uint64_t value;
    if (read_with_unit(text, units, &value) && value >= range->min && value <= range->max) {
        *out = value;
        return true;
    }
    errtext_set(why, "\"%s\" is no %s from %s to %s", text, kind, range->min_text, range->max_text);
    return false;
}

bool conf_value_duration(const char *text, const struct conf_range *range, uint64_t *out,
                         struct errtext *why)
{
    static const struct unit units[] = {
        {"", CLOCK_S},         {"ms", CLOCK_MS},       {"s", CLOCK_S}, {"m", 60 * CLOCK_S},
        {"h", 3600 * CLOCK_S}, {"d", 86400 * CLOCK_S}, {NULL, 0},
    };
    return in_range(text, "duration (units ms s m h d)", range, units, out, why);
}

bool conf_value_size(const char *text, const struct conf_range *range, uint64_t *out,
                     struct errtext *why)
{
    static const struct unit units[] = {
        {"", 1}, {"k", 1024}, {"M", UINT64_C(1024) * 1024}, {NULL, 0}};
    return in_range(text, "size (units k M)", range, units, out, why);
}

bool conf_value_number(const char *text, const struct conf_range *range, uint64_t *out,
                       struct errtext *why)
{
    static const struct unit units[] = {{"", 1}, {NULL, 0}};
    return in_range(text, "number", range, units, out, why);
}

bool conf_value_word(const char *text, const char *const *words, unsigned *out, struct errtext *why)
{
    struct errtext list = {""};
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
        struct errtext before = list;
        errtext_set(&list, "%s%s%s", before.text, i ? ", " : "", words[i]);
    }
    errtext_set(why, "\"%s\" is not one of %s", text, list.text);
    return false;
}

bool conf_value_bool(const char *text, bool *out, struct errtext *why)
{
    static const char *const words[] = {"yes", "no", "true", "false", "on", "off", NULL};
    unsigned index;
    if (!conf_value_word(text, words, &index, NULL)) {
        errtext_set(why, "\"%s\" is neither yes nor no", text);
        return false;
    }
    *out = index % 2 == 0;
    return true;
}

bool conf_value_mode(const char *text, mode_t *out, struct errtext *why)
{
    mode_t mode = 0;
    size_t len = strlen(text);
    bool good = len >= 3 && len <= 4;
    for (size_t i = 0; i < len && good; i++) {
        good = text[i] >= '0' && text[i] <= '7';
        mode = mode * 8 + (mode_t)(text[i] - '0');
    }
    if (!good || mode > 0777) {
        errtext_set(why, "\"%s\" is no mode; an octal number such as 0660 is right", text);
        return false;
    }
    *out = mode;
    return true;
}

/* ---- socket ---- */

static bool check_path(const char *path, struct errtext *why)
{
    struct sockaddr_un address;
    if (path[0] != '/') {
        errtext_set(why, "\"%s\" is no absolute path; unix:/run/sendas-milter/milter.sock is right",
                    path);
        return false;
    }
    if (strlen(path) < sizeof address.sun_path - 4)
        return true;
    errtext_set(why, "the path is too long for a socket; up to %zu bytes are right",
                sizeof address.sun_path - 5);
    return false;
}

static bool check_inet(const char *prefix, const char *text, struct errtext *why)
{
    uint64_t port;
    const char *rest;
    if (read_digits(text, &port, &rest) && port >= 1 && port <= 65535 &&
        (*rest == '\0' || (*rest == '@' && rest[1])))
        return true;
    errtext_set(why,
                "\"%s%s\" is not in libmilter's form %sPORT@HOST, such as inet:8890@127.0.0.1 "
                "(what Postfix calls inet:127.0.0.1:8890)",
                prefix, text, prefix);
    return false;
}

bool conf_value_socket(const char *text, struct errtext *why)
{
    static const struct {
        const char *prefix;
        bool inet;
    } forms[] = {{"unix:", false}, {"local:", false}, {"inet:", true}, {"inet6:", true}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t len = strlen(forms[i].prefix);
        if (strncmp(text, forms[i].prefix, len) != 0)
            continue;
        return forms[i].inet ? check_inet(forms[i].prefix, text + len, why)
                             : check_path(text + len, why);
    }
    if (text[0] == '/')
        return check_path(text, why);
    errtext_set(why, "\"%s\" is no socket; unix:PATH, inet:PORT@HOST or inet6:PORT@HOST is right",
                text);
    return false;
}

/* ---- spelling ---- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance; names are short. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t row[LONGEST + 1];
    size_t b_len = strlen(b);
    if (strlen(a) > LONGEST || b_len > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *conf_value_nearest(const char *name, const char *const *words)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 1;
    for (; *words; words++) {
        size_t d = distance(name, *words);
        if (d <= least && d < strlen(*words)) {
            least = d ? d - 1 : 0;
            best = *words;
        }
    }
    return best;
}
