// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The two clocks, always both: monotonic for durations and timers, wall (UTC) for people.
// All times are integer microseconds; names say which clock: mono_us, wall_us.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GW_SECOND  INT64_C(1000000)
#define GW_NO_TIME INT64_MIN

// CLOCK_MONOTONIC. Never jumps; means nothing outside this boot of the machine.
int64_t gw_mono_us(void);

// CLOCK_REALTIME as UTC since 1970. May jump; never use it to measure how long something took.
int64_t gw_wall_us(void);

#define GW_RFC3339_SIZE 32

// "2026-05-04T03:02:01.123456Z". Writes at most GW_RFC3339_SIZE bytes; returns buffer.
char *gw_format_rfc3339(char buffer[GW_RFC3339_SIZE], int64_t wall_us);

// Reads RFC 3339 ("2026-05-04T11:02:01+08:00"; offset or Z required, fraction optional), or a
// plain integer of microseconds. Returns 0, or GW_ERROR_INVALID with *ret_wall_us untouched.
int gw_parse_time(const char *text, int64_t *ret_wall_us);
