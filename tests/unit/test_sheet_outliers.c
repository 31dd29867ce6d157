// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "storage/sheet_outliers.h"

enum { MOST = 64 };
static struct gw_sheet_point cameras[MOST];
static int count, found, last_tag;
static char last[GW_OUTLIER_WHAT_SIZE];

static void note(void *opaque, const struct gw_sheet_point *outlier, const char *what)
{
    found++;
    last_tag = outlier->tag;
    strcpy(last, what);
}

static void find(void)
{
    found = 0;
    *last = 0;
    gw_sheet_find_outliers(cameras, count, NULL, note);
}

static void add(const char *division, double lon, double lat)
{
    cameras[count] = (struct gw_sheet_point){.lon = lon, .lat = lat, .tag = count};
    strcpy(cameras[count++].division, division);
}

// So many cameras a hundred metres from each other.
static void add_village(const char *division, double lon, double lat, int cameras_of_it)
{
    for (int i = 0; i < cameras_of_it; i++)
        add(division, lon + i % 3 * 0.001, lat + i / 3 * 0.001);
}

static int forget(void **state)
{
    count = 0;
    return 0;
}

static void a_village_has_no_outliers_by_itself(void **state)
{
    add_village("640323101007", 106.1, 37.8, 12);
    find();
    assert_int_equal(found, 0);
}

static void a_wrong_digit_is_found_and_which_number_it_is_in(void **state)
{
    add_village("640323101007", 106.1, 37.8, 6);
    add("640323101007", 107.1, 37.801);
    find();
    assert_int_equal(found, 1);
    assert_int_equal(last_tag, 6);
    assert_non_null(strstr(last, "87.8 km from the other cameras of 640323101007"));
    assert_non_null(strstr(last, "lat fits and lon does not"));
}

static void swapped_numbers_are_recognised(void **state)
{
    add_village("650102001001", 87.6, 43.8, 6);
    add("650102001001", 43.801, 87.601);
    find();
    assert_int_equal(found, 1);
    assert_non_null(strstr(last, "swapped"));
}

static void a_camera_among_those_of_another_village_has_perhaps_the_wrong_division(void **state)
{
    add_village("640323101007", 106.1, 37.8, 6);
    add_village("640323102003", 106.3, 37.9, 6);
    add("640323101007", 106.301, 37.901);
    find();
    assert_int_equal(found, 1);
    assert_non_null(strstr(last, "among those of 640323102003"));
}

static void with_fewer_than_five_others_the_township_is_asked(void **state)
{
    add_village("640323101001", 106.10, 37.80, 4);
    add_village("640323101002", 106.12, 37.82, 4);
    add("640323101002", 106.9, 38.4);
    find();
    assert_int_equal(found, 1);
    assert_non_null(strstr(last, "of 640323101;"));
}

static void with_fewer_than_five_others_in_the_township_nothing_is_said(void **state)
{
    add_village("640323101001", 106.1, 37.8, 4);
    add("640323101001", 120, 30);
    find();
    assert_int_equal(found, 0);
    add("640323", 120, 30); // a county is too large to say
    find();
    assert_int_equal(found, 0);
}

static void a_village_of_two_hamlets_is_no_mistake(void **state)
{
    add_village("640323101007", 106.1, 37.8, 6);
    add_village("640323101007", 106.17, 37.8, 5);
    find();
    assert_int_equal(found, 0);
}

static void less_than_two_kilometres_is_never_odd(void **state)
{
    for (int i = 0; i < 8; i++)
        add("640323101007", 106.1, 37.8);
    add("640323101007", 106.1, 37.8 + 1.9 / 111.2);
    find();
    assert_int_equal(found, 0);
    cameras[count - 1].lat = 37.8 + 2.1 / 111.2; // sorted by division only: still the last
    find();
    assert_int_equal(found, 1);
}

#define SEEN(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEEN(a_village_has_no_outliers_by_itself),
        SEEN(a_wrong_digit_is_found_and_which_number_it_is_in),
        SEEN(swapped_numbers_are_recognised),
        SEEN(a_camera_among_those_of_another_village_has_perhaps_the_wrong_division),
        SEEN(with_fewer_than_five_others_the_township_is_asked),
        SEEN(with_fewer_than_five_others_in_the_township_nothing_is_said),
        SEEN(a_village_of_two_hamlets_is_no_mistake),
        SEEN(less_than_two_kilometres_is_never_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
