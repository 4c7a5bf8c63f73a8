/* conf: every option once right and once wrong, with the line that is named. */
#include "rows.h"

#include "conf.h"
#include "conf_value.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_conf.XXXXXX";

/* "@DIR@" in a text stands for the folder of the test. */
static void write_file(const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (const char *at; (at = strstr(text, "@DIR@")); text = at + 5)
        assert_true(fprintf(f, "%.*s%s", (int)(at - text), text, folder) >= 0);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

struct heard {
    struct arena *arena;
    struct strbuf text; /* "FILE:LINE: [warning: ]text\n" */
    unsigned errors;
};

static void hear(void *context, enum conf_severity severity, const char *file, unsigned line,
                 const char *text)
{
    struct heard *h = context;
    const char *name = strrchr(file, '/');
    h->errors += severity == CONF_ERROR;
    strbuf_printf(&h->text, "%s:%u: %s%s\n", name ? name + 1 : file, line,
                  severity == CONF_WARNING ? "warning: " : "", text);
}

static struct conf *load(const char *text, struct heard *h)
{
    char path[200];
    write_file("conf", text);
    (void)snprintf(path, sizeof path, "%s/conf", folder);
    h->arena = arena_create();
    h->errors = 0;
    strbuf_init(&h->text, h->arena);
    return conf_load(path, hear, h);
}

#define SENDERS "directory \"file\" { file = \"@DIR@/senders\" }\n"

/* ---- good values ---- */

struct good {
    const char *name, *text;
    bool (*holds)(const struct conf *conf);
};

static bool has_text(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

#define HOLDS(name, condition)                                                                     \
    static bool name(const struct conf *c)                                                         \
    {                                                                                              \
        const struct snapshot *s = c->snapshot;                                                    \
        const struct conf_daemon *d = &c->daemon;                                                  \
        const struct policy *p = s->policies;                                                      \
        (void)d, (void)p;                                                                          \
        return condition;                                                                          \
    }

HOLDS(defaults_hold,
      has_text(d->socket, "unix:/run/sendas-milter/milter.sock") && d->socket_mode == 0660 &&
          !d->socket_group && has_text(d->user, "sendas-milter") && d->user_is_default &&
          has_text(d->log, "syslog") && !d->log_json && !d->refuse_at_mail &&
          d->max_waiting == 32 && s->command_budget == 3 * CLOCK_S && s->max_headers == 1000 &&
          s->max_header_size == 65536 && s->login.fold_case && s->address.fold_local_part &&
          !s->address.strip_routes && !s->address.delimiters && s->mta == LOGIN_MTA_AUTO &&
          s->policy_count == POLICY_BUILTINS && !p[0].observe && p[1].observe && !p[2].observe)
HOLDS(socket_path, has_text(d->socket, "unix:/a/b.sock"))
HOLDS(socket_inet, has_text(d->socket, "inet:8890@127.0.0.1"))
HOLDS(socket_mode, d->socket_mode == 0600)
HOLDS(socket_group, has_text(d->socket_group, "postfix"))
HOLDS(user, has_text(d->user, "nobody") && !d->user_is_default)
HOLDS(mode_observe, p[0].observe &&p[1].observe &&p[2].observe &&p[3].observe)
HOLDS(mode_enforce, !p[0].observe)
HOLDS(mta, s->mta == LOGIN_MTA_SENDMAIL)
HOLDS(mta_postfix, s->mta == LOGIN_MTA_POSTFIX)
HOLDS(refuse_at, d->refuse_at_mail)
HOLDS(budget_ms, s->command_budget == 250 * CLOCK_MS)
HOLDS(budget_bare, s->command_budget == 2 * CLOCK_S)
HOLDS(max_waiting, d->max_waiting == 5)
HOLDS(log_file, has_text(d->log, "/var/log/x"))
HOLDS(log_journal, has_text(d->log, "journal"))
HOLDS(log_json, d->log_json)
HOLDS(help_url, has_text(s->replies.help_url, "https://x/#%{reason}"))
HOLDS(local_domains, domset_has(s->local_domains, "a.example") &&
                         domset_has(s->local_domains, "xn--bcher-kva.example") &&
                         domset_has(s->local_domains, "deep.below.example") &&
                         domset_has(s->local_domains, "from.file") &&
                         !domset_has(s->local_domains, "a.comment") &&
                         domset_count(s->local_domains) >= 5)
HOLDS(trusted, netset_has(&s->trusted_networks, "192.0.2.77") &&
                   netset_has(&s->trusted_networks, "::1") &&
                   !netset_has(&s->trusted_networks, "192.0.3.1"))
HOLDS(max_headers, s->max_headers == 7)
HOLDS(max_header_size, s->max_header_size == 2048)
HOLDS(fold_case, !s->login.fold_case)
HOLDS(default_domain, has_text(s->login.default_domain, "xn--bcher-kva.example"))
HOLDS(rewrite, s->login.rewrite_count == 2 && has_text(s->login.rewrites[0].from, "@mail.a") &&
                   has_text(s->login.rewrites[0].to, "@a") &&
                   has_text(s->login.rewrites[1].from, "@b") &&
                   has_text(s->login.rewrites[1].to, ""))
HOLDS(separator, s->login.master_separator == '*')
HOLDS(delimiter, has_text(s->address.delimiters, "+-"))
HOLDS(aliases, s->address.alias_count == 1 && has_text(s->address.aliases[0].alias, "a.example") &&
                   has_text(s->address.aliases[0].domain, "b.example"))
HOLDS(fold_local, !s->address.fold_local_part)
HOLDS(routes, s->address.strip_routes)
HOLDS(directory, dir_count(s->dir) == 2 && has_text(dir_backend_at(s->dir, 0)->name, "one") &&
                     dir_backend_at(s->dir, 0)->login_domain_count == 2 &&
                     has_text(dir_backend_at(s->dir, 0)->login_domains[0], "a.example") &&
                     has_text(dir_backend_at(s->dir, 0)->login_domains[1], "*") &&
                     dir_backend_at(s->dir, 1)->merge && !dir_backend_at(s->dir, 0)->merge)
HOLDS(selectors,
      has_text(p->name, "x") && p->listeners.count == 4 &&
          has_text(p->listeners.items[1], ":587") &&
          netset_has(&p->client_networks, "2001:db8::9") && p->logins.count == 2 &&
          has_text(p->logins.items[0], "ann") && has_text(p->logins.items[1], "@a.example") &&
          p->principals.count == 4 && has_text(p->principals.items[0], "sasl") &&
          has_text(p->principals.items[1], "cert") && has_text(p->principals.items[2], "network") &&
          has_text(p->principals.items[3], "none"))
HOLDS(policy_settings, p->observe && p->from_must_equal_envelope && p->resent_covers_from &&
                           p->require_authentication && p->max_recipients == 50 &&
                           has_text(p->exempt_logins.items[0], "news@a.example") &&
                           has_text(p->directories.items[0], "file"))
HOLDS(checks, p->actions[CHECK_ENVELOPE] == ACTION_IGNORE &&
                  p->actions[CHECK_HEADER_FROM] == ACTION_OBSERVE &&
                  p->actions[CHECK_MULTIPLE_FROM] == ACTION_TEMPFAIL &&
                  p->actions[CHECK_MISSING_FROM] == ACTION_ACCEPT &&
                  p->actions[CHECK_HEADER_SENDER] == ACTION_IGNORE &&
                  p->actions[CHECK_RESENT] == ACTION_TEMPFAIL &&
                  p->actions[CHECK_DISPLAY_NAME] == ACTION_REJECT &&
                  p->actions[CHECK_NULL_SENDER] == ACTION_ALLOW &&
                  p->actions[CHECK_UNKNOWN_LOGIN] == ACTION_OBSERVE &&
                  p->actions[CHECK_FOREIGN_DOMAINS] == ACTION_ALLOW &&
                  p->actions[CHECK_RELAY] == ACTION_TEMPFAIL &&
                  p->actions[CHECK_LOCAL_SENDER] == ACTION_REJECT &&
                  p->actions[CHECK_DIRECTORY_UNAVAILABLE] == ACTION_ACCEPT)
HOLDS(actions, p->actions[CHECK_ENVELOPE] == ACTION_REWRITE &&
                   p->actions[CHECK_HEADER_FROM] == ACTION_TAG &&
                   p->actions[CHECK_MULTIPLE_FROM] == ACTION_QUARANTINE &&
                   p->actions[CHECK_MISSING_FROM] == ACTION_REWRITE &&
                   p->actions[CHECK_HEADER_SENDER] == ACTION_REMOVE &&
                   p->actions[CHECK_RESENT] == ACTION_REMOVE &&
                   p->actions[CHECK_DISPLAY_NAME] == ACTION_REWRITE &&
                   p->actions[CHECK_LOCAL_SENDER] == ACTION_QUARANTINE &&
                   p->actions[CHECK_LOCAL_FROM] == ACTION_TAG &&
                   p->actions[CHECK_KNOWN_RECIPIENT] == ACTION_REJECT)
HOLDS(actions_preset, p->actions[CHECK_LOCAL_FROM] == ACTION_IGNORE &&
                          p->actions[CHECK_KNOWN_RECIPIENT] == ACTION_IGNORE &&
                          !p->unowned_domains && !p->trace_header && !p->auth_results &&
                          !p->local_sender_allow.count && !p->local_sender_networks.count &&
                          !p->exempt_recipients.count && !s->authserv_id && !s->unwrap_batv &&
                          !s->unwrap_srs)
HOLDS(authserv_id, has_text(s->authserv_id, "mail.example.net"))
HOLDS(unwrap, s->unwrap_batv && s->unwrap_srs)
HOLDS(unwrap_srs, !s->unwrap_batv && s->unwrap_srs)
HOLDS(marks, p->unowned_domains &&has_text(p->trace_header, "X-Sent-By") && p->auth_results)
HOLDS(allowed, p->local_sender_allow.count == 2 &&
                   has_text(p->local_sender_allow.items[0].key, "news@a.example") &&
                   p->local_sender_allow.items[1].form == GRANT_SUBDOMAINS &&
                   netset_has(&p->local_sender_networks, "192.0.2.9") &&
                   p->exempt_recipients.count == 1 &&
                   p->exempt_recipients.items[0].form == GRANT_DOMAIN)
HOLDS(multiple_from, p->actions[CHECK_MULTIPLE_FROM] == ACTION_ALLOW &&
                         p->actions[CHECK_HEADER_SENDER] == ACTION_REJECT &&
                         p->actions[CHECK_RESENT] == ACTION_REJECT &&
                         p->actions[CHECK_DISPLAY_NAME] == ACTION_OBSERVE &&
                         !p->from_must_equal_envelope && !p->resent_covers_from)
HOLDS(reply_lines, has_text(s->replies.texts[REASON_FROM_NOT_GRANTED], "a\nb\nc"))
HOLDS(reply, has_text(s->replies.texts[REASON_FROM_NOT_GRANTED], "%{address} no"))
HOLDS(order, has_text(p[0].name, "b") && has_text(p[1].name, "a") &&
                 has_text(p[2].name, "submission") && p[2].builtin)
HOLDS(included, has_text(d->user, "nobody"))
HOLDS(single_quotes, has_text(s->replies.texts[REASON_NULL_SENDER], "a\\d ${HOME}"))

/* ---- good values: networks and certificates ---- */

static bool is_network(const struct network *n, const char *name, bool is_block, bool relay,
                       size_t grants)
{
    return has_text(n->name, name) && n->is_block == is_block && n->relay == relay &&
           n->send_as.count == grants;
}

static bool is_grant(const struct grant *g, enum grant_form form, const char *key,
                     const char *entry)
{
    return g->form == form && g->right == GRANT_SEND_AS && has_text(g->key, key) &&
           has_text(g->directory, "network") && has_text(g->entry, entry) &&
           has_text(g->attribute, "send_as");
}

HOLDS(network,
      s->networks.count == 2 && is_network(&s->networks.items[0], "10.1.2.0/28", true, true, 3) &&
          is_network(&s->networks.items[1], "2001:db8::/32", true, false, 0) &&
          is_grant(&s->networks.items[0].send_as.items[0], GRANT_EXACT, "a@a.example",
                   "network 10.1.2.0/28") &&
          is_grant(&s->networks.items[0].send_as.items[1], GRANT_DOMAIN, "b.example",
                   "network 10.1.2.0/28") &&
          is_grant(&s->networks.items[0].send_as.items[2], GRANT_PATTERN, "list+*@a.example",
                   "network 10.1.2.0/28") &&
          network_find(&s->networks, "10.1.2.15") == &s->networks.items[0] &&
          !network_find(&s->networks, "10.1.2.16") && dir_count(s->dir) == 2 &&
          has_text(dir_backend_at(s->dir, 1)->name, "network") && dir_backend_at(s->dir, 1)->always)
HOLDS(network_address,
      is_network(&s->networks.items[0], "10.1.2.3", true, false, 1) &&
          is_grant(&s->networks.items[0].send_as.items[0], GRANT_ANY, "", "network 10.1.2.3"))
HOLDS(network_mapped, is_network(&s->networks.items[0], "10.0.0.0/8", true, false, 0) &&
                          network_find(&s->networks, "10.1.2.3"))
HOLDS(network_rules, has_text(s->networks.items[0].send_as.items[0].key, "Ann@a.example"))
HOLDS(network_file, s->networks.items[0].send_as.count == 2 &&
                        has_text(s->networks.items[0].send_as.items[1].key, "b@a.example"))
HOLDS(net_owners, s->networks.count == 2 && dir_count(s->dir) == 1 &&
                      is_network(&s->networks.items[0], "10.1.0.0/16", false, false, 0) &&
                      is_network(&s->networks.items[1], "10.0.0.0/8", false, false, 0))
HOLDS(blocks_and_owners, s->networks.count == 5 && dir_count(s->dir) == 3 &&
                             is_network(&s->networks.items[0], "10.0.0.0/8", true, false, 0) &&
                             is_network(&s->networks.items[1], "10.1.0.0/16", false, false, 0) &&
                             is_network(&s->networks.items[4], "10.0.0.0/8", false, false, 0) &&
                             network_find(&s->networks, "10.1.2.3") == &s->networks.items[0])
HOLDS(no_networks, s->networks.count == 0 && dir_count(s->dir) == 1 && s->cert_issuers.count == 0)
HOLDS(cert_issuers, s->cert_issuers.count == 4 && has_text(s->cert_issuers.items[0], "My CA") &&
                        has_text(s->cert_issuers.items[1], "/O=x, y/CN=CA|2") &&
                        has_text(s->cert_issuers.items[2], "from.file") &&
                        has_text(s->cert_issuers.items[3], "other.file"))

static bool many_issuers(const struct conf *c)
{
    const struct policy_strings *issuers = &c->snapshot->cert_issuers;
    char want[32];
    for (size_t i = 0; i < issuers->count; i++) {
        (void)snprintf(want, sizeof want, "issuer %zu", i);
        if (!has_text(issuers->items[i], want))
            return false;
    }
    return issuers->count == 1000;
}

/* ---- good values: directories of type ldap ---- */

#define LDAP_HOLDS(name, condition)                                                                \
    static bool name(const struct conf *c)                                                         \
    {                                                                                              \
        const struct dir_ldap_conf *l = &c->ldaps[0].directory;                                    \
        const struct ldapconn_conf *k = &l->link;                                                  \
        const struct dir_cache_conf *m = &c->ldaps[0].cache;                                       \
        (void)l, (void)k, (void)m;                                                                 \
        return c->ldap_count == 1 && (condition);                                                  \
    }

static bool has_names(const struct dir_ldap_names *names, const char *first, const char *second)
{
    return names->count == 2 && !names->preset && has_text(names->items[0], first) &&
           has_text(names->items[1], second);
}

LDAP_HOLDS(ldap_defaults,
           has_text(l->name, "d") && l->uri_count == 1 && has_text(l->base, "dc=x") &&
               !l->delegation_base && l->max_connections == 8 && k->bind == LDAPCONN_ANONYMOUS &&
               k->tls_verify && k->tls_minimum == LDAPCONN_TLS12 && !k->starttls &&
               k->connect_timeout == 2 * CLOCK_S && k->search_timeout == 2 * CLOCK_S &&
               strstr(l->account_filter, "inetOrgPerson") && !l->enabled_filter &&
               l->send_as.preset && l->send_as.count == 2 &&
               has_text(l->send_as.items[0], "mail") && l->deny.count == 0 &&
               l->on_behalf.count == 0 && !l->tenant && l->admin.count == 0 &&
               strstr(l->delegation_filter, "groupOfNames") &&
               has_text(l->delegation.items[0], "mail") && has_text(l->primary_attribute, "mail") &&
               !l->limits_attribute && !l->value_prefix && l->nested_groups == 0 &&
               !l->no_addresses_tempfail && m->ttl == 300 * CLOCK_S &&
               m->negative_ttl == 30 * CLOCK_S && m->entries == 100000 && m->recheck_count == 20 &&
               m->recheck_period == CLOCK_S)
LDAP_HOLDS(ldap_uris, l->uri_count == 3 && has_text(l->uris[1], "ldaps://b:636") &&
                          has_text(l->uris[2], "ldapi://%2Frun%2Fx"))
LDAP_HOLDS(ldap_bind, k->bind == LDAPCONN_SIMPLE && has_text(k->bind_dn, "cn=m,dc=x") &&
                          strstr(k->bind_password_file, "/secret") &&
                          has_text(k->password, "pass word"))
LDAP_HOLDS(ldap_external, k->bind == LDAPCONN_EXTERNAL)
LDAP_HOLDS(ldap_tls, k->starttls &&strstr(k->ca_file, "/senders") &&
                         strstr(k->cert_file, "/senders") && strstr(k->key_file, "/senders") &&
                         !k->tls_verify && k->tls_minimum == LDAPCONN_TLS13)
LDAP_HOLDS(ldap_times, k->connect_timeout == 500 * CLOCK_MS && k->search_timeout == CLOCK_S &&
                           l->max_connections == 3)
LDAP_HOLDS(ldap_filters, has_text(l->account_filter, "(uid=%{login.local})") &&
                             has_text(l->enabled_filter, "(!(x=%{login.domain}))") &&
                             has_text(l->delegation_filter, "(m=%{account.dn})") &&
                             has_text(l->delegation_base, "ou=g,dc=x"))
LDAP_HOLDS(ldap_no_groups, has_text(l->delegation_filter, ""))
LDAP_HOLDS(ldap_attributes,
           has_names(&l->send_as, "a", "b") && has_names(&l->deny, "c", "d") &&
               has_names(&l->delegation, "e", "f-g") && has_text(l->primary_attribute, "p") &&
               has_text(l->limits_attribute, "q") && has_text(l->value_prefix, "smtp:"))
LDAP_HOLDS(ldap_on_behalf, has_names(&l->on_behalf, "a", "b"))
LDAP_HOLDS(ldap_tenant, l->tenant &&has_names(&l->admin, "b", "MAIL"))
LDAP_HOLDS(ldap_tenant_alone, l->tenant && l->admin.count == 0)
LDAP_HOLDS(ldap_tenant_off, !l->tenant)

/* What the block's backend says of itself. Logins it is asked about in any case. */
static const struct dir_backend *backend(const struct conf *c)
{
    return dir_backend_at(c->snapshot->dir, 0);
}

enum {
    A_CERT = PRINCIPAL_BIT(PRINCIPAL_CERT),
    A_HOST = PRINCIPAL_BIT(PRINCIPAL_NETWORK),
};

static bool serves(const struct conf *c, unsigned principals, bool uses_client, bool uses_cert)
{
    const struct dir_backend *b = backend(c);
    return b->knows_owners && !b->always && b->principals == principals &&
           b->uses_client == uses_client && b->uses_cert == uses_cert;
}

LDAP_HOLDS(ldap_serves_logins, serves(c, 0, false, false))
LDAP_HOLDS(ldap_serves_certs, serves(c, A_CERT, false, false))
LDAP_HOLDS(ldap_serves_hosts, serves(c, A_HOST, false, false))
LDAP_HOLDS(ldap_serves_all, serves(c, A_CERT | A_HOST, false, false))
LDAP_HOLDS(ldap_uses_client, serves(c, 0, true, false))
LDAP_HOLDS(ldap_uses_cert, serves(c, 0, false, true))
LDAP_HOLDS(ldap_cert_uses_client, serves(c, A_CERT, true, false))

LDAP_HOLDS(ldap_numbers, l->nested_groups == 10 && l->no_addresses_tempfail && l->merge &&
                             l->login_domain_count == 1)
LDAP_HOLDS(ldap_cache, m->ttl == 60 * CLOCK_S && m->negative_ttl == 0 && m->entries == 7 &&
                           m->recheck_count == 5 && m->recheck_period == 10 * CLOCK_S)
LDAP_HOLDS(ldap_unquoted, l->uri_count == 1 && has_text(l->uris[0], "ldap://b.example"))
LDAP_HOLDS(ldap_ad, strstr(l->account_filter, "sAMAccountName") &&
                        strstr(l->enabled_filter, "userAccountControl") &&
                        has_text(l->send_as.items[1], "proxyAddresses") &&
                        has_text(l->value_prefix, "smtp:") &&
                        strstr(l->delegation_filter, "objectClass=group)"))
LDAP_HOLDS(ldap_none, has_text(l->account_filter, "(a=%{login})") && !l->delegation_filter &&
                          !l->primary_attribute)

#define LDAP_BLOCK(more)                                                                           \
    "directory \"d\" { type = ldap uri = { \"ldap://127.0.0.1\" }\nbase = 'dc=x'\n" more " }\n"
#define LDAP_BASE(more) "directory \"d\" { type = ldap\nbase = 'dc=x'\n" more " }\n"

static const struct good goods[] = {
    {"defaults", SENDERS, defaults_hold},
    {"socket, a path", "socket = \"/a/b.sock\"\n" SENDERS, socket_path},
    {"socket, inet", "socket = \"inet:8890@127.0.0.1\"\n" SENDERS, socket_inet},
    {"socket_mode", "socket_mode = 0600\n" SENDERS, socket_mode},
    {"socket_group", "socket_group = postfix\n" SENDERS, socket_group},
    {"user", "user = nobody\n" SENDERS, user},
    {"mode observe", "mode = observe policy \"x\" {}\n" SENDERS, mode_observe},
    {"mode enforce", "mode = enforce\n" SENDERS, mode_enforce},
    {"mta sendmail", "mta = sendmail\n" SENDERS, mta},
    {"mta postfix", "mta = postfix\n" SENDERS, mta_postfix},
    {"refuse_at", "refuse_at = mail\n" SENDERS, refuse_at},
    {"command_budget with a unit", "command_budget = 250ms\n" SENDERS, budget_ms},
    {"command_budget, bare number", "command_budget = 2\n" SENDERS, budget_bare},
    {"max_waiting", "max_waiting = 5\n" SENDERS, max_waiting},
    {"log, a file", "log = /var/log/x\n" SENDERS, log_file},
    {"log, the journal", "log = journal\n" SENDERS, log_journal},
    {"log_format", "log_format = json\n" SENDERS, log_json},
    {"help_url", "help_url = \"https://x/#%{reason}\"\n" SENDERS, help_url},
    {"local_domains, also from a file",
     "local_domains = { \"A.example.\", \"b\xc3\xbc"
     "cher.example\", \".below.example\" }\n"
     "local_domains += { \"@file:@DIR@/domains\" }\n" SENDERS,
     local_domains},
    {"trusted_networks", "trusted_networks = { \"192.0.2.0/24\", \"::1\" }\n" SENDERS, trusted},
    {"max_headers", "max_headers = 7\n" SENDERS, max_headers},
    {"max_header_size", "max_header_size = 2k\n" SENDERS, max_header_size},
    {"login fold_case", "login { fold_case = no }\n" SENDERS, fold_case},
    {"login default_domain",
     "login { default_domain = \"B\xc3\xbc"
     "cher.example.\" }\n" SENDERS,
     default_domain},
    {"login rewrite", "login { rewrite = { \"@Mail.A=@a\", \"@b=\" } }\n" SENDERS, rewrite},
    {"login master_separator", "login { master_separator = \"*\" }\n" SENDERS, separator},
    {"address delimiter", "address { delimiter = \"+-\" }\n" SENDERS, delimiter},
    {"address alias_domains", "address { alias_domains = { \"a.example=b.example\" } }\n" SENDERS,
     aliases},
    {"address fold_local_part", "address { fold_local_part = no }\n" SENDERS, fold_local},
    {"address source_routes", "address { source_routes = strip }\n" SENDERS, routes},
    {"directory: type, file, login_domains, merge",
     "directory \"one\" { type = file file = \"@DIR@/senders\" "
     "login_domains = { \"A.example\", \"*\" } }\n"
     "directory \"two\" { file = \"@DIR@/senders\" merge = yes }\n",
     directory},
    {"policy selectors",
     "policy \"x\" { listeners = { \"MSA\", \":587\", \"non-smtp\", \"*\" } "
     "client_networks = { \"2001:db8::/32\" } logins = { \"ANN\", \"@A.example\" } "
     "principals = { \"sasl\", \"cert\", \"network\", \"none\" } }\n" SENDERS,
     selectors},
    {"policy settings",
     "policy \"x\" { mode = observe require_authentication = yes max_recipients = 50 "
     "from_must_equal_envelope = yes resent_covers_from = yes "
     "exempt_logins = { \"news@A.example\" } directories = { \"file\" } }\n" SENDERS,
     policy_settings},
    {"policy checks",
     "local_domains = { \"a.example\" } policy \"x\" { envelope = ignore header_from = observe "
     "multiple_from = tempfail missing_from = accept null_sender = allow "
     "header_sender = ignore resent = tempfail display_name = reject "
     "unknown_login = observe foreign_domains = allow relay = tempfail local_sender = reject "
     "directory_unavailable = accept }\n" SENDERS,
     checks},
    {"multiple_from", "policy \"x\" { multiple_from = allow }\n" SENDERS, multiple_from},
    {"policy checks: actions that change the message",
     "policy \"x\" { envelope = rewrite header_from = tag multiple_from = quarantine "
     "missing_from = rewrite header_sender = remove resent = remove display_name = rewrite "
     "local_sender = quarantine local_from = tag known_recipient = reject }\n" SENDERS,
     actions},
    {"policy: what is off without being set", "policy \"x\" { }\n" SENDERS, actions_preset},
    {"authserv_id", "authserv_id = \"mail.example.net\"\n" SENDERS, authserv_id},
    {"address unwrap", "address { unwrap = { \"batv\", \"srs\" } }\n" SENDERS, unwrap},
    {"address unwrap, one", "address { unwrap = { \"srs\" } }\n" SENDERS, unwrap_srs},
    {"policy domain_grants, trace_header, auth_results",
     "policy \"x\" { domain_grants = unowned trace_header = \"X-Sent-By\" auth_results = yes "
     "}\n" SENDERS,
     marks},
    {"policy local_sender_allow, exempt_recipients",
     "policy \"x\" { local_sender_allow = { \"News@A.example\", \"192.0.2.0/24\", \"@.b.example\" "
     "} "
     "exempt_recipients = { \"@lists.example\" } }\n" SENDERS,
     allowed},
    {"reply", "reply \"from-not-granted\" { text = \"%{address} no\" }\n" SENDERS, reply},
    {"reply of several lines, written as \\n",
     "mode = enforce\nreply \"from-not-granted\" { text = \"a\\nb\\nc\" }\n" SENDERS, reply_lines},
    {"reply of several lines, written as they are",
     "reply \"from-not-granted\" {\ntext = 'a\nb\nc'\n}\n" SENDERS, reply_lines},
    {"policies keep their order", "policy \"b\" { logins = { \"b\" } } policy \"a\" {}\n" SENDERS,
     order},
    {"include, relative to the file", "include(\"user.conf\")\n" SENDERS, included},
    {"single quotes take all", "reply \"null-sender\" { text = 'a\\d ${HOME}' }\n" SENDERS,
     single_quotes},
    {"ldap: defaults", LDAP_BLOCK(""), ldap_defaults},
    {"ldap: uri, several",
     LDAP_BASE("uri = { \"ldap://a:3\", \"ldaps://b:636\", \"ldapi://%2Frun%2Fx\" }"), ldap_uris},
    {"ldap: bind_dn and bind_password_file",
     LDAP_BLOCK("bind_dn = 'cn=m,dc=x' bind_password_file = \"@DIR@/secret\""), ldap_bind},
    {"ldap: sasl_mechanism",
     LDAP_BASE("uri = { \"ldapi://%2Frun%2Fx\" } sasl_mechanism = EXTERNAL"), ldap_external},
    {"ldap: starttls, files, tls_verify, tls_minimum",
     LDAP_BLOCK("starttls = yes ca_file = \"@DIR@/senders\" cert_file = \"@DIR@/senders\" "
                "key_file = \"@DIR@/senders\" tls_verify = never tls_minimum = 1.3"),
     ldap_tls},
    {"ldap: connect_timeout, search_timeout, max_connections",
     LDAP_BLOCK("connect_timeout = 500ms search_timeout = 1 max_connections = 3"), ldap_times},
    {"ldap: filters and delegation_base",
     LDAP_BLOCK("account_filter = '(uid=%{login.local})' enabled_filter = '(!(x=%{login.domain}))' "
                "delegation_filter = '(m=%{account.dn})' delegation_base = 'ou=g,dc=x'"),
     ldap_filters},
    {"ldap: no groups", LDAP_BLOCK("delegation_filter = ''"), ldap_no_groups},
    {"ldap: attributes, value_prefix",
     LDAP_BLOCK("send_as_attributes = { \"a\", \"b\" } deny_attributes = { \"c\", \"d\" } "
                "delegation_attributes = { \"e\", \"f-g\" } primary_attribute = p "
                "limits_attribute = q value_prefix = \"smtp:\""),
     ldap_attributes},
    {"ldap: on_behalf_attributes", LDAP_BLOCK("on_behalf_attributes = { \"a\", \"b\" }"),
     ldap_on_behalf},
    {"ldap: tenant and admin_attributes",
     LDAP_BLOCK("tenant = domain admin_attributes = { \"b\", \"MAIL\" } "
                "on_behalf_attributes = { \"B\" }"),
     ldap_tenant},
    {"ldap: tenant alone", LDAP_BLOCK("tenant = domain"), ldap_tenant_alone},
    {"ldap: tenant off", LDAP_BLOCK("tenant = off"), ldap_tenant_off},
    {"ldap: presets ask about logins", LDAP_BLOCK(""), ldap_serves_logins},
    {"ldap: preset ad asks about logins", LDAP_BLOCK("schema = ad"), ldap_serves_logins},
    {"ldap: account_filter for certificates",
     LDAP_BLOCK("account_filter = '(&(s=%{cert.subject})(i=%{cert.issuer}))'"), ldap_serves_certs},
    {"ldap: account_filter for hosts", LDAP_BLOCK("account_filter = '(ip=%{client.addr})'"),
     ldap_serves_hosts},
    {"ldap: account_filter for all of them",
     LDAP_BLOCK("account_filter = '(|(uid=%{login})(s=%{cert.subject})(ip=%{client.addr}))'"),
     ldap_serves_all},
    {"ldap: account_filter for a login from an address",
     LDAP_BLOCK("account_filter = '(&(uid=%{login})(ip=%{client.addr}))'"), ldap_uses_client},
    {"ldap: account_filter for a login with a certificate",
     LDAP_BLOCK("account_filter = '(&(uid=%{login})(s=%{cert.subject}))'"), ldap_uses_cert},
    {"ldap: account_filter for a certificate from an address",
     LDAP_BLOCK("account_filter = '(&(s=%{cert.subject})(ip=%{client.addr}))'"),
     ldap_cert_uses_client},
    {"ldap: enabled_filter with an address",
     LDAP_BLOCK("enabled_filter = '(|(ip=%{client.addr})(!(ip=*)))'"), ldap_uses_client},
    {"ldap: enabled_filter with a certificate",
     LDAP_BLOCK("enabled_filter = '(s=%{cert.subject})'"), ldap_uses_cert},
    {"ldap: delegation_filter with an address",
     LDAP_BLOCK("delegation_filter = '(&(m=%{account.dn})(ip=%{client.addr}))'"), ldap_uses_client},
    {"ldap: delegation_filter with an address alone adds nothing to a login's groups",
     LDAP_BLOCK("delegation_filter = '(|(m=%{account.dn})(ip=%{client.addr}))'"),
     ldap_serves_logins},
    {"ldap: nested_groups, no_addresses, merge, login_domains, strategy",
     LDAP_BLOCK("nested_groups = 10 no_addresses = tempfail merge = yes strategy = account "
                "login_domains = { \"a.example\" }"),
     ldap_numbers},
    {"ldap: cache_ttl, negative_ttl, cache_entries, recheck_rate",
     LDAP_BLOCK("cache_ttl = 1m negative_ttl = 0 cache_entries = 7 recheck_rate = \"5/10s\""),
     ldap_cache},
    {"ldap: schema ad", LDAP_BLOCK("schema = ad"), ldap_ad},
    {"ldap: schema none",
     LDAP_BLOCK("schema = none account_filter = '(a=%{login})' send_as_attributes = { \"b\" }"),
     ldap_none},
    {"network: send_as, relay",
     "network \"10.1.2.0/28\" { send_as = { \"A@A.example.\", \"@B.example\", \"list+*@a.example\" "
     "} "
     "relay = yes }\nnetwork \"2001:DB8::/32\" {}\n" SENDERS,
     network},
    {"network, a single address",
     "network \"10.1.2.3\" { send_as = { \"*\" } relay = no }\n" SENDERS, network_address},
    {"network, mapped", "network \"::ffff:10.0.0.0/104\" {}\n" SENDERS, network_mapped},
    {"network, rules of addresses",
     "network \"::1\" { send_as = { \"Ann@A.example\" } }\naddress { fold_local_part = no "
     "}\n" SENDERS,
     network_rules},
    {"network, send_as from a file",
     "network \"::1\" { send_as = { \"@file:@DIR@/addresses\" } }\n" SENDERS, network_file},
    {"network: owners of a senders file", "directory \"file\" { file = \"@DIR@/net_senders\" }\n",
     net_owners},
    {"network: blocks and owners of two files",
     "directory \"a\" { file = \"@DIR@/net_senders\" }\n"
     "directory \"b\" { file = \"@DIR@/net_senders\" }\nnetwork \"10.0.0.0/8\" {}\n",
     blocks_and_owners},
    {"network: none", SENDERS, no_networks},
    {"cert_issuers, also from a file",
     "cert_issuers = { \"My CA\", \"/O=x, y/CN=CA|2\", \"@file:@DIR@/domains\" }\n" SENDERS,
     cert_issuers},
    {"cert_issuers, a thousand", "cert_issuers = { \"@file:@DIR@/issuers\" }\n" SENDERS,
     many_issuers},
    {"comments", "# \"a\\d\n// ${X}\n/* { \" \n */ user = nobody # {\n" SENDERS, user},
    {"comments in a list",
     "trusted_networks = { \"192.0.2.0/24\", # one\n /* two */ \"::1\" // three\n }\n" SENDERS,
     trusted},
    {"two slashes in a word", LDAP_BASE("uri = { ldap://b.example }"), ldap_unquoted},
};

static void is_taken(void **state)
{
    const struct good *row = *state;
    struct heard h;
    struct conf *conf = load(row->text, &h);
    if (!conf)
        print_message("# %s", h.text.text);
    assert_non_null(conf);
    assert_true(row->holds(conf));
    conf_free(conf);
    arena_destroy(h.arena);
}

/* ---- faults ---- */

struct bad {
    const char *name, *text;
    const char *want; /* beginning of one line of what was said */
    unsigned errors;
};

#define ONE_OF_MANY(name) "directory \"" name "\" { file = \"@DIR@/senders\" } "
#define FOUR_OF_MANY(name)                                                                         \
    ONE_OF_MANY(name "1") ONE_OF_MANY(name "2") ONE_OF_MANY(name "3") ONE_OF_MANY(name "4")
#define SIXTEEN FOUR_OF_MANY("a") FOUR_OF_MANY("b") FOUR_OF_MANY("c") FOUR_OF_MANY("d")

static const struct bad bads[] = {
    {"unknown option, near one", "\nlocal_domain = { \"a\" }\n",
     "conf:2: local_domain: there is no such option; did you mean local_domains?", 1},
    {"unknown option, near none", "policy \"a\" {\n zork = 1 }\n",
     "conf:2: zork: there is no such option; these are right here: listeners ", 1},
    {"unknown option of a later version", "directory \"d\" { mirror = yes }\n",
     "conf:1: mirror: there is no such option", 1},
    {"missing equal sign", "mode enforce\n", "conf:1: missing equal sign", 1},
    {"escape in double quotes", "\n\nhelp_url = \"a\\d\"\n", "conf:3: a backslash in double", 1},
    {"environment in double quotes", "user = \"${USER}\"\n", "conf:1: ${...} in double quotes", 1},
    {"quotes without end", "\nuser = \"nobody\n\n", "conf:2: these quotes have no end", 1},
    {"comment without end", "user = nobody /* \n\n", "conf:1: this comment has no end", 1},
    {"block without end", "policy \"a\" { mode = observe\n", "conf:2: the file ends within", 1},
    {"brace too many", "mode = observe }\n", "conf:1: unexpected closing brace", 1},
    {"line behind comments", "# a\n/* b\n b */ // c\nuser = nobody # d\nmode = x\n" SENDERS,
     "conf:5: mode: \"x\"", 1},
    {"environment outside quotes", "user = ${USER}\n", "conf:1: ${...} is replaced", 1},
    {"NUL byte", "include(\"nul.conf\")\n", "nul.conf:2: a NUL byte", 1},
    {"include of a folder", "include(\".\")\n", ".:0: Is a directory", 1},
    {"include of a FIFO", "include(\"fifo\")\n", "fifo:0: no regular file", 1},
    {"include of itself", "\ninclude(\"conf\")\n", "conf:2: include: more than 10 files within", 1},
    {"local_domains FIFO", "local_domains = { \"@file:@DIR@/fifo\" }\n" SENDERS,
     "conf:1: local_domains: cannot read ", 1},
    {"include of a file that is not there", "include(\"none.conf\")\n", "none.conf:0: No such", 1},
    {"fault in an included file", "include(\"bad.conf\")\n" SENDERS, "bad.conf:3: mode: \"x\"", 1},
    {"scalar twice", "mode = observe\nmode = enforce\n" SENDERS,
     "conf:2: mode: set before, at line 1; once is right", 1},
    {"block twice", "login {}\n\nlogin {}\n" SENDERS, "conf:3: login: set before, at line 1", 1},
    {"two policies of one name", "policy \"a\" {}\npolicy \"a\" {}\n", "conf:2: \"a\": a block", 1},
    {"two directories of one name", SENDERS SENDERS, "conf:2: \"file\": a block of this kind", 1},
    {"socket in Postfix's form", "socket = \"inet:127.0.0.1:8890\"\n" SENDERS,
     "conf:1: socket: \"inet:127.0.0.1:8890\" is not in libmilter's form inet:PORT@HOST", 1},
    {"socket port", "socket = \"inet:70000@h\"\n" SENDERS, "conf:1: socket: \"inet:70000@h\"", 1},
    {"socket relative", "socket = \"unix:x.sock\"\n" SENDERS, "conf:1: socket: \"x.sock\" is no",
     1},
    {"socket of no form", "socket = \"x\"\n" SENDERS,
     "conf:1: socket: \"x\" is no socket; unix:", 1},
    {"socket too long",
     "socket = \"/"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\n" SENDERS,
     "conf:1: socket: the path is too long", 1},
    {"socket_mode", "socket_mode = 999\n" SENDERS,
     "conf:1: socket_mode: \"999\" is no mode; an octal number such as 0660 is right", 1},
    {"user empty", "user = \"\"\n" SENDERS, "conf:1: user: an empty name", 1},
    {"mode", "mode = maybe\n" SENDERS, "conf:1: mode: \"maybe\" is not one of enforce, observe", 1},
    {"mta", "mta = exim\n" SENDERS, "conf:1: mta: \"exim\" is not one of auto, postfix, send", 1},
    {"refuse_at", "refuse_at = data\n" SENDERS, "conf:1: refuse_at: \"data\" is not one of", 1},
    {"command_budget too long", "command_budget = 1m\n" SENDERS,
     "conf:1: command_budget: \"1m\" is no duration (units ms s m h d) from 100ms to 25s", 1},
    {"command_budget negative", "command_budget = -1s\n" SENDERS, "conf:1: command_budget: \"-1s",
     1},
    {"command_budget overflow", "command_budget = 99999999999999999999d\n" SENDERS,
     "conf:1: command_budget: ", 1},
    {"command_budget unit", "command_budget = 3y\n" SENDERS, "conf:1: command_budget: \"3y\"", 1},
    {"max_waiting", "max_waiting = 0\n" SENDERS, "conf:1: max_waiting: \"0\" is no number from 1",
     1},
    {"log", "log = elsewhere\n" SENDERS, "conf:1: log: \"elsewhere\" is not one of syslog", 1},
    {"log_format", "log_format = xml\n" SENDERS, "conf:1: log_format: \"xml\" is not one of", 1},
    {"help_url", "help_url = \"%{x}\"\n" SENDERS, "conf:1: help_url: unknown placeholder", 1},
    {"local_domains", "local_domains = {\n\"a..b\" }\n" SENDERS, "conf:2: local_domains: ", 1},
    {"local_domains file", "local_domains = { \"@file:/none\" }\n" SENDERS,
     "conf:1: local_domains: cannot read /none: No such", 1},
    {"local_domains in a file", "local_domains = { \"@file:@DIR@/bad_domains\" }\n" SENDERS,
     "bad_domains:2: local_domains: ", 1},
    {"trusted_networks", "trusted_networks = { \"192.0.2.1/24\" }\n" SENDERS,
     "conf:1: trusted_networks: ", 1},
    {"max_headers", "max_headers = many\n" SENDERS, "conf:1: max_headers: \"many\" is no", 1},
    {"max_header_size", "max_header_size = 2G\n" SENDERS,
     "conf:1: max_header_size: \"2G\" is no size (units k M) from 1k to 1M", 1},
    {"fold_case", "login { fold_case = 2 }\n" SENDERS, "conf:1: fold_case: \"2\" is neither", 1},
    {"default_domain", "login { default_domain = \"-\" }\n" SENDERS, "conf:1: default_domain: ", 1},
    {"rewrite", "login { rewrite = { \"@a\" } }\n" SENDERS, "conf:1: rewrite: \"@a\" is no pair",
     1},
    {"master_separator", "login { master_separator = \"**\" }\n" SENDERS,
     "conf:1: master_separator: \"**\" is not one sign", 1},
    {"delimiter", "address { delimiter = \"a\" }\n" SENDERS, "conf:1: delimiter: \"a\" is no set",
     1},
    {"alias_domains", "address { alias_domains = { \"a\" } }\n" SENDERS,
     "conf:1: alias_domains: \"a\" is no pair", 1},
    {"alias of an alias", "address { alias_domains = { \"a=b\",\n \"b=c\" } }\n" SENDERS,
     "conf:1: alias_domains: b is an alias itself", 1},
    {"alias twice", "address { alias_domains = { \"a=b\",\n \"a=c\" } }\n" SENDERS,
     "conf:2: alias_domains: a has an entry before", 1},
    {"fold_local_part", "address { fold_local_part = x }\n" SENDERS,
     "conf:1: fold_local_part: ", 1},
    {"source_routes", "address { source_routes = x }\n" SENDERS, "conf:1: source_routes: \"x\"", 1},
    {"directory type", "directory \"d\" { type = sql }\n",
     "conf:1: type: \"sql\" is not one of file, ldap", 1},
    {"uri without type", "directory \"d\" { file = \"@DIR@/senders\"\nuri = { \"ldap://x\" } }\n",
     "conf:2: uri: no option of a directory of type file; type = ldap", 1},
    {"ldap: file", LDAP_BLOCK("file = \"@DIR@/senders\""),
     "conf:3: file: no option of a directory of type ldap; type = file", 1},
    {"ldap: uri is missing", "directory \"d\" { type = ldap base = 'dc=x' }\n",
     "conf:1: directory \"d\": uri is missing", 1},
    {"ldap: base is missing", "directory \"d\" { type = ldap uri = { \"ldap://x\" } }\n",
     "conf:1: directory \"d\": base is missing", 1},
    {"ldap: uri with a base", LDAP_BASE("uri = { \"ldap://x/dc=x\" }"),
     "conf:3: uri: \"ldap://x/dc=x\" is not the address of a server", 2},
    {"ldap: uri of another kind", LDAP_BASE("uri = { \"http://x\" }"), "conf:3: uri: \"http", 2},
    {"ldap: uri without a host", LDAP_BASE("uri = { \"ldap:///\" }"), "conf:3: uri: \"ldap:///\"",
     2},
    {"ldap: base", "directory \"d\" { type = ldap uri = { \"ldap://x\" } base = 'example' }\n",
     "conf:1: base: \"example\" is no DN", 1},
    {"ldap: bind_dn", LDAP_BLOCK("bind_dn = 'm' bind_password_file = \"@DIR@/secret\""),
     "conf:3: bind_dn: \"m\" is no DN", 1},
    {"ldap: bind_dn alone", LDAP_BLOCK("bind_dn = 'cn=m'"),
     "conf:1: directory \"d\": bind_password_file is missing", 1},
    {"ldap: bind_password_file alone", LDAP_BLOCK("bind_password_file = \"@DIR@/secret\""),
     "conf:1: directory \"d\": bind_dn is missing", 1},
    {"ldap: secret that all may read",
     LDAP_BLOCK("bind_dn = 'cn=m' bind_password_file = \"@DIR@/open_secret\""),
     "conf:3: bind_password_file: ", 1},
    {"ldap: secret relative", LDAP_BLOCK("bind_dn = 'cn=m' bind_password_file = secret"),
     "conf:3: bind_password_file: \"secret\" is no absolute path", 2},
    {"ldap: sasl_mechanism", LDAP_BLOCK("sasl_mechanism = gssapi"),
     "conf:3: sasl_mechanism: \"gssapi\" is not external", 1},
    {"ldap: external that proves nothing", LDAP_BLOCK("sasl_mechanism = external"),
     "conf:3: sasl_mechanism: external proves nothing", 1},
    {"ldap: external and bind_dn",
     LDAP_BASE("uri = { \"ldapi://%2Fx\" } sasl_mechanism = external bind_dn = 'cn=m'"),
     "conf:3: sasl_mechanism: external needs neither", 1},
    {"ldap: starttls", LDAP_BLOCK("starttls = maybe"), "conf:3: starttls: \"maybe\"", 1},
    {"ldap: starttls over ldaps", LDAP_BASE("uri = { \"ldaps://x\" } starttls = yes"),
     "conf:3: starttls: only an ldap:// server", 1},
    {"ldap: ca_file", LDAP_BLOCK("ca_file = \"/none/ca\""),
     "conf:3: ca_file: cannot read /none/ca: No such", 1},
    {"ldap: cert_file", LDAP_BLOCK("cert_file = \"/none/c\" key_file = \"@DIR@/senders\""),
     "conf:3: cert_file: cannot read /none/c", 1},
    {"ldap: key_file", LDAP_BLOCK("key_file = \"/none/k\" cert_file = \"@DIR@/senders\""),
     "conf:3: key_file: cannot read /none/k", 1},
    {"ldap: cert_file alone", LDAP_BLOCK("cert_file = \"@DIR@/senders\""),
     "conf:3: cert_file and key_file: both or none", 1},
    {"ldap: tls_verify", LDAP_BLOCK("tls_verify = allow"),
     "conf:3: tls_verify: \"allow\" is not one of demand, never", 1},
    {"ldap: tls_minimum", LDAP_BLOCK("tls_minimum = 1.1"),
     "conf:3: tls_minimum: \"1.1\" is not one of 1.2, 1.3", 1},
    {"ldap: connect_timeout", LDAP_BLOCK("connect_timeout = 2m"), "conf:3: connect_timeout: ", 1},
    {"ldap: search_timeout", LDAP_BLOCK("search_timeout = 0"), "conf:3: search_timeout: ", 1},
    {"ldap: max_connections", LDAP_BLOCK("max_connections = 0"), "conf:3: max_connections: ", 1},
    {"ldap: schema", LDAP_BLOCK("schema = x500"),
     "conf:3: schema: \"x500\" is not one of inetorgperson, ad, none", 1},
    {"ldap: schema none", LDAP_BLOCK("schema = none"),
     "conf:1: directory \"d\": account_filter is missing", 2},
    {"ldap: strategy", LDAP_BLOCK("strategy = query"), "conf:3: strategy: \"query\"", 1},
    {"ldap: account_filter", LDAP_BLOCK("account_filter = '(uid=%{login}'"),
     "conf:3: account_filter: ", 1},
    {"ldap: account_filter names what is not known yet",
     LDAP_BLOCK("account_filter = '(member=%{account.dn})'"), "conf:3: account_filter: ", 1},
    {"ldap: account_filter with an unknown name", LDAP_BLOCK("account_filter = '(uid=%{user})'"),
     "conf:3: account_filter: ", 1},
    {"ldap: account_filter that finds one entry for all",
     LDAP_BLOCK("account_filter = '(uid=plain)'"), "conf:3: account_filter: finds the same", 1},
    {"ldap: delegation_filter that finds the same groups for all",
     LDAP_BLOCK("delegation_filter = '(cn=all)'"), "conf:3: delegation_filter: finds the same", 1},
    {"ldap: delegation_filter that asks a login's groups by its host",
     LDAP_BLOCK("delegation_filter = '(ip=%{client.addr})'"),
     "conf:3: delegation_filter: finds the same", 1},
    {"ldap: account_filter that names nobody but under a not, beside what all have",
     LDAP_BLOCK("account_filter = '(&(a=b)(!(uid=%{login}))(ip=%{client.addr}))'"),
     "conf:3: account_filter: finds the same", 1},
    {"ldap: account_filter with the sender", LDAP_BLOCK("account_filter = '(mail=%{sender})'"),
     "conf:3: account_filter: position 7: %{sender} belongs to the strategy query", 1},
    {"ldap: account_filter with the claim", LDAP_BLOCK("account_filter = '(mail=%{claim})'"),
     "conf:3: account_filter: position 7: %{claim} belongs to the strategies owners and query", 1},
    {"ldap: enabled_filter with the recipient", LDAP_BLOCK("enabled_filter = '(mail=%{rcpt})'"),
     "conf:3: enabled_filter: position 7: %{rcpt} belongs to the strategy query", 1},
    {"ldap: delegation_filter with the claim",
     LDAP_BLOCK("delegation_filter = '(mail=%{claim.domain})'"),
     "conf:3: delegation_filter: position 7: %{claim.domain} belongs to the strategies", 1},
    {"ldap: account_filter empty", LDAP_BLOCK("account_filter = ''"),
     "conf:1: directory \"d\": account_filter is missing", 1},
    {"ldap: enabled_filter", LDAP_BLOCK("enabled_filter = 'x'"), "conf:3: enabled_filter: ", 1},
    {"ldap: delegation_filter", LDAP_BLOCK("delegation_filter = '(a=b'"),
     "conf:3: delegation_filter: ", 1},
    {"ldap: delegation_filter without attributes",
     LDAP_BLOCK("schema = none account_filter = '(a=%{login})' send_as_attributes = { \"b\" } "
                "delegation_filter = '(m=%{account.dn})'"),
     "conf:1: directory \"d\": delegation_attributes is missing", 1},
    {"ldap: delegation_base", LDAP_BLOCK("delegation_base = 'x'"), "conf:3: delegation_base: ", 1},
    {"ldap: send_as_attributes", LDAP_BLOCK("send_as_attributes = { \"m ail\" }"),
     "conf:3: send_as_attributes: \"m ail\" is no name of an attribute", 1},
    {"ldap: on_behalf_attributes", LDAP_BLOCK("on_behalf_attributes = { \"a b\" }"),
     "conf:3: on_behalf_attributes: \"a b\" is no name of an attribute", 1},
    {"ldap: tenant", LDAP_BLOCK("tenant = yes"),
     "conf:3: tenant: \"yes\" is not one of off, domain", 1},
    {"ldap: admin_attributes", LDAP_BLOCK("tenant = domain admin_attributes = { \"a=b\" }"),
     "conf:3: admin_attributes: \"a=b\" is no name of an attribute", 2},
    {"ldap: admin_attributes without tenant", LDAP_BLOCK("admin_attributes = { \"mail\" }"),
     "conf:3: admin_attributes: bounds no attribute without tenant; tenant = domain is right", 1},
    {"ldap: admin_attributes that grants nothing",
     LDAP_BLOCK("tenant = domain\nadmin_attributes = { \"mail\",\n\"uid\" }"),
     "conf:5: admin_attributes: \"uid\" grants nothing; one of send_as_attributes, "
     "on_behalf_attributes or delegation_attributes is right",
     1},
    {"ldap: admin_attributes that denies",
     LDAP_BLOCK("tenant = domain deny_attributes = { \"no\" } admin_attributes = { \"no\" }"),
     "conf:3: admin_attributes: \"no\" grants nothing", 1},
    {"tenant of a file", "directory \"d\" { file = \"@DIR@/senders\"\ntenant = domain }\n",
     "conf:2: tenant: no option of a directory of type file", 1},
    {"ldap: deny_attributes", LDAP_BLOCK("deny_attributes = { \"-x\" }"),
     "conf:3: deny_attributes: ", 1},
    {"ldap: delegation_attributes", LDAP_BLOCK("delegation_attributes = { \"\" }"),
     "conf:3: delegation_attributes: ", 1},
    {"ldap: primary_attribute", LDAP_BLOCK("primary_attribute = 'a=b'"),
     "conf:3: primary_attribute: ", 1},
    {"ldap: limits_attribute", LDAP_BLOCK("limits_attribute = 'a;b'"),
     "conf:3: limits_attribute: ", 1},
    {"ldap: nested_groups", LDAP_BLOCK("nested_groups = 11"), "conf:3: nested_groups: ", 1},
    {"ldap: no_addresses", LDAP_BLOCK("no_addresses = accept"),
     "conf:3: no_addresses: \"accept\" is not one of reject, tempfail", 1},
    {"ldap: cache_ttl", LDAP_BLOCK("cache_ttl = 2d"), "conf:3: cache_ttl: ", 1},
    {"ldap: negative_ttl", LDAP_BLOCK("negative_ttl = x"), "conf:3: negative_ttl: ", 1},
    {"ldap: cache_entries", LDAP_BLOCK("cache_entries = -1"), "conf:3: cache_entries: ", 1},
    {"ldap: recheck_rate", LDAP_BLOCK("recheck_rate = 20"),
     "conf:3: recheck_rate: \"20\" is no rate; \"20/1s\" is right", 1},
    {"ldap: recheck_rate count", LDAP_BLOCK("recheck_rate = \"x/1s\""),
     "conf:3: recheck_rate: ", 1},
    {"ldap: recheck_rate period", LDAP_BLOCK("recheck_rate = \"2/x\""),
     "conf:3: recheck_rate: ", 1},
    {"ldap: all faults in one run", LDAP_BLOCK("tls_verify = x\nschema = y"),
     "conf:4: schema: ", 2},
    {"directory file relative", "directory \"d\" { file = \"senders\" }\n",
     "conf:1: file: \"senders\" is no absolute path", 2},
    {"directory file missing", "directory \"d\" { file = \"/none/senders\" }\n",
     "senders:0: cannot be opened: No such file", 1},
    {"directory file with faults", "directory \"d\" { file = \"@DIR@/bad_senders\" }\n",
     "bad_senders:2: ", 2},
    {"login_domains", "directory \"d\" { file = \"@DIR@/senders\" login_domains = { \"a b\" } }\n",
     "conf:1: login_domains: ", 1},
    {"merge", "directory \"d\" { file = \"@DIR@/senders\" merge = 1 }\n", "conf:1: merge: \"1\"",
     1},
    {"network that is none", "\nnetwork \"ann\" {}\n" SENDERS,
     "conf:2: network: \"ann\" is no network", 1},
    {"network with host bits", "network \"10.1.2.3/28\" {}\n" SENDERS,
     "conf:1: network: \"10.1.2.3/28\" has bits set behind its prefix; the network is 10.1.2.0/28",
     1},
    {"network twice", "network \"10.0.0.0/8\" {}\nnetwork \"10.0.0.0/8\" {}\n" SENDERS,
     "conf:2: \"10.0.0.0/8\": a block of this kind has the name already", 1},
    {"network twice, mapped",
     "network \"10.0.0.0/8\" {}\nnetwork \"::1\" {}\nnetwork \"::ffff:10.0.0.0/104\" {}\n" SENDERS,
     "conf:3: network: 10.0.0.0/8 has a block before, at line 1; one block is right", 1},
    {"network behind one that is none", "network \"ann\" {}\nnetwork \"::/0\" {}\n" SENDERS,
     "conf:1: network: \"ann\" is no network", 1},
    {"network without a title", "network {}\n" SENDERS, "conf:1: missing title", 1},
    {"network, unknown option", "network \"::1\" { zork = 1 }\n" SENDERS,
     "conf:1: zork: there is no such option; these are right here: send_as relay", 1},
    {"network, send_as", "network \"::1\" { send_as = { \"a@x\",\n \"ann\" } }\n" SENDERS,
     "conf:2: send_as: \"ann\" is no address, @domain, @.domain or *: ", 1},
    {"network, send_as on behalf", "network \"::1\" { send_as = { \"on-behalf:a@x\" } }\n" SENDERS,
     "conf:1: send_as: \"on-behalf:a@x\" is no address", 1},
    {"network, send_as in a file",
     "network \"::1\" { send_as = { \"@file:@DIR@/domains\" } }\n" SENDERS,
     "domains:2: send_as: \"from.file\" is no address", 2},
    {"network, relay", "network \"::1\" { relay = maybe }\n" SENDERS,
     "conf:1: relay: \"maybe\" is neither yes nor no", 1},
    {"network: all faults in one run",
     "network \"ann\" { send_as = { \"x\" }\nrelay = maybe }\n" SENDERS,
     "conf:2: relay: \"maybe\" is neither yes nor no", 3},
    {"network: a directory of that name",
     "directory \"network\" { file = \"@DIR@/senders\" }\nnetwork \"::1\" {}\n",
     "conf:2: network: a directory has the name \"network\"", 1},
    {"network: sixteen directories beside it", SIXTEEN "network \"::1\" {}\n",
     "conf:1: network: beside network blocks 15 directories are right", 1},
    {"network: no directory that a policy could name",
     "network \"::1\" {}\npolicy \"a\" { directories = { \"network\" } }\n" SENDERS,
     "conf:2: directories: there is no directory \"network\"", 1},
    {"cert_issuers", "cert_issuers = { \"a\",\n\"\" }\n" SENDERS,
     "conf:2: cert_issuers: an empty item", 1},
    {"listeners, port", "policy \"a\" { listeners = { \":0\" } }\n" SENDERS,
     "conf:1: listeners: \"0\" is no number from 1 to 65535", 1},
    {"listeners, empty", "policy \"a\" { listeners = { \"\" } }\n" SENDERS, "conf:1: listeners: an",
     1},
    {"client_networks", "policy \"a\" { client_networks = { \"x\" } }\n" SENDERS,
     "conf:1: client_networks: ", 1},
    {"logins", "policy \"a\" { logins = { \"a b\" } }\n" SENDERS, "conf:1: logins: ", 1},
    {"logins, group", "policy \"a\" { logins = { \"group:cn=x\" } }\n" SENDERS,
     "conf:1: logins: this version knows no groups", 1},
    {"principals", "policy \"a\" { principals = { \"tls\" } }\n" SENDERS,
     "conf:1: principals: \"tls\" is not one of none, sasl, cert, network", 1},
    {"policy mode", "policy \"a\" { mode = x }\n" SENDERS, "conf:1: mode: \"x\" is not one of", 1},
    {"require_authentication", "policy \"a\" { require_authentication = x }\n" SENDERS,
     "conf:1: require_authentication: \"x\" is neither yes nor no", 1},
    {"max_recipients", "policy \"a\" { max_recipients = -1 }\n" SENDERS,
     "conf:1: max_recipients: ", 1},
    {"exempt_logins", "policy \"a\" { exempt_logins = { \"@\" } }\n" SENDERS,
     "conf:1: exempt_logins: ", 1},
    {"directories", "policy \"a\" {\n directories = { \"file\", \n \"zz\" } }\n" SENDERS,
     "conf:3: directories: there is no directory \"zz\"", 1},
    {"check with another's action", "policy \"a\" { relay = allow }\n" SENDERS,
     "conf:1: relay: \"allow\" is not one of ignore, observe, tempfail, reject", 1},
    {"null_sender", "policy \"a\" { null_sender = tempfail }\n" SENDERS,
     "conf:1: null_sender: \"tempfail\" is not one of observe, reject, allow, reports", 1},
    {"unknown_login", "policy \"a\" { unknown_login = ignore }\n" SENDERS,
     "conf:1: unknown_login: \"ignore\" is not one of observe, reject, allow", 1},
    {"envelope", "policy \"a\" { envelope = accept }\n" SENDERS, "conf:1: envelope: ", 1},
    {"envelope cannot be taken out", "policy \"a\" { envelope = remove }\n" SENDERS,
     "conf:1: envelope: \"remove\" is not one of ignore, observe, tag, rewrite, quarantine, "
     "tempfail, reject",
     1},
    {"header_from", "policy \"a\" { header_from = remove }\n" SENDERS, "conf:1: header_from: ", 1},
    {"multiple_from", "policy \"a\" { multiple_from = accept }\n" SENDERS,
     "conf:1: multiple_from: \"accept\" is not one of ignore, observe, tag, rewrite, quarantine, "
     "tempfail, reject, allow",
     1},
    {"header_sender", "policy \"a\" { header_sender = allow }\n" SENDERS,
     "conf:1: header_sender: \"allow\" is not one of ignore, observe, tag, rewrite, remove, "
     "quarantine, tempfail, reject",
     1},
    {"resent", "policy \"a\" { resent = allow }\n" SENDERS,
     "conf:1: resent: \"allow\" is not one of ignore, observe, tag, rewrite, remove, quarantine, "
     "tempfail, reject",
     1},
    {"display_name", "policy \"a\" { display_name = remove }\n" SENDERS,
     "conf:1: display_name: \"remove\" is not one of ignore, observe, tag, rewrite, quarantine, "
     "tempfail, reject",
     1},
    {"local_sender is nobody's to rewrite", "policy \"a\" { local_sender = rewrite }\n" SENDERS,
     "conf:1: local_sender: \"rewrite\" is not one of ignore, observe, tag, quarantine, tempfail, "
     "reject",
     1},
    {"local_from", "policy \"a\" { local_from = x }\n" SENDERS, "conf:1: local_from: ", 1},
    {"known_recipient", "policy \"a\" { known_recipient = tag }\n" SENDERS,
     "conf:1: known_recipient: \"tag\" is not one of ignore, observe, tempfail, reject", 1},
    {"authserv_id", "authserv_id = \"a b\"\n" SENDERS, "conf:1: authserv_id: \"a b\" is no name",
     1},
    {"authserv_id, empty", "authserv_id = \"\"\n" SENDERS, "conf:1: authserv_id: \"\" is no name",
     1},
    {"unwrap", "address { unwrap = { \"batv\", \"x\" } }\n" SENDERS,
     "conf:1: unwrap: \"x\" is not one of batv, srs", 1},
    {"domain_grants", "policy \"a\" { domain_grants = none }\n" SENDERS,
     "conf:1: domain_grants: \"none\" is not one of all, unowned", 1},
    {"local_sender_allow, network", "policy \"a\" { local_sender_allow = { \"1.2.3\" } }\n" SENDERS,
     "conf:1: local_sender_allow: ", 1},
    {"local_sender_allow, address", "policy \"a\" { local_sender_allow = { \"a@\" } }\n" SENDERS,
     "conf:1: local_sender_allow: ", 1},
    {"exempt_recipients", "policy \"a\" { exempt_recipients = { \"bob\" } }\n" SENDERS,
     "conf:1: exempt_recipients: ", 1},
    {"trace_header", "policy \"a\" { trace_header = \"a b\" }\n" SENDERS,
     "conf:1: trace_header: \"a b\" is no name", 1},
    {"trace_header of another meaning", "policy \"a\" { trace_header = \"reply-to\" }\n" SENDERS,
     "conf:1: trace_header: \"reply-to\" is no name", 1},
    {"auth_results", "policy \"a\" { auth_results = x }\n" SENDERS,
     "conf:1: auth_results: \"x\" is neither yes nor no", 1},
    {"from_must_equal_envelope", "policy \"a\" { from_must_equal_envelope = x }\n" SENDERS,
     "conf:1: from_must_equal_envelope: \"x\" is neither yes nor no", 1},
    {"resent_covers_from", "policy \"a\" { resent_covers_from = x }\n" SENDERS,
     "conf:1: resent_covers_from: \"x\" is neither yes nor no", 1},
    {"missing_from", "policy \"a\" { missing_from = x }\n" SENDERS, "conf:1: missing_from: ", 1},
    {"local_sender", "policy \"a\" { local_sender = x }\n" SENDERS, "conf:1: local_sender: ", 1},
    {"directory_unavailable", "policy \"a\" { directory_unavailable = reject }\n" SENDERS,
     "conf:1: directory_unavailable: \"reject\" is not one of tempfail, accept", 1},
    {"foreign_domains without local ones", "policy \"a\" {\nforeign_domains = allow }\n" SENDERS,
     "conf:2: foreign_domains: without local_domains every domain is foreign", 1},
    {"reply of no reason", "reply \"x\" { text = \"y\" }\n" SENDERS,
     "conf:1: reply: there is no reason \"x\"", 1},
    {"reply text", "reply \"from-group\" { text = \"a\tb\" }\n" SENDERS, "conf:1: text: only", 1},
    {"reply text with an empty line", "reply \"from-group\" { text = \"a\\n\\nb\" }\n" SENDERS,
     "conf:1: text: line 2 is empty", 1},
    {"reply text of too many lines",
     "reply \"from-group\" {\ntext = \"a\\nb\\nc\\nd\\ne\" }\n" SENDERS,
     "conf:2: text: more than 4 lines", 1},
    {"help_url of two lines", "help_url = 'a\nb'\n" SENDERS, "conf:2: help_url: only printable", 1},
    {"line end in double quotes", "help_url = \"a\\nb\"\n", "conf:1: a backslash in double", 1},
    {"line end in double quotes, behind a text",
     "reply \"from-group\" { text = \"a\" }\nhelp_url = \"a\\nb\"\n",
     "conf:2: a backslash in double", 1},
    {"line end in double quotes, nearly a text", "context = \"a\\nb\"\ntexts = \"a\\nb\"\n",
     "conf:2: a backslash in double", 2},
    {"other escape in a text", "reply \"from-group\" { text = \"a\\tb\" }\n",
     "conf:1: a backslash in double", 1},
    {"all faults of meaning in one run",
     "mode = x\nmta = y\nlogin { fold_case = z }\npolicy \"a\" { relay = w }\n" SENDERS,
     "conf:4: relay: ", 4},
    {"warning: no local_domains", SENDERS, "conf:0: warning: no local_domains", 0},
    {"warning: a policy behind one that takes all",
     "local_domains = { \"a\" } policy \"a\" {}\npolicy \"b\" {}\n" SENDERS,
     "conf:2: warning: policy \"b\": never chosen, because \"a\"", 0},
    {"warning: ldap: password in clear",
     LDAP_BASE("uri = { \"ldap://ldap.example\" } bind_dn = 'cn=m' "
               "bind_password_file = \"@DIR@/secret\""),
     "conf:3: warning: uri: the password of bind_dn goes over the network in clear", 0},
    {"warning: ldap: password in clear to one of several",
     LDAP_BASE("uri = { \"ldap://127.0.0.1\", \"ldap://ldap.example\" } bind_dn = 'cn=m' "
               "bind_password_file = \"@DIR@/secret\""),
     "conf:3: warning: uri: the password of bind_dn goes over the network in clear", 0},
    {"warning: ldap: tls_verify", LDAP_BLOCK("tls_verify = never"),
     "conf:3: warning: tls_verify: anybody in between", 0},
    {"warning: ldap: password in clear to a name that begins like this host",
     LDAP_BASE("uri = { \"ldap://localhost.example\" } bind_dn = 'cn=m' "
               "bind_password_file = \"@DIR@/secret\""),
     "conf:3: warning: uri: the password of bind_dn goes over the network in clear", 0},
    {"warning: ldap: connect_timeout", LDAP_BLOCK("connect_timeout = 3s"),
     "conf:3: warning: connect_timeout: not below command_budget", 0},
    {"warning: ldap: ca_file without TLS", LDAP_BLOCK("ca_file = \"@DIR@/senders\""),
     "conf:3: warning: ca_file: does nothing without TLS", 0},
    {"warning: ldap: nested_groups without groups",
     LDAP_BLOCK("delegation_filter = '' nested_groups = 2"),
     "conf:3: warning: nested_groups: does nothing", 0},
    {"warning: ldap: account_filter that proves no login",
     LDAP_BLOCK("account_filter = '(uid=%{login}*)'"),
     "conf:3: warning: account_filter: compares the login by no", 0},
    {"warning: ldap: account_filter that compares the certificate, not the login",
     LDAP_BLOCK("account_filter = '(&(uid=%{login}*)(s=%{cert.subject}))'"),
     "conf:3: warning: account_filter: compares the login by no", 0},
    {"warning: ldap: account_filter that proves no certificate",
     LDAP_BLOCK("account_filter = '(|(uid=%{login})(s=%{cert.subject}*))'"),
     "conf:3: warning: account_filter: compares the certificate by no", 0},
    {"warning: ldap: search_timeout", LDAP_BLOCK("search_timeout = 3s"),
     "conf:3: warning: search_timeout: not below command_budget", 0},
    {"warning: world-writable senders file", "directory \"d\" { file = \"@DIR@/open\" }\n",
     "open:0: warning: everybody may write to this file", 0},
};

static bool said(const char *all, const char *want)
{
    for (const char *line = all; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, want, strlen(want)) == 0)
            return true;
    return false;
}

static void is_told(void **state)
{
    const struct bad *row = *state;
    struct heard h;
    struct conf *conf = load(row->text, &h);
    if (!said(h.text.text, row->want) || h.errors != row->errors)
        print_message("# said: %s", h.text.text);
    assert_true(said(h.text.text, row->want));
    assert_int_equal(h.errors, row->errors);
    assert_int_equal(conf == NULL, row->errors > 0);
    conf_free(conf);
    arena_destroy(h.arena);
}

static bool loads(const char *text)
{
    struct heard h;
    struct conf *conf = load(text, &h);
    conf_free(conf);
    arena_destroy(h.arena);
    return conf != NULL;
}

/* As after reloads of a daemon, whose admin has mended the file at last. */
static void faults_in_included_files_leave_nothing_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_false(loads("include(\"nonsense.conf\")\n" SENDERS));
    assert_false(loads("include(\"conf\")\n"));
    assert_true(loads("include(\"user.conf\")\n" SENDERS));
}

