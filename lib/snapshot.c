#include "snapshot.h"
#include "xalloc.h"

#include <assert.h>
#include <stdlib.h>

struct snapshot *snapshot_create(void)
{
    struct snapshot *s = xcalloc(1, sizeof *s);
    s->arena = arena_create();
    s->local_domains = domset_create();
    s->refs = 1;
    return s;
}

/* The directories may still use what the arena holds, so they go first. */
static void snapshot_destroy(struct snapshot *s)
{
    dir_destroy(s->dir);
    domset_destroy(s->local_domains);
    arena_destroy(s->arena);
    free(s);
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot && __atomic_sub_fetch(&snapshot->refs, 1, __ATOMIC_ACQ_REL) == 0)
        snapshot_destroy(snapshot);
}

void snapshot_slot_init(struct snapshot_slot *slot)
{
    *slot = (struct snapshot_slot){.current = NULL};
    (void)pthread_mutex_init(&slot->lock, NULL);
}

void snapshot_slot_clear(struct snapshot_slot *slot)
{
    snapshot_unref(slot->current);
    slot->current = NULL;
    (void)pthread_mutex_destroy(&slot->lock);
}

void snapshot_publish(struct snapshot_slot *slot, struct snapshot *snapshot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct snapshot *old = slot->current;
    snapshot->generation = ++slot->generations;
    slot->current = snapshot;
    (void)pthread_mutex_unlock(&slot->lock);
    snapshot_unref(old); /* may take its time: outside the lock */
}

struct snapshot *snapshot_get(struct snapshot_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct snapshot *s = slot->current;
    assert(s);
    (void)__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&slot->lock);
    return s;
}
