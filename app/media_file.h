// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A video file as a camera's packets: what a worker gets from RTSP, read from a file.
//
//   file -> libavformat -> [media_file] -> core/packet.h -> analyze/
//
// Times are microseconds from the file's first frame. Used by one thread at a time.
#pragma once

#include <libavformat/avformat.h>

#include "core/packet.h"

// All fields are for reading only.
struct gw_media_file {
    const char *path; // borrowed
    AVFormatContext *format;
    AVStream *track; // the video that is read
    struct gw_stream *stream;
    int64_t first_us; // time stamp of the first packet; GW_NO_TIME before it
    int64_t last_us;  // latest capture time so far, from the first frame
    int64_t frame_us; // how long a frame lasts
    int64_t packets;  // read so far
};

// Opens a file, never a network address. path must outlive *file. Returns 0, -errno,
// GW_ERROR_NO_VIDEO or an FFmpeg code; gw_media_file_close is due also after an error.
int gw_media_file_open(struct gw_media_file *file, const char *path);
// Accepts one that is all zero.
void gw_media_file_close(struct gw_media_file *file);

// Reads the next packet of the video track. Returns 1, 0 at the end, or an error.
int gw_media_file_read(struct gw_media_file *file, struct gw_packet *ret);

// How much of the file was read, 0 to 1; 0 when the file does not say how long it is.
double gw_media_file_share(const struct gw_media_file *file);

// How long what was read so far lasts.
int64_t gw_media_file_length_us(const struct gw_media_file *file);

// Says an error of the functions above for people.
const char *gw_media_file_explain(int error);
