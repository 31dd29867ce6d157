// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a worker tells of one camera's coverage: from when on it has what it should have, and until
// when. The index makes gaps (gap.h) of it, and joins what one worker tells with what its successor
// does. A plain value.
//
//   app/coverage.h -> [news] -> storage/index_news.c
#pragma once

#include "core/gap.h"

enum gw_coverage_change {
    GW_COVERAGE_BEGAN, // the first covered picture, or the first after it broke
    GW_COVERAGE_BROKE, // there is no next picture yet; said once, with the first cause
    GW_COVERAGE_HOLE,  // pictures are missing here, between two that are there
    GW_COVERAGE_ENDED, // the worker has been asked to leave this camera alone
};

struct gw_coverage_news {
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_coverage_change change;
    enum gw_gap_cause cause; // NONE when it says nothing. BEGAN: why it took so long
    // wall. BEGAN: of the first picture. BROKE, ENDED: end of the last one, or when the worker
    // began to try. HOLE: both of its ends. Otherwise to_us is from_us.
    int64_t from_us, to_us;
};

// Until when a camera's pictures are known to have been received.
struct gw_coverage_stamp {
    char camera[GW_CAMERA_ID_SIZE];
    int64_t until_us; // wall
};

// "began", "broke", "hole", "ended"
const char *gw_coverage_change_name(enum gw_coverage_change change);
int gw_coverage_change_from_name(const char *name); // -1 when unknown
