// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/throttle.h"

#include <stdio.h>
#include <string.h>

static double tries_left(const struct gw_throttle_slot *slot, int64_t mono_us)
{
    double tries = slot->tries + (double)(mono_us - slot->mono_us) / GW_THROTTLE_REFILL_US;
    return tries < GW_THROTTLE_TRIES ? tries : GW_THROTTLE_TRIES;
}

static const struct gw_throttle_slot *find(const struct gw_throttle *throttle, const char *address)
{
    for (int i = 0; i < GW_THROTTLE_SLOTS; i++)
        if (!strcmp(throttle->slots[i].address, address))
            return &throttle->slots[i];
    return NULL;
}

int64_t gw_throttle_wait_us(const struct gw_throttle *throttle, const char *address,
                            int64_t mono_us)
{
    const struct gw_throttle_slot *slot = find(throttle, address);
    double tries = slot ? tries_left(slot, mono_us) : GW_THROTTLE_TRIES;
    return tries >= 1 ? 0 : (int64_t)((1 - tries) * GW_THROTTLE_REFILL_US) + 1;
}

void gw_throttle_fail(struct gw_throttle *throttle, const char *address, int64_t mono_us)
{
    struct gw_throttle_slot *slot = (struct gw_throttle_slot *)find(throttle, address);

    if (!slot) {
        slot = &throttle->slots[0];
        for (int i = 1; i < GW_THROTTLE_SLOTS; i++)
            if (throttle->slots[i].mono_us < slot->mono_us)
                slot = &throttle->slots[i];
        snprintf(slot->address, sizeof(slot->address), "%s", address);
        slot->tries = GW_THROTTLE_TRIES;
        slot->mono_us = mono_us;
    }
    slot->tries = tries_left(slot, mono_us) - 1;
    slot->mono_us = mono_us;
}
