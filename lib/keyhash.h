/*
 * keyhash - a hash of a key that comes from outside
 *
 * SipHash-1-3 under a seed of its own for every table: nobody who chooses keys, logins for example,
 * shall choose the length of a chain too.
 *
 * Use: keyhash_seed() once a table, keyhash() for every key.
 * Failure: keyhash_seed() says false where the kernel has no random numbers.
 * Threads: no shared state.
 * Depends on: libc.
 */
#ifndef SENDAS_KEYHASH_H
#define SENDAS_KEYHASH_H

#include "attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyhash_seed {
    uint64_t words[2];
};

bool keyhash_seed(struct keyhash_seed *out) MUST_USE;
unsigned keyhash(const struct keyhash_seed *seed, const char *key, size_t len);

#endif
