// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: zones files (analyze/zones.h).

#include <assert.h>

#include "analyze/zones.h"
#include "core/error.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

static void check_polygon(const struct gw_polygon *polygon)
{
    assert(polygon->count >= 3 && polygon->count <= GW_POLYGON_POINTS);
    for (int i = 0; i < polygon->count; i++) {
        assert(polygon->x[i] >= 0 && polygon->x[i] <= 1);
        assert(polygon->y[i] >= 0 && polygon->y[i] <= 1);
    }
    gw_polygon_contains(polygon, 0.5, 0.5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gw_zones zones;
    char error[GW_ZONES_ERROR_SIZE] = "";
    char *text = take_text(data, size);

    int result = gw_zones_parse(&zones, text, "site.json", error);
    free(text);
    if (result < 0) {
        assert(result == GW_ERROR_INVALID && *error && !strchr(error, '\n'));
        return 0;
    }
    assert(zones.zone_count >= 0 && zones.zone_count <= GW_EVENT_ZONES);
    assert(zones.mask_count >= 0 && zones.mask_count <= GW_MASKS);
    for (int i = 0; i < zones.zone_count; i++) {
        check_polygon(&zones.zones[i].polygon);
        assert(zones.zones[i].sensitivity >= 0 && zones.zones[i].sensitivity <= 1);
    }
    for (int i = 0; i < zones.mask_count; i++)
        check_polygon(&zones.masks[i]);
    gw_zones_masked(&zones, 0.5, 0.5);
    return 0;
}
