// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is drawn where in an overlay.
//
//   overlay_trace.h -> [draw: overlay_canvas.h] -> overlay.c
//
//   +------------------------------+
//   | the picture: masks black,    |
//   | zones, the box of motion,    |
//   | a border while an event is   |
//   +------------------------------+
//   | time, level, decoded or not  |
//   | the event: its start, score  |
//   | signal and limit, 10 s       |
//   | events / decoded or not      |
//   +------------------------------+
//
// Used by one thread at a time.
#pragma once

#include "app/overlay_canvas.h"
#include "app/overlay_trace.h"

struct gw_overlay_layout {
    int width, height;             // of the whole, even
    struct gw_rect picture, strip; // where the picture is, and what stands below it
    int dot;                       // size of a letter's dot, and of thin lines, in pixels
};

// For pictures of this size. Small ones are enlarged by a whole number so that letters fit.
struct gw_overlay_layout gw_overlay_lay_out(int width, int height);

// Draws over the canvas, in whose picture area the picture already is. zones may be NULL.
void gw_overlay_draw(AVFrame *canvas, const struct gw_overlay_layout *layout,
                     const struct gw_overlay_trace *trace, const struct gw_zones *zones,
                     int64_t wall_us);

enum { GW_ZONE_LABEL_SIZE = GW_ZONE_NAME_SIZE };
// What stands for a zone: its name, or its number ("#2", from 1) when the letters of the name
// cannot be drawn. Returns whether it is the name.
bool gw_overlay_zone_label(const struct gw_zones *zones, int index, char ret[GW_ZONE_LABEL_SIZE]);
