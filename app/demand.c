// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/demand.h"

#include "core/clock.h"

void gw_demand_init(struct gw_demand *demand, int64_t preroll_us, int64_t postroll_us)
{
    *demand = (struct gw_demand){.until_us = GW_NO_TIME,
                                 .faults_until_us = GW_NO_TIME,
                                 .preroll_us = preroll_us,
                                 .postroll_us = postroll_us};
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void begin(struct gw_demand *demand, const struct gw_event *event, bool recording)
{
    const int64_t from_us = event->start_us - demand->preroll_us;

    // Of several that wait, the first one counts.
    if (recording || demand->until_us == GW_NO_TIME || from_us < demand->from_us)
        demand->from_us = from_us;
}

void gw_demand_note(struct gw_demand *demand, enum gw_event_phase phase,
                    const struct gw_event *event, bool recording)
{
    const bool is_motion = event->kind == GW_EVENT_MOTION;

    if (phase == GW_EVENT_PHASE_OPENED) {
        begin(demand, event, recording);
        demand->open += is_motion;
        if (!is_motion)
            demand->faults_until_us =
                later(demand->faults_until_us, event->confirmed_us + demand->postroll_us);
        demand->until_us =
            demand->open ? INT64_MAX : later(demand->until_us, demand->faults_until_us);
    } else if (phase == GW_EVENT_PHASE_CLOSED && is_motion && --demand->open == 0) {
        demand->until_us = later(event->end_us + demand->postroll_us, demand->faults_until_us);
    }
}

void gw_demand_settle(struct gw_demand *demand)
{
    demand->until_us = demand->faults_until_us = GW_NO_TIME;
}
