#include "senders.h"
#include "utext.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FAULTS_MAX = 100,
    LINE_LENGTH_MAX = 64 * 1024,
    SHOWN_MAX = 80, /* octets of a faulty word that a text repeats */
};

/* Fewer grants than 2^32 fit into it. */
#define FILE_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define TOO_LARGE     "over 256 MiB, which no senders file needs"

/* A key, and all lines that continue it. */
struct entry {
    bool open;  /* there is one */
    bool sound; /* its key can be used; else its owners are not looked at */
    unsigned line;
    size_t owners;
};

struct reader {
    const struct senders_conf *conf;
    unsigned faults;
    unsigned line;
    struct entry entry;
    struct arena *scratch; /* of one line */
};

static void PRINTF_LIKE(3, 4) fault(struct reader *r, unsigned line, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    struct errtext what;
    va_list args;
    if (++r->faults > FAULTS_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    errtext_set(&what, "%s", text);
    r->conf->report(r->conf->context, r->conf->file, line, what.text);
}

static bool too_many_faults(const struct reader *r)
{
    return r->faults > FAULTS_MAX;
}

static int shown(struct span text)
{
    return (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span skip_blanks(struct span text)
{
    size_t i = 0;
    while (i < text.len && is_blank(text.data[i]))
        i++;
    return span_sub(text, i, text.len);
}

/* ---- OWNER ---- */

/* What stands in front of the name. None of them is part of a login: see senders.h. */
static const char marker[] = "on-behalf:";
static const char *const prefixes[SENDERS_KINDS] = {
    [SENDERS_LOGIN] = "",
    [SENDERS_CERT] = "cert:",
    [SENDERS_NET] = "net:",
};

/* An owner as it stands in the file, and what is left of it to be read. */
struct written {
    struct span whole, rest;
};

static void PRINTF_LIKE(3, 4)
    owner_fault(struct reader *r, const struct written *w, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fault(r, r->line, "the owner \"%.*s\" %s", shown(w->whole), w->whole.data, text);
}

static bool take_prefix(struct span *rest, const char *prefix)
{
    if (!span_starts_nocase(*rest, prefix))
        return false;
    *rest = span_sub(*rest, strlen(prefix), rest->len);
    return true;
}

static enum senders_kind take_kind(struct span *rest)
{
    for (int k = SENDERS_LOGIN + 1; k < SENDERS_KINDS; k++)
        if (take_prefix(rest, prefixes[k]))
            return (enum senders_kind)k;
    return SENDERS_LOGIN;
}

static bool read_login(struct reader *r, const struct written *w, struct senders_owner *out)
{
    struct login login;
    struct errtext why;
    if (!login_normalise(r->scratch, r->conf->login_rules, w->rest, &login, &why)) {
        owner_fault(r, w, "cannot be a login: %s", why.text);
        return false;
    }
    if (login.master) {
        owner_fault(r, w, "names a master user too: write \"%s\" alone", login.name);
        return false;
    }
    out->name = login.name;
    return true;
}

/* ISSUER "|" SUBJECT: both as the MTA gives them, once decoded. */
static bool read_cert(struct reader *r, const struct written *w, struct senders_owner *out)
{
    size_t bar = span_find(w->rest, '|');
    if (bar == 0 || bar + 1 >= w->rest.len) {
        owner_fault(r, w, "is no certificate: write cert:ISSUER|SUBJECT");
        return false;
    }
    out->name = senders_cert_name(r->scratch, span_sub(w->rest, 0, bar),
                                  span_sub(w->rest, bar + 1, w->rest.len));
    return true;
}

static bool read_net(struct reader *r, const struct written *w, struct senders_owner *out)
{
    struct errtext why;
    if (!net_parse(w->rest, &out->net, &why)) {
        owner_fault(r, w, "is no network: %s", why.text);
        return false;
    }
    out->name =
        arena_printf(r->scratch, "%s%s", prefixes[SENDERS_NET], net_text(r->scratch, &out->net));
    return true;
}

static bool read_name(struct reader *r, const struct written *w, struct senders_owner *out)
{
    switch (out->kind) {
    case SENDERS_LOGIN:
        return read_login(r, w, out);
    case SENDERS_CERT:
        return read_cert(r, w, out);
    case SENDERS_NET:
        return read_net(r, w, out);
    case SENDERS_KINDS:
        break;
    }
    return false;
}

/* [ "on-behalf:" ] ( LOGIN | "cert:" ISSUER "|" SUBJECT | "net:" CIDR ) */
static void read_owner(struct reader *r, struct span text)
{
    struct written w = {.whole = text, .rest = text};
    struct senders_owner owner = {.right = GRANT_SEND_AS};
    r->entry.owners++;
    if (take_prefix(&w.rest, marker))
        owner.right = GRANT_ON_BEHALF;
    owner.kind = take_kind(&w.rest);
    bool prefixed = w.rest.len < text.len;
    if (prefixed && w.rest.len > 0 && w.rest.data[0] == '"')
        owner_fault(r, &w, "has quotes inside: they stand around the whole owner");
    else if (owner.kind == SENDERS_LOGIN && span_starts_nocase(w.rest, marker))
        owner_fault(r, &w, "says %s twice", marker);
    else if (read_name(r, &w, &owner))
        r->conf->owner(r->conf->context, &owner);
}

const char *senders_cert_name(struct arena *a, struct span issuer, struct span subject)
{
    if (span_find(issuer, '|') < issuer.len)
        return NULL;
    return arena_printf(a, "%s%.*s|%.*s", prefixes[SENDERS_CERT], (int)issuer.len, issuer.data,
                        (int)subject.len, subject.data);
}

static bool ends_owner(struct span rest)
{
    return rest.len == 0 || rest.data[0] == ',' || is_blank(rest.data[0]);
}

/* '"' { any but '"' } '"': there is no way to escape, a login with a '"' stands unquoted. */
static bool read_quoted_owner(struct reader *r, struct span *rest)
{
    struct span inside = span_sub(*rest, 1, rest->len);
    size_t len = span_find(inside, '"');
    if (len == inside.len) {
        fault(r, r->line, "the quotes of the owner %.*s do not end in this line", shown(*rest),
              rest->data);
        return false;
    }
    struct span after = span_sub(inside, len + 1, inside.len);
    if (!ends_owner(after)) {
        fault(r, r->line, "a comma or a blank is missing after the owner \"%.*s\"",
              shown(span_sub(inside, 0, len)), inside.data);
        return false;
    }
    read_owner(r, span_sub(inside, 0, len));
    *rest = after;
    return true;
}

static void read_plain_owner(struct reader *r, struct span *rest)
{
    size_t len = 0;
    while (!ends_owner(span_sub(*rest, len, rest->len)))
        len++;
    read_owner(r, span_sub(*rest, 0, len));
    *rest = span_sub(*rest, len, rest->len);
}

/* OWNER { ("," | BLANK) OWNER }; separators may repeat, as in Postfix. */
static void read_owners(struct reader *r, struct span rest)
{
    while (rest.len > 0 && !too_many_faults(r)) {
        if (rest.data[0] == ',' || is_blank(rest.data[0])) {
            rest = span_sub(rest, 1, rest.len);
        } else if (rest.data[0] != '"') {
            read_plain_owner(r, &rest);
        } else if (!read_quoted_owner(r, &rest)) {
            r->entry.owners++;
            return;
        }
    }
}

/* ---- KEY ---- */

static bool is_regexp(struct span key, struct span rest)
{
    (void)rest;
    return key.data[0] == '/' || span_starts_nocase(key, "!/");
}

static bool is_pcre_block(struct span key, struct span rest)
{
    if (span_equal_nocase(key, span_of("endif")))
        return rest.len == 0;
    return span_equal_nocase(key, span_of("if")) && rest.len > 0 &&
           (rest.data[0] == '/' || rest.data[0] == '!');
}

static bool is_null_sender(struct span key, struct span rest)
{
    (void)rest;
    return span_equal(key, span_of("<>"));
}

static bool is_bracketed(struct span key, struct span rest)
{
    (void)rest;
    return key.data[0] == '<';
}

static bool is_user_at(struct span key, struct span rest)
{
    (void)rest;
    return key.len > 1 && key.data[key.len - 1] == '@';
}

static bool is_star_domain(struct span key, struct span rest)
{
    (void)rest;
    return span_starts_nocase(key, "*@");
}

/* Keys that other tables know, or that look as if they meant something else. The first row that
 * applies is the one that is said. */
static const struct refused_key {
    bool (*applies)(struct span key, struct span rest);
    const char *text;
} refused_keys[] = {
    {is_regexp, "regular expressions (regexp and pcre tables) are not taken: list the addresses, "
                "or write @domain for a whole domain"},
    {is_pcre_block, "if and endif belong to regexp and pcre tables, which are not taken: list the "
                    "addresses, or write @domain for a whole domain"},
    {is_null_sender, "the null sender cannot be granted: the policy option null_sender says who "
                     "may use it"},
    {is_bracketed, "write the address without angle brackets"},
    {is_user_at, "keys of the form user@ are not taken: write the whole address, or the name "
                 "without '@' for a sender that has no domain"},
    {is_star_domain, "write @domain for every address of a domain, or * for any address"},
};

static const char *refusal(struct span key, struct span rest)
{
    for (size_t i = 0; i < sizeof refused_keys / sizeof refused_keys[0]; i++)
        if (refused_keys[i].applies(key, rest))
            return refused_keys[i].text;
    return NULL;
}

/* Up to the first blank outside double quotes; a backslash inside them takes the next char. */
static bool key_length(struct span line, size_t *len_out)
{
    bool quoted = false;
    size_t i;
    for (i = 0; i < line.len; i++) {
        char c = line.data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && is_blank(c))
            break;
    }
    if (quoted)
        return false;
    *len_out = i;
    return true;
}

/* A quoted local part may hold an '@' and still have no domain. */
static bool may_be_bare(struct span key)
{
    return !span_equal(key, span_of("*")) && (key.data[0] == '"' || span_find(key, '@') == key.len);
}

static bool parse_key(struct reader *r, struct span key, struct grant *out, struct errtext *why)
{
    struct addr addr;
    if (may_be_bare(key) &&
        addr_parse(r->scratch, r->conf->addr_rules, key, &addr, why) == ADDR_BARE) {
        out->form = GRANT_BARE;
        out->key = addr.key;
        return true;
    }
    return grant_parse(r->scratch, r->conf->addr_rules, key, out, why);
}

static bool read_key(struct reader *r, struct span line, struct span *rest_out)
{
    size_t len;
    struct grant grant = {.right = GRANT_SEND_AS};
    struct errtext why;
    if (!key_length(line, &len)) {
        fault(r, r->line, "the double quotes of the key do not end in this line");
        return false;
    }
    struct span key = span_sub(line, 0, len);
    *rest_out = skip_blanks(span_sub(line, len, line.len));
    const char *refused = refusal(key, *rest_out);
    if (refused) {
        fault(r, r->line, "\"%.*s\": %s", shown(key), key.data, refused);
        return false;
    }
    if (!parse_key(r, key, &grant, &why)) {
        fault(r, r->line, "the key \"%.*s\" is no address, @domain, @.domain, * or name: %s",
              shown(key), key.data, why.text);
        return false;
    }
    r->conf->key(r->conf->context, &grant, r->line);
    return true;
}

/* ---- lines ---- */

static void entry_end(struct reader *r)
{
    if (r->entry.open && r->entry.sound && r->entry.owners == 0)
        fault(r, r->entry.line,
              "no owner after the key: write \"KEY LOGIN\", more logins by comma");
    r->entry = (struct entry){.open = false};
}

/* An entry whose further lines are passed over, because it has its fault already. */
static void entry_spoil(struct reader *r)
{
    r->entry.open = true;
    r->entry.sound = false;
}

static void entry_begin(struct reader *r, struct span line)
{
    struct span rest;
    r->entry = (struct entry){.open = true, .line = r->line};
    r->entry.sound = read_key(r, line, &rest);
    if (!r->entry.sound)
        return;
    read_owners(r, rest);
}

static bool check_bytes(struct reader *r, struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (ascii_is_control(line.data[i]) && line.data[i] != '\t') {
            fault(r, r->line, "the control character 0x%02x", (unsigned char)line.data[i]);
            return false;
        }
    if (utext_is_utf8(line))
        return true;
    fault(r, r->line, "not valid UTF-8: save the file as UTF-8");
    return false;
}

/* What spoils a line whatever stands in it, even a comment. */
static bool check_shape(struct reader *r, struct span line)
{
    if (line.len > LINE_LENGTH_MAX) {
        fault(r, r->line, "a line over %d octets: continue it on lines that begin with a blank",
              (int)LINE_LENGTH_MAX);
        return false;
    }
    if (span_find(line, '\r') < line.len) {
        fault(r, r->line, "a carriage return inside the line: a line ends with LF or CR LF");
        return false;
    }
    return true;
}

static void read_line(struct reader *r, struct span line)
{
    struct span text = skip_blanks(line);
    if (!check_shape(r, line)) {
        entry_spoil(r);
        return;
    }
    if (text.len == 0 || text.data[0] == '#')
        return;
    bool continues = is_blank(line.data[0]);
    if (!continues)
        entry_end(r);
    if (!check_bytes(r, text)) {
        entry_spoil(r);
    } else if (!continues) {
        entry_begin(r, text);
    } else if (!r->entry.open) {
        fault(r, r->line, "the line begins with white space but continues nothing");
        entry_spoil(r);
    } else if (r->entry.sound) {
        read_owners(r, text);
    }
}

static void read_lines(struct reader *r, struct span text)
{
    while (text.len > 0 && !too_many_faults(r)) {
        size_t len = span_find(text, '\n');
        struct span line = span_sub(text, 0, len);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        r->line++;
        read_line(r, line);
        arena_reset(r->scratch);
        text = span_sub(text, len + 1, text.len);
    }
    entry_end(r);
}

/* ---- the file as a whole ---- */

static uint32_t word_at(struct span text, size_t offset, bool big_endian)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t byte = (unsigned char)text.data[offset + i];
        word |= byte << (8 * (big_endian ? 3 - i : i));
    }
    return word;
}

