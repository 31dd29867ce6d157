// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Read handles on the index, shared by the connection threads: each is used by one thread at a
// time.
#pragma once

#include <pthread.h>

#include "storage/index.h"

#define GW_POOL_IDLE 8 // kept open while nobody needs them; a handle is three files

struct gw_pool {
    pthread_mutex_t lock;
    const char *store, *division; // borrowed
    struct gw_index *idle[GW_POOL_IDLE];
    int count;
};

void gw_pool_init(struct gw_pool *pool, const char *store, const char *division);
void gw_pool_finish(struct gw_pool *pool);

// Opens some before anyone asks, so that no first question waits for one. Returns 0, or an error
// with one line in error.
int gw_pool_fill(struct gw_pool *pool, int count, char error[GW_INDEX_ERROR_SIZE]);

// Borrows a handle, opening one when none is idle. Returns 0, or an error with one line in error.
int gw_pool_take(struct gw_pool *pool, struct gw_index **ret, char error[GW_INDEX_ERROR_SIZE]);
// Gives it back and sets *index to NULL.
void gw_pool_give(struct gw_pool *pool, struct gw_index **index);
