// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The head of one RTSP message, a camera's answer or its request, as it lies in the buffer.
//
//   channel.h -> [rtsp_message] -> rtsp_connection.c, rtsp.c
//
// Pure. What is larger than its limit is refused; bare line feeds and any case are accepted,
// because cameras send them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define GW_RTSP_MOST_HEAD (16 << 10) // bytes up to the empty line
#define GW_RTSP_MOST_BODY (48 << 10) // bytes of a description

struct gw_rtsp_message {
    bool is_request;
    char method[24];  // of a request
    int status;       // of an answer, 100..599
    const char *head; // its header lines, behind the first line; borrowed from the bytes
    size_t head_size; // of them
    size_t size;      // of all up to the body
    size_t body_size; // by its Content-Length; 0 without one
};

// Returns 1 when the whole head is there, 0 when more has to come, GW_ERROR_INVALID when this is no
// RTSP or is too large.
int gw_rtsp_message_parse(const char *bytes, size_t size, struct gw_rtsp_message *ret);

// The n-th (from 0) header of that name, without white space around it, cut at the end of ret.
// Returns whether there is one; if not, ret is "".
bool gw_rtsp_message_header(const struct gw_rtsp_message *message, const char *name, int n,
                            char *ret, size_t size);

// The value of a parameter within a header: "timeout" in "4711;timeout=60", "interleaved" in
// "RTP/AVP/TCP;unicast;interleaved=0-1". Returns whether it is there; if not, ret is "".
bool gw_rtsp_parameter(const char *header, const char *name, char *ret, size_t size);
