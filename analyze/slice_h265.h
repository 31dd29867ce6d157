// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// H.265 parameter sets and slice headers, as far as the quantiser (ITU-T H.265, 7.3.2 and 7.3.6).
//
//   slice.c -> [slice_h265: nal.c]
#pragma once

#include "analyze/slice_h264.h"

// Of the sixteen sequence parameter sets that the standard allows a camera uses one; sets with
// higher ids are not kept, and their pictures are unknown.
enum { GW_H265_SPS_COUNT = 2, GW_H265_PPS_COUNT = 64 };
enum { GW_H265_SETS = 64, GW_H265_SET_PICTURES = 16, GW_H265_LONG_TERM = 32 };

// A short-term reference picture set, 7.4.8: before and after the picture, as distances.
struct gw_h265_set {
    uint8_t negatives, positives;
    uint16_t used; // bit n: entry n is used by the current picture; negatives first
    int16_t delta[GW_H265_SET_PICTURES];
};

struct gw_h265_sps {
    bool valid, separate_planes, chroma, long_term, temporal_mvp, sao;
    uint8_t sub_layers, qp_offset, poc_bits;
    uint8_t set_count, long_term_count;
    uint32_t long_term_used; // bit n: candidate n is used by the current picture
    struct gw_h265_set sets[GW_H265_SETS];
};

struct gw_h265_pps {
    bool valid, output_flag, cabac_init, weighted, weighted_b, lists_modification;
    uint8_t sps, extra_bits, references[2];
    int8_t qp;
};

struct gw_h265 {
    struct gw_h265_sps sps[GW_H265_SPS_COUNT];
    struct gw_h265_pps pps[GW_H265_PPS_COUNT];
};

// As in slice_h264.h.
enum gw_nal_use gw_h265_use(const uint8_t *nal, size_t size);
void gw_h265_take(struct gw_h265 *h265, const uint8_t *nal, size_t size);
bool gw_h265_slice(const struct gw_h265 *h265, const uint8_t *nal, size_t size,
                   struct gw_picture_info *ret);
