// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Media time to UTC: when was this picture captured, and in which order do decoders want it?
//
//   intake.c -> [media_clock] -> intake.c
//
// A camera counts ticks from an arbitrary start, at a rate that is a little off, and sometimes
// jumps. The clock is anchored to the arrival of a packet and then follows the earliest arrivals
// (lateness is the network's, earliness cannot be), slowly, so that a clip plays evenly. Where the
// camera tells its own clock and that is within 2 s of ours, capture times move from arrival to
// what it tells. Time that no longer fits arrival by more than 2 s, or runs backwards, is bridged
// until the next keyframe, where the clock is anchored anew and the caller begins a new stream.
// Ticks of a wrong length are scaled (media_rate.h); time that makes no sense at all is replaced by
// arrival, evened out, until it does (media_sanity.h). Pure: times are arguments. Used by one
// thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ingest/arrival_pace.h"
#include "ingest/camera_clock.h"
#include "ingest/media_rate.h"
#include "ingest/media_sanity.h"

#define GW_MEDIA_CLOCK_LIMIT_US                                                                    \
    INT64_C(2000000)               // disagreement with arrival that starts a new stream
#define GW_MAX_REORDER   16        // what H.264 and H.265 allow
#define GW_NO_MEDIA_TIME INT64_MIN // the packet came without one

struct gw_media_clock {
    bool anchored;
    bool stale;         // anchor anew at the next keyframe
    bool misfit;        // because media time and arrival drifted apart
    int64_t raw_us;     // media time of the last packet as the camera told it
    int64_t media_us;   // the same on our axis: scaled, or made from arrival
    int64_t newest_us;  // largest wall given in this stream
    int64_t frame_us;   // distance of two pictures
    int steps;          // of which it was learnt, as far as they matter
    int64_t offset_us;  // arrival = media + offset, for the most punctual packets
    int64_t capture_us; // what is given = media + capture; moves towards offset + shift
    int64_t shift_us;   // capture minus arrival by the camera's clock; 0 while that is not followed
    bool followed;      // the camera's clock is within the limit
    int64_t slew_us;    // correction of offset still to be spread
    bool moving;        // offset has moved in this window
    int64_t lowest_us;  // smallest lateness seen in the window
    int64_t window_us;  // arrival of the window's first packet
    int reorder;        // depth in use
    int wanted_reorder; // depth known or seen; in use from the next stream on
    int64_t waiting[GW_MAX_REORDER + 1]; // capture times not yet given as dts, ascending
    int64_t last_dts;

    double scale;                 // media = axis + (raw - axis_raw) * scale
    int64_t axis_us, axis_raw_us; // where the present scale began
    double wanted_scale;          // from the next stream on; 0: none
    struct gw_media_rate rate;
    struct gw_media_sanity sanity;
    struct gw_arrival_pace pace;
    struct gw_camera_clock camera;
};

struct gw_media_times {
    int64_t pts_us, dts_us; // wall; dts strictly increasing within a stream, never after pts
    bool new_stream;        // this keyframe begins one
    int64_t frame_us;       // how long the picture lasts, as far as known before the next one
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

// An RTCP sender report arrived at wall_us: media time media_us (as for stamp) is camera_wall_us on
// the camera's clock.
void gw_media_clock_report(struct gw_media_clock *clock, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us);

// The camera's clock minus ours, smoothed; GW_NO_TIME before the first report.
int64_t gw_media_clock_offset(const struct gw_media_clock *clock);
