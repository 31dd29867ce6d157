// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/retention.h"

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t own_ceiling(const struct gw_retention_rules *rules, enum gw_noun noun, int kind)
{
    switch (noun) {
    case GW_NOUN_EVENT: return kind == GW_EVENT_MOTION ? rules->motion_us : rules->fault_us;
    case GW_NOUN_GAP: return rules->gap_us;
    case GW_NOUN_CLIP: break;
    }
    return 0;
}

struct gw_retention_span gw_retention_span(const struct gw_retention_rules *rules,
                                           enum gw_noun noun, int kind, int camera_days)
{
    struct gw_retention_span span = {rules->floor_us, rules->ceiling_us};
    const int64_t own_us = own_ceiling(rules, noun, kind);

    if (camera_days > 0)
        span.floor_us = span.ceiling_us = camera_days * GW_DAY_US;
    if (own_us)
        span = (struct gw_retention_span){shorter(span.floor_us, own_us), own_us};
    if (span.ceiling_us && span.ceiling_us < span.floor_us)
        span.ceiling_us = span.floor_us;
    return span;
}

int64_t gw_retention_due_us(struct gw_retention_span span, int64_t start_us, int64_t end_us)
{
    if (!span.ceiling_us)
        return INT64_MAX;
    const int64_t ceiling_us = start_us + span.ceiling_us, floor_us = end_us + span.floor_us;
    return ceiling_us > floor_us ? ceiling_us : floor_us;
}

bool gw_retention_in_floor(struct gw_retention_span span, int64_t end_us, int64_t now_us)
{
    return now_us < end_us + span.floor_us;
}

int64_t gw_retention_shortest_us(const struct gw_retention_rules *rules, enum gw_noun noun,
                                 int camera_days)
{
    const int64_t a = gw_retention_span(rules, noun, GW_EVENT_MOTION, camera_days).ceiling_us;
    const int64_t b = gw_retention_span(rules, noun, GW_EVENT_COVERED, camera_days).ceiling_us;

    if (!a || !b)
        return a ? a : b;
    return shorter(a, b);
}

int64_t gw_retention_shortest_floor_us(const struct gw_retention_rules *rules, int camera_days)
{
    const int64_t motion_us =
        gw_retention_span(rules, GW_NOUN_EVENT, GW_EVENT_MOTION, camera_days).floor_us;
    const int64_t fault_us =
        gw_retention_span(rules, GW_NOUN_EVENT, GW_EVENT_COVERED, camera_days).floor_us;
    const int64_t clip_us = gw_retention_span(rules, GW_NOUN_CLIP, -1, camera_days).floor_us;

    return shorter(clip_us, shorter(motion_us, fault_us));
}
