// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/slice_h265.h"

// Table 7-1.
enum { NAL_RASL_R = 9, NAL_BLA = 16, NAL_IDR = 19, NAL_IDR_N = 20, NAL_CRA = 21 };
enum { NAL_IRAP_LAST = 23, NAL_SPS = 33, NAL_PPS = 34, HEADER_SIZE = 2 };
// Table 7-7.
enum { SLICE_B, SLICE_P, SLICE_I };
enum { REFERENCES_MAX = 16 };

static int nal_type(const uint8_t *nal)
{
    return nal[0] >> 1 & 63;
}

enum gw_nal_use gw_h265_use(const uint8_t *nal, size_t size)
{
    const int type = size >= HEADER_SIZE ? nal_type(nal) : -1;

    // Other layers (nuh_layer_id) are not the picture that is decoded.
    if (type < 0 || (nal[0] & 1) || nal[1] >> 3)
        return GW_NAL_OTHER;
    if (type <= NAL_RASL_R || (type >= NAL_BLA && type <= NAL_CRA))
        return GW_NAL_SLICE;
    return type == NAL_SPS || type == NAL_PPS ? GW_NAL_PARAMETERS : GW_NAL_OTHER;
}

// Bits that number n things.
static int bits_for(uint32_t n)
{
    int bits = 0;

    while (n > UINT32_C(1) << bits)
        bits++;
    return bits;
}

// --- parts of parameter sets ---------------------------------------------------------------------

// 7.3.3
static void skip_profile(struct gw_bits *bits, int sub_layers)
{
    uint32_t present[8];

    gw_bits_skip(bits, 96);
    for (int i = 0; i < sub_layers; i++)
        present[i] = gw_bits_read(bits, 2);
    if (sub_layers > 0)
        gw_bits_skip(bits, 2 * (8 - sub_layers));
    for (int i = 0; i < sub_layers; i++)
        gw_bits_skip(bits, (present[i] & 2 ? 88 : 0) + (present[i] & 1 ? 8 : 0));
}

// 7.3.4
static void skip_scaling_lists(struct gw_bits *bits)
{
    for (int size = 0; size < 4; size++)
        for (int matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
            if (!gw_bits_flag(bits)) {
                gw_bits_ue(bits, 5);
                continue;
            }
            const int count = size == 0 ? 16 : 64;
            for (int i = size > 1 ? -1 : 0; i < count && !bits->bad; i++)
                gw_bits_se(bits);
        }
}

static void add_to_set(struct gw_h265_set *set, int delta, bool used)
{
    const int n = set->negatives + set->positives;

    if (n == GW_H265_SET_PICTURES)
        return;
    set->delta[n] = (int16_t)delta;
    set->used = (uint16_t)(set->used | used << n);
    if (delta < 0)
        set->negatives++;
    else
        set->positives++;
}

// One entry of a predicted set: that of the set it is predicted from, moved.
struct prediction {
    const struct gw_h265_set *from;
    int delta;
    uint32_t used, taken; // bit n: entry n; the last one is the other picture itself
};

static void predict_entry(struct gw_h265_set *set, const struct prediction *prediction, int n,
                          bool negative)
{
    const struct gw_h265_set *from = prediction->from;
    const bool itself = n == from->negatives + from->positives;
    const int delta = prediction->delta + (itself ? 0 : from->delta[n]);

    if (delta != 0 && (delta < 0) == negative && prediction->taken >> n & 1)
        add_to_set(set, delta, prediction->used >> n & 1);
}

// (7-61) and (7-62): which entries come in which order.
static void predict(struct gw_h265_set *set, const struct prediction *prediction)
{
    const int negatives = prediction->from->negatives;
    const int count = negatives + prediction->from->positives;

    for (int n = count - 1; n >= negatives; n--)
        predict_entry(set, prediction, n, true);
    predict_entry(set, prediction, count, true);
    for (int n = 0; n < negatives; n++)
        predict_entry(set, prediction, n, true);
    for (int n = negatives - 1; n >= 0; n--)
        predict_entry(set, prediction, n, false);
    predict_entry(set, prediction, count, false);
    for (int n = negatives; n < count; n++)
        predict_entry(set, prediction, n, false);
}

