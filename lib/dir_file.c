#include "dir_file.h"
#include "keyhash.h"
#include "utext.h"
#include "xalloc.h"

#define uthash_malloc(size)       xcalloc(1, size)
#define uthash_free(memory, size) free(memory)

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

enum {
    FAULTS_MAX = 100,
    LINE_LENGTH_MAX = 64 * 1024,
    SHOWN_MAX = 80, /* octets of a faulty word that a text repeats */
    POOL_CHUNK = 64 * 1024,
};

/* Fewer grants than 2^32 fit into it. */
#define FILE_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define TOO_LARGE     "over 256 MiB, which no senders file needs"

/* 64 octets, because there may be as many as lines. */
struct owner {
    UT_hash_handle hh;     /* its key is the login */
    uint32_t first, count; /* of the grants of all */
};

struct dir_file {
    struct dir_backend backend;
    struct arena *arena;
    const char *file;
    const char *unknown; /* what is said of a login that is no owner */
    struct keyhash_seed seed;
    struct owner *owners;
    const struct grant *grants; /* those of an owner side by side */
};

/* ---- the table of owners ---- */

static struct owner *owner_find(const struct dir_file *d, const char *login)
{
    size_t len = strlen(login);
    struct owner *owner;
    HASH_FIND_BYHASHVALUE(hh, d->owners, login, len, keyhash(&d->seed, login, len), owner);
    return owner;
}

/* login must live as long as the table. */
static struct owner *owner_add(struct dir_file *d, const char *login)
{
    size_t len = strlen(login);
    unsigned hash = keyhash(&d->seed, login, len);
    struct owner *owner = arena_alloc(d->arena, sizeof *owner);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, d->owners, login, len, hash, owner);
    return owner;
}

/* ---- answering ---- */

static const char *primary_of(const struct grant_list *grants)
{
    for (size_t i = 0; i < grants->count; i++)
        if (grants->items[i].form == GRANT_EXACT)
            return grants->items[i].key;
    return NULL;
}

static void file_ask(struct dir_backend *self, struct dir_ticket *ticket)
{
    const struct dir_file *d = (const struct dir_file *)self;
    const struct owner *owner = owner_find(d, dir_ticket_login(ticket)->name);
    if (!owner) {
        dir_ticket_fail(ticket, ACCOUNT_UNKNOWN, d->unknown);
        return;
    }
    struct account_answer *answer = account_answer_create();
    struct grant_list *list = arena_alloc(answer->arena, sizeof *list);
    *list = (struct grant_list){d->grants + owner->first, owner->count};
    answer->status = ACCOUNT_FOUND;
    answer->missing = ACCOUNT_FOUND;
    answer->fresh = true;
    answer->asked_at = dir_ticket_now(ticket);
    answer->account = (struct account){
        .name = owner->hh.key,
        .entry = d->file,
        .primary = primary_of(list),
        .lists = list,
        .list_count = 1,
    };
    dir_ticket_done(ticket, answer);
}

static void file_destroy(struct dir_backend *self)
{
    struct dir_file *d = (struct dir_file *)self;
    HASH_CLEAR(hh, d->owners);
    arena_destroy(d->arena);
    free(d);
}

/* ---- loading: state and helpers ---- */

/* A grant before it is known how many its owner has. */
struct pending {
    struct owner *owner;
    const char *key, *entry;
    enum grant_form form;
};

/* A key, and all lines that continue it. */
struct entry {
    bool open;  /* there is one */
    bool sound; /* its key can be used; else its owners are not looked at */
    unsigned line;
    enum grant_form form;
    const char *key, *source;
    size_t owners;
};

struct loader {
    const struct dir_file_conf *conf;
    struct dir_file *dir;
    dir_file_report *report;
    void *context;
    unsigned faults;
    unsigned line;
    struct entry entry;
    struct arena *scratch; /* of one line */
    struct pending *pending;
    size_t pending_count, pending_size;
    char *pool; /* the rest of the current chunk */
    size_t pool_left;
};

