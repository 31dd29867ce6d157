// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The fact journal: every committed fact, in order, as lines of text in files of their own. The
// bus, the event streams and a shared index are fed from it, and with it an index is made again.
//
//   index_commit.c -> [journal: append, sync] -> the index's transaction commits -> readers
//
//   STORE/journal/<number of its first fact>.log   (docs/ref/journal.md)
//
// The index says where the journal ends (a gw_journal_end, committed with its rows); what lies
// behind that in the file belongs to a commit that failed and is cut off by the next append.
// Appends are serialised by the index's write transaction; any number of processes read. One handle
// per thread.
#pragma once

#include "core/fact.h"

struct gw_journal;

struct gw_journal_end {
    uint64_t head;    // the newest fact; 0: there is none
    uint64_t segment; // the first fact of the last file; 0: there is no file
    int64_t offset;   // bytes of that file
};

// epoch is the index's, and stands in each file's first line. Makes nothing yet. Aborts without
// memory.
struct gw_journal *gw_journal_open(const char *store, uint64_t epoch);
void gw_journal_close(struct gw_journal **journal);

// What went wrong last, in words for people, with the file it was.
const char *gw_journal_error(const struct gw_journal *journal);

// Adds a fact to the next append; copies it.
void gw_journal_add(struct gw_journal *journal, const struct gw_committed_fact *fact);
// Whether something was added; forgets it. Both accept NULL.
bool gw_journal_pending(const struct gw_journal *journal);
void gw_journal_forget(struct gw_journal *journal);

// Appends what was added behind *end, syncs it, and moves *end. Returns 0, or an error with *end
// untouched: then nothing was added, whatever may lie behind the end in the file.
int gw_journal_append(struct gw_journal *journal, struct gw_journal_end *end);

// Calls back for facts with seq > since, in order, up to the end, at most limit; stops when the
// callback returns non-zero. Returns the number of calls, or an error: GW_ERROR_INDEX when a line
// is damaged.
int gw_journal_read(struct gw_journal *journal, const struct gw_journal_end *end, uint64_t since,
                    int limit, int (*callback)(void *opaque, const struct gw_committed_fact *fact),
                    void *opaque);

// How many whole commits lie behind the end; negative on errors, also when the file is shorter than
// that. After a crash there is at most one, that nobody was told of. More: this index is older than
// its journal.
int gw_journal_beyond(struct gw_journal *journal, const struct gw_journal_end *end);

// Finds the end by the files alone: of the last whole line. ret->head is 0 for an empty journal.
// ret_epoch: of its files; 0 for none.
int gw_journal_find_end(const char *store, struct gw_journal_end *ret, uint64_t *ret_epoch);
