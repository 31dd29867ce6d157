// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One RTSP session, from connect to the end, whatever ends it.
//
//   camera -> [session] -> sink (ring.h)
//
// Blocks its thread (libavformat does); run by supervisor.h, or by `gridwatch probe` directly.
// RTSP over TCP, basic and digest authentication, the first H.264 or H.265 track; audio and data
// tracks are not even set up. Every wait has a deadline on the monotonic clock.
#pragma once

#include "core/camera.h"
#include "core/log.h"
#include "core/packet.h"
#include "core/stop.h"

struct gw_session_config {
    const char *url; // without credentials; these three are borrowed for the call
    const char *username;
    const char *password;
    int64_t connect_timeout_us; // until the stream is described and playing
    int64_t stall_timeout_us;   // without one complete frame
};
extern const struct gw_session_config gw_session_defaults; // 10 s, 5 s; no URL

// What a session hands on, on its own thread.
struct gw_session_sink {
    void *opaque;
    // A complete frame, starting with a keyframe. Takes the packet or leaves it.
    void (*packet)(void *opaque, struct gw_packet *packet);
    // Connected and the first packet is coming. May be NULL.
    void (*online)(void *opaque, const struct gw_stream *stream);
};

// Runs until it ends. Returns why: GW_ERROR_STOPPED, _STALLED, _UNAUTHORIZED, _REFUSED, _NOT_FOUND,
// _NO_VIDEO, AVERROR_EOF (the camera ended it), or another FFmpeg code.
int gw_session_run(const struct gw_session_config *config, const struct gw_session_sink *sink,
                   const struct gw_log *log, struct gw_stop *stop);

// The same reason in words for people, with what to do ("user name or password refused; …").
const char *gw_session_reason(int error);
