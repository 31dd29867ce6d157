// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// H.264 parameter sets and slice headers, as far as the quantiser (ITU-T H.264, 7.3.2 and 7.3.3).
//
//   slice.c -> [slice_h264: nal.c]
#pragma once

#include "analyze/nal.h"
#include "analyze/slice.h"

enum { GW_H264_SPS_COUNT = 32, GW_H264_PPS_COUNT = 256 };

struct gw_h264_sps {
    bool valid, separate_planes, frames_only, delta_always_zero;
    uint8_t chroma_format, poc_type, frame_num_bits, poc_bits, qp_offset;
};

struct gw_h264_pps {
    bool valid, cabac, bottom_poc, weighted, redundant;
    uint8_t sps, weighted_b, references[2];
    int8_t qp;
};

struct gw_h264 {
    struct gw_h264_sps sps[GW_H264_SPS_COUNT];
    struct gw_h264_pps pps[GW_H264_PPS_COUNT];
};

enum gw_nal_use { GW_NAL_OTHER, GW_NAL_SLICE, GW_NAL_PARAMETERS };

// What a NAL unit is.
enum gw_nal_use gw_h264_use(const uint8_t *nal, size_t size);
// Takes in a parameter set; one that cannot be read is invalid from then on.
void gw_h264_take(struct gw_h264 *h264, const uint8_t *nal, size_t size);
// Reads a slice's head into ret's type, reference and qp. Returns whether it was understood.
bool gw_h264_slice(const struct gw_h264 *h264, const uint8_t *nal, size_t size,
                   struct gw_picture_info *ret);
