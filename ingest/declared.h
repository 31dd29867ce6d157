// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera's parameter sets declare and its pictures may not keep.
#pragma once

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>

// Pictures a second, by the timing in the parameter sets; 0 when they have none, or when the
// keyframe cannot be decoded. Decodes it.
double gw_declared_frame_rate(const AVCodecParameters *parameters, const AVPacket *key);
