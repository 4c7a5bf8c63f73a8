/* identify: who the client proved to be, a row a set of macros. */
#include "rows.h"

#include "identify.h"

#include <string.h>

struct row {
    const char *name;
    enum login_mta mta;
    struct identify_macros macros;
    const char *issuers; /* one, NULL for none */
    enum principal_kind kind;
    enum principal_fault fault;
    const char *want; /* principal_name(); NULL: not looked at */
    const char *cert; /* cert_subject of any kind, NULL for none */
};

#define POSTFIX .version = "Postfix 3.7.11"
#define CERT    .cert_subject = "client one", .cert_issuer = "Rig CA"
#define ANN     .auth_type = "PLAIN", .auth_authen = "ann"

static const struct row rows[] = {
    {"nothing", 0, {POSTFIX, .client_addr = "192.0.2.1"}, NULL, PRINCIPAL_NONE, 0, "", NULL},
    {"a login", 0, {POSTFIX, ANN}, NULL, PRINCIPAL_SASL, 0, "ann", NULL},
    {"half a login",
     0,
     {POSTFIX, .auth_type = "PLAIN"},
     NULL,
     PRINCIPAL_SASL,
     PRINCIPAL_HALF,
     "",
     NULL},
    {"a login and a certificate",
     0,
     {POSTFIX, ANN, CERT},
     "Rig CA",
     PRINCIPAL_SASL,
     0,
     "ann",
     "client one"},
    {"half a login and a certificate",
     0,
     {POSTFIX, .auth_authen = "ann", CERT},
     "Rig CA",
     PRINCIPAL_SASL,
     PRINCIPAL_HALF,
     "ann",
     "client one"},
    {"a login from a network",
     0,
     {POSTFIX, ANN, .client_addr = "10.1.2.3"},
     NULL,
     PRINCIPAL_SASL,
     0,
     "ann",
     NULL},
    {"a certificate", 0, {POSTFIX, CERT}, "Rig CA", PRINCIPAL_CERT, 0, "client one", "client one"},
    {"a certificate of another issuer",
     0,
     {POSTFIX, CERT},
     "Other CA",
     PRINCIPAL_NONE,
     0,
     "",
     "client one"},
    {"a certificate where none counts",
     0,
     {POSTFIX, CERT},
     NULL,
     PRINCIPAL_NONE,
     0,
     "",
     "client one"},
    {"an issuer in other letters",
     0,
     {POSTFIX, CERT},
     "rig ca",
     PRINCIPAL_NONE,
     0,
     "",
     "client one"},
    {"a certificate without subject",
     0,
     {POSTFIX, .cert_issuer = "Rig CA"},
     "Rig CA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"a certificate with an empty subject",
     0,
     {POSTFIX, .cert_issuer = "Rig CA", .cert_subject = ""},
     "Rig CA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"a certificate from a network",
     0,
     {POSTFIX, CERT, .client_addr = "10.1.2.3"},
     "Rig CA",
     PRINCIPAL_CERT,
     0,
     "client one",
     "client one"},
    {"another issuer's certificate from a network",
     0,
     {POSTFIX, CERT, .client_addr = "10.1.2.3"},
     "Other CA",
     PRINCIPAL_NETWORK,
     0,
     "10.1.2.0/28",
     "client one"},
    {"Sendmail: not verified", LOGIN_MTA_SENDMAIL, {CERT}, "Rig CA", PRINCIPAL_NONE, 0, "", NULL},
    {"Sendmail: verified, but failed",
     LOGIN_MTA_SENDMAIL,
     {.cert_subject = "c", .cert_issuer = "Rig+20CA", .verify = "FAIL"},
     "Rig CA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"Sendmail: verified, in xtext",
     LOGIN_MTA_SENDMAIL,
     {.cert_subject = "/O=Rig/CN=client+20one", .cert_issuer = "Rig+20CA", .verify = "OK"},
     "Rig CA",
     PRINCIPAL_CERT,
     0,
     "/O=Rig/CN=client one",
     "/O=Rig/CN=client one"},
    {"Sendmail: a NUL in the subject",
     LOGIN_MTA_SENDMAIL,
     {.cert_subject = "boss+00x", .cert_issuer = "Rig+20CA", .verify = "OK"},
     "Rig CA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"Sendmail: no xtext",
     LOGIN_MTA_SENDMAIL,
     {.cert_subject = "a b", .cert_issuer = "Rig+20CA", .verify = "OK"},
     "Rig CA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"an MTA without name: verified",
     0,
     {.cert_subject = "client", .cert_issuer = "RigCA", .verify = "OK"},
     "RigCA",
     PRINCIPAL_CERT,
     0,
     "client",
     "client"},
    {"an MTA without name: not verified",
     0,
     {.cert_subject = "client", .cert_issuer = "RigCA"},
     "RigCA",
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"an MTA without name: perhaps xtext",
     0,
     {.cert_subject = "a+20b", .cert_issuer = "RigCA", .verify = "OK"},
     "RigCA",
     PRINCIPAL_CERT,
     PRINCIPAL_UNDECIDED,
     NULL,
     NULL},
    {"an MTA without name: perhaps xtext, where none counts",
     0,
     {.cert_subject = "a+20b", .cert_issuer = "RigCA", .verify = "OK"},
     NULL,
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"a network",
     0,
     {POSTFIX, .client_addr = "10.1.2.3"},
     NULL,
     PRINCIPAL_NETWORK,
     0,
     "10.1.2.0/28",
     NULL},
    {"beside a network",
     0,
     {POSTFIX, .client_addr = "10.1.2.16"},
     NULL,
     PRINCIPAL_NONE,
     0,
     "",
     NULL},
    {"no address", 0, {POSTFIX}, NULL, PRINCIPAL_NONE, 0, "", NULL},
};

static void identifies(void **state)
{
    const struct row *row = *state;
    struct arena *a = arena_create();
    const struct login_rules login = {.fold_case = true};
    struct network network = {.name = "10.1.2.0/28", .relay = true, .is_block = true};
    struct network_set networks = {&network, 1};
    struct principal got;
    assert_true(net_parse(span_of(network.name), &network.net, NULL));
    const struct identify_rules rules = {
        .mta = row->mta,
        .login = &login,
        .cert_issuers = &row->issuers,
        .cert_issuer_count = row->issuers ? 1 : 0,
        .networks = &networks,
    };
    identify(a, &rules, &row->macros, &got);
    assert_int_equal(got.kind, row->kind);
    assert_int_equal(got.fault, row->fault);
    if (row->want)
        assert_string_equal(principal_name(&got), row->want);
    assert_string_equal(got.cert_subject ? got.cert_subject : "", row->cert ? row->cert : "");
    assert_int_equal(got.relays, got.kind == PRINCIPAL_NETWORK);
    if (row->macros.client_addr)
        assert_string_equal(got.client_addr, row->macros.client_addr);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(rows, identifies);
    return rows_main();
}
