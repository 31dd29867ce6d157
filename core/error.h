// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Errors as numbers: 0 or a count is success, negative is failure.
//
// Three families share the negative range without colliding: -errno (which is also AVERROR(errno)),
// FFmpeg's own tags, and the codes below, which say what those two cannot.
#pragma once

#include <errno.h>

#define GW_ERROR(a, b, c) (-(int)(('G') | ((a) << 8) | ((b) << 16) | ((unsigned)(c) << 24)))

enum gw_error {
    GW_ERROR_STALLED = GW_ERROR('S', 'T', 'L'), // connected, but no complete frame for too long
    GW_ERROR_UNAUTHORIZED = GW_ERROR('A', 'U', 'T'), // user name or password refused
    GW_ERROR_REFUSED = GW_ERROR('R', 'E', 'F'),      // nobody listens there
    GW_ERROR_NOT_FOUND = GW_ERROR('N', 'F', 'D'),    // the server has no such stream or row
    GW_ERROR_NO_VIDEO = GW_ERROR('N', 'V', 'D'),     // no H.264 or H.265 video track
    GW_ERROR_STOPPED = GW_ERROR('S', 'T', 'P'),      // we were asked to stop
    GW_ERROR_LAPPED = GW_ERROR('L', 'A', 'P'),       // a reader was slower than its ring is long
    GW_ERROR_INVALID = GW_ERROR('I', 'N', 'V'),      // malformed input
    GW_ERROR_INDEX = GW_ERROR('I', 'D', 'X'),        // the index engine failed
    GW_ERROR_BUSY = GW_ERROR('B', 'S', 'Y'),         // somebody else holds it
    GW_ERROR_FORBIDDEN = GW_ERROR('F', 'B', 'D'),    // our own policy says no
    GW_ERROR_NO_HOST = GW_ERROR('N', 'H', 'S'),      // its name cannot be resolved
    GW_ERROR_NO_TRANSPORT = GW_ERROR('N', 'T', 'R'), // the camera does not send this way
};

// Exit codes of every verb; part of the command line's contract.
enum gw_exit {
    GW_EXIT_OK = 0,
    GW_EXIT_FAILED = 1,  // the thing asked for failed
    GW_EXIT_USAGE = 2,   // wrong usage
    GW_EXIT_CONFIG = 78, // bad configuration (EX_CONFIG)
};

// Says any of the codes above in a few lower-case words. The string is static or
// thread-local; it stays valid until the same thread's next call. Any thread.
const char *gw_strerror(int error);
