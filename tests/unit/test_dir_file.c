#include "rows.h"
#include "dir_file.h"
#include "strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file in a private directory, opened; faults as "LINE what", one a line ---- */

struct world {
    struct arena *a;
    char folder[32], file[64];
    struct dir *dir;
    struct strbuf faults;
    unsigned fault_count;
};

static const struct login_rules plain_logins = {.fold_case = true};
static const struct addr_rules plain_addresses = {.fold_local_part = true, .delimiters = "+"};

static void note_fault(void *context, const char *file, unsigned line, const char *what)
{
    struct world *w = context;
    assert_string_equal(file, w->file);
    strbuf_printf(&w->faults, "%u %s\n", line, what);
    w->fault_count++;
}

static void world_init(struct world *w)
{
    *w = (struct world){.a = arena_create()};
    strbuf_init(&w->faults, w->a);
    strcpy(w->folder, "/tmp/test_dir_file.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->file, sizeof w->file, "%s/senders", w->folder);
}

static void world_end(struct world *w)
{
    dir_destroy(w->dir);
    (void)unlink(w->file);
    assert_int_equal(rmdir(w->folder), 0);
    arena_destroy(w->a);
}

static void write_file(const struct world *w, struct span text)
{
    FILE *f = fopen(w->file, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
}

static bool open_with(struct world *w, const struct login_rules *logins)
{
    struct dir_backend *backend = dir_file_open(
        &(struct dir_file_conf){
            .name = "test", .file = w->file, .login_rules = logins, .addr_rules = &plain_addresses},
        note_fault, w);
    if (!backend)
        return false;
    w->dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    assert_true(dir_add(w->dir, backend));
    return true;
}

static struct account_answer *ask(struct world *w, const char *login)
{
    const char *at = strchr(login, '@');
    struct dir_lookup *lookup = dir_start(
        w->dir,
        &(struct dir_question){
            .principal = {.kind = PRINCIPAL_SASL,
                          .login = {.name = login, .local = login, .domain = at ? at + 1 : ""}}});
    struct account_answer *answer = dir_join(lookup, 0);
    dir_lookup_release(lookup);
    return answer;
}

/* "exact alice@example.net, domain example.net", or the status where nothing was found. */
static const char *grants_text(struct arena *a, const struct account_answer *answer)
{
    static const char *const forms[] = {"exact", "bare", "domain", "subdomains", "any"};
    struct strbuf text;
    if (answer->status == ACCOUNT_UNKNOWN)
        return "unknown";
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->account.list_count, 1);
    strbuf_init(&text, a);
    for (size_t i = 0; i < answer->account.lists[0].count; i++) {
        const struct grant *g = &answer->account.lists[0].items[i];
        strbuf_printf(&text, "%s%s%s%s", i ? ", " : "", forms[g->form], *g->key ? " " : "", g->key);
    }
    return text.text;
}

/* ---- what a sound file grants ---- */

struct sound_row {
    const char *name, *text, *login, *want;
};

static const struct sound_row sound_rows[] = {
    /* keys */
    {"address", "ann@example.net ann\n", "ann", "exact ann@example.net"},
    {"address is normalised", "Ann@EXAMPLE.net ann\n", "ann", "exact ann@example.net"},
    {"address with a trailing dot", "ann@example.net. ann\n", "ann", "exact ann@example.net"},
    {"address with needless quotes", "\"ann\"@example.net ann\n", "ann", "exact ann@example.net"},
    {"address with a blank in quotes", "\"ann lee\"@example.net ann\n", "ann",
     "exact \"ann lee\"@example.net"},
    {"address with a tab in front of the owner", "ann@example.net\tann\n", "ann",
     "exact ann@example.net"},
    {"address with a quote and a backslash", "\"a\\\" b\"@example.net ann\n", "ann",
     "exact \"a\\\" b\"@example.net"},
    {"address literal", "ann@[192.0.2.1] ann\n", "ann", "exact ann@[192.0.2.1]"},
    {"address with a slash inside", "a/b@example.net ann\n", "ann", "exact a/b@example.net"},
    {"address with a hash inside", "a#b@example.net ann\n", "ann", "exact a#b@example.net"},
    {"address in UTF-8",
     "\xc3\xa4nn@b\xc3\xbc"
     "cher.example ann\n",
     "ann", "exact \xc3\xa4nn@xn--bcher-kva.example"},
    {"domain", "@Example.net ann\n", "ann", "domain example.net"},
    {"domain with a trailing dot", "@example.net. ann\n", "ann", "domain example.net"},
    {"subdomains", "@.example.net ann\n", "ann", "subdomains example.net"},
    {"any", "* ann\n", "ann", "any"},
    {"bare", "ann ann\n", "ann", "bare ann"},
    {"bare in quotes", "\"ann lee\" ann\n", "ann", "bare \"ann lee\""},
    {"bare with an at in quotes", "\"a@b\" ann\n", "ann", "bare \"a@b\""},
    {"bare name if", "if ann\n", "ann", "bare if"},
    {"bare name endif", "endif ann\n", "ann", "bare endif"},
    /* owners */
    {"two owners by comma: first", "a@example.net ann,bob\n", "ann", "exact a@example.net"},
    {"two owners by comma: second", "a@example.net ann,bob\n", "bob", "exact a@example.net"},
    {"two owners by blank", "a@example.net ann bob\n", "bob", "exact a@example.net"},
    {"two owners by comma and blank", "a@example.net ann, bob\n", "bob", "exact a@example.net"},
    {"two owners by tab", "a@example.net ann\tbob\n", "bob", "exact a@example.net"},
    {"commas around", "a@example.net ,,ann,,bob,\n", "bob", "exact a@example.net"},
    {"blanks at the end", "a@example.net ann  \t\n", "ann", "exact a@example.net"},
    {"owner is normalised", "a@example.net ANN@Example.Net\n", "ann@example.net",
     "exact a@example.net"},
    {"owner in quotes", "a@example.net \"ann\"\n", "ann", "exact a@example.net"},
    {"owner with a comma in quotes", "a@example.net \"lee,ann\" bob\n", "lee,ann",
     "exact a@example.net"},
    {"quoted owner, then comma", "a@example.net \"lee,ann\",bob\n", "bob", "exact a@example.net"},
    {"owner with a backslash", "a@example.net DOMAIN\\ann\n", "domain\\ann", "exact a@example.net"},
    {"owner in quotes with a backslash", "a@example.net \"DOMAIN\\ann\"\n", "domain\\ann",
     "exact a@example.net"},
    {"owner that begins like a reserved kind", "a@example.net netta\n", "netta",
     "exact a@example.net"},
    {"hash does not begin a comment here", "a@example.net ann #bob\n", "#bob",
     "exact a@example.net"},
    {"another login", "a@example.net ann\n", "bob", "unknown"},
    {"part of a login", "a@example.net ann\n", "an", "unknown"},
    {"longer login", "a@example.net ann\n", "anna", "unknown"},
    {"login with the domain", "a@example.net ann\n", "ann@example.net", "unknown"},
    /* entries */
    {"no key is implied", "a@example.net ann\nann@example.net bob\n", "ann", "exact a@example.net"},
    {"grants of one owner in the order of the file",
     "b@example.net ann\nx@example.net bob\na@example.net bob ann\n@example.org ann\n", "ann",
     "exact b@example.net, exact a@example.net, domain example.org"},
    {"repeated keys add up: first", "a@example.net ann\na@example.net bob\n", "ann",
     "exact a@example.net"},
    {"repeated keys add up: second", "a@example.net ann\na@example.net bob\n", "bob",
     "exact a@example.net"},
    {"owner in two spellings", "a@example.net Ann\nb@example.net ANN\n", "ann",
     "exact a@example.net, exact b@example.net"},
    /* lines */
    {"empty file", "", "ann", "unknown"},
    {"comments only", "# nothing\n\n  \t\n   # more\n", "ann", "unknown"},
    {"comment between", "a@example.net ann\n# b@example.net ann\nc@example.net ann\n", "ann",
     "exact a@example.net, exact c@example.net"},
    {"comment without end of line", "a@example.net ann\n#", "ann", "exact a@example.net"},
    {"comment in Latin-1",
     "# gr\xfc\xdf"
     "e\na@example.net ann\n",
     "ann", "exact a@example.net"},
    {"comment with a control character", "# \x01\na@example.net ann\n", "ann",
     "exact a@example.net"},
    {"no end of line at the end", "a@example.net ann", "ann", "exact a@example.net"},
    {"CR LF", "a@example.net ann\r\nb@example.net ann\r\n", "ann",
     "exact a@example.net, exact b@example.net"},
    {"CR LF and an empty line", "\r\na@example.net ann\r\n\r\n", "ann", "exact a@example.net"},
    {"CR at the very end", "a@example.net ann\r", "ann", "exact a@example.net"},
    {"continued", "a@example.net ann\n bob\n", "bob", "exact a@example.net"},
    {"continued by a tab", "a@example.net ann\n\tbob\n", "bob", "exact a@example.net"},
    {"continued after a comma", "a@example.net ann,\n  bob\n", "bob", "exact a@example.net"},
    {"continued before a comma", "a@example.net ann\n ,bob\n", "bob", "exact a@example.net"},
    {"owner on the next line only", "a@example.net\n ann\n", "ann", "exact a@example.net"},
    {"continued across a comment", "a@example.net ann\n# here\n bob\n", "bob",
     "exact a@example.net"},
    {"continued across an empty line", "a@example.net ann\n\n bob\n", "bob", "exact a@example.net"},
    {"an indented comment continues nothing", "# top\n  # indented\na@example.net ann\n", "ann",
     "exact a@example.net"},
    {"continued twice", "a@example.net ann\n bob\n cid\n", "cid", "exact a@example.net"},
};

static void run_sound(void **state)
{
    const struct sound_row *row = *state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of(row->text));
    bool ok = open_with(&w, &plain_logins);
    assert_string_equal(w.faults.text, "");
    assert_true(ok);
    struct account_answer *answer = ask(&w, row->login);
    assert_string_equal(grants_text(w.a, answer), row->want);
    account_answer_unref(answer);
    world_end(&w);
}

