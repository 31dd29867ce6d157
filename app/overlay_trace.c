// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/overlay_trace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

void gw_overlay_trace_finish(struct gw_overlay_trace *trace)
{
    free(trace->packets.items);
    free(trace->pictures.items);
    free(trace->events.items);
    free(trace->scores.items);
    *trace = (struct gw_overlay_trace){0};
}

static void append(struct gw_overlay_trace *trace, struct gw_trace_list *list, const void *item,
                   size_t size)
{
    if (list->count == list->room) {
        const size_t room = list->room ? list->room * 2 : 256;
        void *items = reallocarray(list->items, room, size);
        if (!items) {
            trace->failed = true;
            return;
        }
        list->items = items;
        list->room = room;
    }
    memcpy((char *)list->items + list->count++ * size, item, size);
}

static void widen(struct gw_overlay_trace *trace, double value)
{
    if (!isfinite(value))
        return;
    trace->lowest = fmin(trace->lowest, value);
    trace->highest = fmax(trace->highest, value);
}

void gw_overlay_trace_packet(struct gw_overlay_trace *trace, const struct gw_packet_trace *packet)
{
    append(trace, &trace->packets, packet, sizeof(*packet));
    widen(trace, packet->signal);
    widen(trace, packet->limit);
}

void gw_overlay_trace_picture(struct gw_overlay_trace *trace,
                              const struct gw_picture_trace *picture)
{
    append(trace, &trace->pictures, picture, sizeof(*picture));
}

static struct gw_trace_event *find_event(struct gw_overlay_trace *trace, const struct gw_id *id)
{
    struct gw_trace_event *events = trace->events.items;

    for (size_t i = trace->events.count; i-- > 0;)
        if (!memcmp(&events[i].id, id, sizeof(*id)))
            return &events[i];
    return NULL;
}

void gw_overlay_trace_event(struct gw_overlay_trace *trace, enum gw_event_phase phase,
                            const struct gw_event *event)
{
    const struct gw_trace_score score = {event->id, event->end_us, event->score};

    if (phase == GW_EVENT_PHASE_OPENED)
        append(trace, &trace->events,
               &(struct gw_trace_event){.id = event->id, .kind = event->kind},
               sizeof(struct gw_trace_event));
    append(trace, &trace->scores, &score, sizeof(score));
    struct gw_trace_event *known = find_event(trace, &event->id);
    if (!known)
        return;
    known->start_us = event->start_us;
    known->confirmed_us = event->confirmed_us;
    known->end_us = event->end_us;
    known->gone_us = INT64_MAX;
}

// Both structs that are sorted begin with their time.
_Static_assert(offsetof(struct gw_packet_trace, wall_us) == 0, "see compare_times");
_Static_assert(offsetof(struct gw_picture_trace, wall_us) == 0, "see compare_times");

