// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/level.h"

#include <math.h>

#include "core/clock.h"

// A level that misses more of the events is not good.
static const double miss_limit = 0.05;
// Quiet that must have been seen before anything is left out, seconds; with events, half of it.
static const double enough_quiet_s = 8;
// Where nothing moved since the beginning, keyframes may do the work after so long without the
// least hint: the background's mean has settled (3 s; background.c), and while the gate goes on
// learning everything else can still be told from it.
static const double first_quiet_s = 3;
// Events that outweigh what is expected of a gate from the stream alone.
enum { ENOUGH_EVENTS = 3 };
// The part of an event in which the gate must notice it, seconds; the share of quiet seconds that
// trigger is not known to be less than this; and luck that is accepted for proof.
static const double event_s = 2.3, least_false_share = 0.05, chance_limit = 0.01;
// Keyframes this close together, seconds, show whatever moves for longer than that.
static const double short_gop_s = 2.5;
// Decoding a keyframe takes about so many times as long as another picture: decoding only those
// of a 1080p stream with two seconds between them took 0.13 of decoding everything.
static const double key_cost = 6.5;
// A gate that triggers decodes from the keyframe on, half a GOP, and about a second more.
static const double trigger_s = 1;
// Reading packets without decoding them.
static const double gate_cost = 0.02;
static const double gate_cost_limit = 0.35;
// Keyframes and what lies around them must be cheaper than everything by this factor.
static const double worthwhile = 0.8;
// A level stays for so long before another is tried that only seems better; one that turned out to
// be bad is left at once.
#define STAY_US (20 * GW_SECOND)

// Upper end of Wilson's score interval; 1 without events.
static double upper_bound(int missed, int events)
{
    const double z = 1.2816; // 90 % one-sided

    if (events == 0)
        return 1;
    const double rate = (double)missed / events;
    const double middle = rate + z * z / (2 * events);
    const double reach = z * sqrt((rate * (1 - rate) + z * z / (4 * events)) / events);
    return (middle + reach) / (1 + z * z / events);
}

static struct gw_level_case count_misses(int missed, int events)
{
    return (struct gw_level_case){.judged = events,
                                  .miss_rate = events > 0 ? (double)missed / events : 0,
                                  .miss_high = upper_bound(missed, events)};
}

// Whether so many events were not all noticed by chance: a signal that is above the limit in a
// share of quiet seconds is so in some of an event's too.
static bool is_proven(const struct gw_gate_evidence *gate)
{
    const double chance = 1 - pow(1 - fmax(gate->false_share, least_false_share), event_s);

    return gate->events >= ENOUGH_EVENTS &&
           pow(chance, gate->events - gate->missed) <= chance_limit;
}

static struct gw_level_case judge_gate(const struct gw_level_evidence *evidence)
{
    const struct gw_gate_evidence *gate = &evidence->gate;
    struct gw_level_case gate_case = count_misses(gate->missed, gate->events);
    const bool proven = is_proven(gate);
    const bool expected = gate->reach > gate->limit;
    const double quiet_s = gate->events >= 2 ? enough_quiet_s / 2 : enough_quiet_s;

    gate_case.cost = gate_cost + gate->false_share * (evidence->gop_s / 2 + trigger_s);
    gate_case.good = evidence->gate_ready && (proven || expected) && gate->quiet_s >= quiet_s &&
                     gate_case.miss_rate <= miss_limit;
    return gate_case;
}

static struct gw_level_case judge_keyframes(const struct gw_level_evidence *evidence)
{
    struct gw_level_case key_case = count_misses(evidence->key_missed, evidence->key_events);
    const bool proven = evidence->key_events >= ENOUGH_EVENTS;
    const bool expected = evidence->gop_s <= short_gop_s;
    const bool quiet = evidence->gate.quiet_s >= enough_quiet_s;
    const bool first_quiet = evidence->first_quiet_s >= first_quiet_s;

    // A keyframe that seems to show something costs the GOP before and the GOP after it.
    key_case.cost = key_cost / fmax(evidence->gop_pictures, 1) + 2 * evidence->key_false_share;
    key_case.good = evidence->gop_s > 0 && (proven || expected) && (quiet || first_quiet) &&
                    key_case.miss_rate <= miss_limit;
    return key_case;
}

void gw_level_init(struct gw_level_chooser *chooser)
{
    *chooser = (struct gw_level_chooser){.level = GW_LEVEL_FULL, .since_us = GW_NO_TIME};
}

// The gate comes first: it knows when something began within the GOP, and what it costs while
// something happens is less. After it, and when it triggers too often, the cheapest.
static enum gw_level find_best(const struct gw_level_chooser *chooser)
{
    const struct gw_level_case *cases = chooser->cases;

    if (cases[GW_LEVEL_GATE].good && cases[GW_LEVEL_GATE].cost < gate_cost_limit)
        return GW_LEVEL_GATE;
    if (cases[GW_LEVEL_KEYFRAMES].good &&
        cases[GW_LEVEL_KEYFRAMES].cost < worthwhile * cases[GW_LEVEL_FULL].cost)
        return GW_LEVEL_KEYFRAMES;
    return GW_LEVEL_FULL;
}

enum gw_level gw_level_choose(struct gw_level_chooser *chooser,
                              const struct gw_level_evidence *evidence, int64_t wall_us)
{
    struct gw_level_case *cases = chooser->cases;

    cases[GW_LEVEL_GATE] = judge_gate(evidence);
    cases[GW_LEVEL_KEYFRAMES] = judge_keyframes(evidence);
    cases[GW_LEVEL_FULL] = (struct gw_level_case){.cost = 1, .good = true};
    if (chooser->since_us == GW_NO_TIME || wall_us < chooser->since_us)
        chooser->since_us = wall_us;
    const enum gw_level best = find_best(chooser);
    const bool bad = !cases[chooser->level].good;
    const bool settled = wall_us - chooser->since_us >= STAY_US || chooser->level == GW_LEVEL_FULL;
    if (best != chooser->level && (bad || settled)) {
        chooser->level = best;
        chooser->since_us = wall_us;
    }
    return chooser->level;
}
