// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The hub's door: makes the sockets to cameras for workers that may make none themselves.
//
//   worker: session.c -> door_client.c -> [door] -> socket, back as a descriptor
//
// A worker reads what cameras send, so it may be in the hands of one. It gets connections for
// cameras that are assigned to it, to the host that the camera's URL names or to where the policy
// of redirects lets that camera send it, and nothing else. The door has a thread of its own, which
// never waits for a name, a connection or a worker; it reads no byte that came from a camera.
// Everything here is called by the hub's thread.
#pragma once

#include <stdint.h>

#include "app/assignment.h"
#include "core/log.h"
#include "ingest/address.h"

struct gw_door;

struct gw_door_config {
    int workers; // how many there are at most
    enum gw_redirects redirects;
    const struct gw_log *log; // borrowed
};

struct gw_door_counters {
    uint64_t made;      // sockets handed out
    uint64_t refused;   // asked for what a worker may not have
    uint64_t malformed; // messages that make no sense
};

int gw_door_create(struct gw_door **ret, const struct gw_door_config *config);
void gw_door_destroy(struct gw_door **door);

// A new process of this worker has the other end of fd, which the door owns from now on. What an
// earlier process of the worker asked is forgotten.
void gw_door_admit(struct gw_door *door, int worker, int fd);
// Whose camera is whose. Copied; streams whose worker and host stay the same are not disturbed.
void gw_door_assign(struct gw_door *door, const struct gw_assignment *assignment);

void gw_door_count(struct gw_door *door, struct gw_door_counters *ret);
