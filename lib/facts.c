#include "facts.h"

const char *field_name(enum field_kind kind)
{
    static const char *const names[FIELD_KINDS] = {
        [FIELD_FROM] = "From",
        [FIELD_SENDER] = "Sender",
        [FIELD_RESENT_FROM] = "Resent-From",
        [FIELD_RESENT_SENDER] = "Resent-Sender",
    };
    return names[kind];
}
