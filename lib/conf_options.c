#include "amend.h"
#include "authres.h"
#include "conf_load.h"
#include "conf_value.h"

#include <stdio.h>
#include <string.h>

static void add_net(const struct conf_value *v, struct netset *set)
{
    struct net net;
    struct errtext why;
    if (!net_parse(span_of(v->text), &net, &why)) {
        conf_wrong(v, &why);
        return;
    }
    struct net *items = conf_grow(v->load->snapshot->arena, set->items, set->count, sizeof *items);
    items[set->count] = net;
    *set = (struct netset){items, set->count + 1};
}

/* ---- top level ---- */

static struct conf_daemon *daemon_of(const struct conf_value *v)
{
    return &v->load->conf->daemon;
}

static const char *keep_daemon(const struct conf_value *v)
{
    return arena_strdup(v->load->conf->arena, v->text);
}

static void set_socket(const struct conf_value *v)
{
    struct errtext why;
    if (!conf_value_socket(v->text, &why)) {
        conf_wrong(v, &why);
        return;
    }
    daemon_of(v)->socket =
        v->text[0] == '/' ? arena_printf(v->load->conf->arena, "unix:%s", v->text) : keep_daemon(v);
}

static void set_socket_mode(const struct conf_value *v)
{
    struct errtext why;
    if (!conf_value_mode(v->text, &daemon_of(v)->socket_mode, &why))
        conf_wrong(v, &why);
}

static void set_socket_group(const struct conf_value *v)
{
    daemon_of(v)->socket_group = *v->text ? keep_daemon(v) : NULL;
}

static void set_user(const struct conf_value *v)
{
    if (!*v->text) {
        conf_fault(v->load, v->at, "user: an empty name; an existing system user is right");
        return;
    }
    daemon_of(v)->user = keep_daemon(v);
    daemon_of(v)->user_is_default = false;
}

static void set_mode(const struct conf_value *v)
{
    static const char *const words[] = {"enforce", "observe", NULL};
    v->load->observe = conf_word(v, words, 0) == 1;
}

static void set_mta(const struct conf_value *v)
{
    static const char *const words[] = {"auto", "postfix", "sendmail", NULL};
    static const enum login_mta kinds[] = {LOGIN_MTA_AUTO, LOGIN_MTA_POSTFIX, LOGIN_MTA_SENDMAIL};
    v->load->snapshot->mta = kinds[conf_word(v, words, 0)];
}

static void set_refuse_at(const struct conf_value *v)
{
    static const char *const words[] = {"rcpt", "mail", NULL};
    daemon_of(v)->refuse_at_mail = conf_word(v, words, 0) == 1;
}

static void set_command_budget(const struct conf_value *v)
{
    static const struct conf_range range = {100 * CLOCK_MS, 25 * CLOCK_S, "100ms", "25s"};
    struct errtext why;
    if (!conf_value_duration(v->text, &range, &v->load->snapshot->command_budget, &why))
        conf_wrong(v, &why);
}

static void set_max_waiting(const struct conf_value *v)
{
    daemon_of(v)->max_waiting = (unsigned)conf_number(v, 1, 10000);
}

static void set_log(const struct conf_value *v)
{
    static const char *const words[] = {"syslog", "stderr", "journal", NULL};
    unsigned index;
    if (v->text[0] != '/' && !conf_value_word(v->text, words, &index, NULL)) {
        conf_fault(
            v->load, v->at,
            "log: \"%s\" is not one of syslog, stderr, journal, or the absolute path of a file",
            v->text);
        return;
    }
    daemon_of(v)->log = keep_daemon(v);
}

static void set_log_format(const struct conf_value *v)
{
    static const char *const words[] = {"text", "json", NULL};
    daemon_of(v)->log_json = conf_word(v, words, 0) == 1;
}

static void set_help_url(const struct conf_value *v)
{
    struct errtext why;
    if (!reply_check_line(v->text, &why))
        conf_wrong(v, &why);
    else
        v->load->snapshot->replies.help_url = *v->text ? conf_keep(v) : NULL;
}

static void set_local_domains(const struct conf_value *v)
{
    struct errtext why;
    if (!domset_add(v->load->snapshot->local_domains, span_of(v->text), &why))
        conf_wrong(v, &why);
}

static void set_trusted_networks(const struct conf_value *v)
{
    add_net(v, &v->load->snapshot->trusted_networks);
}

