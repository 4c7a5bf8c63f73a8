#include "netset.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    ADDRESS_BITS = 128,
    MAPPED_BITS = 96, /* what stands before the IPv4 address in ::ffff:a.b.c.d */
    PREFIX_DIGITS_MAX = 3,
};

static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const uint8_t bytes[16])
{
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

/* Gives how many bits of the 16 bytes stand before the address as it was written, -1 for no IP. */
static int read_address(struct span text, uint8_t bytes_out[16])
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (!text.len || text.len >= sizeof copy || span_find(text, '\0') != text.len)
        return -1;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    memcpy(bytes, mapped, sizeof mapped);
    int before = MAPPED_BITS;
    if (inet_pton(AF_INET, copy, bytes + sizeof mapped) != 1) {
        before = 0;
        if (inet_pton(AF_INET6, copy, bytes) != 1)
            return -1;
    }
    memcpy(bytes_out, bytes, sizeof bytes);
    return before;
}

/* Without sign, blanks or leading zeros; -1 for anything else. */
static int read_prefix(struct span text, int max)
{
    int value = 0;
    if (!text.len || text.len > PREFIX_DIGITS_MAX || (text.len > 1 && text.data[0] == '0'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.data[i]))
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value <= max ? value : -1;
}

static uint8_t byte_mask(unsigned prefix, size_t byte)
{
    if (prefix >= (byte + 1) * 8)
        return 0xff;
    if (prefix <= byte * 8)
        return 0;
    return (uint8_t)(0xff << (8 - (prefix - byte * 8)));
}

static struct net without_host_bits(struct net net)
{
    for (size_t i = 0; i < sizeof net.bytes; i++)
        net.bytes[i] &= byte_mask(net.prefix, i);
    return net;
}

static void explain_host_bits(const struct net *right, int before, struct span text,
                              struct errtext *why)
{
    char address[INET6_ADDRSTRLEN] = "";
    bool four = before == MAPPED_BITS;
    (void)inet_ntop(four ? AF_INET : AF_INET6, right->bytes + (four ? sizeof mapped : 0), address,
                    sizeof address);
    errtext_set(why, "\"%.*s\" has bits set behind its prefix; the network is %s/%d", (int)text.len,
                text.data, address, (int)right->prefix - before);
}

bool net_parse(struct span text, struct net *out, struct errtext *why)
{
    struct net net = {0};
    size_t slash = span_find(text, '/');
    int before = read_address(span_sub(text, 0, slash), net.bytes);
    int prefix = ADDRESS_BITS - before;
    if (before >= 0 && slash < text.len)
        prefix = read_prefix(span_sub(text, slash + 1, text.len), ADDRESS_BITS - before);
    if (before < 0 || prefix < 0) {
        errtext_set(why, "\"%.*s\" is no network: write 192.0.2.0/24, 2001:db8::/32 or an address",
                    text.len > 100 ? 100 : (int)text.len, text.data);
        return false;
    }
    net.prefix = (unsigned)(before + prefix);
    struct net right = without_host_bits(net);
    if (memcmp(right.bytes, net.bytes, sizeof net.bytes) != 0) {
        explain_host_bits(&right, before, text, why);
        return false;
    }
    *out = net;
    return true;
}

bool net_equal(const struct net *a, const struct net *b)
{
    return a->prefix == b->prefix && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *net_text(struct arena *a, const struct net *net)
{
    char address[INET6_ADDRSTRLEN] = "";
    bool four = is_ipv4(net->bytes);
    size_t before = four ? sizeof mapped : 0;
    (void)inet_ntop(four ? AF_INET : AF_INET6, net->bytes + before, address, sizeof address);
    if (net->prefix == ADDRESS_BITS)
        return arena_strdup(a, address);
    return arena_printf(a, "%s/%u", address, net->prefix - 8 * (unsigned)before);
}

/* ---- addresses ---- */

bool net_address_parse(const char *text, struct net_address *out)
{
    static const char tag[] = "IPv6:"; /* Sendmail's {client_addr} */
    struct span rest = span_of(text);
    if (span_starts_nocase(rest, tag))
        rest = span_sub(rest, sizeof tag - 1, rest.len);
    return read_address(rest, out->bytes) >= 0;
}

bool net_holds(const struct net *net, const struct net_address *address)
{
    /* ::/0 is every IPv6 address, but no IPv4 address. */
    if (net->prefix < MAPPED_BITS && is_ipv4(address->bytes))
        return false;
    size_t whole = net->prefix / 8;
    if (memcmp(address->bytes, net->bytes, whole) != 0)
        return false;
    return whole == sizeof net->bytes ||
           (address->bytes[whole] & byte_mask(net->prefix, whole)) == net->bytes[whole];
}

int netset_match(const struct netset *set, const char *address)
{
    struct net_address parsed;
    int longest = -1;
    if (!net_address_parse(address, &parsed))
        return -1;
    for (size_t i = 0; i < set->count; i++)
        if ((int)set->items[i].prefix > longest && net_holds(&set->items[i], &parsed))
            longest = (int)set->items[i].prefix;
    return longest;
}

bool netset_has(const struct netset *set, const char *address)
{
    return netset_match(set, address) >= 0;
}
