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

#include "app/camera_url.h"
#include "core/error.h"

static void host_port_and_path_make_the_id(void **state)
{
    struct gw_camera camera;
    assert_int_equal(gw_camera_from_url(&camera, "rtsp://me:pw@10.0.0.7:8554/live//ch1?x=1"), 0);
    assert_string_equal(camera.id, "10.0.0.7-8554-live-ch1-x-1");
    assert_string_equal(camera.record_url, "rtsp://10.0.0.7:8554/live//ch1?x=1");
    assert_string_equal(camera.username, "me");
    assert_string_equal(camera.password, "pw");
    assert_true(camera.enabled);
    assert_true(isnan(camera.lon));
}

static void a_long_url_still_makes_a_valid_id(void **state)
{
    char url[400] = "rtsp://host/";
    struct gw_camera camera;
    memset(url + strlen(url), 'x', 300);
    assert_int_equal(gw_camera_from_url(&camera, url), 0);
    assert_true(gw_camera_id_valid(camera.id));
}

static void what_is_no_camera_url_is_refused(void **state)
{
    struct gw_camera camera;
    assert_int_equal(gw_camera_from_url(&camera, "http://host/"), GW_ERROR_INVALID);
    assert_int_equal(gw_camera_from_url(&camera, "rtsp://[/"), GW_ERROR_INVALID);
}

static void urls_that_make_the_same_id_are_two_cameras(void **state)
{
    struct gw_camera_row rows[2] = {0};
    struct gw_camera other;
    assert_int_equal(gw_camera_from_url(&rows[0].camera, "rtsp://host/a-b"), 0);
    assert_int_equal(gw_camera_from_url(&other, "rtsp://host/a/b"), 0);
    assert_string_equal(other.id, rows[0].camera.id);
    assert_int_equal(gw_camera_find_place(&other, NULL, rows, 1), 0);
    assert_string_equal(other.id, "host-a-b-2");
    assert_string_equal(other.record_url, "rtsp://host/a/b");
}

static void a_registered_url_keeps_all_but_new_credentials(void **state)
{
    struct gw_camera_row row = {0};
    struct gw_camera camera;
    assert_int_equal(gw_camera_from_url(&row.camera, "rtsp://me:old@host/a"), 0);
    strcpy(row.camera.id, "gate-07");
    row.camera.record = GW_RECORD_CONTINUOUS;

    assert_int_equal(gw_camera_from_url(&camera, "rtsp://host/a"), 0);
    assert_int_equal(gw_camera_find_place(&camera, NULL, &row, 1), 0);
    assert_string_equal(camera.id, "gate-07");
    assert_string_equal(camera.password, "old");
    assert_int_equal(camera.record, GW_RECORD_CONTINUOUS);

    assert_int_equal(gw_camera_from_url(&camera, "rtsp://me:new@host/a"), 0);
    assert_int_equal(gw_camera_find_place(&camera, NULL, &row, 1), 0);
    assert_string_equal(camera.password, "new");

    assert_int_equal(gw_camera_from_url(&camera, "rtsp://host/b"), 0);
    assert_int_equal(gw_camera_find_place(&camera, "gate-07", &row, 1), GW_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_port_and_path_make_the_id),
        cmocka_unit_test(a_long_url_still_makes_a_valid_id),
        cmocka_unit_test(what_is_no_camera_url_is_refused),
        cmocka_unit_test(urls_that_make_the_same_id_are_two_cameras),
        cmocka_unit_test(a_registered_url_keeps_all_but_new_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
