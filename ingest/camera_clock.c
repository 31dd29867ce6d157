// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/camera_clock.h"

#include <stdlib.h>

#include "core/clock.h"

#define STEP_US (GW_SECOND / 2)   // a change from here on is a step and is taken as a whole
#define JUMP_US (2 * GW_SECOND)   // and from here on a jump
#define WILD_US (INT64_MAX / 256) // no clock says such a thing

static int64_t middle(const int64_t v[3])
{
    int64_t low = v[0] < v[1] ? v[0] : v[1], high = v[0] < v[1] ? v[1] : v[0];
    return v[2] < low ? low : v[2] > high ? high : v[2];
}

// Of two nobody knows which is wrong: the first one stands until there is a third.
static int64_t typical(const struct gw_camera_clock_values *values)
{
    return values->count < 3 ? values->last[0] : middle(values->last);
}

// Takes a value, and 1 / rise or 1 / fall of what it changes. Returns how far it stepped, or 0.
static int64_t take(struct gw_camera_clock_values *values, int64_t value, int rise, int fall)
{
    if (values->count == 3) {
        values->last[0] = values->last[1];
        values->last[1] = values->last[2];
        values->count = 2;
    }
    values->last[values->count++] = value;
    if (values->count == 1) {
        values->steady_us = value;
        return 0;
    }
    int64_t change_us = typical(values) - values->steady_us;
    if (llabs(change_us) >= STEP_US) {
        values->steady_us += change_us;
        return change_us;
    }
    values->steady_us += change_us / (change_us > 0 ? rise : fall);
    return 0;
}

void gw_camera_clock_init(struct gw_camera_clock *clock)
{
    *clock = (struct gw_camera_clock){
        .ahead.steady_us = GW_NO_TIME, .map.steady_us = GW_NO_TIME, .told_us = GW_NO_TIME};
}

void gw_camera_clock_feed(struct gw_camera_clock *clock, int64_t media_us, int64_t camera_wall_us,
                          int64_t wall_us)
{
    if (llabs(media_us) > WILD_US || llabs(camera_wall_us) > WILD_US)
        return;
    clock->told_us = wall_us;
    take(&clock->ahead, camera_wall_us - wall_us, 2, 8);
    if (llabs(take(&clock->map, camera_wall_us - media_us, 2, 2)) > JUMP_US)
        clock->jumped = true;
}

void gw_camera_clock_forget_map(struct gw_camera_clock *clock)
{
    clock->map = (struct gw_camera_clock_values){.steady_us = GW_NO_TIME};
}