static void set_authserv_id(const struct conf_value *v)
{
    bool good = *v->text != '\0' && strlen(v->text) <= AUTHRES_ID_MAX;
    for (const char *c = v->text; *c && good; c++)
        good = *c > ' ' && *c <= '~' && !strchr("()<>@,;:\\\"/[]?=", *c);
    char *id = arena_strdup(v->load->snapshot->arena, v->text);
    for (char *c = id; *c; c++)
        *c = ascii_lower(*c);
    if (good)
        v->load->snapshot->authserv_id = id;
    else
        conf_fault(v->load, v->at,
                   "authserv_id: \"%s\" is no name for Authentication-Results; the name of this "
                   "host, such as \"mail.example.net\", is right",
                   v->text);
}

static void set_cert_issuers(const struct conf_value *v)
{
    if (*v->text)
        conf_add_string(v, &v->load->snapshot->cert_issuers, conf_keep(v));
    else
        conf_fault(v->load, v->at,
                   "cert_issuers: an empty item; an issuer as the MTA names it is right");
}

static void set_max_headers(const struct conf_value *v)
{
    v->load->snapshot->max_headers = (unsigned)conf_number(v, 1, 100000);
}

static void set_max_header_size(const struct conf_value *v)
{
    static const struct conf_range range = {1024, UINT64_C(1024) * 1024, "1k", "1M"};
    struct errtext why;
    uint64_t size = v->load->snapshot->max_header_size;
    if (!conf_value_size(v->text, &range, &size, &why))
        conf_wrong(v, &why);
    v->load->snapshot->max_header_size = (size_t)size;
}

/* ---- login ---- */

static struct login_rules *login_of(const struct conf_value *v)
{
    return &v->load->snapshot->login;
}

static void set_default_domain(const struct conf_value *v)
{
    const char *name;
    if (conf_domain(v, span_of(v->text), &name))
        login_of(v)->default_domain = name;
}

/* "FROM=TO": suffixes of a login; both may hold a domain behind their '@'. */
static bool suffix(const struct conf_value *v, struct span text, const char **out)
{
    struct arena *a = v->load->snapshot->arena;
    size_t at = span_find_last(text, '@');
    const char *name = "";
    if (at + 1 < text.len && !conf_domain(v, span_sub(text, at + 1, text.len), &name))
        return false;
    char *local = arena_copy(a, span_sub(text, 0, at));
    for (char *c = local; *c && login_of(v)->fold_case; c++)
        *c = ascii_lower(*c);
    *out = at == text.len ? local : arena_printf(a, "%s@%s", local, name);
    return true;
}

static void set_rewrite(const struct conf_value *v)
{
    struct login_rules *rules = login_of(v);
    struct span text = span_of(v->text);
    size_t equals = span_find(text, '=');
    const char *from, *to;
    if (equals == 0 || equals == text.len) {
        conf_fault(v->load, v->at,
                   "rewrite: \"%s\" is no pair; \"@mail.example.net=@example.net\" is "
                   "right, with nothing after the '=' to strip",
                   v->text);
        return;
    }
    if (!suffix(v, span_sub(text, 0, equals), &from) ||
        !suffix(v, span_sub(text, equals + 1, text.len), &to))
        return;
    struct login_rewrite *items =
        conf_grow(v->load->snapshot->arena, rules->rewrites, rules->rewrite_count, sizeof *items);
    items[rules->rewrite_count++] = (struct login_rewrite){from, to};
    rules->rewrites = items;
}

static void set_master_separator(const struct conf_value *v)
{
    char c = v->text[0];
    bool good = c && !v->text[1] && c > ' ' && c <= '~' && c != '@' && !ascii_is_alpha(c) &&
                !ascii_is_digit(c);
    if (good)
        login_of(v)->master_separator = c;
    else
        conf_fault(v->load, v->at,
                   "master_separator: \"%s\" is not one sign of ASCII such as \"*\"", v->text);
}

static void set_fold_case(const struct conf_value *v)
{
    login_of(v)->fold_case = conf_boolean(v, true);
}

/* ---- address ---- */

static struct addr_rules *address_of(const struct conf_value *v)
{
    return &v->load->snapshot->address;
}

