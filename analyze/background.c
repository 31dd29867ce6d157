// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/background.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/exposure.h"
#include "analyze/loops.h"
#include "analyze/shake.h"

enum { ONE_LEVEL = GW_LOOP_LEVEL };

// How fast it learns. The mean follows clouds and dusk; a step is limited to what the deviation
// explains, so somebody who passes leaves no trace, and a car that parked is background after some
// ten seconds.
static const double mean_s = 3.0;
// Long against the passing of a person (a pixel is covered 0.3 to 1 s), short against patience with
// a tree: a pixel that is different more than a third of the time becomes an unquiet one.
static const double deviation_s = 6.0;
// A moment ago. Slow things need it long, and the end of motion is seen this much later.
static const double fast_s = 0.6;
// A displacement that stays for so long is where the camera looks now.
static const double drift_s = 1.5;

// A pixel's own threshold: levels plus deviations. 3 mean deviations are 2.4 sigmas of a Gaussian;
// the neighbourhood and the number of pixels that motion.c asks for do the rest.
static const struct gw_loop_reach still = {4 * ONE_LEVEL, 3, 80 * ONE_LEVEL};
// What differs from a moment ago.
static const struct gw_loop_reach unchanged = {5 * ONE_LEVEL, 1, 80 * ONE_LEVEL};
// Mean and deviation learn from at most a few deviations, whatever the difference was: the mean is
// then nearly a median, and a single passage does not make a place unquiet.
static const struct gw_loop_reach believable = {6 * ONE_LEVEL, 3, 80 * ONE_LEVEL};

// What a row's pixels may look like, neighbours left and right included; 1/64 levels.
struct range_row {
    int16_t *low, *high;
};

struct gw_background {
    int width, height, count;  // count of pixels
    int16_t *mean, *fast;      // 1/64 levels
    int16_t *deviation;        // 1/64 levels
    struct range_row own;      // what a row's pixels may look like by themselves
    struct range_row range[3]; // of row y at y % 3
    int16_t *rows;             // where these four lie
    const struct gw_loops *loops;
    uint8_t *foreground;   // gw_difference
    uint8_t *change;       // of the rows that were asked for
    const uint8_t *steady; // the last picture, moved back to where the background is; may be the
                           // caller's
    uint8_t *moved;        // where it is when the camera shook
    uint8_t *scratch;
    struct gw_shake drift; // slow mean of the camera's displacement
    struct gw_shake shake; // of the last picture
    struct gw_exposure exposure;
};

static void *make(struct gw_background *background, size_t size)
{
    return calloc((size_t)background->count, size);
}

int gw_background_create(struct gw_background **ret, int width, int height)
{
    struct gw_background *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    b->width = width;
    b->height = height;
    b->count = width * height;
    b->mean = make(b, sizeof(*b->mean));
    b->fast = make(b, sizeof(*b->fast));
    b->deviation = make(b, sizeof(*b->deviation));
    b->rows = calloc((size_t)width * 8, sizeof(*b->rows));
    b->foreground = make(b, 1);
    b->change = make(b, 1);
    b->moved = make(b, 1);
    b->scratch = make(b, 1);
    if (!b->moved || !b->scratch || !b->mean || !b->fast || !b->deviation || !b->rows ||
        !b->foreground || !b->change) {
        gw_background_destroy(&b);
        return -ENOMEM;
    }
    b->loops = gw_loops_best();
    b->own = (struct range_row){b->rows, b->rows + width};
    for (int i = 0; i < 3; i++)
        b->range[i] =
            (struct range_row){b->rows + (2 + 2 * i) * width, b->rows + (3 + 2 * i) * width};
    for (int i = 0; i < b->count; i++)
        b->deviation[i] = ONE_LEVEL;
    *ret = b;
    return 0;
}

void gw_background_destroy(struct gw_background **background)
{
    struct gw_background *b = *background;

    if (!b)
        return;
    free(b->mean);
    free(b->fast);
    free(b->deviation);
    free(b->rows);
    free(b->foreground);
    free(b->change);
    free(b->moved);
    free(b->scratch);
    free(b);
    *background = NULL;
}

void gw_background_restart(struct gw_background *b, const uint8_t *pixels)
{
    for (int i = 0; i < b->count; i++)
        b->mean[i] = b->fast[i] = (int16_t)(pixels[i] * ONE_LEVEL);
    b->steady = pixels;
    b->drift = b->shake = (struct gw_shake){0};
}

// What the pixels of row y may look like. A shaking camera and a swaying branch move by a pixel.
static void find_range(struct gw_background *b, int y)
{
    const struct range_row *range = &b->range[y % 3];
    const int at = y * b->width;

    b->loops->spread(b->width, b->mean + at, b->deviation + at, still, b->own.low, b->own.high);
    b->loops->widen(b->width, b->own.low, b->own.high, range->low, range->high);
}

