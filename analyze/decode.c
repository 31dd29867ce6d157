// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "core/clock.h"

// Less than what most cameras have between two keyframes: making a decoder anew for each of them
// costs a seventh of decoding it.
#define REST_US GW_SECOND

// More than any stream reorders.
enum { MAX_UNTIMED = 32 };

struct gw_decoder {
    struct gw_decoder_config config;
    struct gw_stream *stream; // that codec was made for; NULL before the first packet
    AVCodecContext *codec;    // NULL when there is none, or none could be made
    AVFrame *spare;           // what the codec writes to
    bool at_keyframe;         // skip to the next keyframe first
    // Decoding times of packets without a capture time, oldest first. See capture_time().
    int64_t untimed[MAX_UNTIMED];
    int untimed_count;
    int64_t last_us; // of the last picture out; GW_NO_TIME before the first
    int64_t fed_us;  // decoding time of the last packet in; GW_NO_TIME after a time that is unknown
    int reorder;     // as the last decoder of this stream knew it
    int64_t begin_us; // capture time of the keyframe that it began with; AV_NOPTS_VALUE unknown
    struct gw_decoder_counters counters;
};

int gw_decoder_create(struct gw_decoder **ret, const struct gw_decoder_config *config)
{
    struct gw_decoder *decoder = calloc(1, sizeof(*decoder));

    if (!decoder)
        return -ENOMEM;
    decoder->config = *config;
    decoder->at_keyframe = true;
    decoder->last_us = decoder->fed_us = GW_NO_TIME;
    decoder->spare = av_frame_alloc();
    if (!decoder->spare) {
        gw_decoder_destroy(&decoder);
        return -ENOMEM;
    }
    *ret = decoder;
    return 0;
}

void gw_decoder_destroy(struct gw_decoder **decoder)
{
    if (!*decoder)
        return;
    avcodec_free_context(&(*decoder)->codec);
    av_frame_free(&(*decoder)->spare);
    gw_stream_unref(&(*decoder)->stream);
    free(*decoder);
    *decoder = NULL;
}

static int open_codec(struct gw_decoder *decoder, const AVCodecParameters *parameters)
{
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);

    if (!codec)
        return AVERROR_DECODER_NOT_FOUND;
    decoder->codec = avcodec_alloc_context3(codec);
    if (!decoder->codec)
        return -ENOMEM;
    int error = avcodec_parameters_to_context(decoder->codec, parameters);
    decoder->codec->thread_count = 1;
    decoder->codec->pkt_timebase = (AVRational){1, 1000000};
    // A picture that is broken in places still shows whether something moves.
    decoder->codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    if (error >= 0)
        error = avcodec_open2(decoder->codec, codec, NULL);
    if (error < 0)
        avcodec_free_context(&decoder->codec);
    else if (decoder->codec->has_b_frames < decoder->reorder)
        decoder->codec->has_b_frames = decoder->reorder;
    return error;
}

static void note_untimed(struct gw_decoder *decoder, const AVPacket *packet)
{
    if (packet->pts != AV_NOPTS_VALUE || packet->dts == AV_NOPTS_VALUE)
        return;
    if (decoder->untimed_count == MAX_UNTIMED)
        memmove(decoder->untimed, decoder->untimed + 1,
                sizeof(decoder->untimed[0]) * (size_t)--decoder->untimed_count);
    decoder->untimed[decoder->untimed_count++] = packet->dts;
}

// Some files (AVI) know only decoding times. Pictures come out in order of capture, so the n-th one
// out has the n-th of them.
static int64_t capture_time(struct gw_decoder *decoder, const AVFrame *av)
{
    if (av->pts != AV_NOPTS_VALUE || decoder->untimed_count == 0)
        return av->pts;
    const int64_t oldest_us = decoder->untimed[0];
    memmove(decoder->untimed, decoder->untimed + 1,
            sizeof(decoder->untimed[0]) * (size_t)--decoder->untimed_count);
    return oldest_us;
}

