// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// When motion is an event: it lasts, it ends when it is quiet, it is never longer than a clip.
//
//   motion.c -> [event_fsm] -> analyzer.c
//
//   quiet -> suspected -> open -> quiet            (the clip of a long event is split:
//      ^________|          |__________> suspected   closed, and opened again at once)
//
// Knows nothing of pictures; time is an argument. Used by one thread at a time.
#pragma once

#include "analyze/motion.h"
#include "core/event.h"

// Motion counts as an event after it was seen for so long.
#define GW_EVENT_PERSISTENCE_US (GW_SECOND * 3 / 10)
// And when it goes nowhere, for so long: headlights, a cloud's edge or a branch in a gust seldom
// last, and the start is told as it was in any case.
#define GW_EVENT_PATIENCE_US GW_SECOND
// An event is closed when nothing moved for so long: what begins again sooner is the same event to
// people. Its clip goes on for as long after it (record.postroll), so closing later delays no clip.
#define GW_EVENT_QUIET_US (5 * GW_SECOND)
// An event is split at this length, as clips are.
#define GW_EVENT_LENGTH_US (300 * GW_SECOND)

enum gw_event_step {
    GW_EVENT_STEP_NONE,
    GW_EVENT_STEP_SUSPECT, // something moves, but not for long enough yet
    GW_EVENT_STEP_OPEN,    // now it has
    GW_EVENT_STEP_MOVES,   // the open event goes on
    GW_EVENT_STEP_PAUSES,  // the open event was quiet in this picture
    GW_EVENT_STEP_CLOSE,   // it ended with its last motion
};

struct gw_event_fsm {
    enum { GW_FSM_QUIET, GW_FSM_SUSPECTED, GW_FSM_OPEN } state;
    int64_t last_us;     // the last picture; GW_NO_TIME before the first
    int64_t interval_us; // between the last two pictures
    int64_t begin_us;    // the first of the hints that led here; GW_NO_TIME for none
    int64_t hint_us;     // the last hint
    bool travelled;      // something went somewhere since it is suspected
    int64_t evidence_us; // for how long something was seen, minus for how long not
    double activity;     // share of the picture times seconds, of the event
    // What the event is so far: start_us, end_us, confirmed_us, score are this module's, valid from
    // STEP_OPEN to STEP_CLOSE. start_us does not change in between.
    int64_t start_us, end_us, confirmed_us;
    double score;
    uint32_t zones; // touched so far, bits as in gw_motion_result
};

void gw_event_fsm_init(struct gw_event_fsm *fsm);

// Takes in what one picture showed. Pictures come in order; when time goes backwards, an open event
// is closed with what was known.
enum gw_event_step gw_event_fsm_feed(struct gw_event_fsm *fsm,
                                     const struct gw_motion_result *motion, int64_t wall_us);

// Nobody looked, but the open event went on until wall_us for another reason.
void gw_event_fsm_assume(struct gw_event_fsm *fsm, int64_t wall_us);

// No picture came, and it is wall_us now.
enum gw_event_step gw_event_fsm_idle(struct gw_event_fsm *fsm, int64_t wall_us);

// No picture will come. Closes an open event.
enum gw_event_step gw_event_fsm_end(struct gw_event_fsm *fsm);
