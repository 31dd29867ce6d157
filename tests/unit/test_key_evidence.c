// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "analyze/key_evidence.h"
#include "core/clock.h"

static struct gw_key_evidence evidence;

static int set_up(void **state)
{
    gw_key_evidence_init(&evidence);
    return 0;
}

static void saw(double seconds, bool key, bool hint, bool event)
{
    gw_key_evidence_saw(&evidence,
                        &(struct gw_key_picture){.wall_us = (int64_t)(seconds * GW_SECOND),
                                                 .key = key,
                                                 .hint = hint,
                                                 .event = event,
                                                 .whole = true});
}

static void an_event_that_a_keyframe_shows_is_not_missed(void **state)
{
    saw(0, true, false, false);
    saw(1, true, false, true);
    saw(1.04, false, true, true); // the second picture shows what is new
    gw_key_evidence_closed(&evidence, true);
    assert_int_equal(evidence.events, 1);
    assert_int_equal(evidence.missed, 0);
}

static void an_event_between_keyframes_is_missed(void **state)
{
    saw(0, true, false, false);
    saw(0.5, false, true, true);
    saw(2, true, false, true);
    gw_key_evidence_closed(&evidence, true);
    assert_int_equal(evidence.events, 1);
    assert_int_equal(evidence.missed, 1);
}

static void an_event_that_was_not_decoded_whole_is_no_evidence(void **state)
{
    saw(0, true, true, true);
    gw_key_evidence_closed(&evidence, false);
    assert_int_equal(evidence.events, 0);
    gw_key_evidence_closed(&evidence, true); // and what showed it says nothing about the next
    assert_int_equal(evidence.missed, 1);
}

static void a_keyframe_counts_once_however_much_it_seems_to_show(void **state)
{
    saw(0, true, true, false);
    saw(0.04, false, true, false);
    saw(0.08, false, true, false);
    saw(2, true, false, false);
    assert_int_equal(evidence.quiet, 2);
    assert_float_equal(gw_key_evidence_false_share(&evidence), 0.5, 0);
}

static void what_seemed_long_ago_counts_for_less(void **state)
{
    for (int i = 0; i < 256; i++)
        saw(2 * i, true, true, false);
    assert_in_range(evidence.quiet, 128, 255);
    for (int i = 256; i < 640; i++)
        saw(2 * i, true, false, false);
    assert_true(gw_key_evidence_false_share(&evidence) < 0.4);
}

static void quiet_is_the_time_in_which_every_picture_was_looked_at(void **state)
{
    for (int i = 0; i <= 20; i++)
        saw(0.1 * i, false, false, false);
    assert_float_equal(evidence.quiet_s, 2, 1e-3);
    saw(4, true, false, false);
    saw(6, true, false, false);
    assert_float_equal(evidence.quiet_s, 2, 1e-3);
    assert_false(evidence.moved);
}

static void a_hint_begins_quiet_anew_and_an_event_is_remembered(void **state)
{
    for (int i = 0; i <= 20; i++)
        saw(0.1 * i, false, i == 15, false);
    assert_float_equal(evidence.quiet_s, 0.5, 1e-3);
    assert_false(evidence.moved);
    saw(2.1, false, false, true);
    saw(2.2, false, false, false);
    assert_float_equal(evidence.quiet_s, 0.1, 1e-3);
    assert_true(evidence.moved);
    gw_key_evidence_restart(&evidence);
    assert_float_equal(evidence.quiet_s, 0, 0);
    assert_false(evidence.moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_event_that_a_keyframe_shows_is_not_missed, set_up),
        cmocka_unit_test_setup(an_event_between_keyframes_is_missed, set_up),
        cmocka_unit_test_setup(an_event_that_was_not_decoded_whole_is_no_evidence, set_up),
        cmocka_unit_test_setup(a_keyframe_counts_once_however_much_it_seems_to_show, set_up),
        cmocka_unit_test_setup(what_seemed_long_ago_counts_for_less, set_up),
        cmocka_unit_test_setup(quiet_is_the_time_in_which_every_picture_was_looked_at, set_up),
        cmocka_unit_test_setup(a_hint_begins_quiet_anew_and_an_event_is_remembered, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
