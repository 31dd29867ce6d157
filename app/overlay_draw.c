// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/overlay_font.h"
#include "core/clock.h"

// Narrower pictures are enlarged to at least this, but not by more than eight: letters fit then.
enum { MIN_WIDTH = 640, MAX_ENLARGE = 8 };
// A dot is this share of the width, so that a line has 53 letters at any size.
enum { DOTS_PER_LINE = 320 };
// Heights in dots.
enum { TEXT_ROW = GW_FONT_HEIGHT + 1, GRAPH = 24, EVENT_ROW = 2, TICK_ROW = 3, GAP = 1 };

// The graph shows so much of what was and of what comes: the analysis looks ahead as well.
#define PAST_US   (8 * GW_SECOND)
#define FUTURE_US (2 * GW_SECOND)
// At most 20 pictures a second are looked at. In those between two, the box stays that of the last.
#define HOLD_US (GW_SECOND / 10)
// The graph's span when the signal is flat, and its limits where one picture is far out.
static const double min_span = 4, max_signal = 20, min_signal = -4;

struct gw_overlay_layout gw_overlay_lay_out(int width, int height)
{
    int enlarge = (MIN_WIDTH + width - 1) / width;

    if (enlarge > MAX_ENLARGE)
        enlarge = MAX_ENLARGE;
    struct gw_overlay_layout layout = {.picture = {0, 0, width * enlarge, height * enlarge}};
    layout.dot = layout.picture.w / DOTS_PER_LINE;
    if (layout.dot < 1)
        layout.dot = 1;
    layout.width = (layout.picture.w + 1) / 2 * 2;
    const int top = (layout.picture.h + 1) / 2 * 2;
    const int dots = 2 * TEXT_ROW + GRAPH + GAP + EVENT_ROW + GAP + TICK_ROW;
    layout.strip = (struct gw_rect){0, top, layout.width, (dots * layout.dot + 1) / 2 * 2};
    layout.height = top + layout.strip.h;
    return layout;
}

bool gw_overlay_zone_label(const struct gw_zones *zones, int index, char ret[GW_ZONE_LABEL_SIZE])
{
    const char *name = zones->zones[index].name;

    if (gw_font_has(name)) {
        strcpy(ret, name);
        return true;
    }
    snprintf(ret, GW_ZONE_LABEL_SIZE, "#%d", index + 1);
    return false;
}

// Of lines over the picture, in pixels; they hide what they lie on.
static int thickness(const struct gw_overlay_layout *layout, bool thick)
{
    return thick ? layout->dot : (layout->dot + 1) / 2;
}

// --- over the picture ----------------------------------------------------------------------------

// At the topmost point of the outline, but inside the picture.
static void draw_label(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_polygon *polygon, enum gw_ink ink, const char *label)
{
    const struct gw_rect *area = &layout->picture;
    int top = 0;

    for (int i = 1; i < polygon->count; i++)
        if (polygon->y[i] < polygon->y[top])
            top = i;
    struct gw_rect rect =
        gw_canvas_text_rect(area->x + (int)(polygon->x[top] * area->w),
                            area->y + (int)(polygon->y[top] * area->h), layout->dot, label);
    if (rect.x + rect.w > area->x + area->w)
        rect.x = area->x + area->w - rect.w;
    if (rect.x < area->x)
        rect.x = area->x;
    if (rect.y + rect.h > area->y + area->h)
        rect.y = area->y + area->h - rect.h;
    gw_canvas_text(canvas, rect.x, rect.y, layout->dot, ink, label);
}

static void draw_zones(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_zones *zones, uint32_t touched)
{
    char label[GW_ZONE_LABEL_SIZE];

    for (int i = 0; i < zones->mask_count; i++)
        gw_canvas_fill_polygon(canvas, layout->picture, &zones->masks[i], GW_INK_BLACK);
    for (int i = 0; i < zones->zone_count; i++) {
        const struct gw_polygon *polygon = &zones->zones[i].polygon;
        const bool hit = touched & UINT32_C(1) << i;
        gw_overlay_zone_label(zones, i, label);
        gw_canvas_outline(canvas, layout->picture, polygon, thickness(layout, hit), GW_INK_CYAN);
        draw_label(canvas, layout, polygon, GW_INK_CYAN, label);
    }
}

// Thick where something was seen, thin where it was only a hint, or in a picture not looked at.
static void draw_box(AVFrame *canvas, const struct gw_overlay_layout *layout,
                     const struct gw_motion_result *motion, bool now)
{
    const struct gw_rect *area = &layout->picture;
    const struct gw_box *box = &motion->box;
    const int left = (int)floor(box->x * area->w), top = (int)floor(box->y * area->h);
    const int right = (int)ceil((box->x + box->w) * area->w);
    const int bottom = (int)ceil((box->y + box->h) * area->h);

    if (!motion->something && !motion->hint)
        return;
    gw_canvas_frame(canvas,
                    (struct gw_rect){area->x + left, area->y + top, right - left, bottom - top},
                    thickness(layout, motion->something && now),
                    motion->something ? GW_INK_GREEN : GW_INK_YELLOW);
}

