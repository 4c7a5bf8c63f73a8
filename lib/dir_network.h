/*
 * dir_network - the directory of the network blocks: what a client may use by where it comes from
 *
 * Found, with the block's send_as, which may be none, where principal.network is the name of a
 * block; else unknown. Asked whatever the policy's directories are, of network principals only; the
 *   grants of a senders file for the same client add up with it.
 * Use: dir_network_create(), then dir_add(). Its name is DIR_NETWORK_NAME.
 * Memory: the set is not copied; it outlives the directory.
 * Threads: as dir.h says.
 * Depends on: dir, network.
 */
#ifndef SENDAS_DIR_NETWORK_H
#define SENDAS_DIR_NETWORK_H

#include "dir.h"
#include "network.h"

#define DIR_NETWORK_NAME "network"

struct dir_backend *dir_network_create(const struct network_set *set) MUST_USE;

#endif
