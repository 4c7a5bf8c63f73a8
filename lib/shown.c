#include "shown.h"
#include "strbuf.h"
#include "utext.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uniconv.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

enum {
    CHARSET_MAX = 64, /* with the language of RFC 2231 */
    /* A quoted local part is looked for so far back: every octet with a backslash, and quotes. */
    QUOTED_MAX = 2 * ADDR_LOCAL_MAX + 2,
    DOMAIN_UTF8_MAX = 4 * ADDR_DOMAIN_MAX,
    REPLACEMENT = 0xfffd,
};

static const uint8_t *octets_of(struct span s)
{
    return (const uint8_t *)s.data;
}

/* ---- charsets ---- */

enum charset_kind {
    CHARSET_PLAIN,
    CHARSET_SHIFTS,   /* what an octet means depends on those before it */
    CHARSET_DOUBTFUL, /* many clients do not know it, and show the octets */
};

struct charset {
    const char *label; /* lower case, without hyphens and underscores */
    const char *iconv; /* NULL for "not known" */
    enum charset_kind kind;
};

/* Only what clients know: a C library's iconv() takes hundreds of others, and some of its less used
 * converters have had holes. Where clients read a label as a larger charset, so do we (WHATWG
 * Encoding). */
static const struct charset charsets[] = {
    {"utf8", "UTF-8", CHARSET_PLAIN},
    {"utf7", "UTF-7", CHARSET_DOUBTFUL},
    {"unicode11utf7", "UTF-7", CHARSET_DOUBTFUL},
    {"utf16", "UTF-16", CHARSET_DOUBTFUL},
    {"utf16be", "UTF-16BE", CHARSET_DOUBTFUL},
    {"utf16le", "UTF-16LE", CHARSET_DOUBTFUL},
    {"usascii", "CP1252", CHARSET_PLAIN},
    {"ascii", "CP1252", CHARSET_PLAIN},
    {"latin1", "CP1252", CHARSET_PLAIN},
    {"iso88591", "CP1252", CHARSET_PLAIN},
    {"iso88592", "ISO-8859-2", CHARSET_PLAIN},
    {"iso88593", "ISO-8859-3", CHARSET_PLAIN},
    {"iso88594", "ISO-8859-4", CHARSET_PLAIN},
    {"iso88595", "ISO-8859-5", CHARSET_PLAIN},
    {"iso88596", "ISO-8859-6", CHARSET_PLAIN},
    {"iso88597", "ISO-8859-7", CHARSET_PLAIN},
    {"iso88598", "ISO-8859-8", CHARSET_PLAIN},
    {"iso88598i", "ISO-8859-8", CHARSET_PLAIN},
    {"iso88599", "CP1254", CHARSET_PLAIN},
    {"iso885910", "ISO-8859-10", CHARSET_PLAIN},
    {"iso885911", "CP874", CHARSET_PLAIN},
    {"iso885913", "ISO-8859-13", CHARSET_PLAIN},
    {"iso885914", "ISO-8859-14", CHARSET_PLAIN},
    {"iso885915", "ISO-8859-15", CHARSET_PLAIN},
    {"iso885916", "ISO-8859-16", CHARSET_PLAIN},
    {"tis620", "CP874", CHARSET_PLAIN},
    {"windows874", "CP874", CHARSET_PLAIN},
    {"windows1250", "CP1250", CHARSET_PLAIN},
    {"windows1251", "CP1251", CHARSET_PLAIN},
    {"windows1252", "CP1252", CHARSET_PLAIN},
    {"windows1253", "CP1253", CHARSET_PLAIN},
    {"windows1254", "CP1254", CHARSET_PLAIN},
    {"windows1255", "CP1255", CHARSET_PLAIN},
    {"windows1256", "CP1256", CHARSET_PLAIN},
    {"windows1257", "CP1257", CHARSET_PLAIN},
    {"windows1258", "CP1258", CHARSET_PLAIN},
    {"cp1250", "CP1250", CHARSET_PLAIN},
    {"cp1251", "CP1251", CHARSET_PLAIN},
    {"cp1252", "CP1252", CHARSET_PLAIN},
    {"ibm866", "CP866", CHARSET_PLAIN},
    {"cp866", "CP866", CHARSET_PLAIN},
    {"koi8r", "KOI8-R", CHARSET_PLAIN},
    {"koi8u", "KOI8-U", CHARSET_PLAIN},
    {"macintosh", "MACINTOSH", CHARSET_PLAIN},
    {"xmacroman", "MACINTOSH", CHARSET_PLAIN},
    {"iso2022jp", "ISO-2022-JP", CHARSET_SHIFTS},
    {"iso2022kr", "ISO-2022-KR", CHARSET_SHIFTS},
    {"shiftjis", "CP932", CHARSET_PLAIN},
    {"xsjis", "CP932", CHARSET_PLAIN},
    {"sjis", "CP932", CHARSET_PLAIN},
    {"windows31j", "CP932", CHARSET_PLAIN},
    {"cp932", "CP932", CHARSET_PLAIN},
    {"eucjp", "EUC-JP", CHARSET_PLAIN},
    {"euckr", "CP949", CHARSET_PLAIN},
    {"ksc56011987", "CP949", CHARSET_PLAIN},
    {"ksc5601", "CP949", CHARSET_PLAIN},
    {"cp949", "CP949", CHARSET_PLAIN},
    {"euctw", "EUC-TW", CHARSET_PLAIN},
    {"gb2312", "GB18030", CHARSET_PLAIN},
    {"euccn", "GB18030", CHARSET_PLAIN},
    {"gbk", "GB18030", CHARSET_PLAIN},
    {"cp936", "GB18030", CHARSET_PLAIN},
    {"gb18030", "GB18030", CHARSET_PLAIN},
    {"big5", "BIG5-HKSCS", CHARSET_PLAIN},
    {"big5hkscs", "BIG5-HKSCS", CHARSET_PLAIN},
    {"cp950", "BIG5-HKSCS", CHARSET_PLAIN},
};

