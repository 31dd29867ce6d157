// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a coded picture says about itself without being decoded: its kind, its size, its quantiser.
//
//   packet.h -> [slice: nal.c, slice_h264.c, slice_h265.c] -> gate.c
//
// Reads parameter sets and the head of the first slice (ITU-T H.264 and H.265, 7.3), nothing else.
// Every loop has the standards' bound, nothing is allocated per packet, and whatever comes from the
// network can at worst make a picture unknown. Used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>

struct gw_slice_reader;

enum gw_picture_type { GW_PICTURE_UNKNOWN, GW_PICTURE_I, GW_PICTURE_P, GW_PICTURE_B };

struct gw_picture_info {
    enum gw_picture_type type; // of the first slice
    bool reference;            // other pictures may depend on it; true when not known
    int qp; // luma QP of the first slice, 0..51 and more with more than 8 bits; -1 unknown
    int slices;
    int slice_bytes; // without parameter sets, SEI and the like; all bytes when nothing is known
};

int gw_slice_reader_create(struct gw_slice_reader **ret); // 0 or -ENOMEM
void gw_slice_reader_destroy(struct gw_slice_reader **reader);

// Forgets all parameter sets and reads those of a stream's extradata: Annex B, avcC or hvcC; may be
// empty. It also says how the packets are to be read.
void gw_slice_reader_reset(struct gw_slice_reader *reader, enum AVCodecID codec,
                           const uint8_t *extradata, size_t size);

// Reads one access unit, and parameter sets that come with it. Returns whether a slice's head was
// understood; *ret is always filled.
bool gw_slice_read(struct gw_slice_reader *reader, const uint8_t *data, size_t size,
                   struct gw_picture_info *ret);
