// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/health.h"
#include "analyze/snapshot.h"
#include "core/clock.h"
#include "core/log.h"

// An open event is told again this often.
#define REPORT_EVERY_US (60 * GW_SECOND)
// Media times below this (2001-09-09) count from a file's beginning, not from 1970.
#define FILE_TIME_LIMIT_US (INT64_C(1000000000) * GW_SECOND)

static const struct gw_box whole_picture = {0, 0, 1, 1};

struct gw_health_events {
    const struct gw_look_config *config;
    struct gw_health *health; // NULL before the first picture
    int width, height;        // that it was made for
    bool open[GW_EVENT_KIND_COUNT];
    struct gw_event events[GW_EVENT_KIND_COUNT]; // as last told, where open
    int64_t reported_us[GW_EVENT_KIND_COUNT];
    int64_t last_us; // of the last picture
    uint64_t count;
};

int gw_health_events_create(struct gw_health_events **ret, const struct gw_look_config *config)
{
    struct gw_health_events *events = calloc(1, sizeof(*events));

    if (!events)
        return -ENOMEM;
    events->config = config;
    *ret = events;
    return 0;
}

void gw_health_events_destroy(struct gw_health_events **events)
{
    if (!*events)
        return;
    gw_health_destroy(&(*events)->health);
    free(*events);
    *events = NULL;
}

static uint8_t *draw_mask(const struct gw_zones *zones, int width, int height)
{
    uint8_t *mask = malloc((size_t)(width * height));

    for (int i = 0; mask && i < width * height; i++)
        mask[i] =
            gw_zones_masked(zones, (i % width + 0.5) / width, ((double)(i / width) + 0.5) / height);
    return mask;
}

// What judges pictures of this size. Faults that are open stay so until it is sure of the contrary.
static int prepare(struct gw_health_events *events, int width, int height)
{
    const struct gw_zones *zones = events->config->zones;
    uint8_t *mask = NULL;

    if (events->health && events->width == width && events->height == height)
        return 0;
    gw_health_destroy(&events->health);
    if (zones && zones->mask_count > 0 && !(mask = draw_mask(zones, width, height)))
        return -ENOMEM;
    const int error = gw_health_create(&events->health, width, height, mask);
    free(mask);
    events->width = width;
    events->height = height;
    return error;
}

static void tell(struct gw_health_events *events, enum gw_event_kind kind,
                 enum gw_event_phase phase, const struct gw_snapshot *snapshot)
{
    const struct gw_snapshot none = {0};

    events->reported_us[kind] = events->last_us;
    events->config->event(events->config->opaque, phase, &events->events[kind],
                          snapshot ? snapshot : &none);
}

static void open_event(struct gw_health_events *events, const struct gw_health_step *step,
                       const struct gw_frame *frame)
{
    const struct gw_look_config *config = events->config;
    struct gw_event *event = &events->events[step->kind];
    struct gw_snapshot_taker taker;

    *event = (struct gw_event){.kind = step->kind,
                               .state = GW_EVENT_OPEN,
                               .start_us = step->since_us,
                               .end_us = frame->wall_us,
                               .confirmed_us = frame->wall_us,
                               .score = step->score,
                               .box = whole_picture,
                               .snapshot_us = GW_NO_TIME,
                               .clock_offset_us = GW_NO_TIME};
    event->id = gw_id_make(step->since_us < FILE_TIME_LIMIT_US ? gw_wall_us() : step->since_us);
    memcpy(event->camera, config->camera, sizeof(event->camera));
    events->open[step->kind] = true;
    events->count++;
    gw_snapshot_taker_init(&taker);
    gw_snapshot_taker_offer(&taker, frame, &whole_picture, 1);
    if (gw_snapshot_taker_take(&taker, config->zones, &event->box, &event->snapshot_us) <= 0)
        gw_log_debug(NULL, "%s: no snapshot of a fault", config->camera);
    const struct gw_snapshot snapshot = {.jpeg = taker.picture.bytes,
                                         .jpeg_size = taker.picture.size,
                                         .thumbnail = taker.thumbnail.bytes,
                                         .thumbnail_size = taker.thumbnail.size};
    tell(events, step->kind, GW_EVENT_PHASE_OPENED, &snapshot);
    gw_snapshot_taker_finish(&taker);
}

static void close_event(struct gw_health_events *events, enum gw_event_kind kind, int64_t end_us,
                        bool interrupted)
{
    struct gw_event *event = &events->events[kind];

    event->state = GW_EVENT_CLOSED;
    event->interrupted = interrupted;
    event->end_us = end_us > event->start_us ? end_us : event->start_us;
    events->open[kind] = false;
    tell(events, kind, GW_EVENT_PHASE_CLOSED, NULL);
}

static void take_step(struct gw_health_events *events, const struct gw_health_step *step,
                      const struct gw_frame *frame)
{
    if (step->begins && !events->open[step->kind])
        open_event(events, step, frame);
    else if (!step->begins && events->open[step->kind])
        close_event(events, step->kind, step->since_us, false);
}

static void report_open(struct gw_health_events *events)
{
    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++) {
        const int64_t since_us = events->last_us - events->reported_us[i];
        if (!events->open[i] || (since_us >= 0 && since_us < REPORT_EVERY_US))
            continue;
        if (events->last_us > events->events[i].end_us)
            events->events[i].end_us = events->last_us;
        tell(events, (enum gw_event_kind)i, GW_EVENT_PHASE_UPDATED, NULL);
    }
}

void gw_health_events_feed(struct gw_health_events *events, const struct gw_luma *luma,
                           const struct gw_frame *frame, const struct gw_motion_result *motion,
                           double shake_pixels)
{
    struct gw_health_step steps[GW_HEALTH_KINDS];

    if (prepare(events, luma->width, luma->height) < 0) // the next picture is as good
        return;
    events->last_us = frame->wall_us;
    const int count = gw_health_feed(events->health, luma->pixels, frame->wall_us, motion->relit,
                                     shake_pixels, steps);
    for (int i = 0; i < count; i++)
        take_step(events, &steps[i], frame);
    report_open(events);
}

void gw_health_events_flush(struct gw_health_events *events)
{
    for (int i = 0; i < GW_EVENT_KIND_COUNT; i++)
        if (events->open[i])
            close_event(events, (enum gw_event_kind)i, events->last_us, true);
}

uint64_t gw_health_events_count(const struct gw_health_events *events)
{
    return events->count;
}
