// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch user: people's way into the console. Works on the store, with or without a running
// site.
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "app/verbs.h"
#include "console/console.h"
#include "core/clock.h"
#include "core/error.h"

#define DEFAULT_MINUTES 10
#define MAX_MINUTES     1440

static const char help[] =
    "usage: gridwatch user login [--store DIR] [-c FILE] [--valid MINUTES]\n"
    "\n"
    "Prints a link that signs one browser in to the console, once. The session it opens lasts 12\n"
    "hours or until it is signed out. Looking at footage in it is written to the audit log.\n"
    "\n"
    "  -c, --config FILE    configuration (default " GW_CONFIG_FILE ", if it exists)\n"
    "      --store DIR      the site's store, instead of the configured one\n"
    "      --valid MINUTES  how long the link may be used, 1 to 1440 (default 10)\n"
    "  -h, --help           this text\n";

struct login_options {
    const char *config, *store;
    long minutes;
};

static bool parse_minutes(const char *text, long *ret)
{
    char *end;
    long minutes = strtol(text, &end, 10);

    if (end == text || *end || minutes < 1 || minutes > MAX_MINUTES)
        return false;
    *ret = minutes;
    return true;
}

// Returns -1 to go on, else the exit code.
static int parse_options(int argc, char **argv, struct login_options *ret)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"store", required_argument, NULL, 's'},
        {"valid", required_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) >= 0) {
        switch (option) {
        case 'c': ret->config = optarg; break;
        case 's': ret->store = optarg; break;
        case 'v':
            if (!parse_minutes(optarg, &ret->minutes))
                return gw_cli_usage("user", "--valid takes 1 to %d minutes, not \"%s\"",
                                    MAX_MINUTES, optarg);
            break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("user", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    return -1;
}

static int login(const struct login_options *options)
{
    struct gw_config config;
    char code[GW_LOGIN_CODE_SIZE], link[GW_LOGIN_LINK_SIZE];
    int result = gw_cli_config(&config, options->config, options->store);

    if (result != 0)
        return result;
    result = gw_console_make_login(config.store, options->minutes * 60 * GW_SECOND, code);
    if (result == -ENOENT)
        return gw_cli_fail("there is no store in %s; start the site first, or say --store DIR",
                           config.store);
    if (result < 0)
        return gw_cli_fail("cannot write a login to %s/console.db: %s", config.store,
                           gw_strerror(result));
    puts(gw_console_login_link(link, config.console_listen, code));
    return GW_EXIT_OK;
}

int gw_verb_user(int argc, char **argv)
{
    struct login_options options = {.minutes = DEFAULT_MINUTES};
    int code = parse_options(argc, argv, &options);

    if (code >= 0)
        return code;
    if (optind >= argc)
        return gw_cli_usage("user", "says what to do: login");
    if (strcmp(argv[optind], "login"))
        return gw_cli_usage("user", "cannot \"%s\"; it can: login", argv[optind]);
    if (optind + 1 < argc)
        return gw_cli_usage("user", "login takes no \"%s\"", argv[optind + 1]);
    return login(&options);
}
