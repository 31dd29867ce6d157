// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Packets in, events out: decode, motion, event state machine, snapshot, of one camera.
//
//   ingest/ring.h -> [analyzer: decode.c -> luma.c -> motion.c -> event_fsm.c -> snapshot.c] ->
//   events
//
// Used by one thread at a time. All times are media times (packet pts), so that files run faster
// than real time through exactly this code.
#pragma once

#include "analyze/motion.h"
#include "analyze/zones.h"
#include "core/event.h"
#include "core/packet.h"

struct gw_analyzer;

enum gw_level { GW_LEVEL_AUTO, GW_LEVEL_GATE, GW_LEVEL_KEYFRAMES, GW_LEVEL_FULL };
const char *gw_level_name(enum gw_level level);
int gw_level_from_name(const char *name); // -1 when unknown

// JPEG files in memory, borrowed for the call. size 0: there is none this time.
struct gw_snapshot {
    const uint8_t *jpeg, *thumbnail; // whole picture; the same at most 320 px wide
    size_t jpeg_size, thumbnail_size;
};

enum gw_event_phase { GW_EVENT_PHASE_OPENED, GW_EVENT_PHASE_UPDATED, GW_EVENT_PHASE_CLOSED };

// What the analyzer thought of one packet, for overlays, plots and tests. In order of decoding;
// told once it is settled whether the packet is decoded.
struct gw_packet_trace {
    int64_t wall_us;
    int bytes;
    int qp;              // of the first slice; -1 unknown
    double signal;       // how much more this cost than quiet, robust deviations; NAN unknown
    double limit;        // what triggers decoding; NAN unknown
    bool decoded;        // a decoder got it
    enum gw_level level; // at work then; never auto
};

// What one picture showed that was looked at, in order of capture.
struct gw_picture_trace {
    int64_t wall_us;
    struct gw_motion_result motion;
    bool open; // an event is open after it
};

struct gw_analyzer_config {
    char camera[GW_CAMERA_ID_SIZE];
    enum gw_level level;
    const struct gw_zones *zones; // borrowed, NULL for none; must outlive the analyzer
    int max_width;                // motion's picture is reduced to at most this, pixels

    void *opaque;
    // Called from feed and flush. An opened event always has a snapshot; an update has one when a
    // better one was found, and comes at most once a second while the thing moves.
    void (*event)(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                  const struct gw_snapshot *snapshot);
    // Both may be NULL. Called from feed and flush, with the same opaque.
    void (*packet_trace)(void *opaque, const struct gw_packet_trace *trace);
    void (*picture_trace)(void *opaque, const struct gw_picture_trace *trace);
};
extern const struct gw_analyzer_config gw_analyzer_defaults; // level full, 320 wide

struct gw_analyzer_counters {
    uint64_t packets, decoded, events;
    uint64_t decode_errors; // packets the decoder refused; the next keyframe heals it
    uint64_t unseen;        // pictures of a format in which nothing can be found; see luma.h
};

int gw_analyzer_create(struct gw_analyzer **ret, const struct gw_analyzer_config *config);
void gw_analyzer_destroy(struct gw_analyzer **analyzer);

// Borrows packet. A packet of another stream than the last restarts the decoder and
// keeps an open event open. Returns 0, or -ENOMEM / an FFmpeg code when no decoder could be made.
int gw_analyzer_feed(struct gw_analyzer *analyzer, const struct gw_packet *packet);

// The packets after this were skipped (a lapped ring, a reconnect): drop what the decoder holds.
void gw_analyzer_discontinuity(struct gw_analyzer *analyzer);

// The media has ended: drain the decoder and close an open event.
void gw_analyzer_flush(struct gw_analyzer *analyzer);

// The camera is gone since wall_us: close an open event when it has been quiet long enough.
void gw_analyzer_idle(struct gw_analyzer *analyzer, int64_t wall_us);

void gw_analyzer_count(const struct gw_analyzer *analyzer, struct gw_analyzer_counters *ret);
