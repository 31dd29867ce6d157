// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the index_*.c files share. Private to storage/.
//
//   index.c           open, close, statements, transactions
//   index_schema.c    the tables, and how an older index becomes today's
//   index_commit.c    facts in: what each of them changes
//   index_facts.c     facts out, and the position of the journal
//   index_take.c      facts of another index in
//   index_places.c    where cameras were, and which places a query means
//   index_news.c      coverage in: what changes the two books of index_coverage.h
//   index_coverage.c  the book of coverage
//   index_gaps.c      the book of gaps
//   index_query.c     events, clips and gaps by place and time: pages
//   index_walk.c      the same: in which order rows are found
//   index_counts.c    how many, by day and cell
//   index_sqlite.c    the engine's table of functions
//   index_rows.c      one row of a table to and from its struct
//   read_around.c     between SQLite and the file: neighbours of what was not in memory
//   index_registry.c  cameras and their states
//   index_credentials.c  what of a camera is sealed
#pragma once

#include <limits.h>
#include <sqlite3.h>

#include "storage/credentials.h"
#include "storage/index.h"
#include "storage/journal.h"

#define GW_INDEX_STATEMENTS 128

// A place as it is kept in memory: there are few, and every query asks all of them.
struct gw_index_place {
    char camera[GW_CAMERA_ID_SIZE];
    struct gw_place place; // number 0: there is none of this number
    int64_t until_us;      // when its camera was placed anew; GW_NO_TIME
};

struct gw_index {
    sqlite3 *db;
    enum gw_index_mode mode;
    char store[PATH_MAX];
    char division[GW_DIVISION_SIZE]; // the site's
    uint64_t epoch;
    int64_t day_offset_us; // of the site's clock
    bool in_transaction;
    struct gw_journal *journal;
    struct gw_journal_end end;     // within a transaction: as it was at its beginning
    uint64_t head;                 // likewise; the newest fact with those added in it
    struct gw_index_place *places; // by number
    int64_t place_count;           // number of the last one, + 1; 0: none is read
    int64_t *newest_places;        // numbers, hashed by camera
    size_t newest_size;            // a power of two, or 0
    int64_t walk_patience;         // index_walk.c; tests make it small
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_credentials *credentials;
    char locked[GW_CREDENTIALS_ERROR_SIZE]; // why some could not be opened
    struct {
        const char *sql; // a literal; compared by address
        sqlite3_stmt *statement;
    } statements[GW_INDEX_STATEMENTS];
};

// --- schema --------------------------------------------------------------------------------------

#define GW_INDEX_SCHEMA_VERSION 7

#define GW_INDEX_SCHEMA_PARTS 3

// The statements that bring an index from version - 1 to version: parts 0, 1, … until NULL.
const char *gw_index_schema(int version, int part);

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
#define GW_EVENT_COLUMNS                                                                           \
    "id, camera, state, start_us, end_us, place, kind, confirmed_us, score, box_x, box_y, box_w, " \
    "box_h, zones, snapshot_us, interrupted, clock_offset_us"
#define GW_EVENT_PARAMETERS "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17"
#define GW_CLIP_COLUMNS                                                                            \
    "id, camera, state, start_us, end_us, place, size_bytes, frames, codec, width, height, "       \
    "truncated, clock_offset_us"
#define GW_CLIP_PARAMETERS "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13"
#define GW_GAP_COLUMNS     "id, camera, state, start_us, end_us, place, cause"
#define GW_GAP_PARAMETERS  "?1,?2,?3,?4,?5,?6,?7"

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
// Insert, or update of what may change of a row that is there. The first also counts it (tally).
int gw_index_write_event(struct gw_index *index, const struct gw_event_row *row);
int gw_index_write_clip(struct gw_index *index, const struct gw_clip_row *row);
int gw_index_write_gap(struct gw_index *index, const struct gw_gap_row *row);
// Removes a row and its count. Returns 1, 0 when there was none, or an error.
int gw_index_remove_row(struct gw_index *index, enum gw_noun noun, const struct gw_id *id);

// What is known of a camera's state. Nothing happens for one that is not in the registry.
int gw_index_write_camera_state(struct gw_index *index, const struct gw_camera_state *state);

// --- places --------------------------------------------------------------------------------------

// Where a camera is now. One that was never placed (it is not in the registry) is placed somewhere
// in the site, within a transaction.
int gw_index_find_place(struct gw_index *index, const char *camera, struct gw_place *ret);
// Places a camera anew when the registry says of it what its newest place does not.
int gw_index_place_camera(struct gw_index *index, const struct gw_camera *camera, int64_t wall_us);
// The same for all of them; their division may be the site's.
int gw_index_place_cameras(struct gw_index *index, int64_t wall_us);
// Writes a place as another index numbered it, if it is not there.
int gw_index_put_place(struct gw_index *index, const char *camera, const struct gw_place *place);

