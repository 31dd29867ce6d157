// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Asked to stop: SIGTERM and SIGINT set a flag that main loops look at; SIGPIPE is ignored.
#pragma once

#include <stdbool.h>

void gw_signals_install(void);
bool gw_signals_stop_requested(void);
