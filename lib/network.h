/*
 * network - a network that proves who the client is, and what it may send as
 *
 * A block of the configuration (`network "10.1.2.0/28" { ... }`), or a net: owner of a senders
 *   file, whose grants the file knows.
 * Use: conf fills the set; network_find() says which network a client belongs to.
 * Memory: strings and lists live with the configuration.
 * Threads: immutable once filled.
 * Depends on: grant, netset.
 */
#ifndef SENDAS_NETWORK_H
#define SENDAS_NETWORK_H

#include "grant.h"
#include "netset.h"

struct network {
    struct net net;
    const char *name; /* net_text(): "10.1.2.0/28" */
    bool relay;       /* may send to domains that are not local */
    bool is_block;    /* else it is only a net: owner */
    struct grant_list send_as;
};

struct network_set {
    const struct network *items;
    size_t count;
};

/* The block with the longest prefix that holds the address; where no block does, the longest of the
 * others; NULL where nothing does, or for no IP address (NULL too). */
const struct network *network_find(const struct network_set *set, const char *client_addr);

#endif
