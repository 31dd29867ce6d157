// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch check-config: every mistake in a configuration file, a line each.

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/verbs.h"
#include "core/error.h"

static const char help[] =
    "usage: gridwatch check-config [-c FILE]\n"
    "       gridwatch check-config --example | --reference\n"
    "\n"
    "Says what is wrong with a configuration file, each mistake as FILE:LINE:COLUMN: what; what to "
    "do.\n"
    "Exit code 0 when nothing is, 78 otherwise.\n"
    "\n"
    "  -c, --config FILE  the file (default " GW_CONFIG_FILE ")\n"
    "  --example          print a file with every key, its default and its meaning\n"
    "  --reference        print the same as a table in Markdown\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"example", no_argument, NULL, 'e'},
    {"reference", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

// What is allowed and yet hardly what somebody wants.
static void warn_off(const char *file)
{
    struct gw_config config;
    char error[GW_CONFIG_ERROR_SIZE];

    if (gw_config_load(&config, file, error) == 0 && !strcmp(config.analysis_level, "off"))
        fprintf(stderr,
                "%s: analysis.level is off: no events are found, and cameras in record mode "
                "\"events\" record nothing; give them mode continuous, or choose level auto\n",
                file);
}

static int check(const char *file)
{
    if (!file && access(GW_CONFIG_FILE, F_OK) < 0) {
        puts("there is no " GW_CONFIG_FILE "; the defaults are used");
        return GW_EXIT_OK;
    }
    file = file ? file : GW_CONFIG_FILE;
    int mistakes = gw_config_check(file, stderr);
    if (mistakes < 0)
        fprintf(stderr, "gridwatch: %s: %s; name another file with -c\n", file,
                gw_strerror(mistakes));
    if (mistakes)
        return GW_EXIT_CONFIG;
    warn_off(file);
    printf("%s: ok\n", file);
    return GW_EXIT_OK;
}

int gw_verb_check_config(int argc, char **argv)
{
    const char *file = NULL;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'c': file = optarg; break;
        case 'e': gw_config_print_example(stdout); return GW_EXIT_OK;
        case 'r': gw_config_print_reference(stdout); return GW_EXIT_OK;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("check-config", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gw_cli_usage("check-config", "unexpected \"%s\"; the file goes behind -c",
                            argv[optind]);
    return check(file);
}
