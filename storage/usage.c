// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/usage.h"

#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/index_internal.h"

#define HOUR_US   (3600 * GW_SECOND)
#define DAY_HOURS 24

enum { STEP = 2000 };

void gw_usage_begin(struct gw_usage *usage)
{
    *usage = (struct gw_usage){.start_us = INT64_MIN, .first_hour = INT64_MAX};
}

static void count_clip(struct gw_usage *usage, int64_t start_us, int64_t size_bytes)
{
    const int64_t hour = start_us / HOUR_US;
    const int at = (int)(hour % GW_USAGE_HOURS);

    usage->stored_bytes += size_bytes;
    if (hour < usage->first_hour)
        usage->first_hour = hour;
    if (at < 0 || hour < usage->hours[at].hour)
        return;
    if (usage->hours[at].hour != hour)
        usage->hours[at].bytes = 0;
    usage->hours[at].hour = hour;
    usage->hours[at].bytes += size_bytes;
}

int gw_usage_read(struct gw_index *index, struct gw_usage *usage, int64_t before_us)
{
    int count = 0, result;
    sqlite3_stmt *statement = gw_index_statement(
        index, "SELECT start_us, id, size_bytes FROM clip WHERE (start_us, id) > (?1, ?2)"
               " AND start_us < ?3 ORDER BY start_us, id LIMIT ?4");
    if (!statement)
        return GW_ERROR_INDEX;
    const struct gw_id after = usage->id;
    sqlite3_bind_int64(statement, 1, usage->start_us);
    gw_index_bind_id(statement, 2, &after);
    sqlite3_bind_int64(statement, 3, before_us);
    sqlite3_bind_int(statement, 4, STEP);
    for (; (result = gw_index_step(index, statement)) == 1; count++) {
        usage->start_us = sqlite3_column_int64(statement, 0);
        gw_index_read_id(statement, 1, &usage->id);
        count_clip(usage, usage->start_us, sqlite3_column_int64(statement, 2));
    }
    gw_index_reset(statement);
    usage->complete = result == 0 && count < STEP;
    return result < 0 ? result : 0;
}

void gw_usage_subtract(struct gw_usage *usage, const struct gw_candidate *clip)
{
    const bool counted = clip->start_us < usage->start_us ||
                         (clip->start_us == usage->start_us &&
                          memcmp(&clip->victim.id, &usage->id, sizeof(usage->id)) <= 0);
    if (counted)
        usage->stored_bytes -= clip->size_bytes;
}

double gw_usage_bytes_per_day(const struct gw_usage *usage, int64_t before_us)
{
    const int64_t end = before_us / HOUR_US;
    int64_t first = end - DAY_HOURS, bytes = 0;

    if (usage->first_hour > first)
        first = usage->first_hour;
    if (first >= end)
        return 0;
    for (int i = 0; i < GW_USAGE_HOURS; i++)
        if (usage->hours[i].hour >= first && usage->hours[i].hour < end)
            bytes += usage->hours[i].bytes;
    return (double)bytes / (double)(end - first) * DAY_HOURS;
}
