// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <errno.h>
#include <stdlib.h>

#include "console/file.h"
#include "console/routes/json.h"
#include "console/routes/list.h"
#include "console/routes/look.h"
#include "console/server.h"
#include "core/error.h"

enum MHD_Result gw_route_clips(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE], cursor[64] = "";
    struct gw_query query;

    if (gw_list_query(request, GW_ARGUMENTS_CLIPS, &query, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_clip_row *rows = calloc((size_t)query.limit, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    int64_t head = gw_index_head(request->index);
    int count = head < 0 ? (int)head : gw_index_clips(request->index, &query, rows, cursor);
    json_t *items = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(items, gw_clip_row_to_json(&rows[i]));
    free(rows);
    if (count >= 0)
        return gw_reply_json(request, 200, gw_page_to_json(items, cursor, head));
    json_decref(items);
    return gw_reply_index_error(request, count, "clip");
}

enum MHD_Result gw_route_clip(struct gw_request *request)
{
    struct gw_clip_row row;
    int result = gw_index_clip(request->index, &request->id, &row);

    if (result < 0)
        return gw_reply_index_error(request, result, "clip");
    return gw_reply_json(request, 200, gw_clip_row_to_json(&row));
}

static enum MHD_Result refuse_media(struct gw_request *request, const struct gw_clip *clip,
                                    int error)
{
    if (clip->state == GW_CLIP_LOST)
        return gw_reply_problem(request, 410,
                                "this clip is lost: its worker ended before any of it "
                                "was on the disk");
    if (error == -ENOENT)
        return gw_reply_problem(request, 404, "the index knows this clip, but its file is missing");
    gw_log_error(request->console->log, "cannot read clip %s: %s", request->target,
                 gw_strerror(error));
    return gw_reply_problem(request, 503,
                            "this clip's file cannot be read; the site's log says why");
}

// No validator and no storing, so that a player asks again for each look and each look is audited.
enum MHD_Result gw_route_clip_media(struct gw_request *request)
{
    struct gw_clip_row row;
    struct gw_file file;
    char path[GW_MEDIA_PATH_SIZE];
    int result = gw_index_clip(request->index, &request->id, &row);

    if (result < 0)
        return gw_reply_index_error(request, result, "clip");
    result = gw_file_open(&file, request->console->store, gw_clip_path(path, &row.clip));
    if (result < 0)
        return refuse_media(request, &row.clip, result);
    if (!gw_look_audit(request, "clip.media", row.clip.camera,
                       gw_request_header(request, "Range") != NULL))
        return gw_look_refuse(request, &file);
    return gw_reply_file_part(request, &file, "video/mp4", "private, no-cache");
}
