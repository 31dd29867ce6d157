// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera's picture looks like when nothing moves, learnt per pixel and for ever.
//
//   luma.c -> [background] -> motion.c
//
// A running Gaussian average (Wren et al., "Pfinder", PAMI 1997): per pixel a mean and a mean
// deviation. A place that is unquiet by itself, such as a tree, earns a large deviation and is then
// only left by something that looks different (one Gaussian of the mixture of Stauffer and Grimson,
// CVPR 1999, with the neighbours' Gaussians standing in for the others). Beside it a fast mean,
// of what the place looked like a moment ago, tells what moves from what merely is new.
// Time constants are in seconds, so the frame rate does not matter. One thread at a time.
#pragma once

#include <stdint.h>

#include "analyze/texture.h"

struct gw_background;

// foreground: per pixel of the last picture how far it leaves what its neighbourhood may look like,
// as grey levels beyond the threshold; 0 for nothing.
struct gw_difference {
    const uint8_t *foreground;
    double exposure_levels; // by how much exposure moved the picture's levels at once, on average
    double shake_pixels;    // by how much the camera had moved
    struct gw_texture texture; // the picture, moved back, and the background it was compared with
};

// For pictures of this size. Returns 0 or -ENOMEM.
int gw_background_create(struct gw_background **ret, int width, int height);
void gw_background_destroy(struct gw_background **background);

// Takes the picture as the background from now on: the first one, or after the light was switched.
// What is known of noise and unquiet places stays.
void gw_background_restart(struct gw_background *background, const uint8_t *pixels);

// Compares a picture with the background, after taking out what the camera's own movement and its
// exposure did to all of it. Borrowed until the next call, as pixels are until the next compare or
// restart.
struct gw_difference gw_background_compare(struct gw_background *background, const uint8_t *pixels);

// After compare: how far each pixel of so many rows, from row first on, is from what it was a
// moment ago, as grey levels beyond the threshold; 0 for nothing. Borrowed until the next call. On
// demand, for where nothing is new nobody asks.
const uint8_t *gw_background_change(struct gw_background *background, int first, int rows);

// After compare: nothing changes "now" in this picture. Whatever changed since the last one did so
// at a time that nobody saw.
void gw_background_forget_change(struct gw_background *background);

// Lets the background learn from the picture that was compared last, captured elapsed_us after the
// one before.
void gw_background_learn(struct gw_background *background, int64_t elapsed_us);
