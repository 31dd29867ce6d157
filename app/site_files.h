// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The folders and sockets of a site: made private, and held by one hub at a time.
#pragma once

#include <limits.h>

#include "app/config.h"

struct gw_site_files {
    char worker_endpoint[PATH_MAX + 32]; // "ipc:///run/gridwatch/workers"
    char temporary[64];                  // a folder to remove at the end; "" when there is none
    int lock_fd;
};

// Makes store and run folder (mode 0700), takes the store's lock. Returns 0, or an error with one
// line for people in error.
int gw_site_files_init(struct gw_site_files *files, const struct gw_config *site, char error[512]);
// Holds the store: no site runs on it until *ret_fd is closed. Returns 0, GW_ERROR_BUSY when
// somebody else does, or -errno.
int gw_site_lock(const char *store, int *ret_fd);
void gw_site_files_finish(struct gw_site_files *files);
