// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/motion.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/background.h"
#include "analyze/loops.h"
#include "analyze/recent.h"
#include "analyze/things.h"
#include "analyze/tracks.h"
#include "analyze/zone_map.h"
#include "core/clock.h"

// Of a block's 16 pixels: left the background, and change now.
enum { MIN_FOREGROUND = 7, MIN_CHANGE = 3 };
// Blocks that touch each other before they are something, or a hint of it, at sensitivity 0.5.
enum { SOMETHING_BLOCKS = 8, HINT_BLOCKS = 3 };
// Pixels' worth of another structure in a thing, not only another brightness: so many per block of
// it, or of its outline (4 sqrt(n) blocks of a square of n), for what is large and plain, such as a
// lorry's side. What has edges nearly always has 3 to 16 per block; moving light and what is out of
// focus less than 1.
enum { MIN_TEXTURE = 2, MIN_OUTLINE_TEXTURE = 4 };
// Pixels per block of its outline that are not as they were a moment ago: what has fewer is at
// rest. What moves has 8 to 40 of them, what left a place that was hidden for long hardly any.
enum { MIN_OUTLINE_CHANGED = 1 };
// In pictures closer together than this, a thing is at least half where something moved before: a
// car on a motorway goes its own length in about 130 ms. Snow, rain and insects go further.
#define CLOSE_PICTURES_US (GW_SECOND * 12 / 100)
// Things are followed from picture to picture when these are no further apart.
#define FOLLOW_US (GW_SECOND / 4)
// More than this share of the picture at once, from less than that before, is the light.
static const double relit_share = 0.6, calm_share = 0.25;
// Auto exposure moves by less than this from picture to picture.
static const double relit_levels = 15;
// A camera that shook is expected to go on for about so long.
static const double shake_s = 1.0;
// While it moves by more than so many pixels, all that is in the picture seems to travel.
static const double shaking_pixels = 0.5;
// Exposure swings after the light was switched; nothing is believed meanwhile.
#define RELIT_PAUSE_US (GW_SECOND * 6 / 10)

struct gw_motion {
    int width, height; // of the picture
    int columns, rows; // of blocks
    const struct gw_loops *loops;
    struct gw_background *background;
    uint8_t *foreground, *change; // per column of a row of blocks: pixels that are; padded with 0
    struct gw_zone_map zones;
    struct gw_things things;
    struct gw_recent recent;
    struct gw_tracks tracks;
    int64_t last_us; // GW_NO_TIME before the first picture
    int64_t believe_from_us;
    double shake_pixels; // by how much the camera moved lately
    double last_share;   // of the picture that was foreground
    bool resumed;        // the next picture comes after a long time
};

int gw_motion_create(struct gw_motion **ret, int width, int height, const struct gw_zones *zones)
{
    struct gw_motion *motion = calloc(1, sizeof(*motion));

    if (!motion)
        return -ENOMEM;
    motion->width = width;
    motion->height = height;
    motion->columns = (width + GW_BLOCK - 1) / GW_BLOCK;
    motion->rows = (height + GW_BLOCK - 1) / GW_BLOCK;
    motion->last_us = motion->believe_from_us = GW_NO_TIME;
    motion->loops = gw_loops_best();
    gw_tracks_init(&motion->tracks);
    motion->foreground = calloc((size_t)motion->columns, GW_BLOCK);
    motion->change = calloc((size_t)motion->columns, GW_BLOCK);
    if (!motion->foreground || !motion->change ||
        gw_things_create(&motion->things, motion->columns, motion->rows) < 0 ||
        gw_recent_create(&motion->recent, width, height) < 0 ||
        gw_zone_map_create(&motion->zones, width, height, zones) < 0 ||
        gw_background_create(&motion->background, width, height) < 0) {
        gw_motion_destroy(&motion);
        return -ENOMEM;
    }
    *ret = motion;
    return 0;
}

void gw_motion_destroy(struct gw_motion **motion)
{
    if (!*motion)
        return;
    gw_background_destroy(&(*motion)->background);
    free((*motion)->foreground);
    free((*motion)->change);
    gw_zone_map_destroy(&(*motion)->zones);
    gw_things_destroy(&(*motion)->things);
    gw_recent_destroy(&(*motion)->recent);
    free(*motion);
    *motion = NULL;
}

// How many pixels of a block are set, from the counts of its columns.
static int block_sum(const uint8_t *columns)
{
    uint32_t four;

    memcpy(&four, columns, sizeof(four));
    return (int)(four * UINT32_C(0x01010101) >> 24); // the sum of its bytes
}

