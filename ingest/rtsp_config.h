// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whom an RTSP client asks, as whom, and where media goes.
//
//   dial.h -> [rtsp_config] -> rtsp_connection.h, rtsp.h
//
// Data only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/stop.h"
#include "ingest/dial.h"

struct gw_rtsp_config {
    const char *url, *username, *password; // all borrowed, as are the next three
    const struct gw_dialer *dialer;
    const struct gw_log *log;
    struct gw_stop *stop;

    void *opaque;
    // Media within the connection, by channel number. Borrows bytes. Returns 0 or why to end.
    int (*media)(void *opaque, int channel, const uint8_t *bytes, size_t size);
};
