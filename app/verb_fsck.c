// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch fsck: whether a store holds what it must, invariant by invariant.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/site_files.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/fsck.h"

static const char help[] =
    "usage: gridwatch fsck [--repair] [--deep] [--store DIR] [-c FILE]\n"
    "\n"
    "Looks whether index, journal and files of a store agree. What does not hold is a line each:\n"
    "the number of the invariant in docs/design/storage.md, what, where, and what --repair does.\n"
    "Beside a running site it only looks.\n"
    "\n"
    "  --repair           repair what is found; the site must be stopped\n"
    "  --deep             every fact against its row, every fragment of every clip; may take "
    "hours\n"
    "\n"
    "exit codes: 0 all invariants hold, or were made to; 1 some do not\n";

static const struct option options[] = {
    {"repair", no_argument, NULL, 'r'},      {"deep", no_argument, NULL, 'd'},
    {"store", required_argument, NULL, 's'}, {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},        {0},
};

#define PROGRESS_US (GW_SECOND / 5)

struct run {
    bool repair;
    bool tty;       // stderr is one: a bar is drawn
    bool drawn;     // and is there
    int64_t due_us; // mono, when it is drawn again
    int invariant;  // the last one that was told of
};

static void clear_bar(struct run *run)
{
    if (run->drawn)
        fputs("\r\033[K", stderr);
    run->drawn = false;
}

static void show_progress(void *opaque, int invariant, const char *what, int64_t done,
                          int64_t total)
{
    enum { WIDTH = 30 };
    struct run *run = opaque;
    const int64_t now_us = gw_mono_us();
    char bar[WIDTH + 1];

    if (!run->tty) {
        if (invariant != run->invariant)
            fprintf(stderr, "invariant %d: %s\n", invariant, what);
        run->invariant = invariant;
        return;
    }
    if (invariant == run->invariant && now_us < run->due_us)
        return;
    run->invariant = invariant;
    run->due_us = now_us + PROGRESS_US;
    const int full = total > 0 ? (int)(done * WIDTH / total) : 0;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, "\r\033[K%2d %-28s [%s] %" PRId64, invariant, what, bar, done);
    run->drawn = true;
}

static void tell(void *opaque, const struct gw_fsck_finding *finding)
{
    struct run *run = opaque;

    clear_bar(run);
    if (finding->repaired)
        printf("invariant %d: %s; repaired: %s\n", finding->invariant, finding->what,
               finding->cure);
    else if (finding->problem)
        printf("invariant %d: %s; cannot be repaired: %s\n", finding->invariant, finding->what,
               finding->problem);
    else
        printf("invariant %d: %s; with --repair %s\n", finding->invariant, finding->what,
               finding->cure);
}

static int check(struct run *run, const struct gw_config *site, bool deep, bool live)
{
    struct gw_fsck_result result;
    char error[256];
    const struct gw_fsck_config config = {.store = site->store,
                                          .division = site->division,
                                          .live = live,
                                          .repair = run->repair,
                                          .deep = deep,
                                          .opaque = run,
                                          .found = tell,
                                          .progress = show_progress};
    const int code = gw_fsck_run(&config, &result, error);

    clear_bar(run);
    if (code < 0)
        return gw_cli_fail("%s", error);
    if (fflush(stdout) != 0 || ferror(stdout))
        return gw_cli_fail("cannot write: %s", strerror(errno));
    if (!result.found)
        puts("all invariants hold");
    else
        printf("%" PRId64 " found, %" PRId64 " repaired\n", result.found, result.repaired);
    return result.found > result.repaired ? GW_EXIT_FAILED : GW_EXIT_OK;
}

int gw_verb_fsck(int argc, char **argv)
{
    const char *file = NULL, *store = NULL;
    struct gw_config site;
    struct run run = {.tty = isatty(STDERR_FILENO)};
    bool deep = false;
    int option, lock_fd = -1;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1)
        switch (option) {
        case 'r': run.repair = true; break;
        case 'd': deep = true; break;
        case 's': store = optarg; break;
        case 'c': file = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        case ':': return gw_cli_usage("fsck", "%s needs a value", argv[optind - 1]);
        default: return gw_cli_usage("fsck", "there is no option %s", argv[optind - 1]);
        }
    if (optind < argc)
        return gw_cli_usage("fsck", "\"%s\" is one word too many", argv[optind]);
    int code = gw_cli_config(&site, file, store);
    if (code)
        return code;
    const int locked = gw_site_lock(site.store, &lock_fd);
    if (locked == GW_ERROR_BUSY && run.repair)
        return gw_cli_fail("the store %s is in use; stop its site before --repair", site.store);
    if (locked < 0 && locked != GW_ERROR_BUSY)
        return gw_cli_fail("cannot lock the store %s: %s", site.store, gw_strerror(locked));
    code = check(&run, &site, deep, locked == GW_ERROR_BUSY);
    if (lock_fd >= 0)
        close(lock_fd);
    return code;
}