/* ---- what is documented ---- */

static const char *const option_names[] = {
    "socket",
    "socket_mode",
    "socket_group",
    "user",
    "mode",
    "mta",
    "refuse_at",
    "command_budget",
    "max_waiting",
    "log",
    "log_format",
    "help_url",
    "local_domains",
    "trusted_networks",
    "authserv_id",
    "cert_issuers",
    "max_headers",
    "max_header_size",
    "fold_case",
    "default_domain",
    "rewrite",
    "master_separator",
    "delimiter",
    "alias_domains",
    "fold_local_part",
    "source_routes",
    "unwrap",
    "type",
    "file",
    "login_domains",
    "merge",
    "send_as",
    "relay",
    "listeners",
    "client_networks",
    "logins",
    "principals",
    "require_authentication",
    "from_must_equal_envelope",
    "resent_covers_from",
    "domain_grants",
    "local_sender_allow",
    "exempt_recipients",
    "trace_header",
    "auth_results",
    "max_recipients",
    "exempt_logins",
    "directories",
    "text",
    "uri",
    "base",
    "bind_dn",
    "bind_password_file",
    "sasl_mechanism",
    "starttls",
    "ca_file",
    "cert_file",
    "key_file",
    "tls_verify",
    "tls_minimum",
    "connect_timeout",
    "search_timeout",
    "max_connections",
    "schema",
    "strategy",
    "account_filter",
    "enabled_filter",
    "send_as_attributes",
    "on_behalf_attributes",
    "deny_attributes",
    "primary_attribute",
    "limits_attribute",
    "value_prefix",
    "delegation_base",
    "delegation_filter",
    "delegation_attributes",
    "nested_groups",
    "tenant",
    "admin_attributes",
    "no_addresses",
    "cache_ttl",
    "negative_ttl",
    "cache_entries",
    "recheck_rate",
};

