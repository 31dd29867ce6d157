// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The gate: whether something happens, from what a picture cost to encode, without decoding it.
//
//   slice.c -> [gate: baseline.c] -> watch.c -> level.c, plan.c
//
// An encoder at constant quality spends bits where the picture changes; one that holds a bitrate
// changes the quantiser instead. So two numbers of each picture are compared with what they are in
// quiet: log2(bytes), and log2(bytes * 2^(QP / 6)), the bytes that it would have cost at QP 0, for
// a step of 6 in QP halves the rate (Sullivan and Wiegand, Proc. IEEE 93(1), 2005). What quiet is,
// is learnt from pictures in which the pixels showed no motion, apart for each kind of picture.
//
// The limit is one of constant false alarm rate (Finn and Johnson, RCA Review 29, 1968): as low as
// a given share of quiet seconds allows. What it misses at that is counted with events that were
// found without it. Used by one thread at a time; times are media times, microseconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/slice.h"

struct gw_gate;

struct gw_gate_verdict {
    double signal; // cost above quiet, robust deviations, smoothed over 0.35 s; NAN unknown
    double limit;  // NAN unknown
    bool active;   // signal is above the limit, or was and has not fallen far below it
};

// What speaks for and against the gate at its present limit.
struct gw_gate_evidence {
    double quiet_s;     // seconds of quiet that it learnt from
    double false_share; // of those, with a signal above the limit
    double limit;       // that triggers
    double reach;       // signal expected of a moving thing of a hundredth of the picture
    int events, missed; // of the events lately that pixels found by themselves
};

int gw_gate_create(struct gw_gate **ret); // 0 or -ENOMEM
void gw_gate_destroy(struct gw_gate **gate);
// Forgets everything: another encoder.
void gw_gate_reset(struct gw_gate *gate);

// The next packet in order of decoding. step_us: decoding time since the one before.
struct gw_gate_verdict gw_gate_feed(struct gw_gate *gate, const struct gw_picture_info *info,
                                    bool key, int64_t wall_us, int64_t step_us);

// A picture was looked at; moving says whether anything moved in it. In order of capture.
void gw_gate_saw(struct gw_gate *gate, int64_t wall_us, bool moving);

// Before a quiet picture is told that was taken then: if the one looked at before it was quiet too
// and is near enough, what lies between them is taken for quiet, although nobody looked.
void gw_gate_vouch(struct gw_gate *gate, int64_t wall_us);

// An event was found that began then, in pictures that were decoded whatever the gate said.
void gw_gate_found(struct gw_gate *gate, int64_t start_us);

// Returns false while it has not seen enough quiet to have a limit; *ret is filled anyway.
bool gw_gate_judge(const struct gw_gate *gate, struct gw_gate_evidence *ret);
