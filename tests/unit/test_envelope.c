/* envelope: the argument and the MTA's macro must tell the same story. */
#include "rows.h"

#include "envelope.h"

#include <string.h>

struct sender_row {
    const char *name, *argument, *macro;
    enum sender_shape shape;
    const char *key;
    bool local, strip_routes;
};

static const struct sender_row senders[] = {
    {"brackets, no macro", "<ann@example.net>", NULL, .shape = SENDER_ADDRESS, "ann@example.net",
     true},
    {"no brackets", "ann@example.net", "ann@example.net", .shape = SENDER_ADDRESS,
     "ann@example.net", true},
    {"foreign domain", "<x@other.example>", "x@other.example", .shape = SENDER_ADDRESS,
     "x@other.example"},
    {"the macro is judged: lower case", "<Ann@EXAMPLE.net>", "ann@example.net",
     .shape = SENDER_ADDRESS, "ann@example.net", true},
    {"needless quotes", "<\"ann\"@example.net>", "ann@example.net", .shape = SENDER_ADDRESS,
     "ann@example.net", true},
    {"quotes that Sendmail keeps", "<\"ann\"@example.net>", "\"ann\"@example.net",
     .shape = SENDER_ADDRESS, "ann@example.net", true},
    {"domain added by the MTA", "<ann>", "ann@example.net", .shape = SENDER_ADDRESS,
     "ann@example.net", true},
    {"domain added to another name", "<ann>", "bob@example.net", .shape = SENDER_MALFORMED},
    {"bare name that stays bare", "<ann>", "ann", .shape = SENDER_ADDRESS, "ann"},
    {"bare name without a macro", "<ann>", NULL, .shape = SENDER_MALFORMED},
    {"domain that the MTA lost", "<ann@example.net>", "ann", .shape = SENDER_MALFORMED},
    {"null sender", "<>", NULL, .shape = SENDER_NULL},
    {"null argument, address in the macro", "<>", "ann@example.net", .shape = SENDER_MALFORMED},
    {"not quite the null sender", "< >", NULL, .shape = SENDER_MALFORMED},
    {"another mailbox in the macro", "<ann@example.net>", "bob@example.net",
     .shape = SENDER_MALFORMED},
    {"another domain in the macro", "<ann@example.net>", "ann@example.com",
     .shape = SENDER_MALFORMED},
    {"two paths, the last one wins in Sendmail", "<ann@example.net>,<bob@example.net>",
     "bob@example.net", .shape = SENDER_MALFORMED},
    {"comment", "<ann(x)@example.net>", "ann@example.net", .shape = SENDER_MALFORMED},
    {"phrase", "<Ann <ann@example.net>>", "ann@example.net", .shape = SENDER_MALFORMED},
    {"blank inside", "<  ann@example.net>", "ann@example.net", .shape = SENDER_MALFORMED},
    {"trailing dot", "<ann@example.net.>", "ann@example.net", .shape = SENDER_MALFORMED},
    {"source route", "<@a.example,@b.example:ann@example.net>", "ann@example.net",
     .shape = SENDER_MALFORMED},
    {"source route, stripped", "<@a.example,@b.example:ann@example.net>", "ann@example.net",
     .shape = SENDER_ADDRESS, "ann@example.net", true, true},
    {"U-label and A-label",
     "<ann@b\xc3\xbc"
     "cher.example>",
     "ann@xn--bcher-kva.example", .shape = SENDER_ADDRESS, "ann@xn--bcher-kva.example"},
    {"two @", "<ann@example.net@other.example>", "\"ann@example.net\"@other.example",
     .shape = SENDER_MALFORMED},
    {"garbage in the macro", "<ann@example.net>", "ann@@example.net", .shape = SENDER_MALFORMED},
    {"empty argument", "", NULL, .shape = SENDER_MALFORMED},
};

static struct domset *local;

static void reads_sender(void **state)
{
    const struct sender_row *row = *state;
    struct arena *a = arena_create();
    struct addr_rules address = {.fold_local_part = true, .strip_routes = row->strip_routes};
    struct envelope_rules rules = {.address = &address, .local_domains = local};
    struct sender_fact got = {0};
    envelope_sender(a, &rules, row->argument, row->macro, &got);
    assert_int_equal(got.shape, row->shape);
    assert_string_equal(got.raw, row->argument);
    if (row->key)
        assert_string_equal(got.addr.key, row->key);
    assert_int_equal(got.local, row->local);
    if (row->shape == SENDER_MALFORMED)
        assert_true(got.why && *got.why);
    arena_destroy(a);
}

