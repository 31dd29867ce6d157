// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "core/clock.h"
#include "core/error.h"
#include "ingest/deadline.h"

static struct gw_deadline make(enum gw_phase phase)
{
    struct gw_deadline deadline = {.connect_us = 10 * GW_SECOND, .stall_us = 5 * GW_SECOND};
    gw_deadline_enter(&deadline, phase, 1000);
    return deadline;
}

static void connecting_may_take_the_connect_timeout(void **state)
{
    struct gw_deadline deadline = make(GW_PHASE_CONNECTING);
    assert_int_equal(gw_deadline_check(&deadline, 1000 + 10 * GW_SECOND - 1), 0);
    assert_int_equal(gw_deadline_check(&deadline, 1000 + 10 * GW_SECOND), -ETIMEDOUT);
}

static void a_playing_session_is_stalled_five_seconds_after_its_last_frame(void **state)
{
    struct gw_deadline deadline = make(GW_PHASE_STARTING);
    gw_deadline_enter(&deadline, GW_PHASE_PLAYING, GW_SECOND);
    for (int64_t now_us = GW_SECOND; now_us < 100 * GW_SECOND; now_us += 4 * GW_SECOND) {
        assert_int_equal(gw_deadline_check(&deadline, now_us), 0);
        gw_deadline_frame(&deadline, now_us);
    }
    gw_deadline_frame(&deadline, 100 * GW_SECOND);
    assert_int_equal(gw_deadline_check(&deadline, 105 * GW_SECOND - 1), 0);
    assert_int_equal(gw_deadline_check(&deadline, 105 * GW_SECOND), GW_ERROR_STALLED);
}

static void silence_after_play_is_a_stall_even_before_the_first_frame(void **state)
{
    struct gw_deadline deadline = make(GW_PHASE_STARTING);
    assert_int_equal(gw_deadline_check(&deadline, 1000 + 5 * GW_SECOND), GW_ERROR_STALLED);
}

static void a_camera_with_a_long_gop_has_two_minutes_for_its_first_keyframe(void **state)
{
    struct gw_deadline deadline = make(GW_PHASE_STARTING);
    gw_deadline_frame(&deadline, 119 * GW_SECOND);
    assert_int_equal(gw_deadline_check(&deadline, 120 * GW_SECOND), 0);
    gw_deadline_frame(&deadline, 120 * GW_SECOND);
    assert_int_equal(gw_deadline_check(&deadline, 121 * GW_SECOND), GW_ERROR_INVALID);
}

static void it_is_known_beforehand_when_time_will_be_up(void **state)
{
    struct gw_deadline deadline = make(GW_PHASE_CONNECTING);
    for (int phase = GW_PHASE_CONNECTING; phase <= GW_PHASE_PLAYING; phase++) {
        gw_deadline_enter(&deadline, (enum gw_phase)phase, GW_SECOND);
        const int64_t due_us = gw_deadline_due_us(&deadline);
        assert_int_equal(gw_deadline_check(&deadline, due_us - 1), 0);
        assert_int_not_equal(gw_deadline_check(&deadline, due_us), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_may_take_the_connect_timeout),
        cmocka_unit_test(a_playing_session_is_stalled_five_seconds_after_its_last_frame),
        cmocka_unit_test(silence_after_play_is_a_stall_even_before_the_first_frame),
        cmocka_unit_test(a_camera_with_a_long_gop_has_two_minutes_for_its_first_keyframe),
        cmocka_unit_test(it_is_known_beforehand_when_time_will_be_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
