// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera from nothing but its URL, as `serve --camera` and `camera add` take it.
#pragma once

#include "core/camera.h"

// Splits the URL from its credentials and derives id and name from host, port and path
// ("rtsp://10.0.0.7/ch1" -> "10.0.0.7-ch1"). Records events, enabled, place unknown.
// Returns 0, or GW_ERROR_INVALID with *ret untouched.
int gw_camera_from_url(struct gw_camera *ret, const char *url);
