// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// RTP packets that came by UDP, brought back into their order.
//
//   session.c -> [reorder] -> rtp.h
//
// A packet whose predecessor is missing waits for it: at most 100 ms, and while there is room.
// Pure: times are arguments. Used by one thread.
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { GW_REORDER_SLOTS = 128, GW_REORDER_MOST = 2048 /* bytes of a datagram */ };
#define GW_REORDER_WAIT_US INT64_C(100000)

struct gw_reorder;

int gw_reorder_create(struct gw_reorder **ret);
void gw_reorder_destroy(struct gw_reorder **reorder);

// Where the next datagram may be read to, GW_REORDER_MOST bytes; NULL while there is no room: take
// some out first.
uint8_t *gw_reorder_room(struct gw_reorder *reorder);
// So many bytes were read to there. What is no RTP packet is let go.
void gw_reorder_put(struct gw_reorder *reorder, size_t size, int64_t mono_us);

// The next packet in order, or the first after a hole that was waited for long enough. Borrowed
// until the next call. NULL when there is none yet.
const uint8_t *gw_reorder_take(struct gw_reorder *reorder, int64_t mono_us, size_t *ret_size);

// When take will give up on a hole, INT64_MAX when there is none.
int64_t gw_reorder_due_us(const struct gw_reorder *reorder);
