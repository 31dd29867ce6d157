// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the first pictures of a GOP say of the ones that were left out before it: whether something
// began there, and whether an open event ended there.
//
//   plan.c -> [key_look: held.c (a peek), watch.c] -> plan.c
//
// Keeps nothing between calls. Used by one thread at a time.
#pragma once

#include "analyze/held.h"
#include "analyze/pace.h"
#include "analyze/watch.h"

// An open event that cannot be seen any more may come back for so long before what lies between is
// decoded. What is less than 5 s apart is one event to people, and GOPs of 5 s are often a little
// longer.
#define GW_KEY_COAST_US (GW_SECOND * 11 / 2)

enum gw_key_answer {
    GW_KEY_NOTHING,   // nothing to see: what lies before is not needed
    GW_KEY_GOES_ON,   // the open event does, and what lies before is not needed
    GW_KEY_UNDECIDED, // it is too soon to ask, or to believe the answer; what lies before is
    GW_KEY_SHOWS,     // something does, or may: everything that is held must be decoded
};

// Nothing moves: does what came in show something? If so, it began in what lies before it.
enum gw_key_answer gw_key_look_for_beginning(struct gw_watch *watch, struct gw_held *held);

// An event is open, and what came in is a keyframe. As long as one shows it now and then, nothing
// else needs to be decoded; when none has for long enough, it ended in what is held. Returns the
// answer, or an error of decoding what lies before.
int gw_key_look_for_end(struct gw_watch *watch, struct gw_held *held, const struct gw_pace *pace);
