// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Who we are, as a camera wants to hear it: basic (RFC 7617) and digest (RFC 7616, 2069) logins.
//
//   rtsp_message.h -> [rtsp_auth] -> rtsp_connection.c, rtsp.c
//
// Of several challenges the strongest counts: digest by SHA-256, digest by MD5, basic. Pure, but
// for the client's random number. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/url.h"
#include "ingest/rtsp_message.h"

enum gw_rtsp_scheme { GW_RTSP_NO_LOGIN, GW_RTSP_BASIC, GW_RTSP_MD5, GW_RTSP_SHA256 };

struct gw_rtsp_auth {
    enum gw_rtsp_scheme scheme;
    char realm[128], nonce[256], opaque[256];
    bool qop;        // the camera asked for qop=auth
    bool stale;      // of the last challenge: only the nonce was too old
    unsigned count;  // uses of this nonce
    char client[17]; // our own nonce
};

// Takes the challenges of a 401. Returns whether there is one that we can answer.
bool gw_rtsp_auth_challenge(struct gw_rtsp_auth *auth, const struct gw_rtsp_message *answer);

#define GW_RTSP_LOGIN_SIZE 1536

// Writes "Authorization: …\r\n" for this request, or "" when the camera asked for no login. The
// caller wipes ret. Returns 0, or GW_ERROR_INVALID when it does not fit.
int gw_rtsp_auth_write(struct gw_rtsp_auth *auth, const char *username, const char *password,
                       const char *method, const char *uri, char ret[GW_RTSP_LOGIN_SIZE]);
