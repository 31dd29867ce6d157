// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch plan-media: the sandboxed half of media_planner.h. Not for people.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "app/cli.h"
#include "app/media_planner.h"
#include "app/sandbox.h"
#include "app/sandbox_build.h"
#include "app/verbs.h"
#include "core/error.h"
#include "storage/join_wire.h"

#define CPU_LIMIT_S  50
#define FILE_LIMIT   (GW_JOIN_MADE * 2) // of each of the two files in memory
#define MEMORY_LIMIT (1 << 30)          // addresses; libraries take a third of it

static const char help[] =
    "usage: gridwatch plan-media --store DIR\n"
    "\n"
    "Joins clips for the hub and for gridwatch export, which start it; people never need it.\n";

static int find_store(int argc, char **argv, const char **ret)
{
    static const struct option options[] = {
        {"store", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct stat status;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's': *ret = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("plan-media", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (!*ret || optind < argc || fstat(GW_PLAN_RESULT_FD, &status) < 0 ||
        fstat(GW_PLAN_MADE_FD, &status) < 0)
        return gw_cli_usage("plan-media", "it is started by gridwatch itself");
    return -1;
}

// Whatever a clip's bytes make of this process: it ends, and does not fill the memory.
static void limit(void)
{
    const struct rlimit cpu = {CPU_LIMIT_S, CPU_LIMIT_S}, file = {FILE_LIMIT, FILE_LIMIT},
                        memory = {MEMORY_LIMIT, MEMORY_LIMIT};
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_FSIZE, &file);
    if (!SANITIZED) // sanitizers reserve terabytes
        setrlimit(RLIMIT_AS, &memory);
}

static int join(const char *store)
{
    struct gw_join_request request;
    struct gw_clip *clips;
    struct gw_join join;
    int result = gw_join_receive_request(GW_PLAN_REQUEST_FD, &request, &clips);
    if (result < 0)
        return result;
    result = gw_join_make(&join, store, &request, GW_PLAN_MADE_FD);
    free(clips);
    if (result < 0)
        return result;
    result = gw_join_send(GW_PLAN_RESULT_FD, &join);
    gw_join_finish(&join);
    return result;
}

int gw_verb_plan_media(int argc, char **argv)
{
    const struct gw_log log = {.name = "plan-media"};
    struct gw_sandbox_config sandbox = {.door_fd = -1, .reads_only = true, .log = &log};
    int code = find_store(argc, argv, &sandbox.store);
    if (code >= 0)
        return code;
    gw_log_setup(GW_LOG_ERROR, false); // what the sandbox cannot do, the workers have said
    limit();
    gw_sandbox_files(&sandbox);
    gw_sandbox_calls(&sandbox);
    int result = join(sandbox.store);
    return result < 0 ? gw_cli_fail("cannot join clips: %s", gw_strerror(result)) : GW_EXIT_OK;
}
