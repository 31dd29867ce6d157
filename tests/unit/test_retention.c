// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// How long what is kept, when the clock can be believed, and when the disk will be full.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "storage/forecast.h"
#include "storage/retention.h"
#include "storage/retention_clock.h"

#define S   GW_SECOND
#define H   (3600 * S)
#define DAY GW_DAY_US
#define T   INT64_C(1777863721000000)

// --- rules ---------------------------------------------------------------------------------------

static const struct gw_retention_rules site = {.floor_us = 30 * DAY, .ceiling_us = 90 * DAY};

static struct gw_retention_span clip_span(int camera_days)
{
    return gw_retention_span(&site, GW_NOUN_CLIP, -1, camera_days);
}

static void a_clip_is_due_when_its_first_picture_reaches_the_ceiling(void **state)
{
    assert_true(gw_retention_due_us(clip_span(0), T, T + 300 * S) == T + 90 * DAY);
}

static void without_a_ceiling_nothing_is_ever_due(void **state)
{
    const struct gw_retention_rules rules = {.floor_us = 30 * DAY};
    const struct gw_retention_span span = gw_retention_span(&rules, GW_NOUN_CLIP, -1, 0);
    assert_true(gw_retention_due_us(span, T, T + S) == INT64_MAX);
    assert_true(gw_retention_shortest_us(&rules, GW_NOUN_CLIP, 0) == 0);
}

static void a_camera_with_days_of_its_own_is_kept_for_exactly_those(void **state)
{
    const struct gw_retention_span week = clip_span(7), year = clip_span(365);
    assert_true(week.floor_us == 7 * DAY && week.ceiling_us == 7 * DAY);
    assert_true(year.floor_us == 365 * DAY && year.ceiling_us == 365 * DAY);
    // The last picture has its week, too.
    assert_true(gw_retention_due_us(week, T, T + 300 * S) == T + 300 * S + 7 * DAY);
}

static void a_ceiling_below_the_floor_gives_way(void **state)
{
    const struct gw_retention_rules rules = {.floor_us = 30 * DAY, .ceiling_us = 10 * DAY};
    assert_true(gw_retention_span(&rules, GW_NOUN_CLIP, -1, 0).ceiling_us == 30 * DAY);
}

static void kinds_have_ceilings_of_their_own(void **state)
{
    const struct gw_retention_rules rules = {.floor_us = 30 * DAY,
                                             .ceiling_us = 90 * DAY,
                                             .motion_us = 180 * DAY,
                                             .fault_us = 10 * DAY,
                                             .gap_us = 365 * DAY};
    assert_true(gw_retention_span(&rules, GW_NOUN_EVENT, GW_EVENT_MOTION, 0).ceiling_us ==
                180 * DAY);
    struct gw_retention_span fault = gw_retention_span(&rules, GW_NOUN_EVENT, GW_EVENT_BLACK, 7);
    assert_true(fault.ceiling_us == 10 * DAY && fault.floor_us == 7 * DAY);
    assert_true(gw_retention_span(&rules, GW_NOUN_GAP, -1, 0).ceiling_us == 365 * DAY);
    assert_true(gw_retention_span(&rules, GW_NOUN_CLIP, -1, 0).ceiling_us == 90 * DAY);
    assert_true(gw_retention_shortest_us(&rules, GW_NOUN_EVENT, 0) == 10 * DAY);
    assert_true(gw_retention_shortest_floor_us(&rules, 0) == 10 * DAY);
    assert_true(gw_retention_shortest_floor_us(&rules, 7) == 7 * DAY);
    assert_true(gw_retention_shortest_floor_us(&site, 0) == 30 * DAY);
}

static void the_floor_is_about_the_last_moment(void **state)
{
    assert_true(gw_retention_in_floor(clip_span(0), T + 300 * S, T + 30 * DAY + 299 * S));
    assert_false(gw_retention_in_floor(clip_span(0), T + 300 * S, T + 30 * DAY + 300 * S));
}

// --- the clock -----------------------------------------------------------------------------------

static struct gw_retention_clock under_test;
static struct gw_clock_reading reading;

// Of a site that recorded until T, and has retained until then.
static bool start_at(int64_t wall_us, bool synchronised)
{
    reading = (struct gw_clock_reading){.wall_us = wall_us,
                                        .mono_us = 5000 * S,
                                        .synchronised = synchronised,
                                        .newest_us = T,
                                        .confirmed_us = GW_NO_TIME};
    gw_retention_clock_init(&under_test, T);
    return gw_retention_clock_read(&under_test, &reading);
}

static bool pass(int64_t us)
{
    reading.wall_us += us;
    reading.mono_us += us;
    return gw_retention_clock_read(&under_test, &reading);
}

