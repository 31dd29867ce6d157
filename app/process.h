// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What each of our long-running processes sets up for itself.
#pragma once

#include <stdbool.h>

// SIGTERM and SIGINT set a flag that main loops look at, SIGCHLD interrupts a poll, SIGPIPE is
// ignored. The limit on open files becomes what the system allows at most: a camera, an HTTP
// connection and a clip each need one or two. Call once, before threads exist.
void gw_process_prepare(void);

bool gw_process_stop_requested(void);
