// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <math.h>

#include "core/geo.h"

static struct gw_point at(double lon, double lat)
{
    return (struct gw_point){lon, lat};
}

static void distances_are_those_of_a_globe(void **state)
{
    assert_true(fabs(gw_geo_distance_m(at(106, 37), at(106, 38)) - 111195) < 1);
    assert_true(fabs(gw_geo_distance_m(at(106, 60), at(107, 60)) - 55597) < 10);
    assert_true(fabs(gw_geo_distance_m(at(0, 0), at(180, 0)) - 20015115) < 1);
    assert_true(gw_geo_distance_m(at(106, 37), at(106, 37)) == 0);
}

static void latitudes_rule_out_only_what_is_too_far(void **state)
{
    for (int lat = -90; lat <= 90; lat += 5)
        for (int off = 0; off < 40; off++) {
            const struct gw_point a = at(106, lat), b = at(106, fmin(90, lat + off * 0.01));
            const double distance_m = gw_geo_distance_m(a, b);
            assert_false(gw_geo_too_far_m(a, b, distance_m));
            assert_true(distance_m == 0 || gw_geo_too_far_m(a, b, distance_m * 0.999));
        }
}

static void bearings_go_clockwise_from_north(void **state)
{
    assert_true(fabs(gw_geo_bearing_deg(at(106, 37), at(106, 38)) - 0) < 1e-9);
    assert_true(fabs(gw_geo_bearing_deg(at(106, 0), at(107, 0)) - 90) < 1e-9);
    assert_true(fabs(gw_geo_bearing_deg(at(106, 38), at(106, 37)) - 180) < 1e-9);
    assert_true(fabs(gw_geo_bearing_deg(at(106, 0), at(105, 0)) - 270) < 1e-9);
    assert_true(fabs(gw_geo_bearing_deg(at(179.9, 0), at(-179.9, 0)) - 90) < 1e-9);
}

static void a_polygon_may_be_hollow_and_cross_the_date_line(void **state)
{
    const struct gw_point hook[] = {at(0, 0), at(4, 0), at(4, 4), at(2, 1), at(0, 4)};
    assert_true(gw_geo_in_polygon(hook, 5, at(0.5, 1)));
    assert_true(gw_geo_in_polygon(hook, 5, at(3.5, 1)));
    assert_false(gw_geo_in_polygon(hook, 5, at(2, 2)));
    assert_false(gw_geo_in_polygon(hook, 5, at(5, 1)));
    const struct gw_point date[] = {at(179, -1), at(-179, -1), at(-179, 1), at(179, 1)};
    assert_true(gw_geo_in_polygon(date, 4, at(179.5, 0)));
    assert_true(gw_geo_in_polygon(date, 4, at(-179.5, 0)));
    assert_false(gw_geo_in_polygon(date, 4, at(0, 0)));
    assert_false(gw_geo_in_polygon(date, 4, at(178, 0)));
}

static void a_box_may_cross_the_date_line(void **state)
{
    const struct gw_geo_box plain = {106, 37, 107, 38}, date = {179, -1, -179, 1};
    assert_true(gw_geo_in_box(&plain, at(106, 38)));
    assert_false(gw_geo_in_box(&plain, at(107.1, 37.5)));
    assert_false(gw_geo_in_box(&plain, at(NAN, NAN)));
    assert_true(gw_geo_in_box(&date, at(-179.5, 0)));
    assert_false(gw_geo_in_box(&date, at(0, 0)));
}

static void a_camera_sees_what_is_in_its_range_and_its_angle(void **state)
{
    const struct gw_view east = {.heading_deg = 90, .fov_deg = 60, .range_m = 100},
                         north = {.heading_deg = 350, .fov_deg = 40, .range_m = 100},
                         dome = {.range_m = 100}, unknown = {.heading_deg = 90, .fov_deg = 60};
    const struct gw_point camera = at(106, 37);
    const double lon_50m = 50 / (111195 * cos(37 * M_PI / 180)), lat_50m = 50 / 111195.0;
    assert_true(gw_geo_sees(camera, &east, at(106 + lon_50m, 37)));
    assert_true(gw_geo_sees(camera, &east, at(106 + lon_50m, 37 + lat_50m / 2)));
    assert_false(gw_geo_sees(camera, &east, at(106 + lon_50m, 37 + lat_50m)));
    assert_false(gw_geo_sees(camera, &east, at(106 - lon_50m, 37)));
    assert_false(gw_geo_sees(camera, &east, at(106 + 3 * lon_50m, 37)));
    assert_true(gw_geo_sees(camera, &east, camera));
    assert_true(gw_geo_sees(camera, &north, at(106, 37 + lat_50m))); // across north
    assert_true(gw_geo_sees(camera, &dome, at(106 - lon_50m, 37)));
    assert_false(gw_geo_sees(camera, &unknown, at(106 + lon_50m / 50, 37)));
    assert_false(gw_geo_sees(at(NAN, NAN), &dome, camera));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_a_globe),
        cmocka_unit_test(latitudes_rule_out_only_what_is_too_far),
        cmocka_unit_test(bearings_go_clockwise_from_north),
        cmocka_unit_test(a_polygon_may_be_hollow_and_cross_the_date_line),
        cmocka_unit_test(a_box_may_cross_the_date_line),
        cmocka_unit_test(a_camera_sees_what_is_in_its_range_and_its_angle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
