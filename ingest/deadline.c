// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/deadline.h"

#include <libavutil/error.h>

#include "core/clock.h"
#include "core/error.h"

// Longer than the GOP of any camera, also of those that stretch it while nothing moves.
#define STARTING_US (60 * GW_SECOND)
// Enough to hand a TEARDOWN to a kernel that has room for it.
#define CLOSING_US (GW_SECOND / 20)

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

int gw_deadline_check(const struct gw_deadline *deadline, int64_t mono_us)
{
    int64_t phase_us = mono_us - deadline->entered_mono_us;
    bool stalled = mono_us - deadline->frame_mono_us >= deadline->stall_us;

    switch (deadline->phase) {
    case GW_PHASE_CONNECTING: return phase_us >= deadline->connect_us ? AVERROR(ETIMEDOUT) : 0;
    case GW_PHASE_STARTING:
        if (stalled)
            return GW_ERROR_STALLED;
        return phase_us >= STARTING_US ? AVERROR_INVALIDDATA : 0;
    case GW_PHASE_PLAYING: return stalled ? GW_ERROR_STALLED : 0;
    case GW_PHASE_CLOSING: return phase_us >= CLOSING_US ? GW_ERROR_STOPPED : 0;
    }
    return 0;
}
