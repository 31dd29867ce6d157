// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How many events, clips or gaps began on each day, and at each grid cell.

#include "console/routes/routes.h"

#include <stdlib.h>
#include <time.h>

#include "console/routes/json.h"
#include "console/routes/list.h"
#include "core/clock.h"

#define MAX_DAYS  4000  // ten years; total says when there are more
#define MAX_CELLS 10000 // five counties

static json_t *day_to_json(const struct gw_index *index, const struct gw_day_count *row)
{
    const time_t noon = (time_t)(row->day * 86400 + 43200);
    const int64_t from_us = gw_index_day_start_us(index, row->day),
                  to_us = gw_index_day_start_us(index, row->day + 1);
    char date[16] = "", from[GW_RFC3339_SIZE], to[GW_RFC3339_SIZE];
    struct tm day;

    if (gmtime_r(&noon, &day))
        strftime(date, sizeof(date), "%Y-%m-%d", &day);
    return json_pack("{ss ss sI ss sI sI}", "day", date, "from", gw_format_rfc3339(from, from_us),
                     "from_us", (json_int_t)from_us, "to", gw_format_rfc3339(to, to_us), "to_us",
                     (json_int_t)to_us, "count", (json_int_t)row->count);
}

static json_t *cell_to_json(const struct gw_cell_count *row)
{
    json_t *json = json_pack("{ss ss sI}", "division", row->division, "grid", row->grid, "count",
                             (json_int_t)row->count);
    gw_position_to_json(json, row->lon, row->lat);
    return json;
}

enum MHD_Result gw_route_count_days(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_query query;
    enum gw_noun noun;

    if (gw_list_count_query(request, &query, &noun, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_day_count *rows = calloc(MAX_DAYS, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    const int total = gw_index_count_days(request->index, noun, &query, rows, MAX_DAYS);
    json_t *items = json_array();
    for (int i = 0; i < total && i < MAX_DAYS; i++)
        json_array_append_new(items, day_to_json(request->index, &rows[i]));
    free(rows);
    if (total >= 0)
        return gw_reply_json(request, 200, gw_whole_to_json(items, total));
    json_decref(items);
    return gw_reply_index_error(request, total, "day");
}

enum MHD_Result gw_route_count_cells(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_query query;
    enum gw_noun noun;

    if (gw_list_count_query(request, &query, &noun, error) < 0)
        return gw_reply_problem(request, 400, "%s", error);
    struct gw_cell_count *rows = calloc(MAX_CELLS, sizeof(*rows));
    if (!rows)
        return MHD_NO;
    const int total = gw_index_count_cells(request->index, noun, &query, rows, MAX_CELLS);
    json_t *items = json_array();
    for (int i = 0; i < total && i < MAX_CELLS; i++)
        json_array_append_new(items, cell_to_json(&rows[i]));
    free(rows);
    if (total >= 0)
        return gw_reply_json(request, 200, gw_whole_to_json(items, total));
    json_decref(items);
    return gw_reply_index_error(request, total, "cell");
}
