// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/clock.h"
#include "ingest/media_clock.h"

#define NOON  INT64_C(1777863600000000)
#define FRAME INT64_C(40000)
enum { GOP = 50 };

// A camera without B-frames, a keyframe every 2 s, whose pictures arrive as they are captured.
struct camera {
    struct gw_media_clock clock;
    int64_t frame_us;   // real distance of its pictures
    int64_t media_us;   // of the next picture
    int64_t arrival_us; // of the next picture
    int number;
    int64_t last_pts_us, last_dts_us;
};

static void start(struct camera *camera)
{
    *camera = (struct camera){.frame_us = FRAME, .media_us = 123456, .arrival_us = NOON};
    gw_media_clock_init(&camera->clock);
    camera->last_dts_us = GW_NO_TIME;
}

static struct gw_media_times next_late(struct camera *camera, int64_t late_us)
{
    bool key = camera->number++ % GOP == 0;
    struct gw_media_times times =
        gw_media_clock_stamp(&camera->clock, camera->media_us, camera->arrival_us + late_us, key);
    assert_true(times.dts_us <= times.pts_us);
    assert_true(times.new_stream || times.dts_us > camera->last_dts_us);
    camera->media_us += FRAME; // what the camera believes
    camera->arrival_us += camera->frame_us;
    camera->last_pts_us = times.pts_us;
    camera->last_dts_us = times.dts_us;
    return times;
}

static struct gw_media_times next(struct camera *camera)
{
    return next_late(camera, 0);
}

// Plays so many pictures; returns the number of streams that began after the first.
static int play(struct camera *camera, int count)
{
    int streams = 0;
    while (count-- > 0)
        streams += next(camera).new_stream;
    return streams;
}

static void the_first_picture_is_captured_when_it_arrives_and_begins_a_stream(void **state)
{
    struct camera camera;
    start(&camera);
    struct gw_media_times times = next(&camera);
    assert_int_equal(times.pts_us, NOON);
    assert_int_equal(times.dts_us, NOON);
    assert_true(times.new_stream);
}

static void an_even_camera_gives_even_times_in_one_stream(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    assert_int_equal(play(&camera, 10000), 0);
    assert_int_equal(camera.last_pts_us, NOON + 10000 * FRAME);
}

static void lateness_of_single_packets_does_not_show(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    for (int i = 1; i < 2000; i++)
        assert_int_equal(next_late(&camera, i % 7 * 15000).pts_us, NOON + i * FRAME);
}

static void a_late_first_packet_is_corrected_by_and_by(void **state)
{
    struct camera camera;
    start(&camera);
    next_late(&camera, 150000); // the anchor is 150 ms too late
    int64_t last_us = camera.last_pts_us;
    for (int i = 0; i < 1500; i++) {
        int64_t pts_us = next(&camera).pts_us;
        assert_true(pts_us - last_us > FRAME * 99 / 100 && pts_us - last_us < FRAME * 101 / 100);
        last_us = pts_us;
    }
    assert_true(llabs(last_us - (camera.arrival_us - FRAME)) < 2000);
}

static void a_crystal_that_is_off_is_followed_without_a_new_stream(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    camera.frame_us = FRAME + 8; // 200 millionths slow: 0.7 s in an hour
    assert_int_equal(play(&camera, 3600 * 25), 0);
    assert_true(llabs(camera.last_pts_us - (camera.arrival_us - camera.frame_us)) < 20000);
    camera.frame_us = FRAME - 8;
    assert_int_equal(play(&camera, 3600 * 25), 0);
    assert_true(llabs(camera.last_pts_us - (camera.arrival_us - camera.frame_us)) < 20000);
}

static void a_network_pause_that_is_caught_up_with_leaves_no_trace(void **state)
{
    struct camera camera;
    start(&camera);
    int64_t late_us = 0;
    next(&camera);
    for (int i = 1; i < 1000; i++) {
        if (i == 500)
            late_us = 4 * GW_SECOND;
        struct gw_media_times times = next_late(&camera, late_us);
        assert_int_equal(times.pts_us, NOON + i * FRAME);
        assert_false(times.new_stream);
        late_us = late_us > FRAME ? late_us - FRAME : 0; // the rest comes in a burst
    }
}

