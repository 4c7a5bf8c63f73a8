/* dir_filter: RFC 4515 templates, what facts make of them, and what an entry must show. */
#include "dir_filter.h"
#include "exact.h"
#include "login.h"
#include "rows.h"
#include "strbuf.h"
#include "texts.h"
#include "utext.h"

#include <stdio.h>
#include <unistr.h>

enum {
    LOGIN = DIR_FACT_BIT(DIR_FACT_LOGIN),
    LOCAL = DIR_FACT_BIT(DIR_FACT_LOGIN_LOCAL),
    DOMAIN = DIR_FACT_BIT(DIR_FACT_LOGIN_DOMAIN),
    DN = DIR_FACT_BIT(DIR_FACT_ACCOUNT_DN),
    CLIENT = DIR_FACT_BIT(DIR_FACT_CLIENT_ADDR),
    SUBJECT = DIR_FACT_BIT(DIR_FACT_CERT_SUBJECT),
    ISSUER = DIR_FACT_BIT(DIR_FACT_CERT_ISSUER),
    ALL = DIR_FACT_BIT(DIR_FACT_COUNT) - 1,
};

#define X255  X100 X100 X50 "xxxxx"
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100
#define X1024 X1000 X10 X10 "xxxx"

#define ANN         "ann@example.net"
#define ANN_DN      "uid=ann,dc=example,dc=net"
#define ANN_ADDR    "2001:db8::7"
#define ANN_SUBJECT "CN=Ann (x)*,O=A\\B"
#define ANN_ISSUER  "CN=Our CA"

/* login, login.local, login.domain, account.dn, client.addr, cert.subject, cert.issuer */
static const struct dir_facts ann = {
    {ANN, "ann", "example.net", ANN_DN, ANN_ADDR, ANN_SUBJECT, ANN_ISSUER}};

static bool parse(struct arena *a, struct span text, unsigned allowed, struct dir_filter **out,
                  struct errtext *why)
{
    struct exact exact = exact_copy(text);
    bool ok = dir_filter_parse(a, exact.text, allowed, out, why);
    exact_free(&exact);
    return ok;
}

static struct dir_filter *must_parse(struct arena *a, const char *text)
{
    struct dir_filter *filter = NULL;
    struct errtext why = {""};
    bool ok = parse(a, span_of(text), ALL, &filter, &why);
    assert_string_equal(why.text, "");
    assert_true(ok);
    assert_non_null(filter);
    return filter;
}

/* ---- what a template becomes ---- */

struct expand_row {
    const char *name, *text;
    const char *want; /* NULL for the text itself */
};

static const struct expand_row expand_rows[] = {
    /* the examples of RFC 4515 section 4 */
    {"RFC 4515: equality", "(cn=Babs Jensen)", NULL},
    {"RFC 4515: not", "(!(cn=Tim Howes))", NULL},
    {"RFC 4515: and, or, final star", "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))", NULL},
    {"RFC 4515: substring", "(o=univ*of*mich*)", NULL},
    {"RFC 4515: empty value", "(seeAlso=)", NULL},
    {"RFC 4515: rule", "(cn:caseExactMatch:=Fred Flintstone)", NULL},
    {"RFC 4515: extensible without rule", "(cn:=Betty Rubble)", NULL},
    {"RFC 4515: dn and rule", "(sn:dn:2.4.6.8.10:=Barney Rubble)", NULL},
    {"RFC 4515: dn without rule", "(o:dn:=Ace Industry)", NULL},
    {"RFC 4515: rule without attribute", "(:1.2.3:=Wilma Flintstone)", NULL},
    {"RFC 4515: DN and rule without attribute", "(:DN:2.4.6.8.10:=Dino)", NULL},
    {"RFC 4515: parentheses", "(o=Parens R Us \\28for all your parenthetical needs\\29)", NULL},
    {"RFC 4515: star in a substring", "(cn=*\\2A*)", "(cn=*\\2a*)"},
    {"RFC 4515: backslash", "(filename=C:\\5cMyFile)", NULL},
    {"RFC 4515: NUL", "(bin=\\00\\00\\00\\04)", NULL},
    {"RFC 4515: UTF-8 as digits", "(sn=Lu\\c4\\8di\\c4\\87)", NULL},
    {"RFC 4515: an OID", "(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)",
     "(1.3.6.1.4.1.1466.0=\\04\\02Hi)"},

    {"presence", "(mail=*)", NULL},
    {"greater or equal", "(age>=7)", NULL},
    {"less or equal", "(age<=7)", NULL},
    {"approximate", "(cn~=ann)", NULL},
    {"initial", "(cn=a*)", NULL},
    {"final", "(cn=*z)", NULL},
    {"any", "(cn=*m*)", NULL},
    {"initial and final", "(cn=a*z)", NULL},
    {"attribute of one letter", "(c=de)", NULL},
    {"attribute with digits and hyphen", "(x-9a-=1)", NULL},
    {"one option", "(cn;lang-en=x)", NULL},
    {"options of any keychar", "(cn;lang-en;9;-=x)", NULL},
    {"option of a presence", "(userCertificate;binary=*)", NULL},
    {"option before an extensible match", "(cn;x:dn:caseExactMatch:=y)", NULL},
    {"shortest OID", "(0.0=x)", NULL},
    {"zeros within the numbers of an OID", "(10.20.300=x)", NULL},
    {"OID with an option", "(2.5.4.0;x=y)", NULL},
    {"rule whose name begins with dn", "(cn:dnMatch:=x)", NULL},
    {"rule called dn", "(cn:dn:dn:=x)", NULL},
    {"rule of AD along a chain", "(member:1.2.840.113556.1.4.1941:=%{account.dn})",
     "(member:1.2.840.113556.1.4.1941:=" ANN_DN ")"},
    {"equals signs in a value", "(cn==a=b)", NULL},
    {"operators in a value", "(cn=>=&|!~:<)", NULL},
    {"white space belongs to the value", "(cn= a\tb )", "(cn= a\\09b )"},
    {"UTF-8 in a value", "(cn=j\xC3\xBCrgen)", "(cn=j\\c3\\bcrgen)"},
    {"digits in either case", "(cn=\\aB\\Cd)", "(cn=\\ab\\cd)"},
    {"what needs no escape loses it", "(cn=\\41)", "(cn=A)"},
    {"controls keep it", "(cn=\\7f\\1f\\0a)", NULL},
    {"and of one", "(&(a=b))", NULL},
    {"or of one", "(|(a=b))", NULL},
    {"not of not", "(!(!(a=b)))", NULL},
    {"groups in groups", "(|(&(a=1)(!(|(b=2)(c=3))))(d=4))", NULL},

    {"login", "(uid=%{login})", "(uid=" ANN ")"},
    {"local part and domain", "(&(uid=%{login.local})(dc=%{login.domain}))",
     "(&(uid=ann)(dc=example.net))"},
    {"text around placeholders", "(mail=x%{login.local}+y@%{login.domain}z)",
     "(mail=xann+y@example.netz)"},
    {"placeholders side by side", "(cn=%{login.local}%{login.local})", "(cn=annann)"},
    {"placeholders in a substring", "(cn=*%{login.local}*%{login.domain})",
     "(cn=*ann*example.net)"},
    {"placeholder before a star", "(cn=%{login.local}*)", "(cn=ann*)"},
    {"placeholder behind every operator",
     "(|(a>=%{login})(b<=%{login})(c~=%{login})(d:=%{login})(:e:=%{login}))",
     "(|(a>=" ANN ")(b<=" ANN ")(c~=" ANN ")(d:=" ANN ")(:e:=" ANN "))"},
    {"client address", "(ipHostNumber=%{client.addr})", "(ipHostNumber=" ANN_ADDR ")"},
    {"certificate", "(&(x=%{cert.subject})(y=%{cert.issuer}))",
     "(&(x=CN=Ann \\28x\\29\\2a,O=A\\5cB)(y=CN=Our CA))"},
    {"certificate as one text", "(x=%{cert.issuer}|%{cert.subject})",
     "(x=CN=Our CA|CN=Ann \\28x\\29\\2a,O=A\\5cB)"},
    {"percent sign", "(cn=100%)", NULL},
    {"percent signs before a placeholder", "(cn=%%%{login.local}%)", "(cn=%%ann%)"},
    {"percent sign before a letter", "(cn=%s%n%login})", NULL},
    {"brace without percent", "(cn={login})", NULL},
    {"escaped percent begins no placeholder", "(cn=\\25{login})", "(cn=%{login})"},
    {"escaped brace neither", "(cn=%\\7blogin})", "(cn=%{login})"},
};

/* A template that ends too early is refused, wherever it ends, and nothing is written. */
static void check_cut(struct arena *a, struct span text)
{
    for (size_t len = 0; len < text.len; len++) {
        struct dir_filter *filter = NULL;
        struct errtext why = {""};
        assert_false(parse(a, span_sub(text, 0, len), ALL, &filter, &why));
        assert_null(filter);
        assert_true(*why.text != '\0');
    }
}

static void run_expand(void **state)
{
    const struct expand_row *row = *state;
    struct arena *a = arena_create();
    struct dir_filter *filter = must_parse(a, row->text);
    const char *out = NULL, *again = NULL;
    struct errtext why = {""};
    assert_int_equal(dir_filter_expand(a, filter, &ann, &out, &why), DIR_FILTER_OK);
    assert_string_equal(out, row->want ? row->want : row->text);
    assert_string_equal(why.text, "");
    if (!strstr(out, "%{")) {
        assert_int_equal(dir_filter_expand(a, must_parse(a, out), &ann, &again, NULL),
                         DIR_FILTER_OK);
        assert_string_equal(again, out);
    }
    check_cut(a, span_of(row->text));
    arena_destroy(a);
}

