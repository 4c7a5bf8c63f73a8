/* authres: the grammar with its bounds, whose field it is, what it proves, and what we write. */
#include "rows.h"

#include "authres.h"
#include "exact.h"
#include "strbuf.h"
#include "texts.h"

#include <stdio.h>

#define ME "mail.example.net"

/* ---- reading ---- */

struct parse_row {
    const char *name;
    struct span value;
    const char *want; /* see dump(); what begins with "malformed" is malformed */
};

static void dump_result(struct strbuf *out, const struct authres_result *r)
{
    strbuf_printf(out, " | %s", r->method);
    if (r->version != 1)
        strbuf_printf(out, "/%u", r->version);
    strbuf_printf(out, "=%s", r->result);
    if (r->reason)
        strbuf_printf(out, " reason[%s]", r->reason);
    for (size_t i = 0; i < r->prop_count; i++) {
        const struct authres_prop *prop = &r->props[i];
        strbuf_printf(out, " %s.%s[%s]", prop->ptype, prop->property, prop->value);
        if (prop->domain)
            strbuf_printf(out, "@%s", prop->domain);
    }
}

static const char *dump(struct arena *a, enum authres_status status, const struct authres *found)
{
    struct strbuf out;
    strbuf_init(&out, a);
    strbuf_printf(&out, "%s%s", status == AUTHRES_OK ? "" : "malformed ",
                  found->authserv_id ? found->authserv_id : "(no id)");
    if (status == AUTHRES_OK && found->version != 1)
        strbuf_printf(&out, " version %u", found->version);
    for (size_t i = 0; i < found->count; i++)
        dump_result(&out, &found->results[i]);
    return out.text;
}

