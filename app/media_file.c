// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/media_file.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/error.h"

// With its protocol before it a name is always a file's: what is before a colon in it is no
// protocol, and what it refers to (a playlist) is on this machine.
static int open_path(AVFormatContext **ret, const char *path)
{
    char url[PATH_MAX + sizeof("file:")];
    int length = snprintf(url, sizeof(url), "file:%s", path);

    if (length >= (int)sizeof(url))
        return -ENAMETOOLONG;
    return avformat_open_input(ret, url, NULL, NULL);
}

int gw_media_file_open(struct gw_media_file *file, const char *path)
{
    *file = (struct gw_media_file){.path = path, .first_us = GW_NO_TIME};
    int error = open_path(&file->format, path);

    if (error >= 0)
        error = avformat_find_stream_info(file->format, NULL);
    if (error < 0)
        return error;
    int index = av_find_best_stream(file->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (index < 0)
        return GW_ERROR_NO_VIDEO;
    for (unsigned i = 0; i < file->format->nb_streams; i++)
        file->format->streams[i]->discard = (int)i == index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    file->track = file->format->streams[index];
    const AVCodecParameters *parameters = file->track->codecpar;
    const AVRational rate = av_guess_frame_rate(file->format, file->track, NULL);
    file->frame_us = rate.num > 0 ? GW_SECOND * rate.den / rate.num : GW_SECOND / 25;
    return gw_stream_create(&file->stream, parameters, parameters->video_delay);
}

void gw_media_file_close(struct gw_media_file *file)
{
    gw_stream_unref(&file->stream);
    avformat_close_input(&file->format);
    *file = (struct gw_media_file){0};
}

// Puts the time stamps on the axis of core/packet.h: microseconds from the first frame. Where the
// container knows no capture times (AVI), the decoder finds them from the decoding times; where it
// knows neither (raw streams), frames are numbered by their duration.
static void set_times(struct gw_media_file *file, AVPacket *av)
{
    const AVRational microseconds = {1, 1000000};

    av_packet_rescale_ts(av, file->track->time_base, microseconds);
    if (av->pts == AV_NOPTS_VALUE && av->dts == AV_NOPTS_VALUE)
        av->dts = file->packets * file->frame_us;
    const int64_t time_us = av->pts != AV_NOPTS_VALUE ? av->pts : av->dts;
    if (file->first_us == GW_NO_TIME)
        file->first_us = time_us;
    if (av->pts != AV_NOPTS_VALUE)
        av->pts -= file->first_us;
    if (av->dts != AV_NOPTS_VALUE)
        av->dts -= file->first_us;
    if (time_us - file->first_us > file->last_us)
        file->last_us = time_us - file->first_us;
    file->packets++;
}

int gw_media_file_read(struct gw_media_file *file, struct gw_packet *ret)
{
    AVPacket *av = av_packet_alloc();
    int error = av ? 0 : -ENOMEM;

    while (error >= 0 && (error = av_read_frame(file->format, av)) >= 0) {
        if (av->stream_index == file->track->index && av->size > 0) {
            set_times(file, av);
            gw_packet_init(ret, &av, file->stream, 0);
            return 1;
        }
        av_packet_unref(av);
    }
    av_packet_free(&av);
    return error == AVERROR_EOF ? 0 : error;
}

double gw_media_file_share(const struct gw_media_file *file)
{
    if (!file->format || file->format->duration <= 0)
        return 0;
    return fmin(1, (double)file->last_us / (double)file->format->duration);
}

int64_t gw_media_file_length_us(const struct gw_media_file *file)
{
    return file->packets > 0 ? file->last_us + file->frame_us : 0;
}

const char *gw_media_file_explain(int error)
{
    switch (error) {
    case AVERROR_INVALIDDATA: return "no video file, or a damaged one";
    case GW_ERROR_NO_VIDEO: return "has no video track";
    default: return gw_strerror(error);
    }
}
