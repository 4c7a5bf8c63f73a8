#include "envelope.h"
#include "unwrap.h"

#include <string.h>

/* Sendmail's mailers for the mailboxes of its host; what is left to them has lost its domain. */
static bool is_local_mailer(const char *mailer)
{
    static const char *const names[] = {"local", "lmtp", "procmail", "cyrus", "cyrusv2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], mailer) == 0)
            return true;
    return false;
}

const char *envelope_macro(struct arena *a, const struct addr_rules *rules, const char *argument,
                           const char *macro, const char *mailer)
{
    struct addr addr;
    if (!macro || !mailer || !is_local_mailer(mailer) ||
        addr_parse(a, rules, span_of(macro), &addr, NULL) != ADDR_BARE)
        return macro;
    return addr_parse_path(a, rules, span_of(argument), &addr, NULL) == ADDR_OK ? NULL : macro;
}

/* ADDR_MALFORMED where the two readings differ. */
static enum addr_status read_both(struct arena *a, const struct addr_rules *rules,
                                  const char *argument, const char *macro, struct addr *out,
                                  struct errtext *why)
{
    struct addr typed = {0}, parsed = {0};
    enum addr_status typed_status = addr_parse_path(a, rules, span_of(argument), &typed, why);
    if (typed_status == ADDR_MALFORMED)
        return ADDR_MALFORMED;
    if (!macro) {
        *out = typed;
        return typed_status;
    }
    enum addr_status parsed_status = addr_parse(a, rules, span_of(macro), &parsed, why);
    if (parsed_status == ADDR_MALFORMED)
        return ADDR_MALFORMED;
    if (typed_status == ADDR_NULL || (typed_status == ADDR_OK && parsed_status == ADDR_BARE) ||
        !addr_same_mailbox(&typed, &parsed)) {
        errtext_set(why, "the mail server reads it as %s", macro);
        return ADDR_MALFORMED;
    }
    *out = parsed;
    return parsed_status;
}

static const struct addr *unwrapped(struct arena *a, const struct envelope_rules *rules,
                                    const struct sender_fact *sender)
{
    struct addr *inner = arena_alloc(a, sizeof *inner);
    if (rules->unwrap_batv && unwrap_batv(a, rules->address, &sender->addr, inner))
        return inner;
    if (rules->unwrap_srs && sender->local && unwrap_srs(a, rules->address, &sender->addr, inner))
        return inner;
    return NULL;
}

void envelope_sender(struct arena *a, const struct envelope_rules *rules, const char *argument,
                     const char *macro, struct sender_fact *out)
{
    struct errtext why = {""};
    struct sender_fact sender = {.raw = arena_strdup(a, argument)};
    switch (read_both(a, rules->address, argument, macro, &sender.addr, &why)) {
    case ADDR_OK:
        sender.shape = SENDER_ADDRESS;
        sender.local = domset_has(rules->local_domains, sender.addr.domain);
        sender.unwrapped = unwrapped(a, rules, &sender);
        break;
    case ADDR_NULL:
        sender.shape = SENDER_NULL;
        break;
    case ADDR_BARE:
        /* A bare name that the MTA keeps bare can be granted; one that it did not read, cannot. */
        sender.shape = macro ? SENDER_ADDRESS : SENDER_MALFORMED;
        sender.why = macro ? NULL : "no domain";
        break;
    case ADDR_MALFORMED:
        sender.shape = SENDER_MALFORMED;
        sender.why = arena_strdup(a, why.text);
        break;
    }
    *out = sender;
}

/* RFC 5321 section 4.5.1: <postmaster> without domain is always the host's own. */
static bool is_bare_postmaster(struct arena *a, const struct addr_rules *rules,
                               const char *argument)
{
    struct addr typed;
    return addr_parse_path(a, rules, span_of(argument), &typed, NULL) == ADDR_BARE &&
           span_equal_nocase(span_of(typed.local), span_of("postmaster"));
}

static bool is_own_literal(struct arena *a, const struct envelope_rules *rules, const char *domain)
{
    struct addr own;
    if (!rules->own_addr || domain[0] != '[')
        return false;
    struct span ip = span_of(rules->own_addr);
    if (span_starts_nocase(ip, "IPv6:"))
        ip = span_sub(ip, 5, ip.len);
    const char *text = arena_printf(a, "x@[%s%.*s]", span_find(ip, ':') < ip.len ? "IPv6:" : "",
                                    (int)ip.len, ip.data);
    return addr_parse(a, rules->address, span_of(text), &own, NULL) == ADDR_OK &&
           strcmp(own.domain, domain) == 0;
}

void envelope_recipient(struct arena *a, const struct envelope_rules *rules, const char *argument,
                        const char *macro, struct recipient_fact *out)
{
    struct addr to;
    out->raw = arena_strdup(a, argument);
    out->key = NULL;
    out->owners = NULL;
    out->local = out->postmaster = is_bare_postmaster(a, rules->address, argument);
    if (read_both(a, rules->address, argument, macro, &to, NULL) != ADDR_OK)
        return;
    out->key = to.key;
    out->addr = to;
    out->postmaster =
        out->postmaster || span_equal_nocase(span_of(to.local), span_of("postmaster"));
    out->local = out->local || domset_has(rules->local_domains, to.domain) ||
                 is_own_literal(a, rules, to.domain);
}
