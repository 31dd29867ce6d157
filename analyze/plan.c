// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/plan.h"

#include "analyze/key_look.h"
#include "core/clock.h"

// The rest of a long GOP is left out when what still moves can be seen again in so much time.
#define REST_US (GW_SECOND * 9 / 2)
// When the signal was at this share of the limit before the keyframe, it began before that.
#define RISING_SHARE 0.5
// After a trigger, decoding goes on for at least so long, and until the gate is quiet for so long.
#define TRIGGERED_US GW_SECOND
// An event is looked at for so long before only the gate watches it: for a good picture of it.
#define WATCHED_US (2 * GW_SECOND)
// The level keyframes looks at a keyframe and the pictures that follow so soon: what is hardly
// visible is not so in every one.
#define GLANCE_US (GW_SECOND * 12 / 100)
// An audit of the gate looks at half of the GOP, and for at least so long: what the gate misses
// goes on for seconds, and the other half costs as much and would show 1.2 times as many events of
// 4 s in GOPs of 2 s. What keyframes miss lies between them, so that their audits look at all of
// it.
#define AUDIT_US GW_SECOND

void gw_plan_init(struct gw_plan *plan, struct gw_watch *watch, struct gw_held *held,
                  const struct gw_pace *pace)
{
    *plan = (struct gw_plan){.watch = watch, .held = held, .pace = pace};
    gw_trust_init(&plan->trust);
}

// --- decoding what is held -----------------------------------------------------------------------

static int64_t looked_us(const struct gw_plan *plan)
{
    return gw_look_state(plan->watch->look).looked_us;
}

static int carry_out(struct gw_plan *plan)
{
    if (plan->wants == GW_PLAN_WAIT)
        return 0;
    return gw_held_decode(plan->held, plan->wants == GW_PLAN_REFERENCES, looked_us(plan));
}

static void decode_from(struct gw_plan *plan, int64_t wall_us)
{
    plan->wants = GW_PLAN_EVERYTHING;
    gw_trust_begin(&plan->trust, wall_us, plan->watch->verdict.signal);
}

// Looks at all that was left out, and goes on with everything.
static int decode_all_held(struct gw_plan *plan, int64_t wall_us)
{
    const bool any_before = plan->held->before.count > 0;
    const int error = gw_held_decode_before(plan->held, looked_us(plan));

    if (any_before)
        gw_held_rewind(plan->held, looked_us(plan));
    plan->undecided = false;
    decode_from(plan, wall_us);
    return error;
}

static int look_for_beginning(struct gw_plan *plan)
{
    plan->glances = false;
    if (gw_key_look_for_beginning(plan->watch, plan->held) == GW_KEY_SHOWS)
        return decode_all_held(plan, plan->pace->key_us);
    return 0;
}

static int look_for_end(struct gw_plan *plan)
{
    const int64_t key_us = plan->pace->key_us;
    const int answer = gw_key_look_for_end(plan->watch, plan->held, plan->pace);

    plan->undecided = answer == GW_KEY_UNDECIDED;
    if (answer == GW_KEY_SHOWS)
        return decode_all_held(plan, key_us);
    if (answer == GW_KEY_GOES_ON && plan->pace->gop_us > GW_KEY_COAST_US) {
        decode_from(plan, key_us);
        plan->wants = GW_PLAN_REFERENCES;
    }
    return answer < 0 ? answer : 0;
}

void gw_plan_catch_up(struct gw_plan *plan)
{
    if (plan->glances)
        look_for_beginning(plan);
    if (!gw_watch_is_busy(plan->watch))
        return;
    decode_all_held(plan, plan->pace->key_us);
    carry_out(plan);
}

// --- at a keyframe -------------------------------------------------------------------------------

static void set_whole(struct gw_plan *plan)
{
    gw_watch_set_whole(plan->watch, true);
    decode_from(plan, plan->pace->key_us);
}

// While an event is open, it is enough to see now and then that it goes on.
static bool may_coast(const struct gw_plan *plan, int64_t wall_us)
{
    const int64_t gop_us = plan->pace->gop_us;
    const bool gate_sees = gw_watch_level(plan->watch) == GW_LEVEL_GATE &&
                           wall_us - plan->watch->active_us <= GW_SECOND;
    const bool short_gop = gop_us > 0 && gop_us <= GW_KEY_COAST_US;

    return gate_sees ||
           ((short_gop || plan->rests) && wall_us - looked_us(plan) <= GW_KEY_COAST_US);
}

