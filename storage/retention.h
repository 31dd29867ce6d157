// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How long what was recorded is kept: the rules, apart from clocks, disks and rows. Pure.
//
//   configuration, registry -> [retention] -> expiry.h, which finds what is due
//
// Two promises, both ways: nothing is deleted within its floor while the disk has room, and nothing
// is kept beyond its ceiling, unless a case hold says so.
#pragma once

#include "storage/index.h"

#define GW_DAY_US (86400 * INT64_C(1000000))

// Of the site. Lengths of time; 0 means none, but for the floor.
struct gw_retention_rules {
    int64_t floor_us;   // clips, events and gaps are kept at least so long
    int64_t ceiling_us; // and at most so long; 0: as long as there is room
    int64_t motion_us;  // at most, of events of motion; 0: as the ceiling
    int64_t fault_us;   // at most, of events about the picture; 0: as the ceiling
    int64_t gap_us;     // at most, of gaps; 0: as the ceiling
};

struct gw_retention_span {
    int64_t floor_us, ceiling_us; // ceiling 0: none
};

// For a row of this noun. kind is the event's, -1 for others. camera_days: the registry says for
// how many days exactly this camera's recordings are kept; 0: as the site's.
struct gw_retention_span gw_retention_span(const struct gw_retention_rules *rules,
                                           enum gw_noun noun, int kind, int camera_days);

// When a row is to be deleted: as soon as its first moment reaches the ceiling, but not before its
// last one has had its floor. INT64_MAX: never.
int64_t gw_retention_due_us(struct gw_retention_span span, int64_t start_us, int64_t end_us);

// Whether its last moment is younger than the floor.
bool gw_retention_in_floor(struct gw_retention_span span, int64_t end_us, int64_t now_us);

// The shortest floor of any row of a camera with these days.
int64_t gw_retention_shortest_floor_us(const struct gw_retention_rules *rules, int camera_days);

// The shortest time after which any row of this noun may be due; 0: none ever is.
int64_t gw_retention_shortest_us(const struct gw_retention_rules *rules, enum gw_noun noun,
                                 int camera_days);
