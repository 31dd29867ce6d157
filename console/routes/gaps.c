// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <stdlib.h>

#include "console/routes/json.h"
#include "console/routes/list.h"

enum MHD_Result gw_route_gaps(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE], cursor[64] = "";
    struct gw_query query;

    if (gw_list_query(request, GW_ARGUMENTS_GAPS, &query, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_gap_row *rows = calloc((size_t)query.limit, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    int64_t head = gw_index_head(request->index);
    int count = head < 0 ? (int)head : gw_index_gaps(request->index, &query, rows, cursor);
    json_t *items = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(items, gw_gap_row_to_json(&rows[i]));
    free(rows);
    if (count >= 0)
        return gw_reply_json(request, 200, gw_page_to_json(items, cursor, head));
    json_decref(items);
    return gw_reply_index_error(request, count, "gap");
}
