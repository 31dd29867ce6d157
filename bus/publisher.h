// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Publishes committed facts, in order, on an XPUB socket, and a heartbeat each second.
//
//   storage/index.h -> (app/hub.c) -> [publisher] -> subscribers
//
// Used by the hub's thread only. Never blocks: a subscriber that does not keep up loses messages at
// its own queue (ZMQ_SNDHWM) and sees it from the heartbeat's head and the holes in seq.
#pragma once

#include "bus/wire.h"

struct gw_publisher;

struct gw_publisher_config {
    void *zmq;            // borrowed context
    const char *endpoint; // "tcp://127.0.0.1:8472"; port * picks a free one
    const char *source;   // for the envelopes
    uint64_t epoch;
    const char *store; // thumbnails are read from below it
    int queue_length;  // messages per subscriber; 0 = 10000
};

// Binds. Returns 0, or -EADDRINUSE and friends.
int gw_publisher_create(struct gw_publisher **ret, const struct gw_publisher_config *config);
void gw_publisher_destroy(struct gw_publisher **publisher);

// Where it really listens, after a * port.
const char *gw_publisher_endpoint(const struct gw_publisher *publisher);
// The socket, to poll for subscriptions coming in; call gw_publisher_read when readable.
void *gw_publisher_socket(struct gw_publisher *publisher);
void gw_publisher_read(struct gw_publisher *publisher);

int gw_publisher_send(struct gw_publisher *publisher, const struct gw_committed_fact *fact);
int gw_publisher_heartbeat(struct gw_publisher *publisher, uint64_t head, int64_t wall_us);

struct gw_publisher_counters {
    uint64_t published, heartbeats, subscriptions;
};
void gw_publisher_count(const struct gw_publisher *publisher, struct gw_publisher_counters *ret);
