#include "ldappreset.h"

#include <stddef.h>
#include <string.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct ldappreset ldappresets[] = {
    {
        .name = "inetorgperson", /* RFC 2798; groupOfNames of RFC 4519 */
        .account_filter = "(&(objectClass=inetOrgPerson)(|(uid=%{login})(mail=%{login})))",
        .send_as_attributes = LIST("mail", "mailLocalAddress"),
        .primary_attribute = "mail",
        .delegation_filter = "(&(objectClass=groupOfNames)(member=%{account.dn}))",
        .delegation_attributes = LIST("mail", "mailLocalAddress"),
    },
    {
        .name = "ad", /* Active Directory: bit 2 of userAccountControl is "disabled" */
        .account_filter = "(&(objectCategory=person)(objectClass=user)"
                          "(|(sAMAccountName=%{login})(userPrincipalName=%{login})))",
        .enabled_filter = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
        .send_as_attributes = LIST("mail", "proxyAddresses"),
        .primary_attribute = "mail",
        .value_prefix = "smtp:",
        .delegation_filter = "(&(objectClass=group)(member=%{account.dn}))",
        .delegation_attributes = LIST("mail", "proxyAddresses"),
    },
    {.name = "none"},
    {.name = NULL},
};

const struct ldappreset *ldappreset_find(const char *name)
{
    for (const struct ldappreset *p = ldappresets; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}
