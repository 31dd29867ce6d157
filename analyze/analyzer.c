// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/analyzer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/pixdesc.h>

#include "analyze/decode.h"
#include "analyze/event_fsm.h"
#include "analyze/health_events.h"
#include "analyze/luma.h"
#include "analyze/motion.h"
#include "analyze/snapshot.h"
#include "core/clock.h"
#include "core/log.h"

// People do not move faster than this shows: of more than 20 pictures a second some are left out.
#define LOOK_EVERY_US (GW_SECOND / 20)
// An open event is reported again this often while it moves.
#define REPORT_EVERY_US GW_SECOND
// Media times below this (2001-09-09) count from a file's beginning, not from 1970.
#define FILE_TIME_LIMIT_US (INT64_C(1000000000) * GW_SECOND)

struct gw_analyzer {
    struct gw_analyzer_config config;
    struct gw_decoder *decoder;
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

const struct gw_analyzer_config gw_analyzer_defaults = {.level = GW_LEVEL_FULL, .max_width = 320};

static const char *const level_names[] = {
    [GW_LEVEL_AUTO] = "auto",
    [GW_LEVEL_GATE] = "gate",
    [GW_LEVEL_KEYFRAMES] = "keyframes",
    [GW_LEVEL_FULL] = "full",
};
enum { LEVEL_COUNT = sizeof(level_names) / sizeof(level_names[0]) };

const char *gw_level_name(enum gw_level level)
{
    return level_names[level];
}

int gw_level_from_name(const char *name)
{
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (!strcmp(level_names[i], name))
            return i;
    return -1;
}

// Fills the event from the machine; picture and box stay those of the last snapshot.
static void fill_event(struct gw_analyzer *analyzer, enum gw_event_state state)
{
    const struct gw_event_fsm *fsm = &analyzer->fsm;
    struct gw_event *event = &analyzer->event;

    event->state = state;
    event->start_us = fsm->start_us;
    event->end_us = fsm->end_us;
    event->confirmed_us = fsm->confirmed_us;
    event->score = fsm->score;
    event->zone_count = 0;
    for (int i = 0; analyzer->config.zones && i < analyzer->config.zones->zone_count; i++)
        if (fsm->zones & UINT32_C(1) << i)
            strcpy(event->zones[event->zone_count++], analyzer->config.zones->zones[i].name);
}

static void report(struct gw_analyzer *analyzer, enum gw_event_phase phase)
{
    struct gw_snapshot_taker *taker = &analyzer->taker;
    struct gw_snapshot snapshot = {0};

    fill_event(analyzer, phase == GW_EVENT_PHASE_CLOSED ? GW_EVENT_CLOSED : GW_EVENT_OPEN);
    int taken = gw_snapshot_taker_take(taker, analyzer->config.zones, &analyzer->event.box,
                                       &analyzer->event.snapshot_us);
    if (taken < 0)
        gw_log_debug(NULL, "%s: no snapshot: %d", analyzer->config.camera, taken);
    if (taken > 0)
        snapshot = (struct gw_snapshot){.jpeg = taker->picture.bytes,
                                        .jpeg_size = taker->picture.size,
                                        .thumbnail = taker->thumbnail.bytes,
                                        .thumbnail_size = taker->thumbnail.size};
    analyzer->reported_us = analyzer->fsm.last_us;
    analyzer->config.event(analyzer->config.opaque, phase, &analyzer->event, &snapshot);
}

static void open_event(struct gw_analyzer *analyzer)
{
    const int64_t start_us = analyzer->fsm.start_us;

    analyzer->event = (struct gw_event){.kind = GW_EVENT_MOTION, .snapshot_us = GW_NO_TIME};
    analyzer->event.id = gw_id_make(start_us < FILE_TIME_LIMIT_US ? gw_wall_us() : start_us);
    strcpy(analyzer->event.camera, analyzer->config.camera);
    analyzer->events++;
    report(analyzer, GW_EVENT_PHASE_OPENED);
}

static void close_event(struct gw_analyzer *analyzer, bool interrupted)
{
    analyzer->event.interrupted = interrupted;
    report(analyzer, GW_EVENT_PHASE_CLOSED);
    gw_snapshot_taker_forget(&analyzer->taker);
}

static void handle_step(struct gw_analyzer *analyzer, enum gw_event_step step)
{
    switch (step) {
    case GW_EVENT_STEP_OPEN: open_event(analyzer); break;
    case GW_EVENT_STEP_MOVES:
        if (analyzer->fsm.last_us - analyzer->reported_us >= REPORT_EVERY_US)
            report(analyzer, GW_EVENT_PHASE_UPDATED);
        break;
    case GW_EVENT_STEP_CLOSE: close_event(analyzer, false); break;
    case GW_EVENT_STEP_NONE: gw_snapshot_taker_forget(&analyzer->taker); break;
    case GW_EVENT_STEP_SUSPECT:
    case GW_EVENT_STEP_PAUSES: break;
    }
}

// Said once: a camera whose pictures cannot be looked at has no events for that reason.
static void note_unseen(struct gw_analyzer *analyzer, const struct gw_frame *frame)
{
    const char *format = av_get_pix_fmt_name(frame->av->format);

    if (!analyzer->unseen++ && analyzer->config.camera[0])
        gw_log_warning(NULL,
                       "%s: no motion is found in pictures of format %s; change the camera's "
                       "encoding to YUV 4:2:0",
                       analyzer->config.camera, format ? format : "unknown");
}

// The small picture and the motion detector for pictures like this one. Returns 0 or an error.
static int prepare(struct gw_analyzer *analyzer, const struct gw_frame *frame)
{
    int changed = gw_luma_reduce(&analyzer->luma, frame, analyzer->config.max_width);

    if (changed < 0)
        return changed;
    if (!changed && analyzer->motion)
        return 0;
    gw_motion_destroy(&analyzer->motion);
    return gw_motion_create(&analyzer->motion, analyzer->luma.width, analyzer->luma.height,
                            analyzer->config.zones);
}

static bool too_soon(const struct gw_analyzer *analyzer, int64_t wall_us)
{
    if (analyzer->looked_us == GW_NO_TIME)
        return false;
    const int64_t since_us = wall_us - analyzer->looked_us;
    return since_us >= 0 && since_us < LOOK_EVERY_US;
}

static void look_at(void *opaque, const struct gw_frame *frame)
{
    struct gw_analyzer *analyzer = opaque;

    if (too_soon(analyzer, frame->wall_us))
        return;
    const int error = prepare(analyzer, frame);
    if (error == AVERROR_PATCHWELCOME)
        note_unseen(analyzer, frame);
    if (error < 0) // without memory the next picture is as good
        return;
    analyzer->looked_us = frame->wall_us;
    const struct gw_motion_result motion =
        gw_motion_feed(analyzer->motion, analyzer->luma.pixels, frame->wall_us);
    gw_health_events_feed(analyzer->health, &analyzer->luma, frame, &motion, 0);
    if (motion.something) {
        const double sharpness =
            gw_motion_sharpness(analyzer->motion, analyzer->luma.pixels, &motion.box);
        gw_snapshot_taker_offer(&analyzer->taker, frame, &motion.box,
                                gw_snapshot_quality(&motion.box, sharpness));
    }
    handle_step(analyzer, gw_event_fsm_feed(&analyzer->fsm, &motion, frame->wall_us));
    if (analyzer->config.picture_trace)
        analyzer->config.picture_trace(
            analyzer->config.opaque,
            &(struct gw_picture_trace){.wall_us = frame->wall_us,
                                       .motion = motion,
                                       .open = analyzer->fsm.state == GW_FSM_OPEN});
}

int gw_analyzer_create(struct gw_analyzer **ret, const struct gw_analyzer_config *config)
{
    struct gw_analyzer *analyzer = calloc(1, sizeof(*analyzer));

    assert(config->event && config->max_width >= 64);
    if (!analyzer)
        return -ENOMEM;
    const struct gw_decoder_config decoder = {.keyframes_only = config->level == GW_LEVEL_KEYFRAMES,
                                              .opaque = analyzer,
                                              .frame = look_at};
    analyzer->config = *config;
    analyzer->looked_us = GW_NO_TIME;
    gw_luma_init(&analyzer->luma);
    gw_event_fsm_init(&analyzer->fsm);
    gw_snapshot_taker_init(&analyzer->taker);
    int error = gw_health_events_create(&analyzer->health, &analyzer->config);
    if (error >= 0)
        error = gw_decoder_create(&analyzer->decoder, &decoder);
    if (error < 0) {
        gw_health_events_destroy(&analyzer->health);
        free(analyzer);
        return error;
    }
    *ret = analyzer;
    return 0;
}

void gw_analyzer_destroy(struct gw_analyzer **analyzer)
{
    if (!*analyzer)
        return;
    gw_decoder_destroy(&(*analyzer)->decoder);
    gw_health_events_destroy(&(*analyzer)->health);
    gw_snapshot_taker_finish(&(*analyzer)->taker);
    gw_motion_destroy(&(*analyzer)->motion);
    gw_luma_finish(&(*analyzer)->luma);
    free(*analyzer);
    *analyzer = NULL;
}

int gw_analyzer_feed(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    return gw_decoder_feed(analyzer->decoder, packet);
}

void gw_analyzer_discontinuity(struct gw_analyzer *analyzer)
{
    gw_decoder_reset(analyzer->decoder);
}

void gw_analyzer_flush(struct gw_analyzer *analyzer)
{
    gw_decoder_drain(analyzer->decoder);
    if (gw_event_fsm_end(&analyzer->fsm) == GW_EVENT_STEP_CLOSE)
        close_event(analyzer, true);
    gw_health_events_flush(analyzer->health);
}

void gw_analyzer_idle(struct gw_analyzer *analyzer, int64_t wall_us)
{
    if (gw_event_fsm_idle(&analyzer->fsm, wall_us) == GW_EVENT_STEP_CLOSE)
        close_event(analyzer, false);
}

void gw_analyzer_count(const struct gw_analyzer *analyzer, struct gw_analyzer_counters *ret)
{
    struct gw_decoder_counters decoder;

    gw_decoder_count(analyzer->decoder, &decoder);
    *ret = (struct gw_analyzer_counters){.packets = decoder.packets,
                                         .decoded = decoder.decoded,
                                         .events = analyzer->events +
                                                   gw_health_events_count(analyzer->health),
                                         .decode_errors = decoder.errors,
                                         .unseen = analyzer->unseen};
}
