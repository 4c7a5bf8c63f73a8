/* conf: the configuration file. Input: the file, one that it may include ("other"), and the text of
 * a third, which it may name as "/proc/self/fd/100/list". */
#include "files.h"
#include "fuzz.h"

#include "conf.h"

/* What an input may not do, none of which is for conf_load() to prevent: name a file that is not
 * its own, on which the answer would depend; and include so often that it takes for ever, because
 * libConfuse bounds the depth of includes, but not their number. */
enum { INCLUDES_MAX = 2 };

static bool starts(struct span text, size_t at, const char *with)
{
    return span_equal(span_sub(text, at, strlen(with)), span_of(with));
}

/* Does a path, or the rest of one behind "@file:", begin here? "//" and "/ *" may be comments. */
static bool begins_path(struct span text, size_t at)
{
    static const char from_file[] = "@file:";
    size_t len = sizeof from_file - 1;
    if (at >= len && starts(text, at - len, from_file))
        return true;
    if (text.data[at] != '/')
        return false;
    char before = at ? text.data[at - 1] : '\n';
    if (before == '"' || before == '\'')
        return true;
    return strchr(" \t\r\n(){},=+", before) && !starts(text, at, "//") && !starts(text, at, "/*");
}

static bool stays_at_home(struct span text)
{
    unsigned includes = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (starts(text, i, "..") || (begins_path(text, i) && !starts(text, i, FILES_ROOT)))
            return false;
        includes += starts(text, i, "include");
    }
    return includes <= INCLUDES_MAX;
}

/* ---- faults ---- */

struct heard {
    unsigned faults, warnings;
    unsigned lines; /* of the longest file */
};

static void hear(void *context, enum conf_severity severity, const char *file, unsigned line,
                 const char *text)
{
    struct heard *h = context;
    FUZZ_CLAIM(file && text && *text && line <= h->lines);
    if (severity == CONF_ERROR)
        h->faults++;
    else
        h->warnings++;
}

/* ---- what was loaded ---- */

static void check_policy(const struct policy *policy)
{
    FUZZ_CLAIM(policy->name);
    for (int c = 0; c < CHECK_COUNT; c++)
        FUZZ_CLAIM(policy_check_takes((enum policy_check)c, policy->actions[c]));
}

static void take_line(void *context, const char *text)
{
    unsigned *lines = context;
    FUZZ_CLAIM(strncmp(text, "policy ", strlen("policy ")) == 0);
    ++*lines;
}

static void check_snapshot(const struct snapshot *s)
{
    unsigned lines = 0;
    FUZZ_CLAIM(s->policy_count >= POLICY_BUILTINS && dir_count(s->dir) >= 1);
    FUZZ_CLAIM(s->command_budget >= 100 * CLOCK_MS && s->command_budget <= 25 * CLOCK_S);
    FUZZ_CLAIM(s->max_headers >= 1 && s->max_header_size >= 1024);
    for (size_t i = 0; i < s->policy_count; i++)
        check_policy(&s->policies[i]);
    conf_print_policies(s, take_line, &lines);
    FUZZ_CLAIM(lines == s->policy_count);
}

static bool load(const char *file, unsigned lines)
{
    struct heard heard = {.lines = lines};
    struct conf *conf = conf_load(file, hear, &heard);
    FUZZ_CLAIM((conf != NULL) == (heard.faults == 0));
    if (!conf)
        return false;
    FUZZ_CLAIM(conf->daemon.socket && conf->daemon.user && conf->daemon.log);
    check_snapshot(conf->snapshot);
    conf_free(conf);
    return true;
}

/* What a load that failed leaves behind must not be seen by the next. */
static void check_that_a_good_one_loads(void)
{
    static const char good[] = "include(\"good_too\")\nmode = observe\n";
    static const char good_too[] = "directory \"file\" { file = \"" FILES_ROOT "good_senders\" }\n";
    static bool written;
    if (!written) {
        files_write("good", span_of(good));
        files_write("good_too", span_of(good_too));
        files_write("good_senders", span_of("ann@example.org ann\n"));
        written = true;
    }
    FUZZ_CLAIM(load(FILES_ROOT "good", 2));
}

static unsigned lines_of(struct span text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct span text = fuzz_field(&in), other = fuzz_field(&in), list = fuzz_rest(&in);
    if (stays_at_home(text) && stays_at_home(other)) {
        files_write("main", text);
        files_write("other", other);
        files_write("list", list);
        if (!load(FILES_ROOT "main", lines_of(text) + lines_of(other) + lines_of(list)))
            check_that_a_good_one_loads();
    }
    fuzz_end(&in);
    return 0;
}
