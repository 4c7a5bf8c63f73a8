#include "dir_file.h"
#include "keyhash.h"
#include "senders.h"
#include "xalloc.h"

#define uthash_malloc(size)       xcalloc(1, size)
#define uthash_free(memory, size) free(memory)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
    POOL_CHUNK = 64 * 1024,
    PIECE = 64,         /* owners */
    NET_PREFIXES = 129, /* so many networks hold an address at most, one of each length */
};

/* 64 octets, because there may be as many as lines. */
struct owner {
    UT_hash_handle hh;     /* its key is the owner in normal form */
    uint32_t first, count; /* of the grants of all */
};

/* The exact grants to send as, by address: chains of grants, which count from 1 here. */
struct by_address {
    uint32_t *heads, *next; /* 0 ends a chain */
    size_t head_count;
};

struct net_owner {
    struct net net;
    const struct owner *owner;
};

struct dir_file {
    struct dir_backend backend;
    struct arena *arena;
    const char *file;
    const char *unknown, *unowned; /* what is said of who is no owner, of what has none */
    struct keyhash_seed seed;
    struct owner *tables[SENDERS_KINDS];
    struct owner **pieces; /* all owners in the order of the file, so many a piece */
    size_t owner_count;
    const struct grant *grants; /* those of an owner side by side, in the order of the owners */
    struct by_address by_address;
    struct netset nets; /* the longest prefix first */
    const struct owner **net_owners;
};

/* ---- owners ---- */

static struct owner *owner_at(const struct dir_file *d, size_t number)
{
    return &d->pieces[number / PIECE][number % PIECE];
}

static struct owner *owner_find(const struct dir_file *d, enum senders_kind kind, const char *name)
{
    size_t len = strlen(name);
    struct owner *owner;
    HASH_FIND_BYHASHVALUE(hh, d->tables[kind], name, len, keyhash(&d->seed, name, len), owner);
    return owner;
}

static struct owner *owner_next(struct dir_file *d)
{
    if (d->owner_count % PIECE == 0) {
        size_t pieces = d->owner_count / PIECE;
        d->pieces = xrealloc(d->pieces, (pieces + 1) * sizeof(struct owner *));
        d->pieces[pieces] = arena_array(d->arena, PIECE, sizeof(struct owner));
    }
    return owner_at(d, d->owner_count++);
}

/* name must live as long as the table. */
static struct owner *owner_add(struct dir_file *d, enum senders_kind kind, const char *name)
{
    size_t len = strlen(name);
    unsigned hash = keyhash(&d->seed, name, len);
    struct owner *owner = owner_next(d);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, d->tables[kind], name, len, hash, owner);
    return owner;
}

