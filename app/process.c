// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/process.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

static volatile sig_atomic_t stop_requested;

static void handle_stop(int number)
{
    (void)number;
    stop_requested = 1;
}

// SIGCHLD needs a handler of its own to interrupt a poll; the default would be ignored.
static void handle_child(int number)
{
    (void)number;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    // When this fails, the limit stays what it was and running into it says so.
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void gw_process_prepare(void)
{
    struct sigaction stop = {.sa_handler = handle_stop}, child = {.sa_handler = handle_child};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGCHLD, &child, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    raise_file_limit();
}

bool gw_process_stop_requested(void)
{
    return stop_requested;
}
