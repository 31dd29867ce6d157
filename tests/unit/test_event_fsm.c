// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/event_fsm.h"
#include "core/clock.h"

static const struct gw_motion_result nothing = {0};
static const struct gw_motion_result hint = {.hint = true, .area = 0.001};
static const struct gw_motion_result something = {
    .something = true, .travels = true, .hint = true, .area = 0.01, .zones = 1};
static const struct gw_motion_result in_place = {.something = true, .hint = true, .area = 0.01};

#define FRAME_US (GW_SECOND / 10)

struct fixture {
    struct gw_event_fsm fsm;
    int64_t now_us;
    int opened, closed;
    enum gw_event_step last;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.now_us = 1000 * GW_SECOND};
    gw_event_fsm_init(&f->fsm);
}

static void count(struct fixture *f, enum gw_event_step step)
{
    f->opened += step == GW_EVENT_STEP_OPEN;
    f->closed += step == GW_EVENT_STEP_CLOSE;
    f->last = step;
}

static void feed(struct fixture *f, const struct gw_motion_result *motion, int64_t duration_us)
{
    for (int64_t end_us = f->now_us + duration_us; f->now_us < end_us; f->now_us += FRAME_US)
        count(f, gw_event_fsm_feed(&f->fsm, motion, f->now_us));
}

static void a_flicker_is_no_event(void **state)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 20; i++) {
        feed(&f, &something, 2 * FRAME_US);
        feed(&f, &nothing, GW_SECOND);
    }
    assert_int_equal(f.opened, 0);
}

static void motion_that_lasts_is_confirmed_within_half_a_second(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &nothing, 2 * GW_SECOND);
    const int64_t began_us = f.now_us;
    feed(&f, &something, GW_SECOND);
    assert_int_equal(f.opened, 1);
    assert_true(f.fsm.confirmed_us - began_us <= GW_SECOND / 2);
}

static void what_moves_in_place_must_last_a_second_to_be_an_event(void **state)
{
    struct fixture f;
    begin(&f);
    const int64_t began_us = f.now_us;
    feed(&f, &in_place, GW_SECOND * 9 / 10);
    assert_int_equal(f.opened, 0);
    feed(&f, &in_place, GW_SECOND * 2 / 10);
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.fsm.start_us, began_us);
}

static void what_goes_somewhere_at_last_is_an_event_from_its_first_movement_on(void **state)
{
    struct fixture f;
    begin(&f);
    const int64_t began_us = f.now_us;
    feed(&f, &in_place, GW_SECOND / 2);
    assert_int_equal(f.opened, 0);
    feed(&f, &something, FRAME_US);
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.fsm.start_us, began_us);
}

static void an_event_starts_when_it_began_not_when_it_was_confirmed(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &nothing, 2 * GW_SECOND);
    const int64_t began_us = f.now_us;
    feed(&f, &hint, GW_SECOND);
    feed(&f, &something, GW_SECOND);
    assert_int_equal(f.fsm.start_us, began_us);
    assert_true(f.fsm.confirmed_us > began_us + GW_SECOND);
}

static void hints_alone_are_no_event(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &hint, 60 * GW_SECOND);
    assert_int_equal(f.opened, 0);
}

static void an_event_closes_after_quiet_and_ends_with_its_last_motion(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 4 * GW_SECOND);
    const int64_t last_us = f.now_us - FRAME_US;
    feed(&f, &nothing, GW_EVENT_QUIET_US - 2 * FRAME_US);
    assert_int_equal(f.closed, 0);
    feed(&f, &nothing, GW_SECOND);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.fsm.end_us, last_us);
}

static void a_pause_does_not_split_an_event(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 2 * GW_SECOND);
    const int64_t start_us = f.fsm.start_us;
    feed(&f, &nothing, 2 * GW_SECOND);
    feed(&f, &something, 2 * GW_SECOND);
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.closed, 0);
    assert_int_equal(f.fsm.start_us, start_us);
}

static void what_begins_within_five_seconds_is_the_same_event_and_later_the_next(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 2 * GW_SECOND);
    feed(&f, &nothing, GW_EVENT_QUIET_US - GW_SECOND);
    feed(&f, &something, 2 * GW_SECOND);
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.closed, 0);
    const int64_t last_us = f.now_us - FRAME_US;
    assert_int_equal(f.fsm.end_us, last_us);
    feed(&f, &nothing, GW_EVENT_QUIET_US - FRAME_US);
    const int64_t next_us = f.now_us;
    feed(&f, &something, FRAME_US);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.fsm.end_us, last_us);
    feed(&f, &something, GW_SECOND);
    assert_int_equal(f.opened, 2);
    assert_int_equal(f.fsm.start_us, next_us);
}

