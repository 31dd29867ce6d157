// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The hub: index, bus, console and supervision of a site. It parses no byte that came from a
// camera.
//
//   workers -> [hub: commit -> ack -> publish -> console] -> people
//
// One thread does all of the above in a loop; what arrives together is committed together (group
// commit). The console has threads of its own; the workers' door (door.h) and the feeder of a
// shared index (feeder.h) have one each.
#pragma once

#include "app/config.h"
#include "core/camera.h"

struct gw_hub_config {
    const struct gw_config *site;
    const struct gw_camera *cameras; // to register before the start (serve --camera)
    int camera_count;
};

// Runs the site until SIGTERM or SIGINT. Prints on stdout, a line each, when they are true:
// "console URL", "login URL", "bus ENDPOINT", "ready". Returns an exit code; what keeps the site
// from starting is one line on stderr.
int gw_hub_run(const struct gw_hub_config *config);