static const struct charset unknown_charset = {"", NULL, CHARSET_PLAIN};

static bool is_label(struct span text, const char *label)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '-' && text.data[i] != '_' && ascii_lower(text.data[i]) != *label++)
            return false; /* at its end, label is '\0', and so never equal nor passed */
    return *label == '\0';
}

static const struct charset *find_charset(struct span text)
{
    if (span_find(text, '\0') == text.len)
        for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
            if (is_label(text, charsets[i].label))
                return &charsets[i];
    return &unknown_charset;
}

/* ---- text that is read ---- */

/* Readers differ in three ways, and in several at once. */
enum {
    READ_FIRST = 1,
    READ_SECOND = READ_FIRST, /* every word by itself, what is broken or doubtful as Latin-1 */
    READ_APART = 2,           /* a blank between words that stand together without one */
    READ_STRICT = 4,          /* encoded-words as RFC 2047 has them and no others */
    READ_LAST = READ_STRICT,
};

struct reader {
    struct arena *arena;
    unsigned how;         /* of the above */
    unsigned also;        /* in these ways the text may differ */
    const char *end;      /* the next end of an encoded-word, NULL where it is not known */
    bool no_end;          /* no encoded-word ends from here on */
    struct strbuf text;   /* UTF-8 */
    struct strbuf octets; /* of adjacent encoded-words in one charset, not converted yet */
    const struct charset *charset;
    bool padded; /* the octets end with what was padded */
};

static void add_char(struct reader *r, ucs4_t c)
{
    uint8_t octets[6];
    int len = u8_uctomb(octets, c, sizeof octets);
    if (len > 0)
        strbuf_add(&r->text, span_make((const char *)octets, (size_t)len));
}

/* What clients show for 0x80 to 0x9f is no control character but some sign of windows-1252. */
static void add_latin1(struct reader *r, struct span octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        unsigned char c = (unsigned char)octets.data[i];
        add_char(r, c >= 0x80 && c < 0xa0 ? REPLACEMENT : c);
    }
}

