// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include "analyze/pace.h"
#include "core/clock.h"

static const int64_t begin_us = 1000 * GW_SECOND;

// A keyframe and the pictures after it.
static void gop(struct gw_pace *pace, int64_t key_us, int pictures)
{
    gw_pace_key(pace, key_us);
    for (int i = 0; i < pictures; i++)
        gw_pace_picture(pace);
}

static void the_first_keyframe_says_nothing_of_gops(void **state)
{
    struct gw_pace pace;

    gw_pace_init(&pace);
    assert_int_equal(pace.key_us, GW_NO_TIME);
    gop(&pace, begin_us, 50);
    assert_int_equal(pace.key_us, begin_us);
    assert_int_equal(pace.gop_us, 0);
    assert_int_equal(pace.gop_pictures, 0);
    assert_int_equal(pace.pictures, 50);
}

static void a_gop_is_known_when_the_next_begins(void **state)
{
    struct gw_pace pace;

    gw_pace_init(&pace);
    gop(&pace, begin_us, 50);
    gop(&pace, begin_us + 2 * GW_SECOND, 7);
    assert_int_equal(pace.gop_us, 2 * GW_SECOND);
    assert_int_equal(pace.longest_us, 2 * GW_SECOND);
    assert_int_equal(pace.gop_pictures, 50);
    assert_int_equal(pace.pictures, 7);
}

static void a_long_gop_is_remembered_and_slowly_forgotten(void **state)
{
    struct gw_pace pace;
    int64_t now_us = begin_us;

    gw_pace_init(&pace);
    gop(&pace, now_us, 1);
    gop(&pace, now_us += 10 * GW_SECOND, 1);
    for (int i = 0; i < 10; i++)
        gop(&pace, now_us += GW_SECOND, 1);
    assert_int_equal(pace.gop_us, GW_SECOND);
    assert_in_range(pace.longest_us, 8 * GW_SECOND, 9 * GW_SECOND);
    for (int i = 0; i < 1000; i++)
        gop(&pace, now_us += GW_SECOND, 1);
    assert_in_range(pace.longest_us, GW_SECOND, GW_SECOND * 21 / 20);
}

static void a_gop_with_missing_packets_has_no_length(void **state)
{
    struct gw_pace pace;

    gw_pace_init(&pace);
    gop(&pace, begin_us, 50);
    gop(&pace, begin_us + 2 * GW_SECOND, 50);
    gw_pace_lost(&pace);
    gop(&pace, begin_us + 60 * GW_SECOND, 50);
    assert_int_equal(pace.gop_us, 2 * GW_SECOND);
    assert_int_equal(pace.longest_us, 2 * GW_SECOND);
}

static void a_clock_that_was_set_back_makes_no_gop(void **state)
{
    struct gw_pace pace;

    gw_pace_init(&pace);
    gop(&pace, begin_us, 50);
    gop(&pace, begin_us + 2 * GW_SECOND, 50);
    gop(&pace, begin_us - 60 * GW_SECOND, 50);
    assert_int_equal(pace.gop_us, 2 * GW_SECOND);
    gop(&pace, begin_us - 57 * GW_SECOND, 50);
    assert_int_equal(pace.gop_us, 3 * GW_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_keyframe_says_nothing_of_gops),
        cmocka_unit_test(a_gop_is_known_when_the_next_begins),
        cmocka_unit_test(a_long_gop_is_remembered_and_slowly_forgotten),
        cmocka_unit_test(a_gop_with_missing_packets_has_no_length),
        cmocka_unit_test(a_clock_that_was_set_back_makes_no_gop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
