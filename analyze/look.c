// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/look.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/pixdesc.h>

#include "analyze/event_fsm.h"
#include "analyze/health_events.h"
#include "analyze/luma.h"
#include "analyze/snapshot.h"
#include "core/clock.h"
#include "core/log.h"

// People do not move faster than this shows: of more than 20 pictures a second some are left out.
#define LOOK_EVERY_US (GW_SECOND / 20)
// An open event is reported again this often while it moves.
#define REPORT_EVERY_US GW_SECOND
// Media times below this (2001-09-09) count from a file's beginning, not from 1970.
#define FILE_TIME_LIMIT_US (INT64_C(1000000000) * GW_SECOND)

struct gw_look {
    struct gw_look_config config;
    struct gw_luma luma;
    struct gw_motion *motion; // NULL before the first picture
    struct gw_health_events *health;
    struct gw_event_fsm fsm;
    struct gw_snapshot_taker taker;
    struct gw_event event; // as last reported; valid while the machine's state is open
    int64_t looked_us;     // at the last picture; GW_NO_TIME before
    int64_t reported_us;
    uint64_t events, unseen;
};

// Fills the event from the machine; picture and box stay those of the last snapshot.
static void fill_event(struct gw_look *look, enum gw_event_state state)
{
    const struct gw_event_fsm *fsm = &look->fsm;
    struct gw_event *event = &look->event;

    event->state = state;
    event->start_us = fsm->start_us;
    event->end_us = fsm->end_us;
    event->confirmed_us = fsm->confirmed_us;
    event->score = fsm->score;
    event->zone_count = 0;
    for (int i = 0; look->config.zones && i < look->config.zones->zone_count; i++)
        if (fsm->zones & UINT32_C(1) << i)
            strcpy(event->zones[event->zone_count++], look->config.zones->zones[i].name);
}

static void report(struct gw_look *look, enum gw_event_phase phase)
{
    struct gw_snapshot_taker *taker = &look->taker;
    struct gw_snapshot snapshot = {0};

    fill_event(look, phase == GW_EVENT_PHASE_CLOSED ? GW_EVENT_CLOSED : GW_EVENT_OPEN);
    int taken = gw_snapshot_taker_take(taker, look->config.zones, &look->event.box,
                                       &look->event.snapshot_us);
    if (taken < 0)
        gw_log_debug(NULL, "%s: no snapshot: %d", look->config.camera, taken);
    if (taken > 0)
        snapshot = (struct gw_snapshot){.jpeg = taker->picture.bytes,
                                        .jpeg_size = taker->picture.size,
                                        .thumbnail = taker->thumbnail.bytes,
                                        .thumbnail_size = taker->thumbnail.size};
    look->reported_us = look->fsm.last_us;
    look->config.event(look->config.opaque, phase, &look->event, &snapshot);
}

static void open_event(struct gw_look *look)
{
    const int64_t start_us = look->fsm.start_us;

    look->event = (struct gw_event){
        .kind = GW_EVENT_MOTION, .snapshot_us = GW_NO_TIME, .clock_offset_us = GW_NO_TIME};
    look->event.id = gw_id_make(start_us < FILE_TIME_LIMIT_US ? gw_wall_us() : start_us);
    strcpy(look->event.camera, look->config.camera);
    look->events++;
    report(look, GW_EVENT_PHASE_OPENED);
}

static void close_event(struct gw_look *look, bool interrupted)
{
    look->event.interrupted = interrupted;
    report(look, GW_EVENT_PHASE_CLOSED);
    gw_snapshot_taker_forget(&look->taker);
}

static void handle_step(struct gw_look *look, enum gw_event_step step)
{
    switch (step) {
    case GW_EVENT_STEP_OPEN: open_event(look); break;
    case GW_EVENT_STEP_MOVES:
        if (look->fsm.last_us - look->reported_us >= REPORT_EVERY_US)
            report(look, GW_EVENT_PHASE_UPDATED);
        break;
    case GW_EVENT_STEP_CLOSE: close_event(look, false); break;
    case GW_EVENT_STEP_NONE: gw_snapshot_taker_forget(&look->taker); break;
    case GW_EVENT_STEP_SUSPECT:
    case GW_EVENT_STEP_PAUSES: break;
    }
}

// Said once: a camera whose pictures cannot be looked at has no events for that reason.
static void note_unseen(struct gw_look *look, const struct gw_frame *frame)
{
    const char *format = av_get_pix_fmt_name(frame->av->format);

    if (!look->unseen++ && look->config.camera[0])
        gw_log_warning(NULL,
                       "%s: no motion is found in pictures of format %s; change the camera's "
                       "encoding to YUV 4:2:0",
                       look->config.camera, format ? format : "unknown");
}

