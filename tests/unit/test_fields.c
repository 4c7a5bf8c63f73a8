/* fields: what is kept of a header, what is noted, and what an outsider is vouched for. */
#include "rows.h"

#include "fields.h"
#include "strbuf.h"
#include "texts.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *name;
    const char *header; /* fields, a line each; a line that begins with a blank is a fold */
    bool outsider;
    const char *own_id, *trusted_id;
    unsigned max_headers;   /* 0 for 100 */
    size_t max_header_size; /* 0 for 1000 */
    /* What describe() says of it. */
    const char *want;
};

#define ANN "ann@example.net"
#define MX  "mx.example.net"
#define AR  "Authentication-Results: "

static const struct row name_rows[] = {
    {"From", "From: " ANN, .want = "From/1 ok " ANN "*"},
    {"letter case", "FROM: " ANN "\nsENDER: x@y.example",
     .want = "From/1 ok " ANN "*\nSender/1 ok x@y.example"},
    {"blanks before the colon", "From \t : " ANN "\nResent-sender\t: " ANN,
     .want = "From/1 ok " ANN "*\nResent-Sender/1 ok " ANN "*"},
    {"blanks in front of the name", " From: " ANN, .want = "From/1 ok " ANN "*"},
    {"a blank inside the name is another field", "Fr om: " ANN "\nResent -From: " ANN, .want = ""},
    {"longer and shorter names are other fields",
     "X-From: " ANN "\nFromm: " ANN "\nFro: " ANN "\nResent: " ANN "\n: " ANN, .want = ""},
    {"fields of a name are counted by themselves, in the order of all",
     "Sender: a@y.example\nResent-From: b@y.example\nFrom: " ANN
     "\nSENDER : c@y.example\nResent-Sender: d@y.example\nResent-From: e@y.example",
     .want = "From/1 ok " ANN "*\nSender/1 ok a@y.example\nResent-From/1 ok b@y.example\n"
             "Sender/2 ok c@y.example\nResent-Sender/1 ok d@y.example\n"
             "Resent-From/2 ok e@y.example"},
    {"an empty one counts", "Sender:\nSender: \t\nSender: " ANN,
     .want = "Sender/1 blank\nSender/2 blank\nSender/3 ok " ANN "*"},
    {"only the first From is kept, all are counted",
     "From: a@y.example\nFrom:\nfrom : <\nFROM: b@y.example", .want = "From/4 ok a@y.example"},
    {"a list", "From: " ANN ",\n Bob <bob@y.example>", .want = "From/1 ok " ANN "* bob@y.example"},
    {"a group", "From: Team: " ANN ";", .want = "From/1 group \"Team: " ANN ";\""},
    {"a malformed one, as it stood", "From:  Ann <" ANN " \n ",
     .want = "From/1 malformed \"Ann <" ANN "\""},
    {"what names show", "From: \"bob@y.example\" <" ANN ">\nSender: " ANN " (c@y.example)",
     .want = "From/1 ok " ANN "*{bob@y.example}\nSender/1 ok " ANN "*{c@y.example}"},
    {"an outsider's names are not read", "From: \"bob@y.example\" <" ANN ">", .outsider = true,
     .want = "From/1 ok " ANN "*"},
    {"domains are compared as A-labels in lower case",
     "From: a@B\xc3\xbc"
     "cher.example, b@EXAMPLE.net",
     .want = "From/1 ok a@xn--bcher-kva.example* b@example.net*"},
    {"a subdomain is not local", "From: a@mail.example.net",
     .want = "From/1 ok a@mail.example.net"},
};

