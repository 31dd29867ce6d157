// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/coordinates.h"

// Points of which both positions are published; WGS-84 first.
static const struct {
    const char *where;
    double wgs_lon, wgs_lat, gcj_lon, gcj_lat;
} known[] = {
    {"Shanghai", 121.5272106, 31.1774276, 121.531541859215, 31.17530398364597},
    {"Shenzhen", 113.912316, 22.543847, 113.9171764808363, 22.540796131694766},
    {"Beijing", 116.377817, 39.911954, 116.38404722455657, 39.91334545536069},
};

// Of points that are near to each other.
static double distance_m(double lon_a, double lat_a, double lon_b, double lat_b)
{
    return 111195 * hypot((lon_b - lon_a) * cos(lat_a * M_PI / 180), lat_b - lat_a);
}

static void known_points_are_where_they_are_said_to_be(void **state)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        double lon = known[i].wgs_lon, lat = known[i].wgs_lat;
        gw_gcj02_from_wgs84(&lon, &lat);
        assert_true(distance_m(lon, lat, known[i].gcj_lon, known[i].gcj_lat) < 0.01);
        gw_wgs84_from_gcj02(&lon, &lat);
        assert_true(distance_m(lon, lat, known[i].wgs_lon, known[i].wgs_lat) < 0.001);
    }
}

static void there_and_back_is_less_than_a_millimetre_in_the_whole_country(void **state)
{
    double worst_m = 0, nearest_m = 1e9, farthest_m = 0;
    for (double lon = 73.5; lon < 135; lon += 0.37)
        for (double lat = 3.5; lat < 53.5; lat += 0.41) {
            double there_lon = lon, there_lat = lat;
            gw_gcj02_from_wgs84(&there_lon, &there_lat);
            const double shift_m = distance_m(lon, lat, there_lon, there_lat);
            nearest_m = fmin(nearest_m, shift_m);
            farthest_m = fmax(farthest_m, shift_m);
            gw_wgs84_from_gcj02(&there_lon, &there_lat);
            worst_m = fmax(worst_m, distance_m(lon, lat, there_lon, there_lat));
        }
    assert_true(worst_m < 0.001);
    assert_true(nearest_m > 20 && farthest_m > 500 && farthest_m < 700); // it does move them
}

static void outside_the_country_nothing_is_moved(void **state)
{
    const double places[][2] = {{2.35, 48.86}, {-122.4, 37.8}, {106, -35}, {139.7, 35.7}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        double lon = places[i][0], lat = places[i][1];
        gw_wgs84_from_gcj02(&lon, &lat);
        assert_true(lon == places[i][0] && lat == places[i][1]);
        gw_gcj02_from_wgs84(&lon, &lat);
        assert_true(lon == places[i][0] && lat == places[i][1]);
    }
}

static void systems_are_known_by_the_words_people_use(void **state)
{
    assert_int_equal(gw_coordinates_from_name("wgs84"), GW_COORDINATES_WGS84);
    assert_int_equal(gw_coordinates_from_name("cgcs2000"), GW_COORDINATES_CGCS2000);
    assert_int_equal(gw_coordinates_from_name("2000国家大地坐标系"), GW_COORDINATES_CGCS2000);
    assert_int_equal(gw_coordinates_from_name("Gcj-02"), GW_COORDINATES_GCJ02);
    assert_int_equal(gw_coordinates_from_name("高德"), GW_COORDINATES_GCJ02);
    assert_int_equal(gw_coordinates_from_name("百度"), GW_COORDINATES_BD09);
    assert_int_equal(gw_coordinates_from_name("Beijing54"), -1);
    assert_int_equal(gw_coordinates_from_name(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_points_are_where_they_are_said_to_be),
        cmocka_unit_test(there_and_back_is_less_than_a_millimetre_in_the_whole_country),
        cmocka_unit_test(outside_the_country_nothing_is_moved),
        cmocka_unit_test(systems_are_known_by_the_words_people_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
