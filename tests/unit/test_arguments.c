// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console/arguments.h"
#include "core/clock.h"
#include "core/coordinates.h"
#include "core/error.h"

struct arguments {
    const char *name, *text;
};

static const char *get_one(void *opaque, const char *name)
{
    const struct arguments *one = opaque;
    return strcmp(one->name, name) ? NULL : one->text;
}

static char error[GW_ARGUMENT_ERROR_SIZE];

static int parse(enum gw_arguments_noun noun, const char *name, const char *text,
                 struct gw_query *ret)
{
    struct arguments one = {name, text};
    return gw_arguments_parse(ret, noun, get_one, &one, error);
}

static void no_filter_finds_everything(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "", "", &query), 0);
    assert_int_equal(query.from_us, GW_NO_TIME);
    assert_int_equal(query.kind, -1);
    assert_int_equal(query.limit, 100);
}

static void filters_arrive_in_the_query(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "from", "2026-05-04T03:02:01Z", &query), 0);
    assert_int_equal(query.from_us, INT64_C(1777863721000000));
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "to", "1777863721000000", &query), 0);
    assert_int_equal(query.to_us, INT64_C(1777863721000000));
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "division", "640323", &query), 0);
    assert_string_equal(query.division, "640323");
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "camera", "gate-07", &query), 0);
    assert_string_equal(query.camera, "gate-07");
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "state", "closed", &query), 0);
    assert_int_equal(query.state, GW_EVENT_CLOSED);
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "state", "lost", &query), 0);
    assert_int_equal(query.state, GW_CLIP_LOST);
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "near", "106.42,37.8,500", &query), 0);
    assert_true(query.near && query.near_m == 500);
}

static const char *get_any(void *opaque, const char *name)
{
    for (const struct arguments *one = opaque; one->name; one++)
        if (!strcmp(one->name, name))
            return one->text;
    return NULL;
}

// The last of given is empty.
static int parse_all(enum gw_arguments_noun noun, struct arguments *given, struct gw_query *ret)
{
    return gw_arguments_parse(ret, noun, get_any, given, error);
}

static void every_shape_arrives_in_the_query(void **state)
{
    struct gw_query query;
    assert_int_equal(
        parse(GW_ARGUMENTS_GAPS, "polygon", "106.4,37.7;106.5,37.7;+106.45,37.9", &query), 0);
    assert_int_equal(query.polygon_count, 3);
    assert_true(query.polygon[2].lon == 106.45 && query.polygon[2].lat == 37.9);
    assert_int_equal(parse(GW_ARGUMENTS_PLACES, "polygon", "0,0;1,0;1,1;0,1;", &query), 0);
    assert_int_equal(query.polygon_count, 4);
    assert_int_equal(parse(GW_ARGUMENTS_CLIPS, "box", "179.5,-17,-179.5,-16", &query), 0);
    assert_true(query.in_box && query.box.west == 179.5 && query.box.south == -17);
    assert_true(query.box.east == -179.5 && query.box.north == -16);
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "covers", "106.42,37.785", &query), 0);
    assert_true(query.covers && query.seen.lon == 106.42 && query.seen.lat == 37.785);
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "min_score", "0.25", &query), 0);
    assert_true(query.min_score == 0.25);
    assert_false(query.near || query.in_box || query.covers);
}

static void a_polygon_has_room_for_64_points_and_no_more(void **state)
{
    char text[65 * 8 + 1] = "";
    struct gw_query query;
    for (int i = 0; i < 64; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d,%d", i ? ";" : "", i, i);
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "polygon", text, &query), 0);
    assert_int_equal(query.polygon_count, 64);
    strcat(text, ";0,9");
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "polygon", text, &query), GW_ERROR_INVALID);
}

