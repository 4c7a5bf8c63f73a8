#include "replay_conf.h"
#include "dir_file.h"
#include "dir_network.h"

#include <stdlib.h>
#include <string.h>

/* ---- values of options ---- */

/* What an option is set in. */
struct target {
    struct snapshot *snapshot;
    struct policy *policy;
    struct network *network;
    struct replay_cache *cache;
};

typedef bool setter(struct target *t, const struct replay_words *values);

static bool flag_value(const struct replay_words *v, const char *yes, const char *no, bool *out)
{
    *out = strcmp(v->items[0], yes) == 0;
    return v->count == 1 && (*out || strcmp(v->items[0], no) == 0);
}

static bool number_value(const struct replay_words *v, unsigned long *out)
{
    char *end;
    *out = strtoul(v->items[0], &end, 10);
    return v->count == 1 && *end == '\0';
}

static struct policy_strings strings_value(const struct replay_words *v)
{
    return (struct policy_strings){.items = v->items, .count = v->count};
}

static bool nets_value(struct arena *a, const struct replay_words *v, struct netset *out)
{
    struct net *nets = arena_array(a, v->count, sizeof *nets);
    for (size_t i = 0; i < v->count; i++)
        if (!net_parse(span_of(v->items[i]), &nets[i], NULL))
            return false;
    *out = (struct netset){.items = nets, .count = v->count};
    return true;
}

/* "LEFT=RIGHT" */
static bool split_value(struct arena *a, const char *text, const char **left, const char **right)
{
    struct span all = span_of(text);
    size_t equals = span_find(all, '=');
    *left = arena_copy(a, span_sub(all, 0, equals));
    *right = arena_copy(a, span_sub(all, equals + 1, all.len));
    return equals < all.len;
}

/* ---- top level ---- */

static bool set_local_domains(struct target *t, const struct replay_words *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (!domset_add(t->snapshot->local_domains, span_of(v->items[i]), NULL))
            return false;
    return true;
}

static bool set_trusted_networks(struct target *t, const struct replay_words *v)
{
    return nets_value(t->snapshot->arena, v, &t->snapshot->trusted_networks);
}

static bool set_daemon_mode(struct target *t, const struct replay_words *v)
{
    bool observe;
    if (!flag_value(v, "observe", "enforce", &observe))
        return false;
    for (size_t i = 0; observe && i < t->snapshot->policy_count; i++)
        t->snapshot->policies[i].observe = true;
    return true;
}

static bool set_max_headers(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->snapshot->max_headers = (unsigned)number;
    return ok;
}

static bool set_max_header_size(struct target *t, const struct replay_words *v)
{
    return number_value(v, &t->snapshot->max_header_size);
}

static bool set_command_budget(struct target *t, const struct replay_words *v)
{
    return v->count == 1 && replay_duration(v->items[0], &t->snapshot->command_budget);
}

static bool set_mta(struct target *t, const struct replay_words *v)
{
    static const char *const names[] = {
        [LOGIN_MTA_AUTO] = "auto",
        [LOGIN_MTA_POSTFIX] = "postfix",
        [LOGIN_MTA_SENDMAIL] = "sendmail",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], v->items[0]) == 0) {
            t->snapshot->mta = (enum login_mta)i;
            return true;
        }
    }
    return false;
}

static bool set_help_url(struct target *t, const struct replay_words *v)
{
    t->snapshot->replies.help_url = v->items[0];
    return v->count == 1;
}

static bool set_authserv_id(struct target *t, const struct replay_words *v)
{
    t->snapshot->authserv_id = v->items[0];
    return v->count == 1;
}

static bool set_cert_issuers(struct target *t, const struct replay_words *v)
{
    t->snapshot->cert_issuers = strings_value(v);
    return true;
}

/* ---- cache ---- */

static bool set_cache_ttl(struct target *t, const struct replay_words *v)
{
    t->cache->used = true;
    return v->count == 1 && replay_duration(v->items[0], &t->cache->conf.ttl);
}

