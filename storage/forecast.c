// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/forecast.h"

#include "core/clock.h"
#include "storage/retention.h"

// Further away than ten years is not in sight.
#define SIGHT_DAYS 3650.0

static int64_t after_days(int64_t from_us, double days)
{
    return days < SIGHT_DAYS ? from_us + (int64_t)(days * (double)GW_DAY_US) : GW_NO_TIME;
}

static double to_days(int64_t us)
{
    return (double)us / (double)GW_DAY_US;
}

// From full_us on each day's bytes take the place of the oldest ones. Those are spread evenly over
// the time since oldest_us; where they came more slowly, the oldest end moves on faster than time.
static int64_t lose_floor(const struct gw_forecast_input *input, int64_t full_us)
{
    const double age_days = to_days(full_us - input->oldest_us);
    const double spare_days = age_days - to_days(input->floor_us);
    const double stored_days = to_days(input->now_us - input->oldest_us);

    if (spare_days <= 0)
        return full_us;
    if (stored_days <= 0 || input->stored_bytes <= 0)
        return full_us;
    const double once_per_day = (double)input->stored_bytes / stored_days;
    const double faster = input->bytes_per_day / once_per_day - 1;
    return faster > 0 ? after_days(full_us, spare_days / faster) : GW_NO_TIME;
}

struct gw_forecast gw_forecast(const struct gw_forecast_input *input)
{
    struct gw_forecast forecast = {.full_us = GW_NO_TIME, .floor_lost_us = GW_NO_TIME};
    const double room = input->free_bytes > 0 ? (double)input->free_bytes : 0;

    if (input->bytes_per_day <= 0)
        return forecast;
    forecast.days = ((double)input->stored_bytes + room) / input->bytes_per_day;
    if (input->ceiling_us && forecast.days >= to_days(input->ceiling_us))
        return forecast; // as much expires as comes in, before it is full
    forecast.full_us = after_days(input->now_us, room / input->bytes_per_day);
    if (forecast.full_us == GW_NO_TIME || forecast.days >= to_days(input->floor_us))
        return forecast;
    forecast.floor_lost_us =
        input->oldest_us == GW_NO_TIME ? forecast.full_us : lose_floor(input, forecast.full_us);
    return forecast;
}
