/*
 * netset - networks in CIDR notation, and whether an address lies in one of them
 *
 * Use: net_parse() each "192.0.2.0/24", "2001:db8::/32" or single address, then netset_has(). Who
 *   walks networks of its own reads the address once, net_address_parse(), and asks net_holds().
 *   IPv4-mapped IPv6 addresses count as IPv4, and an IPv4 address lies in IPv4 networks only
 *   ("::/0" is every IPv6 address). "IPv6:..." as Sendmail writes addresses is understood.
 * Failure: net_parse() gives false for anything else, host bits set included; why says what.
 * Threads: immutable once filled.
 * Depends on: arena, errtext.
 */
#ifndef SENDAS_NETSET_H
#define SENDAS_NETSET_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>
#include <stdint.h>

struct net {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned prefix;   /* 0 to 128, of the 16 bytes */
};

struct netset {
    const struct net *items;
    size_t count;
};

struct net_address {
    uint8_t bytes[16]; /* as in struct net */
};

bool net_parse(struct span text, struct net *out, struct errtext *why) MUST_USE;
bool net_equal(const struct net *a, const struct net *b);
/* The one text of a network: "192.0.2.0/24", "2001:db8::/32"; a single address has no prefix. */
const char *net_text(struct arena *a, const struct net *net) MUST_USE;

/* False for what is no IP address, and for NULL. */
bool net_address_parse(const char *text, struct net_address *out) MUST_USE;
bool net_holds(const struct net *net, const struct net_address *address);

/* Length of the longest prefix that holds the address, -1 where none does or address is no IP. */
int netset_match(const struct netset *set, const char *address);
bool netset_has(const struct netset *set, const char *address);

#endif
