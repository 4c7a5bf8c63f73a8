/*
 * texts - long literals for tests at the edge of a limit
 */
#ifndef TESTS_TEXTS_H
#define TESTS_TEXTS_H

/* A literal as span initialiser; NUL bytes inside count. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X63  X50 X10 "xxx"
#define X64  X63 "x"
#define X100 X50 X50

#endif
