/*
 * netset - networks in CIDR notation, and whether an address lies in one of them
 *
 * Use: net_parse() each "192.0.2.0/24", "2001:db8::/32" or single address, then netset_has().
 *   IPv4-mapped IPv6 addresses count as IPv4, and an IPv4 address lies in IPv4 networks only
 *   ("::/0" is every IPv6 address). "IPv6:..." as Sendmail writes addresses is understood.
 * Failure: net_parse() gives false for anything else, host bits set included; why says what.
 * Threads: immutable once filled.
 * Depends on: span, errtext.
 */
#ifndef SENDAS_NETSET_H
#define SENDAS_NETSET_H

#include "attr.h"
#include "errtext.h"
#include "span.h"

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

bool net_parse(struct span text, struct net *out, struct errtext *why) MUST_USE;
/* Length of the longest prefix that holds the address, -1 where none does or address is no IP. */
int netset_match(const struct netset *set, const char *address);
bool netset_has(const struct netset *set, const char *address);

#endif