struct wrap_row {
    const char *name, *argument, *macro;
    bool batv, srs;
    const char *inner; /* NULL for nothing unwrapped */
};

#define BATV "prvs=0123abcdef=ann@example.net"
#define SRS  "SRS0=AbCd=TT=other.example=ann"

static const struct wrap_row wraps[] = {
    {"BATV", "<" BATV ">", BATV, .batv = true, .inner = "ann@example.net"},
    {"BATV without a macro", "<" BATV ">", NULL, .batv = true, .inner = "ann@example.net"},
    {"BATV of a foreign domain keeps it", "<prvs=0123abcdef=x@other.example>", NULL, .batv = true,
     .inner = "x@other.example"},
    {"BATV where it is not asked for", "<" BATV ">", NULL, .srs = true},
    {"nothing is asked for", "<" BATV ">", NULL, .batv = false},
    {"letter case of the macro", "<PRVS=0123ABCDEF=Ann@Example.Net>", BATV, .batv = true,
     .inner = "ann@example.net"},
    {"SRS in a domain of ours", "<" SRS "@example.net>", NULL, .srs = true,
     .inner = "ann@other.example"},
    {"SRS in a foreign domain is proof of nothing", "<" SRS "@relay.example>", NULL, .srs = true},
    {"SRS in a subdomain of ours is foreign", "<" SRS "@mail.example.net>", NULL, .srs = true},
    {"SRS where it is not asked for", "<" SRS "@example.net>", NULL, .batv = true},
    {"both asked for, BATV", "<" BATV ">", NULL, .batv = true, .srs = true,
     .inner = "ann@example.net"},
    {"both asked for, SRS", "<" SRS "@example.net>", NULL, .batv = true, .srs = true,
     .inner = "ann@other.example"},
    {"one layer of two", "<prvs=0123abcdef=" SRS "@example.net>", NULL, .batv = true, .srs = true,
     .inner = SRS "@example.net"},
    {"a plain address", "<ann@example.net>", NULL, .batv = true, .srs = true},
    {"a tag that is none", "<prvs=0123abcde=ann@example.net>", NULL, .batv = true, .srs = true},
    {"a bare name", "<prvs=0123abcdef=ann>", "prvs=0123abcdef=ann", .batv = true},
    {"a null sender", "<>", NULL, .batv = true, .srs = true},
    {"two readings that differ", "<" BATV ">", "ann@example.net", .batv = true},
};

/* The address itself is judged too, so it stays what it is. */
static void unwraps(void **state)
{
    const struct wrap_row *row = *state;
    struct arena *a = arena_create();
    struct addr_rules address = {.fold_local_part = true};
    struct envelope_rules rules = {.address = &address,
                                   .local_domains = local,
                                   .unwrap_batv = row->batv,
                                   .unwrap_srs = row->srs};
    struct sender_fact got = {0}, plain = {0};
    envelope_sender(a, &rules, row->argument, row->macro, &got);
    rules.unwrap_batv = rules.unwrap_srs = false;
    envelope_sender(a, &rules, row->argument, row->macro, &plain);
    assert_int_equal(got.shape, plain.shape);
    assert_int_equal(got.local, plain.local);
    assert_null(plain.unwrapped);
    if (got.shape == SENDER_ADDRESS)
        assert_string_equal(got.addr.key, plain.addr.key);
    assert_int_equal(got.unwrapped != NULL, row->inner != NULL);
    if (row->inner) {
        struct addr want;
        assert_int_equal(addr_parse(a, &address, span_of(row->inner), &want, NULL), ADDR_OK);
        assert_string_equal(got.unwrapped ? got.unwrapped->key : "", want.key);
    }
    arena_destroy(a);
}

struct rcpt_row {
    const char *name, *argument, *macro, *own_addr;
    bool local;
    const char *key;
};

