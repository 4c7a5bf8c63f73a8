/*
 * dir_file - a directory in a text file, as smtpd_sender_login_maps (texthash, hash source) has it
 *
 * Grammar, one entry a line:
 *   KEY BLANK OWNER { ("," | BLANK) OWNER }
 *   a line that begins with white space continues the one before; empty lines and lines whose
 *   first non-blank character is '#' are skipped.
 *   KEY: address, @domain, @.domain, * (any address), or a bare name. It ends at the first white
 *   space outside double quotes, which belong to the address.
 *   OWNER: a login; one with a comma or a blank stands in double quotes. net:CIDR and
 *   cert:ISSUER|SUBJECT are reserved for other principals.
 * Repeated keys add up. "user@" keys, <>, /regexp/ and pcre lines are errors with a line number.
 *
 * Use: dir_file_open(), then dir_add(). Immutable: a changed file is opened anew with the
 *   configuration.
 * Failure: NULL, and one errtext a fault, "FILE:LINE: what is wrong", by the report function.
 * Threads: as dir.h says; nothing is written after opening.
 * Depends on: dir, uthash.
 */
#ifndef SENDAS_DIR_FILE_H
#define SENDAS_DIR_FILE_H

#include "dir.h"

/* Called once a fault; line is 0 where the whole file is meant. */
typedef void dir_file_report(void *context, const char *file, unsigned line, const char *what);

struct dir_file_conf {
    const char *name; /* of the directory block */
    const char *file;
    const struct login_rules *login_rules; /* owners are normalised like logins */
    const struct addr_rules *addr_rules;
    const char *const *login_domains;
    size_t login_domain_count;
    bool merge;
};

/* Everything in conf is copied. At most 100 faults are reported, then one that says so. */
struct dir_backend *dir_file_open(const struct dir_file_conf *conf, dir_file_report *report,
                                  void *context) MUST_USE;

#endif
