/*
 * grant - a right to use an address, and where it was written
 *
 * Two rights: send-as, and on-behalf, which covers From alone and wants a Sender that the same
 *   account may send as.
 * Use: grant_parse() a directory value; grant_find() asks which of an account's grants covers an
 *   address. An address that is granted as written is found before its stripped form, and one
 *   that is granted by itself before its whole domain.
 * Memory: strings live in the arena given to grant_parse().
 * Threads: no shared state.
 * Depends on: addr.
 */
#ifndef SENDAS_GRANT_H
#define SENDAS_GRANT_H

#include "addr.h"

enum grant_form {
    GRANT_EXACT,      /* alice@example.net */
    GRANT_BARE,       /* alice, without domain */
    GRANT_DOMAIN,     /* @example.net: every local part in that domain, see grant_find() */
    GRANT_SUBDOMAINS, /* @.example.net: that domain and every one below it */
    GRANT_ANY,        /* *: any address, but neither the null sender nor a bare name */
    GRANT_PATTERN,    /* list+*@example.net: see grant_find() */
};

enum grant_right { GRANT_SEND_AS, GRANT_ON_BEHALF };

struct grant {
    enum grant_form form;
    enum grant_right right;
    const char *key;       /* the address's key, the domain, or "" */
    const char *directory; /* name of the directory block */
    const char *entry;     /* DN, or "FILE:LINE" */
    const char *attribute; /* attribute name, or "senders" for a file */
};

/* A run of grants that one directory owns; an account has one run a directory. */
struct grant_list {
    const struct grant *items;
    size_t count;
};

/* Fills form and key only. False for a value that is no address, @domain, @.domain or *. An address
 * with one '*' in its unquoted local part, behind a sign that is no letter or digit, is a
 * pattern. */
bool grant_parse(struct arena *a, const struct addr_rules *rules, struct span value,
                 struct grant *out, struct errtext *why) MUST_USE;

/* As it is written in a directory. */
const char *grant_text(struct arena *a, const struct grant *grant) MUST_USE;

/* What a grant is looked for. */
enum grant_use {
    GRANT_FOR_ENVELOPE, /* send-as; the '*' of a pattern stands for one octet or more (VERP) */
    GRANT_FOR_HEADER,   /* send-as; a pattern covers nothing but its own text */
    GRANT_FOR_AUTHOR,   /* on-behalf; the same */
    GRANT_FOR_DENY, /* of denies: as wide as it can be read, misread local parts and other letter
                       case too */
};

/* The first grant that covers addr, or NULL; one of a whole domain only where no other does. A
 * local part with one of @<>,;: (in quotes) is covered by the very address only: some readers see
 * another address in it. */
const struct grant *grant_find(struct arena *a, const struct addr_rules *rules, enum grant_use use,
                               const struct grant_list *lists, size_t list_count,
                               const struct addr *addr);
/* Is it a right to a whole domain, of which another account may own an address? */
bool grant_is_of_domain(const struct grant *grant);

#endif
