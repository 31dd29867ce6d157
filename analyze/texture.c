// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/texture.h"

#include <math.h>
#include <stdbool.h>

static const double one_level = 64; // of means and deviations
// A mean deviation d of Gaussian noise is d * sqrt(pi / 2) of sigma, and a step has two pixels'
// noise. Not all of it is taken off, for a small picture's pixels are averages that tremble
// together; a deviation of more levels is no sensor's noise but a place where things pass.
static const double step_noise = 0.8 * 1.5708, max_noise = 2.5;
// Light of less than a third or more than eight times of what was there does not fall on a place
// without more to see than that; and where there is hardly any structure, this much (square levels
// per step) speaks for the light being as it was.
static const double least_light = 0.35, most_light = 8, unlit = 4;
// Light differs within a block, so this share of the structure's square may be left.
static const double uneven = 0.25;
// As bright as a camera's white: there is no step to be seen.
enum { WHITE = 250 };
// One pixel's worth: a step of so many levels that light does not explain.
static const double step_levels = 4;

// Sums over the steps of one direction, in the picture and in the background, in levels.
struct sums {
    double count, now, before, now_now, now_before, before_before, noise;
};

static double square(double value)
{
    return value * value;
}

// The step from the pixel before at to the one behind it, by bytes away.
static void add_step(struct sums *sums, const struct gw_texture *texture, int at, int by)
{
    const uint8_t *pixel = texture->pixels + at;
    const int16_t *mean = texture->mean + at, *deviation = texture->deviation + at;

    if (pixel[by] >= WHITE && pixel[-by] >= WHITE)
        return;
    const double now = pixel[by] - pixel[-by], before = (mean[by] - mean[-by]) / one_level;
    sums->count++;
    sums->now += now;
    sums->before += before;
    sums->now_now += now * now;
    sums->now_before += now * before;
    sums->before_before += before * before;
    sums->noise += step_noise * (square(fmin(deviation[by] / one_level, max_noise)) +
                                 square(fmin(deviation[-by] / one_level, max_noise)));
}

// A slope is light's, or the inside of something plain: what counts is how steps differ from their
// average.
static void add_centred(struct sums *both, const struct sums *sums)
{
    if (sums->count < 2)
        return;
    both->count += sums->count;
    both->now_now += sums->now_now - sums->now * sums->now / sums->count;
    both->now_before += sums->now_before - sums->now * sums->before / sums->count;
    both->before_before += sums->before_before - sums->before * sums->before / sums->count;
    both->noise += sums->noise;
}

// By what factor the structure became stronger, in the sense of least squares.
static double find_light(const struct sums *sums, double brighter)
{
    const double doubt = unlit * sums->count + 1e-9;
    const double light = (sums->now_before + doubt * brighter) / (sums->before_before + doubt);

    return fmin(fmax(light, least_light), most_light);
}

// What is left of the structure's square when light and noise are taken off.
static double left_over(const struct sums *sums, double brighter)
{
    const double light = find_light(sums, brighter);
    const double lit = square(light) * sums->before_before;
    const double rest = sums->now_now - 2 * light * sums->now_before + lit;

    return rest - fmax(light, 1) * sums->noise - uneven * lit;
}

// How many times as bright the rectangle became.
static double measure_brightness(const struct gw_texture *texture, int left, int top, int right,
                                 int bottom)
{
    double now = 0, before = 0;

    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            now += texture->pixels[y * texture->width + x];
            before += texture->mean[y * texture->width + x] / one_level;
        }
    return fmin(fmax(now / fmax(before, 1), least_light), most_light);
}

int gw_texture_count(const struct gw_texture *texture, int left, int top, int right, int bottom)
{
    struct sums across = {0}, down = {0}, both = {0};

    left = left < 1 ? 1 : left;
    top = top < 1 ? 1 : top;
    right = right > texture->width - 1 ? texture->width - 1 : right;
    bottom = bottom > texture->height - 1 ? texture->height - 1 : bottom;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            add_step(&across, texture, y * texture->width + x, 1);
            add_step(&down, texture, y * texture->width + x, texture->width);
        }
    add_centred(&both, &across);
    add_centred(&both, &down);
    const double count = left_over(&both, measure_brightness(texture, left, top, right, bottom)) /
                         square(step_levels);
    const int most = (right - left) * (bottom - top);
    return count <= 0 ? 0 : count > most ? most : (int)count;
}