static const struct row bound_rows[] = {
    {"as many fields as may be", "A: b\nSender: " ANN "\nFrom: " ANN, .max_headers = 3,
     .want = "From/1 ok " ANN "*\nSender/1 ok " ANN "*"},
    {"one more, of whatever name", "From: " ANN "\nA: b\nA: b\nA: b", .max_headers = 3,
     .want = "From/1 ok " ANN "*\ntoo large: more fields than max_headers"},
    {"From is kept behind them all, Sender is not", "A: b\nA: b\nSender: " ANN "\nFrom: " ANN,
     .max_headers = 2, .want = "From/1 ok " ANN "*\ntoo large: more fields than max_headers"},
    {"a second From behind them all counts", "From: " ANN "\nA: b\nFrom: " ANN, .max_headers = 2,
     .want = "From/2 ok " ANN "*\ntoo large: more fields than max_headers"},
    {"as large as may be, name included", "From: " ANN, .max_header_size = 4 + 15,
     .want = "From/1 ok " ANN "*"},
    {"one octet more", "From:  " ANN, .max_header_size = 4 + 15,
     .want = "From/1 malformed \"\"\ntoo large: From is over max_header_size"},
    {"the name as it stood", "From\t: " ANN, .max_header_size = 4 + 15,
     .want = "From/1 malformed \"\"\ntoo large: From is over max_header_size"},
    {"a Sender that is too large keeps its number", "Sender: " ANN " (xxx)\nSender: " ANN,
     .max_header_size = 22,
     .want = "Sender/1 malformed \"\"\nSender/2 ok " ANN
             "*\ntoo large: Sender is over max_header_size"},
    {"a second From has its bound", "From: " ANN "\nFrom: xxxxxxxxxxxxxxxxxxxxxx",
     .max_header_size = 22, .want = "From/2 ok " ANN "*\ntoo large: From is over max_header_size"},
    {"all further From fields together have it", "From: " ANN "\nFrom: xxxxxxx\nFrom: xxxxxxx",
     .max_header_size = 22, .want = "From/3 ok " ANN "*"},
    {"and one octet more", "From: " ANN "\nFrom: xxxxxxx\nFrom: xxxxxxxx\nFrom: x",
     .max_header_size = 22, .want = "From/4 ok " ANN "*\ntoo large: From is over max_header_size"},
    {"Content-Type has its bound", "Content-Type: multipart/report;\n report-type=delivery-status",
     .max_header_size = 40, .want = "too large: Content-Type is over max_header_size"},
    {"a second Content-Type has none", "Content-Type: text/plain\nContent-Type: x" X50,
     .max_header_size = 40, .want = ""},
    {"other fields have none", "Subject: " X50 "\nReply-To: " X50 "\nX-Sent-By: " X50,
     .max_header_size = 40, .want = "reply-to\nforged X-Sent-By/1"},
    {"the first that is too large is named", "Sender: " X50 "\nFrom: " X50, .max_header_size = 40,
     .want = "From/1 malformed \"\"\nSender/1 malformed \"\"\n"
             "too large: Sender is over max_header_size"},
};

#define B50  "                                                  "
#define B200 B50 B50 B50 B50

