// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/event_fsm.h"

#include "core/clock.h"

// Hints this close together are one movement; the first of them is when it began, at most so long
// before something was seen for sure. Its end is not sought in hints: there they are mostly what a
// thing leaves behind.
#define HINT_GAP_US   (GW_SECOND / 2)
#define HINT_REACH_US (GW_SECOND * 3 / 2)
// One picture is evidence for at most so long, however rare pictures are: it takes two.
#define EVIDENCE_STEP_US (GW_SECOND / 4)
// When nothing was seen for longer than this, an open event goes on by the evidence that opens one:
// a flicker in the seconds after it does not make it longer.
#define PAUSE_US GW_SECOND
// An event of one per cent of the picture for a second has score 0.5; half of the picture for two
// seconds 0.99.
static const double half_score_activity = 0.01;

void gw_event_fsm_init(struct gw_event_fsm *fsm)
{
    *fsm = (struct gw_event_fsm){.last_us = GW_NO_TIME, .begin_us = GW_NO_TIME};
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum gw_event_step close_event(struct gw_event_fsm *fsm)
{
    fsm->state = GW_FSM_QUIET;
    return GW_EVENT_STEP_CLOSE;
}

// What was seen so far says nothing of what comes.
static void forget(struct gw_event_fsm *fsm)
{
    fsm->evidence_us = 0;
    fsm->begin_us = GW_NO_TIME;
}

// With one keyframe every few seconds, quiet needs more than one picture too.
static int64_t quiet_limit(const struct gw_event_fsm *fsm)
{
    return larger(GW_EVENT_QUIET_US, fsm->interval_us * 3 / 2);
}

// Whether what was seen makes an open event longer.
static bool goes_on(const struct gw_event_fsm *fsm, int64_t wall_us)
{
    return fsm->evidence_us >= GW_EVENT_PERSISTENCE_US ||
           wall_us - fsm->end_us <= larger(PAUSE_US, fsm->interval_us * 3 / 2);
}

static void follow_hints(struct gw_event_fsm *fsm, const struct gw_motion_result *motion,
                         int64_t wall_us)
{
    if (!motion->hint)
        return;
    const int64_t gap_us = larger(HINT_GAP_US, fsm->interval_us);
    if (fsm->begin_us == GW_NO_TIME || wall_us - fsm->hint_us > gap_us)
        fsm->begin_us = wall_us;
    fsm->hint_us = wall_us;
}

// Evidence that is enough; it does not grow further.
static int64_t enough(const struct gw_event_fsm *fsm)
{
    const bool stays = fsm->state == GW_FSM_SUSPECTED && !fsm->travelled;
    return stays ? GW_EVENT_PATIENCE_US : GW_EVENT_PERSISTENCE_US;
}

static void weigh_evidence(struct gw_event_fsm *fsm, bool something, int64_t elapsed_us)
{
    if (something)
        fsm->evidence_us += smaller(elapsed_us, EVIDENCE_STEP_US);
    else
        fsm->evidence_us -= elapsed_us;
    fsm->evidence_us = smaller(larger(fsm->evidence_us, 0), enough(fsm));
}

static void add_activity(struct gw_event_fsm *fsm, const struct gw_motion_result *motion,
                         int64_t elapsed_us)
{
    fsm->activity += motion->area * (double)smaller(elapsed_us, GW_SECOND) * 1e-6;
    fsm->score = fsm->activity / (fsm->activity + half_score_activity);
    fsm->zones |= motion->zones;
}

static enum gw_event_step suspect(struct gw_event_fsm *fsm, const struct gw_motion_result *motion,
                                  int64_t wall_us, int64_t elapsed_us)
{
    if (fsm->state == GW_FSM_QUIET) {
        if (!motion->something)
            return GW_EVENT_STEP_NONE;
        fsm->state = GW_FSM_SUSPECTED;
        fsm->start_us = larger(fsm->begin_us, wall_us - HINT_REACH_US);
        fsm->activity = 0;
        fsm->zones = 0;
        fsm->travelled = false;
    }
    fsm->travelled |= motion->travels;
    add_activity(fsm, motion, elapsed_us);
    if (fsm->evidence_us == 0) {
        fsm->state = GW_FSM_QUIET;
        return GW_EVENT_STEP_NONE;
    }
    if (!motion->something || fsm->evidence_us < enough(fsm))
        return GW_EVENT_STEP_SUSPECT;
    fsm->state = GW_FSM_OPEN;
    fsm->confirmed_us = fsm->end_us = wall_us;
    return GW_EVENT_STEP_OPEN;
}

static enum gw_event_step go_on(struct gw_event_fsm *fsm, const struct gw_motion_result *motion,
                                int64_t wall_us, int64_t elapsed_us)
{
    if (wall_us - fsm->end_us >= quiet_limit(fsm)) // what moves now begins the next event
        return close_event(fsm);
    if (wall_us - fsm->start_us >= GW_EVENT_LENGTH_US) {
        fsm->begin_us =
            GW_NO_TIME; // what goes on moving opens the next one at once, without overlap
        return close_event(fsm);
    }
    const bool moves = motion->something && goes_on(fsm, wall_us);
    add_activity(fsm, motion, elapsed_us);
    if (moves)
        fsm->end_us = wall_us;
    return moves ? GW_EVENT_STEP_MOVES : GW_EVENT_STEP_PAUSES;
}

enum gw_event_step gw_event_fsm_feed(struct gw_event_fsm *fsm,
                                     const struct gw_motion_result *motion, int64_t wall_us)
{
    if (fsm->last_us != GW_NO_TIME && wall_us <= fsm->last_us) {
        const bool was_open = fsm->state == GW_FSM_OPEN;
        close_event(fsm);
        forget(fsm);
        fsm->last_us = wall_us;
        return was_open ? GW_EVENT_STEP_CLOSE : GW_EVENT_STEP_NONE;
    }
    const int64_t elapsed_us = fsm->last_us == GW_NO_TIME ? 0 : wall_us - fsm->last_us;
    fsm->last_us = wall_us;
    // A stream that paused is quiet for that long; only its usual pace stretches the limits.
    fsm->interval_us = smaller(elapsed_us, 10 * GW_SECOND);
    follow_hints(fsm, motion, wall_us);
    weigh_evidence(fsm, motion->something, elapsed_us);
    if (fsm->state == GW_FSM_OPEN)
        return go_on(fsm, motion, wall_us, elapsed_us);
    return suspect(fsm, motion, wall_us, elapsed_us);
}

void gw_event_fsm_assume(struct gw_event_fsm *fsm, int64_t wall_us)
{
    if (fsm->state != GW_FSM_OPEN || wall_us <= fsm->end_us)
        return;
    fsm->end_us = wall_us;
}

enum gw_event_step gw_event_fsm_idle(struct gw_event_fsm *fsm, int64_t wall_us)
{
    if (fsm->state != GW_FSM_OPEN || wall_us - fsm->end_us < quiet_limit(fsm))
        return GW_EVENT_STEP_NONE;
    forget(fsm);
    return close_event(fsm);
}

enum gw_event_step gw_event_fsm_end(struct gw_event_fsm *fsm)
{
    return fsm->state == GW_FSM_OPEN ? close_event(fsm) : GW_EVENT_STEP_NONE;
}
