// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One compressed picture of one camera: a light handle on a refcounted AVPacket.
//
//   ingest/session.c -> [packet] -> ingest/ring.c -> analyze/, storage/
//
// av->pts is the capture time in UTC microseconds (wall_us); in a file it counts from 0 at the
// first frame. av->dts is on the same axis, strictly increasing within a stream, never after pts.
// One owner per handle; share the bytes by taking another handle. Handles are not thread-safe,
// the bytes behind them are immutable and may be read by many threads.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/packet.h>

#include "core/gap.h"
#include "core/stream.h"

struct gw_packet {
    AVPacket *av;             // NULL in an empty handle
    struct gw_stream *stream; // what it needs to be decoded
    int64_t mono_us;          // arrival of its last byte
    enum gw_gap_cause lost;   // why pictures just before it are missing; NONE when none are
};

// Takes over *av and a new reference on stream.
void gw_packet_init(struct gw_packet *packet, AVPacket **av, struct gw_stream *stream,
                    int64_t mono_us);
// Makes dst another handle on src. dst must be empty. Returns 0 or -ENOMEM.
int gw_packet_ref(struct gw_packet *dst, const struct gw_packet *src);
// Empties the handle. Accepts an empty one.
void gw_packet_unref(struct gw_packet *packet);
// dst (empty) takes what src had; src is empty afterwards.
void gw_packet_move(struct gw_packet *dst, struct gw_packet *src);

static inline int64_t gw_packet_wall_us(const struct gw_packet *packet)
{
    return packet->av->pts;
}

static inline bool gw_packet_is_key(const struct gw_packet *packet)
{
    return packet->av->flags & AV_PKT_FLAG_KEY;
}
