// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is known of a scene at the moment, and by whom: the gate that sees every packet, the look
// that sees some pictures, what each says for or against the other, and the level that follows.
//
//   packets  -> [watch: slice.c -> gate.c             ] -> key_look.c, plan.c
//   pictures -> [watch: look.c -> gate.c, key_evidence.c -> level.c, audit_row.c] -> events
//
// Decides nothing about decoding. Used by one thread at a time.
#pragma once

#include <stdbool.h>

#include "analyze/audit_row.h"
#include "analyze/gate.h"
#include "analyze/key_evidence.h"
#include "analyze/level.h"
#include "analyze/look.h"
#include "analyze/pace.h"
#include "core/packet.h"

struct gw_watch_config {
    enum gw_level level;        // asked for
    struct gw_look_config look; // its callback is told every event
    // A picture was looked at; open: an event is, after it. Called with look's opaque.
    void (*looked)(void *opaque, int64_t wall_us, const struct gw_motion_result *motion, bool open);
};

// Its fields may be read; verbs change them.
struct gw_watch {
    struct gw_watch_config config;
    struct gw_slice_reader *slices;
    struct gw_gate *gate;
    struct gw_look *look;
    struct gw_level_chooser chooser;
    struct gw_key_evidence keys;
    struct gw_audit_row audits;

    struct gw_gate_verdict verdict; // of the last packet
    int64_t dts_us;                 // of the last packet; GW_NO_TIME before
    int64_t active_us;              // when the gate was last active
    int64_t hint_us;                // when a picture last showed the least
    bool whole;                     // all of the GOP is decoded, whatever the gate or keyframes say
    bool whole_at_opening;          // so it was when the open event was found
};

// Returns 0 or -ENOMEM. The struct stays where it is until finished.
int gw_watch_init(struct gw_watch *watch, const struct gw_watch_config *config);
void gw_watch_finish(struct gw_watch *watch);

// --- what comes in -------------------------------------------------------------------------------

// Packets of another stream follow. Another encoder's quiet is another quiet; the same one's after
// a reconnect (last: parameters before, NULL for none) is not.
void gw_watch_stream(struct gw_watch *watch, const AVCodecParameters *last,
                     const AVCodecParameters *next);
// Packets are missing.
void gw_watch_gap(struct gw_watch *watch);
// The next packet in order of decoding. *ret says what kind of picture it is.
void gw_watch_packet(struct gw_watch *watch, const struct gw_packet *packet,
                     struct gw_picture_info *ret);
// A picture to look at. decoded: with those around it, so that after a long time in which none came
// what differs in it did not move in it.
void gw_watch_picture(struct gw_watch *watch, const struct gw_frame *frame, bool decoded);
// The next picture to look at shows nothing, and neither did the one looked at last: so it was
// between them, as far as keyframes can tell.
void gw_watch_vouch(struct gw_watch *watch, int64_t wall_us);
// The GOP that comes in is decoded as a whole, or not any more: what is found in it is evidence.
void gw_watch_set_whole(struct gw_watch *watch, bool whole);

// --- what follows from it ------------------------------------------------------------------------

// A keyframe came: chooses the level anew.
void gw_watch_choose(struct gw_watch *watch, const struct gw_pace *pace, int64_t wall_us);
// Counts a GOP; returns whether it is decoded although the level would not.
bool gw_watch_audits(struct gw_watch *watch);

bool gw_watch_is_auto(const struct gw_watch *watch);
// The level at work; never auto.
enum gw_level gw_watch_level(const struct gw_watch *watch);
// Whether an event is open that may still go on. The level that watches a quiet scene also watches
// one that just became quiet, while the event's machine waits (event_fsm.c).
bool gw_watch_is_busy(const struct gw_watch *watch);
// An open event went on until then, as far as can be known without looking.
void gw_watch_assume(struct gw_watch *watch, int64_t wall_us);

// Capture time of the packet. Some files (AVI) know only decoding times; they are near enough.
int64_t gw_watch_time(const struct gw_packet *packet);
