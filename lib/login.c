#include "login.h"
#include "strbuf.h"
#include "utext.h"

#include <string.h>

enum login_proof login_proof(const char *auth_type, const char *auth_authen)
{
    bool type = auth_type && *auth_type;
    bool authen = auth_authen && *auth_authen;
    if (type != authen)
        return LOGIN_PROOF_HALF;
    return type ? LOGIN_PROOF_SASL : LOGIN_PROOF_NONE;
}

/* ---- normalising ---- */

static bool refuse(struct errtext *why, const char *what)
{
    errtext_set(why, "%s", what);
    return false;
}

static bool check_raw(struct span raw, struct errtext *why)
{
    if (!raw.len)
        return refuse(why, "the login is empty");
    if (raw.len > LOGIN_MAX)
        return refuse(why, "the login is too long");
    struct errtext inner;
    if (utext_check(raw, UTEXT_NOTHING, &inner))
        return true;
    errtext_set(why, "the login %s", inner.text);
    return false;
}

static const char *fold(struct arena *a, const struct login_rules *rules, struct span text)
{
    char *copy = arena_copy(a, text);
    for (size_t i = 0; i < text.len && rules->fold_case; i++)
        copy[i] = ascii_lower(copy[i]);
    return copy;
}

/* The part behind the last '@' as A-label where it is a domain, so that rewrites find it in
 * whatever form it was typed. */
static struct span with_alabel(struct arena *a, struct span login)
{
    size_t at = span_find_last(login, '@');
    const char *domain = NULL;
    if (at == login.len || !utext_domain(a, span_sub(login, at + 1, login.len), &domain, NULL))
        return login;
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add(&b, span_sub(login, 0, at + 1));
    strbuf_add_str(&b, domain);
    return strbuf_span(&b);
}

static struct span rewrite(struct arena *a, const struct login_rules *rules, struct span login)
{
    for (size_t i = 0; i < rules->rewrite_count; i++) {
        struct span from = span_of(rules->rewrites[i].from);
        if (from.len > login.len ||
            !span_equal(span_sub(login, login.len - from.len, from.len), from))
            continue;
        struct strbuf b;
        strbuf_init(&b, a);
        strbuf_add(&b, span_sub(login, 0, login.len - from.len));
        strbuf_add_str(&b, rules->rewrites[i].to);
        return strbuf_span(&b);
    }
    return login;
}

static bool check_shape(struct span login, size_t at, struct errtext *why)
{
    if (span_find_last(login, '@') != at)
        return refuse(why, "the login has two '@'");
    if (at == 0 || at + 1 == login.len)
        return refuse(why, "the login has an empty part");
    if (login.data[login.len - 1] == '.')
        return refuse(why, "the login ends with a dot");
    return true;
}

/* One login without a master user. */
static bool normalise_one(struct arena *a, const struct login_rules *rules, struct span raw,
                          struct login *out, struct errtext *why)
{
    struct span login = rewrite(a, rules, with_alabel(a, span_of(fold(a, rules, raw))));
    size_t at = span_find(login, '@');
    if (!check_shape(login, at, why))
        return false;
    const char *domain = "";
    struct span typed = span_sub(login, at + 1, login.len);
    if (at == login.len && rules->default_domain)
        typed = span_of(rules->default_domain);
    if (typed.len && !utext_domain(a, typed, &domain, why))
        return false;
    const char *local = arena_copy(a, span_sub(login, 0, at));
    const char *name = *domain ? arena_printf(a, "%s@%s", local, domain) : local;
    *out = (struct login){.name = name, .local = local, .domain = domain};
    return true;
}

bool login_normalise(struct arena *a, const struct login_rules *rules, struct span raw,
                     struct login *out, struct errtext *why)
{
    struct login user, master = {0};
    if (!check_raw(raw, why))
        return false;
    size_t split = rules->master_separator ? span_find(raw, rules->master_separator) : raw.len;
    if (split == 0 || split + 1 == raw.len)
        return refuse(why, "the login has an empty part beside the master user's separator");
    if (!normalise_one(a, rules, span_sub(raw, 0, split), &user, why))
        return false;
    if (split < raw.len &&
        !normalise_one(a, rules, span_sub(raw, split + 1, raw.len), &master, why))
        return false;
    *out = user;
    out->master = master.name;
    return true;
}

/* ---- decoding ---- */

/* hexchar of RFC 3461 section 4: "+" and two upper-case digits; -1 for anything else. */
static int hexchar(struct span text, size_t plus)
{
    static const char digits[] = "0123456789ABCDEF";
    if (plus + 2 >= text.len || text.data[plus] != '+')
        return -1;
    const char *high = memchr(digits, text.data[plus + 1], 16);
    const char *low = memchr(digits, text.data[plus + 2], 16);
    return high && low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

static bool has_hexchar(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (hexchar(text, i) >= 0)
            return true;
    return false;
}

/* xtext = *( xchar / hexchar ), xchar = "!" to "~" but "+" and "=" */
static enum login_decoded decode_xtext(struct arena *a, bool takes_equals, struct span macro,
                                       struct span *out)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < macro.len; i++) {
        char c = macro.data[i];
        if (c == '+') {
            int value = hexchar(macro, i);
            if (value < 0)
                return LOGIN_BAD_XTEXT;
            strbuf_add_char(&b, (char)value);
            i += 2;
        } else if (c < '!' || c > '~' || (c == '=' && !takes_equals)) {
            return LOGIN_BAD_XTEXT;
        } else {
            strbuf_add_char(&b, c);
        }
    }
    *out = strbuf_span(&b);
    return LOGIN_DECODED;
}

static enum login_mta guess_mta(enum login_mta mta, const char *version)
{
    if (mta != LOGIN_MTA_AUTO || !version || !*version)
        return mta;
    return strncmp(version, "Postfix", strlen("Postfix")) == 0 ? LOGIN_MTA_POSTFIX
                                                               : LOGIN_MTA_SENDMAIL;
}

static enum login_decoded decode(struct arena *a, enum login_mta mta, const char *version,
                                 bool takes_equals, struct span macro, struct span *out)
{
    switch (guess_mta(mta, version)) {
    case LOGIN_MTA_SENDMAIL:
        return decode_xtext(a, takes_equals, macro, out);
    case LOGIN_MTA_AUTO:
        if (has_hexchar(macro))
            return LOGIN_UNDECIDED;
        break;
    case LOGIN_MTA_POSTFIX:
        break;
    }
    *out = macro;
    return LOGIN_DECODED;
}

enum login_decoded login_decode(struct arena *a, enum login_mta mta, const char *version,
                                struct span macro, struct span *out)
{
    return decode(a, mta, version, false, macro, out);
}

enum login_decoded login_decode_dn(struct arena *a, enum login_mta mta, const char *version,
                                   struct span macro, struct span *out)
{
    return decode(a, mta, version, true, macro, out);
}