/* ---- faults ---- */

/* Two expected parts of the first fault: the line with a blank, and words of the text. */
struct fault_row {
    const char *name, *text;
    unsigned line;
    const char *words;
    unsigned count; /* 0 for one */
    size_t len;     /* of a text with NUL */
};

static const struct fault_row fault_rows[] = {
    /* keys */
    {"regexp", "/^ann@/ ann\n", .line = 1, .words = "regular expressions"},
    {"negated regexp", "!/^ann@/ ann\n", .line = 1, .words = "regular expressions"},
    {"pcre if", "if /^ann/\n", .line = 1, .words = "if and endif"},
    {"pcre if not", "IF !/^ann/\n", .line = 1, .words = "if and endif"},
    {"pcre endif", "a@example.net ann\nendif\n", .line = 2, .words = "if and endif"},
    {"null sender", "<> ann\n", .line = 1, .words = "null_sender"},
    {"brackets", "<a@example.net> ann\n", .line = 1, .words = "without angle brackets"},
    {"user@", "ann@ ann\n", .line = 1, .words = "form user@"},
    {"quoted user@", "\"ann\"@ ann\n", .line = 1, .words = "form user@"},
    {"star@domain", "*@example.net ann\n", .line = 1, .words = "write @domain"},
    {"star@star", "*@* ann\n", .line = 1, .words = "write @domain"},
    {"at alone", "@ ann\n", .line = 1, .words = "no domain after"},
    {"two at", "a@b@example.net ann\n", .line = 1, .words = "the key \"a@b@example.net\""},
    {"bad domain", "ann@example..net ann\n", .line = 1, .words = "the key \"ann@example..net\""},
    {"bad domain grant", "@-x.example ann\n", .line = 1, .words = "the key \"@-x.example\""},
    {"two trailing dots", "ann@example.net.. ann\n", .line = 1, .words = "the key"},
    {"bad bare name", "a..b ann\n", .line = 1, .words = "the key \"a..b\""},
    {"comma behind the key", "ann@example.net, ann\n", .line = 1,
     .words = "the key \"ann@example.net,\""},
    {"equals sign between", "ann@example.net= ann\n", .line = 1, .words = "the key"},
    {"quotes without end", "\"ann lee@example.net ann\n", .line = 1,
     .words = "double quotes of the key"},
    {"quotes that a backslash keeps open", "\"ann\\\"@example.net ann\n", .line = 1,
     .words = "double quotes"},
    {"backslash at the end", "\"ann\\", .line = 1, .words = "double quotes"},
    {"words behind the quotes", "\"ann\"lee@example.net ann\n", .line = 1, .words = "the key"},
    /* owners */
    {"no owner", "a@example.net\n", .line = 1, .words = "no owner"},
    {"no owner at the end of the file", "a@example.net", .line = 1, .words = "no owner"},
    {"no owner, but blanks", "a@example.net  \t\n", .line = 1, .words = "no owner"},
    {"no owner, but commas", "a@example.net ,,\n", .line = 1, .words = "no owner"},
    {"no owner, next entry has one", "a@example.net\nb@example.net ann\n", .line = 1,
     .words = "no owner"},
    {"no owner, also in the continuation", "a@example.net\n ,\n", .line = 1, .words = "no owner"},
    {"no owner: the line of the key is named", "\n#\na@example.net\n\n#\nb@example.net ann\n",
     .line = 3, .words = "no owner"},
    {"owner with a network", "a@example.net net:10.0.0.0/8\n", .line = 1,
     .words = "net: are not supported yet"},
    {"owner with a network in capitals", "a@example.net NET:10.0.0.0/8\n", .line = 1,
     .words = "not supported yet"},
    {"owner with a network in quotes", "a@example.net \"net:10.0.0.0/8\"\n", .line = 1,
     .words = "not supported yet"},
    {"owner with a certificate", "a@example.net cert:CA|CN\n", .line = 1,
     .words = "cert: are not supported yet"},
    {"owner with a certificate in quotes", "a@example.net ann, \"cert:/C=X, Y|/CN=ann lee\"\n",
     .line = 1, .words = "cert: are not supported yet"},
    {"owner with two at", "a@example.net a@b@c\n", .line = 1, .words = "cannot be a login"},
    {"owner with an empty part", "a@example.net ann@\n", .line = 1, .words = "cannot be a login"},
    {"owner with a trailing dot", "a@example.net ann@example.net.\n", .line = 1,
     .words = "cannot be a login"},
    {"owner with a blank", "a@example.net \"ann lee\"\n", .line = 1, .words = "cannot be a login"},
    {"owner with nothing in the quotes", "a@example.net \"\"\n", .line = 1,
     .words = "cannot be a login"},
    {"owner with a soft hyphen", "a@example.net an\xc2\xadn\n", .line = 1,
     .words = "cannot be a login"},
    {"owner quotes without end", "a@example.net \"ann, bob\n", .line = 1, .words = "do not end"},
    {"owner quotes over two lines", "a@example.net \"ann,\n bob\"\n", .line = 1,
     .words = "do not end"},
    {"words behind the owner's quotes", "a@example.net \"ann\"bob\n", .line = 1,
     .words = "is missing after"},
    {"owner in a continuation", "a@example.net ann\n bob\n c@d@e\n", .line = 3,
     .words = "cannot be a login"},
    {"two bad owners", "a@example.net a@b@c, d@e@f\n", .line = 1, .words = "\"a@b@c\"", .count = 2},
    /* lines */
    {"first line begins with a blank", " a@example.net ann\n", .line = 1,
     .words = "continues nothing"},
    {"first line begins with a tab, after a comment", "# x\n\ta@example.net ann\n b\n", .line = 2,
     .words = "continues nothing"},
    {"control character", "a@example.net an\x01n\n", .line = 1, .words = "0x01"},
    {"form feed", "a@example.net\fann\n", .line = 1, .words = "0x0c"},
    {"delete", "a@example.net ann\x7f\n", .line = 1, .words = "0x7f"},
    {"lone CR between", "a@example.net ann\rb@example.net bob\n", .line = 1,
     .words = "carriage return"},
    {"lone CR in a comment", "# old Mac\ra@example.net ann\r", .line = 1,
     .words = "carriage return"},
    {"two CR", "a@example.net ann\r\r\n", .line = 1, .words = "carriage return"},
    {"Latin-1",
     "gr\xfc\xdf"
     "e@example.net ann\n",
     .line = 1, .words = "UTF-8"},
    {"Latin-1 in the continuation", "a@example.net ann\n gr\xfcn\n", .line = 2, .words = "UTF-8"},
    {"a bad key's continuation is passed over", "a@b@c ann\n d@e@f\nx@example.net\n", .line = 1,
     .words = "the key", .count = 2},
    {"byte order mark",
     "\xef\xbb\xbf"
     "a@example.net ann\n",
     .line = 1, .words = "byte order mark"},
    {"byte order mark, and more",
     "\xef\xbb\xbf"
     "a@example.net ann\nb@c@d ann\n",
     .line = 1, .words = "byte order mark", .count = 2},
    {"NUL", "a@example.net ann\nb@example.net\0 ann\n", .line = 2, .words = "NUL", .len = 38},
    {"NUL in a comment", "# \0\n", .line = 1, .words = "NUL", .len = 4},
    {"UTF-16",
     "\xff\xfe"
     "a\0@\0",
     .line = 1, .words = "NUL", .len = 6},
    {"Berkeley DB hash", "\0\0\0\0\1\0\0\0\0\0\0\0\x61\x15\x06\0\x09\0\0\0", .line = 0,
     .words = "source text that postmap reads", .len = 20},
    {"Berkeley DB hash, other byte order", "\0\0\0\0\0\0\0\1\0\0\0\0\0\x06\x15\x61\0\0\0\x09",
     .line = 0, .words = "source text that postmap reads", .len = 20},
    {"Berkeley DB btree", "\0\0\0\0\1\0\0\0\0\0\0\0\x62\x31\x05\0\x09\0\0\0", .line = 0,
     .words = "source text that postmap reads", .len = 20},
    {"LMDB", "\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\xde\xc0\xef\xbe\1\0\0\0", .line = 0,
     .words = "source text that postmap reads", .len = 24},
    {"all faults in one run", "a@b@c ann\nok@example.net ann\nx@ ann\ny@example.net\n", .line = 1,
     .words = "the key", .count = 3},
};

