// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Slows down who guesses: how many login attempts an address may still fail. Pure.
//
// A bucket of tries per address that refills with time. When more addresses fail than there is room
// for, the one that has been quiet for longest is forgotten. Not locked; the caller does.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GW_THROTTLE_SLOTS     256
#define GW_THROTTLE_TRIES     10      // failures in a row
#define GW_THROTTLE_REFILL_US 6000000 // one more try after this long
#define GW_ADDRESS_SIZE       46      // INET6_ADDRSTRLEN

struct gw_throttle {
    struct gw_throttle_slot {
        char address[GW_ADDRESS_SIZE];
        double tries;    // left
        int64_t mono_us; // when that was so
    } slots[GW_THROTTLE_SLOTS];
};

// How long this address has to wait before its next try, microseconds; 0 when it may try now.
int64_t gw_throttle_wait_us(const struct gw_throttle *throttle, const char *address,
                            int64_t mono_us);

// It tried and failed.
void gw_throttle_fail(struct gw_throttle *throttle, const char *address, int64_t mono_us);