static void read_predicted_set(struct gw_bits *bits, const struct gw_h265_sps *sps, int index,
                               struct gw_h265_set *ret)
{
    const bool in_slice = index == sps->set_count;
    const int back = in_slice ? (int)gw_bits_ue(bits, 63) + 1 : 1;
    const bool negative = gw_bits_flag(bits);
    const int size = (int)gw_bits_ue(bits, 32767) + 1;

    bits->bad |= back > index;
    if (bits->bad)
        return;
    struct prediction prediction = {.from = &sps->sets[index - back],
                                    .delta = negative ? -size : size};
    const int count = prediction.from->negatives + prediction.from->positives;
    for (int n = 0; n <= count; n++) {
        const bool used = gw_bits_flag(bits);
        const bool taken = used || gw_bits_flag(bits);
        prediction.used |= (uint32_t)used << n;
        prediction.taken |= (uint32_t)taken << n;
    }
    predict(ret, &prediction);
}

// 7.3.7. The sets before index are known; index set_count is one in a slice header.
static void read_set(struct gw_bits *bits, const struct gw_h265_sps *sps, int index,
                     struct gw_h265_set *ret)
{
    *ret = (struct gw_h265_set){0};
    if (index > 0 && gw_bits_flag(bits)) {
        read_predicted_set(bits, sps, index, ret);
        return;
    }
    const int negatives = (int)gw_bits_ue(bits, GW_H265_SET_PICTURES);
    const int positives = (int)gw_bits_ue(bits, (uint32_t)(GW_H265_SET_PICTURES - negatives));
    for (int i = 0, delta = 0; i < negatives && !bits->bad; i++) {
        delta -= (int)gw_bits_ue(bits, 1023) + 1;
        add_to_set(ret, delta, gw_bits_flag(bits));
    }
    for (int i = 0, delta = 0; i < positives && !bits->bad; i++) {
        delta += (int)gw_bits_ue(bits, 1023) + 1;
        add_to_set(ret, delta, gw_bits_flag(bits));
    }
}

// --- sequence parameter sets, 7.3.2.2 ------------------------------------------------------------

static void read_sizes(struct gw_bits *bits, struct gw_h265_sps *sps)
{
    const uint32_t chroma_format = gw_bits_ue(bits, 3);

    if (chroma_format == 3)
        sps->separate_planes = gw_bits_flag(bits);
    sps->chroma = chroma_format != 0 && !sps->separate_planes;
    gw_bits_ue(bits, 65535); // width, height
    gw_bits_ue(bits, 65535);
    if (gw_bits_flag(bits)) // conformance window
        for (int i = 0; i < 4; i++)
            gw_bits_ue(bits, 65535);
    sps->qp_offset = (uint8_t)(6 * gw_bits_ue(bits, 8));
    gw_bits_ue(bits, 8); // bit depth of chroma
    sps->poc_bits = (uint8_t)(gw_bits_ue(bits, 12) + 4);
}

static void skip_coding_tools(struct gw_bits *bits, struct gw_h265_sps *sps)
{
    const bool each = gw_bits_flag(bits);

    for (int i = each ? 0 : sps->sub_layers; i <= sps->sub_layers; i++)
        for (int n = 0; n < 3; n++)
            gw_bits_ue(bits, UINT32_MAX);
    for (int n = 0; n < 6; n++) // sizes of blocks and depths of trees
        gw_bits_ue(bits, 31);
    if (gw_bits_flag(bits) && gw_bits_flag(bits))
        skip_scaling_lists(bits);
    gw_bits_skip(bits, 1); // asymmetric partitions
    sps->sao = gw_bits_flag(bits);
    if (gw_bits_flag(bits)) { // PCM
        gw_bits_skip(bits, 8);
        gw_bits_ue(bits, 31);
        gw_bits_ue(bits, 31);
        gw_bits_skip(bits, 1);
    }
}

