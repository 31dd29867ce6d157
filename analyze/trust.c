// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/trust.h"

#include <math.h>

#include "core/clock.h"

// A refuted gate is not believed for so long, unless its signal is higher than it was by this
// factor.
#define REFUTED_US (10 * GW_SECOND)
static const double refuted_higher = 1.25;

void gw_trust_init(struct gw_trust *trust)
{
    *trust = (struct gw_trust){.refuted_us = INT64_MIN / 2};
}

void gw_trust_begin(struct gw_trust *trust, int64_t wall_us, double signal)
{
    if (wall_us - trust->began_us > REFUTED_US)
        trust->peak = signal;
    trust->began_us = wall_us;
}

void gw_trust_follow(struct gw_trust *trust, double signal, bool seen)
{
    trust->peak = seen ? 0 : fmax(trust->peak, signal);
}

void gw_trust_refute(struct gw_trust *trust, int64_t wall_us)
{
    trust->refuted_us = wall_us;
    trust->refuted_signal = trust->peak;
}

bool gw_trust_believes(const struct gw_trust *trust, int64_t wall_us, double signal)
{
    return wall_us - trust->refuted_us > REFUTED_US ||
           signal > refuted_higher * trust->refuted_signal;
}