static const struct row mention_rows[] = {
    {"a From that can be read mentions nothing", "From: " ANN, .outsider = true,
     .want = "From/1 ok " ANN "*"},
    {"nor does an empty one", "From: ", .outsider = true, .want = "From/1 blank"},
    {"a malformed one", "From: <<" ANN ">>", .outsider = true,
     .want = "From/1 malformed \"<<" ANN ">>\"\nmentions @example.net"},
    {"a group", "From: Team: " ANN ";", .outsider = true,
     .want = "From/1 group \"Team: " ANN ";\"\nmentions @example.net"},
    {"a second From", "From: a@y.example\nFrom: Ann <" ANN ">", .outsider = true,
     .want = "From/2 ok a@y.example\nmentions @example.net"},
    {"a second From that cannot be read", "From: a@y.example\nFrom: Ann <" ANN, .outsider = true,
     .want = "From/2 ok a@y.example\nmentions @example.net"},
    {"any From behind the second", "From: a@y.example\nFrom: b@y.example\nFrom : " ANN,
     .outsider = true, .want = "From/3 ok a@y.example\nmentions @example.net"},
    {"the first mention is the one",
     "From: a@y.example\nFrom: " ANN "\nFrom: x@b\xc3\xbc"
     "cher.example",
     .outsider = true, .want = "From/3 ok a@y.example\nmentions @example.net"},
    {"foreign domains are no mention", "From: <<a@y.example>>\nFrom: a@example.org",
     .outsider = true, .want = "From/2 malformed \"<<a@y.example>>\""},
    {"a local one behind foreign ones", "From: <a@y.example>, <b@z.example> " ANN, .outsider = true,
     .want = "From/1 malformed \"<a@y.example>, <b@z.example> " ANN "\"\nmentions @example.net"},
    {"subdomains, and domains that only end like a local one, are no mention",
     "From: < a@mail.example.net b@badexample.net c@example.netx", .outsider = true,
     .want = "From/1 malformed \"< a@mail.example.net b@badexample.net c@example.netx\""},
    {"letter case", "From: <ann@Example.NET", .outsider = true,
     .want = "From/1 malformed \"<ann@Example.NET\"\nmentions @example.net"},
    {"an IDN",
     "From: <a@B\xc3\xbc"
     "cher.example",
     .outsider = true,
     .want = "From/1 malformed \"<a@B\xc3\xbc"
             "cher.example\"\nmentions @xn--bcher-kva.example"},
    {"an A-label", "From: <a@XN--bcher-kva.example", .outsider = true,
     .want = "From/1 malformed \"<a@XN--bcher-kva.example\"\nmentions @xn--bcher-kva.example"},
    {"@ at the very end", "From: <ann@", .outsider = true, .want = "From/1 malformed \"<ann@\""},
    {"nothing but @", "From: @\nFrom: @@", .outsider = true, .want = "From/2 malformed \"@\""},
    {"no local part", "From: @example.net", .outsider = true,
     .want = "From/1 malformed \"@example.net\"\nmentions @example.net"},
    {"two @", "From: <ann@example.net@y.example>", .outsider = true,
     .want = "From/1 malformed \"<ann@example.net@y.example>\"\nmentions @example.net"},
    {"a dot at the end, as of a sentence", "From: write to ann@example.net.", .outsider = true,
     .want = "From/1 malformed \"write to ann@example.net.\"\nmentions @example.net"},
    {"dots and hyphens at the end", "From: <ann@example.net.-.>", .outsider = true,
     .want = "From/1 malformed \"<ann@example.net.-.>\"\nmentions @example.net"},
    {"a blank behind the @", "From: <ann@ example.net>", .outsider = true,
     .want = "From/1 malformed \"<ann@ example.net>\"\nmentions @example.net"},
    {"a fold inside the domain", "From: <ann@example.\n net>", .outsider = true,
     .want = "From/1 malformed \"<ann@example.\n net>\"\nmentions @example.net"},
    {"comments inside the domain", "From: <ann@(a (b) \\) c)example(.)(x).net>", .outsider = true,
     .want = "From/1 malformed \"<ann@(a (b) \\) c)example(.)(x).net>\"\nmentions @example.net"},
    {"a comment without an end",
     "From: ann@example.net (x\nFrom: ann@example.org(@b\xc3\xbc"
     "cher.example",
     .outsider = true,
     .want = "From/2 malformed \"ann@example.net (x\"\nmentions @xn--bcher-kva.example"},
    {"a parenthesis in quotes is no comment", "From: \"a(b\" <ann@ example (x) . net>",
     .outsider = true,
     .want = "From/1 malformed \"\"a(b\" <ann@ example (x) . net>\"\nmentions @example.net"},
    {"words behind the domain", "From: ann@ example.net is here, and (so on)", .outsider = true,
     .want = "From/1 malformed \"ann@ example.net is here, and (so on)\"\nmentions @example.net"},
    {"a blank behind a domain that is only the first part of one", "From: <ann@example .net.uk",
     .outsider = true, .want = "From/1 malformed \"<ann@example .net.uk\""},
    {"as many blanks as are looked through", "From: <ann@" B200 "example.net", .outsider = true,
     .want = "From/1 malformed \"<ann@" B200 "example.net\"\nmentions @example.net"},
    {"one more", "From: <ann@" B200 " example.net", .outsider = true,
     .want = "From/1 malformed \"<ann@" B200 " example.net\""},
    {"a domain without a dot", "From: <ann@intern>>\nFrom: x", .outsider = true,
     .want = "From/2 malformed \"<ann@intern>>\"\nmentions @intern"},
    {"a domain without a dot, and one", "From: ask ann@intern.", .outsider = true,
     .want = "From/1 malformed \"ask ann@intern.\"\nmentions @intern"},
    {"a domain without a dot, and a hyphen", "From: ask ann@intern- or so", .outsider = true,
     .want = "From/1 malformed \"ask ann@intern- or so\"\nmentions @intern"},
    {"a domain without a dot, and a sign beyond ASCII",
     "From: \xe2\x80\xb9"
     "ann@intern\xe2\x80\xba",
     .outsider = true,
     .want = "From/1 malformed \"\xe2\x80\xb9"
             "ann@intern\xe2\x80\xba\"\nmentions @intern"},
    {"inside a comment", "From: <a@y.example (" ANN ")>", .outsider = true,
     .want = "From/1 malformed \"<a@y.example (" ANN ")>\"\nmentions @example.net"},
    {"signs beyond ASCII behind the domain", "From: \xe2\x80\xb9" ANN "\xe2\x80\xba",
     .outsider = true,
     .want = "From/1 malformed \"\xe2\x80\xb9" ANN "\xe2\x80\xba\"\nmentions @example.net"},
    {"an encoded word", "From: =?utf-8?q?ann=40example.net?=", .outsider = true,
     .want = "From/1 malformed \"=?utf-8?q?ann=40example.net?=\"\nmentions @example.net"},
    {"an encoded word in a second From",
     "From: a@y.example\nFrom: \"=?utf-8?b?YW5uQGV4YW1wbGUubmV0?=\" <b@y.example>",
     .outsider = true, .want = "From/2 ok a@y.example\nmentions @example.net"},
    {"an encoded word with another domain", "From: =?utf-8?q?ann=40example.org?=", .outsider = true,
     .want = "From/1 malformed \"=?utf-8?q?ann=40example.org?=\""},
    {"a sign that nobody sees", "From: <ann@exam\xc2\xadple.net", .outsider = true,
     .want = "From/1 malformed \"<ann@exam\xc2\xadple.net\"\nmentions @example.net"},
    {"a second From that is too large is not looked at", "From: a@y.example\nFrom: " ANN X50,
     .outsider = true, .max_header_size = 40,
     .want = "From/2 ok a@y.example\ntoo large: From is over max_header_size"},
    {"nor is one behind max_headers", "From: a@y.example\nFrom: " ANN, .outsider = true,
     .max_headers = 1, .want = "From/2 ok a@y.example\ntoo large: more fields than max_headers"},
    {"who proved something is judged otherwise", "From: <<" ANN ">>\nFrom: " ANN,
     .want = "From/2 malformed \"<<" ANN ">>\""},
};

