// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where cameras go when workers die, and which of them it is that kills them.
//
//   hub.c: a worker died, time passes -> [placement] -> assignment.h
//
// A worker that dies is started again at once and keeps its cameras. When the crew makes it wait,
// they go to the others, evenly; when it has lived for a minute again, as many of them come back as
// are needed for that.
//
// A camera counts the deaths of workers that were running it. At the second within ten minutes it
// is a suspect, and suspects leave the workers. They are tried on a worker of their own, the bench,
// half of them at a time: if it dies, the other half is innocent; if it lives, that half is. The
// one that is left kills the bench alone. From then on it is tried alone and ever more rarely.
//
// Pure: time is an argument. Used by the hub's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "app/assignment.h"

// What there is to place cameras on. Worker number `workers` is the bench.
struct gw_placement_crew {
    int workers;
    const int64_t *there_us; // mono, when each said hello; 0: it is not there. workers + 1 of them
    const bool *waits;       // the crew makes it wait before its next start; workers of them
};

// What a death has led to, for the log.
struct gw_placement_verdict {
    int suspects;                     // new ones
    char isolated[GW_CAMERA_ID_SIZE]; // the one that is to blame, or ""
    int64_t retry_after_us;           // when that is tried again
};

// A worker has died that had said hello at there_us; 0: it died before, and ran no camera.
struct gw_placement_verdict gw_placement_death(struct gw_assignment *assignment, int workers,
                                               int worker, int64_t there_us, int64_t mono_us);

// Puts cameras where they belong by now. Returns whether a worker must be told.
bool gw_placement_step(struct gw_assignment *assignment, const struct gw_placement_crew *crew,
                       int64_t mono_us);

// Whether the bench has anything to do, now or next.
bool gw_placement_needs_bench(const struct gw_assignment *assignment, int workers);
// How many cameras no worker has for now.
int gw_placement_suspects(const struct gw_assignment *assignment);
