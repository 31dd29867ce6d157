// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <string.h>

#include "app/assignment.h"

static struct gw_camera make_camera(const char *id)
{
    struct gw_camera camera = {.enabled = true, .record_url = "rtsp://host/a"};
    strcpy(camera.id, id);
    return camera;
}

static int worker_of(const struct gw_assignment *assignment, const char *id)
{
    for (int i = 0; i < assignment->count; i++)
        if (!strcmp(assignment->cameras[i].camera.id, id))
            return assignment->cameras[i].worker;
    return -1;
}

static void cameras_are_spread_evenly(void **state)
{
    struct gw_camera cameras[] = {make_camera("a"), make_camera("b"), make_camera("c"),
                                  make_camera("d")};
    struct gw_camera mine[4];
    struct gw_assignment assignment = {0};
    assert_true(gw_assignment_update(&assignment, cameras, 4, 2));
    assert_int_equal(gw_assignment_of(&assignment, 0, mine), 2);
    assert_int_equal(gw_assignment_of(&assignment, 1, mine), 2);
    gw_assignment_finish(&assignment);
}

static void a_camera_stays_where_it_is_when_others_come_and_go(void **state)
{
    struct gw_camera before[] = {make_camera("b"), make_camera("d")};
    struct gw_camera after[] = {make_camera("a"), make_camera("c"), make_camera("d")};
    struct gw_assignment assignment = {0};
    gw_assignment_update(&assignment, before, 2, 2);
    int worker = worker_of(&assignment, "d");
    assert_true(gw_assignment_update(&assignment, after, 3, 2));
    assert_int_equal(worker_of(&assignment, "d"), worker);
    assert_int_equal(worker_of(&assignment, "b"), -1);
    gw_assignment_finish(&assignment);
}

static void a_disabled_camera_is_given_to_nobody(void **state)
{
    struct gw_camera camera = make_camera("a");
    struct gw_assignment assignment = {0};
    gw_assignment_update(&assignment, &camera, 1, 2);
    camera.enabled = false;
    assert_true(gw_assignment_update(&assignment, &camera, 1, 2));
    assert_int_equal(assignment.count, 0);
    gw_assignment_finish(&assignment);
}

static void only_what_concerns_a_worker_is_a_change(void **state)
{
    struct gw_camera camera = make_camera("a");
    struct gw_assignment assignment = {0};
    gw_assignment_update(&assignment, &camera, 1, 2);
    strcpy(camera.name, "East gate");
    assert_false(gw_assignment_update(&assignment, &camera, 1, 2));
    strcpy(camera.password, "new");
    assert_true(gw_assignment_update(&assignment, &camera, 1, 2));
    camera.record = GW_RECORD_CONTINUOUS;
    assert_true(gw_assignment_update(&assignment, &camera, 1, 2));
    gw_assignment_finish(&assignment);
}

static void a_camera_is_online_by_the_word_of_its_own_running_worker(void **state)
{
    struct gw_camera cameras[] = {make_camera("a"), make_camera("b")};
    struct gw_assignment assignment = {0};
    gw_assignment_update(&assignment, cameras, 2, 2);
    int worker = worker_of(&assignment, "a");
    assert_false(gw_assignment_online(&assignment, "a"));
    assert_true(gw_assignment_note(&assignment, worker, "a", true));
    assert_false(gw_assignment_note(&assignment, !worker, "a", false));
    assert_false(gw_assignment_note(&assignment, worker, "gone", true));
    assert_true(gw_assignment_online(&assignment, "a"));
    gw_assignment_lose(&assignment, !worker);
    assert_true(gw_assignment_online(&assignment, "a"));
    gw_assignment_lose(&assignment, worker);
    assert_false(gw_assignment_online(&assignment, "a"));
    gw_assignment_finish(&assignment);
}

static void a_camera_stays_online_while_the_registry_changes(void **state)
{
    struct gw_camera cameras[] = {make_camera("a"), make_camera("b")};
    struct gw_assignment assignment = {0};
    gw_assignment_update(&assignment, cameras + 1, 1, 1);
    gw_assignment_note(&assignment, 0, "b", true);
    gw_assignment_update(&assignment, cameras, 2, 1);
    assert_true(gw_assignment_online(&assignment, "b"));
    cameras[1].enabled = false;
    gw_assignment_update(&assignment, cameras, 2, 1);
    cameras[1].enabled = true;
    gw_assignment_update(&assignment, cameras, 2, 1);
    assert_false(gw_assignment_online(&assignment, "b"));
    gw_assignment_finish(&assignment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cameras_are_spread_evenly),
        cmocka_unit_test(a_camera_stays_where_it_is_when_others_come_and_go),
        cmocka_unit_test(a_disabled_camera_is_given_to_nobody),
        cmocka_unit_test(only_what_concerns_a_worker_is_a_change),
        cmocka_unit_test(a_camera_is_online_by_the_word_of_its_own_running_worker),
        cmocka_unit_test(a_camera_stays_online_while_the_registry_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
