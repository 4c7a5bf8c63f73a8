#include "errtext.h"
#include "span.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errtext_set(struct errtext *why, const char *format, ...)
{
    if (!why)
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    if (len >= (int)sizeof why->text)
        strcpy(why->text + sizeof why->text - 4, "...");
    for (char *c = why->text; *c; c++)
        if (ascii_is_control(*c))
            *c = '?';
}
