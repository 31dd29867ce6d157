// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/frame.h"

#include <assert.h>
#include <errno.h>

void gw_frame_init(struct gw_frame *frame, AVFrame **av, int64_t wall_us)
{
    frame->av = *av;
    frame->wall_us = wall_us;
    *av = NULL;
}

int gw_frame_ref(struct gw_frame *dst, const struct gw_frame *src)
{
    assert(!dst->av && src->av);
    AVFrame *av = av_frame_clone(src->av);
    if (!av)
        return -ENOMEM;
    gw_frame_init(dst, &av, src->wall_us);
    return 0;
}

void gw_frame_unref(struct gw_frame *frame)
{
    av_frame_free(&frame->av);
}

void gw_frame_move(struct gw_frame *dst, struct gw_frame *src)
{
    assert(!dst->av);
    *dst = *src;
    *src = (struct gw_frame){0};
}
