// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch worker: one ingest worker. `gridwatch serve` starts its own; this is how it does it.

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/process.h"
#include "app/verbs.h"
#include "app/worker.h"
#include "core/error.h"
#include "core/log.h"

static const char help[] =
    "usage: gridwatch worker --hub ENDPOINT --store DIR [--name NAME] [--threads N]\n"
    "                        [--log-level LEVEL] [--log-format text|json] [--end-with-parent]\n"
    "                        [--door-fd N] [--workers N]\n"
    "\n"
    "Connects to a hub's worker socket and runs the cameras that the hub assigns to it.\n"
    "\n"
    "  --hub ENDPOINT     the hub's socket, ipc:///run/gridwatch/workers\n"
    "  --store DIR        the site's store; clips and snapshots are written below it\n"
    "  --name NAME        shown in logs (default: worker)\n"
    "  --threads N        decoding threads (default 1)\n"
    "  --end-with-parent  stop in good order when the process that started this one is gone\n"
    "  --workers N        it is one of so many (default 1), which together do not press one host\n"
    "  --door-fd N        an inherited descriptor, by which the hub hands over connections;\n"
    "                     without it the worker makes them itself\n";

static const struct option options[] = {
    {"hub", required_argument, NULL, 'h'},
    {"store", required_argument, NULL, 's'},
    {"name", required_argument, NULL, 'n'},
    {"threads", required_argument, NULL, 't'},
    {"log-level", required_argument, NULL, 'l'},
    {"log-format", required_argument, NULL, 'f'},
    {"end-with-parent", no_argument, NULL, 'p'},
    {"door-fd", required_argument, NULL, 'd'},
    {"workers", required_argument, NULL, 'w'},
    {"help", no_argument, NULL, '?' + 128},
    {0},
};

// The number of a socket that this process was given; programs that it starts do not get it. -1
// when it is none.
static int find_door(const char *text)
{
    char *end;
    long fd = strtol(text, &end, 10);
    int type;
    socklen_t size = sizeof(type);

    if (*end || end == text || fd <= STDERR_FILENO || fd > INT_MAX ||
        getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
        return -1;
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

int gw_verb_worker(int argc, char **argv)
{
    struct gw_worker_config config = {.name = "worker", .threads = 1, .workers = 1, .door_fd = -1};
    const char *door = NULL;
    int level = GW_LOG_INFO, json = 0, option;
    pid_t parent = getppid();

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'h': config.hub = optarg; break;
        case 's': config.store = optarg; break;
        case 'n': config.name = optarg; break;
        case 't': config.threads = atoi(optarg); break;
        case 'l': level = gw_log_level_from_name(optarg); break;
        case 'f': json = optarg[0] == 'j'; break;
        case 'd': door = optarg; break;
        case 'w': config.workers = atoi(optarg); break;
        case 'p':
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() != parent) // it went before the line above
                return GW_EXIT_FAILED;
            break;
        case '?' + 128: fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("worker", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gw_cli_usage("worker", "unexpected \"%s\"", argv[optind]);
    if (!config.hub || !config.store)
        return gw_cli_usage("worker", "--hub and --store are needed");
    if (config.threads < 1 || config.threads > 256)
        return gw_cli_usage("worker", "--threads takes 1 to 256");
    if (config.workers < 1 || config.workers > 256)
        return gw_cli_usage("worker", "--workers takes 1 to 256");
    if (level < 0)
        return gw_cli_usage("worker", "--log-level takes error, warning, info, debug or trace");
    if (door && (config.door_fd = find_door(door)) < 0)
        return gw_cli_usage("worker", "--door-fd takes a descriptor of the hub, which starts its "
                                      "workers itself");
    gw_log_setup((enum gw_log_level)level, json);
    gw_process_prepare();
    return gw_worker_run(&config);
}
