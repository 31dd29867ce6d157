// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/snapshot.h"

#include <limits.h>
#include <math.h>

// Thumbnails fit the queue's column.
enum { THUMBNAIL_WIDTH = 320, PICTURE_QUALITY = 85, THUMBNAIL_QUALITY = 75 };
// Better by less is not worth compressing and sending again.
static const double clearly_better = 1.2;
// What the picture's edge cuts off is not seen whole.
static const double cut_off = 0.6;

void gw_snapshot_taker_init(struct gw_snapshot_taker *taker)
{
    *taker = (struct gw_snapshot_taker){0};
}

void gw_snapshot_taker_finish(struct gw_snapshot_taker *taker)
{
    gw_frame_unref(&taker->best);
    gw_jpeg_free(&taker->picture);
    gw_jpeg_free(&taker->thumbnail);
    gw_snapshot_taker_init(taker);
}

void gw_snapshot_taker_forget(struct gw_snapshot_taker *taker)
{
    gw_snapshot_taker_finish(taker);
}

double gw_snapshot_quality(const struct gw_box *box, double sharpness)
{
    // Nothing is gained by being larger than a quarter of the picture.
    const double size = sqrt(fmin(box->w * box->h, 0.25));
    const bool cut = box->x <= 0 || box->y <= 0 || box->x + box->w >= 1 || box->y + box->h >= 1;

    return size * (1 + sharpness) * (cut ? cut_off : 1);
}

void gw_snapshot_taker_offer(struct gw_snapshot_taker *taker, const struct gw_frame *frame,
                             const struct gw_box *box, double quality)
{
    struct gw_frame handle = {0};

    if (quality <= taker->best_quality * clearly_better || gw_frame_ref(&handle, frame) < 0)
        return;
    gw_frame_unref(&taker->best);
    gw_frame_move(&taker->best, &handle);
    taker->best_box = *box;
    taker->best_quality = quality;
}

int gw_snapshot_taker_take(struct gw_snapshot_taker *taker, const struct gw_zones *zones,
                           struct gw_box *ret_box, int64_t *ret_wall_us)
{
    struct gw_jpeg picture = {0}, thumbnail = {0};

    if (!taker->best.av)
        return 0;
    int error = gw_jpeg_make(&picture, &taker->best, zones, INT_MAX, PICTURE_QUALITY);
    if (error == 0)
        error = gw_jpeg_make(&thumbnail, &taker->best, zones, THUMBNAIL_WIDTH, THUMBNAIL_QUALITY);
    if (error < 0) {
        gw_jpeg_free(&picture);
        return error;
    }
    gw_jpeg_free(&taker->picture);
    gw_jpeg_free(&taker->thumbnail);
    taker->picture = picture;
    taker->thumbnail = thumbnail;
    *ret_box = taker->best_box;
    *ret_wall_us = taker->best.wall_us;
    gw_frame_unref(&taker->best);
    return 1;
}
