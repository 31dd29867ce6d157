// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The order of things. Packets of the GOP that is coming in are held (held.c) and read (watch.c). A
// plan (plan.c) says what of it is decoded; the level, the gate, a keyframe or an audit may change
// the plan, and then decoding starts at the keyframe, so that the true start is found in what was
// held. While an event is open and the level is auto, keyframes that still show it are enough
// (key_look.c); what lies between is decoded when one shows nothing any more, so that the true end
// is found in the same way.

#include "analyze/analyzer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/held.h"
#include "analyze/pace.h"
#include "analyze/plan.h"
#include "analyze/watch.h"
#include "core/clock.h"

struct gw_analyzer {
    struct gw_analyzer_config config;
    struct gw_stream *stream; // of the last packet
    struct gw_watch watch;
    struct gw_held held;
    struct gw_pace pace;
    struct gw_plan plan;
    uint64_t packets;
};

const struct gw_analyzer_config gw_analyzer_defaults = {.level = GW_LEVEL_FULL, .max_width = 320};

// --- what is told --------------------------------------------------------------------------------

static void handle_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
    const struct gw_analyzer *analyzer = opaque;

    analyzer->config.event(analyzer->config.opaque, phase, event, snapshot);
}

static void handle_let_go(void *opaque, const struct gw_gop_packet *entry)
{
    const struct gw_analyzer *analyzer = opaque;

    if (!analyzer->config.packet_trace)
        return;
    analyzer->config.packet_trace(analyzer->config.opaque,
                                  &(struct gw_packet_trace){
                                      .wall_us = gw_watch_time(&entry->packet),
                                      .bytes = entry->packet.av->size,
                                      .qp = entry->qp,
                                      .signal = entry->verdict.signal,
                                      .limit = entry->verdict.limit,
                                      .decoded = entry->decoded,
                                      .level = gw_watch_level(&analyzer->watch),
                                  });
}

static void handle_looked(void *opaque, int64_t wall_us, const struct gw_motion_result *motion,
                          bool open)
{
    const struct gw_analyzer *analyzer = opaque;

    if (analyzer->config.picture_trace)
        analyzer->config.picture_trace(analyzer->config.opaque,
                                       &(struct gw_picture_trace){wall_us, *motion, open});
}

static void handle_picture(void *opaque, const struct gw_frame *frame)
{
    struct gw_analyzer *analyzer = opaque;

    gw_watch_picture(&analyzer->watch, frame, true);
}

// --- packets -------------------------------------------------------------------------------------

static void begin_gop(struct gw_analyzer *analyzer, int64_t wall_us)
{
    gw_plan_end_gop(&analyzer->plan);
    gw_pace_key(&analyzer->pace, wall_us);
    gw_watch_choose(&analyzer->watch, &analyzer->pace, wall_us);
}

// The new one's packets are of no use before its first keyframe.
static void change_stream(struct gw_analyzer *analyzer, struct gw_stream *stream)
{
    const struct gw_stream *last = analyzer->stream;

    gw_watch_stream(&analyzer->watch, last ? last->parameters : NULL, stream->parameters);
    if (last) {
        gw_plan_catch_up(&analyzer->plan);
        gw_held_drain(&analyzer->held);
        gw_pace_lost(&analyzer->pace);
    }
    gw_stream_unref(&analyzer->stream);
    analyzer->stream = gw_stream_ref(stream);
}

static int hold(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    struct gw_picture_info info;

    gw_watch_packet(&analyzer->watch, packet, &info);
    gw_pace_picture(&analyzer->pace);
    struct gw_gop_packet *entry = gw_held_push(&analyzer->held, packet);
    if (!entry)
        return -ENOMEM;
    entry->verdict = analyzer->watch.verdict;
    entry->qp = info.qp;
    entry->reference =
        gw_packet_is_key(packet) || info.reference || info.type == GW_PICTURE_UNKNOWN;
    return 0;
}

