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
           a->record == b->record;
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
