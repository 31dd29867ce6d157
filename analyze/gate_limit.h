// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// From which signal on the gate triggers: few quiet seconds reach it, and nearly all events did.
//
//   gate.c -> [gate_limit: baseline.c] -> gate.c
//
// A detector of constant false alarm rate (Finn and Johnson, RCA Review 29, 1968) that events keep
// in bounds. Signals are in robust standard deviations from quiet (gate.h); expected is what an
// event that nobody has seen yet should have. A plain value; time is an argument. One thread at a
// time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/baseline.h"

enum { GW_GATE_EVENTS = 64 };

struct gw_gate_limit {
    double value;              // NAN until quiet is known
    struct gw_baseline maxima; // largest signal of each quiet second
    struct {
        int64_t start_us;
        double peak;          // largest signal of its beginning
    } events[GW_GATE_EVENTS]; // of the last hour, in a circle
    int event_count, event_next;
};

void gw_gate_limit_init(struct gw_gate_limit *limit);
// Whether enough quiet seconds are known for there to be a limit.
bool gw_gate_limit_ready(const struct gw_gate_limit *limit);

// Each of these sets the limit anew: a quiet second with its largest signal; an event.
void gw_gate_limit_add_second(struct gw_gate_limit *limit, double maximum, double expected);
void gw_gate_limit_add_event(struct gw_gate_limit *limit, int64_t start_us, double peak,
                             double expected);
// Events of more than an hour ago are of another time of day.
void gw_gate_limit_forget(struct gw_gate_limit *limit, int64_t now_us);

// Events that stayed below the limit; the share of quiet seconds that did not.
int gw_gate_limit_missed(const struct gw_gate_limit *limit);
double gw_gate_limit_false_share(const struct gw_gate_limit *limit);
