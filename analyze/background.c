// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/background.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/exposure.h"
#include "analyze/shake.h"

// Grey levels are kept with 6 binary digits behind the point: means up to 16320 and thresholds up
// to 80 levels add up within 16 bits, so that loops work on 8 pixels per vector instruction.
enum { ONE_LEVEL = 64 };

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
enum { BASE_LEVELS = 5, DEVIATIONS = 3, MAX_LEVELS = 80 };
enum { CHANGE_BASE_LEVELS = 5, CHANGE_DEVIATIONS = 1 };

struct gw_background {
    int width, height, count;     // count of pixels
    int16_t *mean, *fast;         // 1/64 levels
    int16_t *deviation;           // 1/64 levels
    int16_t *low, *high;          // what the pixel may look like, 1/64 levels
    int16_t *row_low, *row_high;  // the same over three neighbours in the row
    uint8_t *foreground, *change; // gw_difference
    uint8_t *steady;              // the last picture, moved back to where the background is
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
    b->low = make(b, sizeof(*b->low));
    b->high = make(b, sizeof(*b->high));
    b->row_low = make(b, sizeof(*b->row_low));
    b->row_high = make(b, sizeof(*b->row_high));
    b->foreground = make(b, 1);
    b->change = make(b, 1);
    b->steady = make(b, 1);
    b->scratch = make(b, 1);
    if (!b->steady || !b->scratch || !b->mean || !b->fast || !b->deviation || !b->low || !b->high ||
        !b->row_low || !b->row_high || !b->foreground || !b->change) {
        gw_background_destroy(&b);
        return -ENOMEM;
    }
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
    free(b->low);
    free(b->high);
    free(b->row_low);
    free(b->row_high);
    free(b->foreground);
    free(b->change);
    free(b->steady);
    free(b->scratch);
    free(b);
    *background = NULL;
}

void gw_background_restart(struct gw_background *b, const uint8_t *pixels)
{
    for (int i = 0; i < b->count; i++)
        b->mean[i] = b->fast[i] = (int16_t)(pixels[i] * ONE_LEVEL);
    memcpy(b->steady, pixels, (size_t)b->count);
    b->drift = b->shake = (struct gw_shake){0};
}

