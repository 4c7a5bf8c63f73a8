/* sendasctl(1): picks the subcommand and leaves the rest to it. */
#include "ctl.h"
#include "conf.h"
#include "strbuf.h"
#include "xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"check", ctl_check, "may this login send as these addresses?"},
    {"session", ctl_session, "play an MTA against the milter and show its answers"},
};

static const struct command *command_of(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* ---- what the subcommands share ---- */

int ctl_usage_error(const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "%s: ", name);
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\nTry \"%s --help\".\n", name);
    va_end(args);
    return CTL_USAGE;
}

static json_t *latin1_text(const char *text)
{
    struct arena *a = arena_create();
    struct strbuf utf8;
    strbuf_init(&utf8, a);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c >= 0x80)
            strbuf_add_char(&utf8, (char)(0xc0 | (*c >> 6)));
        strbuf_add_char(&utf8, (char)(*c >= 0x80 ? 0x80 | (*c & 0x3f) : *c));
    }
    json_t *value = json_string(utf8.text);
    arena_destroy(a);
    return value;
}

json_t *ctl_json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    return value ? value : latin1_text(text);
}

void ctl_json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        xalloc_failed();
}

void ctl_json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        xalloc_failed();
}

void ctl_json_print(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    (void)putchar('\n');
    json_decref(object);
}

static void report(void *context, enum conf_severity severity, const char *file, unsigned line,
                   const char *text)
{
    (void)context;
    (void)fprintf(stderr, "%s:", file);
    if (line)
        (void)fprintf(stderr, "%u:", line);
    (void)fprintf(stderr, " %s%s\n", severity == CONF_WARNING ? "warning: " : "", text);
}

struct conf *ctl_conf_load(const char *file)
{
    return conf_load(file ? file : CONF_DEFAULT_FILE, report, NULL);
}

/* ---- the command line ---- */

static int print_help(void)
{
    (void)printf("usage: sendasctl SUBCOMMAND [OPTION...]\n"
                 "       sendasctl --help | --version\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)printf("  %-8s %s\n", commands[i].name, commands[i].summary);
    (void)printf("\n\"sendasctl SUBCOMMAND --help\" says more; so does sendasctl(1).\n"
                 "Exit: 0 yes, 1 no, 64 usage, 75 no answer now, 78 configuration.\n");
    return CTL_YES;
}

static int print_version(void)
{
    (void)printf("sendasctl %s\n", PACKAGE_VERSION);
    return CTL_YES;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    char name[64];
    (void)snprintf(name, sizeof name, "sendasctl %s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return ctl_usage_error("sendasctl", "a subcommand is missing");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return print_version();
    const struct command *command = command_of(argv[1]);
    if (!command)
        return ctl_usage_error("sendasctl", "there is no subcommand \"%s\"", argv[1]);
    return run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int code = run(argc, argv);
    /* An answer that did not arrive is none, whatever it was. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("sendasctl: standard output");
        return CTL_NO_ANSWER;
    }
    return code;
}
