// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
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

// --- the camera's clock
// ----------------------------------------------------------------------------

// Plays so many pictures of a camera whose clock is ahead_us ahead of ours, that captures each
// delay_us before it arrives and tells so every 5 s.
static int play_telling(struct camera *camera, int count, int64_t ahead_us, int64_t delay_us)
{
    int streams = 0;
    while (count-- > 0) {
        streams += next(camera).new_stream;
        if (camera->number % 125 == 5) {
            int64_t media_us = camera->media_us - FRAME, wall_us = camera->arrival_us - FRAME;
            gw_media_clock_report(&camera->clock, media_us, wall_us - delay_us + ahead_us, wall_us);
        }
    }
    return streams;
}

static int64_t behind_arrival(const struct camera *camera)
{
    return camera->last_pts_us - (camera->arrival_us - camera->frame_us);
}

static void capture_times_move_from_arrival_to_what_the_camera_tells(void **state)
{
    struct camera camera;
    start(&camera);
    assert_int_equal(gw_media_clock_offset(&camera.clock), GW_NO_TIME);
    next(&camera);
    assert_int_equal(play_telling(&camera, 1500, 0, 150000), 0);
    assert_int_equal(behind_arrival(&camera), -150000);
    assert_int_equal(gw_media_clock_offset(&camera.clock), -150000);
}

static void a_camera_that_tells_its_clock_is_not_moved_by_its_network(void **state)
{
    struct camera camera;
    start(&camera);
    play_telling(&camera, 1500, 0, 100000);
    int64_t last_us = camera.last_pts_us;
    for (int i = 0; i < 2000; i++) { // 120 ms later from now on
        int64_t pts_us = next_late(&camera, 120000).pts_us;
        assert_int_equal(pts_us - last_us, FRAME);
        last_us = pts_us;
    }
}

static void a_crystal_that_is_off_does_not_show_where_the_camera_tells_its_clock(void **state)
{
    struct camera camera;
    start(&camera);
    camera.frame_us = FRAME + 8;
    play_telling(&camera, 3600 * 25, 0, 100000);
    assert_true(llabs(behind_arrival(&camera) + 100000) < 10000);
}

static void a_camera_clock_that_is_off_by_more_than_the_limit_is_told_and_not_followed(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    assert_int_equal(play_telling(&camera, 2000, 3600 * GW_SECOND, 0), 0);
    assert_int_equal(behind_arrival(&camera), 0);
    assert_int_equal(gw_media_clock_offset(&camera.clock), 3600 * GW_SECOND);
}

static void a_camera_clock_near_the_limit_does_not_flap(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    int streams = 0;
    for (int i = 0; i < 100; i++)
        streams += play_telling(&camera, 250, 2 * GW_SECOND + (i % 2 ? 100000 : -100000), 0);
    assert_in_range(streams, 0, 1);
}

static void one_late_or_wild_report_does_not_show(void **state)
{
    struct camera camera;
    start(&camera);
    play_telling(&camera, 1500, 50000, 50000);
    gw_media_clock_report(&camera.clock, camera.media_us, camera.arrival_us,
                          camera.arrival_us + 3 * GW_SECOND);
    assert_true(llabs(gw_media_clock_offset(&camera.clock)) < 1000);
    assert_int_equal(play_telling(&camera, 250, 50000, 50000), 0);
    gw_media_clock_report(&camera.clock, camera.media_us, 0, camera.arrival_us);
    assert_true(llabs(gw_media_clock_offset(&camera.clock)) < 1000);
    gw_media_clock_report(&camera.clock, INT64_MAX, INT64_MIN, camera.arrival_us);
    assert_int_equal(play_telling(&camera, 1500, 50000, 50000), 0);
    assert_true(llabs(behind_arrival(&camera)) < 1000);
}

static void a_jump_of_the_cameras_clock_is_known_after_two_reports_and_begins_a_stream(void **state)
{
    struct camera camera;
    start(&camera);
    play_telling(&camera, 1500, 0, 100000);
    int streams = play_telling(&camera, 250, -3600 * GW_SECOND, 100000);
    assert_int_equal(gw_media_clock_offset(&camera.clock), -3600 * GW_SECOND - 100000);
    streams += play_telling(&camera, 500, -3600 * GW_SECOND, 100000);
    assert_int_equal(streams, 1);
    assert_int_equal(behind_arrival(&camera), 0);
    assert_int_equal(play_telling(&camera, 1000, 0, 100000), 1); // and back
    assert_int_equal(behind_arrival(&camera), -100000);
}

