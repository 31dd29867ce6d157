// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/error.h"

#include <libavutil/error.h>

const char *gw_strerror(int error)
{
    static _Thread_local char text[AV_ERROR_MAX_STRING_SIZE];

    if (error >= 0)
        return "no error";
    switch (error) {
    case GW_ERROR_STALLED: return "no complete frame for too long";
    case GW_ERROR_UNAUTHORIZED: return "user name or password refused";
    case GW_ERROR_REFUSED: return "connection refused";
    case GW_ERROR_NOT_FOUND: return "not found";
    case GW_ERROR_NO_VIDEO: return "no H.264 or H.265 video";
    case GW_ERROR_STOPPED: return "stopped";
    case GW_ERROR_LAPPED: return "the reader was too slow";
    case GW_ERROR_INVALID: return "malformed";
    case GW_ERROR_INDEX: return "the index failed";
    case GW_ERROR_BUSY: return "in use";
    case GW_ERROR_FORBIDDEN: return "not allowed";
    case GW_ERROR_NO_HOST: return "host name unknown";
    case GW_ERROR_NO_TRANSPORT: return "not by this transport";
    }
    // Names both -errno and FFmpeg's tags, and says the number of what it does not know.
    av_strerror(error, text, sizeof(text));
    return text;
}