static bool jump(int64_t us)
{
    reading.wall_us += us;
    return pass(S);
}

static void a_clock_that_goes_on_is_believed(void **state)
{
    assert_true(start_at(T + 10 * S, false));
    for (int i = 0; i < 100; i++)
        assert_true(pass(60 * S));
    assert_true(under_test.now_us == reading.wall_us);
}

static void an_empty_store_believes_any_clock(void **state)
{
    struct gw_clock_reading first = {
        .wall_us = T, .mono_us = S, .newest_us = GW_NO_TIME, .confirmed_us = GW_NO_TIME};
    gw_retention_clock_init(&under_test, GW_NO_TIME);
    assert_true(gw_retention_clock_read(&under_test, &first));
    assert_true(under_test.now_us == T);
}

static void after_a_jump_retention_waits_ten_minutes(void **state)
{
    assert_true(start_at(T, true));
    assert_false(jump(3 * S));
    assert_int_equal(under_test.doubt, GW_CLOCK_JUMPED);
    assert_false(pass(599 * S));
    assert_true(pass(2 * S));
}

static void two_seconds_are_no_jump(void **state)
{
    assert_true(start_at(T, false));
    assert_true(jump(2 * S));
    assert_true(jump(-2 * S));
}

static void a_jump_of_hours_needs_a_time_servers_word(void **state)
{
    assert_true(start_at(T, false));
    assert_false(jump(5 * H));
    for (int i = 0; i < 100; i++)
        assert_false(pass(H));
    reading.synchronised = true;
    assert_true(pass(S));
}

static void a_jump_that_is_taken_back_is_forgotten(void **state)
{
    assert_true(start_at(T, false));
    assert_false(jump(30 * DAY));
    assert_false(jump(-30 * DAY));
    assert_true(pass(700 * S));
}

static void ten_years_ahead_deletes_nothing_whatever_a_time_server_says(void **state)
{
    assert_true(start_at(T, true));
    assert_false(jump(3650 * DAY));
    for (int i = 0; i < 24 * 14; i++)
        assert_false(pass(H));
    assert_true(under_test.now_us <= T + 15 * DAY);

    assert_false(start_at(T + 3650 * DAY, true)); // nor does a restart
    assert_int_equal(under_test.doubt, GW_CLOCK_AHEAD);
    assert_false(pass(48 * H));
}

static void rows_of_a_wrong_clock_do_not_speak_for_it(void **state)
{
    reading = (struct gw_clock_reading){.wall_us = T + 3650 * DAY,
                                        .mono_us = S,
                                        .synchronised = true,
                                        .newest_us = T + 3650 * DAY - S,
                                        .confirmed_us = GW_NO_TIME};
    gw_retention_clock_init(&under_test, T);
    assert_false(gw_retention_clock_read(&under_test, &reading));
    assert_int_equal(under_test.doubt, GW_CLOCK_AHEAD);
}

static void an_administrators_word_is_enough(void **state)
{
    assert_false(start_at(T + 3650 * DAY, false));
    reading.confirmed_us = reading.wall_us;
    assert_true(pass(60 * S));
    assert_true(under_test.now_us == reading.wall_us);
    reading.confirmed_us = GW_NO_TIME;
    assert_true(pass(60 * S));
}

static void a_word_about_another_time_does_not_count(void **state)
{
    assert_false(start_at(T + 3650 * DAY, false));
    reading.confirmed_us = T;
    assert_false(pass(60 * S));
    reading.confirmed_us = reading.wall_us + DAY;
    assert_false(pass(60 * S));
}

static void a_clock_before_the_newest_row_is_not_believed_until_it_is_set(void **state)
{
    assert_false(start_at(T - 2 * DAY, false));
    assert_int_equal(under_test.doubt, GW_CLOCK_BEHIND);
    for (int i = 0; i < 20; i++)
        assert_false(pass(H));
    assert_false(jump(28 * H + 60 * S)); // a time server's reply
    assert_true(pass(601 * S));
}

static void after_days_of_standstill_it_catches_up_a_day_in_an_hour(void **state)
{
    assert_true(start_at(T + 6 * DAY, false));
    assert_true(under_test.now_us == T);
    for (int i = 0; i < 60; i++)
        assert_true(pass(60 * S));
    assert_true(under_test.now_us == T + 25 * H);
    for (int i = 0; i < 60 * 6; i++)
        assert_true(pass(60 * S));
    assert_true(under_test.now_us == reading.wall_us);
}

static void in_doubt_only_the_time_that_passed_counts(void **state)
{
    assert_true(start_at(T, false));
    assert_false(jump(100 * DAY));
    assert_true(under_test.now_us == T + S);
    assert_false(pass(3 * H));
    assert_true(under_test.now_us == T + S + 3 * H);
}