static void a_grid_cell_follows_its_division(void **state)
{
    struct gw_query query;
    struct arguments given[] = {{"grid", "004"}, {"division", "640323101"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_EVENTS, given, &query), 0);
    assert_string_equal(query.division, "640323101004");
    struct arguments alone[] = {{"grid", "004"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_EVENTS, alone, &query), GW_ERROR_INVALID);
    assert_non_null(strstr(error, "division"));
    struct arguments longer[] = {{"grid", "0041"}, {"division", "640323101004"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_EVENTS, longer, &query), GW_ERROR_INVALID);
}

static void positions_in_cgcs2000_are_positions_in_wgs_84(void **state)
{
    struct gw_query query;
    struct arguments given[] = {{"crs", "CGCS2000"}, {"near", "106.42,37.785,50"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_EVENTS, given, &query), 0);
    assert_true(query.near_lon == 106.42 && query.near_lat == 37.785);
}

static void assert_close(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-7);
}

// What a map says is moved; all shapes come back to where it really is.
static void positions_in_gcj_02_are_moved_back(void **state)
{
    double lon = 106.42, lat = 37.785, east = 106.52, north = 37.885;
    char point[64], near[80], box[128], polygon[200];
    gw_gcj02_from_wgs84(&lon, &lat);
    gw_gcj02_from_wgs84(&east, &north);
    assert_true(fabs(lon - 106.42) > 0.001);
    snprintf(point, sizeof(point), "%.9f,%.9f", lon, lat);
    snprintf(near, sizeof(near), "%s,50", point);
    snprintf(box, sizeof(box), "%s,%.9f,%.9f", point, east, north);
    snprintf(polygon, sizeof(polygon), "%s;%.9f,%.9f;106.5,37.7", point, east, north);
    struct arguments given[] = {{"near", near},    {"box", box},      {"polygon", polygon},
                                {"covers", point}, {"crs", "GCJ-02"}, {0}};
    struct gw_query query;
    assert_int_equal(parse_all(GW_ARGUMENTS_EVENTS, given, &query), 0);
    assert_close(query.near_lon, 106.42);
    assert_close(query.near_lat, 37.785);
    assert_true(query.near_m == 50);
    assert_close(query.box.west, 106.42);
    assert_close(query.box.south, 37.785);
    assert_close(query.box.east, 106.52);
    assert_close(query.box.north, 37.885);
    assert_close(query.polygon[0].lon, 106.42);
    assert_close(query.polygon[1].lat, 37.885);
    assert_close(query.seen.lon, 106.42);
    assert_close(query.seen.lat, 37.785);
}

static void a_count_says_of_what(void **state)
{
    struct gw_query query;
    struct arguments of_events[] = {{"of", "events"}, {"kind", "covered"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_COUNTS, of_events, &query), 0);
    assert_int_equal(query.kind, GW_EVENT_COVERED);
    struct arguments of_clips[] = {{"of", "clips"}, {"kind", "covered"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_COUNTS, of_clips, &query), GW_ERROR_INVALID);
    assert_memory_equal(error, "kind:", 5);
    struct arguments of_nothing[] = {{"camera", "gate-07"}, {0}};
    assert_int_equal(parse_all(GW_ARGUMENTS_COUNTS, of_nothing, &query), GW_ERROR_INVALID);
    assert_memory_equal(error, "of:", 3);
    assert_int_equal(gw_arguments_counted("gaps"), GW_NOUN_GAP);
    assert_int_equal(gw_arguments_counted("cats"), -1);
    assert_int_equal(gw_arguments_counted(NULL), -1);
}

static void a_plus_that_became_a_space_is_still_a_time_zone(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_EVENTS, "from", "2026-05-04T11:02:01 08:00", &query), 0);
    assert_int_equal(query.from_us, INT64_C(1777863721000000));
}

