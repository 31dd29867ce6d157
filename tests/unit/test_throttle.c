// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first.
#include <cmocka.h>

#include <stdio.h>

#include "console/throttle.h"

static struct gw_throttle throttle;

static int forget_everything(void **state)
{
    throttle = (struct gw_throttle){0};
    return 0;
}

static void fail_often(const char *address, int times, int64_t mono_us)
{
    for (int i = 0; i < times; i++)
        gw_throttle_fail(&throttle, address, mono_us);
}

static void whoever_mistypes_a_few_times_need_not_wait(void **state)
{
    fail_often("10.0.0.1", GW_THROTTLE_TRIES - 1, 1000);
    assert_int_equal(gw_throttle_wait_us(&throttle, "10.0.0.1", 1000), 0);
}

static void whoever_guesses_waits_for_each_further_try(void **state)
{
    fail_often("10.0.0.1", GW_THROTTLE_TRIES, 1000);
    int64_t wait_us = gw_throttle_wait_us(&throttle, "10.0.0.1", 1000);
    assert_in_range(wait_us, GW_THROTTLE_REFILL_US - 10, GW_THROTTLE_REFILL_US + 10);
    assert_int_equal(gw_throttle_wait_us(&throttle, "10.0.0.1", 1000 + wait_us), 0);
    gw_throttle_fail(&throttle, "10.0.0.1", 1000 + wait_us);
    assert_true(gw_throttle_wait_us(&throttle, "10.0.0.1", 1000 + wait_us) > 0);
}

static void one_address_does_not_slow_another(void **state)
{
    fail_often("10.0.0.1", 50, 1000);
    assert_int_equal(gw_throttle_wait_us(&throttle, "10.0.0.2", 1000), 0);
}

static void tries_come_back_but_never_more_than_at_first(void **state)
{
    int64_t much_later = INT64_C(3600000000);
    gw_throttle_fail(&throttle, "10.0.0.1", 1000);
    fail_often("10.0.0.1", GW_THROTTLE_TRIES, much_later);
    assert_true(gw_throttle_wait_us(&throttle, "10.0.0.1", much_later) > 0);
}

static void more_addresses_than_there_is_room_for_forget_the_oldest(void **state)
{
    char address[GW_ADDRESS_SIZE];
    fail_often("10.0.0.1", GW_THROTTLE_TRIES, 1000);
    for (int i = 0; i < GW_THROTTLE_SLOTS - 1; i++) {
        snprintf(address, sizeof(address), "10.1.%d.%d", i / 256, i % 256);
        fail_often(address, GW_THROTTLE_TRIES, 2000 + i);
    }
    assert_true(gw_throttle_wait_us(&throttle, "10.0.0.1", 3000) > 0);
    gw_throttle_fail(&throttle, "10.2.0.0", 3000);
    assert_int_equal(gw_throttle_wait_us(&throttle, "10.0.0.1", 3000), 0);
    assert_true(gw_throttle_wait_us(&throttle, "10.1.0.0", 3000) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whoever_mistypes_a_few_times_need_not_wait, forget_everything),
        cmocka_unit_test_setup(whoever_guesses_waits_for_each_further_try, forget_everything),
        cmocka_unit_test_setup(one_address_does_not_slow_another, forget_everything),
        cmocka_unit_test_setup(tries_come_back_but_never_more_than_at_first, forget_everything),
        cmocka_unit_test_setup(more_addresses_than_there_is_room_for_forget_the_oldest,
                               forget_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
