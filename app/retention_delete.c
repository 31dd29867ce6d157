// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"

enum {
    BATCH_MIN = 8,      // rows of one transaction, so many that it takes
    BATCH_GOAL_MS = 10, // about this long
    COLLECT_AT = 512,   // rows whose files wait
};

#define PASS_US  (60 * GW_SECOND)  // between walks by age
#define WALK_US  (600 * GW_SECOND) // a walk for room begins anew: what was in its floor is older now
#define ALARM_US (3600 * GW_SECOND) // so long a broken floor is told of after the last deletion

// --- deleting ------------------------------------------------------------------------------------

static void count_deleted(struct gw_retention *retention, int count, enum gw_deletion_reason reason)
{
    for (int i = 0; i < count; i++) {
        const struct gw_candidate *row = &retention->found[i];
        if (!retention->deleted[i])
            continue;
        retention->report.deleted[row->victim.noun][reason]++;
        if (row->victim.noun == GW_NOUN_CLIP)
            gw_usage_subtract(&retention->usage, row);
    }
}

// The next transaction gets so many rows that it takes about as long as it should.
static void fit_batch(struct gw_retention *retention, int64_t took_us)
{
    if (took_us > BATCH_GOAL_MS * 1500)
        retention->batch /= 2;
    else if (took_us < BATCH_GOAL_MS * 700)
        retention->batch += retention->batch / 2;
    if (retention->batch < BATCH_MIN)
        retention->batch = BATCH_MIN;
    if (retention->batch > GW_DELETE_BATCH)
        retention->batch = GW_DELETE_BATCH;
}

// What was found. Returns how many rows are gone, or an error.
static int delete_found(struct gw_retention *retention, int count, enum gw_deletion_reason reason)
{
    for (int i = 0; i < count; i++)
        retention->victims[i] = retention->found[i].victim;
    const int64_t begun_us = gw_mono_us();
    const int result = gw_index_delete(retention->index, retention->victims, count, reason,
                                       retention->clock.now_us, retention->deleted);
    if (result < 0)
        return result;
    if (count == retention->batch || gw_mono_us() - begun_us > BATCH_GOAL_MS * 1000)
        fit_batch(retention, gw_mono_us() - begun_us);
    count_deleted(retention, count, reason);
    retention->waiting += result;
    return result;
}

int gw_retention_collect(struct gw_retention *retention, const struct gw_retention_now *now)
{
    int failed = 0;
    const int result = gw_garbage_collect(retention->index, retention->config.store,
                                          retention->collected, now->wall_us, &failed);

    if (result == 0) {
        retention->collecting = false;
        retention->collected[0] = 0;
    }
    retention->report.failures += (uint64_t)failed;
    return result;
}

// Rows of earlier deletions come first: their files are what room is made of.
static void begin_collecting(struct gw_retention *retention)
{
    retention->waiting = 0;
    retention->collecting = true;
    retention->collected[0] = 0;
}

// --- for room ------------------------------------------------------------------------------------

static uint64_t min_free(const struct gw_retention *retention, const struct gw_retention_now *now)
{
    const uint64_t most = UINT64_C(20) << 30, share = now->total_bytes / 50;
    if (retention->config.min_free_bytes)
        return (uint64_t)retention->config.min_free_bytes;
    return share < most ? share : most;
}

// A little more than asked for, so that not every clip begins a round.
static uint64_t wanted_free(uint64_t min_free_bytes)
{
    const uint64_t most = UINT64_C(1) << 30, share = min_free_bytes / 8;
    return min_free_bytes + (share < most ? share : most);
}

