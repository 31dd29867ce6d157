// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The reserve: a file of allocated blocks, STORE/reserve, that is given back when the disk is full,
// so that the index can still be written: gaps and alarms as facts, and the deletions that make
// room.
//
//   a commit fails for want of room -> [reserve] released -> it is tried again
//   room is back -> made again
//
// Any thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_reserve {
    pthread_mutex_t lock;
    char path[4096];
    int64_t size_bytes;
    bool held;
};

// Looks at what is there; makes nothing yet. size_bytes 0: no reserve, and one that is there is
// removed.
void gw_reserve_init(struct gw_reserve *reserve, const char *store, int64_t size_bytes);
void gw_reserve_finish(struct gw_reserve *reserve); // the file stays

// Allocates it, unless it is held. Returns 0, -ENOSPC when that would leave less room than
// keep_bytes on the disk, or -errno; then there is none.
int gw_reserve_make(struct gw_reserve *reserve, int64_t keep_bytes);

bool gw_reserve_held(struct gw_reserve *reserve);

// Gives its blocks back. Returns whether there were any.
bool gw_reserve_release(struct gw_reserve *reserve);

// Whether an error means that the disk (or a quota) has no room.
bool gw_reserve_helps(int error);
