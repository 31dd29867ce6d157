// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "console/server.h"
#include "core/clock.h"

static void add_state(json_t *json, const struct gw_camera_state *state)
{
    char text[GW_RFC3339_SIZE];
    bool known = state->since_us != GW_NO_TIME;
    const char *status = gw_camera_status_name(state->status);

    json_object_set_new(json, "status", json_string(known ? status : "unknown"));
    json_object_set_new(json, "reason", json_string(known ? state->reason : ""));
    if (known) {
        json_object_set_new(json, "since", json_string(gw_format_rfc3339(text, state->since_us)));
        json_object_set_new(json, "since_us", json_integer(state->since_us));
    }
}

static void add_signs(json_t *json, const struct gw_camera_state *state,
                      const struct gw_console_camera *reported)
{
    if (state->since_us != GW_NO_TIME && gw_camera_delivers(state->status))
        gw_camera_signs_to_json(json,
                                gw_camera_signs_of(state, reported ? &reported->metrics : NULL));
}

// How it is analysed, when a worker has told; see core/camera.h.
static void add_analysis(json_t *json, const struct gw_camera *camera,
                         const struct gw_console_camera *reported)
{
    const struct gw_camera_metrics *metrics = reported ? &reported->metrics : NULL;

    if (!metrics || !metrics->online || isnan(reported->decoded_share))
        return;
    json_t *analysis = json_object();
    json_object_set_new(analysis, "level", json_string(gw_level_name(metrics->level)));
    json_object_set_new(analysis, "decoded_share", json_real(reported->decoded_share));
    json_object_set_new(analysis, "audits", json_integer((json_int_t)metrics->audits));
    json_object_set_new(analysis, "judged_events", json_integer((json_int_t)metrics->judged));
    if (metrics->judged > 0) {
        json_object_set_new(analysis, "miss_rate", json_real(metrics->miss_rate));
        json_object_set_new(analysis, "miss_rate_high", json_real(metrics->miss_high));
    }
    if (*camera->detect_url)
        json_object_set_new(analysis, "detect_online", json_boolean(metrics->detect_online));
    json_object_set_new(json, "analysis", analysis);
}

static int compare_id(const void *id, const void *camera)
{
    return strcmp(id, ((const struct gw_console_camera *)camera)->metrics.camera);
}

static json_t *camera_to_json(const struct gw_camera_row *row)
{
    const struct gw_camera *camera = &row->camera;
    char url[GW_URL_SIZE], shown[GW_URL_SIZE];
    json_t *json = json_object();

    memcpy(url, camera->record_url, sizeof(url));
    gw_url_hide_secrets(url);
    gw_url_redact(url, shown, sizeof(shown));
    json_object_set_new(json, "id", json_string(camera->id));
    json_object_set_new(json, "name", json_string(camera->name));
    json_object_set_new(json, "division", json_string(camera->division));
    json_object_set_new(json, "grid", json_string(camera->grid));
    json_object_set_new(json, "url", json_string(shown));
    if (*camera->detect_url) {
        memcpy(url, camera->detect_url, sizeof(url));
        gw_url_hide_secrets(url);
        gw_url_redact(url, shown, sizeof(shown));
        json_object_set_new(json, "detect_url", json_string(shown));
    }
    json_object_set_new(json, "record", json_string(gw_record_mode_name(camera->record)));
    json_object_set_new(json, "enabled", json_boolean(camera->enabled));
    if (isfinite(camera->lon) && isfinite(camera->lat)) {
        json_object_set_new(json, "lon", json_real(camera->lon));
        json_object_set_new(json, "lat", json_real(camera->lat));
    }
    gw_camera_details_to_json(json, camera);
    add_state(json, &row->state);
    return json;
}

static bool takes_nothing(const void *opaque, const char *name)
{
    return false;
}

enum MHD_Result gw_route_cameras(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_camera_row *rows = NULL;

    if (!gw_request_arguments_fit(request, takes_nothing, NULL, error))
        return gw_reply_problem(request, 400, "%s", error);
    int count = gw_index_cameras(request->index, &rows);
    if (count < 0)
        return gw_reply_index_error(request, count, "camera");
    const struct gw_console_config *config = &request->console->config;
    struct gw_console_camera *reported = NULL;
    const int known = config->list_cameras ? config->list_cameras(config->opaque, &reported) : 0;
    json_t *json = json_object(), *items = json_array();
    for (int i = 0; i < count; i++) {
        json_t *item = camera_to_json(&rows[i]);
        const struct gw_console_camera *report =
            known > 0
                ? bsearch(rows[i].camera.id, reported, (size_t)known, sizeof(*reported), compare_id)
                : NULL;
        add_signs(item, &rows[i].state, report);
        add_analysis(item, &rows[i].camera, report);
        json_array_append_new(items, item);
    }
    free(reported);
    free(rows);
    json_object_set_new(json, "items", items);
    return gw_reply_json(request, 200, json);
}