static void read_reference_sets(struct gw_bits *bits, struct gw_h265_sps *sps)
{
    const int count = (int)gw_bits_ue(bits, GW_H265_SETS);

    // While they are read, each is the next after those known, but never one in a slice.
    sps->set_count = GW_H265_SETS + 1;
    for (int i = 0; i < count && !bits->bad; i++)
        read_set(bits, sps, i, &sps->sets[i]);
    sps->set_count = (uint8_t)count;
    sps->long_term = gw_bits_flag(bits);
    if (!sps->long_term)
        return;
    sps->long_term_count = (uint8_t)gw_bits_ue(bits, GW_H265_LONG_TERM);
    for (int i = 0; i < sps->long_term_count && !bits->bad; i++) {
        gw_bits_skip(bits, sps->poc_bits);
        sps->long_term_used |= (uint32_t)gw_bits_flag(bits) << (i & 31);
    }
}

static void take_sps(struct gw_h265 *h265, struct gw_bits *bits)
{
    gw_bits_skip(bits, 4);
    const int sub_layers = (int)gw_bits_read(bits, 3);
    gw_bits_skip(bits, 1);
    skip_profile(bits, sub_layers);
    const uint32_t id = gw_bits_ue(bits, GW_H265_SPS_COUNT - 1);
    if (bits->bad || sub_layers > 6)
        return;
    struct gw_h265_sps *sps = &h265->sps[id];
    *sps = (struct gw_h265_sps){.sub_layers = (uint8_t)sub_layers};
    read_sizes(bits, sps);
    skip_coding_tools(bits, sps);
    read_reference_sets(bits, sps);
    sps->temporal_mvp = gw_bits_flag(bits);
    sps->valid = !bits->bad;
}

// --- picture parameter sets, 7.3.2.3 -------------------------------------------------------------

static void skip_tiles(struct gw_bits *bits)
{
    const uint32_t columns = gw_bits_ue(bits, 1023), rows = gw_bits_ue(bits, 1023);

    if (!gw_bits_flag(bits))
        for (uint32_t i = 0; i < columns + rows && !bits->bad; i++)
            gw_bits_ue(bits, 65535);
    gw_bits_skip(bits, 1);
}

static void skip_deblocking(struct gw_bits *bits)
{
    if (!gw_bits_flag(bits))
        return;
    gw_bits_skip(bits, 1);
    if (gw_bits_flag(bits))
        return;
    gw_bits_se(bits);
    gw_bits_se(bits);
}

// Returns the slices' quantiser before their own difference.
static int32_t read_quantiser(struct gw_bits *bits, struct gw_h265_pps *pps)
{
    for (int i = 0; i < 2; i++)
        pps->references[i] = (uint8_t)(gw_bits_ue(bits, REFERENCES_MAX - 2) + 1);
    const int32_t qp = 26 + gw_bits_se(bits);
    gw_bits_skip(bits, 2); // constrained intra prediction, transform skip
    if (gw_bits_flag(bits))
        gw_bits_ue(bits, 3);
    gw_bits_se(bits);
    gw_bits_se(bits);
    gw_bits_skip(bits, 1);
    return qp;
}

static void take_pps(struct gw_h265 *h265, struct gw_bits *bits)
{
    struct gw_h265_pps pps = {0};
    const uint32_t id = gw_bits_ue(bits, GW_H265_PPS_COUNT - 1);

    if (bits->bad)
        return;
    pps.sps = (uint8_t)gw_bits_ue(bits, GW_H265_SPS_COUNT - 1);
    gw_bits_skip(bits, 1); // dependent slice segments
    pps.output_flag = gw_bits_flag(bits);
    pps.extra_bits = (uint8_t)gw_bits_read(bits, 3);
    gw_bits_skip(bits, 1);
    pps.cabac_init = gw_bits_flag(bits);
    const int32_t qp = read_quantiser(bits, &pps);
    bits->bad |= qp < -48 || qp > 51;
    pps.qp = (int8_t)(bits->bad ? 0 : qp);
    pps.weighted = gw_bits_flag(bits);
    pps.weighted_b = gw_bits_flag(bits);
    gw_bits_skip(bits, 1);
    const bool tiles = gw_bits_flag(bits);
    gw_bits_skip(bits, 1);
    if (tiles)
        skip_tiles(bits);
    gw_bits_skip(bits, 1);
    skip_deblocking(bits);
    if (gw_bits_flag(bits))
        skip_scaling_lists(bits);
    pps.lists_modification = gw_bits_flag(bits);
    pps.valid = !bits->bad;
    h265->pps[id] = pps;
}

