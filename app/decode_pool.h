// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A few threads that analyse many cameras: one task per camera, never run by two threads at once.
//
//   ring.h -> [decode pool] -> analyzer.h
//
// The queue holds each task at most once, so it cannot grow beyond the number of cameras; what
// waits behind a task waits in its camera's ring.
#pragma once

#include <stdbool.h>

struct gw_decode_pool;

// Embedded in what has the work. Zero before use; the pool owns its fields while it is added.
struct gw_decode_task {
    // Does a bounded piece of work. Returns whether there is more to do.
    bool (*run)(struct gw_decode_task *task);
    struct gw_decode_task *next; // in the queue
    bool queued, running, again, retired;
};

int gw_decode_pool_create(struct gw_decode_pool **ret, int threads);
// Every task must have been retired.
void gw_decode_pool_destroy(struct gw_decode_pool **pool);

// There is work for this task. Any thread, quick.
void gw_decode_pool_wake(struct gw_decode_pool *pool, struct gw_decode_task *task);

// Takes a task out for good and waits until no thread runs it; waking it later does nothing.
void gw_decode_pool_retire(struct gw_decode_pool *pool, struct gw_decode_task *task);
