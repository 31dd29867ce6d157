// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A session description (RFC 8866): which of a camera's tracks is video that we can record.
//
//   rtsp.c -> [sdp] -> session.c
//
// Pure. Reads any bytes; what it does not know it skips.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>

#include "core/url.h"

enum { GW_SDP_MOST_FORMATS = 4, GW_SDP_MOST_SETS = 2048 };

// One way in which the track may be encoded.
struct gw_sdp_format {
    int payload_type;
    enum AVCodecID codec; // H.264 or H.265
    int clock_rate;       // ticks per second
    size_t sets_size;     // parameter sets in Annex B form; 0 when it has none that can be read
    uint8_t sets[GW_SDP_MOST_SETS];
};

// The first video track in H.264 or H.265.
struct gw_sdp {
    char session_control[GW_URL_SIZE]; // for the session as a whole; "" when not told
    char control[GW_URL_SIZE];         // for the track; "" when not told
    int format_count;                  // 0: there is no such track
    struct gw_sdp_format formats[GW_SDP_MOST_FORMATS];
    double frame_rate; // as declared, which need not be true; 0 when not told
    char others[96];   // what else there is, for people: "audio PCMA, application …"
};

void gw_sdp_parse(const char *text, size_t size, struct gw_sdp *ret);
