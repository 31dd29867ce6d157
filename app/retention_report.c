// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What retention tells people and programs.

#include <stdio.h>
#include <stdlib.h>

#include "app/retention_thread.h"
#include "core/clock.h"

static const char *format_day(char buffer[GW_RFC3339_SIZE], int64_t wall_us)
{
    gw_format_rfc3339(buffer, wall_us);
    buffer[10] = 0;
    return buffer;
}

// "3.5 days", "2.0 h", "12 s"
static const char *format_length(char buffer[32], int64_t us)
{
    const double seconds = (double)llabs(us) / GW_SECOND;
    if (seconds >= 2 * 86400)
        snprintf(buffer, 32, "%.1f days", seconds / 86400);
    else if (seconds >= 2 * 3600)
        snprintf(buffer, 32, "%.1f h", seconds / 3600);
    else
        snprintf(buffer, 32, "%.0f s", seconds);
    return buffer;
}

static char *warn_of_clock(const struct gw_retention_report *report,
                           char buffer[GW_RETENTION_WARNING_SIZE])
{
    static const char *const what[] = {
        [GW_CLOCK_JUMPED] = "the clock of this machine was set by %s",
        [GW_CLOCK_BEHIND] = "the clock of this machine is %s before the newest recording",
        [GW_CLOCK_AHEAD] = "the clock of this machine is %s after retention last worked",
    };
    char length[32], first[128];

    snprintf(first, sizeof(first), what[report->doubt], format_length(length, report->off_us));
    snprintf(buffer, GW_RETENTION_WARNING_SIZE,
             "%s: nothing is deleted by age until it is certain; when it is right, say `gridwatch "
             "retention confirm`",
             first);
    return buffer;
}

char *gw_retention_warning(const struct gw_retention_report *report,
                           char buffer[GW_RETENTION_WARNING_SIZE])
{
    char day[GW_RFC3339_SIZE];
    const int floor_days = (int)(report->floor_us / GW_DAY_US);

    buffer[0] = 0;
    if (report->stuck)
        snprintf(buffer, GW_RETENTION_WARNING_SIZE,
                 "the disk is full and nothing is left that may be deleted");
    else if (report->floor_broken)
        snprintf(buffer, GW_RETENTION_WARNING_SIZE,
                 "the floor of %d days cannot be kept: the disk is too small", floor_days);
    else if (report->doubt != GW_CLOCK_SURE)
        warn_of_clock(report, buffer);
    else if (report->forecast.floor_lost_us != GW_NO_TIME && report->floor_us)
        snprintf(buffer, GW_RETENTION_WARNING_SIZE,
                 "the floor of %d days cannot be kept from %s on: the disk holds %.1f days",
                 floor_days, format_day(day, report->forecast.floor_lost_us),
                 report->forecast.days);
    return buffer;
}

// --- JSON ----------------------------------------------------------------------------------------

static const char *const nouns[] = {
    [GW_NOUN_EVENT] = "event", [GW_NOUN_CLIP] = "clip", [GW_NOUN_GAP] = "gap"};

static void set_time(json_t *object, const char *key, const char *key_us, int64_t wall_us)
{
    char text[GW_RFC3339_SIZE];
    const bool known = wall_us != GW_NO_TIME;

    json_object_set_new(object, key,
                        known ? json_string(gw_format_rfc3339(text, wall_us)) : json_null());
    json_object_set_new(object, key_us, known ? json_integer(wall_us) : json_null());
}

static json_t *forecast_to_json(const struct gw_forecast *forecast)
{
    json_t *json = json_object();

    set_time(json, "full", "full_us", forecast->full_us);
    set_time(json, "floor_lost", "floor_lost_us", forecast->floor_lost_us);
    json_object_set_new(json, "days", forecast->days > 0 ? json_real(forecast->days) : json_null());
    return json;
}

static json_t *deleted_to_json(const struct gw_retention_report *report)
{
    json_t *json = json_object();

    for (int noun = 0; noun < 3; noun++) {
        json_t *reasons = json_object();
        for (int reason = GW_DELETED_EXPIRED; reason <= GW_DELETED_ROOM; reason++)
            json_object_set_new(reasons, gw_deletion_reason_name((enum gw_deletion_reason)reason),
                                json_integer((json_int_t)report->deleted[noun][reason]));
        json_object_set_new(json, nouns[noun], reasons);
    }
    return json;
}