static const struct rcpt_row rcpts[] = {
    {"local", "<bob@example.net>", "bob@example.net", NULL, true, "bob@example.net"},
    {"foreign", "<x@other.example>", "x@other.example", NULL, false, "x@other.example"},
    {"subdomain is not local", "<x@sub.example.net>", NULL, NULL, false, "x@sub.example.net"},
    {"bare postmaster", "<Postmaster>", NULL, NULL, true, NULL},
    {"bare postmaster, completed by the MTA", "<postmaster>", "postmaster@mx.example", NULL, true,
     "postmaster@mx.example"},
    {"another bare name", "<bob>", NULL, NULL, false, NULL},
    {"another bare name, completed", "<bob>", "bob@example.net", NULL, true, "bob@example.net"},
    {"own literal", "<postmaster@[192.0.2.25]>", NULL, "192.0.2.25", true,
     "postmaster@[192.0.2.25]"},
    {"another literal", "<postmaster@[192.0.2.26]>", NULL, "192.0.2.25", false,
     "postmaster@[192.0.2.26]"},
    {"own IPv6 literal", "<a@[IPv6:2001:DB8:0::1]>", NULL, "2001:db8::1", true,
     "a@[ipv6:2001:db8::1]"},
    {"own IPv6 literal, Sendmail's macro", "<a@[IPv6:2001:db8::1]>", NULL, "IPv6:2001:db8::1", true,
     "a@[ipv6:2001:db8::1]"},
    {"source route cannot be read", "<@example.net:x@other.example>", "x@other.example", NULL,
     false, NULL},
    {"readings differ", "<bob@example.net>", "x@other.example", NULL, false, NULL},
    {"list", "<x@other.example>,<bob@example.net>", "bob@example.net", NULL, false, NULL},
    {"null", "<>", NULL, NULL, false, NULL},
};

static void reads_recipient(void **state)
{
    const struct rcpt_row *row = *state;
    struct arena *a = arena_create();
    struct addr_rules address = {.fold_local_part = true};
    struct envelope_rules rules = {
        .address = &address, .local_domains = local, .own_addr = row->own_addr};
    struct recipient_fact got = {.number = 3};
    envelope_recipient(a, &rules, row->argument, row->macro, &got);
    assert_int_equal(got.local, row->local);
    assert_string_equal(got.raw, row->argument);
    if (row->key)
        assert_string_equal(got.key, row->key);
    else
        assert_null(got.key);
    assert_int_equal(got.number, 3);
    arena_destroy(a);
}

struct macro_row {
    const char *name, *argument, *macro, *mailer;
    const char *want;
};

static const struct macro_row macros[] = {
    {"macro: none", "<ann@example.net>", NULL, "local", NULL},
    {"macro: a whole address", "<ann@example.net>", "ann@example.net", "esmtp", "ann@example.net"},
    {"macro: a whole address, local mailer", "<ann@example.net>", "bob@example.net", "local",
     "bob@example.net"},
    {"macro: a local user", "<ann@example.net>", "ann", "local", NULL},
    {"macro: a local user by another mailer", "<ann@example.net>", "ann", "cyrusv2", NULL},
    {"macro: a local user of a virtual domain", "<ann@virtual.example>", "ann1", "local", NULL},
    {"macro: a local user that was typed as such", "<ann>", "ann", "local", "ann"},
    {"macro: a local user, mailer not told", "<ann@example.net>", "ann", NULL, "ann"},
    {"macro: a name, but no local mailer", "<ann@example.net>", "ann", "esmtp", "ann"},
    {"macro: an error", "<ann@example.net>", "denied", "error", "denied"},
    {"macro: an address that cannot be read", "<ann@example.net>,<bob@example.net>", "bob", "local",
     "bob"},
    {"macro: the null sender", "<>", "ann", "local", "ann"},
    {"macro: not a name", "<ann@example.net>", "a b", "local", "a b"},
};

static void chooses_macro(void **state)
{
    const struct macro_row *row = *state;
    struct arena *a = arena_create();
    struct addr_rules address = {.fold_local_part = true};
    const char *got = envelope_macro(a, &address, row->argument, row->macro, row->mailer);
    if (row->want)
        assert_string_equal(got, row->want);
    else
        assert_null(got);
    arena_destroy(a);
}

int main(void)
{
    local = domset_create();
    assert_true(domset_add(local, span_of("example.net"), NULL));
    ROWS_ADD(senders, reads_sender);
    ROWS_ADD(wraps, unwraps);
    ROWS_ADD(rcpts, reads_recipient);
    ROWS_ADD(macros, chooses_macro);
    int failed = rows_main();
    domset_destroy(local);
    return failed;
}