static const struct parse_row parse_rows[] = {
    /* shapes of real fields */
    {"none", TEXT(ME "; none"), ME},
    {"spf", TEXT(ME "; spf=pass smtp.mailfrom=ann@x.org"),
     ME " | spf=pass smtp.mailfrom[ann@x.org]@x.org"},
    {"spf with a domain alone", TEXT(ME "; spf=pass smtp.mailfrom=X.org"),
     ME " | spf=pass smtp.mailfrom[X.org]@x.org"},
    {"several results, folded",
     TEXT(ME ";\n\tdkim=pass (2048-bit key; unprotected) header.d=x.org header.i=@x.org\n"
             "\theader.a=rsa-sha256 header.s=s1 header.b=AbCdEfGh;\n"
             "\tspf=fail (" ME ": no (at all)) smtp.mailfrom=b@y.org;\n"
             "\tdmarc=none (p=none dis=none) header.from=y.org"),
     ME " | dkim=pass header.d[x.org]@x.org header.i[@x.org]@x.org header.a[rsa-sha256]@rsa-sha256 "
        "header.s[s1]@s1 header.b[AbCdEfGh]@abcdefgh | spf=fail smtp.mailfrom[b@y.org]@y.org | "
        "dmarc=none header.from[y.org]@y.org"},
    {"auth", TEXT(ME "; auth=pass (cram-md5) smtp.auth=ann@x.org"),
     ME " | auth=pass smtp.auth[ann@x.org]@x.org"},
    {"several properties of one name",
     TEXT(ME "; spf=pass smtp.mailfrom=a.org smtp.mailfrom=b.org"),
     ME " | spf=pass smtp.mailfrom[a.org]@a.org smtp.mailfrom[b.org]@b.org"},
    {"reason", TEXT(ME "; dkim=fail reason=\"bad; very\" header.d=x.org"),
     ME " | dkim=fail reason[bad; very] header.d[x.org]@x.org"},
    {"reason that is a token", TEXT(ME "; dkim=fail reason=bad"), ME " | dkim=fail reason[bad]"},
    {"property type called reason", TEXT(ME "; x=pass reason.x=y"), ME " | x=pass reason.x[y]@y"},
    {"reason, then a property type called reason", TEXT(ME "; x=pass reason=a reason.x=\"\""),
     ME " | x=pass reason[a] reason.x[]"},
    {"method called none", TEXT(ME "; none=pass"), ME " | none=pass"},
    {"names in any letter case", TEXT(ME "; SPF=Pass SMTP.MailFrom=Ann@X.ORG"),
     ME " | spf=pass smtp.mailfrom[Ann@X.ORG]@x.org"},
    {"none in capitals", TEXT(ME "; NONE"), ME},
    {"hyphens and digits", TEXT(ME "; x-a1=pass x-b2.c-d3=e"), ME " | x-a1=pass x-b2.c-d3[e]@e"},

    /* CFWS */
    {"no white space at all", TEXT(ME ";spf=pass(x)smtp.mailfrom=x.org;dkim=none"),
     ME " | spf=pass smtp.mailfrom[x.org]@x.org | dkim=none"},
    {"CFWS wherever it may stand",
     TEXT(" (a) " ME
          " (b) 1 (c) ; (d) spf (e) / (f) 1 (g) = (h) pass (i) reason (j) = (k) \"r\" (l)"
          " smtp (m) . (n) mailfrom (o) = (p) x.org (q) ; (r) dkim (s) = (t) none (u) "),
     ME " | spf=pass reason[r] smtp.mailfrom[x.org]@x.org | dkim=none"},
    {"CFWS around none", TEXT("(a)" ME "(b);(c)none(d)"), ME},
    {"folds wherever CFWS may stand",
     TEXT("\n " ME
          "\n 1\n ;\n spf\n /\n 1\n =\n pass\n reason\n =\n \"r\"\n smtp\n .\n mailfrom\n =\n"
          " x.org\n "),
     ME " | spf=pass reason[r] smtp.mailfrom[x.org]@x.org"},
    {"comments in comments", TEXT("(a(b(c)d)e)" ME "; none"), ME},
    {"escaped parentheses in a comment", TEXT("(a\\)b\\(c) " ME "; none"), ME},
    {"semicolon and quotes in a comment", TEXT(ME " (; \" x); none"), ME},
    {"Latin-1 in a comment", TEXT(ME " (\xFC); none"), ME},
    {"comment of depth 50",
     TEXT("(((((((((("
          "(((((((((("
          "(((((((((("
          "(((((((((("
          "((((((((((x"
          "))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))" ME "; none"),
     ME},
    {"comment of depth 51",
     TEXT("((((((((((("
          "(((((((((("
          "(((((((((("
          "(((((((((("
          "((((((((((x"
          ")))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))" ME "; none"),
     "malformed " ME},
    {"comment without end", TEXT(ME "; none (x"), "malformed " ME},
    {"comment without end in front", TEXT("(x " ME "; none"), "malformed (no id)"},
    {"comment that ends twice", TEXT(ME " (x)); none"), "malformed " ME},
    {"escape at the end of a comment", TEXT(ME "; none (\\"), "malformed " ME},

    /* the id and the version */
    {"id in quotes", TEXT("\"" ME "\"; none"), ME},
    {"id in quotes with escapes", TEXT("\"m\\ail.example.net\"; none"), ME},
    {"id that is no domain", TEXT("\"Mail @ Home\"; none"), "mail @ home"},
    {"id in capitals", TEXT("MAIL.Example.NET; none"), ME},
    {"id as U-label",
     TEXT("b\xc3\xbc"
          "cher.example; none"),
     "xn--bcher-kva.example"},
    {"id with a trailing dot", TEXT(ME ".; none"), ME},
    {"id of one label", TEXT("mail; none"), "mail"},
    {"id with an underscore", TEXT("Mail_1.x; none"), "mail_1.x"},
    {"id of dots", TEXT(".; none"), "."},
    {"version 1", TEXT(ME " 1; none"), ME},
    {"version with zeros", TEXT(ME " 001; none"), ME},
    {"version 2", TEXT(ME " 2; spf=pass"), ME " version 2 | spf=pass"},
    {"version behind a comment", TEXT(ME "(x)2; none"), ME " version 2"},
    {"version that is no number", TEXT(ME " x; none"), "malformed " ME},
    {"version with letters", TEXT(ME " 1x; none"), "malformed " ME},
    {"version of too many digits", TEXT(ME " 1000000000; none"), "malformed " ME},
    {"two versions", TEXT(ME " 1 1; none"), "malformed " ME},
    {"version behind quotes without a blank", TEXT("\"" ME "\"1; none"), "malformed " ME},
    {"version behind a slash", TEXT(ME "/1; none"), "malformed " ME},
    {"version of a method", TEXT(ME "; dkim/2=pass"), ME " | dkim/2=pass"},
    {"version of a method is missing", TEXT(ME "; dkim/=pass"), "malformed " ME},
    {"version of a method of too many digits", TEXT(ME "; dkim/1000000000=pass"), "malformed " ME},
    {"no id", TEXT("; spf=pass"), "malformed (no id)"},
    {"result where the id should be", TEXT("spf=pass smtp.mailfrom=x.org; dkim=none"),
     "malformed spf"},
    {"empty id in quotes", TEXT("\"\"; none"), "malformed (no id)"},
    {"blank id in quotes", TEXT("\" \"; none"), "malformed (no id)"},
    {"nothing", TEXT(""), "malformed (no id)"},
    {"white space", TEXT(" \n "), "malformed (no id)"},
    {"id alone", TEXT(ME), "malformed " ME},
    {"id and semicolon alone", TEXT(ME ";"), "malformed " ME},
    {"two words of id", TEXT(ME " x.org; none"), "malformed " ME},
    {"quotes of the id without end", TEXT("\"" ME "; none"), "malformed " ME},

    /* values */
    {"value in quotes", TEXT(ME "; x=pass a.b=\"c; d.e=f (g)\""), ME " | x=pass a.b[c; d.e=f (g)]"},
    {"value in quotes with escapes", TEXT(ME "; x=pass a.b=\"\\\"\\\\\\c\""),
     ME " | x=pass a.b[\"\\c]"},
    {"value in quotes, folded", TEXT(ME "; x=pass a.b=\"c\n d\""), ME " | x=pass a.b[c d]"},
    {"value in quotes, empty", TEXT(ME "; x=pass a.b=\"\""), ME " | x=pass a.b[]"},
    {"value in quotes, then a property", TEXT(ME "; x=pass a.b=\"c\"d.e=f"),
     ME " | x=pass a.b[c]@c d.e[f]@f"},
    {"address in quotes", TEXT(ME "; spf=pass smtp.mailfrom=\"ann@x.org\""),
     ME " | spf=pass smtp.mailfrom[ann@x.org]@x.org"},
    {"local part in quotes", TEXT(ME "; spf=pass smtp.mailfrom=\"a; b@y.org\"@x.org"),
     ME " | spf=pass smtp.mailfrom[\"a; b@y.org\"@x.org]@x.org"},
    {"local part in quotes, all of it in quotes",
     TEXT(ME "; spf=pass smtp.mailfrom=\"\\\"a b\\\"@x.org\""),
     ME " | spf=pass smtp.mailfrom[\"a b\"@x.org]@x.org"},
    {"local part of all that needs no quotes",
     TEXT(ME "; spf=pass smtp.mailfrom=a!#$%&'*+-/=?^`{|}~@x.org"),
     ME " | spf=pass smtp.mailfrom[a!#$%&'*+-/=?^`{|}~@x.org]@x.org"},
    {"address beyond ASCII",
     TEXT(ME "; spf=pass smtp.mailfrom=j\xc3\xbcrgen@b\xc3\xbc"
             "cher.example"),
     ME " | spf=pass smtp.mailfrom[j\xc3\xbcrgen@b\xc3\xbc"
        "cher.example]@xn--bcher-kva.example"},
    {"base64 without quotes", TEXT(ME "; dkim=pass header.b=a/b+c== header.d=x.org"),
     ME " | dkim=pass header.b[a/b+c==] header.d[x.org]@x.org"},
    {"IPv6 address without quotes", TEXT(ME "; iprev=pass policy.iprev=2001:db8::1"),
     ME " | iprev=pass policy.iprev[2001:db8::1]"},
    {"address in angle brackets", TEXT(ME "; spf=pass smtp.mailfrom=<ann@x.org>"),
     ME " | spf=pass smtp.mailfrom[<ann@x.org>]"},
    {"address with a domain literal", TEXT(ME "; spf=pass smtp.mailfrom=ann@[192.0.2.1]"),
     ME " | spf=pass smtp.mailfrom[ann@[192.0.2.1]]"},
    {"what is no domain", TEXT(ME "; x=pass a.b=c_d a.b=@ a.b=c@ a.b=c..d a.b=x@y@z.org"),
     ME " | x=pass a.b[c_d] a.b[@] a.b[c@] a.b[c..d] a.b[x@y@z.org]"},
    {"value that is missing", TEXT(ME "; x=pass a.b="), "malformed " ME},
    {"value that is missing before a semicolon", TEXT(ME "; x=pass a.b=; y=pass"), "malformed " ME},
    {"value in quotes without end", TEXT(ME "; x=pass a.b=\"c"), "malformed " ME},
    {"value in quotes, backslash at the end", TEXT(ME "; x=pass a.b=\"c\\"), "malformed " ME},
    {"value in quotes, escaped line end", TEXT(ME "; x=pass a.b=\"c\\\n d\""), "malformed " ME},
    {"value with a comma", TEXT(ME "; x=pass a.b=c,d"), "malformed " ME},
    {"value with a backslash", TEXT(ME "; x=pass a.b=c\\d"), "malformed " ME},
    {"value with quotes inside", TEXT(ME "; x=pass a.b=c\"d\""), "malformed " ME},
    {"reason that needs quotes", TEXT(ME "; x=fail reason=a/b"), "malformed " ME},

    /* all else */
    {"two semicolons", TEXT(ME ";; none"), "malformed " ME},
    {"semicolon at the end", TEXT(ME "; spf=pass;"), "malformed " ME},
    {"no semicolon", TEXT(ME " spf=pass"), "malformed " ME},
    {"none and a result", TEXT(ME "; none; spf=pass"), "malformed " ME},
    {"a result and none", TEXT(ME "; spf=pass; none"), "malformed " ME},
    {"none twice", TEXT(ME "; none; none"), "malformed " ME},
    {"none and more", TEXT(ME "; none x"), "malformed " ME},
    {"method without a result", TEXT(ME "; spf"), "malformed " ME},
    {"method without a name", TEXT(ME "; =pass"), "malformed " ME},
    {"result that is missing", TEXT(ME "; spf="), "malformed " ME},
    {"result in quotes", TEXT(ME "; spf=\"pass\""), "malformed " ME},
    {"method with an underscore", TEXT(ME "; s_pf=pass"), "malformed " ME},
    {"result that ends with a hyphen", TEXT(ME "; spf=pass-"), "malformed " ME},
    {"two results", TEXT(ME "; spf=pass=fail"), "malformed " ME},
    {"word behind a result", TEXT(ME "; dmarc=pass action=none header.from=x.org"),
     "malformed " ME},
    {"property glued to the result", TEXT(ME "; spf=pass.x=y"), "malformed " ME},
    {"property glued to the reason", TEXT(ME "; spf=pass reason=\"r\"smtp.mailfrom=x.org"),
     "malformed " ME},
    {"property without a name", TEXT(ME "; spf=pass smtp.=x"), "malformed " ME},
    {"property without a type", TEXT(ME "; spf=pass .mailfrom=x"), "malformed " ME},
    {"property without a value", TEXT(ME "; spf=pass smtp.mailfrom"), "malformed " ME},
    {"reason behind a property", TEXT(ME "; spf=fail smtp.mailfrom=x.org reason=x"),
     "malformed " ME},
    {"two reasons", TEXT(ME "; spf=fail reason=x reason=y"), "malformed " ME},
    {"results by commas", TEXT(ME "; spf=pass, dkim=pass"), "malformed " ME},
    {"line end without a fold", TEXT(ME "; spf=pass\nsmtp.mailfrom=x.org"), "malformed " ME},
    {"line end at the end", TEXT(ME "; none\n"), "malformed " ME},
    {"carriage return", TEXT(ME "; none\r\n "), "malformed " ME},
    {"NUL", TEXT(ME "; none\0"), "malformed " ME},
    {"NUL in a value", TEXT(ME "; spf=pass smtp.mailfrom=x.org\0"), "malformed " ME},
    {"escape character in a comment", TEXT(ME "; none (\033)"), "malformed " ME},
    {"DEL in quotes", TEXT(ME "; x=pass a.b=\"\177\""), "malformed " ME},
};

