/* The blocks `network CIDR { ... }`, and the net: owners of senders files beside them. */
#include "conf_load.h"
#include "conf_value.h"
#include "dir_file.h"
#include "dir_network.h"

#include <string.h>

static struct network *network_of(const struct conf_value *v)
{
    return v->target;
}

static void set_send_as(const struct conf_value *v)
{
    struct network *network = network_of(v);
    struct arena *a = v->load->snapshot->arena;
    struct errtext why;
    struct grant grant = {
        .right = GRANT_SEND_AS,
        .directory = DIR_NETWORK_NAME,
        .entry = arena_printf(a, "network %s", network->name),
        .attribute = v->option,
    };
    if (!grant_parse(a, &v->load->snapshot->address, span_of(v->text), &grant, &why)) {
        conf_fault(v->load, v->at, "send_as: \"%s\" is no address, @domain, @.domain or *: %s",
                   v->text, why.text);
        return;
    }
    struct grant_list *list = &network->send_as;
    struct grant *items = conf_grow(a, list->items, list->count, sizeof *items);
    items[list->count] = grant;
    *list = (struct grant_list){items, list->count + 1};
}

static void set_relay(const struct conf_value *v)
{
    network_of(v)->relay = conf_boolean(v, false);
}

const struct conf_option conf_network_options[] = {
    {CONF_SECTION_NETWORK, "send_as", true, set_send_as},
    {CONF_SECTION_NETWORK, "relay", false, set_relay},
    {CONF_SECTION_NETWORK, NULL, false, NULL},
};

/* ---- blocks ---- */

static struct conf_place place_of(const struct conf_load *l, size_t block)
{
    return conf_place_of(l, l->top, "network", block);
}

/* False, and a fault, where the title is no network; its name is then the title. */
static bool read_title(struct conf_load *l, const char *title, struct conf_place at,
                       struct network *out)
{
    struct errtext why;
    bool good = net_parse(span_of(title), &out->net, &why);
    if (!good)
        conf_fault(l, at, "network: %s", why.text);
    out->is_block = good;
    out->name = good ? net_text(l->snapshot->arena, &out->net) : title;
    return good;
}

/* The same network in two spellings; in one, libConfuse has said so. */
static void check_twice(struct conf_load *l, const struct network *networks, size_t block)
{
    for (size_t i = 0; i < block; i++)
        if (net_equal(&networks[i].net, &networks[block].net) && networks[i].is_block)
            conf_fault(l, place_of(l, block),
                       "network: %s has a block before, at line %u; one block is right",
                       networks[block].name, place_of(l, i).line);
}

static void apply_block(struct conf_load *l, size_t block, struct network *networks)
{
    cfg_t *cfg = cfg_getnsec(l->top, "network", (unsigned)block);
    struct network *network = &networks[block];
    if (read_title(l, cfg_title(cfg), place_of(l, block), network))
        check_twice(l, networks, block);
    conf_apply_section(l, cfg, CONF_SECTION_NETWORK, network);
}

static void add_directory(struct conf_load *l)
{
    struct snapshot *s = l->snapshot;
    if (conf_has_directory(l, DIR_NETWORK_NAME))
        conf_fault(l, place_of(l, 0),
                   "network: a directory has the name \"%s\", by which the log means these blocks; "
                   "another name is right",
                   DIR_NETWORK_NAME);
    struct dir_backend *backend = dir_network_create(&s->networks);
    if (dir_add(s->dir, backend))
        return;
    backend->ops->destroy(backend);
    conf_fault(l, place_of(l, 0), "network: beside network blocks %d directories are right",
               DIR_BACKENDS_MAX - 1);
}

/* ---- owners ---- */

static size_t count_owners(const struct dir *dir)
{
    size_t count = 0;
    for (size_t i = 0; i < dir_count(dir); i++)
        count += dir_file_nets(dir_backend_at(dir, i)).count;
    return count;
}

static void add_owners(const struct snapshot *s, struct netset nets, struct network *out)
{
    for (size_t i = 0; i < nets.count; i++)
        out[i] = (struct network){.net = nets.items[i], .name = net_text(s->arena, &nets.items[i])};
}

void conf_apply_networks(struct conf_load *l)
{
    struct snapshot *s = l->snapshot;
    size_t count = cfg_size(l->top, "network");
    bool any = count > 0;
    struct network *networks =
        arena_array(s->arena, count + count_owners(s->dir), sizeof *networks);
    for (size_t i = 0; i < count; i++)
        apply_block(l, i, networks);
    for (size_t i = 0; i < dir_count(s->dir); i++) {
        struct netset nets = dir_file_nets(dir_backend_at(s->dir, i));
        add_owners(s, nets, networks + count);
        count += nets.count;
    }
    s->networks = (struct network_set){networks, count};
    if (any)
        add_directory(l);
}
