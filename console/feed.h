// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Wakes the event streams: when facts were committed, when a session ended, when the console stops.
//
//   gw_console_notify() -> [feed] -> sse.c
//
// It carries no facts, only the newest one's number; each stream reads the facts from the index at
// its own pace, so a slow browser holds nobody up and needs no queue. Any thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_feed {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t head;        // newest committed fact
    uint64_t revocations; // sessions ended so far
    int streams;          // open now
    bool stopping;
};

// What a stream sees when it wakes.
struct gw_feed_view {
    uint64_t head, revocations;
    bool stopping;
};

void gw_feed_init(struct gw_feed *feed, uint64_t head);
void gw_feed_finish(struct gw_feed *feed);

// head only ever grows.
void gw_feed_advance(struct gw_feed *feed, uint64_t head);
void gw_feed_revoked(struct gw_feed *feed);
void gw_feed_stop(struct gw_feed *feed);

// Counts a stream in, if there are fewer than limit. leave counts it out.
bool gw_feed_enter(struct gw_feed *feed, int limit);
void gw_feed_leave(struct gw_feed *feed);
int gw_feed_streams(struct gw_feed *feed);

// Waits until there is something newer than since, a session ended after *revocations, or it stops;
// at most timeout_us.
struct gw_feed_view gw_feed_wait(struct gw_feed *feed, uint64_t since, uint64_t revocations,
                                 int64_t timeout_us);
