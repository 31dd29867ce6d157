// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the fsck_*.c files share. Private to storage/.
//
//   fsck.c          the frame: each check looks, then its suspects are judged, told of, repaired
//   fsck_index.c    the database by itself, and what rows say of each other
//   fsck_clips.c    clips and their files
//   fsck_files.c    files and their rows, events and their pictures
//   fsck_journal.c  the fact journal
//   fsck_facts.c    rows against facts
#pragma once

#include "storage/fsck.h"
#include "storage/index_delete.h"
#include "storage/index_internal.h"
#include "storage/journal_internal.h"

// What may be wrong: a row, a file, a number of something.
struct gw_suspect {
    enum gw_noun noun;
    struct gw_id id;
    int64_t number;
    char path[GW_MEDIA_PATH_SIZE + 64]; // below the store
};

struct gw_fsck {
    const struct gw_fsck_config *config;
    struct gw_index *index;
    const struct gw_fsck_check *check; // the one at work
    struct gw_suspect *suspects;
    int count, room;
    int64_t now_us; // wall, when the check began
};

// One numbered invariant.
struct gw_fsck_check {
    int invariant;
    const char *name; // "clips and their files"
    const char *cure; // what repair does: "its row is deleted"
    // Finds suspects (gw_fsck_suspect). Returns 0 or an error.
    int (*look)(struct gw_fsck *fsck);
    // Whether a suspect is one indeed, now; says what and where. Returns 1, 0 or an error.
    int (*judge)(struct gw_fsck *fsck, const struct gw_suspect *suspect,
                 char what[GW_FSCK_TEXT_SIZE]);
    // Returns 0 or an error. NULL: people have to.
    int (*repair)(struct gw_fsck *fsck, const struct gw_suspect *suspect);
};

void gw_fsck_suspect(struct gw_fsck *fsck, const struct gw_suspect *suspect);
void gw_fsck_progress(struct gw_fsck *fsck, int64_t done, int64_t total);
// Full path; returns buffer.
char *gw_fsck_path(const struct gw_fsck *fsck, const char *below, char buffer[PATH_MAX]);
// Moves a file of the store to STORE/quarantine/<its path>. Returns 0 or -errno.
int gw_fsck_quarantine(struct gw_fsck *fsck, const char *below);
// Whether an error of reading a row means that the row makes no sense, not that the engine failed.
// Invariant 5 tells of it; others pass over it.
bool gw_fsck_is_nonsense(struct gw_fsck *fsck, int error);
// Runs a statement with at most one id bound. Returns 0 or an error.
int gw_fsck_execute(struct gw_fsck *fsck, const char *sql, const struct gw_id *id);
// Runs a statement that changes the row with id ?1, and adds a fact of what the row says now; both
// are one transaction.
int gw_fsck_change_row(struct gw_fsck *fsck, const struct gw_suspect *row, const char *sql);
// The fact, within a transaction.
int gw_fsck_tell_row(struct gw_fsck *fsck, const struct gw_suspect *row);
// All ids that a statement gives become suspects of a noun.
int gw_fsck_suspect_rows(struct gw_fsck *fsck, enum gw_noun noun, const char *sql);

// Every row of events or clips that the check's judge finds fault with becomes a suspect.
int gw_fsck_look_at_rows(struct gw_fsck *fsck, enum gw_noun noun);

extern const struct gw_fsck_check gw_fsck_index_checks[], gw_fsck_clip_checks[],
    gw_fsck_file_checks[], gw_fsck_journal_checks[], gw_fsck_fact_checks[];
extern const int gw_fsck_index_check_count, gw_fsck_clip_check_count, gw_fsck_file_check_count,
    gw_fsck_journal_check_count, gw_fsck_fact_check_count;
