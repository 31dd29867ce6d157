// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Who may have every picture decoded just now.
//
//   analysis.c -> [turns]: may I?
//
// A camera whose every picture is decoded costs as much as a hundred that their gate watches, and
// every camera begins so, until it has seen enough quiet. When hundreds begin together, or many
// scenes never rest, all would lag, skip, and learn nothing: so only as many at once have a turn as
// the pool keeps up with. The others wait, and what they send meanwhile is not analysed. How many
// that is, is found out: one more after a turn that ended well while others waited, one less when
// one lagged. Any thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_turns {
    pthread_mutex_t lock;
    int limit, taken;
    int64_t refused_us; // when somebody was last; all times are monotonic
    int64_t lowered_us; // the limit
};

// One camera's; begins as zeroes.
struct gw_turn {
    bool taken;
    int64_t since_us;
    int64_t not_before_us; // others come first
};

void gw_turns_init(struct gw_turns *turns, int threads);
void gw_turns_finish(struct gw_turns *turns);

// Whether this camera has a turn, or gets one now. One that was long while others wait ends here.
bool gw_turns_ask(struct gw_turns *turns, struct gw_turn *turn, int64_t mono_us);

// The camera needs no turn any more; or, lagged, it could not keep up. Without a turn: nothing.
void gw_turns_end(struct gw_turns *turns, struct gw_turn *turn, bool lagged, int64_t mono_us);
