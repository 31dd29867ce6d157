// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: what a camera may ask for in a 401, and what we then say (ingest/rtsp_auth.h).
//
// The input is the challenge's header lines.

#include <assert.h>
#include <stdio.h>

#include "ingest/rtsp_auth.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gw_rtsp_message answer = {
        .status = 401, .head = (const char *)data, .head_size = size};
    struct gw_rtsp_auth auth;
    char login[GW_RTSP_LOGIN_SIZE];

    bool can = gw_rtsp_auth_challenge(&auth, &answer);
    assert(can == (auth.scheme != GW_RTSP_NO_LOGIN));
    assert(!strpbrk(auth.realm, "\"\\\r\n") && !strpbrk(auth.nonce, "\"\\\r\n") &&
           !strpbrk(auth.opaque, "\"\\\r\n"));
    int error = gw_rtsp_auth_write(&auth, "op\"erator", "p@ss", "DESCRIBE", "rtsp://cam/1", login);
    assert(!error);
    // One line, whatever the challenge was.
    assert(strpbrk(login, "\r\n") == (can ? login + strlen(login) - 2 : NULL));
    return 0;
}