static const struct row note_rows[] = {
    {"a list", "List-Id: <x.y.example>", .want = "list"},
    {"an empty List-Id is none", "List-Id: \t\nX-List-Id: x", .want = ""},
    {"the second List-Id of two", "list-ID :\nLIST-id: x", .want = "list"},
    {"the first List-Id of two", "List-Id: x\nList-Id:", .want = "list"},
    {"a delivery report", "Content-Type: multipart/report; report-type=delivery-status",
     .want = "report"},
    {"the first Content-Type is the one",
     "content-type : text/plain\nContent-Type: multipart/report; report-type=delivery-status",
     .want = ""},
    {"an automatic reply", "Auto-Submitted: auto-replied", .want = "report"},
    {"an automatic reply, whatever its body is",
     "Auto-Submitted: auto-replied\nContent-Type: text/plain", .want = "report"},
    {"no automatic reply", "Auto-Submitted: no", .want = ""},
    {"Reply-To", "Reply-To : x", .want = "reply-to"},
    {"an empty Reply-To is there all the same", "reply-to:", .want = "reply-to"},
    {"no Reply-To", "X-Reply-To: x\nReply-ToX: x", .want = ""},
};

static const struct row forged_rows[] = {
    {"own names, by number of each", "X-Sent-By: a\nX-Sendas-Tag: b\nX-Sent-By: c",
     .want = "forged X-Sent-By/1 X-Sendas-Tag/1 X-Sent-By/2"},
    {"letter case and blanks", "x-sent-BY \t: a\nX-SENDAS-TAG: b",
     .want = "forged X-Sent-By/1 X-Sendas-Tag/1"},
    {"an outsider's too", "X-Sent-By: a", .outsider = true, .want = "forged X-Sent-By/1"},
    {"other names", "X-Sent-By2: a\nXX-Sent-By: a\nX-Sent By: a", .want = ""},
    {"results under our id", AR MX "; auth=pass", .own_id = MX,
     .want = "forged Authentication-Results/1"},
    {"results under another id count, but stay",
     AR "mx.example.org; auth=pass\n" AR MX "; spf=pass\n"
        "authentication-RESULTS : MX.Example.Net.; none",
     .own_id = MX, .want = "forged Authentication-Results/2 Authentication-Results/3"},
    {"our id as somebody could read it",
     AR "\"" MX "\"; none\n" AR "(x) " MX "\n" AR MX " 1; none\n" AR "mx(x).example.net; none\n" AR
        ";" MX,
     .own_id = MX,
     .want = "forged Authentication-Results/1 Authentication-Results/2 Authentication-Results/3 "
             "Authentication-Results/4"},
    {"our id in letters of another case, and with a dot", AR MX ";", .own_id = "MX.example.net.",
     .want = "forged Authentication-Results/1"},
    {"our id as a U-label", AR "xn--bcher-kva.example; none",
     .own_id = "b\xc3\xbc"
               "cher.example",
     .want = "forged Authentication-Results/1"},
    {"without an id of ours there are none", AR MX "; auth=pass", .want = ""},
    {"one behind max_headers is not kept: that is said", "From: " ANN "\nX-Sent-By: a",
     .max_headers = 1,
     .want = "From/1 ok " ANN "*\nforged beyond\ntoo large: more fields than max_headers"},
    {"behind max_headers none is kept: that is said",
     "From: " ANN "\nX-Sent-By: a\nX-Sent-By: b\n" AR MX, .own_id = MX, .max_headers = 2,
     .want = "From/1 ok " ANN "*\nforged X-Sent-By/1\nforged beyond\n"
             "too large: more fields than max_headers"},
    {"behind max_headers every result may be one", "A: b\n" AR "mx.example.org", .own_id = MX,
     .max_headers = 1, .want = "forged beyond\ntoo large: more fields than max_headers"},
    {"but not where we write none", "A: b\n" AR MX, .max_headers = 1,
     .want = "too large: more fields than max_headers"},
};