static int make_plan(struct gw_plan *plan)
{
    const struct gw_look_state state = gw_look_state(plan->watch->look);
    const enum gw_level level = gw_watch_level(plan->watch);
    const bool is_auto = gw_watch_is_auto(plan->watch), busy = gw_watch_is_busy(plan->watch);

    if (level == GW_LEVEL_FULL && !(is_auto && state.open)) {
        set_whole(plan);
        return 0;
    }
    // What goes on in an open event was not missed.
    if (!busy && gw_watch_audits(plan->watch)) {
        const int error = level == GW_LEVEL_KEYFRAMES ? look_for_beginning(plan) : 0;
        if (error >= 0)
            set_whole(plan);
        plan->audits = error >= 0 && level == GW_LEVEL_GATE;
        return error;
    }
    const bool coasts = is_auto && may_coast(plan, plan->pace->key_us);
    plan->rests = false;
    if (busy && coasts)
        return look_for_end(plan);
    if (busy || state.suspected) {
        const int error = decode_all_held(plan, plan->pace->key_us);
        if (is_auto && busy)
            plan->wants = GW_PLAN_REFERENCES;
        return error;
    }
    plan->glances = level == GW_LEVEL_KEYFRAMES;
    return 0;
}

void gw_plan_end_gop(struct gw_plan *plan)
{
    if (plan->glances)
        look_for_beginning(plan);
    gw_held_end_gop(plan->held, plan->undecided);
    gw_watch_set_whole(plan->watch, false);
    plan->wants = GW_PLAN_WAIT;
    plan->audits = false;
}

// --- between keyframes ---------------------------------------------------------------------------

// Whether the signal had risen already when the GOP began.
static bool began_before(const struct gw_plan *plan)
{
    const struct gw_gop *before = &plan->held->before;
    const struct gw_gate_verdict *last =
        before->count > 0 ? &before->packets[before->count - 1].verdict : NULL;

    return last && last->signal >= RISING_SHARE * last->limit;
}

static int handle_trigger(struct gw_plan *plan, int64_t wall_us)
{
    int error = 0;

    if (plan->held->now.fed == 0) {
        if (began_before(plan))
            error = gw_held_decode_before(plan->held, looked_us(plan));
        gw_held_reset(plan->held);
    }
    decode_from(plan, wall_us);
    return error;
}

// Nothing is decoded: does the last packet change that?
static int revise_waiting(struct gw_plan *plan, int64_t wall_us)
{
    const struct gw_gate_verdict *verdict = &plan->watch->verdict;
    const bool busy = gw_watch_is_busy(plan->watch);

    if (plan->glances && wall_us - plan->pace->key_us >= GLANCE_US)
        return look_for_beginning(plan);
    if (busy && !may_coast(plan, wall_us))
        return decode_all_held(plan, wall_us);
    const bool triggered = gw_watch_level(plan->watch) == GW_LEVEL_GATE && verdict->active &&
                           gw_trust_believes(&plan->trust, wall_us, verdict->signal);
    if (gw_held_now_is_full(plan->held) || (!busy && triggered))
        return handle_trigger(plan, wall_us);
    return 0;
}

// In a long GOP an open event is watched until the next keyframe is near enough to show it again.
static bool may_rest(const struct gw_plan *plan, int64_t wall_us)
{
    const struct gw_look_state state = gw_look_state(plan->watch->look);
    const struct gw_pace *pace = plan->pace;
    const bool near = pace->key_us + pace->longest_us - wall_us <= REST_US;
    const bool moves = state.looked_us - state.moved_us < GW_SECOND / 2;

    return gw_watch_is_auto(plan->watch) && state.open && pace->longest_us > GW_KEY_COAST_US &&
           near && moves && state.looked_us - state.open_us > WATCHED_US &&
           wall_us - state.looked_us < GW_SECOND;
}