static void add_broken_utf8(struct reader *r, struct span octets)
{
    for (size_t i = 0; i < octets.len;) {
        ucs4_t c = 0;
        i += (size_t)u8_mbtouc(&c, octets_of(octets) + i, octets.len - i);
        add_char(r, c); /* U+FFFD where it is broken */
    }
}

/* Without a charset that is known. */
static void add_unlabelled(struct reader *r, struct span octets)
{
    bool broken = !utext_is_utf8(octets);
    if (broken)
        r->also |= READ_SECOND;
    if (broken && r->how & READ_SECOND)
        add_latin1(r, octets);
    else
        add_broken_utf8(r, octets);
}

static bool convert(struct reader *r, struct span octets, enum iconv_ilseq_handler handler)
{
    size_t len = 0;
    uint8_t *text = u8_conv_from_encoding(r->charset->iconv, handler, octets.data, octets.len, NULL,
                                          NULL, &len);
    if (text)
        strbuf_add(&r->text, span_make((const char *)text, len));
    free(text);
    return text != NULL;
}

static bool is_utf8(const struct charset *charset)
{
    return charset->iconv && strcmp(charset->iconv, "UTF-8") == 0;
}

static void add_broken(struct reader *r, struct span octets)
{
    r->also |= READ_SECOND;
    if (r->how & READ_SECOND)
        add_latin1(r, octets);
    else if (is_utf8(r->charset))
        add_broken_utf8(r, octets);
    else if (!convert(r, octets, iconveh_question_mark))
        add_unlabelled(r, octets);
}

static bool has_8bit(struct span octets)
{
    for (size_t i = 0; i < octets.len; i++)
        if ((unsigned char)octets.data[i] >= 0x80)
            return true;
    return false;
}

/* Octets that are good UTF-8 are taken for that by some, whatever the label says. */
static bool is_doubtful(const struct charset *charset, struct span octets)
{
    return charset->kind == CHARSET_DOUBTFUL ||
           (!is_utf8(charset) && has_8bit(octets) && utext_is_utf8(octets));
}

static void flush(struct reader *r)
{
    struct span octets = strbuf_span(&r->octets);
    if (!octets.len)
        return;
    r->octets.len = 0;
    r->padded = false;
    bool doubtful = is_doubtful(r->charset, octets);
    if (doubtful || r->charset->kind == CHARSET_SHIFTS)
        r->also |= READ_SECOND;
    if (!r->charset->iconv || (doubtful && r->how & READ_SECOND))
        add_unlabelled(r, octets);
    else if (!convert(r, octets, iconveh_error))
        add_broken(r, octets);
}

/* ---- encoded-words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

struct word {
    struct span charset, text;
    char encoding; /* b or q */
    size_t end;
};

/* encoded-text ends at the first "?=". What was searched once is not searched again, however many
 * words seem to begin before that end. */
static bool find_end(struct reader *r, struct span rest, size_t *end_out)
{
    if (!r->no_end && (!r->end || r->end < rest.data)) {
        r->end = rest.len ? memmem(rest.data, rest.len, "?=", 2) : NULL;
        r->no_end = !r->end;
    }
    if (!r->no_end)
        *end_out = (size_t)(r->end - rest.data);
    return !r->no_end;
}

static bool has_at_sign(struct span text)
{
    return span_find(text, '@') < text.len;
}

/* Neither base64 nor the name of a charset has an at sign. */
static bool is_sound(struct span label, char encoding, struct span text)
{
    size_t i = 0;
    while (i < text.len && text.data[i] != '?' && !is_blank(text.data[i]))
        i++;
    return i == text.len && !has_at_sign(label) && !(encoding == 'b' && has_at_sign(text));
}

/* More may stand in a word than RFC 2047 allows, since many clients do not mind; for others the
 * word is none, is shown as it stands, and one may begin within it. */