/* Whose grant it is: the last owner whose grants begin at it or before. */
static size_t owner_number(const struct dir_file *d, uint32_t grant)
{
    size_t low = 0, high = d->owner_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (owner_at(d, middle)->first <= grant)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- grants by address ---- */

static uint32_t *chain_of(const struct dir_file *d, const char *address)
{
    return &d->by_address
                .heads[keyhash(&d->seed, address, strlen(address)) % d->by_address.head_count];
}

static void index_addresses(struct dir_file *d, size_t count)
{
    struct by_address *index = &d->by_address;
    index->head_count = count / 2 + 1;
    index->heads = arena_array(d->arena, index->head_count, sizeof *index->heads);
    index->next = arena_array(d->arena, count, sizeof *index->next);
    for (size_t i = 0; i < count; i++) {
        const struct grant *grant = &d->grants[i];
        if (grant->form != GRANT_EXACT || grant->right != GRANT_SEND_AS)
            continue;
        uint32_t *head = chain_of(d, grant->key);
        index->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
}

/* The numbers of those who own the address; out may be NULL. How many. */
static size_t owners_of(const struct dir_file *d, const char *address, uint32_t *out)
{
    size_t count = 0;
    for (uint32_t i = *chain_of(d, address); i > 0; i = d->by_address.next[i - 1]) {
        if (strcmp(d->grants[i - 1].key, address) != 0)
            continue;
        if (out)
            out[count] = (uint32_t)owner_number(d, i - 1);
        count++;
    }
    return count;
}

/* ---- answering ---- */

/* Those that an answer is about. */
struct owners {
    const struct owner **items;
    size_t count;
};

static const char *primary_of(const struct grant_list *lists, size_t count)
{
    for (size_t l = 0; l < count; l++)
        for (size_t i = 0; i < lists[l].count; i++) {
            const struct grant *grant = &lists[l].items[i];
            if (grant->form == GRANT_EXACT && grant->right == GRANT_SEND_AS)
                return grant->key;
        }
    return NULL;
}

static void add_sources(const struct dir_file *d, const struct owners *owners,
                        struct account_answer *out)
{
    struct account_source *sources = arena_array(out->arena, owners->count, sizeof *sources);
    for (size_t i = 0; i < owners->count; i++)
        sources[i] = (struct account_source){d->backend.name, owners->items[i]->hh.key};
    out->account.sources = sources;
    out->account.source_count = owners->count;
}

static void add_lists(const struct dir_file *d, const struct owners *owners,
                      struct account_answer *out)
{
    struct grant_list *lists = arena_array(out->arena, owners->count, sizeof *lists);
    for (size_t i = 0; i < owners->count; i++)
        lists[i] =
            (struct grant_list){d->grants + owners->items[i]->first, owners->items[i]->count};
    out->account.name = owners->items[0]->hh.key;
    out->account.entry = d->file;
    out->account.primary = primary_of(lists, owners->count);
    out->account.lists = lists;
    out->account.list_count = owners->count;
}

static void finish(struct dir_ticket *ticket, struct account_answer *answer)
{
    answer->missing = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->asked_at = dir_ticket_now(ticket);
    dir_ticket_done(ticket, answer);
}

static void answer_account(const struct dir_file *d, struct dir_ticket *ticket,
                           const struct owners *owners, struct account_answer *answer)
{
    if (owners->count == 0) {
        answer->status = ACCOUNT_UNKNOWN;
        answer->why = d->unknown;
    } else {
        answer->status = ACCOUNT_FOUND;
        add_lists(d, owners, answer);
        add_sources(d, owners, answer);
    }
    finish(ticket, answer);
}

static void answer_one(const struct dir_file *d, struct dir_ticket *ticket,
                       const struct owner *owner, struct account_answer *answer)
{
    struct owners owners = {&owner, owner != NULL};
    answer_account(d, ticket, &owners, answer);
}

static const struct owner *cert_owner(const struct dir_file *d, const struct principal *principal,
                                      struct arena *a)
{
    /* An absent one is empty, and no owner has an empty one. */
    const char *name =
        senders_cert_name(a, span_of(principal->cert_issuer), span_of(principal->cert_subject));
    return name ? owner_find(d, SENDERS_CERT, name) : NULL;
}

static struct owners net_owners(const struct dir_file *d, const char *client_addr, struct arena *a)
{
    struct owners owners = {NULL, 0};
    struct net_address address;
    if (d->nets.count == 0 || !net_address_parse(client_addr, &address))
        return owners;
    size_t room = d->nets.count < NET_PREFIXES ? d->nets.count : NET_PREFIXES;
    owners.items = arena_array(a, room, sizeof(struct owner *));
    for (size_t i = 0; i < d->nets.count; i++)
        if (net_holds(&d->nets.items[i], &address))
            owners.items[owners.count++] = d->net_owners[i];
    return owners;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Somebody may own several of the spellings, or have one in two lines. */
static struct owners distinct(const struct dir_file *d, uint32_t *numbers, size_t count,
                              struct arena *a)
{
    struct owners owners = {arena_array(a, count, sizeof(struct owner *)), 0};
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            owners.items[owners.count++] = owner_at(d, numbers[i]);
    return owners;
}

static struct owners address_owners(const struct dir_file *d, const struct dir_question *question,
                                    struct arena *a)
{
    size_t count = 0, room = 0;
    for (size_t i = 0; i < question->address_count; i++)
        room += owners_of(d, question->addresses[i], NULL);
    uint32_t *numbers = arena_array(a, room, sizeof *numbers);
    for (size_t i = 0; i < question->address_count; i++)
        count += owners_of(d, question->addresses[i], numbers + count);
    return distinct(d, numbers, count, a);
}

static void answer_owners(const struct dir_file *d, struct dir_ticket *ticket,
                          struct account_answer *answer)
{
    struct owners owners = address_owners(d, dir_ticket_question(ticket), answer->arena);
    answer->status = owners.count > 0 ? ACCOUNT_FOUND : ACCOUNT_UNKNOWN;
    if (owners.count > 0)
        add_sources(d, &owners, answer);
    else
        answer->why = d->unowned;
    finish(ticket, answer);
}

static void file_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct dir_file *d = (const struct dir_file *)self;
    const struct dir_question *question = dir_ticket_question(ticket);
    const struct principal *principal = &question->principal;
    struct account_answer *answer = account_answer_create();
    struct owners owners;
    if (question->ask == DIR_ASK_OWNERS) {
        answer_owners(d, ticket, answer);
        return;
    }
    switch (principal->kind) {
    case PRINCIPAL_SASL:
        answer_one(d, ticket, owner_find(d, SENDERS_LOGIN, principal->login.name), answer);
        return;
    case PRINCIPAL_CERT:
        answer_one(d, ticket, cert_owner(d, principal, answer->arena), answer);
        return;
    case PRINCIPAL_NETWORK:
        owners = net_owners(d, principal->client_addr, answer->arena);
        answer_account(d, ticket, &owners, answer);
        return;
    case PRINCIPAL_NONE:
    case PRINCIPAL_KINDS:
        answer_one(d, ticket, NULL, answer);
        return;
    }
}

static void file_destroy(struct dir_backend *self)
{
    struct dir_file *d = (struct dir_file *)self;
    for (int k = 0; k < SENDERS_KINDS; k++)
        HASH_CLEAR(hh, d->tables[k]);
    free(d->pieces);
    arena_destroy(d->arena);
    free(d);
}

static const struct dir_ops file_ops = {.type = "file", .ask = file_ask, .destroy = file_destroy};

struct netset dir_file_nets(const struct dir_backend *backend)
{
    if (backend->ops != &file_ops)
        return (struct netset){NULL, 0};
    return ((const struct dir_file *)backend)->nets;
}

/* ---- loading ---- */

/* A grant before it is known how many its owner has. */
struct pending {
    struct owner *owner;
    const char *key, *entry;
    enum grant_form form;
    enum grant_right right;
};

struct loader {
    struct dir_file *dir;
    dir_file_report *report;
    void *context;
    enum grant_form form; /* of the key that was read last */
    const char *key, *entry;
    struct pending *pending;
    size_t pending_count, pending_size;
    struct net_owner *nets;
    size_t net_count, net_size;
    char *pool; /* the rest of the current chunk */
    size_t pool_left;
};

static void pass_fault(void *context, const char *file, unsigned line, const char *what)
{
    const struct loader *l = context;
    l->report(l->context, file, line, what);
}

/* Packed, because there are hundreds of thousands of short strings. */
static char *keep_room(struct loader *l, size_t size)
{
    if (size > l->pool_left) {
        l->pool_left = size > POOL_CHUNK ? size : POOL_CHUNK;
        l->pool = arena_alloc(l->dir->arena, l->pool_left);
    }
    char *room = l->pool;
    l->pool += size;
    l->pool_left -= size;
    return room;
}

static const char *keep(struct loader *l, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(keep_room(l, size), text, size);
}

static const char *keep_place(struct loader *l, unsigned line)
{
    static const char format[] = "%s:%u";
    size_t size = (size_t)snprintf(NULL, 0, format, l->dir->file, line) + 1;
    char *place = keep_room(l, size);
    (void)snprintf(place, size, format, l->dir->file, line);
    return place;
}

/* One item more, of an array that doubles. */
static void *more(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? 2 * *room : 256;
    return xrealloc(items, *room * size);
}

static void take_key(void *context, const struct grant *key, unsigned line)
{
    struct loader *l = context;
    l->form = key->form;
    l->key = keep(l, key->key);
    l->entry = keep_place(l, line);
}

static struct owner *add_owner(struct loader *l, const struct senders_owner *written)
{
    struct owner *owner = owner_add(l->dir, written->kind, keep(l, written->name));
    if (written->kind == SENDERS_NET) {
        l->nets = more(l->nets, l->net_count, &l->net_size, sizeof *l->nets);
        l->nets[l->net_count++] = (struct net_owner){written->net, owner};
    }
    return owner;
}

static void take_owner(void *context, const struct senders_owner *written)
{
    struct loader *l = context;
    struct owner *owner = owner_find(l->dir, written->kind, written->name);
    if (!owner)
        owner = add_owner(l, written);
    l->pending = more(l->pending, l->pending_count, &l->pending_size, sizeof *l->pending);
    l->pending[l->pending_count++] = (struct pending){
        .owner = owner, .key = l->key, .entry = l->entry, .form = l->form, .right = written->right};
    owner->count++;
}

/* Each owner's grants side by side, in the order of the file. */
static void settle_grants(struct loader *l)
{
    struct dir_file *d = l->dir;
    struct grant *grants = arena_array(d->arena, l->pending_count, sizeof *grants);
    uint32_t next = 0;
    for (size_t i = 0; i < d->owner_count; i++) {
        struct owner *owner = owner_at(d, i);
        owner->first = next;
        next += owner->count;
        owner->count = 0;
    }
    for (size_t i = 0; i < l->pending_count; i++) {
        const struct pending *p = &l->pending[i];
        grants[p->owner->first + p->owner->count++] = (struct grant){
            .form = p->form,
            .right = p->right,
            .key = p->key,
            .directory = d->backend.name,
            .entry = p->entry,
            .attribute = "senders",
        };
    }
    d->grants = grants;
    index_addresses(d, l->pending_count);
}

static int longest_first(const void *a, const void *b)
{
    const struct net_owner *x = a, *y = b;
    if (x->net.prefix != y->net.prefix)
        return x->net.prefix > y->net.prefix ? -1 : 1;
    return (x->owner->first > y->owner->first) - (x->owner->first < y->owner->first);
}

static void settle_nets(struct loader *l)
{
    struct dir_file *d = l->dir;
    struct net *nets = arena_array(d->arena, l->net_count, sizeof *nets);
    d->net_owners = arena_array(d->arena, l->net_count, sizeof(struct owner *));
    if (l->net_count > 0)
        qsort(l->nets, l->net_count, sizeof *l->nets, longest_first);
    for (size_t i = 0; i < l->net_count; i++) {
        nets[i] = l->nets[i].net;
        d->net_owners[i] = l->nets[i].owner;
    }
    d->nets = (struct netset){nets, l->net_count};
}

static const char *const *copy_strings(struct arena *a, const char *const *strings, size_t count)
{
    const char **copy = arena_array(a, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(a, strings[i]);
    return copy;
}

static struct dir_file *file_create(const struct dir_file_conf *conf)
{
    struct dir_file *d = xcalloc(1, sizeof *d);
    struct arena *a = arena_create();
    d->arena = a;
    d->file = arena_strdup(a, conf->file);
    d->unknown = arena_printf(a, "no entry in %s has this owner", conf->file);
    d->unowned = arena_printf(a, "no entry in %s has this very address", conf->file);
    d->backend = (struct dir_backend){
        .ops = &file_ops,
        .name = arena_strdup(a, conf->name),
        .login_domains = copy_strings(a, conf->login_domains, conf->login_domain_count),
        .login_domain_count = conf->login_domain_count,
        .merge = conf->merge,
        .principals = PRINCIPAL_BIT(PRINCIPAL_SASL) | PRINCIPAL_BIT(PRINCIPAL_CERT) |
                      PRINCIPAL_BIT(PRINCIPAL_NETWORK),
        .knows_owners = true,
    };
    return d;
}

static bool load(struct loader *l, const struct dir_file_conf *conf)
{
    const struct senders_conf senders = {
        .file = conf->file,
        .login_rules = conf->login_rules,
        .addr_rules = conf->addr_rules,
        .key = take_key,
        .owner = take_owner,
        .report = pass_fault,
        .context = l,
    };
    if (!keyhash_seed(&l->dir->seed)) {
        l->report(l->context, conf->file, 0, "no random numbers from the kernel");
        return false;
    }
    return senders_read(&senders);
}

struct dir_backend *dir_file_open(const struct dir_file_conf *conf, dir_file_report *report,
                                  void *context)
{
    struct loader l = {.dir = file_create(conf), .report = report, .context = context};
    bool loaded = load(&l, conf);
    if (loaded) {
        settle_grants(&l);
        settle_nets(&l);
    }
    free(l.pending);
    free(l.nets);
    if (loaded)
        return &l.dir->backend;
    file_destroy(&l.dir->backend);
    return NULL;
}
