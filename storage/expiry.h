// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Finds what to delete: what is due by age, place by place, and what is oldest, when the disk
// needs room. Reads only, a little at a time, so that nobody waits for it.
//
//   retention.h, hold.h, index -> [expiry] -> index_delete.h
//
// A walk remembers where it is; rows that stay (held, of a longer kind, in their floor) are looked
// at once a walk. Same thread as the index.
#pragma once

#include "storage/hold.h"
#include "storage/index_delete.h"
#include "storage/retention.h"

struct gw_expiry_config {
    struct gw_retention_rules rules;
    // For how many days the registry says that this camera's recordings are kept; 0: none.
    int (*camera_days)(void *opaque, const char *camera);
    void *opaque;
    int64_t shortest_floor_us; // that any row may have: nothing younger is looked at for room
};

struct gw_candidate {
    struct gw_victim victim;
    char camera[GW_CAMERA_ID_SIZE];
    int64_t start_us, end_us;
    int kind;           // of events
    int64_t size_bytes; // of clips
    bool finished;
};

// --- by age --------------------------------------------------------------------------------------

struct gw_expiry_walk {
    enum gw_noun noun;
    int64_t place;    // of the index; 0 before the first
    bool more;        // of it is to be looked at
    int64_t start_us; // behind this row of it
    struct gw_id id;
    bool done;
};

// Begins at the beginning: events first, because a clip stays as long as an event in it.
void gw_expiry_begin(struct gw_expiry_walk *walk);

// Gives what is due at now_us, at most limit, and goes on; walk->done when there is no more. Looks
// at some thousand rows at most, so it may give none and not be done. Returns how many, or an
// error.
int gw_expiry_next(struct gw_index *index, const struct gw_expiry_config *config,
                   struct gw_expiry_walk *walk, int64_t now_us, struct gw_candidate *ret,
                   int limit);

// --- for room ------------------------------------------------------------------------------------

struct gw_oldest_walk {
    bool in_floor; // also what is in its floor
    int64_t start_us[2];
    struct gw_id id[2]; // of events, of clips: behind this row
    bool done;
};

void gw_oldest_begin(struct gw_oldest_walk *walk, bool in_floor);

// Gives the oldest clips and events that are finished and not held, at most limit, and no more
// clips than make size_bytes together. As above.
int gw_oldest_next(struct gw_index *index, const struct gw_expiry_config *config,
                   struct gw_oldest_walk *walk, int64_t now_us, int64_t size_bytes,
                   struct gw_candidate *ret, int limit);

// The start of the oldest clip, GW_NO_TIME when there is none. Returns 0 or an error.
int gw_oldest_clip(struct gw_index *index, int64_t *ret_start_us);