// --- below it ------------------------------------------------------------------------------------

static const char *format_time(char *buffer, size_t size, int64_t us)
{
    const long long ms = us / 1000;

    if (ms >= 3600000)
        snprintf(buffer, size, "%lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60,
                 ms / 1000 % 60, ms % 1000);
    else
        snprintf(buffer, size, "%lld:%02lld.%03lld", ms / 60000, ms / 1000 % 60, ms % 1000);
    return buffer;
}

static void draw_state(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_packet_trace *packet, bool looked, int64_t wall_us)
{
    char text[96], time[32], signal[32] = "";
    const bool decoded = looked || (packet && packet->decoded);

    if (packet && isfinite(packet->signal) && isfinite(packet->limit))
        snprintf(signal, sizeof(signal), "  signal %.1f/%.1f", packet->signal, packet->limit);
    else if (packet && isfinite(packet->signal))
        snprintf(signal, sizeof(signal), "  signal %.1f", packet->signal);
    snprintf(text, sizeof(text), "%s  %s%s%s%s", format_time(time, sizeof(time), wall_us),
             packet ? gw_level_name(packet->level) : "", packet ? ": " : "",
             looked    ? "looked at"
             : decoded ? "decoded"
             : packet  ? "not decoded"
                       : "not looked at",
             signal);
    gw_canvas_text(canvas, layout->strip.x, layout->strip.y, layout->dot,
                   decoded ? GW_INK_WHITE : GW_INK_GREY, text);
}

static void draw_event(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_overlay_trace *trace, bool relit, int64_t wall_us)
{
    static const struct {
        const char *words;
        enum gw_ink ink;
        int border; // dots
    } looks[] = {
        [GW_MOMENT_BEGINS] = {"not sure yet", GW_INK_AMBER, 1},
        [GW_MOMENT_MOVES] = {"", GW_INK_RED, 2},
        [GW_MOMENT_PAUSES] = {"quiet", GW_INK_AMBER, 1},
    };
    struct gw_trace_event event;
    char text[96] = "", time[32], score_text[32] = "";
    double score;
    const enum gw_event_moment moment = gw_overlay_trace_event_at(trace, wall_us, &event, &score);
    enum gw_ink ink = GW_INK_GREY;

    if (moment != GW_MOMENT_NONE) {
        ink = looks[moment].ink;
        gw_canvas_frame(canvas, layout->picture, looks[moment].border * layout->dot, ink);
        if (moment != GW_MOMENT_BEGINS)
            snprintf(score_text, sizeof(score_text), "  score %.2f", score);
        snprintf(text, sizeof(text), "EVENT since %s%s  %s",
                 format_time(time, sizeof(time), event.start_us), score_text, looks[moment].words);
    }
    if (relit)
        strcpy(text + strlen(text), *text ? "  light changed" : "light changed");
    gw_canvas_text(canvas, layout->strip.x, layout->strip.y + TEXT_ROW * layout->dot, layout->dot,
                   ink, text);
}

// In the picture's lower left corner: it is the picture that is at fault.
static void draw_fault(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_trace_event *fault)
{
    char text[96], time[32];

    if (!fault)
        return;
    snprintf(text, sizeof(text), "CAMERA %s since %s", gw_event_kind_name(fault->kind),
             format_time(time, sizeof(time), fault->start_us));
    gw_canvas_text(canvas, layout->picture.x, layout->picture.h - TEXT_ROW * layout->dot,
                   layout->dot, GW_INK_YELLOW, text);
}

// The graph: where it is, and what its corners stand for.
struct graph {
    AVFrame *canvas;
    struct gw_rect rect;
    int dot, line; // as in the layout; how thick lines are
    int64_t from_us, to_us;
    double low, high;
};

static int graph_x(const struct graph *graph, int64_t wall_us)
{
    const double share =
        (double)(wall_us - graph->from_us) / (double)(graph->to_us - graph->from_us);
    return graph->rect.x + (int)lround(fmin(fmax(share, 0), 1) * graph->rect.w);
}

static int graph_y(const struct graph *graph, double value)
{
    const double share = (value - graph->low) / (graph->high - graph->low);
    return graph->rect.y + (int)lround((1 - fmin(fmax(share, 0), 1)) * (graph->rect.h - 1));
}

static void draw_step(const struct graph *graph, const struct gw_packet_trace *from,
                      const struct gw_packet_trace *to)
{
    const int x0 = graph_x(graph, from->wall_us), x1 = graph_x(graph, to->wall_us);

    if (isfinite(from->limit) && isfinite(to->limit))
        gw_canvas_line(graph->canvas, x0, graph_y(graph, from->limit), x1,
                       graph_y(graph, to->limit), graph->line, GW_INK_RED);
    if (isfinite(from->signal) && isfinite(to->signal))
        gw_canvas_line(graph->canvas, x0, graph_y(graph, from->signal), x1,
                       graph_y(graph, to->signal), graph->line, GW_INK_WHITE);
}