static bool is_taken(struct reader *r, struct span label, char encoding, struct span text)
{
    if (is_sound(label, encoding, text))
        return true;
    r->also |= READ_STRICT;
    return !(r->how & READ_STRICT);
}

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2047, RFC
 * 2231) */
static bool read_word(struct reader *r, struct span s, size_t at, struct word *out)
{
    if (s.len - at < 2 || s.data[at] != '=' || s.data[at + 1] != '?')
        return false;
    struct span label = span_sub(s, at + 2, CHARSET_MAX);
    label.len = span_find(label, '?');
    size_t mark = at + 2 + label.len;
    if (s.len - mark < 3 || s.data[mark] != '?' || s.data[mark + 2] != '?')
        return false;
    char encoding = ascii_lower(s.data[mark + 1]);
    struct span rest = span_sub(s, mark + 3, s.len);
    size_t len = 0;
    if ((encoding != 'b' && encoding != 'q') || !find_end(r, rest, &len) ||
        !is_taken(r, label, encoding, span_sub(rest, 0, len)))
        return false;
    *out = (struct word){.charset = span_sub(label, 0, span_find(label, '*')),
                         .text = span_sub(rest, 0, len),
                         .encoding = encoding,
                         .end = mark + 3 + len + 2};
    return true;
}

static int value_in(const char *digits, char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static int hex_value(char c)
{
    return value_in("0123456789abcdef", ascii_lower(c));
}

static void decode_q(struct reader *r, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i] == '_' ? ' ' : text.data[i];
        int high = c == '=' && i + 2 < text.len ? hex_value(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        strbuf_add_char(&r->octets, c);
    }
}

/* What a last group without padding holds is shown by some and not by others. */
static void end_group(struct reader *r, size_t digits)
{
    if (!digits)
        return;
    r->also |= READ_STRICT;
    if (r->how & READ_STRICT)
        r->octets.len -= digits - 1; /* so many octets are in it */
}

/* What is no digit is passed over. Text behind the padding, of the next word too, is shown by some
 * and not by others. */
static void decode_b(struct reader *r, struct span text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    size_t group = 0;
    bool strict = r->how & READ_STRICT;
    for (size_t i = 0; i < text.len && !(strict && r->padded); i++) {
        int value = value_in(digits, text.data[i]);
        if (text.data[i] == '=') {
            count = 0;
            group = 0;
            r->padded = true;
        }
        if (value < 0)
            continue;
        if (r->padded)
            r->also |= READ_STRICT;
        group = (group + 1) % 4;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count >= 8)
            strbuf_add_char(&r->octets, (char)(bits >> (count -= 8) & 0xff));
    }
    end_group(r, group);
}

/* The place between two words, or a word and other text, that have no blank between them. */
static void add_edge(struct reader *r)
{
    r->also |= READ_APART;
    if (r->how & READ_APART) {
        flush(r);
        strbuf_add_char(&r->text, ' ');
    }
}

static void add_word(struct reader *r, const struct word *word)
{
    const struct charset *charset = find_charset(word->charset);
    if (r->how & READ_SECOND || charset != r->charset)
        flush(r);
    r->charset = charset;
    if (word->encoding == 'b') {
        decode_b(r, word->text);
    } else {
        decode_q(r, word->text);
        r->padded = false;
    }
}

static void add_raw(struct reader *r, struct span raw)
{
    if (!raw.len)
        return;
    flush(r);
    add_unlabelled(r, raw);
}

/* What stands before, between or behind encoded-words. White space between two is not shown, but
 * some show a blank where the charset changes, or take two for one that have none between. */
static void add_gap(struct reader *r, struct span gap, bool behind_word, const struct word *next)
{
    if (behind_word && next && !span_trim(gap).len) {
        if (!gap.len || find_charset(next->charset) != r->charset)
            add_edge(r);
        return;
    }
    if (behind_word && gap.len && !is_blank(gap.data[0]))
        add_edge(r);
    add_raw(r, gap);
    if (next && gap.len && !is_blank(gap.data[gap.len - 1]))
        add_edge(r);
}

