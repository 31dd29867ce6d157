// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A worker's book of what it covers of one camera: pictures in, news out (core/coverage.h).
//
//   recorder_coverage.c -> [coverage] -> news -> link.h -> storage/index_news.c
//
// Pure: times are arguments. One thread at a time; the news come during the call.
//
// A picture lasts as long as pictures usually do. Between two that follow each other is a hole when
// the later one says that some were lost, or when they are further apart than 1 s and three usual
// distances, in capture times and in arrivals alike: a clock that is set anew moves the former
// only, a network that catches up the latter only. Capture times that step back cover nothing
// twice.
#pragma once

#include "core/coverage.h"
#include "core/packet.h"

enum { GW_COVERAGE_HIDDEN = 16 };

struct gw_coverage {
    char camera[GW_CAMERA_ID_SIZE];
    void (*tell)(void *opaque, const struct gw_coverage_news *news);
    void *opaque;
    int64_t tried_us; // wall, since when

    enum { GW_COVERAGE_WAITING, GW_COVERAGE_COVERED, GW_COVERAGE_BROKEN } state;
    int64_t mark_us;  // covered up to here
    int64_t kept_us;  // and nothing takes away what is before this; GW_NO_TIME: nothing is kept
    int64_t top_us;   // end of the picture that is shown last
    int64_t time_us;  // of the last picture, in the order in which they are shown
    int64_t mono_us;  // its arrival
    int64_t frame_us; // usual distance of two; 0 before it is known
    enum gw_gap_cause lost; // said of a picture behind which the hole has not shown yet
    int patience;           // pictures for which it may not show

    // What events ask for and cannot be written.
    bool missing;
    int64_t broke_us; // where it broke last, and why
    enum gw_gap_cause broke_cause;
    struct {
        int64_t from_us, to_us;
        enum gw_gap_cause cause;
    } hidden[GW_COVERAGE_HIDDEN]; // holes meanwhile, the last ones
    int hidden_count;
};

// now_us: wall; from now on it is tried.
void gw_coverage_init(struct gw_coverage *coverage, const char *camera, int64_t now_us,
                      void (*tell)(void *opaque, const struct gw_coverage_news *news),
                      void *opaque);

// The next covered picture in decoding order. fresh: the first of its stream.
void gw_coverage_picture(struct gw_coverage *coverage, const struct gw_packet *packet, bool fresh);

// What was taken for covered is so only up to here: how a clip really ended.
void gw_coverage_cut(struct gw_coverage *coverage, int64_t end_us);

// There is no next picture for now. Told once; the first cause counts.
void gw_coverage_break(struct gw_coverage *coverage, enum gw_gap_cause cause);

// The pictures from from_us on were asked for and cannot be written, until the one at at_us.
void gw_coverage_miss(struct gw_coverage *coverage, int64_t from_us, enum gw_gap_cause cause);
void gw_coverage_miss_over(struct gw_coverage *coverage, int64_t at_us);

// The camera is left alone.
void gw_coverage_end(struct gw_coverage *coverage);

// Until when it is covered; GW_NO_TIME when it is not.
int64_t gw_coverage_until(const struct gw_coverage *coverage);