/* ---- what is no template ---- */

struct malformed_row {
    const char *name;
    struct span text;
    const char *why;
};

static const struct malformed_row malformed_rows[] = {
    {"malformed: empty", TEXT(""), "it is empty"},
    {"malformed: blank", TEXT(" "), "position 1: white space stands where '(' of a filter must"},
    {"malformed: no parentheses", TEXT("uid=ann"),
     "position 1: 'uid=ann' stands where '(' of a filter must"},
    {"malformed: only a parenthesis", TEXT("("),
     "it ends too early: the name of an attribute must follow"},
    {"malformed: empty parentheses", TEXT("()"),
     "position 2: ')' stands where the name of an attribute must"},
    {"malformed: closing only", TEXT(")"), "position 1: ')' stands where '(' of a filter must"},
    {"malformed: parentheses around a filter", TEXT("((a=b))"),
     "position 2: '(a=b))' stands where the name of an attribute must"},
    {"malformed: one parenthesis too many", TEXT("(a=b))"),
     "position 6: ')' stands where the end must"},
    {"malformed: two filters", TEXT("(a=b)(c=d)"), "position 6: '(c=d)' stands where the end must"},
    {"malformed: one parenthesis too few", TEXT("(&(a=b)"),
     "it ends too early: another '(' or ')' must follow"},
    {"malformed: no end of a term", TEXT("(a=b"), "it ends too early: ')' must follow"},
    {"malformed: no end of an inner term", TEXT("(&(a=b(c=d))"),
     "position 7: '(' stands in a value, or ')' is missing before it; a value has it as '\\28'"},

    {"malformed: empty and", TEXT("(&)"), "position 3: ')' stands where '(' of a filter must"},
    {"malformed: empty or", TEXT("(|)"), "position 3: ')' stands where '(' of a filter must"},
    {"malformed: empty not", TEXT("(!)"), "position 3: ')' stands where '(' of a filter must"},
    {"malformed: not of two", TEXT("(!(a=b)(c=d))"),
     "position 8: '(c=d))' stands where ')' (one filter is all that '!' takes) must"},
    {"malformed: and of a bare term", TEXT("(&a=b)"),
     "position 3: 'a=b)' stands where '(' of a filter must"},
    {"malformed: text behind a term", TEXT("(|(a=b)x)"),
     "position 8: 'x)' stands where another '(' or ')' must"},
    {"malformed: two operators", TEXT("(&|(a=b))"),
     "position 3: '|(a=b))' stands where '(' of a filter must"},
    {"malformed: placeholder for a group", TEXT("(&%{login})"),
     "position 3: a placeholder stands where '(' of a filter must; it may in values only"},

    {"malformed: white space before", TEXT(" (a=b)"),
     "position 1: white space stands where '(' of a filter must"},
    {"malformed: white space behind", TEXT("(a=b) "),
     "position 6: white space stands where the end must"},
    {"malformed: white space behind a parenthesis", TEXT("( a=b)"),
     "position 2: white space stands where the name of an attribute must"},
    {"malformed: white space behind an operator", TEXT("(& (a=b))"),
     "position 3: white space stands where '(' of a filter must"},
    {"malformed: white space between filters", TEXT("(&(a=b) (c=d))"),
     "position 8: white space stands where another '(' or ')' must"},
    {"malformed: white space at the end of a group", TEXT("(&(a=b) )"),
     "position 8: white space stands where another '(' or ')' must"},
    {"malformed: line end between filters", TEXT("(&(a=b)\n(c=d))"),
     "position 8: white space stands where another '(' or ')' must"},
    {"malformed: white space before '='", TEXT("(a =b)"),
     "position 3: white space stands where '=', '~=', '>=', '<=' or ':=' must"},

    {"malformed: no attribute", TEXT("(=b)"),
     "position 2: '=b)' stands where the name of an attribute must"},
    {"malformed: no operator", TEXT("(ab)"),
     "position 4: ')' stands where '=', '~=', '>=', '<=' or ':=' must"},
    {"malformed: attribute begins with a hyphen", TEXT("(-a=b)"),
     "position 2: '-a=b)' stands where the name of an attribute must"},
    {"malformed: underscore in an attribute", TEXT("(a_b=c)"),
     "position 3: '_b=c)' stands where '=', '~=', '>=', '<=' or ':=' must"},
    {"malformed: star for an attribute", TEXT("(*=b)"),
     "position 2: '*=b)' stands where the name of an attribute must"},
    {"malformed: UTF-8 in an attribute", TEXT("(\xC3\xBC=b)"),
     "position 2: '\xC3\xBC=b)' stands where the name of an attribute must"},
    {"malformed: placeholder for an attribute", TEXT("(%{login}=b)"),
     "position 2: a placeholder stands where the name of an attribute must; it may in values only"},
    {"malformed: placeholder in an attribute", TEXT("(a%{login}=b)"),
     "position 3: a placeholder stands where '=', '~=', '>=', '<=' or ':=' must; it may in values"
     " only"},
    {"malformed: escape in an attribute", TEXT("(a\\62=c)"),
     "position 3: '\\62=c)' stands where '=', '~=', '>=', '<=' or ':=' must"},
    {"malformed: empty option", TEXT("(a;=b)"),
     "position 4: '=b)' stands where an attribute option must"},
    {"malformed: two semicolons", TEXT("(a;;x=b)"),
     "position 4: ';x=b)' stands where an attribute option must"},
    {"malformed: placeholder for an option", TEXT("(a;%{login}=b)"),
     "position 4: a placeholder stands where an attribute option must; it may in values only"},
    {"malformed: OID of one number", TEXT("(2=b)"),
     "position 3: '=b)' stands where '.' of the object identifier must"},
    {"malformed: OID ends with a dot", TEXT("(2.5.=b)"),
     "position 6: '=b)' stands where a number of the object identifier must"},
    {"malformed: OID with two dots", TEXT("(2..5=b)"),
     "position 4: '.5=b)' stands where a number of the object identifier must"},
    {"malformed: OID with a leading zero", TEXT("(2.05=b)"),
     "position 5: '5=b)' stands where '=', '~=', '>=', '<=' or ':=' must"},
    {"malformed: OID with a letter", TEXT("(2.5a=b)"),
     "position 5: 'a=b)' stands where '=', '~=', '>=', '<=' or ':=' must"},

    {"malformed: tilde alone", TEXT("(a~b)"), "position 4: 'b)' stands where '=' must"},
    {"malformed: greater without '='", TEXT("(a>7)"), "position 4: '7)' stands where '=' must"},
    {"malformed: less without '='", TEXT("(a<7)"), "position 4: '7)' stands where '=' must"},
    {"malformed: '=' first", TEXT("(a=<7(x)"),
     "position 6: '(' stands in a value, or ')' is missing before it; a value has it as '\\28'"},
    {"malformed: colon alone", TEXT("(a:b)"),
     "position 5: ')' stands where ':=' behind the matching rule must"},
    {"malformed: rule without its '='", TEXT("(a:b:c)"),
     "position 6: 'c)' stands where ':=' behind the matching rule must"},
    {"malformed: rule and no second colon", TEXT("(a:b=c)"),
     "position 5: '=c)' stands where ':=' behind the matching rule must"},
    {"malformed: two rules", TEXT("(a:b:c:=d)"),
     "position 6: 'c:=d)' stands where ':=' behind the matching rule must"},
    {"malformed: rule before dn", TEXT("(a:b:dn:=d)"),
     "position 6: 'dn:=d)' stands where ':=' behind the matching rule must"},
    {"malformed: empty rule", TEXT("(a::=b)"),
     "position 4: ':=b)' stands where the name of a matching rule must"},
    {"malformed: neither attribute nor rule", TEXT("(:=b)"),
     "position 2: an attribute or a matching rule must stand before ':='"},
    {"malformed: dn alone", TEXT("(:dn:=b)"),
     "position 5: an attribute or a matching rule must stand before ':='"},
    {"malformed: placeholder for a rule", TEXT("(a:%{login}:=b)"),
     "position 4: a placeholder stands where the name of a matching rule must; it may in values"
     " only"},
    {"malformed: placeholder behind a rule", TEXT("(a:b%{login}:=c)"),
     "position 5: a placeholder stands where ':=' behind the matching rule must; it may in values"
     " only"},
    {"malformed: option behind a rule", TEXT("(a:b;x:=c)"),
     "position 5: ';x:=c)' stands where ':=' behind the matching rule must"},

    {"malformed: two stars", TEXT("(a=**)"),
     "position 5: two '*' stand side by side; a value has one as '\\2a'"},
    {"malformed: two stars in the midst", TEXT("(a=b**c)"), "position 6: two '*' stand side by"},
    {"malformed: star behind '>='", TEXT("(a>=b*)"),
     "position 6: '*' may stand behind a plain '=' only; a value has it as '\\2a'"},
    {"malformed: star behind '<='", TEXT("(a<=*)"), "position 5: '*' may stand behind a plain '='"},
    {"malformed: star behind '~='", TEXT("(a~=*)"), "position 5: '*' may stand behind a plain '='"},
    {"malformed: star behind ':='", TEXT("(a:=*)"), "position 5: '*' may stand behind a plain '='"},
    {"malformed: escape without digits", TEXT("(a=\\)"),
     "position 4: two hexadecimal digits must follow '\\'; for itself write '\\5c'"},
    {"malformed: escape of LDAPv2", TEXT("(a=\\*)"), "position 4: two hexadecimal digits must"},
    {"malformed: escape with one digit", TEXT("(a=\\2)"), "position 4: two hexadecimal digits"},
    {"malformed: escape with a bad first digit", TEXT("(a=\\g0)"), "position 4: two hexadecimal"},
    {"malformed: escape with a bad second digit", TEXT("(a=\\0g)"), "position 4: two hexadecimal"},
    {"malformed: escape behind text", TEXT("(a=b\\c)"), "position 5: two hexadecimal digits must"},
    {"malformed: placeholder for a digit", TEXT("(a=\\2%{login})"), "position 4: two hexadecimal"},
    {"malformed: NUL in a value", TEXT("(a=b\0c)"), "it holds a NUL, which a value has as '\\00'"},
    {"malformed: NUL at the end", TEXT("(a=b)\0"), "it holds a NUL"},
    {"malformed: Latin-1", TEXT("(a=j\xFCrgen)"),
     "it is not valid UTF-8; a value has any octet as '\\' and two digits"},
    {"malformed: UTF-8 half escaped", TEXT("(a=\xC3\\bc)"), "it is not valid UTF-8"},

    {"malformed: unknown placeholder", TEXT("(a=%{user})"),
     "position 4: %{user} is no placeholder of this filter; allowed: %{login}, %{login.local}, "
     "%{login.domain}, %{account.dn}"},
    {"malformed: placeholder in capitals", TEXT("(a=%{Login})"), "position 4: %{Login} is no"},
    {"malformed: longer placeholder", TEXT("(a=%{login.localx})"),
     "position 4: %{login.localx} is no placeholder"},
    {"malformed: shorter placeholder", TEXT("(a=%{logi})"), "position 4: %{logi} is no"},
    {"malformed: hyphen and underscore in a name", TEXT("(a=%{log-in_x})"),
     "position 4: %{log-in_x} is no placeholder"},
    {"malformed: placeholder without name", TEXT("(a=%{})"), "position 4: %{} is no placeholder"},
    {"malformed: over-long name", TEXT("(a=%{" X100 "})"),
     "position 4: %{xxxxxxxxxxxxxxxxxxxxxxxx} is no placeholder of this filter; allowed: %{login}"},
    {"malformed: placeholder without end", TEXT("(a=%{login)"),
     "position 4: '%{' begins a placeholder, but no '}' follows its name; a value has '%{' as "
     "'\\25{'"},
    {"malformed: white space in a placeholder", TEXT("(a=b%{ login})"),
     "position 5: '%{' begins a placeholder"},
    {"malformed: placeholder in a placeholder", TEXT("(a=%{%{login}})"),
     "position 4: '%{' begins a placeholder"},
    {"malformed: NUL beside a login", TEXT("(a=%{login}\\00)"),
     "position 15: a NUL stands in a value with %{login}"},
    {"malformed: NUL before a domain", TEXT("(a=b\\00c%{login.domain})"),
     "a NUL stands in a value with %{login.domain}"},
    {"malformed: NUL beside a certificate", TEXT("(a=%{cert.subject}\\00)"),
     "position 22: a NUL stands in a value with %{cert.subject}"},
    {"malformed: name of the client without its kind", TEXT("(a=%{client})"),
     "position 4: %{client} is no placeholder"},
    {"malformed: other name of a certificate", TEXT("(a=%{cert.serial})"),
     "position 4: %{cert.serial} is no placeholder"},
    {"malformed: sender", TEXT("(a=%{sender})"),
     "position 4: %{sender} belongs to the strategy query, not to account; allowed: %{login}"},
    {"malformed: recipient", TEXT("(a=%{rcpt})"),
     "position 4: %{rcpt} belongs to the strategy query, not to account; allowed: %{login}"},
    {"malformed: recipient's local part", TEXT("(a=%{rcpt.local})"),
     "%{rcpt.local} belongs to the strategy query"},
    {"malformed: recipient's domain", TEXT("(a=%{rcpt.domain})"),
     "%{rcpt.domain} belongs to the strategy query"},
    {"malformed: claim", TEXT("(a=%{claim})"),
     "position 4: %{claim} belongs to the strategies owners and query, not to account; allowed"},
    {"malformed: claim's local part", TEXT("(a=%{claim.local})"),
     "%{claim.local} belongs to the strategies owners and query"},
    {"malformed: claim's domain", TEXT("(a=%{claim.domain})"),
     "%{claim.domain} belongs to the strategies owners and query"},
    {"malformed: sender's local part is known nowhere", TEXT("(a=%{sender.local})"),
     "position 4: %{sender.local} is no placeholder"},

    {"malformed: a long rest is cut", TEXT("(a=b)ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
     "position 6: 'ABCDEFGHIJKLMNOPQRSTUVWX' stands where the end must"},
    {"malformed: a character is not cut", TEXT("(a=b)ABCDEFGHIJKLMNOPQRSTUVW\xE4\xB8\xA4"),
     "position 6: 'ABCDEFGHIJKLMNOPQRSTUVW' stands where the end must"},
    {"malformed: a character fits", TEXT("(a=b)ABCDEFGHIJKLMNOPQRSTU\xE4\xB8\xA4x"),
     "position 6: 'ABCDEFGHIJKLMNOPQRSTU\xE4\xB8\xA4' stands where the end must"},
};

static void assert_refused(struct span text, unsigned allowed, const char *want)
{
    struct arena *a = arena_create();
    struct dir_filter *filter = NULL;
    struct errtext why = {""};
    assert_false(parse(a, text, allowed, &filter, &why));
    assert_null(filter);
    if (!strstr(why.text, want))
        assert_string_equal(why.text, want); /* shows both */
    assert_false(parse(a, text, allowed, &filter, NULL));
    arena_destroy(a);
}

static void run_malformed(void **state)
{
    const struct malformed_row *row = *state;
    assert_refused(row->text, ALL, row->why);
}

/* ---- which placeholders ---- */

struct allowed_row {
    const char *name, *text;
    unsigned allowed;
    const char *why; /* NULL: taken */
};

static const struct allowed_row allowed_rows[] = {
    {"allowed: login", "(a=%{login})", LOGIN, NULL},
    {"allowed: login.local", "(a=%{login.local})", LOCAL, NULL},
    {"allowed: login.domain", "(a=%{login.domain})", DIR_FACT_BIT(DIR_FACT_LOGIN_DOMAIN), NULL},
    {"allowed: account.dn", "(a=%{account.dn})", DN, NULL},
    {"allowed: client.addr", "(a=%{client.addr})", CLIENT, NULL},
    {"allowed: cert.subject", "(a=%{cert.subject})", SUBJECT, NULL},
    {"allowed: cert.issuer", "(a=%{cert.issuer})", ISSUER, NULL},
    {"allowed: the client, but not in this filter", "(a=%{client.addr})", LOGIN | SUBJECT | ISSUER,
     "%{client.addr} is no placeholder of this filter; allowed: %{login}, %{cert.subject}, "
     "%{cert.issuer}"},
    {"allowed: nothing is named", "(a=b)", 0, NULL},
    {"allowed: the DN, but not in this filter", "(a=%{account.dn})", LOGIN | LOCAL,
     "%{account.dn} is no placeholder of this filter; allowed: %{login}, %{login.local}"},
    {"allowed: the login, but not in this filter", "(a=%{login})", DN,
     "%{login} is no placeholder of this filter; allowed: %{account.dn}"},
    {"allowed: none", "(a=%{login})", 0,
     "position 4: %{login} is no placeholder of this filter; allowed: none"},
    {"allowed: the second of two", "(|(a=%{login})(a=%{login.local}))", LOGIN,
     "position 18: %{login.local} is no placeholder of this filter; allowed: %{login}"},
};

static void run_allowed(void **state)
{
    const struct allowed_row *row = *state;
    if (row->why) {
        assert_refused(span_of(row->text), row->allowed, row->why);
        return;
    }
    struct arena *a = arena_create();
    struct dir_filter *filter = NULL;
    assert_true(parse(a, span_of(row->text), row->allowed, &filter, NULL));
    arena_destroy(a);
}

/* ---- bounds of a template ---- */

static const char *nested(struct arena *a, const char *opener, int depth)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (int i = 1; i < depth; i++)
        strbuf_add_str(&b, opener);
    strbuf_add_str(&b, "(a=b)");
    for (int i = 1; i < depth; i++)
        strbuf_add_char(&b, ')');
    return b.text;
}

