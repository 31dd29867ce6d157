// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What some seconds of a camera's packets say about its settings, and which of them to change.
//
//   session.c -> [survey] -> app/verb_probe.c
//
// Pure: times come with the packets. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

struct gw_survey {
    int packets, keyframes;
    int64_t bytes;
    int64_t first_us, newest_us; // capture times
    int gop_packets;             // since the newest keyframe
    int64_t key_us;              // capture time of the newest keyframe
    int key_packets;             // packets before it
    int64_t key_bytes;           // bytes before it
    int longest_gop;             // pictures, of the whole ones
    int64_t longest_gop_us;
    bool reordered;          // a picture came after one that is shown later
    int64_t clock_offset_us; // camera's clock minus ours; GW_NO_TIME: not told
};

struct gw_survey_result {
    double frame_rate; // per second; 0 when unknown
    double bit_rate;   // bits per second; 0 when unknown
    int gop_frames;    // 0 when there was no whole GOP
    int64_t gop_us;    // of the longest; at least so long when gop_frames is 0
    bool b_frames;
    int64_t clock_offset_us; // as above
};

void gw_survey_init(struct gw_survey *survey);

// Borrows packet, which arrived at arrival_wall_us.
void gw_survey_feed(struct gw_survey *survey, const struct gw_packet *packet,
                    int64_t arrival_wall_us);

// Whether more packets would tell little more.
bool gw_survey_is_enough(const struct gw_survey *survey);

struct gw_survey_result gw_survey_finish(const struct gw_survey *survey);

#define GW_ADVICE_SIZE 200

// Says what to change in the camera, one sentence each, most important first. Returns how many of
// at most max lines were written.
int gw_survey_advise(const struct gw_survey_result *result, char (*lines)[GW_ADVICE_SIZE], int max);
