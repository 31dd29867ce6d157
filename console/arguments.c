// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/arguments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/coordinates.h"
#include "core/error.h"

struct argument {
    const char *name;
    const char *takes; // for people
    unsigned nouns;    // that have it
    bool (*parse)(struct gw_query *query, enum gw_arguments_noun noun, const char *text);
};

#define EVENTS (1u << GW_ARGUMENTS_EVENTS)
#define COUNTS (1u << GW_ARGUMENTS_COUNTS)
#define LISTS  (EVENTS | 1u << GW_ARGUMENTS_CLIPS | 1u << GW_ARGUMENTS_GAPS)
#define ALL    (LISTS | COUNTS | 1u << GW_ARGUMENTS_PLACES)

// The systems that positions may be given in. CGCS2000 differs from WGS-84 by centimetres.
#define SYSTEM_NAMES "WGS-84, CGCS2000 or GCJ-02"
static const struct coordinate_system {
    const char *name;
    void (*to_wgs84)(double *lon, double *lat); // NULL: it is the same
} systems[] = {{"WGS-84", NULL}, {"CGCS2000", NULL}, {"GCJ-02", gw_wgs84_from_gcj02}};

static const struct coordinate_system *find_system(const char *name)
{
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
        if (!strcmp(systems[i].name, name))
            return &systems[i];
    return NULL;
}

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

// --- numbers and points --------------------------------------------------------------------------

// Reads so many numbers with commas between them and moves *at behind them. Decimal ones only:
// strtod() would take "0x10", "inf" and "nan" too.
static bool read_numbers(const char **at, double *ret, int count)
{
    for (int i = 0; i < count; i++) {
        char *end;
        if (i > 0 && *(*at)++ != ',')
            return false;
        const size_t length = strspn(*at, "+-.0123456789eE ");
        ret[i] = strtod(*at, &end);
        if (end == *at || end > *at + length || !isfinite(ret[i]))
            return false;
        *at = end;
    }
    return true;
}

static bool point_is_on_earth(struct gw_point point)
{
    return fabs(point.lon) <= 180 && fabs(point.lat) <= 90;
}

static bool read_point(const char **at, struct gw_point *ret)
{
    double numbers[2];

    if (!read_numbers(at, numbers, 2))
        return false;
    *ret = (struct gw_point){numbers[0], numbers[1]};
    return point_is_on_earth(*ret);
}

// --- one function per argument -------------------------------------------------------------------

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

// A grid cell's number follows its division's code (core/camera.h), so the division comes first.
static bool parse_grid(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    const size_t length = strlen(text), before = strlen(query->division);

    if (before == 0 || length == 0 || before + length >= sizeof(query->division) ||
        strspn(text, "0123456789") != length)
        return false;
    memcpy(query->division + before, text, length + 1);
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
    case GW_ARGUMENTS_PLACES:
    case GW_ARGUMENTS_COUNTS: return false;
    }
    return query->state >= 0;
}

static bool parse_min_score(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    const char *end = text;

    return read_numbers(&end, &query->min_score, 1) && !*end && query->min_score >= 0 &&
           query->min_score <= 1;
}

static bool parse_near(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    struct gw_point middle;

    if (!read_point(&text, &middle) || *text++ != ',' || !read_numbers(&text, &query->near_m, 1))
        return false;
    query->near = true;
    query->near_lon = middle.lon;
    query->near_lat = middle.lat;
    return !*text && query->near_m > 0 && query->near_m <= 1e6;
}

static bool parse_polygon(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    int count = 0;

    do {
        if (count == GW_QUERY_POINTS || !read_point(&text, &query->polygon[count++]))
            return false;
    } while (*text == ';' && *++text); // one at the end does not matter
    query->polygon_count = count;
    return !*text && count >= 3;
}

// A box that is wider than half the globe is more likely one with west and east mixed up, but it
// is a box; one without height or width is none.
static bool parse_box(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    struct gw_point low, high;

    if (!read_point(&text, &low) || *text++ != ',' || !read_point(&text, &high))
        return false;
    query->in_box = true;
    query->box = (struct gw_geo_box){low.lon, low.lat, high.lon, high.lat};
    return !*text && low.lat < high.lat && low.lon != high.lon;
}

