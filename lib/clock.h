/*
 * clock - monotonic time, and a stand-in for tests
 *
 * Use: clock_now(&clock_real), or a struct clock with an own now(). Never wall clock: a jump of
 *   the system time must not stretch a deadline or end a cache entry.
 * Units: nanoseconds since an arbitrary start.
 * Threads: clock_real from any; a stand-in as its owner says.
 * Depends on: libc.
 */
#ifndef SENDAS_CLOCK_H
#define SENDAS_CLOCK_H

#include <stdint.h>

#define CLOCK_MS UINT64_C(1000000)
#define CLOCK_S  UINT64_C(1000000000)

struct clock {
    uint64_t (*now)(const struct clock *self);
};

extern const struct clock clock_real;
uint64_t clock_now(const struct clock *clock);

#endif
