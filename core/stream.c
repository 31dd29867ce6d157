// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/stream.h"

#include <errno.h>
#include <stdlib.h>

int gw_stream_create(struct gw_stream **ret, const AVCodecParameters *parameters, int reorder)
{
    struct gw_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return -ENOMEM;
    stream->parameters = avcodec_parameters_alloc();
    if (!stream->parameters || avcodec_parameters_copy(stream->parameters, parameters) < 0) {
        avcodec_parameters_free(&stream->parameters);
        free(stream);
        return -ENOMEM;
    }
    atomic_init(&stream->references, 1);
    stream->reorder = reorder;
    *ret = stream;
    return 0;
}

struct gw_stream *gw_stream_ref(struct gw_stream *stream)
{
    atomic_fetch_add_explicit(&stream->references, 1, memory_order_relaxed);
    return stream;
}

void gw_stream_unref(struct gw_stream **stream)
{
    struct gw_stream *gone = *stream;
    *stream = NULL;
    if (!gone || atomic_fetch_sub_explicit(&gone->references, 1, memory_order_acq_rel) > 1)
        return;
    avcodec_parameters_free(&gone->parameters);
    free(gone);
}

const char *gw_stream_codec_name(const struct gw_stream *stream)
{
    return stream->parameters->codec_id == AV_CODEC_ID_HEVC ? "h265" : "h264";
}
