// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whether a camera's picture is any good: covered, black, over-bright, frozen, blurred, or moved
// away from what it always showed.
//
//   luma.c, motion.c -> [health: health_scene.c, health_still.c] -> health_events.c
//
// Each fault is unknown, good or bad, and changes only after an unbroken run of clear pictures of
// the other kind, in seconds of media time and in pictures; what is neither clearly good nor
// clearly bad neither adds to a run nor ends it. A false alarm is worse than a late one, so a fault
// must come faster than night or fog does, must take nearly all of the picture, and must outlast a
// lorry at the lens. At most two pictures a second are looked at. Used by one thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

// The kinds of event that are told here: all but motion.
#define GW_HEALTH_KINDS (GW_EVENT_KIND_COUNT - 1)

struct gw_health;

// A fault has begun, or the camera is known to be free of it: it ended, or was never there since
// create.
struct gw_health_step {
    enum gw_event_kind kind;
    bool begins;
    int64_t since_us; // when it began or ended, not when that was sure
    double score;     // how much of the picture it takes, 0..1; 0 when it ends
};

// For pictures of this size. mask: per pixel, not 0 where nothing is looked at; may be NULL;
// borrowed for the call. Returns 0 or -ENOMEM.
int gw_health_create(struct gw_health **ret, int width, int height, const uint8_t *mask);
void gw_health_destroy(struct gw_health **health);

// Looks at the small picture of motion. relit: motion found that the light was switched;
// shake_pixels: by how much it found that the camera shakes, 0 when that is not known.
// Returns how many steps were written. When time goes backwards, runs begin anew.
int gw_health_feed(struct gw_health *health, const uint8_t *pixels, int64_t wall_us, bool relit,
                   double shake_pixels, struct gw_health_step steps[GW_HEALTH_KINDS]);

// Whether a fault of this kind is there now.
bool gw_health_is_bad(const struct gw_health *health, enum gw_event_kind kind);
