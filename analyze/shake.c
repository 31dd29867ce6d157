// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/shake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/loops.h"

enum {
    ONE_LEVEL = GW_LOOP_LEVEL,
    ROW_STRIDE = 4,   // every fourth row has edges enough
    MARGIN = 8,       // pixels left and right that a displaced picture may not show
    MIN_GRADIENT = 6, // levels over two pixels; flat places say nothing
    CLIP_LEVELS = 30, // a larger difference is a thing, or says no more than this
    MIN_SAMPLES = 120,
    ROUNDS = 5,
    MAX_WHOLE = 8, // whole pixels searched in either direction
    MAX_PROFILE = 512,
};
// Less is not worth undoing; more than this the method does not find.
static const double min_pixels = 0.2, max_pixels = 9;
// How much smaller the remaining difference must be to believe it.
static const double better = 0.85;

// Sums over the samples: of the gradient's products, of gradient times difference, of difference.
struct sums {
    double xx, xy, yy, xr, yr, rest;
    int samples;
};

// The background was last used a picture ago and has left the near caches since; rows that are not
// neighbours are not foreseen by the processor.
static void fetch_rows(const int16_t *mean, int width, int first, int count)
{
    enum { CACHE_LINE = 64 / sizeof(*mean) };

    for (int i = 0; i < count * width; i += CACHE_LINE)
        __builtin_prefetch(mean + first * width + i);
}

static struct sums add_up(const uint8_t *pixels, const int16_t *mean, int width, int height)
{
    const struct gw_loops *loops = gw_loops_best();
    struct sums sums = {0};

