// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Single numbers that outlive the program, in the index's table meta. Same threads as the index.
#pragma once

#include "storage/index.h"

// What retention's clock shows; what the wall clock showed when it was last confirmed.
#define GW_MARK_RETENTION "retention_us"
#define GW_MARK_CONFIRMED "clock_confirmed_us"

// missing when it was never set. Returns 0 or an error.
int gw_index_mark(struct gw_index *index, const char *key, int64_t missing, int64_t *ret);
int gw_index_set_mark(struct gw_index *index, const char *key, int64_t value);
int gw_index_clear_mark(struct gw_index *index, const char *key);

// When the newest fact became true; GW_NO_TIME when there is none. Returns 0 or an error.
int gw_index_newest_us(struct gw_index *index, int64_t *ret);
