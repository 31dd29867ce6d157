// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A gap: an interval in which a camera should have been recorded and was not, and why.
//
// Continuous recording: from the end of the last picture in a clip to the beginning of the next
// one. Recording of events: likewise between pictures that were received, because what is not seen
// cannot become an event; and what an event asked for and could not be written. A plain value.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/camera.h"
#include "core/id.h"

// What ended the pictures first; a gap keeps its cause when others follow.
enum gw_gap_cause {
    GW_GAP_NONE,
    GW_GAP_STALLED,          // connected, but no pictures came
    GW_GAP_REFUSED,          // nobody listened there, or the camera turned us away
    GW_GAP_UNAUTHORISED,     // user name or password refused
    GW_GAP_UNREACHABLE,      // no answer in time, no route, no such host
    GW_GAP_DISCONNECTED,     // the camera, or something on the way, ended the connection
    GW_GAP_UNUSABLE,         // what it offers or sends cannot be recorded
    GW_GAP_SLOW_NETWORK,     // packets were lost on the way
    GW_GAP_DISK_FULL,        // no room for clips
    GW_GAP_DISK_FAILED,      // the disk took no clips for another reason
    GW_GAP_WORKER_RESTARTED, // its worker or the whole site was not running
    GW_GAP_DISABLED,         // switched off in the registry
    GW_GAP_CAUSE_COUNT,
};

struct gw_gap {
    struct gw_id id;
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_gap_cause cause;
    bool open;              // it still lasts; to_us then means nothing
    int64_t from_us, to_us; // wall: end of the last picture, beginning of the next
};

// "stalled", "slow-network", …
const char *gw_gap_cause_name(enum gw_gap_cause cause);
int gw_gap_cause_from_name(const char *name); // -1 when unknown

const char *gw_gap_state_name(bool open);     // "open", "closed"
int gw_gap_state_from_name(const char *name); // 1 open, 0 closed, -1 when unknown