static char *read_source(struct arena *a, const char *name)
{
    const char *base = getenv("srcdir");
    FILE *f = fopen(arena_printf(a, "%s/%s", base ? base : ".", name), "r");
    assert_non_null(f);
    char *text = arena_alloc(a, 100000);
    text[fread(text, 1, 99999, f)] = '\0';
    (void)fclose(f);
    return text;
}

static bool documents(struct arena *a, const char *manual, const char *name)
{
    return strstr(manual, arena_printf(a, ".It Ic %s No =", name)) != NULL;
}

static bool shows(struct arena *a, const char *sample, const char *name)
{
    for (const char *at = sample; (at = strstr(at, name)); at++) {
        const char *after = at + strlen(name) + strspn(at + strlen(name), " ");
        if (*after == '=' && (at == sample || strchr("# \n", at[-1])))
            return true;
    }
    (void)a;
    return false;
}

static void manual_and_sample_know_every_option(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const char *manual = read_source(a, "doc/sendas-milter.conf.5");
    const char *sample = read_source(a, "etc/sendas-milter.conf");
    for (size_t i = 0; i < sizeof option_names / sizeof option_names[0]; i++) {
        if (!documents(a, manual, option_names[i]) || !shows(a, sample, option_names[i]))
            print_message("# %s\n", option_names[i]);
        assert_true(documents(a, manual, option_names[i]));
        assert_true(shows(a, sample, option_names[i]));
    }
    for (int c = 0; c < CHECK_COUNT; c++) {
        assert_true(documents(a, manual, policy_check_name((enum policy_check)c)));
        assert_true(shows(a, sample, policy_check_name((enum policy_check)c)));
    }
    for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
        const struct reason_info *info = reason_info((enum reason)r);
        assert_non_null(strstr(
            manual, arena_printf(a, ".It %s Ta %s %s Ta", info->id, info->code, info->enhanced)));
    }
    arena_destroy(a);
}

