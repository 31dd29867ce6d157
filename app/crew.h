// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The hub's worker processes: starts them, notices when one is gone or hangs, starts it again.
//
//   hub.c -> [crew] -> `gridwatch worker` processes
//
// Knows processes and who is who on the socket; what they work on is assignment.h's. Time is an
// argument. Used by the hub's thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/door.h"
#include "app/id_set.h"
#include "core/fact.h"
#include "core/log.h"

// A worker that dies is started again at once, then, if it keeps dying within 10 s, after 0.5 s
// doubling to 10 s. One that says nothing for 15 s is killed.
#define GW_CREW_SILENCE_US INT64_C(15000000)

struct gw_crew_member {
    char name[16];      // "w0"; also its number in the crew
    pid_t pid;          // 0 while it is not running
    bool present;       // it said hello since it was started
    int64_t present_us; // mono, since when; 0 before its first hello
    bool wanted;        // only the bench is sometimes not
    bool dismissed;     // was asked to end, which is no failure
    bool silenced;      // was killed because it said nothing
    bool crashed;       // its last end was its own doing: not asked for, and not another's kill
    struct gw_id boot;  // its name on the socket, when present
    int64_t started_us, heard_us, restart_us; // mono
    int failures;                             // starts in a row that did not last 10 s
    struct gw_id_set open; // clips and events that it has opened or was given, and not yet closed
};

struct gw_crew_config {
    const char *program;  // path of the gridwatch program
    const char *endpoint; // of the hub's worker socket
    const char *store;
    const char *log_level, *log_format;
    int count;            // how many workers, without the bench
    bool bench;           // there is one behind them, that runs when it is wanted
    struct gw_door *door; // borrowed; each worker gets its end of it. NULL: they have none
    const struct gw_log *log;
};

struct gw_crew;

int gw_crew_create(struct gw_crew **ret, const struct gw_crew_config *config);
// Kills what still runs.
void gw_crew_destroy(struct gw_crew **crew);

// With the bench.
int gw_crew_count(const struct gw_crew *crew);
struct gw_crew_member *gw_crew_member(struct gw_crew *crew, int i);
// NULL when no present member has this name on the socket.
struct gw_crew_member *gw_crew_find(struct gw_crew *crew, const struct gw_id *boot);
// A worker said hello. Returns its member, NULL when the hub started no such worker.
struct gw_crew_member *gw_crew_welcome(struct gw_crew *crew, const struct gw_id *boot,
                                       const char *name, int64_t mono_us);

// The bench (placement.h) has something to do, or not any more: it is started, or asked to end.
void gw_crew_want_bench(struct gw_crew *crew, bool wanted);
// The bench has other cameras now, so what it died of before does not make it wait.
void gw_crew_forgive_bench(struct gw_crew *crew);

// Starts what is due, kills what hangs. Unless the crew was asked to stop.
void gw_crew_step(struct gw_crew *crew, int64_t mono_us);
// A member whose process has ended since the last call, with pid 0, present false, and nothing
// open. NULL when there is none.
struct gw_crew_member *gw_crew_reap(struct gw_crew *crew, int64_t mono_us);

// Asks all to stop (SIGTERM) and starts none again.
void gw_crew_stop(struct gw_crew *crew);
bool gw_crew_running(const struct gw_crew *crew);

// A fact of this member was committed: keeps the book of what it has open.
void gw_crew_note(struct gw_crew_member *member, const struct gw_fact *fact);
// Whether any running member has this clip or event open.
bool gw_crew_has_open(const struct gw_crew *crew, const struct gw_id *id);