/* What postmap writes: Berkeley DB (btree, hash, queue) and LMDB, by their magic numbers. */
static bool is_compiled(struct span text)
{
    static const struct {
        size_t offset;
        uint32_t magic;
    } kinds[] = {{12, 0x053162}, {12, 0x061561}, {12, 0x042253}, {16, 0xbeefc0de}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (text.len >= kinds[i].offset + 4 &&
            (word_at(text, kinds[i].offset, false) == kinds[i].magic ||
             word_at(text, kinds[i].offset, true) == kinds[i].magic))
            return true;
    return false;
}

static unsigned line_at(struct span text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text.data[i] == '\n';
    return line;
}

static void read_text(struct reader *r, struct span text)
{
    static const char bom[] = "\xef\xbb\xbf";
    size_t nul = span_find(text, '\0');
    if (is_compiled(text)) {
        fault(r, 0,
              "a compiled table (Berkeley DB or LMDB): give the source text that postmap "
              "reads, usually the name without .db or .lmdb");
        return;
    }
    if (nul < text.len) {
        fault(r, line_at(text, nul), "a NUL byte: this is no UTF-8 text");
        return;
    }
    if (span_equal(span_sub(text, 0, 3), span_of(bom))) {
        fault(r, 1, "the file begins with a byte order mark: save it as UTF-8 without one");
        text = span_sub(text, 3, text.len);
    }
    read_lines(r, text);
    if (too_many_faults(r))
        r->conf->report(r->conf->context, r->conf->file, 0,
                        "more than 100 faults: the rest is not shown");
}

static ssize_t read_some(int fd, char *out, size_t size)
{
    ssize_t n;
    do
        n = read(fd, out, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Room for one octet more than the file says it has, to see its end; it may grow meanwhile. */
static bool read_all(struct reader *r, int fd, size_t size_hint, char **text_out, size_t *len_out)
{
    size_t size = size_hint + 1, len = 0;
    char *text = xrealloc(NULL, size);
    ssize_t n;
    while ((n = read_some(fd, text + len, size - len)) > 0 && len + (size_t)n <= FILE_SIZE_MAX) {
        len += (size_t)n;
        if (len == size)
            text = xrealloc(text, size *= 2);
    }
    if (n == 0) {
        *text_out = text;
        *len_out = len;
        return true;
    }
    if (n < 0)
        fault(r, 0, "cannot be read: %m");
    else
        fault(r, 0, TOO_LARGE);
    free(text);
    return false;
}

static bool check_kind(struct reader *r, int fd, size_t *size_out)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fault(r, 0, "cannot be read: %m");
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) { /* read() has the words for a directory */
        fault(r, 0, "not a regular file: a text file is needed");
        return false;
    }
    if ((uintmax_t)st.st_size > FILE_SIZE_MAX) {
        fault(r, 0, TOO_LARGE);
        return false;
    }
    *size_out = (size_t)st.st_size;
    return true;
}

static void load_file(struct reader *r)
{
    char *text = NULL;
    size_t size, len;
    /* Not to hang in open() where the path names a FIFO. */
    int fd = open(r->conf->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fault(r, 0, "cannot be opened: %m");
        return;
    }
    if (check_kind(r, fd, &size) && read_all(r, fd, size, &text, &len))
        read_text(r, span_make(text, len));
    free(text);
    (void)close(fd);
}

bool senders_read(const struct senders_conf *conf)
{
    struct reader r = {.conf = conf, .scratch = arena_create()};
    load_file(&r);
    arena_destroy(r.scratch);
    return r.faults == 0;
}
