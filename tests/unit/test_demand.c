// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/demand.h"
#include "core/clock.h"

#define SECONDS(n) ((n)*GW_SECOND)

static struct gw_demand demand;

static int setup(void **state)
{
    gw_demand_init(&demand, SECONDS(5), SECONDS(6));
    return 0;
}

static void note(enum gw_event_kind kind, enum gw_event_phase phase, int64_t start_s,
                 int64_t confirmed_s, int64_t end_s)
{
    const struct gw_event event = {.kind = kind,
                                   .start_us = SECONDS(start_s),
                                   .confirmed_us = SECONDS(confirmed_s),
                                   .end_us = SECONDS(end_s)};
    gw_demand_note(&demand, phase, &event, demand.until_us != GW_NO_TIME);
}

static void motion_is_recorded_with_what_came_before_and_after(void **state)
{
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_OPENED, 100, 101, 101);
    assert_int_equal(demand.from_us, SECONDS(95));
    assert_int_equal(demand.until_us, INT64_MAX);
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_UPDATED, 100, 101, 105);
    assert_int_equal(demand.until_us, INT64_MAX);
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_CLOSED, 100, 101, 120);
    assert_int_equal(demand.until_us, SECONDS(126));
}

static void a_fault_that_lasts_for_hours_is_recorded_when_it_is_found(void **state)
{
    note(GW_EVENT_COVERED, GW_EVENT_PHASE_OPENED, 100, 111, 111);
    assert_int_equal(demand.from_us, SECONDS(95));
    assert_int_equal(demand.until_us, SECONDS(117));
    gw_demand_settle(&demand);
    note(GW_EVENT_COVERED, GW_EVENT_PHASE_UPDATED, 100, 111, 4000);
    note(GW_EVENT_COVERED, GW_EVENT_PHASE_CLOSED, 100, 111, 9000);
    assert_int_equal(demand.until_us, GW_NO_TIME);
}

static void the_end_of_a_fault_does_not_end_the_recording_of_motion(void **state)
{
    note(GW_EVENT_BLURRED, GW_EVENT_PHASE_OPENED, 100, 112, 112);
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_OPENED, 114, 115, 115);
    note(GW_EVENT_MOVED, GW_EVENT_PHASE_OPENED, 90, 116, 116);
    note(GW_EVENT_BLURRED, GW_EVENT_PHASE_CLOSED, 100, 112, 117);
    note(GW_EVENT_MOVED, GW_EVENT_PHASE_CLOSED, 90, 116, 117);
    assert_int_equal(demand.until_us, INT64_MAX);
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_CLOSED, 114, 115, 130);
    assert_int_equal(demand.until_us, SECONDS(136));
}

static void the_end_of_motion_does_not_cut_off_a_fault(void **state)
{
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_OPENED, 100, 101, 101);
    note(GW_EVENT_BLACK, GW_EVENT_PHASE_OPENED, 102, 110, 110);
    note(GW_EVENT_MOTION, GW_EVENT_PHASE_CLOSED, 100, 101, 102);
    assert_int_equal(demand.until_us, SECONDS(116));
}

static void of_two_events_that_wait_the_recording_begins_with_the_first(void **state)
{
    const struct gw_event fault = {
        .kind = GW_EVENT_MOVED, .start_us = SECONDS(70), .confirmed_us = SECONDS(100)};
    const struct gw_event motion = {.start_us = SECONDS(99), .confirmed_us = SECONDS(100)};

    gw_demand_note(&demand, GW_EVENT_PHASE_OPENED, &fault, false);
    gw_demand_note(&demand, GW_EVENT_PHASE_OPENED, &motion, false);
    assert_int_equal(demand.from_us, SECONDS(65));
    assert_int_equal(demand.until_us, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(motion_is_recorded_with_what_came_before_and_after, setup),
        cmocka_unit_test_setup(a_fault_that_lasts_for_hours_is_recorded_when_it_is_found, setup),
        cmocka_unit_test_setup(the_end_of_a_fault_does_not_end_the_recording_of_motion, setup),
        cmocka_unit_test_setup(the_end_of_motion_does_not_cut_off_a_fault, setup),
        cmocka_unit_test_setup(of_two_events_that_wait_the_recording_begins_with_the_first, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
