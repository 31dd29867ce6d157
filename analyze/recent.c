// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

// A moment: the slowest thing that is reported moves by a small pixel in it, and an event's end is
// told so much late.
#define MOMENT_US (GW_SECOND / 5)
// Capture times tremble by so much.
#define TREMBLE_US (GW_SECOND / 100)

enum {
    ONE_LEVEL = 64, // of a deviation
    // Noise and compression change a pixel by so many levels and its deviation; a deviation of more
    // than MAX_NOISE levels is no sensor's noise but a place that was hidden a while ago.
    MIN_LEVELS = 5,
    MAX_NOISE = 10,
};

int gw_recent_create(struct gw_recent *recent, int width, int height)
{
    *recent = (struct gw_recent){.size = width * height};
    for (int i = 0; i < GW_RECENT_PICTURES; i++) {
        recent->taken_us[i] = GW_NO_TIME;
        recent->pictures[i] = malloc((size_t)recent->size);
        if (!recent->pictures[i]) {
            gw_recent_destroy(recent);
            return -ENOMEM;
        }
    }
    return 0;
}

void gw_recent_destroy(struct gw_recent *recent)
{
    for (int i = 0; i < GW_RECENT_PICTURES; i++)
        free(recent->pictures[i]);
    *recent = (struct gw_recent){0};
}

void gw_recent_add(struct gw_recent *recent, const uint8_t *pixels, int64_t wall_us)
{
    memcpy(recent->pictures[recent->next], pixels, (size_t)recent->size);
    recent->taken_us[recent->next] = wall_us;
    recent->next = (recent->next + 1) % GW_RECENT_PICTURES;
}

const uint8_t *gw_recent_find(const struct gw_recent *recent, int64_t wall_us)
{
    for (int age = 1; age <= GW_RECENT_PICTURES; age++) {
        const int i = (recent->next - age + GW_RECENT_PICTURES) % GW_RECENT_PICTURES;
        if (recent->taken_us[i] == GW_NO_TIME)
            return NULL;
        if (wall_us - recent->taken_us[i] >= MOMENT_US - TREMBLE_US)
            return recent->pictures[i];
    }
    return NULL;
}

// Levels, in 1/64, by which noise may change a pixel.
static int noise(int deviation)
{
    const int most = MAX_NOISE * ONE_LEVEL;

    return MIN_LEVELS * ONE_LEVEL + (deviation < most ? deviation : most);
}

int gw_recent_count(const struct gw_texture *now, const uint8_t *before, int left, int top,
                    int right, int bottom)
{
    int count = 0;

    right = right < now->width ? right : now->width;
    bottom = bottom < now->height ? bottom : now->height;
    if (!before)
        return (right - left) * (bottom - top);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            const int at = y * now->width + x;
            const int levels = abs(now->pixels[at] - before[at]) * ONE_LEVEL;
            count += levels > noise(now->deviation[at]);
        }
    return count;
}
