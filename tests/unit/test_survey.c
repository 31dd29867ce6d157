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

static void feed_late(struct fixture *f, bool key, int64_t ticks_us, int64_t arrival_us, int size)
{
    struct gw_packet packet = {0};
    AVPacket *av = av_packet_alloc();
    av_new_packet(av, size);
    av->pts = av->dts = NOON + ticks_us;
    av->flags = key ? AV_PKT_FLAG_KEY : 0;
    gw_packet_init(&packet, &av, f->stream, 0);
    gw_survey_feed(&f->survey, &packet, NOON + arrival_us);
    gw_packet_unref(&packet);
}

static void feed(struct fixture *f, bool key, int64_t after_us, int size)
{
    feed_late(f, key, after_us, after_us, size);
}

// Feeds until it is enough; keyframes are ten times larger. Returns the number of packets.
static int feed_camera(struct fixture *f, int frame_rate, int gop, int size)
{
    int count = 0;
    for (; !gw_survey_is_enough(&f->survey); count++)
        feed(f, count % gop == 0, count * GW_SECOND / frame_rate, count % gop ? size : 10 * size);
    return count;
}

static void use(struct fixture *f, enum AVCodecID codec, int profile, double declared_rate)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    parameters->codec_id = codec;
    parameters->profile = profile;
    gw_survey_parameters(&f->survey, parameters, declared_rate);
    avcodec_parameters_free(&parameters);
}

// The advice of what was fed, joined; "" when there is none.
static const char *advice(struct fixture *f)
{
    static char text[8 * GW_ADVICE_SIZE];
    char lines[8][GW_ADVICE_SIZE];
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    int count = gw_survey_advise(&result, lines, 8);
    text[0] = 0;
    for (int i = 0; i < count; i++)
        strcat(strcat(text, lines[i]), "\n");
    return text;
}

static void assert_advice(struct fixture *f, const char *one)
{
    const char *text = advice(f);
    if (!strstr(text, one) || strchr(text, '\n') != text + strlen(text) - 1)
        fail_msg("not just \"%s\", but: %s", one, text);
}

static void whole_gops_give_rates_and_interval(void **state)
{
    struct fixture *f = *state;
    int packets = feed_camera(f, 25, 50, 1000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(packets, 201);
    assert_int_equal(result.gop_frames, 50);
    assert_int_equal(result.gop_us, 2 * GW_SECOND);
    assert_true(fabs(result.frame_rate - 25) < 0.001);
    assert_true(fabs(result.ticks_rate - 25) < 0.001);
    assert_true(fabs(result.bit_rate - 8 * 59000 / 2.0) < 1);
    assert_true(fabs(result.key_ratio - 10) < 0.001);
    assert_false(result.b_frames);
}

static void a_camera_as_it_should_be_gets_no_advice(void **state)
{
    struct fixture *f = *state;
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_HIGH, 25);
    gw_survey_clock(&f->survey, 300000);
    feed_camera(f, 25, 50, 10000);
    assert_string_equal(advice(f), "");
}

static void no_second_keyframe_in_sight_ends_after_ten_seconds(void **state)
{
    struct fixture *f = *state;
    int packets = feed_camera(f, 10, 1000, 1000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_int_equal(packets, 101);
    assert_int_equal(result.gop_frames, 0);
    assert_true(result.gop_us >= 10 * GW_SECOND);
    assert_advice(f, "(20 pictures)");
}

static void very_short_gops_are_watched_for_five_seconds_and_advised_against(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_camera(f, 25, 5, 1000), 126);
    assert_advice(f, "one comes every 0.2 s");
}

static void a_high_bit_rate_is_advised_against(void **state)
{
    struct fixture *f = *state;
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_HIGH, 0);
    feed_camera(f, 25, 25, 40000);
    assert_advice(f, "lower the bit rate to 4 Mbit/s or choose H.265");
}

static void h265_is_advice_where_h264_needs_much(void **state)
{
    struct fixture *f = *state;
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_MAIN, 0);
    feed_camera(f, 25, 50, 26000);
    assert_advice(f, "choose H.265");
    use(f, AV_CODEC_ID_HEVC, FF_PROFILE_HEVC_MAIN, 0);
    assert_string_equal(advice(f), "");
}

// Between keyframes the same size again and again, only six times smaller.
static void a_constant_bit_rate_is_recognised_and_advised_against(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; !gw_survey_is_enough(&f->survey); i++)
        feed(f, i % 50 == 0, i * GW_SECOND / 25, i % 50 ? 9500 + i * 31 % 1000 : 60000);
    assert_true(gw_survey_finish(&f->survey).constant_bit_rate);
    assert_advice(f, "variable bit rate");
}

static void a_still_scene_at_a_variable_bit_rate_is_not_called_constant(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; !gw_survey_is_enough(&f->survey); i++)
        feed(f, i % 50 == 0, i * GW_SECOND / 25, i % 50 ? 900 + i * 31 % 100 : 60000);
    assert_string_equal(advice(f), "");
}

