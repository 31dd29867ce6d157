// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The order of things. Packets of the GOP that is coming in are held. A plan says what of it is
// decoded; the level, the gate, a keyframe or an audit may change the plan, and then decoding
// starts at the keyframe, so that the true start is found in what was held. While an event is open
// and the level is auto, keyframes that still show it are enough; what lies between is decoded when
// one shows nothing any more, so that the true end is found in the same way.

#include "analyze/analyzer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/decode.h"
#include "analyze/gate.h"
#include "analyze/gop.h"
#include "analyze/key_evidence.h"
#include "analyze/trust.h"
#include "core/clock.h"

// Handles are held on so many bytes: two GOPs of 2 s at 5 Mb/s. What does not fit is decoded.
#define HELD_BYTES (5 << 19)
// An open event is looked at so often, once it is known; and when it cannot be seen any more, for
// so long it may come back before what lies between is decoded. What is less than 5 s apart is one
// event to people, and GOPs of 5 s are often a little longer.
#define COAST_LOOK_US (GW_SECOND * 5 / 2)
#define COAST_US      (GW_SECOND * 11 / 2)
// The rest of a long GOP is left out when what still moves can be seen again in so much time.
#define REST_US (GW_SECOND * 9 / 2)
// When the signal was at this share of the limit before the keyframe, it began before that.
#define RISING_SHARE 0.5
// After a trigger, decoding goes on for at least so long, and until the gate is quiet for so long.
#define TRIGGERED_US GW_SECOND
// An event is looked at for so long before only the gate watches it: for a good picture of it.
#define WATCHED_US (2 * GW_SECOND)
// The gate stays active after the end by at least about its smoothing (0.35 s; gate.c), for the
// signal of what is clear has to fall to less than half. When it has been inactive for twice that,
// and a keyframe shows nothing, the open event ended where the gate says.
#define GATE_LAG_US   (GW_SECOND * 35 / 100)
#define GATE_QUIET_US (2 * GATE_LAG_US)
// The level keyframes looks at a keyframe and the pictures that follow so soon: what is hardly
// visible is not so in every one.
#define GLANCE_US (GW_SECOND * 12 / 100)
// Pictures without the least hint for so long: the open event is over, unless it comes back within
// the time that makes it the same event to people.
#define CLEAR_US GW_SECOND
// After so long without a picture, differences are of an unknown time.
#define RESUME_US (4 * GW_SECOND)
// The longest GOP of about so many is what may come.
enum { FORGET_GOPS = 64 };

enum plan {
    PLAN_WAIT,       // nothing more for now: packets are held
    PLAN_REFERENCES, // what other pictures depend on
    PLAN_EVERYTHING,
};

struct gw_analyzer {
    struct gw_analyzer_config config;
    struct gw_slice_reader *slices;
    struct gw_gate *gate;
    struct gw_decoder *decoder;
    struct gw_look *look;
    struct gw_stream *stream; // of the last packet
    struct gw_level_chooser chooser;

    struct gw_gop now, before; // the GOP that comes in; the one before, while it may be wanted
    enum plan plan;
    bool whole;            // all of it is decoded, whatever the gate or keyframes say
    bool whole_at_opening; // so it was when the open event was found
    bool broken;           // the head of what came in is not held any more
    bool undecided;        // the open event may have ended in what is held; nobody looked yet
    bool drained;          // the decoder has lost its place in the GOP
    bool rests;            // the rest of the GOP is left out, for the open event still moves
    int64_t key_us;        // capture time of the GOP's keyframe; GW_NO_TIME before the first
    int64_t dts_us;        // of the last packet
    int64_t active_us;     // when the gate was last active
    int64_t hint_us;       // when a picture last showed the least
    int64_t gop_us;        // from keyframe to keyframe, lately; 0 unknown
    int64_t longest_us;    // the longest of them, slowly forgotten
    int gop_pictures;      // in the last GOP, and
    int pictures;          // in this one so far
    struct gw_gate_verdict verdict; // of the last packet

    bool glances;                    // the GOP's first pictures are waited for, to peek at them
    struct gw_frame peeked;          // the first picture that a peek got out; empty otherwise
    struct gw_motion_result glimpse; // what the peek's pictures would show
    bool peeking;
    int64_t seen_until_us; // pictures up to here were looked at before; GW_NO_TIME for none