// The small picture, and the motion detector for pictures like this one. Without memory the next
// picture is as good.
static bool prepare(struct gw_look *look, const struct gw_frame *frame)
{
    const int changed = gw_luma_reduce(&look->luma, frame, look->config.max_width);

    if (changed == AVERROR_PATCHWELCOME)
        note_unseen(look, frame);
    if (changed < 0)
        return false;
    if (!changed && look->motion)
        return true;
    gw_motion_destroy(&look->motion);
    return gw_motion_create(&look->motion, look->luma.width, look->luma.height,
                            look->config.zones) >= 0;
}

// Keyframes are looked at sooner: what they alone would show is evidence (level.h), and of 25
// pictures a second every other one, always the same, is left out.
static bool too_soon(const struct gw_look *look, const struct gw_frame *frame)
{
    if (look->looked_us == GW_NO_TIME)
        return false;
    const int64_t since_us = frame->wall_us - look->looked_us;
    return since_us >= 0 && since_us < (frame->av->key_frame ? LOOK_EVERY_US / 2 : LOOK_EVERY_US);
}

bool gw_look_at(struct gw_look *look, const struct gw_frame *frame, struct gw_motion_result *ret)
{
    if (too_soon(look, frame) || !prepare(look, frame))
        return false;
    look->looked_us = frame->wall_us;
    const struct gw_motion_result motion =
        gw_motion_feed(look->motion, look->luma.pixels, frame->wall_us);
    gw_health_events_feed(look->health, &look->luma, frame, &motion, gw_motion_shake(look->motion));
    if (motion.something) {
        const double sharpness = gw_motion_sharpness(look->motion, look->luma.pixels, &motion.box);
        gw_snapshot_taker_offer(&look->taker, frame, &motion.box,
                                gw_snapshot_quality(&motion.box, sharpness));
    }
    handle_step(look, gw_event_fsm_feed(&look->fsm, &motion, frame->wall_us));
    *ret = motion;
    return true;
}

bool gw_look_peek(struct gw_look *look, const struct gw_frame *frame, struct gw_motion_result *ret)
{
    if (!prepare(look, frame))
        return false;
    *ret = gw_motion_peek(look->motion, look->luma.pixels);
    return true;
}

void gw_look_resume(struct gw_look *look)
{
    if (look->motion)
        gw_motion_resume(look->motion);
}

int gw_look_create(struct gw_look **ret, const struct gw_look_config *config)
{
    struct gw_look *look = calloc(1, sizeof(*look));

    assert(config->event && config->max_width >= 64);
    if (!look)
        return -ENOMEM;
    look->config = *config;
    look->looked_us = GW_NO_TIME;
    gw_luma_init(&look->luma);
    gw_event_fsm_init(&look->fsm);
    gw_snapshot_taker_init(&look->taker);
    if (gw_health_events_create(&look->health, &look->config) < 0) {
        free(look);
        return -ENOMEM;
    }
    *ret = look;
    return 0;
}

void gw_look_destroy(struct gw_look **look)
{
    if (!*look)
        return;
    gw_health_events_destroy(&(*look)->health);
    gw_snapshot_taker_finish(&(*look)->taker);
    gw_motion_destroy(&(*look)->motion);
    gw_luma_finish(&(*look)->luma);
    free(*look);
    *look = NULL;
}

void gw_look_assume(struct gw_look *look, int64_t wall_us)
{
    gw_event_fsm_assume(&look->fsm, wall_us);
}

void gw_look_idle(struct gw_look *look, int64_t wall_us)
{
    if (gw_event_fsm_idle(&look->fsm, wall_us) == GW_EVENT_STEP_CLOSE)
        close_event(look, false);
}

void gw_look_end(struct gw_look *look)
{
    if (gw_event_fsm_end(&look->fsm) == GW_EVENT_STEP_CLOSE)
        close_event(look, true);
    gw_health_events_flush(look->health);
}

struct gw_look_state gw_look_state(const struct gw_look *look)
{
    return (struct gw_look_state){.open = look->fsm.state == GW_FSM_OPEN,
                                  .suspected = look->fsm.state == GW_FSM_SUSPECTED,
                                  .looked_us = look->looked_us,
                                  .moved_us = look->fsm.end_us,
                                  .start_us = look->fsm.start_us,
                                  .open_us = look->fsm.confirmed_us,
                                  .events = look->events + gw_health_events_count(look->health),
                                  .unseen = look->unseen};
}
