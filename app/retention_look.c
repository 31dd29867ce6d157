// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention_internal.h"

#include <stdlib.h>

#include "core/error.h"
#include "storage/marks.h"

#define LOOK_US  (3 * GW_SECOND)        // between looks at usage, holds and marks
#define KEEP_US  (60 * GW_SECOND)       // between notes of what the clock shows
#define PRUNE_US (6 * 3600 * GW_SECOND) // between walks over the journal
// By then every clip has been closed: record.split is an hour at most.
#define SETTLED_US (2 * 3600 * GW_SECOND)

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

int gw_retention_read_days(struct gw_retention *retention)
{
    const struct gw_retention_rules *rules = &retention->config.rules;
    const int result = gw_retention_days_read(retention->days, retention->index);
    if (result < 0)
        return result;
    const int64_t site_us = gw_retention_shortest_floor_us(rules, 0);
    const int fewest = gw_retention_days_fewest(retention->days);
    const int64_t own_us = fewest ? gw_retention_shortest_floor_us(rules, fewest) : site_us;

    retention->expiry.shortest_floor_us = own_us < site_us ? own_us : site_us;
    return 0;
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

int64_t gw_retention_look(struct gw_retention *retention, const struct gw_retention_now *now)
{
    int result = read_rows(retention);

    if (!result && now->mono_us >= retention->next_keep_us) {
        result = gw_index_set_mark(retention->index, GW_MARK_RETENTION, retention->clock.now_us);
        retention->next_keep_us = now->mono_us + KEEP_US;
    }
    if (result < 0)
        return gw_retention_fail(retention, now, result);
    foretell(retention, now);
    if (retention->usage.complete)
        retention->next_look_us = now->mono_us + LOOK_US;
    if (!retention->report.pressed && now->total_bytes)
        gw_reserve_make(retention->config.reserve, (int64_t)retention->report.min_free_bytes);
    retention->report.reserve_held = gw_reserve_held(retention->config.reserve);
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

int64_t gw_retention_prune(struct gw_retention *retention, const struct gw_retention_now *now)
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
    return result < 0 ? gw_retention_fail(retention, now, result) : REST_US;
}
