// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Positions that lie far from where the other cameras of their division are: most often a slip of
// the pen. Pure.
//
// A camera is held against those of its village, or, when there are not five others, of its
// township. Their middle is the median of their positions; it is an outlier when it lies farther
// from there than the median distance of all and eight times their spread (MAD), than half as far
// again as three quarters of them lie, and than 2 km.
#pragma once

#include "core/camera.h"

#define GW_OUTLIER_WHAT_SIZE 200

struct gw_sheet_point {
    char division[GW_DIVISION_SIZE]; // village or township; others are not looked at
    double lon, lat;
    int tag; // the caller's
};

// Sorts cameras in place. Calls back for each outlier, by tag, with what is odd about it in words
// for people: how far it is and, when that is plain, why.
void gw_sheet_find_outliers(struct gw_sheet_point *cameras, int count, void *opaque,
                            void (*callback)(void *opaque, const struct gw_sheet_point *outlier,
                                             const char *what));
