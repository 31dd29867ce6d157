// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How fast retention deletes what is due, and what facts pay for it.
//
//   retention_bench STORE
//
// On a store of old clips (aged_store): commits batches of facts at a hub's pace for some seconds
// alone, then beside retention until nothing old is left, and prints both latencies as JSON.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/retention_thread.h"
#include "core/clock.h"
#include "storage/marks.h"

#define PACE_US  (10 * 1000) // between commits
#define ALONE_US (5 * GW_SECOND)
#define LIMIT_US (1800 * GW_SECOND)

enum { FACTS = 5, MOST = 400000 }; // of one commit: 500 events a second

static struct gw_index *index_;
static int64_t latencies[MOST];
static int count;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "retention_bench: %s: %s\n", what, why);
    exit(1);
}

static void commit_batch(void)
{
    struct gw_fact_entry entries[FACTS] = {0};
    const int64_t now_us = gw_wall_us();

    for (int i = 0; i < FACTS; i++) {
        struct gw_fact *fact = &entries[i].fact;
        fact->kind = GW_FACT_EVENT_OPENED;
        fact->wall_us = now_us;
        fact->event = (struct gw_event){.id = gw_id_make(now_us),
                                        .start_us = now_us,
                                        .end_us = now_us,
                                        .confirmed_us = now_us,
                                        .score = 0.5,
                                        .snapshot_us = GW_NO_TIME,
                                        .clock_offset_us = GW_NO_TIME};
        snprintf(fact->event.camera, sizeof(fact->event.camera), "cam-%04d", i);
    }
    const int64_t begun_us = gw_mono_us();
    if (gw_index_commit(index_, entries, FACTS) < 0)
        die("commit", gw_index_error(index_));
    if (count < MOST)
        latencies[count++] = gw_mono_us() - begun_us;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_latencies(const char *name)
{
    qsort(latencies, (size_t)count, sizeof(latencies[0]), compare);
    printf("\"%s\": {\"commits\": %d, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}", name,
           count, (double)latencies[count / 2] / 1000, (double)latencies[count * 99 / 100] / 1000,
           (double)latencies[count - 1] / 1000);
    count = 0;
}

// Commits at the hub's pace until then, or until done() says so.
static void commit_until(int64_t end_us, bool (*done)(void *opaque), void *opaque)
{
    for (int64_t next_us = gw_mono_us(); next_us < end_us && !done(opaque); next_us += PACE_US) {
        const int64_t wait_us = next_us - gw_mono_us();
        if (wait_us > 0) {
            const struct timespec wait = {.tv_nsec = wait_us * 1000};
            nanosleep(&wait, NULL);
        }
        commit_batch();
    }
}

static bool never(void *opaque)
{
    return false;
}

// The walk is over when a pass began with nothing to do: nothing new is deleted for a while.
struct watch {
    struct gw_retention_thread *thread;
    int64_t want;
};

static bool all_gone(void *opaque)
{
    const struct watch *watch = opaque;
    struct gw_retention_report report;
    gw_retention_thread_report(watch->thread, &report);
    return (int64_t)report.deleted[GW_NOUN_CLIP][GW_DELETED_EXPIRED] >= watch->want &&
           report.garbage == 0;
}

int main(int argc, char **argv)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_reserve reserve;
    struct watch watch = {0};

    if (argc != 3)
        die("usage", "retention_bench STORE CLIPS");
    watch.want = atoll(argv[2]);
    if (gw_index_open(&index_, argv[1], GW_INDEX_WRITE, "640323", error) < 0)
        die("index", error);
    gw_reserve_init(&reserve, argv[1], 0);
    printf("{");
    commit_until(gw_mono_us() + ALONE_US, never, NULL);
    print_latencies("alone");
    const struct gw_retention_config config = {
        .store = argv[1],
        .division = "640323",
        .rules = {.floor_us = 30 * GW_DAY_US, .ceiling_us = 90 * GW_DAY_US},
        .min_free_bytes = 1,
        .reserve = &reserve};
    const int64_t begun_us = gw_mono_us();
    if (gw_retention_thread_create(&watch.thread, &config, error) < 0)
        die("retention", error);
    commit_until(begun_us + LIMIT_US, all_gone, &watch);
    const double took_s = (double)(gw_mono_us() - begun_us) / GW_SECOND;
    struct gw_retention_report report;
    gw_retention_thread_report(watch.thread, &report);
    gw_retention_thread_destroy(&watch.thread);
    printf(", ");
    print_latencies("beside");
    printf(", \"clips\": %llu, \"events\": %llu, \"seconds\": %.1f, \"clips_per_s\": %.0f}\n",
           (unsigned long long)report.deleted[GW_NOUN_CLIP][GW_DELETED_EXPIRED],
           (unsigned long long)report.deleted[GW_NOUN_EVENT][GW_DELETED_EXPIRED], took_s,
           (double)report.deleted[GW_NOUN_CLIP][GW_DELETED_EXPIRED] / took_s);
    gw_index_close(&index_);
    gw_reserve_finish(&reserve);
    return (int64_t)report.deleted[GW_NOUN_CLIP][GW_DELETED_EXPIRED] < watch.want;
}
