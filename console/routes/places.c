// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which cameras were where, and which of them could see a point.

#include "console/routes/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/routes/json.h"
#include "console/routes/list.h"
#include "core/clock.h"
#include "core/error.h"

#define MAX_PLACES 10000 // twice a county's cameras; total says when there are more

static void add_moment(json_t *json, const char *name, const char *name_us, int64_t wall_us)
{
    char text[GW_RFC3339_SIZE];

    json_object_set_new(json, name, json_string(gw_format_rfc3339(text, wall_us)));
    json_object_set_new(json, name_us, json_integer(wall_us));
}

static json_t *placed_to_json(const struct gw_placed *placed, bool registered)
{
    json_t *json = json_object();

    json_object_set_new(json, "camera", json_string(placed->camera));
    gw_place_to_json(json, &placed->place);
    add_moment(json, "since", "since_us", placed->place.since_us);
    if (placed->until_us != GW_NO_TIME)
        add_moment(json, "until", "until_us", placed->until_us);
    json_object_set_new(json, "registered", json_boolean(registered));
    return json;
}

// Rows come by camera, so each is looked up once. Returns 0 or an error.
static int add_places(struct gw_index *index, const struct gw_placed *rows, int count,
                      json_t *items)
{
    struct gw_camera_row camera;
    int result = 0;

    for (int i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].camera, rows[i - 1].camera))
            result = gw_index_camera(index, rows[i].camera, &camera);
        if (result < 0 && result != GW_ERROR_NOT_FOUND)
            return result;
        json_array_append_new(items, placed_to_json(&rows[i], result >= 0));
    }
    explicit_bzero(&camera, sizeof(camera)); // it holds a password
    return 0;
}

enum MHD_Result gw_route_places(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_query query;

    if (gw_list_query(request, GW_ARGUMENTS_PLACES, &query, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_placed *rows = calloc(MAX_PLACES, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    const int total = gw_index_places(request->index, &query, rows, MAX_PLACES);
    json_t *items = json_array();
    const int result = total < 0 ? total
                                 : add_places(request->index, rows,
                                              total < MAX_PLACES ? total : MAX_PLACES, items);
    free(rows);
    if (result >= 0)
        return gw_reply_json(request, 200, gw_whole_to_json(items, total));
    json_decref(items);
    return gw_reply_index_error(request, result, "place");
}
