#include "ldaptls.h"
#include "cachekey.h"
#include "xalloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct context {
    struct context *next;
    char *key;
    size_t key_len;
    void *tls; /* libldap's, with a reference that is ours */
};

static struct context *contexts;
static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *trusted_authorities(const struct ldapconn_conf *conf)
{
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt"};
    if (conf->ca_file)
        return conf->ca_file;
    return access(places[0], R_OK) == 0 ? places[0] : places[1];
}

/* ---- which context ---- */

/* The file as it is now: its path, and what changes when it is replaced or written. */
static void add_file(struct strbuf *key, struct arena *a, const char *path)
{
    struct stat st = {.st_ino = 0};
    if (path && stat(path, &st) != 0)
        st.st_ino = 0;
    cachekey_add(key, span_of(path));
    cachekey_add(key, span_of(arena_printf(a, "%ju %ju %jd %jd.%ld", (uintmax_t)st.st_dev,
                                           (uintmax_t)st.st_ino, (intmax_t)st.st_size,
                                           (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec)));
}

static struct span key_of(struct arena *a, const struct ldapconn_conf *conf)
{
    struct strbuf key;
    strbuf_init(&key, a);
    add_file(&key, a, conf->tls_verify ? trusted_authorities(conf) : NULL);
    add_file(&key, a, conf->cert_file);
    add_file(&key, a, conf->key_file);
    cachekey_add(&key, span_of(conf->tls_minimum == LDAPCONN_TLS13 ? "1.3" : "1.2"));
    return strbuf_span(&key);
}

/* With the lock held. */
static struct context *find(struct span key)
{
    for (struct context *c = contexts; c; c = c->next)
        if (span_equal(span_make(c->key, c->key_len), key))
            return c;
    return NULL;
}

/* ---- a new one ---- */

static bool set(LDAP *ld, int option, const void *value)
{
    return ldap_set_option(ld, option, value) == LDAP_OPT_SUCCESS;
}

static bool set_int(LDAP *ld, int option, int value)
{
    return set(ld, option, &value);
}

static int require_certificate(const struct ldapconn_conf *conf)
{
    return conf->tls_verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
}

static bool set_up(LDAP *ld, const struct ldapconn_conf *conf)
{
    int minimum = conf->tls_minimum == LDAPCONN_TLS13 ? LDAP_OPT_X_TLS_PROTOCOL_TLS1_3
                                                      : LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    return set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, require_certificate(conf)) &&
           set_int(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, minimum) &&
           (!conf->tls_verify || set(ld, LDAP_OPT_X_TLS_CACERTFILE, trusted_authorities(conf))) &&
           (!conf->cert_file || set(ld, LDAP_OPT_X_TLS_CERTFILE, conf->cert_file)) &&
           (!conf->key_file || set(ld, LDAP_OPT_X_TLS_KEYFILE, conf->key_file)) &&
           set_int(ld, LDAP_OPT_X_TLS_NEWCTX, 0); /* last: what comes after it is ignored */
}

/* The context of a handle that is thrown away; reading the option takes a reference. */
static void *make_tls(const struct ldapconn_conf *conf)
{
    LDAP *ld = NULL;
    void *tls = NULL;
    if (ldap_initialize(&ld, conf->uri) != LDAP_SUCCESS)
        return NULL;
    if (set_up(ld, conf) &&
        ldap_get_option(ld, LDAP_OPT_X_TLS_CTX, (void *)&tls) != LDAP_OPT_SUCCESS)
        tls = NULL;
    (void)ldap_unbind_ext_s(ld, NULL, NULL);
    return tls;
}

/* With the lock held. */
static struct context *add(const struct ldapconn_conf *conf, struct span key)
{
    void *tls = make_tls(conf);
    if (!tls)
        return NULL;
    struct context *c = xcalloc(1, sizeof *c);
    c->key = xcalloc(1, key.len + 1);
    memcpy(c->key, key.data, key.len);
    c->key_len = key.len;
    c->tls = tls;
    c->next = contexts;
    contexts = c;
    return c;
}

bool ldaptls_use(LDAP *ld, const struct ldapconn_conf *conf)
{
    struct arena *a = arena_create();
    struct span key = key_of(a, conf);
    (void)pthread_mutex_lock(&contexts_lock);
    struct context *c = find(key);
    if (!c)
        c = add(conf, key);
    (void)pthread_mutex_unlock(&contexts_lock);
    arena_destroy(a);
    return c && set_int(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, require_certificate(conf)) &&
           set(ld, LDAP_OPT_X_TLS_CTX, c->tls);
}
