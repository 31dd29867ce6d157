// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/arrival_pace.h"

#include "core/clock.h"

#define WINDOW_US (2 * GW_SECOND)

// A camera that sends less than one picture a second has longer windows.
enum { FEWEST_PICTURES = 2 };

static int64_t middle(const int64_t v[3])
{
    int64_t low = v[0] < v[1] ? v[0] : v[1], high = v[0] < v[1] ? v[1] : v[0];
    return v[2] < low ? low : v[2] > high ? high : v[2];
}

void gw_arrival_pace_init(struct gw_arrival_pace *pace)
{
    *pace = (struct gw_arrival_pace){.window_us = GW_NO_TIME};
}

void gw_arrival_pace_feed(struct gw_arrival_pace *pace, int64_t wall_us)
{
    if (pace->window_us == GW_NO_TIME || wall_us < pace->window_us) { // our clock went back
        pace->window_us = wall_us;
        pace->pictures = 0;
        return;
    }
    pace->pictures++;
    pace->last_us = wall_us;
    int64_t elapsed_us = wall_us - pace->window_us;
    if (elapsed_us < WINDOW_US || pace->pictures < FEWEST_PICTURES)
        return;
    pace->frame_us[2] = pace->frame_us[1];
    pace->frame_us[1] = pace->frame_us[0];
    pace->frame_us[0] = elapsed_us / pace->pictures;
    if (pace->windows < 3)
        pace->windows++;
    pace->window_us = wall_us;
    pace->pictures = 0;
}

int64_t gw_arrival_pace_frame_us(const struct gw_arrival_pace *pace)
{
    if (pace->windows == 3)
        return middle(pace->frame_us);
    if (pace->windows)
        return pace->frame_us[pace->windows - 1];
    return pace->pictures < FEWEST_PICTURES ? 0
                                            : (pace->last_us - pace->window_us) / pace->pictures;
}
