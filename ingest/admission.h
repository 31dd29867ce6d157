// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The waiting room before connecting: so many sessions at once in a worker, so many per host, first
// come, first served. A storm of 500 cameras becomes a queue, and a recorder with 64 channels sees
// a few of us at a time.
//
//   supervisor.c -> [admission] -> session.c
//
// A session has a place from before it connects until it is online or over. A host's places are
// counted as long as they last. In the worker's total one counts for 2 s only: a camera that does
// not answer costs next to nothing, and a dead segment of the network must not keep those that live
// out. Who waits for its host holds up nobody behind it with another host. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/stop.h"
#include "core/url.h"

struct gw_admission;

struct gw_admission_config {
    int at_once;  // sessions that connect
    int per_host; // of them, to one host
};
// 32, 4: for the only worker of a site; several share what a host may see.
extern const struct gw_admission_config gw_admission_defaults;

// In the caller's memory, and in the room's lists until it leaves. Begins zeroed.
struct gw_admission_place {
    enum { GW_ADMISSION_OUTSIDE, GW_ADMISSION_WAITING, GW_ADMISSION_INSIDE } phase;
    char host[GW_URL_HOST_SIZE];
    uint32_t host_hash;
    int64_t since_us; // mono, of being inside
    int wake_fd;      // while waiting in gw_admission_enter; else -1
    struct gw_admission_place *next;
};

int gw_admission_create(struct gw_admission **ret, const struct gw_admission_config *config);
// Everybody has left.
void gw_admission_destroy(struct gw_admission **admission);

// Waits for a place for a session with this camera URL. Returns 0, GW_ERROR_STOPPED, or -errno
// without one; the place is then outside.
int gw_admission_enter(struct gw_admission *admission, struct gw_admission_place *place,
                       const char *url, struct gw_stop *stop);
// Gives it back; one that is outside already is left alone.
void gw_admission_leave(struct gw_admission *admission, struct gw_admission_place *place,
                        int64_t mono_us);

// --- what entering is made of; time is an argument, nothing waits --------------------------------

// Queues, and goes in if that is possible.
void gw_admission_queue(struct gw_admission *admission, struct gw_admission_place *place,
                        const char *host, int64_t mono_us);
// Lets in whom the time has made room for. Returns when to look again, INT64_MAX when only somebody
// leaving can change anything.
int64_t gw_admission_step(struct gw_admission *admission, int64_t mono_us);
