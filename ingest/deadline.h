// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How long a session may wait for what: one deadline per phase, on the monotonic clock.
//
// Pure: time is an argument. Used by the session's thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum gw_phase {
    GW_PHASE_CONNECTING, // until the stream is described and playing
    GW_PHASE_STARTING,   // pictures come, but none that decoding can start with
    GW_PHASE_PLAYING,
};

struct gw_deadline {
    int64_t connect_us, stall_us; // how long each may last
    enum gw_phase phase;
    int64_t entered_mono_us; // this phase
    int64_t frame_mono_us;   // last complete picture, or when they began to be waited for
};

void gw_deadline_enter(struct gw_deadline *deadline, enum gw_phase phase, int64_t mono_us);
// A complete picture came, also one that had to be let go because of a loss before it.
void gw_deadline_frame(struct gw_deadline *deadline, int64_t mono_us);

// 0 while there is time, else why the session has to end.
int gw_deadline_check(const struct gw_deadline *deadline, int64_t mono_us);
// When check will say so if nothing comes.
int64_t gw_deadline_due_us(const struct gw_deadline *deadline);