// --- the forecast --------------------------------------------------------------------------------

#define GB INT64_C(1000000000)

static struct gw_forecast_input steady(void)
{
    return (struct gw_forecast_input){.now_us = T,
                                      .floor_us = 30 * DAY,
                                      .ceiling_us = 90 * DAY,
                                      .oldest_us = T - 10 * DAY,
                                      .stored_bytes = 1000 * GB,
                                      .free_bytes = 1000 * GB,
                                      .bytes_per_day = 100e9};
}

static void near(int64_t a_us, int64_t b_us)
{
    assert_true(a_us != GW_NO_TIME && llabs(a_us - b_us) < 60 * S);
}

static void a_disk_that_holds_twenty_days_is_full_in_ten_and_cannot_keep_thirty(void **state)
{
    const struct gw_forecast_input input = steady();
    const struct gw_forecast forecast = gw_forecast(&input);
    near(forecast.full_us, T + 10 * DAY);
    near(forecast.floor_lost_us, T + 10 * DAY);
    assert_true(forecast.days > 19.99 && forecast.days < 20.01);
}

static void a_disk_that_holds_the_ceiling_is_never_full(void **state)
{
    struct gw_forecast_input input = steady();
    input.free_bytes = 8000 * GB;
    const struct gw_forecast forecast = gw_forecast(&input);
    assert_true(forecast.full_us == GW_NO_TIME && forecast.floor_lost_us == GW_NO_TIME);
}

static void between_floor_and_ceiling_it_is_full_but_keeps_its_promise(void **state)
{
    struct gw_forecast_input input = steady();
    input.free_bytes = 4000 * GB;
    const struct gw_forecast forecast = gw_forecast(&input);
    near(forecast.full_us, T + 40 * DAY);
    assert_true(forecast.floor_lost_us == GW_NO_TIME);
}

// 1000 GB in 50 days, 100 GB a day now: when it is full, every day's bytes push out five old days.
static void when_more_comes_in_than_once_did_the_floor_is_lost_some_days_after(void **state)
{
    struct gw_forecast_input input = steady();
    input.oldest_us = T - 50 * DAY;
    input.free_bytes = 0;
    const struct gw_forecast forecast = gw_forecast(&input);
    near(forecast.full_us, T);
    near(forecast.floor_lost_us, T + 5 * DAY);
}

static void without_anything_coming_in_nothing_is_foretold(void **state)
{
    struct gw_forecast_input input = steady();
    input.bytes_per_day = 0;
    const struct gw_forecast forecast = gw_forecast(&input);
    assert_true(forecast.full_us == GW_NO_TIME && forecast.floor_lost_us == GW_NO_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clip_is_due_when_its_first_picture_reaches_the_ceiling),
        cmocka_unit_test(without_a_ceiling_nothing_is_ever_due),
        cmocka_unit_test(a_camera_with_days_of_its_own_is_kept_for_exactly_those),
        cmocka_unit_test(a_ceiling_below_the_floor_gives_way),
        cmocka_unit_test(kinds_have_ceilings_of_their_own),
        cmocka_unit_test(the_floor_is_about_the_last_moment),
        cmocka_unit_test(a_clock_that_goes_on_is_believed),
        cmocka_unit_test(an_empty_store_believes_any_clock),
        cmocka_unit_test(after_a_jump_retention_waits_ten_minutes),
        cmocka_unit_test(two_seconds_are_no_jump),
        cmocka_unit_test(a_jump_of_hours_needs_a_time_servers_word),
        cmocka_unit_test(a_jump_that_is_taken_back_is_forgotten),
        cmocka_unit_test(ten_years_ahead_deletes_nothing_whatever_a_time_server_says),
        cmocka_unit_test(rows_of_a_wrong_clock_do_not_speak_for_it),
        cmocka_unit_test(an_administrators_word_is_enough),
        cmocka_unit_test(a_word_about_another_time_does_not_count),
        cmocka_unit_test(a_clock_before_the_newest_row_is_not_believed_until_it_is_set),
        cmocka_unit_test(after_days_of_standstill_it_catches_up_a_day_in_an_hour),
        cmocka_unit_test(in_doubt_only_the_time_that_passed_counts),
        cmocka_unit_test(a_disk_that_holds_twenty_days_is_full_in_ten_and_cannot_keep_thirty),
        cmocka_unit_test(a_disk_that_holds_the_ceiling_is_never_full),
        cmocka_unit_test(between_floor_and_ceiling_it_is_full_but_keeps_its_promise),
        cmocka_unit_test(when_more_comes_in_than_once_did_the_floor_is_lost_some_days_after),
        cmocka_unit_test(without_anything_coming_in_nothing_is_foretold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