static void read_plain(struct reader *r, struct span s)
{
    struct word word;
    size_t raw = 0;
    for (size_t at = 0; at < s.len;) {
        if (!read_word(r, s, at, &word)) {
            at++;
            continue;
        }
        add_gap(r, span_sub(s, raw, at - raw), raw > 0, &word);
        add_word(r, &word);
        at = raw = word.end;
    }
    add_gap(r, span_sub(s, raw, s.len), raw > 0, NULL);
    flush(r);
}

/* ---- quotes and comments ---- */

static bool has(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* quoted-pair, FWS or one character, as it is shown; gives the offset behind it. */
static size_t add_quoted(struct strbuf *b, struct span s, size_t at)
{
    if (s.data[at] == '\\' && at + 1 < s.len)
        at++;
    if (s.data[at] != '\n')
        strbuf_add_char(b, s.data[at] == '\t' ? ' ' : s.data[at]);
    return at + 1;
}

static size_t comment_end(struct span s, size_t at)
{
    size_t depth = 0;
    for (; at < s.len; at++) {
        if (s.data[at] == '(')
            depth++;
        if (s.data[at] == ')' && --depth == 0)
            return at + 1;
        if (s.data[at] == '\\')
            at++;
    }
    return s.len;
}

/* phrase = 1*word, word = atom / quoted-string; a comment in it is read by itself. apart: something
 * that is no blank, and belongs to no address, where a quoted string or a comment begins or ends.
 */
static struct span plain_phrase(struct arena *a, struct span s, bool apart)
{
    struct strbuf b;
    strbuf_init(&b, a);
    bool quoted = false;
    for (size_t at = 0; at < s.len;) {
        char c = s.data[at];
        bool edge = c == '"' || (c == '(' && !quoted);
        if (edge && apart && at > 0 && at + 1 < s.len)
            strbuf_add_char(&b, ',');
        if (c == '"') {
            quoted = !quoted;
            at++;
        } else if (edge) {
            strbuf_add_char(&b, ' ');
            at = comment_end(s, at);
        } else {
            at = add_quoted(&b, s, at);
        }
    }
    return strbuf_span(&b);
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; quotes are text in it, and so are the parentheses of
 * inner ones. Without the characters that are dropped. */
static void add_comment(struct strbuf *b, struct span s, const char *dropped)
{
    for (size_t at = 1; at + 1 < s.len;) {
        if (has(dropped, s.data[at]))
            at++;
        else
            at = add_quoted(b, s, at);
    }
}

/* ---- characters ---- */

static ucs4_t char_at(struct span s, size_t at, size_t *next_out)
{
    ucs4_t c = 0;
    *next_out = at + (size_t)u8_mbtouc(&c, octets_of(s) + at, s.len - at);
    return c;
}

static void note_signs(struct span text, bool controls, struct shown *out)
{
    for (size_t at = 0; at < text.len;) {
        ucs4_t c = char_at(text, at, &at);
        if (controls && uc_is_general_category(c, UC_CONTROL))
            out->control = true;
        if (c == 0x202d || c == 0x202e)
            out->direction = true;
    }
}

/* Without what has no width of its own; the full stop of CJK as the dot that it is in domains. */
static struct span visible(struct arena *a, struct span text)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t at = 0, next = 0; at < text.len; at = next) {
        ucs4_t c = char_at(text, at, &next);
        if (c == 0x3002)
            strbuf_add_char(&b, '.');
        else if (!uc_is_property_default_ignorable_code_point(c))
            strbuf_add(&b, span_sub(text, at, next - at));
    }
    return strbuf_span(&b);
}

/* Dropped on both sides: NFKC composes over what was dropped, and turns some fillers into others.
 */
static struct span normal(struct arena *a, struct span text)
{
    struct span seen = visible(a, text);
    size_t len = 0;
    uint8_t *nfkc = u8_normalize(UNINORM_NFKC, octets_of(seen), seen.len, NULL, &len);
    struct span result = nfkc ? visible(a, span_make((const char *)nfkc, len)) : seen;
    free(nfkc);
    return result;
}

