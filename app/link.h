// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The worker's end of the socket to the hub: facts go out until they are acked, orders come in.
//
//   disk thread, supervisors -> [link] -> hub.c
//
// gw_link_post from any thread; everything else from the worker's main thread only.
#pragma once

#include "app/protocol.h"

struct gw_link;

// Connects (in the background, for ever) and says hello. boot names this run of the worker.
// Returns 0, or -errno with the endpoint refused.
int gw_link_create(struct gw_link **ret, const char *endpoint, const char *worker);
void gw_link_destroy(struct gw_link **link);

// Queues a fact for the hub. The queue holds what the hub has not acked; when it is half full
// (32768 facts: a hub away for long), event updates are dropped, because the closing fact repeats
// what they say. Nothing else is ever dropped.
void gw_link_post(struct gw_link *link, const struct gw_fact *fact);

// Waits up to timeout_us for work, sends what is due, resends what is unacked for 2 s, and takes
// acks. Returns 1 with a message from the hub (new reference), or 0.
int gw_link_step(struct gw_link *link, int64_t timeout_us, json_t **ret_message);

void gw_link_send_status(struct gw_link *link, const struct gw_camera_metrics *metrics, int count);

void gw_link_send_covered(struct gw_link *link, const struct gw_coverage_stamp *stamps, int count);

// Whether every fact posted so far is acked.
bool gw_link_drained(struct gw_link *link);
