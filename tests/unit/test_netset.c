#include "netset.h"
#include "exact.h"
#include "rows.h"
#include "texts.h"

#include <arpa/inet.h>
#include <stdio.h>

/* ---- net_parse() ---- */

struct parse_row {
    const char *name;
    struct span text;
    const char *address; /* in the form of inet_ntop() for IPv6, NULL for refused */
    unsigned prefix;
    const char *refused; /* part of why */
};

static const struct parse_row parse_rows[] = {
    {"IPv4 address", TEXT("192.0.2.1"), "::ffff:192.0.2.1", 128, NULL},
    {"IPv4 network", TEXT("192.0.2.0/24"), "::ffff:192.0.2.0", 120, NULL},
    {"IPv4 prefix within a byte", TEXT("10.32.0.0/11"), "::ffff:10.32.0.0", 107, NULL},
    {"IPv4 /31", TEXT("192.0.2.254/31"), "::ffff:192.0.2.254", 127, NULL},
    {"IPv4 /32", TEXT("192.0.2.255/32"), "::ffff:192.0.2.255", 128, NULL},
    {"IPv4 /1", TEXT("128.0.0.0/1"), "::ffff:128.0.0.0", 97, NULL},
    {"IPv4 /0", TEXT("0.0.0.0/0"), "::ffff:0.0.0.0", 96, NULL},
    {"IPv4 of zeros", TEXT("0.0.0.0"), "::ffff:0.0.0.0", 128, NULL},
    {"IPv6 address", TEXT("2001:db8::1"), "2001:db8::1", 128, NULL},
    {"IPv6 in upper case", TEXT("2001:DB8::AB/128"), "2001:db8::ab", 128, NULL},
    {"IPv6 network", TEXT("2001:db8::/32"), "2001:db8::", 32, NULL},
    {"IPv6 prefix within a byte", TEXT("2001:db8:8000::/33"), "2001:db8:8000::", 33, NULL},
    {"IPv6 /127", TEXT("2001:db8::fffe/127"), "2001:db8::fffe", 127, NULL},
    {"IPv6 /9", TEXT("ff80::/9"), "ff80::", 9, NULL},
    {"IPv6 /0", TEXT("::/0"), "::", 0, NULL},
    {"IPv6 of zeros", TEXT("::"), "::", 128, NULL},
    {"IPv6 without shortening", TEXT("2001:0db8:0000:0000:0000:0000:0000:0001/128"), "2001:db8::1",
     128, NULL},
    {"longest text of an address", TEXT("0000:0000:0000:0000:0000:ffff:192.168.100.200"),
     "::ffff:192.168.100.200", 128, NULL},
    {"longest text of a network", TEXT("0000:0000:0000:0000:0000:ffff:192.168.100.200/128"),
     "::ffff:192.168.100.200", 128, NULL},
    {"mapped address is IPv4", TEXT("::ffff:192.0.2.1"), "::ffff:192.0.2.1", 128, NULL},
    {"mapped network keeps its prefix", TEXT("::ffff:192.0.2.0/120"), "::ffff:192.0.2.0", 120,
     NULL},
    {"all that is mapped", TEXT("::ffff:0:0/96"), "::ffff:0.0.0.0", 96, NULL},

    {"empty", TEXT(""), NULL, 0, "no network"},
    {"slash alone", TEXT("/"), NULL, 0, "no network"},
    {"prefix alone", TEXT("/24"), NULL, 0, "no network"},
    {"no prefix after the slash", TEXT("192.0.2.0/"), NULL, 0, "no network"},
    {"no prefix after the slash, IPv6", TEXT("2001:db8::/"), NULL, 0, "no network"},
    {"IPv4 /33", TEXT("192.0.2.0/33"), NULL, 0, "no network"},
    {"IPv4 with a prefix of IPv6", TEXT("192.0.2.0/120"), NULL, 0, "no network"},
    {"IPv6 /129", TEXT("2001:db8::/129"), NULL, 0, "no network"},
    {"prefix of four digits", TEXT("2001:db8::/1280"), NULL, 0, "no network"},
    {"prefix that wraps", TEXT("192.0.2.0/4294967320"), NULL, 0, "no network"},
    {"negative prefix", TEXT("192.0.2.0/-1"), NULL, 0, "no network"},
    {"prefix with a plus", TEXT("192.0.2.0/+24"), NULL, 0, "no network"},
    {"prefix with a leading zero", TEXT("192.0.2.0/024"), NULL, 0, "no network"},
    {"prefix of two zeros", TEXT("0.0.0.0/00"), NULL, 0, "no network"},
    {"prefix with a blank before", TEXT("192.0.2.0/ 24"), NULL, 0, "no network"},
    {"prefix with a blank behind", TEXT("192.0.2.0/24 "), NULL, 0, "no network"},
    {"prefix with a letter", TEXT("192.0.2.0/2a"), NULL, 0, "no network"},
    {"prefix with what stands behind 9 in ASCII", TEXT("192.0.2.0/2:"), NULL, 0, "no network"},
    {"prefix with what stands before 0 in ASCII", TEXT("192.0.0.0/2/"), NULL, 0, "no network"},
    {"prefix twice", TEXT("192.0.2.0/24/24"), NULL, 0, "no network"},
    {"netmask", TEXT("192.0.2.0/255.255.255.0"), NULL, 0, "no network"},
    {"blank before", TEXT(" 192.0.2.0/24"), NULL, 0, "no network"},
    {"blank before the slash", TEXT("192.0.2.0 /24"), NULL, 0, "no network"},
    {"octet with a leading zero", TEXT("192.0.2.01"), NULL, 0, "no network"},
    {"octet over 255", TEXT("192.0.2.256"), NULL, 0, "no network"},
    {"three octets", TEXT("192.0.2/24"), NULL, 0, "no network"},
    {"five octets", TEXT("192.0.2.0.0/24"), NULL, 0, "no network"},
    {"hexadecimal octet", TEXT("0xc0.0.2.0/24"), NULL, 0, "no network"},
    {"a number", TEXT("3221225985"), NULL, 0, "no network"},
    {"range", TEXT("192.0.2.0-192.0.2.255"), NULL, 0, "no network"},
    {"two double colons", TEXT("2001::db8::/32"), NULL, 0, "no network"},
    {"seven groups", TEXT("2001:db8:0:0:0:0:1"), NULL, 0, "no network"},
    {"group of five digits", TEXT("2001:0db80::/32"), NULL, 0, "no network"},
    {"zone", TEXT("fe80::1%eth0"), NULL, 0, "no network"},
    {"brackets", TEXT("[2001:db8::1]"), NULL, 0, "no network"},
    {"Sendmail's tag is not for networks", TEXT("IPv6:2001:db8::/32"), NULL, 0, "no network"},
    {"name", TEXT("localhost"), NULL, 0, "no network"},
    {"NUL at the end", TEXT("192.0.2.1\0"), NULL, 0, "no network"},
    {"NUL before the slash", TEXT("192.0.2.0\0/24"), NULL, 0, "no network"},
    {"NUL in the prefix", TEXT("192.0.2.0/2\0"), NULL, 0, "no network"},
    {"address a byte too long", TEXT("0000:0000:0000:0000:0000:ffff:192.168.100.200 "), NULL, 0,
     "no network"},
    {"far too long", TEXT(X100 X100 X100 "/24"), NULL, 0, "\"" X100 "\" is no network"},

    {"host bit, lowest", TEXT("192.0.2.1/24"), NULL, 0, "the network is 192.0.2.0/24"},
    {"host bit, highest", TEXT("192.0.2.128/24"), NULL, 0, "the network is 192.0.2.0/24"},
    {"host bit in the byte of the prefix", TEXT("10.48.0.0/11"), NULL, 0,
     "the network is 10.32.0.0/11"},
    {"host bits of /0", TEXT("192.0.2.0/0"), NULL, 0, "the network is 0.0.0.0/0"},
    {"host bit of /31", TEXT("192.0.2.1/31"), NULL, 0, "the network is 192.0.2.0/31"},
    {"host bit, IPv6", TEXT("2001:db8::1/32"), NULL, 0, "the network is 2001:db8::/32"},
    {"host bit of /127", TEXT("2001:db8::1/127"), NULL, 0, "the network is 2001:db8::/127"},
    {"host bits of ::/0", TEXT("2001:db8::/0"), NULL, 0, "the network is ::/0"},
    {"host bits, mapped", TEXT("::ffff:192.0.2.1/120"), NULL, 0,
     "\"::ffff:192.0.2.1/120\" has bits set behind its prefix; the network is "
     "::ffff:192.0.2.0/120"},
    {"the tag of what is mapped is no prefix", TEXT("::ffff:0:0/95"), NULL, 0,
     "the network is ::fffe:0:0/95"},
};

