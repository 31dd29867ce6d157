// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/file.h"
#include "console/routes/json.h"
#include "console/routes/list.h"
#include "console/routes/look.h"
#include "console/server.h"

#define MAX_CLIPS_OF_EVENT 50

enum MHD_Result gw_route_events(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE], cursor[64] = "";
    struct gw_query query;

    if (gw_list_query(request, GW_ARGUMENTS_EVENTS, &query, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_event_row *rows = calloc((size_t)query.limit, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    // The head first: a stream that begins there repeats what the list has rather than missing it.
    int64_t head = gw_index_head(request->index);
    int count = head < 0 ? (int)head : gw_index_events(request->index, &query, rows, cursor);
    json_t *items = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(items, gw_event_row_to_json(&rows[i]));
    free(rows);
    if (count >= 0)
        return gw_reply_json(request, 200, gw_page_to_json(items, cursor, head));
    json_decref(items);
    return gw_reply_index_error(request, count, "event");
}

// The clips that cover the event, oldest first; of a fault that may last for weeks, those of the
// time until it was sure.
static int add_clips(struct gw_index *index, const struct gw_event *event, json_t *json)
{
    struct gw_query query;
    char cursor[64];

    gw_query_init(&query);
    memcpy(query.camera, event->camera, sizeof(query.camera));
    query.from_us = event->start_us;
    query.to_us = (event->kind == GW_EVENT_MOTION ? event->end_us : event->confirmed_us) + 1;
    query.limit = MAX_CLIPS_OF_EVENT;
    struct gw_clip_row *rows = calloc(MAX_CLIPS_OF_EVENT, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    int count = gw_index_clips(index, &query, rows, cursor);
    json_t *clips = json_array();
    for (int i = count - 1; i >= 0; i--)
        json_array_append_new(clips, gw_clip_row_to_json(&rows[i]));
    json_object_set_new(json, "clips", clips);
    free(rows);
    return count;
}

enum MHD_Result gw_route_event(struct gw_request *request)
{
    struct gw_event_row row;
    int result = gw_index_event(request->index, &request->id, &row);

    if (result < 0)
        return gw_reply_index_error(request, result, "event");
    json_t *json = gw_event_row_to_json(&row);
    result = add_clips(request->index, &row.event, json);
    if (result >= 0)
        return gw_reply_json(request, 200, json);
    json_decref(json);
    return gw_reply_index_error(request, result, "event");
}

static enum MHD_Result refuse_picture(struct gw_request *request, const struct gw_event *event)
{
    return gw_reply_problem(request, 404, "%s",
                            event->snapshot_us == GW_NO_TIME
                                ? "this event has no snapshot yet"
                                : "this event's snapshot is missing on the disk");
}

enum MHD_Result gw_route_event_snapshot(struct gw_request *request)
{
    struct gw_event_row row;
    struct gw_file file;
    char path[GW_MEDIA_PATH_SIZE];
    int result = gw_index_event(request->index, &request->id, &row);

    if (result < 0)
        return gw_reply_index_error(request, result, "event");
    if (gw_file_open(&file, request->console->store, gw_event_snapshot_path(path, &row.event)) < 0)
        return refuse_picture(request, &row.event);
    if (!gw_look_audit(request, "event.snapshot", row.event.camera, false))
        return gw_look_refuse(request, &file);
    return gw_reply(request, 200, gw_response_file(&file, "image/jpeg", "no-store"));
}

// A queue shows many of them, so they may be kept for a while once they can no longer change.
enum MHD_Result gw_route_event_thumbnail(struct gw_request *request)
{
    struct gw_event_row row;
    struct gw_file file;
    char path[GW_MEDIA_PATH_SIZE];
    int result = gw_index_event(request->index, &request->id, &row);

    if (result < 0)
        return gw_reply_index_error(request, result, "event");
    if (gw_file_open(&file, request->console->store, gw_event_thumbnail_path(path, &row.event)) < 0)
        return refuse_picture(request, &row.event);
    bool is_final = row.event.state == GW_EVENT_CLOSED;
    return gw_reply(
        request, 200,
        gw_response_file(&file, "image/jpeg", is_final ? "private, max-age=300" : "no-store"));
}
