// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Follows the bus: one SUB socket, its prefixes, and an eye on the sequence.
//
// Used by one thread. For `gridwatch subscribe` and for tests.
#pragma once

#include "bus/wire.h"
#include "core/stop.h"

struct gw_subscriber;

// A message as it came; pointers are valid until the next receive.
struct gw_bus_message {
    const char *topic;
    struct gw_wire_stamp stamp;
    const char *json;
    const uint8_t *thumbnail; // NULL when there is none
    size_t thumbnail_size;
};

// prefixes: topics begin with one of them; none means all. The heartbeat is always subscribed to.
int gw_subscriber_create(struct gw_subscriber **ret, void *zmq, const char *endpoint,
                         const char *const *prefixes, int prefix_count);
void gw_subscriber_destroy(struct gw_subscriber **subscriber);

// Waits for the next message that is well-formed; malformed ones are counted and skipped.
// Returns 1, 0 after timeout_us without one, or GW_ERROR_STOPPED (a signal arrived).
int gw_subscriber_receive(struct gw_subscriber *subscriber, int64_t timeout_us,
                          struct gw_bus_message *ret);
uint64_t gw_subscriber_malformed(const struct gw_subscriber *subscriber);
