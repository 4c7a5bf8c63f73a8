/*
 * tenant - does a grant stay within the domain of the account that has it?
 *
 * What it is for: where users write attributes of their own entries, a value must not reach into
 *   the domain of somebody else (option `tenant`).
 * Use: tenant_holds() for each grant.
 * Memory: none. Failure: cannot fail. Threads: no shared state. Depends on: grant.
 */
#ifndef SENDAS_TENANT_H
#define SENDAS_TENANT_H

#include "grant.h"

/* Whether all that the grant covers is of this domain (A-labels in lower case; NULL or "": there is
 * none, and nothing is within). A domain and its aliases are one, whichever is written where;
 * domains below it are others. */
bool tenant_holds(const struct addr_rules *rules, const char *domain, const struct grant *grant);

#endif
