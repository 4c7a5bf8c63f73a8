/* secret: which files hold a password, and what of them is the password. */
#include "rows.h"

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_secret.XXXXXX";

#define LONG64   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG256  LONG64 LONG64 LONG64 LONG64
#define LONG1024 LONG256 LONG256 LONG256 LONG256

struct row {
    const char *name;
    const char *text;
    size_t len; /* 0: of text as a string */
    mode_t mode;
    const char *want; /* NULL: refused */
    const char *why;  /* part of what is said then */
};

static const struct row rows[] = {
    {"one line", "pass\n", 0, 0600, "pass", NULL},
    {"no line end", "pass", 0, 0600, "pass", NULL},
    {"CR LF", "pass\r\n", 0, 0600, "pass", NULL},
    {"more lines", "pass\nother\n", 0, 0600, "pass", NULL},
    {"blanks belong to it", " pa ss \n", 0, 0600, " pa ss ", NULL},
    {"UTF-8", "p\xc3\xa4ss\n", 0, 0600, "p\xc3\xa4ss", NULL},
    {"the group may read", "pass\n", 0, 0640, "pass", NULL},
    {"read only", "pass\n", 0, 0400, "pass", NULL},
    {"longest", LONG1024, 0, 0600, LONG1024, NULL},
    {"longest, with a line end", LONG1024 "\n", 0, 0600, LONG1024, NULL},
    {"too long", LONG1024 "x", 0, 0600, NULL, "too long"},
    {"far too long", LONG1024 LONG1024 LONG1024, 0, 0600, NULL, "too long"},
    {"empty file", "", 0, 0600, NULL, "is empty"},
    {"empty line", "\npass\n", 0, 0600, NULL, "is empty"},
    {"NUL in it", "pa\0ss\n", 6, 0600, NULL, "NUL"},
    {"NUL behind it", "pass\0", 5, 0600, NULL, "NUL"},
    {"NUL in a later line", "pass\nx\0y", 8, 0600, "pass", NULL},
    {"all may read", "pass\n", 0, 0604, NULL, "too many"},
    {"all may write", "pass\n", 0, 0602, NULL, "too many"},
    {"all may enter", "pass\n", 0, 0601, NULL, "too many"},
    {"the group may write", "pass\n", 0, 0660, NULL, "too many"},
};

static const char *path_of(const char *name)
{
    static char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text, size_t len, mode_t mode)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static void is_read(void **state)
{
    const struct row *row = *state;
    struct errtext why = {""};
    write_file("secret", row->text, row->len ? row->len : strlen(row->text), row->mode);
    char *secret = secret_read(path_of("secret"), geteuid(), &why);
    assert_int_equal(secret != NULL, row->want != NULL);
    if (row->want)
        assert_string_equal(secret, row->want);
    else
        assert_non_null(strstr(why.text, row->why));
    assert_int_equal(why.text[0] != '\0', row->want == NULL);
    secret_free(secret);
    (void)unlink(path_of("secret"));
}

static void is_refused(const char *name, const char *part)
{
    struct errtext why = {""};
    assert_null(secret_read(path_of(name), geteuid(), &why));
    assert_non_null(strstr(why.text, part));
    (void)unlink(path_of(name));
}

static void no_file(void **state)
{
    (void)state;
    is_refused("none", "No such file");
}

static void a_link(void **state)
{
    (void)state;
    write_file("target", "pass\n", 5, 0600);
    assert_int_equal(symlink("target", path_of("link")), 0);
    is_refused("link", "symbolic link");
    (void)unlink(path_of("target"));
}

static void no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    is_refused("fifo", "no regular file");
    is_refused("", "no regular file");
}

/* A file of ours that neither root nor the owner named has. */
static void of_somebody_else(void **state)
{
    (void)state;
    struct errtext why = {""};
    uid_t mine = geteuid() ? geteuid() : 12345;
    write_file("secret", "pass\n", 5, 0600);
    if (geteuid() == 0)
        assert_int_equal(chown(path_of("secret"), mine, (gid_t)-1), 0);
    assert_null(secret_read(path_of("secret"), mine + 1, &why));
    assert_non_null(strstr(why.text, "belongs to somebody else"));
    char *secret = secret_read(path_of("secret"), mine, &why);
    assert_non_null(secret);
    secret_free(secret);
    (void)unlink(path_of("secret"));
}

static void nothing_to_free(void **state)
{
    (void)state;
    secret_free(NULL);
}

int main(void)
{
    assert_non_null(mkdtemp(folder));
    ROWS_ADD(rows, is_read);
    ROWS_ADD_TEST("no file", no_file);
    ROWS_ADD_TEST("a symbolic link", a_link);
    ROWS_ADD_TEST("no regular file", no_regular_file);
    ROWS_ADD_TEST("of somebody else", of_somebody_else);
    ROWS_ADD_TEST("nothing to free", nothing_to_free);
    int failed = rows_main();
    (void)rmdir(folder);
    return failed;
}
