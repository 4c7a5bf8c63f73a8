/* unwrap: what hides in a rewritten sender, and all that only looks like one. */
#include "rows.h"

#include "texts.h"
#include "unwrap.h"

typedef bool unwrap_form(struct arena *a, const struct addr_rules *rules, const struct addr *in,
                         struct addr *out);

struct row {
    const char *name;
    unwrap_form *form;
    const char *in;
    const char *want; /* the key, NULL where there is nothing to unwrap */
};

#define TAG  "0123abcdef"
#define BTAG "068a4973b3a"

static const struct row rows[] = {
    {"prvs: tag first", unwrap_batv, "prvs=" TAG "=ann@x.org", "ann@x.org"},
    {"prvs: tag last", unwrap_batv, "prvs=ann=" TAG "@x.org", "ann@x.org"},
    {"prvs: keyword in capitals", unwrap_batv, "PrVs=" TAG "=ann@x.org", "ann@x.org"},
    {"prvs: hash in capitals", unwrap_batv, "prvs=0123ABCDEF=ann@x.org", "ann@x.org"},
    {"prvs: hash of digits", unwrap_batv, "prvs=0123456789=ann@x.org", "ann@x.org"},
    {"prvs: local part with dots and a tag", unwrap_batv, "prvs=" TAG "=a.n.n+x@x.org",
     "a.n.n+x@x.org"},
    {"prvs: local part with equals signs", unwrap_batv, "prvs=" TAG "=a=n=n@x.org", "a=n=n@x.org"},
    {"prvs: local part with equals signs, tag last", unwrap_batv, "prvs=a=n=n=" TAG "@x.org",
     "a=n=n@x.org"},
    {"prvs: letter case of the local part is kept for the rules", unwrap_batv,
     "prvs=" TAG "=Ann@x.org", "ann@x.org"},
    {"prvs: UTF-8", unwrap_batv,
     "prvs=" TAG "=j\xc3\xbcrgen@b\xc3\xbc"
     "cher.example",
     "j\xc3\xbcrgen@xn--bcher-kva.example"},
    {"prvs: domain literal", unwrap_batv, "prvs=" TAG "=ann@[192.0.2.1]", "ann@[192.0.2.1]"},
    {"prvs: one layer at a time", unwrap_batv, "prvs=" TAG "=prvs=x@x.org", "prvs=x@x.org"},
    {"prvs: needless quotes are not there any more", unwrap_batv, "\"prvs=" TAG "=ann\"@x.org",
     "ann@x.org"},
    {"prvs: no domain", unwrap_batv, "prvs=" TAG "=ann", NULL},
    {"prvs: a tag at both ends", unwrap_batv, "prvs=" TAG "=" TAG "@x.org", NULL},
    {"prvs: a tag at both ends, something between", unwrap_batv, "prvs=" TAG "=a=" TAG "@x.org",
     NULL},
    {"prvs: no tag", unwrap_batv, "prvs=bob=ann@x.org", NULL},
    {"prvs: tag in the middle", unwrap_batv, "prvs=bob=" TAG "=ann@x.org", NULL},
    {"prvs: tag alone", unwrap_batv, "prvs=" TAG "@x.org", NULL},
    {"prvs: no local part", unwrap_batv, "prvs=" TAG "=@x.org", NULL},
    {"prvs: no local part, tag last", unwrap_batv, "prvs==" TAG "@x.org", NULL},
    {"prvs: keyword alone", unwrap_batv, "prvs=@x.org", NULL},
    {"prvs: other keyword", unwrap_batv, "xprvs=" TAG "=ann@x.org", NULL},
    {"prvs: keyword with more", unwrap_batv, "prvs1=" TAG "=ann@x.org", NULL},
    {"prvs: tag too short", unwrap_batv, "prvs=0123abcde=ann@x.org", NULL},
    {"prvs: tag too long", unwrap_batv, "prvs=0123abcdef0=ann@x.org", NULL},
    {"prvs: key is no digit", unwrap_batv, "prvs=a123abcdef=ann@x.org", NULL},
    {"prvs: day is no number", unwrap_batv, "prvs=012fabcdef=ann@x.org", NULL},
    {"prvs: hash beyond f", unwrap_batv, "prvs=0123abcdeg=ann@x.org", NULL},
    {"prvs: tag last, hash beyond f", unwrap_batv, "prvs=ann=0123abcdeg@x.org", NULL},
    {"prvs: local part that would need quotes", unwrap_batv, "\"prvs=" TAG "=a b\"@x.org", NULL},
    {"prvs: local part that begins with a dot", unwrap_batv, "prvs=" TAG "=.ann@x.org", NULL},
    {"prvs: local part in quotes with an address in it", unwrap_batv,
     "\"prvs=" TAG "=ann@y.org\"@x.org", NULL},
    {"btv1", unwrap_batv, "btv1==" BTAG "==ann@x.org", "ann@x.org"},
    {"btv1: capitals", unwrap_batv, "BTV1==068A4973B3A==ann@x.org", "ann@x.org"},
    {"btv1: equals signs in the local part", unwrap_batv, "btv1==" BTAG "==a=n@x.org", "a=n@x.org"},
    {"btv1: tag of 8", unwrap_batv, "btv1==068a4973==ann@x.org", "ann@x.org"},
    {"btv1: tag of 7", unwrap_batv, "btv1==068a497==ann@x.org", NULL},
    {"btv1: tag of 16", unwrap_batv, "btv1==068a4973b3a00000==ann@x.org", "ann@x.org"},
    {"btv1: tag of 17", unwrap_batv, "btv1==068a4973b3a000000==ann@x.org", NULL},
    {"btv1: tag beyond f", unwrap_batv, "btv1==068a4973b3g==ann@x.org", NULL},
    {"btv1: single equals sign before the tag", unwrap_batv, "btv1=" BTAG "==ann@x.org", NULL},
    {"btv1: single equals sign behind the tag", unwrap_batv, "btv1==" BTAG "=ann@x.org", NULL},
    {"btv1: no local part", unwrap_batv, "btv1==" BTAG "==@x.org", NULL},
    {"btv1: tag alone", unwrap_batv, "btv1==" BTAG "@x.org", NULL},
    {"batv: plain address", unwrap_batv, "ann@x.org", NULL},
    {"batv: SRS is not for it", unwrap_batv, "SRS0=abcd=XY=y.org=ann@x.org", NULL},

    {"SRS0", unwrap_srs, "SRS0=abcd=XY=y.org=ann@x.org", "ann@y.org"},
    {"SRS0: plus", unwrap_srs, "SRS0+abcd=XY=y.org=ann@x.org", "ann@y.org"},
    {"SRS0: minus", unwrap_srs, "SRS0-abcd=XY=y.org=ann@x.org", "ann@y.org"},
    {"SRS0: other letters", unwrap_srs, "srs0=ABCD=xy=Y.Org=ann@x.org", "ann@y.org"},
    {"SRS0: hash of base64, stamp of base32", unwrap_srs, "SRS0=a+/9=27=y.org=ann@x.org",
     "ann@y.org"},
    {"SRS0: long hash", unwrap_srs, "SRS0=01234567890123456789012345678901=XY=y.org=a@x.org",
     "a@y.org"},
    {"SRS0: equals signs in the local part", unwrap_srs, "SRS0=abcd=XY=y.org=a=n=n@x.org",
     "a=n=n@y.org"},
    {"SRS0: local part that begins with an equals sign", unwrap_srs, "SRS0=abcd=XY=y.org==n@x.org",
     "=n@y.org"},
    {"SRS0: one layer at a time", unwrap_srs, "SRS0=abcd=XY=y.org=SRS0=abcd=XY=z.org=a@x.org",
     "srs0=abcd=xy=z.org=a@y.org"},
    {"SRS0: U-label", unwrap_srs,
     "SRS0=abcd=XY=b\xc3\xbc"
     "cher.example=ann@x.org",
     "ann@xn--bcher-kva.example"},
    {"SRS0: domain of one label", unwrap_srs, "SRS0=abcd=XY=localhost=root@x.org",
     "root@localhost"},
    {"SRS0: outer domain literal", unwrap_srs, "SRS0=abcd=XY=y.org=ann@[192.0.2.1]", "ann@y.org"},
    {"SRS0: no outer domain", unwrap_srs, "SRS0=abcd=XY=y.org=ann", NULL},
    {"SRS0: no separator", unwrap_srs, "SRS0abcd=XY=y.org=ann@x.org", NULL},
    {"SRS0: other separator", unwrap_srs, "SRS0_abcd=XY=y.org=ann@x.org", NULL},
    {"SRS0: plus further on", unwrap_srs, "SRS0=abcd+XY=y.org=ann@x.org", NULL},
    {"SRS0: hash of 3", unwrap_srs, "SRS0=abc=XY=y.org=ann@x.org", NULL},
    {"SRS0: hash of 33", unwrap_srs, "SRS0=012345678901234567890123456789012=XY=y.org=a@x.org",
     NULL},
    {"SRS0: hash with a dot", unwrap_srs, "SRS0=ab.d=XY=y.org=ann@x.org", NULL},
    {"SRS0: no hash", unwrap_srs, "SRS0=XY=y.org=ann@x.org", NULL},
    {"SRS0: empty hash", unwrap_srs, "SRS0==XY=y.org=ann@x.org", NULL},
    {"SRS0: stamp of 1", unwrap_srs, "SRS0=abcd=X=y.org=ann@x.org", NULL},
    {"SRS0: stamp of 3", unwrap_srs, "SRS0=abcd=XYZ=y.org=ann@x.org", NULL},
    {"SRS0: stamp beyond base32", unwrap_srs, "SRS0=abcd=X1=y.org=ann@x.org", NULL},
    {"SRS0: no domain", unwrap_srs, "SRS0=abcd=XY=ann@x.org", NULL},
    {"SRS0: empty domain", unwrap_srs, "SRS0=abcd=XY==ann@x.org", NULL},
    {"SRS0: what is no domain", unwrap_srs, "SRS0=abcd=XY=y_.org=ann@x.org", NULL},
    {"SRS0: a domain with a trailing dot", unwrap_srs, "\"SRS0=abcd=XY=y.org.=ann\"@x.org", NULL},
    {"SRS0: a domain literal inside", unwrap_srs, "\"SRS0=abcd=XY=[192.0.2.1]=ann\"@x.org", NULL},
    {"SRS0: no local part", unwrap_srs, "SRS0=abcd=XY=y.org=@x.org", NULL},
    {"SRS0: the end is the domain", unwrap_srs, "SRS0=abcd=XY=y.org@x.org", NULL},
    {"SRS0: local part that would need quotes", unwrap_srs, "\"SRS0=abcd=XY=y.org=a n\"@x.org",
     NULL},
    {"SRS0: local part that begins with a dot", unwrap_srs, "SRS0=abcd=XY=y.org=.ann@x.org", NULL},
    {"SRS0: keyword in the middle", unwrap_srs, "x+SRS0=abcd=XY=y.org=ann@x.org", NULL},
    {"SRS2", unwrap_srs, "SRS2=abcd=XY=y.org=ann@x.org", NULL},

    {"SRS1", unwrap_srs, "SRS1=abcd=h.net==efgh=XY=y.org=ann@x.org", "ann@y.org"},
    {"SRS1: plus and minus", unwrap_srs, "SRS1+abcd=h.net=-efgh=XY=y.org=ann@x.org", "ann@y.org"},
    {"SRS1: minus and plus", unwrap_srs, "srs1-abcd=H.net=+efgh=xy=y.org=ann@x.org", "ann@y.org"},
    {"SRS1: equals signs in the local part", unwrap_srs, "SRS1=abcd=h.net==efgh=XY=y.org=a=n@x.org",
     "a=n@y.org"},
    {"SRS1: hash of 3", unwrap_srs, "SRS1=abc=h.net==efgh=XY=y.org=ann@x.org", NULL},
    {"SRS1: inner hash of 3", unwrap_srs, "SRS1=abcd=h.net==efg=XY=y.org=ann@x.org", NULL},
    {"SRS1: what is no hop", unwrap_srs, "SRS1=abcd=h_.net==efgh=XY=y.org=ann@x.org", NULL},
    {"SRS1: empty hop", unwrap_srs, "SRS1=abcd===efgh=XY=y.org=ann@x.org", NULL},
    {"SRS1: no separator behind the hop", unwrap_srs, "SRS1=abcd=h.net=efgh=XY=y.org=ann@x.org",
     NULL},
    {"SRS1: no inner part", unwrap_srs, "SRS1=abcd=h.net==@x.org", NULL},
    {"SRS1: SRS0 spelt out inside", unwrap_srs, "SRS1=abcd=h.net=SRS0=efgh=XY=y.org=ann@x.org",
     NULL},
    {"SRS1: shape of SRS0", unwrap_srs, "SRS1=abcd=XY=y.org=ann@x.org", NULL},
    {"SRS0: shape of SRS1", unwrap_srs, "SRS0=abcd=h.net==efgh=XY=y.org=ann@x.org", NULL},
    {"srs: plain address", unwrap_srs, "ann@x.org", NULL},
    {"srs: BATV is not for it", unwrap_srs, "prvs=" TAG "=ann@x.org", NULL},
};

