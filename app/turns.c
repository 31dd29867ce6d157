// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/turns.h"

#include "core/clock.h"

// Two thirds of a core's time, for 1080p at 25 pictures a second.
enum { FIRST_PER_THREAD = 8 };
// Enough to learn from a scene that is quiet, or to see somebody walk through.
#define TURN_US (10 * GW_SECOND)
// Who was refused asks again with its next packet.
#define WAITS_US GW_SECOND
// Cameras lag together; that is one reason to lower the limit, not one each.
#define LOWER_EVERY_US GW_SECOND

void gw_turns_init(struct gw_turns *turns, int threads)
{
    *turns = (struct gw_turns){.limit = FIRST_PER_THREAD * threads,
                               .refused_us = -WAITS_US,
                               .lowered_us = -LOWER_EVERY_US};
    pthread_mutex_init(&turns->lock, NULL);
}

void gw_turns_finish(struct gw_turns *turns)
{
    pthread_mutex_destroy(&turns->lock);
}

static bool others_wait(const struct gw_turns *turns, int64_t mono_us)
{
    return mono_us - turns->refused_us < WAITS_US;
}

static void give_back(struct gw_turns *turns, struct gw_turn *turn, int64_t mono_us)
{
    turns->taken--;
    turn->taken = false;
    turn->not_before_us = others_wait(turns, mono_us) ? mono_us + TURN_US / 2 : mono_us;
}

static void take(struct gw_turns *turns, struct gw_turn *turn, int64_t mono_us)
{
    if (turns->taken < turns->limit && mono_us >= turn->not_before_us) {
        turns->taken++;
        turn->taken = true;
        turn->since_us = mono_us;
    } else if (mono_us >= turn->not_before_us) {
        turns->refused_us = mono_us;
    }
}

bool gw_turns_ask(struct gw_turns *turns, struct gw_turn *turn, int64_t mono_us)
{
    pthread_mutex_lock(&turns->lock);
    if (turn->taken && mono_us - turn->since_us >= TURN_US && others_wait(turns, mono_us)) {
        turns->limit++;
        give_back(turns, turn, mono_us);
    } else if (!turn->taken) {
        take(turns, turn, mono_us);
    }
    const bool taken = turn->taken;
    pthread_mutex_unlock(&turns->lock);
    return taken;
}

void gw_turns_end(struct gw_turns *turns, struct gw_turn *turn, bool lagged, int64_t mono_us)
{
    if (!turn->taken)
        return;
    pthread_mutex_lock(&turns->lock);
    if (!lagged && others_wait(turns, mono_us))
        turns->limit++;
    if (lagged && turns->limit > 1 && mono_us - turns->lowered_us >= LOWER_EVERY_US) {
        turns->limit--;
        turns->lowered_us = mono_us;
    }
    give_back(turns, turn, mono_us);
    pthread_mutex_unlock(&turns->lock);
}
