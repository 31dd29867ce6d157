// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/motion.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/background.h"
#include "core/clock.h"

// Small enough for a person at the far end of a yard, large enough that noise does not fill one.
enum { BLOCK = 4 };
// Of a block's 16 pixels: left the background, and change now.
enum { MIN_FOREGROUND = 7, MIN_CHANGE = 3 };
// Blocks that touch each other before they are something, or a hint of it, at sensitivity 0.5.
enum { SOMETHING_BLOCKS = 8, HINT_BLOCKS = 3 };
// More than this share of the picture at once, from less than that before, is the light.
static const double relit_share = 0.6, calm_share = 0.25;
// Auto exposure moves by less than this from picture to picture.
static const double relit_levels = 15;
// A camera that shook is expected to go on for about so long.
static const double shake_s = 1.0;
// Exposure swings after the light was switched; nothing is believed meanwhile.
#define RELIT_PAUSE_US (GW_SECOND * 6 / 10)
// Grey of what is masked.
enum { MASK_LEVEL = 128 };

struct gw_motion {
    int width, height; // of the picture
    int columns, rows; // of blocks
    struct gw_background *background;
    uint8_t *mask;       // per pixel: 1 = never looked at; NULL without masks
    uint32_t *zone_bits; // per block; NULL without zones
    uint8_t *weight;     // per block: 16 = counts as one block, 0 = not in any zone
    uint8_t *state;      // per block: BLOCK_QUIET, …
    int *stack;          // for the search of touching blocks
    int64_t last_us;     // GW_NO_TIME before the first picture
    int64_t believe_from_us;
    double shake_pixels; // by how much the camera moved lately
    double last_share;   // of the picture that was foreground
    bool resumed;        // the next picture comes after a long time
};

enum { BLOCK_QUIET, BLOCK_MOVES, BLOCK_COUNTED };

// Where a block's middle lies in the picture.
static double block_x(const struct gw_motion *motion, int column)
{
    return fmin(1, (column + 0.5) * BLOCK / motion->width);
}

static double block_y(const struct gw_motion *motion, int row)
{
    return fmin(1, (row + 0.5) * BLOCK / motion->height);
}

static void draw_mask(struct gw_motion *motion, const struct gw_zones *zones)
{
    for (int y = 0; y < motion->height; y++)
        for (int x = 0; x < motion->width; x++)
            motion->mask[y * motion->width + x] =
                gw_zones_masked(zones, (x + 0.5) / motion->width, (y + 0.5) / motion->height);
}

// How much a block counts for: four times at sensitivity 1, a quarter at 0.
static uint8_t sensitivity_weight(double sensitivity)
{
    return (uint8_t)lround(16 * pow(4, 2 * sensitivity - 1));
}

static void draw_zones(struct gw_motion *motion, const struct gw_zones *zones)
{
    for (int i = 0; i < motion->columns * motion->rows; i++) {
        const double x = block_x(motion, i % motion->columns);
        const double y = block_y(motion, i / motion->columns);
        motion->weight[i] = 0;
        for (int z = 0; z < zones->zone_count; z++) {
            if (!gw_polygon_contains(&zones->zones[z].polygon, x, y))
                continue;
            const uint8_t weight = sensitivity_weight(zones->zones[z].sensitivity);
            motion->zone_bits[i] |= UINT32_C(1) << z;
            if (motion->weight[i] < weight)
                motion->weight[i] = weight;
        }
    }
}

static int set_zones(struct gw_motion *motion, const struct gw_zones *zones)
{
    memset(motion->weight, 16, (size_t)(motion->columns * motion->rows));
    if (!zones)
        return 0;
    if (zones->mask_count > 0) {
        motion->mask = malloc((size_t)(motion->width * motion->height));
        if (!motion->mask)
            return -ENOMEM;
        draw_mask(motion, zones);
    }
    if (zones->zone_count > 0)
        draw_zones(motion, zones);
    return 0;
}

