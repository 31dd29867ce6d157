// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The index: what was recorded where and when, the camera registry, and the outbox of facts.
//
//   facts -> [index] -> committed facts -> bus; queries -> console, command line
//
// One handle per thread; any number of processes, of which one (the hub) commits facts. Engine:
// SQLite with WAL and synchronous=FULL, one transaction per batch (group commit). The columns
// are described in docs/ref/index.md.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/fact.h"

struct gw_index;

// CHANGE and WRITE both write; only WRITE makes an index where there is none.
enum gw_index_mode { GW_INDEX_READ, GW_INDEX_CHANGE, GW_INDEX_WRITE };

// Opens store/index.db; all but READ upgrade it, WRITE creates it (file mode 0600). division is the
// site's, used in topics of cameras without one of their own; may be "".
// On failure returns a code and one line in error (size GW_INDEX_ERROR_SIZE) for people.
#define GW_INDEX_ERROR_SIZE 256
int gw_index_open(struct gw_index **ret, const char *store, enum gw_index_mode mode,
                  const char *division, char error[GW_INDEX_ERROR_SIZE]);
void gw_index_close(struct gw_index **index);

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

// Everything optional: zero-initialise with gw_query_init and set what matters.
struct gw_query {
    int64_t from_us, to_us; // overlap with [from, to); GW_NO_TIME: open end
    char
        division[GW_DIVISION_SIZE]; // this division and all below it (prefix); a grid may follow it
    char camera[GW_CAMERA_ID_SIZE];
    bool near; // within near_m metres of a point (WGS-84)
    double near_lon, near_lat, near_m;
    int kind;        // enum gw_event_kind, -1 for any; events only
    int state;       // enum gw_event_state or gw_clip_state; of gaps 1 open, 0 closed; -1 for any
    int limit;       // 1..1000; gw_query_init sets 100
    char cursor[64]; // from a previous page; "" for the first. Newest start first.
};
void gw_query_init(struct gw_query *query);

// An event, a clip or a gap with the place its camera had at that time.
struct gw_place {
    char camera_name[GW_CAMERA_NAME_SIZE];
    char division[GW_DIVISION_SIZE];
    char grid[GW_GRID_SIZE];
    double lon, lat; // NAN when unknown
};
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
