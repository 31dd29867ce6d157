// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_scene.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 4, NO_REGION = 255 };
// Cells are kept in 1/16 level: the sum of a cell's pixels.
enum { ONE_LEVEL = CELL * CELL };
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

int gw_scene_memory_init(struct gw_scene_memory *memory, const struct gw_scene *scene)
{
    *memory = (struct gw_scene_memory){0};
    memory->level = calloc((size_t)(scene->columns * scene->rows), sizeof(*memory->level));
    return memory->level ? 0 : -ENOMEM;
}

void gw_scene_memory_finish(struct gw_scene_memory *memory)
{
    free(memory->level);
    *memory = (struct gw_scene_memory){0};
}

void gw_scene_memory_clear(struct gw_scene_memory *memory)
{
    *memory = (struct gw_scene_memory){.level = memory->level};
}

void gw_scene_memory_take(struct gw_scene_memory *memory, struct gw_scene_memory *other)
{
    const struct gw_scene_memory old = *memory;

    *memory = *other;
    *other = old;
    gw_scene_memory_clear(other);
}

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

static void draw_regions(struct gw_scene *scene, const uint8_t *mask)
{
    int cells[GW_SCENE_REGIONS] = {0};

    for (int row = 0; row < scene->rows; row++)
        for (int column = 0; column < scene->columns; column++) {
            const int region = row * GW_SCENE_ROWS / scene->rows * GW_SCENE_COLUMNS +
                               column * GW_SCENE_COLUMNS / scene->columns;
            const bool counts = cell_counts(scene, mask, column, row);
            scene->region_of[row * scene->columns + column] = counts ? (uint8_t)region : NO_REGION;
            cells[region] += counts;
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
    scene->region_of = malloc(cells);
    scene->level = calloc(cells, sizeof(*scene->level));
    scene->last = calloc((size_t)width, (size_t)height);
    scene->sums = calloc((size_t)width * 4, sizeof(*scene->sums));
    scene->rises = calloc(cells * 4, sizeof(*scene->rises));
    if (!scene->region_of || !scene->level || !scene->last || !scene->sums || !scene->rises) {
        gw_scene_finish(scene);
        return -ENOMEM;
    }
    draw_regions(scene, mask);
    return 0;
}

void gw_scene_finish(struct gw_scene *scene)
{
    free(scene->region_of);
    free(scene->level);
    free(scene->last);
    free(scene->sums);
    free(scene->rises);
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

static void measure_row(struct gw_scene *scene, const uint8_t *pixels, int row, int share,
                        struct totals *totals)
{
    const int w = scene->width;
    uint16_t *level = scene->sums, *steps = level + w, *change = steps + w, *differ = change + w;

    memset(scene->sums, 0, (size_t)w * 4 * sizeof(*scene->sums));
    for (int y = row * CELL; y < (row + 1) * CELL; y++)
        add_row(w, pixels + y * w, pixels + (y + 1 < scene->height ? y + 1 : y) * w,
                scene->last + y * w, level, steps, change, differ);
    for (int column = 0; column < scene->columns; column++) {
        const int cell = row * scene->columns + column, region = scene->region_of[cell];
        int16_t *smooth = &scene->level[cell];
        *smooth = (int16_t)(*smooth + (((sum_cell(level, column) - *smooth) * share) >> 12));
        if (region == NO_REGION)
            continue;
        totals->steps[region] += sum_cell(steps, column);
        totals->change[region] += sum_cell(change, column);
        totals->differ[region] += sum_cell(differ, column);
        totals->cells[region]++;
    }
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

    for (int i = 0; i < scene->columns * scene->rows; i++) {
        const int region = scene->region_of[i], level = scene->level[i] / ONE_LEVEL;
        if (region == NO_REGION)
            continue;
        sum += level;
        bright += level >= NEAR_WHITE;
        all[level]++;
        total++;
        inner[level] += scene->inner[region];
        inner_total += scene->inner[region];
    }
    scene->mean = total ? (float)sum / (float)total : 0;
    scene->bright = total ? (float)bright / (float)total : 0;
    scene->low = percentile(inner, inner_total, 0.02);
    scene->high = percentile(inner, inner_total, 0.98);
    scene->low_all = percentile(all, total, 0.10);
    scene->high_all = percentile(all, total, 0.90);
}

// What a cell rises to the right and down, 1/16 level.
static inline float rise_x(const int16_t *level)
{
    return (float)(level[1] - level[-1]);
}

static inline float rise_y(const int16_t *level, int columns)
{
    return (float)(level[columns] - level[-columns]);
}

static void measure_relief(struct gw_scene *scene, double share)
{
    float sums[GW_SCENE_REGIONS] = {0};
    int cells[GW_SCENE_REGIONS] = {0};
    // A difference of two pictures has twice the noise's variance; so has a rise, in x and in y,
    // of cells that average 16 pixels and some pictures.
    const float noise_part = 2 * scene->noise / ONE_LEVEL * (float)(share / (2 - share));

    for (int i = 0; i < scene->columns * scene->rows; i++) {
        const int region = scene->region_of[i];
        if (region == NO_REGION)
            continue;
        const float x = rise_x(scene->level + i), y = rise_y(scene->level + i, scene->columns);
        sums[region] += x * x + y * y;
        cells[region]++;
    }
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        if (scene->used[i])
            scene->regions[i].relief =
                sqrtf(fmaxf(0, sums[i] / (float)(cells[i] * ONE_LEVEL * ONE_LEVEL) - noise_part));
}

void gw_scene_measure(struct gw_scene *scene, const uint8_t *pixels, int64_t elapsed_us)
{
    const double elapsed_s = (double)elapsed_us * 1e-6;
    const double share = scene->pictures ? 1 - exp(-elapsed_s / smooth_s) : 1;
    struct totals totals = {0};
    int64_t change = 0, cells = 0;

    if (!scene->pictures)
        memcpy(scene->last, pixels, (size_t)(scene->width * scene->height));
    for (int row = 0; row < scene->rows; row++)
        measure_row(scene, pixels, row, (int)lround(share * 4096), &totals);
    follow_noise(scene, quiet_change(scene, &totals), elapsed_s);
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        if (!scene->used[i])
            continue;
        const float count = (float)(totals.cells[i] * ONE_LEVEL);
        scene->changed[i] = (float)totals.differ[i] / count;
        // Steps right and down: twice what two pictures differ by.
        scene->regions[i].detail =
            sqrtf(fmaxf(0, (float)totals.steps[i] / count - 2 * scene->noise));
        change += totals.change[i];
        cells += totals.cells[i];
    }
    int jumped = 0;
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        jumped += scene->used[i] && totals.change[i] > totals.cells[i] * ONE_LEVEL * JUMP * JUMP;
    scene->jumped = jumped > scene->region_count / 2;
    scene->step = cells ? sqrtf((float)change / (float)(cells * ONE_LEVEL)) : 0;
    measure_levels(scene);
    measure_relief(scene, share);
    memcpy(scene->last, pixels, (size_t)(scene->width * scene->height));
    scene->pictures++;
}

// --- shifts --------------------------------------------------------------------------------------

// A field of rises: right in even places, down in odd ones; 0 where nothing is looked at.
static void fill_rises(const struct gw_scene *scene, const int16_t *level, float *rises)
{
    for (int i = 0; i < scene->columns * scene->rows; i++) {
        const bool seen = scene->region_of[i] != NO_REGION;
        rises[2 * i] = seen ? rise_x(level + i) : 0;
        rises[2 * i + 1] = seen ? rise_y(level + i, scene->columns) : 0;
    }
}

// The correlation of the two fields where they overlap, of every `stride`th cell.
static float correlate(const struct gw_scene *scene, const float *now, const float *then, int dx,
                       int dy, int stride)
{
    const int x0 = dx > 0 ? dx : 0, x1 = scene->columns + (dx < 0 ? dx : 0);
    const int y0 = dy > 0 ? dy : 0, y1 = scene->rows + (dy < 0 ? dy : 0);
    float both = 0, a = 0, b = 0;

    for (int y = y0; y < y1; y += stride)
        for (int x = x0; x < x1; x += stride) {
            const float *n = now + 2 * (y * scene->columns + x);
            const float *t = then + 2 * ((y - dy) * scene->columns + x - dx);
            both += n[0] * t[0] + n[1] * t[1];
            a += n[0] * n[0] + n[1] * n[1];
            b += t[0] * t[0] + t[1] * t[1];
        }
    return both / sqrtf(a * b + 1);
}

// First every second shift by every second cell, up to half of the picture; then the neighbours of
// the best one. A shift of less than two cells is none.
float gw_scene_find_shift(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                          struct gw_scene_shift *ret, float *ret_unmoved)
{
    float *now = scene->rises, *then = now + 2 * scene->columns * scene->rows;
    struct gw_scene_shift best = {0, 0};
    float most = -1;

    fill_rises(scene, scene->level, now);
    fill_rises(scene, memory->level, then);
    for (int dy = -scene->rows / 4 * 2; dy <= scene->rows / 2; dy += 2)
        for (int dx = -scene->columns / 4 * 2; dx <= scene->columns / 2; dx += 2) {
            const float agreement =
                abs(dx) < 2 && abs(dy) < 2 ? -1 : correlate(scene, now, then, dx, dy, 2);
            if (agreement > most) {
                most = agreement;
                best = (struct gw_scene_shift){dx, dy};
            }
        }
    *ret = best;
    most = -1;
    for (int dy = best.rows - 1; dy <= best.rows + 1; dy++)
        for (int dx = best.columns - 1; dx <= best.columns + 1; dx++) {
            const float agreement = correlate(scene, now, then, dx, dy, 1);
            if (agreement > most) {
                most = agreement;
                *ret = (struct gw_scene_shift){dx, dy};
            }
        }
    *ret_unmoved = correlate(scene, now, then, 0, 0, 1);
    return most;
}

// --- the long run --------------------------------------------------------------------------------

void gw_scene_compare(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                      float ret_kept[GW_SCENE_REGIONS])
{
    float both[GW_SCENE_REGIONS] = {0}, now[GW_SCENE_REGIONS] = {0}, then[GW_SCENE_REGIONS] = {0};
    const int columns = scene->columns;

    for (int i = 0; i < columns * scene->rows; i++) {
        const int region = scene->region_of[i];
        if (region == NO_REGION)
            continue;
        const float x = rise_x(scene->level + i), y = rise_y(scene->level + i, columns);
        const float mx = rise_x(memory->level + i), my = rise_y(memory->level + i, columns);
        both[region] += x * mx + y * my;
        now[region] += x * x + y * y;
        then[region] += mx * mx + my * my;
    }
    for (int i = 0; i < GW_SCENE_REGIONS; i++)
        ret_kept[i] = both[i] / sqrtf(now[i] * then[i] + 1);
}

static void approach(float *value, float target, double share)
{
    *value += (target - *value) * (float)share;
}

void gw_scene_learn(const struct gw_scene *scene, struct gw_scene_memory *memory,
                    const float kept[GW_SCENE_REGIONS], int64_t elapsed_us, double constant_s)
{
    const double elapsed_s = (double)elapsed_us * 1e-6;
    const double share = fmax(1 - exp(-elapsed_s / constant_s), 1.0 / (memory->pictures + 1));
    // kept means nothing for the first picture
    const double kept_share = memory->pictures ? fmax(share, 0.02) : 1;
    const int fixed = (int)lround(share * 4096);

    for (int i = 0; i < scene->columns * scene->rows; i++) {
        const int difference = scene->level[i] - memory->level[i];
        memory->level[i] = (int16_t)(memory->level[i] + ((difference * fixed + 2048) >> 12));
    }
    for (int i = 0; i < GW_SCENE_REGIONS; i++) {
        approach(&memory->regions[i].detail, scene->regions[i].detail, share);
        approach(&memory->regions[i].relief, scene->regions[i].relief, share);
        approach(&memory->kept[i], memory->pictures ? kept[i] : 1, kept_share);
    }
    approach(&memory->mean, scene->mean, share);
    memory->learnt_s += memory->pictures ? (float)elapsed_s : 0;
    memory->pictures++;
}
