// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/clip_muxer.h"

#include <inttypes.h>
#include <stdio.h>

#include <libavcodec/bsf.h>
#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/mp4_box.h"

#define IO_BUFFER_SIZE (64 * 1024)

// Fragments: each keyframe begins one, none is longer than this.
#define FRAGMENT_US "2000000"
// empty_moov: playable from the first fragment on. default_base_moof: offsets within a fragment, so
// that cutting the file harms none. skip_trailer: mp4_box.h writes the index.
#define FLAGS "empty_moov+default_base_moof+frag_keyframe+skip_trailer+use_metadata_tags"
// With B-frames the first picture is decoded before it is due; an edit list brings its presentation
// back to 0, and the muxer learns that delay only from the first packet.
#define REORDERED_FLAGS FLAGS "+delay_moov"

static bool starts_with_code(const uint8_t *bytes, int size)
{
    return size > 4 && (AV_RB32(bytes) == 1 || AV_RB24(bytes) == 1);
}

// The muxer decides by the parameter sets' form what form the packets have. Cameras' packets are
// Annex B; when the parameter sets are not, brings them into that form.
static int convert_parameters(AVCodecParameters *dst, const AVCodecParameters *src)
{
    const AVBitStreamFilter *filter = av_bsf_get_by_name(
        src->codec_id == AV_CODEC_ID_HEVC ? "hevc_mp4toannexb" : "h264_mp4toannexb");
    AVBSFContext *bsf = NULL;
    if (!filter)
        return AVERROR_BSF_NOT_FOUND;
    int result = av_bsf_alloc(filter, &bsf);
    if (result < 0)
        return result;
    result = avcodec_parameters_copy(bsf->par_in, src);
    if (result >= 0)
        result = av_bsf_init(bsf);
    if (result >= 0)
        result = avcodec_parameters_copy(dst, bsf->par_out);
    av_bsf_free(&bsf);
    return result;
}

static int set_parameters(AVStream *track, const struct gw_packet *first)
{
    const AVCodecParameters *parameters = first->stream->parameters;
    if (!parameters->extradata || parameters->extradata_size < 7)
        return GW_ERROR_INVALID;

    int result;
    if (starts_with_code(first->av->data, first->av->size) &&
        !starts_with_code(parameters->extradata, parameters->extradata_size))
        result = convert_parameters(track->codecpar, parameters);
    else
        result = avcodec_parameters_copy(track->codecpar, parameters);
    if (result < 0)
        return result;
    // hvc1: parameter sets in the header, which is what browsers insist on.
    track->codecpar->codec_tag =
        parameters->codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
    track->time_base = (AVRational){1, GW_MP4_TIMESCALE};
    return 0;
}

static void set_identity(AVFormatContext *muxer, const struct gw_clip *clip)
{
    char id[GW_ID_TEXT_SIZE], time_text[GW_RFC3339_SIZE];
    av_dict_set(&muxer->metadata, GW_CLIP_TAG_ID, gw_id_format(id, &clip->id), 0);
    av_dict_set(&muxer->metadata, GW_CLIP_TAG_CAMERA, clip->camera, 0);
    av_dict_set_int(&muxer->metadata, GW_CLIP_TAG_START_US, clip->start_us, 0);
    if (clip->clock_offset_us != GW_NO_TIME)
        av_dict_set_int(&muxer->metadata, GW_CLIP_TAG_CLOCK_OFFSET_US, clip->clock_offset_us, 0);
    av_dict_set(&muxer->metadata, "creation_time", gw_format_rfc3339(time_text, clip->start_us), 0);
}

static int start(AVFormatContext *muxer, bool reordered)
{
    AVDictionary *options = NULL;
    av_dict_set(&options, "movflags", reordered ? REORDERED_FLAGS : FLAGS, 0);
    av_dict_set(&options, "frag_duration", FRAGMENT_US, 0);
    av_dict_set_int(&options, "video_track_timescale", GW_MP4_TIMESCALE, 0);
    int result = avformat_write_header(muxer, &options);
    av_dict_free(&options);
    return result < 0 ? result : 0;
}

int gw_clip_muxer_start(AVFormatContext **ret, const struct gw_clip *clip,
                        const struct gw_packet *first,
                        int (*write)(void *opaque, uint8_t *bytes, int size),
                        int64_t (*seek)(void *opaque, int64_t offset, int whence), void *opaque)
{
    AVFormatContext *muxer = NULL;
    int result = avformat_alloc_output_context2(&muxer, NULL, "mp4", NULL);
    if (result < 0)
        return result;
    AVStream *track = avformat_new_stream(muxer, NULL);
    uint8_t *buffer = av_malloc(IO_BUFFER_SIZE);
    result = AVERROR(ENOMEM);
    if (!track || !buffer)
        goto fail;
    muxer->pb = avio_alloc_context(buffer, IO_BUFFER_SIZE, 1, opaque, NULL, write, seek);
    if (!muxer->pb)
        goto fail;
    buffer = NULL;
    muxer->flags |= AVFMT_FLAG_CUSTOM_IO;

    result = set_parameters(track, first);
    if (result < 0)
        goto fail;
    set_identity(muxer, clip);
    result = start(muxer, first->av->pts > first->av->dts);
    if (result < 0)
        goto fail;
    *ret = muxer;
    return 0;

fail:
    av_free(buffer);
    gw_clip_muxer_free(&muxer);
    return result;
}

void gw_clip_muxer_free(AVFormatContext **muxer)
{
    if (!*muxer)
        return;
    AVIOContext *io = (*muxer)->pb;
    if (io)
        av_freep(&io->buffer);
    avio_context_free(&io);
    (*muxer)->pb = NULL;
    avformat_free_context(*muxer);
    *muxer = NULL;
}
