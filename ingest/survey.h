// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What some seconds of a camera's packets say about its settings, and which of them to change.
//
//   session.c -> [survey] -> app/verb_probe.c
//
// Pure: times are arguments or come with the packets. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

enum { GW_SURVEY_GOPS = 16, GW_SURVEY_STEPS = 512 };

struct gw_survey {
    int packets, keyframes, parameters;
    int64_t bytes, key_total;             // of all, of keyframes
    int64_t first_us, newest_us;          // capture times
    int64_t first_arrival_us, arrival_us; // wall
    int gop_packets;                      // since the newest keyframe
    int64_t key_us, key_arrival_us;       // of the newest keyframe
    int key_packets;                      // packets before it
    int64_t key_bytes;                    // bytes before it
    int longest_gop;                      // pictures, of the whole ones
    int64_t longest_gop_us;               // by arrival
    int64_t gop_bytes[GW_SURVEY_GOPS];    // of the first whole ones
    int gops;                             // how many those are
    int64_t steps_us[GW_SURVEY_STEPS];    // between decoding times, by the camera's ticks
    int step_count;
    int64_t last_dts_us;
    bool reordered;          // a picture came after one that is shown later
    int64_t clock_offset_us; // camera's clock minus ours; GW_NO_TIME: not told
    uint64_t lost, received; // RTP packets; what came is an estimate
    int skipped;             // pictures that could not be used
    double declared_rate;    // pictures a second by the parameter sets; 0: they say nothing
    int codec_id, profile;
};

struct gw_survey_result {
    double frame_rate;    // that come, per second; 0 when unknown
    double ticks_rate;    // that the time stamps say; 0 when unknown
    double declared_rate; // that the parameter sets say; 0 when they say nothing
    double bit_rate;      // bits per second; 0 when unknown
    int gop_frames;       // 0 when there was no whole GOP
    int64_t gop_us;       // of the longest; at least so long when gop_frames is 0
    double key_ratio;     // size of a keyframe against the other pictures; 0 when unknown
    bool constant_bit_rate;
    bool b_frames;
    double loss; // share of RTP packets
    uint64_t lost;
    int skipped;
    int parameter_changes;   // after the first ones
    int64_t clock_offset_us; // as above
    int codec_id, profile;   // libavcodec's
};

void gw_survey_init(struct gw_survey *survey);

// Borrows packet, which arrived at arrival_wall_us.
void gw_survey_feed(struct gw_survey *survey, const struct gw_packet *packet,
                    int64_t arrival_wall_us);
void gw_survey_clock(struct gw_survey *survey, int64_t offset_us);
void gw_survey_lost(struct gw_survey *survey, unsigned packets);
void gw_survey_skipped(struct gw_survey *survey);
// Other parameters are in use from the next packet on; they declare so many pictures a second, 0:
// nothing.
void gw_survey_parameters(struct gw_survey *survey, const AVCodecParameters *parameters,
                          double declared_rate);

// Whether more packets would tell little more: five keyframes in at least 5 s, or 10 s.
bool gw_survey_is_enough(const struct gw_survey *survey);

struct gw_survey_result gw_survey_finish(const struct gw_survey *survey);

#define GW_ADVICE_SIZE 240

// Says what to change in the camera, one sentence each, most important first. Returns how many of
// at most max lines were written.
int gw_survey_advise(const struct gw_survey_result *result, char (*lines)[GW_ADVICE_SIZE], int max);
