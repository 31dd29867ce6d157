// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/retention_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "storage/marks.h"

// --- set-up --------------------------------------------------------------------------------------

static int camera_days(void *opaque, const char *camera)
{
    return gw_retention_days_of(opaque, camera);
}

static int read_marks(struct gw_retention *retention, int64_t *ret_kept_us)
{
    int result = gw_index_mark(retention->index, GW_MARK_RETENTION, GW_NO_TIME, ret_kept_us);
    if (!result)
        result = gw_index_newest_us(retention->index, &retention->newest_us);
    if (!result)
        result = gw_retention_read_days(retention);
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
    retention->days = gw_retention_days_create();
    retention->expiry.camera_days = camera_days;
    retention->expiry.opaque = retention->days;
    retention->expiry.shortest_floor_us = gw_retention_shortest_floor_us(&config->rules, 0);
    retention->report.oldest_us = retention->report.forecast.full_us =
        retention->report.forecast.floor_lost_us = GW_NO_TIME;
    retention->oldest_begun_us = INT64_MIN / 2; // long ago
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
    if (*retention) {
        gw_retention_days_destroy(&(*retention)->days);
        gw_index_close(&(*retention)->index);
    }
    free(*retention);
    *retention = NULL;
}

// --- failures ------------------------------------------------------------------------------------

int64_t gw_retention_fail(struct gw_retention *retention, const struct gw_retention_now *now,
                          int error)
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

// --- rounds --------------------------------------------------------------------------------------

static int64_t do_what_is_due(struct gw_retention *retention, const struct gw_retention_now *now)
{
    if (retention->collecting) {
        const int result = gw_retention_collect(retention, now);
        return result < 0 ? gw_retention_fail(retention, now, result) : REST_US;
    }
    if (retention->report.pressed)
        return gw_retention_make_room(retention, now);
    if (now->mono_us >= retention->next_look_us)
        return gw_retention_look(retention, now);
    if (retention->may_expire && (retention->walking || now->mono_us >= retention->next_pass_us))
        return gw_retention_expire(retention, now);
    if (retention->may_expire && (retention->pruning || now->mono_us >= retention->next_prune_us))
        return gw_retention_prune(retention, now);
    return IDLE_US;
}

int64_t gw_retention_step(struct gw_retention *retention, const struct gw_retention_now *now)
{
    const uint64_t failures = retention->report.failures;

    read_clock(retention, now);
    gw_retention_judge_room(retention, now);
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