static void test_depth(void **state)
{
    static const char *const openers[] = {"(&", "(|", "(!"};
    (void)state;
    struct arena *a = arena_create();
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        (void)must_parse(a, nested(a, openers[i], DIR_FILTER_DEPTH_MAX));
        assert_refused(span_of(nested(a, openers[i], DIR_FILTER_DEPTH_MAX + 1)), ALL,
                       "position 41: the parentheses are nested too deep");
        assert_refused(span_of(nested(a, openers[i], 2000)), ALL, "nested too deep");
    }
    arena_destroy(a);
}

/* What is closed again does not count. */
static void test_width(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, "(|");
    for (int i = 0; i < 1000; i++)
        strbuf_add_str(&b, i % 2 ? "(a=b)" : "(!(a=b))");
    strbuf_add_char(&b, ')');
    const char *out = NULL;
    assert_int_equal(dir_filter_expand(a, must_parse(a, b.text), &ann, &out, NULL), DIR_FILTER_OK);
    assert_string_equal(out, b.text);
    arena_destroy(a);
}

static void test_length(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add_str(&b, "(a=");
    while (b.len < DIR_FILTER_TEXT_MAX - 1)
        strbuf_add_char(&b, 'x');
    strbuf_add_char(&b, ')');
    (void)must_parse(a, b.text);
    b.text[b.len - 1] = 'x';
    strbuf_add_char(&b, ')');
    assert_refused(strbuf_span(&b), ALL, "it is over 8192 octets");
    arena_destroy(a);
}

