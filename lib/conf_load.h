/*
 * conf_load - one load of the configuration: its state, and values as the options see them
 *
 * Use: within conf*.c only. conf.c walks the file and calls the setters of conf_options.c,
 *   conf_directory.c and conf_network.c, which fill the structs that other modules own.
 * Failure: every fault is counted and reported with the line of its value; the load goes on, so
 * that one run names them all. Threads: see conf.h. Depends on: conf, libConfuse.
 */
#ifndef SENDAS_CONF_LOAD_H
#define SENDAS_CONF_LOAD_H

#include "conf.h"

#include <confuse.h>

struct conf_place {
    const char *file;
    unsigned line;
};

/* Where a value stood: libConfuse forgets it as soon as it has parsed it. */
struct conf_mark {
    struct conf_mark *next;
    const cfg_t *section;
    const char *option;
    struct conf_place at;
};

struct conf_load {
    struct arena *arena; /* of the load itself */
    struct conf *conf;
    struct snapshot *snapshot;
    conf_report *report;
    void *context;
    unsigned faults;
    unsigned files, depth; /* that were read, and that are being read */
    struct conf_mark *marks;
    cfg_t *top;
    bool observe;
};

enum conf_section {
    CONF_SECTION_TOP,
    CONF_SECTION_LOGIN,
    CONF_SECTION_ADDRESS,
    CONF_SECTION_DIRECTORY,
    CONF_SECTION_NETWORK,
    CONF_SECTION_POLICY,
    CONF_SECTION_REPLY,
    CONF_SECTIONS
};

/* One value, or one item of a list. */
struct conf_value {
    struct conf_load *load;
    const char *option, *text;
    struct conf_place at;
    void *target; /* what the section fills */
};

struct conf_option {
    enum conf_section section;
    const char *name;
    bool list;
    void (*set)(const struct conf_value *v);
};

/* ---- the tables, ended by a NULL name ---- */

extern const struct conf_option conf_options[];           /* conf_options.c */
extern const struct conf_option conf_directory_options[]; /* conf_directory.c */
extern const struct conf_option conf_network_options[];   /* conf_network.c */

/* One of the checks of policy.h, by its name. */
void conf_set_check(const struct conf_value *v);

/* ---- faults ---- */

void conf_fault(struct conf_load *l, struct conf_place at, const char *format, ...)
    PRINTF_LIKE(3, 4);
void conf_warn(struct conf_load *l, struct conf_place at, const char *format, ...)
    PRINTF_LIKE(3, 4);
void conf_wrong(const struct conf_value *v, const struct errtext *why);

/* ---- values: a fault is reported, and a preset given back ---- */

const char *conf_keep(const struct conf_value *v);
unsigned conf_word(const struct conf_value *v, const char *const *words, unsigned preset);
uint64_t conf_number(const struct conf_value *v, uint64_t min, uint64_t max);
bool conf_boolean(const struct conf_value *v, bool preset);
/* False, and a fault, for what is no domain. The root may be written out. */
bool conf_domain(const struct conf_value *v, struct span text, const char **out);
/* Room for one item more. A list that has grown by this alone is moved only where its count is a
 * power of two, and the arena takes what is left behind. */
void *conf_grow(struct arena *a, const void *items, size_t count, size_t size);
void conf_add_string(const struct conf_value *v, struct policy_strings *list, const char *text);

/* ---- sections ---- */

/* Where the nth value of an option stood; the section's own place where there is none. */
struct conf_place conf_place_of(const struct conf_load *l, const cfg_t *section, const char *option,
                                size_t nth);
bool conf_is_set(const struct conf_load *l, const cfg_t *section, const char *option);
void conf_apply_section(struct conf_load *l, cfg_t *cfg, enum conf_section section, void *target);

/* conf_directory.c: all directory blocks, or the one file where there is none. */
void conf_apply_directories(struct conf_load *l);
bool conf_has_directory(const struct conf_load *l, const char *name);
/* conf_network.c: all network blocks; after the directories, whose net: owners it collects. */
void conf_apply_networks(struct conf_load *l);

#endif