    struct gw_trust trust;
    struct gw_key_evidence keys;
    int gops_since_audit, clean_audits;
    uint64_t packets, audits;
};

const struct gw_analyzer_config gw_analyzer_defaults = {.level = GW_LEVEL_FULL, .max_width = 320};

static bool is_auto(const struct gw_analyzer *analyzer)
{
    return analyzer->config.level == GW_LEVEL_AUTO;
}

// A gate that was asked for needs to know quiet before it can say what is more.
static enum gw_level level_now(const struct gw_analyzer *analyzer)
{
    if (is_auto(analyzer))
        return analyzer->chooser.level;
    if (analyzer->config.level == GW_LEVEL_GATE && isnan(analyzer->verdict.limit))
        return GW_LEVEL_FULL;
    return analyzer->config.level;
}

// Whether an event is open that may still go on. The level that watches a quiet scene also watches
// one that just became quiet, while the event's machine waits (event_fsm.c).
static bool is_busy(const struct gw_analyzer *analyzer)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);
    const bool watched = is_auto(analyzer) && level_now(analyzer) != GW_LEVEL_FULL;

    return state.open && !(watched && state.looked_us - analyzer->hint_us >= CLEAR_US);
}

// Some files (AVI) know only decoding times; they are near enough.
static int64_t packet_time(const struct gw_packet *packet)
{
    return packet->av->pts != AV_NOPTS_VALUE ? packet->av->pts : packet->av->dts;
}

// --- letting go of packets -----------------------------------------------------------------------

static void trace_packet(struct gw_analyzer *analyzer, const struct gw_gop_packet *entry)
{
    if (!analyzer->config.packet_trace)
        return;
    analyzer->config.packet_trace(analyzer->config.opaque,
                                  &(struct gw_packet_trace){
                                      .wall_us = packet_time(&entry->packet),
                                      .bytes = entry->packet.av->size,
                                      .qp = entry->qp,
                                      .signal = entry->verdict.signal,
                                      .limit = entry->verdict.limit,
                                      .decoded = entry->decoded,
                                      .level = level_now(analyzer),
                                  });
}

static void let_go(struct gw_analyzer *analyzer, struct gw_gop *gop)
{
    for (int i = 0; i < gop->count; i++)
        trace_packet(analyzer, &gop->packets[i]);
    gw_gop_clear(gop);
}

// --- what was found ------------------------------------------------------------------------------

static void look_at(struct gw_analyzer *analyzer, const struct gw_frame *frame)
{
    struct gw_motion_result motion;

    if (analyzer->seen_until_us != GW_NO_TIME && frame->wall_us <= analyzer->seen_until_us)
        return;
    if (!gw_look_at(analyzer->look, frame, &motion))
        return;
    const struct gw_look_state state = gw_look_state(analyzer->look);
    if (motion.hint)
        analyzer->hint_us = frame->wall_us;
    gw_gate_saw(analyzer->gate, frame->wall_us, motion.hint || state.suspected);
    gw_key_evidence_saw(&analyzer->keys,
                        &(struct gw_key_picture){.wall_us = frame->wall_us,
                                                 .key = frame->av->key_frame,
                                                 .hint = motion.hint,
                                                 .event = state.open || state.suspected,
                                                 .whole = analyzer->whole});
    if (analyzer->config.picture_trace)
        analyzer->config.picture_trace(
            analyzer->config.opaque,
            &(struct gw_picture_trace){frame->wall_us, motion, state.open});
}

static void glimpse(struct gw_analyzer *analyzer, const struct gw_frame *frame)
{
    struct gw_motion_result motion;

    if (!gw_look_peek(analyzer->look, frame, &motion))
        return;
    analyzer->glimpse.hint |= motion.hint;
    analyzer->glimpse.something |= motion.something;
    // Without memory for a handle the keyframe showed nothing; the next one is as good.
    if (!analyzer->peeked.av && gw_frame_ref(&analyzer->peeked, frame) < 0)
        analyzer->peeked = (struct gw_frame){0};
}

