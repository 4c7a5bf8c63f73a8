#include "dir_ldap.h"
#include "dir_ldap_lookup.h"
#include "dir_ldap_site.h"
#include "linkpool.h"
#include "strbuf.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- jobs ---- */

struct job {
    struct linkpool_job job;
    const struct dir_ldap_site *site;
    struct dir_ticket *ticket;
    struct arena *arena; /* of wanted */
    struct dir_ldap_wanted wanted;
    struct account_answer *answer; /* run() writes it, done() takes it */
};

static enum link_status job_run(struct linkpool_job *job, void *link, struct errtext *why)
{
    struct job *j = (struct job *)job;
    account_answer_unref(j->answer); /* of a run that broke off */
    j->answer = account_answer_create();
    j->answer->asked_at = clock_now(&clock_real);
    return dir_ldap_look_up(j->site, link, &j->wanted, j->answer, why);
}

static void job_done(struct linkpool_job *job, enum link_status status, const char *why)
{
    struct job *j = (struct job *)job;
    if (status != LINK_OK) {
        dir_ticket_fail(j->ticket,
                        status == LINK_DOWN ? ACCOUNT_UNAVAILABLE : ACCOUNT_MISCONFIGURED, why);
        return;
    }
    struct account_answer *answer = j->answer;
    j->answer = NULL;
    dir_ticket_done(j->ticket, answer);
}

static void job_destroy(struct linkpool_job *job)
{
    struct job *j = (struct job *)job;
    account_answer_unref(j->answer);
    arena_destroy(j->arena);
    free(j);
}

/* ---- the backend ---- */

struct dir_ldap {
    struct dir_backend backend;
    struct arena *arena;
    struct dir_ldap_site *site;
    struct linkpool *pool;
};

/* What %{login.local} stands for: a login of a foreign domain must not pass for the one of ours
 * that has the same local part. */
static const char *local_of(const struct login_rules *rules, const struct login *login)
{
    bool ours = !*login->domain ||
                (rules->default_domain && strcmp(rules->default_domain, login->domain) == 0);
    for (size_t i = 0; i < rules->rewrite_count && !ours; i++)
        ours = rules->rewrites[i].to[0] == '@' &&
               strcmp(rules->rewrites[i].to + 1, login->domain) == 0;
    return ours ? login->local : NULL;
}

static void set_fact(struct job *j, enum dir_fact fact, const char *value)
{
    j->wanted.facts.values[fact] = dir_ldap_copy(j->arena, value);
}

/* Not who is asked about: what cannot be searched for counts as absent, so that nobody becomes
 * unknown by it. */
static void set_fact_beside(struct job *j, enum dir_fact fact, const char *value)
{
    if (dir_filter_check(fact, value, NULL))
        set_fact(j, fact, value);
}

static void want_login(struct job *j, const struct principal *p)
{
    set_fact(j, DIR_FACT_LOGIN, p->login.name);
    set_fact(j, DIR_FACT_LOGIN_LOCAL, local_of(&j->site->login_rules, &p->login));
    set_fact(j, DIR_FACT_LOGIN_DOMAIN, p->login.domain);
    set_fact_beside(j, DIR_FACT_CERT_SUBJECT, p->cert_subject);
    set_fact_beside(j, DIR_FACT_CERT_ISSUER, p->cert_issuer);
    set_fact_beside(j, DIR_FACT_CLIENT_ADDR, p->client_addr);
    j->wanted.name = j->wanted.facts.values[DIR_FACT_LOGIN];
    j->wanted.domain = j->wanted.facts.values[DIR_FACT_LOGIN_DOMAIN];
}

static void want_cert(struct job *j, const struct principal *p)
{
    set_fact(j, DIR_FACT_CERT_SUBJECT, p->cert_subject);
    set_fact(j, DIR_FACT_CERT_ISSUER, p->cert_issuer);
    set_fact_beside(j, DIR_FACT_CLIENT_ADDR, p->client_addr);
    j->wanted.name = j->wanted.facts.values[DIR_FACT_CERT_SUBJECT];
}