/* What parses has one id for both functions; what is cut short is read without reading on. */
static void check_prefixes(struct span value)
{
    for (size_t len = 0; len <= value.len; len++) {
        struct arena *a = arena_create();
        struct exact prefix = exact_copy(span_sub(value, 0, len));
        struct authres found;
        enum authres_status status = authres_parse(a, prefix.text, &found);
        const char *id = authres_id(a, prefix.text);
        exact_free(&prefix);
        assert_int_equal(found.authserv_id != NULL, id != NULL);
        if (id)
            assert_string_equal(found.authserv_id, id);
        assert_true(status == AUTHRES_OK || found.count == 0);
        assert_true(status == AUTHRES_MALFORMED || id != NULL);
        arena_destroy(a);
    }
}

static void parses(void **state)
{
    const struct parse_row *row = *state;
    struct arena *a = arena_create();
    struct exact value = exact_copy(row->value);
    struct authres found;
    enum authres_status status = authres_parse(a, value.text, &found);
    exact_free(&value);
    assert_string_equal(dump(a, status, &found), row->want);
    arena_destroy(a);
    check_prefixes(row->value);
}

static struct span repeated(struct arena *a, const char *head, const char *piece, size_t count)
{
    struct strbuf text;
    strbuf_init(&text, a);
    strbuf_add_str(&text, head);
    for (size_t i = 0; i < count; i++)
        strbuf_add_str(&text, piece);
    return strbuf_span(&text);
}