static void handle_frame(void *opaque, const struct gw_frame *frame)
{
    struct gw_analyzer *analyzer = opaque;

    if (!analyzer->peeking) {
        look_at(analyzer, frame);
        return;
    }
    glimpse(analyzer, frame);
}

static void count_event(struct gw_analyzer *analyzer, enum gw_event_phase phase,
                        const struct gw_event *event)
{
    if (phase == GW_EVENT_PHASE_OPENED) {
        analyzer->whole_at_opening = analyzer->whole;
        // A keyframe does not ask the gate either.
        if (!analyzer->whole && level_now(analyzer) != GW_LEVEL_KEYFRAMES)
            return;
        gw_gate_found(analyzer->gate, event->start_us);
        // Found by an audit alone: look again soon.
        if (!analyzer->verdict.active)
            analyzer->clean_audits = 0;
    } else if (phase == GW_EVENT_PHASE_CLOSED) {
        gw_key_evidence_closed(&analyzer->keys, analyzer->whole_at_opening);
    }
}

static void handle_event(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                         const struct gw_snapshot *snapshot)
{
    struct gw_analyzer *analyzer = opaque;

    if (event->kind == GW_EVENT_MOTION)
        count_event(analyzer, phase, event);
    analyzer->config.event(analyzer->config.opaque, phase, event, snapshot);
}

// --- decoding what is held -----------------------------------------------------------------------

// Puts the decoder at the beginning of a GOP. What was looked at already is not looked at again.
static void rewind_gop(struct gw_analyzer *analyzer, struct gw_gop *gop)
{
    gw_decoder_reset(analyzer->decoder);
    gop->fed = 0;
    analyzer->drained = false;
    analyzer->seen_until_us = gw_look_state(analyzer->look).looked_us;
}

// Decodes what the plan wants of the packets that came in. Returns the first error.
static int decode_held(struct gw_analyzer *analyzer, struct gw_gop *gop, enum plan plan)
{
    int error = 0;

    for (; gop->fed < gop->count; gop->fed++) {
        struct gw_gop_packet *entry = &gop->packets[gop->fed];
        if (plan == PLAN_REFERENCES && !entry->reference)
            continue;
        entry->decoded = true;
        const int result = gw_decoder_feed(analyzer->decoder, &entry->packet);
        error = error < 0 ? error : result;
    }
    return error;
}

static void resume_after_gap(struct gw_analyzer *analyzer, const struct gw_gop *gop)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);
    const int64_t first_us = packet_time(&gop->packets[gop->fed].packet);

    if (!is_busy(analyzer) && state.looked_us != GW_NO_TIME &&
        first_us - state.looked_us > RESUME_US)
        gw_look_resume(analyzer->look);
}

static int decode_before(struct gw_analyzer *analyzer)
{
    struct gw_gop *before = &analyzer->before;

    if (before->count == 0)
        return 0;
    rewind_gop(analyzer, before);
    resume_after_gap(analyzer, before);
    const int error = decode_held(analyzer, before, PLAN_EVERYTHING);
    gw_decoder_drain(analyzer->decoder);
    let_go(analyzer, before);
    return error;
}

static int carry_out(struct gw_analyzer *analyzer)
{
    struct gw_gop *now = &analyzer->now;

    if (analyzer->plan == PLAN_WAIT || now->fed == now->count)
        return 0;
    let_go(analyzer, &analyzer->before);
    resume_after_gap(analyzer, now);
    if (analyzer->drained)
        rewind_gop(analyzer, now);
    return decode_held(analyzer, now, analyzer->plan);
}

static void decode_from_here(struct gw_analyzer *analyzer, enum plan plan, int64_t wall_us)
{
    analyzer->plan = plan;
    gw_trust_begin(&analyzer->trust, wall_us, analyzer->verdict.signal);
}

// --- a keyframe ----------------------------------------------------------------------------------

