// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which level a camera is worked at, for invented evidence.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/level.h"
#include "core/clock.h"

#define BEGIN_US (INT64_C(1777863721) * GW_SECOND)

// A gate that is expected to see things and seldom triggers; GOPs of 4 s, too long for keyframes.
static struct gw_level_evidence good_gate(void)
{
    return (struct gw_level_evidence){
        .gate_ready = true,
        .gate = {.quiet_s = 60, .false_share = 0.02, .limit = 1.5, .reach = 4},
        .gop_s = 4,
        .gop_pictures = 100,
    };
}

// The same with GOPs of 2 s, and a gate that sees nothing.
static struct gw_level_evidence good_keyframes(void)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.reach = 1;
    evidence.gop_s = 2;
    evidence.gop_pictures = 50;
    return evidence;
}

static enum gw_level first_choice(const struct gw_level_evidence *evidence)
{
    struct gw_level_chooser chooser;

    gw_level_init(&chooser);
    return gw_level_choose(&chooser, evidence, BEGIN_US);
}

static void without_evidence_everything_is_decoded(void **state)
{
    const struct gw_level_evidence nothing = {0};
    struct gw_level_chooser chooser;

    gw_level_init(&chooser);
    assert_int_equal(chooser.level, GW_LEVEL_FULL);
    for (int s = 0; s < 100; s++)
        assert_int_equal(gw_level_choose(&chooser, &nothing, BEGIN_US + s * GW_SECOND),
                         GW_LEVEL_FULL);
    assert_true(chooser.cases[GW_LEVEL_FULL].good);
    assert_false(chooser.cases[GW_LEVEL_GATE].good);
    assert_false(chooser.cases[GW_LEVEL_KEYFRAMES].good);
    assert_float_equal(chooser.cases[GW_LEVEL_GATE].miss_high, 1, 0);
}

static void a_gate_that_sees_enough_is_used(void **state)
{
    const struct gw_level_evidence evidence = good_gate();

    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

static void a_gate_that_is_not_ready_is_not_used(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate_ready = false;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void little_quiet_is_not_enough_for_the_gate(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.quiet_s = 7.9;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gate.quiet_s = 8;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

static void keyframes_begin_after_three_seconds_without_the_least(void **state)
{
    struct gw_level_evidence evidence = good_keyframes();

    evidence.gate_ready = false;
    evidence.gate = (struct gw_gate_evidence){0};
    evidence.first_quiet_s = 2;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.first_quiet_s = 3;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_KEYFRAMES);
    evidence.gop_s = 2.6; // too long for something to show in one surely
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void keyframes_that_began_so_are_left_at_once_when_something_moves(void **state)
{
    struct gw_level_evidence evidence = good_keyframes();
    struct gw_level_chooser chooser;

    evidence.gate = (struct gw_gate_evidence){.quiet_s = 4};
    evidence.first_quiet_s = 3;
    gw_level_init(&chooser);
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US), GW_LEVEL_KEYFRAMES);
    evidence.first_quiet_s = 0;
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US + 2 * GW_SECOND), GW_LEVEL_FULL);
    evidence.gate.quiet_s = 8;
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US + 4 * GW_SECOND),
                     GW_LEVEL_KEYFRAMES);
}

static void with_two_events_half_of_the_quiet_is_enough_for_the_gate(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.quiet_s = 4;
    evidence.gate.events = 1;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gate.events = 2;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

static void events_outweigh_what_is_expected_of_a_gate(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.reach = 0.5 * evidence.gate.limit;
    evidence.gate.events = 2;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gate.events = 3;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

// A gate that triggers in 0.105 of quiet seconds does so in 1 - 0.895^2.3 = 0.225 of events by
// luck: three in 0.0114 of cases, four in 0.0026.
static void a_gate_is_not_proven_by_luck(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.reach = 0.5 * evidence.gate.limit;
    evidence.gate.false_share = 0.105;
    evidence.gate.events = 3;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gate.events = 4;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

static void one_event_missed_in_twenty_is_allowed_and_two_are_not(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.events = 20;
    evidence.gate.missed = 1;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
    evidence.gate.missed = 2;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void constant_bitrate_with_noise_leaves_the_gate(void **state)
{
    struct gw_level_evidence evidence = good_gate();
    struct gw_level_chooser chooser;

    gw_level_init(&chooser);
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US), GW_LEVEL_GATE);
    // Noise takes the whole rate: a thing adds less than the limit that the noise asks for.
    evidence.gate.limit = 3;
    evidence.gate.reach = 0.7;
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US + GW_SECOND), GW_LEVEL_FULL);
    evidence.gop_s = 2;
    evidence.gop_pictures = 50;
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US + 3 * GW_SECOND),
                     GW_LEVEL_KEYFRAMES);
}

static void a_gate_that_triggers_a_third_of_the_time_is_left(void **state)
{
    struct gw_level_evidence evidence = good_gate();

    evidence.gate.false_share = 0.12; // 0.02 + 0.12 * (2 + 1) s
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gate.false_share = 0.1;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_GATE);
}