static void PRINTF_LIKE(3, 4) fault(struct loader *l, unsigned line, const char *format, ...)
{
    char text[ERRTEXT_SIZE];
    struct errtext what;
    va_list args;
    if (++l->faults > FAULTS_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    errtext_set(&what, "%s", text);
    l->report(l->context, l->conf->file, line, what.text);
}

static bool too_many_faults(const struct loader *l)
{
    return l->faults > FAULTS_MAX;
}

static int shown(struct span text)
{
    return (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
}

/* Packed, because there are hundreds of thousands of short strings. */
static const char *keep(struct loader *l, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > l->pool_left) {
        l->pool_left = size > POOL_CHUNK ? size : POOL_CHUNK;
        l->pool = arena_alloc(l->dir->arena, l->pool_left);
    }
    char *copy = l->pool;
    memcpy(copy, text, size);
    l->pool += size;
    l->pool_left -= size;
    return copy;
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

static void add_grant(struct loader *l, struct owner *owner)
{
    if (l->pending_count == l->pending_size) {
        l->pending_size = l->pending_size ? l->pending_size * 2 : 256;
        l->pending = xrealloc(l->pending, l->pending_size * sizeof *l->pending);
    }
    l->pending[l->pending_count++] = (struct pending){
        .owner = owner, .key = l->entry.key, .entry = l->entry.source, .form = l->entry.form};
    owner->count++;
}

/* Owners that are no logins. They must never be granted to a login that happens to look so. */
static bool is_reserved(struct span owner, const char **kind_out)
{
    static const char *const kinds[] = {"net:", "cert:"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (span_starts_nocase(owner, kinds[i])) {
            *kind_out = kinds[i];
            return true;
        }
    return false;
}

static void read_owner(struct loader *l, struct span text)
{
    struct login login;
    struct errtext why;
    const char *kind;
    l->entry.owners++;
    if (is_reserved(text, &kind)) {
        fault(l, l->line,
              "the owner \"%.*s\": owners of the kind %s are not supported yet by "
              "this version; an owner is a login",
              shown(text), text.data, kind);
        return;
    }
    if (!login_normalise(l->scratch, l->conf->login_rules, text, &login, &why)) {
        fault(l, l->line, "the owner \"%.*s\" cannot be a login: %s", shown(text), text.data,
              why.text);
        return;
    }
    if (login.master) {
        fault(l, l->line, "the owner \"%.*s\" names a master user too: write \"%s\" alone",
              shown(text), text.data, login.name);
        return;
    }
    struct owner *owner = owner_find(l->dir, login.name);
    if (!owner)
        owner = owner_add(l->dir, keep(l, login.name));
    add_grant(l, owner);
}

static bool ends_owner(struct span rest)
{
    return rest.len == 0 || rest.data[0] == ',' || is_blank(rest.data[0]);
}

/* '"' { any but '"' } '"': there is no way to escape, a login with a '"' stands unquoted. */
static bool read_quoted_owner(struct loader *l, struct span *rest)
{
    struct span inside = span_sub(*rest, 1, rest->len);
    size_t len = span_find(inside, '"');
    if (len == inside.len) {
        fault(l, l->line, "the quotes of the owner %.*s do not end in this line", shown(*rest),
              rest->data);
        return false;
    }
    struct span after = span_sub(inside, len + 1, inside.len);
    if (!ends_owner(after)) {
        fault(l, l->line, "a comma or a blank is missing after the owner \"%.*s\"",
              shown(span_sub(inside, 0, len)), inside.data);
        return false;
    }
    read_owner(l, span_sub(inside, 0, len));
    *rest = after;
    return true;
}

static void read_plain_owner(struct loader *l, struct span *rest)
{
    size_t len = 0;
    while (!ends_owner(span_sub(*rest, len, rest->len)))
        len++;
    read_owner(l, span_sub(*rest, 0, len));
    *rest = span_sub(*rest, len, rest->len);
}

/* OWNER { ("," | BLANK) OWNER }; separators may repeat, as in Postfix. */
static void read_owners(struct loader *l, struct span rest)
{
    while (rest.len > 0 && !too_many_faults(l)) {
        if (rest.data[0] == ',' || is_blank(rest.data[0])) {
            rest = span_sub(rest, 1, rest.len);
        } else if (rest.data[0] != '"') {
            read_plain_owner(l, &rest);
        } else if (!read_quoted_owner(l, &rest)) {
            l->entry.owners++;
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

static bool parse_key(struct loader *l, struct span key, struct grant *out, struct errtext *why)
{
    struct addr addr;
    if (may_be_bare(key) &&
        addr_parse(l->scratch, l->conf->addr_rules, key, &addr, why) == ADDR_BARE) {
        out->form = GRANT_BARE;
        out->key = addr.key;
        return true;
    }
    return grant_parse(l->scratch, l->conf->addr_rules, key, out, why);
}

static bool read_key(struct loader *l, struct span line, struct span *rest_out)
{
    size_t len;
    struct grant grant;
    struct errtext why;
    if (!key_length(line, &len)) {
        fault(l, l->line, "the double quotes of the key do not end in this line");
        return false;
    }
    struct span key = span_sub(line, 0, len);
    *rest_out = skip_blanks(span_sub(line, len, line.len));
    const char *refused = refusal(key, *rest_out);
    if (refused) {
        fault(l, l->line, "\"%.*s\": %s", shown(key), key.data, refused);
        return false;
    }
    if (!parse_key(l, key, &grant, &why)) {
        fault(l, l->line, "the key \"%.*s\" is no address, @domain, @.domain, * or name: %s",
              shown(key), key.data, why.text);
        return false;
    }
    l->entry.form = grant.form;
    l->entry.key = keep(l, grant.key);
    return true;
}

/* ---- lines ---- */

static void entry_end(struct loader *l)
{
    if (l->entry.open && l->entry.sound && l->entry.owners == 0)
        fault(l, l->entry.line,
              "no owner after the key: write \"KEY LOGIN\", more logins by comma");
    l->entry = (struct entry){.open = false};
}

/* An entry whose further lines are passed over, because it has its fault already. */
static void entry_spoil(struct loader *l)
{
    l->entry.open = true;
    l->entry.sound = false;
}

static void entry_begin(struct loader *l, struct span line)
{
    struct span rest;
    l->entry = (struct entry){.open = true, .line = l->line};
    l->entry.sound = read_key(l, line, &rest);
    if (!l->entry.sound)
        return;
    l->entry.source = keep(l, arena_printf(l->scratch, "%s:%u", l->dir->file, l->line));
    read_owners(l, rest);
}

static bool check_bytes(struct loader *l, struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (ascii_is_control(line.data[i]) && line.data[i] != '\t') {
            fault(l, l->line, "the control character 0x%02x", (unsigned char)line.data[i]);
            return false;
        }
    if (utext_is_utf8(line))
        return true;
    fault(l, l->line, "not valid UTF-8: save the file as UTF-8");
    return false;
}

/* What spoils a line whatever stands in it, even a comment. */
static bool check_shape(struct loader *l, struct span line)
{
    if (line.len > LINE_LENGTH_MAX) {
        fault(l, l->line, "a line over %d octets: continue it on lines that begin with a blank",
              (int)LINE_LENGTH_MAX);
        return false;
    }
    if (span_find(line, '\r') < line.len) {
        fault(l, l->line, "a carriage return inside the line: a line ends with LF or CR LF");
        return false;
    }
    return true;
}

static void read_line(struct loader *l, struct span line)
{
    struct span text = skip_blanks(line);
    if (!check_shape(l, line)) {
        entry_spoil(l);
        return;
    }
    if (text.len == 0 || text.data[0] == '#')
        return;
    bool continues = is_blank(line.data[0]);
    if (!continues)
        entry_end(l);
    if (!check_bytes(l, text)) {
        entry_spoil(l);
    } else if (!continues) {
        entry_begin(l, text);
    } else if (!l->entry.open) {
        fault(l, l->line, "the line begins with white space but continues nothing");
        entry_spoil(l);
    } else if (l->entry.sound) {
        read_owners(l, text);
    }
}

static void read_lines(struct loader *l, struct span text)
{
    while (text.len > 0 && !too_many_faults(l)) {
        size_t len = span_find(text, '\n');
        struct span line = span_sub(text, 0, len);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        l->line++;
        read_line(l, line);
        arena_reset(l->scratch);
        text = span_sub(text, len + 1, text.len);
    }
    entry_end(l);
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

static void read_text(struct loader *l, struct span text)
{
    static const char bom[] = "\xef\xbb\xbf";
    size_t nul = span_find(text, '\0');
    if (is_compiled(text)) {
        fault(l, 0,
              "a compiled table (Berkeley DB or LMDB): give the source text that postmap "
              "reads, usually the name without .db or .lmdb");
        return;
    }
    if (nul < text.len) {
        fault(l, line_at(text, nul), "a NUL byte: this is no UTF-8 text");
        return;
    }
    if (span_equal(span_sub(text, 0, 3), span_of(bom))) {
        fault(l, 1, "the file begins with a byte order mark: save it as UTF-8 without one");
        text = span_sub(text, 3, text.len);
    }
    read_lines(l, text);
    if (too_many_faults(l))
        l->report(l->context, l->conf->file, 0, "more than 100 faults: the rest is not shown");
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
static bool read_all(struct loader *l, int fd, size_t size_hint, char **text_out, size_t *len_out)
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
        fault(l, 0, "cannot be read: %m");
    else
        fault(l, 0, TOO_LARGE);
    free(text);
    return false;
}

static bool check_kind(struct loader *l, int fd, size_t *size_out)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fault(l, 0, "cannot be read: %m");
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) { /* read() has the words for a directory */
        fault(l, 0, "not a regular file: a text file is needed");
        return false;
    }
    if ((uintmax_t)st.st_size > FILE_SIZE_MAX) {
        fault(l, 0, TOO_LARGE);
        return false;
    }
    *size_out = (size_t)st.st_size;
    return true;
}

static void load_file(struct loader *l)
{
    char *text = NULL;
    size_t size, len;
    /* Not to hang in open() where the path names a FIFO. */
    int fd = open(l->conf->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fault(l, 0, "cannot be opened: %m");
        return;
    }
    if (check_kind(l, fd, &size) && read_all(l, fd, size, &text, &len))
        read_text(l, span_make(text, len));
    free(text);
    (void)close(fd);
}

/* Each owner's grants side by side, in the order of the file. */
static void settle(struct loader *l)
{
    struct dir_file *d = l->dir;
    struct grant *grants = arena_array(d->arena, l->pending_count, sizeof *grants);
    uint32_t next = 0;
    for (struct owner *o = d->owners; o; o = o->hh.next) {
        o->first = next;
        next += o->count;
        o->count = 0;
    }
    for (size_t i = 0; i < l->pending_count; i++) {
        const struct pending *p = &l->pending[i];
        grants[p->owner->first + p->owner->count++] = (struct grant){
            .form = p->form,
            .key = p->key,
            .directory = d->backend.name,
            .entry = p->entry,
            .attribute = "senders",
        };
    }
    d->grants = grants;
}

static const char *const *copy_strings(struct arena *a, const char *const *strings, size_t count)
{
    const char **copy = arena_array(a, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(a, strings[i]);
    return copy;
}

static struct dir_file *file_create(const struct dir_file_conf *conf)
{
    static const struct dir_ops ops = {.type = "file", .ask = file_ask, .destroy = file_destroy};
    struct dir_file *d = xcalloc(1, sizeof *d);
    struct arena *a = arena_create();
    d->arena = a;
    d->file = arena_strdup(a, conf->file);
    d->unknown = arena_printf(a, "no entry in %s has this owner", conf->file);
    d->backend = (struct dir_backend){
        .ops = &ops,
        .name = arena_strdup(a, conf->name),
        .login_domains = copy_strings(a, conf->login_domains, conf->login_domain_count),
        .login_domain_count = conf->login_domain_count,
        .merge = conf->merge,
    };
    return d;
}

struct dir_backend *dir_file_open(const struct dir_file_conf *conf, dir_file_report *report,
                                  void *context)
{
    struct loader l = {
        .conf = conf,
        .dir = file_create(conf),
        .report = report,
        .context = context,
        .scratch = arena_create(),
    };
    if (!keyhash_seed(&l.dir->seed))
        fault(&l, 0, "no random numbers from the kernel: %m");
    else
        load_file(&l);
    if (l.faults == 0)
        settle(&l);
    free(l.pending);
    arena_destroy(l.scratch);
    if (l.faults == 0)
        return &l.dir->backend;
    file_destroy(&l.dir->backend);
    return NULL;
}