// Decodes what came in of the GOP, which is the keyframe and perhaps a few more. Returns whether
// there is a picture, and what they would show.
static bool peek(struct gw_analyzer *analyzer, struct gw_motion_result *ret)
{
    struct gw_gop *now = &analyzer->now;

    gw_decoder_reset(analyzer->decoder);
    analyzer->peeking = true;
    analyzer->glimpse = (struct gw_motion_result){0};
    for (now->fed = 0; now->fed < now->count; now->fed++) {
        now->packets[now->fed].decoded = true;
        gw_decoder_feed(analyzer->decoder, &now->packets[now->fed].packet);
    }
    // With B-frames the picture waits inside for others; getting it out costs the decoder's place.
    const bool waits = !analyzer->peeked.av;
    if (waits)
        gw_decoder_drain(analyzer->decoder);
    // Pictures after the first were not looked at.
    analyzer->drained = waits || now->count > 1;
    analyzer->peeking = false;
    *ret = analyzer->glimpse;
    return analyzer->peeked.av;
}

// Looks at all that was left out, and goes on with everything.
static int decode_all_held(struct gw_analyzer *analyzer, int64_t wall_us)
{
    const bool any_before = analyzer->before.count > 0;
    const int error = decode_before(analyzer);

    if (any_before)
        rewind_gop(analyzer, &analyzer->now);
    analyzer->undecided = false;
    decode_from_here(analyzer, PLAN_EVERYTHING, wall_us);
    return error;
}

// Nothing moves, and the level keyframes asks whether this GOP shows something. If so, it began in
// what lies before it.
static int look_for_beginning(struct gw_analyzer *analyzer)
{
    struct gw_motion_result motion = {0};
    int error = 0;

    analyzer->glances = false;
    if (!peek(analyzer, &motion) || motion.hint)
        error = decode_all_held(analyzer, analyzer->key_us);
    else
        look_at(analyzer, &analyzer->peeked);
    gw_frame_unref(&analyzer->peeked);
    return error;
}

// An open event may have gone on, or ended, in what was left out.
static void catch_up(struct gw_analyzer *analyzer)
{
    if (analyzer->glances)
        look_for_beginning(analyzer);
    if (!is_busy(analyzer))
        return;
    decode_all_held(analyzer, analyzer->key_us);
    carry_out(analyzer);
}

// The level keyframes believes one that shows nothing: what moved ended in what lies before it.
static int find_end_before(struct gw_analyzer *analyzer)
{
    const int error = decode_before(analyzer);

    analyzer->undecided = false;
    analyzer->drained = true; // that was another GOP
    look_at(analyzer, &analyzer->peeked);
    return error;
}

// An event is open. As long as keyframes show it now and then, nothing else needs to be decoded;
// when none has for long enough, it ended in what is held.
static int look_for_end(struct gw_analyzer *analyzer)
{
    const int64_t wall_us = analyzer->key_us;
    const int64_t next_us = wall_us + analyzer->gop_us;
    const struct gw_look_state state = gw_look_state(analyzer->look);
    const int64_t looked_us = state.looked_us;
    // After a pause one picture is no evidence (event_fsm.c).
    const bool moved_lately = wall_us - state.moved_us <= (wall_us - looked_us) * 3 / 2;
    const bool by_gate = level_now(analyzer) == GW_LEVEL_GATE;
    const bool gate_is_quiet = by_gate && wall_us - analyzer->active_us > GATE_QUIET_US;
    struct gw_motion_result motion = {0};
    int error = 0;

    analyzer->undecided = next_us - looked_us <= COAST_LOOK_US;
    if (analyzer->undecided)
        return 0;
    const bool got = peek(analyzer, &motion);
    // A small thing is a hint in one picture; the gate tells that it moves.
    const bool gate_agrees = by_gate && analyzer->verdict.active && motion.hint;
    if (got && (motion.something ? moved_lately : gate_is_quiet || gate_agrees)) {
        if (!motion.something)
            gw_look_assume(analyzer->look, analyzer->active_us - (gate_agrees ? 0 : GATE_LAG_US));
        let_go(analyzer, &analyzer->before);
        look_at(analyzer, &analyzer->peeked);
        if (analyzer->gop_us > COAST_US)
            decode_from_here(analyzer, PLAN_REFERENCES, wall_us);
    } else if (got && !motion.hint && level_now(analyzer) == GW_LEVEL_KEYFRAMES) {
        error = find_end_before(analyzer);
    } else if (got && !motion.something && next_us - looked_us <= COAST_US) {
        analyzer->undecided = true;
    } else {
        error = decode_all_held(analyzer, wall_us);
    }
    gw_frame_unref(&analyzer->peeked);
    return error;
}

