// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/journal_prune.h"
#include "storage/marks.h"

enum {
    BATCH_MIN = 8,      // rows of one transaction, so many that it takes
    BATCH_GOAL_MS = 10, // about this long
    COLLECT_AT = 512,   // rows whose files wait
};

#define PASS_US  (60 * GW_SECOND)       // between walks by age
#define LOOK_US  (3 * GW_SECOND)        // between looks at usage, holds and marks
#define KEEP_US  (60 * GW_SECOND)       // between notes of what the clock shows
#define PRUNE_US (6 * 3600 * GW_SECOND) // between walks over the journal
#define REST_US  (2000)                 // at least, between two steps that do something
#define IDLE_US  (1 * GW_SECOND)        // at most, so that a full disk is seen in time
#define RETRY_US (10 * GW_SECOND)       // after a failure, or when nothing is left to delete
#define WALK_US  (600 * GW_SECOND) // a walk for room begins anew: what was in its floor is older now
#define ALARM_US (3600 * GW_SECOND) // so long a broken floor is told of after the last deletion
// By then every clip has been closed: record.split is an hour at most.
#define SETTLED_US (2 * 3600 * GW_SECOND)

struct days {
    char camera[GW_CAMERA_ID_SIZE];
    int days;
};

struct gw_retention {
    struct gw_retention_config config;
    struct gw_index *index;
    struct gw_retention_clock clock;
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

// --- set-up --------------------------------------------------------------------------------------

static int no_days(void *opaque, const char *camera)
{
    return 0;
}

static int read_marks(struct gw_retention *retention, int64_t *ret_kept_us)
{
    int result = gw_index_mark(retention->index, GW_MARK_RETENTION, GW_NO_TIME, ret_kept_us);
    if (!result)
        result = gw_index_newest_us(retention->index, &retention->newest_us);
    return result;
}

int gw_retention_create(struct gw_retention **ret, const struct gw_retention_config *config,
                        char error[GW_INDEX_ERROR_SIZE])
{
    int64_t kept_us;
    struct gw_retention *retention = calloc(1, sizeof(*retention));
    if (!retention)
        abort();
    retention->config = *config;
    retention->expiry.rules = config->rules;
    retention->expiry.camera_days = no_days;
    retention->expiry.shortest_floor_us = config->rules.floor_us;
    retention->report.oldest_us = retention->report.forecast.full_us =
        retention->report.forecast.floor_lost_us = GW_NO_TIME;
    retention->oldest_begun_us = -2 * WALK_US;
    retention->batch = 64;
    retention->collecting = true; // what an earlier run left
    retention->broken_us = GW_NO_TIME;
    retention->confirmed_us = GW_NO_TIME;
    gw_usage_begin(&retention->usage);
    int result =
        gw_index_open(&retention->index, config->store, GW_INDEX_CHANGE, config->division, error);
    if (!result && (result = read_marks(retention, &kept_us)) < 0)
        snprintf(error, GW_INDEX_ERROR_SIZE, "cannot read the index: %.200s",
                 gw_index_error(retention->index));
    if (result < 0) {
        gw_retention_destroy(&retention);
        return result;
    }
    gw_retention_clock_init(&retention->clock, kept_us);
    *ret = retention;
    return 0;
}

void gw_retention_destroy(struct gw_retention **retention)
{
    if (*retention)
        gw_index_close(&(*retention)->index);
    free(*retention);
    *retention = NULL;
}

// --- failures ------------------------------------------------------------------------------------

// Returns when to go on. What failed is tried again; a full disk may take it once the reserve is
// given back.
static int64_t fail(struct gw_retention *retention, const struct gw_retention_now *now, int error)
{
    retention->report.failures++;
    if (gw_reserve_helps(error) && gw_reserve_release(retention->config.reserve))
        return REST_US;
    if (!retention->failing)
        gw_log_error(retention->config.log, "retention cannot work: %s; it tries again every %d s",
                     error == GW_ERROR_INDEX || error == GW_ERROR_BUSY
                         ? gw_index_error(retention->index)
                         : gw_strerror(error),
                     (int)(RETRY_US / GW_SECOND));
    retention->failing = true;
    retention->retry_us = now->mono_us + RETRY_US;
    return IDLE_US;
}

// --- the clock -----------------------------------------------------------------------------------

static void tell_of_doubt(const struct gw_retention *retention, enum gw_clock_doubt before)
{
    const struct gw_retention_clock *clock = &retention->clock;
    char line[GW_RETENTION_WARNING_SIZE];

    if (clock->doubt == before)
        return;
    struct gw_retention_report report = {.doubt = clock->doubt, .off_us = clock->off_us};
    if (clock->doubt == GW_CLOCK_SURE)
        gw_log_info(retention->config.log, "the clock is believed: retention goes on");
    else
        gw_log_warning(retention->config.log, "%s", gw_retention_warning(&report, line));
}

static void read_clock(struct gw_retention *retention, const struct gw_retention_now *now)
{
    const struct gw_clock_reading reading = {.wall_us = now->wall_us,
                                             .mono_us = now->mono_us,
                                             .synchronised = now->synchronised,
                                             .newest_us = retention->newest_us,
                                             .confirmed_us = retention->confirmed_us};
    const enum gw_clock_doubt before = retention->clock.doubt;

    retention->may_expire = gw_retention_clock_read(&retention->clock, &reading);
    if (gw_clock_word_counts(&reading) &&
        gw_index_clear_mark(retention->index, GW_MARK_CONFIRMED) == 0)
        retention->confirmed_us = GW_NO_TIME;
    tell_of_doubt(retention, before);
    retention->report.doubt = retention->clock.doubt;
    retention->report.off_us = retention->clock.off_us;
    retention->report.behind_us = now->wall_us - retention->clock.now_us;
}

int gw_retention_confirm_clock(struct gw_index *index, int64_t wall_us)
{
    return gw_index_set_mark(index, GW_MARK_CONFIRMED, wall_us);
}

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

static int collect(struct gw_retention *retention, const struct gw_retention_now *now)
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

static void judge_room(struct gw_retention *retention, const struct gw_retention_now *now)
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

static int64_t make_room(struct gw_retention *retention, const struct gw_retention_now *now)
{
    const int64_t lacking =
        (int64_t)(wanted_free(retention->report.min_free_bytes)) - (int64_t)now->free_bytes;
    int count =
        gw_oldest_next(retention->index, &retention->expiry, &retention->oldest,
                       retention->clock.now_us, lacking, retention->found, retention->batch);
    if (count > 0) {
        const int result = delete_found(retention, count, GW_DELETED_ROOM);
        if (result < 0)
            return fail(retention, now, result);
        if (any_in_floor(retention, count))
            break_floor(retention, now);
        begin_collecting(retention);
        return REST_US;
    }
    if (count < 0)
        return fail(retention, now, count);
    return retention->oldest.done ? end_walk(retention, now) : REST_US;
}

// --- by age --------------------------------------------------------------------------------------

static int64_t expire(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (!retention->walking)
        gw_expiry_begin(&retention->walk);
    retention->walking = true;
    const struct gw_expiry_walk before = retention->walk;
    int count = gw_expiry_next(retention->index, &retention->expiry, &retention->walk,
                               retention->clock.now_us, retention->found, retention->batch);
    if (count > 0)
        count = delete_found(retention, count, GW_DELETED_EXPIRED);
    if (count < 0) {
        retention->walk = before;
        return fail(retention, now, count);
    }
    if (retention->walk.done) {
        retention->walking = false;
        retention->next_pass_us = now->mono_us + PASS_US;
    }
    if (retention->waiting >= COLLECT_AT || (retention->walk.done && retention->waiting))
        begin_collecting(retention);
    return REST_US;
}

// --- looking -------------------------------------------------------------------------------------

static void foretell(struct gw_retention *retention, const struct gw_retention_now *now)
{
    struct gw_retention_report *report = &retention->report;
    const int64_t now_us = retention->clock.now_us;

    report->floor_us = retention->config.rules.floor_us;
    report->ceiling_us = retention->config.rules.ceiling_us;
    report->stored_bytes = retention->usage.stored_bytes;
    report->bytes_per_day = retention->usage.complete
                                ? gw_usage_bytes_per_day(&retention->usage, now_us - SETTLED_US)
                                : 0;
    const struct gw_forecast_input input = {
        .now_us = now_us,
        .floor_us = report->floor_us,
        .ceiling_us = report->ceiling_us,
        .oldest_us = report->oldest_us,
        .stored_bytes = report->stored_bytes,
        .free_bytes = (int64_t)(now->free_bytes - report->min_free_bytes),
        .bytes_per_day = now->total_bytes ? report->bytes_per_day : 0};
    report->forecast = gw_forecast(&input);
}

static int count_holds(struct gw_retention *retention)
{
    struct gw_hold *holds = NULL;
    const int count = gw_index_holds(retention->index, &holds);

    int lasting = 0;

    for (int i = 0; i < count; i++)
        lasting += gw_hold_lasts(&holds[i], retention->clock.now_us);
    free(holds);
    if (lasting < retention->report.holds)
        retention->next_pass_us = 0; // what it held may be due
    retention->report.holds = lasting;
    return count;
}

static int read_rows(struct gw_retention *retention)
{
    int result =
        gw_index_mark(retention->index, GW_MARK_CONFIRMED, GW_NO_TIME, &retention->confirmed_us);
    if (!result)
        result = gw_usage_read(retention->index, &retention->usage,
                               retention->clock.now_us - SETTLED_US);
    if (!result)
        result = gw_oldest_clip(retention->index, &retention->report.oldest_us);
    if (!result)
        result = count_holds(retention);
    if (result < 0)
        return result;
    const int64_t garbage = gw_garbage_count(retention->index);
    retention->report.garbage = garbage;
    return garbage < 0 ? (int)garbage : 0;
}

static int64_t look(struct gw_retention *retention, const struct gw_retention_now *now)
{
    int result = read_rows(retention);

    if (!result && now->mono_us >= retention->next_keep_us) {
        result = gw_index_set_mark(retention->index, GW_MARK_RETENTION, retention->clock.now_us);
        retention->next_keep_us = now->mono_us + KEEP_US;
    }
    if (result < 0)
        return fail(retention, now, result);
    foretell(retention, now);
    if (retention->usage.complete)
        retention->next_look_us = now->mono_us + LOOK_US;
    if (!retention->report.pressed && now->total_bytes)
        gw_reserve_make(retention->config.reserve, (int64_t)retention->report.min_free_bytes);
    retention->report.reserve_held = retention->config.reserve->held;
    return REST_US;
}

// --- the journal ---------------------------------------------------------------------------------

// Before when facts may be of rows that are gone; without a ceiling those before the oldest clip.
static int64_t prune_before_us(const struct gw_retention *retention)
{
    const struct gw_retention_rules *rules = &retention->config.rules;
    int64_t longest_us = rules->ceiling_us;

    if (!longest_us)
        return retention->report.oldest_us; // GW_NO_TIME is before everything
    if (rules->motion_us > longest_us)
        longest_us = rules->motion_us;
    if (rules->gap_us > longest_us)
        longest_us = rules->gap_us;
    return retention->clock.now_us - longest_us;
}

static int64_t prune(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (!retention->pruning)
        gw_prune_begin(&retention->prune);
    const int64_t before = retention->prune.dropped;
    const int result = gw_prune_next(retention->index, &retention->prune,
                                     prune_before_us(retention), retention->clock.now_us);
    retention->report.pruned += retention->prune.dropped - before;
    retention->pruning = !result && !retention->prune.done;
    if (!retention->pruning)
        retention->next_prune_us = now->mono_us + PRUNE_US;
    return result < 0 ? fail(retention, now, result) : REST_US;
}

// --- rounds --------------------------------------------------------------------------------------

static int64_t do_what_is_due(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (retention->collecting) {
        const int result = collect(retention, now);
        return result < 0 ? fail(retention, now, result) : REST_US;
    }
    if (retention->report.pressed)
        return make_room(retention, now);
    if (now->mono_us >= retention->next_look_us)
        return look(retention, now);
    if (retention->may_expire && (retention->walking || now->mono_us >= retention->next_pass_us))
        return expire(retention, now);
    if (retention->may_expire && (retention->pruning || now->mono_us >= retention->next_prune_us))
        return prune(retention, now);
    return IDLE_US;
}

int64_t gw_retention_step(struct gw_retention *retention, const struct gw_retention_now *now)
{
    const uint64_t failures = retention->report.failures;

    read_clock(retention, now);
    judge_room(retention, now);
    if (now->mono_us < retention->retry_us)
        return IDLE_US;
    const int64_t rest_us = do_what_is_due(retention, now);
    if (retention->failing && retention->report.failures == failures) {
        gw_log_info(retention->config.log, "retention works again");
        retention->failing = false;
    }
    return rest_us;
}

void gw_retention_report(const struct gw_retention *retention, struct gw_retention_report *ret)
{
    *ret = retention->report;
}