static void run_fault(void **state)
{
    const struct fault_row *row = *state;
    struct world w;
    world_init(&w);
    write_file(&w, row->len ? span_make(row->text, row->len) : span_of(row->text));
    assert_false(open_with(&w, &plain_logins));
    const char *line = arena_printf(w.a, "%u ", row->line);
    char *first = arena_copy(
        w.a, span_sub(strbuf_span(&w.faults), 0, span_find(strbuf_span(&w.faults), '\n')));
    if (strncmp(first, line, strlen(line)) != 0 || !strstr(first, row->words))
        assert_string_equal(first, arena_printf(w.a, "%s...%s", line, row->words));
    assert_int_equal(w.fault_count, row->count ? row->count : 1);
    world_end(&w);
}

/* ---- files that are none ---- */

static void expect_open_fault(struct world *w, const char *words)
{
    assert_false(open_with(w, &plain_logins));
    assert_int_equal(w->fault_count, 1);
    if (strncmp(w->faults.text, "0 ", 2) != 0 || !strstr(w->faults.text, words))
        assert_string_equal(w->faults.text, words);
    world_end(w);
}

static void missing_file(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    expect_open_fault(&w, strerror(ENOENT));
}

static void directory_for_file(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(mkdir(w.file, 0700), 0);
    assert_false(open_with(&w, &plain_logins));
    assert_non_null(strstr(w.faults.text, strerror(EISDIR)));
    assert_int_equal(rmdir(w.file), 0);
    world_end(&w);
}

