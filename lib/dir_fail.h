/*
 * dir_fail - a directory that never finds anything: it fails with a fixed status, or is late
 *
 * Use: for tests and rehearsals of an outage; an ordinary backend, so nothing else knows.
 *   dir_fail_create() answers every question at once with the status given.
 *   dir_slow_create() hands every question to the inner backend after a delay, from a thread of
 *   its own, as a directory on a network does.
 * Depends on: dir.
 */
#ifndef SENDAS_DIR_FAIL_H
#define SENDAS_DIR_FAIL_H

#include "dir.h"

struct dir_backend *dir_fail_create(const char *name, enum account_status status,
                                    const char *why) MUST_USE;
/* Takes inner over, and its name, domains and merge. delay in nanoseconds of real time;
 * dir_destroy() does not wait for it. NULL where no thread can be had; inner is gone then too. */
struct dir_backend *dir_slow_create(struct dir_backend *inner, uint64_t delay) MUST_USE;

#endif
