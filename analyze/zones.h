// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Zones and masks: which parts of a camera's picture count, and which are never looked at.
//
//   zones file -> [zones] -> motion.c
//
// A zones file is JSON; positions are fractions of the picture, origin at the top left:
//
//   {"zones": [{"name": "gate", "polygon": [[0.1, 0.5], [0.6, 0.5], [0.6, 1]], "sensitivity":
//   0.7, "min_size": 0.1}],
//    "masks": [{"polygon": [[0, 0], [1, 0], [1, 0.1]]}]}
//
// Without zones everything that is not masked counts. With zones, only what lies in one of them.
// Never changed after it was read, so any number of threads may share it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

#define GW_POLYGON_POINTS 32
#define GW_MASKS          16

struct gw_polygon {
    int count; // at least 3
    double x[GW_POLYGON_POINTS], y[GW_POLYGON_POINTS];
};

struct gw_zone {
    char name[GW_ZONE_NAME_SIZE];
    struct gw_polygon polygon;
    double sensitivity; // 0 (only large things) .. 0.5 (the default) .. 1 (smallest things)
    double min_size;    // of a thing's longer side, fraction of the picture's height; 0 for none
};

struct gw_zones {
    int zone_count, mask_count;
    struct gw_zone zones[GW_EVENT_ZONES];
    struct gw_polygon masks[GW_MASKS];
};

#define GW_ZONES_ERROR_SIZE 256

// Reads a zones file. Returns 0, -errno when it cannot be read, or GW_ERROR_INVALID, with one line
// in error that says where ("site.json:4: …") and what; *ret is untouched then.
int gw_zones_load(struct gw_zones *ret, const char *path, char error[GW_ZONES_ERROR_SIZE]);

// The same from text; name stands for the file in errors.
int gw_zones_parse(struct gw_zones *ret, const char *text, const char *name,
                   char error[GW_ZONES_ERROR_SIZE]);

// Whether a point lies inside, by the even-odd rule.
bool gw_polygon_contains(const struct gw_polygon *polygon, double x, double y);

// Whether a mask hides the point.
bool gw_zones_masked(const struct gw_zones *zones, double x, double y);
