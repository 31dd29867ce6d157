// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay_video.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

// x264 itself: other H.264 encoders want hardware, or know no variable frame rate.
static const char encoder_name[] = "libx264";
// Letters and thin lines stay readable; 20 ms of one core per 1080p picture, the decoding included.
static const char preset[] = "veryfast", quality[] = "23";
// A player can jump to within so many pictures.
enum { GOP = 60 };
static const AVRational microseconds = {1, 1000000};

struct gw_overlay_video {
    AVCodecContext *encoder;
    AVFormatContext *format;
    AVStream *track;
    AVPacket *packet;
    int64_t frame_us;
};

bool gw_overlay_video_possible(void)
{
    return avcodec_find_encoder_by_name(encoder_name) != NULL;
}

static int open_encoder(struct gw_overlay_video *video,
                        const struct gw_overlay_video_config *config)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(encoder_name);
    AVDictionary *options = NULL;

    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *encoder = video->encoder = avcodec_alloc_context3(codec);
    if (!encoder)
        return -ENOMEM;
    encoder->width = config->width;
    encoder->height = config->height;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = microseconds;
    encoder->framerate = config->rate;
    encoder->sample_aspect_ratio = config->aspect;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->color_primaries = config->primaries;
    encoder->color_trc = config->transfer;
    encoder->colorspace = config->space;
    encoder->gop_size = GOP;
    encoder->max_b_frames = 0; // decoding times are capture times then: nothing to shift
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_dict_set(&options, "preset", preset, 0);
    av_dict_set(&options, "crf", quality, 0);
    int error = avcodec_open2(encoder, codec, &options);
    av_dict_free(&options);
    return error;
}

static int open_file(struct gw_overlay_video *video, const struct gw_overlay_video_config *config)
{
    char url[PATH_MAX + sizeof("file:")];

    snprintf(url, sizeof(url), "file:%s", config->path);
    int error = avformat_alloc_output_context2(&video->format, NULL, "mp4", url);
    if (error < 0)
        return error;
    video->track = avformat_new_stream(video->format, NULL);
    if (!video->track)
        return -ENOMEM;
    error = avcodec_parameters_from_context(video->track->codecpar, video->encoder);
    if (error < 0)
        return error;
    video->track->time_base = microseconds;
    video->track->avg_frame_rate = config->rate;
    video->track->sample_aspect_ratio = config->aspect;
    error = avio_open(&video->format->pb, url, AVIO_FLAG_WRITE);
    return error < 0 ? error : avformat_write_header(video->format, NULL);
}

int gw_overlay_video_create(struct gw_overlay_video **ret,
                            const struct gw_overlay_video_config *config)
{
    struct gw_overlay_video *video = calloc(1, sizeof(*video));

    if (!video)
        return -ENOMEM;
    video->frame_us = config->frame_us;
    video->packet = av_packet_alloc();
    int error = video->packet ? open_encoder(video, config) : -ENOMEM;
    if (error >= 0)
        error = open_file(video, config);
    if (error < 0)
        gw_overlay_video_destroy(&video);
    else
        *ret = video;
    return error < 0 ? error : 0;
}

void gw_overlay_video_destroy(struct gw_overlay_video **video)
{
    if (!*video)
        return;
    if ((*video)->format)
        avio_closep(&(*video)->format->pb);
    avformat_free_context((*video)->format);
    avcodec_free_context(&(*video)->encoder);
    av_packet_free(&(*video)->packet);
    free(*video);
    *video = NULL;
}

static int write_ready(struct gw_overlay_video *video)
{
    int error;

    while ((error = avcodec_receive_packet(video->encoder, video->packet)) >= 0) {
        video->packet->stream_index = 0;
        video->packet->duration = video->frame_us;
        av_packet_rescale_ts(video->packet, microseconds, video->track->time_base);
        if ((error = av_write_frame(video->format, video->packet)) < 0)
            return error;
        av_packet_unref(video->packet);
    }
    return error == AVERROR(EAGAIN) || error == AVERROR_EOF ? 0 : error;
}

int gw_overlay_video_write(struct gw_overlay_video *video, AVFrame *picture, int64_t wall_us)
{
    picture->pts = wall_us;
    picture->pict_type = AV_PICTURE_TYPE_NONE;
    int error = avcodec_send_frame(video->encoder, picture);
    return error < 0 ? error : write_ready(video);
}

int gw_overlay_video_finish(struct gw_overlay_video *video)
{
    int error = avcodec_send_frame(video->encoder, NULL);

    if (error >= 0)
        error = write_ready(video);
    if (error >= 0)
        error = av_write_trailer(video->format);
    // A full disk may show only now.
    const int closed = avio_closep(&video->format->pb);
    return error < 0 ? error : closed < 0 ? closed : 0;
}
