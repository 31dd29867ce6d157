// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Codec parameters: what a camera's video needs to be decoded, and when that changes.
//
//   intake.c -> [parameters] -> intake.c
//
// Parameter sets come from the session description, or in front of a keyframe, or both; those in
// front of a keyframe win. Picture size and reorder depth come from a decoder that is shown one
// keyframe and then thrown away. Used by one thread.
#pragma once

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

struct gw_parameters;

// The largest picture that is taken: 8K and some. What a camera claims is what a decoder allocates.
#define GW_MOST_PIXELS (INT64_C(8192) * 4608)

// described: the stream as the session description has it, H.264 or H.265; copied.
int gw_parameters_create(struct gw_parameters **ret, const AVCodecParameters *described);
void gw_parameters_destroy(struct gw_parameters **parameters);

// Looks at a keyframe. Returns 1 when the parameters are known from here on or are others than
// before, 0 when they go on as they were, AVERROR_INVALIDDATA when the keyframe cannot be decoded
// with what is known, or is larger than GW_MOST_PIXELS, -ENOMEM.
int gw_parameters_feed(struct gw_parameters *parameters, const AVPacket *key);

// What feed found: complete parameters (borrowed until the next feed) and the reorder depth.
const AVCodecParameters *gw_parameters_get(const struct gw_parameters *parameters,
                                           int *ret_reorder);
