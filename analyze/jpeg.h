// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// JPEG files from decoded pictures, by libjpeg-turbo, straight from the YUV planes.
//
//   snapshot.c -> [jpeg]
//
// JPEG wants full-range 8-bit planes. A picture of 8-bit planes is brought to full range, masked and
// compressed in strips of 16 rows, so that no second picture is needed; any other one (10 bit, a
// thumbnail) passes libswscale once before that. There is no RGB in between.
// Any thread; nothing is kept between calls.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "analyze/zones.h"
#include "core/frame.h"

// A file in memory.
struct gw_jpeg {
    uint8_t *bytes; // NULL when empty
    size_t size;
};

// Compresses a picture, reduced to at most max_width pixels wide. What zones masks is painted
// black; zones may be NULL. *ret must be empty; the caller frees it with gw_jpeg_free(). Returns 0,
// -ENOMEM, or AVERROR_EXTERNAL for a picture that cannot be converted.
int gw_jpeg_make(struct gw_jpeg *ret, const struct gw_frame *frame, const struct gw_zones *zones,
                 int max_width, int quality);

// Empties it. Accepts an empty one.
void gw_jpeg_free(struct gw_jpeg *jpeg);