static void bounds(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct authres found;
    struct span many = repeated(a, ME, ";x=pass", AUTHRES_RESULTS_MAX);
    assert_int_equal(authres_parse(a, many, &found), AUTHRES_OK);
    assert_int_equal(found.count, AUTHRES_RESULTS_MAX);
    assert_string_equal(found.results[AUTHRES_RESULTS_MAX - 1].method, "x");
    many = repeated(a, ME, ";x=pass", AUTHRES_RESULTS_MAX + 1);
    assert_int_equal(authres_parse(a, many, &found), AUTHRES_MALFORMED);
    assert_string_equal(found.authserv_id, ME);
    assert_int_equal(found.count, 0);
    many = repeated(a, ME, ";x=pass a.b=c d.e=f g.h=i", AUTHRES_PROPS_MAX / 3);
    assert_int_equal(authres_parse(a, many, &found), AUTHRES_OK);
    assert_int_equal(found.results[AUTHRES_PROPS_MAX / 3 - 1].prop_count, 3);
    many = repeated(a, ME ";x=pass d.e=f", " a.b=c", AUTHRES_PROPS_MAX - 1);
    assert_int_equal(authres_parse(a, many, &found), AUTHRES_OK);
    assert_string_equal(found.results[0].props[AUTHRES_PROPS_MAX - 1].value, "c");
    many = repeated(a, ME ";x=pass a.b=c;y=pass", " a.b=c", AUTHRES_PROPS_MAX);
    assert_int_equal(authres_parse(a, many, &found), AUTHRES_MALFORMED);
    assert_string_equal(found.authserv_id, ME);
    arena_destroy(a);
}

