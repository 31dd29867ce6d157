// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What keyframes alone would have made of a camera: evidence for the level keyframes.
//
//   look.c -> watch.c -> [key_evidence] -> level.c
//
// It is gathered while everything is decoded anyway. Where every picture is looked at, a thing
// shows in the second one (motion.c); between keyframes, in the first. So what is seen right after
// a keyframe counts as seen in it. Time is an argument (wall_us). One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gw_key_evidence {
    int events, missed; // closed events that were decoded whole; those that no keyframe showed
    int quiet, seeming; // keyframes without an event; those that seemed to show something
    int64_t judged_us;  // the keyframe that is being judged; long ago: none
    int hits;           // keyframes that showed the open event
    double quiet_s;     // every picture was looked at and showed nothing for so long, the last time
    bool moved;         // there was an event already
    int64_t looked_us;  // at the last picture; long ago before
};

// What a picture was.
struct gw_key_picture {
    int64_t wall_us;
    bool key;   // a keyframe
    bool hint;  // it showed a hint of motion
    bool event; // an event is open or begins
    bool whole; // its GOP is decoded whatever it shows
};

void gw_key_evidence_init(struct gw_key_evidence *evidence);
// A picture was looked at.
void gw_key_evidence_saw(struct gw_key_evidence *evidence, const struct gw_key_picture *picture);
// An event is over. whole: it was found in a GOP that was decoded whatever it showed.
void gw_key_evidence_closed(struct gw_key_evidence *evidence, bool whole);
// Another encoder's pictures follow: quiet is not known of them.
void gw_key_evidence_restart(struct gw_key_evidence *evidence);
// The share of quiet keyframes that seemed to show something.
double gw_key_evidence_false_share(const struct gw_key_evidence *evidence);
