// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What hub.c (its loop, and what comes in) and hub_open.c (what it is made of) share.
#pragma once

#include "app/assignment.h"
#include "app/covered.h"
#include "app/crew.h"
#include "app/door.h"
#include "app/feeder.h"
#include "app/hub.h"
#include "app/keeper.h"
#include "app/ledger.h"
#include "app/media_planner.h"
#include "app/settings.h"
#include "app/site_files.h"
#include "app/site_status.h"
#include "bus/publisher.h"
#include "console/console.h"
#include "storage/index.h"

// One thread's, but for what its parts say of themselves.
struct gw_hub {
    const struct gw_config *site;
    struct gw_settings settings;
    struct gw_site_files files;
    char program[PATH_MAX];

    struct gw_index *index;
    struct gw_keeper *keeper;
    int64_t index_version;            // when the registry was last read
    char locked[GW_INDEX_ERROR_SIZE]; // why it gave no passwords then, as the log has said
    struct gw_crew *crew;
    struct gw_door *door;
    struct gw_assignment assignment;
    struct gw_ledger *ledger;
    struct gw_feeder *feeder; // NULL: there is no shared index
    struct gw_publisher *publisher;
    struct gw_media_planner planner;
    struct gw_console *console;
    struct gw_site_status *status;
    struct gw_site_counters counters;
    void *zmq, *workers; // context; ROUTER socket
    struct gw_covered *covered;

    bool strays; // there may be unfinished rows that no worker will finish
    bool ready;  // said so already
};

// Opens all; site, settings and files.lock_fd are set, the rest is 0. Returns 0, or an exit code
// after one line on stderr. To be closed in either case.
int gw_hub_open(struct gw_hub *hub, const struct gw_hub_config *config);
void gw_hub_close(struct gw_hub *hub);

// In hub.c; opaque is the hub. What a committed fact changes in it.
void gw_hub_handle_committed(void *opaque, const struct gw_fact_entry *entry);
