// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/analysis.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"

// At most this many packets before another camera gets its turn: a third of a second at 25/s.
enum { PACKETS_PER_TURN = 8 };
#define LAG_LIMIT_US (4 * GW_SECOND)

struct gw_analysis {
    struct gw_decode_task task;
    struct gw_decode_pool *pool;
    struct gw_turns *turns;
    struct gw_turn turn;              // touched by the running task only
    bool chooses;                     // its level itself
    bool waits;                       // for a turn
    struct gw_ring *ring;             // touched by the running task only
    _Atomic(struct gw_ring *) wanted; // the one to read from now on
    struct gw_analyzer *analyzer;     // touched by the running task only
    gw_cursor cursor;                 // likewise
    atomic_int_fast64_t idle_us;      // wall time to tell the analyzer; 0 when packets come
    atomic_uint_fast64_t dropped, cpu_us;
    pthread_mutex_t lock;
    struct gw_analyzer_counters counters; // a copy for other threads, under lock
};

static void skip_to(struct gw_analysis *analysis, gw_cursor cursor)
{
    atomic_fetch_add(&analysis->dropped, cursor - analysis->cursor);
    analysis->cursor = cursor;
    gw_analyzer_discontinuity(analysis->analyzer);
}

// Whether the packet just read is so late that the newest GOP is the better place to go on.
static bool lags(struct gw_analysis *analysis, const struct gw_packet *packet, gw_cursor *ret_key)
{
    if (gw_mono_us() - packet->mono_us < LAG_LIMIT_US)
        return false;
    *ret_key = gw_ring_newest_key(analysis->ring);
    return *ret_key != GW_CURSOR_NONE && *ret_key > analysis->cursor;
}

// Analyses one packet. Returns whether there was one.
static bool analyse_next(struct gw_analysis *analysis)
{
    struct gw_packet packet = {0};
    gw_cursor before = analysis->cursor, key;
    int got = gw_ring_read(analysis->ring, &analysis->cursor, &packet);

    if (got == GW_ERROR_LAPPED) {
        gw_cursor lapped_to = analysis->cursor;
        analysis->cursor = before;
        skip_to(analysis, lapped_to);
        return true;
    }
    if (got <= 0)
        return false;
    if (lags(analysis, &packet, &key)) {
        analysis->cursor = before; // this one is left out too
        skip_to(analysis, key);
        gw_turns_end(analysis->turns, &analysis->turn, true, gw_mono_us());
    } else {
        // A decoder that cannot be made is counted by the analyzer and tried again at the next
        // keyframe; there is nothing else to do here.
        gw_analyzer_feed(analysis->analyzer, &packet);
    }
    gw_packet_unref(&packet);
    return true;
}

static void follow_ring(struct gw_analysis *analysis)
{
    struct gw_ring *wanted = atomic_load(&analysis->wanted);

    if (wanted == analysis->ring)
        return;
    analysis->ring = wanted;
    analysis->cursor = gw_ring_head(wanted);
    gw_analyzer_discontinuity(analysis->analyzer);
}

// Whether packets may be analysed now. A turn begins with the newest keyframe.
static bool may_run(struct gw_analysis *analysis)
{
    const int64_t mono_us = gw_mono_us();
    const bool had = analysis->turn.taken;

    if (!analysis->chooses)
        return true;
    if (analysis->counters.level != GW_LEVEL_FULL) {
        gw_turns_end(analysis->turns, &analysis->turn, false, mono_us);
        return true;
    }
    if (!gw_turns_ask(analysis->turns, &analysis->turn, mono_us)) {
        if (!analysis->waits)
            gw_analyzer_pause(analysis->analyzer);
        analysis->waits = true;
        return false;
    }
    analysis->waits = false;
    const gw_cursor key = had ? GW_CURSOR_NONE : gw_ring_newest_key(analysis->ring);
    if (key != GW_CURSOR_NONE && key > analysis->cursor)
        skip_to(analysis, key);
    return true;
}

static int64_t thread_cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * GW_SECOND + now.tv_nsec / 1000;
}

static bool run(struct gw_decode_task *task)
{
    struct gw_analysis *analysis =
        (struct gw_analysis *)((char *)task - offsetof(struct gw_analysis, task));
    const int64_t cpu_before_us = thread_cpu_us();

    follow_ring(analysis);
    bool more = may_run(analysis);
    for (int i = 0; more && i < PACKETS_PER_TURN; i++)
        more = analyse_next(analysis);
    int64_t idle_us = atomic_exchange(&analysis->idle_us, 0);
    if (!more && idle_us)
        gw_analyzer_idle(analysis->analyzer, idle_us);
    pthread_mutex_lock(&analysis->lock);
    gw_analyzer_count(analysis->analyzer, &analysis->counters);
    pthread_mutex_unlock(&analysis->lock);
    atomic_fetch_add(&analysis->cpu_us, (uint64_t)(thread_cpu_us() - cpu_before_us));
    return more;
}

int gw_analysis_create(struct gw_analysis **ret, const struct gw_analysis_config *config)
{
    struct gw_analysis *analysis = calloc(1, sizeof(*analysis));
    if (!analysis)
        return -ENOMEM;
    analysis->task.run = run;
    analysis->pool = config->pool;
    analysis->turns = config->turns;
    analysis->chooses = config->analyzer.level == GW_LEVEL_AUTO;
    analysis->ring = config->ring;
    atomic_store(&analysis->wanted, config->ring);
    analysis->cursor = gw_ring_head(config->ring);
    int error = gw_analyzer_create(&analysis->analyzer, &config->analyzer);
    if (error < 0) {
        free(analysis);
        return error;
    }
    pthread_mutex_init(&analysis->lock, NULL);
    gw_analyzer_count(analysis->analyzer, &analysis->counters);
    *ret = analysis;
    return 0;
}

void gw_analysis_turn_to(struct gw_analysis *analysis, struct gw_ring *ring)
{
    atomic_store(&analysis->wanted, ring);
    gw_analysis_wake(analysis);
}

void gw_analysis_wake(struct gw_analysis *analysis)
{
    gw_decode_pool_wake(analysis->pool, &analysis->task);
}

void gw_analysis_idle(struct gw_analysis *analysis, int64_t wall_us)
{
    atomic_store(&analysis->idle_us, wall_us);
    gw_analysis_wake(analysis);
}

void gw_analysis_count(struct gw_analysis *analysis, struct gw_analysis_counters *ret)
{
    pthread_mutex_lock(&analysis->lock);
    ret->analyzer = analysis->counters;
    pthread_mutex_unlock(&analysis->lock);
    ret->dropped = atomic_load(&analysis->dropped);
    ret->cpu_us = atomic_load(&analysis->cpu_us);
}

void gw_analysis_destroy(struct gw_analysis **analysis)
{
    if (!*analysis)
        return;
    gw_decode_pool_retire((*analysis)->pool, &(*analysis)->task);
    gw_turns_end((*analysis)->turns, &(*analysis)->turn, false, gw_mono_us());
    gw_analyzer_flush((*analysis)->analyzer);
    gw_analyzer_destroy(&(*analysis)->analyzer);
    pthread_mutex_destroy(&(*analysis)->lock);
    free(*analysis);
    *analysis = NULL;
}
