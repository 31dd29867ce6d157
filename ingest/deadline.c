// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/deadline.h"

#include <errno.h>

#include "core/clock.h"
#include "core/error.h"

// Longer than the GOP of any camera, also of those that stretch it while nothing moves.
#define STARTING_US (120 * GW_SECOND)

void gw_deadline_enter(struct gw_deadline *deadline, enum gw_phase phase, int64_t mono_us)
{
    deadline->phase = phase;
    deadline->entered_mono_us = mono_us;
    if (phase == GW_PHASE_STARTING)
        deadline->frame_mono_us = mono_us;
}

void gw_deadline_frame(struct gw_deadline *deadline, int64_t mono_us)
{
    deadline->frame_mono_us = mono_us;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t gw_deadline_due_us(const struct gw_deadline *deadline)
{
    const int64_t stalled_us = deadline->frame_mono_us + deadline->stall_us;

    switch (deadline->phase) {
    case GW_PHASE_CONNECTING: return deadline->entered_mono_us + deadline->connect_us;
    case GW_PHASE_STARTING: return earlier(stalled_us, deadline->entered_mono_us + STARTING_US);
    case GW_PHASE_PLAYING: break;
    }
    return stalled_us;
}

int gw_deadline_check(const struct gw_deadline *deadline, int64_t mono_us)
{
    if (mono_us < gw_deadline_due_us(deadline))
        return 0;
    if (deadline->phase == GW_PHASE_CONNECTING)
        return -ETIMEDOUT;
    return mono_us - deadline->frame_mono_us >= deadline->stall_us ? GW_ERROR_STALLED
                                                                   : GW_ERROR_INVALID;
}
