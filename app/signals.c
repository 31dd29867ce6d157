// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/signals.h"

#include <signal.h>
#include <stddef.h>

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

void gw_signals_install(void)
{
    struct sigaction stop = {.sa_handler = handle_stop}, child = {.sa_handler = handle_child};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGCHLD, &child, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

bool gw_signals_stop_requested(void)
{
    return stop_requested;
}
