// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes the index again: rows of events, clips, gaps and places from the fact journal, clips that
// no fact tells of from their files, and what only an index holds (cameras, case holds) from the
// old one, as far as that can be read.
//
//   journal, media files, old index -> [rebuild] -> index.db; the old one becomes index.db.old
//
// No hub may run meanwhile: the caller holds the store's lock. The new index takes the old one's
// name only when it is whole; after a crash before that, do it again.
#pragma once

#include <stdint.h>

#include "storage/index.h"

struct gw_rebuild {
    const char *store, *division; // borrowed
    void *opaque;
    // Told now and then how far it is; may be NULL. total 0: not known.
    void (*progress)(void *opaque, const char *what, int64_t done, int64_t total);
};

struct gw_rebuild_result {
    uint64_t facts;     // taken
    int64_t found;      // clips that no fact told of, taken over by their files
    int64_t unreadable; // clip files that say nothing about themselves; left where they are
    bool registry;      // the old index's cameras were taken over
    char why_not[200];  // else: why they could not be
};

// Returns 0, or an error with one line for people.
int gw_index_rebuild(const struct gw_rebuild *rebuild, struct gw_rebuild_result *ret,
                     char error[GW_INDEX_ERROR_SIZE]);
