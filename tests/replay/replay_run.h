/*
 * replay_run - what both players have in common: the walk through a scenario, and TAP
 *
 * Use: fill a struct replay_player, return replay_main() from main(). Without arguments all files
 *   below the player's folders are played, from $srcdir/tests/replay or tests/replay.
 * Depends on: replay_file.
 */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "replay_file.h"

struct replay_answer {
    enum replay_verdict verdict;
    const char *code; /* of the reply, "" for none; text follows code and enhanced code */
    const char *text;
    struct replay_words changes; /* texts as in wire.h */
};

struct replay_player {
    const char *const *folders; /* below tests/replay; NULL ends the list */
    /* The setup of a scenario; steps follow. The arena lives until end(). */
    bool (*begin)(void *self, struct arena *a, const struct replay_scenario *scenario,
                  struct errtext *why);
    bool (*event)(void *self, const struct replay_event *event, struct replay_answer *out,
                  struct errtext *why);
    /* The steps that are neither event nor expectation; NULL where the player knows none. */
    bool (*control)(void *self, const struct replay_step *step, struct errtext *why);
    /* After the last step, also of a scenario that could not begin. False: it did not end well.
     * More about a failure may be printed as TAP comments. */
    bool (*end)(void *self, bool failed, struct errtext *why);
    void *self;
};

/* Splits "550 5.7.1 text", or "550-5.7.1 text" with more lines behind it. */
void replay_split_reply(struct arena *a, const char *reply, struct replay_answer *out);

int replay_main(int argc, char **argv, const struct replay_player *player);

#endif
