// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The console: HTTP API, server-sent events and the page, for people and programs.
//
//   storage/index.h, media files -> [console] -> browsers
//
// libmicrohttpd with a thread per connection, each with its own index handle. create returns once
// it listens; destroy ends every connection. It reads the index and writes only console.db
// (sessions, login codes, audit).
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "core/camera.h"
#include "core/log.h"
#include "storage/media_plan.h"

struct gw_console;

// How a camera is analysed just now.
struct gw_console_camera {
    struct gw_camera_metrics metrics;
    double decoded_share; // of the packets of the last minutes; NAN before the first
};

struct gw_console_config {
    const char *listen; // "127.0.0.1:8471"; port 0 picks a free one
    const char *store;
    const char *division; // the site's
    const char *site_name;
    const char *web_root; // the built page; NULL: searched as console/static.h says
    const struct gw_log *log;

    void *opaque;
    // Appends the site's own Prometheus lines; called from console threads.
    void (*write_metrics)(void *opaque, FILE *out);
    // What workers report of cameras, sorted by id; the caller frees *ret. Returns how many, or
    // -ENOMEM. Called from console threads. May be NULL.
    int (*list_cameras)(void *opaque, struct gw_console_camera **ret);
    // Whether the site works as it should; else says what is wrong (static string).
    const char *(*not_ready)(void *opaque);
    // Joins clips of one camera to one file, in another process, as app/media_planner.h says; gets
    // planner. Called from console threads, may take a minute. NULL: ranges cannot be played.
    int (*plan_media)(void *planner, const struct gw_join_request *request,
                      struct gw_media_plan **ret, enum gw_join_problem *ret_problem,
                      int64_t *ret_problem_us);
    void *planner;

    void *storage;
    // What GET /api/v1/storage answers, as a new reference, and its Prometheus lines. Called from
    // console threads. May be NULL.
    json_t *(*describe_storage)(void *storage);
    void (*write_storage_metrics)(void *storage, FILE *out);
};

int gw_console_create(struct gw_console **ret, const struct gw_console_config *config,
                      char error[256]);
void gw_console_destroy(struct gw_console **console);

// "http://127.0.0.1:8471"
const char *gw_console_address(const struct gw_console *console);

// New facts up to this seq are committed: wakes the event streams. Any thread, quick.
void gw_console_notify(struct gw_console *console, uint64_t head);

// A new one-time login code, valid for valid_us, written to store/console.db; works without a
// running console. code has room for GW_LOGIN_CODE_SIZE. Returns 0, -ENOENT without a store, or
// another error.
#define GW_LOGIN_CODE_SIZE 32
int gw_console_make_login(const char *store, int64_t valid_us, char code[GW_LOGIN_CODE_SIZE]);

// "http://HOST:PORT/#/login/CODE" for a console that listens there. Returns buffer.
#define GW_LOGIN_LINK_SIZE 256
char *gw_console_login_link(char buffer[GW_LOGIN_LINK_SIZE], const char *listen, const char *code);