static void fifo_for_file(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(mkfifo(w.file, 0600), 0);
    expect_open_fault(&w, "not a regular file");
}

static void symlink_loop(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(symlink("senders", w.file), 0);
    expect_open_fault(&w, strerror(ELOOP));
}

/* Root may read everything, so this one asks as somebody else. */
static void unreadable_file(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net ann\n"));
    assert_int_equal(chmod(w.file, 0), 0);
    uid_t self = geteuid();
    if (self == 0) {
        assert_int_equal(chmod(w.folder, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    bool ok = open_with(&w, &plain_logins);
    assert_int_equal(seteuid(self), 0);
    assert_false(ok);
    assert_non_null(strstr(w.faults.text, strerror(EACCES)));
    world_end(&w);
}

static void too_large_file(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net ann\n"));
    assert_int_equal(truncate(w.file, (off_t)256 * 1024 * 1024 + 1), 0); /* a hole: no disk used */
    expect_open_fault(&w, "over 256 MiB");
}

/* ---- bounds ---- */

static void repeat(struct strbuf *b, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        strbuf_add_str(b, text);
}

/* A key, then "ann" and so many blanks that the line has len octets. */
static void open_line_of(struct world *w, size_t len)
{
    struct strbuf text;
    strbuf_init(&text, w->a);
    strbuf_add_str(&text, "a@example.net ann");
    repeat(&text, " ", len - text.len);
    strbuf_add_char(&text, '\n');
    write_file(w, strbuf_span(&text));
}

static void longest_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    open_line_of(&w, 65536);
    assert_true(open_with(&w, &plain_logins));
    world_end(&w);
}

static void too_long_line(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    open_line_of(&w, 65537);
    assert_false(open_with(&w, &plain_logins));
    assert_non_null(strstr(w.faults.text, "1 a line over 65536 octets"));
    assert_int_equal(w.fault_count, 1);
    world_end(&w);
}

static void entry_longer_than_a_line(void **state)
{
    (void)state;
    struct world w;
    struct strbuf text;
    world_init(&w);
    strbuf_init(&text, w.a);
    strbuf_add_str(&text, "a@example.net\n");
    for (unsigned i = 0; i < 10000; i++)
        strbuf_printf(&text, " user%u@example.net,\n", i);
    write_file(&w, strbuf_span(&text));
    assert_true(open_with(&w, &plain_logins));
    struct account_answer *answer = ask(&w, "user9999@example.net");
    assert_string_equal(grants_text(w.a, answer), "exact a@example.net");
    account_answer_unref(answer);
    world_end(&w);
}

static void faults_of(struct world *w, size_t times)
{
    struct strbuf text;
    strbuf_init(&text, w->a);
    repeat(&text, "ann@ ann\n", times);
    write_file(w, strbuf_span(&text));
    assert_false(open_with(w, &plain_logins));
}

static void hundred_faults(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    faults_of(&w, 100);
    assert_int_equal(w.fault_count, 100);
    assert_null(strstr(w.faults.text, "not shown"));
    world_end(&w);
}

static void more_than_hundred_faults(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    faults_of(&w, 300);
    assert_int_equal(w.fault_count, 101);
    assert_non_null(strstr(w.faults.text, "\n0 more than 100 faults"));
    world_end(&w);
}

static void many_owners(void **state)
{
    (void)state;
    struct world w;
    struct strbuf text;
    world_init(&w);
    strbuf_init(&text, w.a);
    for (unsigned i = 0; i < 5000; i++)
        strbuf_printf(&text, "u%u@example.net u%u\nboss%u@example.net boss\n", i, i, i);
    write_file(&w, strbuf_span(&text));
    assert_true(open_with(&w, &plain_logins));
    for (unsigned i = 0; i < 5000; i++) {
        struct account_answer *answer = ask(&w, arena_printf(w.a, "u%u", i));
        assert_string_equal(grants_text(w.a, answer),
                            arena_printf(w.a, "exact u%u@example.net", i));
        account_answer_unref(answer);
    }
    struct account_answer *boss = ask(&w, "boss");
    assert_int_equal(boss->account.lists[0].count, 5000);
    assert_string_equal(boss->account.lists[0].items[4999].key, "boss4999@example.net");
    account_answer_unref(boss);
    world_end(&w);
}

/* ---- the answer ---- */

static void found_answer(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of("# team\n@team.example Ann\nann@example.net\n  ann, bob\n"
                           "a.lee@example.net ann\n"));
    assert_true(open_with(&w, &plain_logins));
    uint64_t before = clock_now(&clock_real);
    struct account_answer *answer = ask(&w, "ann");
    assert_int_equal(answer->status, ACCOUNT_FOUND);
    assert_int_equal(answer->missing, ACCOUNT_FOUND);
    assert_true(answer->fresh);
    assert_true(answer->asked_at >= before);
    assert_string_equal(answer->account.name, "ann");
    assert_string_equal(answer->account.entry, w.file);
    assert_string_equal(answer->account.primary, "ann@example.net");
    assert_int_equal(answer->account.state, ACCOUNT_ENABLED);
    const struct grant *g = answer->account.lists[0].items;
    assert_string_equal(g[0].directory, "test");
    assert_string_equal(g[0].attribute, "senders");
    assert_string_equal(g[0].entry, arena_printf(w.a, "%s:2", w.file));
    assert_string_equal(g[1].entry, arena_printf(w.a, "%s:3", w.file));
    assert_string_equal(g[2].entry, arena_printf(w.a, "%s:5", w.file));
    account_answer_unref(answer);
    world_end(&w);
}

static void no_primary(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of("@example.net ann\n* ann\nann ann\n@.example.org ann\n"));
    assert_true(open_with(&w, &plain_logins));
    struct account_answer *answer = ask(&w, "ann");
    assert_null(answer->account.primary);
    assert_int_equal(answer->account.lists[0].count, 4);
    account_answer_unref(answer);
    world_end(&w);
}

