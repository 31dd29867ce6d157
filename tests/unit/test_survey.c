// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>

#include "core/clock.h"
#include "ingest/survey.h"

#define NOON INT64_C(1777863600000000)

struct fixture {
    struct gw_survey survey;
    struct gw_stream *stream;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    gw_survey_init(&fixture.survey);
    gw_stream_create(&fixture.stream, parameters, 0);
    avcodec_parameters_free(&parameters);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    gw_stream_unref(&f->stream);
    return 0;
}

// clock_us: what the camera says its clock is ahead of ours; GW_NO_TIME: it says nothing.
static void feed(struct fixture *f, bool key, int64_t after_us, int size, int64_t clock_us)
{
    struct gw_packet packet = {0};
    AVPacket *av = av_packet_alloc();
    av_new_packet(av, size);
    av->pts = NOON + after_us;
    av->flags = key ? AV_PKT_FLAG_KEY : 0;
    if (clock_us != GW_NO_TIME) {
        AVProducerReferenceTime *time =
            (void *)av_packet_new_side_data(av, AV_PKT_DATA_PRFT, sizeof(*time));
        time->wallclock = NOON + after_us + clock_us;
    }
    gw_packet_init(&packet, &av, f->stream, 0);
    gw_survey_feed(&f->survey, &packet, NOON + after_us);
    gw_packet_unref(&packet);
}

// Feeds until it is enough; keyframes are ten times larger. Returns the number of packets.
static int feed_camera(struct fixture *f, int frame_rate, int gop, int size)
{
    int count = 0;
    for (; !gw_survey_is_enough(&f->survey); count++)
        feed(f, count % gop == 0, count * GW_SECOND / frame_rate, count % gop ? size : 10 * size,
             GW_NO_TIME);
    return count;
}

static void whole_gops_give_rates_and_interval(void **state)
{
    struct fixture *f = *state;
    int packets = feed_camera(f, 25, 50, 1000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(packets, 101);
    assert_int_equal(result.gop_frames, 50);
    assert_int_equal(result.gop_us, 2 * GW_SECOND);
    assert_true(fabs(result.frame_rate - 25) < 0.001);
    assert_true(fabs(result.bit_rate - 8 * 59000 / 2.0) < 1);
    assert_false(result.b_frames);
}

static void a_camera_as_it_should_be_gets_no_advice(void **state)
{
    struct fixture *f = *state;
    char lines[4][GW_ADVICE_SIZE];
    feed_camera(f, 25, 50, 10000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(gw_survey_advise(&result, lines, 4), 0);
}

static void no_second_keyframe_in_sight_ends_after_six_seconds(void **state)
{
    struct fixture *f = *state;
    char lines[4][GW_ADVICE_SIZE];
    int packets = feed_camera(f, 10, 1000, 1000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(packets, 61);
    assert_int_equal(result.gop_frames, 0);
    assert_true(result.gop_us >= 6 * GW_SECOND);
    assert_int_equal(gw_survey_advise(&result, lines, 4), 1);
    assert_non_null(strstr(lines[0], "(20 pictures)"));
}

static void very_short_gops_are_watched_for_two_seconds(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_camera(f, 25, 5, 1000), 51);
}

static void a_high_bit_rate_is_advised_against(void **state)
{
    struct fixture *f = *state;
    char lines[4][GW_ADVICE_SIZE];
    feed_camera(f, 25, 25, 40000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(gw_survey_advise(&result, lines, 4), 1);
    assert_non_null(strstr(lines[0], "bit rate"));
}

static void b_frames_and_a_wrong_clock_are_seen(void **state)
{
    struct fixture *f = *state;
    char lines[4][GW_ADVICE_SIZE];
    feed(f, true, 0, 100, GW_NO_TIME);
    feed(f, false, 80000, 100, -5 * GW_SECOND);
    feed(f, false, 40000, 100, GW_NO_TIME);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_true(result.b_frames);
    assert_int_equal(result.clock_offset_us, -5 * GW_SECOND);
    assert_int_equal(gw_survey_advise(&result, lines, 4), 2);
    assert_non_null(strstr(lines[1], "5.0 s behind"));
    assert_int_equal(gw_survey_advise(&result, lines, 1), 1); // no more than there is room for
}

static void a_single_packet_has_no_rates(void **state)
{
    struct fixture *f = *state;
    feed(f, true, 0, 100, GW_NO_TIME);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_true(result.frame_rate == 0 && result.bit_rate == 0);
    assert_int_equal(result.clock_offset_us, GW_NO_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_gops_give_rates_and_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_camera_as_it_should_be_gets_no_advice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_second_keyframe_in_sight_ends_after_six_seconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(very_short_gops_are_watched_for_two_seconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_high_bit_rate_is_advised_against, set_up, tear_down),
        cmocka_unit_test_setup_teardown(b_frames_and_a_wrong_clock_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_single_packet_has_no_rates, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
