#include "rows.h"
#include "network.h"

#include <string.h>

enum { NETWORKS_MAX = 6 };

/* Blocks as they are written; "=net" is only a net: owner. want is the text of the one that is
 * found, NULL for none. */
struct find_row {
    const char *name;
    const char *networks[NETWORKS_MAX];
    const char *address, *want;
};

static const struct find_row find_rows[] = {
    {"no networks", {NULL}, "10.1.2.3", NULL},
    {"block", {"10.0.0.0/8"}, "10.1.2.3", "10.0.0.0/8"},
    {"outside the block", {"10.0.0.0/8"}, "11.1.2.3", NULL},
    {"single address", {"10.1.2.3"}, "10.1.2.3", "10.1.2.3"},
    {"longest first", {"10.1.2.0/24", "10.0.0.0/8"}, "10.1.2.3", "10.1.2.0/24"},
    {"longest last", {"10.0.0.0/8", "10.1.2.0/24"}, "10.1.2.3", "10.1.2.0/24"},
    {"longest in the middle",
     {"10.0.0.0/8", "10.1.2.0/28", "10.1.0.0/16"},
     "10.1.2.3",
     "10.1.2.0/28"},
    {"a longer one that does not hold it", {"10.1.3.0/24", "10.0.0.0/8"}, "10.1.2.3", "10.0.0.0/8"},
    {"owner", {"=10.0.0.0/8"}, "10.1.2.3", "=10.0.0.0/8"},
    {"longest owner", {"=10.0.0.0/8", "=10.1.0.0/16"}, "10.1.2.3", "=10.1.0.0/16"},
    {"block before a longer owner", {"10.0.0.0/8", "=10.1.2.3"}, "10.1.2.3", "10.0.0.0/8"},
    {"block behind a longer owner", {"=10.1.2.3", "10.0.0.0/8"}, "10.1.2.3", "10.0.0.0/8"},
    {"block and owner of the same network",
     {"=10.0.0.0/8", "10.0.0.0/8", "=10.0.0.0/8"},
     "10.1.2.3",
     "10.0.0.0/8"},
    {"longest block behind owners",
     {"=10.1.2.3", "10.0.0.0/8", "=10.1.2.0/24", "10.1.0.0/16"},
     "10.1.2.3",
     "10.1.0.0/16"},
    {"a block that does not hold it leaves it to an owner",
     {"=10.1.2.0/24", "192.0.2.0/24"},
     "10.1.2.3",
     "=10.1.2.0/24"},
    {"IPv6", {"2001:db8::/32", "10.0.0.0/8"}, "2001:db8::1", "2001:db8::/32"},
    {"IPv6, longest", {"::/0", "2001:db8::/32"}, "2001:db8::1", "2001:db8::/32"},
    {"all of IPv6 is not IPv4", {"::/0"}, "10.1.2.3", NULL},
    {"all of IPv4", {"0.0.0.0/0"}, "10.1.2.3", "0.0.0.0/0"},
    {"mapped address", {"10.0.0.0/8"}, "::ffff:10.1.2.3", "10.0.0.0/8"},
    {"mapped address in Sendmail's form", {"10.0.0.0/8"}, "IPv6:::ffff:10.1.2.3", "10.0.0.0/8"},
    {"mapped network", {"::ffff:10.0.0.0/104"}, "10.1.2.3", "10.0.0.0/8"},
    {"no address", {"10.0.0.0/8", "::/0"}, NULL, NULL},
    {"empty address", {"10.0.0.0/8", "::/0"}, "", NULL},
    {"local socket", {"10.0.0.0/8", "::/0"}, "localhost", NULL},
};

static struct network make_network(struct arena *a, const char *text)
{
    struct network network = {.is_block = *text != '='};
    assert_true(net_parse(span_of(text + !network.is_block), &network.net, NULL));
    network.name = net_text(a, &network.net);
    return network;
}

static void run_find(void **state)
{
    const struct find_row *row = *state;
    struct arena *a = arena_create();
    struct network items[NETWORKS_MAX];
    struct network_set set = {items, 0};
    for (; set.count < NETWORKS_MAX && row->networks[set.count]; set.count++)
        items[set.count] = make_network(a, row->networks[set.count]);
    const struct network *got = network_find(&set, row->address);
    if (row->want) {
        assert_non_null(got);
        assert_int_equal(got->is_block, *row->want != '=');
        assert_string_equal(got->name, row->want + !got->is_block);
    } else {
        assert_null(got);
    }
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(find_rows, run_find);
    return rows_main();
}
