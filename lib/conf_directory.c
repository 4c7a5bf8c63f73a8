/* The blocks `directory NAME { ... }`: one file or one LDAP service each. */
#include "conf_load.h"
#include "conf_value.h"
#include "dir_cache.h"
#include "dir_file.h"
#include "dir_ldap.h"
#include "ldappreset.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum directory_type { TYPE_FILE, TYPE_LDAP };

/* What a block fills. */
struct directory {
    enum directory_type type;
    bool type_is_known;
    const char *file;
    struct policy_strings login_domains;
    bool merge;
    struct dir_ldap_conf ldap;
    const struct ldappreset *preset;
    struct policy_strings uris, send_as, on_behalf, deny, delegation, admin;
    struct dir_cache_conf cache;
};

static struct directory *directory_of(const struct conf_value *v)
{
    return v->target;
}

/* ---- both types ---- */

static void set_type(const struct conf_value *v)
{
    static const char *const words[] = {"file", "ldap", NULL};
    unsigned before = v->load->faults;
    directory_of(v)->type = (enum directory_type)conf_word(v, words, TYPE_FILE);
    directory_of(v)->type_is_known = v->load->faults == before;
}

static void set_login_domains(const struct conf_value *v)
{
    const char *name = "*";
    if (strcmp(v->text, "*") == 0 || conf_domain(v, span_of(v->text), &name))
        conf_add_string(v, &directory_of(v)->login_domains, name);
}

static void set_merge(const struct conf_value *v)
{
    directory_of(v)->merge = conf_boolean(v, false);
}

/* ---- file ---- */

static bool absolute(const struct conf_value *v, const char *right)
{
    if (v->text[0] == '/')
        return true;
    conf_fault(v->load, v->at, "%s: \"%s\" is no absolute path; %s is right", v->option, v->text,
               right);
    return false;
}

static void set_file(const struct conf_value *v)
{
    if (absolute(v, "/etc/sendas-milter/senders"))
        directory_of(v)->file = conf_keep(v);
}

/* ---- ldap: the servers ---- */

static struct ldapconn_conf *link_of(const struct conf_value *v)
{
    return &directory_of(v)->ldap.link;
}

static void set_uri(const struct conf_value *v)
{
    struct errtext why;
    if (ldapconn_uri_check(v->text, &why))
        conf_add_string(v, &directory_of(v)->uris, conf_keep(v));
    else
        conf_wrong(v, &why);
}

/* A DN, checked as such. */
static const char *dn(const struct conf_value *v)
{
    if (!ldapconn_dn_check(v->text))
        conf_fault(v->load, v->at, "%s: \"%s\" is no DN; 'dc=example,dc=net' is right", v->option,
                   v->text);
    return conf_keep(v);
}

static void set_base(const struct conf_value *v)
{
    directory_of(v)->ldap.base = dn(v);
}

static void set_bind_dn(const struct conf_value *v)
{
    link_of(v)->bind_dn = *v->text ? dn(v) : NULL;
}

static void set_bind_password_file(const struct conf_value *v)
{
    if (absolute(v, "/etc/sendas-milter/ldap.secret"))
        link_of(v)->bind_password_file = conf_keep(v);
}

static void set_sasl_mechanism(const struct conf_value *v)
{
    if (strcasecmp(v->text, "external") == 0)
        link_of(v)->bind = LDAPCONN_EXTERNAL;
    else
        conf_fault(v->load, v->at, "sasl_mechanism: \"%s\" is not external", v->text);
}

static void set_starttls(const struct conf_value *v)
{
    link_of(v)->starttls = conf_boolean(v, false);
}

