// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How clip files are muxed: libavformat's mp4 muxer with the options that make a clip what it is,
// and the identity inside the file. Private to storage/.
#pragma once

#include <libavformat/avformat.h>

#include "core/clip.h"
#include "core/packet.h"

// Metadata keys in the file, read back by any libavformat program.
#define GW_CLIP_TAG_ID              "gridwatch_clip"
#define GW_CLIP_TAG_CAMERA          "gridwatch_camera"
#define GW_CLIP_TAG_START_US        "gridwatch_start_us"
#define GW_CLIP_TAG_CLOCK_OFFSET_US "gridwatch_clock_offset_us" // absent when it was not known

// Makes a muxer for packets like first that writes through the two callbacks, and writes the
// header. Its one track counts in 1/GW_MP4_TIMESCALE s. Returns 0, or an FFmpeg code.
int gw_clip_muxer_start(AVFormatContext **ret, const struct gw_clip *clip,
                        const struct gw_packet *first,
                        int (*write)(void *opaque, uint8_t *bytes, int size),
                        int64_t (*seek)(void *opaque, int64_t offset, int whence), void *opaque);

// Accepts NULL inside; without av_write_trailer before, drops what is not written. Sets it to NULL.
void gw_clip_muxer_free(AVFormatContext **muxer);
