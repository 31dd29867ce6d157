// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The event reports of one camera, with their snapshots, on their way to the disk.
//
//   analysis.h -> recorder.c -> [event reports] -> recorder.c, on the disk thread -> media.h
//
// put from any thread; everything else from the disk thread only.
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/analyzer.h"
#include "core/fact.h"
#include "core/log.h"

struct gw_event_report {
    struct gw_event_report *next;
    enum gw_event_phase phase;
    struct gw_event event;
    size_t jpeg_size, thumbnail_size;
    uint8_t bytes[]; // the picture, then the thumbnail
};

// Those that wait, oldest first.
struct gw_event_reports {
    pthread_mutex_t lock; // guards the rest; held for moments
    struct gw_event_report *first, **last;
    int count;
};

// In place: it may not be moved afterwards.
void gw_event_reports_init(struct gw_event_reports *reports);
void gw_event_reports_finish(struct gw_event_reports *reports); // when none waits

// Copies event and snapshot (may be NULL). When 32 wait, an update is dropped; opened and closed
// are kept.
void gw_event_reports_put(struct gw_event_reports *reports, enum gw_event_phase phase,
                          const struct gw_event *event, const struct gw_snapshot *snapshot);

// The oldest, or NULL. Caller owns it and frees it with free().
struct gw_event_report *gw_event_reports_take(struct gw_event_reports *reports);

// Writes the snapshot, if it has one, and returns the fact that may be posted then, without its
// wall_us. A failure is logged; as long as the event has no snapshot on the disk, its facts promise
// none.
struct gw_fact gw_event_report_write(const struct gw_event_report *report, const char *store,
                                     const struct gw_log *log);
