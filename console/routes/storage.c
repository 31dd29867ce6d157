// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How full the disk is and will be, and what must not be deleted.

#include "console/routes/routes.h"

#include <stdlib.h>

#include "console/server.h"
#include "core/clock.h"
#include "storage/hold.h"

static bool takes_nothing(const void *opaque, const char *name)
{
    return false;
}

enum MHD_Result gw_route_storage(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    const struct gw_console_config *config = &request->console->config;

    if (!gw_request_arguments_fit(request, takes_nothing, NULL, error))
        return gw_reply_problem(request, 400, "%s", error);
    if (!config->describe_storage)
        return gw_reply_problem(request, 503, "this console has no site that keeps a store");
    return gw_reply_json(request, 200, config->describe_storage(config->storage));
}

enum MHD_Result gw_route_holds(struct gw_request *request)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    struct gw_hold *holds = NULL;
    const int64_t now_us = gw_wall_us();

    if (!gw_request_arguments_fit(request, takes_nothing, NULL, error))
        return gw_reply_problem(request, 400, "%s", error);
    int count = gw_index_holds(request->index, &holds);

    if (count < 0)
        return gw_reply_index_error(request, count, "hold");
    json_t *items = json_array();
    for (int i = count - 1; i >= 0; i--)
        json_array_append_new(items, gw_hold_to_json(&holds[i], now_us));
    free(holds);
    json_t *answer = json_object();
    json_object_set_new(answer, "items", items);
    return gw_reply_json(request, 200, answer);
}