#define PASS AR MX "; spf=pass smtp.mailfrom=x@example.net; dkim=pass header.d=y.example"
#define WHO  "From: " ANN ", b@y.example, c@z.example"

static const struct row trust_rows[] = {
    {"what the trusted host passes", PASS "\n" WHO, .outsider = true, .trusted_id = MX,
     .want = "From/1 ok " ANN "*+ b@y.example+ c@z.example\nvouched"},
    {"another host", AR "mx.example.org; spf=pass smtp.mailfrom=x@example.net\n" WHO,
     .outsider = true, .trusted_id = MX, .want = "From/1 ok " ANN "* b@y.example c@z.example"},
    {"nobody is trusted", PASS "\n" WHO, .outsider = true,
     .want = "From/1 ok " ANN "* b@y.example c@z.example"},
    {"the id in letters of another case, and with a dot", PASS "\n" WHO, .outsider = true,
     .trusted_id = "MX.Example.Net.",
     .want = "From/1 ok " ANN "*+ b@y.example+ c@z.example\nvouched"},
    {"From may stand in front", WHO "\n" PASS, .outsider = true, .trusted_id = MX,
     .want = "From/1 ok " ANN "*+ b@y.example+ c@z.example\nvouched"},
    {"below the first Received anybody may have written it",
     "X: y\nreceived : by x\n" PASS "\n" WHO, .outsider = true, .trusted_id = MX,
     .want = "From/1 ok " ANN "* b@y.example c@z.example"},
    {"above it, and again below",
     AR MX "; spf=pass smtp.mailfrom=z.example\nReceived: by x\n" PASS "\n" WHO, .outsider = true,
     .trusted_id = MX, .want = "From/1 ok " ANN "* b@y.example c@z.example+"},
    {"several fields add up", AR MX "; spf=pass smtp.mailfrom=z.example\n" PASS "\n" WHO,
     .outsider = true, .trusted_id = MX,
     .want = "From/1 ok " ANN "*+ b@y.example+ c@z.example+\nvouched"},
    {"a malformed one says nothing", PASS ";;\n" WHO, .outsider = true, .trusted_id = MX,
     .want = "From/1 ok " ANN "* b@y.example c@z.example"},
    {"no pass", AR MX "; spf=fail smtp.mailfrom=x@example.net\n" WHO, .outsider = true,
     .trusted_id = MX, .want = "From/1 ok " ANN "* b@y.example c@z.example"},
    {"who proved something is not vouched for", PASS "\nFrom: " ANN, .trusted_id = MX,
     .want = "From/1 ok " ANN "*"},
    {"what is taken out vouches for nobody", PASS "\nFrom: " ANN, .outsider = true, .own_id = MX,
     .trusted_id = MX, .want = "From/1 ok " ANN "*\nforged Authentication-Results/1"},
    {"one over max_header_size says nothing", PASS "\nFrom: " ANN, .outsider = true,
     .trusted_id = MX, .max_header_size = 60, .want = "From/1 ok " ANN "*"},
    {"one behind max_headers says nothing", "From: " ANN "\n" PASS, .outsider = true,
     .trusted_id = MX, .max_headers = 1,
     .want = "From/1 ok " ANN "*\ntoo large: more fields than max_headers"},
};