/* The list above is the parser's: an option that it lacks is told in the text of an unknown one. */
static void the_list_of_options_is_complete(void **state)
{
    (void)state;
    static const char *const places[] = {"zzzzzzzzzz = 1",
                                         "login { zzzzzzzzzz = 1 }",
                                         "address { zzzzzzzzzz = 1 }",
                                         "directory \"a\" { zzzzzzzzzz = 1 }",
                                         "network \"a\" { zzzzzzzzzz = 1 }",
                                         "policy \"a\" { zzzzzzzzzz = 1 }",
                                         "reply \"a\" { zzzzzzzzzz = 1 }"};
    size_t known = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct heard h;
        assert_null(load(places[i], &h));
        const char *list = strstr(h.text.text, "right here: ");
        assert_non_null(list);
        for (const char *c = list + strlen("right here: "); *c; c++)
            known += *c == ' ' || *c == '\n';
        arena_destroy(h.arena);
    }
    /* six blocks, and "mode" stands in two places */
    assert_int_equal(known, sizeof option_names / sizeof option_names[0] + 1 + CHECK_COUNT + 6);
}

static void sample_loads(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct heard h;
    char *sample = read_source(a, "etc/sendas-milter.conf");
    static const char standard[] = "/etc/sendas-milter/senders";
    char *at = strstr(sample, standard);
    assert_non_null(at);
    *at = '\0';
    struct conf *conf =
        load(arena_printf(a, "%s@DIR@/senders%s", sample, at + strlen(standard)), &h);
    assert_non_null(conf);
    assert_true(conf->snapshot->policies[0].observe);
    conf_free(conf);
    arena_destroy(h.arena);
    arena_destroy(a);
}

