// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Half a minute of one camera, recorded as the product does it, on a clock of its own: recorder,
// clip writer, snapshots, commits, and the repair after a lost process. Its ledger lies outside of
// the store: what the camera sent, and which facts were acknowledged.
//
//   scenario.c (records) -> store, ledger -> scenario_recover.c (the next start)
//                                         -> scenario_check.c (compares)
//   scenario_main.c, test_sweep.c: who runs them, and with which faults
#pragma once

#include <stdatomic.h>

#include "core/fact.h"
#include "storage/index.h"
#include "tests/faults/fault_shim.h"

#define SCENARIO_CAMERA     "gate-07"
#define SCENARIO_START_US   INT64_C(1777863721000000) // 2026-05-04T03:02:01Z
#define SCENARIO_PICTURE_US INT64_C(200000)
#define SCENARIO_SPLIT_US   INT64_C(6000000)

enum {
    SCENARIO_GOP = 5,
    SCENARIO_PICTURES = 110, // 22 s, unless the ledger says otherwise
    SCENARIO_FACTS = 2048,
    SCENARIO_EVENT_EVERY = 30, // pictures
    SCENARIO_ASKS_FROM = 4,    // of them: what an event asks for, without pre-roll and post-roll
    SCENARIO_ASKS_TO = 20,
};

// Shared memory. Zeroed but for pictures before the scenario.
struct scenario_ledger {
    int32_t pictures;
    int32_t pace_us;     // real time between two pictures
    int32_t events_only; // what is recorded; else everything
    atomic_int started;  // the index is open and knows the camera
    atomic_int sent;     // pictures that the camera sent
    atomic_int healed; // the disk was well from this picture on; 0: never ill, or never again well
    atomic_int finished; // the recorder was stopped in order
    atomic_int drained;  // and everything was acknowledged
    atomic_int acked;
    struct gw_fact facts[SCENARIO_FACTS];
};

// Records into store. What of the plans of faults was hit is well again ill_us after that;
// 0: never. faults may be NULL.
void scenario_run(const char *store, struct scenario_ledger *ledger, struct fault_state *faults,
                  int64_t ill_us);

// What the next start of a site does: opens the index, settles what was left behind. Returns 0, or
// why something is left to do.
int scenario_recover(const char *store, int64_t now_us);

// What may be otherwise than after an undisturbed run.
struct scenario_allowance {
    bool strays; // files that the index does not know
    bool kept;   // files that should have been removed, and ends of files that should have been cut
    int missing; // pictures that were sent and are in no clip
};
// Recovers and compares. Returns the number of complaints, printed behind what.
int scenario_check(const char *store, const struct scenario_ledger *ledger, const char *what,
                   struct scenario_allowance may);

// --- what the camera sends -----------------------------------------------------------------------

static inline int64_t scenario_time_us(int picture)
{
    return SCENARIO_START_US + picture * SCENARIO_PICTURE_US;
}

// Which picture this is, of its bytes; -1 for none.
int scenario_read_number(const uint8_t *bytes, int size);

enum { SCENARIO_PICTURE_SIZE = 700, SCENARIO_SNAPSHOT_SIZE = 5000, SCENARIO_THUMBNAIL_SIZE = 900 };
// The n-th byte of a snapshot of the event that began with this picture.
static inline uint8_t scenario_snapshot_byte(int picture, bool better, bool thumbnail, int n)
{
    return (uint8_t)(1 + (picture + 2 * better + thumbnail + n) % 200);
}

// Sets what the clocks say; 0: the true time.
void scenario_set_clock(int64_t wall_us);