static bool audit_is_due(struct gw_analyzer *analyzer)
{
    const bool audited = is_auto(analyzer) || analyzer->config.level == GW_LEVEL_GATE;

    if (!audited || level_now(analyzer) == GW_LEVEL_FULL)
        return false;
    if (++analyzer->gops_since_audit < gw_level_audit_every(analyzer->clean_audits))
        return false;
    analyzer->gops_since_audit = 0;
    analyzer->clean_audits++;
    analyzer->audits++;
    return true;
}

static void choose_level(struct gw_analyzer *analyzer, int64_t wall_us)
{
    struct gw_level_evidence evidence = {
        .key_events = analyzer->keys.events,
        .key_missed = analyzer->keys.missed,
        .key_false_share = gw_key_evidence_false_share(&analyzer->keys),
        .gop_s = (double)analyzer->gop_us * 1e-6,
        .gop_pictures = analyzer->gop_pictures,
    };
    const enum gw_level last = analyzer->chooser.level;

    evidence.gate_ready = gw_gate_judge(analyzer->gate, &evidence.gate);
    if (gw_level_choose(&analyzer->chooser, &evidence, wall_us) != last)
        analyzer->gops_since_audit = analyzer->clean_audits = 0;
}

// While an event is open, it is enough to see now and then that it goes on.
static bool may_coast(const struct gw_analyzer *analyzer, int64_t wall_us)
{
    const bool gate_sees =
        level_now(analyzer) == GW_LEVEL_GATE && wall_us - analyzer->active_us <= GW_SECOND;
    const int64_t since_us = wall_us - gw_look_state(analyzer->look).looked_us;

    const bool short_gop = analyzer->gop_us > 0 && analyzer->gop_us <= COAST_US;

    return gate_sees || ((short_gop || analyzer->rests) && since_us <= COAST_US);
}

// In a long GOP an open event is watched until the next keyframe is near enough to show it again.
static bool may_rest(const struct gw_analyzer *analyzer, int64_t wall_us)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);
    const bool near = analyzer->key_us + analyzer->longest_us - wall_us <= REST_US;
    const bool moves = state.looked_us - state.moved_us < GW_SECOND / 2;

    return is_auto(analyzer) && state.open && analyzer->longest_us > COAST_US && near && moves &&
           state.looked_us - state.open_us > WATCHED_US && wall_us - state.looked_us < GW_SECOND;
}

// What was left out may belong to an event; its place is before the audit.
static int prepare_audit(struct gw_analyzer *analyzer, bool busy)
{
    if (busy)
        return decode_before(analyzer);
    return level_now(analyzer) == GW_LEVEL_KEYFRAMES ? look_for_beginning(analyzer) : 0;
}

// The plan for the GOP that begins with the packet just held.
static int plan_gop(struct gw_analyzer *analyzer)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);
    const enum gw_level level = level_now(analyzer);
    const bool busy = is_busy(analyzer);

    if (level == GW_LEVEL_FULL && !(is_auto(analyzer) && state.open)) {
        analyzer->whole = true;
    } else if (audit_is_due(analyzer)) {
        const int error = prepare_audit(analyzer, busy);
        if (error < 0)
            return error;
        analyzer->whole = true;
    }
    if (analyzer->whole) {
        decode_from_here(analyzer, PLAN_EVERYTHING, analyzer->key_us);
        return 0;
    }
    const bool coasts = is_auto(analyzer) && may_coast(analyzer, analyzer->key_us);
    analyzer->rests = false;
    if (busy && coasts)
        return look_for_end(analyzer);
    if (busy || state.suspected) {
        const int error = decode_all_held(analyzer, analyzer->key_us);
        if (is_auto(analyzer) && busy)
            analyzer->plan = PLAN_REFERENCES;
        return error;
    }
    analyzer->glances = level == GW_LEVEL_KEYFRAMES;
    return 0;
}

