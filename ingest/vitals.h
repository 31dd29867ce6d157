// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera's vital signs while it delivers: how it does, and whether it does well.
//
//   supervisor.c -> [vitals] -> core/camera.h
//
// Rates are of the last 10 s. A fault is found at once and is over when nothing spoke for it for
// 30 s, so that a camera at a limit does not change its state all the time. Pure: times are
// arguments, monotonic but for capture times. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/camera.h"
#include "core/gap.h"

enum gw_fault {
    GW_FAULT_DISK_FULL, // most important first
    GW_FAULT_DISK_FAILED,
    GW_FAULT_UNDECODABLE,
    GW_FAULT_LOSS,
    GW_FAULT_RECONNECTING,
    GW_FAULT_NO_KEYFRAME,
    GW_FAULT_SLOW,
    GW_FAULT_CLOCK,
    GW_FAULT_COUNT,
    GW_FAULT_NONE = GW_FAULT_COUNT,
};

enum { GW_VITALS_SECONDS = 10, GW_VITALS_MINUTES = 60, GW_VITALS_SESSIONS = 3 };

struct gw_vitals_second {
    int64_t number; // of the second on the monotonic clock
    uint32_t pictures, skipped;
    uint64_t bytes;
    uint64_t received, lost; // RTP packets; what was received is an estimate
};

struct gw_vitals {
    int64_t online_us; // GW_NO_TIME while offline
    struct gw_vitals_second seconds[GW_VITALS_SECONDS + 1];
    int64_t key_us, key_wall_us; // last keyframe; GW_NO_TIME before it
    int64_t longest_gop_us;      // of this session, by capture
    int64_t clock_offset_us;
    enum gw_gap_cause unwritten;             // why its pictures cannot be written now
    uint64_t lost, skipped;                  // since init
    int64_t sessions_us[GW_VITALS_SESSIONS]; // when it came back, newest first
    float minutes[GW_VITALS_MINUTES];        // frame rates of past minutes
    int minute_count;
    int64_t minute_us; // when the present one began
    uint32_t minute_pictures;
    int64_t spoken_us[GW_FAULT_COUNT]; // when something last spoke for it
    int64_t judged_us;
    enum gw_fault fault;
    char reason[GW_REASON_SIZE];
};

void gw_vitals_init(struct gw_vitals *vitals);
// A session delivers from now on, or no longer.
void gw_vitals_online(struct gw_vitals *vitals, int64_t mono_us);
void gw_vitals_offline(struct gw_vitals *vitals);

void gw_vitals_packet(struct gw_vitals *vitals, int size_bytes, bool key, int64_t capture_wall_us,
                      int64_t mono_us);
void gw_vitals_lost(struct gw_vitals *vitals, unsigned packets, int64_t mono_us);
void gw_vitals_skipped(struct gw_vitals *vitals, int64_t mono_us);
void gw_vitals_clock(struct gw_vitals *vitals, int64_t offset_us);
// Why what it delivers cannot be written: GW_GAP_DISK_FULL, GW_GAP_DISK_FAILED, or GW_GAP_NONE.
void gw_vitals_unwritten(struct gw_vitals *vitals, enum gw_gap_cause cause);

// Judges anew, once a second at most, while online. Returns whether the verdict is another one:
// vitals->reason says what is wrong and what to do, "" when nothing is.
bool gw_vitals_judge(struct gw_vitals *vitals, int64_t mono_us);

struct gw_camera_signs gw_vitals_read(const struct gw_vitals *vitals, int64_t mono_us);
