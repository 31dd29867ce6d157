// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/camera.h"

#include <ctype.h>
#include <string.h>

#include <jansson.h>

#include "core/clock.h"
#include "core/names.h"

static const char *const record_modes[] = {"events", "continuous", "off"};
static const char *const statuses[] = {"offline", "online", "degraded"};

const struct gw_camera_signs gw_camera_no_signs = {.key_age_us = -1, .clock_offset_us = GW_NO_TIME};

static bool is_digits(const char *text)
{
    for (; *text; text++)
        if (!isdigit((unsigned char)*text))
            return false;
    return true;
}

bool gw_camera_id_valid(const char *id)
{
    size_t length = strlen(id);
    // A leading dot would make hidden folders, and ".." another folder altogether.
    if (!length || length >= GW_CAMERA_ID_SIZE || *id == '.')
        return false;
    for (; *id; id++)
        if (!isalnum((unsigned char)*id) && !strchr("._-", *id))
            return false;
    return true;
}

bool gw_division_valid(const char *division)
{
    size_t length = strlen(division);
    return (length == 0 || length == 6 || length == 9 || length == 12) && is_digits(division);
}

bool gw_grid_valid(const char *grid)
{
    return strlen(grid) < GW_GRID_SIZE && is_digits(grid);
}

bool gw_camera_name_valid(const char *name)
{
    json_t *string = json_string(name); // NULL when it is not UTF-8
    json_decref(string);
    if (!string || strlen(name) >= GW_CAMERA_NAME_SIZE)
        return false;
    for (; *name; name++)
        if (iscntrl((unsigned char)*name))
            return false;
    return true;
}

bool gw_camera_same_work(const struct gw_camera *a, const struct gw_camera *b)
{
    return !strcmp(a->record_url, b->record_url) && !strcmp(a->detect_url, b->detect_url) &&
           !strcmp(a->username, b->username) && !strcmp(a->password, b->password) &&
           !strcmp(a->zones, b->zones) && a->record == b->record;
}

bool gw_view_valid(const struct gw_view *view)
{
    return view->heading_deg >= 0 && view->heading_deg < 360 && view->fov_deg >= 0 &&
           view->fov_deg <= 360 && view->range_m >= 0 && view->range_m <= 100000 &&
           view->height_m >= 0 && view->height_m <= 1000; // all false for NAN
}

static void add_text(json_t *json, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(json, key, json_string(text));
}

static void add_number(json_t *json, const char *key, double number)
{
    if (number > 0)
        json_object_set_new(json, key, json_real(number));
}

void gw_camera_details_to_json(json_t *json, const struct gw_camera *camera)
{
    const struct gw_view *view = &camera->view;
    const struct gw_registration *registration = &camera->registration;

    if (view->heading_deg > 0 || view->fov_deg > 0) // without a field of view 0 is "not known"
        json_object_set_new(json, "heading_deg", json_real(view->heading_deg));
    add_number(json, "fov_deg", view->fov_deg);
    add_number(json, "range_m", view->range_m);
    add_number(json, "height_m", view->height_m);
    add_text(json, "device_id", registration->device_id);
    add_text(json, "site_class", gw_site_class_name(registration->site_class));
    add_text(json, "owner_unit", registration->owner_unit);
    add_text(json, "maintenance_unit", registration->maintenance_unit);
    if (*camera->zones)
        json_object_set_new(json, "zones", json_loads(camera->zones, 0, NULL));
    if (camera->retention_days)
        json_object_set_new(json, "retention_days", json_integer(camera->retention_days));
}

const char *gw_camera_status_name(enum gw_camera_status status)
{
    return statuses[status];
}

int gw_camera_status_from_name(const char *name)
{
    return gw_find_name(statuses, GW_COUNT(statuses), name);
}

bool gw_camera_delivers(enum gw_camera_status status)
{
    return status != GW_CAMERA_OFFLINE;
}

const struct gw_camera_signs *gw_camera_signs_of(const struct gw_camera_state *state,
                                                 const struct gw_camera_metrics *report)
{
    return report && report->status == state->status ? &report->signs : &state->signs;
}

const char *gw_record_mode_name(enum gw_record_mode mode)
{
    return record_modes[mode];
}

int gw_record_mode_from_name(const char *name)
{
    return gw_find_name(record_modes, GW_COUNT(record_modes), name);
}
