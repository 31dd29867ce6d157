// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/tracks.h"

#include <math.h>

#include "core/clock.h"

// A thing that was not seen for so long is another one when it comes back.
#define LOST_US (GW_SECOND / 2)
// It travels at the earliest when it was followed for so long.
#define FOLLOWED_US (GW_SECOND / 2)
// Where it was is remembered for one to two of these.
#define POINT_US GW_SECOND

// How far a thing lies from where it was, so that it travels: its own length, within these bounds
// (blocks). Less than the lower one is how a thing's middle trembles; a lorry need not go further
// than the upper one, a twentieth of a wide picture.
static const double least_blocks = 2.5, most_blocks = 4;
// And so much of the way that it went: a branch comes back.
static const double straightness = 0.6;
// The way is added up in steps of a block, for the middle of a thing trembles in every picture.
static const double step_blocks = 1;
// Between two pictures a thing goes at most this far, and its own length in so many seconds
// (motion.c, a car on a motorway).
static const double tremble_blocks = 1.5, length_s = 0.13;

void gw_tracks_init(struct gw_tracks *tracks)
{
    for (int i = 0; i < GW_TRACKS; i++)
        tracks->tracks[i].seen_us = GW_NO_TIME;
}

static double longer_side(const struct gw_thing *thing)
{
    return fmax(thing->right - thing->left, thing->bottom - thing->top) + 1;
}

// Whether the track may lead to a thing of this picture: it leads to no other yet, and is not lost.
static bool may_lead(const struct gw_track *track, int64_t wall_us)
{
    return track->seen_us != GW_NO_TIME && track->seen_us < wall_us &&
           wall_us - track->seen_us <= LOST_US;
}

static struct gw_track *find_track(struct gw_tracks *tracks, const struct gw_thing *thing,
                                   int64_t wall_us)
{
    struct gw_track *nearest = NULL;
    double least = INFINITY;

    for (int i = 0; i < GW_TRACKS; i++) {
        struct gw_track *track = &tracks->tracks[i];
        if (!may_lead(track, wall_us))
            continue;
        const double lengths = (double)(wall_us - track->seen_us) * 1e-6 / length_s;
        const double reach = tremble_blocks + longer_side(thing) * fmin(lengths, 1);
        const double distance = hypot(thing->x - track->x, thing->y - track->y);
        if (distance <= reach && distance < least) {
            nearest = track;
            least = distance;
        }
    }
    return nearest;
}

static void begin_track(struct gw_tracks *tracks, const struct gw_thing *thing, int64_t wall_us)
{
    const struct gw_track_point here = {wall_us, thing->x, thing->y, 0};
    struct gw_track *oldest = &tracks->tracks[0];

    for (int i = 1; i < GW_TRACKS && oldest->seen_us != GW_NO_TIME; i++)
        if (tracks->tracks[i].seen_us < oldest->seen_us)
            oldest = &tracks->tracks[i];
    *oldest = (struct gw_track){.first_us = wall_us,
                                .seen_us = wall_us,
                                .x = thing->x,
                                .y = thing->y,
                                .step_x = thing->x,
                                .step_y = thing->y,
                                .older = here,
                                .newer = here};
}

static void go_on(struct gw_track *track, const struct gw_thing *thing, int64_t wall_us)
{
    const double step = hypot(thing->x - track->step_x, thing->y - track->step_y);

    track->x = thing->x;
    track->y = thing->y;
    track->seen_us = wall_us;
    if (step >= step_blocks) {
        track->older.way += step;
        track->newer.way += step;
        track->step_x = track->x;
        track->step_y = track->y;
    }
    if (wall_us - track->newer.wall_us >= POINT_US) {
        track->older = track->newer;
        track->newer = (struct gw_track_point){wall_us, track->x, track->y, 0};
    }
}

bool gw_tracks_follow(struct gw_tracks *tracks, const struct gw_thing *thing, int64_t wall_us)
{
    struct gw_track *track = find_track(tracks, thing, wall_us);

    if (!track) {
        begin_track(tracks, thing, wall_us);
        return false;
    }
    go_on(track, thing, wall_us);
    const double away = hypot(track->x - track->older.x, track->y - track->older.y);
    const double enough = fmax(least_blocks, fmin(longer_side(thing), most_blocks));
    return wall_us - track->first_us >= FOLLOWED_US && away >= enough &&
           away >= straightness * track->older.way;
}