static void count_change(struct gw_motion *motion, int y, int rows)
{
    motion->loops->count(motion->width, rows, gw_background_change(motion->background, y, rows),
                         motion->change);
}

static struct gw_block describe_block(const struct gw_texture *texture, const uint8_t *before,
                                      int x, int y)
{
    return (struct gw_block){
        .texture = (uint8_t)gw_texture_count(texture, x, y, x + GW_BLOCK, y + GW_BLOCK),
        .changed = (uint8_t)gw_recent_count(texture, before, x, y, x + GW_BLOCK, y + GW_BLOCK),
    };
}

// Marks the blocks of one row that move. Returns how many pixels left the background.
static int mark_row(struct gw_motion *motion, const struct gw_difference *difference,
                    const uint8_t *before, int row)
{
    const int y = row * GW_BLOCK,
              rows = motion->height - y < GW_BLOCK ? motion->height - y : GW_BLOCK;
    const size_t at = (size_t)(y * motion->width);
    bool change_is_known = false;
    int sum = 0;

    motion->loops->count(motion->width, rows, difference->foreground + at, motion->foreground);
    for (int column = 0; column < motion->columns; column++) {
        const int x = column * GW_BLOCK, foreground = block_sum(motion->foreground + x);
        sum += foreground;
        if (foreground < MIN_FOREGROUND)
            continue;
        if (!change_is_known)
            count_change(motion, y, rows);
        change_is_known = true;
        if (block_sum(motion->change + x) >= MIN_CHANGE)
            gw_things_mark(&motion->things, row * motion->columns + column,
                           describe_block(&difference->texture, before, x, y));
    }
    return sum;
}

// Marks the blocks that move; before is the picture of a moment ago, or NULL. Returns the share of
// the picture that left the background.
static double mark_blocks(struct gw_motion *motion, const struct gw_difference *difference,
                          const uint8_t *before)
{
    int foreground = 0;

    gw_things_begin(&motion->things);
    for (int row = 0; row < motion->rows; row++)
        foreground += mark_row(motion, difference, before, row);
    return (double)foreground / (motion->width * motion->height);
}

static struct gw_box thing_box(const struct gw_motion *motion, const struct gw_thing *thing)
{
    const double left = (double)thing->left * GW_BLOCK / motion->width;
    const double top = (double)thing->top * GW_BLOCK / motion->height;
    const double right = fmin(1, (thing->right + 1.0) * GW_BLOCK / motion->width);
    const double bottom = fmin(1, (thing->bottom + 1.0) * GW_BLOCK / motion->height);

    return (struct gw_box){left, top, right - left, bottom - top};
}

// Whether it is a thing that moves, rather than light, rain, snow or what came to rest.
static bool is_moving_thing(const struct gw_thing *thing, int64_t elapsed_us)
{
    const double outline = 4 * sqrt(thing->count);

    if (thing->texture < fmin(MIN_TEXTURE * thing->count, MIN_OUTLINE_TEXTURE * outline))
        return false;
    if (thing->changed < MIN_OUTLINE_CHANGED * outline)
        return false;
    return elapsed_us > CLOSE_PICTURES_US || 2 * thing->known >= thing->count;
}

static void join_box(struct gw_box *box, const struct gw_box *other)
{
    const double right = fmax(box->x + box->w, other->x + other->w);
    const double bottom = fmax(box->y + box->h, other->y + other->h);

    if (box->w > 0) {
        box->x = fmin(box->x, other->x);
        box->y = fmin(box->y, other->y);
        box->w = right - box->x;
        box->h = bottom - box->y;
    } else {
        *box = *other;
    }
}

// Whether the thing goes somewhere. Of what is large that is believed where it cannot be told:
// while the camera shakes, and from pictures far apart.
static bool goes_somewhere(struct gw_motion *motion, const struct gw_thing *thing, bool large,
                           int64_t elapsed_us)
{
    if (elapsed_us > FOLLOW_US)
        return large;
    const bool travels = gw_tracks_follow(&motion->tracks, thing, motion->last_us + elapsed_us);
    return motion->shake_pixels >= shaking_pixels ? large : travels;
}

// A displacement is not undone exactly (the camera also turns, and blurs), so while it shakes
// things must be larger by as many times as it moved by pixels.
static struct gw_motion_result find_things(struct gw_motion *motion, int64_t elapsed_us)
{
    const double one_block = GW_ZONE_BLOCK_WEIGHT * (1 + motion->shake_pixels);
    struct gw_motion_result result = {0};
    struct gw_thing thing;

