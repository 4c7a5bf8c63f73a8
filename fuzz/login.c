/* login: the macro {auth_authen}. Input: rules, kind of MTA, version, login; NULs in the login
 * stay.
 */
#include "fuzz.h"
#include "rules.h"

#include "login.h"
#include "strbuf.h"

#include <unistr.h>

static void check_text(const char *name)
{
    FUZZ_CLAIM(*name);
    FUZZ_CLAIM(u8_check((const uint8_t *)name, strlen(name)) == NULL);
    for (const char *c = name; *c; c++)
        FUZZ_CLAIM(!ascii_is_control(*c) && *c != ' ');
    FUZZ_CLAIM(!strstr(name, "\xC2\xA0") && !strstr(name, "\xE2\x80\x8B"));
}

static void check_parts(struct arena *a, const struct login *login)
{
    const char *at = *login->domain ? "@" : "";
    const char *whole = arena_printf(a, "%s%s%s", login->local, at, login->domain);
    FUZZ_CLAIM(strcmp(whole, login->name) == 0);
    FUZZ_CLAIM(!strchr(login->local, '@') && !strchr(login->domain, '@'));
    check_text(login->name);
    check_text(login->local);
    if (login->master)
        check_text(login->master);
}

/* A login in normal form stays as it is. Completing it may have made it longer than a client's may
 * be. */
static void check_again(struct arena *a, const struct login_rules *rules, const struct login *login)
{
    struct login_rules plain = {.fold_case = rules->fold_case};
    struct login again;
    struct exact exact = exact_copy(span_of(login->name));
    bool ok = login_normalise(a, &plain, exact.text, &again, NULL);
    FUZZ_CLAIM(ok || exact.text.len > LOGIN_MAX);
    if (ok) {
        FUZZ_CLAIM(strcmp(again.name, login->name) == 0);
        FUZZ_CLAIM(!again.master);
    }
    exact_free(&exact);
}

static void check_login(struct arena *a, const struct login_rules *rules, struct span raw)
{
    struct login login;
    struct errtext why = {""};
    if (!login_normalise(a, rules, raw, &login, &why)) {
        FUZZ_CLAIM(*why.text);
        return;
    }
    FUZZ_CLAIM(raw.len <= LOGIN_MAX && (!login.master || rules->master_separator));
    check_parts(a, &login);
    check_again(a, rules, &login);
}

/* RFC 3461 section 4, the other way round. */
static struct span xtext(struct arena *a, struct span text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c > ' ' && c <= '~' && c != '+' && c != '=')
            strbuf_add_char(&b, c);
        else
            strbuf_printf(&b, "+%02X", (unsigned char)c);
    }
    return strbuf_span(&b);
}

static void check_xtext(struct arena *a, struct span text)
{
    struct span back;
    struct exact exact = exact_copy(xtext(a, text));
    FUZZ_CLAIM(login_decode(a, LOGIN_MTA_SENDMAIL, NULL, exact.text, &back) == LOGIN_DECODED);
    FUZZ_CLAIM(span_equal(back, text));
    exact_free(&exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum login_mta kinds[] = {LOGIN_MTA_AUTO, LOGIN_MTA_POSTFIX, LOGIN_MTA_SENDMAIL};
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    struct login_rules rules = rules_of_logins(fuzz_octet(&in));
    enum login_mta mta = kinds[fuzz_octet(&in) % 3];
    const char *version = fuzz_macro(&in);
    struct span macro = fuzz_rest(&in), raw;
    if (login_decode(a, mta, version, macro, &raw) == LOGIN_DECODED)
        check_login(a, &rules, raw);
    check_login(a, &rules, macro);
    check_xtext(a, macro);
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
