// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a site's workers are told of its configuration, and what it leaves to the machine. Pure but
// for asking how large the machine is.
//
//   config.h -> [settings] -> protocol.h -> workers
#pragma once

#include "app/config.h"
#include "app/protocol.h"

// How many workers the site runs: as configured, else one per core.
int gw_settings_workers(const struct gw_config *site);

struct gw_settings gw_settings_of(const struct gw_config *site);