    while (gw_things_next(&motion->things, &thing)) {
        const struct gw_box box = thing_box(motion, &thing);
        uint32_t zones = 0;
        const int weight = gw_zone_map_weigh(&motion->zones, &thing, &box, &zones);
        if (weight < one_block * HINT_BLOCKS || !is_moving_thing(&thing, elapsed_us))
            continue;
        const bool large = weight >= one_block * SOMETHING_BLOCKS;
        const bool travels = goes_somewhere(motion, &thing, large, elapsed_us);
        result.hint = true;
        result.travels |= travels;
        result.something |= large || travels;
        result.area += (double)thing.count / (motion->columns * motion->rows);
        result.zones |= zones;
        join_box(&result.box, &box);
    }
    return result;
}

// A picture whose displacement could not be found, because it is blurred, is as suspicious as those
// around it.
static void follow_shake(struct gw_motion *motion, double shake_pixels, int64_t elapsed_us)
{
    motion->shake_pixels *= exp(-fmax(0, (double)elapsed_us * 1e-6) / shake_s);
    motion->shake_pixels = fmax(motion->shake_pixels, shake_pixels);
}

// A light switch, not a thing: nearly everything leaves the background from one picture to the
// next.
static bool was_relit(struct gw_motion *motion, double share, double exposure_levels)
{
    const bool relit =
        (share > relit_share && motion->last_share < calm_share) || exposure_levels > relit_levels;

    motion->last_share = share;
    return relit;
}

struct gw_motion_result gw_motion_feed(struct gw_motion *motion, uint8_t *pixels, int64_t wall_us)
{
    struct gw_motion_result result = {0};

    gw_zone_map_hide(&motion->zones, pixels);
    if (motion->last_us == GW_NO_TIME) {
        gw_background_restart(motion->background, pixels);
        motion->last_us = wall_us;
        return result;
    }
    const struct gw_difference difference = gw_background_compare(motion->background, pixels);
    if (motion->resumed)
        gw_background_forget_change(motion->background);
    motion->resumed = false;
    follow_shake(motion, difference.shake_pixels, wall_us - motion->last_us);
    const double share = mark_blocks(motion, &difference, gw_recent_find(&motion->recent, wall_us));
    if (was_relit(motion, share, difference.exposure_levels)) {
        gw_background_restart(motion->background, pixels);
        motion->believe_from_us = wall_us + RELIT_PAUSE_US;
        motion->last_share = 0;
        result.relit = true;
    } else if (wall_us >= motion->believe_from_us) {
        result = find_things(motion, wall_us - motion->last_us);
    }
    gw_recent_add(&motion->recent, difference.texture.pixels, wall_us);
    gw_background_learn(motion->background, wall_us - motion->last_us);
    motion->last_us = wall_us;
    return result;
}

struct gw_motion_result gw_motion_peek(struct gw_motion *motion, uint8_t *pixels)
{
    const double shake_pixels = motion->shake_pixels, last_share = motion->last_share;
    struct gw_motion_result result = {0};

    gw_zone_map_hide(&motion->zones, pixels);
    if (motion->last_us == GW_NO_TIME)
        return result;
    const struct gw_difference difference = gw_background_compare(motion->background, pixels);
    follow_shake(motion, difference.shake_pixels, 0);
    const double share = mark_blocks(motion, &difference, NULL);
    if (was_relit(motion, share, difference.exposure_levels))
        result.relit = true;
    else
        result = find_things(motion, GW_SECOND); // nobody knows what lay between
    motion->shake_pixels = shake_pixels;
    motion->last_share = last_share;
    return result;
}

void gw_motion_resume(struct gw_motion *motion)
{
    motion->resumed = true;
}

double gw_motion_shake(const struct gw_motion *motion)
{
    return motion->shake_pixels;
}

double gw_motion_sharpness(const struct gw_motion *motion, const uint8_t *pixels,
                           const struct gw_box *box)
{
    const int left = (int)(box->x * motion->width), top = (int)(box->y * motion->height);
    const int right = (int)((box->x + box->w) * motion->width) - 1;
    const int bottom = (int)((box->y + box->h) * motion->height) - 1;
    int64_t sum = 0;

    if (right <= left || bottom <= top)
        return 0;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            const uint8_t *pixel = pixels + y * motion->width + x;
            sum += abs(pixel[1] - pixel[0]) + abs(pixel[motion->width] - pixel[0]);
        }
    return (double)sum / ((right - left) * (bottom - top));
}
