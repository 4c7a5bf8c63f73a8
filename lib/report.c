#include "report.h"

#include <string.h>

/* The text up to the next ';' outside double quotes; *rest is what follows it. */
static struct span next_part(struct span *rest)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len && (quoted || rest->data[i] != ';'); i++) {
        if (rest->data[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->data[i] == '\\' && i + 1 < rest->len)
            i++;
    }
    struct span part = span_sub(*rest, 0, i);
    *rest = span_sub(*rest, i + 1, rest->len);
    return span_trim(part);
}

static struct span unquoted(struct span value)
{
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        return span_sub(value, 1, value.len - 2);
    return value;
}

static bool is_report_type(struct span parameter)
{
    size_t equals = span_find(parameter, '=');
    struct span name = span_trim(span_sub(parameter, 0, equals));
    struct span value = unquoted(span_trim(span_sub(parameter, equals + 1, parameter.len)));
    return span_equal_nocase(name, span_of("report-type")) &&
           (span_equal_nocase(value, span_of("delivery-status")) ||
            span_equal_nocase(value, span_of("disposition-notification")));
}

bool report_content_type(struct span value)
{
    if (!span_equal_nocase(next_part(&value), span_of("multipart/report")))
        return false;
    while (value.len)
        if (is_report_type(next_part(&value)))
            return true;
    return false;
}

bool report_auto_submitted(struct span value)
{
    struct span keyword = next_part(&value);
    size_t end = 0;
    while (end < keyword.len && !strchr(" \t\r\n(", keyword.data[end]))
        end++;
    keyword = span_sub(keyword, 0, end);
    return keyword.len && !span_equal_nocase(keyword, span_of("no"));
}