static bool set_negative_ttl(struct target *t, const struct replay_words *v)
{
    t->cache->used = true;
    return v->count == 1 && replay_duration(v->items[0], &t->cache->conf.negative_ttl);
}

static bool set_cache_entries(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->cache->used = true;
    t->cache->conf.entries = (unsigned)number;
    return ok;
}

/* "COUNT/DURATION" */
static bool set_recheck_rate(struct target *t, const struct replay_words *v)
{
    char *end;
    unsigned long count = strtoul(v->items[0], &end, 10);
    t->cache->used = true;
    t->cache->conf.recheck_count = (unsigned)count;
    return v->count == 1 && *end == '/' && replay_duration(end + 1, &t->cache->conf.recheck_period);
}

/* ---- login and address ---- */

static bool set_default_domain(struct target *t, const struct replay_words *v)
{
    t->snapshot->login.default_domain = v->items[0];
    return v->count == 1;
}

static bool set_rewrite(struct target *t, const struct replay_words *v)
{
    struct arena *a = t->snapshot->arena;
    struct login_rewrite *rewrites = arena_array(a, v->count, sizeof *rewrites);
    for (size_t i = 0; i < v->count; i++)
        if (!split_value(a, v->items[i], &rewrites[i].from, &rewrites[i].to))
            return false;
    t->snapshot->login.rewrites = rewrites;
    t->snapshot->login.rewrite_count = v->count;
    return true;
}

static bool set_master_separator(struct target *t, const struct replay_words *v)
{
    t->snapshot->login.master_separator = v->items[0][0];
    return v->count == 1 && strlen(v->items[0]) == 1;
}

static bool set_fold_case(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->snapshot->login.fold_case);
}

static bool set_delimiter(struct target *t, const struct replay_words *v)
{
    t->snapshot->address.delimiters = v->items[0];
    return v->count == 1;
}

static bool set_alias_domains(struct target *t, const struct replay_words *v)
{
    struct arena *a = t->snapshot->arena;
    struct addr_alias *aliases = arena_array(a, v->count, sizeof *aliases);
    for (size_t i = 0; i < v->count; i++)
        if (!split_value(a, v->items[i], &aliases[i].alias, &aliases[i].domain))
            return false;
    t->snapshot->address.aliases = aliases;
    t->snapshot->address.alias_count = v->count;
    return true;
}

static bool set_fold_local_part(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->snapshot->address.fold_local_part);
}

static bool set_source_routes(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "strip", "refuse", &t->snapshot->address.strip_routes);
}

static bool set_unwrap(struct target *t, const struct replay_words *v)
{
    for (size_t i = 0; i < v->count; i++) {
        bool batv = strcmp(v->items[i], "batv") == 0;
        if (!batv && strcmp(v->items[i], "srs") != 0)
            return false;
        *(batv ? &t->snapshot->unwrap_batv : &t->snapshot->unwrap_srs) = true;
    }
    return true;
}

/* ---- policy ---- */

static bool set_mode(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "observe", "enforce", &t->policy->observe);
}

static bool set_listeners(struct target *t, const struct replay_words *v)
{
    t->policy->listeners = strings_value(v);
    return true;
}

static bool set_client_networks(struct target *t, const struct replay_words *v)
{
    return nets_value(t->snapshot->arena, v, &t->policy->client_networks);
}

static bool set_logins(struct target *t, const struct replay_words *v)
{
    t->policy->logins = strings_value(v);
    return true;
}

static bool set_principals(struct target *t, const struct replay_words *v)
{
    t->policy->principals = strings_value(v);
    return true;
}

static bool set_exempt_logins(struct target *t, const struct replay_words *v)
{
    t->policy->exempt_logins = strings_value(v);
    return true;
}

static bool set_directories(struct target *t, const struct replay_words *v)
{
    t->policy->directories = strings_value(v);
    return true;
}

static bool set_require_authentication(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->require_authentication);
}

static bool set_from_must_equal_envelope(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->from_must_equal_envelope);
}

static bool set_resent_covers_from(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->resent_covers_from);
}

static bool set_max_recipients(struct target *t, const struct replay_words *v)
{
    unsigned long number;
    bool ok = number_value(v, &number);
    t->policy->max_recipients = (unsigned)number;
    return ok;
}

