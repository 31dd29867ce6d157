// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch camera list: the registry, for people and as JSON lines.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/camera_words.h"
#include "app/cli.h"
#include "console/arguments.h"
#include "core/clock.h"
#include "core/error.h"

static const char help[] = "usage: gridwatch camera list [OPTION]…\n"
                           "\n"
                           "Lists cameras by id. Never shows user names or passwords.\n"
                           "\n"
                           "  --covers LON,LAT      those that can see this point\n"
                           "  --json                one JSON object per line\n" GW_CAMERA_OPTIONS;

static const char *get_covers(void *opaque, const char *name)
{
    const struct gw_camera_call *call = opaque;
    return strcmp(name, "covers") ? NULL : call->covers;
}

static int prepare_list(struct gw_camera_call *call)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    if (gw_arguments_parse(&call->query, GW_ARGUMENTS_PLACES, get_covers, call, error) < 0)
        return gw_cli_usage("camera list", "--%s", error);
    call->query.from_us = gw_wall_us();
    return 0;
}

static int compare_id(const void *id, const void *placed)
{
    return strcmp(id, ((const struct gw_placed *)placed)->camera);
}

// Keeps those of the rows whose place now fits the query. Returns how many are left, or an error.
static int keep_wanted(struct gw_camera_call *call, struct gw_camera_row *rows, int count)
{
    int kept = 0, fitting = call->covers ? gw_index_places(call->index, &call->query, NULL, 0) : 0;
    if (!call->covers || fitting < 0)
        return call->covers ? fitting : count;
    struct gw_placed *places = calloc((size_t)fitting + 1, sizeof(*places));
    if (!places)
        abort();
    const int found = gw_index_places(call->index, &call->query, places, fitting);
    fitting = found < fitting ? found : fitting;
    for (int i = 0; fitting > 0 && i < count; i++)
        if (bsearch(rows[i].camera.id, places, (size_t)fitting, sizeof(*places), compare_id))
            rows[kept++] = rows[i];
    free(places);
    return fitting < 0 ? fitting : kept;
}

static const char *status_name(const struct gw_camera_row *row)
{
    if (!row->camera.enabled)
        return "disabled";
    if (row->state.since_us == GW_NO_TIME)
        return "unknown";
    return gw_camera_status_name(row->state.status);
}

static void print_camera(const struct gw_camera_row *row)
{
    const struct gw_camera *camera = &row->camera;
    char area[GW_DIVISION_SIZE + GW_GRID_SIZE];
    snprintf(area, sizeof(area), "%s%s", camera->division, camera->grid);
    printf("%-24s  %-8s  %-10s  %-15s  %s%s%s%s%s\n", camera->id, status_name(row),
           gw_record_mode_name(camera->record), area, camera->record_url,
           strcmp(camera->name, camera->id) ? "  " : "",
           strcmp(camera->name, camera->id) ? camera->name : "", *row->state.reason ? "  — " : "",
           row->state.reason);
}

static void print_camera_json(const struct gw_camera_row *row)
{
    const struct gw_camera *camera = &row->camera;
    char since[GW_RFC3339_SIZE];
    bool known = row->state.since_us != GW_NO_TIME;
    json_t *json = json_pack(
        "{ss ss ss ss ss ss sb ss ss}", "id", camera->id, "name", camera->name, "division",
        camera->division, "grid", camera->grid, "url", camera->record_url, "record",
        gw_record_mode_name(camera->record), "enabled", camera->enabled, "status",
        known ? gw_camera_status_name(row->state.status) : "unknown", "reason", row->state.reason);
    if (*camera->detect_url)
        json_object_set_new(json, "detect_url", json_string(camera->detect_url));
    if (known) {
        json_object_set_new(json, "since",
                            json_string(gw_format_rfc3339(since, row->state.since_us)));
        json_object_set_new(json, "since_us", json_integer(row->state.since_us));
        if (gw_camera_delivers(row->state.status))
            gw_camera_signs_to_json(json, &row->state.signs);
    }
    if (isfinite(camera->lon) && isfinite(camera->lat)) {
        json_object_set_new(json, "lon", json_real(camera->lon));
        json_object_set_new(json, "lat", json_real(camera->lat));
    }
    gw_camera_details_to_json(json, camera);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    puts(text ? text : "{}");
    free(text);
    json_decref(json);
}

static int run_list(struct gw_camera_call *call)
{
    struct gw_camera_row *rows = NULL;
    int count = gw_index_cameras(call->index, &rows);
    if (count >= 0)
        count = keep_wanted(call, rows, count);
    if (count < 0) {
        free(rows);
        return gw_cli_fail("cannot read the registry: %s", gw_index_error(call->index));
    }
    if (count && !call->json)
        puts("ID                        STATUS    RECORD      AREA             URL");
    for (int i = 0; i < count; i++) {
        if (call->json)
            print_camera_json(&rows[i]);
        else
            print_camera(&rows[i]);
    }
    free(rows);
    if (*gw_index_locked(call->index)) // they are listed all the same
        gw_cli_fail("some cameras have no user name and password just now: %s",
                    gw_index_locked(call->index));
    return GW_EXIT_OK;
}

const struct gw_camera_word gw_camera_list = {.name = "list",
                                              .full = "camera list",
                                              .help = help,
                                              .mode = GW_INDEX_READ,
                                              .prepare = prepare_list,
                                              .run = run_list};