/* ---- whose it is ---- */

struct id_row {
    const char *name;
    struct span value;
    const char *id; /* as authres_id() reads it, NULL for none */
    bool claims;    /* could a reader take it for ours? */
};

static const struct id_row id_rows[] = {
    {"ours", TEXT(ME "; none"), ME, true},
    {"ours, malformed behind", TEXT(ME "; ((("), ME, true},
    {"ours, malformed in front of the semicolon", TEXT(ME " what is this"), ME, true},
    {"ours, nothing behind", TEXT(ME), ME, true},
    {"ours in capitals", TEXT(" MAIL.EXAMPLE.NET; none"), ME, true},
    {"ours with a dot", TEXT(ME ". ; none"), ME, true},
    {"ours in quotes", TEXT("\"" ME "\"; none"), ME, true},
    {"ours in quotes with escapes", TEXT("\"\\m\\ail.example.net\"; none"), ME, true},
    {"ours in quotes with blanks", TEXT("\" " ME " \"; none"), ME, true},
    {"ours in quotes without end", TEXT("\"" ME " ; none"), ME, true},
    {"ours and a slash", TEXT(ME "/1; none"), ME, true},
    {"ours and an equals sign", TEXT(ME "=1; none"), ME, true},
    {"ours and a version", TEXT(ME " 1; none"), ME, true},
    {"ours behind a comment", TEXT("(x) (y(z)) " ME "; none"), ME, true},
    {"ours before a comment", TEXT(ME "(x); none"), ME, true},
    {"ours on a line of its own", TEXT("\n\t" ME "\n ; none"), ME, true},
    {"ours behind control characters", TEXT("\r\n \v\f" ME "\r; none"), ME, true},
    {"ours behind a deep comment",
     TEXT("((((((((((("
          "(((((((((("
          "(((((((((("
          "(((((((((("
          "((((((((((x"
          ")))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))"
          "))))))))))" ME "; none"),
     ME, true},
    {"ours for who does not nest comments", TEXT("(a (b) " ME "; spf=pass; c) y.org; none"),
     "y.org", true},
    {"ours for who knows no backslash in comments", TEXT("(a \\) " ME "; spf=pass; c) y.org; none"),
     "y.org", true},
    {"ours for who knows neither", TEXT("(a ( \\) " ME "; spf=pass; c)) y.org; none"), "y.org",
     true},
    {"ours for who does not nest comments, without end", TEXT("(a (b) " ME "; spf=pass"), NULL,
     true},
    {"ours for who takes comments away first", TEXT("mail.(x)exam(y(z))ple.net; none"), "mail",
     true},
    {"another's", TEXT("y.org; none"), "y.org", false},
    {"another's below ours", TEXT("x." ME "; none"), "x." ME, false},
    {"another's that begins like ours", TEXT(ME ".org; none"), ME ".org", false},
    {"another's that names ours", TEXT("y.org (" ME "); spf=pass smtp.helo=" ME), "y.org", false},
    {"another's that comes from ours", TEXT("(" ME ") y.org; spf=pass smtp.mailfrom=" ME), "y.org",
     false},
    {"a comment without end", TEXT("(" ME "; none"), NULL, false},
    {"a semicolon in front", TEXT("; " ME "; none"), NULL, false},
    {"nothing", TEXT(""), NULL, false},
};

static void tells_whose(void **state)
{
    const struct id_row *row = *state;
    struct arena *a = arena_create();
    struct exact value = exact_copy(row->value);
    const char *id = authres_id(a, value.text);
    bool claims = authres_claims(a, value.text, ME);
    exact_free(&value);
    assert_int_equal(id != NULL, row->id != NULL);
    if (id)
        assert_string_equal(id, row->id);
    assert_int_equal(claims, row->claims);
    arena_destroy(a);
}

/* ---- what it proves ---- */

struct pass_row {
    const char *name;
    const char *results; /* behind the id */
    const char *domain;
    bool passes;
};

