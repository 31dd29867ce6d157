// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Requests and answers, between libmicrohttpd and the routes.
//
// A handler gets a request that dispatch.c has prepared (method, session, id, index handle) and
// ends with one gw_reply…(). Times, numbers and ids are checked here once, so that no route parses
// text.
#pragma once

#include <stdbool.h>

#include <jansson.h>
#include <microhttpd.h>

#include "console/arguments.h"
#include "console/session.h"
#include "core/id.h"
#include "storage/index.h"

#define GW_TARGET_SIZE 64
#define GW_BODY_LIMIT  4096 // bytes; the only body is a login code

struct gw_console;

struct gw_request {
    struct gw_console *console;
    struct MHD_Connection *connection;
    const char *method, *path;         // borrowed for the request
    bool head;                         // HEAD: the same answer without its body
    char remote[46];                   // the client's address
    char target[GW_TARGET_SIZE];       // what {id} in the route's pattern stood for
    struct gw_id id;                   // the same, parsed; routes with GW_ROUTE_ID
    struct gw_console_session session; // routes with GW_ROUTE_SESSION
    struct gw_index *index;            // routes with GW_ROUTE_INDEX; only within the handler
    char *body;
    size_t body_size;
};

typedef enum MHD_Result (*gw_handler)(struct gw_request *request);

// A request header or a query argument; NULL when absent.
const char *gw_request_header(const struct gw_request *request, const char *name);
const char *gw_request_argument(const struct gw_request *request, const char *name);

// Whether each query argument is one that takes() names, is there once and has a value. Otherwise
// error is one line about the first that is not: a mistyped one would be missed by nobody else.
typedef bool (*gw_argument_taken)(const void *opaque, const char *name);
bool gw_request_arguments_fit(const struct gw_request *request, gw_argument_taken takes,
                              const void *opaque, char error[GW_ARGUMENT_ERROR_SIZE]);

// Answers. Each takes over what it is given and returns what the handler returns.
enum MHD_Result gw_reply(struct gw_request *request, unsigned status,
                         struct MHD_Response *response);
enum MHD_Result gw_reply_json(struct gw_request *request, unsigned status, json_t *json);
enum MHD_Result gw_reply_text(struct gw_request *request, unsigned status, const char *text);
// RFC 9457. The detail is for people: what is wrong and what to do.
__attribute__((format(printf, 3, 4))) enum MHD_Result gw_reply_problem(struct gw_request *request,
                                                                       unsigned status,
                                                                       const char *detail, ...);
// An error of the index: 400 for a bad cursor, 404, else 503 and a line in the log.
enum MHD_Result gw_reply_index_error(struct gw_request *request, int error, const char *noun);

// The same in two steps, when a header has to be added. NULL when there is no memory, which
// gw_reply() accepts and gw_response_header() too.
struct MHD_Response *gw_response_json(json_t *json);
struct MHD_Response *gw_response_text(const char *type, const char *text);
__attribute__((format(printf, 2, 3))) struct MHD_Response *gw_response_problem(unsigned status,
                                                                               const char *detail,
                                                                               ...);
void gw_response_header(struct MHD_Response *response, const char *name, const char *value);
