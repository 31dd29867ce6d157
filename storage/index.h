// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The index: what was recorded where and when, the camera registry, and the outbox of facts.
//
//   facts -> [index] -> committed facts -> journal.h -> bus; queries -> console, command line
//
// One handle per thread; any number of processes, of which one (the hub) commits facts. Engine:
// SQLite with WAL and synchronous=FULL, one transaction per batch (group commit). The columns
// are described in docs/ref/index.md.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/fact.h"
#include "core/geo.h"

struct gw_index;

// CHANGE and WRITE both write; only WRITE makes an index where there is none.
enum gw_index_mode { GW_INDEX_READ, GW_INDEX_CHANGE, GW_INDEX_WRITE };

// Opens store/index.db and its journal; all but READ upgrade it, WRITE creates it (file mode 0600).
// division is the site's, used in topics of cameras without one of their own; may be "". On failure
// returns a code and one line in error (size GW_INDEX_ERROR_SIZE) for people.
#define GW_INDEX_ERROR_SIZE 256
int gw_index_open(struct gw_index **ret, const char *store, enum gw_index_mode mode,
                  const char *division, char error[GW_INDEX_ERROR_SIZE]);
void gw_index_close(struct gw_index **index);
// Reads into memory what the first query would read otherwise: where every camera was, about 10 ms
// for 5,000. For handles that wait for questions. Returns 0 or an error.
int gw_index_warm(struct gw_index *index);

// What went wrong last on this handle, in the engine's words.
const char *gw_index_error(const struct gw_index *index);

// Random number given to this index at its creation; with seq it names a fact for ever.
uint64_t gw_index_epoch(const struct gw_index *index);

// --- facts ---------------------------------------------------------------------------------------

// A fact and the worker it came from. boot null: the hub itself made it.
struct gw_fact_entry {
    struct gw_id boot; // one run of one worker
    uint64_t boot_seq; // counts from 1 in it
    struct gw_fact fact;
};

// Commits all entries in one transaction: fact rows, and the event, clip, gap and camera state they
// change. When it returns 0 they survive a power cut. An EVENT_OPENED also raises its ALERT_RAISED.
// Of each boot, only the entry that follows the last one committed is taken. Others are skipped: it
// was sent again, or one before it was lost in a commit that failed, and both will be sent again.
int gw_index_commit(struct gw_index *index, const struct gw_fact_entry *entries, int count);

// Counts an entry that makes no sense as committed, when it is next. Returns 0 or an error.
int gw_index_pass_over(struct gw_index *index, const struct gw_id *boot, uint64_t boot_seq,
                       int64_t wall_us);

// The last boot_seq committed of a boot, 0 before the first. Negative on failure.
int64_t gw_index_boot_seq(struct gw_index *index, const struct gw_id *boot);

// Calls back for committed facts with seq > since, in order, at most limit; stops when the callback
// returns non-zero. Returns the number of calls, or an error.
int gw_index_facts(struct gw_index *index, uint64_t since, int limit,
                   int (*callback)(void *opaque, const struct gw_committed_fact *fact),
                   void *opaque);

// The newest fact's seq, 0 when there is none. Negative on failure.
int64_t gw_index_head(struct gw_index *index);

// --- coverage: what gaps are made of (docs/design/gaps.md)
// ----------------------------------------

// Until when pictures were received by that run of a worker; for when it can say no more. Only ever
// later. Not a fact.
int gw_index_stamp_coverage(struct gw_index *index, const struct gw_id *boot,
                            const struct gw_coverage_stamp *stamps, int count);

// Brings the books into line with the registry and with the workers that run: coverage by others is
// lost, a camera that shall be recorded and never was counts from now_us on, and one that shall not
// (any more) has no gap from now_us on. Commits what changes, with its facts; doing it again
// changes nothing.
int gw_index_settle_coverage(struct gw_index *index, const struct gw_id *running, int count,
                             int64_t now_us);

// --- queries -------------------------------------------------------------------------------------

enum gw_noun { GW_NOUN_EVENT, GW_NOUN_CLIP, GW_NOUN_GAP };

#define GW_QUERY_POINTS 64

