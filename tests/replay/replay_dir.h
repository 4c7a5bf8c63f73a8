/*
 * replay_dir - the directory of a scenario: its senders and deny lines, or an outage of it
 *
 * Use: replay_dir_open() for one state of it. Where a cache stands in front that shall see the
 *   state change, replay_switch_create() around the first, then replay_switch_to() the next.
 * Memory: a switch owns all that it was given, to its end: answers may point into them.
 * Failure: NULL, and why says what was wrong.
 * Depends on: dir, dir_fail, dir_file, replay_file.
 */
#ifndef REPLAY_DIR_H
#define REPLAY_DIR_H

#include "dir.h"
#include "replay_file.h"

struct replay_dir_conf {
    const struct login_rules *login_rules;
    const struct addr_rules *addr_rules;
    const struct clock *clock;
    const char *senders, *denies; /* text of files; denies may be "" */
    enum replay_directory state;
    uint64_t delay; /* REPLAY_DIR_SLOW */
};

struct dir_backend *replay_dir_open(const struct replay_dir_conf *conf,
                                    struct errtext *why) MUST_USE;

struct dir_backend *replay_switch_create(struct dir_backend *first) MUST_USE;
void replay_switch_to(struct dir_backend *self, struct dir_backend *next);

/* The text with one line more, and without the lines of a key. */
const char *replay_senders_add(struct arena *a, const char *senders, const char *line);
const char *replay_senders_remove(struct arena *a, const char *senders, const char *key);

#endif