static void a_camera_that_stops_telling_its_clock_keeps_its_delay(void **state)
{
    struct camera camera;
    start(&camera);
    play_telling(&camera, 1500, 0, 100000);
    camera.frame_us = FRAME + 8;
    assert_int_equal(play(&camera, 4 * 3600 * 25), 0);
    assert_true(llabs(behind_arrival(&camera) + 100000) < 30000);
}

static void a_jump_of_the_ticks_keeps_the_known_delay_until_the_next_report(void **state)
{
    struct camera camera;
    start(&camera);
    play_telling(&camera, 1500, 0, 100000);
    camera.media_us += 7200 * GW_SECOND;
    assert_int_equal(play(&camera, 100), 1);
    assert_int_equal(behind_arrival(&camera), -100000);
    assert_int_equal(play_telling(&camera, 1000, 0, 100000), 0);
    assert_int_equal(behind_arrival(&camera), -100000);
}

// --- ticks of a wrong length, and time that makes no sense
// -----------------------------------------

static void twenty_five_said_and_fifteen_sent_is_corrected_with_one_new_stream(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    camera.frame_us = GW_SECOND / 15;
    assert_int_equal(play(&camera, 150), 1); // 10 s; keyframes are 3.3 s apart
    assert_int_equal(play(&camera, 3600 * 15), 0);
    assert_true(llabs(behind_arrival(&camera)) < 20000);
    int64_t last_us = camera.last_pts_us;
    for (int i = 0; i < 1000; i++) {
        struct gw_media_times times = next(&camera);
        assert_in_range(times.pts_us - last_us, 66000, 67400);
        assert_in_range(times.frame_us, 66000, 67400);
        last_us = times.pts_us;
    }
}

static void a_rate_that_is_wrong_either_way_is_corrected(void **state)
{
    static const double rates[] = {0.1, 0.25, 0.6, 0.8, 0.9, 1.1, 1.25, 2.5, 11.25, 50};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct camera camera;
        start(&camera);
        next(&camera);
        camera.frame_us = (int64_t)((double)FRAME * rates[i]);
        int before = (int)(20 * GW_SECOND / camera.frame_us) + 3 * GOP;
        assert_in_range(play(&camera, before), 1, 6);
        assert_int_equal(play(&camera, 3000), 0);
        assert_true(llabs(behind_arrival(&camera)) < 100000);
        assert_true(llabs(next(&camera).frame_us - camera.frame_us) < camera.frame_us / 100 + 1);
    }
}

static void a_rate_that_is_wrong_by_little_more_than_the_limit_is_corrected_within_a_minute(
    void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    camera.frame_us = FRAME * 104 / 100; // 24 pictures a second said to be 25
    assert_int_equal(play(&camera, 60 * 24), 1);
    assert_int_equal(play(&camera, 3600 * 24), 0);
    assert_true(llabs(next(&camera).frame_us - camera.frame_us) < 100);
}

static void a_rate_that_changes_with_the_light_is_followed(void **state)
{
    struct camera camera;
    start(&camera);
    for (int night = 0; night < 6; night++) {
        camera.frame_us = night % 2 ? 2 * FRAME : FRAME;
        play(&camera, 2000);
        assert_int_equal(play(&camera, 10000), 0);
        assert_true(llabs(behind_arrival(&camera)) < 20000);
        assert_true(llabs(next(&camera).frame_us - camera.frame_us) < 400);
    }
}

// A link that carries less than the camera sends for a while, and then catches up.
static void a_queue_in_the_network_is_no_wrong_rate(void **state)
{
    for (int seconds = 3; seconds <= 60; seconds++) {
        struct camera camera;
        start(&camera);
        play(&camera, 500);
        int64_t late_us = 0;
        for (int i = 0; i < seconds * 25; i++) { // up to a second; keyframes are the large ones
            if (late_us < GW_SECOND)
                late_us += i % GOP == 0 ? 300000 : i % GOP < 20 ? 9000 : -7000;
            next_late(&camera, late_us);
        }
        for (; late_us > 0; late_us -= 20000)
            next_late(&camera, late_us);
        play(&camera, 2000);
        assert_true(camera.clock.scale == 1);
    }
}

static void a_picture_rate_that_varies_with_true_times_is_no_wrong_rate(void **state)
{
    struct camera camera;
    start(&camera);
    next(&camera);
    for (int i = 0; i < 20000; i++) {
        int64_t frame_us = FRAME * (1 + (i / 100) % 12); // 25 to 2 pictures a second
        camera.media_us += frame_us - FRAME;
        camera.frame_us = frame_us;
        assert_false(next_late(&camera, 0).new_stream);
    }
    assert_true(camera.clock.scale == 1);
}

