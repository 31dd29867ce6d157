// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_scene.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 4 };
// Cells are kept in 1/16 level: the sum of a cell's pixels.
enum { ONE_LEVEL = CELL * CELL, ONE_RISE = ONE_LEVEL / 2 };
// A step between pixels counts for at most this, so that four rows of squares fit 16 bits.
enum { MOST_STEP = 63 };
// A region with fewer cells says nothing.
enum { LEAST_CELLS = 8 };
// Root mean square difference from the picture before, in grey levels, that is not noise or light
// that comes slowly.
enum { JUMP = 10 };
// Grey levels from which a cell is near white; video white is 235.
enum { NEAR_WHITE = 225 };
// Smoothing of the cells takes out what passes and most of the noise.
static const double smooth_s = 1.0;
// What changes the whole picture for less than this is taken for light or a passing crowd.
static const double noise_s = 20;

// --- regions -------------------------------------------------------------------------------------

static bool cell_is_masked(const struct gw_scene *scene, const uint8_t *mask, int column, int row)
{
    for (int y = row * CELL; y < (row + 1) * CELL; y++)
        for (int x = column * CELL; x < (column + 1) * CELL; x++)
            if (mask[y * scene->width + x])
                return true;
    return false;
}

// Steps reach into the neighbours, so a cell counts when it and they are seen.
static bool cell_counts(const struct gw_scene *scene, const uint8_t *mask, int column, int row)
{
    if (column < 1 || row < 1 || column > scene->columns - 2 || row > scene->rows - 2)
        return false;
    if (!mask)
        return true;
    return !cell_is_masked(scene, mask, column, row) &&
           !cell_is_masked(scene, mask, column - 1, row) &&
           !cell_is_masked(scene, mask, column + 1, row) &&
           !cell_is_masked(scene, mask, column, row - 1) &&
           !cell_is_masked(scene, mask, column, row + 1);
}

static int region_of(const struct gw_scene *scene, int column, int row)
{
    return row * GW_SCENE_ROWS / scene->rows * GW_SCENE_COLUMNS +
           column * GW_SCENE_COLUMNS / scene->columns;
}

// Adds a cell to the run that ends beside it, or begins one.
static void add_cell(struct gw_scene *scene, int cell, int region, bool begins_row)
{
    struct gw_scene_run *run = scene->runs + scene->run_count - 1;

    if (scene->run_count > 0 && !begins_row && run->region == region &&
        run->first + run->count == cell)
        run->count++;
    else
        scene->runs[scene->run_count++] = (struct gw_scene_run){cell, 1, region};
}

static void draw_regions(struct gw_scene *scene, const uint8_t *mask)
{
    int cells[GW_SCENE_REGIONS] = {0};

    for (int row = 0; row < scene->rows; row++)
        for (int column = 0; column < scene->columns; column++) {
            const int region = region_of(scene, column, row);
            if (!cell_counts(scene, mask, column, row))
                continue;
            add_cell(scene, row * scene->columns + column, region, column == 0);
            cells[region]++;
        }
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        const int row = i / GW_SCENE_COLUMNS;
        scene->inner[i] = row > 0 && row < GW_SCENE_ROWS - 1;
        scene->used[i] = cells[i] >= LEAST_CELLS;
        scene->region_count += scene->used[i];
    }
}

int gw_scene_init(struct gw_scene *scene, int width, int height, const uint8_t *mask)
{
    *scene = (struct gw_scene){
        .width = width, .height = height, .columns = width / CELL, .rows = height / CELL};
    const size_t cells = (size_t)(scene->columns * scene->rows);
    scene->runs = calloc(cells, sizeof(*scene->runs));
    scene->level = calloc(cells, sizeof(*scene->level));
    scene->last = calloc((size_t)width, (size_t)height);
    scene->sums = calloc((size_t)width * 4, sizeof(*scene->sums));
    if (!scene->runs || !scene->level || !scene->last || !scene->sums) {
        gw_scene_finish(scene);
        return -ENOMEM;
    }
    draw_regions(scene, mask);
    struct gw_scene_run *fitting = // never nothing: NULL would mean that it failed
        realloc(scene->runs, (size_t)(scene->run_count + 1) * sizeof(*scene->runs));
    if (fitting)
        scene->runs = fitting;
    return 0;
}

void gw_scene_finish(struct gw_scene *scene)
{
    free(scene->runs);
    free(scene->level);
    free(scene->last);
    free(scene->sums);
    *scene = (struct gw_scene){0};
}

