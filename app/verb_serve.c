// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch serve: runs a site, the hub and its workers.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/camera_url.h"
#include "app/cli.h"
#include "app/hub.h"
#include "app/verbs.h"
#include "core/error.h"
#include "core/log.h"

static const char help[] =
    "usage: gridwatch serve [-c FILE] [--store DIR] [--camera URL]…\n"
    "\n"
    "Runs a site: index, bus, console and the workers that connect to the cameras.\n"
    "Stops in good order on SIGTERM and Ctrl-C: open clips are closed and indexed.\n"
    "\n"
    "  -c, --config FILE  configuration (default " GW_CONFIG_FILE ", if it exists)\n"
    "  --store DIR        where index and media are (default from the configuration)\n"
    "  --camera URL       register this camera too, rtsp://[user:password@]host[:port]/path, or\n"
    "                     enable it, if the URL is registered; repeatable;\n"
    "                     `gridwatch camera add -` keeps the password out of the command line\n"
    "\n"
    "Prints, a line each, the console's address, a one-time login link, the bus, and \"ready\".\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"store", required_argument, NULL, 's'},
    {"camera", required_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct request {
    const char *file, *store;
    struct gw_camera *cameras;
    int count;
};

static int add_camera(struct request *request, const char *url)
{
    struct gw_camera *cameras =
        realloc(request->cameras, (size_t)(request->count + 1) * sizeof(*cameras));
    if (!cameras)
        abort();
    request->cameras = cameras;
    if (gw_camera_from_url(&cameras[request->count], url) < 0) {
        char shown[GW_URL_SIZE];
        gw_url_redact(url, shown, sizeof(shown));
        return gw_cli_usage(
            "serve",
            "--camera %s: this is no camera URL; it looks like rtsp://user:password@host/path",
            shown);
    }
    request->count++;
    return 0;
}

// Returns -1 to go on, else an exit code.
static int parse_options(int argc, char **argv, struct request *request)
{
    int option, code;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'c': request->file = optarg; break;
        case 's': request->store = optarg; break;
        case 'u':
            if ((code = add_camera(request, optarg)))
                return code;
            break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("serve", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gw_cli_usage("serve", "unexpected \"%s\"", argv[optind]);
    return -1;
}

// Workers and sockets must find the store wherever they run.
static void make_absolute(char path[PATH_MAX])
{
    char folder[PATH_MAX], relative[PATH_MAX];
    if (*path == '/' || !getcwd(folder, sizeof(folder)))
        return;
    strcpy(relative, path);
    if (snprintf(path, PATH_MAX, "%s/%s", folder, relative) >= PATH_MAX)
        strcpy(path, relative);
}

int gw_verb_serve(int argc, char **argv)
{
    struct request request = {0};
    struct gw_config config;
    int code = parse_options(argc, argv, &request);

    if (code < 0)
        code = gw_cli_config(&config, request.file, request.store) ? GW_EXIT_CONFIG : -1;
    if (code < 0) {
        gw_url_scrub_arguments(argc, argv);
        make_absolute(config.store);
        gw_log_setup((enum gw_log_level)gw_log_level_from_name(config.log_level),
                     !strcmp(config.log_format, "json"));
        struct gw_hub_config hub = {
            .site = &config, .cameras = request.cameras, .camera_count = request.count};
        code = gw_hub_run(&hub);
    }
    free(request.cameras);
    return code;
}
