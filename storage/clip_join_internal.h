// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the clip_join*.c files share. Private to storage/.
//
//   clip_join.c         the steps: what all clips say, then each clip's fragments, then the whole
//   clip_join_source.c  one clip's file, and which of its fragments are wanted
//   clip_join_result.c  header, index, extents and pieces of what was put together
#pragma once

#include <libavutil/mathematics.h>

#include "core/clock.h"
#include "storage/clip_join.h"
#include "storage/mp4_build.h"

#define GW_JOIN_ENTRIES 64 // different parameter sets, at most

// A fragment as it lies in its clip's file.
struct gw_join_found {
    int64_t start_us, last_us; // of the pictures that are shown first and last
    bool key;
};

// A fragment of the result. Times in ticks of its time line.
struct gw_join_placed {
    int64_t clip, made_at, made_size, data_at, data_size;
    int64_t start_us, last_us, end_us, frames; // last_us: of the picture that is shown last
    int64_t start_ticks, end_ticks, last_dts;
    bool key;
};

struct gw_joining {
    const char *store;
    const struct gw_join_request *request;
    struct gw_join *result;
    int made_fd;
    int64_t written; // bytes made that are in made_fd; the rest is in out
    struct gw_mp4_bytes out;

    uint32_t codec; // of the first clip; 0 before it
    int width, height;
    int64_t shift_ticks; // the longest of all clips
    int64_t clock_offset_us;
    uint8_t *entries[GW_JOIN_ENTRIES];
    int entry_sizes[GW_JOIN_ENTRIES], entry_count;
    bool varied; // not all clips have the same sample entry

    struct gw_join_found *found; // of the clip at hand
    int found_count, found_room;
    struct gw_join_placed *placed;
    int placed_count, placed_room;
    uint32_t sequence;
};

// The clip at hand.
struct gw_join_source {
    int fd;
    int64_t number, size;
    struct gw_mp4_header header;
    struct gw_mp4_fragments *fragments;
    int description;                        // its sample entry, from 1
    uint8_t parameters[GW_MP4_ENTRY_LIMIT]; // to stand before its keyframes
    int parameters_size;
};

static inline int64_t gw_join_us(int64_t ticks)
{
    return av_rescale(ticks, GW_SECOND, GW_MP4_TIMESCALE);
}

static inline int64_t gw_join_ticks(int64_t wall_us)
{
    return av_rescale(wall_us, GW_MP4_TIMESCALE, GW_SECOND);
}

// Returns array with room for one more.
void *gw_join_make_room(void *array, int count, int *room, size_t size);

// Bytes made so far; and writes them out. Returns 0 or -errno.
int64_t gw_join_made(const struct gw_joining *join);
int gw_join_flush(struct gw_joining *join);

// Notes why there is no result. Returns what every step returns then.
int gw_join_refuse(struct gw_joining *join, enum gw_join_problem problem, int64_t wall_us);

// --- clip_join_source.c --------------------------------------------------------------------------

// A file that is missing or no clip's is passed over. Returns 1, 0 or -errno.
int gw_join_open_source(struct gw_joining *join, int64_t number, struct gw_join_source *source);
void gw_join_close_source(struct gw_join_source *source);
// Begins to read its fragments.
int gw_join_rewind_source(struct gw_join_source *source);

// Fills join->found. Returns 0 or an error.
int gw_join_find_fragments(struct gw_joining *join, struct gw_join_source *source);
// Where this clip takes over from those before it, of which what it replaces is taken back; -1:
// nowhere.
int gw_join_find_begin(struct gw_joining *join);
// Up to which fragment of this clip, exclusive.
int gw_join_find_end(const struct gw_joining *join, int begin);

// --- clip_join_result.c --------------------------------------------------------------------------

// Makes header and index, and fills in join->result. Returns 0 or -errno.
int gw_join_complete(struct gw_joining *join);