// --- one picture ---------------------------------------------------------------------------------

// In eight bits throughout, for sixteen of them in a vector register.
static inline uint8_t step(uint8_t a, uint8_t b)
{
    const uint8_t more = a > b ? a : b, less = a > b ? b : a;
    const uint8_t size = (uint8_t)(more - less);
    return size < MOST_STEP ? size : MOST_STEP;
}

// Adds one row of pixels: their levels, squares of steps to the right and down, squares of the
// differences from the picture before, and how many differ at all. Plain loops on 16 bits, which
// the compiler turns into vector instructions.
static void add_row(int width, const uint8_t *restrict pixels, const uint8_t *restrict below,
                    const uint8_t *restrict last, uint16_t *restrict level,
                    uint16_t *restrict steps, uint16_t *restrict change, uint16_t *restrict differ)
{
    for (int x = 0; x < width - 1; x++) {
        const uint16_t right = step(pixels[x], pixels[x + 1]);
        const uint16_t down = step(pixels[x], below[x]);
        const uint16_t before = step(pixels[x], last[x]);
        level[x] = (uint16_t)(level[x] + pixels[x]);
        steps[x] = (uint16_t)(steps[x] + right * right + down * down);
        change[x] = (uint16_t)(change[x] + before * before);
        differ[x] = (uint16_t)(differ[x] + (before != 0));
    }
    // The last column has no neighbour; its cell never counts, only its level is used.
    level[width - 1] = (uint16_t)(level[width - 1] + pixels[width - 1]);
}

struct totals {
    int64_t steps[GW_SCENE_REGIONS], change[GW_SCENE_REGIONS], differ[GW_SCENE_REGIONS];
    int cells[GW_SCENE_REGIONS];
};

static int sum_cell(const uint16_t *row, int column)
{
    const uint16_t *at = row + column * CELL;
    return at[0] + at[1] + at[2] + at[3];
}

// Sums one row of cells, from its first run on. Returns the run that begins the next row.
static int measure_row(struct gw_scene *scene, const uint8_t *pixels, int row, int run, int share,
                       struct totals *totals)
{
    const int w = scene->width, begin = row * scene->columns, end = begin + scene->columns;
    uint16_t *level = scene->sums, *steps = level + w, *change = steps + w, *differ = change + w;

