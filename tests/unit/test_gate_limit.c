// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "analyze/gate_limit.h"
#include "core/clock.h"

// An event as is expected of one that nobody has seen.
static const double expected = 8;

// Knows so many quiet seconds, whose largest signals lie between 0.5 and 1.5.
static struct gw_gate_limit after_quiet(int seconds)
{
    struct gw_gate_limit limit;

    gw_gate_limit_init(&limit);
    for (int i = 0; i < seconds; i++)
        gw_gate_limit_add_second(&limit, 0.5 + i * 7 % 11 / 10.0, expected);
    return limit;
}

static void without_eight_quiet_seconds_there_is_none(void **state)
{
    struct gw_gate_limit limit = after_quiet(7);
    assert_false(gw_gate_limit_ready(&limit));
    assert_true(isnan(limit.value));
    gw_gate_limit_add_second(&limit, 1, expected);
    assert_true(gw_gate_limit_ready(&limit));
    assert_false(isnan(limit.value));
}

static void it_lies_above_quiet_and_below_half_of_what_an_event_should_show(void **state)
{
    const struct gw_gate_limit limit = after_quiet(90);
    assert_true(limit.value >= 1.5);
    assert_true(limit.value <= expected / 2);
    assert_true(gw_gate_limit_false_share(&limit) <= 0.005);
}

static void gusts_do_not_raise_it_above_half_of_the_weakest_event(void **state)
{
    struct gw_gate_limit limit = after_quiet(60);
    gw_gate_limit_add_event(&limit, 0, 6, expected);
    for (int i = 0; i < 5; i++)
        gw_gate_limit_add_second(&limit, 9, expected);
    assert_true(limit.value <= 3);
    assert_int_equal(gw_gate_limit_missed(&limit), 0);
    assert_true(gw_gate_limit_false_share(&limit) > 0.05);
}

static void it_is_lowered_when_events_stay_below_it(void **state)
{
    struct gw_gate_limit limit = after_quiet(90);
    const double before = limit.value;
    gw_gate_limit_add_event(&limit, 0, 1.45, expected);
    assert_true(limit.value < before);
    assert_true(limit.value <= 1.45);
    assert_int_equal(gw_gate_limit_missed(&limit), 0);
}

static void an_event_that_is_like_quiet_stays_missed(void **state)
{
    struct gw_gate_limit limit = after_quiet(90);
    gw_gate_limit_add_event(&limit, 0, 0.2, expected);
    assert_int_equal(gw_gate_limit_missed(&limit), 1);
}

static void events_of_more_than_an_hour_ago_are_forgotten(void **state)
{
    struct gw_gate_limit limit = after_quiet(90);
    gw_gate_limit_add_event(&limit, 0, 0.2, expected);
    gw_gate_limit_add_event(&limit, 1800 * GW_SECOND, 5, expected);
    gw_gate_limit_forget(&limit, 3599 * GW_SECOND);
    assert_int_equal(limit.event_count, 2);
    gw_gate_limit_forget(&limit, 3601 * GW_SECOND);
    assert_int_equal(limit.event_count, 1);
    assert_int_equal(gw_gate_limit_missed(&limit), 0);
}

static void more_events_than_there_is_room_for_push_out_the_oldest(void **state)
{
    struct gw_gate_limit limit = after_quiet(90);
    gw_gate_limit_add_event(&limit, 0, 0.2, expected);
    for (int i = 1; i <= GW_GATE_EVENTS; i++)
        gw_gate_limit_add_event(&limit, i * GW_SECOND, 5, expected);
    assert_int_equal(limit.event_count, GW_GATE_EVENTS);
    assert_int_equal(gw_gate_limit_missed(&limit), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_eight_quiet_seconds_there_is_none),
        cmocka_unit_test(it_lies_above_quiet_and_below_half_of_what_an_event_should_show),
        cmocka_unit_test(gusts_do_not_raise_it_above_half_of_the_weakest_event),
        cmocka_unit_test(it_is_lowered_when_events_stay_below_it),
        cmocka_unit_test(an_event_that_is_like_quiet_stays_missed),
        cmocka_unit_test(events_of_more_than_an_hour_ago_are_forgotten),
        cmocka_unit_test(more_events_than_there_is_room_for_push_out_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
