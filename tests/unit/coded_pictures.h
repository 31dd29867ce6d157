// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Packets as a camera sends them, for tests: a small moving picture, encoded on the spot.
#pragma once

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "core/packet.h"

#define CODED_PICTURES_MAX 2000

struct coded_pictures {
    struct gw_stream *stream;
    struct gw_packet packets[CODED_PICTURES_MAX];
    int count;
};

struct coded_pictures_config {
    const char *encoder; // "libx264" or "libx265"
    int pictures, fps, gop, b_frames;
    int64_t start_us; // wall, of the first picture
    int noise;        // 0..255; makes pictures large
};

static void paint(AVFrame *frame, int n, int noise)
{
    for (int y = 0; y < frame->height; y++)
        for (int x = 0; x < frame->width; x++)
            frame->data[0][y * frame->linesize[0] + x] =
                (uint8_t)((x + 3 * n) ^ y ^ (noise ? rand() % noise : 0));
    for (int plane = 1; plane < 3; plane++)
        for (int y = 0; y < frame->height / 2; y++)
            memset(frame->data[plane] + y * frame->linesize[plane], 128, (size_t)frame->width / 2);
}

// Takes what the encoder has ready; its time base is a microsecond.
static void collect(struct coded_pictures *pictures, AVCodecContext *encoder)
{
    for (;;) {
        AVPacket *av = av_packet_alloc();
        if (avcodec_receive_packet(encoder, av) < 0) {
            av_packet_free(&av);
            return;
        }
        av->duration = 0; // cameras do not say
        gw_packet_init(&pictures->packets[pictures->count++], &av, pictures->stream, 0);
    }
}

static AVCodecContext *open_encoder(const struct coded_pictures_config *config)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(config->encoder);
    if (!codec)
        return NULL;
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    encoder->width = 160;
    encoder->height = 96;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = (AVRational){1, 1000000};
    encoder->framerate = (AVRational){config->fps, 1};
    encoder->gop_size = config->gop;
    encoder->max_b_frames = config->b_frames;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "preset", "ultrafast", 0);
    av_opt_set(encoder->priv_data, "forced-idr", "1", 0);
    av_opt_set(encoder->priv_data, "x264-params", "scenecut=0:open-gop=0:b-adapt=0", 0);
    av_opt_set(encoder->priv_data, "x265-params",
               "scenecut=0:open-gop=0:log-level=none:pools=none:frame-threads=1", 0);
    return avcodec_open2(encoder, codec, NULL) < 0 ? NULL : encoder;
}

// Returns NULL when libavcodec lacks the encoder.
static struct coded_pictures *coded_pictures_make(const struct coded_pictures_config *config)
{
    AVCodecContext *encoder = open_encoder(config);
    if (!encoder)
        return NULL;
    struct coded_pictures *pictures = calloc(1, sizeof(*pictures));
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    avcodec_parameters_from_context(parameters, encoder);
    gw_stream_create(&pictures->stream, parameters, config->b_frames);
    avcodec_parameters_free(&parameters);

    AVFrame *frame = av_frame_alloc();
    frame->width = encoder->width;
    frame->height = encoder->height;
    frame->format = encoder->pix_fmt;
    for (int n = 0; n < config->pictures; n++) {
        av_frame_get_buffer(frame, 0);
        paint(frame, n, config->noise);
        frame->pts = config->start_us + n * INT64_C(1000000) / config->fps;
        avcodec_send_frame(encoder, frame);
        av_buffer_unref(&frame->buf[0]);
        av_buffer_unref(&frame->buf[1]);
        av_buffer_unref(&frame->buf[2]);
        collect(pictures, encoder);
    }
    avcodec_send_frame(encoder, NULL);
    collect(pictures, encoder);
    av_frame_free(&frame);
    avcodec_free_context(&encoder);
    return pictures;
}

static void coded_pictures_free(struct coded_pictures *pictures)
{
    for (int i = 0; i < pictures->count; i++)
        gw_packet_unref(&pictures->packets[i]);
    gw_stream_unref(&pictures->stream);
    free(pictures);
}
