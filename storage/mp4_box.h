// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The few MP4 boxes that Gridwatch reads and writes itself. Private to storage/.
//
// A clip is [ftyp][moov][room][moof mdat]…; the muxer makes all but the room, a free box. When the
// file is complete the room gets a segment index (sidx) and the header learns its duration, so
// that a browser opens a long clip with two requests instead of one per fragment.
// Any thread, one at a time per file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_MP4_TIMESCALE 90000 // ticks per second of the video track

#define GW_MP4_INDEX_ENTRIES    340
#define GW_MP4_INDEX_HEAD_SIZE  40
#define GW_MP4_INDEX_ENTRY_SIZE 12
// A free box (8 bytes at least) and a sidx.
#define GW_MP4_ROOM_SIZE                                                                           \
    (8 + GW_MP4_INDEX_HEAD_SIZE + GW_MP4_INDEX_ENTRY_SIZE * GW_MP4_INDEX_ENTRIES)

#define GW_MP4_TYPE(a, b, c, d)                                                                    \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct gw_mp4_box {
    uint32_t type;
    int64_t offset; // of its header in the file
    int64_t size;   // with its header
};

// One moof and its mdat.
struct gw_mp4_fragment {
    int64_t offset, size;
    int64_t start_ticks; // presentation time of its first picture
    bool key;            // that picture is a keyframe
};

// All of size bytes at offset. Returns 1, 0 when the file ends before them, -errno.
int gw_mp4_read(int fd, void *bytes, size_t size, int64_t offset);

// Reads the header of the box at offset. Returns 1; 0 when no whole box fits between offset and
// end (a file cut there, or bytes that are no box); -errno.
int gw_mp4_read_box(int fd, int64_t offset, int64_t end, struct gw_mp4_box *ret);

// Finds the header box, and where the room begins that follows it at once. Returns 0, -errno, or
// GW_ERROR_INVALID when the file has no whole header of ours.
int gw_mp4_find_header(int fd, struct gw_mp4_box *moov, int64_t *ret_room);

// The room as an empty free box, for the writer to put behind the header.
void gw_mp4_make_room(uint8_t room[GW_MP4_ROOM_SIZE]);

// Finds what lies in front of the fragments and turns an index into an empty room again.
// *ret_first is where the first fragment begins or will begin. Returns 0, -errno, or
// GW_ERROR_INVALID when the file has no whole header of ours.
int gw_mp4_open_room(int fd, int64_t *ret_first);

// Completes a file whose fragments are all written: index and durations. end_ticks is where the
// last picture's presentation ends. Does not sync. Returns 0, -errno, or GW_ERROR_INVALID.
int gw_mp4_seal(int fd, const struct gw_mp4_fragment *fragments, int count, int64_t end_ticks);

// The parts of an index: how many keyframes an entry must hold for there to be at most so many
// entries, how many there are then, and the sidx itself, of which out has room for.
int gw_mp4_index_group(const struct gw_mp4_fragment *fragments, int count, int most);
int gw_mp4_index_entries(const struct gw_mp4_fragment *fragments, int count, int group);
void gw_mp4_put_index(uint8_t *out, const struct gw_mp4_fragment *fragments, int count, int group,
                      int64_t end_ticks);
