// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

int gw_cli_usage(const char *verb, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "gridwatch %s: ", verb);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see gridwatch %s --help\n", verb);
    return GW_EXIT_USAGE;
}

int gw_cli_fail(const char *format, ...)
{
    va_list arguments;
    fputs("gridwatch: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return GW_EXIT_FAILED;
}

int gw_cli_config(struct gw_config *ret, const char *file, const char *store)
{
    char error[GW_CONFIG_ERROR_SIZE];

    gw_config_defaults(ret);
    if (!file && access(GW_CONFIG_FILE, F_OK) == 0)
        file = GW_CONFIG_FILE;
    if (file && gw_config_load(ret, file, error) < 0) {
        fprintf(stderr, "gridwatch: %s\n", error);
        return GW_EXIT_CONFIG;
    }
    if (store && (!*store || strlen(store) >= sizeof(ret->store))) {
        fprintf(stderr, "gridwatch: --store: \"%.40s\" is no usable path\n", store);
        return GW_EXIT_CONFIG;
    }
    if (store)
        strcpy(ret->store, store);
    return 0;
}
