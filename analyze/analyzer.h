// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Packets in, events out, of one camera; and of the packets only those decoded that are worth it.
//
//   ingest/ring.h -> [analyzer: watch.c (slice, gate, look, level); plan.c -> held.c (gop, decode)]
//   -> events
//
// Used by one thread at a time. All times are media times (packet pts), so that files run faster
// than real time through exactly this code.
#pragma once

#include "analyze/level.h"
#include "analyze/look.h"
#include "analyze/zones.h"
#include "core/event.h"
#include "core/packet.h"

struct gw_analyzer;

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
    // Called from feed, idle and flush. See look.h.
    void (*event)(void *opaque, enum gw_event_phase phase, const struct gw_event *event,
                  const struct gw_snapshot *snapshot);
    // Both may be NULL. Called from the same, with the same opaque.
    void (*packet_trace)(void *opaque, const struct gw_packet_trace *trace);
    void (*picture_trace)(void *opaque, const struct gw_picture_trace *trace);
};
extern const struct gw_analyzer_config gw_analyzer_defaults; // level full, 320 wide

struct gw_analyzer_counters {
    uint64_t packets, decoded, events;
    uint64_t decode_errors; // packets the decoder refused; the next keyframe heals it
    uint64_t unseen;        // pictures of a format in which nothing can be found; see luma.h
    uint64_t audits;        // GOPs decoded although the level would not
    enum gw_level level;    // at work; never auto
    struct gw_level_case cases[GW_LEVEL_COUNT]; // what speaks for each level; level auto only
};

int gw_analyzer_create(struct gw_analyzer **ret, const struct gw_analyzer_config *config);
void gw_analyzer_destroy(struct gw_analyzer **analyzer);

// Borrows packet; keeps handles on it while its GOP may still have to be decoded (at most 2.5 MB).
// A packet of another stream than the last restarts the decoder and keeps an open event open.
// Returns 0, or -ENOMEM / an FFmpeg code when no decoder could be made.
int gw_analyzer_feed(struct gw_analyzer *analyzer, const struct gw_packet *packet);

// The packets after this were skipped (a lapped ring, a reconnect): drop what waits to be decoded.
void gw_analyzer_discontinuity(struct gw_analyzer *analyzer);

// The same, and nothing is fed for some time: what it decodes with is given back.
void gw_analyzer_pause(struct gw_analyzer *analyzer);

// The media has ended: look at what an open event left out, and close it.
void gw_analyzer_flush(struct gw_analyzer *analyzer);

// The camera is gone since wall_us: close an open event when it has been quiet long enough.
void gw_analyzer_idle(struct gw_analyzer *analyzer, int64_t wall_us);

void gw_analyzer_count(const struct gw_analyzer *analyzer, struct gw_analyzer_counters *ret);
