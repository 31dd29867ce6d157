// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/jpeg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// What turbojpeg calls the format; -1 when it cannot take its planes.
static int subsampling(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P: return TJSAMP_420;
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P: return TJSAMP_422;
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P: return TJSAMP_444;
    case AV_PIX_FMT_GRAY8: return TJSAMP_GRAY;
    default: return -1;
    }
}

// The YUVJ formats are the same planes as their YUV names, said to be full range.
static enum AVPixelFormat plain_format(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    default: return format;
    }
}

static bool is_full_range(const AVFrame *av)
{
    return av->color_range == AVCOL_RANGE_JPEG || plain_format(av->format) != av->format;
}

static struct SwsContext *open_scaler(const AVFrame *from, const AVFrame *to)
{
    struct SwsContext *scaler = sws_alloc_context();

    if (!scaler)
        return NULL;
    av_opt_set_int(scaler, "srcw", from->width, 0);
    av_opt_set_int(scaler, "srch", from->height, 0);
    av_opt_set_int(scaler, "src_format", plain_format(from->format), 0);
    av_opt_set_int(scaler, "src_range", is_full_range(from), 0);
    av_opt_set_int(scaler, "dstw", to->width, 0);
    av_opt_set_int(scaler, "dsth", to->height, 0);
    av_opt_set_int(scaler, "dst_format", to->format, 0);
    av_opt_set_int(scaler, "dst_range", 1, 0);
    av_opt_set_int(scaler, "sws_flags", to->width < from->width ? SWS_AREA : SWS_FAST_BILINEAR, 0);
    if (sws_init_context(scaler, NULL, NULL) < 0) {
        sws_freeContext(scaler);
        return NULL;
    }
    return scaler;
}

// A full-range YUV 4:2:0 copy of the picture, width wide.
static int convert(AVFrame **ret, const AVFrame *from, int width)
{
    AVFrame *to = av_frame_alloc();

    if (!to)
        return -ENOMEM;
    to->format = AV_PIX_FMT_YUV420P;
    to->color_range = AVCOL_RANGE_JPEG;
    to->width = width;
    to->height = (int)((int64_t)from->height * width / from->width);
    if (to->height < 1)
        to->height = 1;
    int error = av_frame_get_buffer(to, 0) < 0 ? -ENOMEM : 0;
    struct SwsContext *scaler = error < 0 ? NULL : open_scaler(from, to);
    if (error == 0 && !scaler)
        error = AVERROR_EXTERNAL;
    if (scaler && sws_scale(scaler, (const uint8_t *const *)from->data, from->linesize, 0,
                            from->height, to->data, to->linesize) != to->height)
        error = AVERROR_EXTERNAL;
    sws_freeContext(scaler);
    if (error < 0)
        av_frame_free(&to);
    else
        *ret = to;
    return error;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Where the row at height y crosses the polygon's edges, from left to right; inside is between the
// first and the second, the third and the fourth, … Returns how many.
static int find_crossings(const struct gw_polygon *polygon, double y, double *ret)
{
    int count = 0;

    for (int i = 0, j = polygon->count - 1; i < polygon->count; j = i++) {
        const double yi = polygon->y[i], yj = polygon->y[j];
        if ((yi > y) != (yj > y))
            ret[count++] = (polygon->x[j] - polygon->x[i]) * (y - yi) / (yj - yi) + polygon->x[i];
    }
    qsort(ret, (size_t)count, sizeof(*ret), compare_doubles);
    return count;
}

// Black, in full-range 4:2:0, from one fraction of the width to another.
static void paint_span(AVFrame *av, int y, double from, double to)
{
    const int left = (int)(from * av->width), right = (int)ceil(to * av->width);

    memset(av->data[0] + (ptrdiff_t)y * av->linesize[0] + left, 0, (size_t)(right - left));
    for (int plane = 1; plane < 3; plane++)
        memset(av->data[plane] + (ptrdiff_t)(y / 2) * av->linesize[plane] + left / 2, 128,
               (size_t)((right + 1) / 2 - left / 2));
}

static void paint_masks(AVFrame *av, const struct gw_zones *zones)
{
    double crossings[GW_POLYGON_POINTS];

    for (int y = 0; y < av->height; y++)
        for (int i = 0; i < zones->mask_count; i++) {
            const int count = find_crossings(&zones->masks[i], (y + 0.5) / av->height, crossings);
            for (int c = 0; c + 1 < count; c += 2)
                paint_span(av, y, crossings[c], crossings[c + 1]);
        }
}

static int compress(struct gw_jpeg *ret, const AVFrame *av, int quality)
{
    const unsigned char *planes[3] = {av->data[0], av->data[1], av->data[2]};
    const int strides[3] = {av->linesize[0], av->linesize[1], av->linesize[2]};
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    tjhandle encoder = tjInitCompress();

    if (!encoder)
        return -ENOMEM;
    int failed = tjCompressFromYUVPlanes(encoder, planes, av->width, strides, av->height,
                                         subsampling(av->format), &bytes, &size, quality, 0);
    tjDestroy(encoder);
    if (failed) {
        tjFree(bytes);
        return AVERROR_EXTERNAL;
    }
    *ret = (struct gw_jpeg){bytes, size};
    return 0;
}

int gw_jpeg_make(struct gw_jpeg *ret, const struct gw_frame *frame, const struct gw_zones *zones,
                 int max_width, int quality)
{
    const AVFrame *av = frame->av;
    const bool masked = zones && zones->mask_count > 0;
    AVFrame *copy = NULL;

    if (subsampling(av->format) >= 0 && is_full_range(av) && av->width <= max_width && !masked)
        return compress(ret, av, quality);
    int error = convert(&copy, av, av->width < max_width ? av->width : max_width);
    if (error < 0)
        return error;
    if (masked)
        paint_masks(copy, zones);
    error = compress(ret, copy, quality);
    av_frame_free(&copy);
    return error;
}

void gw_jpeg_free(struct gw_jpeg *jpeg)
{
    tjFree(jpeg->bytes);
    *jpeg = (struct gw_jpeg){0};
}