// Everything optional: zero-initialise with gw_query_init and set what matters. What is set
// narrows: all of it must hold.
struct gw_query {
    int64_t from_us, to_us; // overlap with [from, to); GW_NO_TIME: open end

    // Of the place that the camera had at that time.
    char
        division[GW_DIVISION_SIZE]; // this division and all below it (prefix); a grid may follow it
    char camera[GW_CAMERA_ID_SIZE];
    bool near; // within near_m metres of a point (WGS-84)
    double near_lon, near_lat, near_m;
    int polygon_count; // 0, or from 3 on: inside
    struct gw_point polygon[GW_QUERY_POINTS];
    bool in_box;
    struct gw_geo_box box;
    bool covers; // could see this point (gw_geo_sees)
    struct gw_point seen;

    int kind;         // enum gw_event_kind, -1 for any; events only
    int state;        // enum gw_event_state or gw_clip_state; of gaps 1 open, 0 closed; -1 for any
    double min_score; // 0 for any; events only
    int limit;        // 1..1000; gw_query_init sets 100
    char cursor[64];  // from a previous page; "" for the first. Newest start first.
};
void gw_query_init(struct gw_query *query);

// An event, a clip or a gap with the place its camera had when it was first told of.
struct gw_event_row {
    struct gw_event event;
    struct gw_place place;
};
struct gw_clip_row {
    struct gw_clip clip;
    struct gw_place place;
};

struct gw_gap_row {
    struct gw_gap gap;
    struct gw_place place;
};

// Fills rows (room for query->limit). Returns how many, or an error; GW_ERROR_INVALID for a cursor
// that is none. ret_cursor: for the next page, "" after the last.
int gw_index_events(struct gw_index *index, const struct gw_query *query, struct gw_event_row *rows,
                    char ret_cursor[64]);
int gw_index_clips(struct gw_index *index, const struct gw_query *query, struct gw_clip_row *rows,
                   char ret_cursor[64]);

int gw_index_gaps(struct gw_index *index, const struct gw_query *query, struct gw_gap_row *rows,
                  char ret_cursor[64]);
// How many gaps of each cause are open. Returns 0 or an error.
int gw_index_count_open_gaps(struct gw_index *index, int ret_counts[GW_GAP_CAUSE_COUNT]);

// Returns 0 or GW_ERROR_NOT_FOUND.
int gw_index_event(struct gw_index *index, const struct gw_id *id, struct gw_event_row *ret);
int gw_index_clip(struct gw_index *index, const struct gw_id *id, struct gw_clip_row *ret);
int gw_index_gap(struct gw_index *index, const struct gw_id *id, struct gw_gap_row *ret);

// Where cameras were.
struct gw_placed {
    char camera[GW_CAMERA_ID_SIZE];
    struct gw_place place;
    int64_t until_us; // GW_NO_TIME: it is there still, or was when it left the registry
};
// Places of query's place filters that a camera had at some time of [from, to), by camera and time.
// Fills at most limit rows. Returns how many there are (which may be more), or an error.
int gw_index_places(struct gw_index *index, const struct gw_query *query, struct gw_placed *rows,
                    int limit);

// How many began on each day, and at each cell, for a calendar and a map. Of a query these count:
// its place filters, its kind, and the days that [from, to) touches; days are those of the site's
// clock (gw_index_day). Fills at most limit rows. Returns how many there are (which may be more),
// or an error.
struct gw_day_count {
    int64_t day; // since 1970-01-01
    int64_t count;
};
struct gw_cell_count {
    char division[GW_DIVISION_SIZE], grid[GW_GRID_SIZE];
    double lon, lat; // middle of its cameras' positions; NAN when none is known
    int64_t count;
};
// By day, the oldest first.
int gw_index_count_days(struct gw_index *index, enum gw_noun noun, const struct gw_query *query,
                        struct gw_day_count *rows, int limit);
// By division and grid.
int gw_index_count_cells(struct gw_index *index, enum gw_noun noun, const struct gw_query *query,
                         struct gw_cell_count *rows, int limit);
// The day of the site's clock that a moment belongs to, and the moment when a day begins.
int64_t gw_index_day(const struct gw_index *index, int64_t wall_us);
int64_t gw_index_day_start_us(const struct gw_index *index, int64_t day);

