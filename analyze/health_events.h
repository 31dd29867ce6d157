// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A camera's faults as events: one open event for each kind of fault that is there.
//
//   luma.c, motion.c -> [health_events: health.c, snapshot.c] -> look.c's listener
//
// A health event is never split: it stays open as long as the fault lasts, over pauses of the
// stream and pictures of another size. It is opened with a picture of the moment of confirmation,
// and told again once a minute, so that little is lost of its end when the program is. Used by one
// thread at a time; all times are media times.
#pragma once

#include "analyze/look.h"
#include "analyze/luma.h"

struct gw_health_events;

// Borrows config, which must outlive it: camera, zones, opaque and event are used.
// Returns 0 or -ENOMEM.
int gw_health_events_create(struct gw_health_events **ret, const struct gw_look_config *config);
void gw_health_events_destroy(struct gw_health_events **events);

// Looks at a picture that motion has looked at: luma is its small picture, frame the picture
// itself. shake_pixels: by how much the camera shakes, 0 when not known.
void gw_health_events_feed(struct gw_health_events *events, const struct gw_luma *luma,
                           const struct gw_frame *frame, const struct gw_motion_result *motion,
                           double shake_pixels);

// The media has ended: closes what is open as interrupted, where it was last seen.
void gw_health_events_flush(struct gw_health_events *events);

// How many events were opened.
uint64_t gw_health_events_count(const struct gw_health_events *events);