/* ---- from text ---- */

struct world {
    struct arena *arena;
    struct domset *local;
    struct addr_rules rules;
    struct fields_conf conf;
    struct fields *fields;
};

static void begin(struct world *w, const struct row *row)
{
    w->arena = arena_create();
    w->local = domset_create();
    assert_true(domset_add(w->local, span_of("example.net"), NULL));
    assert_true(domset_add(w->local, span_of("xn--bcher-kva.example"), NULL));
    assert_true(domset_add(w->local, span_of("intern"), NULL));
    w->rules = (struct addr_rules){.fold_local_part = true};
    w->conf = (struct fields_conf){
        .address = &w->rules,
        .local_domains = w->local,
        .max_headers = row->max_headers ? row->max_headers : 100,
        .max_header_size = row->max_header_size ? row->max_header_size : 1000,
        .authenticated = !row->outsider,
        .own_names = {"X-Sent-By", "X-Sendas-Tag"},
        .own_id = row->own_id,
        .trusted_id = row->trusted_id,
    };
    w->fields = fields_create(w->arena, &w->conf);
}

static void end(struct world *w)
{
    arena_destroy(w->arena);
    domset_destroy(w->local);
}

/* The texts end with the call. */
static void add(struct world *w, struct span line)
{
    struct arena *a = arena_create();
    size_t colon = span_find(line, ':');
    struct span value = span_sub(line, colon + 1, line.len);
    bool blank = value.len && value.data[0] == ' ';
    fields_add(w->fields, arena_copy(a, span_sub(line, 0, colon)),
               arena_copy(a, span_sub(value, blank, value.len)));
    arena_destroy(a);
}

static void add_header(struct world *w, const char *header)
{
    struct span rest = span_of(header);
    while (rest.len) {
        size_t len = span_find(rest, '\n');
        while (len + 1 < rest.len && rest.data[len + 1] == ' ')
            len += 1 + span_find(span_sub(rest, len + 1, rest.len), '\n');
        add(w, span_sub(rest, 0, len));
        rest = span_sub(rest, len + 1, rest.len);
    }
}

/* ---- as text ---- */

