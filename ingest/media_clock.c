// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/media_clock.h"

#include <assert.h>

#include "core/clock.h"

#define USUAL_FRAME_US (GW_SECOND / 25)
#define MIN_STEP_US    INT64_C(1000)   // of pts and dts; coarse enough for every container
#define WINDOW_US      (5 * GW_SECOND) // longer than a network hiccup that is caught up with
#define STEEP_US       (GW_SECOND / 5) // a correction from here on is spread tenfold faster

// A picture that steps back further than this many is a jump of the clock and no B-frame.
enum { MAX_LEARNT_REORDER = 4 };

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void gw_media_clock_init(struct gw_media_clock *clock)
{
    *clock = (struct gw_media_clock){.frame_us = USUAL_FRAME_US, .camera_offset_us = GW_NO_TIME};
    gw_media_clock_begin_stream(clock, 0, 0);
}

void gw_media_clock_begin_stream(struct gw_media_clock *clock, int reorder, int64_t frame_us)
{
    reorder = (int)clamp(reorder, 0, GW_MAX_REORDER);
    if (clock->wanted_reorder < reorder)
        clock->wanted_reorder = reorder;
    clock->reorder = clock->wanted_reorder;
    if (frame_us > 0)
        clock->frame_us = clamp(frame_us, MIN_STEP_US, GW_SECOND);
    clock->newest_us = GW_NO_TIME;
    clock->last_dts = GW_NO_TIME;
}

int64_t gw_media_clock_unwrap(int64_t last, int64_t ticks)
{
    return last + (int32_t)((uint32_t)ticks - (uint32_t)last);
}

static void anchor(struct gw_media_clock *clock, int64_t wall_us)
{
    clock->anchored = true;
    clock->stale = false;
    clock->offset_us = wall_us - clock->media_us;
    clock->slew_us = 0;
    clock->lowest_us = INT64_MAX;
    clock->window_us = wall_us;
}

// Lets time run on evenly over a jump in the middle of a GOP.
static void bridge(struct gw_media_clock *clock)
{
    clock->offset_us = clock->newest_us + clock->frame_us - clock->media_us;
    clock->slew_us = 0;
    clock->lowest_us = INT64_MAX;
    clock->stale = true;
}

// At the end of a window its most punctual packet says how far the anchor is off.
static void observe(struct gw_media_clock *clock, int64_t late_us, int64_t wall_us)
{
    if (clock->slew_us) { // what is seen while the offset moves says little
        clock->lowest_us = INT64_MAX;
        clock->window_us = wall_us;
        return;
    }
    if (late_us < clock->lowest_us)
        clock->lowest_us = late_us;
    if (wall_us >= clock->window_us && wall_us - clock->window_us < WINDOW_US)
        return;
    if (clock->lowest_us > GW_MEDIA_CLOCK_LIMIT_US)
        clock->stale = true;
    else
        clock->slew_us = clock->lowest_us;
    clock->lowest_us = INT64_MAX;
    clock->window_us = wall_us;
}

static void slew(struct gw_media_clock *clock, int64_t elapsed_us)
{
    bool steep = clock->slew_us > STEEP_US || clock->slew_us < -STEEP_US;
    int64_t most_us = clamp(elapsed_us, 0, GW_SECOND) / (steep ? 20 : 200);
    int64_t step_us = clamp(clock->slew_us, -most_us, most_us);
    clock->offset_us += step_us;
    clock->slew_us -= step_us;
}

// Whether media time, put where the anchor says, cannot be: ahead of its arrival or far behind
// what came before it.
static bool has_jumped(const struct gw_media_clock *clock, int64_t pts_us, int64_t late_us,
                       bool key)
{
    if (late_us < -GW_MEDIA_CLOCK_LIMIT_US)
        return true;
    if (clock->newest_us == GW_NO_TIME)
        return false;
    // A keyframe is shown after everything before it, whatever the reorder depth.
    return key ? pts_us <= clock->newest_us - clock->frame_us / 2
               : pts_us < clock->newest_us - GW_MEDIA_CLOCK_LIMIT_US;
}

// How many of the last pictures are shown after this one.
static int count_later(const struct gw_media_clock *clock, int64_t pts_us)
{
    int count = 0;
    for (int i = 0; i <= clock->reorder; i++)
        count += clock->waiting[i] > pts_us;
    return count;
}

