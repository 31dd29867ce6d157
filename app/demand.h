// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the events of one camera ask to be recorded.
//
//   event reports -> [demand] -> recorder.c
//
// Motion asks for all of itself, with pre-roll and post-roll. A fault of the picture asks only for
// the moment when it was found: it may last for weeks, and shows nothing. Several events may be
// open at once: one of motion, and one for each fault. A plain value; used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/analyzer.h"

struct gw_demand {
    int open;                // events of motion
    int64_t from_us;         // wall; where a recording that begins now begins
    int64_t until_us;        // wall; INT64_MAX as long as something moves, GW_NO_TIME for nothing
    int64_t faults_until_us; // wall; what faults alone ask for, GW_NO_TIME for nothing
    int64_t preroll_us, postroll_us;
};

void gw_demand_init(struct gw_demand *demand, int64_t preroll_us, int64_t postroll_us);

// An event was reported. recording: a recording goes on, so that where it begins is settled.
void gw_demand_note(struct gw_demand *demand, enum gw_event_phase phase,
                    const struct gw_event *event, bool recording);

// All that was asked for is recorded.
void gw_demand_settle(struct gw_demand *demand);
