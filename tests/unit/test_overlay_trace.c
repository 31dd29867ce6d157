// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <math.h>

#include "app/overlay_trace.h"

static void add_packet(struct gw_overlay_trace *trace, int64_t wall_us, double signal)
{
    gw_overlay_trace_packet(
        trace, &(struct gw_packet_trace){.wall_us = wall_us, .signal = signal, .limit = NAN});
}

static void add_picture(struct gw_overlay_trace *trace, int64_t wall_us, bool open)
{
    gw_overlay_trace_picture(trace, &(struct gw_picture_trace){.wall_us = wall_us, .open = open});
}

static void packets_are_found_by_capture_time_in_whatever_order_they_came(void **state)
{
    struct gw_overlay_trace trace = {0};
    size_t count;
    add_packet(&trace, 0, 1);
    add_packet(&trace, 120000, 2);
    add_packet(&trace, 40000, 3);
    add_packet(&trace, 80000, 4);
    assert_int_equal(gw_overlay_trace_settle(&trace), 0);
    assert_true(gw_overlay_trace_packet_at(&trace, 40000)->signal == 3);
    assert_true(gw_overlay_trace_packet_at(&trace, 120001)->signal == 2);
    assert_null(gw_overlay_trace_packet_at(&trace, 60000));
    const struct gw_packet_trace *packets = gw_overlay_trace_packets(&trace, 40000, 80000, &count);
    assert_int_equal(count, 2);
    assert_true(packets[0].signal == 3 && packets[1].signal == 4);
    assert_null(gw_overlay_trace_packets(&trace, 200000, 300000, &count));
    assert_int_equal(count, 0);
    gw_overlay_trace_finish(&trace);
}

static void the_picture_at_a_time_is_the_last_looked_at_by_then(void **state)
{
    struct gw_overlay_trace trace = {0};
    assert_null(gw_overlay_trace_picture_at(&trace, 0));
    for (int i = 0; i < 1000; i++)
        add_picture(&trace, i * 50000, false);
    assert_int_equal(gw_overlay_trace_settle(&trace), 0);
    assert_null(gw_overlay_trace_picture_at(&trace, -50000));
    assert_int_equal(gw_overlay_trace_picture_at(&trace, 0)->wall_us, 0);
    assert_int_equal(gw_overlay_trace_picture_at(&trace, 74000)->wall_us, 50000);
    assert_int_equal(gw_overlay_trace_picture_at(&trace, 90000000)->wall_us, 999 * 50000);
    gw_overlay_trace_finish(&trace);
}

static void signals_that_are_unknown_have_no_extent(void **state)
{
    struct gw_overlay_trace trace = {0};
    add_packet(&trace, 0, NAN);
    assert_true(trace.lowest == 0 && trace.highest == 0);
    add_packet(&trace, 1, -2);
    add_packet(&trace, 2, 7);
    assert_true(trace.lowest == -2 && trace.highest == 7);
    gw_overlay_trace_finish(&trace);
}

static void tell(struct gw_overlay_trace *trace, enum gw_event_phase phase, int id,
                 int64_t start_us, int64_t end_us, double score)
{
    struct gw_event event = {
        .start_us = start_us, .confirmed_us = start_us + 300000, .end_us = end_us, .score = score};
    event.id.bytes[0] = (uint8_t)id;
    gw_overlay_trace_event(trace, phase, &event);
}