static const struct pass_row pass_rows[] = {
    {"spf, address", "; spf=pass smtp.mailfrom=ann@x.org", "x.org", true},
    {"spf, domain", "; spf=pass smtp.mailfrom=x.org", "x.org", true},
    {"spf, domain behind @", "; spf=pass smtp.mailfrom=@x.org", "x.org", true},
    {"spf, capitals", "; SPF=PASS SMTP.MAILFROM=ANN@X.ORG", "x.org", true},
    {"spf, U-label",
     "; spf=pass smtp.mailfrom=ann@b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example", true},
    {"spf, local part in quotes", "; spf=pass smtp.mailfrom=\"a@y.org\"@x.org", "x.org", true},
    {"spf, not the domain of the quotes", "; spf=pass smtp.mailfrom=\"a@y.org\"@x.org", "y.org",
     false},
    {"spf, parent", "; spf=pass smtp.mailfrom=x.org", "a.x.org", false},
    {"spf, child", "; spf=pass smtp.mailfrom=a.x.org", "x.org", false},
    {"spf, other", "; spf=pass smtp.mailfrom=ann@y.org", "x.org", false},
    {"spf, ends alike", "; spf=pass smtp.mailfrom=ann@yx.org", "x.org", false},
    {"spf, softfail", "; spf=softfail smtp.mailfrom=ann@x.org", "x.org", false},
    {"spf, passed", "; spf=passed smtp.mailfrom=ann@x.org", "x.org", false},
    {"spf, hyphenated pass", "; spf=x-pass smtp.mailfrom=ann@x.org", "x.org", false},
    {"spf, helo", "; spf=pass smtp.helo=x.org", "x.org", false},
    {"spf, header.from", "; spf=pass header.from=x.org", "x.org", false},
    {"spf, header.mailfrom", "; spf=pass header.mailfrom=x.org", "x.org", false},
    {"spf, no property", "; spf=pass", "x.org", false},
    {"spf, no domain in it", "; spf=pass smtp.mailfrom=<ann@x.org>", "x.org", false},
    {"spf, twice", "; spf=pass smtp.mailfrom=ann@y.org smtp.mailfrom=ann@x.org", "x.org", false},
    {"spf, twice the same", "; spf=pass smtp.mailfrom=x.org smtp.mailfrom=x.org", "x.org", false},
    {"spf, in the reason", "; spf=pass reason=\"smtp.mailfrom=x.org\"", "x.org", false},
    {"spf, in a comment", "; spf=pass (smtp.mailfrom=x.org)", "x.org", false},
    {"spf, in a value", "; spf=pass smtp.helo=\"a smtp.mailfrom=x.org\"", "x.org", false},
    {"spf, method version 2", "; spf/2=pass smtp.mailfrom=x.org", "x.org", false},
    {"spf, method version 1", "; spf/1=pass smtp.mailfrom=x.org", "x.org", true},
    {"field version 2", " 2; spf=pass smtp.mailfrom=x.org", "x.org", false},
    {"field version 1", " 1; spf=pass smtp.mailfrom=x.org", "x.org", true},
    {"spf, second result", "; spf=fail smtp.mailfrom=x.org; spf=pass smtp.mailfrom=x.org", "x.org",
     true},
    {"dkim", "; dkim=pass header.d=x.org", "x.org", true},
    {"dkim, parent", "; dkim=pass header.d=x.org", "a.b.x.org", true},
    {"dkim, child", "; dkim=pass header.d=a.x.org", "x.org", false},
    {"dkim, ends alike", "; dkim=pass header.d=x.org", "yx.org", false},
    {"dkim, top level", "; dkim=pass header.d=org", "x.org", false},
    {"dkim, one label itself", "; dkim=pass header.d=localhost", "localhost", true},
    {"dkim, capitals and U-label",
     "; dkim=pass header.d=B\xc3\xbc"
     "CHER.Example",
     "a.xn--bcher-kva.example", true},
    {"dkim, address in header.d", "; dkim=pass header.d=ann@x.org", "x.org", false},
    {"dkim, @ in header.d", "; dkim=pass header.d=@x.org", "x.org", false},
    {"dkim, header.i", "; dkim=pass header.i=ann@x.org", "x.org", true},
    {"dkim, header.i without local part", "; dkim=pass header.i=@x.org", "a.x.org", true},
    {"dkim, header.i below", "; dkim=pass header.i=@a.x.org", "x.org", false},
    {"dkim, header.d beside header.i", "; dkim=pass header.i=@x.org header.d=y.org", "x.org",
     false},
    {"dkim, bad header.d beside header.i", "; dkim=pass header.i=@x.org header.d=_", "x.org",
     false},
    {"dkim, two header.d", "; dkim=pass header.d=x.org header.d=y.org", "x.org", false},
    {"dkim, two header.d beside header.i",
     "; dkim=pass header.d=x.org header.d=x.org header.i=@x.org", "x.org", false},
    {"dkim, two header.i", "; dkim=pass header.i=@x.org header.i=@y.org", "y.org", false},
    {"dkim, header.from", "; dkim=pass header.from=x.org", "x.org", false},
    {"dkim, smtp.d", "; dkim=pass smtp.d=x.org", "x.org", false},
    {"dkim, fail", "; dkim=fail header.d=x.org", "x.org", false},
    {"dkim, one pass of several",
     "; dkim=fail header.d=x.org; dkim=pass header.d=y.org;"
     "dkim=pass header.d=x.org",
     "x.org", true},
    {"dkim, pass of another", "; dkim=fail header.d=x.org; dkim=pass header.d=y.org", "x.org",
     false},
    {"dmarc", "; dmarc=pass header.from=x.org", "x.org", true},
    {"dmarc, address", "; dmarc=pass header.from=ann@x.org", "x.org", true},
    {"dmarc, parent", "; dmarc=pass header.from=x.org", "a.x.org", false},
    {"dmarc, fail", "; dmarc=fail header.from=x.org", "x.org", false},
    {"dmarc, header.d", "; dmarc=pass header.d=x.org", "x.org", false},
    {"dmarc, twice", "; dmarc=pass header.from=x.org header.from=x.org", "x.org", false},
    {"arc", "; arc=pass header.d=x.org smtp.mailfrom=x.org header.from=x.org", "x.org", false},
    {"auth", "; auth=pass smtp.auth=ann@x.org smtp.mailfrom=ann@x.org", "x.org", false},
    {"method that begins like dkim", "; dkim-adsp=pass header.d=x.org", "x.org", false},
    {"none", "; none", "x.org", false},
    {"value of another method", "; spf=pass smtp.helo=x; auth=pass smtp.mailfrom=x.org", "x.org",
     false},
    {"malformed behind the pass", "; spf=pass smtp.mailfrom=x.org; dkim", "x.org", false},
};