static void a_flicker_after_a_pause_does_not_make_an_event_longer(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 2 * GW_SECOND);
    const int64_t last_us = f.now_us - FRAME_US;
    for (int i = 0; i < 2; i++) {
        feed(&f, &nothing, 2 * GW_SECOND);
        feed(&f, &something, FRAME_US);
    }
    feed(&f, &nothing, GW_SECOND);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.fsm.end_us, last_us);
}

static void a_gap_between_keyframes_longer_than_quiet_does_not_split_an_event(void **state)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 8; i++, f.now_us += 6 * GW_SECOND)
        count(&f, gw_event_fsm_feed(&f.fsm, i < 2 || i > 4 ? &nothing : &something, f.now_us));
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.fsm.end_us, f.now_us - 4 * 6 * GW_SECOND);
}

static void a_long_event_is_split_without_a_gap(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, GW_EVENT_LENGTH_US - GW_SECOND);
    assert_int_equal(f.closed, 0);
    const int64_t first_us = f.fsm.start_us;
    feed(&f, &something, 2 * GW_SECOND);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.opened, 2);
    assert_in_range(f.fsm.start_us, first_us + GW_EVENT_LENGTH_US,
                    first_us + GW_EVENT_LENGTH_US + 3 * FRAME_US);
}

static void two_keyframes_with_motion_are_an_event(void **state)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 6; i++, f.now_us += 4 * GW_SECOND)
        count(&f, gw_event_fsm_feed(&f.fsm, i == 2 || i == 3 ? &something : &nothing, f.now_us));
    assert_int_equal(f.opened, 1);
    assert_int_equal(f.closed, 1);
}

static void time_that_goes_backwards_closes_the_event(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 2 * GW_SECOND);
    const int64_t end_us = f.fsm.end_us;
    f.now_us -= GW_SECOND;
    feed(&f, &something, FRAME_US);
    assert_int_equal(f.closed, 1);
    assert_int_equal(f.fsm.end_us, end_us);
}

static void an_event_of_a_lost_camera_closes_when_quiet_has_passed(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, 2 * GW_SECOND);
    count(&f, gw_event_fsm_idle(&f.fsm, f.now_us + GW_SECOND));
    assert_int_equal(f.closed, 0);
    count(&f, gw_event_fsm_idle(&f.fsm, f.now_us + GW_EVENT_QUIET_US));
    count(&f, gw_event_fsm_idle(&f.fsm, f.now_us + 2 * GW_EVENT_QUIET_US));
    assert_int_equal(f.closed, 1);
}

static void the_end_of_the_media_closes_an_open_event_only(void **state)
{
    struct fixture f;
    begin(&f);
    count(&f, gw_event_fsm_end(&f.fsm));
    assert_int_equal(f.closed, 0);
    feed(&f, &something, 2 * GW_SECOND);
    count(&f, gw_event_fsm_end(&f.fsm));
    assert_int_equal(f.closed, 1);
}

static void a_longer_event_scores_higher_and_none_reaches_one(void **state)
{
    struct fixture f;
    begin(&f);
    feed(&f, &something, GW_SECOND);
    const double early = f.fsm.score;
    feed(&f, &something, 60 * GW_SECOND);
    assert_true(early > 0 && f.fsm.score > early && f.fsm.score < 1);
    assert_int_equal(f.fsm.zones, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flicker_is_no_event),
        cmocka_unit_test(motion_that_lasts_is_confirmed_within_half_a_second),
        cmocka_unit_test(what_moves_in_place_must_last_a_second_to_be_an_event),
        cmocka_unit_test(what_goes_somewhere_at_last_is_an_event_from_its_first_movement_on),
        cmocka_unit_test(an_event_starts_when_it_began_not_when_it_was_confirmed),
        cmocka_unit_test(hints_alone_are_no_event),
        cmocka_unit_test(an_event_closes_after_quiet_and_ends_with_its_last_motion),
        cmocka_unit_test(a_pause_does_not_split_an_event),
        cmocka_unit_test(what_begins_within_five_seconds_is_the_same_event_and_later_the_next),
        cmocka_unit_test(a_flicker_after_a_pause_does_not_make_an_event_longer),
        cmocka_unit_test(a_gap_between_keyframes_longer_than_quiet_does_not_split_an_event),
        cmocka_unit_test(a_long_event_is_split_without_a_gap),
        cmocka_unit_test(two_keyframes_with_motion_are_an_event),
        cmocka_unit_test(time_that_goes_backwards_closes_the_event),
        cmocka_unit_test(an_event_of_a_lost_camera_closes_when_quiet_has_passed),
        cmocka_unit_test(the_end_of_the_media_closes_an_open_event_only),
        cmocka_unit_test(a_longer_event_scores_higher_and_none_reaches_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