// The place of this number; NULL when there is none, or on an error. Valid until the next call.
const struct gw_index_place *gw_index_place(struct gw_index *index, int64_t number);
// Brings what is kept in memory up to date. Returns 0 or an error.
int gw_index_load_places(struct gw_index *index);
void gw_index_forget_places(struct gw_index *index);
// Whether the query's place filters hold for a place.
bool gw_query_matches_place(const struct gw_query *query, const struct gw_index_place *place);
bool gw_query_has_place(const struct gw_query *query); // whether it has any such filter
// What gw_index_places answers, of these places.
int gw_index_list_places(const struct gw_index_place *places, int64_t place_count,
                         const struct gw_query *query, struct gw_placed *rows, int limit);

// --- queries -------------------------------------------------------------------------------------

// Whether a query can be answered: 0 or GW_ERROR_INVALID.
int gw_index_check_query(const struct gw_query *query);

// What a table is called in SQL.
struct gw_index_noun {
    const char *unfinished;        // state of a row that goes on
    const char *longest;           // how long the longest finished row is
    const char *oldest_unfinished; // its start
    // Walks backwards in time, from ?1 (a start) on, before (?2, ?3); give start, id and place.
    const char *by_start, *by_unfinished, *by_kind, *by_place;
    const char *row; // all columns of the one with id ?1
};
extern const struct gw_index_noun gw_index_nouns[];

// Finds the ids of rows that a query may mean, newest start first: of its time (or a little before)
// and its places. Who walks reads the row and checks the rest.
struct gw_index_key {
    int64_t start_us;
    struct gw_id id;
};
// The cursor behind a row; and the row that a cursor is behind: 0, or GW_ERROR_INVALID.
void gw_index_format_cursor(char ret[64], const struct gw_index_key *last);
int gw_index_parse_cursor(const char *cursor, struct gw_index_key *ret);
struct gw_index_walk;
// from: begin behind this key; no_id: behind every row that starts at its start_us or later.
int gw_index_walk_start(struct gw_index_walk **ret, struct gw_index *index, enum gw_noun noun,
                        const struct gw_query *query, const struct gw_index_key *from, bool no_id);
// Returns 1, 0 when there is no more, or an error.
int gw_index_walk_next(struct gw_index_walk *walk, struct gw_index_key *ret);
void gw_index_walk_stop(struct gw_index_walk **walk);
// How it goes, for tests: "start", "unfinished", "kind" or "place".
const char *gw_index_walk_way(const struct gw_index_walk *walk);

// Runs callback with one state of the index before its eyes, whatever others commit.
int gw_index_snapshot(struct gw_index *index, int (*callback)(void *opaque), void *opaque);

// --- counts --------------------------------------------------------------------------------------

// Adds to the count of a day, place and noun (of events: kind).
int gw_index_tally(struct gw_index *index, const char *what, int64_t place, int64_t start_us,
                   int count);

// What gw_index_count_cells answers, of these counts by place number.
int gw_index_list_cells(const struct gw_index_place *places, int64_t place_count,
                        const int64_t *counts, struct gw_cell_count *rows, int limit);

// --- facts ---------------------------------------------------------------------------------------

// The position of the journal, and the newest fact, as committed.
int gw_index_read_end(struct gw_index *index, struct gw_journal_end *ret);
int gw_index_write_end(struct gw_index *index, const struct gw_journal_end *end);
// Appends what the transaction has added, before it commits.
int gw_index_flush_journal(struct gw_index *index);
// Moves table fact of an index before version 5 into the journal. Within the upgrade.
int gw_index_move_facts(struct gw_index *index);

// --- credentials ---------------------------------------------------------------------------------

// Seals a camera's and binds them; NULL when it has none. Returns 0 or an error, which is noted.
int gw_index_bind_credentials(struct gw_index *index, sqlite3_stmt *statement, int parameter,
                              const struct gw_camera *camera);
// Opens those of a row whose camera has its id already; leaves them empty when that cannot be.
void gw_index_read_credentials(struct gw_index *index, sqlite3_stmt *statement, int column,
                               struct gw_camera_row *ret);
// The SQL function gw_seal(id, username, password), for the upgrade of older indexes.
int gw_index_add_seal(struct gw_index *index);
// Once after such an upgrade: nothing of the text that was there stays in the files. When it cannot
// be done now (no room, or somebody reads for long), the next one to open the index does it.
void gw_index_scrub(struct gw_index *index);

// --- commits -------------------------------------------------------------------------------------

// Within one transaction.
struct gw_commit {
    struct gw_index *index;
    const struct gw_fact_entry *entries;
    int count;
};

// Numbers a fact for the journal, within a transaction. Takes noun, its JSON.
int gw_index_add_fact(struct gw_index *index, enum gw_fact_kind kind, int64_t wall_us,
                      const char *camera, const struct gw_place *place, json_t *noun,
                      const char *thumbnail);
// What a worker tells of coverage; and that a clip has ended, which may tell how far the coverage
// of a lost worker went.
int gw_index_take_coverage(struct gw_commit *commit, const struct gw_fact_entry *entry);
int gw_index_take_clip_end(struct gw_commit *commit, const struct gw_clip *clip, int64_t wall_us);