static void end_gop(struct gw_analyzer *analyzer)
{
    struct gw_gop *now = &analyzer->now, *before = &analyzer->before;
    const bool all_fed = now->fed == now->count && !analyzer->drained;

    if (analyzer->undecided && gw_gop_append(before, now) >= 0) {
        gw_decoder_reset(analyzer->decoder);
        return;
    }
    let_go(analyzer, before);
    if (all_fed || analyzer->broken) {
        let_go(analyzer, now);
    } else {
        const struct gw_gop empty = *before;
        *before = *now;
        *now = empty;
    }
    // The decoder goes on only where nothing was left out.
    if (!all_fed)
        gw_decoder_reset(analyzer->decoder);
}

static void begin_gop(struct gw_analyzer *analyzer, int64_t wall_us)
{
    if (analyzer->key_us != GW_NO_TIME && wall_us > analyzer->key_us) {
        analyzer->gop_us = wall_us - analyzer->key_us;
        analyzer->longest_us -= analyzer->longest_us / FORGET_GOPS;
        if (analyzer->longest_us < analyzer->gop_us)
            analyzer->longest_us = analyzer->gop_us;
        analyzer->gop_pictures = analyzer->pictures;
    }
    if (analyzer->glances)
        look_for_beginning(analyzer);
    end_gop(analyzer);
    analyzer->key_us = wall_us;
    analyzer->pictures = 0;
    analyzer->plan = PLAN_WAIT;
    analyzer->whole = analyzer->broken = analyzer->drained = false;
    analyzer->seen_until_us = GW_NO_TIME;
    if (is_auto(analyzer))
        choose_level(analyzer, wall_us);
}

// --- between keyframes ---------------------------------------------------------------------------

// Whether the signal had risen already when the GOP began.
static bool began_before(const struct gw_analyzer *analyzer)
{
    const struct gw_gop *before = &analyzer->before;
    const struct gw_gate_verdict *last =
        before->count > 0 ? &before->packets[before->count - 1].verdict : NULL;

    return last && last->signal >= RISING_SHARE * last->limit;
}

static int handle_trigger(struct gw_analyzer *analyzer, int64_t wall_us)
{
    int error = 0;

    if (began_before(analyzer) && analyzer->now.fed == 0)
        error = decode_before(analyzer);
    if (analyzer->now.fed == 0)
        gw_decoder_reset(analyzer->decoder);
    decode_from_here(analyzer, PLAN_EVERYTHING, wall_us);
    return error;
}

// Nothing is decoded: does the last packet change that?
static int revise_waiting(struct gw_analyzer *analyzer, int64_t wall_us, bool held_enough)
{
    const struct gw_gate_verdict *verdict = &analyzer->verdict;
    const bool busy = is_busy(analyzer);

    if (analyzer->glances && wall_us - analyzer->key_us >= GLANCE_US)
        return look_for_beginning(analyzer);
    if (busy && !may_coast(analyzer, wall_us))
        return decode_all_held(analyzer, wall_us);
    const bool triggered = level_now(analyzer) == GW_LEVEL_GATE && verdict->active &&
                           gw_trust_believes(&analyzer->trust, wall_us, verdict->signal);
    if (held_enough || (!busy && triggered))
        return handle_trigger(analyzer, wall_us);
    return 0;
}

// Nothing is to be seen, and the gate is quiet too, or was wrong.
static bool is_over(struct gw_analyzer *analyzer, int64_t wall_us)
{
    const bool calm = wall_us - analyzer->active_us > TRIGGERED_US;
    const bool nothing_lately = wall_us - analyzer->hint_us > TRIGGERED_US;

    return !is_busy(analyzer) && !gw_look_state(analyzer->look).suspected &&
           (calm || nothing_lately);
}

// An event that was seen well enough is watched by the active gate alone.
static bool is_watched(struct gw_analyzer *analyzer, int64_t wall_us)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);

    return state.open && is_auto(analyzer) && analyzer->verdict.active &&
           state.looked_us - state.open_us > WATCHED_US &&
           wall_us - analyzer->trust.began_us > WATCHED_US;
}

