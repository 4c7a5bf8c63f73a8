/*
 * addr - one mailbox address, parsed and comparable (RFC 5321 section 4.1.2, RFC 6531)
 *
 * Use: addr_parse_path() for the argument of MAIL or RCPT, addr_parse() for a plain address
 *   (macro, configuration, directory value); then compare the keys, or walk addr_variants().
 * Memory: strings live in the arena given.
 * Failure: ADDR_MALFORMED leaves *out untouched; why says what was wrong.
 * Threads: no shared state.
 * Depends on: arena, errtext, utext.
 */
#ifndef SENDAS_ADDR_H
#define SENDAS_ADDR_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>

struct addr_alias {
    const char *alias;  /* a domain, as A-label */
    const char *domain; /* the domain that it counts as, as A-label */
};

/* The `address` block of the configuration. Zeroed, it means: nothing folded, no delimiter. */
struct addr_rules {
    bool fold_local_part;   /* ASCII letters of the local part compare without case */
    bool strip_routes;      /* <@a,@b:x@y> counts as <x@y>, else it is malformed */
    const char *delimiters; /* user+tag counts as user; NULL or "" for none */
    const struct addr_alias *aliases;
    size_t alias_count;
};

/* Limits of RFC 5321 section 4.5.3.1: octets; a path is counted without its brackets. */
enum { ADDR_LOCAL_MAX = 64, ADDR_DOMAIN_MAX = 253, ADDR_PATH_MAX = 254 };

struct addr {
    const char *local;  /* without quotes and backslashes, letter case as written */
    const char *domain; /* lower-case A-labels or a literal in brackets; "" for a bare name */
    const char *key;    /* the normal form: compared, logged, shown. Local part folded by the
                           rules and quoted only where needed, '@', domain */
};

enum addr_status {
    ADDR_OK,
    ADDR_NULL, /* exactly <>, the null reverse-path (RFC 5321 section 4.5.5) */
    ADDR_BARE, /* a local part without domain; out->domain is "" */
    ADDR_MALFORMED,
};

/* local@domain and nothing around it: no brackets, no blanks, no comment. A bare local part gives
 * ADDR_BARE. Never ADDR_NULL. */
enum addr_status addr_parse(struct arena *a, const struct addr_rules *rules, struct span text,
                            struct addr *out, struct errtext *why) MUST_USE;

/* The argument of MAIL or RCPT as the client typed it, with or without angle brackets. */
enum addr_status addr_parse_path(struct arena *a, const struct addr_rules *rules, struct span text,
                                 struct addr *out, struct errtext *why) MUST_USE;

/* From parts that a parser has taken apart: local without quoting, domain as written (name or
 * literal with brackets). Checks and normalises both. */
enum addr_status addr_make(struct arena *a, const struct addr_rules *rules, struct span local,
                           struct span domain, struct addr *out, struct errtext *why) MUST_USE;

/* The spellings of an address that count as it, the one as written first: then with the alias
 * domain replaced, then each without its tag. A tag starts at the first delimiter that is not the
 * first character. Returns how many (1 to ADDR_VARIANTS_MAX). */
enum { ADDR_VARIANTS_MAX = 4 };
size_t addr_variants(struct arena *a, const struct addr_rules *rules, const struct addr *addr,
                     struct addr out[ADDR_VARIANTS_MAX]);

/* With the letter case of its local part as written: for a field that is written anew. */
const char *addr_written(struct arena *a, const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Same mailbox but for ASCII case of the local part, needless quoting, and a domain that only one
 * of the two has (the MTA added it). */
bool addr_same_mailbox(const struct addr *a, const struct addr *b);
/* True for every char that may stand unquoted in a local part (RFC 5322 atext, RFC 6531). */
bool addr_is_atext(char c);

#endif
