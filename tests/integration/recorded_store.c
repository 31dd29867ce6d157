// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A store in which two cameras were recorded, for tests of what is done with recordings; within a
// second, without cameras or a site.
//
//   recorded_store DIR   -> "START_US", the time of the first picture
//
// gate-07: pictures 0 to 249 of 25 a second with a keyframe each second, in three clips: 0-99;
// 80-179, of another session, with B-frames; and after a gap 200-249. An hour later 50 pictures
// more, and after them 50 in H.265. yard-01: one clip of 100 pictures at the beginning. Both are
// switched off.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <libavutil/log.h>

#include "core/clock.h"
#include "storage/clip_writer.h"
#include "storage/index.h"
#include "storage/media.h"
#include "tests/unit/coded_pictures.h"

#define START_US  INT64_C(1777863721120000) // 2026-05-04T03:02:01.120Z
#define FRAME_US  INT64_C(40000)
#define OFFSET_US INT64_C(-250000) // of the camera's clock

static struct gw_index *idx;
static const char *store;
static struct gw_id boot;
static uint64_t boot_seq;

// libx265 2.x keeps some of its own for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

static void check(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "recorded_store: %s: %d\n", what, result);
    exit(1);
}

static void commit(const struct gw_fact *fact)
{
    const struct gw_fact_entry entry = {boot, ++boot_seq, *fact};
    check(gw_index_commit(idx, &entry, 1), "commit");
}

static void add_camera(const char *id, const char *name, const char *division, const char *grid)
{
    struct gw_camera camera = {.enabled = false,
                               .lon = 106.421,
                               .lat = 37.785,
                               .view = {.heading_deg = 90, .fov_deg = 62.5, .range_m = 80}};
    snprintf(camera.id, sizeof(camera.id), "%s", id);
    snprintf(camera.name, sizeof(camera.name), "%s", name);
    snprintf(camera.division, sizeof(camera.division), "%s", division);
    snprintf(camera.grid, sizeof(camera.grid), "%s", grid);
    snprintf(camera.record_url, sizeof(camera.record_url), "rtsp://192.0.2.1/%s", id);
    check(gw_index_put_camera(idx, &camera), "camera");
}

static void record(const char *camera, const char *encoder, int first, int count, int b_frames,
                   int64_t later_us)
{
    const struct coded_pictures_config config = {
        encoder, count, 25, 25, b_frames, START_US + first * FRAME_US + later_us, 30};
    struct coded_pictures *pictures = coded_pictures_make(&config);
    struct gw_fact fact = {.kind = GW_FACT_CLIP_OPENED};
    struct gw_clip *clip = &fact.clip;
    struct gw_clip_writer *writer;
    check(pictures ? 0 : -1, encoder);
    clip->id = gw_id_make(config.start_us / 1000 * 1000);
    clip->clock_offset_us = OFFSET_US;
    snprintf(clip->camera, sizeof(clip->camera), "%s", camera);
    check(gw_clip_writer_create(&writer, store, clip, &pictures->packets[0]), "clip");
    fact.wall_us = clip->start_us;
    commit(&fact);
    for (int i = 0; i < count; i++)
        check(gw_clip_writer_write(writer, &pictures->packets[i]), "picture");
    check(gw_clip_writer_finish(&writer, clip), "end of clip");
    clip->clock_offset_us = OFFSET_US;
    fact.kind = GW_FACT_CLIP_CLOSED;
    fact.wall_us = clip->end_us;
    commit(&fact);
    coded_pictures_free(pictures);
}

static void add_gap(const char *camera, int64_t from_us, int64_t to_us)
{
    const struct gw_coverage_news news[] = {
        {"", GW_COVERAGE_BEGAN, GW_GAP_NONE, START_US, 0},
        {"", GW_COVERAGE_HOLE, GW_GAP_SLOW_NETWORK, from_us, to_us}};
    for (int i = 0; i < 2; i++) {
        struct gw_fact fact = {.kind = GW_FACT_COVERAGE, .wall_us = to_us, .coverage = news[i]};
        snprintf(fact.coverage.camera, sizeof(fact.coverage.camera), "%s", camera);
        commit(&fact);
    }
}

// With a snapshot, which is none that a viewer shows.
static void add_event(const char *camera, int64_t start_us)
{
    static const uint8_t picture[] = {0xff, 0xd8, 0xff, 0xd9};
    struct gw_fact fact = {.kind = GW_FACT_EVENT_OPENED, .wall_us = start_us};
    char path[GW_MEDIA_PATH_SIZE];
    fact.event = (struct gw_event){.id = gw_id_make(start_us),
                                   .start_us = start_us,
                                   .end_us = start_us + GW_SECOND,
                                   .confirmed_us = start_us,
                                   .snapshot_us = start_us,
                                   .score = 0.9,
                                   .clock_offset_us = OFFSET_US};
    snprintf(fact.event.camera, sizeof(fact.event.camera), "%s", camera);
    commit(&fact);
    fact.kind = GW_FACT_EVENT_CLOSED;
    fact.event.state = GW_EVENT_CLOSED;
    commit(&fact);
    check(
        gw_media_write(store, gw_event_snapshot_path(path, &fact.event), picture, sizeof(picture)),
        "snapshot");
}

int main(int argc, char **argv)
{
    char error[GW_INDEX_ERROR_SIZE];
    av_log_set_level(AV_LOG_QUIET);
    if (argc != 2) {
        fprintf(stderr, "usage: recorded_store DIR\n");
        return 2;
    }
    store = argv[1];
    mkdir(store, 0700);
    check(gw_index_open(&idx, store, GW_INDEX_WRITE, "640323", error), error);
    boot = gw_id_make(START_US);
    add_camera("gate-07", "东门 East gate", "640323101", "004");
    add_camera("yard-01", "Yard", "640323102", "");
    record("gate-07", "libx264", 0, 100, 0, 0);
    record("gate-07", "libx264", 80, 100, 2, 0);
    record("yard-01", "libx264", 0, 100, 0, 0);
    add_event("gate-07", START_US + 3 * GW_SECOND);
    add_gap("gate-07", START_US + 180 * FRAME_US, START_US + 200 * FRAME_US);
    record("gate-07", "libx264", 200, 50, 0, 0);
    record("gate-07", "libx264", 0, 50, 0, 3600 * GW_SECOND);
    record("gate-07", "libx265", 50, 50, 0, 3600 * GW_SECOND);
    gw_index_close(&idx);
    printf("%lld\n", (long long)START_US);
    return 0;
}
