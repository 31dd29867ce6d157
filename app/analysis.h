// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One camera's analysis: reads its ring at its own pace and feeds the analyzer.
//
//   ring.h -> [analysis, on the decode pool] -> analyzer.h -> recorder.h
//
// When it lags more than 4 s behind the camera it skips to the newest keyframe and counts what it
// skipped: late events are worth less than the next ones, and recording is not affected. While its
// level, chosen by itself, is full, it needs a turn (turns.h) and waits for one; what passes
// meanwhile counts as skipped.
#pragma once

#include "analyze/analyzer.h"
#include "app/decode_pool.h"
#include "app/turns.h"
#include "ingest/ring.h"

struct gw_analysis;

struct gw_analysis_config {
    struct gw_analyzer_config analyzer; // its callback runs on the pool's threads
    struct gw_decode_pool *pool;        // borrowed
    struct gw_turns *turns;             // borrowed
    struct gw_ring *ring;               // borrowed; the one to begin with
};

int gw_analysis_create(struct gw_analysis **ret, const struct gw_analysis_config *config);

// Reads another ring from now on: the camera's other stream, on the same clock. An open event stays
// open. Any thread; the ring must outlive the analysis.
void gw_analysis_turn_to(struct gw_analysis *analysis, struct gw_ring *ring);

// A packet is in the ring. Any thread, quick.
void gw_analysis_wake(struct gw_analysis *analysis);
// No packets come any more; it is wall_us now. Closes an open event that has become quiet.
void gw_analysis_idle(struct gw_analysis *analysis, int64_t wall_us);

struct gw_analysis_counters {
    struct gw_analyzer_counters analyzer;
    uint64_t dropped; // packets skipped
    uint64_t cpu_us;  // of the pool's threads, for this camera
};
void gw_analysis_count(struct gw_analysis *analysis, struct gw_analysis_counters *ret);

// Waits for the pool to let go, closes an open event, frees.
void gw_analysis_destroy(struct gw_analysis **analysis);
