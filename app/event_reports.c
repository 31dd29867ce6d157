// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/event_reports.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/media.h"

enum { MOST_REPORTS = 32 };

void gw_event_reports_init(struct gw_event_reports *reports)
{
    *reports = (struct gw_event_reports){.last = &reports->first};
    pthread_mutex_init(&reports->lock, NULL);
}

void gw_event_reports_finish(struct gw_event_reports *reports)
{
    assert(!reports->first);
    pthread_mutex_destroy(&reports->lock);
}

void gw_event_reports_put(struct gw_event_reports *reports, enum gw_event_phase phase,
                          const struct gw_event *event, const struct gw_snapshot *snapshot)
{
    size_t jpeg_size = snapshot ? snapshot->jpeg_size : 0;
    size_t thumbnail_size = snapshot ? snapshot->thumbnail_size : 0;
    struct gw_event_report *report = malloc(sizeof(*report) + jpeg_size + thumbnail_size);

    if (!report)
        abort(); // an event that cannot be kept must not be lost silently
    *report = (struct gw_event_report){
        .phase = phase, .event = *event, .jpeg_size = jpeg_size, .thumbnail_size = thumbnail_size};
    if (jpeg_size)
        memcpy(report->bytes, snapshot->jpeg, jpeg_size);
    if (thumbnail_size)
        memcpy(report->bytes + jpeg_size, snapshot->thumbnail, thumbnail_size);

    pthread_mutex_lock(&reports->lock);
    if (phase == GW_EVENT_PHASE_UPDATED && reports->count >= MOST_REPORTS) {
        free(report);
    } else {
        *reports->last = report;
        reports->last = &report->next;
        reports->count++;
    }
    pthread_mutex_unlock(&reports->lock);
}

struct gw_event_report *gw_event_reports_take(struct gw_event_reports *reports)
{
    pthread_mutex_lock(&reports->lock);
    struct gw_event_report *report = reports->first;
    if (report) {
        reports->first = report->next;
        reports->count--;
        if (!reports->first)
            reports->last = &reports->first;
    }
    pthread_mutex_unlock(&reports->lock);
    return report;
}

// Thumbnail and picture, before the fact that names them. Returns whether both are on the disk.
static bool write_snapshot(const struct gw_event_report *report, const char *store,
                           const struct gw_log *log)
{
    char path[GW_MEDIA_PATH_SIZE];
    int error = gw_media_write(store, gw_event_thumbnail_path(path, &report->event),
                               report->bytes + report->jpeg_size, report->thumbnail_size);
    if (!error)
        error = gw_media_write(store, gw_event_snapshot_path(path, &report->event), report->bytes,
                               report->jpeg_size);
    if (error)
        gw_log_error(log, "cannot write snapshot %s: %s", path, gw_strerror(error));
    return !error;
}

// Whether the event has its picture and thumbnail, of a report before.
static bool has_snapshot(const struct gw_event *event, const char *store)
{
    char path[GW_MEDIA_PATH_SIZE];
    return gw_media_exists(store, gw_event_thumbnail_path(path, event)) &&
           gw_media_exists(store, gw_event_snapshot_path(path, event));
}

struct gw_fact gw_event_report_write(const struct gw_event_report *report, const char *store,
                                     const struct gw_log *log)
{
    static const enum gw_fact_kind kinds[] = {[GW_EVENT_PHASE_OPENED] = GW_FACT_EVENT_OPENED,
                                              [GW_EVENT_PHASE_UPDATED] = GW_FACT_EVENT_UPDATED,
                                              [GW_EVENT_PHASE_CLOSED] = GW_FACT_EVENT_CLOSED};
    struct gw_fact fact = {.kind = kinds[report->phase], .event = report->event};

    // A picture that could not be written is not promised, neither now nor when the event goes on.
    if (report->jpeg_size
            ? !write_snapshot(report, store, log)
            : fact.event.snapshot_us != GW_NO_TIME && !has_snapshot(&fact.event, store))
        fact.event.snapshot_us = GW_NO_TIME;
    return fact;
}
