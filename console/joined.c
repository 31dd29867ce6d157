// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/joined.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/range.h"
#include "console/server.h"
#include "core/error.h"

#define BLOCK_SIZE (128 * 1024)

struct sending {
    struct gw_media_reader *reader;
    int64_t first; // of the part
    const struct gw_log *log;
};

static ssize_t send_part(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct sending *sending = cls;
    ssize_t got = gw_media_read(sending->reader, sending->first + (int64_t)position, buffer, room);
    if (got > 0)
        return got;
    if (got < 0)
        gw_log_warning(sending->log, "cannot send joined clips any further: %s",
                       gw_strerror((int)got));
    return got < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
}

static void end_part(void *cls)
{
    struct sending *sending = cls;
    gw_media_reader_destroy(&sending->reader);
    free(sending);
}

static struct MHD_Response *create_response(const struct gw_request *request,
                                            struct gw_media_plan *plan,
                                            const struct gw_range *range)
{
    struct sending *sending = calloc(1, sizeof(*sending));
    if (!sending)
        return NULL;
    sending->first = (int64_t)range->first;
    sending->log = request->console->log;
    if (gw_media_reader_create(&sending->reader, plan) < 0) {
        free(sending);
        return NULL;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(range->length, BLOCK_SIZE, send_part, sending, end_part);
    if (!response)
        end_part(sending);
    return response;
}

static void add_number(struct MHD_Response *response, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    gw_response_header(response, name, text);
}

static void describe(struct MHD_Response *response, const struct gw_media_plan *plan)
{
    gw_response_header(response, "Content-Type", "video/mp4");
    gw_response_header(response, "Cache-Control", "private, no-cache");
    gw_response_header(response, "Accept-Ranges", "bytes");
    gw_response_header(response, "ETag", plan->tag);
    add_number(response, "X-Gridwatch-From-Us", plan->from_us);
    add_number(response, "X-Gridwatch-To-Us", plan->to_us);
}

static enum MHD_Result reply_unsatisfiable(struct gw_request *request,
                                           const struct gw_media_plan *plan)
{
    char text[64];
    struct MHD_Response *response =
        gw_response_problem(416, "the range has %" PRId64 " bytes", plan->size);
    snprintf(text, sizeof(text), "bytes */%" PRId64, plan->size);
    gw_response_header(response, "Content-Range", text);
    return gw_reply(request, 416, response);
}

enum MHD_Result gw_reply_joined(struct gw_request *request, struct gw_media_plan *plan)
{
    char text[80];
    struct gw_range range = {0, (uint64_t)plan->size};
    enum gw_range_kind kind = GW_RANGE_WHOLE;
    const char *condition = gw_request_header(request, "If-Range");

    // RFC 9110: Range is for GET only; with If-Range only for the bytes that were sent before.
    if (!request->head && (!condition || !strcmp(condition, plan->tag)))
        kind = gw_range_parse(gw_request_header(request, "Range"), (uint64_t)plan->size, &range);
    if (kind == GW_RANGE_UNSATISFIABLE)
        return reply_unsatisfiable(request, plan);
    struct MHD_Response *response = create_response(request, plan, &range);
    describe(response, plan);
    if (kind == GW_RANGE_WHOLE)
        return gw_reply(request, 200, response);
    snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, range.first,
             range.first + range.length - 1, plan->size);
    gw_response_header(response, "Content-Range", text);
    return gw_reply(request, 206, response);
}