// Some cameras stamp packets in the order of decoding, so that with B-frames the times go to the
// wrong pictures. Time still must not run back: such a picture counts as taken just after the last
// one.
static int64_t in_order(struct gw_decoder *decoder, int64_t wall_us)
{
    if (wall_us == AV_NOPTS_VALUE)
        return wall_us;
    if (decoder->last_us != GW_NO_TIME && wall_us <= decoder->last_us)
        wall_us = decoder->last_us + 1;
    decoder->last_us = wall_us;
    return wall_us;
}

static void hand_out(struct gw_decoder *decoder)
{
    AVFrame *copy = av_frame_alloc();

    // Without memory for a handle this picture is lost; the next one is as good.
    if (!copy) {
        av_frame_unref(decoder->spare);
        return;
    }
    av_frame_move_ref(copy, decoder->spare);
    struct gw_frame frame = {0};
    int64_t wall_us = capture_time(decoder, copy);
    const bool leading = decoder->begin_us != AV_NOPTS_VALUE && wall_us < decoder->begin_us;
    wall_us = leading ? wall_us : in_order(decoder, wall_us);
    gw_frame_init(&frame, &copy, wall_us);
    decoder->counters.decoded++;
    if (wall_us != AV_NOPTS_VALUE && !leading)
        decoder->config.frame(decoder->config.opaque, &frame);
    gw_frame_unref(&frame);
}

static void receive_all(struct gw_decoder *decoder)
{
    int error;

    while ((error = avcodec_receive_frame(decoder->codec, decoder->spare)) >= 0)
        hand_out(decoder);
    if (error != AVERROR(EAGAIN) && error != AVERROR_EOF)
        decoder->counters.errors++;
}

void gw_decoder_drain(struct gw_decoder *decoder)
{
    if (decoder->codec && avcodec_send_packet(decoder->codec, NULL) >= 0)
        receive_all(decoder);
    gw_decoder_reset(decoder);
}

void gw_decoder_reset(struct gw_decoder *decoder)
{
    if (decoder->codec)
        avcodec_flush_buffers(decoder->codec);
    decoder->at_keyframe = true;
    decoder->untimed_count = 0;
    decoder->last_us = GW_NO_TIME;
}

bool gw_decoder_rests(const struct gw_decoder *decoder, int64_t wall_us)
{
    return decoder->codec && decoder->fed_us != GW_NO_TIME && wall_us - decoder->fed_us >= REST_US;
}

void gw_decoder_rest(struct gw_decoder *decoder, int64_t wall_us)
{
    if (!gw_decoder_rests(decoder, wall_us) || !decoder->at_keyframe)
        return;
    // What a stream without the word for it has taught; a new decoder would learn it by handing out
    // pictures in the wrong order.
    decoder->reorder = decoder->codec->has_b_frames;
    avcodec_free_context(&decoder->codec);
}

// Makes the decoder that this packet needs. After a failure it is tried again with the next
// keyframe.
static int prepare(struct gw_decoder *decoder, const struct gw_packet *packet)
{
    if (decoder->codec && decoder->stream == packet->stream)
        return 0;
    gw_decoder_drain(decoder);
    avcodec_free_context(&decoder->codec);
    if (decoder->stream != packet->stream)
        decoder->reorder = 0;
    gw_stream_unref(&decoder->stream);
    decoder->stream = gw_stream_ref(packet->stream);
    return open_codec(decoder, packet->stream->parameters);
}

int gw_decoder_feed(struct gw_decoder *decoder, const struct gw_packet *packet)
{
    decoder->counters.packets++;
    if (!gw_packet_is_key(packet) && (decoder->at_keyframe || decoder->stream != packet->stream))
        return 0;
    int error = prepare(decoder, packet);
    if (error < 0) {
        decoder->counters.errors++;
        decoder->at_keyframe = true;
        return error;
    }
    if (decoder->at_keyframe)
        decoder->begin_us = packet->av->pts;
    decoder->at_keyframe = false;
    if (avcodec_send_packet(decoder->codec, packet->av) < 0) {
        decoder->counters.errors++;
        return 0;
    }
    decoder->fed_us = packet->av->dts != AV_NOPTS_VALUE ? packet->av->dts : packet->av->pts;
    note_untimed(decoder, packet->av);
    receive_all(decoder);
    return 0;
}

void gw_decoder_count(const struct gw_decoder *decoder, struct gw_decoder_counters *ret)
{
    *ret = decoder->counters;
}
