// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Can a camera's media time be used at all?
//
//   media_clock.h -> [media_sanity]
//
// Not when it stands still for 5 pictures, when 4 of 16 pictures jump, or when it had to be
// anchored anew 4 times in a minute because it did not fit arrival. It can be used again after 5 s
// without any of that, and after twice as long each time it proved wrong. Pure: times are
// arguments. Used by one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gw_media_sanity {
    bool usable;
    bool begun;
    int still;                           // pictures in a row whose time stood
    uint16_t odd;                        // one bit for each of the last 16 pictures: it jumped
    int64_t last_us, newest_us;          // media time of the last picture and of the newest
    int64_t wall_us;                     // arrival of the last picture
    int64_t sane_wall_us, sane_media_us; // of the first picture since which all was well
    int64_t wait_us;                     // how long it has to be
    int64_t anchors_us[4];               // when it was anchored anew, newest first
};

void gw_media_sanity_init(struct gw_media_sanity *sanity);

// A picture of this media time arrived; sets usable to false where that ends.
void gw_media_sanity_feed(struct gw_media_sanity *sanity, int64_t media_us, int64_t wall_us);

// Media time did not fit arrival and is anchored anew; likewise.
void gw_media_sanity_anchored(struct gw_media_sanity *sanity, int64_t wall_us);

// At a keyframe while it is not usable: sets usable and returns true when it is again. in_step: it
// is known to run as fast as arrival does.
bool gw_media_sanity_recover(struct gw_media_sanity *sanity, bool in_step);
