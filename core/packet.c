// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/packet.h"

#include <assert.h>
#include <errno.h>

void gw_packet_init(struct gw_packet *packet, AVPacket **av, struct gw_stream *stream,
                    int64_t mono_us)
{
    packet->av = *av;
    packet->stream = gw_stream_ref(stream);
    packet->mono_us = mono_us;
    packet->lost = GW_GAP_NONE;
    *av = NULL;
}

int gw_packet_ref(struct gw_packet *dst, const struct gw_packet *src)
{
    assert(!dst->av && src->av);
    AVPacket *av = av_packet_clone(src->av);
    if (!av)
        return -ENOMEM;
    gw_packet_init(dst, &av, src->stream, src->mono_us);
    dst->lost = src->lost;
    return 0;
}

void gw_packet_unref(struct gw_packet *packet)
{
    av_packet_free(&packet->av);
    gw_stream_unref(&packet->stream);
}

void gw_packet_move(struct gw_packet *dst, struct gw_packet *src)
{
    assert(!dst->av);
    *dst = *src;
    *src = (struct gw_packet){0};
}
