/*
 * snapshot - one configuration, complete and immutable
 *
 * Use: conf fills one and publishes it in a snapshot_slot; a message pins the current one at MAIL
 *   (snapshot_get) and lets it go at its end (snapshot_unref). A reload publishes a new one; the
 *   old one ends with the last message that pinned it.
 * Memory: arena holds all strings and lists; local_domains and dir are owned too.
 * Threads: the slot has a lock of its own, held for a pointer and a count only.
 * Depends on: policy, reply, dir, domset, network.
 */
#ifndef SENDAS_SNAPSHOT_H
#define SENDAS_SNAPSHOT_H

#include "dir.h"
#include "domset.h"
#include "network.h"
#include "policy.h"
#include "reply.h"

#include <pthread.h>

struct snapshot {
    struct arena *arena;
    unsigned generation; /* 1 for the first, set by snapshot_publish() */
    enum login_mta mta;
    struct login_rules login;
    struct addr_rules address;
    struct domset *local_domains; /* never NULL, may be empty */
    struct netset trusted_networks;
    struct network_set networks;        /* the blocks, then the net: owners of senders files */
    struct policy_strings cert_issuers; /* whose certificates prove who a client is, decoded */
    const char *authserv_id;            /* RFC 8601, NULL for none */
    bool unwrap_batv, unwrap_srs;
    struct policy *policies; /* configured ones, then the built-in ones */
    size_t policy_count;
    struct reply_texts replies;
    struct dir *dir;
    uint64_t command_budget; /* ns that a callback may wait for a directory */
    unsigned max_headers;
    size_t max_header_size;
    unsigned refs; /* by the functions below only */
};

struct snapshot *snapshot_create(void) MUST_USE; /* one reference, arena and empty sets */
void snapshot_unref(struct snapshot *snapshot);  /* NULL is fine */

struct snapshot_slot {
    pthread_mutex_t lock;
    struct snapshot *current;
    unsigned generations;
};

void snapshot_slot_init(struct snapshot_slot *slot);
void snapshot_slot_clear(struct snapshot_slot *slot);
/* Takes the caller's reference over. */
void snapshot_publish(struct snapshot_slot *slot, struct snapshot *snapshot);
/* A counted reference to the current one. */
struct snapshot *snapshot_get(struct snapshot_slot *slot) MUST_USE;

#endif
