/* envelope: arguments and macros of MAIL and RCPT. Input: rules, argument, macro, own address; the
 * rest is a path that may hold any octet. */
#include "fuzz.h"
#include "rules.h"

#include "envelope.h"

struct world {
    struct arena *arena;
    struct addr_rules rules;
    struct domset *local;
};

static void check_variant(struct world *w, const struct addr *variant)
{
    struct addr again;
    enum addr_status status = addr_parse(w->arena, &w->rules, span_of(variant->key), &again, NULL);
    FUZZ_CLAIM(status == (*variant->domain ? ADDR_OK : ADDR_BARE));
    FUZZ_CLAIM(addr_equal(&again, variant));
    FUZZ_CLAIM(strcmp(again.domain, variant->domain) == 0);
}

static void check_variants(struct world *w, const struct addr *addr)
{
    struct addr variants[ADDR_VARIANTS_MAX];
    size_t count = addr_variants(w->arena, &w->rules, addr, variants);
    FUZZ_CLAIM(count >= 1 && count <= ADDR_VARIANTS_MAX);
    FUZZ_CLAIM(addr_equal(&variants[0], addr));
    for (size_t i = 0; i < count; i++)
        check_variant(w, &variants[i]);
}

/* What the key says, a path says too. */
static void check_key(struct world *w, enum addr_status status, const struct addr *addr)
{
    struct addr again;
    const char *path = arena_printf(w->arena, "<%s>", addr->key);
    FUZZ_CLAIM(addr_parse_path(w->arena, &w->rules, span_of(path), &again, NULL) == status);
    FUZZ_CLAIM(addr_equal(&again, addr));
    FUZZ_CLAIM(addr_same_mailbox(&again, addr));
    FUZZ_CLAIM(strlen(addr->key) <= ADDR_PATH_MAX);
    check_variants(w, addr);
}

static enum addr_status check_path(struct world *w, struct span text, struct addr *out)
{
    struct errtext why = {""};
    enum addr_status status = addr_parse_path(w->arena, &w->rules, text, out, &why);
    FUZZ_CLAIM((status == ADDR_MALFORMED) == (*why.text != '\0'));
    FUZZ_CLAIM((status == ADDR_NULL) == span_equal(text, span_of("<>")));
    if (status == ADDR_OK || status == ADDR_BARE)
        check_key(w, status, out);
    return status;
}

static enum addr_status check_plain(struct world *w, struct span text, struct addr *out)
{
    struct errtext why = {""};
    enum addr_status status = addr_parse(w->arena, &w->rules, text, out, &why);
    FUZZ_CLAIM(status != ADDR_NULL);
    FUZZ_CLAIM((status == ADDR_MALFORMED) == (*why.text != '\0'));
    if (status != ADDR_MALFORMED)
        check_key(w, status, out);
    return status;
}

/* The status of what is judged; ADDR_MALFORMED where it is no address, or the readings differ. */
static enum addr_status judged(struct world *w, const char *argument, const char *macro,
                               struct addr *out)
{
    struct addr typed = {0}, parsed = {0};
    enum addr_status status = check_path(w, span_of(argument), &typed);
    *out = typed;
    if (!macro)
        return status;
    enum addr_status macro_status = check_plain(w, span_of(macro), &parsed);
    bool readable = status == ADDR_OK || status == ADDR_BARE;
    *out = parsed;
    if (!readable || macro_status == ADDR_MALFORMED || !addr_same_mailbox(&typed, &parsed))
        return ADDR_MALFORMED;
    return macro_status == ADDR_BARE && status == ADDR_OK ? ADDR_MALFORMED : macro_status;
}

static void check_sender(struct world *w, const struct sender_fact *sender, enum addr_status status,
                         const struct addr *addr, bool completed)
{
    switch (sender->shape) {
    case SENDER_NULL:
        FUZZ_CLAIM(status == ADDR_NULL && !completed);
        return;
    case SENDER_ADDRESS:
        FUZZ_CLAIM(status == ADDR_OK || (status == ADDR_BARE && completed));
        FUZZ_CLAIM(addr_equal(&sender->addr, addr));
        FUZZ_CLAIM(sender->local == domset_has(w->local, addr->domain));
        return;
    case SENDER_MALFORMED:
        FUZZ_CLAIM(status == ADDR_MALFORMED || (status == ADDR_BARE && !completed));
        FUZZ_CLAIM(sender->why && *sender->why);
        return;
    }
}

static void check_recipient(const struct recipient_fact *to, enum addr_status status,
                            const struct addr *addr, const char *argument)
{
    FUZZ_CLAIM((status == ADDR_OK) == (to->key != NULL));
    FUZZ_CLAIM(status != ADDR_OK || strcmp(to->key, addr->key) == 0);
    FUZZ_CLAIM(strcmp(to->raw, argument) == 0);
}

static void play(struct world *w, struct fuzz_input *in)
{
    const char *argument = fuzz_string(in), *macro = fuzz_macro(in);
    struct envelope_rules rules = {.address = &w->rules,
                                   .local_domains = w->local,
                                   .own_addr = fuzz_macro(in),
                                   .unwrap_batv = true,
                                   .unwrap_srs = true};
    struct sender_fact sender;
    struct recipient_fact to = {0};
    struct addr addr = {0};
    macro = macro && *macro ? macro : NULL;
    enum addr_status status = judged(w, argument, macro, &addr);
    envelope_sender(w->arena, &rules, argument, macro, &sender);
    check_sender(w, &sender, status, &addr, macro != NULL);
    envelope_recipient(w->arena, &rules, argument, macro, &to);
    check_recipient(&to, status, &addr, argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct world w = {arena_create(), rules_of_addresses(fuzz_octet(&in)), domset_create()};
    struct addr addr;
    FUZZ_CLAIM(domset_add(w.local, span_of("example.org"), NULL));
    FUZZ_CLAIM(domset_add(w.local, span_of(".below.example.org"), NULL));
    play(&w, &in);
    (void)check_path(&w, fuzz_rest(&in), &addr);
    domset_destroy(w.local);
    arena_destroy(w.arena);
    fuzz_end(&in);
    return 0;
}
