// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "console/audit.h"
#include "console/server.h"
#include "core/error.h"

#define COOKIE "gridwatch_session=%s; Max-Age=%" PRId64 "; Path=/; HttpOnly; SameSite=Strict"

static void set_cookie(struct MHD_Response *response, const char *token, int64_t lifetime_s)
{
    char cookie[192];

    snprintf(cookie, sizeof(cookie), COOKIE, token, lifetime_s);
    gw_response_header(response, "Set-Cookie", cookie);
}

// "code" of the JSON body. Returns whether there is one.
static bool read_code(const struct gw_request *request, char code[GW_LOGIN_CODE_SIZE])
{
    json_t *body = json_loadb(request->body ? request->body : "", request->body_size, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "code"));
    bool good = text != NULL;

    if (good) // a longer one is none of ours; cut off it is none either
        snprintf(code, GW_LOGIN_CODE_SIZE, "%s", text);
    json_decref(body);
    return good;
}

static int64_t throttle_wait_us(struct gw_request *request)
{
    pthread_mutex_lock(&request->console->throttle_lock);
    int64_t wait_us =
        gw_throttle_wait_us(&request->console->throttle, request->remote, gw_mono_us());
    pthread_mutex_unlock(&request->console->throttle_lock);
    return wait_us;
}

static enum MHD_Result refuse_hurry(struct gw_request *request, int64_t wait_us)
{
    char seconds[24];

    snprintf(seconds, sizeof(seconds), "%" PRId64, (wait_us + GW_SECOND - 1) / GW_SECOND);
    struct MHD_Response *response = gw_response_problem(
        429, "too many wrong codes from this address; try again in %s s", seconds);
    gw_response_header(response, "Retry-After", seconds);
    return gw_reply(request, 429, response);
}

static enum MHD_Result refuse_code(struct gw_request *request)
{
    pthread_mutex_lock(&request->console->throttle_lock);
    gw_throttle_fail(&request->console->throttle, request->remote, gw_mono_us());
    pthread_mutex_unlock(&request->console->throttle_lock);
    gw_log_warning(request->console->log, "%s tried a login code that is not valid",
                   request->remote);
    return gw_reply_problem(request, 401,
                            "this code is unknown, used or too old; "
                            "make another one with `gridwatch user login`");
}

static enum MHD_Result refuse_database(struct gw_request *request)
{
    gw_log_error(request->console->log, "cannot write console.db");
    return gw_reply_problem(request, 503, "sessions cannot be written; the site's log says why");
}

static int audit(const struct gw_request *request, const char *action)
{
    const struct gw_audit_entry entry = {
        .wall_us = gw_wall_us(),
        .session = request->session.id,
        .action = action,
        .object = "",
        .camera = "",
        .remote = request->remote,
    };
    return gw_audit_record(&request->console->db, &entry);
}

enum MHD_Result gw_route_session_open(struct gw_request *request)
{
    char code[GW_LOGIN_CODE_SIZE], token[GW_SESSION_TOKEN_SIZE];
    int64_t wait_us = throttle_wait_us(request);

    if (wait_us > 0)
        return refuse_hurry(request, wait_us);
    if (!read_code(request, code))
        return gw_reply_problem(request, 400, "the body must be JSON like {\"code\": \"…\"}");
    int result = gw_console_session_open(&request->console->db, code, request->remote, gw_wall_us(),
                                         &request->session, token);
    if (result == GW_ERROR_UNAUTHORIZED)
        return refuse_code(request);
    if (result < 0 || audit(request, "session.open") < 0)
        return refuse_database(request);
    gw_log_info(request->console->log, "%s opened session %s", request->remote,
                request->session.id);
    struct MHD_Response *response = gw_response_json(json_pack(
        "{s:s, s:I}", "token", token, "expires_us", (json_int_t)request->session.expires_us));
    set_cookie(response, token, GW_SESSION_LIFETIME_US / GW_SECOND);
    return gw_reply(request, 200, response);
}

enum MHD_Result gw_route_session_show(struct gw_request *request)
{
    return gw_reply_json(request, 200,
                         json_pack("{s:I, s:{s:s, s:s}}", "expires_us",
                                   (json_int_t)request->session.expires_us, "site", "name",
                                   request->console->site_name, "division",
                                   request->console->division));
}

enum MHD_Result gw_route_session_revoke(struct gw_request *request)
{
    if (gw_console_session_revoke(&request->console->db, request->session.id, gw_wall_us()) < 0 ||
        audit(request, "session.revoke") < 0)
        return refuse_database(request);
    gw_feed_revoked(&request->console->feed);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    set_cookie(response, "", 0);
    return gw_reply(request, 204, response);
}
