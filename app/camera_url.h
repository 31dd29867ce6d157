// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera from nothing but its URL, as `serve --camera` and `camera add` take it.
#pragma once

#include "storage/index.h"

// Splits the URL from its credentials and derives id and name from host, port and path
// ("rtsp://10.0.0.7/ch1" -> "10.0.0.7-ch1"). Records events, enabled, place unknown.
// Returns 0, or GW_ERROR_INVALID with *ret untouched.
int gw_camera_from_url(struct gw_camera *ret, const char *url);

// Makes what gw_camera_from_url() gave one camera of the registry. Of one that has the URL already,
// everything is kept but the credentials, if new ones are given; any other gets id (NULL: one like
// its own that is not taken). Returns 0, or GW_ERROR_INVALID when id belongs to another URL.
int gw_camera_find_place(struct gw_camera *camera, const char *id,
                         const struct gw_camera_row *registered, int count);

// Registers cameras that were named at the start, all of them or none. They are enabled; one that
// is registered already keeps its id, place and record mode. Returns 0 or an error.
int gw_camera_register(struct gw_index *index, const struct gw_camera *cameras, int count);
