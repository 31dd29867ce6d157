// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What decoding costs at least: one libavcodec thread that decodes a file's video track and forgets
// the pictures.
//
//   bare_decode [--keyframes] FILE
//
// Prints "pictures cpu_s rss_kib": user and system time of the whole process, and the most memory
// that it had. --keyframes hands only packets that stand alone to the decoder; the others are read
// and dropped. tests/bench/analyze compares the product with it.

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

static void require(int result, const char *what, const char *path)
{
    if (result >= 0)
        return;
    fprintf(stderr, "bare_decode: cannot %s %s: %s\n", what, path, av_err2str(result));
    exit(1);
}

static AVFormatContext *open_file(const char *path, int *ret_track)
{
    AVFormatContext *format = NULL;

    require(avformat_open_input(&format, path, NULL, NULL), "open", path);
    require(avformat_find_stream_info(format, NULL), "read", path);
    *ret_track = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    require(*ret_track, "find video in", path);
    for (unsigned i = 0; i < format->nb_streams; i++)
        format->streams[i]->discard = (int)i == *ret_track ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    return format;
}

static AVCodecContext *open_codec(const AVStream *track, const char *path)
{
    const AVCodec *codec = avcodec_find_decoder(track->codecpar->codec_id);
    AVCodecContext *context = avcodec_alloc_context3(codec);

    if (!codec || !context)
        require(AVERROR_DECODER_NOT_FOUND, "decode", path);
    require(avcodec_parameters_to_context(context, track->codecpar), "decode", path);
    context->thread_count = 1;
    require(avcodec_open2(context, codec, NULL), "decode", path);
    return context;
}

// Gives the packet, NULL at the end, to the decoder. Returns how many pictures came out of it; a
// packet that cannot be decoded gives none, as in the product.
static uint64_t decode(AVCodecContext *codec, const AVPacket *packet, AVFrame *frame)
{
    uint64_t pictures = 0;

    avcodec_send_packet(codec, packet);
    while (avcodec_receive_frame(codec, frame) >= 0) {
        pictures++;
        av_frame_unref(frame);
    }
    return pictures;
}

static double cpu_seconds(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    const bool only_keyframes = argc == 3 && strcmp(argv[1], "--keyframes") == 0;
    int track = -1;
    uint64_t pictures = 0;
    struct rusage usage;

    if (argc != 2 && !only_keyframes) {
        fprintf(stderr, "usage: bare_decode [--keyframes] FILE\n");
        return 2;
    }
    av_log_set_level(AV_LOG_FATAL);
    AVFormatContext *format = open_file(argv[argc - 1], &track);
    AVCodecContext *codec = open_codec(format->streams[track], argv[argc - 1]);
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (!packet || !frame)
        abort();
    while (av_read_frame(format, packet) >= 0) {
        if (packet->stream_index == track && (!only_keyframes || (packet->flags & AV_PKT_FLAG_KEY)))
            pictures += decode(codec, packet, frame);
        av_packet_unref(packet);
    }
    pictures += decode(codec, NULL, frame);
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&codec);
    avformat_close_input(&format);
    getrusage(RUSAGE_SELF, &usage);
    printf("%" PRIu64 " %.4f %ld\n", pictures, cpu_seconds(&usage), usage.ru_maxrss);
    return 0;
}