struct lines {
    unsigned count;
    bool builtin, first, flags;
};

static void count_line(void *context, const char *text)
{
    struct lines *l = context;
    l->count++;
    l->first = l->first || strstr(text, "policy x: logins=ann mode=observe "
                                        "require_authentication=no envelope=tempfail ");
    l->flags = l->flags || strstr(text, " from_must_equal_envelope=yes resent_covers_from=no "
                                        "domain_grants=all exempt_");
    l->builtin = l->builtin || strstr(text, "policy mx (built-in):");
}

static void policies_are_printed(void **state)
{
    (void)state;
    struct heard h;
    struct lines lines = {0};
    struct conf *conf =
        load("policy \"x\" { logins = { \"ann\" } mode = observe envelope = tempfail "
             "from_must_equal_envelope = yes exempt_logins = { \"bob\" } }\n" SENDERS,
             &h);
    assert_non_null(conf);
    conf_print_policies(conf->snapshot, count_line, &lines);
    assert_int_equal(lines.count, 1 + POLICY_BUILTINS);
    assert_true(lines.first && lines.builtin && lines.flags);
    conf_free(conf);
    arena_destroy(h.arena);
}

static void a_snapshot_outlives_its_conf(void **state)
{
    (void)state;
    struct heard h;
    struct conf *conf = load("help_url = \"https://x/\"\n" SENDERS, &h);
    assert_non_null(conf);
    struct snapshot *snapshot = conf_take_snapshot(conf);
    conf_free(conf);
    assert_string_equal(snapshot->replies.help_url, "https://x/");
    snapshot_unref(snapshot);
    arena_destroy(h.arena);
}

