// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/assembler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/defs.h>
#include <libavutil/intreadwrite.h>

// So many pictures in a row whose marker bit came with their last packet, and with no other.
enum { TRUST_AFTER = 4 };

enum {
    H264_SLICE = 1,
    H264_IDR = 5,
    H264_SEI = 6,
    H264_DELIMITER = 9,
    H264_STAP_A = 24,
    H264_FU_A = 28,
    H265_FIRST_RADL = 6,
    H265_FIRST_RASL = 8,
    H265_LAST_RASL = 9,
    H265_FIRST_IRAP = 16,
    H265_LAST_IRAP = 21, // CRA
    H265_FIRST_NON_VCL = 32,
    H265_DELIMITER = 35,
    H265_PREFIX_SEI = 39,
    H265_AGGREGATION = 48,
    H265_FRAGMENT = 49,
    SEI_RECOVERY_POINT = 6,
};

struct gw_assembler {
    struct gw_assembler_config config;
    enum AVCodecID codec;

    uint8_t *bytes; // of the picture that is put together
    size_t size, room;
    uint32_t timestamp;
    int64_t mono_us;                      // arrival of the last of them
    int64_t now_us;                       // arrival of the payload that is being fed
    bool has_slice;                       // it has a part of a picture
    bool leading;                         // it has only what stands before one
    bool marked;                          // the marker bit came with its last packet
    bool marked_early;                    // and with one before that
    bool damaged;                         // a part of it is missing
    bool in_fragment;                     // the first part of a NAL unit came, the last one not yet
    bool idr, recovery_point, only_intra; // what makes it a keyframe

    bool open_key; // its keyframe is a CRA: pictures shown before it come behind it (RADL, RASL)
    bool shown_before, refers; // all its slices are of such; of those that refer to what was before

    bool broken; // pictures are let go until a whole keyframe comes
    bool gone;   // what was before the last keyframe is: pictures that refer to it are let go
    bool lost;   // and the next one given has to say so

    int marks;        // pictures in a row whose marker was right, up to TRUST_AFTER
    bool marker_lies; // it was wrong once
    bool given;       // the picture of this timestamp was given at its marker
};

int gw_assembler_create(struct gw_assembler **ret, const struct gw_assembler_config *config)
{
    struct gw_assembler *assembler = calloc(1, sizeof(*assembler));
    if (!assembler)
        return -ENOMEM;
    assembler->config = *config;
    *ret = assembler;
    return 0;
}

void gw_assembler_destroy(struct gw_assembler **assembler)
{
    if (!*assembler)
        return;
    free((*assembler)->bytes);
    free(*assembler);
    *assembler = NULL;
}

// --- one picture ---------------------------------------------------------------------------------

static void begin_picture(struct gw_assembler *a, uint32_t timestamp)
{
    a->size = 0;
    a->timestamp = timestamp;
    a->has_slice = a->marked = a->marked_early = a->damaged = a->in_fragment = false;
    a->idr = a->recovery_point = false;
    a->only_intra = a->leading = a->shown_before = a->refers = true;
    a->open_key = false;
}

static bool is_key(const struct gw_assembler *a)
{
    return a->idr || (a->recovery_point && a->only_intra);
}

