#include "tenant.h"

#include <string.h>

static const char *real_domain(const struct addr_rules *rules, const char *domain)
{
    for (size_t i = 0; i < rules->alias_count; i++)
        if (strcmp(rules->aliases[i].alias, domain) == 0)
            return rules->aliases[i].domain;
    return domain;
}

/* NULL where it covers more than one. */
static const char *domain_of(const struct grant *grant)
{
    const char *at = strrchr(grant->key, '@');
    switch (grant->form) {
    case GRANT_EXACT:
    case GRANT_PATTERN:
        return at ? at + 1 : NULL;
    case GRANT_DOMAIN:
        return grant->key;
    case GRANT_BARE:
    case GRANT_SUBDOMAINS:
    case GRANT_ANY:
        break;
    }
    return NULL;
}

bool tenant_holds(const struct addr_rules *rules, const char *domain, const struct grant *grant)
{
    const char *of = domain_of(grant);
    return of && domain && strcmp(real_domain(rules, of), real_domain(rules, domain)) == 0;
}