/* A file that must be there for every new connection. */
static const char *readable(const struct conf_value *v, const char *right)
{
    if (!absolute(v, right))
        return NULL;
    int fd = open(v->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        conf_fault(v->load, v->at, "%s: cannot read %s: %s", v->option, v->text, strerror(errno));
    else
        (void)close(fd);
    return conf_keep(v);
}

static void set_ca_file(const struct conf_value *v)
{
    link_of(v)->ca_file = readable(v, "/etc/ssl/certs/ca-certificates.crt");
}

static void set_cert_file(const struct conf_value *v)
{
    link_of(v)->cert_file = readable(v, "/etc/sendas-milter/client.pem");
}

static void set_key_file(const struct conf_value *v)
{
    link_of(v)->key_file = readable(v, "/etc/sendas-milter/client.key");
}

static void set_tls_verify(const struct conf_value *v)
{
    static const char *const words[] = {"demand", "never", NULL};
    link_of(v)->tls_verify = conf_word(v, words, 0) == 0;
}

static void set_tls_minimum(const struct conf_value *v)
{
    static const char *const words[] = {"1.2", "1.3", NULL};
    static const enum ldapconn_tls versions[] = {LDAPCONN_TLS12, LDAPCONN_TLS13};
    link_of(v)->tls_minimum = versions[conf_word(v, words, 0)];
}

static void set_timeout(const struct conf_value *v, uint64_t *out)
{
    static const struct conf_range range = {50 * CLOCK_MS, 60 * CLOCK_S, "50ms", "60s"};
    struct errtext why;
    if (!conf_value_duration(v->text, &range, out, &why))
        conf_wrong(v, &why);
}

static void set_connect_timeout(const struct conf_value *v)
{
    set_timeout(v, &link_of(v)->connect_timeout);
}

static void set_search_timeout(const struct conf_value *v)
{
    set_timeout(v, &link_of(v)->search_timeout);
}

static void set_max_connections(const struct conf_value *v)
{
    directory_of(v)->ldap.max_connections = (unsigned)conf_number(v, 1, 256);
}

/* ---- ldap: what is asked ---- */

static void set_schema(const struct conf_value *v)
{
    const char *words[16] = {NULL};
    for (size_t i = 0; ldappresets[i].name && i + 1 < sizeof words / sizeof words[0]; i++)
        words[i] = ldappresets[i].name;
    directory_of(v)->preset = &ldappresets[conf_word(v, words, 0)];
}

static void set_strategy(const struct conf_value *v)
{
    static const char *const words[] = {"account", NULL};
    (void)conf_word(v, words, 0);
}

static const char *filter(const struct conf_value *v, unsigned facts)
{
    struct errtext why;
    struct dir_filter *parsed = NULL;
    if (*v->text && !dir_filter_parse(v->load->arena, span_of(v->text), facts, &parsed, &why))
        conf_wrong(v, &why);
    return conf_keep(v);
}

static void set_account_filter(const struct conf_value *v)
{
    directory_of(v)->ldap.account_filter = filter(v, DIR_LDAP_ACCOUNT_FACTS);
}

static void set_enabled_filter(const struct conf_value *v)
{
    directory_of(v)->ldap.enabled_filter = filter(v, DIR_LDAP_ACCOUNT_FACTS);
}

static void set_delegation_filter(const struct conf_value *v)
{
    directory_of(v)->ldap.delegation_filter = filter(v, DIR_LDAP_GROUP_FACTS);
}

static void set_delegation_base(const struct conf_value *v)
{
    directory_of(v)->ldap.delegation_base = *v->text ? dn(v) : NULL;
}

/* descr = keystring (RFC 4512 section 1.4), or an OID. */
static const char *attribute(const struct conf_value *v)
{
    size_t good = strspn(v->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-.");
    if (!good || v->text[good] || v->text[0] == '-' || v->text[0] == '.')
        conf_fault(v->load, v->at, "%s: \"%s\" is no name of an attribute; mail is right",
                   v->option, v->text);
    return conf_keep(v);
}

static void set_send_as_attributes(const struct conf_value *v)
{
    conf_add_string(v, &directory_of(v)->send_as, attribute(v));
}

static void set_on_behalf_attributes(const struct conf_value *v)
{
    conf_add_string(v, &directory_of(v)->on_behalf, attribute(v));
}

static void set_deny_attributes(const struct conf_value *v)
{
    conf_add_string(v, &directory_of(v)->deny, attribute(v));
}

static void set_delegation_attributes(const struct conf_value *v)
{
    conf_add_string(v, &directory_of(v)->delegation, attribute(v));
}

static void set_tenant(const struct conf_value *v)
{
    static const char *const words[] = {"off", "domain", NULL};
    directory_of(v)->ldap.tenant = conf_word(v, words, 0) == 1;
}

static void set_admin_attributes(const struct conf_value *v)
{
    conf_add_string(v, &directory_of(v)->admin, attribute(v));
}

static void set_primary_attribute(const struct conf_value *v)
{
    directory_of(v)->ldap.primary_attribute = *v->text ? attribute(v) : "";
}

static void set_limits_attribute(const struct conf_value *v)
{
    directory_of(v)->ldap.limits_attribute = *v->text ? attribute(v) : NULL;
}

static void set_value_prefix(const struct conf_value *v)
{
    directory_of(v)->ldap.value_prefix = conf_keep(v);
}

static void set_nested_groups(const struct conf_value *v)
{
    directory_of(v)->ldap.nested_groups = (unsigned)conf_number(v, 0, DIR_LDAP_NESTED_MAX);
}

static void set_no_addresses(const struct conf_value *v)
{
    static const char *const words[] = {"reject", "tempfail", NULL};
    directory_of(v)->ldap.no_addresses_tempfail = conf_word(v, words, 0) == 1;
}

/* ---- ldap: what is remembered ---- */

static void set_ttl(const struct conf_value *v, uint64_t *out)
{
    static const struct conf_range range = {0, 86400 * CLOCK_S, "0", "1d"};
    struct errtext why;
    if (!conf_value_duration(v->text, &range, out, &why))
        conf_wrong(v, &why);
}

static void set_cache_ttl(const struct conf_value *v)
{
    set_ttl(v, &directory_of(v)->cache.ttl);
}

static void set_negative_ttl(const struct conf_value *v)
{
    set_ttl(v, &directory_of(v)->cache.negative_ttl);
}

static void set_cache_entries(const struct conf_value *v)
{
    directory_of(v)->cache.entries = (unsigned)conf_number(v, 0, 10000000);
}

/* "20/1s": so many in so long. */
static void set_recheck_rate(const struct conf_value *v)
{
    static const struct conf_range periods = {100 * CLOCK_MS, 86400 * CLOCK_S, "100ms", "1d"};
    struct span text = span_of(v->text);
    size_t slash = span_find(text, '/');
    struct conf_value count = *v;
    struct errtext why;
    if (slash == text.len) {
        conf_fault(v->load, v->at, "recheck_rate: \"%s\" is no rate; \"20/1s\" is right", v->text);
        return;
    }
    count.text = arena_copy(v->load->arena, span_sub(text, 0, slash));
    directory_of(v)->cache.recheck_count = (unsigned)conf_number(&count, 0, 1000000);
    if (!conf_value_duration(v->text + slash + 1, &periods, &directory_of(v)->cache.recheck_period,
                             &why))
        conf_wrong(v, &why);
}

/* ---- the table ---- */

#define DIRECTORY(name, list, set)                                                                 \
    {                                                                                              \
        CONF_SECTION_DIRECTORY, name, list, set                                                    \
    }

const struct conf_option conf_directory_options[] = {
    DIRECTORY("type", false, set_type),
    DIRECTORY("login_domains", true, set_login_domains),
    DIRECTORY("merge", false, set_merge),
    DIRECTORY("file", false, set_file),
    DIRECTORY("uri", true, set_uri),
    DIRECTORY("base", false, set_base),
    DIRECTORY("bind_dn", false, set_bind_dn),
    DIRECTORY("bind_password_file", false, set_bind_password_file),
    DIRECTORY("sasl_mechanism", false, set_sasl_mechanism),
    DIRECTORY("starttls", false, set_starttls),
    DIRECTORY("ca_file", false, set_ca_file),
    DIRECTORY("cert_file", false, set_cert_file),
    DIRECTORY("key_file", false, set_key_file),
    DIRECTORY("tls_verify", false, set_tls_verify),
    DIRECTORY("tls_minimum", false, set_tls_minimum),
    DIRECTORY("connect_timeout", false, set_connect_timeout),
    DIRECTORY("search_timeout", false, set_search_timeout),
    DIRECTORY("max_connections", false, set_max_connections),
    DIRECTORY("schema", false, set_schema),
    DIRECTORY("strategy", false, set_strategy),
    DIRECTORY("account_filter", false, set_account_filter),
    DIRECTORY("enabled_filter", false, set_enabled_filter),
    DIRECTORY("send_as_attributes", true, set_send_as_attributes),
    DIRECTORY("on_behalf_attributes", true, set_on_behalf_attributes),
    DIRECTORY("deny_attributes", true, set_deny_attributes),
    DIRECTORY("primary_attribute", false, set_primary_attribute),
    DIRECTORY("limits_attribute", false, set_limits_attribute),
    DIRECTORY("value_prefix", false, set_value_prefix),
    DIRECTORY("delegation_base", false, set_delegation_base),
    DIRECTORY("delegation_filter", false, set_delegation_filter),
    DIRECTORY("delegation_attributes", true, set_delegation_attributes),
    DIRECTORY("nested_groups", false, set_nested_groups),
    DIRECTORY("tenant", false, set_tenant),
    DIRECTORY("admin_attributes", true, set_admin_attributes),
    DIRECTORY("no_addresses", false, set_no_addresses),
    DIRECTORY("cache_ttl", false, set_cache_ttl),
    DIRECTORY("negative_ttl", false, set_negative_ttl),
    DIRECTORY("cache_entries", false, set_cache_entries),
    DIRECTORY("recheck_rate", false, set_recheck_rate),
    {CONF_SECTION_DIRECTORY, NULL, false, NULL},
};

/* ---- what must fit together ---- */

struct block {
    struct conf_load *load;
    cfg_t *cfg;
    struct directory *directory;
};

static struct conf_place place(const struct block *b, const char *option)
{
    return conf_place_of(b->load, b->cfg, option, 0);
}

static bool is_set(const struct block *b, const char *option)
{
    return conf_is_set(b->load, b->cfg, option);
}

/* An option of the other type would be read and do nothing. */
static void check_type(const struct block *b)
{
    static const char *const common[] = {"type", "login_domains", "merge"};
    enum { COMMON = sizeof common / sizeof common[0] };
    bool ldap = b->directory->type == TYPE_LDAP;
    for (const struct conf_option *o = conf_directory_options + COMMON; o->name; o++) {
        bool of_file = strcmp(o->name, "file") == 0;
        if (of_file == ldap && is_set(b, o->name))
            conf_fault(b->load, place(b, o->name),
                       "%s: no option of a directory of type %s; type = %s, or without it, is "
                       "right",
                       o->name, ldap ? "ldap" : "file", of_file ? "file" : "ldap");
    }
}

/* What is not there has no line; the one of type is near the head of its block. */
static void require(const struct block *b, bool there, const char *option, const char *right)
{
    if (!there)
        conf_fault(b->load, place(b, "type"), "directory \"%s\": %s is missing; %s is right",
                   cfg_title(b->cfg), option, right);
}

static bool begins(const char *uri, const char *with)
{
    return strncasecmp(uri, with, strlen(with)) == 0;
}

/* ldap://HOST, ldap://HOST:PORT or ldap://HOST/ */
static bool is_host(const char *uri, const char *with)
{
    return begins(uri, with) && strchr(":/", uri[strlen(with)]) != NULL;
}

static bool is_loopback(const char *uri)
{
    static const char numeric[] = "ldap://127.";
    if (begins(uri, numeric)) {
        const char *rest = uri + sizeof numeric - 1;
        return strchr(":/", rest[strspn(rest, "0123456789.")]) != NULL;
    }
    return is_host(uri, "ldap://localhost") || is_host(uri, "ldap://[::1]");
}

static bool any_uri(const struct directory *d, const char *scheme)
{
    for (size_t i = 0; i < d->uris.count; i++)
        if (begins(d->uris.items[i], scheme))
            return true;
    return false;
}

/* A server that is reached over a network, and without TLS from the first octet. */
static bool any_uri_in_clear(const struct directory *d)
{
    for (size_t i = 0; i < d->uris.count; i++) {
        const char *uri = d->uris.items[i];
        if (begins(uri, "ldap:") && !is_loopback(uri))
            return true;
    }
    return false;
}

static void check_security(const struct block *b)
{
    const struct directory *d = b->directory;
    const struct ldapconn_conf *link = &d->ldap.link;
    if (link->starttls && (any_uri(d, "ldaps:") || any_uri(d, "ldapi:")))
        conf_fault(b->load, place(b, "starttls"),
                   "starttls: only an ldap:// server is asked for it; ldaps:// is TLS already");
    if (!link->cert_file != !link->key_file)
        conf_fault(b->load, place(b, link->cert_file ? "cert_file" : "key_file"),
                   "cert_file and key_file: both or none is right");
    if (!link->tls_verify)
        conf_warn(b->load, place(b, "tls_verify"),
                  "tls_verify: anybody in between can pose as the server; demand is right");
    if (link->bind == LDAPCONN_SIMPLE && !link->starttls && any_uri_in_clear(d))
        conf_warn(b->load, place(b, "uri"),
                  "uri: the password of bind_dn goes over the network in clear; ldaps://, or "
                  "starttls = yes, is right");
    if (link->bind == LDAPCONN_EXTERNAL && !link->cert_file && !any_uri(d, "ldapi:"))
        conf_fault(b->load, place(b, "sasl_mechanism"),
                   "sasl_mechanism: external proves nothing without cert_file and key_file, or an "
                   "ldapi:// server");
}

/* The user that the daemon is going to be, or that a tool is. */
static uid_t daemon_uid(const struct conf_load *l)
{
    const struct passwd *user = getpwnam(l->conf->daemon.user);
    return geteuid() != 0 || !user ? geteuid() : user->pw_uid;
}

static bool in_group(const struct passwd *user, gid_t group)
{
    gid_t groups[256];
    int count = sizeof groups / sizeof groups[0];
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return false;
}

/* Where root checks for a daemon that is going to be somebody else. */
static bool daemon_can_read(const struct conf_load *l, const char *path)
{
    struct stat st;
    const struct passwd *user = getpwnam(l->conf->daemon.user);
    if (geteuid() != 0 || !user || user->pw_uid == 0 || stat(path, &st) != 0)
        return true;
    if (st.st_uid == user->pw_uid)
        return (st.st_mode & S_IRUSR) != 0;
    return (st.st_mode & S_IROTH) || ((st.st_mode & S_IRGRP) && in_group(user, st.st_gid));
}

/* These are read again for new connections, when root is long given up. */
static void check_tls_files(const struct block *b)
{
    const struct ldapconn_conf *link = &b->directory->ldap.link;
    const char *const files[][2] = {
        {"ca_file", link->ca_file}, {"cert_file", link->cert_file}, {"key_file", link->key_file}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i][1] && !daemon_can_read(b->load, files[i][1]))
            conf_fault(b->load, place(b, files[i][0]),
                       "%s: the user %s, which the daemon is going to be, cannot read %s; owner "
                       "root, its group and mode 0640 are right",
                       files[i][0], b->load->conf->daemon.user, files[i][1]);
}

/* Read now, as root, and again for every connection, as the daemon's user. */
static void read_secret(const struct block *b)
{
    struct ldapconn_conf *link = &b->directory->ldap.link;
    struct conf_place at = place(b, "bind_password_file");
    struct errtext why;
    link->secret_owner = daemon_uid(b->load);
    char *secret = secret_read(link->bind_password_file, link->secret_owner, &why);
    if (!secret) {
        conf_fault(b->load, at, "bind_password_file: %s", why.text);
        return;
    }
    link->password = arena_strdup(b->load->snapshot->arena, secret);
    secret_free(secret);
    if (!daemon_can_read(b->load, link->bind_password_file))
        conf_warn(
            b->load, at,
            "bind_password_file: the user %s, which the daemon is going to be, cannot read it, "
            "so that a reload will fail; owner root, its group and mode 0640 are right",
            b->load->conf->daemon.user);
}

static void check_bind(const struct block *b)
{
    struct ldapconn_conf *link = &b->directory->ldap.link;
    bool simple = link->bind_dn || link->bind_password_file;
    if (link->bind == LDAPCONN_EXTERNAL) {
        if (simple)
            conf_fault(b->load, place(b, "sasl_mechanism"),
                       "sasl_mechanism: external needs neither bind_dn nor bind_password_file");
        return;
    }
    if (!simple)
        return;
    link->bind = LDAPCONN_SIMPLE;
    require(b, link->bind_dn, "bind_dn", "'cn=milter,dc=example,dc=net'");
    require(b, link->bind_password_file, "bind_password_file",
            "\"/etc/sendas-milter/ldap.secret\"");
    if (link->bind_dn && link->bind_password_file)
        read_secret(b);
}

/* ---- ldap: what the filters ask ---- */

static const struct dir_filter *parsed(const struct conf_load *l, const char *text)
{
    struct dir_filter *out = NULL;
    bool ok = text && *text &&
              dir_filter_parse(l->arena, span_of(text), DIR_LDAP_GROUP_FACTS, &out, NULL);
    return ok ? out : NULL;
}

static bool asks_about(const struct conf_load *l, const struct dir_filter *filter,
                       enum principal_kind kind)
{
    struct dir_filter *out = NULL;
    return dir_ldap_narrow(l->arena, filter, kind, &out);
}

/* Whether anything is compared that tells such a one, so that what is found can be proven. */
static bool is_compared(const struct conf_load *l, const struct dir_filter *filter,
                        enum principal_kind kind)
{
    static const struct dir_facts anybody = {{"x", "x", "x", "x", "x", "x", "x"}};
    const struct dir_filter_proof *proofs;
    struct dir_filter *narrowed = NULL;
    if (!dir_ldap_narrow(l->arena, filter, kind, &narrowed))
        return true;
    size_t count = dir_filter_proofs(l->arena, narrowed, &anybody, &proofs);
    for (size_t i = 0; i < count; i++)
        if (proofs[i].facts & dir_ldap_identity(kind))
            return true;
    return false;
}

static void check_account_filter(const struct block *b, const struct dir_filter *filter)
{
    const struct conf_load *l = b->load;
    struct conf_place at = place(b, "account_filter");
    if (!asks_about(l, filter, PRINCIPAL_SASL) && !asks_about(l, filter, PRINCIPAL_CERT) &&
        !asks_about(l, filter, PRINCIPAL_NETWORK))
        conf_fault(b->load, at,
                   "account_filter: finds the same entry for every login; '(uid=%%{login})' is "
                   "right");
    if (!is_compared(l, filter, PRINCIPAL_SASL))
        conf_warn(b->load, at,
                  "account_filter: compares the login by no \"=\" alone, so that every login "
                  "passes that the server takes for it; '(uid=%%{login})' is right");
    if (!is_compared(l, filter, PRINCIPAL_CERT))
        conf_warn(b->load, at,
                  "account_filter: compares the certificate by no \"=\" alone, so that every one "
                  "passes that the server takes for it; '(certSubject=%%{cert.subject})' is right");
}

/* Groups that are found without the account would be everybody's. */
static void check_delegation_filter(const struct block *b, const struct dir_filter *account,
                                    const struct dir_filter *filter)
{
    for (int k = PRINCIPAL_SASL; k < PRINCIPAL_KINDS; k++) {
        enum principal_kind kind = (enum principal_kind)k;
        if (!asks_about(b->load, account, kind) || asks_about(b->load, filter, kind))
            continue;
        conf_fault(b->load, place(b, "delegation_filter"),
                   "delegation_filter: finds the same groups for every account; "
                   "'(member=%%{account.dn})' is right");
        return;
    }
}

/* A filter that says nothing of who asks finds the same for everybody. */
static void check_filters(const struct block *b)
{
    const struct dir_filter *account = parsed(b->load, b->directory->ldap.account_filter);
    const struct dir_filter *delegation = parsed(b->load, b->directory->ldap.delegation_filter);
    if (account)
        check_account_filter(b, account);
    if (account && delegation)
        check_delegation_filter(b, account, delegation);
}

/* ---- ldap: tenants ---- */

static bool is_in(const struct dir_ldap_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* Who names administrators' attributes counts on it that the others are bounded: where they are
 * not, that is a fault and no idle option. */
static void check_tenant(const struct block *b)
{
    static const char option[] = "admin_attributes";
    const struct dir_ldap_conf *l = &b->directory->ldap;
    if (l->admin.count > 0 && !l->tenant)
        conf_fault(b->load, place(b, option),
                   "admin_attributes: bounds no attribute without tenant; tenant = domain is "
                   "right");
    for (size_t i = 0; i < l->admin.count; i++) {
        const char *name = l->admin.items[i];
        if (!is_in(&l->send_as, name) && !is_in(&l->on_behalf, name) &&
            !is_in(&l->delegation, name))
            conf_fault(b->load, conf_place_of(b->load, b->cfg, option, i),
                       "admin_attributes: \"%s\" grants nothing; one of send_as_attributes, "
                       "on_behalf_attributes or delegation_attributes is right",
                       name);
    }
}

/* What is set and does nothing. */
static void check_idle_options(const struct block *b)
{
    static const char *const of_groups[] = {"nested_groups", "delegation_base",
                                            "delegation_attributes"};
    static const char *const of_tls[] = {"ca_file", "cert_file", "key_file", "tls_minimum"};
    const struct directory *d = b->directory;
    bool groups = d->ldap.delegation_filter && *d->ldap.delegation_filter;
    bool tls = d->ldap.link.starttls || any_uri(d, "ldaps:");
    for (size_t i = 0; i < sizeof of_groups / sizeof of_groups[0]; i++)
        if (!groups && is_set(b, of_groups[i]))
            conf_warn(b->load, place(b, of_groups[i]), "%s: does nothing without delegation_filter",
                      of_groups[i]);
    for (size_t i = 0; i < sizeof of_tls / sizeof of_tls[0]; i++)
        if (!tls && is_set(b, of_tls[i]))
            conf_warn(b->load, place(b, of_tls[i]),
                      "%s: does nothing without TLS; ldaps://, or starttls = yes, is right",
                      of_tls[i]);
}

static void check_times(const struct block *b)
{
    const struct ldapconn_conf *link = &b->directory->ldap.link;
    uint64_t budget = b->load->snapshot->command_budget;
    if (link->search_timeout >= budget)
        conf_warn(b->load, place(b, "search_timeout"),
                  "search_timeout: not below command_budget, so that a silent server leaves no "
                  "time for another one");
    if (link->connect_timeout >= budget)
        conf_warn(b->load, place(b, "connect_timeout"),
                  "connect_timeout: not below command_budget, so that a silent server leaves no "
                  "time for another one");
}

static void check_ldap(const struct block *b)
{
    const struct directory *d = b->directory;
    require(b, d->uris.count > 0, "uri", "{ \"ldaps://ldap.example.net\" }");
    require(b, d->ldap.base, "base", "'dc=example,dc=net'");
    require(b, d->ldap.account_filter && *d->ldap.account_filter, "account_filter",
            "'(uid=%{login})'");
    require(b, d->send_as.count > 0, "send_as_attributes", "{ \"mail\" }");
    if (d->ldap.delegation_filter && *d->ldap.delegation_filter)
        require(b, d->delegation.count > 0, "delegation_attributes", "{ \"mail\" }");
    check_bind(b);
    check_tls_files(b);
    check_security(b);
    check_times(b);
    check_tenant(b);
    check_idle_options(b);
}

/* ---- presets ---- */

static struct dir_ldap_names names_of(const struct policy_strings *own, const char *const *preset)
{
    size_t count = 0;
    while (preset && preset[count])
        count++;
    if (own->count > 0)
        return (struct dir_ldap_names){own->items, own->count, false};
    return (struct dir_ldap_names){preset, count, true};
}

/* What the site did not set comes from the preset. */
static void take_preset(struct directory *d)
{
    const struct ldappreset *p = d->preset;
    struct dir_ldap_conf *l = &d->ldap;
    l->account_filter = l->account_filter ? l->account_filter : p->account_filter;
    l->enabled_filter = l->enabled_filter ? l->enabled_filter : p->enabled_filter;
    l->delegation_filter = l->delegation_filter ? l->delegation_filter : p->delegation_filter;
    l->primary_attribute = l->primary_attribute ? l->primary_attribute : p->primary_attribute;
    l->value_prefix = l->value_prefix ? l->value_prefix : p->value_prefix;
    l->send_as = names_of(&d->send_as, p->send_as_attributes);
    l->on_behalf = names_of(&d->on_behalf, NULL);
    l->deny = names_of(&d->deny, NULL);
    l->delegation = names_of(&d->delegation, p->delegation_attributes);
    l->admin = names_of(&d->admin, NULL);
    d->send_as = (struct policy_strings){l->send_as.items, l->send_as.count};
    d->delegation = (struct policy_strings){l->delegation.items, l->delegation.count};
}

static struct directory directory_defaults(void)
{
    return (struct directory){
        .type_is_known = true,
        .file = "/etc/sendas-milter/senders",
        .preset = &ldappresets[0],
        .ldap =
            {
                .max_connections = 8,
                .link =
                    {
                        .tls_verify = true,
                        .connect_timeout = 2 * CLOCK_S,
                        .search_timeout = 2 * CLOCK_S,
                    },
            },
        .cache =
            {
                .ttl = 300 * CLOCK_S,
                .negative_ttl = 30 * CLOCK_S,
                .entries = 100000,
                .recheck_count = 20,
                .recheck_period = CLOCK_S,
                .clock = &clock_real,
            },
    };
}

/* ---- opening ---- */

static void take_file_fault(void *context, const char *file, unsigned line, const char *what)
{
    conf_fault(context, (struct conf_place){file, line}, "%s", what);
}

static void warn_if_writable(struct conf_load *l, const char *file)
{
    struct stat status;
    if (stat(file, &status) == 0 && (status.st_mode & S_IWOTH))
        conf_warn(l, (struct conf_place){file, 0},
                  "everybody may write to this file; mode 0640 is right");
}

static struct dir_backend *open_file(struct conf_load *l, const char *name,
                                     const struct directory *d)
{
    struct dir_file_conf conf = {
        .name = name,
        .file = d->file,
        .login_rules = &l->snapshot->login,
        .addr_rules = &l->snapshot->address,
        .login_domains = d->login_domains.items,
        .login_domain_count = d->login_domains.count,
        .merge = d->merge,
    };
    struct dir_backend *backend = dir_file_open(&conf, take_file_fault, l);
    warn_if_writable(l, d->file);
    return backend;
}

/* Kept with the configuration too, for conf_probe(). */
static void keep_ldap(struct conf_load *l, const struct directory *d)
{
    struct conf *conf = l->conf;
    struct conf_ldap *all =
        conf_grow(l->snapshot->arena, conf->ldaps, conf->ldap_count, sizeof *all);
    all[conf->ldap_count++] = (struct conf_ldap){d->ldap, d->cache};
    conf->ldaps = all;
}

static struct dir_backend *open_ldap(struct conf_load *l, const char *name, struct directory *d,
                                     struct conf_place at)
{
    struct errtext why;
    struct dir_ldap_conf *ldap = &d->ldap;
    ldap->name = arena_strdup(l->snapshot->arena, name);
    ldap->uris = d->uris.items;
    ldap->uri_count = d->uris.count;
    ldap->login_rules = &l->snapshot->login;
    ldap->addr_rules = &l->snapshot->address;
    ldap->login_domains = d->login_domains.items;
    ldap->login_domain_count = d->login_domains.count;
    ldap->merge = d->merge;
    keep_ldap(l, d);
    struct dir_backend *backend = dir_ldap_open(ldap, &why);
    if (!backend) {
        conf_fault(l, at, "directory \"%s\": %s", name, why.text);
        return NULL;
    }
    backend = dir_cache_create(backend, &d->cache);
    if (!backend)
        conf_fault(l, at, "directory \"%s\": no random numbers from the kernel", name);
    return backend;
}

static void add_backend(struct conf_load *l, struct dir_backend *backend, struct conf_place at)
{
    if (backend && !dir_add(l->snapshot->dir, backend)) {
        backend->ops->destroy(backend);
        conf_fault(l, at, "directory: more than %d; fewer are right", DIR_BACKENDS_MAX);
    }
}

static void apply_directory(struct conf_load *l, cfg_t *cfg, struct conf_place at)
{
    struct directory d = directory_defaults();
    struct block b = {l, cfg, &d};
    unsigned before = l->faults;
    conf_apply_section(l, cfg, CONF_SECTION_DIRECTORY, &d);
    if (!d.type_is_known)
        return;
    check_type(&b);
    if (d.type == TYPE_FILE) {
        add_backend(l, open_file(l, cfg_title(cfg), &d), at);
        return;
    }
    take_preset(&d);
    check_ldap(&b);
    if (l->faults == before)
        check_filters(&b);
    if (l->faults == before)
        add_backend(l, open_ldap(l, cfg_title(cfg), &d, at), at);
}

void conf_apply_directories(struct conf_load *l)
{
    unsigned count = cfg_size(l->top, "directory");
    l->snapshot->dir = dir_create(
        &(struct dir_conf){.max_waiting = l->conf->daemon.max_waiting, .clock = &clock_real});
    for (unsigned i = 0; i < count; i++)
        apply_directory(l, cfg_getnsec(l->top, "directory", i),
                        conf_place_of(l, l->top, "directory", i));
    if (count == 0) {
        struct directory d = directory_defaults();
        add_backend(l, open_file(l, "file", &d), (struct conf_place){d.file, 0});
    }
}

bool conf_has_directory(const struct conf_load *l, const char *name)
{
    for (unsigned i = 0; i < cfg_size(l->top, "directory"); i++)
        if (strcmp(cfg_title(cfg_getnsec(l->top, "directory", i)), name) == 0)
            return true;
    return cfg_size(l->top, "directory") == 0 && strcmp(name, "file") == 0;
}

/* ---- asking the servers, for -t -t ---- */

enum link_status conf_probe(const struct conf *conf, void (*line)(void *context, const char *text),
                            void *context)
{
    enum link_status worst = LINK_OK;
    for (size_t i = 0; i < conf->ldap_count; i++) {
        enum link_status status = dir_ldap_probe(&conf->ldaps[i].directory, line, context);
        worst = status > worst ? status : worst;
    }
    return worst;
}
