// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Motion: which parts of a small grey picture moved, and whether that is something or nothing.
//
//   luma.c -> [motion: background.c] -> event_fsm.c
//
// A block of 4 x 4 small pixels moves when enough of its pixels leave the background and change
// right now. Blocks that touch are one thing. Used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/zones.h"
#include "core/event.h"

struct gw_motion;

struct gw_motion_result {
    bool something; // large enough that a person should look, if it lasts, or smaller but travels
    bool travels;   // something that goes somewhere, rather than move in place
    bool hint;      // smaller, but enough to be the beginning or the end of something
    double area;    // of all that moves, fraction of the picture
    struct gw_box box; // around it; empty without a hint
    uint32_t zones;    // bit n: zone n was touched
    bool relit;        // the light changed all at once; the background started anew
};

// For pictures of this size. zones is borrowed, may be NULL, and must outlive it.
// Returns 0 or -ENOMEM.
int gw_motion_create(struct gw_motion **ret, int width, int height, const struct gw_zones *zones);
void gw_motion_destroy(struct gw_motion **motion);

// Looks at the next picture, captured at wall_us. Masked pixels are overwritten in it first.
// The first picture after create or reset shows no motion.
struct gw_motion_result gw_motion_feed(struct gw_motion *motion, uint8_t *pixels, int64_t wall_us);

// What that picture would show, without learning from it. Masked pixels are overwritten in it too.
struct gw_motion_result gw_motion_peek(struct gw_motion *motion, uint8_t *pixels);

// Pictures were left out for long: in the next one nothing changes "now", whatever has changed
// since the last.
void gw_motion_resume(struct gw_motion *motion);

// By how many small pixels the camera shakes, lately.
double gw_motion_shake(const struct gw_motion *motion);

// Mean steepness of the last picture's brightness inside the box, in levels: a measure of
// sharpness.
double gw_motion_sharpness(const struct gw_motion *motion, const uint8_t *pixels,
                           const struct gw_box *box);