static void unknown_answer(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net ann\n"));
    assert_true(open_with(&w, &plain_logins));
    struct account_answer *answer = ask(&w, "bob");
    assert_int_equal(answer->status, ACCOUNT_UNKNOWN);
    assert_true(answer->fresh);
    assert_non_null(strstr(answer->why, w.file));
    account_answer_unref(answer);
    world_end(&w);
}

/* ---- rules of the configuration ---- */

static void owners_follow_login_rules(void **state)
{
    (void)state;
    static const struct login_rewrite rewrites[] = {{"@mail.example.net", "@example.net"}};
    static const struct login_rules rules = {.fold_case = true,
                                             .default_domain = "example.net",
                                             .rewrites = rewrites,
                                             .rewrite_count = 1};
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net Ann\nb@example.net bob@mail.example.net\n"));
    assert_true(open_with(&w, &rules));
    struct account_answer *one = ask(&w, "ann@example.net"), *two = ask(&w, "bob@example.net");
    assert_string_equal(grants_text(w.a, one), "exact a@example.net");
    assert_string_equal(grants_text(w.a, two), "exact b@example.net");
    account_answer_unref(one);
    account_answer_unref(two);
    world_end(&w);
}

static void owners_keep_their_case(void **state)
{
    (void)state;
    static const struct login_rules rules = {.fold_case = false};
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net Ann\n"));
    assert_true(open_with(&w, &rules));
    struct account_answer *one = ask(&w, "Ann"), *two = ask(&w, "ann");
    assert_int_equal(one->status, ACCOUNT_FOUND);
    assert_int_equal(two->status, ACCOUNT_UNKNOWN);
    account_answer_unref(one);
    account_answer_unref(two);
    world_end(&w);
}

