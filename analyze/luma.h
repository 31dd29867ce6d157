// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The small grey picture that motion is found in: a decoded picture's luma, area averaged.
//
//   decode.c -> [luma] -> motion.c
//
// Averaging takes sensor noise down by the square root of the pixels that went into one, and costs
// one pass over the luma plane. Used by one thread at a time.
#pragma once

#include <stdint.h>

#include "core/frame.h"

struct gw_luma {
    int width, height; // of the small picture; 0 before the first
    uint8_t *pixels;   // width * height, no padding
    int source_width, source_height;
    uint16_t *row; // sums of source columns over the rows of one small row; one more that is 0
    int *column;   // width + 1: where small column x begins in the source
};

void gw_luma_init(struct gw_luma *luma);
void gw_luma_finish(struct gw_luma *luma);

// Reduces frame's luma to at most max_width pixels wide, keeping its shape; a smaller picture stays
// as large as it is. Accepts 8-bit and 9- to 16-bit planar YUV and grey in any stride (also
// negative). Returns 1 when the small picture has another size than before, 0 otherwise, -ENOMEM,
// or AVERROR_PATCHWELCOME for a pixel format without a luma plane.
int gw_luma_reduce(struct gw_luma *luma, const struct gw_frame *frame, int max_width);
