// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the camera's exposure, a cloud or a codec's keyframe did to the whole picture.
//
//   background.c -> [exposure] -> background.c
//
// Auto exposure maps dark and bright levels by one smooth curve. The curve is measured as the
// median difference between picture and background within each of 16 bands of background level: the
// median does not see an object that covers less than half of a band, and a band whose offset jumps
// away from its neighbours' is held back. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { GW_EXPOSURE_BANDS = 16 };

struct gw_exposure {
    uint16_t histogram[GW_EXPOSURE_BANDS][512]; // difference + 256
    uint16_t second[GW_EXPOSURE_BANDS][512];    // half of the samples, until they are added
    int samples;
    double levels;      // mean size of the correction
    int16_t curve[257]; // by background level, what to add; 1/64 levels
};

// mean in 1/64 levels. Returns whether there is something to correct, and the correction explains
// the picture better than none.
bool gw_exposure_measure(struct gw_exposure *exposure, const uint8_t *pixels, const int16_t *mean,
                         int width, int height);

// Moves every value (1/64 levels) along the curve.
void gw_exposure_apply(const struct gw_exposure *exposure, int16_t *values, int count);
