// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is decoded of the GOP that comes in. The level, a keyframe or an audit makes the plan; the
// gate, a glance, or what does not fit changes it, and then decoding starts at the keyframe.
//
//   analyzer.c -> [plan: watch.c, key_look.c, trust.c] -> held.c
//
// Used by one thread at a time. Functions that decode return the first error or 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/held.h"
#include "analyze/pace.h"
#include "analyze/trust.h"
#include "analyze/watch.h"

struct gw_plan {
    struct gw_watch *watch; // these three are borrowed
    struct gw_held *held;
    const struct gw_pace *pace;
    enum {
        GW_PLAN_WAIT,       // nothing more for now: packets are held
        GW_PLAN_REFERENCES, // what other pictures depend on
        GW_PLAN_EVERYTHING,
    } wants;
    bool undecided; // the open event may have ended in what is held; nobody looked yet
    bool glances;   // the GOP's first pictures are waited for, to look at them
    bool audits;    // only its first half is decoded whatever the gate says
    bool rests;     // the rest of the GOP is left out, for the open event still moves
    struct gw_trust trust;
};

void gw_plan_init(struct gw_plan *plan, struct gw_watch *watch, struct gw_held *held,
                  const struct gw_pace *pace);

// The next packet is a keyframe: ends the GOP that came in.
void gw_plan_end_gop(struct gw_plan *plan);
// Makes the plan for the GOP whose keyframe was just held, or changes it after another packet
// (wall_us), and decodes what it wants.
int gw_plan_key(struct gw_plan *plan);
int gw_plan_packet(struct gw_plan *plan, int64_t wall_us);

// Nothing comes for now: an open event may have gone on, or ended, in what was left out.
void gw_plan_catch_up(struct gw_plan *plan);
// Forgets what is held; begins anew with the next keyframe.
void gw_plan_forget(struct gw_plan *plan);
