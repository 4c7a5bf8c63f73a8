#include "dir_network.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct dir_network {
    struct dir_backend backend;
    const struct network_set *set;
};

static const struct network *block_named(const struct network_set *set, const char *name)
{
    for (size_t i = 0; name && i < set->count; i++)
        if (set->items[i].is_block && strcmp(set->items[i].name, name) == 0)
            return &set->items[i];
    return NULL;
}

static const char *primary_of(const struct grant_list *grants)
{
    for (size_t i = 0; i < grants->count; i++)
        if (grants->items[i].form == GRANT_EXACT)
            return grants->items[i].key;
    return NULL;
}

static void fill(struct account_answer *answer, const struct network *block)
{
    struct account_source *source = arena_alloc(answer->arena, sizeof *source);
    const char *entry = arena_printf(answer->arena, "network %s", block->name);
    *source = (struct account_source){DIR_NETWORK_NAME, entry};
    answer->account = (struct account){
        .name = block->name,
        .entry = entry,
        .primary = primary_of(&block->send_as),
        .lists = &block->send_as,
        .list_count = 1,
        .sources = source,
        .source_count = 1,
    };
}

static void network_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct dir_network *n = (const struct dir_network *)self;
    const struct network *block =
        block_named(n->set, dir_ticket_question(ticket)->principal.network);
    if (!block) {
        dir_ticket_fail(ticket, ACCOUNT_UNKNOWN, "the client is in no network block");
        return;
    }
    struct account_answer *answer = account_answer_create();
    answer->status = ACCOUNT_FOUND;
    answer->missing = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->asked_at = dir_ticket_now(ticket);
    fill(answer, block);
    dir_ticket_done(ticket, answer);
}

static void network_destroy(struct dir_backend *self)
{
    free(self);
}

struct dir_backend *dir_network_create(const struct network_set *set)
{
    static const struct dir_ops ops = {
        .type = "network", .ask = network_ask, .destroy = network_destroy};
    struct dir_network *n = xcalloc(1, sizeof *n);
    n->set = set;
    n->backend = (struct dir_backend){
        .ops = &ops,
        .name = DIR_NETWORK_NAME,
        .merge = true,
        .principals = PRINCIPAL_BIT(PRINCIPAL_NETWORK),
        .not_logins = true,
        .always = true,
    };
    return &n->backend;
}