static void a_moving_scene_at_a_variable_bit_rate_is_not_called_constant(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; !gw_survey_is_enough(&f->survey); i++)
        feed(f, i % 50 == 0, i * GW_SECOND / 25, i % 50 ? 8000 + i / 50 % 2 * 3000 : 60000);
    assert_string_equal(advice(f), "");
}

static void b_frames_and_a_wrong_clock_are_seen(void **state)
{
    struct fixture *f = *state;
    char lines[4][GW_ADVICE_SIZE];
    feed(f, true, 0, 100);
    feed(f, false, 80000, 100);
    feed(f, false, 40000, 100);
    gw_survey_clock(&f->survey, -5 * GW_SECOND);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_true(result.b_frames);
    assert_int_equal(result.clock_offset_us, -5 * GW_SECOND);
    result.ticks_rate = 0; // of three pictures
    assert_int_equal(gw_survey_advise(&result, lines, 4), 2);
    assert_non_null(strstr(lines[1], "5.0 s behind"));
    assert_int_equal(gw_survey_advise(&result, lines, 1), 1); // no more than there is room for
}

static void lost_packets_and_useless_pictures_come_first(void **state)
{
    struct fixture *f = *state;
    feed_camera(f, 25, 200, 10000);
    gw_survey_lost(&f->survey, 30);
    gw_survey_skipped(&f->survey);
    const char *text = advice(f);
    const char *useless = strstr(text, "cannot be decoded"),
               *lost = strstr(text, "30 of its packets");
    assert_true(useless && lost && strstr(text, "keyframe interval"));
    assert_true(useless < lost && lost < strstr(text, "keyframe interval"));
}

static void one_packet_in_ten_thousand_is_not_worth_a_word(void **state)
{
    struct fixture *f = *state;
    feed_camera(f, 25, 50, 70000);
    gw_survey_lost(&f->survey, 1);
    assert_null(strstr(advice(f), "network"));
}

static void time_stamps_that_say_another_frame_rate_than_comes_are_told(void **state)
{
    struct fixture *f = *state;
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_HIGH, 25);
    for (int i = 0; !gw_survey_is_enough(&f->survey); i++)
        feed_late(f, i % 30 == 0, i * GW_SECOND / 25, i * GW_SECOND / 15, i % 30 ? 1000 : 20000);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_true(fabs(result.frame_rate - 15) < 0.01 && fabs(result.ticks_rate - 25) < 0.01);
    assert_int_equal(result.gop_us, 2 * GW_SECOND);
    assert_advice(f, "its time stamps say 25.0 pictures a second, and 15.0 come");
}

static void a_declared_frame_rate_that_is_not_kept_is_told(void **state)
{
    struct fixture *f = *state;
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_HIGH, 25);
    feed_camera(f, 12, 24, 5000);
    assert_advice(f, "it declares 25.0 pictures a second, and 12.0 come");
}

static void profiles_that_waste_or_that_browsers_cannot_play_are_told(void **state)
{
    struct fixture *f = *state;
    feed_camera(f, 25, 50, 5000);
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_CONSTRAINED_BASELINE, 0);
    assert_advice(f, "Baseline needs more bits");
    use(f, AV_CODEC_ID_H264, FF_PROFILE_H264_HIGH_422, 0);
    assert_advice(f, "browsers cannot play");
    use(f, AV_CODEC_ID_HEVC, FF_PROFILE_HEVC_MAIN_10, 0);
    assert_advice(f, "browsers cannot play");
    assert_int_equal(gw_survey_finish(&f->survey).parameter_changes, 2);
}

static void a_single_packet_has_no_rates(void **state)
{
    struct fixture *f = *state;
    feed(f, true, 0, 100);
    struct gw_survey_result result = gw_survey_finish(&f->survey);
    assert_true(result.frame_rate == 0 && result.bit_rate == 0 && result.ticks_rate == 0);
    assert_int_equal(result.clock_offset_us, GW_NO_TIME);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(whole_gops_give_rates_and_interval),
        FACT(a_camera_as_it_should_be_gets_no_advice),
        FACT(no_second_keyframe_in_sight_ends_after_ten_seconds),
        FACT(very_short_gops_are_watched_for_five_seconds_and_advised_against),
        FACT(a_high_bit_rate_is_advised_against),
        FACT(h265_is_advice_where_h264_needs_much),
        FACT(a_constant_bit_rate_is_recognised_and_advised_against),
        FACT(a_still_scene_at_a_variable_bit_rate_is_not_called_constant),
        FACT(a_moving_scene_at_a_variable_bit_rate_is_not_called_constant),
        FACT(b_frames_and_a_wrong_clock_are_seen),
        FACT(lost_packets_and_useless_pictures_come_first),
        FACT(one_packet_in_ten_thousand_is_not_worth_a_word),
        FACT(time_stamps_that_say_another_frame_rate_than_comes_are_told),
        FACT(a_declared_frame_rate_that_is_not_kept_is_told),
        FACT(profiles_that_waste_or_that_browsers_cannot_play_are_told),
        FACT(a_single_packet_has_no_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