static void unwraps(void **state)
{
    const struct row *row = *state;
    const struct addr_rules rules = {.fold_local_part = true};
    struct arena *a = arena_create();
    struct errtext why = {""};
    struct addr in, untouched = {.key = "untouched"}, out = untouched;
    enum addr_status status = addr_parse(a, &rules, span_of(row->in), &in, &why);
    assert_string_equal(why.text, "");
    assert_true(status == ADDR_OK || status == ADDR_BARE);
    assert_int_equal(row->form(a, &rules, &in, &out), row->want != NULL);
    assert_string_equal(out.key, row->want ? row->want : "untouched");
    arena_destroy(a);
}

/* What comes out is subject to the same bounds as any address. */
static void is_checked_like_any(void **state)
{
    (void)state;
    const struct addr_rules rules = {.fold_local_part = false};
    struct arena *a = arena_create();
    struct addr out = {.key = "untouched"};
    const struct addr soft_hyphen = {.local = "prvs=" TAG "=a\xc2\xadn",
                                     .domain = "x.org",
                                     .key = "prvs=" TAG "=a\xc2\xadn@x.org"};
    const struct addr long_local = {.local = "SRS0=abcd=XY=y.org=" X64 "x",
                                    .domain = "x.org",
                                    .key = "SRS0=abcd=XY=y.org=" X64 "x@x.org"};
    assert_false(unwrap_batv(a, &rules, &soft_hyphen, &out));
    assert_false(unwrap_srs(a, &rules, &long_local, &out));
    assert_string_equal(out.key, "untouched");
    arena_destroy(a);
}

static void keeps_case_without_folding(void **state)
{
    (void)state;
    const struct addr_rules rules = {.fold_local_part = false};
    struct arena *a = arena_create();
    struct addr in, out;
    assert_int_equal(addr_parse(a, &rules, span_of("PRVS=" TAG "=Ann@X.org"), &in, NULL), ADDR_OK);
    assert_true(unwrap_batv(a, &rules, &in, &out));
    assert_string_equal(out.local, "Ann");
    assert_string_equal(out.domain, "x.org");
    assert_string_equal(out.key, "Ann@x.org");
    arena_destroy(a);
}

int main(void)
{
    ROWS_ADD(rows, unwraps);
    ROWS_ADD_TEST("what comes out is checked like any address", is_checked_like_any);
    ROWS_ADD_TEST("letter case is kept without folding", keeps_case_without_folding);
    return rows_main();
}
