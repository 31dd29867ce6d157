// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The time that retention goes by. It is never ahead of the wall clock, and never runs more than 25
// times as fast as time passes, so that a clock which is set wrong deletes no more than a day in an
// hour before somebody looks; and it stands in doubt when the wall clock did what no clock does.
//
//   the two clocks -> [retention_clock] -> retention, which acts only when it may
//
// Pure: every reading is an argument.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Between two readings the clocks may drift apart so far.
#define GW_CLOCK_JUMP_US (2 * INT64_C(1000000))
// A jump is waited out so long. One of less than an hour is then taken as it is.
#define GW_CLOCK_WAIT_US  (600 * INT64_C(1000000))
#define GW_CLOCK_SMALL_US (3600 * INT64_C(1000000))
// No start is so long after the newest row, and no jump so far, that a time server's word is
// enough.
#define GW_CLOCK_FAR_US (7 * 86400 * INT64_C(1000000))
// How much faster than time it runs when it has to catch up.
#define GW_CLOCK_CATCH_UP 25

enum gw_clock_doubt {
    GW_CLOCK_SURE,
    GW_CLOCK_JUMPED, // the wall clock was set while we looked
    GW_CLOCK_BEHIND, // at the start: earlier than the newest row
    GW_CLOCK_AHEAD,  // at the start: later by more than a week than when retention last looked
};

struct gw_retention_clock {
    int64_t now_us; // what it shows; GW_NO_TIME before the first reading. Kept between runs.
    enum gw_clock_doubt doubt;
    int64_t off_us; // how far the wall clock jumped, or is from the newest row

    bool running;
    int64_t start_us;         // what the wall clock was compared with at the start
    int64_t wall_us, mono_us; // the last reading
    int64_t wait_until_us;    // mono
};

struct gw_clock_reading {
    int64_t wall_us, mono_us;
    bool synchronised;    // a time server's word stands behind the wall clock
    int64_t newest_us;    // of the newest row; GW_NO_TIME: there is none. Matters at the start.
    int64_t confirmed_us; // what the wall clock showed when an administrator said that it is right;
                          // GW_NO_TIME: nobody did
};

// kept_us: now_us of the run before, GW_NO_TIME when there was none.
void gw_retention_clock_init(struct gw_retention_clock *clock, int64_t kept_us);

// Takes a reading. Returns whether retention may delete by age.
bool gw_retention_clock_read(struct gw_retention_clock *clock,
                             const struct gw_clock_reading *reading);

// Whether an administrator's word of that moment is about the clock as it is now.
bool gw_clock_word_counts(const struct gw_clock_reading *reading);

// "sure", "jumped", "behind", "ahead"
const char *gw_clock_doubt_name(enum gw_clock_doubt doubt);
