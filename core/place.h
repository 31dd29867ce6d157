// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where a camera was, and what it could see from there, from a moment on. What it recorded keeps
// the place it was recorded at when the camera moves. Plain values, copied freely.
#pragma once

#include <jansson.h>

#include "core/camera.h"

struct gw_place {
    int64_t number;   // of this place in the index, from 1; 0: in none yet
    int64_t since_us; // wall; when the camera was first known to be there
    char camera_name[GW_CAMERA_NAME_SIZE];
    char division[GW_DIVISION_SIZE];
    char grid[GW_GRID_SIZE];
    double lon, lat; // WGS-84 degrees; NAN when unknown
    struct gw_view view;
};

extern const struct gw_place gw_place_unknown;

// Whether both say the same of a camera; number and since_us do not count.
bool gw_place_same(const struct gw_place *a, const struct gw_place *b);

// Adds its members to an object: "division", "grid", "camera_name", and when they are known "lon",
// "lat", "heading_deg", "fov_deg", "range_m" and "height_m".
void gw_place_to_json(json_t *object, const struct gw_place *place);
// The same with "place" and "place_since_us", for who keeps places by number.
void gw_place_to_json_numbered(json_t *object, const struct gw_place *place);
// Reads what the second wrote. Returns 0, or GW_ERROR_INVALID with *ret untouched.
int gw_place_from_json(const json_t *object, struct gw_place *ret);
