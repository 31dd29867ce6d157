// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "core/camera.h"

static void a_device_id_is_judged_by_its_structure(void **state)
{
    assert_null(gw_device_id_fault("", "640323"));
    assert_null(gw_device_id_fault("64032300001310000001", ""));
    assert_null(gw_device_id_fault("64032304001327000042", "640323101"));
    assert_null(gw_device_id_fault("64032300001187000042", "640323101007"));
    assert_non_null(strstr(gw_device_id_fault("6403230000131000000", ""), "20 digits"));
    assert_non_null(strstr(gw_device_id_fault("640323000013100000011", ""), "20 digits"));
    assert_non_null(strstr(gw_device_id_fault("6403230000131000000x", ""), "20 digits"));
    assert_non_null(strstr(gw_device_id_fault("04032300001310000001", ""), "county"));
}

static void a_device_id_of_another_county_is_refused(void **state)
{
    assert_non_null(strstr(gw_device_id_fault("64032400001310000001", "640323"), "another county"));
    assert_non_null(
        strstr(gw_device_id_fault("64032400001310000001", "640323101007"), "another county"));
    assert_null(gw_device_id_fault("64032400001310000001", "640324"));
    // A prefecture's centre may have it, and a prefecture's site may.
    assert_null(gw_device_id_fault("64030000001310000001", "640323101"));
    assert_null(gw_device_id_fault("64032300001310000001", "640300"));
    assert_null(gw_device_id_fault("64032300001310000001", "640000"));
    assert_non_null(gw_device_id_fault("64042300001310000001", "640300"));
}

static void a_device_id_of_what_gives_no_pictures_is_refused(void **state)
{
    assert_non_null(strstr(gw_device_id_fault("64032300002000000001", ""), "type"));
    assert_non_null(strstr(gw_device_id_fault("64032300001340000001", ""), "type")); // alarm input
}

static void a_site_class_has_a_name_or_none(void **state)
{
    for (int i = GW_SITE_CLASS_NONE; i <= GW_SITE_CLASS_3; i++)
        assert_int_equal(gw_site_class_from_name(gw_site_class_name((enum gw_site_class)i)), i);
    assert_string_equal(gw_site_class_name(GW_SITE_CLASS_2), "class-2");
    assert_int_equal(gw_site_class_from_name("class-4"), -1);
    assert_int_equal(gw_site_class_from_name(NULL), -1);
}

static void a_view_outside_its_ranges_makes_no_sense(void **state)
{
    struct gw_view view = {0};
    assert_true(gw_view_valid(&view));
    view = (struct gw_view){359.9, 360, 250, 12};
    assert_true(gw_view_valid(&view));
    view.heading_deg = 360;
    assert_false(gw_view_valid(&view));
    view.heading_deg = 0.0 / 0.0;
    assert_false(gw_view_valid(&view));
    view = (struct gw_view){.range_m = -1};
    assert_false(gw_view_valid(&view));
}

static void details_that_are_not_known_are_left_out(void **state)
{
    struct gw_camera camera = {.view = {.fov_deg = 90}};
    json_t *json = json_object();
    gw_camera_details_to_json(json, &camera);
    assert_int_equal(json_object_size(json), 2); // north is known, with the field of view
    assert_true(json_real_value(json_object_get(json, "heading_deg")) == 0);
    json_object_clear(json);
    camera = (struct gw_camera){.registration.site_class = GW_SITE_CLASS_1, .retention_days = 90};
    strcpy(camera.zones, "{\"masks\":[]}");
    gw_camera_details_to_json(json, &camera);
    assert_int_equal(json_object_size(json), 3);
    assert_string_equal(json_string_value(json_object_get(json, "site_class")), "class-1");
    assert_true(json_is_object(json_object_get(json, "zones")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_id_is_judged_by_its_structure),
        cmocka_unit_test(a_device_id_of_another_county_is_refused),
        cmocka_unit_test(a_device_id_of_what_gives_no_pictures_is_refused),
        cmocka_unit_test(a_site_class_has_a_name_or_none),
        cmocka_unit_test(a_view_outside_its_ranges_makes_no_sense),
        cmocka_unit_test(details_that_are_not_known_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
