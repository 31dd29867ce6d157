// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/clip_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/mathematics.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/mp4_box.h"
#include "storage/mp4_fragments.h"

// All fragments together; times in ticks.
struct sum {
    int64_t frames, end;                   // end: of the last whole fragment in the file
    int64_t first_dts, last_dts, last_pts; // last_pts: of the picture shown last
};

static int add_up(int fd, int64_t size, const struct gw_mp4_header *header, struct sum *sum)
{
    struct gw_mp4_fragments *fragments;
    struct gw_mp4_pictures pictures;
    int result = gw_mp4_fragments_create(&fragments, fd, size, header);
    if (result < 0)
        return result;
    *sum = (struct sum){.end = header->first};
    while ((result = gw_mp4_fragments_next(fragments, &pictures)) > 0) {
        if (!sum->frames)
            sum->first_dts = pictures.dts;
        sum->frames += pictures.count;
        sum->last_dts = pictures.last_dts;
        sum->last_pts = pictures.last_pts;
        sum->end = pictures.offset + pictures.size;
    }
    gw_mp4_fragments_destroy(&fragments);
    return result;
}

// A complete file says when it ends. Of another one the last picture lasts as long as pictures took
// on average, as a repair will say.
static int64_t find_end(const struct gw_mp4_header *header, const struct sum *sum, bool complete)
{
    if (complete)
        return header->duration_ticks;
    if (!sum->frames)
        return 0;
    int64_t interval = GW_MP4_TIMESCALE / 25;
    if (sum->frames > 1)
        interval = (sum->last_dts - sum->first_dts) / (sum->frames - 1);
    return sum->last_pts + interval;
}

static void describe(struct gw_clip *clip, const struct gw_mp4_header *header,
                     const struct sum *sum, bool complete)
{
    *clip = (struct gw_clip){.id = header->id,
                             .state = complete ? GW_CLIP_CLOSED : GW_CLIP_RECORDING,
                             .start_us = header->start_us,
                             .size_bytes = sum->end,
                             .frames = sum->frames,
                             .width = header->width,
                             .height = header->height,
                             .clock_offset_us = header->clock_offset_us};
    memcpy(clip->camera, header->camera, sizeof(clip->camera));
    strcpy(clip->codec, header->codec == GW_MP4_HVC1 ? "h265" : "h264");
    clip->end_us =
        header->start_us + av_rescale(find_end(header, sum, complete), GW_SECOND, GW_MP4_TIMESCALE);
}

// Times of a clip are of our days: whatever is computed with them stays far from the limits.
static bool is_somebody(const struct gw_mp4_header *header)
{
    return !gw_id_is_null(&header->id) && *header->camera && header->start_us >= 0 &&
           header->start_us < INT64_MAX / 4 && header->duration_ticks < INT64_MAX / 4;
}

int gw_clip_identify_file(int fd, struct gw_clip *ret)
{
    struct gw_mp4_header *header = malloc(sizeof(*header));
    struct stat status;
    struct sum sum;
    if (!header)
        return -ENOMEM;
    int result = fstat(fd, &status) < 0 ? -errno : gw_mp4_read_header(fd, header);
    if (!result && !is_somebody(header))
        result = GW_ERROR_INVALID;
    if (!result)
        result = add_up(fd, status.st_size, header, &sum);
    if (!result)
        describe(ret, header, &sum,
                 sum.frames && header->indexed_end == sum.end && sum.end == status.st_size &&
                     header->duration_ticks > 0);
    free(header);
    return result;
}

int gw_clip_identify(const char *store, const char *path, struct gw_clip *ret)
{
    char full[PATH_MAX];
    struct stat status;
    if (snprintf(full, sizeof(full), "%s/%s", store, path) >= (int)sizeof(full))
        return -ENAMETOOLONG;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int result = fstat(fd, &status) < 0    ? -errno
                 : S_ISREG(status.st_mode) ? gw_clip_identify_file(fd, ret)
                                           : GW_ERROR_INVALID;
    close(fd);
    return result;
}
