// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The bus on the wire: multipart messages
//
//   [topic] [epoch u64 ‖ seq u64, big endian] [CloudEvents 1.0 JSON] [JPEG thumbnail, optional]
//
// Pure: bytes in, bytes out, no sockets. Written down for people in docs/ref/bus.md.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/fact.h"

#define GW_WIRE_STAMP_SIZE      16
#define GW_WIRE_HEARTBEAT_TOPIC "heartbeat"

struct gw_wire_stamp {
    uint64_t epoch; // which index
    uint64_t seq;   // which fact of it; in a heartbeat: the newest
};

void gw_wire_pack_stamp(const struct gw_wire_stamp *stamp, uint8_t ret[GW_WIRE_STAMP_SIZE]);
// Returns 0, or GW_ERROR_INVALID when size is wrong.
int gw_wire_parse_stamp(const uint8_t *bytes, size_t size, struct gw_wire_stamp *ret);

// The CloudEvents envelope around a fact's data. source names the site ("/gridwatch/640323").
// Returns a string to free(), NULL when fact->data is not JSON.
char *gw_wire_envelope(uint64_t epoch, const struct gw_committed_fact *fact, const char *source);
// The heartbeat's, data {"head": seq}.
char *gw_wire_heartbeat(const struct gw_wire_stamp *stamp, int64_t wall_us, const char *source);
