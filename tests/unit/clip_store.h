// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A store of a test's own with clips in it, which the clip writer wrote.
#pragma once

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "storage/clip_writer.h"
#include "tests/unit/coded_pictures.h"

#define START_US INT64_C(1777863721120000) // 2026-05-04T03:02:01.120Z

// libx265 2.x keeps some of its own for ever.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265";
}

static char store[PATH_MAX];

static int make_store(void **state)
{
    snprintf(store, sizeof(store), "/tmp/gridwatch-test-XXXXXX");
    return mkdtemp(store) ? 0 : -1;
}

static int remove_store(void **state)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", store);
    return system(command);
}

static inline char *clip_file(char full[PATH_MAX], const struct gw_clip *clip)
{
    char path[GW_MEDIA_PATH_SIZE];
    snprintf(full, PATH_MAX, "%.1000s/%s", store, gw_clip_path(path, clip));
    return full;
}

static inline int64_t file_size(const struct gw_clip *clip)
{
    char path[PATH_MAX];
    struct stat status;
    return stat(clip_file(path, clip), &status) < 0 ? -1 : status.st_size;
}

static inline struct coded_pictures *encode(const char *encoder, int count, int gop, int b_frames,
                                            int64_t start_us)
{
    struct coded_pictures_config config = {encoder, count, 25, gop, b_frames, start_us, 0};
    struct coded_pictures *pictures = coded_pictures_make(&config);
    if (!pictures) {
        print_message("libavcodec has no %s here\n", encoder);
        skip();
    }
    assert_int_equal(pictures->count, count);
    return pictures;
}

static inline struct gw_clip new_clip(int64_t clock_offset_us)
{
    struct gw_clip clip = {
        .id = gw_id_make(START_US), .camera = "gate-07", .clock_offset_us = clock_offset_us};
    return clip;
}

// A clip of the pictures from first on, at most count of them, up to where its writer was told that
// it ends or (finish false) died.
static inline struct gw_clip record_part(const struct coded_pictures *pictures, int first,
                                         int count, int64_t clock_offset_us)
{
    struct gw_clip clip = new_clip(clock_offset_us);
    struct gw_clip_writer *writer;
    assert_int_equal(gw_clip_writer_create(&writer, store, &clip, &pictures->packets[first]), 0);
    for (int i = first; i < pictures->count && i < first + count; i++)
        assert_int_equal(gw_clip_writer_write(writer, &pictures->packets[i]), 0);
    assert_int_equal(gw_clip_writer_finish(&writer, &clip), 0);
    return clip;
}

static inline struct gw_clip record(const struct coded_pictures *pictures)
{
    return record_part(pictures, 0, pictures->count, GW_NO_TIME);
}
