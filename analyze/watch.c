// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/watch.h"

#include <math.h>

#include "core/clock.h"

// Pictures without the least hint for so long: the open event is over, unless it comes back within
// the time that makes it the same event to people.
#define CLEAR_US GW_SECOND
// After so long without a picture, differences are of an unknown time.
#define RESUME_US (4 * GW_SECOND)

// --- the level -----------------------------------------------------------------------------------

bool gw_watch_is_auto(const struct gw_watch *watch)
{
    return watch->config.level == GW_LEVEL_AUTO;
}

// A gate that was asked for needs to know quiet before it can say what is more.
enum gw_level gw_watch_level(const struct gw_watch *watch)
{
    if (gw_watch_is_auto(watch))
        return watch->chooser.level;
    if (watch->config.level == GW_LEVEL_GATE && isnan(watch->verdict.limit))
        return GW_LEVEL_FULL;
    return watch->config.level;
}

bool gw_watch_is_busy(const struct gw_watch *watch)
{
    const struct gw_look_state state = gw_look_state(watch->look);
    const bool watched = gw_watch_is_auto(watch) && gw_watch_level(watch) != GW_LEVEL_FULL;

    return state.open && !(watched && state.looked_us - watch->hint_us >= CLEAR_US);
}

void gw_watch_choose(struct gw_watch *watch, const struct gw_pace *pace, int64_t wall_us)
{
    struct gw_level_evidence evidence = {
        .first_quiet_s = watch->keys.moved ? 0 : watch->keys.quiet_s,
        .key_events = watch->keys.events,
        .key_missed = watch->keys.missed,
        .key_false_share = gw_key_evidence_false_share(&watch->keys),
        .gop_s = (double)pace->gop_us * 1e-6,
        .gop_pictures = pace->gop_pictures,
    };
    const enum gw_level last = watch->chooser.level;

    if (!gw_watch_is_auto(watch))
        return;
    evidence.gate_ready = gw_gate_judge(watch->gate, &evidence.gate);
    if (gw_level_choose(&watch->chooser, &evidence, wall_us) != last)
        gw_audit_row_begin(&watch->audits);
}

bool gw_watch_audits(struct gw_watch *watch)
{
    const bool audited = gw_watch_is_auto(watch) || watch->config.level == GW_LEVEL_GATE;

    return audited && gw_watch_level(watch) != GW_LEVEL_FULL && gw_audit_row_due(&watch->audits);
}

// --- packets -------------------------------------------------------------------------------------

void gw_watch_stream(struct gw_watch *watch, const AVCodecParameters *last,
                     const AVCodecParameters *next)
{
    gw_slice_reader_reset(watch->slices, next->codec_id, next->extradata,
                          (size_t)next->extradata_size);
    if (!last || (last->codec_id == next->codec_id && last->width == next->width &&
                  last->height == next->height))
        return;
    gw_gate_reset(watch->gate);
    gw_key_evidence_restart(&watch->keys);
    gw_level_init(&watch->chooser);
}

void gw_watch_gap(struct gw_watch *watch)
{
    watch->dts_us = GW_NO_TIME;
}

int64_t gw_watch_time(const struct gw_packet *packet)
{
    return packet->av->pts != AV_NOPTS_VALUE ? packet->av->pts : packet->av->dts;
}

static int64_t step_since_last(struct gw_watch *watch, const struct gw_packet *packet)
{
    const int64_t dts_us = packet->av->dts != AV_NOPTS_VALUE ? packet->av->dts : packet->av->pts;
    const int64_t step_us = watch->dts_us == GW_NO_TIME ? 0 : dts_us - watch->dts_us;

    watch->dts_us = dts_us;
    return step_us;
}

void gw_watch_packet(struct gw_watch *watch, const struct gw_packet *packet,
                     struct gw_picture_info *ret)
{
    const int64_t wall_us = gw_watch_time(packet);

