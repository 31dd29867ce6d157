// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/clip_join_internal.h"

#include <assert.h>
#include <stdlib.h>

static void list_pieces(struct gw_joining *join)
{
    struct gw_join *result = join->result;
    assert(join->placed_count > 0);
    result->pieces = calloc((size_t)join->placed_count, sizeof(*result->pieces));
    if (!result->pieces)
        abort();
    for (int i = 0; i < join->placed_count; i++) {
        const struct gw_join_placed *placed = &join->placed[i];
        struct gw_media_piece *piece = &result->pieces[result->piece_count];
        if (i == 0 || piece[-1].clip != placed->clip) {
            if (i > 0 && piece[-1].to_us > placed->start_us)
                piece[-1].to_us = placed->start_us;
            piece->clip = placed->clip;
            piece->from_us = placed->start_us;
            piece->at_us = gw_join_us(placed->start_ticks);
            result->piece_count++;
        } else {
            piece--;
        }
        piece->to_us = placed->end_us;
        piece->frames += placed->frames;
    }
}

static void list_extents(struct gw_joining *join, int64_t header_at)
{
    struct gw_join *result = join->result;
    result->extents = calloc((size_t)join->placed_count * 2 + 1, sizeof(*result->extents));
    if (!result->extents)
        abort();
    struct gw_media_extent *extent = result->extents;
    *extent++ = (struct gw_media_extent){-1, header_at, gw_join_made(join) - header_at};
    for (int i = 0; i < join->placed_count; i++) {
        const struct gw_join_placed *placed = &join->placed[i];
        *extent++ = (struct gw_media_extent){-1, placed->made_at, placed->made_size};
        *extent++ = (struct gw_media_extent){placed->clip, placed->data_at, placed->data_size};
    }
    result->extent_count = extent - result->extents;
}

// An index says how far it is from one entry to the next, so where the first one lies is no matter.
static void build_index(struct gw_joining *join, int64_t end_ticks)
{
    struct gw_mp4_fragment *fragments = calloc((size_t)join->placed_count, sizeof(*fragments));
    int64_t offset = 0;
    if (!fragments)
        abort();
    for (int i = 0; i < join->placed_count; i++) {
        const struct gw_join_placed *placed = &join->placed[i];
        fragments[i] = (struct gw_mp4_fragment){.offset = offset,
                                                .size = placed->made_size + placed->data_size,
                                                .start_ticks = placed->start_ticks,
                                                .key = placed->key};
        offset += fragments[i].size;
    }
    gw_mp4_build_index(&join->out, fragments, join->placed_count, end_ticks);
    free(fragments);
}

int gw_join_complete(struct gw_joining *join)
{
    const int64_t header_at = gw_join_made(join);
    const int64_t end_ticks = join->placed[join->placed_count - 1].end_ticks;
    const struct gw_clip *clip = &join->request->clips[join->placed[0].clip];
    const struct gw_mp4_movie movie = {
        .entries = (const uint8_t *const *)join->entries,
        .entry_sizes = join->entry_sizes,
        .entry_count = join->entry_count,
        .width = join->width,
        .height = join->height,
        .duration_ticks = end_ticks,
        .shift_ticks = join->shift_ticks,
        .id = join->request->clip_count == 1 ? &clip->id : NULL,
        .camera = clip->camera,
        .start_us = join->placed[0].start_us,
        .clock_offset_us = join->clock_offset_us,
    };
    gw_mp4_build_header(&join->out, &movie);
    build_index(join, end_ticks);
    list_extents(join, header_at);
    list_pieces(join);
    return gw_join_flush(join);
}
