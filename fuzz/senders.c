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

struct asked {
    struct arena *arena;
    const struct dir_file_conf *conf;
    struct span text; /* of the file */
    struct dir *dir;
    bool plain; /* a login stands in the file as it is, but for letter case */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* From the start of a line to the next one that neither continues it nor is empty or a comment. */
static struct span entry_at(struct span text, unsigned line)
{
    size_t start = 0, end;
    for (; line > 1; line--)
        start += span_find(span_sub(text, start, text.len), '\n') + 1;
    for (end = start; end < text.len;) {
        end += span_find(span_sub(text, end, text.len), '\n') + 1;
        if (end < text.len && !is_blank(text.data[end]) && !strchr("\r\n#", text.data[end]))
            break;
    }
    return span_sub(text, start, end - start);
}

static bool holds(struct span text, const char *word)
{
    for (size_t i = 0; i < text.len; i++)
        if (span_starts_nocase(span_sub(text, i, text.len), word))
            return true;
    return false;
}

/* Up to the first blank outside quotes. */
static struct span key_of(struct span entry)
{
    bool quoted = false;
    size_t len = 0;
    for (; len < entry.len && (quoted || !strchr(" \t\r\n", entry.data[len])); len++) {
        if (entry.data[len] == '"')
            quoted = !quoted;
        else if (quoted && entry.data[len] == '\\')
            len++;
    }
    return span_sub(entry, 0, len);
}

/* The line that it names has its key, and its owner. */
static void check_place(const struct asked *q, const struct grant *grant, const char *login)
{
    static const char prefix[] = FILES_ROOT "senders:";
    FUZZ_CLAIM(strncmp(grant->entry, prefix, sizeof prefix - 1) == 0);
    struct span entry =
        entry_at(q->text, (unsigned)strtoul(grant->entry + sizeof prefix - 1, NULL, 10));
    struct span key = key_of(entry);
    struct grant again;
    struct addr addr;
    if (grant->form == GRANT_BARE) {
        FUZZ_CLAIM(addr_parse(q->arena, q->conf->addr_rules, key, &addr, NULL) == ADDR_BARE);
        again = (struct grant){.form = GRANT_BARE, .key = addr.key};
    } else {
        FUZZ_CLAIM(grant_parse(q->arena, q->conf->addr_rules, key, &again, NULL));
    }
    FUZZ_CLAIM(again.form == grant->form && strcmp(again.key, grant->key) == 0);
    FUZZ_CLAIM(!q->plain || strstr(login, "xn--") || holds(entry, login));
}

/* Written as in a file, it is that grant. */
static void check_grant(const struct asked *q, const struct grant *grant)
{
    struct grant again;
    struct addr addr;
    struct span text = span_of(grant_text(q->arena, grant));
    if (grant->form == GRANT_BARE) {
        FUZZ_CLAIM(addr_parse(q->arena, q->conf->addr_rules, text, &addr, NULL) == ADDR_BARE);
        FUZZ_CLAIM(strcmp(addr.key, grant->key) == 0);
        return;
    }
    FUZZ_CLAIM(grant_parse(q->arena, q->conf->addr_rules, text, &again, NULL));
    FUZZ_CLAIM(again.form == grant->form && strcmp(again.key, grant->key) == 0);
}

static void check_answer(const struct asked *q, const struct account_answer *answer,
                         const char *login)
{
    FUZZ_CLAIM(answer->status == ACCOUNT_FOUND && answer->fresh);
    FUZZ_CLAIM(strcmp(answer->account.name, login) == 0);
    FUZZ_CLAIM(answer->account.list_count == 1 && answer->account.lists[0].count > 0);
    for (size_t i = 0; i < answer->account.lists[0].count; i++) {
        check_grant(q, &answer->account.lists[0].items[i]);
        check_place(q, &answer->account.lists[0].items[i], login);
    }
}

static bool ask(const struct asked *q, const struct login *login)
{
    struct dir_lookup *lookup = dir_start(
        q->dir, &(struct dir_question){.principal = {.kind = PRINCIPAL_SASL, .login = *login}});
    struct account_answer *answer = dir_join(lookup, CLOCK_S);
    bool known = answer->status != ACCOUNT_UNKNOWN;
    dir_lookup_release(lookup);
    if (known)
        check_answer(q, answer, login->name);
    account_answer_unref(answer);
    return known;
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
static void ask_all(const struct asked *q)
{
    struct login stranger = {"nobody-at-all", "nobody-at-all", "", NULL}, login;
    struct span text = q->text;
    FUZZ_CLAIM(holds(text, "obody-at-all") || !ask(q, &stranger));
    for (unsigned i = 0; i < WORDS_ASKED_MAX && text.len; i++) {
        struct span word = next_word(&text);
        if (login_normalise(q->arena, q->conf->login_rules, word, &login, NULL))
            (void)ask(q, &login);
    }
}

static void ask_file(struct asked *q)
{
    struct heard heard = {.lines = count_lines(q->text)};
    struct dir_backend *backend = dir_file_open(q->conf, hear, &heard);
    FUZZ_CLAIM((backend != NULL) == (heard.faults == 0) && heard.faults <= 101);
    if (!backend)
        return;
    q->dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    FUZZ_CLAIM(dir_add(q->dir, backend));
    ask_all(q);
    dir_destroy(q->dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_begin(data, size);
    struct addr_rules addresses = rules_of_addresses(fuzz_octet(&in));
    struct login_rules logins = rules_of_logins(fuzz_octet(&in));
    struct dir_file_conf conf = {.name = "senders",
                                 .file = FILES_ROOT "senders",
                                 .login_rules = &logins,
                                 .addr_rules = &addresses};
    struct asked asked = {.arena = arena_create(), .conf = &conf, .text = fuzz_rest(&in)};
    asked.plain = !logins.default_domain && !logins.rewrite_count;
    files_write("senders", asked.text);
    ask_file(&asked);
    arena_destroy(asked.arena);
    fuzz_end(&in);
    return 0;
}