static int compare_times(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

// How many items of the list have a time below wall_us.
static size_t count_before(const struct gw_trace_list *list, size_t size, int64_t wall_us)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_times((const char *)list->items + middle * size, &wall_us) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Motion is gone with the first picture after its end in which none is open, and when the next one
// begins. A fault's end is known at once.
static void settle_event(struct gw_overlay_trace *trace, size_t index)
{
    struct gw_trace_event *events = trace->events.items, *event = &events[index];
    const struct gw_picture_trace *pictures = trace->pictures.items;
    size_t i = count_before(&trace->pictures, sizeof(*pictures), event->end_us + 1);

    if (event->kind != GW_EVENT_MOTION) {
        event->gone_us = event->end_us;
        return;
    }
    while (i < trace->pictures.count && pictures[i].open)
        i++;
    event->gone_us = i < trace->pictures.count ? pictures[i].wall_us : INT64_MAX;
    for (size_t next = index + 1; next < trace->events.count; next++)
        if (events[next].kind == GW_EVENT_MOTION && events[next].start_us < event->gone_us)
            event->gone_us = events[next].start_us;
}

int gw_overlay_trace_settle(struct gw_overlay_trace *trace)
{
    if (trace->failed)
        return -ENOMEM;
    if (trace->packets.count > 0)
        qsort(trace->packets.items, trace->packets.count, sizeof(struct gw_packet_trace),
              compare_times);
    if (trace->pictures.count > 0)
        qsort(trace->pictures.items, trace->pictures.count, sizeof(struct gw_picture_trace),
              compare_times);
    for (size_t i = 0; i < trace->events.count; i++)
        settle_event(trace, i);
    return 0;
}

const struct gw_packet_trace *gw_overlay_trace_packets(const struct gw_overlay_trace *trace,
                                                       int64_t from_us, int64_t to_us,
                                                       size_t *ret_count)
{
    const struct gw_packet_trace *packets = trace->packets.items;
    const size_t first = count_before(&trace->packets, sizeof(*packets), from_us);
    const size_t end = count_before(&trace->packets, sizeof(*packets), to_us + 1);

    *ret_count = end - first;
    return end > first ? packets + first : NULL;
}

const struct gw_packet_trace *gw_overlay_trace_packet_at(const struct gw_overlay_trace *trace,
                                                         int64_t wall_us)
{
    size_t count;
    const struct gw_packet_trace *near = gw_overlay_trace_packets(
        trace, wall_us - GW_TRACE_SAME_PICTURE_US, wall_us + GW_TRACE_SAME_PICTURE_US, &count);

    const struct gw_packet_trace *best = near;

    for (size_t i = 1; i < count; i++)
        if (llabs(near[i].wall_us - wall_us) < llabs(best->wall_us - wall_us))
            best = &near[i];
    return best;
}

const struct gw_picture_trace *gw_overlay_trace_picture_at(const struct gw_overlay_trace *trace,
                                                           int64_t wall_us)
{
    const struct gw_picture_trace *pictures = trace->pictures.items;
    const size_t count =
        count_before(&trace->pictures, sizeof(*pictures), wall_us + GW_TRACE_SAME_PICTURE_US);

    return count > 0 ? &pictures[count - 1] : NULL;
}

static double score_at(const struct gw_overlay_trace *trace, const struct gw_id *id,
                       int64_t wall_us)
{
    const struct gw_trace_score *scores = trace->scores.items;
    double score = NAN;

    for (size_t i = 0; i < trace->scores.count; i++)
        if (!memcmp(&scores[i].id, id, sizeof(*id)) &&
            (isnan(score) || scores[i].wall_us <= wall_us))
            score = scores[i].score;
    return score;
}

enum gw_event_moment gw_overlay_trace_event_at(const struct gw_overlay_trace *trace,
                                               int64_t wall_us, struct gw_trace_event *ret,
                                               double *ret_score)
{
    const struct gw_trace_event *events = trace->events.items;

    for (size_t i = 0; i < trace->events.count; i++) {
        if (events[i].kind != GW_EVENT_MOTION || wall_us < events[i].start_us ||
            wall_us >= events[i].gone_us)
            continue;
        *ret = events[i];
        *ret_score = score_at(trace, &events[i].id, wall_us);
        return wall_us < events[i].confirmed_us ? GW_MOMENT_BEGINS
               : wall_us <= events[i].end_us    ? GW_MOMENT_MOVES
                                                : GW_MOMENT_PAUSES;
    }
    return GW_MOMENT_NONE;
}

const struct gw_trace_event *gw_overlay_trace_fault_at(const struct gw_overlay_trace *trace,
                                                       int64_t wall_us)
{
    const struct gw_trace_event *events = trace->events.items, *latest = NULL;

    for (size_t i = 0; i < trace->events.count; i++)
        if (events[i].kind != GW_EVENT_MOTION && wall_us >= events[i].start_us &&
            wall_us <= events[i].end_us && (!latest || events[i].start_us >= latest->start_us))
            latest = &events[i];
    return latest;
}
