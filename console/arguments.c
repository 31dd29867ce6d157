// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/arguments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"

struct argument {
    const char *name;
    const char *takes; // for people
    bool events_only;
    bool (*parse)(struct gw_query *query, enum gw_arguments_noun noun, const char *text);
};

// In a query a '+' that is not escaped means a space, so "…T11:02:01+08:00" arrives with one.
static bool parse_moment(const char *text, int64_t *ret)
{
    char copy[64];

    if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
        return false;
    for (char *at = copy; *at; at++)
        if (*at == ' ')
            *at = '+';
    return gw_parse_time(copy, ret) == 0;
}

static bool parse_from(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    return parse_moment(text, &query->from_us);
}

static bool parse_to(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    return parse_moment(text, &query->to_us);
}

static bool parse_division(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length >= sizeof(query->division) || strspn(text, "0123456789") != length)
        return false;
    memcpy(query->division, text, length + 1);
    return true;
}

static bool parse_camera(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    if (!gw_camera_id_valid(text))
        return false;
    snprintf(query->camera, sizeof(query->camera), "%s", text);
    return true;
}

static bool parse_kind(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    query->kind = gw_event_kind_from_name(text);
    return query->kind >= 0;
}

static bool parse_state(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    switch (noun) {
    case GW_ARGUMENTS_EVENTS: query->state = gw_event_state_from_name(text); break;
    case GW_ARGUMENTS_CLIPS: query->state = gw_clip_state_from_name(text); break;
    case GW_ARGUMENTS_GAPS: query->state = gw_gap_state_from_name(text); break;
    }
    return query->state >= 0;
}

static bool parse_near(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    double values[3];
    const char *at = text;

    for (int i = 0; i < 3; i++) {
        char *end;
        values[i] = strtod(at, &end);
        if (end == at || *end != (i < 2 ? ',' : '\0') || !isfinite(values[i]))
            return false;
        at = end + 1;
    }
    query->near = true;
    query->near_lon = values[0];
    query->near_lat = values[1];
    query->near_m = values[2];
    return fabs(values[0]) <= 180 && fabs(values[1]) <= 90 && values[2] > 0 && values[2] <= 1e6;
}

static bool parse_limit(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > 4 || strspn(text, "0123456789") != length)
        return false;
    query->limit = atoi(text);
    return query->limit >= 1 && query->limit <= 1000;
}

// Only the index knows what a good one looks like.
static bool parse_cursor(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    return (size_t)snprintf(query->cursor, sizeof(query->cursor), "%s", text) <
           sizeof(query->cursor);
}

#define MOMENT "a time like 2026-05-04T03:02:01Z, or microseconds since 1970"

static const struct argument arguments[] = {
    {"from", MOMENT, false, parse_from},
    {"to", MOMENT, false, parse_to},
    {"division", "the first digits of a division code", false, parse_division},
    {"camera", "a camera's id", false, parse_camera},
    {"kind", "a kind: " GW_EVENT_KIND_NAMES, true, parse_kind},
    {"state", "a state: events and gaps are open, closed; clips recording, closed, repaired, lost",
     false, parse_state},
    {"near", "LON,LAT,METRES in WGS-84 degrees, at most 1000000 metres", false, parse_near},
    {"limit", "1 to 1000", false, parse_limit},
    {"cursor", "what the page before gave as next", false, parse_cursor},
};

static const struct argument *find(enum gw_arguments_noun noun, const char *name)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
        if (!strcmp(arguments[i].name, name) &&
            (noun == GW_ARGUMENTS_EVENTS || !arguments[i].events_only))
            return &arguments[i];
    return NULL;
}

bool gw_argument_known(enum gw_arguments_noun noun, const char *name)
{
    return find(noun, name) != NULL;
}

int gw_arguments_parse(struct gw_query *ret, enum gw_arguments_noun noun, gw_argument_get get,
                       void *opaque, char error[GW_ARGUMENT_ERROR_SIZE])
{
    struct gw_query query;

    gw_query_init(&query);
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        const struct argument *argument = find(noun, arguments[i].name);
        const char *text = argument ? get(opaque, argument->name) : NULL;
        if (!text || (!*text && argument->parse == parse_cursor))
            continue;
        if (!argument->parse(&query, noun, text)) {
            snprintf(error, GW_ARGUMENT_ERROR_SIZE, "%s: takes %s", argument->name,
                     argument->takes);
            return GW_ERROR_INVALID;
        }
    }
    if (query.from_us != GW_NO_TIME && query.to_us != GW_NO_TIME && query.from_us >= query.to_us) {
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "from: must be before to");
        return GW_ERROR_INVALID;
    }
    *ret = query;
    return 0;
}
