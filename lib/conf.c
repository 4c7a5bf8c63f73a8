#include "conf.h"
#include "conf_load.h"
#include "conf_scan.h"
#include "conf_value.h"
#include "strbuf.h"
#include "xalloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions that libConfuse calls get no pointer of ours; conf.h says one load at a time. */
static struct conf_load *loading;

/* ---- all options ---- */

static const struct conf_option *first_option(void)
{
    return conf_options;
}

static const struct conf_option *next_option(const struct conf_option *option)
{
    const struct conf_option *next = option + 1;
    if (next->name)
        return next;
    if (option->section == CONF_SECTION_NETWORK)
        return NULL;
    return option->section == CONF_SECTION_DIRECTORY ? conf_network_options
                                                     : conf_directory_options;
}

/* ---- lists from files ---- */

/* "@file:PATH": one value a line, '#' begins a comment. */
static void set_from_file(const struct conf_option *option, const struct conf_value *v,
                          const char *path)
{
    char *line = NULL;
    size_t room = 0;
    struct conf_value item = *v;
    item.at = (struct conf_place){path, 0};
    FILE *stream = conf_scan_open(path);
    if (!stream) {
        conf_fault(v->load, v->at, "%s: cannot read %s: %s", v->option, path, strerror(errno));
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
        conf_fault(v->load, v->at, "%s: cannot read %s: %s", v->option, path, strerror(errno));
    free(line);
    (void)fclose(stream);
}

/* ---- libConfuse ---- */

struct conf_place conf_place_of(const struct conf_load *l, const cfg_t *section, const char *option,
                                size_t nth)
{
    struct conf_place at = {section->filename, (unsigned)section->line};
    for (const struct conf_mark *m = l->marks; m; m = m->next)
        if (m->section == section && strcmp(m->option, option) == 0 && nth-- == 0)
            return m->at;
    return at;
}

bool conf_is_set(const struct conf_load *l, const cfg_t *section, const char *option)
{
    for (const struct conf_mark *m = l->marks; m; m = m->next)
        if (m->section == section && strcmp(m->option, option) == 0)
            return true;
    return false;
}

/* Appended, so that the nth mark of a list belongs to its nth item. */
static struct conf_place put_mark(const cfg_t *section, const char *option)
{
    struct conf_mark **end = &loading->marks;
    struct arena *a = loading->arena;
    while (*end)
        end = &(*end)->next;
    *end = arena_alloc(a, sizeof **end);
    **end = (struct conf_mark){
        .section = section,
        .option = arena_strdup(a, option),
        .at = {arena_strdup(a, section->filename ? section->filename : ""),
               (unsigned)section->line},
    };
    return (*end)->at;
}

static int note_scalar(cfg_t *cfg, cfg_opt_t *opt)
{
    bool again = conf_is_set(loading, cfg, opt->name);
    struct conf_place at = put_mark(cfg, opt->name);
    if (again)
        conf_fault(loading, at, "%s: set before, at line %u; once is right", opt->name,
                   conf_place_of(loading, cfg, opt->name, 0).line);
    return 0;
}

static int note_item(cfg_t *cfg, cfg_opt_t *opt)
{
    (void)put_mark(cfg, opt->name);
    return 0;
}

static const char *const section_names[CONF_SECTIONS] = {
    [CONF_SECTION_TOP] = NULL,          [CONF_SECTION_LOGIN] = "login",
    [CONF_SECTION_ADDRESS] = "address", [CONF_SECTION_DIRECTORY] = "directory",
    [CONF_SECTION_NETWORK] = "network", [CONF_SECTION_POLICY] = "policy",
    [CONF_SECTION_REPLY] = "reply",
};

enum { WORDS_MAX = 64 };

/* All that may stand in a section: its options, and the blocks at the top. */
static void names_in(enum conf_section section, const char *out[WORDS_MAX])
{
    size_t count = 0;
    for (const struct conf_option *o = first_option(); o; o = next_option(o))
        if (o->section == section)
            out[count++] = o->name;
    for (int c = 0; c < CHECK_COUNT && section == CONF_SECTION_POLICY; c++)
        out[count++] = policy_check_name((enum policy_check)c);
    for (int s = CONF_SECTION_LOGIN; s < CONF_SECTIONS && section == CONF_SECTION_TOP; s++)
        out[count++] = section_names[s];
    out[count] = NULL;
}

static enum conf_section section_by_name(const char *name)
{
    for (int s = CONF_SECTION_LOGIN; s < CONF_SECTIONS; s++)
        if (name && strcmp(section_names[s], name) == 0)
            return (enum conf_section)s;
    return CONF_SECTION_TOP;
}

static void unknown_option(cfg_t *cfg, const char *name)
{
    const char *names[WORDS_MAX];
    struct arena *a = loading->arena;
    struct conf_place at = {cfg->filename, (unsigned)cfg->line};
    names_in(section_by_name(cfg->name), names);
    const char *nearest = conf_value_nearest(name, names);
    if (nearest) {
        conf_fault(loading, at, "%s: there is no such option; did you mean %s?", name, nearest);
        return;
    }
    struct strbuf all;
    strbuf_init(&all, a);
    for (size_t i = 0; names[i]; i++)
        strbuf_printf(&all, "%s%s", i ? " " : "", names[i]);
    conf_fault(loading, at, "%s: there is no such option; these are right here: %s", name,
               all.text);
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
    struct conf_place at = {cfg && cfg->filename ? cfg->filename : "",
                            cfg ? (unsigned)cfg->line : 0};
    if (sscanf(text, "found duplicate title '%63[^']'", name) == 1)
        conf_fault(loading, at, "\"%s\": a block of this kind has the name already; names differ",
                   name);
    else
        conf_fault(loading, at, "%s", text);
}

static void take_scan_fault(void *context, const char *file, unsigned line, const char *what)
{
    conf_fault(context, (struct conf_place){file, line}, "%s", what);
}

static const char *beside(struct arena *a, const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    if (name[0] == '/' || !slash)
        return name;
    return arena_printf(a, "%.*s/%s", (int)(slash - file), file, name);
}

/* A file that includes itself ends somewhere. */
enum { INCLUDES_DEPTH_MAX = 10, INCLUDES_MAX = 1000 };

static bool too_many_files(struct conf_load *l, struct conf_place at)
{
    bool deep = l->depth > INCLUDES_DEPTH_MAX, many = l->files > INCLUDES_MAX;
    if (deep || many)
        conf_fault(l, at, "include: more than %d files %s",
                   deep ? INCLUDES_DEPTH_MAX : INCLUDES_MAX, deep ? "within each other" : "in all");
    return deep || many;
}

static char *copy_name(const char *name)
{
    char *copy = strdup(name); /* libConfuse frees it */
    if (!copy)
        xalloc_failed();
    return copy;
}

/* libConfuse is given a text, from file, at the place where it is. Its own cfg_include() keeps a
 * stack of files that a fault does not empty: the tenth fault in an included file would be the last
 * include that ever works. */
static int parse_text(cfg_t *cfg, const char *file, struct span text)
{
    char *outer = cfg->filename;
    int line = cfg->line;
    FILE *stream = fmemopen((void *)(uintptr_t)text.data, text.len, "r");
    if (!stream)
        xalloc_failed();
    cfg->filename = copy_name(file);
    int status = cfg_parse_fp(cfg, stream);
    (void)fclose(stream);
    if (outer) {
        free(cfg->filename);
        cfg->filename = outer;
        cfg->line = line;
    }
    return status;
}

static int parse_file(struct conf_load *l, cfg_t *cfg, const char *file)
{
    struct strbuf text;
    int status = CFG_PARSE_ERROR;
    strbuf_init(&text, l->arena);
    l->files++;
    l->depth++;
    if (conf_scan(file, &text, take_scan_fault, l)) {
        if (!text.len)
            strbuf_add_char(&text, '\n'); /* fmemopen() wants something */
        status = parse_text(cfg, file, strbuf_span(&text));
    }
    l->depth--;
    return status;
}

/* include("FILE"), relative to the file that includes. */
static int take_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    struct conf_place at = {cfg->filename, (unsigned)cfg->line};
    (void)opt;
    if (argc != 1) {
        conf_fault(loading, at, "include takes one file: include(\"FILE\") is right");
        return 1;
    }
    if (too_many_files(loading, at))
        return 1;
    return parse_file(loading, cfg, beside(loading->arena, cfg->filename, argv[0]));
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

static size_t add_options(cfg_opt_t *out, enum conf_section section)
{
    size_t count = 0;
    for (const struct conf_option *o = first_option(); o; o = next_option(o))
        if (o->section == section)
            out[count++] = option_of(o->name, o->list);
    for (int c = 0; c < CHECK_COUNT && section == CONF_SECTION_POLICY; c++)
        out[count++] = option_of(policy_check_name((enum policy_check)c), false);
    return count;
}

static cfg_opt_t block_of(struct arena *a, enum conf_section section)
{
    cfg_opt_t end = CFG_END();
    cfg_opt_t *inner = arena_array(a, WORDS_MAX, sizeof *inner);
    inner[add_options(inner, section)] = end;
    bool named = section >= CONF_SECTION_DIRECTORY;
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
    size_t count = add_options(top, CONF_SECTION_TOP);
    for (int s = CONF_SECTION_LOGIN; s < CONF_SECTIONS; s++)
        top[count++] = block_of(a, (enum conf_section)s);
    top[count++] = include;
    top[count] = end;
    cfg_t *cfg = cfg_init(top, CFGF_NONE);
    if (!cfg)
        xalloc_failed();
    (void)cfg_set_error_function(cfg, take_error);
    return cfg;
}

/* ---- from libConfuse's values to ours ---- */

static void apply(struct conf_load *l, cfg_t *cfg, const struct conf_option *option, void *target)
{
    static const char from_file[] = "@file:";
    cfg_opt_t *opt = cfg_getopt(cfg, option->name);
    for (unsigned i = 0; opt && i < cfg_opt_size(opt); i++) {
        const char *text = cfg_opt_getnstr(opt, i);
        struct conf_value v = {l, option->name, text ? text : "",
                               conf_place_of(l, cfg, option->name, i), target};
        if (option->list && strncmp(v.text, from_file, sizeof from_file - 1) == 0)
            set_from_file(option, &v, v.text + sizeof from_file - 1);
        else
            option->set(&v);
    }
}

void conf_apply_section(struct conf_load *l, cfg_t *cfg, enum conf_section section, void *target)
{
    for (const struct conf_option *o = first_option(); o; o = next_option(o))
        if (o->section == section)
            apply(l, cfg, o, target);
    for (int c = 0; c < CHECK_COUNT && section == CONF_SECTION_POLICY; c++) {
        struct conf_option check = {section, policy_check_name((enum policy_check)c), false,
                                    conf_set_check};
        apply(l, cfg, &check, target);
    }
}

static void apply_single(struct conf_load *l, enum conf_section section)
{
    if (cfg_size(l->top, section_names[section]) > 0)
        conf_apply_section(l, cfg_getsec(l->top, section_names[section]), section, NULL);
}

/* ---- policies ---- */

static void check_directories(struct conf_load *l, cfg_t *cfg, const struct policy *policy)
{
    for (size_t i = 0; i < policy->directories.count; i++)
        if (!conf_has_directory(l, policy->directories.items[i]))
            conf_fault(l, conf_place_of(l, cfg, "directories", i),
                       "directories: there is no directory \"%s\" in this configuration",
                       policy->directories.items[i]);
}

static void check_foreign(struct conf_load *l, cfg_t *cfg, const struct policy *policy)
{
    if (policy->actions[CHECK_FOREIGN_DOMAINS] != ACTION_REJECT &&
        domset_count(l->snapshot->local_domains) == 0)
        conf_fault(
            l, conf_place_of(l, cfg, "foreign_domains", 0),
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

static void apply_policy(struct conf_load *l, cfg_t *cfg, struct policy *policy)
{
    policy_defaults(policy);
    policy->name = arena_strdup(l->snapshot->arena, cfg_title(cfg));
    conf_apply_section(l, cfg, CONF_SECTION_POLICY, policy);
    check_directories(l, cfg, policy);
    check_foreign(l, cfg, policy);
}

static void apply_policies(struct conf_load *l)
{
    struct snapshot *s = l->snapshot;
    unsigned count = cfg_size(l->top, "policy");
    const char *taken = NULL;
    s->policies = arena_array(s->arena, count + POLICY_BUILTINS, sizeof *s->policies);
    s->policy_count = count + POLICY_BUILTINS;
    for (unsigned i = 0; i < count; i++) {
        apply_policy(l, cfg_getnsec(l->top, "policy", i), &s->policies[i]);
        if (taken)
            conf_warn(l, conf_place_of(l, l->top, "policy", i),
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

static void apply_replies(struct conf_load *l)
{
    for (unsigned i = 0; i < cfg_size(l->top, "reply"); i++) {
        cfg_t *cfg = cfg_getnsec(l->top, "reply", i);
        enum reason reason;
        if (reason_by_id(cfg_title(cfg), &reason))
            conf_apply_section(l, cfg, CONF_SECTION_REPLY, &l->snapshot->replies.texts[reason]);
        else
            conf_fault(l, conf_place_of(l, l->top, "reply", i),
                       "reply: there is no reason \"%s\"; sendas-milter.conf(5) lists them",
                       cfg_title(cfg));
    }
}

/* ---- alias domains ---- */

static void check_aliases(struct conf_load *l)
{
    const struct addr_rules *rules = &l->snapshot->address;
    if (rules->alias_count == 0)
        return;
    cfg_t *cfg = cfg_getsec(l->top, "address");
    for (size_t i = 0; i < rules->alias_count; i++)
        for (size_t j = 0; j < rules->alias_count; j++) {
            const struct addr_alias *a = &rules->aliases[i], *b = &rules->aliases[j];
            if (strcmp(a->domain, b->alias) == 0)
                conf_fault(
                    l, conf_place_of(l, cfg, "alias_domains", i),
                    "alias_domains: %s is an alias itself; name the domain that it stands for",
                    a->domain);
            if (j < i && strcmp(a->alias, b->alias) == 0)
                conf_fault(l, conf_place_of(l, cfg, "alias_domains", i),
                           "alias_domains: %s has an entry before", a->alias);
        }
}

/* ---- the whole ---- */

static void defaults(struct conf_load *l)
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

static void warn_of_open_ends(struct conf_load *l, const char *file)
{
    if (domset_count(l->snapshot->local_domains) == 0)
        conf_warn(
            l, (struct conf_place){file, 0},
            "no local_domains: relay and local_sender are off, anybody may relay as far as this "
            "daemon is asked");
}

static void apply_all(struct conf_load *l, const char *file)
{
    conf_apply_section(l, l->top, CONF_SECTION_TOP, NULL);
    apply_single(l, CONF_SECTION_LOGIN);
    apply_single(l, CONF_SECTION_ADDRESS);
    check_aliases(l);
    conf_apply_directories(l);
    conf_apply_networks(l);
    apply_policies(l);
    apply_replies(l);
    warn_of_open_ends(l, file);
}

static bool parse(struct conf_load *l, const char *file)
{
    if (parse_file(l, l->top, file) == CFG_SUCCESS)
        return true;
    if (l->faults == 0)
        conf_fault(l, (struct conf_place){file, (unsigned)l->top->line}, "this cannot be read");
    return false;
}

struct conf *conf_load(const char *file, conf_report *report, void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct conf_load l = {.arena = arena_create(), .report = report, .context = context};
    (void)pthread_once(&once, ldapconn_init); /* the first load comes before there are threads */
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
    strbuf_printf(out, " from_must_equal_envelope=%s resent_covers_from=%s",
                  p->from_must_equal_envelope ? "yes" : "no", p->resent_covers_from ? "yes" : "no");
    strbuf_printf(out, " domain_grants=%s", p->unowned_domains ? "unowned" : "all");
    print_list(out, "exempt_logins", &p->exempt_logins);
    if (p->trace_header)
        strbuf_printf(out, " trace_header=%s", p->trace_header);
    if (p->auth_results)
        strbuf_printf(out, " auth_results=yes");
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