int gw_analyzer_feed(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    const bool key = gw_packet_is_key(packet);
    const int64_t wall_us = gw_watch_time(packet);

    analyzer->packets++;
    if (analyzer->stream != packet->stream)
        change_stream(analyzer, packet->stream);
    if (key)
        begin_gop(analyzer, wall_us);
    else if (analyzer->pace.key_us == GW_NO_TIME)
        return 0;
    const int error = hold(analyzer, packet);
    if (error < 0)
        return error;
    gw_held_rest(&analyzer->held, wall_us);
    return key ? gw_plan_key(&analyzer->plan) : gw_plan_packet(&analyzer->plan, wall_us);
}

static void forget_packets(struct gw_analyzer *analyzer)
{
    gw_plan_forget(&analyzer->plan);
    gw_pace_lost(&analyzer->pace);
}

void gw_analyzer_discontinuity(struct gw_analyzer *analyzer)
{
    forget_packets(analyzer);
    gw_watch_gap(&analyzer->watch);
    gw_held_reset(&analyzer->held);
}

void gw_analyzer_pause(struct gw_analyzer *analyzer)
{
    gw_analyzer_discontinuity(analyzer);
    gw_held_rest(&analyzer->held, INT64_MAX / 2);
}

void gw_analyzer_flush(struct gw_analyzer *analyzer)
{
    gw_plan_catch_up(&analyzer->plan);
    gw_held_drain(&analyzer->held);
    forget_packets(analyzer);
    gw_look_end(analyzer->watch.look);
}

void gw_analyzer_idle(struct gw_analyzer *analyzer, int64_t wall_us)
{
    gw_plan_catch_up(&analyzer->plan);
    gw_look_idle(analyzer->watch.look, wall_us);
}

void gw_analyzer_count(const struct gw_analyzer *analyzer, struct gw_analyzer_counters *ret)
{
    const struct gw_watch *watch = &analyzer->watch;
    const struct gw_look_state state = gw_look_state(watch->look);
    struct gw_decoder_counters decoder;

    gw_decoder_count(analyzer->held.decoder, &decoder);
    *ret = (struct gw_analyzer_counters){.packets = analyzer->packets,
                                         .decoded = decoder.decoded,
                                         .events = state.events,
                                         .decode_errors = decoder.errors,
                                         .unseen = state.unseen,
                                         .audits = watch->audits.count,
                                         .level = gw_watch_level(watch)};
    memcpy(ret->cases, watch->chooser.cases, sizeof(ret->cases));
}

// --- making and unmaking -------------------------------------------------------------------------

static int init_parts(struct gw_analyzer *analyzer)
{
    const struct gw_analyzer_config *config = &analyzer->config;
    const struct gw_held_config held = {
        .opaque = analyzer, .picture = handle_picture, .let_go = handle_let_go};
    struct gw_watch_config watch = {.level = config->level,
                                    .look = {.zones = config->zones,
                                             .max_width = config->max_width,
                                             .opaque = analyzer,
                                             .event = handle_event},
                                    .looked = handle_looked};

    strcpy(watch.look.camera, config->camera);
    gw_pace_init(&analyzer->pace);
    gw_plan_init(&analyzer->plan, &analyzer->watch, &analyzer->held, &analyzer->pace);
    const int error = gw_watch_init(&analyzer->watch, &watch);
    return error ? error : gw_held_init(&analyzer->held, &held);
}

int gw_analyzer_create(struct gw_analyzer **ret, const struct gw_analyzer_config *config)
{
    struct gw_analyzer *analyzer = calloc(1, sizeof(*analyzer));

    if (!analyzer)
        return -ENOMEM;
    analyzer->config = *config;
    const int error = init_parts(analyzer);
    if (error < 0)
        gw_analyzer_destroy(&analyzer);
    else
        *ret = analyzer;
    return error;
}

void gw_analyzer_destroy(struct gw_analyzer **analyzer)
{
    struct gw_analyzer *a = *analyzer;

    if (!a)
        return;
    gw_held_finish(&a->held);
    gw_watch_finish(&a->watch);
    gw_stream_unref(&a->stream);
    free(a);
    *analyzer = NULL;
}
