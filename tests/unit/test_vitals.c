// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "ingest/vitals.h"

#define BEGIN INT64_C(7000000000)
#define NOON  INT64_C(1777863600000000)

// A camera that is online and sends pictures of 10,000 bytes.
struct camera {
    struct gw_vitals vitals;
    int64_t mono_us;
    int rate, gop, number; // pictures a second, in a GOP, sent
    int changes;           // of the verdict
};

static void start(struct camera *camera)
{
    *camera = (struct camera){.mono_us = BEGIN, .rate = 25, .gop = 50};
    gw_vitals_init(&camera->vitals);
    gw_vitals_online(&camera->vitals, camera->mono_us);
}

static void play(struct camera *camera, int seconds)
{
    for (int i = 0; i < seconds * camera->rate; i++) {
        bool key = camera->number++ % camera->gop == 0;
        gw_vitals_packet(&camera->vitals, 10000, key, NOON + camera->mono_us, camera->mono_us);
        camera->changes += gw_vitals_judge(&camera->vitals, camera->mono_us);
        camera->mono_us += GW_SECOND / camera->rate;
    }
}

// Loses so many RTP packets every second.
static void play_losing(struct camera *camera, int seconds, unsigned packets)
{
    while (seconds-- > 0) {
        gw_vitals_lost(&camera->vitals, packets, camera->mono_us);
        play(camera, 1);
    }
}

static void come_back(struct camera *camera, int64_t after_us)
{
    gw_vitals_offline(&camera->vitals);
    camera->mono_us += after_us;
    camera->number = 0;
    gw_vitals_online(&camera->vitals, camera->mono_us);
}

static bool says(const struct camera *camera, const char *text)
{
    return strstr(camera->vitals.reason, text) != NULL;
}

static bool is_well(const struct camera *camera)
{
    return camera->vitals.fault == GW_FAULT_NONE && !*camera->vitals.reason;
}

static void rates_are_of_the_last_ten_seconds(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 60);
    struct gw_camera_signs signs = gw_vitals_read(&camera.vitals, camera.mono_us);
    assert_true(fabs(signs.frame_rate - 25) < 0.01);
    assert_true(fabs(signs.bit_rate - 2e6) < 1);
    camera.rate = 10;
    play(&camera, 5);
    signs = gw_vitals_read(&camera.vitals, camera.mono_us);
    assert_true(fabs(signs.frame_rate - 17.5) < 0.01);
    play(&camera, 5);
    signs = gw_vitals_read(&camera.vitals, camera.mono_us);
    assert_true(fabs(signs.frame_rate - 10) < 0.01);
    // Nothing comes any more.
    signs = gw_vitals_read(&camera.vitals, camera.mono_us + 20 * GW_SECOND);
    assert_true(signs.frame_rate == 0 && signs.bit_rate == 0);
}

static void rates_are_right_soon_after_the_first_picture(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 3);
    assert_true(fabs(gw_vitals_read(&camera.vitals, camera.mono_us).frame_rate - 25) < 0.01);
}

static void keyframe_age_and_longest_gop_are_told(void **state)
{
    struct camera camera;
    start(&camera);
    assert_int_equal(gw_vitals_read(&camera.vitals, camera.mono_us).key_age_us, -1);
    play(&camera, 5); // keyframes at 0, 2, 4
    struct gw_camera_signs signs = gw_vitals_read(&camera.vitals, camera.mono_us);
    assert_int_equal(signs.key_age_us, GW_SECOND);
    assert_int_equal(signs.longest_gop_us, 2 * GW_SECOND);
}

static void a_good_camera_is_never_called_degraded(void **state)
{
    struct camera camera;
    start(&camera);
    gw_vitals_clock(&camera.vitals, 1500000);
    for (int i = 0; i < 600; i++) { // one packet in 250 is lost
        if (i % 2)
            gw_vitals_lost(&camera.vitals, 1, camera.mono_us);
        play(&camera, 1);
    }
    assert_int_equal(camera.changes, 0);
    assert_true(is_well(&camera));
}

