/*
 * dir_filter - an LDAP search filter with placeholders (RFC 4515)
 *
 * A template is an RFC 4515 filter in which %{name} stands for a fact, in assertion values only
 * (the text "%{" itself is written \25{). It is checked once, with the configuration, and expanded
 * for every question. A value is escaped as a whole, so whatever a login or an address holds, the
 * structure of the filter stays the template's.
 *
 * Absent facts: a term that names a fact without a value is dropped, and an OR or a NOT that loses
 *   all it has. An AND group that loses anything goes as a whole: without it, it would find more. A
 *   filter of which nothing is left matches nothing.
 * Proof: a directory folds more than we do (RFC 4518 maps full-width letters and ignores soft
 *   hyphens). dir_filter_proofs() names what the template compares for equality with a login or a
 *   certificate, so that it is fetched; dir_filter_proven() tells whether an entry that was found
 *   shows it by our own rules: in an AND every such term, in an OR one of them.
 * Somebody else: the grants of a login, of a certificate and of a machine never combine. Where one
 *   is asked about, dir_filter_narrow() leaves out the alternatives of an OR that name only facts
 *   of the others; beside the one's own fact in an AND they stay.
 *
 * Use: dir_filter_parse() and dir_filter_narrow() for the configuration, then
 *   dir_filter_expand() and dir_filter_proofs() for a question, dir_filter_proven() for what it
 *   found.
 * Memory: everything lives in the arena given; a filter is immutable.
 * Failure: false or a status, and why says what was wrong; outputs stay untouched.
 * Threads: no shared state.
 * Depends on: arena, errtext, strbuf, utext, login (LOGIN_MAX), libunistring.
 */
#ifndef SENDAS_DIR_FILTER_H
#define SENDAS_DIR_FILTER_H

#include "arena.h"
#include "errtext.h"

#include <stdbool.h>

/* The facts that a template may name, "%{login}" and so on. */
enum dir_fact {
    DIR_FACT_LOGIN,
    DIR_FACT_LOGIN_LOCAL,
    DIR_FACT_LOGIN_DOMAIN,
    DIR_FACT_ACCOUNT_DN,
    DIR_FACT_CLIENT_ADDR,
    DIR_FACT_CERT_SUBJECT,
    DIR_FACT_CERT_ISSUER,
    DIR_FACT_COUNT
};

#define DIR_FACT_BIT(fact) (1u << (fact))

enum {
    DIR_FACTS_LOGIN = DIR_FACT_BIT(DIR_FACT_LOGIN) | DIR_FACT_BIT(DIR_FACT_LOGIN_LOCAL) |
                      DIR_FACT_BIT(DIR_FACT_LOGIN_DOMAIN),
    DIR_FACTS_CLIENT = DIR_FACT_BIT(DIR_FACT_CLIENT_ADDR),
    DIR_FACTS_CERT = DIR_FACT_BIT(DIR_FACT_CERT_SUBJECT) | DIR_FACT_BIT(DIR_FACT_CERT_ISSUER),
};

struct dir_facts {
    const char *values[DIR_FACT_COUNT]; /* NULL or "": absent */
};

struct dir_filter;

enum {
    DIR_FILTER_TEXT_MAX = 8192,  /* octets of a template */
    DIR_FILTER_DEPTH_MAX = 20,   /* parentheses within parentheses */
    DIR_FILTER_VALUE_MAX = 1024, /* octets of account.dn, cert.subject, cert.issuer; of the others
                                    LOGIN_MAX */
};

/* allowed: DIR_FACT_BITs. why names the position, in octets from 1, and what would be right. */
bool dir_filter_parse(struct arena *a, struct span text, unsigned allowed, struct dir_filter **out,
                      struct errtext *why) MUST_USE;

/* The DIR_FACT_BITs that its values name. */
unsigned dir_filter_facts(const struct dir_filter *filter);

/* What of the filter asks about somebody who is told by one of the facts `identity`, and has
 * `present` at most. False where it does not ask about such a one. */
bool dir_filter_narrow(struct arena *a, const struct dir_filter *filter, unsigned identity,
                       unsigned present, struct dir_filter **out) MUST_USE;

/* Whether a value may be searched for: no characters that a directory ignores (see login.h). */
bool dir_filter_check(enum dir_fact fact, const char *value, struct errtext *why) MUST_USE;
/* The same for any other text: blanks may stand within it. */
bool dir_filter_check_text(struct span value, struct errtext *why) MUST_USE;

enum dir_filter_status {
    DIR_FILTER_OK,
    DIR_FILTER_NOTHING, /* all terms are dropped: nobody can match, do not search */
    DIR_FILTER_UNSAFE,  /* a value holds what a directory would ignore (see login.h), or is too
                           long: do not search. A DN comes from the directory and may be anything
                           but over-long. */
};

/* Only the facts that the filter names are looked at. */
enum dir_filter_status dir_filter_expand(struct arena *a, const struct dir_filter *filter,
                                         const struct dir_facts *facts, const char **out,
                                         struct errtext *why) MUST_USE;

struct dir_filter_proof {
    const char *attribute; /* as the template spells it, without options */
    const char *value;     /* what was asked for, not escaped */
    unsigned facts;        /* that the value names */
};

/* The equality terms whose value names a fact of login or certificate together with what they
 * compare, in the template's order, those under a NOT and those that are dropped left out. Returns
 * how many. The facts are those that dir_filter_expand() has taken. */
size_t dir_filter_proofs(struct arena *a, const struct dir_filter *filter,
                         const struct dir_facts *facts, const struct dir_filter_proof **out);

/* True where one of the entry's values of the attribute equals value: by the rules of logins, or
 * exact, octet by octet. */
typedef bool dir_filter_has_fn(void *context, const char *attribute, const char *value, bool exact);

/* Whether an entry that the directory gave for these facts is proven; a filter that compares
 * neither login nor certificate is. Where there is a login, it is the login that must be proven: a
 * certificate that the entry does not show fails an AND, but not an OR with terms that need no
 * proof. */
bool dir_filter_proven(struct arena *a, const struct dir_filter *filter,
                       const struct dir_facts *facts, dir_filter_has_fn *has,
                       void *context) MUST_USE;

/* Every attribute type that the filter names, each once; for the check against a schema. */
size_t dir_filter_attributes(struct arena *a, const struct dir_filter *filter,
                             const char *const **out);
/* The object classes that it compares objectClass with, each once; those that are literal. */
size_t dir_filter_classes(struct arena *a, const struct dir_filter *filter,
                          const char *const **out);

/* "(|(a=v)(a=w)(b=v)(b=w))": one of the attributes equals one of the values. */
const char *dir_filter_any_of(struct arena *a, const char *const *attributes,
                              size_t attribute_count, const char *const *values,
                              size_t value_count) MUST_USE;

/* One value as it stands in a filter: escaped are NUL ( ) * \ (RFC 4515 section 3), the other
 * control characters and every octet that is not ASCII, so that a filter is one line of a log. */
const char *dir_filter_escape(struct arena *a, struct span value) MUST_USE;

#endif
