// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whether pictures still come from a sensor, or one picture comes again and again.
//
//   health_scene.c -> [health_still] -> health.c
//
// A sensor is never silent: two pictures of the same wall differ by noise. But an encoder of few
// bits repeats a still scene exactly (skipped blocks), so standing still says nothing by itself.
// It counts when this camera was noisy all over right before, and stopped from one look to the
// next. A burned-in clock that goes on ticking meanwhile is a small part of the picture and is no
// sign of life. Keyframes of a frozen picture differ a little from what they repeat.
// One thread at a time; time is an argument.
#pragma once

#include "analyze/health_scene.h"

enum gw_still_verdict {
    GW_STILL_LIVES,
    GW_STILL_DOUBT,  // a little changed, as a keyframe does, or the camera was never noisy
    GW_STILL_STANDS, // nothing changed, in a camera that was noisy
};

struct gw_still {
    float noisy_s;                       // for how long it was noisy, less when it was not
    float stands_s;                      // for how long it has been standing still
    int stands, breaths, breaths_in_row; // pictures since then
};

// Looks at the last picture that was measured, elapsed_us after the one before.
enum gw_still_verdict gw_still_feed(struct gw_still *still, const struct gw_scene *scene,
                                    int64_t elapsed_us);
