// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A fact: something that happened and is true from then on. What workers tell the hub, what the
// index commits and numbers, what the bus publishes.
//
//   worker -> (socket) -> hub -> storage/index.h -> bus/publisher.h
#pragma once

#include <jansson.h>

#include "core/camera.h"
#include "core/clip.h"
#include "core/coverage.h"
#include "core/deletion.h"
#include "core/event.h"
#include "core/gap.h"
#include "core/place.h"

enum gw_fact_kind {
    GW_FACT_EVENT_OPENED,
    GW_FACT_EVENT_UPDATED, // it goes on: new end, maybe a better snapshot
    GW_FACT_EVENT_CLOSED,
    GW_FACT_ALERT_RAISED, // made by the hub: this event is for the command centre
    GW_FACT_CLIP_OPENED,
    GW_FACT_CLIP_CLOSED,
    GW_FACT_CAMERA_ONLINE,
    GW_FACT_CAMERA_OFFLINE,
    GW_FACT_CAMERA_DEGRADED,
    GW_FACT_GAP_OPENED,    // both made by the index, of what workers tell of coverage
    GW_FACT_GAP_CLOSED,    // also of a gap that was over when it was told; then the only fact of it
    GW_FACT_COVERAGE,      // from workers only: never numbered, never published
    GW_FACT_EVENT_DELETED, // by retention; these three are made by the index, too
    GW_FACT_CLIP_DELETED,
    GW_FACT_GAP_DELETED,
};

struct gw_fact {
    enum gw_fact_kind kind;
    int64_t wall_us; // when it became true
    union {
        struct gw_event event;         // EVENT_*, ALERT_RAISED
        struct gw_clip clip;           // CLIP_*
        struct gw_camera_state camera; // CAMERA_*
        struct gw_gap gap;             // GAP_*
        struct gw_coverage_news coverage;
        struct gw_deletion deletion; // *_DELETED
    };
};

// "event.opened", "alert.raised", "clip.closed", "camera.online", …
const char *gw_fact_kind_name(enum gw_fact_kind kind);
// First part of its bus topic: "alert", "event" or "camera".
const char *gw_fact_topic_class(enum gw_fact_kind kind);
// What a change to this state is called.
enum gw_fact_kind gw_fact_of_status(enum gw_camera_status status);
const char *gw_fact_camera(const struct gw_fact *fact);

// Rounds an event's numbers as its JSON does, so that what is kept equals what is told.
void gw_event_round(struct gw_event *event);

// The JSON forms of the nouns, the same on every wire. New reference; abort on no memory.
// Times appear twice: "start" (RFC 3339) for people, "start_us" for programs.
json_t *gw_event_to_json(const struct gw_event *event);
json_t *gw_clip_to_json(const struct gw_clip *clip);
json_t *gw_camera_state_to_json(const struct gw_camera_state *state);
json_t *gw_gap_to_json(const struct gw_gap *gap); // without "to" while it is open
json_t *gw_deletion_to_json(const struct gw_deletion *deletion);
// Adds "frame_rate", "bit_rate", "key_age_us", "reconnects" and "clock_offset_us" to an object;
// what is not known is null.
void gw_camera_signs_to_json(json_t *object, const struct gw_camera_signs *signs);
// {"kind": "event.opened", "wall_us": …, "data": {…}}
json_t *gw_fact_to_json(const struct gw_fact *fact);
// Returns 0, or GW_ERROR_INVALID with *ret untouched. Checks every field: it parses what another
// process wrote.
int gw_fact_from_json(const json_t *json, struct gw_fact *ret);

// A fact after its commit: numbered, addressed, and with its final JSON. Pointers are borrowed.
struct gw_committed_fact {
    uint64_t seq; // 1, 2, 3, … without holes
    int64_t wall_us;
    const char *kind;  // gw_fact_kind_name()
    const char *topic; // "<class>/<division><grid>/<camera>"
    const char *camera;
    const char *data;      // the noun's JSON plus that of its place, numbered, as text
    const char *thumbnail; // path below the store; "" when the fact has none
};

// Reads a committed fact back: its noun, and the place it has. Returns 0 or GW_ERROR_INVALID.
int gw_fact_from_committed(const struct gw_committed_fact *committed, struct gw_fact *ret,
                           struct gw_place *ret_place);
