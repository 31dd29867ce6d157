// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// An RTSP 1.0 client (RFC 2326): connects, follows redirects, asks for what there is and for its
// video, and keeps the session alive.
//
//   rtsp_connection.h, sdp.h -> [rtsp] -> session.c
//
// Every call ends with its deadline or the stop. Used by one thread.
#pragma once

#include <poll.h>
#include <stdbool.h>

#include "ingest/rtsp_config.h"
#include "ingest/sdp.h"

struct gw_rtsp;

// How the camera sends a track.
struct gw_rtsp_route {
    bool udp;
    int channels[2];         // of RTP and RTCP within the connection
    uint16_t client_port;    // ours, of RTP; RTCP's is the next
    uint16_t server_port[2]; // theirs; 0 when not told
};

// Connects and asks what there is. Errors: those of session.h.
int gw_rtsp_open(struct gw_rtsp **ret, const struct gw_rtsp_config *config, struct gw_sdp *ret_sdp,
                 int64_t deadline_mono_us);
// Says goodbye without waiting when polite, and disconnects. Accepts NULL inside.
void gw_rtsp_close(struct gw_rtsp **rtsp, bool polite);

// Asks for the track of sdp; route->udp and client_port are given, the rest is what the camera
// says.
int gw_rtsp_setup(struct gw_rtsp *rtsp, const struct gw_sdp *sdp, struct gw_rtsp_route *route,
                  int64_t deadline_mono_us);
int gw_rtsp_play(struct gw_rtsp *rtsp, const struct gw_sdp *sdp, int64_t deadline_mono_us);

// Takes everything that has come, hands on media, answers what the camera asks, keeps the session
// alive, and waits for more when there was nothing: for the camera or for others, until the
// deadline. Returns 0, what media returned, AVERROR_EOF, -errno, GW_ERROR_STOPPED,
// GW_ERROR_INVALID.
int gw_rtsp_step(struct gw_rtsp *rtsp, struct pollfd *others, int count, int64_t deadline_mono_us);

// Sends media of ours (a receiver report) on a channel of the connection.
int gw_rtsp_send_media(struct gw_rtsp *rtsp, int channel, const uint8_t *bytes, size_t size);

// The connection's socket, which names the camera's address; borrowed.
int gw_rtsp_fd(const struct gw_rtsp *rtsp);