/* net_text() gives a text that is the same network. */
static void says_the_same(const struct net *net)
{
    struct arena *a = arena_create();
    struct net again = {{0}, 0};
    assert_true(net_parse(span_of(net_text(a, net)), &again, NULL));
    assert_true(net_equal(&again, net));
    arena_destroy(a);
}

static void check_net(const struct parse_row *row, const struct net *net)
{
    char address[INET6_ADDRSTRLEN];
    assert_non_null(inet_ntop(AF_INET6, net->bytes, address, sizeof address));
    assert_string_equal(address, row->address);
    assert_int_equal(net->prefix, row->prefix);
    says_the_same(net);
}

static void run_parse(void **state)
{
    const struct parse_row *row = *state;
    const struct net before = {{1, 2, 3}, 77};
    struct net net = before, unheard = before;
    struct errtext why = {""};
    struct exact text = exact_copy(row->text);
    bool ok = net_parse(text.text, &net, &why);
    assert_int_equal(net_parse(text.text, &unheard, NULL), ok);
    exact_free(&text);
    assert_int_equal(ok, row->address != NULL);
    assert_int_equal(*why.text == '\0', ok);
    if (ok) {
        check_net(row, &net);
        return;
    }
    assert_non_null(strstr(why.text, row->refused));
    assert_memory_equal(net.bytes, before.bytes, sizeof before.bytes);
    assert_int_equal(net.prefix, before.prefix);
}

