// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How much of a camera is decoded while nothing happens, and why: the cheapest level that finds
// what decoding everything finds.
//
//   gate.c, key_evidence.c, pace.c -> watch.c -> [level] -> plan.c
//
// Every level is judged by events that were found without its help, because everything was decoded
// then: at level full, and in the GOPs that are audited. Time is an argument. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/gate.h"
#include "core/level.h"

// What is known about the camera. Missed events are those that a level alone would not have found.
struct gw_level_evidence {
    bool gate_ready;
    struct gw_gate_evidence gate;
    double
        first_quiet_s; // seconds without the least motion, of a scene where there was no event yet
    int key_events, key_missed;
    double key_false_share; // of quiet keyframes that seemed to show something
    double gop_s;           // seconds from keyframe to keyframe; 0 unknown
    double gop_pictures;    // pictures in that time
};

// One level's case.
struct gw_level_case {
    int judged;       // events that it could have missed
    double cost;      // expected decoding in quiet, share of decoding everything
    double miss_rate; // share of events missed, as counted; 0 without events
    double miss_high; // one-sided upper bound of it, 90 % confidence (Wilson, JASA 22, 1927)
    bool good;        // enough evidence, and misses no more than one in twenty
};

struct gw_level_chooser {
    enum gw_level level;
    int64_t since_us; // GW_NO_TIME before the first choice
    struct gw_level_case cases[GW_LEVEL_COUNT];
};

void gw_level_init(struct gw_level_chooser *chooser); // begins at full

// Weighs the evidence and returns the level to work at from now on.
enum gw_level gw_level_choose(struct gw_level_chooser *chooser,
                              const struct gw_level_evidence *evidence, int64_t wall_us);
