// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// NAL units of H.264 and H.265, and the bits inside them. Reading never leaves the buffer: what
// lies beyond the end reads as zero and is noticed.
//
//   slice.c -> [nal] -> slice_h264.c, slice_h265.c
//
// Plain values without memory of their own; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The NAL units of one access unit, one after the other.
struct gw_nal_walk {
    const uint8_t *at, *end;
    int length_size; // bytes of the length before each (ISO/IEC 14496-15); 0: start codes (Annex B)
};
void gw_nal_walk_begin(struct gw_nal_walk *walk, const uint8_t *data, size_t size, int length_size);
// Returns false after the last one. *ret points into the data, at the NAL unit's header.
bool gw_nal_walk_next(struct gw_nal_walk *walk, const uint8_t **ret, size_t *ret_size);

// The first bytes of a NAL unit without emulation prevention (H.264 7.3.1, H.265 7.3.1.1): all that
// headers and parameter sets need.
enum { GW_NAL_HEAD = 1024 };
struct gw_bits {
    uint8_t bytes[GW_NAL_HEAD];
    size_t size; // bytes
    size_t at;   // bits
    bool bad;    // something was read that was not there, or that cannot be
};
void gw_bits_begin(struct gw_bits *bits, const uint8_t *nal, size_t size, size_t header_size);

uint32_t gw_bits_read(struct gw_bits *bits, int count); // up to 32 bits
void gw_bits_skip(struct gw_bits *bits, int count);
bool gw_bits_flag(struct gw_bits *bits);
// Exp-Golomb (H.264 9.1, H.265 9.2). A value above limit is bad, and 0.
uint32_t gw_bits_ue(struct gw_bits *bits, uint32_t limit);
int32_t gw_bits_se(struct gw_bits *bits); // -32768..32767
