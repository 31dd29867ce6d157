// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How keyframes come: how long GOPs are, and how long the one that comes in may become.
//
//   analyzer.c -> [pace] -> watch.c, key_look.c, plan.c
//
// A plain value; time is an argument. Used by one thread at a time.
#pragma once

#include <stdint.h>

struct gw_pace {
    int64_t key_us;     // capture time of the GOP's keyframe; GW_NO_TIME before the first
    int64_t gop_us;     // from keyframe to keyframe, lately; 0 unknown
    int64_t longest_us; // the longest of them, slowly forgotten
    int gop_pictures;   // in the last GOP, and
    int pictures;       // in this one so far
};

void gw_pace_init(struct gw_pace *pace);

// A keyframe begins a GOP.
void gw_pace_key(struct gw_pace *pace, int64_t wall_us);
// A picture of the GOP came in, its keyframe included.
void gw_pace_picture(struct gw_pace *pace);
// Packets are missing: how long this GOP is will not be known.
void gw_pace_lost(struct gw_pace *pace);
