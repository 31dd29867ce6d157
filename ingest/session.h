// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One RTSP session, from connect to the end, whatever ends it.
//
//   camera -> [session] -> sink (supervisor.h)
//
// Blocks its thread; run by supervisor.h, or by `gridwatch probe` directly. RTSP 1.0 over TCP or
// TLS, media within it or by UDP; basic and digest authentication; the first H.264 or H.265 track,
// the others are not even set up. Every wait has a deadline on the monotonic clock.
#pragma once

#include "core/camera.h"
#include "core/log.h"
#include "core/packet.h"
#include "core/stop.h"
#include "ingest/dial.h"

enum gw_transport {
    GW_TRANSPORT_TCP, // media within the RTSP connection
    GW_TRANSPORT_UDP,
};

struct gw_session_config {
    const char *url; // without credentials; these three are borrowed for the call
    const char *username;
    const char *password;
    enum gw_transport transport;
    bool only_transport;            // the camera knows no other: what it loses is borne
    int64_t connect_timeout_us;     // until the stream is described and playing
    int64_t stall_timeout_us;       // without one complete picture
    const struct gw_dialer *dialer; // borrowed
};
extern const struct gw_session_config gw_session_defaults; // TCP, 10 s, 5 s, direct; no URL

// What a session hands on, on its own thread. All but packet may be NULL.
struct gw_session_sink {
    void *opaque;
    // A complete picture, starting with a keyframe. Takes the packet or leaves it.
    void (*packet)(void *opaque, struct gw_packet *packet);
    // Connected, and the first picture that decoding can start with is coming.
    void (*online)(void *opaque, const struct gw_stream *stream);
    // So many RTP packets never came, by their sequence numbers.
    void (*lost)(void *opaque, unsigned packets);
    // The camera told its clock (RTCP sender report): it is so much ahead of ours, smoothed, µs.
    void (*clock)(void *opaque, int64_t offset_us);
    // A picture came that cannot be decoded, and is skipped with all up to the next keyframe. Not
    // told of those that are let go after a loss.
    void (*skipped)(void *opaque);
};

// Runs until it ends. Returns why: GW_ERROR_STOPPED, _STALLED, _UNAUTHORIZED, _REFUSED, _NOT_FOUND,
// _NO_VIDEO, _INVALID (it speaks no RTSP, or sends what cannot be decoded), _BUSY (the camera
// answers that it cannot serve us), _FORBIDDEN (it redirects to where we do not go),
// GW_ERROR_NO_TRANSPORT (not over the one asked for), AVERROR_EOF (the camera ended it), or -errno.
int gw_session_run(const struct gw_session_config *config, const struct gw_session_sink *sink,
                   const struct gw_log *log, struct gw_stop *stop);

// The same reason in words for people, with what to do ("user name or password refused; …").
const char *gw_session_reason(int error);
// What it is called in a gap.
enum gw_gap_cause gw_session_cause(int error);