json_t *gw_retention_report_to_json(const struct gw_retention_report *report)
{
    char warning[GW_RETENTION_WARNING_SIZE];
    json_t *json = json_object();

    json_object_set_new(json, "warning", json_string(gw_retention_warning(report, warning)));
    json_object_set_new(json, "free_bytes", json_integer((json_int_t)report->free_bytes));
    json_object_set_new(json, "total_bytes", json_integer((json_int_t)report->total_bytes));
    json_object_set_new(json, "min_free_bytes", json_integer((json_int_t)report->min_free_bytes));
    json_object_set_new(json, "clip_bytes", json_integer(report->stored_bytes));
    json_object_set_new(json, "bytes_per_day",
                        report->bytes_per_day > 0 ? json_real(report->bytes_per_day) : json_null());
    set_time(json, "oldest", "oldest_us", report->oldest_us);
    json_object_set_new(json, "floor_days", json_integer(report->floor_us / GW_DAY_US));
    json_object_set_new(json, "ceiling_days",
                        report->ceiling_us ? json_integer(report->ceiling_us / GW_DAY_US)
                                           : json_null());
    json_object_set_new(json, "forecast", forecast_to_json(&report->forecast));
    json_object_set_new(json, "clock", json_string(gw_clock_doubt_name(report->doubt)));
    json_object_set_new(json, "behind_us", json_integer(report->behind_us));
    json_object_set_new(json, "pressed", json_boolean(report->pressed));
    json_object_set_new(json, "floor_broken", json_boolean(report->floor_broken));
    json_object_set_new(json, "stuck", json_boolean(report->stuck));
    json_object_set_new(json, "reserve", json_boolean(report->reserve_held));
    json_object_set_new(json, "garbage", json_integer(report->garbage));
    json_object_set_new(json, "holds", json_integer(report->holds));
    json_object_set_new(json, "deleted", deleted_to_json(report));
    return json;
}

// --- metrics -------------------------------------------------------------------------------------

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(FILE *out, const char *name, const char *type, const char *help, double value)
{
    write_head(out, name, type, help);
    fprintf(out, "%s %.17g\n", name, value);
}

// What is not in sight has no line.
static void write_moment(FILE *out, const char *name, const char *help, int64_t wall_us)
{
    write_head(out, name, "gauge", help);
    if (wall_us != GW_NO_TIME)
        fprintf(out, "%s %.17g\n", name, (double)wall_us / GW_SECOND);
}

static void write_deleted(const struct gw_retention_report *report, FILE *out, const char *name,
                          const char *help, enum gw_deletion_reason reason)
{
    write_head(out, name, "counter", help);
    for (int noun = 0; noun < 3; noun++)
        fprintf(out, "%s{noun=\"%s\"} %llu\n", name, nouns[noun],
                (unsigned long long)report->deleted[noun][reason]);
}

void gw_retention_report_write_metrics(const struct gw_retention_report *report, FILE *out)
{
    write_one(out, "gridwatch_storage_free_bytes", "gauge", "Room on the store's disk.",
              (double)report->free_bytes);
    write_one(out, "gridwatch_storage_total_bytes", "gauge", "Size of the store's disk.",
              (double)report->total_bytes);
    write_one(out, "gridwatch_storage_min_free_bytes", "gauge", "Room that retention keeps.",
              (double)report->min_free_bytes);
    write_one(out, "gridwatch_storage_clip_bytes", "gauge", "Bytes of clips in the index.",
              (double)report->stored_bytes);
    write_one(out, "gridwatch_storage_bytes_per_day", "gauge",
              "Bytes of clips that come in a day; 0 before it is known.", report->bytes_per_day);
    write_moment(out, "gridwatch_storage_oldest_timestamp_seconds", "Start of the oldest clip.",
                 report->oldest_us);
    write_moment(out, "gridwatch_storage_full_timestamp_seconds",
                 "When the disk will be full; absent: not in sight.", report->forecast.full_us);
    write_moment(out, "gridwatch_storage_floor_lost_timestamp_seconds",
                 "From when on the floor cannot be kept; absent: not in sight.",
                 report->forecast.floor_lost_us);
    write_one(out, "gridwatch_storage_pressed", "gauge", "1 while recordings go to make room.",
              report->pressed);
    write_one(out, "gridwatch_storage_floor_broken", "gauge",
              "1 while recordings in their floor go to make room.", report->floor_broken);
    write_one(out, "gridwatch_storage_stuck", "gauge",
              "1 while there is no room and nothing may be deleted.", report->stuck);
    write_one(out, "gridwatch_storage_reserve_held", "gauge", "1 while the reserve file is there.",
              report->reserve_held);
    write_one(out, "gridwatch_retention_clock_doubt", "gauge",
              "0 sure; 1 jumped, 2 behind, 3 ahead: nothing is deleted by age.", report->doubt);
    write_one(out, "gridwatch_retention_behind_seconds", "gauge",
              "How far retention's clock is behind the wall clock.",
              (double)report->behind_us / GW_SECOND);
    write_one(out, "gridwatch_retention_garbage_files", "gauge", "Files that wait to be unlinked.",
              (double)report->garbage);
    write_one(out, "gridwatch_retention_pruned_facts_total", "counter",
              "Facts that left the journal with their rows.", (double)report->pruned);
    write_one(out, "gridwatch_retention_failures_total", "counter",
              "Rounds that ended with an error, and files that could not be unlinked.",
              (double)report->failures);
    write_one(out, "gridwatch_holds", "gauge", "Case holds that last.", report->holds);
    write_deleted(report, out, "gridwatch_retention_expired_total",
                  "Rows deleted because their time was over.", GW_DELETED_EXPIRED);
    write_deleted(report, out, "gridwatch_retention_displaced_total",
                  "Rows deleted because the disk needed room.", GW_DELETED_ROOM);
}
