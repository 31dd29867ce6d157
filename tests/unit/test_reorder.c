// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <libavutil/intreadwrite.h>

#include "core/clock.h"
#include "ingest/reorder.h"

static struct gw_reorder *reorder;
static int64_t now_us;

static int set_up(void **state)
{
    now_us = 1000 * GW_SECOND;
    return gw_reorder_create(&reorder);
}

static int tear_down(void **state)
{
    gw_reorder_destroy(&reorder);
    assert_null(reorder);
    return 0;
}

static void put(uint16_t sequence)
{
    uint8_t *room = gw_reorder_room(reorder);
    assert_non_null(room);
    room[0] = 0x80;
    AV_WB16(room + 2, sequence);
    gw_reorder_put(reorder, 100, now_us);
}

// The number of the packet that comes out, -1 when none does.
static int take(void)
{
    size_t size = 0;
    const uint8_t *bytes = gw_reorder_take(reorder, now_us, &size);
    if (bytes)
        assert_int_equal(size, 100);
    return bytes ? AV_RB16(bytes + 2) : -1;
}

static void what_comes_in_order_goes_out_at_once(void **state)
{
    for (int i = 65500; i < 65500 + 1000; i++) {
        put((uint16_t)i);
        assert_int_equal(take(), i & 0xffff);
        assert_int_equal(take(), -1);
    }
    assert_true(gw_reorder_due_us(reorder) == INT64_MAX);
}

static void two_that_changed_places_are_put_right(void **state)
{
    put(65534);
    assert_int_equal(take(), 65534);
    put(0);
    assert_int_equal(take(), -1);
    put(65535);
    assert_int_equal(take(), 65535);
    assert_int_equal(take(), 0);
    assert_int_equal(take(), -1);
}

static void a_hole_is_waited_for_a_tenth_of_a_second(void **state)
{
    put(1);
    assert_int_equal(take(), 1);
    put(3);
    const int64_t due_us = gw_reorder_due_us(reorder);
    assert_true(due_us == now_us + GW_REORDER_WAIT_US);
    now_us = due_us - 1;
    put(4);
    assert_int_equal(take(), -1);
    now_us = due_us;
    assert_int_equal(take(), 3);
    assert_int_equal(take(), 4);
    assert_int_equal(take(), -1);
    assert_true(gw_reorder_due_us(reorder) == INT64_MAX);
}

static void each_hole_is_waited_for_on_its_own(void **state)
{
    put(1);
    assert_int_equal(take(), 1);
    put(3);
    now_us += GW_REORDER_WAIT_US / 2;
    put(5);
    now_us += GW_REORDER_WAIT_US / 2;
    assert_int_equal(take(), 3);
    assert_int_equal(take(), -1);
    put(4);
    assert_int_equal(take(), 4);
    assert_int_equal(take(), 5);
}

static void a_duplicate_goes_out_and_disturbs_nothing(void **state)
{
    put(10);
    put(10);
    put(11);
    assert_int_equal(take(), 10);
    assert_int_equal(take(), 11);
    assert_int_equal(take(), 10); // which is behind, as its reader sees
    assert_int_equal(take(), -1);
    put(12);
    assert_int_equal(take(), 12);
}

static void one_that_is_too_late_does_not_move_the_count(void **state)
{
    put(10);
    assert_int_equal(take(), 10);
    put(12);
    now_us += GW_REORDER_WAIT_US;
    assert_int_equal(take(), 12);
    put(11);
    assert_int_equal(take(), 11);
    put(13);
    assert_int_equal(take(), 13);
}

static void a_count_that_begins_anew_is_followed(void **state)
{
    put(40000);
    assert_int_equal(take(), 40000);
    put(5);
    put(6);
    assert_int_equal(take(), -1);
    now_us += GW_REORDER_WAIT_US;
    assert_int_equal(take(), 5);
    assert_int_equal(take(), 6);
    put(7);
    assert_int_equal(take(), 7);
}

static void when_it_is_full_nothing_waits_and_nothing_is_lost(void **state)
{
    put(0);
    assert_int_equal(take(), 0);
    for (int i = 0; i < GW_REORDER_SLOTS; i++)
        put((uint16_t)(2 + i));
    assert_null(gw_reorder_room(reorder));
    for (int i = 0; i < GW_REORDER_SLOTS; i++)
        assert_int_equal(take(), 2 + i);
    assert_int_equal(take(), -1);
    assert_non_null(gw_reorder_room(reorder));
}

static void what_is_no_rtp_is_let_go(void **state)
{
    uint8_t *room = gw_reorder_room(reorder);
    room[0] = 0x80;
    gw_reorder_put(reorder, 11, now_us);
    gw_reorder_put(reorder, 0, now_us);
    room = gw_reorder_room(reorder);
    room[0] = 0x40;
    gw_reorder_put(reorder, 100, now_us);
    assert_int_equal(take(), -1);
    put(9);
    assert_int_equal(take(), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_in_order_goes_out_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_that_changed_places_are_put_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hole_is_waited_for_a_tenth_of_a_second, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_hole_is_waited_for_on_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_duplicate_goes_out_and_disturbs_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_too_late_does_not_move_the_count, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_count_that_begins_anew_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_it_is_full_nothing_waits_and_nothing_is_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_rtp_is_let_go, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