    if (width <= 2 * MARGIN)
        return sums;
    for (int y = 1 + ROW_STRIDE; y < height - 1 - ROW_STRIDE; y += ROW_STRIDE) {
        const int at = y * width + MARGIN;
        fetch_rows(mean, width, y + ROW_STRIDE - 1, 3);
        const struct gw_loop_edges row = loops->edges(width - 2 * MARGIN, pixels + at, mean + at,
                                                      width, MIN_GRADIENT, CLIP_LEVELS);
        sums.xx += row.xx;
        sums.xy += row.xy;
        sums.yy += row.yy;
        sums.xr += row.xr;
        sums.yr += row.yr;
        sums.rest += row.rest;
        sums.samples += row.samples;
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

// Means along every column or row, without their common mean: what is left of the picture when seen
// from one side.
struct profile {
    int count;
    int pixels[MAX_PROFILE], mean[MAX_PROFILE]; // 1/64 levels
};

static void take_profile(struct profile *profile, const uint8_t *pixels, const int16_t *mean,
                         int count, int step_along, int other_count, int step_across)
{
    int64_t sum_pixels = 0, sum_mean = 0;

    profile->count = count < MAX_PROFILE ? count : MAX_PROFILE;
    for (int i = 0; i < profile->count; i++) {
        int64_t p = 0, m = 0;
        for (int j = 0; j < other_count; j++) {
            p += pixels[i * step_along + j * step_across];
            m += mean[i * step_along + j * step_across];
        }
        profile->pixels[i] = (int)(p * ONE_LEVEL / other_count);
        profile->mean[i] = (int)(m / other_count);
        sum_pixels += profile->pixels[i];
        sum_mean += profile->mean[i];
    }
    for (int i = 0; i < profile->count; i++) {
        profile->pixels[i] -= (int)(sum_pixels / profile->count);
        profile->mean[i] -= (int)(sum_mean / profile->count);
    }
}

// The whole displacement at which the two profiles agree best.
static int match_profile(const struct profile *profile)
{
    int64_t best_rest = INT64_MAX;
    int best = 0;

    for (int shift = -MAX_WHOLE; shift <= MAX_WHOLE; shift++) {
        int64_t rest = 0;
        for (int i = MAX_WHOLE; i < profile->count - MAX_WHOLE; i++)
            rest += abs(profile->pixels[i + shift] - profile->mean[i]);
        if (rest < best_rest) {
            best_rest = rest;
            best = shift;
        }
    }
    return best;
}

// Whole pixels, from the picture's projections on its two sides: the gradient method alone does not
// find its way back from more than about two pixels.
static struct gw_shake guess(const uint8_t *pixels, const int16_t *mean, int width, int height)
{
    struct profile profile;
    struct gw_shake shake;

    take_profile(&profile, pixels, mean, width, 1, height, width);
    shake.dx = match_profile(&profile);
    take_profile(&profile, pixels, mean, height, width, width, 1);
    shake.dy = match_profile(&profile);
    return shake;
}

// From a first guess to a fraction of a pixel. Returns what remains different, or -1.
static double refine(struct gw_shake *shake, const uint8_t *pixels, const int16_t *mean, int width,
                     int height, uint8_t *scratch)
{
    for (int round = 0; round < ROUNDS; round++) {
        const struct gw_shake last = *shake;
        gw_shake_undo(shake, pixels, mean, scratch, width, height);
        const struct sums sums = add_up(scratch, mean, width, height);
        if (!step(shake, &sums))
            return -1;
        if (hypot(shake->dx - last.dx, shake->dy - last.dy) < 0.05)
            return sums.rest;
    }
    gw_shake_undo(shake, pixels, mean, scratch, width, height);
    return add_up(scratch, mean, width, height).rest;
}

bool gw_shake_measure(struct gw_shake *ret, const uint8_t *pixels, const int16_t *mean, int width,
                      int height, uint8_t *scratch)
{
    struct gw_shake shake = {0};
    const struct sums before = add_up(pixels, mean, width, height);

    if (!step(&shake, &before) && before.samples < MIN_SAMPLES)
        return false;
    if (hypot(shake.dx, shake.dy) < min_pixels / 2)
        return false;
    shake = guess(pixels, mean, width, height);
    const double rest = refine(&shake, pixels, mean, width, height, scratch);
    if (rest < 0 || hypot(shake.dx, shake.dy) < min_pixels || rest > better * before.rest)
        return false;
    *ret = shake;
    return true;
}

static int clamp(int value, int limit)
{
    return value < 0 ? 0 : value > limit ? limit : value;
}

static uint8_t whole_level(int16_t mean)
{
    return (uint8_t)((mean + ONE_LEVEL / 2) / ONE_LEVEL);
}

// Bilinear, in sixteenths of a pixel.
void gw_shake_undo(const struct gw_shake *shake, const uint8_t *restrict pixels,
                   const int16_t *restrict mean, uint8_t *restrict out, int width, int height)
{
    const int dx16 = (int)lround(shake->dx * 16), dy16 = (int)lround(shake->dy * 16);
    const int dx = (int)floor(dx16 / 16.0), dy = (int)floor(dy16 / 16.0);
    const int fx = dx16 - dx * 16, fy = dy16 - dy * 16;
    const int left = clamp(-dx, width), right = clamp(width - 1 - dx, width);

    for (int y = 0; y < height; y++) {
        const bool known = y + dy >= 0 && y + dy + 1 < height;
        const uint8_t *restrict top = pixels + clamp(y + dy, height - 1) * width;
        const uint8_t *restrict bottom = pixels + clamp(y + dy + 1, height - 1) * width;
        uint8_t *restrict row = out + y * width;
        for (int x = left; known && x < right; x++) {
            const int upper = (16 - fx) * top[x + dx] + fx * top[x + dx + 1];
            const int lower = (16 - fx) * bottom[x + dx] + fx * bottom[x + dx + 1];
            row[x] = (uint8_t)(((16 - fy) * upper + fy * lower + 128) >> 8);
        }
        for (int x = 0; x < (known ? left : width); x++)
            row[x] = whole_level(mean[y * width + x]);
        for (int x = right; known && x < width; x++)
            row[x] = whole_level(mean[y * width + x]);
    }
}
