// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: heads of RTSP messages, their headers and parameters (ingest/rtsp_message.h).

#include <assert.h>
#include <string.h>

#include "core/error.h"
#include "ingest/rtsp_message.h"
#include "tests/fuzz/target.h"

static void read_headers(const struct gw_rtsp_message *message)
{
    static const char *const names[] = {
        "CSeq", "Content-Length", "Session", "Transport", "Location", "Public", "WWW-Authenticate"};
    static const char *const parameters[] = {"timeout", "interleaved", "server_port"};
    char value[128], parameter[16];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int n = 0; gw_rtsp_message_header(message, names[i], n, value, sizeof(value)); n++) {
            assert(strlen(value) < sizeof(value) && !strchr(value, '\n'));
            for (size_t k = 0; k < sizeof(parameters) / sizeof(parameters[0]); k++)
                gw_rtsp_parameter(value, parameters[k], parameter, sizeof(parameter));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_rtsp_message message, cut;
    const char *bytes = (const char *)data;

    int got = gw_rtsp_message_parse(bytes, size, &message);
    assert(got == 1 || got == 0 || got == GW_ERROR_INVALID);
    if (got == 0)
        assert(size < GW_RTSP_MOST_HEAD);
    if (got != 1)
        return 0;
    assert(message.size <= size && message.size <= GW_RTSP_MOST_HEAD);
    assert(message.body_size <= GW_RTSP_MOST_BODY);
    assert(message.head >= bytes && message.head + message.head_size <= bytes + message.size);
    assert(message.is_request ? message.method[0] : message.status >= 100 && message.status < 600);
    read_headers(&message);
    // As it arrives: what is only a beginning is nothing yet, and no fault.
    assert(gw_rtsp_message_parse(bytes, message.size - 1, &cut) == 0);
    assert(gw_rtsp_message_parse(bytes, message.size, &cut) == 1 && cut.size == message.size);
    return 0;
}
