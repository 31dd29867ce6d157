// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/settings.h"

#include <string.h>
#include <unistd.h>

int gw_settings_workers(const struct gw_config *site)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (site->workers)
        return (int)site->workers;
    return cores > 0 ? (int)cores : 1;
}

// For the pre-roll of all cameras of this machine. Never 0 for a worker, which means no limit.
static int64_t ring_total_bytes(const struct gw_config *site)
{
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return site->ring_total_bytes ? site->ring_total_bytes : pages * page_bytes / 4;
}

struct gw_settings gw_settings_of(const struct gw_config *site)
{
    return (struct gw_settings){
        .preroll_us = site->preroll_us,
        .postroll_us = site->postroll_us,
        .split_us = site->split_us,
        .ring_bytes = site->ring_bytes,
        .ring_total_bytes = ring_total_bytes(site) / gw_settings_workers(site) + 1,
        .stall_us = site->stall_us,
        .level = gw_level_from_name(site->analysis_level),
        .transport = strcmp(site->transport, "udp") ? GW_TRANSPORT_TCP : GW_TRANSPORT_UDP};
}
