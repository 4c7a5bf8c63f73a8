#include "network.h"

static bool is_better(const struct network *one, const struct network *best)
{
    if (!best || one->is_block != best->is_block)
        return !best || one->is_block;
    return one->net.prefix > best->net.prefix;
}

const struct network *network_find(const struct network_set *set, const char *client_addr)
{
    const struct network *best = NULL;
    struct net_address address;
    if (!net_address_parse(client_addr, &address))
        return NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct network *one = &set->items[i];
        if (is_better(one, best) && net_holds(&one->net, &address))
            best = one;
    }
    return best;
}