// Something is decoded: is that still worth it?
static void revise_decoding(struct gw_analyzer *analyzer, int64_t wall_us, bool held_enough)
{
    const int64_t began_us = analyzer->trust.began_us;

    if (may_rest(analyzer, wall_us) && !held_enough) {
        analyzer->rests = true;
        analyzer->plan = PLAN_WAIT;
    }
    gw_trust_follow(&analyzer->trust, analyzer->verdict.signal);
    if (level_now(analyzer) != GW_LEVEL_GATE || held_enough || wall_us - began_us < TRIGGERED_US)
        return;
    if (is_over(analyzer, wall_us)) {
        if (analyzer->hint_us < began_us)
            gw_trust_refute(&analyzer->trust, wall_us);
        analyzer->plan = PLAN_WAIT;
    } else if (is_watched(analyzer, wall_us)) {
        analyzer->plan = PLAN_WAIT;
    }
}

// What the last packet changes about the plan.
static int revise_plan(struct gw_analyzer *analyzer, int64_t wall_us)
{
    const bool held_enough = analyzer->now.bytes > HELD_BYTES;

    if (analyzer->whole)
        return 0;
    if (analyzer->now.bytes + analyzer->before.bytes > HELD_BYTES) {
        if (is_busy(analyzer))
            return decode_all_held(analyzer, wall_us);
        let_go(analyzer, &analyzer->before);
    }
    if (analyzer->plan == PLAN_WAIT)
        return revise_waiting(analyzer, wall_us, held_enough);
    revise_decoding(analyzer, wall_us, held_enough);
    return 0;
}

// When everything is decoded at once, nothing needs to be held.
static void free_what_is_done(struct gw_analyzer *analyzer)
{
    struct gw_gop *now = &analyzer->now;
    const bool never_again = analyzer->whole || now->bytes > HELD_BYTES;

    if (now->fed < now->count || analyzer->plan == PLAN_WAIT || analyzer->drained || !never_again)
        return;
    let_go(analyzer, now);
    analyzer->broken = true;
}

// --- packets -------------------------------------------------------------------------------------

static int64_t step_since_last(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    const int64_t dts_us = packet->av->dts != AV_NOPTS_VALUE ? packet->av->dts : packet->av->pts;
    const int64_t step_us = analyzer->dts_us == GW_NO_TIME ? 0 : dts_us - analyzer->dts_us;

    analyzer->dts_us = dts_us;
    return step_us;
}

// Another encoder's quiet is another quiet; the same one's after a reconnect is not. Its packets
// are of no use before its first keyframe.
static void change_stream(struct gw_analyzer *analyzer, struct gw_stream *stream)
{
    const AVCodecParameters *last = analyzer->stream ? analyzer->stream->parameters : NULL;
    const AVCodecParameters *next = stream->parameters;

    gw_slice_reader_reset(analyzer->slices, next->codec_id, next->extradata,
                          (size_t)next->extradata_size);
    if (last && (last->codec_id != next->codec_id || last->width != next->width ||
                 last->height != next->height)) {
        gw_gate_reset(analyzer->gate);
        gw_level_init(&analyzer->chooser);
    }
    if (analyzer->stream) {
        catch_up(analyzer);
        gw_decoder_drain(analyzer->decoder);
        analyzer->key_us = GW_NO_TIME;
    }
    gw_stream_unref(&analyzer->stream);
    analyzer->stream = gw_stream_ref(stream);
}

static int hold(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    struct gw_picture_info info;
    const bool key = gw_packet_is_key(packet);
    const int64_t wall_us = packet_time(packet);

    gw_slice_read(analyzer->slices, packet->av->data, (size_t)packet->av->size, &info);
    analyzer->verdict =
        gw_gate_feed(analyzer->gate, &info, key, wall_us, step_since_last(analyzer, packet));
    if (analyzer->verdict.active)
        analyzer->active_us = wall_us;
    analyzer->pictures++;
    struct gw_gop_packet *entry = gw_gop_push(&analyzer->now, packet);
    if (!entry)
        return -ENOMEM;
    entry->verdict = analyzer->verdict;
    entry->qp = info.qp;
    entry->reference = key || info.reference || info.type == GW_PICTURE_UNKNOWN;
    return 0;
}

