// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Retention at work: round after round, a little at a time, it deletes what is due, makes room when
// the disk has none, and says what will be.
//
//   retention_clock.h, expiry.h, usage.h -> [retention] -> index_delete.h; /metrics, API
//
// Has its own handle of the index. Transactions are short, and between two steps it rests for
// as long as the last one took, so that facts are committed as if it were not there. Used by one
// thread (retention_thread.h); every time is an argument.
#pragma once

#include "core/log.h"
#include "storage/expiry.h"
#include "storage/forecast.h"
#include "storage/reserve.h"
#include "storage/retention_clock.h"
#include "storage/usage.h"

struct gw_retention;

struct gw_retention_config {
    const char *store;    // borrowed
    const char *division; // the site's; borrowed
    struct gw_retention_rules rules;
    int64_t min_free_bytes;     // 0: 2 % of the disk, at most 20 GiB
    struct gw_reserve *reserve; // borrowed
    const struct gw_log *log;
};

int gw_retention_create(struct gw_retention **ret, const struct gw_retention_config *config,
                        char error[GW_INDEX_ERROR_SIZE]);
void gw_retention_destroy(struct gw_retention **retention);

struct gw_retention_now {
    int64_t wall_us, mono_us;
    bool synchronised; // a time server's word stands behind the wall clock
    uint64_t free_bytes,
        total_bytes; // of the disk; total 0: not known, and nothing is done for room
};

// Does one thing that is due. Returns in how many microseconds to call again, at most a second.
int64_t gw_retention_step(struct gw_retention *retention, const struct gw_retention_now *now);

// How it is and what it did.
struct gw_retention_report {
    uint64_t free_bytes, total_bytes, min_free_bytes;
    int64_t stored_bytes; // of clips
    double bytes_per_day; // of clips that come in; 0: not known yet
    int64_t oldest_us;    // start of the oldest clip; GW_NO_TIME: there is none
    int64_t floor_us, ceiling_us;
    struct gw_forecast forecast;
    enum gw_clock_doubt doubt; // other than SURE: nothing is deleted by age
    int64_t off_us;            // what the doubt is about
    int64_t behind_us;         // how far retention's clock is behind the wall clock
    bool pressed;              // the disk needs room
    bool floor_broken;         // what is in its floor has to go
    bool stuck;                // nothing is left that may be deleted
    bool reserve_held;
    int64_t garbage;        // files that wait to be unlinked
    int holds;              // that last
    uint64_t deleted[3][3]; // by noun and reason (not MISSING), since the start
    int64_t pruned;         // facts that left the journal, since the start
    uint64_t failures;      // rounds that the index or the disk ended
};
void gw_retention_report(const struct gw_retention *retention, struct gw_retention_report *ret);

// What people should know, most urgent first; "" when all is well. A sentence without its full
// stop. Returns buffer.
#define GW_RETENTION_WARNING_SIZE 256
char *gw_retention_warning(const struct gw_retention_report *report,
                           char buffer[GW_RETENTION_WARNING_SIZE]);

// An administrator's word that the wall clock is right now; takes effect within seconds. Any
// process, with a handle that may write. Returns 0 or an error.
int gw_retention_confirm_clock(struct gw_index *index, int64_t wall_us);
