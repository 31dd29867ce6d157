// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How many bytes of clips there are and how fast they come in, for the forecast. Found by reading
// the index once, a little at a time, and then what is new. Same thread as the index.
#pragma once

#include "storage/expiry.h"

#define GW_USAGE_HOURS 25

struct gw_usage {
    int64_t stored_bytes; // of the clips counted so far
    int64_t start_us;     // counted up to this row
    struct gw_id id;
    bool complete;      // all there were a while ago
    int64_t first_hour; // since 1970, of the oldest clip counted
    struct {
        int64_t hour, bytes;
    } hours[GW_USAGE_HOURS]; // the last ones; by hour modulo their number
};

void gw_usage_begin(struct gw_usage *usage);

// Counts some thousand clips that began before before_us, by when their size must be known. Returns
// 0 or an error.
int gw_usage_read(struct gw_index *index, struct gw_usage *usage, int64_t before_us);

// A clip was deleted.
void gw_usage_subtract(struct gw_usage *usage, const struct gw_candidate *clip);

// Of the 24 whole hours before before_us, or as many as there were; 0 when there is none.
double gw_usage_bytes_per_day(const struct gw_usage *usage, int64_t before_us);
