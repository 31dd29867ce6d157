// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/slice_h264.h"

// Table 7-1.
enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS = 8, HEADER_SIZE = 1 };
// Table 7-6, modulo 5.
enum { SLICE_P, SLICE_B, SLICE_I, SLICE_SP, SLICE_SI };
enum { REFERENCES_MAX = 32 };

enum gw_nal_use gw_h264_use(const uint8_t *nal, size_t size)
{
    const int type = size > 0 ? nal[0] & 31 : 0;

    if (type == NAL_SLICE || type == NAL_IDR)
        return GW_NAL_SLICE;
    return type == NAL_SPS || type == NAL_PPS ? GW_NAL_PARAMETERS : GW_NAL_OTHER;
}

// --- sequence parameter sets, 7.3.2.1.1 ----------------------------------------------------------

// 7.3.2.1.1.1
static void skip_scaling_list(struct gw_bits *bits, int size)
{
    int last = 8, next = 8;

    for (int i = 0; i < size && !bits->bad; i++) {
        if (next != 0)
            next = (last + gw_bits_se(bits)) & 255;
        last = next == 0 ? last : next;
    }
}

static void skip_scaling_matrix(struct gw_bits *bits, int lists)
{
    if (!gw_bits_flag(bits))
        return;
    for (int i = 0; i < lists; i++)
        if (gw_bits_flag(bits))
            skip_scaling_list(bits, i < 6 ? 16 : 64);
}

static bool has_chroma_format(uint32_t profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};

    for (size_t i = 0; i < sizeof(profiles); i++)
        if (profiles[i] == profile)
            return true;
    return false;
}

static void read_format(struct gw_bits *bits, struct gw_h264_sps *sps)
{
    sps->chroma_format = (uint8_t)gw_bits_ue(bits, 3);
    if (sps->chroma_format == 3)
        sps->separate_planes = gw_bits_flag(bits);
    sps->qp_offset = (uint8_t)(6 * gw_bits_ue(bits, 6));
    gw_bits_ue(bits, 6); // bit depth of chroma
    gw_bits_skip(bits, 1);
    skip_scaling_matrix(bits, sps->chroma_format == 3 ? 12 : 8);
}

static void read_order_count(struct gw_bits *bits, struct gw_h264_sps *sps)
{
    sps->poc_type = (uint8_t)gw_bits_ue(bits, 2);
    if (sps->poc_type == 0)
        sps->poc_bits = (uint8_t)(gw_bits_ue(bits, 12) + 4);
    if (sps->poc_type != 1)
        return;
    sps->delta_always_zero = gw_bits_flag(bits);
    // Two offsets and a cycle of them; they may have 32 bits.
    for (int i = 0; i < 2; i++)
        gw_bits_ue(bits, UINT32_MAX);
    const uint32_t cycle = gw_bits_ue(bits, 255);
    for (uint32_t i = 0; i < cycle && !bits->bad; i++)
        gw_bits_ue(bits, UINT32_MAX);
}

static void take_sps(struct gw_h264 *h264, struct gw_bits *bits)
{
    struct gw_h264_sps sps = {.chroma_format = 1};
    const uint32_t profile = gw_bits_read(bits, 8);

    gw_bits_skip(bits, 16); // constraints, level
    const uint32_t id = gw_bits_ue(bits, GW_H264_SPS_COUNT - 1);
    if (bits->bad)
        return;
    if (has_chroma_format(profile))
        read_format(bits, &sps);
    sps.frame_num_bits = (uint8_t)(gw_bits_ue(bits, 12) + 4);
    read_order_count(bits, &sps);
    gw_bits_ue(bits, 16); // reference frames
    gw_bits_skip(bits, 1);
    gw_bits_ue(bits, 65535); // width and height in macroblocks
    gw_bits_ue(bits, 65535);
    sps.frames_only = gw_bits_flag(bits);
    sps.valid = !bits->bad;
    h264->sps[id] = sps;
}

// --- picture parameter sets, 7.3.2.2 -------------------------------------------------------------

