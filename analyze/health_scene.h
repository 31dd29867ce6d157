// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera sees, in a few numbers per region, and how much of what it always saw is still
// there.
//
//   luma.c -> [health_scene] -> health_memory.c, health_judge.c
//
// The picture is measured in cells of 4 x 4 small pixels, which belong to at most 8 x 6 regions.
// Detail is the steepness between neighbouring pixels, relief that between cells; both without the
// share of sensor noise. A blurred lens takes detail and leaves relief, a covered one takes both,
// light changes both by as much as the brightness. This is the loss of edges against a long-term
// picture of Gil-Jimenez et al. ("Automatic control of video surveillance camera sabotage", IWINAC
// 2007) and Lee, Lee and Lim ("Unified camera tamper detection based on edge and object
// information", Sensors 15, 2015), and of Saglam and Temizel ("Real-time adaptive camera tamper
// detection for video surveillance", AVSS 2009); by region, so that a large thing or a burned-in
// clock is outvoted. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { GW_SCENE_COLUMNS = 8, GW_SCENE_ROWS = 6, GW_SCENE_REGIONS = 48 };

// One region, of one picture or of the long run. Levels of grey.
struct gw_scene_region {
    float detail; // root mean square step from pixel to pixel
    float relief; // root mean square step from cell to cell but one
};

// Cells side by side, of one region.
struct gw_scene_run {
    int first, count; // cells
    int region;
};

struct gw_scene {
    int width, height, columns, rows; // pixels; cells
    int region_count;                 // regions that are not masked
    int run_count;
    struct gw_scene_run *runs;    // all cells that are looked at
    bool inner[GW_SCENE_REGIONS]; // not in the top or bottom row, where clocks and names are
    bool used[GW_SCENE_REGIONS];  // has enough cells
    uint8_t *last;                // the picture before
    uint16_t *sums;               // of one row of cells, see measure_row

    // The last picture. level is smoothed over a second.
    int16_t *level; // per cell, 1/16 grey level
    int pictures;
    struct gw_scene_region regions[GW_SCENE_REGIONS];
    float changed[GW_SCENE_REGIONS]; // share of the pixels that differ from the picture before
    float step;                      // root mean square of those differences, grey levels
    bool jumped;                     // most of it differs from the picture before, and by much
    float noise;                     // mean square difference of two pictures of the same thing
    float mean;                      // grey levels of the cells
    int low, high;                   // of the inner cells: 2 % are darker, 2 % are brighter
    int low_all, high_all;           // of all cells: 10 % are darker, 10 % are brighter
    float bright;                    // share of the cells that are near white
};

// For pictures of this size, at least 32 x 32. mask: per pixel, not 0 where nothing is looked at;
// may be NULL, only read here. Returns 0 or -ENOMEM.
int gw_scene_init(struct gw_scene *scene, int width, int height, const uint8_t *mask);
void gw_scene_finish(struct gw_scene *scene);

// Measures the next picture, elapsed_us after the one before.
void gw_scene_measure(struct gw_scene *scene, const uint8_t *pixels, int64_t elapsed_us);

// What a cell rises to the right and down, 1/8 grey level; level points into scene->level or into
// what has its shape. Not for cells at the edge, which are in no run.
static inline int gw_scene_rise_x(const int16_t *level)
{
    return (level[1] - level[-1]) >> 1;
}

static inline int gw_scene_rise_y(const int16_t *level, int columns)
{
    return (level[columns] - level[-columns]) >> 1;
}
