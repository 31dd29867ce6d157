// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "core/gap.h"

#include "core/names.h"

static const char *const names[] = {
    [GW_GAP_NONE] = "none",
    [GW_GAP_STALLED] = "stalled",
    [GW_GAP_REFUSED] = "refused",
    [GW_GAP_UNAUTHORISED] = "unauthorised",
    [GW_GAP_UNREACHABLE] = "unreachable",
    [GW_GAP_DISCONNECTED] = "disconnected",
    [GW_GAP_UNUSABLE] = "unusable",
    [GW_GAP_SLOW_NETWORK] = "slow-network",
    [GW_GAP_DISK_FULL] = "disk-full",
    [GW_GAP_DISK_FAILED] = "disk-failed",
    [GW_GAP_WORKER_RESTARTED] = "worker-restarted",
    [GW_GAP_DISABLED] = "disabled",
};

const char *gw_gap_cause_name(enum gw_gap_cause cause)
{
    return names[cause];
}

int gw_gap_cause_from_name(const char *name)
{
    return gw_find_name(names, GW_COUNT(names), name);
}

static const char *const states[] = {"closed", "open"};

const char *gw_gap_state_name(bool open)
{
    return states[open];
}

int gw_gap_state_from_name(const char *name)
{
    return gw_find_name(states, GW_COUNT(states), name);
}
