// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What hub and worker say to each other: one JSON object per message, over ROUTER/DEALER.
//
//   worker -> hub   hello {boot, worker} · fact {seq, fact} · status {cameras} · covered {cameras}
//   hub -> worker   assign {settings, cameras} · repair {clips} · ack {seq} · stop
//
// Facts are resent until acked; the hub acks what its commit has put on the disk. The socket lies
// in a folder that only the site's user can enter, because an assignment carries camera passwords.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/camera.h"
#include "core/clip.h"
#include "core/fact.h"
#include "core/level.h"
#include "ingest/session.h"

// What every pipeline of a site has in common. The worker gets it from the hub with its cameras.
// All are of one type: they travel and are compared as a list of numbers.
struct gw_settings {
    int64_t preroll_us, postroll_us, split_us;
    int64_t ring_bytes;       // each camera's
    int64_t ring_total_bytes; // of all of the worker's cameras together
    int64_t stall_us;
    int64_t level;     // of analysis, an enum gw_level
    int64_t transport; // that is tried first, an enum gw_transport
};

json_t *gw_protocol_hello(const struct gw_id *boot, const char *worker);
json_t *gw_protocol_fact(uint64_t seq, const struct gw_fact *fact);
// Only what a worker needs of a camera: id, URLs and their credentials, record mode, zones.
json_t *gw_protocol_assign(const struct gw_settings *settings, const struct gw_camera *cameras,
                           int count);
json_t *gw_protocol_repair(const struct gw_clip *clips, int count);
json_t *gw_protocol_ack(uint64_t seq);
json_t *gw_protocol_stop(void);

// "hello", "fact", …; "" when the message has no type.
const char *gw_protocol_type(const json_t *message);

// Readers return 0, or GW_ERROR_INVALID with the outputs untouched.
int gw_protocol_read_hello(const json_t *message, struct gw_id *ret_boot, char worker[32]);
int gw_protocol_read_fact(const json_t *message, uint64_t *ret_seq, struct gw_fact *ret);
// The caller frees *ret_cameras. Returns how many.
int gw_protocol_read_assign(const json_t *message, struct gw_settings *ret_settings,
                            struct gw_camera **ret_cameras);
// The caller frees *ret_clips. Returns how many.
int gw_protocol_read_repair(const json_t *message, struct gw_clip **ret_clips);
int gw_protocol_read_ack(const json_t *message, uint64_t *ret_seq);

json_t *gw_protocol_status(const struct gw_camera_metrics *metrics, int count);
// The caller frees *ret_metrics. Returns how many.
int gw_protocol_read_status(const json_t *message, struct gw_camera_metrics **ret_metrics);

// Once a second, beside the status: until when pictures of each camera were received, where that is
// what is covered.
json_t *gw_protocol_covered(const struct gw_coverage_stamp *stamps, int count);
// The caller frees *ret_stamps. Returns how many.
int gw_protocol_read_covered(const json_t *message, struct gw_coverage_stamp **ret_stamps);

// Sends message (and frees it) as the only or, with a routing id, second frame. Never blocks.
// Returns 0 or -errno.
int gw_protocol_send(void *socket, const struct gw_id *route, json_t *message);
// Receives without blocking. Returns 1 with a new reference in *ret_message, 0 when there is
// nothing, GW_ERROR_INVALID for a message that is no JSON object (it is consumed).
int gw_protocol_receive(void *socket, struct gw_id *ret_route, json_t **ret_message);