static void measure_foreground(struct gw_background *b, const uint8_t *pixels)
{
    const int last = b->height - 1;

    find_range(b, 0);
    for (int y = 0; y <= last; y++) {
        if (y < last)
            find_range(b, y + 1);
        const struct range_row *above = &b->range[(y > 0 ? y - 1 : y) % 3], *own = &b->range[y % 3];
        const struct range_row *below = &b->range[(y < last ? y + 1 : y) % 3];
        const int16_t *const low[3] = {above->low, own->low, below->low};
        const int16_t *const high[3] = {above->high, own->high, below->high};
        b->loops->outside(b->width, pixels + y * b->width, low, high, b->foreground + y * b->width);
    }
}

// Puts the picture where the background is.
static void steady(struct gw_background *b, const uint8_t *pixels)
{
    b->shake = (struct gw_shake){0};
    b->steady = pixels;
    if (gw_shake_measure(&b->shake, pixels, b->mean, b->width, b->height, b->scratch)) {
        gw_shake_undo(&b->shake, pixels, b->mean, b->moved, b->width, b->height);
        b->steady = b->moved;
    }
}

struct gw_difference gw_background_compare(struct gw_background *b, const uint8_t *pixels)
{
    double levels = 0;

    steady(b, pixels);
    if (gw_exposure_measure(&b->exposure, b->steady, b->mean, b->width, b->height)) {
        gw_exposure_apply(&b->exposure, b->mean, b->count);
        gw_exposure_apply(&b->exposure, b->fast, b->count);
        levels = b->exposure.levels;
    }
    measure_foreground(b, b->steady);
    return (struct gw_difference){
        .foreground = b->foreground,
        .exposure_levels = levels,
        .shake_pixels = hypot(b->shake.dx, b->shake.dy),
        .texture = {b->width, b->height, b->steady, b->mean, b->deviation},
    };
}

const uint8_t *gw_background_change(struct gw_background *b, int first, int rows)
{
    const int at = first * b->width;

    b->loops->away(rows * b->width, b->steady + at, b->fast + at, b->deviation + at, unchanged,
                   b->change + at);
    return b->change + at;
}

void gw_background_forget_change(struct gw_background *b)
{
    for (int i = 0; i < b->count; i++)
        b->fast[i] = (int16_t)(b->steady[i] * ONE_LEVEL);
}

// The share of the way to the new value that one step of this length goes.
static int16_t step_share(double elapsed_s, double constant_s)
{
    return (int16_t)(INT16_MAX * (1 - exp(-elapsed_s / constant_s)));
}

// to[x] = from[x + dx], and the edge where there is none. The rows may be the same.
static void shift_row(int16_t *to, const int16_t *from, int width, int dx)
{
    const int left = dx < 0 ? -dx : 0, right = dx > 0 ? width - dx : width;
    const int16_t first = from[0], last = from[width - 1];

    memmove(to + left, from + left + dx, (size_t)(right - left) * sizeof(*to));
    for (int x = 0; x < left; x++)
        to[x] = first;
    for (int x = right; x < width; x++)
        to[x] = last;
}

static void shift_plane(const struct gw_background *b, int16_t *plane, int dx, int dy)
{
    for (int i = 0; i < b->height; i++) {
        const int y = dy < 0 ? b->height - 1 - i : i; // rows still to be read are not yet written
        const int from = y + dy < 0 ? 0 : y + dy >= b->height ? b->height - 1 : y + dy;
        shift_row(plane + y * b->width, plane + from * b->width, b->width, dx);
    }
}

// A shaking camera comes back; one that was turned does not, and the background follows it.
static void follow_drift(struct gw_background *b, double elapsed_s)
{
    const double share = 1 - exp(-elapsed_s / drift_s);

    b->drift.dx += (b->shake.dx - b->drift.dx) * share;
    b->drift.dy += (b->shake.dy - b->drift.dy) * share;
    const int dx = (int)lround(-b->drift.dx), dy = (int)lround(-b->drift.dy);
    if (!dx && !dy)
        return;
    shift_plane(b, b->mean, dx, dy);
    shift_plane(b, b->fast, dx, dy);
    shift_plane(b, b->deviation, dx, dy);
    b->drift.dx += dx;
    b->drift.dy += dy;
}

void gw_background_learn(struct gw_background *b, int64_t elapsed_us)
{
    const double elapsed_s = fmin(fmax((double)elapsed_us * 1e-6, 0), 4);

    const struct gw_loop_shares shares = {.fast = step_share(elapsed_s, fast_s),
                                          .mean = step_share(elapsed_s, mean_s),
                                          .deviation = step_share(elapsed_s, deviation_s)};

    b->loops->learn(b->count, b->steady, shares, believable, b->fast, b->mean, b->deviation);
    follow_drift(b, elapsed_s);
}
