// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/texture.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    ONE_LEVEL = 64,
    // Over two pixels, in levels: a smaller step is noise or compression in any camera. Half of the
    // deviation of the two pixels comes on top, so a noisier one asks for more; but not for more
    // than MAX_NOISE, which is no sensor's noise but a place that was hidden a while ago.
    MIN_STEP = 5,
    MAX_NOISE = 10,
};

// Levels over two pixels, in the picture and in the background.
static bool differs(int step, int background, int noise)
{
    const int a = abs(step), b = abs(background), stronger = a > b ? a : b;

    return 2 * abs(step - background) - stronger > 2 * noise;
}

// How large a step noise makes, from the deviations of both pixels.
static int noise_step(int a, int b)
{
    const int deviations = a + b < 2 * MAX_NOISE * ONE_LEVEL ? a + b : 2 * MAX_NOISE * ONE_LEVEL;

    return (MIN_STEP * ONE_LEVEL + deviations) / 2;
}

static bool pixel_differs(const struct gw_texture *texture, int at)
{
    const int w = texture->width;
    const uint8_t *p = texture->pixels + at;
    const int16_t *m = texture->mean + at, *d = texture->deviation + at;

    return differs((p[1] - p[-1]) * ONE_LEVEL, m[1] - m[-1], noise_step(d[1], d[-1])) ||
           differs((p[w] - p[-w]) * ONE_LEVEL, m[w] - m[-w], noise_step(d[w], d[-w]));
}

int gw_texture_count(const struct gw_texture *texture, int left, int top, int right, int bottom)
{
    int count = 0;

    left = left < 1 ? 1 : left;
    top = top < 1 ? 1 : top;
    right = right > texture->width - 1 ? texture->width - 1 : right;
    bottom = bottom > texture->height - 1 ? texture->height - 1 : bottom;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            count += pixel_differs(texture, y * texture->width + x);
    return count;
}