/* Letters of any script. Where an octet could not be read, something stood. */
static bool is_letter(ucs4_t c)
{
    return uc_is_general_category(c, UC_LETTER) || c == REPLACEMENT;
}

static bool is_alnum(ucs4_t c)
{
    return is_letter(c) || uc_is_general_category(c, UC_MARK) ||
           uc_is_general_category(c, UC_NUMBER);
}

static bool is_local_char(ucs4_t c)
{
    return c < 0x80 ? c == '.' || addr_is_atext((char)c) : is_alnum(c);
}

/* The underscore stands in no domain, but may well be shown in one. */
static bool is_domain_char(ucs4_t c)
{
    return c == '-' || c == '.' || c == '_' || is_alnum(c);
}

/* ---- addresses ---- */

/* The start of a quoted-string that ends before the at sign, or at where there is none. */
static size_t quoted_start(struct span s, size_t at)
{
    if (at < 2 || s.data[at - 1] != '"')
        return at;
    size_t from = at > QUOTED_MAX ? at - QUOTED_MAX : 0;
    for (size_t i = at - 1; i-- > from;)
        if (s.data[i] == '"' && !(i > from && s.data[i - 1] == '\\'))
            return i;
    return at;
}

static size_t atoms_start(struct span s, size_t at)
{
    while (at > 0) {
        ucs4_t c = 0;
        const uint8_t *before = u8_prev(&c, octets_of(s) + at, octets_of(s));
        if (!before || !is_local_char(c))
            break;
        at = (size_t)(before - octets_of(s));
    }
    return at;
}

/* local-part = dot-atom / quoted-string; without what people set around an address. A quote or
 * backslash that does not fit is part of what is seen. */
static struct span local_before(struct span s, size_t at)
{
    size_t start = quoted_start(s, at), end = at;
    if (start < at)
        return span_sub(s, start, at - start);
    while (end > 0 && has("\"\\", s.data[end - 1]))
        end--;
    start = atoms_start(s, end);
    while (start < end && has("'`*|/=~.", s.data[start]))
        start++;
    return span_sub(s, start, start < end ? at - start : 0);
}

static struct span domain_behind(struct span s, size_t at)
{
    size_t end = at + 1;
    for (size_t next = end; end < s.len && is_domain_char(char_at(s, end, &next));)
        end = next;
    while (end > at + 1 && has("-_.", s.data[end - 1]))
        end--;
    return span_sub(s, at + 1, end - at - 1);
}

/* Two labels or more, and a top label of two or more characters that begins with a letter. */
static bool looks_like_domain(struct span domain)
{
    size_t dot = span_find_last(domain, '.'), next = 0;
    if (dot == domain.len)
        return false;
    struct span top = span_sub(domain, dot + 1, domain.len);
    return top.len > 1 && is_letter(char_at(top, 0, &next)) && next < top.len;
}

/* IDNA2008 knows no capital letters; clients that show a domain do. */
static struct span lower(struct arena *a, struct span domain)
{
    size_t len = 0;
    if (domain.len > DOMAIN_UTF8_MAX)
        return domain;
    uint8_t *text = u8_tolower(octets_of(domain), domain.len, NULL, UNINORM_NFC, NULL, &len);
    struct span copy = domain;
    if (text)
        copy = span_make(arena_copy(a, span_make((const char *)text, len)), len);
    free(text);
    return copy;
}

static const char *joined(struct arena *a, struct span local, struct span domain)
{
    struct strbuf b;
    strbuf_init(&b, a);
    strbuf_add(&b, local);
    strbuf_add_char(&b, '@');
    strbuf_add(&b, domain);
    return b.text;
}

struct finder {
    struct arena *arena;
    const struct addr_rules *rules;
    struct shown_address *items;
    size_t count;
};

static bool is_known(const struct finder *f, const char *text)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].text, text) == 0)
            return true;
    return false;
}

