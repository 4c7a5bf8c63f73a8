#include "conf.h"
#include "conf_scan.h"
#include "conf_value.h"
#include "dir_file.h"
#include "strbuf.h"
#include "utext.h"
#include "xalloc.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- state of one load ---- */

struct place {
    const char *file;
    unsigned line;
};

/* Where a value stood: libConfuse forgets it as soon as it has parsed it. */
struct mark {
    struct mark *next;
    const cfg_t *section;
    const char *option;
    struct place at;
};

struct load {
    struct arena *arena; /* of the load itself */
    struct conf *conf;
    struct snapshot *snapshot;
    conf_report *report;
    void *context;
    unsigned faults;
    struct mark *marks;
    unsigned depth; /* of includes */
    cfg_t *top;
    struct dir_conf dir_conf;
    bool observe;
};

/* The functions that libConfuse calls get no pointer of ours; conf.h says one load at a time. */
static struct load *loading;

static void say(struct load *l, enum conf_severity severity, struct place at, const char *text)
{
    l->faults += severity == CONF_ERROR;
    l->report(l->context, severity, at.file, at.line, text);
}

static void PRINTF_LIKE(3, 4) fault(struct load *l, struct place at, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    struct errtext line;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    errtext_set(&line, "%s", text);
    say(l, CONF_ERROR, at, line.text);
}

static void PRINTF_LIKE(3, 4) warn(struct load *l, struct place at, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(l, CONF_WARNING, at, text);
}

/* ---- values as the table of options sees them ---- */

enum section {
    SECTION_TOP,
    SECTION_LOGIN,
    SECTION_ADDRESS,
    SECTION_DIRECTORY,
    SECTION_POLICY,
    SECTION_REPLY,
    SECTIONS
};

/* One value, or one item of a list. */
struct value {
    struct load *load;
    const char *option, *text;
    struct place at;
    void *target; /* what the section fills */
};

struct option {
    enum section section;
    const char *name;
    bool list;
    void (*set)(const struct value *v);
};

static void wrong(const struct value *v, const struct errtext *why)
{
    fault(v->load, v->at, "%s: %s", v->option, why->text);
}

static const char *keep(const struct value *v)
{
    return arena_strdup(v->load->snapshot->arena, v->text);
}

static unsigned word(const struct value *v, const char *const *words, unsigned preset)
{
    struct errtext why;
    unsigned index = preset;
    if (!conf_value_word(v->text, words, &index, &why))
        wrong(v, &why);
    return index;
}

static uint64_t number(const struct value *v, uint64_t min, uint64_t max)
{
    struct errtext why;
    char min_text[24], max_text[24];
    uint64_t out = min;
    (void)snprintf(min_text, sizeof min_text, "%llu", (unsigned long long)min);
    (void)snprintf(max_text, sizeof max_text, "%llu", (unsigned long long)max);
    struct conf_range range = {min, max, min_text, max_text};
    if (!conf_value_number(v->text, &range, &out, &why))
        wrong(v, &why);
    return out;
}

static bool boolean(const struct value *v, bool preset)
{
    struct errtext why;
    bool out = preset;
    if (!conf_value_bool(v->text, &out, &why))
        wrong(v, &why);
    return out;
}

/* False, and a fault, for what is no domain. The root may be written out. */
static bool domain(const struct value *v, struct span text, const char **out)
{
    struct errtext why;
    if (text.len && text.data[text.len - 1] == '.')
        text.len--;
    if (utext_domain(v->load->snapshot->arena, text, out, &why))
        return true;
    wrong(v, &why);
    return false;
}

