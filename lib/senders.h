/*
 * senders - the text of a senders file, as smtpd_sender_login_maps (texthash, hash source) has it
 *
 * Grammar, one entry a line:
 *   KEY BLANK OWNER { ("," | BLANK) OWNER }
 *   a line that begins with white space continues the one before; empty lines and lines whose
 *   first non-blank character is '#' are skipped.
 *   KEY: address, pattern (list+*@example.net), @domain, @.domain, * (any address), or a bare name.
 *   It ends at the first white space outside double quotes, which belong to the address.
 *   OWNER: [ "on-behalf:" ] ( LOGIN | "net:" CIDR | "cert:" ISSUER "|" SUBJECT )
 *   The words in front are recognised without regard to letter case; what begins with one is never
 *   a login. An owner with a comma or a blank stands in double quotes, the words in front too. An
 *   ISSUER has no '|', a SUBJECT may; both are compared as they are.
 * "user@" keys, <>, /regexp/ and pcre lines are faults with a line number.
 *
 * Use: senders_read(), which calls key() for a key, then owner() for each of its owners.
 * Memory: what the calls are given lives until they return.
 * Failure: false, and one call of report() a fault, "FILE:LINE: what is wrong".
 * Threads: no shared state.
 * Depends on: grant, login, netset, utext.
 */
#ifndef SENDAS_SENDERS_H
#define SENDAS_SENDERS_H

#include "grant.h"
#include "login.h"
#include "netset.h"

enum senders_kind { SENDERS_LOGIN, SENDERS_CERT, SENDERS_NET, SENDERS_KINDS };

struct senders_owner {
    enum senders_kind kind;
    enum grant_right right;
    const char *name; /* in normal form: "ann", "cert:CN=CA|CN=mx", "net:10.0.0.0/8" */
    struct net net;   /* SENDERS_NET */
};

struct senders_conf {
    const char *file;
    const struct login_rules *login_rules; /* owners are normalised like logins */
    const struct addr_rules *addr_rules;
    void (*key)(void *context, const struct grant *key, unsigned line);
    void (*owner)(void *context, const struct senders_owner *owner);
    /* line is 0 where the whole file is meant. At most 100 faults, then one call that says so. */
    void (*report)(void *context, const char *file, unsigned line, const char *what);
    void *context;
};

/* The calls that came before a fault are not taken back. */
bool senders_read(const struct senders_conf *conf) MUST_USE;

/* The name of an owner for a client's certificate; NULL where the issuer has a '|', which nothing
 * in a file can mean. */
const char *senders_cert_name(struct arena *a, struct span issuer, struct span subject) MUST_USE;

#endif