static void nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"relay", "local_sender", "log", NULL};
    assert_string_equal(conf_value_nearest("realy", words), "relay");
    assert_string_equal(conf_value_nearest("localsender", words), "local_sender");
    assert_string_equal(conf_value_nearest("lag", words), "log");
    assert_null(conf_value_nearest("zork", words));
    assert_null(conf_value_nearest("", words));
}

static void write_nul(const char *name)
{
    static const char text[] = "mode = observe\nuser = \0nobody\n";
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, sizeof text - 1, f), sizeof text - 1);
    assert_int_equal(fclose(f), 0);
}

static void make_fifo(const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void set_mode(const char *name, mode_t mode)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(chmod(path, mode), 0);
}

static void write_issuers(void)
{
    char text[20000];
    size_t len = 0;
    for (unsigned i = 0; i < 1000; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "issuer %u\n", i);
    write_file("issuers", text);
}

static void write_files(void)
{
    assert_non_null(mkdtemp(folder));
    write_file("senders", "ann@a.example ann\n");
    write_file("open", "ann@a.example ann\n");
    write_file("bad_senders", "ann@a.example ann\nann@ ann\n<> ann\n");
    write_file("secret", "pass word\nnot this\n");
    write_file("open_secret", "password\n");
    write_file("domains", "# list\nfrom.file\n  other.file # a.comment\n\n");
    write_file("bad_domains", "good.file\nbad..file\n");
    write_file("addresses", "# list\na@a.example\n  b@a.example # a comment\n");
    write_file("net_senders", "a@a.example net:10.0.0.0/8, ann, on-behalf:net:10.1.0.0/16\n");
    write_issuers();
    write_file("user.conf", "user = nobody\n");
    write_file("bad.conf", "\n\nmode = x\n");
    write_file("nonsense.conf", "policy \"a\" {\n nonsense = 1\n}\n");
    write_nul("nul.conf");
    make_fifo("fifo");
    set_mode("open", 0666);
    set_mode("secret", 0600);
    set_mode("open_secret", 0644);
}

static void remove_files(void)
{
    static const char *const names[] = {"conf",    "senders",     "open",          "bad_senders",
                                        "domains", "bad_domains", "user.conf",     "bad.conf",
                                        "secret",  "open_secret", "nonsense.conf", "nul.conf",
                                        "fifo",    "addresses",   "net_senders",   "issuers"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(void)
{
    write_files();
    ROWS_ADD(goods, is_taken);
    ROWS_ADD(bads, is_told);
    ROWS_ADD_TEST("faults in included files leave nothing behind",
                  faults_in_included_files_leave_nothing_behind);
    ROWS_ADD_TEST("manual and sample know every option", manual_and_sample_know_every_option);
    ROWS_ADD_TEST("the list of options is complete", the_list_of_options_is_complete);
    ROWS_ADD_TEST("the sample loads", sample_loads);
    ROWS_ADD_TEST("policies are printed", policies_are_printed);
    ROWS_ADD_TEST("a snapshot outlives its conf", a_snapshot_outlives_its_conf);
    ROWS_ADD_TEST("nearest word", nearest_word);
    int failed = rows_main();
    remove_files();
    return failed;
}
