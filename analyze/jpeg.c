// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/jpeg.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

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

// Whether the picture's planes can be compressed as they are, but for their range.
static bool is_planar8(const AVFrame *av)
{
    switch (plain_format(av->format)) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_GRAY8: return true;
    default: return false;
    }
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

// --- Strips --------------------------------------------------------------------------------------

enum { STRIP_ROWS = 2 * DCTSIZE }; // of brightness; what the encoder takes at once, at the most

// One plane of a strip. The encoder takes whole blocks: what lies right of the picture or below it
// repeats its edge.
struct plane {
    const uint8_t *from; // the picture's
    int stride;          // of from
    int width, height;   // of the picture's plane
    int shift_x, shift_y;
    int strip_rows, strip_width;
    uint8_t level[256]; // full range from the picture's
    uint8_t *pixels;
    JSAMPROW rows[STRIP_ROWS];
};

struct writer {
    struct jpeg_error_mgr errors; // first: libjpeg hands back its address
    jmp_buf failed;
    struct jpeg_compress_struct encoder;
    const AVFrame *av;
    const struct gw_zones *zones;
    int plane_count;
    struct plane planes[3];
    unsigned char *bytes;
    unsigned long size;
};

// ITU-R BT.601 and BT.709 alike: 8-bit brightness is 16 to 235, colour 128 +- 112.
static void set_levels(struct plane *plane, bool full_range, bool colour)
{
    for (int i = 0; i < 256; i++) {
        const double full = colour ? 128 + (i - 128) * (127.0 / 112.0) : (i - 16) * (255.0 / 219.0);
        plane->level[i] = full_range ? (uint8_t)i : (uint8_t)lround(fmin(255, fmax(0, full)));
    }
}

static int set_planes(struct writer *writer)
{
    const AVFrame *av = writer->av;
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(av->format);
    const int block_x = DCTSIZE << format->log2_chroma_w;

    writer->plane_count = format->nb_components;
    for (int i = 0; i < writer->plane_count; i++) {
        struct plane *plane = &writer->planes[i];
        plane->from = av->data[i];
        plane->stride = av->linesize[i];
        plane->shift_x = i ? format->log2_chroma_w : 0;
        plane->shift_y = i ? format->log2_chroma_h : 0;
        plane->width = AV_CEIL_RSHIFT(av->width, plane->shift_x);
        plane->height = AV_CEIL_RSHIFT(av->height, plane->shift_y);
        plane->strip_rows = (DCTSIZE << format->log2_chroma_h) >> plane->shift_y;
        plane->strip_width = (av->width + block_x - 1) / block_x * block_x >> plane->shift_x;
        plane->pixels = malloc((size_t)plane->strip_rows * (size_t)plane->strip_width);
        if (!plane->pixels)
            return -ENOMEM;
        for (int y = 0; y < plane->strip_rows; y++)
            plane->rows[y] = plane->pixels + (ptrdiff_t)y * plane->strip_width;
        set_levels(plane, is_full_range(av), i > 0);
    }
    return 0;
}

static void fill_strip(struct plane *plane, int first_row)
{
    for (int i = 0; i < plane->strip_rows; i++) {
        const int wanted = (first_row >> plane->shift_y) + i;
        const int y = wanted < plane->height ? wanted : plane->height - 1;
        const uint8_t *from = plane->from + (ptrdiff_t)y * plane->stride;
        uint8_t *to = plane->rows[i];
        for (int x = 0; x < plane->width; x++)
            to[x] = plane->level[from[x]];
        memset(to + plane->width, to[plane->width - 1],
               (size_t)(plane->strip_width - plane->width));
    }
}

// Black, from one fraction of the width to another, in row i of the strip's brightness.
static void paint_span(struct writer *writer, int i, double from, double to)
{
    const int left = (int)(from * writer->av->width), right = (int)ceil(to * writer->av->width);

    for (int p = 0; p < writer->plane_count; p++) {
        const struct plane *plane = &writer->planes[p];
        const int x = left >> plane->shift_x, end = AV_CEIL_RSHIFT(right, plane->shift_x);
        memset(plane->rows[i >> plane->shift_y] + x, p ? 128 : 0, (size_t)(end - x));
    }
}

