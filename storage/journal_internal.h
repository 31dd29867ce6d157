// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What journal.c (appending, reading) and journal_file.c (one file of it) share. Private to
// storage/.
#pragma once

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
