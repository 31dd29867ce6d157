// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/coverage.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"

#define SHORTEST_STALL_US GW_SECOND
#define GUESSED_FRAME_US  (GW_SECOND / 25)
#define LONGEST_FRAME_US  (2 * GW_SECOND) // that a camera's word is taken for
#define LATE_US           (5 * GW_SECOND) // a first picture after this was waited for

// B-frames show a hole only when as many pictures have come as they are apart.
enum { PATIENCE = 17 };

void gw_coverage_init(struct gw_coverage *coverage, const char *camera, int64_t now_us,
                      void (*tell)(void *opaque, const struct gw_coverage_news *news), void *opaque)
{
    *coverage = (struct gw_coverage){
        .tried_us = now_us, .kept_us = GW_NO_TIME, .tell = tell, .opaque = opaque};
    snprintf(coverage->camera, sizeof(coverage->camera), "%s", camera);
}

static void tell(const struct gw_coverage *coverage, enum gw_coverage_change change,
                 enum gw_gap_cause cause, int64_t from_us, int64_t to_us)
{
    struct gw_coverage_news news = {
        .change = change, .cause = cause, .from_us = from_us, .to_us = to_us};
    memcpy(news.camera, coverage->camera, sizeof(news.camera));
    coverage->tell(coverage->opaque, &news);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// --- holes ---------------------------------------------------------------------------------------

static int64_t frame_length(const struct gw_coverage *coverage, const struct gw_packet *packet)
{
    if (coverage->frame_us)
        return coverage->frame_us;
    if (packet->av->duration > 0 && packet->av->duration <= LONGEST_FRAME_US)
        return packet->av->duration;
    return GUESSED_FRAME_US;
}

static void tell_hole(struct gw_coverage *coverage, enum gw_gap_cause cause, int64_t from_us,
                      int64_t to_us)
{
    if (!coverage->missing) {
        tell(coverage, GW_COVERAGE_HOLE, cause, from_us, to_us);
        return;
    }
    // It lies in what cannot be written, unless that is found to have ended before.
    if (coverage->hidden_count == GW_COVERAGE_HIDDEN)
        memmove(coverage->hidden, coverage->hidden + 1,
                (size_t)--coverage->hidden_count * sizeof(coverage->hidden[0]));
    coverage->hidden[coverage->hidden_count].from_us = from_us;
    coverage->hidden[coverage->hidden_count].to_us = to_us;
    coverage->hidden[coverage->hidden_count++].cause = cause;
}

// The cause of a hole before this picture, NONE when there is none.
static enum gw_gap_cause find_hole(struct gw_coverage *coverage, int64_t time_us, int64_t mono_us,
                                   bool reordered)
{
    const int64_t stall_us = later(SHORTEST_STALL_US, 3 * coverage->frame_us);
    const int64_t least_us = reordered ? coverage->frame_us / 2 : 0;
    enum gw_gap_cause cause = coverage->lost;

    if (coverage->lost && (time_us - coverage->mark_us > least_us || --coverage->patience <= 0))
        coverage->lost = GW_GAP_NONE;
    if (time_us <= coverage->mark_us + least_us)
        return GW_GAP_NONE;
    if (!cause && coverage->frame_us && time_us - coverage->time_us > stall_us &&
        mono_us - coverage->mono_us > stall_us)
        cause = GW_GAP_STALLED;
    return cause;
}

// One eighth of each distance, so that a camera that sends fewer pictures is soon understood.
static void learn(struct gw_coverage *coverage, int64_t step_us)
{
    if (step_us <= 0)
        return;
    if (coverage->frame_us && step_us > 8 * coverage->frame_us)
        step_us = 8 * coverage->frame_us;
    if (!coverage->frame_us)
        coverage->frame_us = step_us;
    else
        coverage->frame_us += (step_us - coverage->frame_us) / 8;
}

// --- pictures ------------------------------------------------------------------------------------

static void begin(struct gw_coverage *coverage, int64_t pts_us)
{
    const bool late =
        coverage->state == GW_COVERAGE_WAITING && pts_us - coverage->tried_us > LATE_US;

    if (coverage->missing)
        tell_hole(coverage, coverage->broke_cause, coverage->broke_us, pts_us);
    else
        tell(coverage, GW_COVERAGE_BEGAN, late ? GW_GAP_STALLED : GW_GAP_NONE, pts_us, pts_us);
    coverage->mark_us = coverage->top_us = pts_us;
    if (coverage->state == GW_COVERAGE_BROKEN)
        coverage->mark_us = coverage->top_us = later(pts_us, coverage->broke_us);
    coverage->state = GW_COVERAGE_COVERED;
    coverage->lost = GW_GAP_NONE;
}

void gw_coverage_picture(struct gw_coverage *coverage, const struct gw_packet *packet, bool fresh)
{
    const bool reordered = packet->stream && packet->stream->reorder > 0;
    const int64_t pts_us = packet->av->pts;
    // Decoding times are the capture times again, in order, some pictures late; of the first
    // pictures of a stream they are made up.
    const int64_t time_us = reordered && !fresh ? packet->av->dts : pts_us;

    if (coverage->state != GW_COVERAGE_COVERED) {
        begin(coverage, pts_us);
    } else {
        if (fresh)
            coverage->mark_us = later(coverage->mark_us, coverage->top_us);
        if (packet->lost) {
            coverage->lost = packet->lost;
            coverage->patience = reordered ? PATIENCE : 1;
        }
        enum gw_gap_cause cause = find_hole(coverage, time_us, packet->mono_us, reordered);
        if (cause)
            tell_hole(coverage, cause, coverage->mark_us, time_us);
        if (!fresh && (!cause || cause == GW_GAP_STALLED))
            learn(coverage, time_us - coverage->time_us);
    }
    const int64_t length_us = frame_length(coverage, packet);
    coverage->mark_us = later(coverage->mark_us, time_us + length_us);
    coverage->top_us = later(coverage->top_us, pts_us + length_us);
    coverage->time_us = time_us;
    coverage->mono_us = packet->mono_us;
}

void gw_coverage_cut(struct gw_coverage *coverage, int64_t end_us)
{
    if (coverage->state != GW_COVERAGE_COVERED)
        return;
    coverage->kept_us = later(coverage->kept_us, end_us);
    coverage->mark_us = coverage->top_us = coverage->kept_us;
}

void gw_coverage_break(struct gw_coverage *coverage, enum gw_gap_cause cause)
{
    if (coverage->state == GW_COVERAGE_BROKEN)
        return;
    const bool waiting = coverage->state == GW_COVERAGE_WAITING;
    coverage->state = GW_COVERAGE_BROKEN;
    coverage->broke_us = waiting ? coverage->tried_us : later(coverage->mark_us, coverage->top_us);
    coverage->broke_cause = cause;
    if (!coverage->missing)
        tell(coverage, GW_COVERAGE_BROKE, cause, coverage->broke_us, coverage->broke_us);
}

// --- what events ask for -------------------------------------------------------------------------

void gw_coverage_miss(struct gw_coverage *coverage, int64_t from_us, enum gw_gap_cause cause)
{
    if (coverage->missing || coverage->state == GW_COVERAGE_WAITING)
        return;
    if (coverage->state == GW_COVERAGE_COVERED)
        tell(coverage, GW_COVERAGE_BROKE, cause, from_us, from_us);
    else if (from_us < coverage->broke_us)
        tell(coverage, GW_COVERAGE_HOLE, cause, from_us, coverage->broke_us);
    coverage->missing = true;
    coverage->hidden_count = 0;
}

void gw_coverage_miss_over(struct gw_coverage *coverage, int64_t at_us)
{
    const bool broken = coverage->state == GW_COVERAGE_BROKEN;

    if (!coverage->missing)
        return;
    coverage->missing = false;
    if (broken && coverage->broke_us <= at_us)
        return; // the same gap goes on
    tell(coverage, GW_COVERAGE_BEGAN, GW_GAP_NONE, at_us, at_us);
    for (int i = 0; i < coverage->hidden_count; i++)
        if (coverage->hidden[i].to_us > at_us)
            tell(coverage, GW_COVERAGE_HOLE, coverage->hidden[i].cause, coverage->hidden[i].from_us,
                 coverage->hidden[i].to_us);
    if (broken)
        tell(coverage, GW_COVERAGE_BROKE, coverage->broke_cause, coverage->broke_us,
             coverage->broke_us);
}

// --- the end -------------------------------------------------------------------------------------

int64_t gw_coverage_until(const struct gw_coverage *coverage)
{
    if (coverage->state != GW_COVERAGE_COVERED || coverage->missing)
        return GW_NO_TIME;
    return later(coverage->mark_us, coverage->top_us);
}

void gw_coverage_end(struct gw_coverage *coverage)
{
    const int64_t until_us = gw_coverage_until(coverage);
    const int64_t from_us = until_us == GW_NO_TIME ? coverage->tried_us : until_us;

    tell(coverage, GW_COVERAGE_ENDED, GW_GAP_NONE, from_us, from_us);
    coverage->state = GW_COVERAGE_BROKEN;
}