// Gives the picture, or lets it go; the next one then begins at the same timestamp.
static int end_picture(struct gw_assembler *a)
{
    const bool whole = a->has_slice && !a->damaged && !a->in_fragment, key = is_key(a);
    const bool something = a->has_slice || a->damaged || a->in_fragment;
    int result = 0;

    if (something && !whole)
        a->broken = true;
    if (key)
        a->gone = a->broken && a->open_key;
    else if (whole && !a->shown_before)
        a->gone = false;
    if (whole && !key && a->gone && a->refers) {
        a->config.skipped(a->config.opaque);
    } else if (whole && (key || !a->broken)) {
        const struct gw_picture picture = {.bytes = a->bytes,
                                           .size = a->size,
                                           .key = key,
                                           .after_loss = a->lost,
                                           .timestamp = a->timestamp,
                                           .mono_us = a->mono_us};
        a->broken = a->lost = false;
        memset(a->bytes + a->size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
        result = a->config.picture(a->config.opaque, &picture);
    } else if (something) {
        a->lost = true;
        a->config.skipped(a->config.opaque);
    }
    begin_picture(a, a->timestamp);
    return result;
}

static int make_room(struct gw_assembler *a, size_t more)
{
    const size_t wanted = a->size + more + AV_INPUT_BUFFER_PADDING_SIZE;
    size_t room = a->room ? a->room : 16 << 10;

    if (wanted <= a->room)
        return 0;
    while (room < wanted)
        room *= 2;
    uint8_t *bytes = realloc(a->bytes, room);
    if (!bytes)
        return -ENOMEM;
    a->bytes = bytes;
    a->room = room;
    return 0;
}

static int append(struct gw_assembler *a, const uint8_t *bytes, size_t size)
{
    if (a->size + size > GW_ASSEMBLER_MOST_BYTES) {
        a->damaged = true;
        return 0;
    }
    int error = make_room(a, size);
    if (error < 0)
        return error;
    memcpy(a->bytes + a->size, bytes, size);
    a->size += size;
    a->mono_us = a->now_us;
    return 0;
}

// --- what a NAL unit is --------------------------------------------------------------------------

static int type_of(const struct gw_assembler *a, const uint8_t *nal)
{
    return a->codec == AV_CODEC_ID_HEVC ? nal[0] >> 1 & 0x3f : nal[0] & 0x1f;
}

static bool is_slice(const struct gw_assembler *a, int type)
{
    return a->codec == AV_CODEC_ID_HEVC ? type < H265_FIRST_NON_VCL
                                        : type >= H264_SLICE && type <= H264_IDR;
}

// Parameter sets, delimiters and messages that stand before a picture's slices.
static bool is_leading(const struct gw_assembler *a, int type)
{
    return a->codec == AV_CODEC_ID_HEVC
               ? (type >= H265_FIRST_NON_VCL && type <= H265_DELIMITER) || type == H265_PREFIX_SEI
               : type >= H264_SEI && type <= H264_DELIMITER;
}

// Whether a slice is the first of its picture: first_mb_in_slice is 0, or
// first_slice_segment_in_pic_flag is set; either is the first bit behind the header.
static bool is_first_slice(const struct gw_assembler *a, const uint8_t *nal, size_t size)
{
    const size_t header = a->codec == AV_CODEC_ID_HEVC ? 2 : 1;
    return size > header && nal[header] & 0x80;
}

// The second Exp-Golomb number of an H.264 slice header, its type; -1 when it does not fit into the
// first eight bytes.
static int h264_slice_type(const uint8_t *nal, size_t size)
{
    if (size < 9)
        return -1;
    uint64_t bits = AV_RB64(nal + 1);
    for (int n = 0;; n++) {
        int zeros = bits ? __builtin_clzll(bits) : 64;
        if (zeros > 15)
            return -1;
        const uint64_t value = (bits >> (63 - 2 * zeros)) - 1;
        if (n == 1)
            return (int)value;
        bits <<= 2 * zeros + 1;
    }
}

// Whether an SEI says that decoding may begin here, with this very picture (D.1.8).
static bool is_recovery_point(const uint8_t *nal, size_t size)
{
    for (size_t at = 1; at + 2 < size && nal[at] != 0x80;) {
        size_t type = 0, length = 0;
        for (; at < size && nal[at] == 0xff; at++)
            type += 255;
        if (at < size)
            type += nal[at++];
        for (; at < size && nal[at] == 0xff; at++)
            length += 255;
        if (at < size)
            length += nal[at++];
        if (type == SEI_RECOVERY_POINT)
            return at < size && nal[at] & 0x80; // recovery_frame_cnt is 0
        at += length;
    }
    return false;
}

static void look_at_h264(struct gw_assembler *a, int type, const uint8_t *nal, size_t size)
{
    if (type == H264_IDR) {
        a->idr = true;
    } else if (type == H264_SEI) {
        a->recovery_point |= is_recovery_point(nal, size);
    } else if (is_slice(a, type)) {
        const int slice_type = h264_slice_type(nal, size);
        a->only_intra &= slice_type == 2 || slice_type == 7;
    }
}

static void look_at_h265(struct gw_assembler *a, int type)
{
    if (!is_slice(a, type))
        return;
    a->idr |= type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP;
    a->open_key |= type == H265_LAST_IRAP;
    a->shown_before &= type >= H265_FIRST_RADL && type <= H265_LAST_RASL;
    a->refers &= type >= H265_FIRST_RASL && type <= H265_LAST_RASL;
}

static void look_at(struct gw_assembler *a, int type, const uint8_t *nal, size_t size)
{
    if (a->codec == AV_CODEC_ID_HEVC)
        look_at_h265(a, type);
    else
        look_at_h264(a, type, nal, size);
    a->has_slice |= is_slice(a, type);
    a->leading &= is_leading(a, type);
}

// --- NAL units -----------------------------------------------------------------------------------

// Whether a NAL unit of the same timestamp belongs to the next picture.
static bool begins_picture(const struct gw_assembler *a, int type, const uint8_t *nal, size_t size)
{
    if (!a->has_slice)
        return false;
    return is_slice(a, type) ? is_first_slice(a, nal, size) : a->marked;
}

// A NAL unit begins, with as much of it as this packet has.
static int begin_nal(struct gw_assembler *a, const uint8_t *nal, size_t size)
{
    static const uint8_t start_code[] = {0, 0, 0, 1};
    const int type = type_of(a, nal);
    int error = 0;

    if (a->in_fragment) { // the end of the one before never came
        a->in_fragment = false;
        a->damaged = true;
    }
    if (begins_picture(a, type, nal, size))
        error = end_picture(a);
    if (a->given && is_slice(a, type)) {
        a->given = false;
        if (!is_first_slice(a, nal, size)) // the picture was given before its end
            a->marker_lies = a->damaged = true;
    }
    if (is_slice(a, type) && !a->has_slice && !is_first_slice(a, nal, size))
        a->damaged = true; // the picture began before a loss, or before the session
    look_at(a, type, nal, size);
    if (!error)
        error = append(a, start_code, sizeof(start_code));
    return error ? error : append(a, nal, size);
}

// STAP-A, or an aggregation packet: NAL units behind their sizes.
static int take_aggregate(struct gw_assembler *a, const uint8_t *at, size_t size)
{
    int error = 0;
    while (!error && size > 2) {
        const size_t length = AV_RB16(at);
        if (!length || length > size - 2) {
            a->damaged = true;
            return 0;
        }
        error = begin_nal(a, at + 2, length);
        at += 2 + length;
        size -= 2 + length;
    }
    return error;
}

static int take_fragment(struct gw_assembler *a, bool first, bool last, const uint8_t *header,
                         size_t header_size, const uint8_t *rest, size_t size)
{
    uint8_t head[16];
    int error = 0;

    if (!first && !a->in_fragment) { // its beginning is missing
        a->damaged = true;
        return 0;
    }
    if (first) {
        // The header and what follows it, so that the slice's first bits can be looked at.
        const size_t peek = size < sizeof(head) - header_size ? size : sizeof(head) - header_size;
        memcpy(head, header, header_size);
        memcpy(head + header_size, rest, peek);
        error = begin_nal(a, head, header_size + peek);
        rest += peek;
        size -= peek;
        a->in_fragment = true;
    }
    if (!error)
        error = append(a, rest, size);
    if (last)
        a->in_fragment = false;
    return error;
}

static int take_h264(struct gw_assembler *a, const uint8_t *payload, size_t size)
{
    const int type = payload[0] & 0x1f;

    if (type == H264_STAP_A)
        return take_aggregate(a, payload + 1, size - 1);
    if (type == H264_FU_A) {
        if (size < 3)
            return 0;
        const uint8_t header = (uint8_t)((payload[0] & 0xe0) | (payload[1] & 0x1f));
        return take_fragment(a, payload[1] & 0x80, payload[1] & 0x40, &header, 1, payload + 2,
                             size - 2);
    }
    return type && type < H264_STAP_A ? begin_nal(a, payload, size) : 0;
}

static int take_h265(struct gw_assembler *a, const uint8_t *payload, size_t size)
{
    const int type = payload[0] >> 1 & 0x3f;

    if (size < 3)
        return 0;
    if (type == H265_AGGREGATION)
        return take_aggregate(a, payload + 2, size - 2);
    if (type == H265_FRAGMENT) {
        if (size < 4)
            return 0;
        const uint8_t header[2] = {(uint8_t)((payload[0] & 0x81) | (payload[2] & 0x3f) << 1),
                                   payload[1]};
        return take_fragment(a, payload[2] & 0x80, payload[2] & 0x40, header, 2, payload + 3,
                             size - 3);
    }
    return type < H265_AGGREGATION ? begin_nal(a, payload, size) : 0;
}

// --- packets -------------------------------------------------------------------------------------

// Whether the picture's last packet came, as far as its marker can be believed.
static bool is_marked_whole(const struct gw_assembler *a)
{
    return a->has_slice && a->marked && !a->in_fragment && !a->marked_early && !a->marker_lies;
}

// A picture ended because the next one begins: was its marker bit right?
static void judge_marker(struct gw_assembler *a)
{
    if (!a->has_slice || a->damaged)
        return;
    if (a->marked && !a->marked_early && a->marks < TRUST_AFTER)
        a->marks++;
    else if (!a->marked || a->marked_early)
        a->marks = 0;
    a->marker_lies |= a->marked_early;
}

static bool trusts_marker(const struct gw_assembler *a)
{
    return !a->marker_lies && a->marks >= TRUST_AFTER;
}

static int handle_timestamp(struct gw_assembler *a, uint32_t timestamp)
{
    int error = 0;
    if (timestamp == a->timestamp)
        return 0;
    if (a->size && a->leading && !a->damaged && !a->in_fragment) {
        a->timestamp = timestamp; // some cameras give parameter sets a time of their own
        a->given = false;
        return 0;
    }
    if (!a->given)
        judge_marker(a);
    if (a->size || a->damaged)
        error = end_picture(a);
    begin_picture(a, timestamp);
    a->given = false;
    return error;
}

int gw_assembler_feed(struct gw_assembler *a, const uint8_t *payload, size_t size,
                      uint32_t timestamp, bool marker, int64_t mono_us)
{
    if (!size)
        return 0;
    int error = handle_timestamp(a, timestamp);
    if (error)
        return error;
    a->marked_early |= a->marked && a->has_slice;
    a->now_us = mono_us;
    error =
        a->codec == AV_CODEC_ID_HEVC ? take_h265(a, payload, size) : take_h264(a, payload, size);
    a->marked = marker;
    if (!error && marker && a->has_slice && !a->in_fragment && trusts_marker(a)) {
        error = end_picture(a);
        a->given = true;
    }
    return error;
}

int gw_assembler_finish(struct gw_assembler *a)
{
    int error = 0;
    if (a->has_slice && !is_marked_whole(a))
        a->damaged = true;
    if (a->size || a->damaged)
        error = end_picture(a);
    a->given = false;
    return error;
}

int gw_assembler_lose(struct gw_assembler *a)
{
    // A marker that was never seen to be right says too little beside a hole.
    int error = a->marks && is_marked_whole(a) ? end_picture(a) : 0;

    a->broken = a->lost = true;
    a->damaged |= a->size != 0;
    a->in_fragment = false;
    return error;
}

void gw_assembler_set_codec(struct gw_assembler *a, enum AVCodecID codec)
{
    begin_picture(a, a->timestamp);
    a->codec = codec;
    a->broken = true;
    a->marks = 0;
    a->marker_lies = a->given = false;
}
