// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The loops over all pixels of a small picture, on their own so that a compiler can turn them into
// vector instructions: the same source is built for every instruction set that pays.
//
//   luma.c, background.c, motion.c -> [loops]
//
// Levels and deviations are in 1/64 grey levels (GW_LOOP_LEVEL): means up to 16320 and reaches up
// to 80 levels add up within 16 bits, so that a loop works on 8 or 16 pixels per instruction.
// Arrays do not overlap. Any thread.
#pragma once

#include <stdint.h>

enum { GW_LOOP_LEVEL = 64 };

// A pixel may be so far from its mean: levels, and deviations on top, up to so many levels; in 1/64
// levels. deviations times a deviation of max_levels must fit 16 bits.
struct gw_loop_reach {
    int16_t levels, deviations, max_levels;
};

// What one step of learning goes of the way to the new value, in 1/32768: 0 .. 32767.
struct gw_loop_shares {
    int16_t fast, mean, deviation;
};

// Sums over the pixels of a row where the background has an edge (levels over two pixels): of the
// gradient's products, of gradient times difference from the background, of the difference.
struct gw_loop_edges {
    int32_t xx, xy, yy, xr, yr, rest, samples;
};

struct gw_loops {
    // out[x] = the mean of pairs pairs of pixels over rows rows, from their sums (luma_pairs.h).
    void (*average_pairs)(int width, const uint16_t *restrict sums, int pairs, int rows,
                          uint8_t *restrict out);

    // What each pixel may look like by itself.
    void (*spread)(int width, const int16_t *restrict mean, const int16_t *restrict deviation,
                   struct gw_loop_reach reach, int16_t *restrict low, int16_t *restrict high);
    // The same, or what its neighbours left and right may look like. width is at least 1.
    void (*widen)(int width, const int16_t *restrict low, const int16_t *restrict high,
                  int16_t *restrict ret_low, int16_t *restrict ret_high);
    // Levels by which a pixel is outside what three rows of low and high allow.
    void (*outside)(int width, const uint8_t *restrict pixels, const int16_t *restrict const low[3],
                    const int16_t *restrict const high[3], uint8_t *restrict ret);
    // Levels by which a pixel is further from mean than it may be.
    void (*away)(int width, const uint8_t *restrict pixels, const int16_t *restrict mean,
                 const int16_t *restrict deviation, struct gw_loop_reach reach,
                 uint8_t *restrict ret);
    // fast learns from the difference. Mean and deviation learn from no more of it than reach.
    void (*learn)(int width, const uint8_t *restrict pixels, struct gw_loop_shares shares,
                  struct gw_loop_reach reach, int16_t *restrict fast, int16_t *restrict mean,
                  int16_t *restrict deviation);

    // For at most 8192 pixels; mean[-1], mean[width] and the rows above and below, stride away, are
    // read. Edges of less than min_gradient levels say nothing; a difference of more than
    // max_difference levels says no more than that.
    struct gw_loop_edges (*edges)(int width, const uint8_t *restrict pixels,
                                  const int16_t *restrict mean, int stride, int16_t min_gradient,
                                  int16_t max_difference);

    // ret[x] = how many of rows rows (at most 255), width bytes apart, are not zero at x.
    void (*count)(int width, int rows, const uint8_t *restrict values, uint8_t *restrict ret);
};

extern const struct gw_loops gw_loops_plain; // what every processor can do
// The fastest that this processor can do; the same result.
const struct gw_loops *gw_loops_best(void);
