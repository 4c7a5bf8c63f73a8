/*
 * conf_value - the small values of the configuration: durations, sizes, numbers, words
 *
 * Use: one function a kind; the text is what stands in the file, without quotes.
 * Failure: false, *out untouched, and why says what is wrong and what would be right.
 * Threads: no shared state.
 * Depends on: span, errtext.
 */
#ifndef SENDAS_CONF_VALUE_H
#define SENDAS_CONF_VALUE_H

#include "attr.h"
#include "errtext.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf_range {
    uint64_t min, max;
    const char *min_text, *max_text; /* as an admin would write them */
};

/* "250ms", "3s", "5m", "4h", "1d"; a bare number is seconds. Nanoseconds. */
bool conf_value_duration(const char *text, const struct conf_range *range, uint64_t *out,
                         struct errtext *why) MUST_USE;
/* "64k", "1M"; a bare number is bytes. */
bool conf_value_size(const char *text, const struct conf_range *range, uint64_t *out,
                     struct errtext *why) MUST_USE;
bool conf_value_number(const char *text, const struct conf_range *range, uint64_t *out,
                       struct errtext *why) MUST_USE;
/* yes, no, true, false, on, off. */
bool conf_value_bool(const char *text, bool *out, struct errtext *why) MUST_USE;
/* An octal mode of a file, at most 0777. */
bool conf_value_mode(const char *text, mode_t *out, struct errtext *why) MUST_USE;
/* One of words (NULL-terminated); gives its index. */
bool conf_value_word(const char *text, const char *const *words, unsigned *out,
                     struct errtext *why) MUST_USE;
/* A socket in libmilter's form, or an absolute path, which is given "unix:". */
bool conf_value_socket(const char *text, struct errtext *why) MUST_USE;
/* The word of the list that is closest to name, NULL where none is near. */
const char *conf_value_nearest(const char *name, const char *const *words);

#endif
