// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// When the disk will be full, and from when on the floor cannot be kept: simple arithmetic with
// what is stored, what is free and how fast clips come in. Pure.
#pragma once

#include <stdint.h>

struct gw_forecast_input {
    int64_t now_us;
    int64_t floor_us, ceiling_us; // of the site; ceiling 0: none
    int64_t oldest_us;            // of the oldest clip; GW_NO_TIME: there is none
    int64_t stored_bytes;         // of all clips
    int64_t free_bytes;           // that the disk has room for, beyond what is kept free
    double bytes_per_day;         // that come in
};

struct gw_forecast {
    int64_t full_us;       // when only what is kept free is left; GW_NO_TIME: not in sight
    int64_t floor_lost_us; // from when on clips younger than the floor must go; likewise
    double days;           // that clips can be kept at this rate; 0: not known
};

struct gw_forecast gw_forecast(const struct gw_forecast_input *input);
