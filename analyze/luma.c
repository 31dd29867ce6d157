// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "analyze/luma.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/pixdesc.h>

#include "analyze/loops.h"
#include "analyze/luma_pairs.h"

void gw_luma_init(struct gw_luma *luma)
{
    *luma = (struct gw_luma){0};
}

void gw_luma_finish(struct gw_luma *luma)
{
    free(luma->pixels);
    free(luma->row);
    free(luma->column);
    gw_luma_init(luma);
}

static int set_size(struct gw_luma *luma, int source_width, int source_height, int max_width)
{
    int width = source_width < max_width ? source_width : max_width;
    int height = (int)((int64_t)source_height * width / source_width);
    if (height < 1)
        height = 1;

    gw_luma_finish(luma);
    luma->pixels = malloc((size_t)width * (size_t)height);
    luma->row = calloc((size_t)source_width + 1, sizeof(*luma->row));
    luma->column = malloc(((size_t)width + 1) * sizeof(*luma->column));
    if (!luma->pixels || !luma->row || !luma->column) {
        gw_luma_finish(luma);
        return -ENOMEM;
    }
    luma->width = width;
    luma->height = height;
    luma->source_width = source_width;
    luma->source_height = source_height;
    for (int x = 0; x <= width; x++)
        luma->column[x] = (int)((int64_t)x * source_width / width);
    return 1;
}

// Simple loops over one row: the compiler turns them into vector instructions.
static void add_row8(uint16_t *restrict sum, const uint8_t *restrict row, int width)
{
    for (int x = 0; x < width; x++)
        sum[x] = (uint16_t)(sum[x] + row[x]);
}

static void add_row16(uint16_t *restrict sum, const uint16_t *restrict row, int width, int shift)
{
    for (int x = 0; x < width; x++)
        sum[x] = (uint16_t)(sum[x] + (row[x] >> shift));
}

// One small row from the column sums of rows source rows. A small pixel is narrow columns wide or
// one more, so the division becomes one of two multiplications; rounded down, so that white does
// not wrap to black. The further column is read in any case, which is faster than a guess.
static inline void average(const struct gw_luma *luma, uint8_t *out, int rows, int narrow)
{
    const uint32_t share[2] = {65536 / (uint32_t)(narrow * rows),
                               65536 / (uint32_t)((narrow + 1) * rows)};

    for (int x = 0; x < luma->width; x++) {
        const uint16_t *from = luma->row + luma->column[x];
        const uint32_t wide = (uint32_t)(luma->column[x + 1] - luma->column[x] - narrow);
        uint32_t sum = from[narrow] & (0 - wide);
        for (int i = 0; i < narrow; i++)
            sum += from[i];
        out[x] = (uint8_t)((sum * share[wide] + 32768) >> 16);
    }
}

static void average_row(const struct gw_luma *luma, uint8_t *out, int rows)
{
    const int narrow = luma->source_width / luma->width;

    switch (narrow) { // known when compiled, the inner loop is none: CIF, D1, 1024 pixels
    case 1: average(luma, out, rows, 1); break;
    case 2: average(luma, out, rows, 2); break;
    case 3: average(luma, out, rows, 3); break;
    default: average(luma, out, rows, narrow); break;
    }
}

// The usual case: 8 bits, and a small pixel is as wide as a whole number of pairs.
static bool has_pairs(const struct gw_luma *luma, int depth)
{
    const int factor = luma->source_width / luma->width;
    const int rows = luma->source_height / luma->height + 1;

    return depth == 8 && factor % 2 == 0 && luma->width * factor == luma->source_width &&
           rows <= GW_LUMA_PAIR_ROWS;
}

static void reduce_pairs(struct gw_luma *luma, const AVFrame *av)
{
    gw_luma_pairs_fn *add_pairs = gw_luma_pairs_best();
    const struct gw_loops *loops = gw_loops_best();
    const int pairs = luma->source_width / luma->width / 2;

    for (int y = 0; y < luma->height; y++) {
        const int from = (int)((int64_t)y * luma->source_height / luma->height);
        const int to = (int)((int64_t)(y + 1) * luma->source_height / luma->height);
        add_pairs(luma->row, av->data[0] + (ptrdiff_t)from * av->linesize[0], av->linesize[0],
                  to - from, luma->source_width / 2);
        loops->average_pairs(luma->width, luma->row, pairs, to - from,
                             luma->pixels + (size_t)y * (size_t)luma->width);
    }
}

static void reduce(struct gw_luma *luma, const AVFrame *av, int depth)
{
    if (depth == 8 && luma->width == luma->source_width && luma->height == luma->source_height) {
        for (int y = 0; y < luma->height; y++)
            memcpy(luma->pixels + (size_t)y * (size_t)luma->width,
                   av->data[0] + (ptrdiff_t)y * av->linesize[0], (size_t)luma->width);
        return;
    }
    if (has_pairs(luma, depth)) {
        reduce_pairs(luma, av);
        return;
    }
    for (int y = 0; y < luma->height; y++) {
        const int from = (int)((int64_t)y * luma->source_height / luma->height);
        const int to = (int)((int64_t)(y + 1) * luma->source_height / luma->height);
        memset(luma->row, 0, (size_t)luma->source_width * sizeof(*luma->row));
        for (int i = from; i < to; i++) {
            const uint8_t *row = av->data[0] + (ptrdiff_t)i * av->linesize[0];
            if (depth == 8)
                add_row8(luma->row, row, luma->source_width);
            else
                add_row16(luma->row, (const uint16_t *)(const void *)row, luma->source_width,
                          depth - 8);
        }
        average_row(luma, luma->pixels + (size_t)y * (size_t)luma->width, to - from);
    }
}

// Whether the first plane holds one native whole number of at least 8 bits per pixel, and that is
// its brightness.
static bool has_luma_plane(const AVPixFmtDescriptor *format)
{
    const AVComponentDescriptor *luma = &format->comp[0];
    const uint64_t other = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                           AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BE;

    return !(format->flags & other) && luma->depth >= 8 && luma->depth <= 16 &&
           luma->step == (luma->depth + 7) / 8 && luma->shift == 0 && luma->offset == 0;
}

int gw_luma_reduce(struct gw_luma *luma, const struct gw_frame *frame, int max_width)
{
    const AVFrame *av = frame->av;
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(av->format);
    int changed = 0;

    if (!format || av->width < 1 || av->height < 1 || !has_luma_plane(format))
        return AVERROR_PATCHWELCOME;
    if (av->width != luma->source_width || av->height != luma->source_height)
        changed = set_size(luma, av->width, av->height, max_width);
    if (changed < 0)
        return changed;
    reduce(luma, av, format->comp[0].depth);
    return changed;
}
