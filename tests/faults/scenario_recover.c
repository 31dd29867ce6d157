// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a site does at its start about what an earlier run left behind: hub.c, strays.c and disk.c,
// without the processes between.

#include <stdio.h>

#include "core/error.h"
#include "storage/clip_writer.h"
#include "tests/faults/scenario.h"

enum { MOST = 200 };

static int close_clips(struct gw_index *index, const char *store, int64_t now_us)
{
    static struct gw_clip clips[MOST];
    int count = gw_index_unfinished_clips(index, NULL, clips, MOST), result = count;
    for (int i = 0; result >= 0 && i < count; i++) {
        struct gw_fact_entry entry = {
            .fact = {.kind = GW_FACT_CLIP_CLOSED, .wall_us = now_us, .clip = clips[i]}};
        result = gw_clip_repair(store, &entry.fact.clip);
        if (!result)
            result = gw_index_commit(index, &entry, 1);
    }
    return result < 0 ? result : 0;
}

static int close_events(struct gw_index *index, int64_t now_us)
{
    static struct gw_event events[MOST];
    int count = gw_index_unfinished_events(index, NULL, events, MOST), result = count;
    for (int i = 0; result >= 0 && i < count; i++) {
        struct gw_fact_entry entry = {
            .fact = {.kind = GW_FACT_EVENT_CLOSED, .wall_us = now_us, .event = events[i]}};
        entry.fact.event.state = GW_EVENT_CLOSED;
        entry.fact.event.interrupted = true;
        result = gw_index_commit(index, &entry, 1);
    }
    return result < 0 ? result : 0;
}

// A worker of the new run has its first picture now.
static int begin_again(struct gw_index *index, int64_t now_us)
{
    const struct gw_id boot = gw_id_make(now_us);
    const struct gw_fact_entry entry = {
        .boot = boot,
        .boot_seq = 1,
        .fact = {.kind = GW_FACT_COVERAGE,
                 .wall_us = now_us,
                 .coverage = {SCENARIO_CAMERA, GW_COVERAGE_BEGAN, GW_GAP_NONE, now_us, now_us}}};
    int result = gw_index_settle_coverage(index, &boot, 1, now_us);
    return result ? result : gw_index_commit(index, &entry, 1);
}

static int settle(struct gw_index *index, const char *store, int64_t now_us)
{
    int result = gw_index_settle_coverage(index, NULL, 0, now_us);
    if (!result)
        result = close_events(index, now_us);
    if (!result)
        result = close_clips(index, store, now_us);
    return result ? result : begin_again(index, now_us);
}

int scenario_recover(const char *store, int64_t now_us)
{
    struct gw_index *index;
    char error[GW_INDEX_ERROR_SIZE];
    scenario_set_clock(now_us);
    int result = gw_index_open(&index, store, GW_INDEX_WRITE, "640323", error);
    if (result < 0) {
        fprintf(stderr, "%s\n", error);
        return result;
    }
    result = settle(index, store, now_us);
    if (result < 0)
        fprintf(stderr, "%s: %s\n", gw_strerror(result), gw_index_error(index));
    gw_index_close(&index);
    return result;
}