/* ---- absent facts ---- */

struct absent_row {
    const char *name, *text;
    struct dir_facts facts;
    const char *want; /* NULL: nothing is left */
};

/* L is there, D is not. */
#define L "(l=%{login})"
#define D "(d=%{login.domain})"
#define HAS_L                                                                                      \
    {                                                                                              \
        {                                                                                          \
            "ann", "ann", "", NULL                                                                 \
        }                                                                                          \
    }

static const struct absent_row absent_rows[] = {
    {"absent: a term", D, HAS_L, NULL},
    {"absent: a term, by NULL", "(d=%{account.dn})", HAS_L, NULL},
    {"absent: every fact",
     "(|(a=%{login})(b=%{login.local})(c=%{login.domain})(d=%{account.dn}))",
     {{NULL, "", NULL, ""}},
     NULL},
    {"absent: what names no fact stays", "(a=b)", {{NULL, NULL, NULL, NULL}}, "(a=b)"},
    {"absent: what is not named is not missed", L, HAS_L, "(l=ann)"},
    {"absent: one of two facts in a term", "(a=%{login}@%{login.domain})", HAS_L, NULL},
    {"absent: in a substring", "(a=*%{login.domain}*)", HAS_L, NULL},
    {"absent: behind every operator",
     "(|(a>=%{account.dn})(a<=%{account.dn})(a~=%{account.dn})(a:=%{account.dn})(a=b))", HAS_L,
     "(|(a=b))"},

    {"absent: certificate and client",
     "(|(x=%{cert.subject})(y=%{cert.issuer})(z=%{client.addr})" L ")", HAS_L, "(|(l=ann))"},
    {"absent: certificate beside a login", "(&(x=%{cert.subject})" L ")", HAS_L, NULL},

    {"absent: or loses one", "(|" L D ")", HAS_L, "(|(l=ann))"},
    {"absent: or loses the first", "(|" D L ")", HAS_L, "(|(l=ann))"},
    {"absent: or loses the midst", "(|(a=b)" D L ")", HAS_L, "(|(a=b)(l=ann))"},
    {"absent: or loses all", "(|" D D ")", HAS_L, NULL},
    {"absent: and loses one", "(&" L D ")", HAS_L, NULL},
    {"absent: and loses the first", "(&" D L ")", HAS_L, NULL},
    {"absent: and of one", "(&" D ")", HAS_L, NULL},
    {"absent: not", "(!" D ")", HAS_L, NULL},
    {"absent: not of not", "(!(!" D "))", HAS_L, NULL},
    {"absent: not keeps what is there", "(!" L ")", HAS_L, "(!(l=ann))"},

    {"absent: or of an and", "(|(&(a=b)" D ")" L ")", HAS_L, "(|(l=ann))"},
    {"absent: or of two ands", "(|(&(a=b)" D ")(&(a=c)" L "))", HAS_L, "(|(&(a=c)(l=ann)))"},
    {"absent: or of ands that both go", "(|(&(a=b)" D ")(&(a=c)" D "))", HAS_L, NULL},
    {"absent: or of an or", "(|(|" D ")" L ")", HAS_L, "(|(l=ann))"},
    {"absent: or of a not", "(|(!" D ")" L ")", HAS_L, "(|(l=ann))"},
    {"absent: and of an or that keeps one", "(&(a=b)(|" L D "))", HAS_L, "(&(a=b)(|(l=ann)))"},
    {"absent: and of an or that loses all matches nothing", "(&(a=b)(|" D D "))", HAS_L, NULL},
    {"absent: and of an and finds no more than before", "(&(a=b)(&" L D "))", HAS_L, NULL},
    {"absent: and of a not finds no more than before", "(&(a=b)(!" D "))", HAS_L, NULL},
    {"absent: and of a not of an or", "(&(a=b)(!(|(c=d)" D ")))", HAS_L, "(&(a=b)(!(|(c=d))))"},
    {"absent: not of an or that keeps one", "(!(|" L D "))", HAS_L, "(!(|(l=ann)))"},
    {"absent: not of an or that loses all", "(!(|" D D "))", HAS_L, NULL},
    {"absent: not of an and", "(!(&(a=b)" D "))", HAS_L, NULL},
    {"absent: deep inside", "(|(a=b)(&(c=d)(|(&(e=f)(!(|" D ")))(&" D "))))", HAS_L, "(|(a=b))"},
    {"absent: deep inside, a way left", "(|(a=b)(&(c=d)(|(&(e=f)(!" D "))(g=h))))", HAS_L,
     "(|(a=b)(&(c=d)(|(g=h))))"},
    {"absent: the preset with a bare login",
     "(&(objectClass=inetOrgPerson)(|(uid=%{login})(mail=%{login})"
     "(&(uid=%{login.local})(o=%{login.domain}))))",
     HAS_L, "(&(objectClass=inetOrgPerson)(|(uid=ann)(mail=ann)))"},
};

static void run_absent(void **state)
{
    const struct absent_row *row = *state;
    struct arena *a = arena_create();
    struct dir_filter *filter = must_parse(a, row->text);
    const char *out = NULL;
    struct errtext why = {""};
    enum dir_filter_status status = dir_filter_expand(a, filter, &row->facts, &out, &why);
    assert_int_equal(status, row->want ? DIR_FILTER_OK : DIR_FILTER_NOTHING);
    if (row->want) {
        assert_string_equal(out, row->want);
        assert_string_equal(why.text, "");
    } else {
        assert_null(out);
        assert_non_null(strstr(why.text, "nothing is left of the filter without %{"));
    }
    arena_destroy(a);
}

static void test_absent_names(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    const struct dir_facts facts = {{"ann", "ann", NULL, NULL}};
    const char *out = NULL;
    struct errtext why = {""};
    struct dir_filter *filter =
        must_parse(a, "(&(a=%{login})(b=%{login.domain})(c=%{account.dn})(d=%{account.dn}))");
    assert_int_equal(dir_filter_expand(a, filter, &facts, &out, &why), DIR_FILTER_NOTHING);
    assert_string_equal(why.text,
                        "nothing is left of the filter without %{login.domain}, %{account.dn}");
    arena_destroy(a);
}

/* ---- values ---- */

struct value_row {
    const char *name;
    const char *text; /* NULL for "(a=%{login})" */
    struct dir_facts facts;
    const char *want; /* the filter, or where it is unsafe: why */
    bool unsafe;
};

#define A_LOGIN(text)                                                                              \
    {                                                                                              \
        {                                                                                          \
            text, NULL, NULL, NULL                                                                 \
        }                                                                                          \
    }
#define A_DN(text)                                                                                 \
    {                                                                                              \
        {                                                                                          \
            NULL, NULL, NULL, text                                                                 \
        }                                                                                          \
    }

#define A_CERT(text)                                                                               \
    {                                                                                              \
        {                                                                                          \
            NULL, NULL, NULL, NULL, NULL, text, text                                               \
        }                                                                                          \
    }

