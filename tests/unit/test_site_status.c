// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/site_status.h"

static struct gw_site_status *status;

static int set_up(void **state)
{
    (void)state;
    return gw_site_status_create(&status);
}

static int tear_down(void **state)
{
    (void)state;
    gw_site_status_destroy(&status);
    return 0;
}

// How often the metrics say this.
static int says(const char *line)
{
    char *text = NULL;
    size_t size = 0;
    int found = 0;
    FILE *out = open_memstream(&text, &size);
    gw_site_status_write_metrics(status, out);
    fclose(out);
    for (const char *at = text; (at = strstr(at, line)); at++)
        found++;
    free(text);
    return found;
}

static const struct gw_camera_metrics a = {.camera = "a", .online = true},
                                      b = {.camera = "b", .online = true};

static void a_camera_that_its_worker_no_longer_reports_is_forgotten(void **state)
{
    const struct gw_camera_metrics both[] = {a, b};
    gw_site_status_put(status, 0, both, 2);
    assert_int_equal(says("gridwatch_camera_online{camera=\"b\"} 1"), 1);
    gw_site_status_put(status, 0, &a, 1); // b was disabled
    assert_int_equal(says("camera=\"b\""), 0);
    assert_int_equal(says("gridwatch_camera_online{camera=\"a\"} 1"), 1);
}

static void a_camera_that_changes_its_worker_is_there_once(void **state)
{
    gw_site_status_put(status, 0, &a, 1);
    gw_site_status_put(status, 1, &a, 1);
    assert_int_equal(says("gridwatch_camera_online{camera=\"a\"}"), 1);
}

static void the_cameras_of_a_lost_worker_are_not_online(void **state)
{
    gw_site_status_put(status, 0, &a, 1);
    gw_site_status_put(status, 1, &b, 1);
    gw_site_status_lose(status, 0);
    assert_int_equal(says("gridwatch_camera_online{camera=\"a\"} 0"), 1);
    assert_int_equal(says("gridwatch_camera_online{camera=\"b\"} 1"), 1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_camera_that_its_worker_no_longer_reports_is_forgotten),
        FACT(a_camera_that_changes_its_worker_is_there_once),
        FACT(the_cameras_of_a_lost_worker_are_not_online),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
