/* keyhash: SipHash-1-3, the lower half, for the key 00 01 .. 0f and the octets 00 01 .. */
#include "rows.h"

#include "keyhash.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    size_t len;
    unsigned want;
};

static const struct row rows[] = {
    {"nothing", 0, 0x050fc4dc},         {"one octet", 1, 0x7d57ca93},
    {"seven octets", 7, 0x9bb11140},    {"one block", 8, 0x8d299a8e},
    {"a block and one", 9, 0x6c063de4}, {"15 octets", 15, 0x2a519956},
    {"two blocks", 16, 0x7d908b66},     {"63 octets", 63, 0xb7bbb3a8},
};

static const struct keyhash_seed counting = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};

static void hashes(void **state)
{
    const struct row *row = *state;
    char octets[64];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)i;
    char *exact = malloc(row->len ? row->len : 1); /* a sanitizer sees a read behind it */
    assert_non_null(exact);
    memcpy(exact, octets, row->len);
    assert_int_equal(keyhash(&counting, exact, row->len), row->want);
    free(exact);
}

static void both_halves_of_the_seed_count(void **state)
{
    (void)state;
    struct keyhash_seed one = counting, two = counting;
    one.words[0]++;
    two.words[1]++;
    assert_int_not_equal(keyhash(&counting, "ann", 3), keyhash(&one, "ann", 3));
    assert_int_not_equal(keyhash(&counting, "ann", 3), keyhash(&two, "ann", 3));
}

static void seeds_differ(void **state)
{
    (void)state;
    struct keyhash_seed one, two;
    assert_true(keyhash_seed(&one));
    assert_true(keyhash_seed(&two));
    assert_true(one.words[0] != two.words[0]);
    assert_true(one.words[1] != two.words[1]);
}

int main(void)
{
    ROWS_ADD(rows, hashes);
    ROWS_ADD_TEST("both halves of the seed count", both_halves_of_the_seed_count);
    ROWS_ADD_TEST("seeds differ", seeds_differ);
    return rows_main();
}
