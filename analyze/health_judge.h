// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What one picture says of each fault, against all that is known of its scene.
//
//   health_scene.c, health_memory.c -> [health_judge] -> health.c
//
// Every region votes; a fault takes nearly all of the inner ones and most of all. Between clearly
// bad and clearly good lies a band in which nothing is said. How long it must last is health.c's
// matter. Any thread; nothing is kept between calls.
#pragma once

#include "analyze/health_memory.h"

// A camera's scene: the last picture, and what is known of those before.
struct gw_sight {
    struct gw_scene scene;
    struct gw_scene_memory memory;    // what it always showed
    struct gw_scene_memory candidate; // what it shows instead, when it shows something else
    float kept[GW_SCENE_REGIONS];     // agreement of the picture with the memory
    float kept_new[GW_SCENE_REGIONS]; // with the candidate
    float usual;                      // mean grey level of the last minutes
    bool usual_known;
    bool shifted;        // the scene of the memory was found elsewhere in the picture
    double shake_pixels; // by how much the camera shakes
};

enum gw_verdict { GW_CLEARLY_GOOD, GW_UNSURE, GW_CLEARLY_BAD };

struct gw_opinion {
    enum gw_verdict verdict;
    float score;     // share of the picture that is bad, 0..1
    int64_t more_us; // patience beyond the usual
};

struct gw_opinion gw_judge_black(const struct gw_sight *sight);
struct gw_opinion gw_judge_overbright(const struct gw_sight *sight);
struct gw_opinion gw_judge_covered(const struct gw_sight *sight);
struct gw_opinion gw_judge_blurred(const struct gw_sight *sight);
struct gw_opinion gw_judge_moved(const struct gw_sight *sight);

// Whether the memory may be believed.
bool gw_sight_is_mature(const struct gw_scene_memory *memory);
// Whether much of what tells this place from another is not where it was.
bool gw_sight_is_different(const struct gw_sight *sight);
// Whether the picture has stayed the same since it became another one.
bool gw_sight_is_steady(const struct gw_sight *sight);
