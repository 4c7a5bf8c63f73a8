/*
 * What the first lookup of a login costs through the directory front, against one raw libldap
 * search with the same filter on a connection of its own: both in turn, each for a login that was
 * not asked for before, so that server and machine are the same for both.
 *
 * Use: bench_dir_ldap URI BASE LOGINS [groups]      (bench/ldap.py makes the server)
 *   Logins are user0 to userN-1, uid=userI with mail userI@example.net.
 * Prints microseconds: median, quartiles, and the ratio of the medians.
 */
#include "dir_cache.h"
#include "dir_ldap.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUPS = 1000, WARM = 200 };

static const struct login_rules login_rules = {.fold_case = true};
static const struct addr_rules addr_rules = {.fold_local_part = true};

/* ---- figures ---- */

struct series {
    double values[LOOKUPS];
    size_t count;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double print_series(const char *what, struct series *s)
{
    qsort(s->values, s->count, sizeof s->values[0], by_value);
    double median = s->values[s->count / 2];
    printf("%-28s median %7.0f us, quartiles %7.0f %7.0f (%zu lookups)\n", what, median,
           s->values[s->count / 4], s->values[s->count * 3 / 4], s->count);
    return median;
}

static double microseconds_since(uint64_t start)
{
    return (double)(clock_now(&clock_real) - start) / 1000.0;
}

static void stop(const char *why)
{
    (void)fprintf(stderr, "bench_dir_ldap: %s\n", why);
    exit(1);
}

/* ---- raw ---- */

static LDAP *raw_open(const char *uri)
{
    LDAP *ld = NULL;
    int version = LDAP_VERSION3;
    struct berval nobody = {0, NULL};
    if (ldap_initialize(&ld, uri) != LDAP_SUCCESS ||
        ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != LDAP_SUCCESS ||
        ldap_sasl_bind_s(ld, NULL, LDAP_SASL_SIMPLE, &nobody, NULL, NULL, NULL) != LDAP_SUCCESS)
        stop("cannot connect");
    return ld;
}

static double raw_lookup(LDAP *ld, const char *base, unsigned user)
{
    char mail[] = "mail", *attributes[] = {mail, NULL};
    char filter[200];
    LDAPMessage *result = NULL;
    (void)snprintf(filter, sizeof filter,
                   "(&(objectClass=inetOrgPerson)(|(uid=user%u)(mail=user%u)))", user, user);
    uint64_t start = clock_now(&clock_real);
    int code = ldap_search_ext_s(ld, base, LDAP_SCOPE_SUBTREE, filter, attributes, 0, NULL, NULL,
                                 NULL, 2, &result);
    double took = microseconds_since(start);
    if (code != LDAP_SUCCESS || ldap_count_entries(ld, result) != 1)
        stop("the raw search does not find the login");
    (void)ldap_msgfree(result);
    return took;
}

/* ---- the front ---- */

static struct dir *front_open(const char *uri, const char *base, bool groups)
{
    static const char *const mail[] = {"mail"};
    struct errtext why = {""};
    struct dir_ldap_conf conf = {
        .name = "bench",
        .uris = &uri,
        .uri_count = 1,
        .link = {.connect_timeout = 2 * CLOCK_S, .search_timeout = 2 * CLOCK_S},
        .max_connections = 8,
        .base = base,
        .account_filter = "(&(objectClass=inetOrgPerson)(|(uid=%{login})(mail=%{login})))",
        .delegation_filter = groups ? "(&(objectClass=groupOfNames)(member=%{account.dn}))" : NULL,
        .send_as = {mail, 1, false},
        .delegation = {mail, 1, false},
        .login_rules = &login_rules,
        .addr_rules = &addr_rules,
    };
    struct dir_cache_conf cache = {.ttl = 300 * CLOCK_S,
                                   .negative_ttl = 30 * CLOCK_S,
                                   .entries = 100000,
                                   .clock = &clock_real};
    struct dir *dir = dir_create(&(struct dir_conf){.max_waiting = 32, .clock = &clock_real});
    struct dir_backend *ldap = dir_ldap_open(&conf, &why);
    if (!ldap || !dir_add(dir, dir_cache_create(ldap, &cache)))
        stop(why.text);
    return dir;
}

static double front_lookup(struct dir *dir, unsigned user)
{
    char name[32];
    (void)snprintf(name, sizeof name, "user%u", user);
    struct dir_question question = {
        .principal = {.kind = PRINCIPAL_SASL,
                      .login = {.name = name, .local = name, .domain = ""}}};
    uint64_t start = clock_now(&clock_real);
    struct dir_lookup *lookup = dir_start(dir, &question);
    struct account_answer *answer = dir_join(lookup, 10 * CLOCK_S);
    double took = microseconds_since(start);
    if (answer->status != ACCOUNT_FOUND || answer->account.lists[0].count < 1)
        stop(answer->why ? answer->why : "the front does not find the login");
    account_answer_unref(answer);
    dir_lookup_release(lookup);
    return took;
}

/* ---- both in turn ---- */

static void measure(const char *uri, const char *base, unsigned logins, bool groups)
{
    static struct series raw, cold, warm;
    LDAP *ld = raw_open(uri);
    struct dir *dir = front_open(uri, base, groups);
    unsigned next = 0, step = logins / (2 * (LOOKUPS + WARM));
    for (unsigned i = 0; i < LOOKUPS + WARM; i++) {
        double a = raw_lookup(ld, base, next);
        double b = front_lookup(dir, next + step);
        double c = front_lookup(dir, next + step);
        next += 2 * step;
        if (i < WARM)
            continue;
        raw.values[raw.count++] = a;
        cold.values[cold.count++] = b;
        warm.values[warm.count++] = c;
    }
    double base_line = print_series("raw libldap search", &raw);
    double first = print_series(groups ? "front, first, with groups" : "front, first", &cold);
    double again = print_series("front, again (cache)", &warm);
    printf("ratio first / raw %.2f, again / raw %.3f\n", first / base_line, again / base_line);
    dir_destroy(dir);
    (void)ldap_unbind_ext_s(ld, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        stop("usage: bench_dir_ldap URI BASE LOGINS [groups]");
    unsigned logins = (unsigned)strtoul(argv[3], NULL, 10);
    if (logins < 2 * (LOOKUPS + WARM))
        stop("too few logins for everyone to be asked once");
    ldapconn_init();
    measure(argv[1], argv[2], logins, argc > 4 && strcmp(argv[4], "groups") == 0);
    return 0;
}
