// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/slice.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/nal.h"
#include "analyze/slice_h264.h"
#include "analyze/slice_h265.h"

struct gw_slice_reader {
    enum AVCodecID codec;
    int length_size; // of the lengths before NAL units; 0: start codes
    union {
        struct gw_h264 h264;
        struct gw_h265 h265;
    };
};

int gw_slice_reader_create(struct gw_slice_reader **ret)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : -ENOMEM;
}

void gw_slice_reader_destroy(struct gw_slice_reader **reader)
{
    free(*reader);
    *reader = NULL;
}

static enum gw_nal_use nal_use(const struct gw_slice_reader *reader, const uint8_t *nal,
                               size_t size)
{
    switch (reader->codec) {
    case AV_CODEC_ID_H264: return gw_h264_use(nal, size);
    case AV_CODEC_ID_HEVC: return gw_h265_use(nal, size);
    default: return GW_NAL_OTHER;
    }
}

static void take(struct gw_slice_reader *reader, const uint8_t *nal, size_t size)
{
    if (nal_use(reader, nal, size) != GW_NAL_PARAMETERS)
        return;
    if (reader->codec == AV_CODEC_ID_H264)
        gw_h264_take(&reader->h264, nal, size);
    else
        gw_h265_take(&reader->h265, nal, size);
}

static bool read_slice(const struct gw_slice_reader *reader, const uint8_t *nal, size_t size,
                       struct gw_picture_info *ret)
{
    if (reader->codec == AV_CODEC_ID_H264)
        return gw_h264_slice(&reader->h264, nal, size, ret);
    return gw_h265_slice(&reader->h265, nal, size, ret);
}

// Takes in a list of NAL units with two bytes of length each. Returns where it ends.
static const uint8_t *take_list(struct gw_slice_reader *reader, const uint8_t *at,
                                const uint8_t *end, int count)
{
    for (int i = 0; i < count && end - at >= 2; i++) {
        const size_t length = (size_t)at[0] << 8 | at[1];
        at += 2;
        if (length > (size_t)(end - at))
            return end;
        take(reader, at, length);
        at += length;
    }
    return at;
}

// AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3.1.
static void read_avcc(struct gw_slice_reader *reader, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *at = data + 6;

    reader->length_size = (data[4] & 3) + 1;
    at = take_list(reader, at, end, data[5] & 31);
    if (at < end)
        take_list(reader, at + 1, end, at[0]);
}

// HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 8.3.3.1.
static void read_hvcc(struct gw_slice_reader *reader, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *at = data + 23;

    reader->length_size = (data[21] & 3) + 1;
    for (int i = 0; i < data[22] && end - at >= 3; i++)
        at = take_list(reader, at + 3, end, at[1] << 8 | at[2]);
}

void gw_slice_reader_reset(struct gw_slice_reader *reader, enum AVCodecID codec,
                           const uint8_t *extradata, size_t size)
{
    struct gw_nal_walk walk;
    const uint8_t *nal;
    size_t nal_size;

    *reader = (struct gw_slice_reader){.codec = codec};
    // A record begins with its version, 1; Annex B begins with zeros.
    if (codec == AV_CODEC_ID_H264 && size >= 7 && extradata[0] == 1) {
        read_avcc(reader, extradata, size);
    } else if (codec == AV_CODEC_ID_HEVC && size >= 23 && extradata[0] == 1) {
        read_hvcc(reader, extradata, size);
    } else if (size > 0) {
        gw_nal_walk_begin(&walk, extradata, size, 0);
        while (gw_nal_walk_next(&walk, &nal, &nal_size))
            take(reader, nal, nal_size);
    }
}

bool gw_slice_read(struct gw_slice_reader *reader, const uint8_t *data, size_t size,
                   struct gw_picture_info *ret)
{
    struct gw_nal_walk walk;
    const uint8_t *nal;
    size_t nal_size;
    bool understood = false;

    *ret = (struct gw_picture_info){.reference = true, .qp = -1};
    gw_nal_walk_begin(&walk, data, size, reader->length_size);
    while (gw_nal_walk_next(&walk, &nal, &nal_size)) {
        switch (nal_use(reader, nal, nal_size)) {
        case GW_NAL_SLICE:
            if (ret->slices++ == 0)
                understood = read_slice(reader, nal, nal_size, ret);
            ret->slice_bytes += (int)nal_size;
            break;
        case GW_NAL_PARAMETERS: take(reader, nal, nal_size); break;
        case GW_NAL_OTHER: break;
        }
    }
    if (ret->slices == 0)
        ret->slice_bytes = (int)size;
    return understood;
}
