// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the header of one of our clip files says. Private to storage/.
//
//   clip_muxer.c -> file -> [mp4_header] -> clip_identity.c, clip_join.c
//
// The file may be cut anywhere and its bytes may be anybody's: what is not what our muxer writes is
// refused. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/clip.h"
#include "storage/mp4_box.h"

#define GW_MP4_HEADER_LIMIT (64 * 1024) // no header is so large
#define GW_MP4_ENTRY_LIMIT  4096        // no sample entry is

#define GW_MP4_AVC1 GW_MP4_TYPE('a', 'v', 'c', '1')
#define GW_MP4_HVC1 GW_MP4_TYPE('h', 'v', 'c', '1')

struct gw_mp4_header {
    uint32_t codec; // GW_MP4_AVC1, GW_MP4_HVC1
    int width, height;
    uint8_t entry[GW_MP4_ENTRY_LIMIT]; // the sample entry, a whole box: parameter sets
    int entry_size;
    int64_t shift_ticks;    // by which the edit list takes presentation back, B-frames' delay
    int64_t duration_ticks; // 0 until the file is complete
    uint32_t sample_duration, sample_size, sample_flags; // where a fragment says none
    int64_t first;       // where the first fragment begins or will begin
    int64_t indexed_end; // where the last fragment of the index ends; 0 without an index
    // Who it is; id null, camera "", GW_NO_TIME where it does not say.
    struct gw_id id;
    char camera[GW_CAMERA_ID_SIZE];
    int64_t start_us, clock_offset_us;
};

// Returns 0, -errno, or GW_ERROR_INVALID when there is no whole header of ours.
int gw_mp4_read_header(int fd, struct gw_mp4_header *ret);