// From one time to another, offset dots below the graph.
static void draw_bar(const struct graph *graph, int64_t from_us, int64_t to_us, int offset,
                     int height, enum gw_ink ink)
{
    const int left = graph_x(graph, from_us), right = graph_x(graph, to_us);
    const int y = graph->rect.y + graph->rect.h + offset * graph->dot;

    gw_canvas_fill(graph->canvas,
                   (struct gw_rect){left, y, right > left ? right - left : 1, height * graph->dot},
                   ink);
}

static void draw_packets(const struct graph *graph, const struct gw_overlay_trace *trace)
{
    size_t count;
    const struct gw_packet_trace *packets =
        gw_overlay_trace_packets(trace, graph->from_us, graph->to_us, &count);

    for (size_t i = 0; i + 1 < count; i++) {
        draw_step(graph, &packets[i], &packets[i + 1]);
        draw_bar(graph, packets[i].wall_us, packets[i + 1].wall_us, GAP + EVENT_ROW + GAP, TICK_ROW,
                 packets[i].decoded ? GW_INK_GREEN : GW_INK_DARK);
    }
}

static void draw_events(const struct graph *graph, const struct gw_overlay_trace *trace)
{
    const struct gw_trace_event *events = trace->events.items;

    for (size_t i = 0; i < trace->events.count; i++)
        if (events[i].end_us >= graph->from_us && events[i].start_us <= graph->to_us)
            draw_bar(graph, events[i].start_us, events[i].end_us, GAP, EVENT_ROW,
                     events[i].kind == GW_EVENT_MOTION ? GW_INK_RED : GW_INK_YELLOW);
}

static void draw_graph(AVFrame *canvas, const struct gw_overlay_layout *layout,
                       const struct gw_overlay_trace *trace, int64_t wall_us)
{
    struct graph graph = {
        .canvas = canvas,
        .rect = {layout->strip.x, layout->strip.y + 2 * TEXT_ROW * layout->dot, layout->strip.w,
                 GRAPH * layout->dot},
        .dot = layout->dot,
        .line = thickness(layout, false),
        .from_us = wall_us - PAST_US,
        .to_us = wall_us + FUTURE_US,
        .low = fmax(trace->lowest, min_signal),
        .high = fmin(trace->highest, max_signal),
    };
    if (graph.high - graph.low < min_span)
        graph.high = graph.low + min_span;
    const int zero = graph_y(&graph, 0), now = graph_x(&graph, wall_us);

    gw_canvas_fill(canvas, (struct gw_rect){graph.rect.x, zero, graph.rect.w, 1}, GW_INK_DARK);
    if (trace->lowest == trace->highest)
        gw_canvas_text(canvas, graph.rect.x, graph.rect.y, layout->dot, GW_INK_GREY,
                       "no signal of the gate");
    draw_packets(&graph, trace);
    draw_events(&graph, trace);
    gw_canvas_fill(canvas,
                   (struct gw_rect){now, graph.rect.y, graph.line,
                                    layout->strip.y + layout->strip.h - graph.rect.y},
                   GW_INK_AMBER);
}

void gw_overlay_draw(AVFrame *canvas, const struct gw_overlay_layout *layout,
                     const struct gw_overlay_trace *trace, const struct gw_zones *zones,
                     int64_t wall_us)
{
    const struct gw_picture_trace *last = gw_overlay_trace_picture_at(trace, wall_us);
    const struct gw_packet_trace *packet = gw_overlay_trace_packet_at(trace, wall_us);
    const int64_t age_us = last ? wall_us - last->wall_us : INT64_MAX;
    const bool looked = age_us < GW_TRACE_SAME_PICTURE_US;
    const struct gw_motion_result motion =
        age_us < HOLD_US ? last->motion : (struct gw_motion_result){0};

    // What an odd size is short of.
    gw_canvas_fill(canvas, (struct gw_rect){layout->picture.w, 0, 1, layout->height}, GW_INK_BLACK);
    gw_canvas_fill(canvas, (struct gw_rect){0, layout->picture.h, layout->width, 1}, GW_INK_BLACK);
    if (zones)
        draw_zones(canvas, layout, zones, motion.zones);
    draw_box(canvas, layout, &motion, looked);
    gw_canvas_fill(canvas, layout->strip, GW_INK_BLACK);
    draw_state(canvas, layout, packet, looked, wall_us);
    draw_event(canvas, layout, trace, motion.relit, wall_us);
    draw_fault(canvas, layout, gw_overlay_trace_fault_at(trace, wall_us));
    draw_graph(canvas, layout, trace, wall_us);
}
