// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is normal for a number that keeps coming, and how far from that another one lies.
//
//   gate.c -> [baseline]
//
// Median and median absolute deviation of the last values (Hampel, JASA 69, 1974): up to half of
// them may be something else altogether and it still holds. A plain value, no memory of its own.
#pragma once

#include <stdbool.h>

enum { GW_BASELINE_SIZE = 96 };

struct gw_baseline {
    float values[GW_BASELINE_SIZE]; // the last ones, in a circle
    int count, next;
    int unused;           // values added since median and spread were taken
    float median, spread; // spread: 1.4826 * MAD, as large as sigma for Gaussian values
};

void gw_baseline_add(struct gw_baseline *baseline, double value);

// Whether there are enough values to speak of normal.
bool gw_baseline_ready(const struct gw_baseline *baseline);

// How many spreads value lies above (below: negative) the median. floor is the smallest spread that
// is believed, in the unit of the values. Only when ready.
double gw_baseline_deviation(const struct gw_baseline *baseline, double value, double floor);

// The value that share (0..1) of the last values do not exceed; 0 without values.
double gw_baseline_quantile(const struct gw_baseline *baseline, double share);
