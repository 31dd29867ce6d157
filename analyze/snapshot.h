// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// An event's best picture: of those in which it moved, the one where it is large and sharp.
//
//   decode.c, motion.c -> [snapshot: jpeg.c] -> analyzer.c
//
// Holds a handle on at most one decoded picture and compresses only what is reported.
// Used by one thread at a time.
#pragma once

#include <stdbool.h>

#include "analyze/jpeg.h"
#include "core/event.h"

struct gw_snapshot_taker {
    struct gw_frame best; // empty, or better than what was taken
    struct gw_box best_box;
    double best_quality; // of the best picture so far, taken or not; 0 before the first
    struct gw_jpeg picture, thumbnail; // the last taken
};

void gw_snapshot_taker_init(struct gw_snapshot_taker *taker);
void gw_snapshot_taker_finish(struct gw_snapshot_taker *taker);

// Begins anew: the next picture that is offered is the best so far.
void gw_snapshot_taker_forget(struct gw_snapshot_taker *taker);

// How good a picture of something in box it is; larger is better.
double gw_snapshot_quality(const struct gw_box *box, double sharpness);

// Keeps another handle on frame when it is clearly better than the best so far.
void gw_snapshot_taker_offer(struct gw_snapshot_taker *taker, const struct gw_frame *frame,
                             const struct gw_box *box, double quality);

// Compresses the picture that is waiting, and its thumbnail. Returns 1 (then *ret_box and
// *ret_wall_us are of it, and taker->picture and taker->thumbnail stay valid until the next take),
// 0 when none is waiting, or gw_jpeg_make's error.
int gw_snapshot_taker_take(struct gw_snapshot_taker *taker, const struct gw_zones *zones,
                           struct gw_box *ret_box, int64_t *ret_wall_us);
