// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How far the camera itself moved: a pole in the wind, a hand on the housing.
//
//   motion.c -> [shake] -> background.c
//
// One displacement for the whole picture, by the gradient method of Lucas and Kanade (IJCAI 1981)
// on the small picture, to a fraction of a pixel. What moves by itself is a small part of the
// picture and its differences are clipped, so it hardly pulls. Any thread; nothing is kept between
// calls.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The picture at (x + dx, y + dy) shows what the background has at (x, y). Small pixels.
struct gw_shake {
    double dx, dy;
};

// Compares a picture with the background's mean (1/64 levels). Returns whether it moved by enough
// to matter and moving it back explains it better; *ret is untouched otherwise. scratch: width *
// height.
bool gw_shake_measure(struct gw_shake *ret, const uint8_t *pixels, const int16_t *mean, int width,
                      int height, uint8_t *scratch);

// Moves a picture back. What it does not show at the edges is filled from the background.
void gw_shake_undo(const struct gw_shake *shake, const uint8_t *restrict pixels,
                   const int16_t *restrict mean, uint8_t *restrict out, int width, int height);
