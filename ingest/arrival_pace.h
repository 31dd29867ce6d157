// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How far apart pictures are, by their arrival alone.
//
//   media_clock.h -> [arrival_pace]
//
// Pictures are counted in windows of 2 s, and the middle of the last three windows counts: a
// network that holds pictures back and lets them go in a burst spoils two at most. Pure. Used by
// one thread.
#pragma once

#include <stdint.h>

struct gw_arrival_pace {
    int64_t window_us; // arrival of the window's first picture
    int64_t last_us;   // of the last one
    int pictures;      // since then, without the first
    int windows;       // that are full, 3 at most
    int64_t frame_us[3];
};

void gw_arrival_pace_init(struct gw_arrival_pace *pace);
// A picture arrived.
void gw_arrival_pace_feed(struct gw_arrival_pace *pace, int64_t wall_us);
// The distance of two pictures; 0 as long as nothing is known.
int64_t gw_arrival_pace_frame_us(const struct gw_arrival_pace *pace);
