// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// An event: something moved here then, or the camera's picture was no good. A plain value, copied
// freely; it holds no pointer to media, so the same struct goes to the index, onto the bus and into
// JSON.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/camera.h"
#include "core/id.h"

#define GW_ZONE_NAME_SIZE 32
#define GW_EVENT_ZONES    8

// All but motion are about the camera's health: its picture shows nothing, or not what it should.
enum gw_event_kind {
    GW_EVENT_MOTION,
    GW_EVENT_COVERED,
    GW_EVENT_BLACK,
    GW_EVENT_OVERBRIGHT,
    GW_EVENT_FROZEN,
    GW_EVENT_BLURRED,
    GW_EVENT_MOVED,
};
#define GW_EVENT_KIND_COUNT 7
// All their names, for errors and help.
#define GW_EVENT_KIND_NAMES "motion, covered, black, over-bright, frozen, blurred, moved"

enum gw_event_state { GW_EVENT_OPEN, GW_EVENT_CLOSED };

// Fractions of the picture, 0..1, origin at the top left.
struct gw_box {
    double x, y, w, h;
};

struct gw_event {
    struct gw_id id;
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_event_kind kind;
    enum gw_event_state state;
    int64_t start_us;     // wall; when the thing began to move, not when we were sure of it
    int64_t end_us;       // wall; when it last moved so far
    int64_t confirmed_us; // wall; capture time of the frame that made us sure
    double score;         // 0..1, how much and how long
    struct gw_box box;    // union of what moved in the snapshot's picture
    int zone_count;
    char zones[GW_EVENT_ZONES][GW_ZONE_NAME_SIZE]; // those it touched
    int64_t snapshot_us; // capture time of the best picture; GW_NO_TIME before there is one
    bool interrupted;    // ended because its worker stopped or was lost, not because it was quiet
    int64_t clock_offset_us; // the camera's clock minus ours at that time; GW_NO_TIME: not known
};

const char *gw_event_kind_name(enum gw_event_kind kind);
int gw_event_kind_from_name(const char *name); // -1 when unknown
const char *gw_event_state_name(enum gw_event_state state);
int gw_event_state_from_name(const char *name); // -1 when unknown
