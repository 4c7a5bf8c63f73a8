/*
 * How fast a senders file of 100,000 lines is loaded, how much memory it takes, and how many
 * look-ups a second it answers: median, lowest and highest of several runs.
 *
 * Use: bench_dir_file [LINES]
 */
#include "dir_file.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS = 9, LOOKUPS = 200000 };

static const struct login_rules login_rules = {.fold_case = true, .default_domain = "example.net"};
static const struct addr_rules addr_rules = {.fold_local_part = true, .delimiters = "+"};

/* ---- figures ---- */

struct series {
    double values[RUNS];
    size_t count;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_series(const char *what, struct series *s)
{
    qsort(s->values, s->count, sizeof s->values[0], by_value);
    printf("%-12s median %10.0f, lowest %10.0f, highest %10.0f a second (%zu runs)\n", what,
           s->values[s->count / 2], s->values[0], s->values[s->count - 1], s->count);
}

static double seconds_since(uint64_t start)
{
    return (double)(clock_now(&clock_real) - start) / (double)CLOCK_S;
}

static size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* ---- what is measured ---- */

static void write_senders(const char *file, unsigned lines)
{
    FILE *f = fopen(file, "w");
    if (!f)
        exit(1);
    for (unsigned i = 0; i < lines; i++)
        (void)fprintf(f, "first.last%u@example.net  user%u@example.net\n", i, i);
    if (fclose(f) != 0)
        exit(1);
}

static void print_fault(void *context, const char *file, unsigned line, const char *what)
{
    (void)context;
    (void)fprintf(stderr, "%s:%u: %s\n", file, line, what);
}

static struct dir *load(const char *file)
{
    struct dir *dir = dir_create(&(struct dir_conf){.max_waiting = 1, .clock = &clock_real});
    struct dir_backend *backend = dir_file_open(
        &(struct dir_file_conf){
            .name = "bench", .file = file, .login_rules = &login_rules, .addr_rules = &addr_rules},
        print_fault, NULL);
    if (!backend || !dir_add(dir, backend))
        exit(1);
    return dir;
}

static void look_up(struct dir *dir, unsigned user)
{
    char name[64];
    (void)snprintf(name, sizeof name, "user%u@example.net", user);
    struct dir_question question = {
        .principal = {.kind = PRINCIPAL_SASL,
                      .login = {.name = name, .local = name, .domain = "example.net"}}};
    struct dir_lookup *lookup = dir_start(dir, &question);
    struct account_answer *answer = dir_join(lookup, 0);
    if (answer->status != ACCOUNT_FOUND)
        exit(1);
    dir_lookup_release(lookup);
    account_answer_unref(answer);
}

static void measure(const char *file, unsigned lines)
{
    struct series loads = {.count = 0}, lookups = {.count = 0};
    size_t bytes = 0;
    for (unsigned run = 0; run < RUNS; run++) {
        size_t before = heap_in_use();
        uint64_t start = clock_now(&clock_real);
        struct dir *dir = load(file);
        loads.values[loads.count++] = lines / seconds_since(start);
        bytes = heap_in_use() - before;
        start = clock_now(&clock_real);
        for (unsigned i = 0; i < LOOKUPS; i++)
            look_up(dir, (i * 7919U) % lines);
        lookups.values[lookups.count++] = LOOKUPS / seconds_since(start);
        dir_destroy(dir);
    }
    print_series("lines", &loads);
    print_series("look-ups", &lookups);
    printf("%-12s %.1f MB in use, %.0f bytes a line\n", "memory", (double)bytes / 1e6,
           (double)bytes / lines);
}

int main(int argc, char **argv)
{
    unsigned lines = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    char folder[] = "/tmp/bench_dir_file.XXXXXX", file[64];
    if (lines == 0 || !mkdtemp(folder))
        return 1;
    (void)snprintf(file, sizeof file, "%s/senders", folder);
    write_senders(file, lines);
    measure(file, lines);
    (void)unlink(file);
    (void)rmdir(folder);
    return 0;
}