static void set_delimiter(const struct conf_value *v)
{
    for (const char *c = v->text; *c; c++) {
        if (*c > ' ' && *c <= '~' && *c != '@' && !ascii_is_alpha(*c) && !ascii_is_digit(*c))
            continue;
        conf_fault(v->load, v->at, "delimiter: \"%s\" is no set of signs of ASCII such as \"+\"",
                   v->text);
        return;
    }
    address_of(v)->delimiters = conf_keep(v);
}

static void set_alias_domains(const struct conf_value *v)
{
    struct addr_rules *rules = address_of(v);
    struct span text = span_of(v->text);
    size_t equals = span_find(text, '=');
    struct addr_alias alias;
    if (equals == 0 || equals + 1 >= text.len) {
        conf_fault(v->load, v->at,
                   "alias_domains: \"%s\" is no pair; \"alias.example.net=example.net\" is right",
                   v->text);
        return;
    }
    if (!conf_domain(v, span_sub(text, 0, equals), &alias.alias) ||
        !conf_domain(v, span_sub(text, equals + 1, text.len), &alias.domain))
        return;
    struct addr_alias *items =
        conf_grow(v->load->snapshot->arena, rules->aliases, rules->alias_count, sizeof *items);
    items[rules->alias_count++] = alias;
    rules->aliases = items;
}

static void set_fold_local_part(const struct conf_value *v)
{
    address_of(v)->fold_local_part = conf_boolean(v, true);
}

static void set_source_routes(const struct conf_value *v)
{
    static const char *const words[] = {"refuse", "strip", NULL};
    address_of(v)->strip_routes = conf_word(v, words, 0) == 1;
}

static void set_unwrap(const struct conf_value *v)
{
    static const char *const words[] = {"batv", "srs", NULL};
    unsigned before = v->load->faults, which = conf_word(v, words, 0);
    if (v->load->faults > before)
        return;
    if (which == 0)
        v->load->snapshot->unwrap_batv = true;
    else
        v->load->snapshot->unwrap_srs = true;
}

/* ---- policy ---- */

static struct policy *policy_of(const struct conf_value *v)
{
    return v->target;
}

static void set_listeners(const struct conf_value *v)
{
    struct conf_value port = *v;
    port.text = v->text + 1;
    if (!*v->text) {
        conf_fault(v->load, v->at,
                   "listeners: an empty item; a {daemon_name}, :PORT, non-smtp or * is "
                   "right");
        return;
    }
    if (v->text[0] == ':')
        (void)conf_number(&port, 1, 65535);
    conf_add_string(v, &policy_of(v)->listeners, conf_keep(v));
}

static void set_client_networks(const struct conf_value *v)
{
    add_net(v, &policy_of(v)->client_networks);
}

/* A login in normal form, or "@domain". */
static void add_login(const struct conf_value *v, struct policy_strings *list)
{
    struct login login;
    struct errtext why;
    const char *name;
    if (strncmp(v->text, "group:", 6) == 0) {
        conf_fault(v->load, v->at, "%s: this version knows no groups; a login or @domain is right",
                   v->option);
    } else if (v->text[0] == '@') {
        if (conf_domain(v, span_of(v->text + 1), &name))
            conf_add_string(v, list, arena_printf(v->load->snapshot->arena, "@%s", name));
    } else if (login_normalise(v->load->snapshot->arena, login_of(v), span_of(v->text), &login,
                               &why)) {
        conf_add_string(v, list, login.name);
    } else {
        conf_wrong(v, &why);
    }
}

static void set_logins(const struct conf_value *v)
{
    add_login(v, &policy_of(v)->logins);
}

static void set_exempt_logins(const struct conf_value *v)
{
    add_login(v, &policy_of(v)->exempt_logins);
}

static void set_principals(const struct conf_value *v)
{
    const char *words[PRINCIPAL_KINDS + 1] = {NULL};
    for (int k = 0; k < PRINCIPAL_KINDS; k++)
        words[k] = principal_kind_name((enum principal_kind)k);
    conf_add_string(v, &policy_of(v)->principals, words[conf_word(v, words, PRINCIPAL_NONE)]);
}

static void set_policy_mode(const struct conf_value *v)
{
    static const char *const words[] = {"enforce", "observe", NULL};
    policy_of(v)->observe = conf_word(v, words, 0) == 1;
}

static void set_require_authentication(const struct conf_value *v)
{
    policy_of(v)->require_authentication = conf_boolean(v, false);
}

