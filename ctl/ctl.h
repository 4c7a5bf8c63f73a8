/*
 * ctl - what the subcommands of sendasctl(1) have in common
 *
 * Each subcommand is one file and one row of the table in main.c. run() gets the command line from
 * the subcommand on, argv[0] being "sendasctl SUBCOMMAND" for messages, and returns an exit code.
 * Output goes to standard output, complaints to standard error.
 */
#ifndef SENDAS_CTL_H
#define SENDAS_CTL_H

#include "attr.h"

#include <jansson.h>
#include <stdbool.h>

enum ctl_exit {
    CTL_YES = 0,        /* accepted, granted */
    CTL_NO = 1,         /* refused, not granted */
    CTL_USAGE = 64,     /* the command line, or a file that it names */
    CTL_NO_ANSWER = 75, /* cannot tell now */
    CTL_CONFIG = 78,    /* the configuration */
};

int ctl_check(int argc, char **argv);
int ctl_session(int argc, char **argv);

/* "NAME: text" and where help is to be had; returns CTL_USAGE. */
int ctl_usage_error(const char *name, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;

/* Any bytes as a JSON string: those that are not UTF-8 as Latin-1. NULL gives null. */
json_t *ctl_json_text(const char *text) MUST_USE;
/* One object, indented, and its end: the object is freed. */
void ctl_json_print(json_t *object);

/* Puts value (taken over) under key, or at the end. */
void ctl_json_put(json_t *object, const char *key, json_t *value);
void ctl_json_append(json_t *array, json_t *value);

struct conf;
/* Faults and warnings go to standard error as FILE:LINE: text. NULL for the default file. */
struct conf *ctl_conf_load(const char *file) MUST_USE;

#endif
