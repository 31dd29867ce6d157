// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Facts of rows that are gone leave the journal, file by file, the oldest first.
//
//   retention -> [journal_prune] -> STORE/journal: files gone, or written again with fewer lines
//
// A fact stays as long as its row; one that a row was deleted, or of a camera's state, until it is
// as old as a row may become, and longer while a case hold covers it. All others (where cameras
// were) stay for good. The file that is being appended to is never touched. Same thread as the
// index.
#pragma once

#include "storage/hold.h"

struct gw_prune {
    uint64_t after; // files up to this one were looked at
    bool done;
    int64_t dropped; // facts, by this walk
};

void gw_prune_begin(struct gw_prune *prune);

// Looks at the next file whose facts all became true before before_us; prune->done when there is no
// such. Returns 0 or an error; after one, begin anew: the order matters.
int gw_prune_next(struct gw_index *index, struct gw_prune *prune, int64_t before_us,
                  int64_t now_us);
