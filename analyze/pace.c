// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/pace.h"

#include "core/clock.h"

// The longest GOP of about so many is what may come.
enum { FORGET_GOPS = 64 };

void gw_pace_init(struct gw_pace *pace)
{
    *pace = (struct gw_pace){.key_us = GW_NO_TIME};
}

void gw_pace_key(struct gw_pace *pace, int64_t wall_us)
{
    if (pace->key_us != GW_NO_TIME && wall_us > pace->key_us) {
        pace->gop_us = wall_us - pace->key_us;
        pace->longest_us -= pace->longest_us / FORGET_GOPS;
        if (pace->longest_us < pace->gop_us)
            pace->longest_us = pace->gop_us;
        pace->gop_pictures = pace->pictures;
    }
    pace->key_us = wall_us;
    pace->pictures = 0;
}

void gw_pace_picture(struct gw_pace *pace)
{
    pace->pictures++;
}

void gw_pace_lost(struct gw_pace *pace)
{
    pace->key_us = GW_NO_TIME;
}