static void want_client(struct job *j, const struct principal *p)
{
    set_fact(j, DIR_FACT_CLIENT_ADDR, p->client_addr);
    j->wanted.name = j->wanted.facts.values[DIR_FACT_CLIENT_ADDR];
}

static void want_account(struct job *j, const struct principal *p)
{
    j->wanted.kind = p->kind;
    if (p->kind == PRINCIPAL_SASL)
        want_login(j, p);
    else if (p->kind == PRINCIPAL_CERT)
        want_cert(j, p);
    else
        want_client(j, p);
    if (!j->wanted.name)
        j->wanted.name = "";
}

static void want_owners(struct job *j, const struct dir_question *question)
{
    j->wanted.addresses =
        dir_ldap_copy_strings(j->arena, question->addresses, question->address_count);
    j->wanted.address_count = question->address_count;
}

static struct job *job_create(const struct dir_ldap_site *site, struct dir_ticket *ticket)
{
    static const struct linkpool_job_ops ops = {job_run, job_done, job_destroy};
    const struct dir_question *question = dir_ticket_question(ticket);
    struct job *j = xcalloc(1, sizeof *j);
    j->job.ops = &ops;
    j->site = site;
    j->ticket = ticket;
    j->arena = arena_create();
    j->wanted.ask = question->ask;
    if (question->ask == DIR_ASK_OWNERS)
        want_owners(j, question);
    else
        want_account(j, &question->principal);
    return j;
}

static void ldap_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    struct dir_ldap *d = (struct dir_ldap *)self;
    linkpool_submit(d->pool, &job_create(d->site, ticket)->job);
}

static void ldap_destroy(struct dir_backend *self)
{
    struct dir_ldap *d = (struct dir_ldap *)self;
    atomic_store(&d->site->closing, true);
    linkpool_destroy(d->pool);
    arena_destroy(d->arena);
    free(d);
}

static enum link_status site_open(void *context, size_t i, void **link_out, struct errtext *why)
{
    struct ldapconn *conn = NULL;
    enum link_status status = dir_ldap_site_open(context, i, &conn, why);
    if (status == LINK_OK)
        *link_out = conn;
    return status;
}

static void site_close(void *context, void *link)
{
    (void)context;
    ldapconn_close(link);
}

static struct linkpool *pool_create(struct dir_ldap_site *s, unsigned max_links)
{
    static const struct linkpool_ops ops = {site_open, site_close, dir_ldap_site_free};
    return linkpool_create(&(struct linkpool_conf){
        .ops = &ops,
        .context = s,
        .servers = s->servers,
        .server_count = s->server_count,
        .max_links = max_links,
        .changed = dir_ldap_site_changed,
    });
}

static unsigned kinds_of(const struct dir_ldap_site *s)
{
    unsigned kinds = 0;
    for (int k = PRINCIPAL_SASL + 1; k < PRINCIPAL_KINDS; k++)
        if (s->account[k])
            kinds |= PRINCIPAL_BIT(k);
    return kinds;
}

/* Beside the facts that tell who is asked about, of which a cache knows. */
static bool answers_depend_on(const struct dir_ldap_site *s, unsigned facts)
{
    unsigned named = s->enabled ? dir_filter_facts(s->enabled) : 0;
    for (int k = PRINCIPAL_SASL; k < PRINCIPAL_KINDS; k++) {
        unsigned beside = ~dir_ldap_identity((enum principal_kind)k);
        if (s->account[k])
            named |= dir_filter_facts(s->account[k]) & beside;
        if (s->account[k] && s->delegation[k])
            named |= dir_filter_facts(s->delegation[k]) & beside;
    }
    return (named & facts) != 0;
}

