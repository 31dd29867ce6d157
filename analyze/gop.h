// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A group of pictures that may be decoded later: handles on the packets from a keyframe on.
//
//   held.c -> [gop] -> decode.c
//
// The bytes are shared with the ring, so this costs handles while the ring holds them too. One
// thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "analyze/gate.h"
#include "core/packet.h"

struct gw_gop_packet {
    struct gw_packet packet;
    struct gw_gate_verdict verdict;
    int qp;         // of the first slice; -1 unknown
    bool reference; // other pictures need it, or that is not known
    bool decoded;
};

struct gw_gop {
    struct gw_gop_packet *packets;
    int count, capacity;
    int fed; // the first so many were given to the decoder, as it stands now, or left out for good
    size_t bytes;
};

// Appends a handle on packet. Returns the entry, or NULL without memory.
struct gw_gop_packet *gw_gop_push(struct gw_gop *gop, const struct gw_packet *packet);
// Moves all packets of src behind those of gop. Returns 0, or -ENOMEM with both as they were.
int gw_gop_append(struct gw_gop *gop, struct gw_gop *src);
// Lets go of all packets; keeps the array.
void gw_gop_clear(struct gw_gop *gop);
void gw_gop_finish(struct gw_gop *gop);