static void a_wrong_rate_is_found_among_b_frames_and_jitter(void **state)
{
    static const int order[] = {0, 4, 2, 1, 3, 8, 6, 5, 7};
    struct gw_media_clock clock;
    int streams = 0;
    gw_media_clock_init(&clock);
    gw_media_clock_begin_stream(&clock, 2, FRAME);
    int64_t true_us = GW_SECOND / 15, off_us = 0, last_us = GW_NO_TIME;
    for (int gop = 0; gop < 400; gop++)
        for (int i = 0; i < 9; i++) {
            int64_t arrival_us = NOON + (gop * 9 + i + 4) * true_us + (gop * 31 + i * 17) % 60000;
            struct gw_media_times times =
                gw_media_clock_stamp(&clock, (gop * 9 + order[i]) * FRAME, arrival_us, i == 0);
            assert_true(times.dts_us <= times.pts_us);
            assert_true(times.new_stream || times.dts_us > last_us);
            last_us = times.dts_us;
            streams += times.new_stream;
            off_us = times.pts_us - NOON - (gop * 9 + order[i]) * true_us;
        }
    assert_in_range(streams, 2, 3);
    assert_in_range(off_us, 0, 400000); // anchored at an arrival
    assert_true(llabs(clock.frame_us - true_us) < 1000);
}

static void ticks_that_stand_still_give_way_to_arrival(void **state)
{
    struct camera camera;
    start(&camera);
    play(&camera, 1000);
    int64_t frozen_us = camera.media_us;
    int streams = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t last_us = camera.last_pts_us;
        camera.media_us = frozen_us;
        struct gw_media_times times = next_late(&camera, i % 5 * 8000); // five at once
        streams += times.new_stream;
        if (i > 500)
            assert_in_range(times.pts_us - last_us, 37000, 43000);
        assert_true(llabs(behind_arrival(&camera)) < 300000);
    }
    assert_in_range(streams, 0, 1);
    // Sane again: its time is taken at the next keyframe after 5 s.
    assert_int_equal(play(&camera, 300), 1);
    for (int i = 0; i < 1000; i++) {
        int64_t last_us = camera.last_pts_us;
        assert_int_equal(next_late(&camera, i % 7 * 15000).pts_us - last_us, FRAME);
    }
}

static void ticks_that_never_moved_give_way_to_arrival(void **state)
{
    struct gw_media_clock clock;
    gw_media_clock_init(&clock);
    int64_t last_us = GW_NO_TIME;
    int streams = 0;
    for (int i = 0; i < 3000; i++) {
        int64_t arrival_us = NOON + i * 3 * FRAME;
        struct gw_media_times times = gw_media_clock_stamp(&clock, 0, arrival_us, i % GOP == 0);
        streams += times.new_stream;
        assert_true(times.new_stream || times.dts_us > last_us);
        if (i > 100)
            assert_true(llabs(times.pts_us - arrival_us) < 600000);
        if (i > 1000)
            assert_true(llabs(times.pts_us - arrival_us) < 20000);
        last_us = times.dts_us;
    }
    assert_in_range(streams, 1, 3);
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return below ? (*seed >> 33) % below : 0;
}

static void ticks_that_leap_at_random_give_way_to_arrival(void **state)
{
    struct camera camera;
    uint64_t seed = 1;
    start(&camera);
    int streams = 0;
    for (int i = 0; i < 5000; i++) {
        camera.media_us = (int64_t)draw(&seed, 40000) * GW_SECOND;
        streams += next_late(&camera, (int64_t)draw(&seed, 50000)).new_stream;
        if (i > 100)
            assert_true(llabs(behind_arrival(&camera)) < 100000);
    }
    assert_in_range(streams, 1, 4);
    streams = play(&camera, 2000);
    assert_int_equal(streams, 1);
    assert_int_equal(behind_arrival(&camera), 0);
}

static void a_rate_that_never_holds_still_gives_way_to_arrival(void **state)
{
    struct camera camera;
    uint64_t seed = 7;
    start(&camera);
    int streams = 0, late_streams = 0;
    for (int i = 0; i < 40000; i++) {
        if (i % 40 == 0)
            camera.frame_us = FRAME + (int64_t)draw(&seed, 2 * FRAME);
        bool begun = next(&camera).new_stream;
        streams += begun;
        late_streams += begun && i > 20000;
        assert_true(llabs(behind_arrival(&camera)) < 7 * GW_SECOND);
    }
    assert_in_range(streams, 2, 40);
    assert_in_range(late_streams, 0, 10);
}

