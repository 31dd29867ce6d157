// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A worker's end of the hub's door: a dialer for sessions whose sockets the hub makes.
//
//   session.c -> [door_client] <-> door.c in the hub
//
// Any number of sessions ask at once, each waits for its own answer; one thread reads them. When
// the hub is gone every call says -EPIPE, and the worker ends.
#pragma once

#include "app/door_message.h"
#include "ingest/dial.h"

struct gw_door_client;

// Takes fd, one end of a SOCK_SEQPACKET pair. Starts the thread.
int gw_door_client_create(struct gw_door_client **ret, int fd);
// Nobody asks any more.
void gw_door_client_destroy(struct gw_door_client **client);

// A stream of a camera: what the dialer's functions get as their opaque. A plain value.
struct gw_door_caller {
    struct gw_door_client *client;
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_door_stream stream;
};
// Borrows caller.
struct gw_dialer gw_door_dialer(struct gw_door_caller *caller);