/* ---- net_text(), net_equal() ---- */

struct text_row {
    const char *name, *text, *want;
};

static const struct text_row text_rows[] = {
    {"text: IPv4 network", "192.0.2.0/24", "192.0.2.0/24"},
    {"text: single address", "192.0.2.1", "192.0.2.1"},
    {"text: single address with its prefix", "192.0.2.1/32", "192.0.2.1"},
    {"text: all of IPv4", "0.0.0.0/0", "0.0.0.0/0"},
    {"text: mapped network", "::ffff:192.0.2.0/120", "192.0.2.0/24"},
    {"text: all that is mapped", "::ffff:0:0/96", "0.0.0.0/0"},
    {"text: mapped address", "::FFFF:192.0.2.1", "192.0.2.1"},
    {"text: IPv6 network", "2001:0DB8::/32", "2001:db8::/32"},
    {"text: single IPv6 address", "2001:db8:0:0::1/128", "2001:db8::1"},
    {"text: all of IPv6", "::/0", "::/0"},
    {"text: a network around all that is mapped", "::fffe:0:0/95", "::fffe:0:0/95"},
};

static void run_text(void **state)
{
    const struct text_row *row = *state;
    struct arena *a = arena_create();
    struct net net;
    assert_true(net_parse(span_of(row->text), &net, NULL));
    assert_string_equal(net_text(a, &net), row->want);
    arena_destroy(a);
}

static void networks_are_equal(void **state)
{
    (void)state;
    struct net eight, nine, other, mapped;
    assert_true(net_parse(span_of("10.0.0.0/8"), &eight, NULL));
    assert_true(net_parse(span_of("10.0.0.0/9"), &nine, NULL));
    assert_true(net_parse(span_of("11.0.0.0/8"), &other, NULL));
    assert_true(net_parse(span_of("::ffff:10.0.0.0/104"), &mapped, NULL));
    assert_true(net_equal(&eight, &mapped));
    assert_false(net_equal(&eight, &nine));
    assert_false(net_equal(&eight, &other));
}

/* ---- net_address_parse() ---- */

static void no_address_is_none(void **state)
{
    (void)state;
    struct net_address address;
    assert_false(net_address_parse(NULL, &address));
    assert_false(net_address_parse("", &address));
    assert_false(net_address_parse("192.0.2.0/24", &address));
    assert_false(net_address_parse("unix", &address));
    assert_true(net_address_parse("IPv6:::ffff:192.0.2.1", &address));
    const uint8_t want[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1};
    assert_memory_equal(address.bytes, want, sizeof want);
}

/* ---- netset_match() ---- */

enum { NETS_MAX = 8 };

struct match_row {
    const char *name;
    const char *nets[NETS_MAX];
    const char *address;
    int want; /* of the 16 bytes */
};

