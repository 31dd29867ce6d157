// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The shared index engine: events, clips and gaps of one node in a Redis (7 or newer) that others
// can ask, too. It is a copy: what the node's own index committed is fed into it fact by fact.
//
//   journal -> app/feeder.c -> [redis] -> queries
//
// One handle per thread. Every call waits for its answer, at most GW_REDIS_TIMEOUT_US; a handle
// whose connection broke connects again with its next call. Keys: docs/ref/redis.md.
#pragma once

#include "core/clock.h"
#include "storage/index.h"

#define GW_REDIS_CONNECT_US (1 * GW_SECOND)
#define GW_REDIS_TIMEOUT_US (3 * GW_SECOND)

struct gw_redis;

struct gw_redis_config {
    const char *address;       // "unix:/run/redis/redis.sock", or "tcp://127.0.0.1:6379": what is
                               // sent is not encrypted, so nothing but loopback is taken
    const char *password_file; // its first line; NULL or "": Redis asks for none
    const char *division;  // its first 6 digits, the county, become the keys' hash tag; may be ""
    uint64_t epoch;        // of the index that feeds it
    int64_t day_offset_us; // of the site's clock, for the counts by day
};

// Connects, and brings the Redis functions there up to date. On failure returns -ENOTCONN (nobody
// answers), GW_ERROR_UNAUTHORIZED, GW_ERROR_INVALID (no such address) or GW_ERROR_INDEX, with one
// line for people in error.
int gw_index_redis_open(struct gw_redis **ret, const struct gw_redis_config *config,
                        char error[GW_INDEX_ERROR_SIZE]);

// Whether text can be an address. problem: what is wrong, in words.
bool gw_index_redis_address_valid(const char *address, char problem[160]);

// Removes everything of this epoch, so that it can be fed anew from the beginning. One that was
// interrupted can only be begun again: nothing is taken before.
int gw_index_redis_clear(struct gw_redis *redis);
// A part of that, some milliseconds long. Returns 1 while there is more, 0 at the end, or an error.
int gw_index_redis_clear_part(struct gw_redis *redis);

// For who feeds much: facts that follow those sent before, while Redis still works on these.
// Returns 0; 1 when Redis had taken something else meanwhile, so that it goes on behind
// gw_index_redis_sent; or an error, which may be one of the facts sent before. Until
// gw_index_redis_settle the handle is for nothing else.
int gw_index_redis_send(struct gw_redis *redis, const struct gw_committed_fact *facts, int count);
// Waits for what is not answered yet. Returns the same.
int gw_index_redis_settle(struct gw_redis *redis);
// The newest fact sent; asks Redis what it has taken when that is not known. As taken of the table.
int64_t gw_index_redis_sent(struct gw_redis *redis);
// The newest fact that Redis said it has taken; -1 when that is not known.
int64_t gw_index_redis_heard(const struct gw_redis *redis);

// self of this one is a struct gw_redis. taken: 0 also when there is nothing of this epoch, and
// GW_ERROR_LAPPED when it has to be cleared first. take: GW_ERROR_LAPPED also when something was
// lost there since the last call.
extern const struct gw_index_engine gw_index_redis;
