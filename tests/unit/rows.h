/*
 * rows - named table rows as cmocka tests, TAP on standard output
 *
 * Use: in main(): ROWS_ADD(table, run) for every table whose rows begin with a member `name`, then
 *   return rows_main(). run gets the row as *state. A plain test is ROWS_ADD_TEST("name", fn).
 */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROWS_MAX = 4096 };
static struct CMUnitTest rows_tests[ROWS_MAX];
static size_t rows_count;

static inline void rows_add(const char *name, CMUnitTestFunction run, const void *row)
{
    assert_true(rows_count < ROWS_MAX);
    rows_tests[rows_count++] = (struct CMUnitTest){
        .name = name, .test_func = run, .initial_state = (void *)(uintptr_t)row};
}

#define ROWS_ADD(table, run)                                                                       \
    do {                                                                                           \
        for (size_t row_ = 0; row_ < sizeof(table) / sizeof((table)[0]); row_++)                   \
            rows_add((table)[row_].name, run, &(table)[row_]);                                     \
    } while (0)

#define ROWS_ADD_TEST(name, run) rows_add(name, run, NULL)

static inline int rows_main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return _cmocka_run_group_tests("rows", rows_tests, rows_count, NULL, NULL);
}

#endif
