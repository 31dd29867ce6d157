// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Decoded pictures in, events out: everything that looks at pixels.
//
//   decode.c -> [look: luma.c -> motion.c -> event_fsm.c -> snapshot.c; health_events.c] ->
//   watch.c
//
// Pictures come in order of capture, but not every one, and not evenly: plan.c decides which are
// worth decoding. Used by one thread at a time.
#pragma once

#include "analyze/motion.h"
#include "core/event.h"
#include "core/frame.h"

struct gw_look;

// JPEG files in memory, borrowed for the call. size 0: there is none this time.
struct gw_snapshot {
    const uint8_t *jpeg, *thumbnail; // whole picture; the same at most 320 px wide
    size_t jpeg_size, thumbnail_size;
};

enum gw_event_phase { GW_EVENT_PHASE_OPENED, GW_EVENT_PHASE_UPDATED, GW_EVENT_PHASE_CLOSED };

struct gw_look_config {
    char camera[GW_CAMERA_ID_SIZE];
    const struct gw_zones *zones; // borrowed, NULL for none; must outlive this
    int max_width;                // motion's picture is reduced to at most this, pixels
    void *opaque;
    // An opened event always has a snapshot; an update has one when a better one was found, and
    // comes at most once a second while the thing moves.
    void (*event)(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                  const struct gw_snapshot *snapshot);
};

int gw_look_create(struct gw_look **ret, const struct gw_look_config *config);
void gw_look_destroy(struct gw_look **look);

// Looks at the next picture. Returns whether it did (of more than 20 pictures a second some are
// left out, and a picture of an unknown format shows nothing); *ret says what it showed then.
bool gw_look_at(struct gw_look *look, const struct gw_frame *frame, struct gw_motion_result *ret);

// The same without remembering: what this picture would show. Whatever comes after it may be looked
// at before it.
bool gw_look_peek(struct gw_look *look, const struct gw_frame *frame, struct gw_motion_result *ret);

// Pictures were left out for long: what has changed until the next one does not move now.
void gw_look_resume(struct gw_look *look);

// The open event went on until wall_us, as far as can be known without looking.
void gw_look_assume(struct gw_look *look, int64_t wall_us);

// No picture comes, and it is wall_us now: closes an open event that has been quiet for long
// enough.
void gw_look_idle(struct gw_look *look, int64_t wall_us);
// No picture will come: closes an open event as interrupted.
void gw_look_end(struct gw_look *look);

struct gw_look_state {
    bool open, suspected;      // an event is, or something that may become one
    int64_t looked_us;         // capture time of the last picture looked at; GW_NO_TIME before
    int64_t moved_us;          // when something last moved in the open event
    int64_t start_us, open_us; // of the open event: its start, and when it was confirmed
    uint64_t events;           // opened so far
    uint64_t unseen;           // pictures of a format in which nothing can be found; see luma.h
};
struct gw_look_state gw_look_state(const struct gw_look *look);