static void set_from_must_equal_envelope(const struct conf_value *v)
{
    policy_of(v)->from_must_equal_envelope = conf_boolean(v, false);
}

static void set_resent_covers_from(const struct conf_value *v)
{
    policy_of(v)->resent_covers_from = conf_boolean(v, false);
}

static void set_domain_grants(const struct conf_value *v)
{
    static const char *const words[] = {"all", "unowned", NULL};
    policy_of(v)->unowned_domains = conf_word(v, words, 0) == 1;
}

/* An address, @domain, @.domain or *: what it may be is a grant's. */
static void add_addresses(const struct conf_value *v, struct grant_list *list)
{
    struct grant grant = {.directory = "configuration", .attribute = v->option};
    struct errtext why;
    struct arena *a = v->load->snapshot->arena;
    if (!grant_parse(a, address_of(v), span_of(v->text), &grant, &why)) {
        conf_wrong(v, &why);
        return;
    }
    struct grant *items = conf_grow(a, list->items, list->count, sizeof *items);
    items[list->count] = grant;
    *list = (struct grant_list){items, list->count + 1};
}

static void set_local_sender_allow(const struct conf_value *v)
{
    if (strchr(v->text, '@') || strcmp(v->text, "*") == 0)
        add_addresses(v, &policy_of(v)->local_sender_allow);
    else
        add_net(v, &policy_of(v)->local_sender_networks);
}

static void set_exempt_recipients(const struct conf_value *v)
{
    add_addresses(v, &policy_of(v)->exempt_recipients);
}

/* Fields that mean something to others would be taken out of every message. */
static bool is_taken(const char *name)
{
    static const char *const taken[] = {"From",
                                        "Sender",
                                        "Reply-To",
                                        "To",
                                        "Cc",
                                        "Bcc",
                                        "Subject",
                                        "Date",
                                        "Message-ID",
                                        "Received",
                                        "Return-Path",
                                        "In-Reply-To",
                                        "References",
                                        "Content-Type",
                                        "MIME-Version",
                                        "Content-Transfer-Encoding",
                                        "DKIM-Signature",
                                        "Authentication-Results",
                                        "Resent-From",
                                        "Resent-Sender",
                                        "Resent-To",
                                        "Resent-Date",
                                        "Resent-Message-ID",
                                        "List-Id",
                                        "Auto-Submitted",
                                        AMEND_TAG,
                                        AMEND_ORIGINAL_FROM,
                                        NULL};
    for (size_t i = 0; taken[i]; i++)
        if (span_equal_nocase(span_of(taken[i]), span_of(name)))
            return true;
    return false;
}

/* ftext of RFC 5322 section 3.6.8. */
static void set_trace_header(const struct conf_value *v)
{
    enum { NAME_MAX_LEN = 76 };
    size_t len = strlen(v->text);
    bool good = len > 0 && len <= NAME_MAX_LEN;
    for (const char *c = v->text; *c && good; c++)
        good = *c > ' ' && *c <= '~' && *c != ':';
    if (good && !is_taken(v->text))
        policy_of(v)->trace_header = conf_keep(v);
    else
        conf_fault(v->load, v->at,
                   "trace_header: \"%s\" is no name of a field of our own; \"X-Sent-By\" is right",
                   v->text);
}

static void set_auth_results(const struct conf_value *v)
{
    policy_of(v)->auth_results = conf_boolean(v, false);
}

static void set_max_recipients(const struct conf_value *v)
{
    policy_of(v)->max_recipients = (unsigned)conf_number(v, 0, 1000000);
}

static void set_directories(const struct conf_value *v)
{
    conf_add_string(v, &policy_of(v)->directories, conf_keep(v));
}

static void list_actions(enum policy_check check, struct errtext *out)
{
    out->text[0] = '\0';
    for (int a = 0; a <= ACTION_ACCEPT; a++) {
        struct errtext before = *out;
        if (policy_check_takes(check, (enum policy_action)a))
            errtext_set(out, "%s%s%s", before.text, *before.text ? ", " : "",
                        policy_action_name((enum policy_action)a));
    }
}

