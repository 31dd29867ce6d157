// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What receiving costs at least: a thread per URL that reads packets and forgets them.
//
//   bare_pull WAIT_S URL…
//
// Connects all, prints "ready" once each has delivered a packet, goes on for WAIT_S more seconds,
// and prints "packets cpu_s rss_kib" of that time. tests/bench/ingest compares the product with it.

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libavformat/avformat.h>

static atomic_uint_fast64_t packets;
static atomic_int running;

static AVFormatContext *open_stream(const char *url)
{
    AVFormatContext *stream = NULL;
    AVDictionary *options = NULL;

    av_dict_set(&options, "rtsp_transport", "tcp", 0);
    av_dict_set(&options, "allowed_media_types", "video", 0);
    if (avformat_open_input(&stream, url, NULL, &options) < 0) {
        fprintf(stderr, "bare_pull: cannot open %s\n", url);
        exit(1);
    }
    av_dict_free(&options);
    return stream;
}

static void *pull(void *url)
{
    AVFormatContext *stream = open_stream(url);
    AVPacket *packet = av_packet_alloc();

    if (!packet)
        abort();
    for (bool first = true; av_read_frame(stream, packet) >= 0; first = false) {
        if (first)
            running++;
        packets++;
        av_packet_unref(packet);
    }
    fprintf(stderr, "bare_pull: %s ended\n", (const char *)url);
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        abort();
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bare_pull WAIT_S URL…\n");
        return 2;
    }
    av_log_set_level(AV_LOG_ERROR);
    for (int i = 2; i < argc; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, pull, argv[i]))
            abort();
        pthread_detach(thread);
    }
    while (running < argc - 2)
        usleep(10000);
    printf("ready\n");
    fflush(stdout);

    uint64_t packets_before = packets;
    double cpu_before = cpu_seconds();
    usleep((useconds_t)(atof(argv[1]) * 1e6));
    printf("%" PRIu64 " %.4f %ld\n", (uint64_t)packets - packets_before, cpu_seconds() - cpu_before,
           resident_kib());
    fflush(stdout);
    _exit(0); // the threads stand in the library's calls
}
