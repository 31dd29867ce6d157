// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "ingest/declared.h"

#include <libavcodec/avcodec.h>

// A rate that nobody set is 1 / 0 or 0 / 1, depending on the decoder.
static double known_rate(AVRational rate)
{
    return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

double gw_declared_frame_rate(const AVCodecParameters *parameters, const AVPacket *key)
{
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    AVCodecContext *decoder = codec ? avcodec_alloc_context3(codec) : NULL;
    double rate = 0;
    if (decoder && avcodec_parameters_to_context(decoder, parameters) >= 0) {
        decoder->thread_count = 1;
        decoder->framerate = (AVRational){0, 1};
        if (avcodec_open2(decoder, codec, NULL) >= 0 && avcodec_send_packet(decoder, key) >= 0)
            rate = known_rate(decoder->framerate);
    }
    avcodec_free_context(&decoder);
    return rate;
}
