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
#include <stdlib.h>
#include <string.h>

#include "app/site_status.h"
#include "core/clock.h"

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

static void a_degraded_camera_is_told_with_its_numbers(void **state)
{
    struct gw_camera_metrics metrics = {.camera = "a",
                                        .online = true,
                                        .status = GW_CAMERA_DEGRADED,
                                        .signs = {.frame_rate = 12.5,
                                                  .key_age_us = 11500000,
                                                  .clock_offset_us = GW_NO_TIME,
                                                  .lost_packets = 7}};
    gw_site_status_put(status, 0, &metrics, 1);
    assert_int_equal(says("gridwatch_camera_state{camera=\"a\"} 2\n"), 1);
    assert_int_equal(says("gridwatch_camera_frame_rate{camera=\"a\"} 12.5\n"), 1);
    assert_int_equal(says("gridwatch_camera_key_age_seconds{camera=\"a\"} 11.5\n"), 1);
    assert_int_equal(says("gridwatch_camera_lost_packets_total{camera=\"a\"} 7\n"), 1);
    assert_int_equal(says("gridwatch_camera_clock_offset_seconds{"), 0);
    metrics.signs.clock_offset_us = -1500000;
    gw_site_status_put(status, 0, &metrics, 1);
    assert_int_equal(says("gridwatch_camera_clock_offset_seconds{camera=\"a\"} -1.5\n"), 1);
    gw_site_status_lose(status, 0);
    assert_int_equal(says("gridwatch_camera_state{camera=\"a\"} 0\n"), 1);
}

// What the status lists of its one camera after it has had and decoded so many packets in all.
static double share_after(uint64_t packets, uint64_t decoded)
{
    const struct gw_camera_metrics metrics = {
        .camera = "a", .online = true, .analysis_packets = packets, .decoded = decoded};
    struct gw_console_camera *listed;

    gw_site_status_put(status, 0, &metrics, 1);
    assert_int_equal(gw_site_status_list_cameras(status, &listed), 1);
    const double share = listed->decoded_share;
    free(listed);
    return share;
}

static void a_decoded_share_is_of_the_last_minutes(void **state)
{
    assert_true(isnan(share_after(0, 0)));
    assert_float_equal(share_after(1000, 1000), 1, 0);
    share_after(3000, 3000); // all was decoded to learn
    assert_float_equal(share_after(6000, 3030), 0.01, 1e-9);
    assert_float_equal(share_after(7500, 3045), 0.01, 1e-9);
}

static void what_is_decoded_twice_does_not_make_a_share_more_than_all(void **state)
{
    assert_float_equal(share_after(1000, 1050), 1, 0);
}

static void a_worker_that_is_started_anew_counts_anew(void **state)
{
    share_after(3000, 30);
    share_after(6000, 60);
    assert_float_equal(share_after(200, 200), 1, 0);
}

static void cameras_are_listed_by_their_id_whoever_reports_them(void **state)
{
    const struct gw_camera_metrics of_first[] = {{.camera = "c"}, {.camera = "a"}};
    struct gw_console_camera *listed;

    gw_site_status_put(status, 0, of_first, 2);
    gw_site_status_put(status, 1, &b, 1);
    gw_site_status_put(status, 0, of_first, 2);
    assert_int_equal(gw_site_status_list_cameras(status, &listed), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(listed[i].metrics.camera[0], 'a' + i);
    free(listed);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_camera_that_its_worker_no_longer_reports_is_forgotten),
        FACT(a_camera_that_changes_its_worker_is_there_once),
        FACT(the_cameras_of_a_lost_worker_are_not_online),
        FACT(a_degraded_camera_is_told_with_its_numbers),
        FACT(a_decoded_share_is_of_the_last_minutes),
        FACT(what_is_decoded_twice_does_not_make_a_share_more_than_all),
        FACT(a_worker_that_is_started_anew_counts_anew),
        FACT(cameras_are_listed_by_their_id_whoever_reports_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