    gw_slice_read(watch->slices, packet->av->data, (size_t)packet->av->size, ret);
    watch->verdict = gw_gate_feed(watch->gate, ret, gw_packet_is_key(packet), wall_us,
                                  step_since_last(watch, packet));
    if (watch->verdict.active)
        watch->active_us = wall_us;
}

// --- pictures ------------------------------------------------------------------------------------

static void resume_after_gap(struct gw_watch *watch, int64_t wall_us)
{
    const int64_t looked_us = gw_look_state(watch->look).looked_us;

    if (!gw_watch_is_busy(watch) && looked_us != GW_NO_TIME && wall_us - looked_us > RESUME_US)
        gw_look_resume(watch->look);
}

void gw_watch_picture(struct gw_watch *watch, const struct gw_frame *frame, bool decoded)
{
    struct gw_motion_result motion;

    if (decoded)
        resume_after_gap(watch, frame->wall_us);
    if (!gw_look_at(watch->look, frame, &motion))
        return;
    const struct gw_look_state state = gw_look_state(watch->look);
    if (motion.hint)
        watch->hint_us = frame->wall_us;
    gw_gate_saw(watch->gate, frame->wall_us, motion.hint || state.suspected);
    gw_key_evidence_saw(&watch->keys,
                        &(struct gw_key_picture){.wall_us = frame->wall_us,
                                                 .key = frame->av->key_frame,
                                                 .hint = motion.hint,
                                                 .event = state.open || state.suspected,
                                                 .whole = watch->whole});
    watch->config.looked(watch->config.look.opaque, frame->wall_us, &motion, state.open);
}

void gw_watch_vouch(struct gw_watch *watch, int64_t wall_us)
{
    gw_gate_vouch(watch->gate, wall_us);
}

void gw_watch_set_whole(struct gw_watch *watch, bool whole)
{
    watch->whole = whole;
}

void gw_watch_assume(struct gw_watch *watch, int64_t wall_us)
{
    gw_look_assume(watch->look, wall_us);
}

static void count_event(struct gw_watch *watch, enum gw_event_phase phase,
                        const struct gw_event *event)
{
    if (phase == GW_EVENT_PHASE_OPENED) {
        watch->whole_at_opening = watch->whole;
        // A keyframe does not ask the gate either.
        if (!watch->whole && gw_watch_level(watch) != GW_LEVEL_KEYFRAMES)
            return;
        gw_gate_found(watch->gate, event->start_us);
        // Found by an audit alone: look again soon.
        if (!watch->verdict.active)
            gw_audit_row_missed(&watch->audits);
    } else if (phase == GW_EVENT_PHASE_CLOSED) {
        gw_key_evidence_closed(&watch->keys, watch->whole_at_opening);
    }
}

static void handle_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
    struct gw_watch *watch = opaque;

    if (event->kind == GW_EVENT_MOTION)
        count_event(watch, phase, event);
    watch->config.look.event(watch->config.look.opaque, phase, event, snapshot);
}

// --- making and unmaking -------------------------------------------------------------------------

int gw_watch_init(struct gw_watch *watch, const struct gw_watch_config *config)
{
    struct gw_look_config look = config->look;

    *watch = (struct gw_watch){.config = *config,
                               .verdict = {.signal = NAN, .limit = NAN},
                               .dts_us = GW_NO_TIME,
                               .active_us = INT64_MIN / 2, // long ago
                               .hint_us = INT64_MIN / 2};
    gw_level_init(&watch->chooser);
    gw_key_evidence_init(&watch->keys);
    look.opaque = watch;
    look.event = handle_event;
    int error = gw_slice_reader_create(&watch->slices);
    if (!error)
        error = gw_gate_create(&watch->gate);
    return error ? error : gw_look_create(&watch->look, &look);
}

void gw_watch_finish(struct gw_watch *watch)
{
    gw_look_destroy(&watch->look);
    gw_gate_destroy(&watch->gate);
    gw_slice_reader_destroy(&watch->slices);
}
