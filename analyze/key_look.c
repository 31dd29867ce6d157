// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/key_look.h"

#include "core/clock.h"

// An open event is looked at so often, once it is known.
#define COAST_LOOK_US (GW_SECOND * 5 / 2)
// The gate stays active after the end by at least about its smoothing (0.35 s; gate.c), for the
// signal of what is clear has to fall to less than half. When it has been inactive for twice that,
// and a keyframe shows nothing, the open event ended where the gate says.
#define GATE_LAG_US   (GW_SECOND * 35 / 100)
#define GATE_QUIET_US (2 * GATE_LAG_US)

// What a peek saw.
struct peek {
    struct gw_look *look;
    struct gw_frame first;          // the first picture; empty when there was none
    struct gw_motion_result motion; // what the pictures would show
};

static void peek_at(void *opaque, const struct gw_frame *frame)
{
    struct peek *peek = opaque;
    struct gw_motion_result motion;

    if (!gw_look_peek(peek->look, frame, &motion))
        return;
    peek->motion.hint |= motion.hint;
    peek->motion.something |= motion.something;
    // Without memory for a handle the keyframe showed nothing; the next one is as good.
    if (!peek->first.av && gw_frame_ref(&peek->first, frame) < 0)
        peek->first = (struct gw_frame){0};
}

// Returns whether there is a picture.
static bool peek(struct peek *ret, struct gw_watch *watch, struct gw_held *held)
{
    *ret = (struct peek){.look = watch->look};
    gw_held_peek(held, peek_at, ret);
    return ret->first.av;
}

static void look_at_first(const struct peek *peek, struct gw_watch *watch, struct gw_held *held)
{
    if (gw_held_is_new(held, peek->first.wall_us))
        gw_watch_picture(watch, &peek->first, false);
}

enum gw_key_answer gw_key_look_for_beginning(struct gw_watch *watch, struct gw_held *held)
{
    struct peek seen;
    const bool shows = !peek(&seen, watch, held) || seen.motion.hint;

    if (!shows) {
        gw_watch_vouch(watch, seen.first.wall_us);
        look_at_first(&seen, watch, held);
    }
    gw_frame_unref(&seen.first);
    return shows ? GW_KEY_SHOWS : GW_KEY_NOTHING;
}

// What a peek says of an open event.
static enum gw_key_answer judge(const struct peek *seen, struct gw_watch *watch,
                                const struct gw_pace *pace)
{
    const struct gw_look_state state = gw_look_state(watch->look);
    const int64_t wall_us = pace->key_us, since_us = wall_us - state.looked_us;
    const bool by_gate = gw_watch_level(watch) == GW_LEVEL_GATE;
    // A small thing is a hint in one picture; the gate tells that it moves.
    const bool gate_agrees = by_gate && watch->verdict.active && seen->motion.hint;
    const bool gate_is_quiet = by_gate && wall_us - watch->active_us > GATE_QUIET_US;
    // After a pause one picture is no evidence (event_fsm.c).
    const bool moved_lately = wall_us - state.moved_us <= since_us * 3 / 2;

    if (!seen->first.av)
        return GW_KEY_SHOWS;
    if (seen->motion.something ? moved_lately : gate_is_quiet || gate_agrees) {
        if (!seen->motion.something)
            gw_watch_assume(watch, watch->active_us - (gate_agrees ? 0 : GATE_LAG_US));
        return GW_KEY_GOES_ON;
    }
    if (!seen->motion.hint && gw_watch_level(watch) == GW_LEVEL_KEYFRAMES)
        return GW_KEY_NOTHING;
    if (!seen->motion.something && since_us + pace->gop_us <= GW_KEY_COAST_US)
        return GW_KEY_UNDECIDED;
    return GW_KEY_SHOWS;
}

int gw_key_look_for_end(struct gw_watch *watch, struct gw_held *held, const struct gw_pace *pace)
{
    const int64_t looked_us = gw_look_state(watch->look).looked_us;
    struct peek seen;
    int error = 0;

    if (pace->key_us + pace->gop_us - looked_us <= COAST_LOOK_US)
        return GW_KEY_UNDECIDED;
    peek(&seen, watch, held);
    const enum gw_key_answer answer = judge(&seen, watch, pace);
    if (answer == GW_KEY_GOES_ON)
        gw_held_drop_before(held);
    else if (answer == GW_KEY_NOTHING) // what moved ended in what lies before it
        error = gw_held_decode_before(held, looked_us);
    if (answer == GW_KEY_GOES_ON || answer == GW_KEY_NOTHING)
        look_at_first(&seen, watch, held);
    gw_frame_unref(&seen.first);
    return error < 0 ? error : (int)answer;
}