static void lost_packets_degrade_a_camera_until_thirty_seconds_after_they_end(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 20);
    play_losing(&camera, 10, 10);
    assert_int_equal(camera.changes, 1);
    assert_int_equal(camera.vitals.fault, GW_FAULT_LOSS);
    assert_true(says(&camera, "packets are lost"));
    assert_true(gw_vitals_read(&camera.vitals, camera.mono_us).loss > 0.03);
    assert_int_equal(gw_vitals_read(&camera.vitals, camera.mono_us).lost_packets, 100);
    play(&camera, 30);
    assert_int_equal(camera.vitals.fault, GW_FAULT_LOSS);
    play(&camera, 15);
    assert_true(is_well(&camera));
    assert_int_equal(camera.changes, 2);
}

static void loss_around_the_limit_does_not_flap(void **state)
{
    struct camera camera;
    start(&camera);
    for (int i = 0; i < 60; i++) { // 0.8 and 1.2 per cent in turn
        play_losing(&camera, 10, i % 2 ? 2 : 3);
    }
    assert_int_equal(camera.changes, 1);
}

static void keyframes_too_far_apart_are_a_fault_with_advice(void **state)
{
    struct camera camera;
    start(&camera);
    camera.gop = 25 * 12;
    play(&camera, 10);
    assert_true(is_well(&camera));
    play(&camera, 120);
    assert_int_equal(camera.changes, 1);
    assert_int_equal(camera.vitals.fault, GW_FAULT_NO_KEYFRAME);
    assert_true(says(&camera, "a clip can only begin at a keyframe"));
    camera.gop = 50;
    play(&camera, 60);
    assert_true(is_well(&camera));
}

static void a_clock_that_is_off_is_a_fault_and_says_by_how_much(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 10);
    gw_vitals_clock(&camera.vitals, -3600 * 8 * GW_SECOND);
    play(&camera, 2);
    assert_int_equal(camera.vitals.fault, GW_FAULT_CLOCK);
    assert_true(says(&camera, "behind ours by 8.0 hours"));
    gw_vitals_clock(&camera.vitals, 1900000); // not quite good yet
    play(&camera, 60);
    assert_int_equal(camera.vitals.fault, GW_FAULT_CLOCK);
    gw_vitals_clock(&camera.vitals, 20000);
    play(&camera, 35);
    assert_true(is_well(&camera));
    assert_int_equal(camera.changes, 2);
}

static void pictures_that_cannot_be_decoded_come_before_other_faults(void **state)
{
    struct camera camera;
    start(&camera);
    gw_vitals_clock(&camera.vitals, 9 * GW_SECOND);
    play(&camera, 5);
    assert_int_equal(camera.vitals.fault, GW_FAULT_CLOCK);
    gw_vitals_skipped(&camera.vitals, camera.mono_us);
    play(&camera, 5);
    assert_int_equal(camera.vitals.fault, GW_FAULT_CLOCK); // a single one is none
    gw_vitals_skipped(&camera.vitals, camera.mono_us);
    play(&camera, 2);
    assert_int_equal(camera.vitals.fault, GW_FAULT_UNDECODABLE);
    assert_true(says(&camera, "cannot be decoded"));
    play(&camera, 60);
    assert_int_equal(camera.vitals.fault, GW_FAULT_CLOCK);
    assert_true(says(&camera, "ahead of ours by 9.0 seconds"));
}

static void a_camera_that_comes_back_three_times_in_ten_minutes_is_degraded(void **state)
{
    struct camera camera;
    start(&camera);
    for (int i = 0; i < 2; i++) {
        play(&camera, 60);
        come_back(&camera, 5 * GW_SECOND);
    }
    play(&camera, 60);
    assert_true(is_well(&camera));
    come_back(&camera, 5 * GW_SECOND);
    play(&camera, 60);
    assert_int_equal(camera.vitals.fault, GW_FAULT_RECONNECTING);
    assert_true(says(&camera, "connection broke"));
    play(&camera, 600);
    assert_true(is_well(&camera));
}

