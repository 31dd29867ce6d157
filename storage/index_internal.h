// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the index_*.c files share. Private to storage/.
//
//   index.c           open, close, statements, transactions
//   index_schema.c    the tables, and how an older index becomes today's
//   index_commit.c    facts in: what each of them changes
//   index_facts.c     facts out
//   index_news.c      coverage in: what changes the two books of index_coverage.h
//   index_coverage.c  the book of coverage
//   index_gaps.c      the book of gaps
//   index_query.c     events, clips and gaps by place and time
//   index_rows.c      one row of a table to and from its struct
//   index_registry.c  cameras and their states
#pragma once

#include <sqlite3.h>

#include "storage/index.h"

#define GW_INDEX_STATEMENTS 96

struct gw_index {
    sqlite3 *db;
    enum gw_index_mode mode;
    char division[GW_DIVISION_SIZE]; // the site's
    uint64_t epoch;
    bool in_transaction;
    char error[GW_INDEX_ERROR_SIZE];
    struct {
        const char *sql; // a literal; compared by address
        sqlite3_stmt *statement;
    } statements[GW_INDEX_STATEMENTS];
};

// --- schema --------------------------------------------------------------------------------------

#define GW_INDEX_SCHEMA_VERSION 5

// The statements that bring an index from version - 1 to version.
const char *gw_index_schema(int version);

// --- statements ----------------------------------------------------------------------------------

// Notes what went wrong in the engine's words and returns its code.
int gw_index_fail(struct gw_index *index);

// The statement for a string literal, prepared once and kept; NULL on failure.
sqlite3_stmt *gw_index_statement(struct gw_index *index, const char *sql);

// Steps a bound statement. Returns 1 with a row to read, 0 when done, or an error.
int gw_index_step(struct gw_index *index, sqlite3_stmt *statement);

// Makes a kept statement ready for its next use; lets go of what was bound and read.
void gw_index_reset(sqlite3_stmt *statement);

// Steps a bound statement that gives no rows, and resets it. Returns 0 or an error.
int gw_index_run(struct gw_index *index, sqlite3_stmt *statement);

// The first column of the first row of a bound statement (0 when NULL), then resets it.
// Returns 1, 0 when there was no row, or an error.
int gw_index_integer(struct gw_index *index, sqlite3_stmt *statement, int64_t *ret);

// --- rows ----------------------------------------------------------------------------------------

// Column lists in the order in which the functions below read and bind them.
#define GW_PLACE_COLUMNS "camera_name, division, grid, lon, lat"
#define GW_EVENT_COLUMNS                                                                           \
    "id, camera, state, start_us, end_us, kind, confirmed_us, score, box_x, box_y, box_w, box_h, " \
    "zones, snapshot_us, interrupted, " GW_PLACE_COLUMNS ", clock_offset_us"
#define GW_EVENT_PARAMETERS                                                                        \
    "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21"
#define GW_CLIP_COLUMNS                                                                            \
    "id, camera, state, start_us, end_us, size_bytes, frames, codec, width, height, "              \
    "truncated, " GW_PLACE_COLUMNS ", clock_offset_us"
#define GW_CLIP_PARAMETERS "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17"
#define GW_GAP_COLUMNS     "id, camera, state, start_us, end_us, cause, " GW_PLACE_COLUMNS
#define GW_GAP_PARAMETERS  "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11"

// Copies a text column; NULL gives "".
void gw_index_column_text(sqlite3_stmt *statement, int column, char *ret, size_t size);
// NAN for NULL, and the reverse.
double gw_index_column_degrees(sqlite3_stmt *statement, int column);
void gw_index_bind_degrees(sqlite3_stmt *statement, int parameter, double degrees);
// unknown for NULL, and the reverse.
int64_t gw_index_column_known(sqlite3_stmt *statement, int column, int64_t unknown);
void gw_index_bind_known(sqlite3_stmt *statement, int parameter, int64_t value, int64_t unknown);
// Bind what outlives the statement's use.
void gw_index_bind_text(sqlite3_stmt *statement, int parameter, const char *text);
void gw_index_bind_id(sqlite3_stmt *statement, int parameter, const struct gw_id *id);
// Returns false, and leaves ret alone, when the column holds no id.
bool gw_index_read_id(sqlite3_stmt *statement, int column, struct gw_id *ret);

// Returns 0, or GW_ERROR_INDEX when the row holds what it never should.
int gw_index_read_event(struct gw_index *index, sqlite3_stmt *statement, struct gw_event_row *ret);
int gw_index_read_clip(struct gw_index *index, sqlite3_stmt *statement, struct gw_clip_row *ret);
int gw_index_read_gap(struct gw_index *index, sqlite3_stmt *statement, struct gw_gap_row *ret);
// Insert, or update of what may change of a row that is there.
int gw_index_write_event(struct gw_index *index, const struct gw_event_row *row);
int gw_index_write_clip(struct gw_index *index, const struct gw_clip_row *row);
int gw_index_write_gap(struct gw_index *index, const struct gw_gap_row *row);

// --- commits -------------------------------------------------------------------------------------

// Within one transaction.
struct gw_commit {
    struct gw_index *index;
    const struct gw_fact_entry *entries;
    int count;
    int64_t head; // the newest fact's number so far
};

// Where a camera is now. One that the registry does not know (any more) is somewhere in the site.
int gw_index_find_place(struct gw_index *index, const char *camera, struct gw_place *ret);
// Numbers a fact and puts it into the outbox. Takes noun, its JSON.
int gw_index_add_fact(struct gw_commit *commit, enum gw_fact_kind kind, int64_t wall_us,
                      const char *camera, const struct gw_place *place, json_t *noun,
                      const char *thumbnail);
// How far a query must look back for rows that reach into its time: the longest row ever.
int gw_index_note_length(struct gw_index *index, const char *key, int64_t length_us);

// What a worker tells of coverage; and that a clip has ended, which may tell how far the coverage
// of a lost worker went.
int gw_index_take_coverage(struct gw_commit *commit, const struct gw_fact_entry *entry);
int gw_index_take_clip_end(struct gw_commit *commit, const struct gw_clip *clip, int64_t wall_us);

// --- queries -------------------------------------------------------------------------------------

// The SQL that a query runs, for tests of its plan.
const char *gw_index_event_sql(const struct gw_query *query);
const char *gw_index_clip_sql(const struct gw_query *query);
const char *gw_index_gap_sql(const struct gw_query *query);

// The SQL function gw_distance_m(lon, lat, lon, lat).
int gw_index_add_functions(sqlite3 *db);
// Great-circle distance in metres on a sphere of the Earth's mean radius.
double gw_index_distance_m(double lon_a, double lat_a, double lon_b, double lat_b);