// Nothing is to be seen, and the gate is quiet too, or was wrong.
static bool is_over(const struct gw_plan *plan, int64_t wall_us)
{
    const bool calm = wall_us - plan->watch->active_us > TRIGGERED_US;
    const bool nothing_lately = wall_us - plan->watch->hint_us > TRIGGERED_US;

    return !gw_watch_is_busy(plan->watch) && !gw_look_state(plan->watch->look).suspected &&
           (calm || nothing_lately);
}

// An event that was seen well enough is watched by the active gate alone.
static bool is_watched(const struct gw_plan *plan, int64_t wall_us)
{
    const struct gw_look_state state = gw_look_state(plan->watch->look);

    return state.open && gw_watch_is_auto(plan->watch) && plan->watch->verdict.active &&
           state.looked_us - state.open_us > WATCHED_US &&
           wall_us - plan->trust.began_us > WATCHED_US;
}

// Something is decoded: is that still worth it?
static void revise_decoding(struct gw_plan *plan, int64_t wall_us)
{
    const bool full = gw_held_now_is_full(plan->held);
    const int64_t began_us = plan->trust.began_us;

    if (may_rest(plan, wall_us) && !full) {
        plan->rests = true;
        plan->wants = GW_PLAN_WAIT;
    }
    gw_trust_follow(&plan->trust, plan->watch->verdict.signal,
                    wall_us - plan->watch->hint_us <= TRIGGERED_US);
    if (gw_watch_level(plan->watch) != GW_LEVEL_GATE || full || wall_us - began_us < TRIGGERED_US)
        return;
    if (is_over(plan, wall_us)) {
        if (plan->watch->hint_us < began_us)
            gw_trust_refute(&plan->trust, wall_us);
        plan->wants = GW_PLAN_WAIT;
    } else if (is_watched(plan, wall_us)) {
        plan->wants = GW_PLAN_WAIT;
    }
}

// The audit's part of the GOP was decoded and did not show the least.
static bool audit_is_over(const struct gw_plan *plan, int64_t wall_us)
{
    const int64_t since_us = wall_us - plan->pace->key_us;

    return plan->audits && since_us >= AUDIT_US && since_us >= plan->pace->gop_us / 2 &&
           plan->watch->hint_us < plan->pace->key_us && !gw_watch_is_busy(plan->watch) &&
           !gw_held_now_is_full(plan->held);
}

static int revise_plan(struct gw_plan *plan, int64_t wall_us)
{
    if (audit_is_over(plan, wall_us)) {
        gw_watch_set_whole(plan->watch, false);
        plan->wants = GW_PLAN_WAIT;
        plan->audits = false;
    }
    if (plan->watch->whole)
        return 0;
    if (gw_held_is_full(plan->held)) {
        if (gw_watch_is_busy(plan->watch))
            return decode_all_held(plan, wall_us);
        gw_held_drop_before(plan->held);
    }
    if (plan->wants == GW_PLAN_WAIT)
        return revise_waiting(plan, wall_us);
    revise_decoding(plan, wall_us);
    return 0;
}

// --- each packet ---------------------------------------------------------------------------------

static int follow(struct gw_plan *plan, int error, int64_t wall_us)
{
    const int decoded = carry_out(plan);

    if (plan->wants == GW_PLAN_WAIT && !gw_watch_is_busy(plan->watch))
        gw_look_idle(plan->watch->look, wall_us);
    // When everything is decoded at once, nothing needs to be held.
    const bool never_again = plan->watch->whole && !plan->audits;
    if (plan->wants != GW_PLAN_WAIT && (never_again || gw_held_now_is_full(plan->held)))
        gw_held_drop_done(plan->held);
    return error < 0 ? error : decoded;
}

int gw_plan_key(struct gw_plan *plan)
{
    return follow(plan, make_plan(plan), plan->pace->key_us);
}

int gw_plan_packet(struct gw_plan *plan, int64_t wall_us)
{
    return follow(plan, revise_plan(plan, wall_us), wall_us);
}

void gw_plan_forget(struct gw_plan *plan)
{
    gw_held_forget(plan->held);
    gw_watch_set_whole(plan->watch, false);
    plan->wants = GW_PLAN_WAIT;
    plan->undecided = plan->glances = plan->audits = false;
}
