// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is normal for a number that keeps coming.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/baseline.h"

static struct gw_baseline baseline_of(const double *values, int count)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < count; i++)
        gw_baseline_add(&baseline, values[i]);
    return baseline;
}

static void fewer_than_eight_values_are_no_custom(void **state)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < 7; i++)
        gw_baseline_add(&baseline, i);
    assert_false(gw_baseline_ready(&baseline));
    gw_baseline_add(&baseline, 7);
    assert_true(gw_baseline_ready(&baseline));
}

static void the_middle_of_an_even_number_of_values_lies_between_two(void **state)
{
    const double values[] = {8, 1, 7, 2, 6, 3, 5, 4};
    const struct gw_baseline baseline = baseline_of(values, 8);

    assert_float_equal(baseline.median, 4.5, 1e-6);
    // Distances from it: 0.5 twice, 1.5 twice, 2.5 twice, 3.5 twice; their middle is 2.
    assert_float_equal(baseline.spread, 2 * 1.4826, 1e-5);
}

static void deviation_is_told_in_spreads(void **state)
{
    const double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const struct gw_baseline baseline = baseline_of(values, 9);

    // Median 5; the distances 0 1 1 2 2 3 3 4 4 have the middle 2.
    assert_float_equal(gw_baseline_deviation(&baseline, 5, 0.1), 0, 1e-6);
    assert_float_equal(gw_baseline_deviation(&baseline, 5 + 2 * 1.4826 * 3, 0.1), 3, 1e-5);
    assert_float_equal(gw_baseline_deviation(&baseline, 5 - 2 * 1.4826 * 3, 0.1), -3, 1e-5);
}

static void values_that_are_all_the_same_have_the_least_spread(void **state)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < 20; i++)
        gw_baseline_add(&baseline, 10);
    assert_float_equal(baseline.spread, 0, 1e-9);
    assert_float_equal(gw_baseline_deviation(&baseline, 10.5, 0.25), 2, 1e-6);
}

static void almost_half_of_the_values_may_be_something_else(void **state)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < GW_BASELINE_SIZE; i++)
        gw_baseline_add(&baseline, i % 9 < 4 ? 1000 : 10 + i % 3);
    assert_in_range(baseline.median, 10, 12);
    assert_true(gw_baseline_deviation(&baseline, 1000, 0.1) > 100);
}

static void old_values_are_forgotten(void **state)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < GW_BASELINE_SIZE; i++)
        gw_baseline_add(&baseline, 5);
    for (int i = 0; i < GW_BASELINE_SIZE; i++)
        gw_baseline_add(&baseline, 9);
    assert_int_equal(baseline.count, GW_BASELINE_SIZE);
    assert_float_equal(baseline.median, 9, 1e-6);
    assert_float_equal(gw_baseline_quantile(&baseline, 0), 9, 1e-6);
}

static void median_and_spread_are_never_more_than_six_values_old(void **state)
{
    struct gw_baseline baseline = {0};

    for (int i = 0; i < 10 * GW_BASELINE_SIZE; i++) {
        gw_baseline_add(&baseline, i);
        assert_in_range(baseline.unused, 0, 5);
    }
}

static void a_quantile_is_the_value_that_so_many_do_not_exceed(void **state)
{
    struct gw_baseline baseline = {0};

    assert_float_equal(gw_baseline_quantile(&baseline, 0.5), 0, 0);
    for (int i = 50; i >= 1; i--)
        gw_baseline_add(&baseline, i);
    assert_float_equal(gw_baseline_quantile(&baseline, 0), 1, 0);
    assert_float_equal(gw_baseline_quantile(&baseline, 0.5), 25, 0);
    assert_float_equal(gw_baseline_quantile(&baseline, 0.98), 49, 0);
    assert_float_equal(gw_baseline_quantile(&baseline, 1), 50, 0);
    assert_float_equal(gw_baseline_quantile(&baseline, 1.5), 50, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_than_eight_values_are_no_custom),
        cmocka_unit_test(the_middle_of_an_even_number_of_values_lies_between_two),
        cmocka_unit_test(deviation_is_told_in_spreads),
        cmocka_unit_test(values_that_are_all_the_same_have_the_least_spread),
        cmocka_unit_test(almost_half_of_the_values_may_be_something_else),
        cmocka_unit_test(old_values_are_forgotten),
        cmocka_unit_test(median_and_spread_are_never_more_than_six_values_old),
        cmocka_unit_test(a_quantile_is_the_value_that_so_many_do_not_exceed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
