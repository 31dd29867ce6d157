// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/media_rate.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"

#define PAUSE_US     (2 * GW_SECOND)
#define LONGEST_US   (8 * GW_SECOND)
#define CERTAIN_US   1e6   // so much must a wrong rate have come to
#define STRAIGHTNESS 20    // and so many times the distance of the points from their line
#define LEAST_WRONG  0.01  // what is less is followed by moving the anchor
#define LEVEL_US     100e3 // points nearer to their line than this refine a rate that is in use
#define MOST_SCALE   100.0

enum { FEWEST_POINTS = 6 };

void gw_media_rate_reset(struct gw_media_rate *rate)
{
    *rate = (struct gw_media_rate){.length_us = GW_SECOND, .window_us = GW_NO_TIME};
}

static double lateness(struct gw_media_rate_point point, double scale)
{
    return (double)point.wall_us - (double)point.media_us * scale;
}

void gw_media_rate_hurry(struct gw_media_rate *rate)
{
    if (rate->length_us > GW_SECOND)
        gw_media_rate_reset(rate);
}

// Makes room: by longer windows, or where those are long enough without the oldest points.
static void make_room(struct gw_media_rate *rate)
{
    if (rate->length_us == LONGEST_US) {
        memmove(rate->points, rate->points + 1, sizeof(rate->points) - sizeof(rate->points[0]));
        rate->count--;
        return;
    }
    for (int i = 0; i < rate->count / 2; i++)
        rate->points[i] = rate->points[2 * i];
    rate->count /= 2;
    rate->length_us *= 2;
}

static void open_window(struct gw_media_rate *rate, struct gw_media_rate_point point)
{
    rate->window_us = point.wall_us;
    rate->early = point;
}

bool gw_media_rate_feed(struct gw_media_rate *rate, int64_t media_us, int64_t wall_us, double scale)
{
    struct gw_media_rate_point point = {media_us, wall_us};
    if (rate->window_us == GW_NO_TIME) {
        open_window(rate, point);
        rate->last = point;
        return false;
    }
    double step_us = (double)(media_us - rate->last.media_us) * scale;
    if (step_us <= 0 && step_us > -PAUSE_US) // a B-frame says nothing that others do not
        return false;
    int64_t elapsed_us = wall_us - rate->last.wall_us;
    if (elapsed_us < 0 || fabs(step_us - (double)elapsed_us) > PAUSE_US) {
        gw_media_rate_reset(rate);
        return gw_media_rate_feed(rate, media_us, wall_us, scale);
    }
    rate->last = point;
    if (wall_us - rate->window_us < rate->length_us) {
        if (lateness(point, scale) < lateness(rate->early, scale))
            rate->early = point;
        return false;
    }
    if (rate->count == GW_MEDIA_RATE_POINTS)
        make_room(rate);
    rate->points[rate->count++] = rate->early;
    open_window(rate, point);
    return true;
}

struct line {
    double drift_us; // how much lateness grew from the first to the last point
    double slope;    // arrival over media time
    double bend_us;  // the farthest point from the line between the two
};

static struct line draw_line(const struct gw_media_rate *rate, int from, double scale)
{
    struct gw_media_rate_point first = rate->points[from], last = rate->points[rate->count - 1];
    double span_us = (double)(last.wall_us - first.wall_us);
    struct line line = {.drift_us = lateness(last, scale) - lateness(first, scale)};
    line.slope = span_us / (double)(last.media_us - first.media_us);
    for (int i = from + 1; i < rate->count - 1; i++) {
        struct gw_media_rate_point point = rate->points[i];
        double share = (double)(point.wall_us - first.wall_us) / span_us;
        double off_us =
            fabs(lateness(point, scale) - lateness(first, scale) - share * line.drift_us);
        if (off_us > line.bend_us)
            line.bend_us = off_us;
    }
    return line;
}

// How crooked a line is that speaks for another scale; 1 when it speaks for none.
static double crookedness(const struct line *line, double scale)
{
    double drift_us = fabs(line->drift_us);
    bool possible = line->slope < MOST_SCALE && line->slope > 1 / MOST_SCALE;
    if (!possible || drift_us < CERTAIN_US || fabs(line->slope / scale - 1) <= LEAST_WRONG)
        return 1;
    return line->bend_us / drift_us;
}

bool gw_media_rate_is_wrong(const struct gw_media_rate *rate, double scale, double *ret_scale)
{
    double least = 1;
    for (int from = 0; rate->count - from >= FEWEST_POINTS; from++) {
        struct line line = draw_line(rate, from, scale);
        double crooked = crookedness(&line, scale);
        if (crooked * STRAIGHTNESS > 1 || crooked >= least)
            continue;
        least = crooked;
        *ret_scale = line.slope;
    }
    return least < 1;
}

double gw_media_rate_refine(const struct gw_media_rate *rate, double scale)
{
    if (rate->count < FEWEST_POINTS)
        return scale;
    struct line line = draw_line(rate, 0, scale);
    return line.bend_us < LEVEL_US ? line.slope : scale;
}
