// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Keeps the shared index (a Redis) equal to the site's own: a thread with its own handles, which
// reads committed facts and feeds them.
//
//   ledger.c -> wake -> [feeder: journal -> storage/index_redis.h]
//
// Nothing waits for it. While Redis is away it tries again at least every 5 s; a Redis that is
// empty, or has lost or changed what it had, is cleared of this index and filled from the first
// fact on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/log.h"

struct gw_feeder;

struct gw_feeder_config {
    const char *store, *division;        // of the site's own index; borrowed, as is all here
    const char *address, *password_file; // of Redis, as struct gw_redis_config takes them
    const struct gw_log *log;
};

// Starts the thread. Returns 0 or -ENOMEM.
int gw_feeder_create(struct gw_feeder **ret, const struct gw_feeder_config *config);
// Accepts NULL. Waits for the thread: as long as Redis takes to answer what it was asked last.
void gw_feeder_destroy(struct gw_feeder **feeder);

// There are facts up to this one. Any thread, quick. Accepts NULL.
void gw_feeder_wake(struct gw_feeder *feeder, uint64_t head);

struct gw_feeder_state {
    const char *problem; // why the shared index is not as it should be, static; NULL: it is
    uint64_t taken;      // the newest fact that it has, 0 while that is not known
    uint64_t head;       // the newest fact that there is, as far as known
    uint64_t fed;        // facts since the start
    uint64_t refills;    // how often it was filled from the first fact on
    uint64_t failures;   // how often it could not be reached, or refused
};
// Any thread.
void gw_feeder_read(struct gw_feeder *feeder, struct gw_feeder_state *ret);
