#include "domset.h"
#include "arena.h"
#include "utext.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define uthash_malloc(size) xcalloc(1, size)
#include <uthash.h>

struct entry {
    const char *key; /* "example.net", or ".example.net" for all below it */
    UT_hash_handle hh;
};

struct domset {
    struct arena *arena;
    struct entry *entries;
};

struct domset *domset_create(void)
{
    struct domset *set = xcalloc(1, sizeof *set);
    set->arena = arena_create();
    return set;
}

void domset_destroy(struct domset *set)
{
    if (!set)
        return;
    HASH_CLEAR(hh, set->entries);
    arena_destroy(set->arena);
    free(set);
}

static bool has_key(const struct domset *set, const char *key)
{
    struct entry *found = NULL;
    HASH_FIND_STR(set->entries, key, found);
    return found != NULL;
}

/* key must live as long as the set. */
static void add_key(struct domset *set, const char *key)
{
    struct entry *entry = arena_alloc(set->arena, sizeof *entry);
    entry->key = key;
    HASH_ADD_KEYPTR(hh, set->entries, entry->key, strlen(entry->key), entry);
}

bool domset_add(struct domset *set, struct span domain, struct errtext *why)
{
    const char *key = NULL;
    bool below = domain.len > 0 && domain.data[0] == '.';
    struct span name = span_sub(domain, below ? 1 : 0, domain.len);
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    if (!utext_domain(set->arena, name, &key, why))
        return false;
    if (below)
        key = arena_printf(set->arena, ".%s", key);
    if (!has_key(set, key))
        add_key(set, key);
    return true;
}

bool domset_has(const struct domset *set, const char *domain)
{
    if (*domain == '.')
        return false; /* no domain, but the key of the domains below one */
    if (has_key(set, domain))
        return true;
    for (const char *dot = strchr(domain, '.'); dot; dot = strchr(dot + 1, '.'))
        if (has_key(set, dot))
            return true;
    return false;
}

size_t domset_count(const struct domset *set)
{
    return HASH_COUNT(set->entries);
}