void gw_retention_judge_room(struct gw_retention *retention, const struct gw_retention_now *now)
{
    struct gw_retention_report *report = &retention->report;
    const bool before = report->pressed;

    report->free_bytes = now->free_bytes;
    report->total_bytes = now->total_bytes;
    report->min_free_bytes = min_free(retention, now);
    if (!now->total_bytes)
        return;
    report->pressed =
        now->free_bytes < (before ? wanted_free(report->min_free_bytes) : report->min_free_bytes);
    if (!report->pressed)
        report->stuck = false;
    if (report->pressed && now->mono_us - retention->oldest_begun_us > WALK_US) {
        retention->oldest_begun_us = now->mono_us;
        gw_oldest_begin(&retention->oldest, now->free_bytes < report->min_free_bytes / 2);
    }
    report->floor_broken =
        retention->broken_us != GW_NO_TIME && now->mono_us - retention->broken_us < ALARM_US;
}

static void break_floor(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (retention->broken_us == GW_NO_TIME || now->mono_us - retention->broken_us >= ALARM_US)
        gw_log_error(retention->config.log,
                     "the disk is too small: recordings younger than the floor of %d days are "
                     "deleted so that recording goes on; add room or lower retention.floor_days",
                     (int)(retention->config.rules.floor_us / GW_DAY_US));
    retention->broken_us = now->mono_us;
    retention->report.floor_broken = true;
}

// The walk found nothing more. Returns when to go on.
static int64_t end_walk(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (!retention->oldest.in_floor) {
        gw_oldest_begin(&retention->oldest, true);
        return REST_US;
    }
    if (!retention->report.stuck)
        gw_log_error(retention->config.log,
                     "the disk has no room and nothing is left that may be deleted (what remains "
                     "is held or being recorded); add room or remove case holds");
    retention->report.stuck = true;
    retention->retry_us = now->mono_us + RETRY_US;
    retention->oldest_begun_us = now->mono_us - WALK_US; // begins anew then
    return IDLE_US;
}

static bool any_in_floor(const struct gw_retention *retention, int count)
{
    for (int i = 0; i < count; i++) {
        const struct gw_candidate *row = &retention->found[i];
        const struct gw_retention_span span =
            gw_retention_span(&retention->config.rules, row->victim.noun, row->kind,
                              retention->expiry.camera_days(retention->expiry.opaque, row->camera));
        if (retention->deleted[i] &&
            gw_retention_in_floor(span, row->end_us, retention->clock.now_us))
            return true;
    }
    return false;
}

int64_t gw_retention_make_room(struct gw_retention *retention, const struct gw_retention_now *now)
{
    const int64_t lacking =
        (int64_t)(wanted_free(retention->report.min_free_bytes)) - (int64_t)now->free_bytes;
    int count =
        gw_oldest_next(retention->index, &retention->expiry, &retention->oldest,
                       retention->clock.now_us, lacking, retention->found, retention->batch);
    if (count > 0) {
        const int result = delete_found(retention, count, GW_DELETED_ROOM);
        if (result < 0)
            return gw_retention_fail(retention, now, result);
        if (any_in_floor(retention, count))
            break_floor(retention, now);
        begin_collecting(retention);
        return REST_US;
    }
    if (count < 0)
        return gw_retention_fail(retention, now, count);
    return retention->oldest.done ? end_walk(retention, now) : REST_US;
}

// --- by age --------------------------------------------------------------------------------------

int64_t gw_retention_expire(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (!retention->walking) {
        const int error = gw_retention_read_days(retention);
        if (error)
            return gw_retention_fail(retention, now, error);
        gw_expiry_begin(&retention->walk);
    }
    retention->walking = true;
    const struct gw_expiry_walk before = retention->walk;
    int count = gw_expiry_next(retention->index, &retention->expiry, &retention->walk,
                               retention->clock.now_us, retention->found, retention->batch);
    if (count > 0)
        count = delete_found(retention, count, GW_DELETED_EXPIRED);
    if (count < 0) {
        retention->walk = before;
        return gw_retention_fail(retention, now, count);
    }
    if (retention->walk.done) {
        retention->walking = false;
        retention->next_pass_us = now->mono_us + PASS_US;
    }
    if (retention->waiting >= COLLECT_AT || (retention->walk.done && retention->waiting))
        begin_collecting(retention);
    return REST_US;
}
