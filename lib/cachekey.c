#include "cachekey.h"

void cachekey_add(struct strbuf *out, struct span part)
{
    strbuf_printf(out, "%zu:", part.len);
    strbuf_add(out, part);
}