static void the_last_picture_of_a_stream_lasts_as_long_as_the_others(void **state)
{
    static const int64_t frames[] = {20000, 100000, 500000, 1000000};
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct gw_media_clock clock;
        struct gw_media_times times = {0};
        gw_media_clock_init(&clock);
        gw_media_clock_begin_stream(&clock, 0, FRAME); // as the camera declares
        for (int k = 0; k < 4; k++)
            times = gw_media_clock_stamp(&clock, k * frames[i], NOON + k * frames[i], k == 0);
        assert_int_equal(times.frame_us, frames[i]);
    }
}

// --- any camera
// ------------------------------------------------------------------------------------

// What a camera does and its network adds, drawn at random.
struct any {
    int64_t frame_us, jitter_us, delay_us, ahead_us;
    int gop, order; // pictures in a GOP; which order they are sent in
    double rate;    // of the camera's crystal
    bool told, tells, announced;
    int jumps;
    uint64_t seed;
};

// Positions within four pictures, and the depth they need.
static const int orders[][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 1, 0, 2}};
static const int depths[] = {0, 1, 2};

static struct any draw_camera(uint64_t seed)
{
    static const int64_t frames[] = {20000, 33333, 40000, 66667, 100000, 200000};
    struct any any = {.seed = seed};
    for (int i = 0; i < 10; i++)
        draw(&any.seed, 1);
    any.frame_us = frames[draw(&any.seed, 6)];
    any.jitter_us = (int64_t)draw(&any.seed, 150000);
    any.delay_us = (int64_t)draw(&any.seed, 200000);
    any.gop = 1 + 4 * (2 + (int)draw(&any.seed, 20));
    any.order = (int)draw(&any.seed, 3);
    any.announced = draw(&any.seed, 2);
    any.rate = 1 + ((double)draw(&any.seed, 600) - 300) * 1e-6;
    any.tells = draw(&any.seed, 2);
    any.ahead_us =
        draw(&any.seed, 3) ? (int64_t)draw(&any.seed, 3000000) - 1500000 : 7200 * GW_SECOND;
    any.jumps = (int)draw(&any.seed, 4);
    return any;
}

// Which picture is sent at this place: a GOP is one keyframe and then groups of four.
static int64_t shown_at(const struct any *any, int64_t place)
{
    int64_t in_gop = place % any->gop;
    if (in_gop == 0)
        return place;
    return place - (in_gop - 1) % 4 + orders[any->order][(in_gop - 1) % 4];
}

