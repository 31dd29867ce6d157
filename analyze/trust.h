// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whether an active gate is believed, after the pixels have refuted it.
//
//   gate.c -> watch.c -> plan.c -> [trust]
//
// Noise near the gate's limit comes and goes. After what it said was decoded and showed nothing, it
// is believed again when some time has passed, or when its signal is clearly higher than what was
// refuted. Time is an argument (wall_us). One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gw_trust {
    int64_t began_us;      // when decoding began
    double peak;           // highest signal since then for which nothing was to be seen
    int64_t refuted_us;    // when the pixels showed nothing; long ago before the first time
    double refuted_signal; // the peak until then
};

void gw_trust_init(struct gw_trust *trust);

// Decoding begins, for whatever reason, at this signal. What begins anew soon after counts as one.
void gw_trust_begin(struct gw_trust *trust, int64_t wall_us, double signal);
// The signal of a picture that is decoded; seen: the pixels showed something a moment ago, so it is
// no noise, though it outlasts what moved. NAN says nothing.
void gw_trust_follow(struct gw_trust *trust, double signal, bool seen);
// Nothing was to be seen since decoding began.
void gw_trust_refute(struct gw_trust *trust, int64_t wall_us);

bool gw_trust_believes(const struct gw_trust *trust, int64_t wall_us, double signal);
