#include "rows.h"
#include "snapshot.h"
#include "xalloc.h"

#include <stdlib.h>

/* ---- a directory that says when it ends ---- */

struct mortal {
    struct dir_backend backend;
    unsigned *ended;
};

static void mortal_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    (void)self;
    dir_ticket_fail(ticket, ACCOUNT_UNKNOWN, "nobody here");
}

static void mortal_destroy(struct dir_backend *self)
{
    ++*((struct mortal *)self)->ended;
    free(self);
}

static struct snapshot *mortal_snapshot(unsigned *ended)
{
    static const struct dir_ops ops = {"mortal", mortal_ask, mortal_destroy};
    struct snapshot *s = snapshot_create();
    struct mortal *m = xcalloc(1, sizeof *m);
    *m = (struct mortal){.backend = {.ops = &ops, .name = "mortal"}, .ended = ended};
    s->dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    assert_true(dir_add(s->dir, &m->backend));
    return s;
}

/* ---- tests ---- */

static void fresh_snapshot(void **state)
{
    (void)state;
    struct snapshot *s = snapshot_create();
    assert_non_null(s->arena);
    assert_non_null(s->local_domains);
    assert_int_equal(domset_count(s->local_domains), 0);
    assert_int_equal(s->trusted_networks.count, 0);
    assert_int_equal(s->refs, 1);
    assert_int_equal(s->generation, 0);
    snapshot_unref(s);
}

static void null_is_fine(void **state)
{
    (void)state;
    snapshot_unref(NULL);
}

static void ends_with_its_directory(void **state)
{
    (void)state;
    unsigned ended = 0;
    snapshot_unref(mortal_snapshot(&ended));
    assert_int_equal(ended, 1);
}

static void generations_count(void **state)
{
    (void)state;
    struct snapshot_slot slot;
    snapshot_slot_init(&slot);
    for (unsigned i = 1; i <= 3; i++) {
        snapshot_publish(&slot, snapshot_create());
        struct snapshot *s = snapshot_get(&slot);
        assert_int_equal(s->generation, i);
        snapshot_unref(s);
    }
    snapshot_slot_clear(&slot);
}

static void current_is_shared(void **state)
{
    (void)state;
    struct snapshot_slot slot;
    struct snapshot *own = snapshot_create();
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, own);
    struct snapshot *one = snapshot_get(&slot), *two = snapshot_get(&slot);
    assert_ptr_equal(one, own);
    assert_ptr_equal(two, own);
    assert_int_equal(own->refs, 3);
    snapshot_unref(one);
    snapshot_unref(two);
    assert_int_equal(own->refs, 1);
    snapshot_slot_clear(&slot);
}

static void pinned_outlives_publish(void **state)
{
    (void)state;
    unsigned first = 0, second = 0;
    struct snapshot_slot slot;
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, mortal_snapshot(&first));
    struct snapshot *pinned = snapshot_get(&slot);
    snapshot_publish(&slot, mortal_snapshot(&second));
    assert_int_equal(first, 0);
    snapshot_unref(pinned);
    assert_int_equal(first, 1);
    assert_int_equal(second, 0);
    snapshot_slot_clear(&slot);
    assert_int_equal(second, 1);
}

static void unpinned_ends_at_publish(void **state)
{
    (void)state;
    unsigned first = 0, second = 0;
    struct snapshot_slot slot;
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, mortal_snapshot(&first));
    snapshot_publish(&slot, mortal_snapshot(&second));
    assert_int_equal(first, 1);
    snapshot_slot_clear(&slot);
}

static void pinned_outlives_slot(void **state)
{
    (void)state;
    unsigned ended = 0;
    struct snapshot_slot slot;
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, mortal_snapshot(&ended));
    struct snapshot *pinned = snapshot_get(&slot);
    snapshot_slot_clear(&slot);
    assert_int_equal(ended, 0);
    assert_int_equal(dir_count(pinned->dir), 1);
    snapshot_unref(pinned);
    assert_int_equal(ended, 1);
}

static void empty_slot_clears(void **state)
{
    (void)state;
    struct snapshot_slot slot;
    snapshot_slot_init(&slot);
    snapshot_slot_clear(&slot);
}

int main(void)
{
    ROWS_ADD_TEST("a new snapshot is empty and has one reference", fresh_snapshot);
    ROWS_ADD_TEST("unref of NULL", null_is_fine);
    ROWS_ADD_TEST("a snapshot ends with its directory", ends_with_its_directory);
    ROWS_ADD_TEST("generations count from 1", generations_count);
    ROWS_ADD_TEST("all get the current one", current_is_shared);
    ROWS_ADD_TEST("a pinned snapshot outlives the next publish", pinned_outlives_publish);
    ROWS_ADD_TEST("one that nobody pins ends at the next publish", unpinned_ends_at_publish);
    ROWS_ADD_TEST("a pinned snapshot outlives the slot", pinned_outlives_slot);
    ROWS_ADD_TEST("a slot without a snapshot clears", empty_slot_clears);
    return rows_main();
}
