// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/retention_clock.h"

#include <stdlib.h>

#include "core/clock.h"

// Rows are told of a moment after they happened, and by workers on other machines.
#define START_SLACK_US (60 * GW_SECOND)
// A word about the clock counts for so long; what it was about is gone later.
#define WORD_US (3600 * GW_SECOND)

static const char *const names[] = {"sure", "jumped", "behind", "ahead"};

const char *gw_clock_doubt_name(enum gw_clock_doubt doubt)
{
    return names[doubt];
}

void gw_retention_clock_init(struct gw_retention_clock *clock, int64_t kept_us)
{
    *clock = (struct gw_retention_clock){.now_us = kept_us};
}

bool gw_clock_word_counts(const struct gw_clock_reading *reading)
{
    return reading->confirmed_us != GW_NO_TIME && reading->wall_us >= reading->confirmed_us &&
           reading->wall_us - reading->confirmed_us < WORD_US;
}

// Rows of a run whose clock was wrong say nothing for it: ahead is judged by what this clock showed
// before, if there was one.
static void judge_start(struct gw_retention_clock *clock, const struct gw_clock_reading *reading)
{
    const int64_t kept_us = clock->now_us, newest_us = reading->newest_us;
    const int64_t since_us = kept_us != GW_NO_TIME ? kept_us : newest_us;

    clock->running = true;
    if (since_us == GW_NO_TIME) { // nothing was ever recorded
        clock->now_us = reading->wall_us;
        return;
    }
    clock->now_us = since_us;
    if (newest_us != GW_NO_TIME && reading->wall_us < newest_us - START_SLACK_US) {
        clock->doubt = GW_CLOCK_BEHIND;
        clock->start_us = newest_us;
    } else if (reading->wall_us < since_us - START_SLACK_US) {
        clock->doubt = GW_CLOCK_BEHIND;
        clock->start_us = since_us;
    } else if (reading->wall_us - since_us > GW_CLOCK_FAR_US) {
        clock->doubt = GW_CLOCK_AHEAD;
        clock->start_us = since_us;
    }
    if (clock->doubt != GW_CLOCK_SURE)
        clock->off_us = reading->wall_us - clock->start_us;
}

static void judge_step(struct gw_retention_clock *clock, const struct gw_clock_reading *reading,
                       int64_t passed_us)
{
    const int64_t jump_us = reading->wall_us - clock->wall_us - passed_us;

    if (clock->doubt == GW_CLOCK_BEHIND || clock->doubt == GW_CLOCK_AHEAD)
        clock->off_us = reading->wall_us - clock->start_us;
    if (llabs(jump_us) <= GW_CLOCK_JUMP_US)
        return;
    if (clock->doubt == GW_CLOCK_SURE) {
        clock->doubt = GW_CLOCK_JUMPED;
        clock->off_us = 0;
    }
    if (clock->doubt == GW_CLOCK_JUMPED)
        clock->off_us += jump_us;
    clock->wait_until_us = reading->mono_us + GW_CLOCK_WAIT_US;
}

// Whether what made us doubt is settled.
static bool is_settled(const struct gw_retention_clock *clock,
                       const struct gw_clock_reading *reading)
{
    if (reading->mono_us < clock->wait_until_us)
        return false;
    if (reading->synchronised && reading->wall_us - clock->now_us <= GW_CLOCK_FAR_US)
        return true;
    if (clock->doubt == GW_CLOCK_JUMPED)
        return llabs(clock->off_us) <= GW_CLOCK_SMALL_US;
    // It was set right, or time went by until it fits.
    return clock->off_us >= -START_SLACK_US && clock->off_us <= GW_CLOCK_FAR_US;
}

static void become_sure(struct gw_retention_clock *clock)
{
    clock->doubt = GW_CLOCK_SURE;
    clock->off_us = 0;
    clock->wait_until_us = 0;
}

bool gw_retention_clock_read(struct gw_retention_clock *clock,
                             const struct gw_clock_reading *reading)
{
    int64_t passed_us = 0;

    if (clock->running) {
        passed_us = reading->mono_us - clock->mono_us;
        judge_step(clock, reading, passed_us);
    } else {
        judge_start(clock, reading);
    }
    clock->wall_us = reading->wall_us;
    clock->mono_us = reading->mono_us;
    if (gw_clock_word_counts(reading)) {
        become_sure(clock);
        clock->now_us = reading->wall_us;
        return true;
    }
    if (clock->doubt != GW_CLOCK_SURE && is_settled(clock, reading))
        become_sure(clock);
    if (clock->doubt != GW_CLOCK_SURE) {
        clock->now_us += passed_us; // that much is certain
        return false;
    }
    clock->now_us += GW_CLOCK_CATCH_UP * passed_us;
    if (clock->now_us > reading->wall_us)
        clock->now_us = reading->wall_us;
    return true;
}