void gw_h265_take(struct gw_h265 *h265, const uint8_t *nal, size_t size)
{
    struct gw_bits bits;

    if (size < HEADER_SIZE)
        return;
    gw_bits_begin(&bits, nal, size, HEADER_SIZE);
    if (nal_type(nal) == NAL_SPS)
        take_sps(h265, &bits);
    else
        take_pps(h265, &bits);
}

// --- slices, 7.3.6.1 -----------------------------------------------------------------------------

// What the parts of a slice header need to know of each other.
struct slice {
    const struct gw_h265_sps *sps;
    const struct gw_h265_pps *pps;
    uint32_t type;
    bool temporal_mvp;
    int current; // pictures that this one refers to (NumPicTotalCurr)
    uint32_t references[2];
};

static int count_bits(uint32_t bits)
{
    int count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static void read_long_term(struct gw_bits *bits, struct slice *slice)
{
    const struct gw_h265_sps *sps = slice->sps;
    const int from_sps = sps->long_term_count > 0 ? (int)gw_bits_ue(bits, sps->long_term_count) : 0;
    const int count = from_sps + (int)gw_bits_ue(bits, GW_H265_LONG_TERM);

    for (int i = 0; i < count && !bits->bad; i++) {
        if (i < from_sps) {
            const uint32_t n = gw_bits_read(bits, bits_for(sps->long_term_count));
            slice->current += (int)(sps->long_term_used >> (n & 31) & 1);
        } else {
            gw_bits_skip(bits, sps->poc_bits);
            slice->current += gw_bits_flag(bits);
        }
        if (gw_bits_flag(bits))
            gw_bits_ue(bits, UINT32_MAX);
    }
}

static void read_picture_set(struct gw_bits *bits, struct slice *slice)
{
    const struct gw_h265_sps *sps = slice->sps;
    struct gw_h265_set own;

    gw_bits_skip(bits, sps->poc_bits);
    if (!gw_bits_flag(bits)) {
        read_set(bits, sps, sps->set_count, &own);
        slice->current = count_bits(own.used);
    } else {
        const uint32_t n = gw_bits_read(bits, bits_for(sps->set_count));
        bits->bad |= n >= sps->set_count;
        slice->current = bits->bad ? 0 : count_bits(sps->sets[n].used);
    }
    if (sps->long_term)
        read_long_term(bits, slice);
    if (sps->temporal_mvp)
        slice->temporal_mvp = gw_bits_flag(bits);
}

static void read_references(struct gw_bits *bits, struct slice *slice)
{
    const int lists = slice->type == SLICE_B ? 2 : 1;

    for (int i = 0; i < 2; i++)
        slice->references[i] = slice->pps->references[i];
    if (gw_bits_flag(bits))
        for (int list = 0; list < lists; list++)
            slice->references[list] = gw_bits_ue(bits, REFERENCES_MAX - 2) + 1;
    if (!slice->pps->lists_modification || slice->current <= 1)
        return;
    for (int list = 0; list < lists; list++)
        if (gw_bits_flag(bits))
            gw_bits_skip(bits, (int)slice->references[list] * bits_for((uint32_t)slice->current));
}

static void skip_collocated(struct gw_bits *bits, const struct slice *slice)
{
    int list = 0;

    if (!slice->temporal_mvp)
        return;
    if (slice->type == SLICE_B)
        list = gw_bits_flag(bits) ? 0 : 1;
    if (slice->references[list] > 1)
        gw_bits_ue(bits, REFERENCES_MAX - 2);
}

// 7.3.6.3
static void skip_weights(struct gw_bits *bits, const struct slice *slice)
{
    const bool chroma = slice->sps->chroma;

    if (!(slice->type == SLICE_P ? slice->pps->weighted : slice->pps->weighted_b))
        return;
    gw_bits_ue(bits, 7);
    if (chroma)
        gw_bits_se(bits);
    for (int list = 0; list < (slice->type == SLICE_B ? 2 : 1); list++) {
        const int count = (int)slice->references[list];
        const uint32_t luma_flags = gw_bits_read(bits, count);
        const uint32_t chroma_flags = chroma ? gw_bits_read(bits, count) : 0;
        const int numbers = 2 * count_bits(luma_flags) + 4 * count_bits(chroma_flags);
        // Luma and chroma of one picture come together, but all of them are signed numbers.
        for (int i = 0; i < numbers && !bits->bad; i++)
            gw_bits_se(bits);
    }
}

// What only pictures have that refer to others.
static void skip_prediction(struct gw_bits *bits, struct slice *slice)
{
    if (slice->type == SLICE_I)
        return;
    read_references(bits, slice);
    if (slice->type == SLICE_B)
        gw_bits_skip(bits, 1);
    if (slice->pps->cabac_init)
        gw_bits_skip(bits, 1);
    skip_collocated(bits, slice);
    skip_weights(bits, slice);
    gw_bits_ue(bits, 4); // merge candidates
}

static enum gw_picture_type picture_type(uint32_t slice_type)
{
    return slice_type == SLICE_B   ? GW_PICTURE_B
           : slice_type == SLICE_P ? GW_PICTURE_P
                                   : GW_PICTURE_I;
}

// Even types below 16 are pictures that no other of their sub-layer refers to.
static bool is_reference(const uint8_t *nal, const struct gw_h265_sps *sps)
{
    const int type = nal_type(nal), sub_layer = (nal[1] & 7) - 1;

    return type >= NAL_BLA || type % 2 == 1 || sub_layer < sps->sub_layers;
}

bool gw_h265_slice(const struct gw_h265 *h265, const uint8_t *nal, size_t size,
                   struct gw_picture_info *ret)
{
    struct gw_bits bits;
    struct slice slice = {0};
    const int type = nal_type(nal);

    gw_bits_begin(&bits, nal, size < 256 ? size : 256, HEADER_SIZE);
    // Only the first segment of a picture says it all; one was lost otherwise.
    bits.bad |= !gw_bits_flag(&bits);
    if (type >= NAL_BLA && type <= NAL_IRAP_LAST)
        gw_bits_skip(&bits, 1);
    slice.pps = &h265->pps[gw_bits_ue(&bits, GW_H265_PPS_COUNT - 1)];
    slice.sps = &h265->sps[slice.pps->sps];
    if (bits.bad || !slice.pps->valid || !slice.sps->valid)
        return false;
    gw_bits_skip(&bits, slice.pps->extra_bits);
    slice.type = gw_bits_ue(&bits, SLICE_I);
    if (bits.bad)
        return false;
    ret->type = picture_type(slice.type);
    ret->reference = is_reference(nal, slice.sps);
    gw_bits_skip(&bits, (slice.pps->output_flag ? 1 : 0) + (slice.sps->separate_planes ? 2 : 0));
    if (type != NAL_IDR && type != NAL_IDR_N)
        read_picture_set(&bits, &slice);
    if (slice.sps->sao)
        gw_bits_skip(&bits, slice.sps->chroma ? 2 : 1);
    skip_prediction(&bits, &slice);
    const int qp = slice.pps->qp + gw_bits_se(&bits) + slice.sps->qp_offset;
    if (bits.bad || qp < 0 || qp > 51 + slice.sps->qp_offset)
        return false;
    ret->qp = qp;
    return true;
}
