// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera's RTCP sender reports say about its clock.
//
//   session.c -> media_clock.h -> [camera_clock]
//
// A report ties media time to the camera's clock, and its arrival ties that to ours. Both are the
// middle of the last three reports, smoothed: one late or wild report does not show, a jump of the
// camera's clock does after two. Of arrivals the early ones count most, as the network can only be
// late. Pure: times are arguments. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The last three values of something that is told with errors, oldest first.
struct gw_camera_clock_values {
    int64_t last[3];
    int count;
    int64_t steady_us; // what they come to; GW_NO_TIME before the first
};

struct gw_camera_clock {
    struct gw_camera_clock_values ahead; // the camera's clock minus ours
    struct gw_camera_clock_values map;   // the camera's clock minus media time
    int64_t told_us;                     // arrival of the last report; GW_NO_TIME before it
    bool jumped; // the camera's clock jumped against media time; the reader clears it
};

void gw_camera_clock_init(struct gw_camera_clock *clock);

// A report that arrived at wall_us: media time media_us is camera_wall_us on the camera's clock.
void gw_camera_clock_feed(struct gw_camera_clock *clock, int64_t media_us, int64_t camera_wall_us,
                          int64_t wall_us);

// Media time is another one from now on; what the reports said of it means nothing any more.
void gw_camera_clock_forget_map(struct gw_camera_clock *clock);