// Before the first picture of a stream as many decoding times stand as its depth needs.
static void fill_waiting(struct gw_media_clock *clock, int64_t pts_us)
{
    for (int i = 0; i <= clock->reorder; i++)
        clock->waiting[i] = pts_us - (clock->reorder + 1 - i) * clock->frame_us;
}

// A picture that is shown after `reorder` others at most can be decoded at the smallest of the last
// reorder + 1 capture times: the rule by which players, too, make dts from pts.
static int64_t next_dts(struct gw_media_clock *clock, int64_t pts_us)
{
    int i = 0;
    for (; i < clock->reorder && clock->waiting[i + 1] < pts_us; i++)
        clock->waiting[i] = clock->waiting[i + 1];
    clock->waiting[i] = pts_us;
    return clock->waiting[0];
}

// The stream has B-frames that its parameter sets did not announce.
static void learn_reorder(struct gw_media_clock *clock, int64_t pts_us)
{
    int depth = count_later(clock, pts_us);
    if (pts_us >= clock->newest_us || depth > MAX_LEARNT_REORDER)
        return;
    clock->stale = true;
    if (depth > clock->wanted_reorder)
        clock->wanted_reorder = depth;
}

static struct gw_media_times give(struct gw_media_clock *clock, int64_t pts_us, bool new_stream)
{
    bool first = clock->last_dts == GW_NO_TIME;
    if (first)
        fill_waiting(clock, pts_us);
    else if (pts_us < clock->last_dts + MIN_STEP_US)
        pts_us = clock->last_dts + MIN_STEP_US;
    int64_t dts_us = next_dts(clock, pts_us);
    if (!first) {
        int64_t step_us = dts_us - clock->last_dts;
        if (step_us < MIN_STEP_US)
            dts_us = clock->last_dts + MIN_STEP_US;
        else if (step_us < GW_SECOND)
            clock->frame_us += (step_us - clock->frame_us) / 8;
    }
    assert(dts_us <= pts_us);
    clock->last_dts = dts_us;
    if (pts_us > clock->newest_us)
        clock->newest_us = pts_us;
    return (struct gw_media_times){pts_us, dts_us, new_stream};
}

static struct gw_media_times begin_anew(struct gw_media_clock *clock, int64_t wall_us,
                                        bool new_stream)
{
    anchor(clock, wall_us);
    gw_media_clock_begin_stream(clock, clock->wanted_reorder, 0);
    return give(clock, clock->media_us + clock->offset_us, new_stream);
}

struct gw_media_times gw_media_clock_stamp(struct gw_media_clock *clock, int64_t media_us,
                                           int64_t wall_us, bool key)
{
    int64_t last_us = clock->media_us;
    // Between its neighbours, so that it collides with neither.
    if (media_us == GW_NO_MEDIA_TIME)
        media_us = clock->anchored ? last_us + clock->frame_us / 2 : 0;
    clock->media_us = media_us;
    if (!clock->anchored)
        return begin_anew(clock, wall_us, key);

    int64_t pts_us = media_us + clock->offset_us;
    if (has_jumped(clock, pts_us, wall_us - pts_us, key)) {
        if (key || clock->newest_us == GW_NO_TIME)
            return begin_anew(clock, wall_us, key);
        bridge(clock);
    } else if (key && clock->stale) {
        return begin_anew(clock, wall_us, true);
    } else {
        slew(clock, media_us - last_us);
        observe(clock, wall_us - pts_us, wall_us);
    }
    pts_us = media_us + clock->offset_us;
    if (clock->last_dts != GW_NO_TIME && pts_us < clock->last_dts + MIN_STEP_US)
        learn_reorder(clock, pts_us);
    return give(clock, pts_us, false);
}

void gw_media_clock_report(struct gw_media_clock *c, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us)
{
}
int64_t gw_media_clock_offset(const struct gw_media_clock *clock)
{
    return GW_NO_TIME;
}

void gw_media_clock_report(struct gw_media_clock *clock, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us)
{
    const int64_t offset_us = camera_wall_us - wall_us;
    const bool far = clock->camera_offset_us == GW_NO_TIME ||
                     offset_us - clock->camera_offset_us > GW_MEDIA_CLOCK_LIMIT_US ||
                     clock->camera_offset_us - offset_us > GW_MEDIA_CLOCK_LIMIT_US;
    clock->camera_offset_us =
        far ? offset_us : clock->camera_offset_us + (offset_us - clock->camera_offset_us) / 4;
}

int64_t gw_media_clock_offset(const struct gw_media_clock *clock)
{
    return clock->camera_offset_us;
}