void conf_set_check(const struct conf_value *v)
{
    enum policy_check check;
    enum policy_action action;
    struct errtext takes;
    if (!policy_check_by_name(v->option, &check))
        return;
    if (policy_action_by_name(v->text, &action) && policy_check_takes(check, action)) {
        policy_of(v)->actions[check] = action;
        return;
    }
    list_actions(check, &takes);
    conf_fault(v->load, v->at, "%s: \"%s\" is not one of %s", v->option, v->text, takes.text);
}

/* ---- reply ---- */

static void set_text(const struct conf_value *v)
{
    const char **text = v->target;
    struct errtext why;
    if (!reply_check_template(v->text, &why))
        conf_wrong(v, &why);
    else
        *text = conf_keep(v);
}

/* ---- the table of options ---- */

const struct conf_option conf_options[] = {
    {CONF_SECTION_TOP, "socket", false, set_socket},
    {CONF_SECTION_TOP, "socket_mode", false, set_socket_mode},
    {CONF_SECTION_TOP, "socket_group", false, set_socket_group},
    {CONF_SECTION_TOP, "user", false, set_user},
    {CONF_SECTION_TOP, "mode", false, set_mode},
    {CONF_SECTION_TOP, "mta", false, set_mta},
    {CONF_SECTION_TOP, "refuse_at", false, set_refuse_at},
    {CONF_SECTION_TOP, "command_budget", false, set_command_budget},
    {CONF_SECTION_TOP, "max_waiting", false, set_max_waiting},
    {CONF_SECTION_TOP, "log", false, set_log},
    {CONF_SECTION_TOP, "log_format", false, set_log_format},
    {CONF_SECTION_TOP, "help_url", false, set_help_url},
    {CONF_SECTION_TOP, "local_domains", true, set_local_domains},
    {CONF_SECTION_TOP, "trusted_networks", true, set_trusted_networks},
    {CONF_SECTION_TOP, "authserv_id", false, set_authserv_id},
    {CONF_SECTION_TOP, "cert_issuers", true, set_cert_issuers},
    {CONF_SECTION_TOP, "max_headers", false, set_max_headers},
    {CONF_SECTION_TOP, "max_header_size", false, set_max_header_size},
    {CONF_SECTION_LOGIN, "fold_case", false, set_fold_case}, /* rewrite folds by it */
    {CONF_SECTION_LOGIN, "default_domain", false, set_default_domain},
    {CONF_SECTION_LOGIN, "rewrite", true, set_rewrite},
    {CONF_SECTION_LOGIN, "master_separator", false, set_master_separator},
    {CONF_SECTION_ADDRESS, "delimiter", false, set_delimiter},
    {CONF_SECTION_ADDRESS, "alias_domains", true, set_alias_domains},
    {CONF_SECTION_ADDRESS, "fold_local_part", false, set_fold_local_part},
    {CONF_SECTION_ADDRESS, "source_routes", false, set_source_routes},
    {CONF_SECTION_ADDRESS, "unwrap", true, set_unwrap},
    {CONF_SECTION_POLICY, "listeners", true, set_listeners},
    {CONF_SECTION_POLICY, "client_networks", true, set_client_networks},
    {CONF_SECTION_POLICY, "logins", true, set_logins},
    {CONF_SECTION_POLICY, "principals", true, set_principals},
    {CONF_SECTION_POLICY, "mode", false, set_policy_mode},
    {CONF_SECTION_POLICY, "require_authentication", false, set_require_authentication},
    {CONF_SECTION_POLICY, "from_must_equal_envelope", false, set_from_must_equal_envelope},
    {CONF_SECTION_POLICY, "resent_covers_from", false, set_resent_covers_from},
    {CONF_SECTION_POLICY, "domain_grants", false, set_domain_grants},
    {CONF_SECTION_POLICY, "local_sender_allow", true, set_local_sender_allow},
    {CONF_SECTION_POLICY, "exempt_recipients", true, set_exempt_recipients},
    {CONF_SECTION_POLICY, "trace_header", false, set_trace_header},
    {CONF_SECTION_POLICY, "auth_results", false, set_auth_results},
    {CONF_SECTION_POLICY, "max_recipients", false, set_max_recipients},
    {CONF_SECTION_POLICY, "exempt_logins", true, set_exempt_logins},
    {CONF_SECTION_POLICY, "directories", true, set_directories},
    {CONF_SECTION_REPLY, "text", false, set_text},
    {CONF_SECTIONS, NULL, false, NULL},
};