    memset(scene->sums, 0, (size_t)w * 4 * sizeof(*scene->sums));
    for (int y = row * CELL; y < (row + 1) * CELL; y++)
        add_row(w, pixels + y * w, pixels + (y + 1 < scene->height ? y + 1 : y) * w,
                scene->last + y * w, level, steps, change, differ);
    for (int column = 0; column < scene->columns; column++) {
        int16_t *smooth = &scene->level[begin + column];
        *smooth = (int16_t)(*smooth + (((sum_cell(level, column) - *smooth) * share) >> 12));
    }
    for (; run < scene->run_count && scene->runs[run].first < end; run++) {
        const struct gw_scene_run *at = &scene->runs[run];
        const int x0 = (at->first - begin) * CELL, x1 = x0 + at->count * CELL;
        int step_sum = 0, change_sum = 0, differ_sum = 0;
        for (int x = x0; x < x1; x++) {
            step_sum += steps[x];
            change_sum += change[x];
            differ_sum += differ[x];
        }
        totals->steps[at->region] += step_sum;
        totals->change[at->region] += change_sum;
        totals->differ[at->region] += differ_sum;
        totals->cells[at->region] += at->count;
    }
    return run;
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Mean square of the difference between two pictures of the same thing: that of the quietest
// quarter of the regions.
static float quiet_change(const struct gw_scene *scene, const struct totals *totals)
{
    float sorted[GW_SCENE_REGIONS];
    int count = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (scene->used[i])
            sorted[count++] = (float)totals->change[i] / (float)(totals->cells[i] * ONE_LEVEL);
    if (!count)
        return 0;
    qsort(sorted, (size_t)count, sizeof(*sorted), compare_floats);
    return sorted[count / 4];
}

// Noise is what remains when nothing else changes the picture, so it sinks at once and rises
// slowly.
static void follow_noise(struct gw_scene *scene, float change, double elapsed_s)
{
    if (scene->pictures < 2 || change < scene->noise)
        scene->noise = change;
    else
        scene->noise += (change - scene->noise) * (float)(1 - exp(-elapsed_s / noise_s));
}

static int percentile(const int *histogram, int total, double share)
{
    int level = 0;

    for (int sum = histogram[0]; sum <= total * share && level < 255; sum += histogram[level])
        level++;
    return level;
}

static void measure_levels(struct gw_scene *scene)
{
    int all[256] = {0}, inner[256] = {0}, total = 0, inner_total = 0, bright = 0;
    int64_t sum = 0;

    for (int r = 0; r < scene->run_count; r++) {
        const struct gw_scene_run *run = &scene->runs[r];
        int *histogram = scene->inner[run->region] ? inner : all;
        for (int i = run->first; i < run->first + run->count; i++)
            histogram[scene->level[i] / ONE_LEVEL]++;
        inner_total += scene->inner[run->region] ? run->count : 0;
        total += run->count;
    }
    for (int level = 0; level < 256; level++) {
        all[level] += inner[level];
        sum += level * all[level];
        bright += level >= NEAR_WHITE ? all[level] : 0;
    }
    scene->mean = total ? (float)sum / (float)total : 0;
    scene->bright = total ? (float)bright / (float)total : 0;
    scene->low = percentile(inner, inner_total, 0.02);
    scene->high = percentile(inner, inner_total, 0.98);
    scene->low_all = percentile(all, total, 0.10);
    scene->high_all = percentile(all, total, 0.90);
}

static void measure_relief(struct gw_scene *scene, double share)
{
    float sums[GW_SCENE_REGIONS] = {0};
    int cells[GW_SCENE_REGIONS] = {0};
    // A difference of two pictures has twice the noise's variance; so has a rise, in x and in y,
    // of cells that average 16 pixels and some pictures.
    const float noise_part = 2 * scene->noise / ONE_LEVEL * (float)(share / (2 - share));

    for (int r = 0; r < scene->run_count; r++) {
        const struct gw_scene_run *run = &scene->runs[r];
        const int16_t *level = scene->level + run->first;
        int sum = 0;
        for (int i = 0; i < run->count; i++) {
            const int x = gw_scene_rise_x(level + i);
            const int y = gw_scene_rise_y(level + i, scene->columns);
            sum += x * x + y * y;
        }
        sums[run->region] += (float)sum;
        cells[run->region] += run->count;
    }
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (scene->used[i])
            scene->regions[i].relief =
                sqrtf(fmaxf(0, sums[i] / (float)(cells[i] * ONE_RISE * ONE_RISE) - noise_part));
}

// A jump is a change of most of the picture, and larger than what came right before: somebody at
// the camera begins with one, noise is none.
static void measure_change(struct gw_scene *scene, const struct totals *totals)
{
    const float before = scene->step;
    int64_t change = 0, pixels = 0;
    int much = 0;

    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        if (!scene->used[i])
            continue;
        const int count = totals->cells[i] * ONE_LEVEL;
        much += totals->change[i] > (int64_t)count * JUMP * JUMP;
        change += totals->change[i];
        pixels += count;
    }
    scene->step = pixels ? sqrtf((float)change / (float)pixels) : 0;
    scene->jumped = much > scene->region_count / 2 && scene->step > 2 * before;
}

void gw_scene_measure(struct gw_scene *scene, const uint8_t *pixels, int64_t elapsed_us)
{
    const double elapsed_s = (double)elapsed_us * 1e-6;
    const double share = scene->pictures ? 1 - exp(-elapsed_s / smooth_s) : 1;
    struct totals totals = {0};

    if (!scene->pictures)
        memcpy(scene->last, pixels, (size_t)(scene->width * scene->height));
    for (int row = 0, run = 0; row < scene->rows; row++)
        run = measure_row(scene, pixels, row, run, (int)lround(share * 4096), &totals);
    follow_noise(scene, quiet_change(scene, &totals), elapsed_s);
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        if (!scene->used[i])
            continue;
        const float count = (float)(totals.cells[i] * ONE_LEVEL);
        scene->changed[i] = (float)totals.differ[i] / count;
        // Steps right and down: twice what two pictures differ by.
        scene->regions[i].detail =
            sqrtf(fmaxf(0, (float)totals.steps[i] / count - 2 * scene->noise));
    }
    measure_change(scene, &totals);
    measure_levels(scene);
    measure_relief(scene, share);
    memcpy(scene->last, pixels, (size_t)(scene->width * scene->height));
    scene->pictures++;
}
