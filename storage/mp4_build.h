// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes the boxes of a clip that is put together from fragments of others: header, index, and a
// moof for each fragment. Private to storage/.
//
//   clip_join.c -> [mp4_build] -> bytes
//
// The header is built like that of clip_muxer.c, so that what is read of a clip is read of these
// too. Any thread.
#pragma once

#include <stddef.h>

#include "storage/mp4_fragments.h"

// Bytes that grow. Zero-initialise; free bytes when done.
struct gw_mp4_bytes {
    uint8_t *bytes;
    size_t size, room;
};

struct gw_mp4_movie {
    const uint8_t *const *entries; // sample entries, whole boxes
    const int *entry_sizes;
    int entry_count;
    int width, height;
    int64_t duration_ticks;
    int64_t shift_ticks;    // by which an edit list takes presentation back
    const struct gw_id *id; // NULL: of several clips
    const char *camera;
    int64_t start_us, clock_offset_us; // of the first picture; GW_NO_TIME: not known
};

// ftyp and moov.
void gw_mp4_build_header(struct gw_mp4_bytes *out, const struct gw_mp4_movie *movie);

// A sidx for these fragments, of which an entry holds as many as begin with no keyframe and so many
// more that there are at most GW_MP4_BUILT_ENTRIES. One that fits into the room of a clip is as
// large as that. offset and size of the fragments are in what is built.
#define GW_MP4_BUILT_ENTRIES 32768
void gw_mp4_build_index(struct gw_mp4_bytes *out, const struct gw_mp4_fragment *fragments,
                        int count, int64_t end_ticks);

// A moof for these pictures, the head of the mdat that follows it, and in it what is put before the
// first picture and is part of it then. description: which sample entry, from 1. dts: of the first
// picture.
void gw_mp4_build_moof(struct gw_mp4_bytes *out, uint32_t sequence, uint32_t description,
                       int64_t dts, const struct gw_mp4_pictures *pictures, const uint8_t *before,
                       int before_size);
