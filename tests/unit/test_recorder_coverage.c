// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <libavcodec/codec_par.h>

#include "app/recorder_coverage.h"
#include "core/clock.h"

#define FRAME (GW_SECOND / 25)
#define START (1000 * GW_SECOND)

enum { MOST_NEWS = 16 };
static struct gw_recorder_coverage coverage;
static struct gw_stream *stream;
static struct gw_coverage_news told[MOST_NEWS];
static int told_count;

static void take_news(void *opaque, const struct gw_coverage_news *news)
{
    assert_true(told_count < MOST_NEWS);
    told[told_count++] = *news;
}

static void begin(enum gw_record_mode mode)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    told_count = 0;
    assert_int_equal(gw_stream_create(&stream, parameters, 0), 0);
    avcodec_parameters_free(&parameters);
    gw_recorder_coverage_init(&coverage, "gate", mode, START, take_news, NULL);
    gw_recorder_coverage_begin(&coverage);
}

static void end(void)
{
    gw_recorder_coverage_finish(&coverage);
    gw_stream_unref(&stream);
}

static void picture(void (*enter)(struct gw_recorder_coverage *, const struct gw_packet *),
                    int64_t at_us)
{
    AVPacket av = {.pts = at_us, .dts = at_us, .duration = FRAME};
    const struct gw_packet packet = {.av = &av, .stream = stream, .mono_us = at_us};
    enter(&coverage, &packet);
}

static void assert_told(int i, enum gw_coverage_change change, enum gw_gap_cause cause,
                        int64_t from_us)
{
    assert_true(i < told_count);
    assert_string_equal(gw_coverage_change_name(told[i].change), gw_coverage_change_name(change));
    assert_string_equal(gw_gap_cause_name(told[i].cause), gw_gap_cause_name(cause));
    assert_int_equal(told[i].from_us, from_us);
}

static void in_mode_continuous_only_what_is_written_counts(void **state)
{
    begin(GW_RECORD_CONTINUOUS);
    picture(gw_recorder_coverage_received, START);
    assert_int_equal(told_count, 0);
    picture(gw_recorder_coverage_written, START);
    assert_told(0, GW_COVERAGE_BEGAN, GW_GAP_NONE, START);
    assert_int_equal(gw_recorder_coverage_until(&coverage), GW_NO_TIME);
    end();
}

static void in_mode_events_what_is_received_counts(void **state)
{
    begin(GW_RECORD_EVENTS);
    picture(gw_recorder_coverage_received, START);
    assert_told(0, GW_COVERAGE_BEGAN, GW_GAP_NONE, START);
    assert_true(gw_recorder_coverage_until(&coverage) >= START);
    end();
}

static void in_mode_off_nothing_is_told(void **state)
{
    begin(GW_RECORD_OFF);
    picture(gw_recorder_coverage_received, START);
    gw_recorder_coverage_broke(&coverage, GW_GAP_STALLED, 7);
    gw_recorder_coverage_end(&coverage);
    assert_int_equal(told_count, 0);
    end();
}

static void a_session_that_ended_counts_once_all_of_it_is_written(void **state)
{
    begin(GW_RECORD_CONTINUOUS);
    gw_recorder_coverage_broke(&coverage, GW_GAP_STALLED, 7);
    assert_int_equal(gw_recorder_coverage_take_break(&coverage, 6), GW_GAP_NONE);
    assert_int_equal(gw_recorder_coverage_take_break(&coverage, 7), GW_GAP_STALLED);
    assert_int_equal(gw_recorder_coverage_take_break(&coverage, 8), GW_GAP_NONE);
    end();
}

static void of_several_ends_behind_the_same_picture_the_first_one_counts(void **state)
{
    begin(GW_RECORD_CONTINUOUS);
    gw_recorder_coverage_broke(&coverage, GW_GAP_STALLED, 7);
    gw_recorder_coverage_broke(&coverage, GW_GAP_REFUSED, 7);
    assert_int_equal(gw_recorder_coverage_take_break(&coverage, 7), GW_GAP_STALLED);
    gw_recorder_coverage_broke(&coverage, GW_GAP_STALLED, 8);
    gw_recorder_coverage_broke(&coverage, GW_GAP_REFUSED, 9);
    assert_int_equal(gw_recorder_coverage_take_break(&coverage, 9), GW_GAP_REFUSED);
    end();
}

static void what_an_event_could_not_have_is_a_gap_that_names_the_disk(void **state)
{
    begin(GW_RECORD_EVENTS);
    for (int i = 0; i < 50; i++)
        picture(gw_recorder_coverage_received, START + i * FRAME);
    picture(gw_recorder_coverage_written, START);
    gw_recorder_coverage_miss(&coverage, START, -ENOSPC);
    gw_recorder_coverage_enough(&coverage, START + 20 * FRAME);
    assert_told(1, GW_COVERAGE_BROKE, GW_GAP_DISK_FULL, START + FRAME);
    assert_told(2, GW_COVERAGE_BEGAN, GW_GAP_NONE, START + 20 * FRAME);
    end();
}

static void pictures_that_a_slow_disk_lost_are_a_gap_that_names_the_disk(void **state)
{
    begin(GW_RECORD_CONTINUOUS);
    picture(gw_recorder_coverage_written, START);
    gw_recorder_coverage_lapped(&coverage);
    picture(gw_recorder_coverage_written, START + 100 * FRAME);
    assert_told(1, GW_COVERAGE_HOLE, GW_GAP_DISK_FAILED, START + FRAME);
    assert_int_equal(told[1].to_us, START + 100 * FRAME);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_mode_continuous_only_what_is_written_counts),
        cmocka_unit_test(in_mode_events_what_is_received_counts),
        cmocka_unit_test(in_mode_off_nothing_is_told),
        cmocka_unit_test(a_session_that_ended_counts_once_all_of_it_is_written),
        cmocka_unit_test(of_several_ends_behind_the_same_picture_the_first_one_counts),
        cmocka_unit_test(what_an_event_could_not_have_is_a_gap_that_names_the_disk),
        cmocka_unit_test(pictures_that_a_slow_disk_lost_are_a_gap_that_names_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
