/*
 * replay_conf - the setup of a scenario as a snapshot, for the in-process player
 *
 * Use: replay_conf_apply() fills all but the directories, which the player makes; then
 *   replay_conf_networks(), which adds one of its own. The first directory may be a senders file.
 * Failure: false, and why says which line is wrong.
 * Depends on: snapshot, dir_cache, dir_file, dir_network, replay_file.
 */
#ifndef REPLAY_CONF_H
#define REPLAY_CONF_H

#include "dir_cache.h"
#include "replay_file.h"
#include "snapshot.h"

/* Where an option of it is set, a cache stands in front of the directory. */
struct replay_cache {
    bool used;
    struct dir_cache_conf conf; /* without a clock */
};

bool replay_conf_apply(struct snapshot *s, struct replay_cache *cache,
                       const struct replay_setup *setup, struct errtext *why) MUST_USE;
bool replay_conf_networks(struct snapshot *s, const struct replay_setup *setup,
                          struct errtext *why) MUST_USE;

#endif
