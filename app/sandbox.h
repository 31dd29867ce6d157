// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a worker gives up before it reads the first byte of a camera, so that a camera which takes
// it over has little of it: files below the store's media folder, and the sockets that it is given.
//
//   worker.c -> [sandbox] -> the kernel's Landlock and seccomp
//
// In two steps, because the kernel binds Landlock to a thread and those that it starts, and a
// filter of system calls can be put on all threads later, when the worker has connected to its hub.
// A kernel without one of them gets a line in the log, and the worker goes on with less.
#pragma once

#include <stdbool.h>

#include "core/log.h"

struct gw_sandbox_config {
    const char *store;
    bool reads_only; // below media, too
    int door_fd;     // messages with descriptors may be read from it and no other; -1: none
    bool sockets;    // the process makes its own connections and asks for names itself
    const struct gw_log *log;
};

// Before the process has a second thread: no new privileges, no core dumps (they would hold footage
// and passwords), and files: below media everything that clips and snapshots need (or, reads_only,
// reading), elsewhere only reading of what libraries load later. Makes the media folder, if it
// writes. Returns 0, or -errno with what it could not do in the log.
int gw_sandbox_files(const struct gw_sandbox_config *config);

// On all threads there are: only the system calls that a worker makes; any other one returns EPERM.
// No program is started, no other process touched, no socket made or connected (but with sockets).
// Returns as above.
int gw_sandbox_calls(const struct gw_sandbox_config *config);