static void a_jump_ahead_is_bridged_and_the_next_keyframe_begins_a_stream(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 70); // in the middle of a GOP
    camera.media_us += 3600 * GW_SECOND;
    struct gw_media_times times = next(&camera);
    assert_false(times.new_stream);
    assert_true(llabs(times.pts_us - (NOON + 70 * FRAME)) < 5000);
    assert_int_equal(play(&camera, 29), 0);
    times = next(&camera); // number 100
    assert_true(times.new_stream);
    assert_int_equal(times.pts_us, NOON + 100 * FRAME);
    assert_int_equal(play(&camera, 1000), 0);
}

static void a_step_back_at_a_keyframe_begins_a_stream_at_once(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 100);
    camera.media_us -= 90 * FRAME; // as a server does that loops a file
    struct gw_media_times times = next(&camera);
    assert_true(times.new_stream);
    assert_int_equal(times.pts_us, NOON + 100 * FRAME);
    assert_int_equal(play(&camera, 1000), 0);
}

static void a_step_back_inside_a_gop_waits_for_the_next_keyframe(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 120);
    camera.media_us -= 3600 * GW_SECOND;
    assert_int_equal(play(&camera, 30), 0); // and times go on, as next() asserts
    assert_true(next(&camera).new_stream);
    assert_int_equal(play(&camera, 1000), 0);
}

static void a_pause_of_the_camera_longer_than_the_limit_begins_a_stream(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 100);
    camera.arrival_us += 3 * GW_SECOND; // its counter stood still meanwhile
    assert_int_equal(play(&camera, 500), 1);
    assert_true(llabs(camera.last_pts_us - (camera.arrival_us - FRAME)) < 5000);
}

static void a_step_of_our_own_clock_begins_a_stream_in_both_directions(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 100);
    camera.arrival_us -= 10 * GW_SECOND;
    assert_int_equal(play(&camera, 500), 1);
    assert_int_equal(camera.last_pts_us, camera.arrival_us - FRAME);
    camera.arrival_us += 10 * GW_SECOND;
    assert_int_equal(play(&camera, 500), 1);
    assert_int_equal(camera.last_pts_us, camera.arrival_us - FRAME);
}

static void missing_times_are_put_between_their_neighbours(void **state)
{
    struct gw_media_clock clock;
    gw_media_clock_init(&clock);
    assert_int_equal(gw_media_clock_stamp(&clock, GW_NO_MEDIA_TIME, NOON, true).pts_us, NOON);
    assert_int_equal(gw_media_clock_stamp(&clock, FRAME, NOON + FRAME, false).pts_us, NOON + FRAME);
    int64_t between =
        gw_media_clock_stamp(&clock, GW_NO_MEDIA_TIME, NOON + 2 * FRAME, false).pts_us;
    assert_in_range(between, NOON + FRAME + 1000, NOON + 2 * FRAME - 1000);
    assert_int_equal(gw_media_clock_stamp(&clock, 2 * FRAME, NOON + 2 * FRAME, false).pts_us,
                     NOON + 2 * FRAME);
}

static void two_pictures_of_one_time_still_have_increasing_times(void **state)
{
    struct gw_media_clock clock;
    int64_t last = NOON - 1;
    gw_media_clock_init(&clock);
    for (int i = 0; i < 100; i++) { // the two fields of interlaced video
        struct gw_media_times times =
            gw_media_clock_stamp(&clock, i / 2 * FRAME, NOON + i / 2 * FRAME, i == 0);
        assert_true(times.dts_us > last && times.dts_us == times.pts_us);
        last = times.dts_us;
    }
    assert_int_equal(clock.reorder, 0);
    assert_false(clock.stale);
}

static void tick_counters_wrap_without_a_jump(void **state)
{
    int64_t ticks = gw_media_clock_unwrap(UINT32_MAX - 100, 3499);
    assert_int_equal(ticks, (int64_t)UINT32_MAX - 100 + 3600);
    assert_int_equal(gw_media_clock_unwrap(ticks, ticks + 3600), ticks + 3600);
    assert_int_equal(gw_media_clock_unwrap(0, 3600), 3600);
    assert_int_equal(gw_media_clock_unwrap(7200, 3600), 3600); // a B-frame
}

