// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/parameters.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>

struct gw_parameters {
    AVCodecParameters *current; // extradata as in use; size and profile once known
    AVBSFContext *extract;      // finds parameter sets in front of a keyframe
    int reorder;
    bool known;
};

static int create_extractor(AVBSFContext **ret, const AVCodecParameters *described)
{
    int error = av_bsf_alloc(av_bsf_get_by_name("extract_extradata"), ret);
    if (error < 0)
        return error;
    error = avcodec_parameters_copy((*ret)->par_in, described);
    return error < 0 ? error : av_bsf_init(*ret);
}

int gw_parameters_create(struct gw_parameters **ret, const AVCodecParameters *described)
{
    struct gw_parameters *parameters = calloc(1, sizeof(*parameters));
    if (!parameters)
        return -ENOMEM;
    int error = -ENOMEM;
    parameters->current = avcodec_parameters_alloc();
    if (!parameters->current)
        goto fail;
    error = avcodec_parameters_copy(parameters->current, described);
    if (error < 0)
        goto fail;
    error = create_extractor(&parameters->extract, described);
    if (error < 0)
        goto fail;
    *ret = parameters;
    return 0;
fail:
    gw_parameters_destroy(&parameters);
    return error;
}

void gw_parameters_destroy(struct gw_parameters **ret)
{
    struct gw_parameters *parameters = *ret;
    if (!parameters)
        return;
    av_bsf_free(&parameters->extract);
    avcodec_parameters_free(&parameters->current);
    free(parameters);
    *ret = NULL;
}

// The parameter sets in front of a keyframe, as side data of *ret_packet; NULL when it has none.
static const uint8_t *extract(struct gw_parameters *parameters, const AVPacket *key,
                              AVPacket *ret_packet, size_t *ret_size)
{
    if (av_packet_ref(ret_packet, key) < 0 ||
        av_bsf_send_packet(parameters->extract, ret_packet) < 0 ||
        av_bsf_receive_packet(parameters->extract, ret_packet) < 0) {
        av_bsf_flush(parameters->extract);
        return NULL;
    }
    return av_packet_get_side_data(ret_packet, AV_PKT_DATA_NEW_EXTRADATA, ret_size);
}

static int set_extradata(AVCodecParameters *parameters, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, size);
    av_freep(&parameters->extradata);
    parameters->extradata = copy;
    parameters->extradata_size = (int)size;
    return 0;
}

static bool same_extradata(const AVCodecParameters *parameters, const uint8_t *bytes, size_t size)
{
    return (size_t)parameters->extradata_size == size &&
           !memcmp(parameters->extradata, bytes, size);
}

// Shows the keyframe to a decoder of its own and keeps what that learnt.
static int describe(struct gw_parameters *parameters, const AVPacket *key)
{
    const AVCodec *codec = avcodec_find_decoder(parameters->current->codec_id);
    AVCodecContext *decoder = codec ? avcodec_alloc_context3(codec) : NULL;
    AVCodecParameters *found = avcodec_parameters_alloc();
    int error =
        decoder && found ? avcodec_parameters_to_context(decoder, parameters->current) : -ENOMEM;
    if (error < 0)
        goto end;

    decoder->thread_count = 1;
    decoder->max_pixels = GW_MOST_PIXELS;
    decoder->skip_loop_filter = AVDISCARD_ALL;
    error = avcodec_open2(decoder, codec, NULL);
    if (error >= 0)
        error = avcodec_send_packet(decoder, key);
    if (error >= 0)
        error = avcodec_parameters_from_context(found, decoder);
    if (error >= 0 && (found->width <= 0 || found->height <= 0))
        error = AVERROR_INVALIDDATA;
    if (error < 0)
        goto end;

    parameters->reorder = decoder->has_b_frames;
    // The decoder may have put its own form of the extradata there.
    error = set_extradata(found, parameters->current->extradata,
                          (size_t)parameters->current->extradata_size);
    if (error >= 0)
        error = avcodec_parameters_copy(parameters->current, found);
end:
    avcodec_parameters_free(&found);
    avcodec_free_context(&decoder);
    return error;
}

static int adopt(struct gw_parameters *parameters, const AVPacket *key, const uint8_t *bytes,
                 size_t size)
{
    parameters->known = false;
    int error = bytes ? set_extradata(parameters->current, bytes, size) : 0;
    if (error < 0)
        return error;
    if (!parameters->current->extradata_size)
        return AVERROR_INVALIDDATA;
    error = describe(parameters, key);
    if (error == AVERROR(ENOMEM))
        return error;
    if (error < 0)
        return AVERROR_INVALIDDATA;
    parameters->known = true;
    return 1;
}

int gw_parameters_feed(struct gw_parameters *parameters, const AVPacket *key)
{
    AVPacket *copy = av_packet_alloc();
    if (!copy)
        return -ENOMEM;
    size_t size = 0;
    const uint8_t *bytes = extract(parameters, key, copy, &size);
    int result = 0;
    if (!parameters->known || (bytes && !same_extradata(parameters->current, bytes, size)))
        result = adopt(parameters, key, bytes, size);
    av_packet_free(&copy);
    return result;
}

const AVCodecParameters *gw_parameters_get(const struct gw_parameters *parameters, int *ret_reorder)
{
    *ret_reorder = parameters->reorder;
    return parameters->current;
}
