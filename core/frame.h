// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One decoded picture: a light handle on a refcounted AVFrame, as packet.h is on AVPacket.
// One owner per handle; share the pixels by taking another handle.
#pragma once

#include <stdint.h>

#include <libavutil/frame.h>

struct gw_frame {
    AVFrame *av;     // NULL in an empty handle; planes as the decoder gave them
    int64_t wall_us; // capture time, from the packet's pts
};

// Takes over *av.
void gw_frame_init(struct gw_frame *frame, AVFrame **av, int64_t wall_us);
int gw_frame_ref(struct gw_frame *dst, const struct gw_frame *src);
void gw_frame_unref(struct gw_frame *frame);
void gw_frame_move(struct gw_frame *dst, struct gw_frame *src);
