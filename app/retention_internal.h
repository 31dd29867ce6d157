// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the retention*.c files share. Private to them.
//
//   retention.c         set-up, clock, and what is due in a round
//   retention_delete.c  deleting by age and for room, and the files of it
//   retention_look.c    usage, holds and marks; the forecast; the journal
//   retention_report.c  what is told of it
#pragma once

#include "app/retention.h"
#include "app/retention_days.h"
#include "core/clock.h"
#include "storage/journal_prune.h"

#define REST_US  (2000)           // at least, between two steps that do something
#define IDLE_US  (1 * GW_SECOND)  // at most, so that a full disk is seen in time
#define RETRY_US (10 * GW_SECOND) // after a failure, or when nothing is left to delete

struct gw_retention {
    struct gw_retention_config config;
    struct gw_index *index;
    struct gw_retention_clock clock;
    struct gw_retention_days *days;
    struct gw_expiry_config expiry;
    struct gw_retention_report report;

    int64_t newest_us, confirmed_us;                            // marks, as they were read last
    int64_t next_pass_us, next_look_us, next_keep_us, retry_us; // mono
    bool walking;
    struct gw_expiry_walk walk;
    bool may_expire; // the clock says so
    struct gw_oldest_walk oldest;
    int64_t oldest_begun_us; // mono
    int64_t broken_us;       // mono, of the last deletion in a floor; GW_NO_TIME: none
    struct gw_usage usage;
    struct gw_prune prune;
    bool pruning;
    int64_t next_prune_us; // mono

    int batch;   // rows of the next transaction
    int waiting; // rows deleted whose files wait
    bool collecting;
    char collected[GW_MEDIA_PATH_SIZE];
    bool failing; // said so already

    struct gw_candidate found[GW_DELETE_BATCH];
    struct gw_victim victims[GW_DELETE_BATCH];
    bool deleted[GW_DELETE_BATCH];
};

// Each does one thing that is due and returns when to go on.
int64_t gw_retention_make_room(struct gw_retention *retention, const struct gw_retention_now *now);
int64_t gw_retention_expire(struct gw_retention *retention, const struct gw_retention_now *now);
int64_t gw_retention_look(struct gw_retention *retention, const struct gw_retention_now *now);
int64_t gw_retention_prune(struct gw_retention *retention, const struct gw_retention_now *now);
// Reads the registry's days, if it may have changed. Returns 0 or an error.
int gw_retention_read_days(struct gw_retention *retention);
// Works off files. Returns how many, or an error.
int gw_retention_collect(struct gw_retention *retention, const struct gw_retention_now *now);

// Whether the disk needs room, and where to begin.
void gw_retention_judge_room(struct gw_retention *retention, const struct gw_retention_now *now);

// Something failed. Returns when to go on. It is tried again; a full disk may take it once the
// reserve is given back.
int64_t gw_retention_fail(struct gw_retention *retention, const struct gw_retention_now *now,
                          int error);
