// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes a store of clips that are old, each with a file of a few bytes: what retention's benchmark
// and tests delete.
//
//   aged_store STORE CAMERAS CLIPS DAYS
//
// CLIPS clips of CAMERAS cameras, a minute each, one after the other; the last one began DAYS days
// ago. One event in ten clips, with its pictures. The newest row is of today, so that the clock is
// believed.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "storage/index.h"

enum { BATCH = 500 };

static const char *store;
static struct gw_index *index_;
static struct gw_fact_entry batch[BATCH];
static int batched;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "aged_store: %s: %s\n", what, why);
    exit(1);
}

static void flush(void)
{
    if (gw_index_commit(index_, batch, batched) < 0)
        die("commit", gw_index_error(index_));
    batched = 0;
}

static void add_fact(const struct gw_fact *fact)
{
    batch[batched++] = (struct gw_fact_entry){.fact = *fact};
    if (batched == BATCH)
        flush();
}

// A clip without a picture, by its boxes; pictures of events are no pictures either.
static const char boxes[] = "\0\0\0\x08"
                            "ftyp"
                            "\0\0\0\x08"
                            "moov"
                            "\0\0\0\x08"
                            "mdat";
enum { CLIP_BYTES = sizeof(boxes) - 1 };

// Nothing is synced: this is no recording.
static void put_file(const char *path)
{
    char full[PATH_MAX];
    snprintf(full, sizeof(full), "%s/%s", store, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 && errno == ENOENT) {
        for (char *slash = full + strlen(store); (slash = strchr(slash + 1, '/'));) {
            *slash = 0;
            mkdir(full, 0750);
            *slash = '/';
        }
        fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    }
    if (fd < 0 || write(fd, boxes, CLIP_BYTES) != CLIP_BYTES)
        die(full, strerror(errno));
    close(fd);
}

static void add_clip(const char *camera, int64_t start_us)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_fact fact = {.kind = GW_FACT_CLIP_CLOSED,
                           .wall_us = start_us,
                           .clip = {.id = gw_id_make(start_us),
                                    .state = GW_CLIP_CLOSED,
                                    .start_us = start_us,
                                    .end_us = start_us + 60 * GW_SECOND,
                                    .size_bytes = CLIP_BYTES,
                                    .frames = 1500,
                                    .codec = "h264",
                                    .width = 1920,
                                    .height = 1080,
                                    .clock_offset_us = GW_NO_TIME}};
    snprintf(fact.clip.camera, sizeof(fact.clip.camera), "%s", camera);
    add_fact(&fact);
    put_file(gw_clip_path(path, &fact.clip));
}

static void add_event(const char *camera, int64_t start_us)
{
    char path[GW_MEDIA_PATH_SIZE];
    struct gw_fact fact = {.kind = GW_FACT_EVENT_CLOSED,
                           .wall_us = start_us,
                           .event = {.id = gw_id_make(start_us),
                                     .state = GW_EVENT_CLOSED,
                                     .start_us = start_us,
                                     .end_us = start_us + 5 * GW_SECOND,
                                     .confirmed_us = start_us,
                                     .score = 0.5,
                                     .snapshot_us = start_us,
                                     .clock_offset_us = GW_NO_TIME}};
    snprintf(fact.event.camera, sizeof(fact.event.camera), "%s", camera);
    add_fact(&fact);
    put_file(gw_event_snapshot_path(path, &fact.event));
    put_file(gw_event_thumbnail_path(path, &fact.event));
}

static void add_cameras(int count)
{
    for (int i = 0; i < count; i++) {
        struct gw_camera camera = {.enabled = false, .lon = NAN, .lat = NAN};
        snprintf(camera.id, sizeof(camera.id), "cam-%04d", i);
        snprintf(camera.name, sizeof(camera.name), "Camera %d", i);
        snprintf(camera.record_url, sizeof(camera.record_url), "rtsp://192.0.2.1/%d", i);
        if (gw_index_put_camera(index_, &camera) < 0)
            die("camera", gw_index_error(index_));
    }
}

int main(int argc, char **argv)
{
    char error[GW_INDEX_ERROR_SIZE], camera[GW_CAMERA_ID_SIZE];

    if (argc != 5)
        die("usage", "aged_store STORE CAMERAS CLIPS DAYS");
    store = argv[1];
    const int cameras = atoi(argv[2]), clips = atoi(argv[3]), days = atoi(argv[4]);
    if (cameras < 1 || clips < 1 || days < 0)
        die("usage", "CAMERAS and CLIPS are numbers from 1 on, DAYS from 0 on");
    const int64_t now_us = gw_wall_us(), newest_us = now_us - days * 86400 * GW_SECOND;
    if (gw_index_open(&index_, store, GW_INDEX_WRITE, "640323", error) < 0)
        die("index", error);
    add_cameras(cameras);
    for (int i = clips - 1; i >= 0; i--) {
        const int64_t start_us = newest_us - i / cameras * 60 * GW_SECOND;
        snprintf(camera, sizeof(camera), "cam-%04d", i % cameras);
        add_clip(camera, start_us);
        if (i % 10 == 0)
            add_event(camera, start_us + GW_SECOND);
    }
    add_clip("cam-0000", now_us - 600 * GW_SECOND);
    batch[batched - 1].fact.wall_us = now_us;
    flush();
    gw_index_close(&index_);
    return 0;
}