static int16_t min16(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static int16_t max16(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

// What each pixel may look like by itself.
static void spread(int count, const int16_t *restrict mean, const int16_t *restrict deviation,
                   int16_t *restrict low, int16_t *restrict high)
{
    for (int i = 0; i < count; i++) {
        const int16_t reach = min16((int16_t)(BASE_LEVELS * ONE_LEVEL + DEVIATIONS * deviation[i]),
                                    MAX_LEVELS * ONE_LEVEL);
        low[i] = (int16_t)(mean[i] - reach);
        high[i] = (int16_t)(mean[i] + reach);
    }
}

// The same or its neighbours left and right: a shaking camera and a swaying branch move by a pixel.
static void spread_row(int width, const int16_t *restrict low, const int16_t *restrict high,
                       int16_t *restrict row_low, int16_t *restrict row_high)
{
    row_low[0] = low[0];
    row_high[0] = high[0];
    row_low[width - 1] = low[width - 1];
    row_high[width - 1] = high[width - 1];
    for (int x = 1; x < width - 1; x++) {
        row_low[x] = min16(min16(low[x - 1], low[x + 1]), low[x]);
        row_high[x] = max16(max16(high[x - 1], high[x + 1]), high[x]);
    }
}

// Levels beyond what three rows allow.
static void measure_row(int width, const uint8_t *restrict pixels, const int16_t *restrict low[3],
                        const int16_t *restrict high[3], uint8_t *restrict foreground)
{
    const int16_t *restrict l0 = low[0], *restrict l1 = low[1], *restrict l2 = low[2];
    const int16_t *restrict h0 = high[0], *restrict h1 = high[1], *restrict h2 = high[2];

    for (int x = 0; x < width; x++) {
        const int16_t value = (int16_t)(pixels[x] * ONE_LEVEL);
        const int16_t below = (int16_t)(min16(min16(l0[x], l1[x]), l2[x]) - value);
        const int16_t above = (int16_t)(value - max16(max16(h0[x], h1[x]), h2[x]));
        foreground[x] = (uint8_t)(max16(max16(below, above), 0) / ONE_LEVEL);
    }
}

static void measure_foreground(struct gw_background *b, const uint8_t *pixels)
{
    const int w = b->width;

    spread(b->count, b->mean, b->deviation, b->low, b->high);
    for (int y = 0; y < b->height; y++)
        spread_row(w, b->low + y * w, b->high + y * w, b->row_low + y * w, b->row_high + y * w);
    for (int y = 0; y < b->height; y++) {
        const int above = (y > 0 ? y - 1 : y) * w, below = (y < b->height - 1 ? y + 1 : y) * w;
        const int16_t *low[3] = {b->row_low + above, b->row_low + y * w, b->row_low + below};
        const int16_t *high[3] = {b->row_high + above, b->row_high + y * w, b->row_high + below};
        measure_row(w, pixels + y * w, low, high, b->foreground + y * w);
    }
}

static void measure_change(int count, const uint8_t *restrict pixels, const int16_t *restrict fast,
                           const int16_t *restrict deviation, uint8_t *restrict change)
{
    for (int i = 0; i < count; i++) {
        const int16_t difference = (int16_t)(pixels[i] * ONE_LEVEL - fast[i]);
        const int16_t size = max16(difference, (int16_t)-difference);
        const int16_t reach =
            min16((int16_t)(CHANGE_BASE_LEVELS * ONE_LEVEL + CHANGE_DEVIATIONS * deviation[i]),
                  MAX_LEVELS * ONE_LEVEL);
        change[i] = (uint8_t)(max16((int16_t)(size - reach), 0) / ONE_LEVEL);
    }
}

// Puts the picture where the background is.
static void steady(struct gw_background *b, const uint8_t *pixels)
{
    b->shake = (struct gw_shake){0};
    if (gw_shake_measure(&b->shake, pixels, b->mean, b->width, b->height, b->scratch))
        gw_shake_undo(&b->shake, pixels, b->mean, b->steady, b->width, b->height);
    else
        memcpy(b->steady, pixels, (size_t)b->count);
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
    measure_change(b->count, b->steady, b->fast, b->deviation, b->change);
    return (struct gw_difference){
        .foreground = b->foreground,
        .change = b->change,
        .exposure_levels = levels,
        .shake_pixels = hypot(b->shake.dx, b->shake.dy),
        .texture = {b->width, b->height, b->steady, b->mean, b->deviation},
    };
}

void gw_background_forget_change(struct gw_background *b)
{
    for (int i = 0; i < b->count; i++)
        b->fast[i] = (int16_t)(b->steady[i] * ONE_LEVEL);
    memset(b->change, 0, (size_t)b->count);
}

// The share of the way to the new value that one step of this length goes, in 1/65536.
static int step_share(double elapsed_s, double constant_s)
{
    return (int)(65536 * (1 - exp(-elapsed_s / constant_s)));
}

static void learn_fast(int count, const uint8_t *restrict pixels, int16_t *restrict fast, int share)
{
    for (int i = 0; i < count; i++) {
        const int difference = pixels[i] * ONE_LEVEL - fast[i];
        fast[i] = (int16_t)(fast[i] + ((difference * share + 32768) >> 16));
    }
}

// Mean and deviation learn from at most a few deviations, whatever the difference was: the mean is
// then nearly a median, and a single passage does not make a place unquiet.
static void learn_slow(int count, const uint8_t *restrict pixels, int16_t *restrict mean,
                       int16_t *restrict deviation, int mean_share, int deviation_share)
{
    for (int i = 0; i < count; i++) {
        const int difference = pixels[i] * ONE_LEVEL - mean[i];
        const int reach = 3 * deviation[i] + 6 * ONE_LEVEL;
        const int limit = reach < MAX_LEVELS * ONE_LEVEL ? reach : MAX_LEVELS * ONE_LEVEL;
        const int clipped = difference > limit ? limit : difference < -limit ? -limit : difference;
        const int size = clipped < 0 ? -clipped : clipped;
        mean[i] = (int16_t)(mean[i] + ((clipped * mean_share + 32768) >> 16));
        deviation[i] =
            (int16_t)(deviation[i] + (((size - deviation[i]) * deviation_share + 32768) >> 16));
    }
}

static void shift_plane(struct gw_background *b, int16_t *plane, int dx, int dy)
{
    int16_t *old = b->low; // written anew by every comparison

    memcpy(old, plane, (size_t)b->count * sizeof(*old));
    for (int y = 0; y < b->height; y++) {
        const int from_y = y + dy < 0 ? 0 : y + dy >= b->height ? b->height - 1 : y + dy;
        for (int x = 0; x < b->width; x++) {
            const int from_x = x + dx < 0 ? 0 : x + dx >= b->width ? b->width - 1 : x + dx;
            plane[y * b->width + x] = old[from_y * b->width + from_x];
        }
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

    learn_fast(b->count, b->steady, b->fast, step_share(elapsed_s, fast_s));
    learn_slow(b->count, b->steady, b->mean, b->deviation, step_share(elapsed_s, mean_s),
               step_share(elapsed_s, deviation_s));
    follow_drift(b, elapsed_s);
}
