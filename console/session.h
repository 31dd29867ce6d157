// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Signed-in browsers and programs: one-time login codes, and the sessions they are traded for.
//
//   `gridwatch user login` -> code -> [session] -> token in a cookie or a bearer header
//
// Sessions live in console.db, so they survive a restart; they end after 12 hours or when revoked.
// Any thread. Times are wall microseconds and an argument, for tests.
#pragma once

#include <stdint.h>

#include "console/db.h"
#include "core/clock.h"
#include "core/id.h"

#define GW_SESSION_TOKEN_SIZE  44 // 256 random bits, base64url
#define GW_SESSION_LIFETIME_US (12 * 3600 * GW_SECOND)

struct gw_console_session {
    char id[GW_ID_TEXT_SIZE]; // for the audit log; no secret
    int64_t expires_us;
};

// Makes a code that opens one session until expires_us. code has room for GW_LOGIN_CODE_SIZE.
// Returns 0 or GW_ERROR_INDEX.
int gw_console_session_make_code(struct gw_console_db *db, int64_t now_us, int64_t expires_us,
                                 char *code);

// Spends the code and opens a session. Returns 0; GW_ERROR_UNAUTHORIZED when the code is unknown,
// used or too old; GW_ERROR_INDEX.
int gw_console_session_open(struct gw_console_db *db, const char *code, const char *remote,
                            int64_t now_us, struct gw_console_session *ret,
                            char token[GW_SESSION_TOKEN_SIZE]);

// Whose token this is. Returns 0; GW_ERROR_UNAUTHORIZED when it is no valid session's (any more);
// GW_ERROR_INDEX.
int gw_console_session_find(struct gw_console_db *db, const char *token, int64_t now_us,
                            struct gw_console_session *ret);

// Whether this session is still valid: 0, GW_ERROR_UNAUTHORIZED or GW_ERROR_INDEX.
int gw_console_session_check(struct gw_console_db *db, const char *id, int64_t now_us);

// Ends a session at once. Returns 0 or GW_ERROR_INDEX.
int gw_console_session_revoke(struct gw_console_db *db, const char *id, int64_t now_us);
