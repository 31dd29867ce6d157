// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/json.h"

#include <math.h>

static json_t *with_place(json_t *json, const struct gw_place *place)
{
    gw_place_to_json(json, place);
    return json;
}

json_t *gw_event_row_to_json(const struct gw_event_row *row)
{
    return with_place(gw_event_to_json(&row->event), &row->place);
}

json_t *gw_clip_row_to_json(const struct gw_clip_row *row)
{
    return with_place(gw_clip_to_json(&row->clip), &row->place);
}

json_t *gw_gap_row_to_json(const struct gw_gap_row *row)
{
    return with_place(gw_gap_to_json(&row->gap), &row->place);
}

json_t *gw_page_to_json(json_t *items, const char *cursor, int64_t head)
{
    json_t *page = json_object();

    json_object_set_new(page, "items", items);
    json_object_set_new(page, "next", json_string(cursor));
    json_object_set_new(page, "head", json_integer(head));
    return page;
}

json_t *gw_whole_to_json(json_t *items, int total)
{
    json_t *whole = json_object();

    json_object_set_new(whole, "items", items);
    json_object_set_new(whole, "total", json_integer(total));
    return whole;
}

void gw_position_to_json(json_t *object, double lon, double lat)
{
    if (!isfinite(lon) || !isfinite(lat))
        return;
    json_object_set_new(object, "lon", json_real(lon));
    json_object_set_new(object, "lat", json_real(lat));
}
