/*
 * rules - rules for addresses and logins, chosen by an octet of the input
 *
 * Use: one octet each. The tables are constant; an admin could have written them.
 * Depends on: addr, login.
 */
#ifndef FUZZ_RULES_H
#define FUZZ_RULES_H

#include "addr.h"
#include "login.h"

static const struct addr_alias rules_aliases[] = {
    {"alias.example", "example.org"},
    {"xn--bcher-kva.example", "example.net"},
};

static inline struct addr_rules rules_of_addresses(unsigned octet)
{
    static const char *const delimiters[] = {NULL, "+", "+-", "="};
    return (struct addr_rules){
        .fold_local_part = (octet & 1) != 0,
        .strip_routes = (octet & 2) != 0,
        .delimiters = delimiters[octet >> 2 & 3],
        .aliases = rules_aliases,
        .alias_count = octet & 16 ? sizeof rules_aliases / sizeof rules_aliases[0] : 0,
    };
}

static const struct login_rewrite rules_rewrites[] = {
    {"@mail.example.org", "@example.org"},
    {"@example.net", ""},
    {"%example.com", "@example.com"},
};

static inline struct login_rules rules_of_logins(unsigned octet)
{
    return (struct login_rules){
        .fold_case = (octet & 1) != 0,
        .default_domain = octet & 2 ? "example.org" : NULL,
        .master_separator = octet & 4 ? '*' : '\0',
        .rewrites = rules_rewrites,
        .rewrite_count = octet & 8 ? sizeof rules_rewrites / sizeof rules_rewrites[0] : 0,
    };
}

#endif
