// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a run of packets has in common: codec, parameter sets, picture size.
//
// Shared by all packets of the run, refcounted, never changed after creation. A camera that changes
// its parameter sets, or whose clock jumps, starts a new stream; consumers notice by comparing
// pointers, and a clip never holds packets of two streams.
#pragma once

#include <stdatomic.h>

#include <libavcodec/codec_par.h>

struct gw_stream {
    atomic_int references;
    AVCodecParameters *parameters; // H.264 or H.265, width and height set, extradata set
    int reorder; // pictures by which B-frames delay decoding order; 0 without B-frames
};

// Copies parameters. Returns 0 or -ENOMEM. The caller owns one reference.
int gw_stream_create(struct gw_stream **ret, const AVCodecParameters *parameters, int reorder);
struct gw_stream *gw_stream_ref(struct gw_stream *stream);
// Accepts NULL inside. Sets *stream to NULL.
void gw_stream_unref(struct gw_stream **stream);

// "h264" or "h265".
const char *gw_stream_codec_name(const struct gw_stream *stream);
