// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: session descriptions (ingest/sdp.h).

#include <assert.h>
#include <string.h>

#include "ingest/sdp.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gw_sdp sdp;

    gw_sdp_parse((const char *)data, size, &sdp);
    assert(sdp.format_count >= 0 && sdp.format_count <= GW_SDP_MOST_FORMATS);
    assert(strlen(sdp.control) < sizeof(sdp.control));
    assert(strlen(sdp.session_control) < sizeof(sdp.session_control));
    assert(strlen(sdp.others) < sizeof(sdp.others));
    assert(!strpbrk(sdp.control, "\r\n") && !strpbrk(sdp.session_control, "\r\n"));
    for (const char *c = sdp.others; *c; c++)
        assert(*c >= ' ' && *c < 0x7f && *c != '"');
    for (int i = 0; i < sdp.format_count; i++) {
        const struct gw_sdp_format *format = &sdp.formats[i];
        assert(format->payload_type >= 0 && format->payload_type <= 127);
        assert(format->codec == AV_CODEC_ID_H264 || format->codec == AV_CODEC_ID_HEVC);
        assert(format->clock_rate > 0 && format->sets_size <= sizeof(format->sets));
    }
    return 0;
}
