// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Deletion: rows become garbage, garbage becomes nothing.
//
//   retention, fsck -> [index_delete] -> facts *.deleted; files gone
//
// One transaction removes rows, tells of each, and notes their files as garbage; only then are the
// files unlinked, and forgotten when their folders were synced. So a file without a row is garbage
// that the next round works off, whatever happened between. Same threads as the index.
#pragma once

#include "core/clip.h"
#include "core/deletion.h"
#include "storage/index.h"

#define GW_DELETE_BATCH 512 // rows or paths of one call, at most

struct gw_victim {
    enum gw_noun noun;
    struct gw_id id;
};

// Deletes rows in one transaction. Passes over what is not there, is not finished, or is held at
// now_us; a row whose file is missing is deleted in spite of a hold, which has nothing left to
// protect. ret_deleted (may be NULL) says of each whether it was. Returns how many, or an error:
// then none was.
int gw_index_delete(struct gw_index *index, const struct gw_victim *victims, int count,
                    enum gw_deletion_reason reason, int64_t now_us, bool *ret_deleted);

// Unlinks garbage behind *after by path, at most GW_DELETE_BATCH files, syncs their folders and
// forgets them. Day folders that are empty and lie two days before wall_us go, too. Begin with
// after[0] = 0 and call until it returns 0. What cannot be unlinked stays garbage: *ret_failed (may
// be NULL) counts it. Returns how many paths were looked at, or an error.
int gw_garbage_collect(struct gw_index *index, const char *store, char after[GW_MEDIA_PATH_SIZE],
                       int64_t wall_us, int *ret_failed);

// How many files wait to be unlinked. Negative on errors.
int64_t gw_garbage_count(struct gw_index *index);