static const struct match_row match_rows[] = {
    {"match: no networks", {NULL}, "192.0.2.1", -1},
    {"match: IPv4", {"192.0.2.0/24"}, "192.0.2.77", 120},
    {"match: first of the network", {"192.0.2.0/24"}, "192.0.2.0", 120},
    {"match: last of the network", {"192.0.2.0/24"}, "192.0.2.255", 120},
    {"match: one before the network", {"192.0.2.0/24"}, "192.0.1.255", -1},
    {"match: one behind the network", {"192.0.2.0/24"}, "192.0.3.0", -1},
    {"match: last within a byte", {"10.32.0.0/11"}, "10.63.255.255", 107},
    {"match: behind within a byte", {"10.32.0.0/11"}, "10.64.0.0", -1},
    {"match: before within a byte", {"10.32.0.0/11"}, "10.31.255.255", -1},
    {"match: single address", {"192.0.2.1"}, "192.0.2.1", 128},
    {"match: neighbour of a single address", {"192.0.2.1"}, "192.0.2.0", -1},
    {"match: /31", {"192.0.2.2/31"}, "192.0.2.3", 127},
    {"match: behind /31", {"192.0.2.2/31"}, "192.0.2.4", -1},
    {"match: IPv4 /0", {"0.0.0.0/0"}, "203.0.113.9", 96},
    {"match: IPv4 /1", {"128.0.0.0/1"}, "192.0.2.1", 97},
    {"match: outside IPv4 /1", {"128.0.0.0/1"}, "127.255.255.255", -1},
    {"match: IPv6", {"2001:db8::/32"}, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 32},
    {"match: behind IPv6", {"2001:db8::/32"}, "2001:db9::", -1},
    {"match: before IPv6", {"2001:db8::/32"}, "2001:db7:ffff::", -1},
    {"match: IPv6 /33", {"2001:db8:8000::/33"}, "2001:db8:ffff::", 33},
    {"match: outside IPv6 /33", {"2001:db8:8000::/33"}, "2001:db8:7fff::", -1},
    {"match: IPv6 /127", {"2001:db8::2/127"}, "2001:db8::3", 127},
    {"match: single IPv6 address", {"2001:db8::1"}, "2001:DB8:0::1", 128},
    {"match: neighbour of a single IPv6 address", {"2001:db8::1"}, "2001:db8::2", -1},

    {"match: ::/0 is every IPv6 address", {"::/0"}, "2001:db8::1", 0},
    {"match: ::/0 is IPv6 of low numbers", {"::/0"}, "::1", 0},
    {"match: ::/0 is no IPv4", {"::/0"}, "192.0.2.1", -1},
    {"match: ::/0 is no mapped IPv4", {"::/0"}, "::ffff:192.0.2.1", -1},
    {"match: ::/0 is no tagged mapped IPv4", {"::/0"}, "IPv6:::ffff:192.0.2.1", -1},
    {"match: ::/80 is no IPv4", {"::/80"}, "192.0.2.1", -1},
    {"match: /95 around all IPv4 is no IPv4", {"::fffe:0:0/95"}, "192.0.2.1", -1},
    {"match: /95 around all IPv4 is IPv6", {"::fffe:0:0/95"}, "::fffe:0:1", 95},
    {"match: IPv4 /0 is no IPv6", {"0.0.0.0/0"}, "2001:db8::1", -1},
    {"match: IPv4 /0 is not the compatible form", {"0.0.0.0/0"}, "::192.0.2.1", -1},
    {"match: the compatible form is IPv6", {"::/0"}, "::192.0.2.1", 0},
    {"match: mapped address in IPv4", {"192.0.2.0/24"}, "::ffff:192.0.2.9", 120},
    {"match: mapped address in hexadecimal", {"192.0.2.0/24"}, "::FFFF:c000:209", 120},
    {"match: IPv4 in a mapped network", {"::ffff:192.0.2.0/120"}, "192.0.2.9", 120},
    {"match: IPv4 outside a mapped network", {"::ffff:192.0.2.0/120"}, "192.0.3.9", -1},
    {"match: all that is mapped is all IPv4", {"::ffff:0:0/96"}, "192.0.2.1", 96},

    {"match: Sendmail's tag", {"2001:db8::/32"}, "IPv6:2001:db8::1", 32},
    {"match: Sendmail's tag without case", {"2001:db8::/32"}, "ipv6:2001:db8::1", 32},
    {"match: Sendmail's tag before a mapped address",
     {"192.0.2.0/24"},
     "IPv6:::ffff:192.0.2.1",
     120},
    {"match: longest tagged address",
     {"192.168.100.200"},
     "IPv6:0000:0000:0000:0000:0000:ffff:192.168.100.200",
     128},
    {"match: tag alone", {"::/0", "0.0.0.0/0"}, "IPv6:", -1},
    {"match: tag twice", {"::/0", "0.0.0.0/0"}, "IPv6:IPv6:2001:db8::1", -1},
    {"match: another tag", {"::/0", "0.0.0.0/0"}, "IPv4:192.0.2.1", -1},

    {"match: longest first", {"10.1.2.0/24", "10.0.0.0/8"}, "10.1.2.3", 120},
    {"match: longest last", {"10.0.0.0/8", "10.1.2.0/24"}, "10.1.2.3", 120},
    {"match: longest in the middle",
     {"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3", "10.1.2.0/24"},
     "10.1.2.3",
     128},
    {"match: a longer one that does not hold it", {"10.0.0.0/8", "10.1.2.0/24"}, "10.1.3.3", 104},
    {"match: the last of several", {"192.0.2.0/24", "198.51.100.0/24"}, "198.51.100.1", 120},
    {"match: both families", {"::/0", "192.0.2.0/24"}, "192.0.2.1", 120},
    {"match: longest, IPv6", {"::/0", "2001:db8::/32", "2001:db8:1::/48"}, "2001:db8:1::1", 48},
    {"match: the same twice", {"192.0.2.0/24", "192.0.2.0/24"}, "192.0.2.1", 120},

    {"match: NULL", {"::/0", "0.0.0.0/0"}, NULL, -1},
    {"match: empty", {"::/0", "0.0.0.0/0"}, "", -1},
    {"match: name", {"::/0", "0.0.0.0/0"}, "localhost", -1},
    {"match: Sendmail's local", {"::/0", "0.0.0.0/0"}, "local:/run/x.sock", -1},
    {"match: Postfix's unknown", {"::/0", "0.0.0.0/0"}, "unknown", -1},
    {"match: brackets", {"::/0", "0.0.0.0/0"}, "[192.0.2.1]", -1},
    {"match: a network is no address", {"192.0.2.0/24"}, "192.0.2.0/24", -1},
    {"match: blank behind", {"192.0.2.0/24"}, "192.0.2.1 ", -1},
    {"match: leading zero", {"192.0.2.0/24"}, "192.0.2.01", -1},
    {"match: zone", {"::/0"}, "fe80::1%eth0", -1},
    {"match: far too long", {"::/0", "0.0.0.0/0"}, X100, -1},
};

