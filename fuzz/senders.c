/* senders: the senders file. Input: rules of addresses, rules of logins, the file. */
#include "files.h"
#include "fuzz.h"
#include "rules.h"

#include "dir_file.h"

enum { WORDS_ASKED_MAX = 50 };

struct heard {
    unsigned faults, lines;
};

static void hear(void *context, const char *file, unsigned line, const char *what)
{
    struct heard *h = context;
    h->faults++;
    FUZZ_CLAIM(strcmp(file, FILES_ROOT "senders") == 0);
    FUZZ_CLAIM(line <= h->lines && *what && !strchr(what, '\n'));
}

static unsigned count_lines(struct span text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

/* ---- answers ---- */

/* A grant, written as in a file, is that grant. */
static void check_grant(struct arena *a, const struct addr_rules *rules, const struct grant *grant)
{
    struct grant again;
    struct addr addr;
    const char *text = grant_text(a, grant);
    FUZZ_CLAIM(strncmp(grant->entry, FILES_ROOT "senders:", strlen(FILES_ROOT "senders:")) == 0);
    if (grant->form == GRANT_BARE) {
        FUZZ_CLAIM(addr_parse(a, rules, span_of(text), &addr, NULL) == ADDR_BARE);
        FUZZ_CLAIM(strcmp(addr.key, grant->key) == 0);
        return;
    }
    FUZZ_CLAIM(grant_parse(a, rules, span_of(text), &again, NULL));
    FUZZ_CLAIM(again.form == grant->form && strcmp(again.key, grant->key) == 0);
}

static bool check_answer(struct arena *a, const struct addr_rules *rules,
                         const struct account_answer *answer, const char *login)
{
    if (answer->status == ACCOUNT_UNKNOWN)
        return false;
    FUZZ_CLAIM(answer->status == ACCOUNT_FOUND && answer->fresh);
    FUZZ_CLAIM(strcmp(answer->account.name, login) == 0);
    FUZZ_CLAIM(answer->account.list_count == 1 && answer->account.lists[0].count > 0);
    for (size_t i = 0; i < answer->account.lists[0].count; i++)
        check_grant(a, rules, &answer->account.lists[0].items[i]);
    return true;
}

static bool ask(struct arena *a, const struct addr_rules *rules, struct dir *dir,
                const struct login *login)
{
    struct dir_lookup *lookup = dir_start(dir, &(struct dir_question){.login = *login});
    struct account_answer *answer = dir_join(lookup, CLOCK_S);
    dir_lookup_release(lookup);
    bool found = check_answer(a, rules, answer, login->name);
    account_answer_unref(answer);
    return found;
}

/* ---- questions ---- */

static bool divides(char c)
{
    return c == '\0' || strchr(" \t\n,\"", c) != NULL;
}

static struct span next_word(struct span *text)
{
    size_t start = 0, end = 0;
    while (start < text->len && divides(text->data[start]))
        start++;
    for (end = start; end < text->len && !divides(text->data[end]);)
        end++;
    struct span word = span_sub(*text, start, end - start);
    *text = span_sub(*text, end, text->len);
    return word;
}

/* Every word of the file, as if it were a login, and one that is not there. */
static void ask_all(struct arena *a, const struct dir_file_conf *conf, struct dir *dir,
                    struct span text)
{
    struct login stranger = {"nobody-at-all", "nobody-at-all", "", NULL}, login;
    if (!memmem(text.data, text.len, "obody-at-all", strlen("obody-at-all")))
        FUZZ_CLAIM(!ask(a, conf->addr_rules, dir, &stranger));
    for (unsigned i = 0; i < WORDS_ASKED_MAX && text.len; i++) {
        struct span word = next_word(&text);
        if (login_normalise(a, conf->login_rules, word, &login, NULL))
            (void)ask(a, conf->addr_rules, dir, &login);
    }
}

static void ask_file(struct arena *a, const struct dir_file_conf *conf, struct span text)
{
    struct heard heard = {.lines = count_lines(text)};
    struct dir *dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    struct dir_backend *backend = dir_file_open(conf, hear, &heard);
    FUZZ_CLAIM((backend != NULL) == (heard.faults == 0) && heard.faults <= 101);
    if (backend) {
        FUZZ_CLAIM(dir_add(dir, backend));
        ask_all(a, conf, dir, text);
    }
    dir_destroy(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct arena *a = arena_create();
    struct addr_rules addresses = rules_of_addresses(fuzz_octet(&in));
    struct login_rules logins = rules_of_logins(fuzz_octet(&in));
    struct dir_file_conf conf = {.name = "senders",
                                 .file = FILES_ROOT "senders",
                                 .login_rules = &logins,
                                 .addr_rules = &addresses};
    struct span text = fuzz_rest(&in);
    files_write("senders", text);
    ask_file(a, &conf, text);
    arena_destroy(a);
    fuzz_end(&in);
    return 0;
}
