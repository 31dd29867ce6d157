// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Lines, areas and letters, drawn straight into a picture's planes.
//
//   overlay.c -> [canvas: overlay_font.c] -> overlay_video.c
//
// A canvas is an AVFrame in YUV 4:2:0, limited range, with planes that may be written. Positions
// are in pixels from the top left; what lies outside is not drawn. Used by one thread at a time.
#pragma once

#include <stdbool.h>

#include <libavutil/frame.h>

#include "analyze/zones.h"

enum gw_ink {
    GW_INK_BLACK,
    GW_INK_DARK,
    GW_INK_GREY,
    GW_INK_WHITE,
    GW_INK_RED,
    GW_INK_AMBER,
    GW_INK_YELLOW,
    GW_INK_GREEN,
    GW_INK_CYAN,
};

struct gw_rect {
    int x, y, w, h;
};

void gw_canvas_fill(AVFrame *canvas, struct gw_rect rect, enum gw_ink ink);

// A line of square dots, size pixels wide.
void gw_canvas_line(AVFrame *canvas, int x0, int y0, int x1, int y1, int size, enum gw_ink ink);

// The rect's border, size pixels wide, inside it.
void gw_canvas_frame(AVFrame *canvas, struct gw_rect rect, int size, enum gw_ink ink);

// A polygon's area and its outline; area is where the picture that it is a fraction of lies.
// Filling covers every pixel that the polygon touches.
void gw_canvas_fill_polygon(AVFrame *canvas, struct gw_rect area, const struct gw_polygon *polygon,
                            enum gw_ink ink);
void gw_canvas_outline(AVFrame *canvas, struct gw_rect area, const struct gw_polygon *polygon,
                       int size, enum gw_ink ink);

// Text on a black ground, its dots size pixels wide.
void gw_canvas_text(AVFrame *canvas, int x, int y, int size, enum gw_ink ink, const char *text);
// What it covers then.
struct gw_rect gw_canvas_text_rect(int x, int y, int size, const char *text);