static void a_bad_value_is_refused_by_its_name(void **state)
{
    const struct arguments bad[] = {
        {"from", "yesterday"},
        {"to", ""},
        {"division", "64x"},
        {"division", ""},
        {"camera", "../etc"},
        {"kind", "face"},
        {"state", "recording"},
        {"near", "106,37"},
        {"near", "106,37,0"},
        {"near", "200,37,5"},
        {"near", "106,37,5,"},
        {"near", "nan,37,5"},
        {"near", "0x6a,37,5"},
        {"polygon", "106,37;107,37"},
        {"polygon", "106,37;107,37;106,"},
        {"polygon", "106,37;107,37;106,91"},
        {"polygon", "106,37;107,37;;106,38"},
        {"polygon", ""},
        {"box", "106,37,107"},
        {"box", "106,37,107,37"},
        {"box", "106,38,107,37"},
        {"box", "106,37,106,38"},
        {"box", "106,37,107,38,"},
        {"covers", "106.42"},
        {"covers", "106.42,37.8,5"},
        {"covers", "inf,37"},
        {"crs", "BD-09"},
        {"crs", ""},
        {"min_score", "1.5"},
        {"min_score", "-0.1"},
        {"min_score", "high"},
        {"grid", "12"},
        {"limit", "0"},
        {"limit", "1001"},
        {"limit", "-1"},
        {"limit", "ten"},
        {"division", "6403231010040001"},
        {"cursor", "0123456789012345678901234567890123456789012345678901234567890123456789"},
    };
    struct gw_query query;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(GW_ARGUMENTS_EVENTS, bad[i].name, bad[i].text, &query),
                         GW_ERROR_INVALID);
        assert_memory_equal(error, bad[i].name, strlen(bad[i].name));
    }
}

static const char *get_backwards(void *opaque, const char *name)
{
    return !strcmp(name, "from") ? "2000000" : !strcmp(name, "to") ? "1000000" : NULL;
}

static void a_time_that_ends_before_it_begins_is_refused(void **state)
{
    struct gw_query query;
    assert_int_equal(gw_arguments_parse(&query, GW_ARGUMENTS_CLIPS, get_backwards, NULL, error),
                     GW_ERROR_INVALID);
}

static void clips_have_no_kind(void **state)
{
    assert_true(gw_argument_known(GW_ARGUMENTS_EVENTS, "kind"));
    assert_false(gw_argument_known(GW_ARGUMENTS_CLIPS, "kind"));
    assert_false(gw_argument_known(GW_ARGUMENTS_EVENTS, "form"));
    assert_false(gw_argument_known(GW_ARGUMENTS_GAPS, "kind"));
    assert_false(gw_argument_known(GW_ARGUMENTS_CLIPS, "min_score"));
    assert_false(gw_argument_known(GW_ARGUMENTS_CLIPS, "of"));
    assert_false(gw_argument_known(GW_ARGUMENTS_PLACES, "cursor"));
    assert_false(gw_argument_known(GW_ARGUMENTS_COUNTS, "state"));
    assert_true(gw_argument_known(GW_ARGUMENTS_PLACES, "covers"));
}

static void gaps_are_open_or_closed(void **state)
{
    struct gw_query query;
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "open", &query), 0);
    assert_int_equal(query.state, 1);
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "closed", &query), 0);
    assert_int_equal(query.state, 0);
    assert_int_equal(parse(GW_ARGUMENTS_GAPS, "state", "recording", &query), GW_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_filter_finds_everything),
        cmocka_unit_test(gaps_are_open_or_closed),
        cmocka_unit_test(filters_arrive_in_the_query),
        cmocka_unit_test(every_shape_arrives_in_the_query),
        cmocka_unit_test(a_polygon_has_room_for_64_points_and_no_more),
        cmocka_unit_test(a_grid_cell_follows_its_division),
        cmocka_unit_test(positions_in_cgcs2000_are_positions_in_wgs_84),
        cmocka_unit_test(positions_in_gcj_02_are_moved_back),
        cmocka_unit_test(a_count_says_of_what),
        cmocka_unit_test(a_plus_that_became_a_space_is_still_a_time_zone),
        cmocka_unit_test(a_bad_value_is_refused_by_its_name),
        cmocka_unit_test(a_time_that_ends_before_it_begins_is_refused),
        cmocka_unit_test(clips_have_no_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