/* Lists grow by one; there are few items, and the arena takes what is left behind. */
static void *grow(struct arena *a, const void *items, size_t count, size_t size)
{
    char *more = arena_array(a, count + 1, size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

static void add_string(const struct value *v, struct policy_strings *list, const char *text)
{
    const char **items = grow(v->load->snapshot->arena, list->items, list->count, sizeof *items);
    items[list->count] = text;
    *list = (struct policy_strings){items, list->count + 1};
}

static void add_net(const struct value *v, struct netset *set)
{
    struct net net;
    struct errtext why;
    if (!net_parse(span_of(v->text), &net, &why)) {
        wrong(v, &why);
        return;
    }
    struct net *items = grow(v->load->snapshot->arena, set->items, set->count, sizeof *items);
    items[set->count] = net;
    *set = (struct netset){items, set->count + 1};
}

/* ---- top level ---- */

static struct conf_daemon *daemon_of(const struct value *v)
{
    return &v->load->conf->daemon;
}

static const char *keep_daemon(const struct value *v)
{
    return arena_strdup(v->load->conf->arena, v->text);
}

static void set_socket(const struct value *v)
{
    struct errtext why;
    if (!conf_value_socket(v->text, &why)) {
        wrong(v, &why);
        return;
    }
    daemon_of(v)->socket =
        v->text[0] == '/' ? arena_printf(v->load->conf->arena, "unix:%s", v->text) : keep_daemon(v);
}

static void set_socket_mode(const struct value *v)
{
    struct errtext why;
    if (!conf_value_mode(v->text, &daemon_of(v)->socket_mode, &why))
        wrong(v, &why);
}

static void set_socket_group(const struct value *v)
{
    daemon_of(v)->socket_group = *v->text ? keep_daemon(v) : NULL;
}

static void set_user(const struct value *v)
{
    if (!*v->text) {
        fault(v->load, v->at, "user: an empty name; an existing system user is right");
        return;
    }
    daemon_of(v)->user = keep_daemon(v);
    daemon_of(v)->user_is_default = false;
}

static void set_mode(const struct value *v)
{
    static const char *const words[] = {"enforce", "observe", NULL};
    v->load->observe = word(v, words, 0) == 1;
}

static void set_mta(const struct value *v)
{
    static const char *const words[] = {"auto", "postfix", "sendmail", NULL};
    static const enum login_mta kinds[] = {LOGIN_MTA_AUTO, LOGIN_MTA_POSTFIX, LOGIN_MTA_SENDMAIL};
    v->load->snapshot->mta = kinds[word(v, words, 0)];
}

static void set_refuse_at(const struct value *v)
{
    static const char *const words[] = {"rcpt", "mail", NULL};
    daemon_of(v)->refuse_at_mail = word(v, words, 0) == 1;
}

static void set_command_budget(const struct value *v)
{
    static const struct conf_range range = {100 * CLOCK_MS, 25 * CLOCK_S, "100ms", "25s"};
    struct errtext why;
    if (!conf_value_duration(v->text, &range, &v->load->snapshot->command_budget, &why))
        wrong(v, &why);
}

static void set_max_waiting(const struct value *v)
{
    daemon_of(v)->max_waiting = (unsigned)number(v, 1, 10000);
}

static void set_log(const struct value *v)
{
    static const char *const words[] = {"syslog", "stderr", "journal", NULL};
    unsigned index;
    if (v->text[0] != '/' && !conf_value_word(v->text, words, &index, NULL)) {
        fault(v->load, v->at,
              "log: \"%s\" is not one of syslog, stderr, journal, or the absolute path of a file",
              v->text);
        return;
    }
    daemon_of(v)->log = keep_daemon(v);
}

static void set_log_format(const struct value *v)
{
    static const char *const words[] = {"text", "json", NULL};
    daemon_of(v)->log_json = word(v, words, 0) == 1;
}

static bool check_template(const struct value *v)
{
    struct errtext why;
    if (reply_check_template(v->text, &why))
        return true;
    wrong(v, &why);
    return false;
}

static void set_help_url(const struct value *v)
{
    if (check_template(v))
        v->load->snapshot->replies.help_url = *v->text ? keep(v) : NULL;
}

static void set_local_domains(const struct value *v)
{
    struct errtext why;
    if (!domset_add(v->load->snapshot->local_domains, span_of(v->text), &why))
        wrong(v, &why);
}

static void set_trusted_networks(const struct value *v)
{
    add_net(v, &v->load->snapshot->trusted_networks);
}

static void set_max_headers(const struct value *v)
{
    v->load->snapshot->max_headers = (unsigned)number(v, 1, 100000);
}

static void set_max_header_size(const struct value *v)
{
    static const struct conf_range range = {1024, 1024 * 1024, "1k", "1M"};
    struct errtext why;
    uint64_t size = v->load->snapshot->max_header_size;
    if (!conf_value_size(v->text, &range, &size, &why))
        wrong(v, &why);
    v->load->snapshot->max_header_size = (size_t)size;
}

/* ---- login ---- */

static struct login_rules *login_of(const struct value *v)
{
    return &v->load->snapshot->login;
}

static void set_default_domain(const struct value *v)
{
    const char *name;
    if (domain(v, span_of(v->text), &name))
        login_of(v)->default_domain = name;
}

/* "FROM=TO": suffixes of a login; both may hold a domain behind their '@'. */
static bool suffix(const struct value *v, struct span text, const char **out)
{
    struct arena *a = v->load->snapshot->arena;
    size_t at = span_find_last(text, '@');
    const char *name = "";
    if (at + 1 < text.len && !domain(v, span_sub(text, at + 1, text.len), &name))
        return false;
    char *local = arena_copy(a, span_sub(text, 0, at));
    for (char *c = local; *c && login_of(v)->fold_case; c++)
        *c = ascii_lower(*c);
    *out = at == text.len ? local : arena_printf(a, "%s@%s", local, name);
    return true;
}

static void set_rewrite(const struct value *v)
{
    struct login_rules *rules = login_of(v);
    struct span text = span_of(v->text);
    size_t equals = span_find(text, '=');
    const char *from, *to;
    if (equals == 0 || equals == text.len) {
        fault(v->load, v->at,
              "rewrite: \"%s\" is no pair; \"@mail.example.net=@example.net\" is "
              "right, with nothing after the '=' to strip",
              v->text);
        return;
    }
    if (!suffix(v, span_sub(text, 0, equals), &from) ||
        !suffix(v, span_sub(text, equals + 1, text.len), &to))
        return;
    struct login_rewrite *items =
        grow(v->load->snapshot->arena, rules->rewrites, rules->rewrite_count, sizeof *items);
    items[rules->rewrite_count++] = (struct login_rewrite){from, to};
    rules->rewrites = items;
}

static void set_master_separator(const struct value *v)
{
    char c = v->text[0];
    bool good = c && !v->text[1] && c > ' ' && c <= '~' && c != '@' && !ascii_is_alpha(c) &&
                !ascii_is_digit(c);
    if (good)
        login_of(v)->master_separator = c;
    else
        fault(v->load, v->at, "master_separator: \"%s\" is not one sign of ASCII such as \"*\"",
              v->text);
}

static void set_fold_case(const struct value *v)
{
    login_of(v)->fold_case = boolean(v, true);
}

/* ---- address ---- */

static struct addr_rules *address_of(const struct value *v)
{
    return &v->load->snapshot->address;
}

static void set_delimiter(const struct value *v)
{
    for (const char *c = v->text; *c; c++) {
        if (*c > ' ' && *c <= '~' && *c != '@' && !ascii_is_alpha(*c) && !ascii_is_digit(*c))
            continue;
        fault(v->load, v->at, "delimiter: \"%s\" is no set of signs of ASCII such as \"+\"",
              v->text);
        return;
    }
    address_of(v)->delimiters = keep(v);
}

static void set_alias_domains(const struct value *v)
{
    struct addr_rules *rules = address_of(v);
    struct span text = span_of(v->text);
    size_t equals = span_find(text, '=');
    struct addr_alias alias;
    if (equals == 0 || equals + 1 >= text.len) {
        fault(v->load, v->at,
              "alias_domains: \"%s\" is no pair; \"alias.example.net=example.net\" is right",
              v->text);
        return;
    }
    if (!domain(v, span_sub(text, 0, equals), &alias.alias) ||
        !domain(v, span_sub(text, equals + 1, text.len), &alias.domain))
        return;
    struct addr_alias *items =
        grow(v->load->snapshot->arena, rules->aliases, rules->alias_count, sizeof *items);
    items[rules->alias_count++] = alias;
    rules->aliases = items;
}

static void set_fold_local_part(const struct value *v)
{
    address_of(v)->fold_local_part = boolean(v, true);
}

static void set_source_routes(const struct value *v)
{
    static const char *const words[] = {"refuse", "strip", NULL};
    address_of(v)->strip_routes = word(v, words, 0) == 1;
}

/* ---- directory ---- */

static struct dir_file_conf *directory_of(const struct value *v)
{
    return v->target;
}

static void set_type(const struct value *v)
{
    if (strcmp(v->text, "file") != 0)
        fault(v->load, v->at, "type: this version has no directory of type \"%s\"; file is right",
              v->text);
}

static void set_file(const struct value *v)
{
    if (v->text[0] == '/')
        directory_of(v)->file = keep(v);
    else
        fault(v->load, v->at,
              "file: \"%s\" is no absolute path; /etc/sendas-milter/senders is "
              "right",
              v->text);
}

static void set_login_domains(const struct value *v)
{
    struct dir_file_conf *d = directory_of(v);
    struct policy_strings list = {d->login_domains, d->login_domain_count};
    const char *name = "*";
    if (strcmp(v->text, "*") != 0 && !domain(v, span_of(v->text), &name))
        return;
    add_string(v, &list, name);
    d->login_domains = list.items;
    d->login_domain_count = list.count;
}

static void set_merge(const struct value *v)
{
    directory_of(v)->merge = boolean(v, false);
}

/* ---- policy ---- */

static struct policy *policy_of(const struct value *v)
{
    return v->target;
}

static void set_listeners(const struct value *v)
{
    struct value port = *v;
    port.text = v->text + 1;
    if (!*v->text) {
        fault(v->load, v->at,
              "listeners: an empty item; a {daemon_name}, :PORT, non-smtp or * is "
              "right");
        return;
    }
    if (v->text[0] == ':')
        (void)number(&port, 1, 65535);
    add_string(v, &policy_of(v)->listeners, keep(v));
}

static void set_client_networks(const struct value *v)
{
    add_net(v, &policy_of(v)->client_networks);
}

/* A login in normal form, or "@domain". */
static void add_login(const struct value *v, struct policy_strings *list)
{
    struct login login;
    struct errtext why;
    const char *name;
    if (strncmp(v->text, "group:", 6) == 0) {
        fault(v->load, v->at, "%s: this version knows no groups; a login or @domain is right",
              v->option);
    } else if (v->text[0] == '@') {
        if (domain(v, span_of(v->text + 1), &name))
            add_string(v, list, arena_printf(v->load->snapshot->arena, "@%s", name));
    } else if (login_normalise(v->load->snapshot->arena, login_of(v), span_of(v->text), &login,
                               &why)) {
        add_string(v, list, login.name);
    } else {
        wrong(v, &why);
    }
}

static void set_logins(const struct value *v)
{
    add_login(v, &policy_of(v)->logins);
}

static void set_exempt_logins(const struct value *v)
{
    add_login(v, &policy_of(v)->exempt_logins);
}

static void set_principals(const struct value *v)
{
    static const char *const words[] = {"sasl", "none", NULL};
    add_string(v, &policy_of(v)->principals, words[word(v, words, 0)]);
}

static void set_policy_mode(const struct value *v)
{
    static const char *const words[] = {"enforce", "observe", NULL};
    policy_of(v)->observe = word(v, words, 0) == 1;
}

static void set_require_authentication(const struct value *v)
{
    policy_of(v)->require_authentication = boolean(v, false);
}

static void set_max_recipients(const struct value *v)
{
    policy_of(v)->max_recipients = (unsigned)number(v, 0, 1000000);
}

static void set_directories(const struct value *v)
{
    add_string(v, &policy_of(v)->directories, keep(v));
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

static void set_check(const struct value *v)
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
    fault(v->load, v->at, "%s: \"%s\" is not one of %s", v->option, v->text, takes.text);
}

/* ---- reply ---- */

static void set_text(const struct value *v)
{
    const char **text = v->target;
    if (check_template(v))
        *text = keep(v);
}

/* ---- the table of options ---- */

static const struct option options[] = {
    {SECTION_TOP, "socket", false, set_socket},
    {SECTION_TOP, "socket_mode", false, set_socket_mode},
    {SECTION_TOP, "socket_group", false, set_socket_group},
    {SECTION_TOP, "user", false, set_user},
    {SECTION_TOP, "mode", false, set_mode},
    {SECTION_TOP, "mta", false, set_mta},
    {SECTION_TOP, "refuse_at", false, set_refuse_at},
    {SECTION_TOP, "command_budget", false, set_command_budget},
    {SECTION_TOP, "max_waiting", false, set_max_waiting},
    {SECTION_TOP, "log", false, set_log},
    {SECTION_TOP, "log_format", false, set_log_format},
    {SECTION_TOP, "help_url", false, set_help_url},
    {SECTION_TOP, "local_domains", true, set_local_domains},
    {SECTION_TOP, "trusted_networks", true, set_trusted_networks},
    {SECTION_TOP, "max_headers", false, set_max_headers},
    {SECTION_TOP, "max_header_size", false, set_max_header_size},
    {SECTION_LOGIN, "fold_case", false, set_fold_case}, /* rewrite folds by it */
    {SECTION_LOGIN, "default_domain", false, set_default_domain},
    {SECTION_LOGIN, "rewrite", true, set_rewrite},
    {SECTION_LOGIN, "master_separator", false, set_master_separator},
    {SECTION_ADDRESS, "delimiter", false, set_delimiter},
    {SECTION_ADDRESS, "alias_domains", true, set_alias_domains},
    {SECTION_ADDRESS, "fold_local_part", false, set_fold_local_part},
    {SECTION_ADDRESS, "source_routes", false, set_source_routes},
    {SECTION_DIRECTORY, "type", false, set_type},
    {SECTION_DIRECTORY, "file", false, set_file},
    {SECTION_DIRECTORY, "login_domains", true, set_login_domains},
    {SECTION_DIRECTORY, "merge", false, set_merge},
    {SECTION_POLICY, "listeners", true, set_listeners},
    {SECTION_POLICY, "client_networks", true, set_client_networks},
    {SECTION_POLICY, "logins", true, set_logins},
    {SECTION_POLICY, "principals", true, set_principals},
    {SECTION_POLICY, "mode", false, set_policy_mode},
    {SECTION_POLICY, "require_authentication", false, set_require_authentication},
    {SECTION_POLICY, "max_recipients", false, set_max_recipients},
    {SECTION_POLICY, "exempt_logins", true, set_exempt_logins},
    {SECTION_POLICY, "directories", true, set_directories},
    {SECTION_REPLY, "text", false, set_text},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

/* ---- lists from files ---- */

/* "@file:PATH": one value a line, '#' begins a comment. */
static void set_from_file(const struct option *option, const struct value *v, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    struct value item = *v;
    item.at = (struct place){path, 0};
    FILE *stream = fopen(path, "re");
    if (!stream) {
        fault(v->load, v->at, "%s: cannot read %s: %s", v->option, path, strerror(errno));
        return;
    }
    for (ssize_t len; (len = getline(&line, &room, stream)) >= 0;) {
        struct span text = span_make(line, (size_t)len);
        text = span_trim(span_sub(text, 0, span_find(text, '#')));
        item.at.line++;
        item.text = arena_copy(v->load->arena, text);
        if (text.len)
            option->set(&item);
    }
    if (ferror(stream))
        fault(v->load, v->at, "%s: cannot read %s: %s", v->option, path, strerror(errno));
    free(line);
    (void)fclose(stream);
}

/* ---- libConfuse ---- */

static struct place place_of(const cfg_t *section, const char *option, size_t nth)
{
    struct place at = {section->filename, (unsigned)section->line};
    for (const struct mark *m = loading->marks; m; m = m->next)
        if (m->section == section && strcmp(m->option, option) == 0 && nth-- == 0)
            return m->at;
    return at;
}

static size_t marks_of(const cfg_t *section, const char *option)
{
    size_t count = 0;
    for (const struct mark *m = loading->marks; m; m = m->next)
        count += m->section == section && strcmp(m->option, option) == 0;
    return count;
}

/* Appended, so that the nth mark of a list belongs to its nth item. */
static struct place put_mark(const cfg_t *section, const char *option)
{
    struct mark **end = &loading->marks;
    struct arena *a = loading->arena;
    while (*end)
        end = &(*end)->next;
    *end = arena_alloc(a, sizeof **end);
    **end = (struct mark){
        .section = section,
        .option = arena_strdup(a, option),
        .at = {arena_strdup(a, section->filename ? section->filename : ""),
               (unsigned)section->line},
    };
    return (*end)->at;
}

static int note_scalar(cfg_t *cfg, cfg_opt_t *opt)
{
    bool again = marks_of(cfg, opt->name) > 0;
    struct place at = put_mark(cfg, opt->name);
    if (again)
        fault(loading, at, "%s: set before, at line %u; once is right", opt->name,
              place_of(cfg, opt->name, 0).line);
    return 0;
}

static int note_item(cfg_t *cfg, cfg_opt_t *opt)
{
    (void)put_mark(cfg, opt->name);
    return 0;
}

static const char *const section_names[SECTIONS] = {
    [SECTION_TOP] = NULL,          [SECTION_LOGIN] = "login",
    [SECTION_ADDRESS] = "address", [SECTION_DIRECTORY] = "directory",
    [SECTION_POLICY] = "policy",   [SECTION_REPLY] = "reply",
};

enum { WORDS_MAX = 64 };

/* All that may stand in a section: its options, and the blocks at the top. */
static void names_in(enum section section, const char *out[WORDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        if (options[i].section == section)
            out[count++] = options[i].name;
    for (int c = 0; c < CHECK_COUNT && section == SECTION_POLICY; c++)
        out[count++] = policy_check_name((enum policy_check)c);
    for (int s = SECTION_LOGIN; s < SECTIONS && section == SECTION_TOP; s++)
        out[count++] = section_names[s];
    out[count] = NULL;
}

static enum section section_by_name(const char *name)
{
    for (int s = SECTION_LOGIN; s < SECTIONS; s++)
        if (name && strcmp(section_names[s], name) == 0)
            return (enum section)s;
    return SECTION_TOP;
}

static void unknown_option(cfg_t *cfg, const char *name)
{
    const char *names[WORDS_MAX];
    struct arena *a = loading->arena;
    struct place at = {cfg->filename, (unsigned)cfg->line};
    names_in(section_by_name(cfg->name), names);
    const char *nearest = conf_value_nearest(name, names);
    if (nearest) {
        fault(loading, at, "%s: there is no such option; did you mean %s?", name, nearest);
        return;
    }
    struct strbuf all;
    strbuf_init(&all, a);
    for (size_t i = 0; names[i]; i++)
        strbuf_printf(&all, "%s%s", i ? " " : "", names[i]);
    fault(loading, at, "%s: there is no such option; these are right here: %s", name, all.text);
}

static void take_error(cfg_t *cfg, const char *format, va_list args)
{
    char text[ERRTEXT_SIZE];
    char name[64];
    (void)vsnprintf(text, sizeof text, format, args);
    if (cfg && sscanf(text, "no such option '%63[^']'", name) == 1) {
        unknown_option(cfg, name);
        return;
    }
    struct place at = {cfg && cfg->filename ? cfg->filename : "", cfg ? (unsigned)cfg->line : 0};
    if (sscanf(text, "found duplicate title '%63[^']'", name) == 1)
        fault(loading, at, "\"%s\": a block of this kind has the name already; names differ", name);
    else
        fault(loading, at, "%s", text);
}

static void take_scan_fault(void *context, const char *file, unsigned line, const char *what)
{
    fault(context, (struct place){file, line}, "%s", what);
}

static const char *beside(struct arena *a, const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    if (name[0] == '/' || !slash)
        return name;
    return arena_printf(a, "%.*s/%s", (int)(slash - file), file, name);
}

/* include("FILE"), relative to the file that includes. */
static int take_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    if (argc != 1) {
        fault(loading, (struct place){cfg->filename, (unsigned)cfg->line},
              "include takes one file: include(\"FILE\") is right");
        return 1;
    }
    const char *path = beside(loading->arena, cfg->filename, argv[0]);
    if (!conf_scan(path, take_scan_fault, loading))
        return 1;
    return cfg_include(cfg, opt, argc, &path);
}

static cfg_opt_t option_of(const char *name, bool list)
{
    cfg_opt_t scalar = CFG_STR(NULL, NULL, CFGF_NODEFAULT);
    cfg_opt_t many = CFG_STR_LIST(NULL, NULL, CFGF_NODEFAULT);
    cfg_opt_t opt = list ? many : scalar;
    opt.name = name;
    opt.validcb = list ? note_item : note_scalar;
    return opt;
}

static size_t add_options(cfg_opt_t *out, enum section section)
{
    size_t count = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        if (options[i].section == section)
            out[count++] = option_of(options[i].name, options[i].list);
    for (int c = 0; c < CHECK_COUNT && section == SECTION_POLICY; c++)
        out[count++] = option_of(policy_check_name((enum policy_check)c), false);
    return count;
}

static cfg_opt_t block_of(struct arena *a, enum section section)
{
    cfg_opt_t end = CFG_END();
    cfg_opt_t *inner = arena_array(a, WORDS_MAX, sizeof *inner);
    inner[add_options(inner, section)] = end;
    bool named = section >= SECTION_DIRECTORY;
    cfg_opt_t block = CFG_SEC(NULL, NULL, CFGF_NONE);
    block.name = section_names[section];
    block.subopts = inner;
    block.flags = named ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NODEFAULT;
    block.validcb = named ? note_item : note_scalar;
    return block;
}

static cfg_t *grammar(struct arena *a)
{
    cfg_opt_t end = CFG_END();
    cfg_opt_t include = CFG_FUNC("include", take_include);
    cfg_opt_t *top = arena_array(a, WORDS_MAX, sizeof *top);
    size_t count = add_options(top, SECTION_TOP);
    for (int s = SECTION_LOGIN; s < SECTIONS; s++)
        top[count++] = block_of(a, (enum section)s);
    top[count++] = include;
    top[count] = end;
    cfg_t *cfg = cfg_init(top, CFGF_NONE);
    if (!cfg)
        xalloc_failed();
    (void)cfg_set_error_function(cfg, take_error);
    return cfg;
}

/* ---- from libConfuse's values to ours ---- */

static void apply(struct load *l, cfg_t *cfg, const struct option *option, void *target)
{
    static const char from_file[] = "@file:";
    cfg_opt_t *opt = cfg_getopt(cfg, option->name);
    for (unsigned i = 0; opt && i < cfg_opt_size(opt); i++) {
        const char *text = cfg_opt_getnstr(opt, i);
        struct value v = {l, option->name, text ? text : "", place_of(cfg, option->name, i),
                          target};
        if (option->list && strncmp(v.text, from_file, sizeof from_file - 1) == 0)
            set_from_file(option, &v, v.text + sizeof from_file - 1);
        else
            option->set(&v);
    }
}

static void apply_section(struct load *l, cfg_t *cfg, enum section section, void *target)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (options[i].section == section)
            apply(l, cfg, &options[i], target);
    for (int c = 0; c < CHECK_COUNT && section == SECTION_POLICY; c++) {
        struct option check = {section, policy_check_name((enum policy_check)c), false, set_check};
        apply(l, cfg, &check, target);
    }
}

static void apply_single(struct load *l, enum section section)
{
    if (cfg_size(l->top, section_names[section]) > 0)
        apply_section(l, cfg_getsec(l->top, section_names[section]), section, NULL);
}

/* ---- directories ---- */

static void take_file_fault(void *context, const char *file, unsigned line, const char *what)
{
    fault(context, (struct place){file, line}, "%s", what);
}

static void warn_if_writable(struct load *l, const char *file)
{
    struct stat status;
    if (stat(file, &status) == 0 && (status.st_mode & S_IWOTH))
        warn(l, (struct place){file, 0}, "everybody may write to this file; mode 0640 is right");
}

static void open_directory(struct load *l, struct dir_file_conf *d, struct place at)
{
    d->login_rules = &l->snapshot->login;
    d->addr_rules = &l->snapshot->address;
    struct dir_backend *backend = dir_file_open(d, take_file_fault, l);
    warn_if_writable(l, d->file);
    if (backend && !dir_add(l->snapshot->dir, backend)) {
        backend->ops->destroy(backend);
        fault(l, at, "directory: more than %d; fewer are right", DIR_BACKENDS_MAX);
    }
}

static void apply_directories(struct load *l)
{
    static const char standard[] = "/etc/sendas-milter/senders";
    unsigned count = cfg_size(l->top, "directory");
    l->snapshot->dir = dir_create(
        &(struct dir_conf){.max_waiting = l->conf->daemon.max_waiting, .clock = &clock_real});
    for (unsigned i = 0; i < count; i++) {
        cfg_t *cfg = cfg_getnsec(l->top, "directory", i);
        struct dir_file_conf d = {.name = cfg_title(cfg), .file = standard};
        apply_section(l, cfg, SECTION_DIRECTORY, &d);
        open_directory(l, &d, place_of(l->top, "directory", i));
    }
    if (count == 0) {
        struct dir_file_conf d = {.name = "file", .file = standard};
        open_directory(l, &d, (struct place){standard, 0});
    }
}

static bool has_directory(const struct load *l, const char *name)
{
    for (unsigned i = 0; i < cfg_size(l->top, "directory"); i++)
        if (strcmp(cfg_title(cfg_getnsec(l->top, "directory", i)), name) == 0)
            return true;
    return cfg_size(l->top, "directory") == 0 && strcmp(name, "file") == 0;
}

/* ---- policies ---- */

static void check_directories(struct load *l, cfg_t *cfg, const struct policy *policy)
{
    for (size_t i = 0; i < policy->directories.count; i++)
        if (!has_directory(l, policy->directories.items[i]))
            fault(l, place_of(cfg, "directories", i),
                  "directories: there is no directory \"%s\" in this configuration",
                  policy->directories.items[i]);
}

static void check_foreign(struct load *l, cfg_t *cfg, const struct policy *policy)
{
    if (policy->actions[CHECK_FOREIGN_DOMAINS] != ACTION_REJECT &&
        domset_count(l->snapshot->local_domains) == 0)
        fault(l, place_of(cfg, "foreign_domains", 0),
              "foreign_domains: without local_domains every domain is foreign; set local_domains, "
              "or reject is right");
}

static bool takes_everything(const struct policy *policy)
{
    bool any_listener = policy->listeners.count == 0;
    for (size_t i = 0; i < policy->listeners.count; i++)
        any_listener = any_listener || strcmp(policy->listeners.items[i], "*") == 0;
    return any_listener && !policy->client_networks.count && !policy->logins.count &&
           !policy->principals.count;
}

static void apply_policy(struct load *l, cfg_t *cfg, struct policy *policy)
{
    policy_defaults(policy);
    policy->name = arena_strdup(l->snapshot->arena, cfg_title(cfg));
    apply_section(l, cfg, SECTION_POLICY, policy);
    check_directories(l, cfg, policy);
    check_foreign(l, cfg, policy);
}

static void apply_policies(struct load *l)
{
    struct snapshot *s = l->snapshot;
    unsigned count = cfg_size(l->top, "policy");
    const char *taken = NULL;
    s->policies = arena_array(s->arena, count + POLICY_BUILTINS, sizeof *s->policies);
    s->policy_count = count + POLICY_BUILTINS;
    for (unsigned i = 0; i < count; i++) {
        apply_policy(l, cfg_getnsec(l->top, "policy", i), &s->policies[i]);
        if (taken)
            warn(l, place_of(l->top, "policy", i),
                 "policy \"%s\": never chosen, because \"%s\" before it takes everything",
                 s->policies[i].name, taken);
        else if (takes_everything(&s->policies[i]))
            taken = s->policies[i].name;
    }
    policy_builtins(s->policies + count);
    for (size_t i = 0; i < s->policy_count; i++)
        s->policies[i].observe = s->policies[i].observe || l->observe;
}

/* ---- replies ---- */

static void apply_replies(struct load *l)
{
    for (unsigned i = 0; i < cfg_size(l->top, "reply"); i++) {
        cfg_t *cfg = cfg_getnsec(l->top, "reply", i);
        enum reason reason;
        if (reason_by_id(cfg_title(cfg), &reason))
            apply_section(l, cfg, SECTION_REPLY, &l->snapshot->replies.texts[reason]);
        else
            fault(l, place_of(l->top, "reply", i),
                  "reply: there is no reason \"%s\"; sendas-milter.conf(5) lists them",
                  cfg_title(cfg));
    }
}

/* ---- alias domains ---- */

static void check_aliases(struct load *l)
{
    const struct addr_rules *rules = &l->snapshot->address;
    if (rules->alias_count == 0)
        return;
    cfg_t *cfg = cfg_getsec(l->top, "address");
    for (size_t i = 0; i < rules->alias_count; i++)
        for (size_t j = 0; j < rules->alias_count; j++) {
            const struct addr_alias *a = &rules->aliases[i], *b = &rules->aliases[j];
            if (strcmp(a->domain, b->alias) == 0)
                fault(l, place_of(cfg, "alias_domains", i),
                      "alias_domains: %s is an alias itself; name the domain that it stands for",
                      a->domain);
            if (j < i && strcmp(a->alias, b->alias) == 0)
                fault(l, place_of(cfg, "alias_domains", i), "alias_domains: %s has an entry before",
                      a->alias);
        }
}

/* ---- the whole ---- */

static void defaults(struct load *l)
{
    struct snapshot *s = l->snapshot;
    l->conf->daemon = (struct conf_daemon){
        .socket = "unix:" CONF_DEFAULT_SOCKET,
        .socket_mode = 0660,
        .user = CONF_DEFAULT_USER,
        .user_is_default = true,
        .log = "syslog",
        .max_waiting = 32,
    };
    s->login.fold_case = true;
    s->address.fold_local_part = true;
    s->command_budget = 3 * CLOCK_S;
    s->max_headers = 1000;
    s->max_header_size = (size_t)64 * 1024;
}

static void warn_of_open_ends(struct load *l, const char *file)
{
    if (domset_count(l->snapshot->local_domains) == 0)
        warn(l, (struct place){file, 0},
             "no local_domains: relay and local_sender are off, anybody may relay as far as this "
             "daemon is asked");
}

static void apply_all(struct load *l, const char *file)
{
    apply_section(l, l->top, SECTION_TOP, NULL);
    apply_single(l, SECTION_LOGIN);
    apply_single(l, SECTION_ADDRESS);
    check_aliases(l);
    apply_directories(l);
    apply_policies(l);
    apply_replies(l);
    warn_of_open_ends(l, file);
}

static bool parse(struct load *l, const char *file)
{
    if (!conf_scan(file, take_scan_fault, l))
        return false;
    switch (cfg_parse(l->top, file)) {
    case CFG_SUCCESS:
        return true;
    case CFG_FILE_ERROR:
        fault(l, (struct place){file, 0}, "cannot read it: %s", strerror(errno));
        return false;
    default:
        if (l->faults == 0)
            fault(l, (struct place){file, (unsigned)l->top->line}, "this cannot be read");
        return false;
    }
}

struct conf *conf_load(const char *file, conf_report *report, void *context)
{
    struct load l = {.arena = arena_create(), .report = report, .context = context};
    l.conf = xcalloc(1, sizeof *l.conf);
    l.conf->arena = arena_create();
    l.snapshot = l.conf->snapshot = snapshot_create();
    defaults(&l);
    loading = &l;
    l.top = grammar(l.arena);
    if (parse(&l, file))
        apply_all(&l, file);
    (void)cfg_free(l.top);
    loading = NULL;
    arena_destroy(l.arena);
    if (l.faults == 0)
        return l.conf;
    conf_free(l.conf);
    return NULL;
}

struct snapshot *conf_take_snapshot(struct conf *conf)
{
    struct snapshot *snapshot = conf->snapshot;
    conf->snapshot = NULL;
    return snapshot;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    snapshot_unref(conf->snapshot);
    arena_destroy(conf->arena);
    free(conf);
}

/* ---- the table of policies ---- */

static void print_list(struct strbuf *out, const char *name, const struct policy_strings *list)
{
    if (!list->count)
        return;
    strbuf_printf(out, " %s=", name);
    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(out, "%s%s", i ? "," : "", list->items[i]);
}

static void print_policy(struct strbuf *out, const struct policy *p)
{
    strbuf_printf(out, "policy %s%s:", p->name, p->builtin ? " (built-in)" : "");
    print_list(out, "listeners", &p->listeners);
    if (p->client_networks.count)
        strbuf_printf(out, " client_networks=%zu", p->client_networks.count);
    print_list(out, "logins", &p->logins);
    print_list(out, "principals", &p->principals);
    strbuf_printf(out, " mode=%s require_authentication=%s", p->observe ? "observe" : "enforce",
                  p->require_authentication ? "yes" : "no");
    for (int c = 0; c < CHECK_COUNT; c++)
        strbuf_printf(out, " %s=%s", policy_check_name((enum policy_check)c),
                      policy_action_name(p->actions[c]));
    print_list(out, "exempt_logins", &p->exempt_logins);
    print_list(out, "directories", &p->directories);
    if (p->max_recipients)
        strbuf_printf(out, " max_recipients=%u", p->max_recipients);
}

void conf_print_policies(const struct snapshot *snapshot,
                         void (*line)(void *context, const char *text), void *context)
{
    struct arena *a = arena_create();
    for (size_t i = 0; i < snapshot->policy_count; i++) {
        struct strbuf text;
        strbuf_init(&text, a);
        print_policy(&text, &snapshot->policies[i]);
        line(context, text.text);
    }
    arena_destroy(a);
}
