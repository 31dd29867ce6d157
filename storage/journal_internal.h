// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the journal*.c files share. Private to storage/.
//
//   journal.c          the handle, the next append, reading
//   journal_append.c   appending
//   journal_end.c      where it ends
//   journal_file.c     one file: name, first line, lines
//   journal_rewrite.c  one file written again; journal_prune.c: without what is gone
#pragma once

#include <limits.h>
#include <stdio.h>

#include "storage/journal.h"

#define GW_JOURNAL_ERROR_SIZE 256

// --- lines ---------------------------------------------------------------------------------------

struct gw_journal_line {
    uint64_t commit; // first fact of the commit it belongs to
    struct gw_committed_fact fact;
};

// Writes a line with its newline to out. commit: see above.
void gw_journal_format_line(FILE *out, uint64_t commit, const struct gw_committed_fact *fact);
// Reads one without its newline, and cuts it up in place. Returns false when it is damaged.
bool gw_journal_parse_line(char *text, size_t length, struct gw_journal_line *ret);

// --- files ---------------------------------------------------------------------------------------

#define GW_JOURNAL_FOLDER    "journal"
#define GW_JOURNAL_NAME_SIZE 32

// "<20 digits>.log"
char *gw_journal_file_name(char ret[GW_JOURNAL_NAME_SIZE], uint64_t first);
// The first facts of all files, ascending; the caller frees *ret. Returns how many, or -errno; 0
// when there is no folder.
int gw_journal_list(const char *store, uint64_t **ret);

// The first line, with its newline. The epoch of a file that starts with one; 0 for one that is
// none.
int gw_journal_format_header(char *ret, size_t size, uint64_t epoch);
uint64_t gw_journal_parse_header(const char *text, size_t length, int64_t *ret_length);

// Reads whole lines of a file one after the other, from an offset where one begins up to stop.
struct gw_journal_reader {
    int fd; // borrowed
    int64_t offset, stop;
    char *buffer;
    size_t size, begin, end; // of the buffer; what of it is read and not yet given
    uint64_t standing;       // the commit that was looked at last, and was not tried again
};
void gw_journal_reader_free(struct gw_journal_reader *reader);
// Returns the line's length with *ret_text in the buffer (valid until the next call), 0 at the stop
// (also when a line does not end before it), or -errno. *ret_offset: where the line begins.
int64_t gw_journal_next_line(struct gw_journal_reader *reader, char **ret_text,
                             int64_t *ret_offset);
// The same, without commits that were tried again behind themselves: only the last try counts.
// Those that begin with the number that another began with are tries of one.
int64_t gw_journal_next_fact(struct gw_journal_reader *reader, char **ret_text,
                             int64_t *ret_offset);
// Goes to an offset; a line need not begin there: then what is left of it is skipped.
int gw_journal_seek(struct gw_journal_reader *reader, int64_t offset, bool inside_line);

// --- the handle ----------------------------------------------------------------------------------

struct gw_journal {
    char store[PATH_MAX];
    uint64_t epoch;
    char error[GW_JOURNAL_ERROR_SIZE];

    // The next append.
    FILE *pending;
    char *text;
    size_t size;
    uint64_t first, last; // facts of it; 0: none
    bool tidy;            // no file lies behind the end

    // Where the last read ended.
    struct gw_journal_reader reader;
    uint64_t file, next_file; // 0: none is open; there is none behind it
    uint64_t next;            // fact that the next line holds, or a later one
};

// Notes what went wrong with a file, and returns error.
int gw_journal_complain(struct gw_journal *journal, uint64_t file, int error, const char *why);
int gw_journal_complain_errno(struct gw_journal *journal, uint64_t file);

char *gw_journal_path(const struct gw_journal *journal, uint64_t file, char ret[PATH_MAX]);

// Opens the file that holds a fact or, when there is none such, the first behind it. Files behind
// the last one are nobody's. Returns 1, 0 when there is none, or an error.
int gw_journal_open_file_of(struct gw_journal *journal, uint64_t last, uint64_t seq);
void gw_journal_close_file(struct gw_journal *journal);
// Whether the open file is of this journal; the reader then stands behind its first line. Returns 0
// or an error.
int gw_journal_check_header(struct gw_journal *journal);
