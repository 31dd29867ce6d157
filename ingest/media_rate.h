// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Does a camera's media time run as fast as time does?
//
//   media_clock.h -> [media_rate]
//
// Of each window the most punctual picture is a point of arrival over media time. Ticks of a wrong
// length make these points a straight line of another slope; what a network does is never straight
// for long. So a wrong rate is one that has come to a second, in a line from which no point is
// further than a twentieth of that. Windows are 1 s long, and twice as long when 16 are full, up to
// 8 s: 1.67 (25 pictures a second said, 15 sent) is known after 6 s, 1.1 after 11 s, 1.01 after 100
// s. Pure: times are arguments. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { GW_MEDIA_RATE_POINTS = 16 };

struct gw_media_rate_point {
    int64_t media_us, wall_us;
};

struct gw_media_rate {
    struct gw_media_rate_point points[GW_MEDIA_RATE_POINTS]; // oldest first
    int count;
    int64_t length_us;                // of a window
    int64_t window_us;                // arrival of its first picture; GW_NO_TIME before it
    struct gw_media_rate_point early; // its most punctual picture
    struct gw_media_rate_point last;  // newest picture in the order in which they are shown
};

void gw_media_rate_reset(struct gw_media_rate *rate);

// What was seen so far took long: begins anew with short windows, where they have become longer.
void gw_media_rate_hurry(struct gw_media_rate *rate);

// A picture of this media time arrived. scale: what media time is multiplied with at present. After
// a pause or a jump of either time it begins anew. Returns whether there is a new point.
bool gw_media_rate_feed(struct gw_media_rate *rate, int64_t media_us, int64_t wall_us,
                        double scale);

// Whether scale is wrong by more than 1 %; *ret_scale is then a better one.
bool gw_media_rate_is_wrong(const struct gw_media_rate *rate, double scale, double *ret_scale);

// What scale should be by the points, as far as they are in line; else scale.
double gw_media_rate_refine(const struct gw_media_rate *rate, double scale);