static const struct value_row value_rows[] = {
    {"value: star", NULL, A_LOGIN("*"), "(a=\\2a)", false},
    {"value: parentheses", NULL, A_LOGIN("x)(uid=*))(|(a=b"),
     "(a=x\\29\\28uid=\\2a\\29\\29\\28|\\28a=b)", false},
    {"value: backslash", NULL, A_LOGIN("acme\\bob"), "(a=acme\\5cbob)", false},
    {"value: an escape is escaped", NULL, A_LOGIN("\\2a\\00"), "(a=\\5c2a\\5c00)", false},
    {"value: operators", NULL, A_LOGIN("=>=<=~=:=&|!;,+#\"'/"), "(a==>=<=~=:=&|!;,+#\"'/)", false},
    {"value: UTF-8", NULL, A_LOGIN("j\xC3\xBCrgen"), "(a=j\\c3\\bcrgen)", false},
    {"value: printf", NULL, A_LOGIN("%s%n%%"), "(a=%s%n%%)", false},
    {"value: a placeholder is not expanded",
     NULL,
     {{"%{account.dn}", NULL, NULL, "cn=x"}},
     "(a=%{account.dn})",
     false},
    {"value: its own placeholder neither",
     "(&(a=%{login})(b=%{login.local}))",
     {{"%{login.local}", "%{login}", NULL, NULL}},
     "(&(a=%{login.local})(b=%{login}))",
     false},
    {"value: two halves of a placeholder",
     "(a=%{login}%{login.local})",
     {{"%{login", ".domain}", "x", NULL}},
     "(a=%{login.domain})",
     false},
    {"value: two halves of an escape",
     "(a=%{login}%{login.local})",
     {{"\\", "2a", NULL, NULL}},
     "(a=\\5c2a)",
     false},
    {"value: full-width is itself", NULL, A_LOGIN("\xEF\xBC\x8A"), "(a=\\ef\\bc\\8a)", false},
    {"value: not in NFC is what it was", NULL,
     A_LOGIN("mi\xE2\x84\xAA"
             "e"),
     "(a=mi\\e2\\84\\aae)", false},
    {"value: in a substring only our stars are stars", "(a=*%{login}*)", A_LOGIN("*"), "(a=*\\2a*)",
     false},
    {"value: login of 255", NULL, A_LOGIN(X255), "(a=" X255 ")", false},
    {"value: login of 256", NULL, A_LOGIN(X255 "x"), "%{login} is over 255 octets", true},
    {"value: local part of 256",
     "(a=%{login.local})",
     {{NULL, X255 "x", NULL, NULL}},
     "%{login.local} is over 255 octets",
     true},
    {"value: domain of 256",
     "(a=%{login.domain})",
     {{NULL, NULL, X255 "x", NULL}},
     "%{login.domain} is over 255 octets",
     true},
    {"value: blank", NULL, A_LOGIN(" "), "%{login} holds the character U+0020", true},
    {"value: blank behind", NULL, A_LOGIN("ann "), "%{login} holds the character U+0020", true},
    {"value: line feed", NULL, A_LOGIN("ann\n"), "%{login} holds the character U+000A", true},
    {"value: DEL", NULL, A_LOGIN("ann\x7F"), "%{login} holds the character U+007F", true},
    {"value: soft hyphen", NULL, A_LOGIN("an\xC2\xADn"), "%{login} holds the character U+00AD",
     true},
    {"value: no-break space", NULL, A_LOGIN("ann\xC2\xA0"), "%{login} holds the character U+00A0",
     true},
    {"value: zero width joiner", NULL, A_LOGIN("a\xE2\x80\x8D"), "%{login} holds the character U+",
     true},
    {"value: word joiner", NULL, A_LOGIN("ann\xE2\x81\xA0"), "%{login} holds the character U+2060",
     true},
    {"value: variation selector", NULL, A_LOGIN("a\xEF\xB8\x8F"), "the character U+FE0F", true},
    {"value: not in NFC and a soft hyphen", NULL, A_LOGIN("\xE2\x84\xAA\xC2\xAD"),
     "%{login} holds the character U+00AD", true},
    {"value: Latin-1", NULL, A_LOGIN("j\xFCrgen"), "%{login} is not valid UTF-8", true},
    {"value: over-long star", NULL, A_LOGIN("\xC0\xAA"), "%{login} is not valid UTF-8", true},
    {"value: surrogate", NULL, A_LOGIN("\xED\xA0\x80"), "%{login} is not valid UTF-8", true},
    {"value: half a character", NULL, A_LOGIN("a\xC3"), "%{login} is not valid UTF-8", true},
    {"value: local part",
     "(a=%{login.local})",
     {{NULL, "a b", NULL, NULL}},
     "%{login.local} holds the character U+0020",
     true},
    {"value: domain",
     "(a=%{login.domain})",
     {{NULL, NULL, "x\xC2\xAD", NULL}},
     "%{login.domain} holds the character U+00AD",
     true},
    {"value: what is not named is not asked",
     NULL,
     {{"ann", "a b", "\xC0", X1024 "x"}},
     "(a=ann)",
     false},
    {"value: unsafe beats dropped", "(&(a=%{login})(b=%{account.dn}))", A_LOGIN(" "),
     "%{login} holds the character U+0020", true},

    {"value: certificate with all that is special", "(a=%{cert.subject})", A_CERT("CN=*)(uid=*"),
     "(a=CN=\\2a\\29\\28uid=\\2a)", false},
    {"value: certificate with backslash and NUL's escape", "(a=%{cert.subject})",
     A_CERT("CN=a\\00\\2c b"), "(a=CN=a\\5c00\\5c2c b)", false},
    {"value: blanks within a certificate's name", "(a=%{cert.subject})", A_CERT("CN=A  B"),
     "(a=CN=A  B)", false},
    {"value: UTF-8 in a certificate's name", "(a=%{cert.subject})", A_CERT("CN=J\xC3\xBCrgen"),
     "(a=CN=J\\c3\\bcrgen)", false},
    {"value: certificate's name ends with a blank", "(a=%{cert.subject})", A_CERT("CN=A "),
     "%{cert.subject} begins or ends with white space", true},
    {"value: certificate's name begins with a blank", "(a=%{cert.issuer})", A_CERT(" CN=A"),
     "%{cert.issuer} begins or ends with white space", true},
    {"value: line feed in a certificate's name", "(a=%{cert.subject})", A_CERT("CN=A\nB"),
     "%{cert.subject} holds the character U+000A", true},
    {"value: soft hyphen in a certificate's name", "(a=%{cert.subject})", A_CERT("CN=A\xC2\xAD"),
     "%{cert.subject} holds the character U+00AD", true},
    {"value: Latin-1 in a certificate's name", "(a=%{cert.issuer})", A_CERT("CN=J\xFCrgen"),
     "%{cert.issuer} is not valid UTF-8", true},
    {"value: certificate's name of 1024", "(a=%{cert.subject})", A_CERT(X1024), "(a=" X1024 ")",
     false},
    {"value: certificate's name of 1025", "(a=%{cert.subject})", A_CERT(X1024 "x"),
     "%{cert.subject} is over 1024 octets", true},
    {"value: client's address with a blank",
     "(a=%{client.addr})",
     {{NULL, NULL, NULL, NULL, "192.0.2.1 ", NULL, NULL}},
     "%{client.addr} holds the character U+0020",
     true},

    {"value: DN", "(a=%{account.dn})", A_DN("cn=Lee\\, Ann (x)*,dc=a"),
     "(a=cn=Lee\\5c, Ann \\28x\\29\\2a,dc=a)", false},
    {"value: DN of what a login may not hold", "(a=%{account.dn})", A_DN(" \n\x7F\xC2\xAD\xFF "),
     "(a= \\0a\\7f\\c2\\ad\\ff )", false},
    {"value: DN of 1024", "(a=%{account.dn})", A_DN(X1024), "(a=" X1024 ")", false},
    {"value: DN of 1025", "(a=%{account.dn})", A_DN(X1024 "x"), "%{account.dn} is over 1024 octets",
     true},
};

static void run_value(void **state)
{
    const struct value_row *row = *state;
    struct arena *a = arena_create();
    struct dir_filter *filter = must_parse(a, row->text ? row->text : "(a=%{login})");
    const char *out = NULL;
    struct errtext why = {""};
    enum dir_filter_status status = dir_filter_expand(a, filter, &row->facts, &out, &why);
    assert_int_equal(status, row->unsafe ? DIR_FILTER_UNSAFE : DIR_FILTER_OK);
    if (row->unsafe) {
        assert_null(out);
        assert_non_null(strstr(why.text, row->want));
        assert_int_equal(dir_filter_expand(a, filter, &row->facts, &out, NULL), DIR_FILTER_UNSAFE);
    } else {
        assert_string_equal(out, row->want);
    }
    arena_destroy(a);
}

