// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera's scene looked like in the long run, and how much of that a picture still shows.
//
//   health_scene.c -> [health_memory] -> health_judge.c
//
// What stays in place is told by the correlation of relief with its direction, which neither
// brightness nor contrast changes. One thread at a time.
#pragma once

#include "analyze/health_scene.h"

// The long-term picture of a scene. It knows nothing while weight is 0.
struct gw_scene_memory {
    int16_t *level; // per cell, 1/16 grey level
    struct gw_scene_region regions[GW_SCENE_REGIONS];
    float kept[GW_SCENE_REGIONS]; // how well the pictures it was made of agreed with it, -1..1
    float mean;                   // grey level
    float learnt_s;               // how long it learnt
    int pictures;                 // from how many
};

int gw_scene_memory_init(struct gw_scene_memory *memory, const struct gw_scene *scene);
void gw_scene_memory_finish(struct gw_scene_memory *memory);
void gw_scene_memory_clear(struct gw_scene_memory *memory);
// Becomes what the other knows; the other is empty then.
void gw_scene_memory_take(struct gw_scene_memory *memory, struct gw_scene_memory *other);

// How well each region of the last picture agrees with the memory: 1 the same, 0 nothing in common.
void gw_scene_compare(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                      float ret_kept[GW_SCENE_REGIONS]);

// Where what the memory has went: it is now shown `columns` and `rows` of cells further right and
// down. Returns how well the picture agrees with it there, and *ret_unmoved, without moving it.
// Some hundred times the work of compare: only for a scene that seems to have moved. -1 without
// memory for it.
struct gw_scene_shift {
    int columns, rows;
};
float gw_scene_find_shift(const struct gw_scene *scene, const struct gw_scene_memory *memory,
                          struct gw_scene_shift *ret, float *ret_unmoved);

// Lets the memory learn the last picture: the mean of all pictures at first, then with constant_s.
void gw_scene_learn(const struct gw_scene *scene, struct gw_scene_memory *memory,
                    const float kept[GW_SCENE_REGIONS], int64_t elapsed_us, double constant_s);