static void paint_masks(struct writer *writer, int first_row)
{
    double crossings[GW_POLYGON_POINTS];
    const int height = writer->av->height;

    for (int i = 0; i < writer->planes[0].strip_rows && first_row + i < height; i++)
        for (int m = 0; m < writer->zones->mask_count; m++) {
            const int count =
                find_crossings(&writer->zones->masks[m], (first_row + i + 0.5) / height, crossings);
            for (int c = 0; c + 1 < count; c += 2)
                paint_span(writer, i, crossings[c], crossings[c + 1]);
        }
}

// --- Compressing ---------------------------------------------------------------------------------

static void fail(j_common_ptr encoder)
{
    struct writer *writer = (struct writer *)encoder->err;

    longjmp(writer->failed, 1);
}

static void say_nothing(j_common_ptr encoder)
{
}

static void begin(struct writer *writer, int quality)
{
    struct jpeg_compress_struct *encoder = &writer->encoder;

    jpeg_create_compress(encoder);
    jpeg_mem_dest(encoder, &writer->bytes, &writer->size);
    encoder->image_width = (JDIMENSION)writer->av->width;
    encoder->image_height = (JDIMENSION)writer->av->height;
    encoder->input_components = writer->plane_count;
    encoder->in_color_space = writer->plane_count > 1 ? JCS_YCbCr : JCS_GRAYSCALE;
    jpeg_set_defaults(encoder);
    jpeg_set_quality(encoder, quality, TRUE);
    encoder->raw_data_in = TRUE;
    if (writer->plane_count > 1) {
        encoder->comp_info[0].h_samp_factor = 1 << writer->planes[1].shift_x;
        encoder->comp_info[0].v_samp_factor = 1 << writer->planes[1].shift_y;
    }
    jpeg_start_compress(encoder, TRUE);
}

static void write_strips(struct writer *writer)
{
    JSAMPARRAY strip[3] = {0};
    const int rows = writer->planes[0].strip_rows;

    for (int i = 0; i < writer->plane_count; i++)
        strip[i] = writer->planes[i].rows;
    for (int y = 0; y < writer->av->height; y += rows) {
        for (int i = 0; i < writer->plane_count; i++)
            fill_strip(&writer->planes[i], y);
        if (writer->zones)
            paint_masks(writer, y);
        jpeg_write_raw_data(&writer->encoder, strip, (JDIMENSION)rows);
    }
    jpeg_finish_compress(&writer->encoder);
}

// libjpeg comes back here by longjmp() when it fails; all that it changes is in *writer.
static int run_encoder(struct writer *writer, int quality)
{
    writer->encoder.err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = fail;
    writer->errors.output_message = say_nothing;
    if (setjmp(writer->failed))
        return AVERROR_EXTERNAL;
    begin(writer, quality);
    write_strips(writer);
    return 0;
}

static int compress(struct gw_jpeg *ret, const AVFrame *av, const struct gw_zones *zones,
                    int quality)
{
    struct writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return -ENOMEM;
    writer->av = av;
    writer->zones = zones;
    int error = set_planes(writer);
    if (error == 0) {
        error = run_encoder(writer, quality);
        jpeg_destroy_compress(&writer->encoder);
    }
    if (error == 0)
        *ret = (struct gw_jpeg){writer->bytes, writer->size};
    else
        free(writer->bytes);
    for (int i = 0; i < writer->plane_count; i++)
        free(writer->planes[i].pixels);
    free(writer);
    return error;
}

int gw_jpeg_make(struct gw_jpeg *ret, const struct gw_frame *frame, const struct gw_zones *zones,
                 int max_width, int quality)
{
    const AVFrame *av = frame->av;
    AVFrame *copy = NULL;

    if (is_planar8(av) && av->width <= max_width)
        return compress(ret, av, zones, quality);
    int error = convert(&copy, av, av->width < max_width ? av->width : max_width);
    if (error < 0)
        return error;
    error = compress(ret, copy, zones, quality);
    av_frame_free(&copy);
    return error;
}

void gw_jpeg_free(struct gw_jpeg *jpeg)
{
    free(jpeg->bytes);
    *jpeg = (struct gw_jpeg){0};
}
