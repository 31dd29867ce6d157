// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where things went within the last two seconds, to tell what travels from what moves in place.
//
//   things.c -> [tracks] -> motion.c
//
// Somebody far away is no larger than a branch, but goes somewhere. A thing is taken for that of an
// earlier picture which was nearest, as far as it can have come since (nearest neighbour within a
// gate; Bar-Shalom and Fortmann, "Tracking and Data Association", 1988). It knows positions only,
// in blocks, for seconds, within one picture. Time is an argument. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/things.h"

// More things than this at once are weather; the one that was seen least lately is forgotten.
enum { GW_TRACKS = 48 };

// Where a thing was, and how long the way from there has been.
struct gw_track_point {
    int64_t wall_us;
    double x, y, way; // blocks
};

struct gw_track {
    int64_t first_us, seen_us;          // seen_us is GW_NO_TIME: unused
    double x, y;                        // where it is
    double step_x, step_y;              // how far its way has been added up
    struct gw_track_point older, newer; // one to two seconds ago, and since
};

struct gw_tracks {
    struct gw_track tracks[GW_TRACKS];
};

void gw_tracks_init(struct gw_tracks *tracks);

// Takes in a thing of the picture captured at wall_us; each thing of a picture once. Returns
// whether it travels: it was followed for some time, and lies away from where it was.
bool gw_tracks_follow(struct gw_tracks *tracks, const struct gw_thing *thing, int64_t wall_us);
