// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/server.h"
#include "core/error.h"

const char *gw_request_header(const struct gw_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *gw_request_argument(const struct gw_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct argument_check {
    const struct gw_request *request;
    gw_argument_taken takes;
    const void *opaque;
    char *error;
};

// Called for each argument as it was written.
static enum MHD_Result check_argument(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    const struct argument_check *check = cls;
    const char *wrong = NULL;

    if (strlen(name) != name_size || !check->takes(check->opaque, name))
        wrong = "there is no such argument here";
    else if (!value)
        wrong = "lacks its value";
    else if (strlen(value) != value_size)
        wrong = "holds a zero byte";
    else if (gw_request_argument(check->request, name) != value)
        wrong = "is there twice";
    if (wrong)
        snprintf(check->error, GW_ARGUMENT_ERROR_SIZE, "%.32s: %s", name, wrong);
    return wrong ? MHD_NO : MHD_YES;
}

bool gw_request_arguments_fit(const struct gw_request *request, gw_argument_taken takes,
                              const void *opaque, char error[GW_ARGUMENT_ERROR_SIZE])
{
    struct argument_check check = {request, takes, opaque, error};

    error[0] = '\0';
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, check_argument, &check);
    return !error[0];
}

void gw_response_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (response)
        MHD_add_response_header(response, name, value);
}

// What an answer says of itself unless its maker said otherwise.
static void set_default(struct MHD_Response *response, const char *name, const char *value)
{
    if (!MHD_get_response_header(response, name))
        MHD_add_response_header(response, name, value);
}

enum MHD_Result gw_reply(struct gw_request *request, unsigned status, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    set_default(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    set_default(response, "Cache-Control", "no-store");
    set_default(response, "X-Content-Type-Options", "nosniff");
    set_default(response, "Referrer-Policy", "no-referrer");
    set_default(response, "Cross-Origin-Resource-Policy", "same-origin");
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    atomic_fetch_add(&request->console->answers[status / 100], 1);
    gw_log_debug(request->console->log, "%s %s %s: %u", request->remote, request->method,
                 request->path, status);
    return result;
}

static struct MHD_Response *response_from_text(const char *type, char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(text);
    gw_response_header(response, "Content-Type", type);
    return response;
}

struct MHD_Response *gw_response_json(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(json);
    return text ? response_from_text("application/json", text) : NULL;
}

struct MHD_Response *gw_response_text(const char *type, const char *text)
{
    char *copy = strdup(text);
    return copy ? response_from_text(type, copy) : NULL;
}

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {400, "Bad request"},
        {401, "Not signed in"},
        {403, "Refused"},
        {404, "Not found"},
        {405, "Method not allowed"},
        {410, "Gone"},
        {413, "Too large"},
        {416, "No such range"},
        {429, "Too many attempts"},
        {503, "Temporarily impossible"},
    };
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

static struct MHD_Response *format_problem(unsigned status, const char *format, va_list values)
{
    char detail[512];

    vsnprintf(detail, sizeof(detail), format, values);
    json_t *json = json_pack("{s:s, s:i, s:s}", "title", title_of(status), "status", (int)status,
                             "detail", detail);
    if (!json) // a detail that quotes what is not UTF-8
        json = json_pack("{s:s, s:i, s:s}", "title", title_of(status), "status", (int)status,
                         "detail", "the request is not UTF-8");
    struct MHD_Response *response = gw_response_json(json);
    if (response) {
        MHD_del_response_header(response, "Content-Type", "application/json");
        MHD_add_response_header(response, "Content-Type", "application/problem+json");
    }
    return response;
}

struct MHD_Response *gw_response_problem(unsigned status, const char *detail, ...)
{
    va_list values;

    va_start(values, detail);
    struct MHD_Response *response = format_problem(status, detail, values);
    va_end(values);
    return response;
}

enum MHD_Result gw_reply_json(struct gw_request *request, unsigned status, json_t *json)
{
    return gw_reply(request, status, gw_response_json(json));
}

enum MHD_Result gw_reply_text(struct gw_request *request, unsigned status, const char *text)
{
    return gw_reply(request, status, gw_response_text("text/plain; charset=utf-8", text));
}

enum MHD_Result gw_reply_problem(struct gw_request *request, unsigned status, const char *detail,
                                 ...)
{
    va_list values;

    va_start(values, detail);
    struct MHD_Response *response = format_problem(status, detail, values);
    va_end(values);
    return gw_reply(request, status, response);
}

enum MHD_Result gw_reply_index_error(struct gw_request *request, int error, const char *noun)
{
    if (error == GW_ERROR_NOT_FOUND)
        return gw_reply_problem(request, 404, "there is no %s %s", noun, request->target);
    if (error == GW_ERROR_INVALID)
        return gw_reply_problem(request, 400, "cursor: not one that a page of %ss gave", noun);
    gw_log_error(request->console->log, "cannot read the index: %s: %s", gw_strerror(error),
                 gw_index_error(request->index));
    return gw_reply_problem(request, 503, "the index cannot be read; the site's log says why");
}