static void master_is_no_owner(void **state)
{
    (void)state;
    static const struct login_rules rules = {.fold_case = true, .master_separator = '*'};
    struct world w;
    world_init(&w);
    write_file(&w, span_of("a@example.net ann*admin\n"));
    assert_false(open_with(&w, &rules));
    assert_non_null(strstr(w.faults.text, "1 the owner \"ann*admin\" names a master user too"));
    world_end(&w);
}

static void conf_is_copied(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    write_file(&w, span_of(""));
    char name[] = "corp", domain[] = "example.net";
    const char *domains[] = {domain};
    struct dir_backend *backend =
        dir_file_open(&(struct dir_file_conf){.name = name,
                                              .file = w.file,
                                              .login_rules = &plain_logins,
                                              .addr_rules = &plain_addresses,
                                              .login_domains = domains,
                                              .login_domain_count = 1,
                                              .merge = true},
                      note_fault, &w);
    assert_non_null(backend);
    name[0] = domain[0] = 'X';
    domains[0] = NULL;
    assert_string_equal(backend->name, "corp");
    assert_string_equal(backend->ops->type, "file");
    assert_int_equal(backend->login_domain_count, 1);
    assert_string_equal(backend->login_domains[0], "example.net");
    assert_true(backend->merge);
    backend->ops->destroy(backend);
    world_end(&w);
}

