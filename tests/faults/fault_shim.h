// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A disk that fails when a test says so: the calls of the C library that change files below one
// folder are counted, and from the n-th to the m-th of a class they fail, are cut short, or kill.
//
//   tests -> [fault state, shared memory] -> the shim in each process of a site
//
// Linked into tests/faults/scenario, and preloaded into `gridwatch serve` (tests/faults/faults.py,
// which knows the layout below). It makes no system call of its own once it is set up, so that it
// works inside the workers' sandbox.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum fault_class {
    FAULT_WRITE, // write, pwrite, writev, pwritev
    FAULT_SYNC,  // fsync, fdatasync
    FAULT_RENAME,
    FAULT_CREATE,   // open of what may not be there, mkdir
    FAULT_TRUNCATE, // ftruncate, fallocate
    FAULT_UNLINK,   // unlink, rmdir
    FAULT_CLASSES,
};

enum fault_act {
    FAULT_NONE,
    FAULT_FAIL, // with `error`, and nothing happens
    FAULT_LOSE, // a sync fails, and what was written since the last one is gone
    FAULT_CUT,  // the first write does half of its work, the later ones fail
    FAULT_KILL, // in a write: after half of it
};

// 96 bytes
struct fault_plan {
    atomic_int_fast64_t calls; // of this class so far
    atomic_int_fast64_t hits;  // of them that were not let through
    int64_t from, to;          // calls that are not let through, counted from 1
    int32_t act, error;        // enum fault_act; errno
    char part[32];             // counts only paths that contain this
    char role[24];             // counts only in processes whose first argument is this
};

// 192 bytes
struct fault_note {
    int64_t mono_us;
    int64_t number; // of its class
    int32_t pid, class, error;
    int32_t spare;
    char thread[16];
    char path[144]; // its end
};

#define FAULT_NOTES 4096
struct fault_state {
    atomic_int_fast64_t noted; // notes beyond FAULT_NOTES are not kept
    int32_t note_all;          // also calls that are let through
    int32_t spare;
    struct fault_plan plans[FAULT_CLASSES];
    struct fault_note notes[FAULT_NOTES];
};

// Uses this state for files below root from now on; both outlive the process's last call. Without
// it, the environment says: GRIDWATCH_FAULT_STATE (a file of that size) and GRIDWATCH_FAULT_ROOT.
void fault_use(struct fault_state *state, const char *root);
