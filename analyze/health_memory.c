// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/health_memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int gw_scene_memory_init(struct gw_scene_memory *memory, const struct gw_scene *scene)
{
    *memory = (struct gw_scene_memory){0};
    const size_t cells = (size_t)(scene->columns * scene->rows);
    memory->level = calloc(cells, sizeof(*memory->level));
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

// --- the long run --------------------------------------------------------------------------------

void gw_scene_compare(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                      float ret_kept[GW_SCENE_REGIONS])
{
    float both[GW_SCENE_REGIONS] = {0}, now[GW_SCENE_REGIONS] = {0}, then[GW_SCENE_REGIONS] = {0};
    const int columns = scene->columns;

    for (int r = 0; r < scene->run_count; r++) {
        const struct gw_scene_run *run = &scene->runs[r];
        const int16_t *a = scene->level + run->first, *b = memory->level + run->first;
        int product = 0, a_square = 0, b_square = 0;
        for (int i = 0; i < run->count; i++) {
            const int ax = gw_scene_rise_x(a + i), ay = gw_scene_rise_y(a + i, columns);
            const int bx = gw_scene_rise_x(b + i), by = gw_scene_rise_y(b + i, columns);
            product += ax * bx + ay * by;
            a_square += ax * ax + ay * ay;
            b_square += bx * bx + by * by;
        }
        both[run->region] += (float)product;
        now[run->region] += (float)a_square;
        then[run->region] += (float)b_square;
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

// --- shifts --------------------------------------------------------------------------------------

// A field of rises: right in even places, down in odd ones; 0, as given, where nothing is looked
// at.
static void fill_rises(const struct gw_scene *scene, const int16_t *level, float *rises)
{
    for (int r = 0; r < scene->run_count; r++)
        for (int i = scene->runs[r].first; i < scene->runs[r].first + scene->runs[r].count; i++) {
            rises[2 * i] = (float)gw_scene_rise_x(level + i);
            rises[2 * i + 1] = (float)gw_scene_rise_y(level + i, scene->columns);
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

// The best of the shifts in reach of `from`, `stride` cells apart, by every `stride`th cell.
static float find_best(const struct gw_scene *scene, const float *now, const float *then,
                       struct gw_scene_shift from, struct gw_scene_shift reach, int stride,
                       struct gw_scene_shift *ret)
{
    float most = -1;

    for (int dy = from.rows - reach.rows; dy <= from.rows + reach.rows; dy += stride)
        for (int dx = from.columns - reach.columns; dx <= from.columns + reach.columns;
             dx += stride) {
            if (abs(dx) < 2 && abs(dy) < 2) // not moved
                continue;
            const float agreement = correlate(scene, now, then, dx, dy, stride);
            if (agreement <= most)
                continue;
            most = agreement;
            *ret = (struct gw_scene_shift){dx, dy};
        }
    return most;
}

// First every second shift by every second cell, up to half of the picture; then the neighbours of
// the best one.
float gw_scene_find_shift(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                          struct gw_scene_shift *ret, float *ret_unmoved)
{
    const struct gw_scene_shift none = {0, 0}, one = {1, 1};
    const struct gw_scene_shift half = {scene->columns / 4 * 2, scene->rows / 4 * 2};
    const size_t size = (size_t)(2 * scene->columns * scene->rows);
    float *now = calloc(2 * size, sizeof(*now)), *then = now + size;

    if (!now)
        return -1;
    fill_rises(scene, scene->level, now);
    fill_rises(scene, memory->level, then);
    *ret = none;
    find_best(scene, now, then, none, half, 2, ret);
    const float most = find_best(scene, now, then, *ret, one, 1, ret);
    *ret_unmoved = correlate(scene, now, then, 0, 0, 1);
    free(now);
    return most;
}