static void an_event_begins_moves_pauses_and_is_gone(void **state)
{
    struct gw_overlay_trace trace = {0};
    struct gw_trace_event event;
    double score;
    tell(&trace, GW_EVENT_PHASE_OPENED, 1, 1000000, 1300000, 0.1);
    tell(&trace, GW_EVENT_PHASE_UPDATED, 1, 1000000, 2000000, 0.5);
    tell(&trace, GW_EVENT_PHASE_CLOSED, 1, 1000000, 3000000, 0.9);
    for (int64_t us = 0; us < 10000000; us += 100000)
        add_picture(&trace, us, us >= 1300000 && us < 5500000);
    assert_int_equal(gw_overlay_trace_settle(&trace), 0);
#define at(us) gw_overlay_trace_event_at(&trace, us, &event, &score)
    assert_int_equal(at(900000), GW_MOMENT_NONE);
    assert_int_equal(at(1000000), GW_MOMENT_BEGINS);
    assert_int_equal(at(1300000), GW_MOMENT_MOVES);
    assert_true(score == 0.1);
    assert_int_equal(at(2500000), GW_MOMENT_MOVES);
    assert_true(score == 0.5);
    assert_int_equal(at(3000000), GW_MOMENT_MOVES);
    assert_int_equal(at(3100000), GW_MOMENT_PAUSES);
    assert_true(score == 0.9);
    assert_int_equal(event.start_us, 1000000);
    assert_int_equal(at(5499999), GW_MOMENT_PAUSES);
    assert_int_equal(at(5500000), GW_MOMENT_NONE);
    gw_overlay_trace_finish(&trace);
}

static void a_split_event_goes_over_into_the_next(void **state)
{
    struct gw_overlay_trace trace = {0};
    struct gw_trace_event event;
    double score;
    tell(&trace, GW_EVENT_PHASE_OPENED, 1, 0, 300000, 0.2);
    tell(&trace, GW_EVENT_PHASE_CLOSED, 1, 0, 1000000, 0.3);
    tell(&trace, GW_EVENT_PHASE_OPENED, 2, 1100000, 1400000, 0.4);
    for (int64_t us = 0; us < 2000000; us += 100000)
        add_picture(&trace, us, us >= 300000);
    assert_int_equal(gw_overlay_trace_settle(&trace), 0);
    assert_int_equal(at(1050000), GW_MOMENT_PAUSES);
    assert_int_equal(event.start_us, 0);
    assert_int_equal(at(1100000), GW_MOMENT_BEGINS);
    assert_int_equal(event.start_us, 1100000);
    // The file ends while it is open.
    assert_int_equal(at(60000000), GW_MOMENT_PAUSES);
    gw_overlay_trace_finish(&trace);
}

static void a_fault_of_the_camera_is_no_motion_and_does_not_end_it(void **state)
{
    struct gw_overlay_trace trace = {0};
    struct gw_trace_event event;
    double score;
    struct gw_event fault = {
        .id.bytes = {9}, .kind = GW_EVENT_COVERED, .start_us = 500000, .end_us = 900000};
    tell(&trace, GW_EVENT_PHASE_OPENED, 1, 0, 300000, 0.2);
    gw_overlay_trace_event(&trace, GW_EVENT_PHASE_OPENED, &fault);
    fault.end_us = 5000000;
    gw_overlay_trace_event(&trace, GW_EVENT_PHASE_CLOSED, &fault);
    tell(&trace, GW_EVENT_PHASE_CLOSED, 1, 0, 1000000, 0.3);
    for (int64_t us = 0; us < 6000000; us += 100000)
        add_picture(&trace, us, us >= 300000 && us < 2000000);
    assert_int_equal(gw_overlay_trace_settle(&trace), 0);
    assert_int_equal(at(800000), GW_MOMENT_MOVES);
    assert_int_equal(at(1900000), GW_MOMENT_PAUSES);
    assert_int_equal(at(3000000), GW_MOMENT_NONE);
    assert_null(gw_overlay_trace_fault_at(&trace, 400000));
    assert_int_equal(gw_overlay_trace_fault_at(&trace, 500000)->kind, GW_EVENT_COVERED);
    assert_int_equal(gw_overlay_trace_fault_at(&trace, 5000000)->end_us, 5000000);
    assert_null(gw_overlay_trace_fault_at(&trace, 5000001));
    gw_overlay_trace_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_found_by_capture_time_in_whatever_order_they_came),
        cmocka_unit_test(the_picture_at_a_time_is_the_last_looked_at_by_then),
        cmocka_unit_test(signals_that_are_unknown_have_no_extent),
        cmocka_unit_test(an_event_begins_moves_pauses_and_is_gone),
        cmocka_unit_test(a_split_event_goes_over_into_the_next),
        cmocka_unit_test(a_fault_of_the_camera_is_no_motion_and_does_not_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