static void describe_mailboxes(struct strbuf *out, const struct field_fact *f)
{
    for (size_t i = 0; i < f->list.count; i++) {
        strbuf_printf(out, " %s%s%s", f->list.items[i].addr.key, f->local[i] ? "*" : "",
                      f->vouched && f->vouched[i] ? "+" : "");
        for (size_t k = 0; f->shown && k < f->shown[i].count; k++)
            strbuf_printf(out, "{%s}", f->shown[i].addresses[k].text);
    }
}

/* "From/1 ok ann@example.net*+{shown@address}": local, vouched for; a line each. */
static void describe_field(struct strbuf *out, const struct field_fact *f, size_t number)
{
    static const char *const words[] = {[MAILBOX_OK] = "ok",
                                        [MAILBOX_BLANK] = "blank",
                                        [MAILBOX_GROUP] = "group",
                                        [MAILBOX_MALFORMED] = "malformed"};
    strbuf_printf(out, "%s/%zu %s", field_name(f->kind), number, words[f->status]);
    if (f->status == MAILBOX_OK)
        describe_mailboxes(out, f);
    else if (f->status != MAILBOX_BLANK)
        strbuf_printf(out, " \"%s\"", f->raw);
    strbuf_add_char(out, '\n');
}

static void describe_notes(struct strbuf *out, const struct facts *f)
{
    strbuf_add_str(out, f->report ? "report\n" : "");
    strbuf_add_str(out, f->list_mail ? "list\n" : "");
    strbuf_add_str(out, f->has_reply_to ? "reply-to\n" : "");
    if (f->from_mentions)
        strbuf_printf(out, "mentions %s\n", f->from_mentions);
    for (size_t i = 0; i < f->forged_count; i++)
        strbuf_printf(out, "%s%s/%u", i ? " " : "forged ", f->forged[i].name, f->forged[i].index);
    strbuf_add_str(out, f->forged_count ? "\n" : "");
    strbuf_add_str(out, f->forged_beyond ? "forged beyond\n" : "");
    if (f->too_large)
        strbuf_printf(out, "too large: %s\n", f->too_large);
    strbuf_add_str(out, f->sender.vouched ? "vouched\n" : "");
}

/* Of From, the number is how many there are. */
static const char *describe(struct world *w)
{
    struct facts facts = {.sender = {.shape = SENDER_ADDRESS, .addr = {.domain = "example.net"}}};
    struct strbuf out;
    strbuf_init(&out, w->arena);
    fields_read(w->fields, &facts);
    if (facts.from_fields)
        describe_field(&out, &facts.from, facts.from_fields);
    for (size_t i = 0; i < facts.field_count; i++)
        describe_field(&out, &facts.fields[i], facts.fields[i].index);
    describe_notes(&out, &facts);
    if (out.len)
        out.text[out.len - 1] = '\0';
    return out.text;
}

static void reads(void **state)
{
    const struct row *row = *state;
    struct world w;
    begin(&w, row);
    add_header(&w, row->header);
    assert_string_equal(describe(&w), row->want);
    end(&w);
}

/* ---- more ---- */

/* A null sender, and one that cannot be read, has no domain that could be vouched for. */
static void only_an_address_is_vouched_for(void **state)
{
    (void)state;
    static const struct row row = {.outsider = true, .trusted_id = MX};
    for (int shape = SENDER_NULL; shape <= SENDER_MALFORMED; shape++) {
        struct facts facts = {
            .sender = {.shape = (enum sender_shape)shape, .addr = {.domain = "example.net"}}};
        struct world w;
        begin(&w, &row);
        add_header(&w, PASS);
        fields_read(w.fields, &facts);
        assert_int_equal(facts.sender.vouched, shape == SENDER_ADDRESS);
        end(&w);
    }
}

