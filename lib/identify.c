#include "identify.h"

#include <string.h>

static const char undecided[] = "xtext or not is not known, as the MTA sends no {v}: set mta";

static const char *keep(struct arena *a, const char *text)
{
    return text && *text ? arena_strdup(a, text) : NULL;
}

static void has_fault(struct principal *p, enum principal_fault fault, const char *why)
{
    p->fault = fault;
    p->why = why;
}

/* ---- SASL ---- */

static void read_login(struct arena *a, const struct identify_rules *rules, const char *version,
                       struct principal *p)
{
    struct span raw;
    struct errtext why = {""};
    switch (login_decode(a, rules->mta, version, span_of(p->raw), &raw)) {
    case LOGIN_UNDECIDED:
        has_fault(p, PRINCIPAL_UNDECIDED, undecided);
        return;
    case LOGIN_BAD_XTEXT:
        has_fault(p, PRINCIPAL_LOGIN_INVALID, "not xtext, which Sendmail sends");
        return;
    case LOGIN_DECODED:
        break;
    }
    if (!login_normalise(a, rules->login, raw, &p->login, &why))
        has_fault(p, PRINCIPAL_LOGIN_INVALID, arena_strdup(a, why.text));
}

/* False where nobody logged in. */
static bool by_login(struct arena *a, const struct identify_rules *rules,
                     const struct identify_macros *macros, struct principal *p)
{
    enum login_proof proof = login_proof(macros->auth_type, macros->auth_authen);
    if (proof == LOGIN_PROOF_NONE)
        return false;
    p->kind = PRINCIPAL_SASL;
    if (proof == LOGIN_PROOF_HALF)
        has_fault(p, PRINCIPAL_HALF,
                  "only one of {auth_type} and {auth_authen}: see milter_mail_macros");
    else
        read_login(a, rules, macros->version, p);
    return true;
}

/* ---- certificate ---- */

static bool is_postfix(const struct identify_rules *rules, const char *version)
{
    static const char name[] = "Postfix";
    if (rules->mta == LOGIN_MTA_AUTO)
        return version && strncmp(version, name, sizeof name - 1) == 0;
    return rules->mta == LOGIN_MTA_POSTFIX;
}

static bool is_verified(const struct identify_rules *rules, const struct identify_macros *macros)
{
    return is_postfix(rules, macros->version) ||
           (macros->verify && strcmp(macros->verify, "OK") == 0);
}

/* LOGIN_DECODED with *out NULL where there is none. A NUL inside would end the text early. */
static enum login_decoded decode(struct arena *a, const struct identify_rules *rules,
                                 const char *version, const char *macro, const char **out)
{
    struct span raw;
    *out = NULL;
    if (!macro || !*macro)
        return LOGIN_DECODED;
    enum login_decoded decoded = login_decode_dn(a, rules->mta, version, span_of(macro), &raw);
    if (decoded != LOGIN_DECODED)
        return decoded;
    if (span_find(raw, '\0') < raw.len)
        return LOGIN_BAD_XTEXT;
    *out = arena_copy(a, raw);
    return LOGIN_DECODED;
}

/* Both names or none. LOGIN_UNDECIDED where they may be xtext. */
static enum login_decoded read_certificate(struct arena *a, const struct identify_rules *rules,
                                           const struct identify_macros *macros,
                                           struct principal *p)
{
    const char *subject = NULL, *issuer = NULL;
    if (!is_verified(rules, macros))
        return LOGIN_DECODED;
    enum login_decoded decoded = decode(a, rules, macros->version, macros->cert_subject, &subject);
    if (decoded == LOGIN_DECODED)
        decoded = decode(a, rules, macros->version, macros->cert_issuer, &issuer);
    if (decoded != LOGIN_DECODED || !subject || !issuer)
        return decoded;
    p->cert_subject = subject;
    p->cert_issuer = issuer;
    return LOGIN_DECODED;
}

static bool is_listed(const struct identify_rules *rules, const char *issuer)
{
    for (size_t i = 0; issuer && i < rules->cert_issuer_count; i++)
        if (strcmp(rules->cert_issuers[i], issuer) == 0)
            return true;
    return false;
}

static bool by_certificate(const struct identify_rules *rules, enum login_decoded decoded,
                           struct principal *p)
{
    if (rules->cert_issuer_count == 0)
        return false;
    if (decoded == LOGIN_UNDECIDED) {
        p->kind = PRINCIPAL_CERT;
        has_fault(p, PRINCIPAL_UNDECIDED, undecided);
        return true;
    }
    if (!is_listed(rules, p->cert_issuer))
        return false;
    p->kind = PRINCIPAL_CERT;
    return true;
}

/* ---- network ---- */

static bool by_network(const struct identify_rules *rules, struct principal *p)
{
    const struct network *network = network_find(rules->networks, p->client_addr);
    if (!network)
        return false;
    p->kind = PRINCIPAL_NETWORK;
    p->network = network->name;
    p->relays = network->relay;
    return true;
}

void identify(struct arena *a, const struct identify_rules *rules,
              const struct identify_macros *macros, struct principal *out)
{
    const char *authen = keep(a, macros->auth_authen);
    *out = (struct principal){
        .kind = PRINCIPAL_NONE,
        .raw = authen ? authen : "",
        .client_addr = keep(a, macros->client_addr),
    };
    enum login_decoded decoded = read_certificate(a, rules, macros, out);
    if (by_login(a, rules, macros, out) || by_certificate(rules, decoded, out))
        return;
    (void)by_network(rules, out);
}
