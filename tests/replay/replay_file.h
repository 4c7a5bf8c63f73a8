/*
 * replay_file - SMTP sessions as text: the grammar that both players read (README.md)
 *
 * Use: replay_read() a file; then walk the steps of each scenario in order.
 * Memory: everything lives in the arena given.
 * Failure: NULL, and why begins with FILE:LINE. A file that checks nothing is a failure too: after
 *   RCPT and end of message an expectation must stand.
 * Depends on: strbuf.
 */
#ifndef REPLAY_FILE_H
#define REPLAY_FILE_H

#include "strbuf.h"
#include "errtext.h"

#include <stdbool.h>
#include <stdint.h>

struct replay_words {
    const char *const *items;
    size_t count;
};

/* NAME VALUE... of a block; all_digits: VALUE is one number. */
struct replay_option {
    const char *name;
    struct replay_words values;
    unsigned line;
};

struct replay_options {
    struct replay_option *items;
    size_t count;
};

struct replay_block {
    const char *name;
    struct replay_options options;
};

enum replay_directory {
    REPLAY_DIR_FILE,
    REPLAY_DIR_UNAVAILABLE,
    REPLAY_DIR_MISCONFIGURED,
    REPLAY_DIR_SLOW
};

struct replay_setup {
    const char *senders; /* the text of the senders file */
    const char *denies;  /* of the deny lines, which have the same form */
    struct replay_other {
        bool used;
        enum replay_directory state; /* REPLAY_DIR_FILE: it is well and knows nobody */
        bool denies;                 /* it may have some */
    } other;
    struct replay_options options, login, address;
    struct replay_block *policies, *networks;
    size_t policy_count, network_count;
};

enum replay_event_kind {
    REPLAY_CONNECT,
    REPLAY_HELO,
    REPLAY_MAIL,
    REPLAY_RCPT,
    REPLAY_HEADER,
    REPLAY_EOM,
    REPLAY_ABORT,
    REPLAY_QUIT,
};

struct replay_pair {
    const char *key, *value; /* value NULL: "KEY=-", not sent */
};

struct replay_event {
    enum replay_event_kind kind;
    const char *argument; /* RCPT: as typed; HEADER: the field's name */
    const char *value;    /* HEADER: all that follows the colon */
    struct replay_pair *pairs;
    size_t pair_count;
};

enum replay_verdict { REPLAY_CONTINUE, REPLAY_REJECT, REPLAY_TEMPFAIL };

struct replay_expect {
    enum replay_verdict verdict;
    const char *code, *reason;   /* NULL: not looked at */
    struct replay_words changes; /* all that the MTA must be told to change, in their order */
};

enum replay_step_kind {
    STEP_EVENT,
    STEP_EXPECT,
    STEP_LOG,
    STEP_CLOCK,
    STEP_DIRECTORY,
    STEP_ADD,
    STEP_REMOVE
};

struct replay_step {
    enum replay_step_kind kind;
    unsigned line;
    struct replay_event event;
    struct replay_expect expect;
    struct replay_pair *pairs; /* STEP_LOG */
    size_t pair_count;
    uint64_t duration; /* STEP_CLOCK, STEP_DIRECTORY slow: nanoseconds */
    enum replay_directory directory;
    const char *text; /* STEP_ADD: a senders line; STEP_REMOVE: its key */
};

struct replay_scenario {
    const char *name;
    unsigned line;
    struct replay_setup setup;
    struct replay_step *steps;
    size_t step_count;
    bool core_only; /* holds a line that only the in-process player knows */
};

struct replay_file {
    const char *path;
    struct replay_scenario *scenarios;
    size_t count;
};

const struct replay_file *replay_read(struct arena *a, const char *path,
                                      struct errtext *why) MUST_USE;

/* The value of KEY; fallback where the event does not name it; NULL for "KEY=-". */
const char *replay_value(const struct replay_event *event, const char *key, const char *fallback);
/* What an MTA makes of an argument: the text inside the angle brackets. */
const char *replay_parsed(struct arena *a, const char *argument);
/* The values of a list option or of a scalar; NULL where there is no such option. */
const struct replay_option *replay_option(const struct replay_options *options, const char *name);
/* "5", "300ms", "2s", "5m", "1h" as nanoseconds. */
bool replay_duration(const char *text, uint64_t *out);

#endif
