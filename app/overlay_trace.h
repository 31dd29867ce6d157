// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the analyzer told of a file, kept to be asked by time.
//
//   analyzer.h callbacks -> [trace] -> overlay.c
//
// The analyzer looks back: what it tells of packets comes in order of decoding and late, and what
// an event began with is known only later. So all of it is collected first. Times are media times,
// microseconds. About 100 bytes per picture. Used by one thread at a time.
#pragma once

#include <stddef.h>

#include "analyze/analyzer.h"
#include "core/clock.h"

// Times of one picture that took two ways may differ by rounding; pictures are further apart.
#define GW_TRACE_SAME_PICTURE_US (GW_SECOND / 1000)

struct gw_trace_event {
    struct gw_id id;
    enum gw_event_kind kind;
    int64_t start_us, confirmed_us, end_us;
    int64_t gone_us; // motion: when it was quiet for long enough, INT64_MAX for never; else its end
};

// What was known of an event's score from this time on.
struct gw_trace_score {
    struct gw_id id;
    int64_t wall_us;
    double score;
};

struct gw_trace_list {
    void *items;
    size_t count, room;
};

// All zero is an empty one.
struct gw_overlay_trace {
    struct gw_trace_list packets, pictures; // of the structs of analyzer.h
    struct gw_trace_list events, scores;    // of those above
    bool failed;                            // memory ran out; it is not complete
    double lowest, highest;                 // of all signals and limits; both 0 without any
};

void gw_overlay_trace_finish(struct gw_overlay_trace *trace); // frees what it holds

// Take in what the analyzer's callbacks were given.
void gw_overlay_trace_packet(struct gw_overlay_trace *trace, const struct gw_packet_trace *packet);
void gw_overlay_trace_picture(struct gw_overlay_trace *trace,
                              const struct gw_picture_trace *picture);
void gw_overlay_trace_event(struct gw_overlay_trace *trace, enum gw_event_phase phase,
                            const struct gw_event *event);

// Nothing more comes; from now on it may be asked. Returns 0, or -ENOMEM when it is not complete.
int gw_overlay_trace_settle(struct gw_overlay_trace *trace);

// The packet of the picture captured then, give or take a millisecond; NULL when there is none.
const struct gw_packet_trace *gw_overlay_trace_packet_at(const struct gw_overlay_trace *trace,
                                                         int64_t wall_us);
// The packets captured from one time to another, in order. Returns the first, or NULL.
const struct gw_packet_trace *gw_overlay_trace_packets(const struct gw_overlay_trace *trace,
                                                       int64_t from_us, int64_t to_us,
                                                       size_t *ret_count);

// The last picture looked at by then; NULL when there is none.
const struct gw_picture_trace *gw_overlay_trace_picture_at(const struct gw_overlay_trace *trace,
                                                           int64_t wall_us);

enum gw_event_moment {
    GW_MOMENT_NONE,
    GW_MOMENT_BEGINS, // something moves, but not for long enough yet
    GW_MOMENT_MOVES,
    GW_MOMENT_PAUSES, // its last motion is past, but not for long enough yet
};

// What becomes of motion's events at a time. *ret and *ret_score are filled unless there is none
// then.
enum gw_event_moment gw_overlay_trace_event_at(const struct gw_overlay_trace *trace,
                                               int64_t wall_us, struct gw_trace_event *ret,
                                               double *ret_score);

// The camera's fault at a time, the latest that began by then; NULL when there is none.
const struct gw_trace_event *gw_overlay_trace_fault_at(const struct gw_overlay_trace *trace,
                                                       int64_t wall_us);
