// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The hub's books: facts in, committed together, acknowledged to the workers that sent them,
// published in order. The order of these three is what "nothing lost" rests on.
//
//   hub.c -> [ledger: commit -> ack -> publish -> wake the event streams and the feeder]
//
// Used by the hub's thread only.
#pragma once

#include "app/feeder.h"
#include "bus/publisher.h"
#include "console/console.h"
#include "core/log.h"
#include "storage/index.h"

struct gw_ledger;

struct gw_ledger_config {
    struct gw_index *index; // borrowed, as is all below
    struct gw_publisher *publisher;
    struct gw_console *console;
    struct gw_feeder *feeder; // NULL: there is no shared index
    void *workers;            // ROUTER socket, for the acks
    const struct gw_log *log;

    // Told of each entry after its commit, before its ack.
    void *opaque;
    void (*committed)(void *opaque, const struct gw_fact_entry *entry);
    // A commit failed with this error: makes room for it, if it can, and returns whether to try
    // again. May be NULL.
    bool (*make_room)(void *opaque, int error);
};

// Publishing begins behind the index's newest fact. Returns 0 or an error of the index.
int gw_ledger_create(struct gw_ledger **ret, const struct gw_ledger_config *config);
void gw_ledger_destroy(struct gw_ledger **ledger);

// A fact that a worker sent. Commits when 256 wait. When a commit fails, nothing of the batch is
// acked and all of it is dropped: the workers keep their facts and send them again. What they sent
// behind those is skipped by the index until then, so that an ack never covers a lost one.
void gw_ledger_take(struct gw_ledger *ledger, const struct gw_fact_entry *entry);
// Acks a worker's fact that makes no sense, so that it is not sent for ever; after what came
// before.
void gw_ledger_refuse(struct gw_ledger *ledger, const struct gw_id *boot, uint64_t seq);
// Commits what waits.
void gw_ledger_flush(struct gw_ledger *ledger);

// Commits and publishes facts of the hub's own at once. Returns whether they are on the disk.
bool gw_ledger_record(struct gw_ledger *ledger, const struct gw_fact *facts, int count);

// gw_index_settle_coverage() with these running workers, and publishes what it found. Returns
// whether it is on the disk.
bool gw_ledger_settle_coverage(struct gw_ledger *ledger, const struct gw_id *running, int count);

// Publishes what others committed: deletions.
void gw_ledger_publish(struct gw_ledger *ledger);

// Whether the last commit failed.
bool gw_ledger_failing(const struct gw_ledger *ledger);
// The newest published fact.
uint64_t gw_ledger_head(const struct gw_ledger *ledger);

struct gw_ledger_counters {
    uint64_t facts, commits;
    int64_t commit_us; // sum over commits
};
void gw_ledger_count(const struct gw_ledger *ledger, struct gw_ledger_counters *ret);
