// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/zone_map.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

// Grey of what is masked.
enum { MASK_LEVEL = 128 };

static void draw_mask(struct gw_zone_map *map)
{
    for (int y = 0; y < map->height; y++)
        for (int x = 0; x < map->width; x++)
            map->mask[y * map->width + x] =
                gw_zones_masked(map->zones, (x + 0.5) / map->width, (y + 0.5) / map->height);
}

// How much a block counts for: four times at sensitivity 1, a quarter at 0.
static int sensitivity_weight(double sensitivity)
{
    return (int)lround(GW_ZONE_BLOCK_WEIGHT * pow(4, 2 * sensitivity - 1));
}

static void draw_zones(struct gw_zone_map *map, int rows)
{
    const struct gw_zones *zones = map->zones;

    for (int z = 0; z < zones->zone_count; z++)
        map->weight[z] = sensitivity_weight(zones->zones[z].sensitivity);
    for (int i = 0; i < map->columns * rows; i++) {
        // A block's middle; the last ones reach beyond the picture.
        const double x = fmin(1, (i % map->columns + 0.5) * GW_BLOCK / map->width);
        const double y = fmin(1, (i / map->columns + 0.5) * GW_BLOCK / map->height);
        for (int z = 0; z < zones->zone_count; z++)
            if (gw_polygon_contains(&zones->zones[z].polygon, x, y))
                map->blocks[i] |= UINT32_C(1) << z;
    }
}

static int draw(struct gw_zone_map *map)
{
    const int rows = (map->height + GW_BLOCK - 1) / GW_BLOCK;

    if (map->zones->mask_count > 0) {
        map->mask = malloc((size_t)(map->width * map->height));
        if (!map->mask)
            return -ENOMEM;
        draw_mask(map);
    }
    if (map->zones->zone_count > 0) {
        map->blocks = calloc((size_t)(map->columns * rows), sizeof(*map->blocks));
        if (!map->blocks)
            return -ENOMEM;
        draw_zones(map, rows);
    }
    return 0;
}

int gw_zone_map_create(struct gw_zone_map *map, int width, int height, const struct gw_zones *zones)
{
    *map = (struct gw_zone_map){.zones = zones,
                                .width = width,
                                .height = height,
                                .columns = (width + GW_BLOCK - 1) / GW_BLOCK};
    const int error = zones ? draw(map) : 0;
    if (error < 0)
        gw_zone_map_destroy(map);
    return error;
}

void gw_zone_map_destroy(struct gw_zone_map *map)
{
    free(map->mask);
    free(map->blocks);
    *map = (struct gw_zone_map){0};
}

void gw_zone_map_hide(const struct gw_zone_map *map, uint8_t *pixels)
{
    if (!map->mask)
        return;
    for (int i = 0; i < map->width * map->height; i++)
        if (map->mask[i])
            pixels[i] = MASK_LEVEL;
}

// The zones in which a thing with this box is large enough.
static uint32_t zones_for(const struct gw_zone_map *map, const struct gw_box *box)
{
    const double longer_side = fmax(box->w * map->width, box->h * map->height);
    uint32_t zones = 0;

    for (int z = 0; z < map->zones->zone_count; z++)
        if (longer_side >= map->zones->zones[z].min_size * map->height)
            zones |= UINT32_C(1) << z;
    return zones;
}

// A block in several zones counts for what it counts in the most sensitive of them.
static int block_weight(const struct gw_zone_map *map, uint32_t zones)
{
    int weight = 0;

    for (int z = 0; zones >> z; z++)
        if (zones >> z & 1 && map->weight[z] > weight)
            weight = map->weight[z];
    return weight;
}

int gw_zone_map_weigh(const struct gw_zone_map *map, const struct gw_thing *thing,
                      const struct gw_box *box, uint32_t *touched)
{
    int weight = 0;

    if (!map->blocks)
        return thing->count * GW_ZONE_BLOCK_WEIGHT;
    const uint32_t allowed = zones_for(map, box);
    for (int i = 0; i < thing->count; i++) {
        const uint32_t zones = map->blocks[thing->blocks[i]] & allowed;
        weight += block_weight(map, zones);
        *touched |= zones;
    }
    return weight;
}
