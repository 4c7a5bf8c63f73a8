/*
 * ldappreset - what `schema = NAME` sets for a directory of type ldap
 *
 * Use: ldappreset_find(); every member can be set by hand as well. NULL, or a list that is NULL:
 *   the preset leaves it open.
 * Threads: constants.
 * Depends on: libc.
 */
#ifndef SENDAS_LDAPPRESET_H
#define SENDAS_LDAPPRESET_H

struct ldappreset {
    const char *name;
    const char *account_filter;
    const char *enabled_filter;
    const char *const *send_as_attributes; /* lists end with NULL */
    const char *primary_attribute;
    const char *value_prefix;
    const char *delegation_filter;
    const char *const *delegation_attributes;
};

extern const struct ldappreset ldappresets[]; /* ends with a NULL name; the first is the default */

const struct ldappreset *ldappreset_find(const char *name); /* NULL for none */

#endif
