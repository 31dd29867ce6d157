// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Puts clips of one camera together to one file that plays as a whole, without copying a picture:
// the result is a list of extents, bytes made here and parts of the clips' files.
//
//   index -> clips -> [clip_join] -> media_plan.h, which sends or copies the extents
//
// It reads bytes that came from a camera (boxes, no pictures), so it runs in a sandboxed process of
// its own (app/verb_plan_media.c). What it makes is a fragmented MP4: header, index, and each
// fragment's moof made anew before its mdat, on one time line:
//
// - Fragments are whole, in the order of their UTC. The first is the last one before `from` that
//   begins with a keyframe, or the first one at all; the last is the last that begins before `to`.
// - No moment is there twice. Where two clips overlap, the later one takes over at a keyframe where
//   the earlier has a border, else at its first keyframe after the earlier one's end.
// - The time line follows UTC across holes of at most GW_JOIN_HOLE_US. Longer ones are left out, so
//   that a player does not stand still for an hour; the pieces say what time is where.
#pragma once

#include <stdint.h>

#include "core/clip.h"

#define GW_JOIN_HOLE_US   INT64_C(2000000)
#define GW_JOIN_CLIPS     4096         // at most, of one request
#define GW_JOIN_FRAGMENTS (128 * 1024) // at most, of the result: 24 h of GOPs of 0.7 s
#define GW_JOIN_MADE      (48 << 20)   // bytes made, at most

enum gw_join_problem {
    GW_JOIN_FINE,
    GW_JOIN_EMPTY,      // no fragment lies in this time
    GW_JOIN_UNREADABLE, // of no clip there is a file that can be read
    GW_JOIN_CODEC,      // the codec changes at problem_us: no file can hold both
    GW_JOIN_TOO_LARGE,  // more than the limits above
    GW_JOIN_PROBLEMS,
};

// Bytes at an offset of a clip's file, or (clip -1) of those made.
struct gw_media_extent {
    int64_t clip, offset, length;
};

// What is without a hole from one clip: it plays from at_us on, and shows from_us to to_us.
struct gw_media_piece {
    int64_t clip, from_us, to_us, at_us, frames;
};

struct gw_join {
    enum gw_join_problem problem;
    int64_t problem_us;
    int64_t unreadable; // clips that were passed over, because their file is missing or no clip's
    struct gw_media_piece *pieces;
    int64_t piece_count;
    struct gw_media_extent *extents;
    int64_t extent_count;
};

struct gw_join_request {
    int64_t from_us, to_us;      // GW_NO_TIME: open end
    const struct gw_clip *clips; // of one camera, by start_us; id, camera and start_us count
    int64_t clip_count;          // 1 to GW_JOIN_CLIPS; the file of a single one has its identity
};

// Writes the bytes made to made_fd, from its beginning. Returns 0 with *ret filled in, whose
// problem may be one; or -errno. Free with gw_join_finish().
int gw_join_make(struct gw_join *ret, const char *store, const struct gw_join_request *request,
                 int made_fd);
void gw_join_finish(struct gw_join *join);
