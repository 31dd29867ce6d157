// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay_canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/overlay_font.h"

// Y, Cb, Cr after ITU-R BT.601, limited range. In a picture of another matrix the colours are a
// little off; they stay apart.
static const uint8_t inks[][3] = {
    [GW_INK_BLACK] = {16, 128, 128},  [GW_INK_DARK] = {45, 128, 128},
    [GW_INK_GREY] = {126, 128, 128},  [GW_INK_WHITE] = {235, 128, 128},
    [GW_INK_RED] = {81, 90, 240},     [GW_INK_AMBER] = {154, 50, 188},
    [GW_INK_YELLOW] = {210, 16, 146}, [GW_INK_GREEN] = {145, 54, 34},
    [GW_INK_CYAN] = {170, 166, 16},
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

// A chroma sample belongs to four pixels; it takes the colour as soon as one of them does.
void gw_canvas_fill(AVFrame *canvas, struct gw_rect rect, enum gw_ink ink)
{
    const int left = clamp(rect.x, 0, canvas->width);
    const int right = clamp(rect.x + rect.w, left, canvas->width);
    const int top = clamp(rect.y, 0, canvas->height);
    const int bottom = clamp(rect.y + rect.h, top, canvas->height);

    if (left == right)
        return;
    for (int y = top; y < bottom; y++) {
        memset(canvas->data[0] + (ptrdiff_t)y * canvas->linesize[0] + left, inks[ink][0],
               (size_t)(right - left));
        for (int plane = 1; plane < 3; plane++)
            memset(canvas->data[plane] + (ptrdiff_t)(y / 2) * canvas->linesize[plane] + left / 2,
                   inks[ink][plane], (size_t)((right + 1) / 2 - left / 2));
    }
}

void gw_canvas_line(AVFrame *canvas, int x0, int y0, int x1, int y1, int size, enum gw_ink ink)
{
    const int steps = abs(x1 - x0) > abs(y1 - y0) ? abs(x1 - x0) : abs(y1 - y0);

    for (int i = 0; i <= steps; i++) {
        const double share = steps > 0 ? (double)i / steps : 0;
        const int x = (int)lround(x0 + share * (x1 - x0)), y = (int)lround(y0 + share * (y1 - y0));
        gw_canvas_fill(canvas, (struct gw_rect){x - size / 2, y - size / 2, size, size}, ink);
    }
}

void gw_canvas_frame(AVFrame *canvas, struct gw_rect rect, int size, enum gw_ink ink)
{
    const int bottom = rect.y + rect.h - size, right = rect.x + rect.w - size;

    gw_canvas_fill(canvas, (struct gw_rect){rect.x, rect.y, rect.w, size}, ink);
    gw_canvas_fill(canvas, (struct gw_rect){rect.x, bottom, rect.w, size}, ink);
    gw_canvas_fill(canvas, (struct gw_rect){rect.x, rect.y, size, rect.h}, ink);
    gw_canvas_fill(canvas, (struct gw_rect){right, rect.y, size, rect.h}, ink);
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Where the row at height y crosses the edges, from left to right; inside is between the first and
// the second, the third and the fourth, … Returns how many.
static int find_crossings(const struct gw_polygon *polygon, double y, double *ret)
{
    int count = 0;

    for (int i = 0, j = polygon->count - 1; i < polygon->count; j = i++) {
        const double yi = polygon->y[i], yj = polygon->y[j];
        if ((yi > y) != (yj > y))
            ret[count++] = (polygon->x[j] - polygon->x[i]) * (y - yi) / (yj - yi) + polygon->x[i];
    }
    qsort(ret, (size_t)count, sizeof(*ret), compare_doubles);
    return count;
}

// From one fraction of the width to another, in one row.
static void fill_span(AVFrame *canvas, struct gw_rect area, int y, double from, double to,
                      enum gw_ink ink)
{
    const int left = (int)floor(from * area.w), right = (int)ceil(to * area.w);

    gw_canvas_fill(canvas, (struct gw_rect){area.x + left, area.y + y, right - left, 1}, ink);
}

// What lies between two heights of an edge, as far as it is in the row.
static void fill_edge(AVFrame *canvas, struct gw_rect area, int y, const struct gw_polygon *polygon,
                      int i, int j, enum gw_ink ink)
{
    const double xi = polygon->x[i], yi = polygon->y[i], xj = polygon->x[j], yj = polygon->y[j];
    const double top = fmax(fmin(yi, yj), (double)y / area.h);
    const double bottom = fmin(fmax(yi, yj), (double)(y + 1) / area.h);

    if (top > bottom)
        return;
    const double slope = yi == yj ? 0 : (xj - xi) / (yj - yi);
    const double a = yi == yj ? xi : xi + (top - yi) * slope;
    const double b = yi == yj ? xj : xi + (bottom - yi) * slope;
    fill_span(canvas, area, y, fmin(a, b), fmax(a, b), ink);
}

// A pixel that the polygon touches is crossed by an edge, or it is inside as a whole; then so is
// its middle.
void gw_canvas_fill_polygon(AVFrame *canvas, struct gw_rect area, const struct gw_polygon *polygon,
                            enum gw_ink ink)
{
    double crossings[GW_POLYGON_POINTS];

    for (int y = 0; y < area.h; y++) {
        const int count = find_crossings(polygon, (y + 0.5) / area.h, crossings);
        for (int c = 0; c + 1 < count; c += 2)
            fill_span(canvas, area, y, crossings[c], crossings[c + 1], ink);
        for (int i = 0, j = polygon->count - 1; i < polygon->count; j = i++)
            fill_edge(canvas, area, y, polygon, i, j, ink);
    }
}

void gw_canvas_outline(AVFrame *canvas, struct gw_rect area, const struct gw_polygon *polygon,
                       int size, enum gw_ink ink)
{
    for (int i = 0, j = polygon->count - 1; i < polygon->count; j = i++)
        gw_canvas_line(canvas, area.x + (int)lround(polygon->x[j] * (area.w - 1)),
                       area.y + (int)lround(polygon->y[j] * (area.h - 1)),
                       area.x + (int)lround(polygon->x[i] * (area.w - 1)),
                       area.y + (int)lround(polygon->y[i] * (area.h - 1)), size, ink);
}

struct gw_rect gw_canvas_text_rect(int x, int y, int size, const char *text)
{
    return (struct gw_rect){x, y, ((int)strlen(text) * GW_FONT_STEP + 1) * size,
                            (GW_FONT_HEIGHT + 1) * size};
}

void gw_canvas_text(AVFrame *canvas, int x, int y, int size, enum gw_ink ink, const char *text)
{
    gw_canvas_fill(canvas, gw_canvas_text_rect(x, y, size, text), GW_INK_BLACK);
    for (x += size, y += size; *text; text++, x += GW_FONT_STEP * size)
        for (int row = 0; row < GW_FONT_HEIGHT; row++)
            for (int column = 0; column < GW_FONT_WIDTH; column++)
                if (gw_font_inked(*text, column, row))
                    gw_canvas_fill(canvas,
                                   (struct gw_rect){x + column * size, y + row * size, size, size},
                                   ink);
}