static void results_are_bounded(void **state)
{
    (void)state;
    static const struct row row = {.outsider = true, .trusted_id = MX};
    for (unsigned before = 19; before <= 20; before++) {
        struct world w;
        begin(&w, &row);
        for (unsigned i = 0; i < before; i++)
            add_header(&w, AR MX "; spf=pass smtp.mailfrom=z.example");
        add_header(&w, AR "mx.example.org; none\n" AR MX ";;\n" PASS "\nFrom: " ANN);
        assert_string_equal(describe(&w),
                            before == 19 ? "From/1 ok " ANN "*+\nvouched" : "From/1 ok " ANN "*");
        end(&w);
    }
}

/* What is read of encoded text has an end; there may be more behind it. */
static void more_shown_than_is_read(void **state)
{
    (void)state;
    static const struct row row = {.outsider = true, .max_header_size = 10000};
    for (unsigned count = 99; count <= 100; count++) {
        struct facts facts = {.stage = FACTS_EOM};
        struct strbuf line;
        struct world w;
        begin(&w, &row);
        strbuf_init(&line, w.arena);
        strbuf_add_str(&line, "From: x");
        for (unsigned i = 0; i < count; i++)
            strbuf_printf(&line, ",\n =?utf-8?q?a%u=40example.org?=", i);
        add(&w, strbuf_span(&line));
        fields_read(w.fields, &facts);
        assert_int_equal(facts.from.status, MAILBOX_MALFORMED);
        assert_int_equal(facts.from_mentions != NULL, count == 100);
        end(&w);
    }
}

/* A header may have any number of these, and none is kept. */
static void what_is_not_kept_costs_no_memory(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "From: a@x.example, <b@y.example",
        "From: @@@@ (x) a@ b. c@example.org",
        AR "mx.example.org; spf=pass smtp.mailfrom=z.example",
        AR MX "; spf=pass smtp.mailfrom=z.example;;",
        AR "(x) \"mx\\.\" ; none",
        "Reply-To: " ANN,
        "List-Id: " ANN,
        "Content-Type: " ANN,
        "Auto-Submitted: " ANN,
        "Received: " ANN,
        "X-Other: " ANN,
    };
    static const struct row row = {.outsider = true,
                                   .max_headers = 1000000,
                                   .max_header_size = 1000000,
                                   .own_id = "own.example",
                                   .trusted_id = MX};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct world w;
        begin(&w, &row);
        add(&w, span_of("From: a@x.example"));
        add(&w, span_of(lines[i]));
        size_t before = arena_size(w.arena);
        for (int k = 0; k < 1000; k++)
            add(&w, span_of(lines[i]));
        assert_int_equal(arena_size(w.arena), before);
        end(&w);
    }
}

/* Over the bound nothing is kept, whatever it is. */
static void what_is_over_the_bound_costs_no_memory(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "From: " ANN,   "Sender: " ANN, "Resent-From: " ANN,    "Resent-Sender: " ANN,
        "X-Sent-By: x", AR MX "; none", AR "own.example; none",
    };
    static const struct row row = {
        .outsider = true, .max_headers = 2, .own_id = "own.example", .trusted_id = MX};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct world w;
        begin(&w, &row);
        add(&w, span_of("From: a@x.example"));
        for (int k = 0; k < 3; k++)
            add(&w, span_of(lines[i]));
        size_t before = arena_size(w.arena);
        for (int k = 0; k < 1000; k++)
            add(&w, span_of(lines[i]));
        assert_int_equal(arena_size(w.arena), before);
        end(&w);
    }
}

int main(void)
{
    ROWS_ADD(name_rows, reads);
    ROWS_ADD(bound_rows, reads);
    ROWS_ADD(mention_rows, reads);
    ROWS_ADD(note_rows, reads);
    ROWS_ADD(forged_rows, reads);
    ROWS_ADD(trust_rows, reads);
    ROWS_ADD_TEST("only an address is vouched for", only_an_address_is_vouched_for);
    ROWS_ADD_TEST("results are bounded", results_are_bounded);
    ROWS_ADD_TEST("more shown addresses than are read", more_shown_than_is_read);
    ROWS_ADD_TEST("what is not kept costs no memory", what_is_not_kept_costs_no_memory);
    ROWS_ADD_TEST("what is over the bound costs no memory", what_is_over_the_bound_costs_no_memory);
    return rows_main();
}