static void make_room(struct finder *f)
{
    if (!f->items)
        f->items = arena_array(f->arena, SHOWN_ADDRESSES_MAX, sizeof *f->items);
}

static void keep(struct finder *f, struct span local, struct span domain)
{
    struct shown_address found = {{"", "", ""}, joined(f->arena, local, domain)};
    if (is_known(f, found.text))
        return;
    make_room(f);
    const char *text = joined(f->arena, local, lower(f->arena, domain));
    struct addr addr;
    if (f->count + 1 < SHOWN_ADDRESSES_MAX &&
        addr_parse(f->arena, f->rules, span_of(text), &addr, NULL) == ADDR_OK)
        found.addr = addr;
    f->items[f->count++] = found;
}

static void find_addresses(struct finder *f, struct span text)
{
    for (size_t at = 0; at < text.len && f->count < SHOWN_ADDRESSES_MAX; at++) {
        at += span_find(span_sub(text, at, text.len), '@');
        if (at == text.len)
            return;
        struct span local = local_before(text, at), domain = domain_behind(text, at);
        if (local.len && looks_like_domain(domain))
            keep(f, local, domain);
    }
}

/* ---- one text ---- */

static struct reader read_once(struct arena *a, struct span plain, unsigned how)
{
    struct reader r = {.arena = a, .how = how, .charset = &unknown_charset};
    strbuf_init(&r.text, a);
    strbuf_init(&r.octets, a);
    read_plain(&r, plain);
    return r;
}

/* Gives in which ways the text may differ. What is a control character where octets are read as
 * another charset may be a piece of its own. */
static unsigned read_way(struct finder *f, struct span plain, unsigned how, struct shown *out)
{
    struct reader r = read_once(f->arena, plain, how);
    struct span text = strbuf_span(&r.text);
    note_signs(text, !(how & READ_SECOND), out);
    find_addresses(f, normal(f->arena, text));
    return r.also;
}

/* As it goes, in each way in which it may differ, and in all of them at once. */
static void read_shown(struct finder *f, struct span joined, struct span apart, struct shown *out)
{
    unsigned also = span_equal(joined, apart) ? 0 : READ_APART;
    also |= read_way(f, joined, 0, out);
    for (unsigned way = READ_FIRST; way <= READ_LAST; way <<= 1)
        if (also & way)
            also |= read_way(f, way == READ_APART ? apart : joined, way, out);
    bool several = (also & (also - 1)) != 0;
    if (several)
        (void)read_way(f, also & READ_APART ? apart : joined, also, out);
}

/* All that a mailbox has. */
static struct span all_comments(struct arena *a, const struct mailbox *mailbox, const char *dropped,
                                const char *between)
{
    struct strbuf b;
    strbuf_init(&b, a);
    for (size_t i = 0; i < mailbox->comment_count; i++) {
        strbuf_add_str(&b, i > 0 ? between : "");
        add_comment(&b, mailbox->comments[i], dropped);
    }
    return strbuf_span(&b);
}

/* Some take quotes off in a comment, some the parentheses of inner ones; some set all comments
 * together, so that words at their edges join. */
static void read_comments(struct finder *f, const struct mailbox *mailbox, struct shown *out)
{
    static const char *const dropped[] = {"", "\"", "()"};
    struct span whole = all_comments(f->arena, mailbox, "", " ");
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        struct span joined = all_comments(f->arena, mailbox, dropped[i], " ");
        if (i == 0 || joined.len < whole.len)
            read_shown(f, joined, all_comments(f->arena, mailbox, dropped[i], ","), out);
    }
}

void shown_read(struct arena *a, const struct addr_rules *rules, const struct mailbox *mailbox,
                struct shown *out)
{
    struct finder finder = {.arena = a, .rules = rules};
    *out = (struct shown){0};
    read_shown(&finder, plain_phrase(a, mailbox->name, false), plain_phrase(a, mailbox->name, true),
               out);
    read_comments(&finder, mailbox, out);
    out->addresses = finder.items;
    out->count = finder.count;
}
