// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The pre-roll ring: the last seconds of one camera's packets, and the only queue between its
// session and those who read it.
//
//   session.c -> [ring] -> analysis, recorder
//
// One writer, several readers. Each reader keeps its own cursor, so the same packets serve the
// analysis (which may go back to a GOP's start) and the recorder (which starts in the past).
// When full: it drops its oldest GOPs, by bytes always and by age unless a hold keeps them; a
// reader that was still behind them is told (GW_ERROR_LAPPED) and goes on at the next keyframe. Any
// thread; one mutex inside, held for moments.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "core/packet.h"

struct gw_ring;

// What the rings of a process may hold together. While they hold more, a ring with more than its
// share (max_bytes / rings) drops its oldest GOPs at its next push until it has no more than that,
// stronger than age and holds. So a site with more cameras than memory loses pre-roll first where
// most of it is, and nothing that is being recorded by who keeps up. Rings whose cameras are silent
// do not push, and keep what they have. Any thread.
struct gw_ring_budget {
    atomic_size_t max_bytes; // 0: no limit
    atomic_size_t bytes;     // held by all rings
    atomic_int rings;
};

struct gw_ring_config {
    int64_t keep_us;  // every GOP that ends within this time before the newest packet stays
    size_t max_bytes; // hard limit on payload; stronger than keep_us and than holds
    struct gw_ring_budget *budget; // NULL for none; outlives the ring
};
extern const struct gw_ring_config gw_ring_defaults; // 8 s, 16 MiB

// A place in the ring: the number of a packet since the ring was made, starting at 0.
typedef uint64_t gw_cursor;
#define GW_CURSOR_NONE UINT64_MAX

int gw_ring_create(struct gw_ring **ret, const struct gw_ring_config *config);
void gw_ring_destroy(struct gw_ring **ring);

// Takes the packet; the handle is empty afterwards. Packets before the first keyframe of a stream
// must not be pushed. -ENOMEM when it did not fit into memory (the packet is dropped).
int gw_ring_push(struct gw_ring *ring, struct gw_packet *packet);

// Gives another handle on the packet at *cursor and advances it.
// Returns 1, 0 when there is none yet, GW_ERROR_LAPPED when that packet is gone: *cursor then
// stands at the oldest keyframe still held (or where the next packet will be).
int gw_ring_read(struct gw_ring *ring, gw_cursor *cursor, struct gw_packet *ret);

// The newest keyframe captured at or before wall_us, else the oldest keyframe held; the
// position of the next packet when the ring is empty.
gw_cursor gw_ring_find_key(struct gw_ring *ring, int64_t wall_us);
// The newest keyframe, GW_CURSOR_NONE if none is held.
gw_cursor gw_ring_newest_key(struct gw_ring *ring);
// Where the next packet will be.
gw_cursor gw_ring_head(struct gw_ring *ring);

// Keep everything from this cursor on (the recorder's place); GW_CURSOR_NONE lifts it.
void gw_ring_hold(struct gw_ring *ring, gw_cursor from);

size_t gw_ring_bytes(struct gw_ring *ring);
// GOPs that the budget alone made this ring drop.
uint64_t gw_ring_shed(struct gw_ring *ring);
