#include "rows.h"
#include "principal.h"

#include <string.h>

/* ---- names of the kinds ---- */

struct kind_row {
    const char *name;
    enum principal_kind kind;
};

static const struct kind_row kind_rows[] = {
    {"none", PRINCIPAL_NONE},
    {"sasl", PRINCIPAL_SASL},
    {"cert", PRINCIPAL_CERT},
    {"network", PRINCIPAL_NETWORK},
};

static void run_kind(void **state)
{
    const struct kind_row *row = *state;
    enum principal_kind kind = PRINCIPAL_KINDS;
    assert_string_equal(principal_kind_name(row->kind), row->name);
    assert_true(principal_kind_by_name(row->name, &kind));
    assert_int_equal(kind, row->kind);
}

static void every_kind_has_a_row(void **state)
{
    (void)state;
    assert_int_equal(sizeof kind_rows / sizeof kind_rows[0], PRINCIPAL_KINDS);
}

struct stranger_row {
    const char *name, *text;
};

static const struct stranger_row stranger_rows[] = {
    {"no kind: nothing", ""},   {"no kind: capitals", "SASL"},    {"no kind: a part", "net"},
    {"no kind: more", "cert "}, {"no kind: another word", "tls"},
};

static void run_stranger(void **state)
{
    const struct stranger_row *row = *state;
    enum principal_kind kind = PRINCIPAL_CERT;
    assert_false(principal_kind_by_name(row->text, &kind));
    assert_int_equal(kind, PRINCIPAL_CERT);
}

static void every_kind_has_a_bit(void **state)
{
    (void)state;
    unsigned all = 0;
    for (int k = 0; k < PRINCIPAL_KINDS; k++) {
        assert_int_equal(all & PRINCIPAL_BIT(k), 0);
        all |= PRINCIPAL_BIT(k);
    }
    assert_int_equal(all, PRINCIPAL_BIT(PRINCIPAL_KINDS) - 1);
}

/* ---- principal_name() ---- */

struct name_row {
    const char *name;
    struct principal principal;
    const char *want;
};

static const struct name_row name_rows[] = {
    {"name: nothing proved", {.kind = PRINCIPAL_NONE, .client_addr = "192.0.2.1"}, ""},
    {"name: nothing proved, half a login",
     {.kind = PRINCIPAL_NONE, .fault = PRINCIPAL_HALF, .raw = "ann"},
     ""},
    {"name: login in normal form",
     {.kind = PRINCIPAL_SASL, .raw = "ANN", .login = {.name = "ann"}},
     "ann"},
    {"name: login that cannot be read",
     {.kind = PRINCIPAL_SASL, .fault = PRINCIPAL_LOGIN_INVALID, .raw = "a@b@c"},
     "a@b@c"},
    {"name: faulty login though it has a form",
     {.kind = PRINCIPAL_SASL,
      .fault = PRINCIPAL_UNDECIDED,
      .raw = "ann+2B",
      .login = {.name = "ann+2b"}},
     "ann+2B"},
    {"name: login of nobody", {.kind = PRINCIPAL_SASL}, ""},
    {"name: certificate",
     {.kind = PRINCIPAL_CERT, .cert_subject = "CN=ann", .cert_issuer = "CN=CA", .network = "x"},
     "CN=ann"},
    {"name: certificate without subject", {.kind = PRINCIPAL_CERT, .cert_issuer = "CN=CA"}, ""},
    {"name: network",
     {.kind = PRINCIPAL_NETWORK, .network = "10.1.2.0/28", .client_addr = "10.1.2.3"},
     "10.1.2.0/28"},
    {"name: network without name", {.kind = PRINCIPAL_NETWORK, .client_addr = "10.1.2.3"}, ""},
};

static void run_name(void **state)
{
    const struct name_row *row = *state;
    assert_string_equal(principal_name(&row->principal), row->want);
}

/* ---- principal_copy() ---- */

static void nothing_becomes_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const struct principal empty = {.kind = PRINCIPAL_CERT};
    struct principal copy = principal_copy(a, &empty);
    const char *const texts[] = {
        copy.raw,          copy.why,          copy.login.name,  copy.login.local, copy.login.domain,
        copy.login.master, copy.cert_subject, copy.cert_issuer, copy.network,     copy.client_addr,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_null(texts[i]);
    assert_int_equal(copy.kind, PRINCIPAL_CERT);
    assert_int_equal(copy.fault, PRINCIPAL_SOUND);
    assert_false(copy.relays);
    arena_destroy(a);
}

enum { TEXTS = 10 };

/* Every text of a principal, one memory each. */
static struct principal of_texts(char texts[TEXTS][4])
{
    for (int i = 0; i < TEXTS; i++)
        texts[i][0] = (char)('a' + i);
    return (struct principal){
        .kind = PRINCIPAL_NETWORK,
        .fault = PRINCIPAL_UNDECIDED,
        .raw = texts[0],
        .why = texts[1],
        .login = {.name = texts[2], .local = texts[3], .domain = texts[4], .master = texts[5]},
        .cert_subject = texts[6],
        .cert_issuer = texts[7],
        .network = texts[8],
        .relays = true,
        .client_addr = texts[9],
    };
}

static void check_texts(const struct principal *p)
{
    const char *const texts[TEXTS] = {
        p->raw,          p->why,          p->login.name,  p->login.local, p->login.domain,
        p->login.master, p->cert_subject, p->cert_issuer, p->network,     p->client_addr,
    };
    for (int i = 0; i < TEXTS; i++) {
        const char want[] = {(char)('a' + i), '\0'};
        assert_string_equal(texts[i], want);
    }
}

static void a_copy_stands_alone(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    char texts[TEXTS][4] = {{0}};
    struct principal original = of_texts(texts);
    check_texts(&original);
    struct principal copy = principal_copy(a, &original);
    memset(texts, 'X', sizeof texts);
    check_texts(&copy);
    assert_int_equal(copy.kind, PRINCIPAL_NETWORK);
    assert_int_equal(copy.fault, PRINCIPAL_UNDECIDED);
    assert_true(copy.relays);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(kind_rows, run_kind);
    ROWS_ADD_TEST("every kind has a row", every_kind_has_a_row);
    ROWS_ADD(stranger_rows, run_stranger);
    ROWS_ADD_TEST("every kind has a bit of its own", every_kind_has_a_bit);
    ROWS_ADD(name_rows, run_name);
    ROWS_ADD_TEST("a copy of nothing", nothing_becomes_nothing);
    ROWS_ADD_TEST("a copy stands alone", a_copy_stands_alone);
    return rows_main();
}
