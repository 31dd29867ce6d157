// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A worker process: the pipelines of the cameras that the hub assigns to it.
//
//   hub.c <-> link.c <-> [worker] -> pipeline.c, one per camera
//
// Threads: this main one (link, assignments, status), one per camera's session, the decode pool,
// one for the disk, one for the hub's door. In its sandbox (sandbox.h) from the hub's first message
// on. Only one worker runs in a process.
#pragma once

struct gw_worker_config {
    const char *hub;   // endpoint of the hub's socket
    const char *store; // media goes below it
    const char *name;  // in logs and to the hub, "w0"
    int threads;       // of the decode pool
    int workers;       // of the site
    int door_fd;       // by which the hub hands over sockets; taken. -1: makes its own
};

// Runs until SIGTERM, SIGINT or the hub says stop. On the way out closes and announces every open
// clip and waits up to 2 s for the hub's acks. Returns an exit code.
int gw_worker_run(const struct gw_worker_config *config);
