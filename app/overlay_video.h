// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pictures in, an MP4 of H.264 out, each picture at its own time.
//
//   overlay.c -> [video: libx264, libavformat] -> overlay_output.h
//
// Used by one thread at a time; the encoder has its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/frame.h>
#include <libavutil/rational.h>

struct gw_overlay_video;

struct gw_overlay_video_config {
    const char *path;  // an existing file is emptied
    int width, height; // even
    AVRational rate;   // pictures a second, about; {0, 1} unknown
    AVRational aspect; // of one pixel; {0, 1} unknown
    int64_t frame_us;  // how long the last picture lasts
    // What the colours mean, as the source said.
    enum AVColorPrimaries primaries;
    enum AVColorTransferCharacteristic transfer;
    enum AVColorSpace space;
};

// Returns 0, AVERROR_ENCODER_NOT_FOUND when this FFmpeg was built without libx264, or another
// error.
int gw_overlay_video_create(struct gw_overlay_video **ret,
                            const struct gw_overlay_video_config *config);
void gw_overlay_video_destroy(struct gw_overlay_video **video);

// Whether this FFmpeg can encode.
bool gw_overlay_video_possible(void);

// Encodes a picture in YUV 4:2:0 of that size; its time is microseconds, and later than that of the
// one before. Returns 0 or an error.
int gw_overlay_video_write(struct gw_overlay_video *video, AVFrame *picture, int64_t wall_us);

// Writes what the encoder still holds and the file's end. Returns 0 or an error.
int gw_overlay_video_finish(struct gw_overlay_video *video);
