/* sendas-milter(8): reads the command line and leaves the rest to app. */
#include "app.h"
#include "check.h"
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static int usage(void)
{
    (void)fputs("usage: sendas-milter [-c FILE] [-f] [-t] [-V]\n"
                "       sendas-milter [-c FILE] -t -t [LOGIN...]\n"
                "  -c FILE  configuration (" CONF_DEFAULT_FILE ")\n"
                "  -f       stay in the foreground and log to standard error\n"
                "  -t       check the configuration: exit 0, or 78 and what is wrong\n"
                "  -t -t    ask the directories too, and tell what they say of each LOGIN;\n"
                "           exit 75 where one does not answer\n"
                "  -V       print the version\n",
                stderr);
    return EX_USAGE;
}

static int print_version(void)
{
    return printf("sendas-milter %s\n", app_version()) > 0 ? EX_OK : EX_IOERR;
}

int main(int argc, char **argv)
{
    struct app_options options = {.file = CONF_DEFAULT_FILE};
    unsigned checks = 0;
    int option;
    while ((option = getopt(argc, argv, "c:ftV")) != -1) {
        switch (option) {
        case 'c':
            options.file = optarg;
            break;
        case 'f':
            options.foreground = true;
            break;
        case 't':
            checks++;
            break;
        case 'V':
            return print_version();
        default:
            return usage();
        }
    }
    if (optind != argc && checks < 2)
        return usage();
    if (checks > 1)
        return check_directories(options.file, argv + optind);
    return checks ? check_file(options.file) : app_run(&options);
}