static bool set_domain_grants(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "unowned", "all", &t->policy->unowned_domains);
}

static bool addresses_value(struct snapshot *s, const struct replay_words *v,
                            struct grant_list *out)
{
    struct grant *grants = arena_array(s->arena, v->count, sizeof *grants);
    for (size_t i = 0; i < v->count; i++)
        if (!grant_parse(s->arena, &s->address, span_of(v->items[i]), &grants[i], NULL))
            return false;
    *out = (struct grant_list){grants, v->count};
    return true;
}

static bool set_exempt_recipients(struct target *t, const struct replay_words *v)
{
    return addresses_value(t->snapshot, v, &t->policy->exempt_recipients);
}

/* Addresses, or networks. */
static bool set_local_sender_allow(struct target *t, const struct replay_words *v)
{
    if (strchr(v->items[0], '@'))
        return addresses_value(t->snapshot, v, &t->policy->local_sender_allow);
    return nets_value(t->snapshot->arena, v, &t->policy->local_sender_networks);
}

static bool set_trace_header(struct target *t, const struct replay_words *v)
{
    t->policy->trace_header = v->items[0];
    return v->count == 1;
}

static bool set_auth_results(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->policy->auth_results);
}

/* ---- network ---- */

static bool set_send_as(struct target *t, const struct replay_words *v)
{
    struct grant_list *list = &t->network->send_as;
    if (!addresses_value(t->snapshot, v, list))
        return false;
    struct grant *named = arena_array(t->snapshot->arena, list->count, sizeof *named);
    for (size_t i = 0; i < list->count; i++) {
        named[i] = list->items[i];
        named[i].directory = DIR_NETWORK_NAME;
        named[i].entry = t->network->name;
        named[i].attribute = "send_as";
    }
    list->items = named;
    return true;
}

static bool set_network_relay(struct target *t, const struct replay_words *v)
{
    return flag_value(v, "yes", "no", &t->network->relay);
}

/* ---- the tables ---- */

struct setting {
    const char *name;
    setter *set;
};

static const struct setting daemon_settings[] = {
    {"local_domains", set_local_domains},
    {"trusted_networks", set_trusted_networks},
    {"mode", set_daemon_mode},
    {"max_headers", set_max_headers},
    {"max_header_size", set_max_header_size},
    {"command_budget", set_command_budget},
    {"mta", set_mta},
    {"help_url", set_help_url},
    {"authserv_id", set_authserv_id},
    {"cert_issuers", set_cert_issuers},
    {"cache_ttl", set_cache_ttl},
    {"negative_ttl", set_negative_ttl},
    {"cache_entries", set_cache_entries},
    {"recheck_rate", set_recheck_rate},
    {NULL, NULL},
};
static const struct setting login_settings[] = {
    {"default_domain", set_default_domain},
    {"rewrite", set_rewrite},
    {"master_separator", set_master_separator},
    {"fold_case", set_fold_case},
    {NULL, NULL},
};
static const struct setting address_settings[] = {
    {"delimiter", set_delimiter},
    {"alias_domains", set_alias_domains},
    {"fold_local_part", set_fold_local_part},
    {"source_routes", set_source_routes},
    {"unwrap", set_unwrap},
    {NULL, NULL},
};
static const struct setting policy_settings[] = {
    {"mode", set_mode},
    {"listeners", set_listeners},
    {"client_networks", set_client_networks},
    {"logins", set_logins},
    {"principals", set_principals},
    {"exempt_logins", set_exempt_logins},
    {"directories", set_directories},
    {"require_authentication", set_require_authentication},
    {"from_must_equal_envelope", set_from_must_equal_envelope},
    {"resent_covers_from", set_resent_covers_from},
    {"max_recipients", set_max_recipients},
    {"domain_grants", set_domain_grants},
    {"exempt_recipients", set_exempt_recipients},
    {"local_sender_allow", set_local_sender_allow},
    {"trace_header", set_trace_header},
    {"auth_results", set_auth_results},
    {NULL, NULL},
};

