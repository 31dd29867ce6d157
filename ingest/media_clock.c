// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/media_clock.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/clock.h"

#define USUAL_FRAME_US (GW_SECOND / 25)
#define MIN_STEP_US    INT64_C(1000)   // of pts and dts; coarse enough for every container
#define WINDOW_US      (5 * GW_SECOND) // longer than a network hiccup that is caught up with
#define STEEP_US       (GW_SECOND / 5) // a correction from here on is spread tenfold faster
#define STEP_US        (GW_SECOND / 2) // a change of the shift from here on waits for a new stream
#define LEAVE_US       (GW_MEDIA_CLOCK_LIMIT_US + GW_SECOND / 5) // a followed clock is left here
#define EVEN_US        (GW_SECOND / 10) // evened arrival is pulled no nearer to arrival than this
#define SILENCE_US     (60 * GW_SECOND) // without a report from here on its last word stands
#define LONG_FRAME_US  (5 * GW_SECOND)  // what is longer is an interruption and no picture

// A picture that steps back further than this many is a jump of the clock and no B-frame.
enum { MAX_LEARNT_REORDER = 4 };

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void gw_media_clock_init(struct gw_media_clock *clock)
{
    *clock = (struct gw_media_clock){.frame_us = USUAL_FRAME_US, .scale = 1};
    gw_media_rate_reset(&clock->rate);
    gw_media_sanity_init(&clock->sanity);
    gw_arrival_pace_init(&clock->pace);
    gw_camera_clock_init(&clock->camera);
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

void gw_media_clock_report(struct gw_media_clock *clock, int64_t media_us, int64_t camera_wall_us,
                           int64_t wall_us)
{
    gw_camera_clock_feed(&clock->camera, media_us, camera_wall_us, wall_us);
}

int64_t gw_media_clock_offset(const struct gw_media_clock *clock)
{
    return clock->camera.ahead.steady_us;
}

// --- capture by the camera's clock ---------------------------------------------------------------

// Reports speak of media time as the camera counts it: not of what is made of that here.
static bool is_untouched(const struct gw_media_clock *clock)
{
    return clock->scale == 1 && clock->sanity.usable;
}

static bool is_told(const struct gw_media_clock *clock, int64_t wall_us)
{
    return is_untouched(clock) && clock->camera.map.steady_us != GW_NO_TIME &&
           wall_us - clock->camera.told_us < SILENCE_US;
}

// Whether the camera's clock is followed, and by how much capture then is not arrival.
static void judge_camera_clock(struct gw_media_clock *clock, int64_t wall_us)
{
    if (!is_untouched(clock)) {
        clock->followed = false;
        clock->shift_us = 0;
    }
    if (!is_told(clock, wall_us))
        return; // and what is known stands
    bool before = clock->followed;
    int64_t shift_us = clock->camera.map.steady_us - clock->offset_us;
    int64_t limit_us = before ? LEAVE_US : GW_MEDIA_CLOCK_LIMIT_US;
    // Its clock is near ours, and what it says of media time fits what it says of now.
    int64_t ahead_us = clock->camera.ahead.steady_us;
    clock->followed = llabs(ahead_us) <= limit_us && llabs(shift_us - ahead_us) <= limit_us;
    clock->shift_us = clock->followed ? shift_us : 0;
    if (clock->camera.jumped && (before || clock->followed))
        clock->stale = true;
    clock->camera.jumped = false;
}

// How much of a correction is made while so much time passes.
static int64_t spread(int64_t correction_us, int64_t elapsed_us)
{
    int64_t most_us =
        clamp(elapsed_us, 0, GW_SECOND) / (llabs(correction_us) > STEEP_US ? 20 : 200);
    return clamp(correction_us, -most_us, most_us);
}

static void approach_capture(struct gw_media_clock *clock, int64_t elapsed_us)
{
    int64_t off_us = clock->offset_us + clock->shift_us - clock->capture_us;
    if (llabs(off_us) >= STEP_US)
        clock->stale = true;
    else
        clock->capture_us += spread(off_us, elapsed_us);
}

// --- the anchor ----------------------------------------------------------------------------------

static void anchor(struct gw_media_clock *clock, int64_t wall_us)
{
    clock->anchored = true;
    clock->offset_us = wall_us - clock->media_us;
    clock->slew_us = 0;
    clock->lowest_us = INT64_MAX;
    clock->window_us = wall_us;
    judge_camera_clock(clock, wall_us);
    clock->capture_us = clock->offset_us + clock->shift_us;
    clock->stale = false;
}

// The distance of two pictures where media time says nothing about it.
static int64_t arriving_frame(const struct gw_media_clock *clock)
{
    int64_t frame_us = gw_arrival_pace_frame_us(&clock->pace);
    return frame_us > 0 ? frame_us : clock->frame_us;
}

// Lets time run on evenly over a jump in the middle of a GOP.
static void bridge(struct gw_media_clock *clock)
{
    int64_t frame_us = arriving_frame(clock);
    int64_t step_us = clock->newest_us + frame_us - clock->media_us - clock->capture_us;
    clock->capture_us += step_us;
    clock->offset_us += step_us;
    clock->slew_us = 0;
    clock->lowest_us = INT64_MAX;
    clock->stale = true;
}

// Media time and arrival drifted apart. How fast they do that now is what counts.
static void note_misfit(struct gw_media_clock *clock)
{
    clock->stale = clock->misfit = true;
    gw_media_rate_hurry(&clock->rate);
}

// At the end of a window its most punctual packet says how far the anchor is off.
static void observe(struct gw_media_clock *clock, int64_t late_us, int64_t wall_us)
{
    clock->moving |= clock->slew_us != 0;
    if (late_us < clock->lowest_us)
        clock->lowest_us = late_us;
    if (wall_us >= clock->window_us && wall_us - clock->window_us < WINDOW_US)
        return;
    if (clock->lowest_us > GW_MEDIA_CLOCK_LIMIT_US)
        note_misfit(clock);
    else if (!clock->moving) // what is seen while the offset moves says little
        clock->slew_us = clock->lowest_us;
    clock->lowest_us = INT64_MAX;
    clock->window_us = wall_us;
    clock->moving = false;
}

// What is given follows the anchor, unless it follows the camera's clock.
static void slew(struct gw_media_clock *clock, int64_t elapsed_us, int64_t wall_us)
{
    int64_t step_us = spread(clock->slew_us, elapsed_us);
    clock->offset_us += step_us;
    clock->slew_us -= step_us;
    if (!clock->followed || !is_told(clock, wall_us))
        clock->capture_us += step_us;
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

// The stream has B-frames that its parameter sets did not announce. A picture of the same time as
// the newest is none.
static void learn_reorder(struct gw_media_clock *clock, int64_t pts_us)
{
    if (!clock->sanity.usable || clock->media_us >= clock->sanity.newest_us)
        return;
    int depth = count_later(clock, pts_us);
    if (pts_us >= clock->newest_us || depth > MAX_LEARNT_REORDER)
        return;
    clock->stale = true;
    if (depth > clock->wanted_reorder)
        clock->wanted_reorder = depth;
}

static void learn_frame(struct gw_media_clock *clock, int64_t step_us)
{
    if (clock->steps < 8)
        clock->steps++;
    clock->frame_us += (step_us - clock->frame_us) / clock->steps;
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
        else if (step_us > MIN_STEP_US && step_us < LONG_FRAME_US)
            learn_frame(clock, step_us);
    }
    assert(dts_us <= pts_us);
    clock->last_dts = dts_us;
    if (pts_us > clock->newest_us)
        clock->newest_us = pts_us;
    return (struct gw_media_times){pts_us, dts_us, new_stream, clock->frame_us};
}

// --- media time on our axis ----------------------------------------------------------------------

static void set_scale(struct gw_media_clock *clock, double scale)
{
    clock->axis_us = clock->media_us;
    clock->axis_raw_us = clock->raw_us;
    clock->scale = scale;
}

static int64_t on_axis(const struct gw_media_clock *clock, int64_t raw_us)
{
    if (clock->scale == 1)
        return raw_us + clock->axis_us - clock->axis_raw_us;
    return clock->axis_us + llround((double)(raw_us - clock->axis_raw_us) * clock->scale);
}

// A scale that is in use becomes more exact the longer the camera is seen.
static void refine_scale(struct gw_media_clock *clock)
{
    double better = gw_media_rate_refine(&clock->rate, clock->scale);
    set_scale(clock, clock->scale + (better - clock->scale) / 4);
}

// Looks at what the camera tells: whether it makes sense, and whether it runs as it should.
static void examine(struct gw_media_clock *clock, int64_t raw_us, int64_t wall_us, bool key)
{
    gw_media_sanity_feed(&clock->sanity, on_axis(clock, raw_us), wall_us);
    if (gw_media_rate_feed(&clock->rate, raw_us, wall_us, clock->scale)) {
        if (gw_media_rate_is_wrong(&clock->rate, clock->scale, &clock->wanted_scale))
            clock->stale = true;
        else if (clock->scale != 1 && clock->sanity.usable)
            refine_scale(clock);
    }
    if (!clock->sanity.usable && key &&
        gw_media_sanity_recover(&clock->sanity, clock->wanted_scale != 0))
        clock->stale = true;
}

// How far the next picture is from the last one, by arrival: evenly, but not away from it.
static int64_t even_step(const struct gw_media_clock *clock, int64_t wall_us)
{
    int64_t frame_us = arriving_frame(clock);
    int64_t late_us = wall_us - (clock->media_us + frame_us + clock->offset_us);
    int64_t pull_us = late_us - clamp(late_us, -EVEN_US, EVEN_US);
    return clamp(frame_us + pull_us / 8, frame_us / 4, 4 * frame_us);
}

// The packet's media time on our axis. Where the camera told none it is put between its neighbours,
// so that it collides with neither; where what it tells makes no sense it follows arrival evenly.
static int64_t axis_time(struct gw_media_clock *clock, int64_t raw_us, int64_t wall_us, bool key)
{
    if (raw_us == GW_NO_MEDIA_TIME)
        return clock->anchored ? clock->media_us + clock->frame_us / 2 : 0;
    examine(clock, raw_us, wall_us, key);
    clock->raw_us = raw_us;
    if (clock->sanity.usable)
        return on_axis(clock, raw_us);
    return clock->media_us + even_step(clock, wall_us);
}

static struct gw_media_times begin_anew(struct gw_media_clock *clock, int64_t wall_us,
                                        bool new_stream)
{
    if (clock->wanted_scale > 0 && new_stream) {
        set_scale(clock, clock->wanted_scale);
        gw_camera_clock_forget_map(&clock->camera);
        clock->wanted_scale = 0;
        clock->misfit = true;
    }
    if (clock->misfit && clock->sanity.usable)
        gw_media_sanity_anchored(&clock->sanity, wall_us);
    clock->misfit = false;
    anchor(clock, wall_us);
    gw_media_clock_begin_stream(clock, clock->wanted_reorder, 0);
    return give(clock, clock->media_us + clock->capture_us, new_stream);
}

struct gw_media_times gw_media_clock_stamp(struct gw_media_clock *clock, int64_t media_us,
                                           int64_t wall_us, bool key)
{
    int64_t last_us = clock->media_us;
    gw_arrival_pace_feed(&clock->pace, wall_us);
    clock->media_us = axis_time(clock, media_us, wall_us, key);
    if (!clock->anchored)
        return begin_anew(clock, wall_us, key);

    int64_t pts_us = clock->media_us + clock->capture_us;
    int64_t late_us = wall_us - clock->media_us - clock->offset_us;
    if (has_jumped(clock, pts_us, late_us, key)) {
        gw_camera_clock_forget_map(&clock->camera);
        // Media time that made no leap of its own runs ahead of arrival.
        if (late_us < 0 && !(clock->sanity.odd & 1))
            note_misfit(clock);
        if (key || clock->newest_us == GW_NO_TIME)
            return begin_anew(clock, wall_us, key);
        bridge(clock);
    } else if (key && clock->stale) {
        return begin_anew(clock, wall_us, true);
    } else {
        slew(clock, clock->media_us - last_us, wall_us);
        observe(clock, late_us, wall_us);
        judge_camera_clock(clock, wall_us);
        approach_capture(clock, clock->media_us - last_us);
    }
    pts_us = clock->media_us + clock->capture_us;
    if (clock->last_dts != GW_NO_TIME && pts_us < clock->last_dts + MIN_STEP_US)
        learn_reorder(clock, pts_us);
    return give(clock, pts_us, false);
}
