// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/sse.h"
#include "core/error.h"

static bool parse_seq(const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    unsigned long long seq = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno)
        return false;
    *ret = seq;
    return true;
}

static bool takes_since(const void *opaque, const char *name)
{
    return !strcmp(name, "since");
}

// A browser that reconnects sends Last-Event-ID; since is for the first connection.
enum MHD_Result gw_route_stream(struct gw_request *request)
{
    const char *last = gw_request_header(request, "Last-Event-ID");
    const char *text = last ? last : gw_request_argument(request, "since");
    int64_t head = gw_index_head(request->index);
    char error[GW_ARGUMENT_ERROR_SIZE];
    uint64_t since;

    if (!gw_request_arguments_fit(request, takes_since, NULL, error))
        return gw_reply_problem(request, 400, "%s", error);
    if (head < 0)
        return gw_reply_index_error(request, GW_ERROR_INDEX, "fact");
    since = (uint64_t)head;
    if (text && !parse_seq(text, &since))
        return gw_reply_problem(request, 400, "%s: takes the number of a fact",
                                last ? "Last-Event-ID" : "since");
    // A number that is not given out yet comes from another index; what it missed is not known
    // here.
    if (since > (uint64_t)head)
        since = (uint64_t)head;
    return gw_sse_reply(request, since);
}