static void run_match(void **state)
{
    const struct match_row *row = *state;
    struct net nets[NETS_MAX];
    struct netset set = {nets, 0};
    for (; set.count < NETS_MAX && row->nets[set.count]; set.count++)
        assert_true(net_parse(span_of(row->nets[set.count]), &nets[set.count], NULL));
    assert_int_equal(netset_match(&set, row->address), row->want);
    assert_int_equal(netset_has(&set, row->address), row->want >= 0);
}

/* ---- every prefix ---- */

static void all_prefixes(int family, int bits)
{
    char first[INET6_ADDRSTRLEN], text[64], outside[INET6_ADDRSTRLEN];
    for (int prefix = 0; prefix <= bits; prefix++) {
        struct net net;
        struct netset set = {&net, 1};
        uint8_t bytes[16] = {0};
        if (prefix > 0)
            bytes[(prefix - 1) / 8] = (uint8_t)(0x80 >> ((prefix - 1) % 8));
        assert_non_null(inet_ntop(family, bytes, first, sizeof first));
        (void)snprintf(text, sizeof text, "%s/%d", first, prefix);
        assert_true(net_parse(span_of(text), &net, NULL));
        assert_int_equal(net.prefix, 128 - bits + prefix);
        assert_int_equal(netset_match(&set, first), net.prefix);
        if (prefix == 0)
            continue;
        bytes[(prefix - 1) / 8] = 0;
        assert_non_null(inet_ntop(family, bytes, outside, sizeof outside));
        assert_false(netset_has(&set, outside));
        (void)snprintf(text, sizeof text, "%s/%d", first, prefix - 1);
        assert_false(net_parse(span_of(text), &net, NULL));
    }
}

static void test_all_prefixes(void **state)
{
    (void)state;
    all_prefixes(AF_INET, 32);
    all_prefixes(AF_INET6, 128);
}

int main(void)
{
    ROWS_ADD(parse_rows, run_parse);
    ROWS_ADD(text_rows, run_text);
    ROWS_ADD_TEST("equal networks", networks_are_equal);
    ROWS_ADD_TEST("what is no address", no_address_is_none);
    ROWS_ADD(match_rows, run_match);
    ROWS_ADD_TEST("every prefix: its last bit counts, one bit behind it is refused",
                  test_all_prefixes);
    return rows_main();
}
