// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the console's threads share. Private to console/.
#pragma once

#include <stdatomic.h>

#include <microhttpd.h>

#include "console/console.h"
#include "console/db.h"
#include "console/feed.h"
#include "console/plan_cache.h"
#include "console/pool.h"
#include "console/throttle.h"

// A connection is a thread and a file; with media each needs a second file, and the usual limit is
// 1024 files. One address gets half, so that no single machine locks the others out; a whole office
// behind one address still fits (a browser opens at most six).
#define GW_CONNECTIONS             400
#define GW_CONNECTIONS_PER_ADDRESS 200
#define GW_STREAMS                 128
// A connection that neither sends nor takes anything for so long is closed. A paused player
// notices nothing: it asks for the rest when it needs it.
#define GW_CONNECTION_TIMEOUT_S 60

struct gw_console {
    struct gw_console_config config; // its strings are the copies below
    char *listen, *store, *division, *site_name;
    char *web_root; // NULL when the page is not installed
    char address[192];
    const struct gw_log *log;

    struct MHD_Daemon *daemon;
    struct gw_console_db db;
    struct gw_pool pool;
    struct gw_plan_cache plans;
    struct gw_feed feed;

    pthread_mutex_t throttle_lock;
    struct gw_throttle throttle;

    atomic_ulong answers[6]; // by first digit of the status
    atomic_ulong plans_made, plans_failed;
};