int main(void)
{
    ROWS_ADD(sound_rows, run_sound);
    ROWS_ADD(fault_rows, run_fault);
    ROWS_ADD_TEST("missing file", missing_file);
    ROWS_ADD_TEST("a directory for the file", directory_for_file);
    ROWS_ADD_TEST("a FIFO for the file", fifo_for_file);
    ROWS_ADD_TEST("a link to itself", symlink_loop);
    ROWS_ADD_TEST("unreadable file", unreadable_file);
    ROWS_ADD_TEST("file over 256 MiB", too_large_file);
    ROWS_ADD_TEST("a line of 64 KiB", longest_line);
    ROWS_ADD_TEST("a line over 64 KiB", too_long_line);
    ROWS_ADD_TEST("an entry longer than a line may be", entry_longer_than_a_line);
    ROWS_ADD_TEST("100 faults", hundred_faults);
    ROWS_ADD_TEST("more than 100 faults", more_than_hundred_faults);
    ROWS_ADD_TEST("5,001 owners", many_owners);
    ROWS_ADD_TEST("what a found answer says", found_answer);
    ROWS_ADD_TEST("no address, no primary", no_primary);
    ROWS_ADD_TEST("what an unknown answer says", unknown_answer);
    ROWS_ADD_TEST("owners follow the login rules", owners_follow_login_rules);
    ROWS_ADD_TEST("owners keep their case without fold_case", owners_keep_their_case);
    ROWS_ADD_TEST("a master user is no owner", master_is_no_owner);
    ROWS_ADD_TEST("the configuration is copied", conf_is_copied);
    return rows_main();
}
