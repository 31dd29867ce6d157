// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The JSON of rows: the noun and the place its camera had at that time.
#pragma once

#include <jansson.h>

#include "storage/index.h"

json_t *gw_event_row_to_json(const struct gw_event_row *row);
json_t *gw_clip_row_to_json(const struct gw_clip_row *row);
json_t *gw_gap_row_to_json(const struct gw_gap_row *row);
// {"items": [...], "next": cursor, "head": seq}; takes over items.
json_t *gw_page_to_json(json_t *items, const char *cursor, int64_t head);
// {"items": [...], "total": how many there are}, of what comes in one page; takes over items.
json_t *gw_whole_to_json(json_t *items, int total);
// Adds "lon" and "lat" when they are known.
void gw_position_to_json(json_t *object, double lon, double lat);
