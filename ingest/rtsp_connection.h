// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One connection to a camera: writes requests, logs in, and sorts what comes into the answer that
// is waited for, other answers, requests of the camera's own, and media.
//
//   channel.h, rtsp_message.h, rtsp_auth.h, rtsp_config.h -> [rtsp_connection] -> rtsp.c
//
// Every call ends with its deadline or the stop. Errors: AVERROR_EOF, -errno, -ETIMEDOUT,
// GW_ERROR_STOPPED, GW_ERROR_INVALID, and what the callbacks return. Used by one thread.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/channel.h"
#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_config.h"
#include "ingest/rtsp_message.h"

// Set config, opaque and unasked, zero the rest up to text, and open.
struct gw_rtsp_connection {
    const struct gw_rtsp_config *config; // borrowed
    void *opaque;
    // An answer that no request waits for. Borrows it. Returns 0 or why to end.
    int (*unasked)(void *opaque, const struct gw_rtsp_message *answer);

    char session[128]; // told in every request; "" before SETUP
    struct gw_rtsp_auth auth;

    struct gw_channel *channel; // NULL while closed
    bool foreign;               // not the registered host, which alone hears who we are
    unsigned sequence;          // of the last request
    uint64_t unanswered;        // bit n: the n-th request before the last had no answer in time
    size_t garbage;             // bytes skipped since the last message
    bool waiting;               // a request has no answer yet
    int64_t due_us;             // until when it may take; INT64_MAX while there is none

    // The last answer that was waited for; its status is 0 while it is. Its bytes are in text, its
    // body answer.size from there.
    struct gw_rtsp_message answer;
    char text[GW_RTSP_MOST_HEAD + GW_RTSP_MOST_BODY + 1];
};

// To the host of url; to another than that of config->url no credentials go.
int gw_rtsp_connection_open(struct gw_rtsp_connection *connection, const char *url,
                            int64_t deadline_mono_us);
// Never waits, and forgets session and login. It may be opened again.
void gw_rtsp_connection_close(struct gw_rtsp_connection *connection);

// Asks, logs in when the camera wants it, and waits for the answer. lines are further header lines,
// each with its line break. Returns 0 with any answer but a 401, for which it returns
// GW_ERROR_UNAUTHORIZED when there is no (other) login to try.
int gw_rtsp_connection_ask(struct gw_rtsp_connection *connection, const char *method,
                           const char *uri, const char *lines, int64_t deadline_mono_us);
// Reads the body of the last answer, whose length the camera did not say.
int gw_rtsp_connection_read_body(struct gw_rtsp_connection *connection, int64_t deadline_mono_us);

// Asks without waiting for the answer: that goes to unasked.
int gw_rtsp_connection_send(struct gw_rtsp_connection *connection, const char *method,
                            const char *uri, const char *lines, int64_t deadline_mono_us);
// The same for a farewell that nobody needs to hear: what does not go at once is not sent.
void gw_rtsp_connection_offer(struct gw_rtsp_connection *connection, const char *method,
                              const char *uri);
// Sends media of ours, of at most 64 bytes, on a channel of the connection.
int gw_rtsp_connection_send_media(struct gw_rtsp_connection *connection, int channel,
                                  const uint8_t *bytes, size_t size);

// Takes all that has arrived whole.
int gw_rtsp_connection_take(struct gw_rtsp_connection *connection);
// Waits for more, or for others, and takes that.
int gw_rtsp_connection_step(struct gw_rtsp_connection *connection, struct pollfd *others, int count,
                            int64_t deadline_mono_us);
