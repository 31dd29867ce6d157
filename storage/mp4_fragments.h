// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The fragments of a clip file, one after the other, by their boxes: which pictures each holds and
// where their bytes lie. Private to storage/. Reads no picture.
//
// As mp4_header.h says, any bytes: the walk ends before the first ones that are no whole fragment
// of ours. One thread at a time per reader.
#pragma once

#include "storage/mp4_header.h"

// Flags of a tfhd: which fields it has.
#define GW_MP4_TFHD_BASE         0x01
#define GW_MP4_TFHD_DESCRIPTION  0x02
#define GW_MP4_TFHD_DURATION     0x08
#define GW_MP4_TFHD_SIZE         0x10
#define GW_MP4_TFHD_FLAGS        0x20
#define GW_MP4_TFHD_BASE_IS_MOOF 0x20000
// Of a trun; the last four are of each picture.
#define GW_MP4_TRUN_DATA        0x001
#define GW_MP4_TRUN_FIRST_FLAGS 0x004
#define GW_MP4_TRUN_DURATION    0x100
#define GW_MP4_TRUN_SIZE        0x200
#define GW_MP4_TRUN_FLAGS       0x400
#define GW_MP4_TRUN_OFFSET      0x800

#define GW_MP4_SAMPLE_NOT_KEY UINT32_C(0x10000) // in a picture's flags

struct gw_mp4_sample {
    uint32_t duration, size, flags;
    int32_t offset; // presentation after decoding, ticks
};

struct gw_mp4_pictures {
    int64_t offset, size;      // of moof and mdat in the file
    int64_t data, data_size;   // of what is in the mdat
    int64_t dts;               // of its first picture in decoding order, ticks
    int64_t first_pts;         // of the picture that is shown first, less the edit list's shift
    int64_t last_pts;          // of the one shown last, likewise
    int64_t last_dts, end_dts; // of the last in decoding order; and its end
    int64_t end_pts;           // when no picture is shown any more, likewise
    bool key;                  // its first picture is a keyframe
    int count;                 // > 0
    const struct gw_mp4_sample *samples; // borrowed from the reader until the next call
};

struct gw_mp4_fragments;

// The reader borrows fd and header. size: how much of the file counts. Returns 0 or -ENOMEM.
int gw_mp4_fragments_create(struct gw_mp4_fragments **ret, int fd, int64_t size,
                            const struct gw_mp4_header *header);
void gw_mp4_fragments_destroy(struct gw_mp4_fragments **fragments);

// Returns 1; 0 when no whole fragment follows; -errno.
int gw_mp4_fragments_next(struct gw_mp4_fragments *fragments, struct gw_mp4_pictures *ret);

// Where the next moof and mdat lie, whatever is in them. Returns 1, 0, -errno as above.
int gw_mp4_find_fragment(int fd, int64_t offset, int64_t end, int64_t *ret_moof_size,
                         int64_t *ret_mdat_size);