static void proves(void **state)
{
    const struct pass_row *row = *state;
    struct arena *a = arena_create();
    struct authres found;
    bool sound =
        authres_parse(a, span_of(arena_printf(a, "%s%s", ME, row->results)), &found) == AUTHRES_OK;
    assert_true(sound || strstr(row->name, "malformed"));
    assert_int_equal(authres_passes(&found, row->domain), row->passes);
    arena_destroy(a);
}

/* ---- writing ---- */

struct write_row {
    const char *name;
    const char *id, *mechanism, *login;
    const char *want;
    const char *value; /* of smtp.auth, once it is read again; NULL where it was left out */
};

#define X800 X100 X100 X100 X100 X100 X100 X100 X100

static const struct write_row write_rows[] = {
    {"address", ME, "PLAIN", "alice@example.net",
     ME "; auth=pass (plain) smtp.auth=alice@example.net", "alice@example.net"},
    {"bare login", ME, "SCRAM-SHA-256", "alice", ME "; auth=pass (scram-sha-256) smtp.auth=alice",
     "alice"},
    {"no mechanism", ME, NULL, "alice", ME "; auth=pass smtp.auth=alice", "alice"},
    {"empty mechanism", ME, "", "alice", ME "; auth=pass smtp.auth=alice", "alice"},
    {"mechanism with an underscore", ME, "X_Y", "alice", ME "; auth=pass (x_y) smtp.auth=alice",
     "alice"},
    {"mechanism that would end its comment", ME, "PLAIN) smtp.auth=bob (", "alice",
     ME "; auth=pass smtp.auth=alice", "alice"},
    {"mechanism with a blank", ME, "PLAIN TLS", "alice", ME "; auth=pass smtp.auth=alice", "alice"},
    {"mechanism with a line end", ME, "PLAIN\n", "alice", ME "; auth=pass smtp.auth=alice",
     "alice"},
    {"mechanism beyond ASCII", ME, "PL\xc3\x84IN", "alice", ME "; auth=pass smtp.auth=alice",
     "alice"},
    {"mechanism of 64", ME, X64, "alice", ME "; auth=pass (" X64 ") smtp.auth=alice", "alice"},
    {"mechanism of 65", ME, X64 "x", "alice", ME "; auth=pass smtp.auth=alice", "alice"},
    {"login with all that is harmless", ME, NULL, "A.b-c_d+9@Sub-1.Example.net",
     ME "; auth=pass smtp.auth=A.b-c_d+9@Sub-1.Example.net", "A.b-c_d+9@Sub-1.Example.net"},
    {"login with a blank", ME, NULL, "al ice", ME "; auth=pass smtp.auth=\"al ice\"", "al ice"},
    {"login with quotes and a backslash", ME, NULL, "a\"b\\c",
     ME "; auth=pass smtp.auth=\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"login that would end the value", ME, NULL, "a; dkim=pass header.d=x.org",
     ME "; auth=pass smtp.auth=\"a; dkim=pass header.d=x.org\"", "a; dkim=pass header.d=x.org"},
    {"login with a comment", ME, NULL, "a(b)@x.org", ME "; auth=pass smtp.auth=\"a(b)@x.org\"",
     "a(b)@x.org"},
    {"login with a line end", ME, NULL, "a\r\nBcc: b@x.org",
     ME "; auth=pass smtp.auth=\"a??Bcc: b@x.org\"", "a??Bcc: b@x.org"},
    {"login beyond ASCII", ME, NULL, "j\xc3\xbcrgen@x.org",
     ME "; auth=pass smtp.auth=\"j??rgen@x.org\"", "j??rgen@x.org"},
    {"login with DEL", ME, NULL, "a\177", ME "; auth=pass smtp.auth=\"a?\"", "a?"},
    {"login with two @", ME, NULL, "a@b@x.org", ME "; auth=pass smtp.auth=\"a@b@x.org\"",
     "a@b@x.org"},
    {"login that begins with @", ME, NULL, "@x.org", ME "; auth=pass smtp.auth=\"@x.org\"",
     "@x.org"},
    {"login that ends with @", ME, NULL, "a@", ME "; auth=pass smtp.auth=\"a@\"", "a@"},
    {"login with a domain of one label", ME, NULL, "a@localhost",
     ME "; auth=pass smtp.auth=\"a@localhost\"", "a@localhost"},
    {"login with a domain literal", ME, NULL, "a@[192.0.2.1]",
     ME "; auth=pass smtp.auth=\"a@[192.0.2.1]\"", "a@[192.0.2.1]"},
    {"login with what is no domain", ME, NULL, "a@x..org", ME "; auth=pass smtp.auth=\"a@x..org\"",
     "a@x..org"},
    {"login with what is no local part", ME, NULL, "a..b@x.org",
     ME "; auth=pass smtp.auth=\"a..b@x.org\"", "a..b@x.org"},
    {"login of a domain of another kind", ME, NULL, "EXAMPLE\\ann",
     ME "; auth=pass smtp.auth=\"EXAMPLE\\\\ann\"", "EXAMPLE\\ann"},
    {"login that is a percent form", ME, NULL, "ann%x.org",
     ME "; auth=pass smtp.auth=\"ann%x.org\"", "ann%x.org"},
    {"empty login", ME, NULL, "", ME "; auth=pass smtp.auth=\"\"", ""},
    {"login of 862, which fits", ME, NULL, X800 X50 X10 "xx",
     ME "; auth=pass smtp.auth=" X800 X50 X10 "xx", X800 X50 X10 "xx"},
    {"login of 863, which does not fit", ME, NULL, X800 X50 X10 "xxx", ME "; auth=pass", NULL},
    {"mechanism beside a login that does not fit", ME, "PLAIN", X800 X100, ME "; auth=pass (plain)",
     NULL},
    {"login far too long", ME, NULL, X800 X800 X800, ME "; auth=pass", NULL},
    {"id that needs quotes", "Mail @ \"Home\"", NULL, "alice",
     "\"Mail @ \\\"Home\\\"\"; auth=pass smtp.auth=alice", "alice"},
    {"id with a line end", "mail\n", NULL, "alice", "\"mail?\"; auth=pass smtp.auth=alice",
     "alice"},
};

