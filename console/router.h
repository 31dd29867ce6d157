// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which handler answers a request: one table of method, path and what the handler needs.
#pragma once

#include "console/http.h"

enum gw_route_needs {
    GW_ROUTE_SESSION = 1, // somebody signed in, else 401
    GW_ROUTE_INDEX = 2,   // an index handle in request->index, else 503
    GW_ROUTE_ID = 4,      // {id} is an id of this program, else 400
};

struct gw_route {
    const char *method;  // GET answers HEAD too
    const char *pattern; // "/api/v1/events/{id}"; {id} stands for one segment
    unsigned needs;
    gw_handler handler;
};

extern const struct gw_route gw_routes[];
extern const int gw_route_count;

enum gw_match { GW_MATCH_FOUND, GW_MATCH_NO_PATH, GW_MATCH_NO_METHOD };

struct gw_route_match {
    const struct gw_route *route;
    char target[GW_TARGET_SIZE]; // {id}'s text; one that is too long for any id becomes ""
    char allow[64];              // "GET, HEAD": the methods that this path has
};

// Pure. ret->allow is filled in whenever the path exists.
enum gw_match gw_router_match(const struct gw_route *routes, int count, const char *method,
                              const char *path, struct gw_route_match *ret);
