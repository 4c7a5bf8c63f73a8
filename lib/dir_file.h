/*
 * dir_file - a directory in a text file; its grammar stands in senders.h
 *
 * Repeated keys add up. A login gets the grants of its owner; a certificate those of its cert:
 *   owner; a network principal those of every net: owner that holds the client's address, the
 *   longest prefix first. Three tables: a login that looks like another kind of owner is none.
 * Owners of an address: who may send as it by a key that is this very address; no patterns,
 *   domains, or on-behalf. In the order of the file.
 * Sources: the directory's name, and the owner in normal form: "ann", "net:10.0.0.0/8",
 *   "cert:ISSUER|SUBJECT".
 *
 * Use: dir_file_open(), then dir_add(). Immutable: a changed file is opened anew with the
 *   configuration.
 * Failure: NULL, and one errtext a fault, "FILE:LINE: what is wrong", by the report function.
 * Threads: as dir.h says; nothing is written after opening.
 * Depends on: dir, senders, keyhash, uthash.
 */
#ifndef SENDAS_DIR_FILE_H
#define SENDAS_DIR_FILE_H

#include "dir.h"
#include "netset.h"

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

/* The networks of its net: owners, the longest prefix first; none for another kind of directory.
 * They live as long as the directory. */
struct netset dir_file_nets(const struct dir_backend *backend);

#endif