static void rare_reconnects_are_no_fault(void **state)
{
    struct camera camera;
    start(&camera);
    for (int i = 0; i < 10; i++) {
        play(&camera, 400);
        come_back(&camera, 5 * GW_SECOND);
    }
    assert_int_equal(camera.changes, 0);
}

static void a_frame_rate_far_below_the_usual_is_a_fault_until_it_is_usual(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 900);
    camera.rate = 12; // half of it is night
    play(&camera, 300);
    assert_int_equal(camera.changes, 0);
    camera.rate = 3;
    camera.gop = 6;
    play(&camera, 15);
    assert_int_equal(camera.vitals.fault, GW_FAULT_SLOW);
    assert_true(says(&camera, "pictures a second"));
    play(&camera, 900);
    assert_true(is_well(&camera));
    assert_int_equal(camera.changes, 2);
}

static void a_new_session_begins_without_the_faults_of_the_last_one(void **state)
{
    struct camera camera;
    start(&camera);
    play_losing(&camera, 20, 50);
    assert_int_equal(camera.vitals.fault, GW_FAULT_LOSS);
    come_back(&camera, GW_SECOND);
    assert_true(is_well(&camera));
    struct gw_camera_signs signs = gw_vitals_read(&camera.vitals, camera.mono_us);
    assert_int_equal(signs.clock_offset_us, GW_NO_TIME);
    assert_int_equal(signs.key_age_us, -1);
    assert_true(signs.frame_rate == 0);
    assert_int_equal(signs.lost_packets, 1000); // counters go on
}

static void a_disk_that_takes_no_pictures_comes_before_other_faults(void **state)
{
    struct camera camera;
    start(&camera);
    play_losing(&camera, 5, 50);
    assert_int_equal(camera.vitals.fault, GW_FAULT_LOSS);
    gw_vitals_unwritten(&camera.vitals, GW_GAP_DISK_FULL);
    play(&camera, 2);
    assert_int_equal(camera.vitals.fault, GW_FAULT_DISK_FULL);
    assert_non_null(strstr(camera.vitals.reason, "disk is full"));
    gw_vitals_unwritten(&camera.vitals, GW_GAP_NONE);
    play(&camera, 45);
    assert_true(is_well(&camera));
    gw_vitals_unwritten(&camera.vitals, GW_GAP_DISK_FAILED);
    play(&camera, 2);
    assert_int_equal(camera.vitals.fault, GW_FAULT_DISK_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_of_the_last_ten_seconds),
        cmocka_unit_test(rates_are_right_soon_after_the_first_picture),
        cmocka_unit_test(keyframe_age_and_longest_gop_are_told),
        cmocka_unit_test(a_good_camera_is_never_called_degraded),
        cmocka_unit_test(lost_packets_degrade_a_camera_until_thirty_seconds_after_they_end),
        cmocka_unit_test(loss_around_the_limit_does_not_flap),
        cmocka_unit_test(keyframes_too_far_apart_are_a_fault_with_advice),
        cmocka_unit_test(a_clock_that_is_off_is_a_fault_and_says_by_how_much),
        cmocka_unit_test(pictures_that_cannot_be_decoded_come_before_other_faults),
        cmocka_unit_test(a_camera_that_comes_back_three_times_in_ten_minutes_is_degraded),
        cmocka_unit_test(rare_reconnects_are_no_fault),
        cmocka_unit_test(a_frame_rate_far_below_the_usual_is_a_fault_until_it_is_usual),
        cmocka_unit_test(a_disk_that_takes_no_pictures_comes_before_other_faults),
        cmocka_unit_test(a_new_session_begins_without_the_faults_of_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
