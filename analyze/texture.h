// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whether a place has another structure than its background, or only another brightness.
//
//   background.c -> [texture] -> motion.c
//
// A shadow, a cloud, a lamp or headlights on a wall multiply what is there by a factor that changes
// smoothly from place to place: every edge of the background stays, weaker or stronger, and none is
// added. A thing hides edges and brings its own. So the step from pixel to pixel is compared with
// the background's, made stronger by as much as the place is brighter now, and differs when more is
// left than half of the stronger of the two (so light that halves is explained; the same idea as
// the ratio tests of Horprasert, Harwood and Davis, FRAME-RATE 1999, and Jacques, Jung and Musse,
// SIBGRAPI 2005) and more than noise. What is out of focus, such as an insect or a flake of snow
// close to the lens, has no edges either, and in what is burnt out none can be seen.
// Any thread; nothing is kept.
#pragma once

#include <stdint.h>

// A picture, its background (mean and deviation, 1/64 levels), of the same size.
struct gw_texture {
    int width, height;
    const uint8_t *pixels;
    const int16_t *mean, *deviation;
};

// How much of another structure the rectangle has, in pixels' worth (a step of four levels each),
// at most all of its pixels. It is as small as a block, so that one light falls on all of it. The
// picture's outermost pixels have none.
int gw_texture_count(const struct gw_texture *texture, int left, int top, int right, int bottom);