int gw_motion_create(struct gw_motion **ret, int width, int height, const struct gw_zones *zones)
{
    struct gw_motion *motion = calloc(1, sizeof(*motion));

    if (!motion)
        return -ENOMEM;
    motion->width = width;
    motion->height = height;
    motion->columns = (width + BLOCK - 1) / BLOCK;
    motion->rows = (height + BLOCK - 1) / BLOCK;
    motion->last_us = motion->believe_from_us = GW_NO_TIME;
    const size_t blocks = (size_t)(motion->columns * motion->rows);
    motion->state = malloc(blocks);
    motion->weight = malloc(blocks);
    motion->zone_bits = calloc(blocks, sizeof(*motion->zone_bits));
    motion->stack = malloc(blocks * sizeof(*motion->stack));
    if (!motion->state || !motion->weight || !motion->zone_bits || !motion->stack ||
        set_zones(motion, zones) < 0 ||
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
    free((*motion)->mask);
    free((*motion)->zone_bits);
    free((*motion)->weight);
    free((*motion)->state);
    free((*motion)->stack);
    free(*motion);
    *motion = NULL;
}

static void hide_masked(const struct gw_motion *motion, uint8_t *pixels)
{
    if (!motion->mask)
        return;
    for (int i = 0; i < motion->width * motion->height; i++)
        if (motion->mask[i])
            pixels[i] = MASK_LEVEL;
}

struct block_count {
    int foreground, change;
};

static struct block_count count_block(const struct gw_motion *motion,
                                      const struct gw_difference *difference, int column, int row)
{
    const int x1 = column * BLOCK + BLOCK < motion->width ? column * BLOCK + BLOCK : motion->width;
    const int y1 = row * BLOCK + BLOCK < motion->height ? row * BLOCK + BLOCK : motion->height;
    struct block_count count = {0};

    for (int y = row * BLOCK; y < y1; y++)
        for (int x = column * BLOCK; x < x1; x++) {
            count.foreground += difference->foreground[y * motion->width + x] != 0;
            count.change += difference->change[y * motion->width + x] != 0;
        }
    return count;
}

// Marks the blocks that move. Returns the share of the picture that left the background.
static double mark_blocks(struct gw_motion *motion, const struct gw_difference *difference)
{
    int foreground = 0;

    for (int i = 0; i < motion->columns * motion->rows; i++) {
        const struct block_count count =
            count_block(motion, difference, i % motion->columns, i / motion->columns);
        motion->state[i] = count.foreground >= MIN_FOREGROUND && count.change >= MIN_CHANGE
                               ? BLOCK_MOVES
                               : BLOCK_QUIET;
        foreground += count.foreground;
    }
    return (double)foreground / (motion->width * motion->height);
}

// One thing: blocks that touch, also at corners.
struct thing {
    int blocks;
    int weight;                   // 16 per block at sensitivity 0.5
    int left, top, right, bottom; // blocks, inclusive
    uint32_t zones;
};

static void add_block(const struct gw_motion *motion, struct thing *thing, int block)
{
    const int column = block % motion->columns, row = block / motion->columns;

    thing->blocks++;
    thing->weight += motion->weight[block];
    thing->zones |= motion->zone_bits[block];
    thing->left = column < thing->left ? column : thing->left;
    thing->right = column > thing->right ? column : thing->right;
    thing->top = row < thing->top ? row : thing->top;
    thing->bottom = row > thing->bottom ? row : thing->bottom;
}

static int push_neighbours(struct gw_motion *motion, int block, int depth)
{
    const int column = block % motion->columns, row = block / motion->columns;

    for (int y = row - 1; y <= row + 1; y++)
        for (int x = column - 1; x <= column + 1; x++) {
            if (x < 0 || y < 0 || x >= motion->columns || y >= motion->rows)
                continue;
            const int neighbour = y * motion->columns + x;
            if (motion->state[neighbour] != BLOCK_MOVES)
                continue;
            motion->state[neighbour] = BLOCK_COUNTED;
            motion->stack[depth++] = neighbour;
        }
    return depth;
}

static struct thing grow(struct gw_motion *motion, int first)
{
    struct thing thing = {.left = motion->columns, .top = motion->rows, .right = -1, .bottom = -1};
    int depth = 1;

    motion->state[first] = BLOCK_COUNTED;
    motion->stack[0] = first;
    while (depth > 0) {
        const int block = motion->stack[--depth];
        add_block(motion, &thing, block);
        depth = push_neighbours(motion, block, depth);
    }
    return thing;
}

static struct gw_box thing_box(const struct gw_motion *motion, const struct thing *thing)
{
    const double left = (double)thing->left * BLOCK / motion->width;
    const double top = (double)thing->top * BLOCK / motion->height;
    const double right = fmin(1, (thing->right + 1.0) * BLOCK / motion->width);
    const double bottom = fmin(1, (thing->bottom + 1.0) * BLOCK / motion->height);

    return (struct gw_box){left, top, right - left, bottom - top};
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

// A displacement is not undone exactly (the camera also turns, and blurs), so while it shakes
// things must be larger by as many times as it moved by pixels.
static struct gw_motion_result find_things(struct gw_motion *motion)
{
    const double one_block = 16 * (1 + motion->shake_pixels);
    struct gw_motion_result result = {0};

    for (int i = 0; i < motion->columns * motion->rows; i++) {
        if (motion->state[i] != BLOCK_MOVES)
            continue;
        const struct thing thing = grow(motion, i);
        if (thing.weight < one_block * HINT_BLOCKS)
            continue;
        const struct gw_box box = thing_box(motion, &thing);
        result.hint = true;
        result.something |= thing.weight >= one_block * SOMETHING_BLOCKS;
        result.area += (double)thing.blocks / (motion->columns * motion->rows);
        result.zones |= thing.zones;
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

    hide_masked(motion, pixels);
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
    if (was_relit(motion, mark_blocks(motion, &difference), difference.exposure_levels)) {
        gw_background_restart(motion->background, pixels);
        motion->believe_from_us = wall_us + RELIT_PAUSE_US;
        motion->last_share = 0;
        result.relit = true;
    } else if (wall_us >= motion->believe_from_us) {
        result = find_things(motion);
    }
    gw_background_learn(motion->background, wall_us - motion->last_us);
    motion->last_us = wall_us;
    return result;
}

struct gw_motion_result gw_motion_peek(struct gw_motion *motion, uint8_t *pixels)
{
    const double shake_pixels = motion->shake_pixels, last_share = motion->last_share;
    struct gw_motion_result result = {0};

    hide_masked(motion, pixels);
    if (motion->last_us == GW_NO_TIME)
        return result;
    const struct gw_difference difference = gw_background_compare(motion->background, pixels);
    follow_shake(motion, difference.shake_pixels, 0);
    const double share = mark_blocks(motion, &difference);
    if (was_relit(motion, share, difference.exposure_levels))
        result.relit = true;
    else
        result = find_things(motion);
    motion->shake_pixels = shake_pixels;
    motion->last_share = last_share;
    return result;
}

void gw_motion_resume(struct gw_motion *motion)
{
    motion->resumed = true;
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
