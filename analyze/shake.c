// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/shake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ONE_LEVEL = 64,
    ROW_STRIDE = 4, // every fourth row and second pixel has edges enough
    COLUMN_STRIDE = 2,
    MIN_GRADIENT = 6, // levels over two pixels; flat places say nothing
    CLIP_LEVELS = 30, // a larger difference is a thing, or says no more than this
    MIN_SAMPLES = 60,
    ROUNDS = 5,
};
// Less is not worth undoing; more than this the method does not find.
static const double min_pixels = 0.2, max_pixels = 6;
// How much smaller the remaining difference must be to believe it.
static const double better = 0.85;

// Sums over the samples: of the gradient's products, of gradient times difference, of difference.
struct sums {
    double xx, xy, yy, xr, yr, rest;
    int samples;
};

static struct sums add_up(const uint8_t *pixels, const int16_t *mean, int width, int height)
{
    struct sums sums = {0};

    for (int y = 1 + ROW_STRIDE; y < height - 1 - ROW_STRIDE; y += ROW_STRIDE) {
        int64_t xx = 0, xy = 0, yy = 0, xr = 0, yr = 0, rest = 0;
        for (int x = 8; x < width - 8; x += COLUMN_STRIDE) {
            const int16_t *m = mean + y * width + x;
            const int gx = (m[1] - m[-1]) / ONE_LEVEL, gy = (m[width] - m[-width]) / ONE_LEVEL;
            if (abs(gx) + abs(gy) < MIN_GRADIENT)
                continue;
            const int difference = pixels[y * width + x] - m[0] / ONE_LEVEL;
            const int r = difference > CLIP_LEVELS    ? CLIP_LEVELS
                          : difference < -CLIP_LEVELS ? -CLIP_LEVELS
                                                      : difference;
            xx += gx * gx;
            xy += gx * gy;
            yy += gy * gy;
            xr += gx * r;
            yr += gy * r;
            rest += abs(r);
            sums.samples++;
        }
        sums.xx += (double)xx;
        sums.xy += (double)xy;
        sums.yy += (double)yy;
        sums.xr += (double)xr;
        sums.yr += (double)yr;
        sums.rest += (double)rest;
    }
    return sums;
}

// One step towards the displacement. Returns false when the picture's edges cannot say (all of them
// run in one direction).
static bool step(struct gw_shake *shake, const struct sums *sums)
{
    const double determinant = sums->xx * sums->yy - sums->xy * sums->xy;

    if (sums->samples < MIN_SAMPLES || determinant < 0.02 * sums->xx * sums->yy)
        return false;
    // Gradients were taken over two pixels.
    shake->dx -= 2 * (sums->yy * sums->xr - sums->xy * sums->yr) / determinant;
    shake->dy -= 2 * (sums->xx * sums->yr - sums->xy * sums->xr) / determinant;
    return fabs(shake->dx) <= max_pixels && fabs(shake->dy) <= max_pixels;
}

bool gw_shake_measure(struct gw_shake *ret, const uint8_t *pixels, const int16_t *mean, int width,
                      int height, uint8_t *scratch)
{
    struct gw_shake shake = {0};
    struct sums sums = add_up(pixels, mean, width, height);
    const double rest_before = sums.rest;

    for (int round = 0; round < ROUNDS; round++) {
        const struct gw_shake last = shake;
        if (!step(&shake, &sums))
            return false;
        if (round == 0 && hypot(shake.dx, shake.dy) < min_pixels / 2)
            return false;
        gw_shake_undo(&shake, pixels, scratch, width, height);
        sums = add_up(scratch, mean, width, height);
        if (hypot(shake.dx - last.dx, shake.dy - last.dy) < 0.05)
            break;
    }
    if (hypot(shake.dx, shake.dy) < min_pixels || sums.rest > better * rest_before)
        return false;
    *ret = shake;
    return true;
}

static int clamp(int value, int limit)
{
    return value < 0 ? 0 : value > limit ? limit : value;
}

// Bilinear, in sixteenths of a pixel.
void gw_shake_undo(const struct gw_shake *shake, const uint8_t *restrict pixels,
                   uint8_t *restrict out, int width, int height)
{
    const int dx16 = (int)lround(shake->dx * 16), dy16 = (int)lround(shake->dy * 16);
    const int dx = (int)floor(dx16 / 16.0), dy = (int)floor(dy16 / 16.0);
    const int fx = dx16 - dx * 16, fy = dy16 - dy * 16;
    const int left = clamp(-dx, width), right = clamp(width - 1 - dx, width);

    for (int y = 0; y < height; y++) {
        const uint8_t *restrict top = pixels + clamp(y + dy, height - 1) * width;
        const uint8_t *restrict bottom = pixels + clamp(y + dy + 1, height - 1) * width;
        uint8_t *restrict row = out + y * width;
        for (int x = left; x < right; x++) {
            const int upper = (16 - fx) * top[x + dx] + fx * top[x + dx + 1];
            const int lower = (16 - fx) * bottom[x + dx] + fx * bottom[x + dx + 1];
            row[x] = (uint8_t)(((16 - fy) * upper + fy * lower + 128) >> 8);
        }
        for (int x = 0; x < left; x++)
            row[x] = top[0];
        for (int x = right; x < width; x++)
            row[x] = top[width - 1];
    }
}
