// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A store of a test's own, with an index in it.
#pragma once

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "storage/index.h"

#define TEST_START_US INT64_C(1777863721120000) // 2026-05-04T03:02:01.120Z

static char store[PATH_MAX];
static struct gw_index *idx;

static struct gw_index *open_index(enum gw_index_mode mode)
{
    struct gw_index *index;
    char error[GW_INDEX_ERROR_SIZE];
    if (gw_index_open(&index, store, mode, "640323", error) < 0) {
        print_error("%s\n", error);
        fail();
    }
    return index;
}

static int make_store(void **state)
{
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    if (!mkdtemp(store))
        return -1;
    idx = open_index(GW_INDEX_WRITE);
    return 0;
}

static int remove_store(void **state)
{
    char command[PATH_MAX + 16];
    gw_index_close(&idx);
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

static inline struct gw_camera make_camera(const char *id, const char *division, const char *grid)
{
    struct gw_camera camera = {.enabled = true, .lon = NAN, .lat = NAN};
    snprintf(camera.id, sizeof(camera.id), "%s", id);
    snprintf(camera.name, sizeof(camera.name), "The camera %s", id);
    snprintf(camera.division, sizeof(camera.division), "%s", division);
    snprintf(camera.grid, sizeof(camera.grid), "%s", grid);
    snprintf(camera.record_url, sizeof(camera.record_url), "rtsp://192.0.2.1/%s", id);
    return camera;
}

static inline struct gw_event make_event(const char *camera, int64_t start_us, int64_t end_us)
{
    struct gw_event event = {
        .id = gw_id_make(start_us),
        .start_us = start_us,
        .end_us = end_us,
        .confirmed_us = start_us + 300000,
        .score = 0.83,
        .box = {0.41, 0.3, 0.12, 0.25},
        .zone_count = 1,
        .zones = {"gate"},
        .snapshot_us = start_us + 400000,
    };
    snprintf(event.camera, sizeof(event.camera), "%s", camera);
    return event;
}

static inline struct gw_clip make_clip(const char *camera, int64_t start_us, int64_t end_us)
{
    struct gw_clip clip = {
        .id = gw_id_make(start_us),
        .start_us = start_us,
        .end_us = end_us,
        .size_bytes = 812345,
        .frames = 412,
        .codec = "h264",
        .width = 1920,
        .height = 1080,
    };
    snprintf(clip.camera, sizeof(clip.camera), "%s", camera);
    return clip;
}

static inline int commit_event(enum gw_fact_kind kind, const struct gw_event *event)
{
    struct gw_fact_entry entry = {.fact = {.kind = kind, .wall_us = event->end_us}};
    entry.fact.event = *event;
    return gw_index_commit(idx, &entry, 1);
}

static inline int commit_clip(enum gw_fact_kind kind, const struct gw_clip *clip)
{
    struct gw_fact_entry entry = {.fact = {.kind = kind, .wall_us = clip->end_us}};
    entry.fact.clip = *clip;
    return gw_index_commit(idx, &entry, 1);
}
