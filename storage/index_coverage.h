// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Two books, and what is written into them. Why this is right is in docs/design/gaps.md. Private to
// storage/.
//
//   index_news.c -> index_gaps.c -> index_coverage.c
//
// A camera that is to be recorded has either one open gap or a run that nothing follows: a row of
// table coverage, from the first covered picture on that one run of a worker told. A run that was
// lost with its worker stays until its clips are repaired, because only they say where it ended; by
// then its successor may have begun, which is its next_us. All that a fact changes here is one
// transaction with it.
//
// Functions return 0 or an error unless they say otherwise. Times are wall-clock microseconds.
#pragma once

#include "storage/index_internal.h"

// --- coverage ------------------------------------------------------------------------------------

enum { GW_COVERAGE_RUNS = 16 }; // of one camera that are looked at together

struct gw_coverage_run {
    int64_t run;
    struct gw_id boot; // null: nobody has covered it yet
    bool lost;         // its worker is gone
    int64_t start_us;  // of its first picture; of a new camera, since when it shall be recorded
    int64_t end_us;    // covered at least until then
    int64_t next_us;   // when a later run began; GW_NO_TIME: none has
};

// What the registry wants of a camera.
struct gw_coverage_duty {
    bool record, enabled;
    bool events; // only them: what was received is covered
};

// The newest runs of a camera, the newest first. Returns how many, or an error.
int gw_index_read_runs(struct gw_index *index, const char *camera,
                       struct gw_coverage_run runs[GW_COVERAGE_RUNS]);
// The run that nothing follows: of this boot, or (boot null) of a new camera. NULL when there is
// none.
struct gw_coverage_run *gw_index_find_last_run(struct gw_coverage_run *runs, int count,
                                               const struct gw_id *boot);
// All false when it shall not be recorded or is not known.
int gw_index_read_duty(struct gw_index *index, const char *camera, struct gw_coverage_duty *ret);

// Begins a run of this boot.
int gw_index_add_run(struct gw_index *index, const char *camera, const struct gw_id *boot,
                     int64_t start_us, int64_t end_us);
// Covered at least until then. Only ever later.
int gw_index_extend_run(struct gw_index *index, int64_t run, int64_t end_us);
// Nothing more is to be said of it.
int gw_index_remove_run(struct gw_index *index, int64_t run);
// The camera's runs that nothing followed are followed by one that begins then.
int gw_index_follow_runs(struct gw_index *index, const char *camera, int64_t start_us);

// Runs of all workers but those that run are lost.
int gw_index_lose_runs(struct gw_index *index, const struct gw_id *running, int count);
// Nothing is to be said of cameras that shall not be recorded (any more).
int gw_index_forget_runs(struct gw_index *index);
// A camera that shall be recorded and has neither run nor gap gets a run that belongs to nobody.
int gw_index_add_new_runs(struct gw_index *index, int64_t now_us);

// --- gaps ----------------------------------------------------------------------------------------

// Returns 1 with the camera's open gap, 0 when it has none, or an error.
int gw_index_find_open_gap(struct gw_index *index, const char *camera, struct gw_gap_row *ret);
// What this interval has beyond the gaps that are known becomes gaps, so that no two ever overlap.
// to_us INT64_MAX: the last of them is open.
int gw_index_add_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                     int64_t from_us, int64_t to_us, int64_t wall_us);
// Adds one whose end nobody knows yet.
int gw_index_open_gap(struct gw_commit *commit, const char *camera, enum gw_gap_cause cause,
                      int64_t from_us, int64_t wall_us);
// Coverage that goes on before the gap began (the clock was put back) leaves a gap without length.
int gw_index_close_gap(struct gw_commit *commit, struct gw_gap_row *row, int64_t to_us,
                       int64_t wall_us);
// The camera's lost runs become gaps, but for those of which a clip waits for its repair.
int gw_index_settle_lost_runs(struct gw_commit *commit, const char *camera, int64_t wall_us);
