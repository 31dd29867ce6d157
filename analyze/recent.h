// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The pictures of the last moment, so that what came to rest is told from what moves.
//
//   background.c -> [recent] -> motion.c
//
// The background's fast mean (background.h) forgets exponentially: what stopped, or left behind a
// place that was hidden for long, differs from it for up to a second more. The picture of a moment
// ago does not. Pictures are those of background.h, moved back to where the background is, so a
// camera that shakes does not make everything move. One thread at a time.
#pragma once

#include <stdint.h>

#include "analyze/texture.h"

enum { GW_RECENT_PICTURES = 6 };

struct gw_recent {
    int size; // of a picture, bytes
    uint8_t *pictures[GW_RECENT_PICTURES];
    int64_t taken_us[GW_RECENT_PICTURES]; // GW_NO_TIME: none
    int next;                             // is overwritten next
};

// For pictures of this size. Returns 0 or -ENOMEM.
int gw_recent_create(struct gw_recent *recent, int width, int height);
void gw_recent_destroy(struct gw_recent *recent);

// Keeps a copy of the picture that was captured at wall_us.
void gw_recent_add(struct gw_recent *recent, const uint8_t *pixels, int64_t wall_us);

// The newest picture that is at least a moment older than wall_us; NULL when there is none. Valid
// until the next add.
const uint8_t *gw_recent_find(const struct gw_recent *recent, int64_t wall_us);

// How many pixels of the rectangle are not as they were before, beyond noise; the rectangle ends
// with the picture. All of them when before is NULL: then nobody knows.
int gw_recent_count(const struct gw_texture *now, const uint8_t *before, int left, int top,
                    int right, int bottom);
