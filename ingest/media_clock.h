// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Media time to UTC: when was this picture captured, and in which order do decoders want it?
//
//   session.c -> [media_clock] -> session.c
//
// A camera counts ticks from an arbitrary start, at a rate that is a little off, and sometimes
// jumps. The clock is anchored to the arrival of a packet and then follows the earliest arrivals
// (lateness is the network's, earliness cannot be), slowly, so that a clip plays evenly. Time that
// no longer fits arrival by more than 2 s, or runs backwards, is bridged until the next keyframe,
// where the clock is anchored anew and the caller begins a new stream. Pure: times are arguments.
// Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GW_MEDIA_CLOCK_LIMIT_US                                                                    \
    INT64_C(2000000)               // disagreement with arrival that starts a new stream
#define GW_MAX_REORDER   16        // what H.264 and H.265 allow
#define GW_NO_MEDIA_TIME INT64_MIN // the packet came without one

struct gw_media_clock {
    bool anchored;
    bool stale;                          // anchor anew at the next keyframe
    int64_t media_us;                    // unwrapped media time of the last packet
    int64_t offset_us;                   // wall = media + offset
    int64_t newest_us;                   // largest wall given in this stream
    int64_t frame_us;                    // distance of two pictures
    int64_t slew_us;                     // correction still to be spread
    int64_t lowest_us;                   // smallest lateness seen in the window
    int64_t window_us;                   // arrival of the window's first packet
    int reorder;                         // depth in use
    int wanted_reorder;                  // depth known or seen; in use from the next stream on
    int64_t waiting[GW_MAX_REORDER + 1]; // capture times not yet given as dts, ascending
    int64_t last_dts;
    int64_t camera_offset_us; // camera's clock minus ours, smoothed; GW_NO_TIME: not told
};

struct gw_media_times {
    int64_t pts_us, dts_us; // wall; dts strictly increasing within a stream, never after pts
    bool new_stream;        // this keyframe begins one
};

void gw_media_clock_init(struct gw_media_clock *clock);

// The next packet is the first of a stream with this reorder depth, and (as far as known, else 0)
// this distance of two pictures. The anchor stays.
void gw_media_clock_begin_stream(struct gw_media_clock *clock, int reorder, int64_t frame_us);

// 32-bit tick counters wrap (after 13 hours at 90 kHz): continues `last` by the shortest way to
// `ticks`.
int64_t gw_media_clock_unwrap(int64_t last, int64_t ticks);

// Stamps the next packet in decoding order. media_us: its media time in microseconds or
// GW_NO_MEDIA_TIME; wall_us: its arrival. new_stream is only ever true for a keyframe.
struct gw_media_times gw_media_clock_stamp(struct gw_media_clock *clock, int64_t media_us,
                                           int64_t wall_us, bool key);
void gw_media_clock_report(struct gw_media_clock *clock, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us);
int64_t gw_media_clock_offset(const struct gw_media_clock *clock);

// A sender report, which arrived at wall_us, said that this media time is camera_wall_us on the
// camera's clock.
void gw_media_clock_report(struct gw_media_clock *clock, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us);
// The camera's clock minus ours; GW_NO_TIME before the first report.
int64_t gw_media_clock_offset(const struct gw_media_clock *clock);
