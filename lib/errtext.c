#include "errtext.h"
#include "span.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errtext_set(struct errtext *why, const char *format, ...)
{
    static const char ellipsis[] = "...";
    if (!why)
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    if (len >= (int)sizeof why->text)
        memcpy(why->text + sizeof why->text - sizeof ellipsis, ellipsis, sizeof ellipsis);
    for (char *c = why->text; *c; c++)
        if (ascii_is_control(*c))
            *c = '?';
}
