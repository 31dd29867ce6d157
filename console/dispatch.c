// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/dispatch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/origin.h"
#include "console/router.h"
#include "console/server.h"
#include "console/static.h"
#include "core/error.h"

// The client's address; an IPv4 client of an IPv6 socket is known by its IPv4 address.
static void read_remote(struct gw_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;

    if (!address)
        return;
    if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, request->remote,
                  sizeof(request->remote));
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, request->remote,
                  sizeof(request->remote));
    if (!strncmp(request->remote, "::ffff:", 7) && strchr(request->remote, '.'))
        memmove(request->remote, request->remote + 7, strlen(request->remote + 7) + 1);
}

static const char *bearer_token(const struct gw_request *request)
{
    const char *header = gw_request_header(request, "Authorization");
    if (!header || strncasecmp(header, "Bearer ", 7))
        return NULL;
    return header + 7 + strspn(header + 7, " ");
}

// Returns 0, GW_ERROR_UNAUTHORIZED or GW_ERROR_INDEX.
static int find_session(struct gw_request *request)
{
    const char *token = bearer_token(request);
    if (!token)
        token =
            MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, "gridwatch_session");
    if (!token)
        return GW_ERROR_UNAUTHORIZED;
    return gw_console_session_find(&request->console->db, token, gw_wall_us(), &request->session);
}

static enum MHD_Result refuse_session(struct gw_request *request, int error)
{
    if (error != GW_ERROR_UNAUTHORIZED) {
        gw_log_error(request->console->log, "cannot read the sessions in console.db");
        return gw_reply_problem(request, 503,
                                "sessions cannot be checked; the site's log says why");
    }
    struct MHD_Response *response = gw_response_problem(
        401, "this needs a session; open the link that `gridwatch user login` prints");
    gw_response_header(response, "WWW-Authenticate", "Bearer realm=\"gridwatch\"");
    return gw_reply(request, 401, response);
}

// Calls the handler with an index handle borrowed for that time.
static enum MHD_Result call_with_index(struct gw_request *request, gw_handler handler)
{
    char error[GW_INDEX_ERROR_SIZE] = "";

    if (gw_pool_take(&request->console->pool, &request->index, error) < 0) {
        gw_log_error(request->console->log, "%s", error);
        return gw_reply_problem(request, 503,
                                "the index cannot be opened; the site's log says why");
    }
    enum MHD_Result result = handler(request);
    gw_pool_give(&request->console->pool, &request->index);
    return result;
}

static bool changes_something(const struct gw_request *request)
{
    return !request->head && strcmp(request->method, "GET");
}

static enum MHD_Result call_route(struct gw_request *request, const struct gw_route *route)
{
    if (changes_something(request) &&
        !gw_origin_allowed(gw_request_header(request, "Sec-Fetch-Site"),
                           gw_request_header(request, "Origin"),
                           gw_request_header(request, "Host")))
        return gw_reply_problem(request, 403, "this request was made by the page of another site");
    if (route->needs & GW_ROUTE_SESSION) {
        int result = find_session(request);
        if (result < 0)
            return refuse_session(request, result);
    }
    if (route->needs & GW_ROUTE_ID) {
        if (gw_id_parse(request->target, &request->id) < 0)
            return gw_reply_problem(request, 400,
                                    "the id in the path is none; ids look like "
                                    "0190a5c2-d3e4-7000-8000-000000000000");
        gw_id_format(request->target, &request->id); // one spelling, also in the audit log
    }
    if (route->needs & GW_ROUTE_INDEX)
        return call_with_index(request, route->handler);
    return route->handler(request);
}

static enum MHD_Result refuse_method(struct gw_request *request, const char *allow)
{
    struct MHD_Response *response = gw_response_problem(405, "this path answers to %s", allow);
    gw_response_header(response, "Allow", allow);
    return gw_reply(request, 405, response);
}

static enum MHD_Result route_request(struct gw_request *request)
{
    struct gw_route_match match;
    enum gw_match found =
        gw_router_match(gw_routes, gw_route_count, request->method, request->path, &match);

    if (found == GW_MATCH_NO_METHOD)
        return refuse_method(request, match.allow);
    if (found == GW_MATCH_FOUND) {
        memcpy(request->target, match.target, sizeof(match.target));
        return call_route(request, match.route);
    }
    if (!strncmp(request->path, "/api/", 5))
        return gw_reply_problem(request, 404,
                                "the API has no such path; docs/ref/api.md lists them");
    if (changes_something(request))
        return refuse_method(request, "GET, HEAD");
    return gw_static_reply(request);
}

static struct gw_request *create_request(struct gw_console *console,
                                         struct MHD_Connection *connection, const char *url,
                                         const char *method)
{
    struct gw_request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->console = console;
    request->connection = connection;
    request->method = method;
    request->path = url;
    request->head = !strcmp(method, "HEAD");
    read_remote(request);
    return request;
}

static bool says_too_large(const struct gw_request *request)
{
    const char *length = gw_request_header(request, "Content-Length");
    return length && strtoull(length, NULL, 10) > GW_BODY_LIMIT;
}

// Returns false when it is more than anybody has to say.
static bool append_body(struct gw_request *request, const char *upload, size_t size)
{
    if (size > GW_BODY_LIMIT - request->body_size)
        return false;
    if (!request->body && !(request->body = malloc(GW_BODY_LIMIT)))
        return false;
    memcpy(request->body + request->body_size, upload, size);
    request->body_size += size;
    return true;
}

enum MHD_Result gw_dispatch_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_size, void **context)
{
    struct gw_request *request = *context;

    if (!request) { // only the headers are here
        request = *context = create_request(cls, connection, url, method);
        if (!request)
            return MHD_NO;
        if (says_too_large(request))
            return gw_reply_problem(request, 413, "a body has at most %d bytes", GW_BODY_LIMIT);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        bool room = append_body(request, upload, *upload_size);
        *upload_size = 0;
        return room ? MHD_YES : MHD_NO;
    }
    return route_request(request);
}

void gw_dispatch_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode code)
{
    struct gw_request *request = *context;

    if (!request)
        return;
    free(request->body);
    free(request);
    *context = NULL;
}
