// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A file of the fact journal written again with fewer lines. Private to storage/.
#pragma once

#include "storage/journal_internal.h"

// Keeps the readable lines of a file, up to stop (-1: all of them), for which keep returns true; as
// a new file beside it, synced and renamed over it. With no line left and remove set, the file
// itself goes. *ret_size is the new size, 0 for none; *ret_dropped counts lines that are gone.
// Readers that have it open go on with what they have. Returns 0 or -errno.
int gw_journal_rewrite(const char *store, uint64_t epoch, uint64_t file, int64_t stop, bool remove,
                       bool (*keep)(void *opaque, const struct gw_journal_line *line), void *opaque,
                       int64_t *ret_size, int64_t *ret_dropped);