static bool parse_covers(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    query->covers = true;
    return read_point(&text, &query->seen) && !*text;
}

// The positions are converted when all are there.
static bool parse_crs(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    return find_system(text) != NULL;
}

static bool parse_of(struct gw_query *query, enum gw_arguments_noun noun, const char *text)
{
    return gw_arguments_counted(text) >= 0;
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
    {"of", "what is counted: events, clips or gaps", COUNTS, parse_of},
    {"from", MOMENT, ALL, parse_from},
    {"to", MOMENT, ALL, parse_to},
    {"division", "the first digits of a division code", ALL, parse_division},
    {"grid", "the first digits of a grid cell's number; division says in which, 15 digits together",
     ALL, parse_grid},
    {"camera", "a camera's id", ALL, parse_camera},
    {"kind", "a kind: " GW_EVENT_KIND_NAMES, EVENTS | COUNTS, parse_kind},
    {"state", "a state: events and gaps are open, closed; clips recording, closed, repaired, lost",
     LISTS, parse_state},
    {"min_score", "a number from 0 to 1", EVENTS, parse_min_score},
    {"near", "LON,LAT,METRES in degrees, at most 1000000 metres", ALL, parse_near},
    {"polygon", "LON,LAT;LON,LAT;… in degrees, 3 to 64 points", ALL, parse_polygon},
    {"box", "WEST,SOUTH,EAST,NORTH in degrees", ALL, parse_box},
    {"covers", "LON,LAT in degrees", ALL, parse_covers},
    {"crs", "the system of the positions: " SYSTEM_NAMES, ALL, parse_crs},
    {"limit", "1 to 1000", LISTS, parse_limit},
    {"cursor", "what the page before gave as next", LISTS, parse_cursor},
};

static const struct argument *find(enum gw_arguments_noun noun, const char *name)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
        if (!strcmp(arguments[i].name, name) && arguments[i].nouns & 1u << noun)
            return &arguments[i];
    return NULL;
}

bool gw_argument_known(enum gw_arguments_noun noun, const char *name)
{
    return find(noun, name) != NULL;
}

int gw_arguments_counted(const char *of)
{
    static const char *const names[] = {
        [GW_NOUN_EVENT] = "events", [GW_NOUN_CLIP] = "clips", [GW_NOUN_GAP] = "gaps"};

    for (int i = 0; of && i < (int)(sizeof(names) / sizeof(names[0])); i++)
        if (!strcmp(names[i], of))
            return i;
    return -1;
}

// What no argument can say of itself. Returns NULL, or what is wrong.
static const char *find_contradiction(const struct gw_query *query, enum gw_arguments_noun noun,
                                      const char *of)
{
    if (query->from_us != GW_NO_TIME && query->to_us != GW_NO_TIME &&
        query->from_us >= query->to_us)
        return "from: must be before to";
    if (noun == GW_ARGUMENTS_COUNTS && !of)
        return "of: say what is counted: events, clips or gaps";
    if (noun == GW_ARGUMENTS_COUNTS && query->kind >= 0 &&
        gw_arguments_counted(of) != GW_NOUN_EVENT)
        return "kind: only events have one";
    return NULL;
}

static void convert(struct gw_query *query, const struct coordinate_system *system)
{
    if (!system || !system->to_wgs84)
        return;
    if (query->near)
        system->to_wgs84(&query->near_lon, &query->near_lat);
    if (query->in_box) {
        system->to_wgs84(&query->box.west, &query->box.south);
        system->to_wgs84(&query->box.east, &query->box.north);
    }
    for (int i = 0; i < query->polygon_count; i++)
        system->to_wgs84(&query->polygon[i].lon, &query->polygon[i].lat);
    if (query->covers)
        system->to_wgs84(&query->seen.lon, &query->seen.lat);
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
    const char *of = noun == GW_ARGUMENTS_COUNTS ? get(opaque, "of") : NULL;
    const char *wrong = find_contradiction(&query, noun, of);
    if (wrong) {
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "%s", wrong);
        return GW_ERROR_INVALID;
    }
    const char *crs = get(opaque, "crs");
    convert(&query, crs ? find_system(crs) : NULL);
    *ret = query;
    return 0;
}