static void play_any(uint64_t seed, bool wrong_rate)
{
    struct any any = draw_camera(seed);
    if (wrong_rate) {
        any.rate *= exp(((double)draw(&any.seed, 2000) - 1000) / 1000 * log(4)); // 1/4 to 4
        any.jitter_us /= 2;
        any.jumps = 0;
        any.ahead_us = 0;
        if (any.frame_us > 66667) // B-frames that step back by seconds of a wrong length are jumps
            any.order = 0;
    }
    struct gw_media_clock clock;
    gw_media_clock_init(&clock);
    gw_media_clock_begin_stream(&clock, any.announced ? depths[any.order] : 0, any.frame_us);
    int64_t count = 600 * GW_SECOND / any.frame_us, last_us = GW_NO_TIME, line_us = 0;
    int64_t jump_us = (int64_t)draw(&any.seed, 1000000000), report_us = 0, stall_us = 0;
    int64_t depth_us = 3 * any.frame_us, worst_us = 0;
    int streams = 0, jumps = 0;

    for (int64_t place = 0; place < count; place++) {
        int64_t shown = shown_at(&any, place), captured_us = NOON + shown * any.frame_us;
        // Disturbances end in the first two thirds.
        bool troubled = place < count * 2 / 3;
        if (troubled && jumps < any.jumps && draw(&any.seed, (uint64_t)count / 6) == 0) {
            jump_us += ((int64_t)draw(&any.seed, 14400) - 7200) * GW_SECOND;
            jumps++;
        }
        if (troubled && draw(&any.seed, 2000) == 0)
            stall_us = NOON + place * any.frame_us + (int64_t)draw(&any.seed, 3500000);
        int64_t sent_us = NOON + place * any.frame_us + depth_us;
        int64_t arrival_us =
            sent_us + any.delay_us + (int64_t)draw(&any.seed, (uint64_t)any.jitter_us);
        if (arrival_us < stall_us)
            arrival_us = stall_us;
        if (arrival_us < line_us) // one after the other
            arrival_us = line_us;
        line_us = arrival_us;
        int64_t media_us = jump_us + llround((double)(captured_us - NOON) * any.rate);
        struct gw_media_times times =
            gw_media_clock_stamp(&clock, media_us, arrival_us, place % any.gop == 0);
        assert_true(times.dts_us <= times.pts_us);
        assert_true(times.new_stream || times.dts_us >= last_us + 1000);
        last_us = times.dts_us;
        streams += times.new_stream;
        if (any.tells && arrival_us > report_us) { // of the moment in which it is sent
            int64_t told_us = jump_us + llround((double)(sent_us - NOON) * any.rate);
            gw_media_clock_report(&clock, told_us, sent_us + any.ahead_us, arrival_us);
            report_us = arrival_us + 5 * GW_SECOND;
        }
        bool follows = any.tells && any.ahead_us < 3 * GW_SECOND && !wrong_rate;
        int64_t expected_us = captured_us + (follows ? any.ahead_us : 0);
        int64_t off_us = times.pts_us - expected_us;
        if (!wrong_rate)
            assert_true(llabs(off_us) < 6 * GW_SECOND);
        int64_t slack_us = wrong_rate ? 350000 : 20000;
        int64_t most_us = slack_us + (follows ? 0 : any.delay_us + depth_us + any.jitter_us);
        if (place > count * 9 / 10 && !(off_us > -slack_us && off_us < most_us) &&
            llabs(off_us) > worst_us)
            worst_us = llabs(off_us);
    }
    if (worst_us || streams > (wrong_rate ? 10 : 5) + 2 * any.jumps)
        fail_msg("camera %llu: off by %lld us in the end, %d streams, %d jumps",
                 (unsigned long long)seed, (long long)worst_us, streams, jumps);
}

static void any_camera_has_increasing_times_near_the_true_ones_and_few_streams(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        play_any(seed, false);
}

static void any_camera_with_ticks_of_a_wrong_length_ends_near_the_true_times(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        play_any(seed, true);
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
        cmocka_unit_test(capture_times_move_from_arrival_to_what_the_camera_tells),
        cmocka_unit_test(a_camera_that_tells_its_clock_is_not_moved_by_its_network),
        cmocka_unit_test(a_crystal_that_is_off_does_not_show_where_the_camera_tells_its_clock),
        cmocka_unit_test(
            a_camera_clock_that_is_off_by_more_than_the_limit_is_told_and_not_followed),
        cmocka_unit_test(a_camera_clock_near_the_limit_does_not_flap),
        cmocka_unit_test(one_late_or_wild_report_does_not_show),
        cmocka_unit_test(
            a_jump_of_the_cameras_clock_is_known_after_two_reports_and_begins_a_stream),
        cmocka_unit_test(a_camera_that_stops_telling_its_clock_keeps_its_delay),
        cmocka_unit_test(a_jump_of_the_ticks_keeps_the_known_delay_until_the_next_report),
        cmocka_unit_test(twenty_five_said_and_fifteen_sent_is_corrected_with_one_new_stream),
        cmocka_unit_test(a_rate_that_is_wrong_either_way_is_corrected),
        cmocka_unit_test(
            a_rate_that_is_wrong_by_little_more_than_the_limit_is_corrected_within_a_minute),
        cmocka_unit_test(a_rate_that_changes_with_the_light_is_followed),
        cmocka_unit_test(a_queue_in_the_network_is_no_wrong_rate),
        cmocka_unit_test(a_picture_rate_that_varies_with_true_times_is_no_wrong_rate),
        cmocka_unit_test(a_wrong_rate_is_found_among_b_frames_and_jitter),
        cmocka_unit_test(ticks_that_stand_still_give_way_to_arrival),
        cmocka_unit_test(ticks_that_never_moved_give_way_to_arrival),
        cmocka_unit_test(ticks_that_leap_at_random_give_way_to_arrival),
        cmocka_unit_test(a_rate_that_never_holds_still_gives_way_to_arrival),
        cmocka_unit_test(the_last_picture_of_a_stream_lasts_as_long_as_the_others),
        cmocka_unit_test(any_camera_has_increasing_times_near_the_true_ones_and_few_streams),
        cmocka_unit_test(any_camera_with_ticks_of_a_wrong_length_ends_near_the_true_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
