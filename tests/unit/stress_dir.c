/*
 * Many threads ask a front with file, slow and failing directories, and join, drop or overrun
 * their lookups, while the configuration is published anew all the time. Run it under TSan. TAP
 * on standard output.
 */
#include "dir_fail.h"
#include "dir_file.h"
#include "snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 32, ROUNDS = 400, USERS = 200, PUBLISHED_MIN = 20, KINDS = 9 };

/* The directories of a question, and what must come of it. */
static const struct kind {
    const char *name;
    const char *directories[3];
    size_t count;
    uint64_t budget;
    bool dropped; /* never joined */
    bool unknown_login;
    bool may_be_late; /* what is asked for may not have arrived */
    enum account_status want, missing;
    size_t lists;
} kinds[KINDS] = {
    {"a file", {"file"}, 1, 0, .want = ACCOUNT_FOUND, .missing = ACCOUNT_FOUND, .lists = 1},
    {"a file and one that is down",
     {"file", "down"},
     2,
     0,
     .want = ACCOUNT_FOUND,
     .missing = ACCOUNT_UNAVAILABLE,
     .lists = 1},
    {"a file and a broken one",
     {"file", "broken"},
     2,
     0,
     .want = ACCOUNT_FOUND,
     .missing = ACCOUNT_MISCONFIGURED,
     .lists = 1},
    {"one that is down",
     {"down"},
     1,
     0,
     .want = ACCOUNT_UNAVAILABLE,
     .missing = ACCOUNT_UNAVAILABLE},
    {"a login that nobody knows",
     {"file", "slow"},
     2,
     UINT64_MAX,
     .unknown_login = true,
     .want = ACCOUNT_UNKNOWN,
     .missing = ACCOUNT_FOUND},
    {"a slow one",
     {"slow"},
     1,
     UINT64_MAX,
     .want = ACCOUNT_FOUND,
     .missing = ACCOUNT_FOUND,
     .lists = 1},
    {"a file and a slow one",
     {"file", "slow"},
     2,
     UINT64_MAX,
     .want = ACCOUNT_FOUND,
     .missing = ACCOUNT_FOUND,
     .lists = 2},
    {"a slow one, not waited for", {"slow"}, 1, 1000, .may_be_late = true},
    {"a slow one, never joined", {"slow", "down"}, 2, 0, .dropped = true},
};

static char file[] = "/tmp/stress_dir.XXXXXX";
static struct snapshot_slot slot;
static atomic_uint wrong[KINDS];
static atomic_bool stop;

/* ---- configurations ---- */

static void write_senders(void)
{
    int fd = mkstemp(file);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        abort();
    for (unsigned i = 0; i < USERS; i++)
        (void)fprintf(f, "user%u@example.net user%u\n@user%u.example user%u\n", i, i, i, i);
    if (fclose(f) != 0)
        abort();
}

static void no_fault(void *context, const char *name, unsigned line, const char *what)
{
    (void)context;
    (void)fprintf(stderr, "%s:%u: %s\n", name, line, what);
}

static struct dir_backend *open_file(const char *name)
{
    static const struct login_rules logins = {.fold_case = true};
    static const struct addr_rules addresses = {.fold_local_part = true};
    return dir_file_open(&(struct dir_file_conf){.name = name,
                                                 .file = file,
                                                 .login_rules = &logins,
                                                 .addr_rules = &addresses,
                                                 .merge = true},
                         no_fault, NULL);
}

static void add(struct dir *dir, struct dir_backend *backend)
{
    if (!backend || !dir_add(dir, backend))
        abort();
}

static struct snapshot *new_snapshot(void)
{
    struct snapshot *s = snapshot_create();
    s->dir = dir_create(&(struct dir_conf){.max_waiting = THREADS, .clock = &clock_real});
    add(s->dir, open_file("file"));
    add(s->dir, dir_slow_create(open_file("slow"), CLOCK_MS / 5));
    add(s->dir, dir_fail_create("down", ACCOUNT_UNAVAILABLE, "it is off"));
    add(s->dir, dir_fail_create("broken", ACCOUNT_MISCONFIGURED, "it is broken"));
    return s;
}

static void *republish(void *argument)
{
    unsigned *count = argument;
    while (!atomic_load(&stop) || *count < PUBLISHED_MIN) {
        snapshot_publish(&slot, new_snapshot());
        ++*count;
    }
    return NULL;
}

/* ---- questions ---- */

static bool owns(const struct account *account, const char *key)
{
    for (size_t l = 0; l < account->list_count; l++)
        if (account->lists[l].count != 2 || strcmp(account->lists[l].items[0].key, key) != 0 ||
            strcmp(account->lists[l].items[0].attribute, "senders") != 0)
            return false;
    return true;
}

static bool is_right(const struct kind *kind, const struct account_answer *answer, const char *key)
{
    if (kind->may_be_late && answer->status == ACCOUNT_UNAVAILABLE)
        return strstr(answer->why, "no answer in time") != NULL;
    if (kind->may_be_late)
        return answer->status == ACCOUNT_FOUND && owns(&answer->account, key);
    return answer->status == kind->want && answer->missing == kind->missing &&
           answer->account.list_count == kind->lists && owns(&answer->account, key);
}

static void ask(const struct kind *kind, unsigned user)
{
    char name[32], key[64];
    struct snapshot *s = snapshot_get(&slot);
    (void)snprintf(name, sizeof name, "%s%u", kind->unknown_login ? "nobody" : "user", user);
    (void)snprintf(key, sizeof key, "user%u@example.net", user);
    struct dir_lookup *lookup =
        dir_start(s->dir, &(struct dir_question){.principal = {.kind = PRINCIPAL_SASL,
                                                               .login = {name, name, "", NULL}},
                                                 .directories = kind->directories,
                                                 .directory_count = kind->count});
    if (!kind->dropped) {
        struct account_answer *answer = dir_join(lookup, kind->budget);
        if (!is_right(kind, answer, key))
            atomic_fetch_add(&wrong[kind - kinds], 1);
        dir_lookup_release(lookup);
        account_answer_unref(answer);
    } else {
        dir_lookup_release(lookup);
    }
    snapshot_unref(s);
}

static void *work(void *argument)
{
    unsigned seat = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < ROUNDS; i++)
        ask(&kinds[(seat + i) % KINDS], (seat * 31 + i) % USERS);
    return NULL;
}

static int report(unsigned published)
{
    unsigned failed = 0;
    printf("1..%d\n", KINDS + 1);
    for (unsigned i = 0; i < KINDS; i++) {
        unsigned n = atomic_load(&wrong[i]);
        printf("%s %u - %s\n", n ? "not ok" : "ok", i + 1, kinds[i].name);
        failed += n;
    }
    printf("%s %d - configurations were published meanwhile\n",
           published >= PUBLISHED_MIN ? "ok" : "not ok", KINDS + 1);
    return failed > 0 || published < PUBLISHED_MIN;
}

int main(void)
{
    pthread_t threads[THREADS], publisher;
    unsigned published = 0;
    write_senders();
    snapshot_slot_init(&slot);
    snapshot_publish(&slot, new_snapshot());
    if (pthread_create(&publisher, NULL, republish, &published) != 0)
        abort();
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) != 0)
            abort();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    pthread_join(publisher, NULL);
    snapshot_slot_clear(&slot);
    (void)unlink(file);
    return report(published);
}
