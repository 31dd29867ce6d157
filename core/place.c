// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/place.h"

#include <math.h>
#include <string.h>

#include "core/error.h"

const struct gw_place gw_place_unknown = {.lon = NAN, .lat = NAN};

static bool same_degrees(double a, double b)
{
    return a == b || (!isfinite(a) && !isfinite(b));
}

bool gw_place_same(const struct gw_place *a, const struct gw_place *b)
{
    return !strcmp(a->camera_name, b->camera_name) && !strcmp(a->division, b->division) &&
           !strcmp(a->grid, b->grid) && same_degrees(a->lon, b->lon) &&
           same_degrees(a->lat, b->lat) && a->view.heading_deg == b->view.heading_deg &&
           a->view.fov_deg == b->view.fov_deg && a->view.range_m == b->view.range_m &&
           a->view.height_m == b->view.height_m;
}

static void set_known(json_t *object, const char *key, double value)
{
    if (value != 0)
        json_object_set_new(object, key, json_real(value));
}

void gw_place_to_json(json_t *object, const struct gw_place *place)
{
    json_object_set_new(object, "division", json_string(place->division));
    json_object_set_new(object, "grid", json_string(place->grid));
    json_object_set_new(object, "camera_name", json_string(place->camera_name));
    if (isfinite(place->lon) && isfinite(place->lat)) {
        json_object_set_new(object, "lon", json_real(place->lon));
        json_object_set_new(object, "lat", json_real(place->lat));
    }
    // North is told only of what does not look all round.
    if (place->view.fov_deg != 0 || place->view.heading_deg != 0)
        json_object_set_new(object, "heading_deg", json_real(place->view.heading_deg));
    set_known(object, "fov_deg", place->view.fov_deg);
    set_known(object, "range_m", place->view.range_m);
    set_known(object, "height_m", place->view.height_m);
}

void gw_place_to_json_numbered(json_t *object, const struct gw_place *place)
{
    gw_place_to_json(object, place);
    json_object_set_new(object, "place", json_integer(place->number));
    json_object_set_new(object, "place_since_us", json_integer(place->since_us));
}

// --- reading -------------------------------------------------------------------------------------

static bool get_text(const json_t *object, const char *key, char *ret, size_t size)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value) || json_string_length(value) >= size)
        return false;
    memcpy(ret, json_string_value(value), json_string_length(value) + 1);
    return strlen(ret) == json_string_length(value);
}

// Absent gives missing.
static bool get_number(const json_t *object, const char *key, double min, double max,
                       double missing, double *ret)
{
    const json_t *value = json_object_get(object, key);

    *ret = value ? json_number_value(value) : missing;
    return !value || (json_is_number(value) && *ret >= min && *ret <= max);
}

int gw_place_from_json(const json_t *object, struct gw_place *ret)
{
    const json_t *number = json_object_get(object, "place"),
                 *since = json_object_get(object, "place_since_us");
    struct gw_place place = gw_place_unknown;
    struct gw_view *view = &place.view;

    if (!json_is_integer(number) || json_integer_value(number) < 1 || !json_is_integer(since) ||
        !get_text(object, "camera_name", place.camera_name, sizeof(place.camera_name)) ||
        !get_text(object, "division", place.division, sizeof(place.division)) ||
        !get_text(object, "grid", place.grid, sizeof(place.grid)) ||
        !gw_division_valid(place.division) || !gw_grid_valid(place.grid) ||
        !get_number(object, "lon", -180, 180, NAN, &place.lon) ||
        !get_number(object, "lat", -90, 90, NAN, &place.lat) ||
        !get_number(object, "heading_deg", 0, 360, 0, &view->heading_deg) ||
        !get_number(object, "fov_deg", 0, 360, 0, &view->fov_deg) ||
        !get_number(object, "range_m", 0, 1e6, 0, &view->range_m) ||
        !get_number(object, "height_m", 0, 1e5, 0, &view->height_m))
        return GW_ERROR_INVALID;
    place.number = json_integer_value(number);
    place.since_us = json_integer_value(since);
    *ret = place;
    return 0;
}
