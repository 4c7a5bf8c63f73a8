#include "principal.h"

#include <string.h>

static const char *const kind_names[PRINCIPAL_KINDS] = {
    [PRINCIPAL_NONE] = "none",
    [PRINCIPAL_SASL] = "sasl",
    [PRINCIPAL_CERT] = "cert",
    [PRINCIPAL_NETWORK] = "network",
};

const char *principal_kind_name(enum principal_kind kind)
{
    return kind_names[kind];
}

bool principal_kind_by_name(const char *name, enum principal_kind *out)
{
    for (int k = 0; k < PRINCIPAL_KINDS; k++) {
        if (strcmp(kind_names[k], name) == 0) {
            *out = (enum principal_kind)k;
            return true;
        }
    }
    return false;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

const char *principal_name(const struct principal *principal)
{
    switch (principal->kind) {
    case PRINCIPAL_SASL:
        if (principal->fault == PRINCIPAL_SOUND && principal->login.name)
            return principal->login.name;
        return or_empty(principal->raw);
    case PRINCIPAL_CERT:
        return or_empty(principal->cert_subject);
    case PRINCIPAL_NETWORK:
        return or_empty(principal->network);
    case PRINCIPAL_NONE:
    case PRINCIPAL_KINDS:
        break;
    }
    return "";
}

static const char *copy_or_null(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

struct principal principal_copy(struct arena *a, const struct principal *principal)
{
    struct principal copy = *principal;
    copy.raw = copy_or_null(a, principal->raw);
    copy.why = copy_or_null(a, principal->why);
    copy.login = (struct login){
        .name = copy_or_null(a, principal->login.name),
        .local = copy_or_null(a, principal->login.local),
        .domain = copy_or_null(a, principal->login.domain),
        .master = copy_or_null(a, principal->login.master),
    };
    copy.cert_subject = copy_or_null(a, principal->cert_subject);
    copy.cert_issuer = copy_or_null(a, principal->cert_issuer);
    copy.network = copy_or_null(a, principal->network);
    copy.client_addr = copy_or_null(a, principal->client_addr);
    return copy;
}