static const char *smtp_auth_of(const struct authres *r)
{
    assert_int_equal(r->count, 1);
    assert_string_equal(r->results[0].method, "auth");
    assert_string_equal(r->results[0].result, "pass");
    return r->results[0].prop_count ? r->results[0].props[0].value : NULL;
}

static void writes(void **state)
{
    const struct write_row *row = *state;
    struct arena *a = arena_create();
    struct authres read;
    const char *value = authres_write(a, row->id, row->mechanism, row->login);
    assert_string_equal(value, row->want);
    assert_true(strlen(value) <= AUTHRES_WRITE_MAX);
    assert_int_equal(authres_parse(a, span_of(value), &read), AUTHRES_OK);
    if (row->value)
        assert_string_equal(smtp_auth_of(&read), row->value);
    else
        assert_null(smtp_auth_of(&read));
    arena_destroy(a);
}

/* The longest id, all of it to be escaped, leaves room for the rest. */
static void longest_id(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct span id = repeated(a, "", "\"", AUTHRES_ID_MAX);
    struct authres read;
    const char *value = authres_write(a, id.data, X64, "alice");
    assert_int_equal(authres_parse(a, span_of(value), &read), AUTHRES_OK);
    assert_string_equal(smtp_auth_of(&read), "alice");
    assert_string_equal(read.authserv_id, id.data);
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(parse_rows, parses);
    ROWS_ADD_TEST("bounds", bounds);
    ROWS_ADD(id_rows, tells_whose);
    ROWS_ADD(pass_rows, proves);
    ROWS_ADD(write_rows, writes);
    ROWS_ADD_TEST("longest id", longest_id);
    return rows_main();
}
