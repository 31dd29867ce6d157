// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How the site is doing right now, for /readyz and /metrics: what workers report, kept for the
// console's threads to read. Written by the hub's thread; one mutex inside.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "app/door.h"
#include "app/feeder.h"
#include "app/ledger.h"
#include "bus/publisher.h"
#include "console/console.h"
#include "core/camera.h"

struct gw_site_status;

int gw_site_status_create(struct gw_site_status **ret);
void gw_site_status_destroy(struct gw_site_status **status);

// What a worker (its place in the crew) reports of its cameras. Replaces its last report, so that
// cameras which it does not have any more are forgotten.
void gw_site_status_put(struct gw_site_status *status, int worker,
                        const struct gw_camera_metrics *metrics, int count);
// This worker has ended: its cameras are not online until it reports again.
void gw_site_status_lose(struct gw_site_status *status, int worker);

struct gw_site_counters {
    int workers, workers_present;
    uint64_t worker_restarts;
    uint64_t bad_messages; // from workers
    int suspects;          // cameras that no worker has, because theirs died of one of them
    struct gw_door_counters door;
    struct gw_ledger_counters ledger;
    struct gw_publisher_counters bus;
    bool has_shared; // there is a shared index
    struct gw_feeder_state shared;
};
// problem: what keeps the site from working, a static string; NULL when it works.
void gw_site_status_set(struct gw_site_status *status, const struct gw_site_counters *counters,
                        const char *problem);

// For gw_console_config: opaque is the status.
int gw_site_status_list_cameras(void *opaque, struct gw_console_camera **ret);
const char *gw_site_status_not_ready(void *opaque);
void gw_site_status_write_metrics(void *opaque, FILE *out);
