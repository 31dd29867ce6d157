// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/router.h"

#include <stdio.h>
#include <string.h>

#include "console/routes/routes.h"

#define LOOK (GW_ROUTE_SESSION | GW_ROUTE_INDEX)
#define ITEM (LOOK | GW_ROUTE_ID)

const struct gw_route gw_routes[] = {
    {"GET", "/healthz", 0, gw_route_healthz},
    {"GET", "/readyz", 0, gw_route_readyz},
    {"GET", "/metrics", 0, gw_route_metrics},
    {"POST", "/api/v1/session", 0, gw_route_session_open},
    {"GET", "/api/v1/session", GW_ROUTE_SESSION, gw_route_session_show},
    {"DELETE", "/api/v1/session", GW_ROUTE_SESSION, gw_route_session_revoke},
    {"GET", "/api/v1/events", LOOK, gw_route_events},
    {"GET", "/api/v1/events/{id}", ITEM, gw_route_event},
    {"GET", "/api/v1/events/{id}/snapshot", ITEM, gw_route_event_snapshot},
    {"GET", "/api/v1/events/{id}/thumbnail", ITEM, gw_route_event_thumbnail},
    {"GET", "/api/v1/clips", LOOK, gw_route_clips},
    {"GET", "/api/v1/clips/{id}", ITEM, gw_route_clip},
    {"GET", "/api/v1/clips/{id}/media", ITEM, gw_route_clip_media},
    // After {id}: of two patterns that fit, the later one counts.
    {"GET", "/api/v1/clips/media", LOOK, gw_route_joined_media},
    {"GET", "/api/v1/clips/timeline", LOOK, gw_route_joined_timeline},
    {"GET", "/api/v1/gaps", LOOK, gw_route_gaps},
    {"GET", "/api/v1/places", LOOK, gw_route_places},
    {"GET", "/api/v1/counts/days", LOOK, gw_route_count_days},
    {"GET", "/api/v1/counts/cells", LOOK, gw_route_count_cells},
    {"GET", "/api/v1/cameras", LOOK, gw_route_cameras},
    {"GET", "/api/v1/storage", GW_ROUTE_SESSION, gw_route_storage},
    {"GET", "/api/v1/holds", LOOK, gw_route_holds},
    {"GET", "/api/v1/stream", LOOK, gw_route_stream},
};
const int gw_route_count = sizeof(gw_routes) / sizeof(gw_routes[0]);

static bool path_matches(const char *pattern, const char *path, char target[GW_TARGET_SIZE])
{
    while (*pattern && *path) {
        if (!strncmp(pattern, "{id}", 4)) {
            size_t length = strcspn(path, "/");
            snprintf(target, GW_TARGET_SIZE, "%.*s", length < GW_TARGET_SIZE ? (int)length : 0,
                     path);
            if (length == 0)
                return false;
            pattern += 4;
            path += length;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && !*path;
}

static bool method_matches(const struct gw_route *route, const char *method)
{
    return !strcmp(route->method, method) ||
           (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));
}

static void add_allowed(char allow[64], const char *method)
{
    size_t length = strlen(allow);
    snprintf(allow + length, 64 - length, "%s%s%s", length ? ", " : "", method,
             strcmp(method, "GET") ? "" : ", HEAD");
}

enum gw_match gw_router_match(const struct gw_route *routes, int count, const char *method,
                              const char *path, struct gw_route_match *ret)
{
    char target[GW_TARGET_SIZE] = "";

    *ret = (struct gw_route_match){0};
    for (int i = 0; i < count; i++) {
        if (!path_matches(routes[i].pattern, path, target))
            continue;
        add_allowed(ret->allow, routes[i].method);
        if (!method_matches(&routes[i], method))
            continue;
        ret->route = &routes[i];
        memcpy(ret->target, target, sizeof(target));
    }
    if (ret->route)
        return GW_MATCH_FOUND;
    return ret->allow[0] ? GW_MATCH_NO_METHOD : GW_MATCH_NO_PATH;
}