int gw_analyzer_feed(struct gw_analyzer *analyzer, const struct gw_packet *packet)
{
    const bool key = gw_packet_is_key(packet);
    const int64_t wall_us = packet_time(packet);

    analyzer->packets++;
    if (analyzer->stream != packet->stream)
        change_stream(analyzer, packet->stream);
    if (key)
        begin_gop(analyzer, wall_us);
    else if (analyzer->key_us == GW_NO_TIME)
        return 0;
    int error = hold(analyzer, packet);
    if (error < 0)
        return error;
    error = key ? plan_gop(analyzer) : revise_plan(analyzer, wall_us);
    const int decoded = carry_out(analyzer);
    if (analyzer->plan == PLAN_WAIT && !is_busy(analyzer))
        gw_look_idle(analyzer->look, wall_us);
    free_what_is_done(analyzer);
    return error < 0 ? error : decoded;
}

static void forget_packets(struct gw_analyzer *analyzer)
{
    let_go(analyzer, &analyzer->before);
    let_go(analyzer, &analyzer->now);
    analyzer->key_us = GW_NO_TIME;
    analyzer->plan = PLAN_WAIT;
    analyzer->whole = analyzer->drained = analyzer->undecided = analyzer->glances = false;
    analyzer->seen_until_us = GW_NO_TIME;
}

void gw_analyzer_discontinuity(struct gw_analyzer *analyzer)
{
    forget_packets(analyzer);
    analyzer->dts_us = GW_NO_TIME;
    gw_decoder_reset(analyzer->decoder);
}

void gw_analyzer_flush(struct gw_analyzer *analyzer)
{
    catch_up(analyzer);
    gw_decoder_drain(analyzer->decoder);
    forget_packets(analyzer);
    gw_look_end(analyzer->look);
}

void gw_analyzer_idle(struct gw_analyzer *analyzer, int64_t wall_us)
{
    catch_up(analyzer);
    gw_look_idle(analyzer->look, wall_us);
}

void gw_analyzer_count(const struct gw_analyzer *analyzer, struct gw_analyzer_counters *ret)
{
    const struct gw_look_state state = gw_look_state(analyzer->look);
    struct gw_decoder_counters decoder;

    gw_decoder_count(analyzer->decoder, &decoder);
    *ret = (struct gw_analyzer_counters){.packets = analyzer->packets,
                                         .decoded = decoder.decoded,
                                         .events = state.events,
                                         .decode_errors = decoder.errors,
                                         .unseen = state.unseen,
                                         .audits = analyzer->audits,
                                         .level = level_now(analyzer)};
    memcpy(ret->cases, analyzer->chooser.cases, sizeof(ret->cases));
}

// --- making and unmaking -------------------------------------------------------------------------

static int create_parts(struct gw_analyzer *analyzer)
{
    const struct gw_analyzer_config *config = &analyzer->config;
    const struct gw_decoder_config decoder = {.opaque = analyzer, .frame = handle_frame};
    struct gw_look_config look = {.zones = config->zones,
                                  .max_width = config->max_width,
                                  .opaque = analyzer,
                                  .event = handle_event};

    strcpy(look.camera, config->camera);
    int error = gw_slice_reader_create(&analyzer->slices);
    if (!error)
        error = gw_gate_create(&analyzer->gate);
    if (!error)
        error = gw_decoder_create(&analyzer->decoder, &decoder);
    return error ? error : gw_look_create(&analyzer->look, &look);
}

int gw_analyzer_create(struct gw_analyzer **ret, const struct gw_analyzer_config *config)
{
    struct gw_analyzer *analyzer = calloc(1, sizeof(*analyzer));

    if (!analyzer)
        return -ENOMEM;
    analyzer->config = *config;
    analyzer->key_us = analyzer->dts_us = analyzer->seen_until_us = GW_NO_TIME;
    analyzer->active_us = analyzer->hint_us = INT64_MIN / 2; // long ago
    gw_trust_init(&analyzer->trust);
    gw_key_evidence_init(&analyzer->keys);
    analyzer->verdict.signal = analyzer->verdict.limit = NAN;
    gw_level_init(&analyzer->chooser);
    const int error = create_parts(analyzer);
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
    gw_gop_finish(&a->now);
    gw_gop_finish(&a->before);
    gw_frame_unref(&a->peeked);
    gw_decoder_destroy(&a->decoder);
    gw_look_destroy(&a->look);
    gw_gate_destroy(&a->gate);
    gw_slice_reader_destroy(&a->slices);
    gw_stream_unref(&a->stream);
    free(a);
    *analyzer = NULL;
}