static const struct setting network_settings[] = {
    {"send_as", set_send_as},
    {"relay", set_network_relay},
    {NULL, NULL},
};

static bool set_check(struct target *t, const struct replay_option *option)
{
    enum policy_check check;
    enum policy_action action;
    if (!t->policy || option->values.count != 1 || !policy_check_by_name(option->name, &check) ||
        !policy_action_by_name(option->values.items[0], &action) ||
        !policy_check_takes(check, action))
        return false;
    t->policy->actions[check] = action;
    return true;
}

static bool apply(struct target *t, const struct setting *settings,
                  const struct replay_option *option)
{
    for (; settings->name; settings++)
        if (strcmp(settings->name, option->name) == 0)
            return settings->set(t, &option->values);
    return set_check(t, option);
}

static bool apply_all(struct target *t, const struct setting *settings,
                      const struct replay_options *options, struct errtext *why)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct replay_option *option = &options->items[i];
        if (!apply(t, settings, option)) {
            errtext_set(why, "line %u: unknown option or bad value: %s %s", option->line,
                        option->name, option->values.items[0]);
            return false;
        }
    }
    return true;
}

/* ---- the snapshot ---- */

static bool make_policies(struct snapshot *s, const struct replay_setup *setup, struct errtext *why)
{
    s->policy_count = setup->policy_count + POLICY_BUILTINS;
    s->policies = arena_array(s->arena, s->policy_count, sizeof *s->policies);
    policy_builtins(s->policies + setup->policy_count);
    for (size_t i = 0; i < setup->policy_count; i++) {
        struct target t = {.snapshot = s, .policy = &s->policies[i]};
        policy_defaults(t.policy);
        t.policy->name = setup->policies[i].name;
        if (!apply_all(&t, policy_settings, &setup->policies[i].options, why))
            return false;
    }
    return true;
}

bool replay_conf_apply(struct snapshot *s, struct replay_cache *cache,
                       const struct replay_setup *setup, struct errtext *why)
{
    struct target t = {.snapshot = s, .cache = cache};
    *cache = (struct replay_cache){.conf = {.ttl = 300 * CLOCK_S,
                                            .negative_ttl = 30 * CLOCK_S,
                                            .entries = 100000,
                                            .recheck_count = 20,
                                            .recheck_period = CLOCK_S}};
    s->login.fold_case = true;
    s->address.fold_local_part = true;
    s->command_budget = 3 * CLOCK_S;
    s->max_headers = 1000;
    s->max_header_size = (size_t)64 << 10;
    return make_policies(s, setup, why) && apply_all(&t, daemon_settings, &setup->options, why) &&
           apply_all(&t, login_settings, &setup->login, why) &&
           apply_all(&t, address_settings, &setup->address, why);
}

/* ---- networks ---- */

static bool read_network(struct snapshot *s, const struct replay_block *block, struct network *out,
                         struct errtext *why)
{
    struct target t = {.snapshot = s, .network = out};
    if (!net_parse(span_of(block->name), &out->net, why))
        return false;
    out->name = net_text(s->arena, &out->net);
    out->is_block = true;
    return apply_all(&t, network_settings, &block->options, why);
}

static size_t add_owners(struct snapshot *s, struct netset nets, struct network *out)
{
    for (size_t i = 0; i < nets.count; i++)
        out[i] = (struct network){.net = nets.items[i], .name = net_text(s->arena, &nets.items[i])};
    return nets.count;
}

bool replay_conf_networks(struct snapshot *s, const struct replay_setup *setup, struct errtext *why)
{
    struct netset nets = dir_file_nets(dir_backend_at(s->dir, 0));
    struct network *networks =
        arena_array(s->arena, setup->network_count + nets.count, sizeof *networks);
    size_t count = 0;
    for (; count < setup->network_count; count++)
        if (!read_network(s, &setup->networks[count], &networks[count], why))
            return false;
    count += add_owners(s, nets, networks + count);
    s->networks = (struct network_set){networks, count};
    return !setup->network_count || dir_add(s->dir, dir_network_create(&s->networks));
}
