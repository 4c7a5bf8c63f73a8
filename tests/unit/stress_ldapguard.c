/* ldapguard: a wait ends at its deadline and not before, whatever becomes of the descriptor. */
#include "rows.h"

#include "clock.h"
#include "ldapguard.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 32, ROUNDS = 100 };

static uint64_t in(uint64_t time)
{
    return clock_now(&clock_real) + time;
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* What a blocked reader gets: 0 when its socket was shut down under it. */
static void read_comes_back(void **state)
{
    (void)state;
    struct ldapguard guard;
    int pair[2];
    char octet;
    make_pair(pair);
    uint64_t deadline = in(50 * CLOCK_MS);
    ldapguard_begin(&guard, deadline);
    ldapguard_socket(&guard, pair[0]);
    assert_int_equal(read(pair[0], &octet, 1), 0);
    assert_true(clock_now(&clock_real) >= deadline);
    ldapguard_end(&guard);
    close_pair(pair);
}

static void socket_that_comes_late(void **state)
{
    (void)state;
    struct ldapguard guard;
    int pair[2];
    char octet;
    make_pair(pair);
    ldapguard_begin(&guard, in(0));
    ldapguard_socket(&guard, pair[0]);
    assert_int_equal(read(pair[0], &octet, 1), 0);
    ldapguard_end(&guard);
    close_pair(pair);
}

static void last_socket_counts(void **state)
{
    (void)state;
    struct ldapguard guard;
    int first[2], second[2];
    char octet;
    make_pair(first);
    make_pair(second);
    ldapguard_begin(&guard, in(50 * CLOCK_MS));
    ldapguard_socket(&guard, first[0]);
    ldapguard_socket(&guard, second[0]);
    assert_int_equal(read(second[0], &octet, 1), 0);
    assert_int_equal(write(first[1], "x", 1), 1);
    assert_int_equal(read(first[0], &octet, 1), 1);
    ldapguard_end(&guard);
    close_pair(first);
    close_pair(second);
}

/* The library closes its descriptor, and the number is another file's by then. */
static void descriptor_that_is_used_again(void **state)
{
    (void)state;
    struct ldapguard guard;
    int pair[2], other[2];
    char octet;
    make_pair(pair);
    ldapguard_begin(&guard, in(50 * CLOCK_MS));
    ldapguard_socket(&guard, pair[0]);
    make_pair(other);
    assert_int_equal(dup2(other[0], pair[0]), pair[0]);
    assert_int_equal(read(pair[1], &octet, 1), 0); /* the end of the guarded one */
    assert_int_equal(write(other[1], "x", 1), 1);
    assert_int_equal(read(other[0], &octet, 1), 1);
    ldapguard_end(&guard);
    close_pair(pair);
    close_pair(other);
}

/* A guard that has ended touches nothing: every round's own octet arrives. */
static void *many_rounds(void *failed)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ldapguard guard;
        int pair[2];
        char octet = 0;
        bool fires = i % 10 == 0;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            abort();
        ldapguard_begin(&guard, in(fires ? 2 * CLOCK_MS : 60 * CLOCK_S));
        ldapguard_socket(&guard, pair[0]);
        if (fires && read(pair[0], &octet, 1) != 0)
            atomic_store((atomic_bool *)failed, true);
        ldapguard_end(&guard);
        if (!fires && (write(pair[1], "x", 1) != 1 || read(pair[0], &octet, 1) != 1))
            atomic_store((atomic_bool *)failed, true);
        close_pair(pair);
    }
    return NULL;
}

static void from_many_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_bool failed = false;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_rounds, &failed), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&failed));
}

int main(void)
{
    ROWS_ADD_TEST("a read comes back at the deadline", read_comes_back);
    ROWS_ADD_TEST("a socket that comes after the deadline", socket_that_comes_late);
    ROWS_ADD_TEST("the last socket counts", last_socket_counts);
    ROWS_ADD_TEST("a descriptor that is used again", descriptor_that_is_used_again);
    ROWS_ADD_TEST("from many threads", from_many_threads);
    return rows_main();
}