static void take_pps(struct gw_h264 *h264, struct gw_bits *bits)
{
    struct gw_h264_pps pps = {0};
    const uint32_t id = gw_bits_ue(bits, GW_H264_PPS_COUNT - 1);

    if (bits->bad)
        return;
    pps.sps = (uint8_t)gw_bits_ue(bits, GW_H264_SPS_COUNT - 1);
    pps.cabac = gw_bits_flag(bits);
    pps.bottom_poc = gw_bits_flag(bits);
    // Slice groups (flexible macroblock order) are in no camera's profile; their streams are
    // unknown.
    bits->bad |= gw_bits_ue(bits, 7) != 0;
    for (int i = 0; i < 2; i++)
        pps.references[i] = (uint8_t)(gw_bits_ue(bits, REFERENCES_MAX - 1) + 1);
    pps.weighted = gw_bits_flag(bits);
    pps.weighted_b = (uint8_t)gw_bits_read(bits, 2);
    const int32_t qp = 26 + gw_bits_se(bits);
    bits->bad |= qp < -36 || qp > 51;
    pps.qp = (int8_t)(bits->bad ? 0 : qp);
    gw_bits_se(bits); // of SP and SI slices
    gw_bits_se(bits); // of chroma
    gw_bits_skip(bits, 2);
    pps.redundant = gw_bits_flag(bits);
    pps.valid = !bits->bad;
    h264->pps[id] = pps;
}

void gw_h264_take(struct gw_h264 *h264, const uint8_t *nal, size_t size)
{
    struct gw_bits bits;

    if (size < HEADER_SIZE)
        return;
    gw_bits_begin(&bits, nal, size, HEADER_SIZE);
    if ((nal[0] & 31) == NAL_SPS)
        take_sps(h264, &bits);
    else
        take_pps(h264, &bits);
}

// --- slices, 7.3.3 -------------------------------------------------------------------------------

// What the parts of a slice header need to know of each other.
struct slice {
    const struct gw_h264_sps *sps;
    const struct gw_h264_pps *pps;
    uint32_t type;
    int reference_idc;
    bool idr, field;
    uint32_t references[2];
};

static bool is_intra(const struct slice *slice)
{
    return slice->type == SLICE_I || slice->type == SLICE_SI;
}

static void skip_order_count(struct gw_bits *bits, const struct slice *slice)
{
    const struct gw_h264_sps *sps = slice->sps;
    const bool bottom = slice->pps->bottom_poc && !slice->field;

    if (sps->poc_type == 0) {
        gw_bits_skip(bits, sps->poc_bits);
        if (bottom)
            gw_bits_ue(bits, UINT32_MAX);
    } else if (sps->poc_type == 1 && !sps->delta_always_zero) {
        gw_bits_ue(bits, UINT32_MAX);
        if (bottom)
            gw_bits_ue(bits, UINT32_MAX);
    }
}

static void read_references(struct gw_bits *bits, struct slice *slice)
{
    if (slice->type == SLICE_B)
        gw_bits_skip(bits, 1); // direct prediction
    for (int i = 0; i < 2; i++)
        slice->references[i] = slice->pps->references[i];
    if (is_intra(slice) || !gw_bits_flag(bits))
        return;
    slice->references[0] = gw_bits_ue(bits, REFERENCES_MAX - 1) + 1;
    if (slice->type == SLICE_B)
        slice->references[1] = gw_bits_ue(bits, REFERENCES_MAX - 1) + 1;
}

// 7.3.3.1
static void skip_list_modification(struct gw_bits *bits, const struct slice *slice)
{
    const int lists = is_intra(slice) ? 0 : slice->type == SLICE_B ? 2 : 1;

    for (int list = 0; list < lists; list++) {
        if (!gw_bits_flag(bits))
            continue;
        for (int i = 0; gw_bits_ue(bits, 3) != 3 && !bits->bad; i++) {
            gw_bits_ue(bits, UINT32_MAX);
            bits->bad |= i > REFERENCES_MAX;
        }
    }
}