static unsigned hex_value(char c)
{
    assert_true((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* What a server reads in the value that starts at text and ends with a parenthesis. */
static struct span decoded(struct arena *a, const char *text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (; *text != ')'; text++) {
        assert_true(*text >= ' ' && *text <= '~' && !strchr("(*", *text));
        if (*text != '\\') {
            strbuf_add_char(&b, *text);
            continue;
        }
        strbuf_add_char(&b, (char)(hex_value(text[1]) * 16 + hex_value(text[2])));
        text += 2;
    }
    assert_int_equal(text[1], '\0');
    return strbuf_span(&b);
}

/* Refused, or what a server reads is the value. True where it is searched. */
static bool is_searched(struct arena *a, const char *template, const struct dir_facts *facts,
                        const char *value)
{
    const char *out = NULL;
    if (dir_filter_expand(a, must_parse(a, template), facts, &out, NULL) != DIR_FILTER_OK) {
        assert_null(out);
        return false;
    }
    assert_memory_equal(out, "(uid=", 5);
    assert_true(span_equal(decoded(a, out + 5), span_of(value)));
    return true;
}

static void test_every_octet(void **state)
{
    (void)state;
    int logins = 0, dns = 0;
    for (int c = 0; c < 256; c++) {
        const char alone[] = {(char)c, '\0'}, within[] = {'a', (char)c, 'b', '\0'};
        struct arena *a = arena_create();
        bool one = is_searched(a, "(uid=%{login})", &(struct dir_facts)A_LOGIN(alone), alone);
        if (c) /* an empty value is absent, a shorter one is what it is */
            assert_int_equal(
                one, is_searched(a, "(uid=%{login})", &(struct dir_facts)A_LOGIN(within), within));
        assert_int_equal(one, c > ' ' && c <= '~');
        logins += one;
        dns += is_searched(a, "(uid=%{account.dn})", &(struct dir_facts)A_DN(alone), alone);
        arena_destroy(a);
    }
    assert_int_equal(logins, 94);
    assert_int_equal(dns, 255);
}

/* Whatever utext forbids a login is never searched for; all else is, in whatever normal form. */
static void test_every_character(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    struct dir_filter *filter = must_parse(a, "(uid=%{login})");
    for (ucs4_t c = 1; c < 0x110000; c++) {
        char value[8] = {'a'};
        int len = u8_uctomb((uint8_t *)value + 1, c, 6);
        if (len <= 0)
            continue; /* a surrogate */
        struct errtext why = {""};
        const char *out = NULL;
        bool searched = dir_filter_expand(a, filter, &(struct dir_facts)A_LOGIN(value), &out,
                                          NULL) == DIR_FILTER_OK;
        bool forbidden = !utext_check(span_make(value, (size_t)len + 1), UTEXT_NOTHING, &why) &&
                         strstr(why.text, "holds the character");
        assert_int_equal(searched, !forbidden);
        if (c % 0x1000 == 0) {
            arena_reset(a);
            filter = must_parse(a, "(uid=%{login})");
        }
    }
    arena_destroy(a);
}

static void test_escape(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    char all[257];
    for (int c = 0; c < 256; c++)
        all[c] = (char)c;
    struct exact exact = exact_copy(span_make(all, 256));
    const char *out = dir_filter_escape(a, exact.text);
    assert_true(span_equal(decoded(a, arena_printf(a, "%s)", out)), exact.text));
    /* 95 printable ones, four of them special */
    assert_int_equal(strlen(out), 91 + 3 * (256 - 91));
    exact_free(&exact);
    assert_string_equal(dir_filter_escape(a, span_of("")), "");
    assert_string_equal(dir_filter_escape(a, span_make("a\0(b)*\\~ ", 9)),
                        "a\\00\\28b\\29\\2a\\5c~ ");
    arena_destroy(a);
}

/* ---- proofs ---- */

enum { LIST_MAX = 5 };

struct proofs_row {
    const char *name, *text;
    struct dir_facts facts;
    struct dir_filter_proof want[LIST_MAX];
};

#define ANN_FACTS                                                                                  \
    {                                                                                              \
        {                                                                                          \
            ANN, "ann", "example.net", ANN_DN                                                      \
        }                                                                                          \
    }
#define ALL_FACTS                                                                                  \
    {                                                                                              \
        {                                                                                          \
            ANN, "ann", "example.net", ANN_DN, ANN_ADDR, ANN_SUBJECT, ANN_ISSUER                   \
        }                                                                                          \
    }
#define CERT_FACTS                                                                                 \
    {                                                                                              \
        {                                                                                          \
            NULL, NULL, NULL, NULL, ANN_ADDR, ANN_SUBJECT, ANN_ISSUER                              \
        }                                                                                          \
    }

static const struct proofs_row proofs_rows[] = {
    {"proofs: login", "(uid=%{login})", ANN_FACTS, {{"uid", ANN, LOGIN}}},
    {"proofs: local part", "(uid=%{login.local})", ANN_FACTS, {{"uid", "ann", LOCAL}}},
    {"proofs: domain", "(dc=%{login.domain})", ANN_FACTS, {{"dc", "example.net", DOMAIN}}},
    {"proofs: the DN is none", "(member=%{account.dn})", ANN_FACTS, {{NULL, NULL, 0}}},
    {"proofs: a literal is none", "(objectClass=person)", ANN_FACTS, {{NULL, NULL, 0}}},
    {"proofs: the client's address is none", "(ip=%{client.addr})", ALL_FACTS, {{NULL, NULL, 0}}},
    {"proofs: subject", "(x=%{cert.subject})", CERT_FACTS, {{"x", ANN_SUBJECT, SUBJECT}}},
    {"proofs: issuer", "(x=%{cert.issuer})", ALL_FACTS, {{"x", ANN_ISSUER, ISSUER}}},
    {"proofs: subject and issuer in one",
     "(x=%{cert.issuer}|%{cert.subject})",
     CERT_FACTS,
     {{"x", ANN_ISSUER "|" ANN_SUBJECT, SUBJECT | ISSUER}}},
    {"proofs: login and DN",
     "(x=%{account.dn}/%{login})",
     ANN_FACTS,
     {{"x", ANN_DN "/" ANN, DN | LOGIN}}},
    {"proofs: the whole value",
     "(mail=smtp:%{login.local}@\\28x\\29%{login.domain})",
     ANN_FACTS,
     {{"mail", "smtp:ann@(x)example.net", LOCAL | DOMAIN}}},
    {"proofs: not escaped", "(uid=%{login})", A_LOGIN("a*(\\"), {{"uid", "a*(\\", LOGIN}}},
    {"proofs: as spelled, without options",
     "(CN;lang-en;x=%{login})",
     ANN_FACTS,
     {{"CN", ANN, LOGIN}}},
    {"proofs: OID", "(2.5.4.3;x=%{login})", ANN_FACTS, {{"2.5.4.3", ANN, LOGIN}}},
    {"proofs: in order, each",
     "(&(a=%{login})(|(b=%{login.local})(a=%{login})))",
     ANN_FACTS,
     {{"a", ANN, LOGIN}, {"b", "ann", LOCAL}, {"a", ANN, LOGIN}}},
    {"proofs: only equality",
     "(|(a=%{login}*)(b=*%{login})(c>=%{login})(d<=%{login})(e~=%{login})(f:=%{login})"
     "(:g:=%{login})(h=*)(i=%{login}))",
     ANN_FACTS,
     {{"i", ANN, LOGIN}}},
    {"proofs: not under a not",
     "(&(!(a=%{login}))(!(|(b=%{login})))(c=%{login}))",
     ANN_FACTS,
     {{"c", ANN, LOGIN}}},
    {"proofs: not under two", "(!(!(a=%{login})))", ANN_FACTS, {{NULL, NULL, 0}}},
    {"proofs: not what is dropped",
     "(|(a=%{login})(b=%{account.dn}%{login}))",
     HAS_L,
     {{"a", "ann", LOGIN}}},
    {"proofs: not in a dropped and",
     "(|(&(a=%{login})(b=%{login.domain}))(c=%{login}))",
     HAS_L,
     {{"c", "ann", LOGIN}}},
    {"proofs: all dropped", "(&(a=%{login})(b=%{login.domain}))", HAS_L, {{NULL, NULL, 0}}},
};

static void run_proofs(void **state)
{
    const struct proofs_row *row = *state;
    struct arena *a = arena_create();
    const struct dir_filter_proof *proofs = NULL;
    size_t count = dir_filter_proofs(a, must_parse(a, row->text), &row->facts, &proofs);
    size_t want = 0;
    while (want < LIST_MAX && row->want[want].attribute)
        want++;
    assert_int_equal(count, want);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(proofs[i].attribute, row->want[i].attribute);
        assert_string_equal(proofs[i].value, row->want[i].value);
        assert_int_equal(proofs[i].facts, row->want[i].facts);
    }
    arena_destroy(a);
}

/* An entry holds what stands in `entry` as "attribute=value;", or "attribute==value;" where the
 * comparison is exact. */
struct proven_row {
    const char *name, *text, *entry;
    struct dir_facts facts;
    bool want;
};

static const struct proven_row proven_rows[] = {
    {"proven: it is there", "(uid=%{login})", "uid=" ANN ";", ANN_FACTS, true},
    {"proven: it is not", "(uid=%{login})", "uid=\xEF\xBD\x81nn@example.net;", ANN_FACTS, false},
    {"proven: of another attribute", "(uid=%{login})", "cn=" ANN ";", ANN_FACTS, false},
    {"proven: nothing to prove", "(member=%{account.dn})", "", ANN_FACTS, true},
    {"proven: nothing to prove under a not", "(!(uid=%{login}))", "", ANN_FACTS, true},
    {"proven: a substring proves nothing and needs nothing", "(uid=%{login}*)", "", ANN_FACTS,
     true},
    {"proven: and, both", "(&(uid=%{login.local})(dc=%{login.domain}))", "uid=ann;dc=example.net;",
     ANN_FACTS, true},
    {"proven: and, the domain alone is not enough", "(&(uid=%{login.local})(dc=%{login.domain}))",
     "uid=\xEF\xBD\x81nn;dc=example.net;", ANN_FACTS, false},
    {"proven: and, the user alone is not enough", "(&(uid=%{login.local})(dc=%{login.domain}))",
     "uid=ann;dc=other.example;", ANN_FACTS, false},
    {"proven: and, others need no proof", "(&(objectClass=person)(uid=%{login})(!(x=y)))",
     "uid=" ANN ";", ANN_FACTS, true},
    {"proven: and, others give none", "(&(objectClass=person)(uid=%{login})(!(x=y)))", "",
     ANN_FACTS, false},
    {"proven: or, the first", "(|(uid=%{login})(mail=%{login}))", "uid=" ANN ";", ANN_FACTS, true},
    {"proven: or, the second", "(|(uid=%{login})(mail=%{login}))", "mail=" ANN ";", ANN_FACTS,
     true},
    {"proven: or, neither", "(|(uid=%{login})(mail=%{login}))", "cn=ann;", ANN_FACTS, false},
    {"proven: or, others give none", "(|(objectClass=person)(uid=%{login}))", "", ANN_FACTS, false},
    {"proven: or, others before and behind give none", "(|(x=y)(uid=%{login})(z=*))", "", ANN_FACTS,
     false},
    {"proven: and, others behind change nothing", "(&(uid=%{login})(x=y))", "", ANN_FACTS, false},
    {"proven: or of ands, one whole", "(|(&(a=%{login})(b=%{login.local}))(c=%{login}))",
     "a=" ANN ";b=ann;", ANN_FACTS, true},
    {"proven: or of ands, two halves",
     "(|(&(a=%{login})(b=%{login.local}))(&(c=%{login})(d="
     "%{login})))",
     "a=" ANN ";d=" ANN ";", ANN_FACTS, false},
    {"proven: and of ors", "(&(|(a=%{login})(b=%{login}))(|(c=%{login})(d=%{login})))",
     "b=" ANN ";c=" ANN ";", ANN_FACTS, true},
    {"proven: and of ors, one not", "(&(|(a=%{login})(b=%{login}))(|(c=%{login})(d=%{login})))",
     "a=" ANN ";b=" ANN ";", ANN_FACTS, false},
    {"proven: under a not is no proof", "(&(a=%{login})(!(b=%{login})))", "b=" ANN ";", ANN_FACTS,
     false},
    {"proven: a dropped term needs none", "(|(a=%{login})(b=%{login.domain}))", "a=ann;", HAS_L,
     true},
    {"proven: a dropped term gives none", "(|(a=%{login})(&(b=%{login})(c=%{login.domain})))",
     "b=ann;", HAS_L, false},
    {"proven: an empty value proves nothing", "(|(a=%{login})(&(b=%{login})(c=%{login.domain})))",
     "b=ann;c=;", HAS_L, false},
    {"proven: what is left needs no proof", "(|(x=y)(b=%{login.domain}))", "", HAS_L, true},
    {"proven: what is dropped as a whole found nothing", "(c=%{login.domain})", "c=;", HAS_L,
     false},

    {"proven: certificate", "(x=%{cert.subject})", "x==" ANN_SUBJECT ";", CERT_FACTS, true},
    {"proven: another certificate", "(x=%{cert.subject})", "x==CN=Bob;", CERT_FACTS, false},
    {"proven: certificate by login rules is not enough", "(x=%{cert.subject})",
     "x=" ANN_SUBJECT ";", CERT_FACTS, false},
    {"proven: login by exact rules is not asked", "(uid=%{login})", "uid==" ANN ";", ANN_FACTS,
     false},
    {"proven: login and certificate in one are compared exactly", "(x=%{login}|%{cert.issuer})",
     "x==" ANN "|" ANN_ISSUER ";", ALL_FACTS, true},
    {"proven: login and certificate in one, login rules", "(x=%{login}|%{cert.issuer})",
     "x=" ANN "|" ANN_ISSUER ";", ALL_FACTS, false},
    {"proven: subject and issuer", "(&(x=%{cert.subject})(y=%{cert.issuer}))",
     "x==" ANN_SUBJECT ";y==" ANN_ISSUER ";", CERT_FACTS, true},
    {"proven: subject of another issuer", "(&(x=%{cert.subject})(y=%{cert.issuer}))",
     "x==" ANN_SUBJECT ";y==CN=Another CA;", CERT_FACTS, false},
    {"proven: client's address needs no proof", "(ip=%{client.addr})", "", ALL_FACTS, true},
    {"proven: login and its certificate", "(&(uid=%{login})(x=%{cert.subject}))",
     "uid=" ANN ";x==" ANN_SUBJECT ";", ALL_FACTS, true},
    {"proven: login without its certificate", "(&(uid=%{login})(x=%{cert.subject}))",
     "uid=" ANN ";", ALL_FACTS, false},
    {"proven: certificate without the login", "(&(uid=%{login})(x=%{cert.subject}))",
     "x==" ANN_SUBJECT ";", ALL_FACTS, false},
    {"proven: login, and its certificate or what needs none",
     "(&(uid=%{login})(|(x=%{cert.subject})(!(x=*))))", "uid=" ANN ";", ALL_FACTS, true},
    {"proven: another login, and its certificate or what needs none",
     "(&(uid=%{login})(|(x=%{cert.subject})(!(x=*))))", "x==" ANN_SUBJECT ";", ALL_FACTS, false},
    {"proven: login, and one of two certificates",
     "(&(uid=%{login})(|(x=%{cert.subject})(y=%{cert.issuer})))", "uid=" ANN ";y==" ANN_ISSUER ";",
     ALL_FACTS, true},
    {"proven: login, and neither certificate",
     "(&(uid=%{login})(|(x=%{cert.subject})(y=%{cert.issuer})))", "uid=" ANN ";", ALL_FACTS, false},
    {"proven: login, certificate in doubt, and what is dropped",
     "(&(uid=%{login})(|(x=%{cert.subject})(y=%{account.dn})))",
     "uid=ann;",
     {{"ann", NULL, NULL, NULL, NULL, ANN_SUBJECT, NULL}},
     false},
    {"proven: certificate or login, with a login",
     "(|(uid=%{login})(&(mail=%{login})(x=%{cert.subject})))", "mail=" ANN ";x==CN=Bob;", ALL_FACTS,
     false},
};

static bool has_value(void *context, const char *attribute, const char *value, bool exact)
{
    char pair[256];
    (void)snprintf(pair, sizeof pair, "%s%s%s;", attribute, exact ? "==" : "=", value);
    return strstr(context, pair) != NULL;
}

static void run_proven(void **state)
{
    const struct proven_row *row = *state;
    struct arena *a = arena_create();
    char *entry = arena_strdup(a, row->entry);
    assert_int_equal(dir_filter_proven(a, must_parse(a, row->text), &row->facts, has_value, entry),
                     row->want);
    arena_destroy(a);
}

/* ---- somebody else ---- */

enum who { A_USER, A_CERTIFICATE, A_MACHINE, WHO };

/* What is left of a template for each; NULL where it does not ask about such a one. */
struct narrow_row {
    const char *name, *text;
    const char *want[WHO];
};

#define U "(u=%{login})"
#define M "(m=%{login.local})"
#define S "(s=%{cert.subject})"
#define I "(i=%{cert.issuer})"
#define C "(c=%{client.addr})"
#define P "(p=q)"

static const struct narrow_row narrow_rows[] = {
    {"narrow: login", U, {U, NULL, NULL}},
    {"narrow: certificate", S, {NULL, S, NULL}},
    {"narrow: issuer alone", I, {NULL, I, NULL}},
    {"narrow: client", C, {NULL, NULL, C}},
    {"narrow: nobody", P, {NULL, NULL, NULL}},
    {"narrow: or of all", "(|" U S C ")", {"(|" U ")", "(|" S ")", "(|" C ")"}},
    {"narrow: or, some twice", "(|" C U S M I C ")", {"(|" U M ")", "(|" S I ")", "(|" C C ")"}},
    {"narrow: or with what is about nobody", "(|" U P ")", {"(|" U P ")", NULL, NULL}},
    {"narrow: or with what is about nobody and a client", "(|" C P ")", {NULL, NULL, "(|" C P ")"}},
    {"narrow: and with what is about nobody", "(&" P U ")", {"(&" P U ")", NULL, NULL}},
    {"narrow: and of login and client", "(&" U C ")", {"(&" U C ")", NULL, NULL}},
    {"narrow: and of client and login", "(&" C U ")", {"(&" C U ")", NULL, NULL}},
    {"narrow: and of certificate and client", "(&" S C ")", {NULL, "(&" S C ")", NULL}},
    {"narrow: and of login, certificate, client", "(&" U S C ")", {"(&" U S C ")", NULL, NULL}},
    {"narrow: one term with both",
     "(x=%{login}/%{client.addr})",
     {"(x=%{login}/%{client.addr})", NULL, NULL}},
    {"narrow: the presets' form",
     "(&" P "(|" U C "))",
     {"(&" P "(|" U "))", NULL, "(&" P "(|" C "))"}},
    {"narrow: or of ands",
     "(|(&" P U ")(&" P S ")(&" P C "))",
     {"(|(&" P U "))", "(|(&" P S "))", "(|(&" P C "))"}},
    {"narrow: beside the login a client or what is about nobody",
     "(&" U "(|" C P "))",
     {"(&" U "(|" C P "))", NULL, NULL}},
    {"narrow: beside an or of logins",
     "(&(|" U M ")(|" C P "))",
     {"(&(|" U M ")(|" C P "))", NULL, NULL}},
    {"narrow: beside an or that loses one",
     "(&(|" U C ")(|" C P "))",
     {"(&(|" U ")(|" C P "))", NULL, "(&(|" C ")(|" C P "))"}},
    {"narrow: beside an or that loses one, whatever the order",
     "(&(|" C P ")(|" U C "))",
     {"(&(|" C P ")(|" U "))", NULL, "(&(|" C P ")(|" C "))"}},
    {"narrow: both lose one",
     "(&(|" U C ")(|" M C "))",
     {"(&(|" U ")(|" M "))", NULL, "(&(|" C ")(|" C "))"}},
    {"narrow: what keeps an alternative about nobody covers no other",
     "(&(|" U P ")" C ")",
     {NULL, NULL, "(&(|" U P ")" C ")"}},
    {"narrow: an alternative about nobody hides no other",
     "(&(|" P C "(&" U C "))" P ")",
     {"(&(|" P "(&" U C "))" P ")", NULL, "(&(|" P C "(&" U C "))" P ")"}},
    {"narrow: not of a client", "(!" C ")", {NULL, NULL, "(!" C ")"}},
    {"narrow: login or not of a client", "(|" U "(!" C "))", {"(|" U ")", NULL, "(|(!" C "))"}},
    {"narrow: login or not of what is about nobody",
     "(|" U "(!" P "))",
     {"(|" U "(!" P "))", NULL, NULL}},
    {"narrow: not of a client beside what is about nobody",
     "(&" P "(!" C "))",
     {NULL, NULL, "(&" P "(!" C "))"}},
    {"narrow: not of a client beside the login",
     "(&" U "(!" C "))",
     {"(&" U "(!" C "))", NULL, NULL}},
    {"narrow: not of a login names none", "(&" C "(!" U "))", {NULL, NULL, NULL}},
    {"narrow: not of a login", "(!" U ")", {"(!" U ")", NULL, NULL}},
    {"narrow: deep inside",
     "(|" P "(&" P "(|" C "(&" P "(|" S U "))))"
     ")",
     {"(|" P "(&" P "(|(&" P "(|" U ")))))", "(|" P "(&" P "(|(&" P "(|" S ")))))",
      "(|" P "(&" P "(|" C ")))"}},
};

static const unsigned identities[WHO] = {DIR_FACTS_LOGIN, DIR_FACTS_CERT, DIR_FACTS_CLIENT};
static const unsigned beside[WHO] = {DIR_FACTS_CERT | DIR_FACTS_CLIENT, DIR_FACTS_CLIENT, 0};

/* With facts that are their own placeholders a filter is written as it stands in the template. */
static void check_narrowed(struct arena *a, const char *text, enum who who, const char *want)
{
    static const struct dir_facts names = {{"%{login}", "%{login.local}", "%{login.domain}",
                                            "%{account.dn}", "%{client.addr}", "%{cert.subject}",
                                            "%{cert.issuer}"}};
    struct dir_filter *whole = must_parse(a, text), *out = NULL;
    const char *left = NULL;
    bool asks = dir_filter_narrow(a, whole, identities[who], identities[who] | beside[who], &out);
    assert_int_equal(asks, want != NULL);
    if (!want) {
        assert_null(out);
        return;
    }
    assert_int_equal(dir_filter_expand(a, out, &names, &left, NULL), DIR_FILTER_OK);
    assert_string_equal(left, want);
    assert_int_equal(dir_filter_facts(out), dir_filter_facts(must_parse(a, want)));
    assert_int_equal(dir_filter_expand(a, whole, &names, &left, NULL), DIR_FILTER_OK);
    assert_string_equal(left, text);
}

static void run_narrow(void **state)
{
    const struct narrow_row *row = *state;
    struct arena *a = arena_create();
    for (int who = 0; who < WHO; who++)
        check_narrowed(a, row->text, (enum who)who, row->want[who]);
    arena_destroy(a);
}

static void test_facts(void **state)
{
    (void)state;
    struct arena *a = arena_create();
    assert_int_equal(dir_filter_facts(must_parse(a, P)), 0);
    assert_int_equal(dir_filter_facts(must_parse(a, "(&" U "(|" C "(!" S ")))")),
                     LOGIN | CLIENT | SUBJECT);
    arena_destroy(a);
}

static void test_any_of(void **state)
{
    static const char *const attributes[] = {"mail", "proxyAddresses"};
    static const char *const values[] = {"a*b@example.net", "smtp:(x)\\@example.net"};
    (void)state;
    struct arena *a = arena_create();
    assert_string_equal(dir_filter_any_of(a, attributes, 2, values, 2),
                        "(|(mail=a\\2ab@example.net)(mail=smtp:\\28x\\29\\5c@example.net)"
                        "(proxyAddresses=a\\2ab@example.net)"
                        "(proxyAddresses=smtp:\\28x\\29\\5c@example.net))");
    assert_string_equal(dir_filter_any_of(a, attributes, 1, values, 1),
                        "(|(mail=a\\2ab@example.net))");
    arena_destroy(a);
}

static void test_check_text(void **state)
{
    (void)state;
    struct errtext why = {""};
    assert_true(dir_filter_check_text(span_of("\"a b\"@example.net"), &why));
    assert_false(dir_filter_check_text(span_of("a@example.net "), &why));
    assert_string_equal(why.text, "begins or ends with white space");
    assert_false(dir_filter_check_text(span_of("a\xC2\xAD@example.net"), &why));
    assert_false(dir_filter_check_text(span_of("a\xFF@example.net"), &why));
    assert_true(dir_filter_check(DIR_FACT_CERT_SUBJECT, NULL, &why));
    assert_true(dir_filter_check(DIR_FACT_CLIENT_ADDR, "2001:db8::1", &why));
}

/* ---- names ---- */

struct names_row {
    const char *name, *text;
    const char *attributes[LIST_MAX], *classes[LIST_MAX];
};

static const struct names_row names_rows[] = {
    {"names: one", "(uid=%{login})", {"uid"}, {NULL}},
    {"names: every kind of term",
     "(|(a=b)(b>=c)(c~=d)(d=*)(e:dn:r:=f))",
     {"a", "b", "c", "d", "e"},
     {NULL}},
    {"names: each once, as spelled first",
     "(|(Uid=a)(&(uid=b)(UID=c))(cn=d)(!(CN=e)))",
     {"Uid", "cn"},
     {NULL}},
    {"names: without options", "(|(cn;lang-en=a)(cn=b)(cn;x;y=c))", {"cn"}, {NULL}},
    {"names: not a prefix", "(|(cnx=a)(cn=b))", {"cnx", "cn"}, {NULL}},
    {"names: a rule is none", "(|(:caseExactMatch:=a)(:dn:x:=b)(cn=c))", {"cn"}, {NULL}},
    {"names: OID", "(|(2.5.4.3=a)(0.9.2342=b))", {"2.5.4.3", "0.9.2342"}, {NULL}},
    {"names: what would be dropped too", "(&(a=%{account.dn})(!(b=%{login})))", {"a", "b"}, {NULL}},
    {"names: class", "(objectClass=person)", {"objectClass"}, {"person"}},
    {"names: classes",
     "(&(objectclass=A)(!(OBJECTCLASS;x=b))(objectClass=a)(x=c))",
     {"objectclass", "x"},
     {"A", "b"}},
    {"names: class with an escape", "(objectClass=p\\65rson)", {"objectClass"}, {"person"}},
    {"names: class of other matches",
     "(|(objectClass=*)(objectClass=a*)(objectClass>=b)(objectClass:=c)(objectClass=%{login}))",
     {"objectClass"},
     {NULL}},
};

static void check_names(const char *const *got, size_t count, const char *const *want)
{
    size_t wanted = 0;
    while (wanted < LIST_MAX && want[wanted])
        wanted++;
    assert_int_equal(count, wanted);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(got[i], want[i]);
}

static void run_names(void **state)
{
    const struct names_row *row = *state;
    struct arena *a = arena_create();
    struct dir_filter *filter = must_parse(a, row->text);
    const char *const *names = NULL;
    size_t count = dir_filter_attributes(a, filter, &names);
    check_names(names, count, row->attributes);
    count = dir_filter_classes(a, filter, &names);
    check_names(names, count, row->classes);
    arena_destroy(a);
}

/* One filter serves many questions: nothing of one is left in the next. */
static void test_again(void **state)
{
    (void)state;
    struct arena *kept = arena_create(), *a = arena_create();
    struct dir_filter *filter = must_parse(kept, "(|(a=%{login})(b=%{login.domain}))");
    size_t size = arena_size(kept);
    for (int i = 0; i < 3; i++) {
        const char *out = NULL;
        const struct dir_facts bare = HAS_L;
        assert_int_equal(dir_filter_expand(a, filter, &ann, &out, NULL), DIR_FILTER_OK);
        assert_string_equal(out, "(|(a=" ANN ")(b=example.net))");
        assert_int_equal(dir_filter_expand(a, filter, &bare, &out, NULL), DIR_FILTER_OK);
        assert_string_equal(out, "(|(a=ann))");
        arena_reset(a);
    }
    assert_int_equal(arena_size(kept), size);
    arena_destroy(a);
    arena_destroy(kept);
}

int main(void)
{
    ROWS_ADD(expand_rows, run_expand);
    ROWS_ADD(malformed_rows, run_malformed);
    ROWS_ADD(allowed_rows, run_allowed);
    ROWS_ADD(absent_rows, run_absent);
    ROWS_ADD(value_rows, run_value);
    ROWS_ADD(proofs_rows, run_proofs);
    ROWS_ADD(proven_rows, run_proven);
    ROWS_ADD(narrow_rows, run_narrow);
    ROWS_ADD(names_rows, run_names);
    ROWS_ADD_TEST("20 groups may stand in each other", test_depth);
    ROWS_ADD_TEST("any number may stand side by side", test_width);
    ROWS_ADD_TEST("a template has at most 8192 octets", test_length);
    ROWS_ADD_TEST("what is absent is named", test_absent_names);
    ROWS_ADD_TEST("every octet is refused or found as it is", test_every_octet);
    ROWS_ADD_TEST("every character is refused or searched as login.h says", test_every_character);
    ROWS_ADD_TEST("every octet escaped", test_escape);
    ROWS_ADD_TEST("facts of a filter", test_facts);
    ROWS_ADD_TEST("one of many attributes, one of many values", test_any_of);
    ROWS_ADD_TEST("which texts are searched for", test_check_text);
    ROWS_ADD_TEST("a filter serves many questions", test_again);
    return rows_main();
}
