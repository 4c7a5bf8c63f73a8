/* sendas-milter(8): reads the command line and leaves the rest to app. */
#include "app.h"
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static int usage(void)
{
    (void)fputs("usage: sendas-milter [-c FILE] [-f] [-t] [-V]\n"
                "  -c FILE  configuration (" CONF_DEFAULT_FILE ")\n"
                "  -f       stay in the foreground and log to standard error\n"
                "  -t       check the configuration: exit 0, or 78 and what is wrong\n"
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
    bool check = false;
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
            check = true;
            break;
        case 'V':
            return print_version();
        default:
            return usage();
        }
    }
    if (optind != argc)
        return usage();
    return check ? app_check(options.file) : app_run(&options);
}