// --- engines -------------------------------------------------------------------------------------

// What finds rows, whoever keeps them: fed with committed facts, asked as above. The embedded
// engine is the index itself; a shared one is filled from the journal of each node. A handle
// belongs to one thread. Errors are the codes of the functions above; -ENOTCONN: it cannot be
// reached.
struct gw_index_engine {
    const char *name; // "sqlite", "redis"
    void (*close)(void *self);
    const char *(*error)(const void *self); // what went wrong last, in words for people

    // The newest fact taken, 0 before the first; negative on errors.
    int64_t (*taken)(void *self);
    // Takes facts in order, all or none. One that was taken before changes nothing. Numbers may be
    // missing (facts of rows that are gone leave the journal), but going back is GW_ERROR_INVALID.
    int (*take)(void *self, const struct gw_committed_fact *facts, int count);

    int (*events)(void *self, const struct gw_query *query, struct gw_event_row *rows,
                  char ret_cursor[64]);
    int (*clips)(void *self, const struct gw_query *query, struct gw_clip_row *rows,
                 char ret_cursor[64]);
    int (*gaps)(void *self, const struct gw_query *query, struct gw_gap_row *rows,
                char ret_cursor[64]);
    int (*event)(void *self, const struct gw_id *id, struct gw_event_row *ret);
    int (*clip)(void *self, const struct gw_id *id, struct gw_clip_row *ret);
    int (*gap)(void *self, const struct gw_id *id, struct gw_gap_row *ret);
    int (*places)(void *self, const struct gw_query *query, struct gw_placed *rows, int limit);
    int (*count_days)(void *self, enum gw_noun noun, const struct gw_query *query,
                      struct gw_day_count *rows, int limit);
    int (*count_cells)(void *self, enum gw_noun noun, const struct gw_query *query,
                       struct gw_cell_count *rows, int limit);
};

// self of this one is a struct gw_index.
extern const struct gw_index_engine gw_index_sqlite;

// Takes facts that another index committed: makes their rows, and no facts of its own. For an index
// that is made again. Returns 0 or an error; GW_ERROR_INVALID names a fact that cannot be read.
int gw_index_take(struct gw_index *index, const struct gw_committed_fact *facts, int count);

// --- the unfinished ------------------------------------------------------------------------------

// What a lost worker left unfinished: clips still recording and events still open. Each fills at
// most limit rows and returns how many. camera NULL: of all cameras.
int gw_index_unfinished_clips(struct gw_index *index, const char *camera, struct gw_clip *ret,
                              int limit);
int gw_index_unfinished_events(struct gw_index *index, const char *camera, struct gw_event *ret,
                               int limit);

// --- registry ------------------------------------------------------------------------------------

// A number that changes whenever any process changed the index through another handle; cheap.
int64_t gw_index_version(struct gw_index *index);

struct gw_camera_row {
    struct gw_camera camera;
    struct gw_camera_state state; // since_us GW_NO_TIME: never heard of
    bool locked; // it has a user name and password, which cannot be opened; see gw_index_locked
};

// Why user names and passwords could not be opened when cameras were read with this handle, in a
// line that names the key file and says what to do; "" when they could.
const char *gw_index_locked(const struct gw_index *index);

// Inserts or replaces by id. User name and password are sealed (storage/credentials.h); those that
// cannot be opened stay as they are when the camera comes without any and its host is the same.
// Returns 1 when it was new, 0 when it replaced one.
int gw_index_put_camera(struct gw_index *index, const struct gw_camera *camera);
// Removes from the registry; recorded clips and events stay. Returns 0 or GW_ERROR_NOT_FOUND.
int gw_index_remove_camera(struct gw_index *index, const char *id);
int gw_index_camera(struct gw_index *index, const char *id, struct gw_camera_row *ret);
// All, by id. The caller frees *ret_rows with free(). Returns how many.
int gw_index_cameras(struct gw_index *index, struct gw_camera_row **ret_rows);

// Runs callback within one transaction: all of its changes or, when it returns < 0, none.
int gw_index_transaction(struct gw_index *index, int (*callback)(void *opaque), void *opaque);
