// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch index rebuild: the index made again from the fact journal and the clip files.

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/site_files.h"
#include "app/verbs.h"
#include "core/error.h"
#include "storage/index_rebuild.h"

static const char help[] = "usage: gridwatch index rebuild [--store DIR] [-c FILE]\n"
                           "\n"
                           "Makes the index again: events, clips and gaps from the fact journal, "
                           "clips that no fact tells\n"
                           "of from their files, cameras and case holds from the old index if it "
                           "can be read. The old one\n"
                           "stays as index.db.old. The site must not run meanwhile.\n"
                           "\n"
                           "  --store DIR, -c FILE  another store, another configuration file\n";

static const struct option options[] = {
    {"store", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static void show_progress(void *opaque, const char *what, int64_t done, int64_t total)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (total)
        fprintf(stderr, "\r%s: %" PRId64 " of %" PRId64 " (%d %%) ", what, done, total,
                (int)(done * 100 / total));
    else
        fprintf(stderr, "\r%s: %" PRId64 "                  ", what, done);
}

static int rebuild(const struct gw_config *config)
{
    struct gw_rebuild how = {
        .store = config->store, .division = config->division, .progress = show_progress};
    struct gw_rebuild_result result;
    char error[GW_INDEX_ERROR_SIZE];
    int lock;

    int failed = gw_site_lock(config->store, &lock);
    if (failed == GW_ERROR_BUSY)
        return gw_cli_fail("a site is using the store %s; stop it first", config->store);
    if (failed)
        return gw_cli_fail("cannot lock the store %s: %s", config->store, gw_strerror(failed));
    failed = gw_index_rebuild(&how, &result, error);
    close(lock);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    if (failed)
        return gw_cli_fail("%s", error);
    printf("the index was made again: %" PRIu64 " facts, %" PRId64
           " clips taken over by their files\n",
           result.facts, result.found);
    if (result.unreadable)
        printf("%" PRId64 " files under %s/media are no clips that can be read; they were left "
               "where they are\n",
               result.unreadable, config->store);
    if (!result.registry)
        printf("cameras and case holds are lost: %s; import the camera sheet again: gridwatch "
               "camera import FILE\n",
               result.why_not);
    return GW_EXIT_OK;
}

int gw_verb_index(int argc, char **argv)
{
    const char *store = NULL, *file = NULL;
    struct gw_config config;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1)
        switch (option) {
        case 's': store = optarg; break;
        case 'c': file = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        case ':': return gw_cli_usage("index", "%s needs a value", argv[optind - 1]);
        default: return gw_cli_usage("index", "there is no option %s", argv[optind - 1]);
        }
    if (optind == argc)
        return gw_cli_usage("index", "a word is missing: rebuild");
    if (strcmp(argv[optind], "rebuild") != 0)
        return gw_cli_usage("index", "there is no \"%s\"", argv[optind]);
    if (optind + 1 < argc)
        return gw_cli_usage("index", "one word too many");
    const int result = gw_cli_config(&config, file, store);
    return result ? result : rebuild(&config);
}
