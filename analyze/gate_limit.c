// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/gate_limit.h"

#include <math.h>

#include "core/clock.h"

// However much the quantile allows, the limit lies no higher than this share of the weakest event's
// signal; but what is within so many spreads of the usual is noise.
static const double margin = 0.5, tail_spreads = 3;
// A limit below this would only count the noise of the medians.
static const double least_limit = 0.8;

// Shares of quiet seconds that may trigger, tried in this order until no more than one event in
// twenty is missed.
static const double false_shares[] = {0.005, 0.02, 0.05, 0.1, 0.2};
enum { FALSE_SHARE_COUNT = sizeof(false_shares) / sizeof(false_shares[0]) };
static const double miss_limit = 0.05;

// Evidence older than this is of another time of day.
#define EVENT_AGE_US (3600 * GW_SECOND)

void gw_gate_limit_init(struct gw_gate_limit *limit)
{
    *limit = (struct gw_gate_limit){.value = NAN};
}

bool gw_gate_limit_ready(const struct gw_gate_limit *limit)
{
    return gw_baseline_ready(&limit->maxima);
}

// Where the n-th oldest of the events lies.
static int nth(const struct gw_gate_limit *limit, int n)
{
    return (limit->event_next - limit->event_count + n + GW_GATE_EVENTS) % GW_GATE_EVENTS;
}

static int count_missed(const struct gw_gate_limit *limit, double value)
{
    int missed = 0;

    for (int i = 0; i < limit->event_count; i++)
        missed += limit->events[nth(limit, i)].peak < value;
    return missed;
}

// The signal of the weakest event lately, or what one is expected to have.
static double weakest_event(const struct gw_gate_limit *limit, double expected)
{
    double weakest = expected;

    for (int i = 0; i < limit->event_count; i++) {
        const double peak = limit->events[nth(limit, i)].peak;
        weakest = i == 0 ? peak : fmin(weakest, peak);
    }
    return weakest;
}

// The lowest limit with few false alarms; a lower one when it misses too much; the first again when
// none is good enough, for then another level does the work. The first is no lower than noise where
// half of the weakest event lies above it too: the highest of a hundred seconds is no quantile of
// one in two hundred, still less the highest of ten.
static void set(struct gw_gate_limit *limit, double expected)
{
    double first = NAN;

    if (!gw_gate_limit_ready(limit))
        return;
    const double noise = limit->maxima.median + tail_spreads * limit->maxima.spread;
    const double weak = margin * weakest_event(limit, expected);
    for (int i = 0; i < FALSE_SHARE_COUNT; i++) {
        const double quantile = gw_baseline_quantile(&limit->maxima, 1 - false_shares[i]);
        const double lowest = i == 0 ? fmax(fmin(noise, weak), least_limit) : least_limit;
        limit->value = fmax(fmin(quantile, fmax(noise, weak)), lowest);
        if (i == 0)
            first = limit->value;
        if (count_missed(limit, limit->value) <= miss_limit * limit->event_count)
            return;
    }
    limit->value = first;
}

void gw_gate_limit_add_second(struct gw_gate_limit *limit, double maximum, double expected)
{
    gw_baseline_add(&limit->maxima, maximum);
    set(limit, expected);
}

void gw_gate_limit_add_event(struct gw_gate_limit *limit, int64_t start_us, double peak,
                             double expected)
{
    limit->events[limit->event_next].start_us = start_us;
    limit->events[limit->event_next].peak = peak;
    limit->event_next = (limit->event_next + 1) % GW_GATE_EVENTS;
    if (limit->event_count < GW_GATE_EVENTS)
        limit->event_count++;
    set(limit, expected);
}

void gw_gate_limit_forget(struct gw_gate_limit *limit, int64_t now_us)
{
    while (limit->event_count > 0 && now_us - limit->events[nth(limit, 0)].start_us >= EVENT_AGE_US)
        limit->event_count--;
}

int gw_gate_limit_missed(const struct gw_gate_limit *limit)
{
    return count_missed(limit, limit->value);
}

double gw_gate_limit_false_share(const struct gw_gate_limit *limit)
{
    int above = 0;

    for (int i = 0; i < limit->maxima.count; i++)
        above += limit->maxima.values[i] > limit->value;
    return limit->maxima.count > 0 ? (double)above / limit->maxima.count : 0;
}