static void keyframes_far_apart_need_events_as_proof(void **state)
{
    struct gw_level_evidence evidence = good_keyframes();

    evidence.gop_s = 4;
    evidence.gop_pictures = 100;
    evidence.key_events = 2;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.key_events = 3;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_KEYFRAMES);
    evidence.key_missed = 1;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void keyframes_that_are_most_of_the_stream_save_nothing(void **state)
{
    struct gw_level_evidence evidence = good_keyframes();

    evidence.gop_pictures = 8; // 6.5 / 8
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
    evidence.gop_pictures = 50;
    evidence.key_false_share = 0.4; // 6.5 / 50 + 2 * 0.4
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void an_unknown_gop_is_not_trusted(void **state)
{
    struct gw_level_evidence evidence = good_keyframes();

    evidence.gop_s = evidence.gop_pictures = 0;
    evidence.key_events = 5;
    assert_int_equal(first_choice(&evidence), GW_LEVEL_FULL);
}

static void a_level_that_missed_an_event_is_left_at_once(void **state)
{
    struct gw_level_evidence evidence = good_gate();
    struct gw_level_chooser chooser;

    gw_level_init(&chooser);
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US), GW_LEVEL_GATE);
    evidence.gate.events = evidence.gate.missed = 1;
    assert_int_equal(gw_level_choose(&chooser, &evidence, BEGIN_US + 1), GW_LEVEL_FULL);
}

static void a_level_that_only_seems_better_has_to_wait(void **state)
{
    const struct gw_level_evidence gate = good_gate();
    const struct gw_level_evidence keyframes = good_keyframes();
    struct gw_level_evidence both = good_keyframes();
    struct gw_level_chooser chooser;

    both.gate.reach = gate.gate.reach;
    gw_level_init(&chooser);
    assert_int_equal(gw_level_choose(&chooser, &keyframes, BEGIN_US), GW_LEVEL_KEYFRAMES);
    assert_int_equal(gw_level_choose(&chooser, &both, BEGIN_US + 19 * GW_SECOND),
                     GW_LEVEL_KEYFRAMES);
    assert_int_equal(gw_level_choose(&chooser, &both, BEGIN_US + 20 * GW_SECOND), GW_LEVEL_GATE);
}

static void a_clock_that_was_set_back_does_not_hold_a_level_for_ever(void **state)
{
    const struct gw_level_evidence keyframes = good_keyframes();
    struct gw_level_evidence both = good_keyframes();
    struct gw_level_chooser chooser;

    both.gate.reach = 4;
    gw_level_init(&chooser);
    gw_level_choose(&chooser, &keyframes, BEGIN_US);
    const int64_t back_us = BEGIN_US - 3600 * GW_SECOND;
    assert_int_equal(gw_level_choose(&chooser, &both, back_us), GW_LEVEL_KEYFRAMES);
    assert_int_equal(gw_level_choose(&chooser, &both, back_us + 20 * GW_SECOND), GW_LEVEL_GATE);
}

// Wilson's interval by hand, z = 1.2816, z^2 = 1.64250. 0 of n: z^2 / (n + z^2). n of n: 1. 5 of
// 10: (0.5 + 0.0821249 + 1.2816 * sqrt((0.25 + 0.0410625) / 10)) / 1.164250.
static void the_bound_of_the_miss_rate_is_wilsons(void **state)
{
    static const struct {
        int missed, events;
        double high;
    } known[] = {{0, 0, 1}, {0, 1, 0.62157},  {0, 2, 0.45092}, {0, 10, 0.14108},
                 {1, 1, 1}, {5, 10, 0.68781}, {10, 10, 1},     {0, 64, 0.02502}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct gw_level_evidence evidence = good_gate();
        struct gw_level_chooser chooser;
        evidence.gate.events = evidence.key_events = known[i].events;
        evidence.gate.missed = evidence.key_missed = known[i].missed;
        gw_level_init(&chooser);
        gw_level_choose(&chooser, &evidence, BEGIN_US);
        assert_float_equal(chooser.cases[GW_LEVEL_GATE].miss_high, known[i].high, 2e-5);
        assert_float_equal(chooser.cases[GW_LEVEL_KEYFRAMES].miss_high, known[i].high, 2e-5);
        assert_int_equal(chooser.cases[GW_LEVEL_GATE].judged, known[i].events);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_evidence_everything_is_decoded),
        cmocka_unit_test(a_gate_that_sees_enough_is_used),
        cmocka_unit_test(a_gate_that_is_not_ready_is_not_used),
        cmocka_unit_test(little_quiet_is_not_enough_for_the_gate),
        cmocka_unit_test(keyframes_begin_after_three_seconds_without_the_least),
        cmocka_unit_test(keyframes_that_began_so_are_left_at_once_when_something_moves),
        cmocka_unit_test(with_two_events_half_of_the_quiet_is_enough_for_the_gate),
        cmocka_unit_test(events_outweigh_what_is_expected_of_a_gate),
        cmocka_unit_test(a_gate_is_not_proven_by_luck),
        cmocka_unit_test(one_event_missed_in_twenty_is_allowed_and_two_are_not),
        cmocka_unit_test(constant_bitrate_with_noise_leaves_the_gate),
        cmocka_unit_test(a_gate_that_triggers_a_third_of_the_time_is_left),
        cmocka_unit_test(keyframes_far_apart_need_events_as_proof),
        cmocka_unit_test(keyframes_that_are_most_of_the_stream_save_nothing),
        cmocka_unit_test(an_unknown_gop_is_not_trusted),
        cmocka_unit_test(a_level_that_missed_an_event_is_left_at_once),
        cmocka_unit_test(a_level_that_only_seems_better_has_to_wait),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_hold_a_level_for_ever),
        cmocka_unit_test(the_bound_of_the_miss_rate_is_wilsons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
