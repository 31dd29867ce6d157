// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "core/camera.h"

static const struct gw_camera_state degraded = {.camera = "gate-07",
                                                .status = GW_CAMERA_DEGRADED,
                                                .reason = "its clock is behind ours by 8.0 hours",
                                                .since_us = 1,
                                                .signs = {.clock_offset_us = -8 * 3600}};

static void a_report_of_the_same_state_tells_how_a_camera_delivers_now(void **state)
{
    const struct gw_camera_metrics report = {.status = GW_CAMERA_DEGRADED};
    assert_ptr_equal(gw_camera_signs_of(&degraded, &report), &report.signs);
}

static void a_report_from_before_the_state_changed_does_not_hide_why_it_did(void **state)
{
    const struct gw_camera_metrics report = {.status = GW_CAMERA_ONLINE};
    assert_ptr_equal(gw_camera_signs_of(&degraded, &report), &degraded.signs);
}

static void without_a_report_the_signs_are_those_of_the_fact(void **state)
{
    assert_ptr_equal(gw_camera_signs_of(&degraded, NULL), &degraded.signs);
}

static void another_mask_is_other_work_for_a_worker_and_another_name_is_not(void **state)
{
    const struct gw_camera before = {.id = "a", .name = "East", .zones = "{\"masks\":[]}"};
    struct gw_camera after = before;
    after.name[0] = 'W';
    after.retention_days = 90;
    after.view.heading_deg = 90;
    assert_true(gw_camera_same_work(&before, &after));
    after.zones[0] = 0;
    assert_false(gw_camera_same_work(&before, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_mask_is_other_work_for_a_worker_and_another_name_is_not),
        cmocka_unit_test(a_report_of_the_same_state_tells_how_a_camera_delivers_now),
        cmocka_unit_test(a_report_from_before_the_state_changed_does_not_hide_why_it_did),
        cmocka_unit_test(without_a_report_the_signs_are_those_of_the_fact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
