/*
 * secret - a password in a file of its own
 *
 * Use: secret_read() whenever the password is needed, so that a changed file takes effect at once;
 *   secret_free() as soon as it was used.
 * Rules: a regular file, no symbolic link; it belongs to root or to the user that we run as;
 *   nobody beyond its group may read it, only its owner may write it. The password is the first
 *   line, without its line end; it is not empty and at most SECRET_MAX octets.
 * Memory: cleared before it is given back.
 * Threads: no shared state.
 * Depends on: errtext.
 */
#ifndef SENDAS_SECRET_H
#define SENDAS_SECRET_H

#include "attr.h"
#include "errtext.h"

#include <stdbool.h>
#include <sys/types.h>

enum { SECRET_MAX = 1024 };

/* owner: a user besides root that may own the file. NULL, and why, where a rule is broken. */
char *secret_read(const char *path, uid_t owner, struct errtext *why) MUST_USE;
void secret_free(char *secret); /* NULL is fine */

#endif