// Feeds GOPs of I0 P4 B2 b1 b3 P8 …, as encoders with a B-pyramid send them.
struct pyramid {
    struct gw_media_clock clock;
    int64_t last_dts_us, worst_us; // how far a time was bent
    int streams, gops;
};

static void feed_pyramid(struct pyramid *p, int gops)
{
    static const int order[] = {0, 4, 2, 1, 3, 8, 6, 5, 7};
    p->worst_us = 0;
    for (int end = p->gops + gops; p->gops < end; p->gops++)
        for (int i = 0; i < 9; i++) {
            int64_t media_us = (p->gops * 9 + order[i]) * FRAME;
            struct gw_media_times times = gw_media_clock_stamp(
                &p->clock, media_us, NOON + (p->gops * 9 + i + 4) * FRAME, i == 0);
            p->streams += times.new_stream;
            assert_true(times.dts_us <= times.pts_us);
            assert_true(times.new_stream || times.dts_us > p->last_dts_us);
            p->last_dts_us = times.dts_us;
            int64_t bent_us = llabs(times.pts_us - p->clock.offset_us - media_us);
            if (bent_us > p->worst_us)
                p->worst_us = bent_us;
        }
}

static void b_frames_of_a_known_depth_keep_their_exact_times(void **state)
{
    struct pyramid p = {0};
    gw_media_clock_init(&p.clock);
    gw_media_clock_begin_stream(&p.clock, 2, FRAME);
    feed_pyramid(&p, 200);
    assert_int_equal(p.worst_us, 0);
    assert_int_equal(p.streams, 1);
}

static void a_new_stream_of_another_depth_starts_with_fitting_decoding_times(void **state)
{
    struct pyramid p = {0};
    gw_media_clock_init(&p.clock);
    struct gw_media_times times = gw_media_clock_stamp(&p.clock, 0, NOON, true);
    gw_media_clock_begin_stream(&p.clock, 2, FRAME);
    times = gw_media_clock_stamp(&p.clock, FRAME, NOON + FRAME, true);
    assert_int_equal(times.pts_us, NOON + FRAME);
    assert_int_equal(times.dts_us, NOON - FRAME);
}

static void b_frames_that_nobody_announced_are_learnt_within_some_gops(void **state)
{
    struct pyramid p = {0};
    gw_media_clock_init(&p.clock);
    feed_pyramid(&p, 5);
    assert_true(p.worst_us > 0);
    feed_pyramid(&p, 100);
    assert_int_equal(p.worst_us, 0);
    assert_int_equal(p.clock.reorder, 2);
    assert_in_range(p.streams, 2, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_picture_is_captured_when_it_arrives_and_begins_a_stream),
        cmocka_unit_test(an_even_camera_gives_even_times_in_one_stream),
        cmocka_unit_test(lateness_of_single_packets_does_not_show),
        cmocka_unit_test(a_late_first_packet_is_corrected_by_and_by),
        cmocka_unit_test(a_crystal_that_is_off_is_followed_without_a_new_stream),
        cmocka_unit_test(a_network_pause_that_is_caught_up_with_leaves_no_trace),
        cmocka_unit_test(a_jump_ahead_is_bridged_and_the_next_keyframe_begins_a_stream),
        cmocka_unit_test(a_step_back_at_a_keyframe_begins_a_stream_at_once),
        cmocka_unit_test(a_step_back_inside_a_gop_waits_for_the_next_keyframe),
        cmocka_unit_test(a_pause_of_the_camera_longer_than_the_limit_begins_a_stream),
        cmocka_unit_test(a_step_of_our_own_clock_begins_a_stream_in_both_directions),
        cmocka_unit_test(missing_times_are_put_between_their_neighbours),
        cmocka_unit_test(two_pictures_of_one_time_still_have_increasing_times),
        cmocka_unit_test(tick_counters_wrap_without_a_jump),
        cmocka_unit_test(b_frames_of_a_known_depth_keep_their_exact_times),
        cmocka_unit_test(a_new_stream_of_another_depth_starts_with_fitting_decoding_times),
        cmocka_unit_test(b_frames_that_nobody_announced_are_learnt_within_some_gops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