struct dir_backend *dir_ldap_open(const struct dir_ldap_conf *conf, struct errtext *why)
{
    static const struct dir_ops ops = {.type = "ldap", .ask = ldap_ask, .destroy = ldap_destroy};
    struct dir_ldap_site *site = dir_ldap_site_create(conf, why);
    if (!site)
        return NULL;
    struct dir_ldap *d = xcalloc(1, sizeof *d);
    d->arena = arena_create();
    d->site = site;
    d->pool = pool_create(site, conf->max_connections);
    d->backend = (struct dir_backend){
        .ops = &ops,
        .name = arena_strdup(d->arena, conf->name),
        .login_domains =
            dir_ldap_copy_strings(d->arena, conf->login_domains, conf->login_domain_count),
        .login_domain_count = conf->login_domain_count,
        .merge = conf->merge,
        .has_denies = conf->deny.count > 0,
        .principals = kinds_of(site),
        .not_logins = !site->account[PRINCIPAL_SASL],
        .knows_owners = true,
        .uses_client = answers_depend_on(site, DIR_FACTS_CLIENT),
        .uses_cert = answers_depend_on(site, DIR_FACTS_CERT),
    };
    return &d->backend;
}

/* ---- the probe ---- */

/* What nobody's login is, asked as a login is: a base that is not there, or that refers to other
 * servers, would spoil every answer. */
static enum link_status try_search(struct ldapconn *conn, const char *base,
                                   const struct dir_filter *filter, struct errtext *why)
{
    static const char *const nothing[] = {"1.1", NULL};
    static const struct dir_facts nobody = {{"-", "-", "-", "cn=-", "-", "-", "-"}};
    struct ldapconn_result result = {.outcome = LDAPCONN_COMPLETE};
    struct ldapconn_query query = {.base = base, .scope = LDAPCONN_SUBTREE, .attributes = nothing};
    struct arena *a = arena_create();
    enum link_status status = LINK_OK;
    if (dir_filter_expand(a, filter, &nobody, &query.filter, why) == DIR_FILTER_OK)
        status = ldapconn_search(conn, a, &query, 1, &result, why);
    if (status == LINK_OK && result.outcome != LDAPCONN_COMPLETE) {
        errtext_set(why, "%s", result.why);
        status = result.outcome == LDAPCONN_REFUSED ? LINK_WRONG : LINK_DOWN;
    }
    arena_destroy(a);
    return status;
}

static enum link_status try_searches(const struct dir_ldap_site *s, struct ldapconn *conn,
                                     struct errtext *why)
{
    enum link_status status = LINK_OK;
    for (int k = PRINCIPAL_SASL; k < PRINCIPAL_KINDS && status == LINK_OK; k++) {
        if (!s->account[k])
            continue;
        status = try_search(conn, s->base, s->account[k], why);
        if (status == LINK_OK && s->delegation[k])
            status = try_search(conn, s->delegation_base, s->delegation[k], why);
    }
    return status;
}

static enum link_status probe_server(struct dir_ldap_site *s, size_t i, struct strbuf *text)
{
    struct errtext why = {""};
    struct ldapconn *conn = NULL;
    enum link_status status = dir_ldap_site_open(s, i, &conn, &why);
    if (status == LINK_OK)
        status = try_searches(s, conn, &why);
    if (status == LINK_OK)
        strbuf_printf(text, "directory %s: %s: well (%s)", s->name, s->servers[i],
                      ldapconn_security(conn));
    else
        strbuf_printf(text, "directory %s: %s: %s", s->name, s->servers[i], why.text);
    ldapconn_close(conn);
    return status == LINK_OK || status == LINK_WRONG ? status : LINK_DOWN;
}

enum link_status dir_ldap_probe(const struct dir_ldap_conf *conf,
                                void (*line)(void *context, const char *text), void *context)
{
    struct errtext why = {""};
    struct dir_ldap_site *s = dir_ldap_site_create(conf, &why);
    if (!s) {
        line(context, why.text);
        return LINK_WRONG;
    }
    enum link_status worst = LINK_OK;
    for (size_t i = 0; i < s->server_count; i++) {
        struct strbuf text;
        strbuf_init(&text, s->arena);
        enum link_status status = probe_server(s, i, &text);
        worst = status > worst ? status : worst;
        line(context, text.text);
    }
    dir_ldap_site_free(s);
    return worst;
}