// 7.3.3.2
static void skip_weights(struct gw_bits *bits, const struct slice *slice)
{
    const bool p = slice->type == SLICE_P || slice->type == SLICE_SP;
    const bool chroma = slice->sps->chroma_format != 0 && !slice->sps->separate_planes;

    if (!(p && slice->pps->weighted) && !(slice->type == SLICE_B && slice->pps->weighted_b == 1))
        return;
    gw_bits_ue(bits, 7);
    if (chroma)
        gw_bits_ue(bits, 7);
    for (int list = 0; list < (p ? 1 : 2); list++)
        for (uint32_t i = 0; i < slice->references[list] && !bits->bad; i++) {
            if (gw_bits_flag(bits))
                for (int n = 0; n < 2; n++)
                    gw_bits_se(bits);
            if (chroma && gw_bits_flag(bits))
                for (int n = 0; n < 4; n++)
                    gw_bits_se(bits);
        }
}

// 7.3.3.3
static void skip_marking(struct gw_bits *bits, const struct slice *slice)
{
    if (slice->reference_idc == 0)
        return;
    if (slice->idr) {
        gw_bits_skip(bits, 2);
        return;
    }
    if (!gw_bits_flag(bits))
        return;
    for (int i = 0; !bits->bad; i++) {
        const uint32_t operation = gw_bits_ue(bits, 6);
        if (operation == 0)
            return;
        if (operation != 5)
            gw_bits_ue(bits, UINT32_MAX);
        if (operation == 3)
            gw_bits_ue(bits, UINT32_MAX);
        bits->bad |= i > 2 * REFERENCES_MAX;
    }
}

static void skip_to_references(struct gw_bits *bits, struct slice *slice)
{
    if (slice->sps->separate_planes)
        gw_bits_skip(bits, 2);
    gw_bits_skip(bits, slice->sps->frame_num_bits);
    if (!slice->sps->frames_only && gw_bits_flag(bits)) {
        slice->field = true;
        gw_bits_skip(bits, 1);
    }
    if (slice->idr)
        gw_bits_ue(bits, 65535);
    skip_order_count(bits, slice);
    if (slice->pps->redundant)
        gw_bits_ue(bits, 127);
}

static enum gw_picture_type picture_type(uint32_t slice_type)
{
    switch (slice_type) {
    case SLICE_B: return GW_PICTURE_B;
    case SLICE_I:
    case SLICE_SI: return GW_PICTURE_I;
    default: return GW_PICTURE_P;
    }
}

bool gw_h264_slice(const struct gw_h264 *h264, const uint8_t *nal, size_t size,
                   struct gw_picture_info *ret)
{
    struct gw_bits bits;
    struct slice slice = {.reference_idc = nal[0] >> 5 & 3, .idr = (nal[0] & 31) == NAL_IDR};

    gw_bits_begin(&bits, nal, size < 256 ? size : 256, HEADER_SIZE);
    gw_bits_ue(&bits, UINT32_MAX); // first macroblock
    slice.type = gw_bits_ue(&bits, 9) % 5;
    slice.pps = &h264->pps[gw_bits_ue(&bits, GW_H264_PPS_COUNT - 1)];
    if (bits.bad)
        return false;
    ret->type = picture_type(slice.type);
    ret->reference = slice.reference_idc != 0;
    slice.sps = &h264->sps[slice.pps->sps];
    if (!slice.pps->valid || !slice.sps->valid)
        return false;
    skip_to_references(&bits, &slice);
    read_references(&bits, &slice);
    skip_list_modification(&bits, &slice);
    skip_weights(&bits, &slice);
    skip_marking(&bits, &slice);
    if (slice.pps->cabac && !is_intra(&slice))
        gw_bits_ue(&bits, 2);
    const int qp = slice.pps->qp + gw_bits_se(&bits) + slice.sps->qp_offset;
    if (bits.bad || qp < 0 || qp > 51 + slice.sps->qp_offset)
        return false;
    ret->qp = qp;
    return true;
}
