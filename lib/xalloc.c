#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xalloc_failed(void)
{
    fputs("sendas-milter: out of memory\n", stderr);
    abort();
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        xalloc_failed();
    return memory;
}

void *xrealloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory)
        xalloc_failed();
    return memory;
}

char *xstrdup(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        xalloc_failed();
    return copy;
}
