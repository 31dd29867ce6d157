// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Zones and masks drawn into a small picture: which pixels are never looked at, and how much the
// blocks of a thing count for.
//
//   zones.h -> [zone_map] -> motion.c
//
// One thread at a time.
#pragma once

#include <stdint.h>

#include "analyze/things.h"
#include "analyze/zones.h"
#include "core/event.h"

// What a block counts for at sensitivity 0.5, and where there are no zones.
enum { GW_ZONE_BLOCK_WEIGHT = 16 };

struct gw_zone_map {
    const struct gw_zones *zones; // borrowed
    int width, height;            // of the picture
    int columns;                  // of blocks
    uint8_t *mask;                // per pixel: 1 = never looked at; NULL without masks
    uint32_t *blocks;             // per block: the zones it lies in; NULL without zones
    int weight[GW_EVENT_ZONES];   // of a block in it
};

// zones may be NULL, and must outlive the map. Returns 0 or -ENOMEM.
int gw_zone_map_create(struct gw_zone_map *map, int width, int height,
                       const struct gw_zones *zones);
void gw_zone_map_destroy(struct gw_zone_map *map);

// Overwrites what is masked.
void gw_zone_map_hide(const struct gw_zone_map *map, uint8_t *pixels);

// What a thing counts for. box is the part of the picture around it. Adds the zones that it touches
// to *touched.
int gw_zone_map_weigh(const struct gw_zone_map *map, const struct gw_thing *thing,
                      const struct gw_box *box, uint32_t *touched);
